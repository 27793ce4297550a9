"""What each count of licences costs in each stretch of the days ahead."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from capacity.analysis.costing.year import PathYear
from capacity.errors import ConfigError
from capacity.forecast.paths import PeakForecast
from capacity.ground.arrays import Floats
from capacity.ground.tariff import Tariff

__all__ = ["Costs", "Counts"]

Counts = npt.NDArray[np.int64]

_YEAR = 365.25  # days
_MONTH = 30  # days


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs of counts of licences by stretch of days.

    Attributes
    ----------
    tariff : Tariff
    year : PathYear
        The paths as days of calls.
    loss : ndarray, shape (counts, points)
        Calls that a day loses with 0, 1, 2, ... channels, by the load of its busiest interval.
    lost_call_cost : float
        Money for a lost call.
    """

    tariff: Tariff
    year: PathYear
    loss: Floats
    lost_call_cost: float

    @classmethod
    def of(
        cls, forecast: PeakForecast, tariff: Tariff, turn: float, shape: Floats, variant: str | None, cost: float
    ) -> Costs:
        """Work out what days lose with each count up to more than anyone needs."""
        year = PathYear(forecast, turn, shape, variant)
        return cls(tariff, year, year.day.loss(np.arange(year.top + 1)), cost)

    def licences(self, counts: Counts, days: slice) -> Floats:
        """Return what licences and bursts cost in these days, on average over the paths, shape (counts,)."""
        tariff, share = self.tariff, (days.stop - days.start) / _YEAR
        if tariff.billing == "licences":
            paid = tariff.licence_price * share * counts
        else:
            levels = self._levels(tariff.billing, days)
            paid = np.array([12 * share * tariff.month_paid(count, levels).mean() for count in counts])
        return np.asarray(paid + self._above(counts, days))

    def lost(self, counts: Counts, days: slice, path: int | None = None) -> Floats:
        """Return the calls lost in these days, on average over the paths or on one, shape (counts,)."""
        channels = np.minimum(counts + np.minimum(self.tariff.carried_above(counts), self.year.top), self.year.top)
        loads = self.year.loads[:, days] if path is None else self.year.loads[path : path + 1, days]
        at = self.year.day.days(loads.reshape(1, -1))[0] / len(loads)
        return np.asarray(self.loss[channels] @ at)

    def total(self, counts: Counts, days: slice, path: int | None = None) -> Floats:
        """Return licences, bursts and lost calls together [money], shape (counts,)."""
        return np.asarray(self.licences(counts, days) + self.lost_call_cost * self.lost(counts, days, path))

    def _above(self, counts: Counts, days: slice) -> Floats:
        """Return what calls above the licences, and packages of channels, cost."""
        tariff, share = self.tariff, 12 * (days.stop - days.start) / _YEAR
        burst, out = tariff.burst, np.zeros(len(counts))
        if burst is not None:
            most = counts + np.minimum(burst.most(counts), self.year.top)
            at = self.year.day.days(self.year.loads[:, days].reshape(1, -1))[0] / len(self.year.loads)
            minutes = self.year.day.minutes_above(counts, most) @ at / share if burst.per_minute else out
            calls = (self.loss[np.minimum(counts, self.year.top)] - self.loss[np.minimum(most, self.year.top)]) @ at
            levels = self._levels(burst.measure, days) if burst.multiple else np.zeros(1)
            rows = zip(counts, np.asarray(minutes), calls / share, strict=True)
            out = np.array([share * tariff.month_burst(n, levels, minutes=m, calls=c).mean() for n, m, c in rows])
        if tariff.package is not None and tariff.package.of == "channels":
            levels = self._levels("maximum" if tariff.billing == "licences" else tariff.billing, days)
            out = out + [share * tariff.package.cost(np.minimum(levels, count)).mean() for count in counts]
        return np.asarray(out)

    def _levels(self, rule: str, days: slice) -> Floats:
        """Return the levels by path of the month that holds the middle of these days."""
        levels = self.year.levels(rule)  # type: ignore[arg-type]
        month = min((days.start + days.stop) // 2 // _MONTH, levels.shape[1] - 1)
        return np.asarray(levels[:, month])


def lots(calls: npt.ArrayLike, base: int, lot: int) -> Counts:
    """Return how many lots more than `base` licences (fewer: below 0) carry so many calls.

    Examples
    --------
    >>> lots([95, 100, 101, 130], 100, 10)
    array([0, 0, 1, 3])
    """
    if lot < 1:
        raise ConfigError(f"lot={lot} must be at least 1")
    fewest = -math.floor(base / lot)
    return np.maximum(-((base - np.asarray(calls, dtype=np.int64)) // lot), fewest)
