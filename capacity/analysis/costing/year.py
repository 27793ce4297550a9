"""A year of calls, from a load or from sample paths of daily peaks: what it loses with each count of licences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.costing.billing import held_level
from capacity.analysis.costing.busy_day import BusyDay, calls_above
from capacity.errors import ConfigError, InsufficientData
from capacity.forecast.paths import PeakForecast
from capacity.ground.arguments import pick
from capacity.ground.arrays import Floats
from capacity.ground.calendar import DAY_STEPS, YEAR
from capacity.ground.tariff import MONTHS, Rule
from capacity.stats.erlang import log_erlang_b

_INTERVALS_A_YEAR = DAY_STEPS * YEAR
_MONTH = 30  # days, in which a forecast's bills are counted
_BILLED_PATHS = 400
_BIN = 0.002  # of sqrt(load)
_MINUTES = 5.0  # of an interval
_SIXTH = 5.5  # intervals
_ROWS = 2_000  # months counted at once


class Year:
    """What a year's calls do with each count of licences."""

    top: int
    basis: str
    highest: npt.NDArray[np.int64]

    def lost(self, channels: npt.NDArray[np.int64]) -> Floats:
        """Return lost calls a year, shape (counts, paths)."""
        raise NotImplementedError

    def minutes_above(self, licences: npt.NDArray[np.int64], most: npt.NDArray[np.int64]) -> Floats:
        """Return call minutes above the licences a year, up to `most` calls, shape (counts,)."""
        raise NotImplementedError

    def month_minutes(self) -> Floats:
        """Return call minutes offered by month, shape (paths, months)."""
        raise NotImplementedError

    def levels(self, rule: Rule) -> Floats:
        """Return each path's billed level by month, were there no cap [calls], shape (paths, months)."""
        raise ConfigError(f"billing={rule!r} needs a forecast of daily peaks; of loads alone give 'licences'")


class LoadYear(Year):
    """Intervals whose load is known."""

    def __init__(self, loads: Floats, turn: float) -> None:
        # Loads within 0.002 of each other in sqrt(Erlang) are counted as one.
        place, count = np.unique(np.rint(np.sqrt(loads) / _BIN), return_counts=True)
        self.loads: Floats = np.square(place * _BIN)
        self.intervals: Floats = np.asarray(count * (_INTERVALS_A_YEAR / len(loads)), np.float64)
        self.calls: Floats = self.loads * turn * self.intervals
        self.top: int = int(loads.max() + 8.0 * np.sqrt(loads.max())) + 5
        self.highest: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.basis: str = f"from the load of {len(loads):,} intervals, scaled to a year"

    def lost(self, channels: npt.NDArray[np.int64]) -> Floats:  # noqa: D102 - as the base says
        b = np.exp(log_erlang_b(channels[:, None].astype(np.float64), self.loads[None, :]))
        return np.asarray((b @ self.calls)[:, None])

    def minutes_above(  # noqa: D102 - as the base says
        self, licences: npt.NDArray[np.int64], most: npt.NDArray[np.int64]
    ) -> Floats:
        over = calls_above(self.loads[None, :], licences[:, None], most[:, None])
        return np.asarray(_MINUTES * over @ self.intervals)

    def month_minutes(self) -> Floats:  # noqa: D102 - as the base says
        return np.array([[_MINUTES * float(self.loads @ self.intervals) / MONTHS]])


class PathYear(Year):
    """Paths of daily peaks, each day running like one shape."""

    def __init__(self, forecast: PeakForecast, turn: float, shape: Floats, variant: str | None) -> None:
        peaks = forecast.series(variant).astype(np.float64)
        self.top: int = int(peaks.max() + 5.0 * np.sqrt(peaks.max())) + 5
        self.day: BusyDay = BusyDay.up_to(float(peaks.max()), turn, shape)
        self.peaks = peaks
        self.loads: Floats = self.day.load(self.day.without_chance(peaks))
        self.count: Floats = self.day.days(self.loads) * (YEAR / peaks.shape[1])
        self.highest: npt.NDArray[np.int64] = np.sort(peaks.max(axis=1)).astype(np.int64)
        self.basis: str = (
            f"from {peaks.shape[0]:,} paths of {peaks.shape[1]:,} days, scaled to a year, each day running like one "
            f"shape of {len(shape) / 12:g} hours"
        )

    def lost(self, channels: npt.NDArray[np.int64]) -> Floats:  # noqa: D102 - as the base says
        return np.asarray(self.day.loss(channels) @ self.count.T)

    def minutes_above(  # noqa: D102 - as the base says
        self, licences: npt.NDArray[np.int64], most: npt.NDArray[np.int64]
    ) -> Floats:
        return np.asarray(self.day.minutes_above(licences, most) @ self.count.mean(axis=0))

    def month_minutes(self) -> Floats:  # noqa: D102 - as the base says
        days = _whole_months(self.peaks, "package")
        daily = _MINUTES * float(self.day.shape.sum()) * self.loads[:, :days]
        return np.asarray(daily.reshape(len(daily), -1, _MONTH).sum(axis=2))

    def levels(self, rule: Rule) -> Floats:  # noqa: D102 - as the base says
        days = _whole_months(self.peaks, f"billing={rule!r}")
        if rule == "maximum":
            return np.asarray(self.peaks[:, :days].reshape(len(self.peaks), -1, _MONTH).max(axis=2))
        some = self.loads[:: max(len(self.loads) // _BILLED_PATHS, 1), :days]
        if rule == "used":
            return _used_levels(self.day, some)
        levels = np.interp(np.sqrt(some)[:, :, None] * np.sqrt(self.day.shape), self.day.grid, self.day.interval_peak)
        if rule == "held":
            return np.asarray(held_level(levels).reshape(len(some), -1, _MONTH).max(axis=2))
        months = np.sort(levels.reshape(len(some), days // _MONTH, -1), axis=2)
        above = int(_MONTH * DAY_STEPS * 0.05)  # intervals of the whole day, nights too, that lie above
        return np.asarray(months[:, :, -1 - above] if above < months.shape[2] else np.zeros(months.shape[:2]))


def _whole_months(peaks: Floats, what: str) -> int:
    """Return the days of whole months: the highest of half a month is lower than that of a whole one."""
    if peaks.shape[1] < _MONTH:
        raise ConfigError(
            f"{what} counts months, and the forecast is of {peaks.shape[1]} days; forecast at least {_MONTH}"
        )
    return int(peaks.shape[1] // _MONTH * _MONTH)


def _used_levels(day: BusyDay, loads: Floats) -> Floats:
    """Return the level that six intervals of a month are expected to reach [calls], shape (paths, months).

    Intervals that pass level m are counted in expectation, chance within each interval included; the level is the
    highest that at least 5.5 of them reach: the median of the sixth highest maximum.
    """
    months = loads.reshape(-1, _MONTH)
    out = np.empty(len(months))
    for first in range(0, len(months), _ROWS):
        block = months[first : first + _ROWS]
        reached = day.intervals_above(day.days(block)) >= _SIXTH  # of m = 0, 1, ...: the maximum is at least m + 1
        out[first : first + _ROWS] = reached.sum(axis=1)
    return out.reshape(len(loads), -1)


def loads_of(demand: pd.DataFrame | pd.Series, variant: str | None) -> Floats:
    """Return the loads [Erlang] of a frame of offered_load or of a Series, NaN left out."""
    series = demand
    if isinstance(demand, pd.DataFrame):
        if "offered_load" not in demand.columns:
            raise ConfigError(f"demand has no column offered_load, but {[str(c) for c in demand.columns]}")
        series = demand["offered_load"]
        if isinstance(series.index, pd.MultiIndex):
            held = series.index.get_level_values(-1)
            ids = [str(i) for i in held.unique()]
            if variant is not None or ids:
                series = series[held == pick(ids, variant, where="the load", slice_name=str(series.index.names[-1]))]
    if not isinstance(series, pd.Series):
        raise ConfigError("demand is neither a forecast, nor a frame of offered_load, nor a Series of loads")
    loads = series.dropna().to_numpy(dtype=np.float64)
    if len(loads) == 0:
        raise InsufficientData("the cost needs at least one interval's load and has none")
    if not bool((np.isfinite(loads) & (loads >= 0)).all()):
        raise ConfigError(f"a load is {loads[~(np.isfinite(loads) & (loads >= 0))][0]}; loads are at least 0 [Erlang]")
    return np.asarray(loads)
