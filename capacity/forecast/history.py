"""From daily peaks to a matrix of days and variants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import FrameError, InsufficientData
from capacity.ground.calendar import DAY_STEPS
from capacity.ground.frame import TOTAL
from capacity.ground.holidays import as_days
from capacity.ground.notes import Note
from capacity.ground.peaks import wide_peaks
from capacity.ground.text import day, plural

__all__ = ["MIN_DAYS", "History", "as_history"]

MIN_DAYS = 56  # eight weeks, from the first day seen to the last
_MIN_SEEN = 24  # days seen within them
_MOST = 100_000_000  # calls at once: more is no count, and its paths would not fit into 32 bits
_NEARLY = 0.98  # of a day's intervals: the share that counts as complete where most days lack some
_WEEK, _CHANCE = 7, 0.01


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
        Number of days with a peak that is not used, because the day was incomplete or excluded.
    too_short : tuple of str
        Variants with less than eight weeks of history, which are not in `values`.
    reported : bool array, shape (days, variants)
        Days with a peak, used or not.
    notes : tuple of Note
        What was assumed of the days.
    """

    dates: pd.DatetimeIndex
    values: npt.NDArray[np.float64]
    variants: tuple[str, ...]
    slice_name: str
    left_out: int
    too_short: tuple[str, ...]
    reported: npt.NDArray[np.bool_]
    notes: tuple[Note, ...] = ()

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
        Dates excluded from fitting.

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
    complete, notes = _enough_whole_days(peaks, wide, complete)
    known = wide.notna()
    if bool((wide > _MOST).any(axis=None)):
        raise FrameError(
            f"peaks: {np.nanmax(wide.to_numpy()):,.0f} calls at once is more than {_MOST:,}, the most that is "
            "forecast; leave days out whose peak is not a count of calls"
        )
    used = wide.where(complete)
    usable = used.notna().any(axis=1).to_numpy()
    if not usable.any():
        raise InsufficientData(_too_little(0, 0, int(known.any(axis=1).sum())))
    # A last day that is incomplete is not over: its peak is still to come, and it is the first day to forecast. One
    # that is missing is over: a Friday's history that goes on to an empty Sunday is followed by Monday.
    over = (wide.isna() | complete).all(axis=1).to_numpy() | usable
    used = used.iloc[: int(np.flatnonzero(over)[-1]) + 1]
    if exclude is not None:
        taught = ~used.index.isin(as_days(exclude, name="exclude"))
        used = used.where(np.broadcast_to(taught[:, None], used.shape))
    left_out = int((known & used.reindex(wide.index).isna()).any(axis=1).sum())
    used = used.iloc[int(np.flatnonzero(usable)[0]) :].asfreq("D")
    early = _before_launch(used.to_numpy())
    reported = known.reindex(used.index, fill_value=False).to_numpy(dtype=bool) & ~early
    if early[:, 0].any():
        notes += (_launch_note(used, int(early[:, 0].sum())),)
    begun = int((~early).any(axis=1).argmax())
    return _long_enough(used.mask(early).iloc[begun:], reported[begun:], name, left_out, notes)


def _enough_whole_days(
    peaks: pd.DataFrame | pd.Series, wide: pd.DataFrame, complete: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return which days count as complete: those with all of their intervals, or where these are few, nearly all.

    A few minutes of maintenance every night would otherwise leave nothing to learn from.
    """
    if isinstance(peaks, pd.Series) or "intervals" not in peaks.columns:
        return complete, ()
    lately = wide.index[-MIN_DAYS:]
    few = wide.loc[lately].notna().sum() > 2 * (complete & wide.notna()).loc[lately].sum()
    if not few.any():
        return complete, ()
    counts = peaks["intervals"].unstack(level=1)  # noqa: PD010 - unique keys: nothing to aggregate
    counts.columns, counts.index = counts.columns.astype(str), pd.DatetimeIndex(counts.index).as_unit("ns")
    nearly = (counts.reindex(index=wide.index, columns=wide.columns) >= _NEARLY * DAY_STEPS) & few
    if not (nearly & ~complete).any(axis=None):
        return complete, ()
    note = Note(
        f"Most of the last {MIN_DAYS} days lack some intervals: days with at least {_NEARLY:.0%} of them count as "
        "complete. daily_peaks(..., min_share=...) chooses another share.",
        field="forecast",
        severity="warning",
    )
    return complete | nearly, (note,)


def _before_launch(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which days are from before the first call of a series, shape (days, variants).

    They are where there are at least a week of zeros, and more than the share of days without a call since would make
    by chance.
    """
    out = np.zeros(values.shape, dtype=bool)
    for place, y in enumerate(values.T):
        begun = np.flatnonzero(y > 0)
        if len(begun):
            zeros = int((y[: begun[0]] == 0).sum())
            since = y[begun[0] :]
            quiet = float((since == 0).sum() / np.isfinite(since).sum())
            out[: begun[0], place] = zeros >= _WEEK and quiet**zeros < _CHANCE
    return out


def _launch_note(used: pd.DataFrame, days: int) -> Note:
    name = "" if used.columns[0] == TOTAL else f" of {used.columns[0]}"
    first = used.index[days]
    return Note(
        f"The history{name} begins with the first call, on {day(first)}: {plural(days, 'day')} without calls before it "
        "(zeros that may have been filled in) are left out.",
        field="forecast",
    )


def _long_enough(
    used: pd.DataFrame,
    reported: npt.NDArray[np.bool_],
    name: str,
    left_out: int,
    notes: tuple[Note, ...],
) -> History:
    values = used.to_numpy()
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    first = np.where(count > 0, seen.argmax(axis=0), len(used))
    shut = [_shut_before(used.index, reported[:, place], int(first[place])) for place in range(values.shape[1])]
    span = np.where(count > 0, len(used) - first + shut, 0)
    enough = (span >= MIN_DAYS) & (count >= _MIN_SEEN)
    variants = tuple(used.columns)
    if not enough.any() or (variants[0] == TOTAL and not enough[0]):
        best = 0 if variants[0] == TOTAL else int(count.argmax())
        raise InsufficientData(_too_little(int(span[best]), int(count[best]), int(reported[:, best].sum())))
    return History(
        dates=pd.DatetimeIndex(used.index),
        values=np.ascontiguousarray(values[:, enough]),
        variants=tuple(v for v, ok in zip(variants, enough, strict=True) if ok),
        slice_name=name,
        left_out=left_out,
        too_short=tuple(v for v, ok in zip(variants, enough, strict=True) if not ok),
        reported=np.ascontiguousarray(reported[:, enough]),
        notes=notes,
    )


def _shut_before(days: pd.Index, reported: npt.NDArray[np.bool_], first: int) -> int:
    """Return how many days right before the first belong to its week, their weekdays being never reported."""
    if first >= len(days):
        return 0
    weekday = pd.DatetimeIndex(days).day_of_week.to_numpy()
    there = set(weekday[reported].tolist())
    back = 0
    while back < _WEEK - 1 and (weekday[first] - back - 1) % _WEEK not in there:
        back += 1
    return back


def _too_little(span: int, seen: int, reported: int) -> str:
    lack = reported - seen
    remedy = (
        f". {plural(lack, 'day')} {'was' if lack == 1 else 'were'} left out as incomplete or excluded: "
        "daily_peaks(..., min_share=0.98) takes days with at least that share of their intervals"
        if lack > 0
        else ""
    )
    return (
        f"a forecast needs {MIN_DAYS} days of daily peaks (eight weeks), at least {_MIN_SEEN} of them seen; "
        f"there are {span} days, {seen} seen. Incomplete and excluded days do not count{remedy}"
    )
