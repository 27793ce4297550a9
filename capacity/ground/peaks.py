"""Daily peaks that a caller gives: read and checked in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from capacity.errors import FrameError
from capacity.ground.frame import TOTAL


def wide_peaks(peaks: pd.DataFrame | pd.Series) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Read daily peaks: one column a variant, which days are complete, and what the variants are.

    Parameters
    ----------
    peaks : DataFrame or Series
        What `capacity.daily_peaks` returns; or one Series of peaks [calls] with a daily DatetimeIndex (naive local
        midnights), which becomes TOTAL. Missing days are absent or NaN.

    Returns
    -------
    peaks : DataFrame
        Index date (naive midnights [ns], ascending), one float column a variant, TOTAL first; NaN where missing.
    complete : DataFrame
        The same shape: whether all of the day's intervals were there.
    slice_name : str

    Raises
    ------
    FrameError
        An index that is not made of whole, unique days; a peak that is negative, infinite or no number.

    Examples
    --------
    >>> peaks, complete, slice_name = wide_peaks(pd.Series([3, 5], index=pd.date_range("2026-07-01", periods=2)))
    >>> peaks["*"].tolist(), slice_name
    ([3.0, 5.0], 'variant')
    """
    if isinstance(peaks, pd.Series):
        wide = peaks.to_frame(TOTAL)
        wide.index = _days(wide.index)
        wide = _numbers(wide)
        return wide, wide.notna(), "variant"
    if not isinstance(peaks, pd.DataFrame) or peaks.index.nlevels != 2 or "peak" not in peaks.columns:
        raise FrameError(
            f"peaks must be what daily_peaks() returns (index (date, variant), column peak) or one Series with a "
            f"daily DatetimeIndex, not {type(peaks).__name__}"
        )
    name = str(peaks.index.names[1] or "variant")
    if peaks.index.has_duplicates:
        raise FrameError(f"peaks: {peaks.index[peaks.index.duplicated()][0]} appears twice; give each day once")
    wide = peaks["peak"].unstack(level=1)  # noqa: PD010 - unique keys: nothing to aggregate
    wide.columns = wide.columns.astype(str)
    wide = wide[sorted(wide.columns, key=lambda v: (v != TOTAL, v))]
    wide.index = _days(wide.index)
    wide = _numbers(wide)
    if "complete" not in peaks.columns:
        return wide, wide.notna(), name
    complete = peaks["complete"].astype(bool).unstack(level=1, fill_value=False)  # noqa: PD010
    complete.columns = complete.columns.astype(str)
    complete.index = _days(complete.index)
    return wide, complete.reindex(index=wide.index, columns=wide.columns), name


def _days(index: Any) -> pd.DatetimeIndex:
    if not isinstance(index, pd.DatetimeIndex):
        raise FrameError(f"peaks: the index holds {index.dtype}, not dates; give naive local midnights")
    if index.tz is not None:
        raise FrameError(f"peaks: the dates carry the zone {index.tz}; give naive local midnights (tz_localize(None))")
    days = index.as_unit("ns")
    if days.hasnans or bool((days != days.normalize()).any()):
        raise FrameError("peaks: the index holds times that are no whole days; give one peak a day, at midnight")
    if days.has_duplicates:
        raise FrameError(f"peaks: {days[days.duplicated()][0].date()} appears twice; give each day once")
    return days.rename("date")


def _numbers(wide: pd.DataFrame) -> pd.DataFrame:
    try:
        wide = wide.astype(np.float64).sort_index()
    except (TypeError, ValueError) as exc:
        raise FrameError(f"peaks: not all are numbers ({exc})") from exc
    values = wide.to_numpy()
    if bool(np.isinf(values).any()) or bool((values < 0).any()):
        raise FrameError("peaks: there is a negative or infinite one; peaks are counts of calls, NaN where missing")
    return wide
