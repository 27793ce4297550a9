"""Calendar features of days: the weekday, holidays, and days near them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.ground.calendar import MONDAY

__all__ = ["SPECIAL", "Calendar", "make_calendar"]

SPECIAL = 7  # the class of special days; 0 to 6 are Monday to Sunday


@dataclass(frozen=True, eq=False)
class Calendar:
    """Features of consecutive days, of the history and ahead.

    Attributes
    ----------
    X : float array, shape (days, features)
        Columns: Monday to Sunday; holiday on a working day; holiday on a weekend; bridge day; Christmas week; the day
        before, the day after a holiday. All 0 or 1.
    weekday : int array, shape (days,)
        Monday = 0.
    kind : int array, shape (days,)
        The weekday, or SPECIAL for a holiday, a bridge day or a day of Christmas week.
    """

    X: npt.NDArray[np.float64]
    weekday: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]

    def since(self, first: int) -> Calendar:
        """Return the calendar without its first days."""
        return replace(self, X=self.X[first:], weekday=self.weekday[first:], kind=self.kind[first:])


def make_calendar(dates: pd.DatetimeIndex, holidays: pd.DatetimeIndex) -> Calendar:
    """Return the features of `dates` (consecutive naive midnights)."""
    # One day more on either side, so that bridges and neighbours are known at the ends too.
    day = np.arange(-1, len(dates) + 1) + dates[0].to_datetime64().astype("datetime64[D]").astype(np.int64)
    weekday = (day + MONDAY) % 7
    off = np.isin(day, holidays.to_numpy().astype("datetime64[D]").astype(np.int64))
    weekend = weekday >= 5
    working = off & ~weekend
    free = off | weekend
    bridge = ~free & ((_shift(working, 1) & (weekday == 4)) | (_shift(working, -1) & (weekday == 0)))
    month_day = pd.DatetimeIndex(day.astype("datetime64[D]").astype("datetime64[ns]"))
    month, number = month_day.month.to_numpy(), month_day.day.to_numpy()
    christmas = (((month == 12) & (number >= 24)) | ((month == 1) & (number == 1))) & ~off
    before = _shift(working, -1) & ~free
    after = _shift(working, 1) & ~free
    columns = [*(weekday == d for d in range(7)), working, off & weekend, bridge, christmas, before, after]
    inner = slice(1, -1)
    return Calendar(
        X=np.stack(columns, axis=1).astype(np.float64)[inner],
        weekday=weekday[inner],
        kind=np.where(off | bridge | christmas, SPECIAL, weekday)[inner],
    )


def _shift(flag: npt.NDArray[np.bool_], days: int) -> npt.NDArray[np.bool_]:
    """Return the flag of `days` before; the ends see none."""
    out = np.zeros_like(flag)
    if days > 0:
        out[days:] = flag[:-days]
    else:
        out[:days] = flag[-days:]
    return out
