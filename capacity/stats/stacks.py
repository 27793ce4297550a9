"""Days and weeks of a matrix as stacks, so that they are reduced many at a time.

``np.ufunc.reduceat`` walks a matrix column by column and is ten times slower than a reduction over the middle axis of
(days, rows, columns). Almost all days have the same number of rows: what lies between two that differ is one stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from capacity.ground.arrays import Ints

_BLOCK = 1 << 17  # cells at a time, if the reader makes copies: what stays in the processor's cache

_BITS = 9
_ROWS = 1 << _BITS


class Stack(NamedTuple):
    """Consecutive periods with as many rows each.

    Attributes
    ----------
    periods, rows : slice
        Which periods, and which rows of the matrix.
    cells : array, shape (periods, rows of one, columns)
        A view of the matrix.
    """

    periods: slice
    rows: slice
    cells: npt.NDArray[Any]


def stacks(values: npt.NDArray[Any], first_row: Ints, *, block: int = _BLOCK) -> Iterator[Stack]:
    """Walk over the periods, those that begin at the rows `first_row` (ascending), in stacks of about `block` cells."""
    rows, columns = values.shape
    if len(first_row) == 0:
        return
    size = np.diff(first_row, append=rows)
    change = np.flatnonzero(np.diff(size, prepend=-1))
    for begin, end in zip(change.tolist(), [*change[1:].tolist(), len(size)], strict=True):
        length = int(size[begin])
        step = max(1, block // max(1, length * columns))
        for first in range(begin, end, step):
            periods = slice(first, min(first + step, end))
            start = int(first_row[first])
            part = slice(start, start + length * (periods.stop - first))
            yield Stack(periods, part, values[part].reshape(periods.stop - first, length, columns))


def first_maxima(cells: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Ints]:
    """Return each period's maximum and the row that reached it first, both of shape (periods, columns).

    A number and its row fit in one integer, number * 512 + (511 - row), whose maximum is the highest number at its
    earliest row: one pass, where argmax and a look-up take several.
    """
    if cells.shape[1] > _ROWS:
        raise AssertionError(f"a period of {cells.shape[1]} rows; no day has more than 312")
    wide = np.dtype(np.int32 if int(cells.max(initial=0)) < 1 << (31 - _BITS) else np.int64)
    early = (_ROWS - 1 - np.arange(cells.shape[1], dtype=wide))[:, None]
    packed = ((cells.astype(wide, copy=False) << _BITS) | early).max(axis=1)
    return packed >> _BITS, (_ROWS - 1 - (packed & (_ROWS - 1))).astype(np.int64)


def counts_by_period(held: npt.NDArray[np.bool_], first_row: Ints) -> Ints:
    """Return how many are True in each period and column, shape (periods, columns)."""
    out = np.empty((len(first_row), held.shape[1]), dtype=np.int64)
    for periods, _, cells in stacks(held, first_row):
        out[periods] = cells.sum(axis=1, dtype=np.int16 if cells.shape[1] < 1 << 15 else np.int64)
    return out


def sums_by_period(values: npt.NDArray[Any], first_row: Ints) -> Ints:
    """Return the sum of each period and column, shape (periods, columns)."""
    out = np.empty((len(first_row), values.shape[1]), dtype=np.int64)
    for periods, _, cells in stacks(values, first_row):
        out[periods] = cells.sum(axis=1, dtype=np.int64)
    return out
