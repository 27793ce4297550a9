"""Daily peaks: the highest 5-minute maximum of each local day, by variant and TOTAL at once."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.localtime import local_days
from capacity.intervals import dense, slice_name

__all__ = ["daily_peaks"]

# A day has at most 300 intervals: a maximum and its place in the day fit in one number, value * 512 + (511 - place),
# whose maximum is the peak at its earliest place.
_BITS = 9
_PLACES = 1 << _BITS
_BLOCK = 1 << 20  # cells at a time: the working copy stays in the processor's cache


def daily_peaks(frame: pd.DataFrame, *, tz: str | dt.tzinfo = "UTC") -> pd.DataFrame:
    """Return each local day's peak: the highest of its 5-minute maxima, by variant.

    Parameters
    ----------
    frame : DataFrame
        THE frame, as `cap.as_intervals` makes it.
    tz : str or tzinfo
        IANA name of the zone whose days are meant.

    Returns
    -------
    DataFrame
        MultiIndex (``date``: naive local midnight, variant), sorted; a row for each day on which a variant has at
        least one interval. Columns:

        ``peak``
            int32 [conversations], the most that were in progress at once.
        ``time``
            datetime64[ns, UTC], start of the first interval that reached the peak.
        ``intervals``
            how many of the day's intervals the frame holds.
        ``complete``
            whether that is all of them: 288, or 276 or 300 on the days on which the clock moves by an hour.

    Raises
    ------
    FrameError
        The frame breaks the schema.
    ConfigError
        No such time zone.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01T23:00Z", periods=3, freq="5min")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": [3, 5, 5]}))
    >>> day = cap.daily_peaks(frame, tz="Europe/London").iloc[0]
    >>> print(day.peak, day.time, day.intervals, day.complete)
    5 2026-07-01 23:05:00+00:00 3 False
    """
    cells = dense(frame)
    day_of, days, expected = local_days(cells.times, tz)
    values, times = cells.values, cells.times.asi8
    if len(day_of) and bool((np.diff(day_of) < 0).any()):
        order = np.argsort(day_of, kind="stable")
        values, times, day_of = values[order], times[order], day_of[order]
    first_row = np.searchsorted(day_of, np.arange(len(days)))
    peak, place, count = _day_maxima(values, first_row)
    day, variant = np.nonzero(count)
    index = pd.MultiIndex(
        levels=[days.rename("date"), frame.index.levels[1][frame.index.levels[1].isin(cells.ids)]],
        codes=[day, variant],
        names=["date", slice_name(frame)],
        verify_integrity=False,
    )
    when = times[(first_row[:, None] + place)[day, variant]] if len(day) else np.empty(0, np.int64)
    return pd.DataFrame(
        {
            "peak": peak[day, variant],
            "time": pd.DatetimeIndex(when.view("datetime64[ns]")).tz_localize("UTC"),
            "intervals": count[day, variant],
            "complete": count[day, variant] == expected[day],
        },
        index=index,
    )


def _day_maxima(
    values: npt.NDArray[np.int32], first_row: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the peak, its place among the day's rows and the rows that are there, each of shape (days, variants)."""
    rows, columns = values.shape
    shape = (len(first_row), columns)
    peak, place, count = np.empty(shape, np.int32), np.empty(shape, np.int64), np.empty(shape, np.int64)
    if values.size == 0:
        return peak, place, np.zeros(shape, np.int64)
    wide = np.dtype(np.int64 if int(values.max()) >= (1 << (31 - _BITS)) else np.int32)
    place_in_day = np.arange(rows) - np.repeat(first_row, np.diff(first_row, append=rows))
    low = (_PLACES - 1 - place_in_day).astype(wide)[:, None]
    step = max(1, _BLOCK // (_PLACES * columns))
    for begin in range(0, len(first_row), step):
        some = slice(begin, begin + step)
        starts = first_row[some]
        end = first_row[begin + step] if begin + step < len(first_row) else rows
        block = values[starts[0] : end]
        packed = np.maximum.reduceat(block.astype(wide) * _PLACES + low[starts[0] : end], starts - starts[0], axis=0)
        peak[some] = packed >> _BITS
        place[some] = _PLACES - 1 - (packed & (_PLACES - 1))
        count[some] = np.add.reduceat(block >= 0, starts - starts[0], axis=0, dtype=np.int64)
    return peak, place, count
