"""Interval frame as a dense (time x series) matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.ground.frame import validate
from capacity.ground.once import once

_BLOCK = 1 << 16  # rows


@dataclass(frozen=True, eq=False)
class Dense:
    """Dense (time x series) int32 view of the frame; -1 marks missing.

    Attributes
    ----------
    times : DatetimeIndex, UTC
        The distinct interval starts, ascending; not always without gaps.
    ids : list of str
        The slice values, ascending.
    values : int32, shape (len(times), len(ids))
        The maxima; -1 where the frame has no row. Read-only: it may be the frame's own memory.
    """

    times: pd.DatetimeIndex
    ids: list[str]
    values: npt.NDArray[np.int32]


@once
def dense(frame: pd.DataFrame) -> Dense:
    """Return the frame as a (time, variant) matrix; no copy where every row is there.

    Examples
    --------
    >>> from capacity.ground.frame import as_intervals
    >>> one = pd.DataFrame({"time": pd.to_datetime(["2026-07-01T14:00Z"]), "variant": "a", "max_concurrent": 3})
    >>> dense(as_intervals(one)).values
    array([[3]], dtype=int32)
    """
    validate(frame)
    times, ids = frame.index.levels
    time_codes, id_codes = (np.asarray(c) for c in frame.index.codes)
    values = frame["max_concurrent"].to_numpy()
    if len(frame) == len(times) * len(ids):
        matrix = values.reshape(len(times), len(ids))
    else:
        used_t, used_i = np.zeros(len(times), bool), np.zeros(len(ids), bool)
        used_t[time_codes[:1]] = True
        used_t[time_codes[1:][time_codes[1:] != time_codes[:-1]]] = True  # they ascend
        used_i[id_codes] = True
        row, column = np.cumsum(used_t) - 1, np.cumsum(used_i) - 1
        times, ids = times[used_t], ids[used_i]
        matrix = np.full((len(times), len(ids)), -1, dtype=np.int32)
        cells = matrix.reshape(-1)
        for begin in range(0, len(values), _BLOCK):  # places of all rows at once would outweigh the frame
            some = slice(begin, begin + _BLOCK)
            cells[row.take(time_codes[some]) * len(ids) + column.take(id_codes[some])] = values[some]
    matrix = matrix.view()
    matrix.flags.writeable = False
    return Dense(times=times, ids=[str(i) for i in ids], values=matrix)
