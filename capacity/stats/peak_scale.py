"""What of a daily peak is growth, what is its weekday: fitted robustly, and scaled out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.errors import InsufficientData
from capacity.ground.arrays import Floats, Ints
from capacity.ground.calendar import MONDAY, YEAR
from capacity.stats.robust import robust_sd

_TREND_DAYS = 548  # a year and a half: below it a trend cannot be told from the season
_LEVEL_MOVES = 0.05  # of log level: below it the spread's power does not matter
_MOST_ALIKE = 0.95
_HUBER = 1.5
_ROUNDS = 25
_CLOSED = 0.05  # a weekday whose median is below this share of the busiest is closed


@dataclass(frozen=True, eq=False)
class PeakScale:
    """What is scaled out of the peaks: growth, and weekdays relative to the busiest."""

    growth: float  # per year, NaN where it is left in
    per_day: float  # in logs
    weekday: Floats  # shape (7,), at most 1; NaN where closed
    base: float  # middle of the busiest weekday's peaks on the last day
    power: float  # the spread of a peak goes with its level to this power: 1/2 if all is chance, 1 if all is the day
    trend_se: float  # standard error of what the trend adds from the middle of the record to its end, in logs

    @classmethod
    def of(cls, y: Floats, day: Ints, trend: bool | None) -> PeakScale:
        """Fit log peaks by weekday and, if `trend` (None: if the days are enough), a straight line of time.

        `day` counts from 1 January 1970, ascending.
        """
        dow = weekday_of(day)
        medians = np.array([np.median(y[dow == d]) if bool((dow == d).any()) else np.nan for d in range(7)])
        open_days = medians >= max(_CLOSED * float(np.nanmax(medians)), 0.5)
        if not bool(open_days.any()):
            raise InsufficientData("return levels need peaks above 0; most days have none")
        day = (day - day[0]).astype(np.float64)
        kept = open_days[dow]
        columns = (dow[kept, None] == np.flatnonzero(open_days)).astype(np.float64)
        trend = bool(day[-1] >= _TREND_DAYS) if trend is None else trend
        design = np.column_stack([columns, (day[kept] - day[-1]) / YEAR]) if trend else columns
        beta = _huber(design, np.log(np.maximum(y[kept], 0.5)))
        level = np.full(7, np.nan)
        level[open_days] = beta[: int(open_days.sum())]
        slope = float(beta[-1]) if trend else 0.0
        growth = float(np.expm1(slope)) if trend else np.nan
        middle = np.exp(design @ beta)
        power = _power(np.abs(y[kept] - middle), middle)
        error = _trend_error(design[:, -1], np.log(np.maximum(y[kept], 0.5)) - design @ beta) if trend else 0.0
        top = float(np.nanmax(level))
        return cls(growth, slope / YEAR, np.exp(level - top), float(np.exp(top)), power, error)

    def middle(self, day: Ints) -> Floats:
        """Return the middle of each day's peaks."""
        return np.asarray(self.base * np.exp(self.per_day * (day - day[-1])) * self.weekday[weekday_of(day)])


def _trend_error(time: Floats, rest: Floats) -> float:
    """Return the standard error of slope times half the record; days repeat each other, as their correlation says."""
    repeat = float(np.clip(np.corrcoef(rest[:-1], rest[1:])[0, 1], 0.0, _MOST_ALIKE)) if np.std(rest) > 0 else 0.0
    spread = robust_sd(rest)
    slope = spread * np.sqrt((1.0 + repeat) / (1.0 - repeat) / float(((time - time.mean()) ** 2).sum()))
    return float(slope * -time.mean())


def _power(spread: Floats, middle: Floats) -> float:
    """Return how the spread goes with the level, between 1/2 and 1; 1 where the level hardly moves."""
    x, y = np.log(np.maximum(middle, 0.5)), np.log(spread + 0.5)
    if float(np.std(x)) < _LEVEL_MOVES:
        return 1.0
    return float(np.clip(_huber(np.column_stack([np.ones(len(x)), x]), y)[1], 0.5, 1.0))


def _huber(design: Floats, y: Floats) -> Floats:
    """Return robust regression coefficients: a day out of line has no more pull than one at 1.5 deviations."""
    weight: Floats = np.ones(len(y), dtype=np.float64)
    beta: Floats = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)
        beta = np.asarray(np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0])
        rest = y - design @ beta
        spread = max(robust_sd(rest, 0.0), 1e-9)
        weight = np.asarray(np.minimum(1.0, _HUBER * spread / np.maximum(np.abs(rest), 1e-12)), dtype=np.float64)
    return np.array(beta, dtype=np.float64)


def weekday_of(day: Ints) -> Ints:
    """Return the weekday, Monday 0, of days counted from 1 January 1970."""
    return np.asarray((day + MONDAY) % 7)
