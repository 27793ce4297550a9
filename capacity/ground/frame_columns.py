"""The columns of a frame as users bring them: as they have to be, or an error that says why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import FrameError
from capacity.ground.times import STEP

MOST_AT_ONCE = int(np.iinfo(np.int32).max)


def read_times(column: pd.Series) -> pd.DatetimeIndex:
    """Return interval starts in UTC.

    Raises
    ------
    FrameError
        A time that is naive, missing or off the 5-minute grid.
    """
    if len(column) == 0:
        return pd.DatetimeIndex([], tz="UTC").as_unit("ns")
    if isinstance(column.dtype, pd.ArrowDtype) and "tz=" in str(column.dtype):
        column = column.astype(pd.DatetimeTZDtype("us", "UTC"))
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        raise FrameError(
            f"time is {column.dtype} (first value {column.iloc[0]!r}), not an aware datetime; "
            "use pd.to_datetime(time, utc=True), or .dt.tz_localize('Europe/London') for local times"
        )
    if column.isna().any():
        raise FrameError(
            f"{int(column.isna().sum())} rows have no time; drop them: a missing interval is a missing row"
        )
    try:
        times = pd.DatetimeIndex(column).tz_convert("UTC").as_unit("ns")
    except pd.errors.OutOfBoundsDatetime as exc:
        raise FrameError(f"time has one outside the years 1678 to 2262 ({exc}); drop such rows") from exc
    check_grid(times)
    return times


def check_grid(times: pd.DatetimeIndex) -> None:
    """Raise FrameError for a time that is not on the 5-minute grid."""
    off = times.asi8 % STEP.value != 0
    if off.any():
        raise FrameError(
            f"{times[off][0].isoformat()} is not on the 5-minute grid; round it down with .dt.floor('5min')"
        )


def read_texts(column: pd.Series, *, missing: str) -> npt.NDArray[Any]:
    """Return labels as text, shape (rows,); `missing` stands in where there is none."""
    codes, labels = pd.factorize(column)
    text = np.array([*(str(label) for label in labels), missing], dtype=object)
    return np.asarray(text[codes])  # code -1, a missing label, is the last


def read_counts(column: pd.Series, *, name: str) -> npt.NDArray[np.int32]:
    """Return counts, shape (rows,); `name` is for the error message.

    Raises
    ------
    FrameError
        A value that is missing, negative, too large or no whole number.
    """
    if len(column) == 0:
        return np.empty(0, dtype=np.int32)
    if column.isna().any():
        raise FrameError(
            f"{name} is missing in {int(column.isna().sum())} rows; drop them: a missing interval is a missing row"
        )
    if column.dtype.kind in "bc" or not pd.api.types.is_numeric_dtype(column.dtype):
        raise FrameError(f"{name} is {column.dtype} (first value {column.iloc[0]!r}), not whole numbers")
    values = column.to_numpy()
    if values.dtype.kind not in "iu":
        values = values.astype(np.float64)
        bad = values != np.floor(values)
        if bad.any():
            raise FrameError(f"{name} is {values[bad][0]}; conversations come in whole numbers")
    if values.min() < 0 or values.max() > MOST_AT_ONCE:
        wrong = values.min() if values.min() < 0 else values.max()
        raise FrameError(f"{name} is {wrong}; it has to lie between 0 and {MOST_AT_ONCE:,}")
    return np.asarray(values, dtype=np.int32)
