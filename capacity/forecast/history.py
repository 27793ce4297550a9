"""From daily peaks, as they come, to a matrix of days and variants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import InsufficientData
from capacity.ground.frame import TOTAL
from capacity.ground.holidays import as_days
from capacity.ground.peaks import wide_peaks

__all__ = ["MIN_DAYS", "History", "as_history"]

MIN_DAYS = 56  # eight weeks, from the first day seen to the last
_MIN_SEEN = 24  # days seen within them


@dataclass(frozen=True, eq=False)
class History:
    """Daily peaks as a matrix.

    Attributes
    ----------
    dates : DatetimeIndex
        Naive midnights [ns], every day from the first to the last.
    values : float array, shape (days, variants)
        Peaks [calls]; NaN where a day is missing, incomplete or excluded.
    variants : tuple of str
        TOTAL first where there is one, the others in order of name.
    slice_name : str
        What the variants are.
    left_out : int
        Days on which a peak was at hand and not used, because the day was incomplete or excluded.
    too_short : tuple of str
        Variants with less than eight weeks of history, which are not in `values`.
    """

    dates: pd.DatetimeIndex
    values: npt.NDArray[np.float64]
    variants: tuple[str, ...]
    slice_name: str
    left_out: int
    too_short: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return index date, one float column a variant."""
        columns = pd.Index(self.variants, name=self.slice_name)
        return pd.DataFrame(self.values, index=self.dates.rename("date"), columns=columns)


def as_history(peaks: pd.DataFrame | pd.Series, *, exclude: Iterable[Any] | None = None) -> History:
    """Read daily peaks.

    Parameters
    ----------
    peaks : DataFrame or Series
        What `capacity.daily_peaks` returns; or one Series of peaks [calls] with a daily DatetimeIndex (naive local
        midnights), which becomes TOTAL. Missing days are absent or NaN.
    exclude : iterable of dates, optional
        Days that must not teach.

    Raises
    ------
    FrameError
        An index that is not made of whole, unique days; a peak that is negative, infinite or no number.
    InsufficientData
        Less than eight weeks of history, for TOTAL or for every variant.

    Examples
    --------
    >>> peaks = pd.Series(range(100), index=pd.date_range("2026-01-01", periods=100))
    >>> as_history(peaks, exclude=["2026-01-05"]).values[:6, 0].tolist()
    [0.0, 1.0, 2.0, 3.0, nan, 5.0]
    """
    wide, complete, name = wide_peaks(peaks)
    known = wide.notna()
    used = wide.where(complete)
    usable = used.notna().any(axis=1).to_numpy()
    if not usable.any():
        raise InsufficientData(_too_little(0, 0))
    # A last day that is incomplete is not over: its peak is still to come, and it is the first day to forecast. One
    # that is missing is over: a Friday's history that goes on to an empty Sunday is followed by Monday.
    over = (wide.isna() | complete).all(axis=1).to_numpy() | usable
    used = used.iloc[: int(np.flatnonzero(over)[-1]) + 1]
    if exclude is not None:
        taught = ~used.index.isin(as_days(exclude, name="exclude"))
        used = used.where(np.broadcast_to(taught[:, None], used.shape))
    left_out = int((known & used.reindex(wide.index).isna()).any(axis=1).sum())
    used = used.iloc[int(np.flatnonzero(usable)[0]) :].asfreq("D")
    return _long_enough(used, name, left_out)


def _long_enough(used: pd.DataFrame, name: str, left_out: int) -> History:
    values = used.to_numpy()
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    first = np.where(count > 0, seen.argmax(axis=0), len(used))
    span = np.where(count > 0, len(used) - first, 0)
    enough = (span >= MIN_DAYS) & (count >= _MIN_SEEN)
    variants = tuple(used.columns)
    if not enough.any() or (variants[0] == TOTAL and not enough[0]):
        best = 0 if variants[0] == TOTAL else int(count.argmax())
        raise InsufficientData(_too_little(int(span[best]), int(count[best])))
    return History(
        dates=pd.DatetimeIndex(used.index),
        values=np.ascontiguousarray(values[:, enough]),
        variants=tuple(v for v, ok in zip(variants, enough, strict=True) if ok),
        slice_name=name,
        left_out=left_out,
        too_short=tuple(v for v, ok in zip(variants, enough, strict=True) if not ok),
    )


def _too_little(span: int, seen: int) -> str:
    return (
        f"a forecast needs {MIN_DAYS} days of daily peaks (eight weeks), at least {_MIN_SEEN} of them seen; "
        f"there are {span} days, {seen} seen. Incomplete and excluded days do not count"
    )
