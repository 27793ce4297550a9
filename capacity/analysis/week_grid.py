"""Local times laid out as weeks x weekdays x slots, for what comes back every day and every week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.ground.arrays import Floats
from capacity.ground.calendar import MONDAY
from capacity.ground.holidays import HolidayLike, holiday_dates
from capacity.ground.times import DAY_NS

# A special day has nearly no weight, but it counts where a slot was never seen otherwise.
_SPECIAL_WEIGHT = 1e-6


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the values of one series lie on a grid of weeks x 7 weekdays (Monday first) x slots of the day.

    Attributes
    ----------
    cell : int64, shape (values,)
        Each value's place in the flat grid. Two values share a cell where the clock was set back.
    weeks, slots : int
        The grid is (weeks, 7, slots).
    special : bool, shape (values,)
        Whether the value's day is set apart.
    special_days : DatetimeIndex
        Those of the days, naive midnights.
    """

    cell: npt.NDArray[np.int64]
    weeks: int
    slots: int
    special: npt.NDArray[np.bool_]
    special_days: pd.DatetimeIndex

    @property
    def days(self) -> int:
        """On how many local days there is a value."""
        return len(np.unique(self.cell // self.slots))

    def spread(self, values: Floats) -> Floats:
        """Return the values on the grid: the mean where a cell has two, 0 where it has none."""
        total = np.bincount(self.cell, weights=values, minlength=self._size)
        count = np.bincount(self.cell, minlength=self._size)
        return np.asarray((total / np.maximum(count, 1)).reshape(self.weeks, 7, self.slots))

    def weight(self) -> Floats:
        """Return the weight of each cell in a fit: how many values it holds, nearly 0 for a special day."""
        each = np.where(self.special, _SPECIAL_WEIGHT, 1.0)
        total = np.bincount(self.cell, weights=each, minlength=self._size)
        return np.asarray(total.reshape(self.weeks, 7, self.slots), dtype=np.float64)

    def gather(self, grid: Floats) -> Floats:
        """Return what the grid holds at the place of each value."""
        return np.asarray(np.ascontiguousarray(grid).reshape(-1)[self.cell])

    def of_each_weekday(self, *, at_least: int) -> int:
        """Return how many days there are of the scarcest weekday, of those with enough values, none special."""
        ordinary = np.bincount(self.cell[~self.special] // self.slots, minlength=self.weeks * 7)
        return int((ordinary >= at_least).reshape(self.weeks, 7).sum(axis=0).min())

    @property
    def _size(self) -> int:
        return self.weeks * 7 * self.slots


def week_grid(local: pd.DatetimeIndex, slots: int, special: pd.DatetimeIndex) -> Grid:
    """Lay out naive local times.

    Parameters
    ----------
    local : DatetimeIndex
        Naive local times.
    slots : int
        How many slots a day of 24 hours has: 288 for 5-minute intervals, 1 for days.
    special : DatetimeIndex
        Naive midnights of the days that are set apart.
    """
    ns = local.as_unit("ns").asi8
    day = ns // DAY_NS
    slot = ns % DAY_NS * slots // DAY_NS
    week = (day + MONDAY) // 7
    first = int(week.min()) if len(week) else 0
    weeks = int(week.max()) - first + 1 if len(week) else 0
    apart = np.asarray(special.as_unit("ns").asi8 // DAY_NS)
    is_special = np.isin(day, apart)
    cell = (day + MONDAY - first * 7) * slots + slot
    days = pd.DatetimeIndex((np.unique(day[is_special]) * DAY_NS).view("datetime64[ns]"))
    return Grid(cell=cell, weeks=weeks, slots=slots, special=is_special, special_days=days)


def special_days(holidays: HolidayLike, local: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the holidays in the years of some local times, as naive midnights."""
    if len(local) == 0:
        return holiday_dates(holidays, [])
    return holiday_dates(holidays, range(local[0].year, local[-1].year + 1), warn=True)
