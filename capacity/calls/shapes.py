"""Cells of a text column by shape, so that fields stand at the same places in every cell of a group.

The shape of a cell is its text with every digit as "9" and every ASCII letter as "a". Cells of one shape are read
together, as a matrix of bytes: one row a position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

T = TypeVar("T")
Ints = npt.NDArray[Any]

_LONGEST = 80  # a longer cell is neither a time nor a length
_GREEDY = 6  # shapes that are compared one by one before the rest is sorted
_CHUNK = 1 << 17
_CLASS = np.arange(256, dtype=np.uint8)
_CLASS[ord("0") : ord("9") + 1] = ord("9")
_CLASS[ord("a") : ord("z") + 1] = ord("a")
_CLASS[ord("A") : ord("Z") + 1] = ord("a")


@dataclass(frozen=True)
class Group:
    """The cells of one shape.

    Attributes
    ----------
    rows : int64, shape (k,)
        Their places in the column.
    cells : uint8, shape (length, k)
        Their bytes, one row a position.
    """

    rows: npt.NDArray[np.int64]
    cells: npt.NDArray[np.uint8]

    @property
    def example(self) -> str:
        """The first cell of the group."""
        return self.cells[:, 0].tobytes().decode("utf-8", "replace")

    def texts(self, start: int, stop: int) -> tuple[list[str], Ints]:
        """Return the distinct texts at the positions [start, stop), and which of them each cell has."""
        part = np.ascontiguousarray(self.cells[start:stop].T)
        if bool((part == part[:1]).all()):
            return [part[0].tobytes().decode("utf-8", "replace")], np.zeros(len(part), dtype=np.int64)
        values, place = np.unique(part.view(f"S{stop - start}").ravel(), return_inverse=True)
        return [v.decode("utf-8", "replace") for v in values.tolist()], place


def number(group: Group, start: int, stop: int) -> npt.NDArray[np.int64]:
    """Return the whole number whose digits stand at the positions [start, stop)."""
    wide = np.int64 if stop - start > 9 else np.int32
    total: Ints = np.zeros(len(group.rows), dtype=wide)
    for position in range(start, stop):
        total *= wide(10)
        total += group.cells[position] - np.uint8(48)
    return total.astype(np.int64)


def groups(column: pa.Array) -> Iterator[Group]:
    """Yield the cells of a text column by shape; those that are null, empty or longer than 80 bytes are left out."""
    column = column.cast(pa.large_string())
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(column.buffers()[2] or b"", dtype=np.uint8)
    lengths = np.diff(offsets)
    if column.null_count:
        lengths = np.where(np.asarray(column.is_valid()), lengths, 0)
    for length in np.flatnonzero(np.bincount(np.minimum(lengths, _LONGEST + 1)))[:]:
        if 0 < length <= _LONGEST:
            rows = np.flatnonzero(lengths == length)
            yield from _by_shape(rows, _matrix(data, offsets[:-1][rows], int(length)))


def _matrix(data: npt.NDArray[np.uint8], starts: Ints, length: int) -> npt.NDArray[np.uint8]:
    if len(starts) and starts[-1] - starts[0] == length * (len(starts) - 1):  # one behind the other
        block = data[starts[0] : starts[0] + length * len(starts)].reshape(len(starts), length)
    else:
        block = data[starts[:, None] + np.arange(length)]
    return np.ascontiguousarray(block.T)


def _by_shape(rows: Ints, cells: npt.NDArray[np.uint8]) -> Iterator[Group]:
    kinds = _CLASS[cells]
    for _ in range(_GREEDY):
        if len(rows) == 0:
            return
        same = (kinds == kinds[:, :1]).all(axis=0)
        if bool(same.all()):
            yield Group(rows, cells)
            return
        yield Group(rows[same], cells[:, same])
        rows, cells, kinds = rows[~same], cells[:, ~same], kinds[:, ~same]
    if len(rows) == 0:
        return
    shapes = np.ascontiguousarray(kinds.T).view(f"V{len(kinds)}").ravel()
    _, place = np.unique(shapes, return_inverse=True)
    order = np.argsort(place, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(place[order])) + 1):
        yield Group(rows[part], cells[:, part])


def in_chunks(column: pa.ChunkedArray, read: Callable[[pa.Array], T]) -> list[T]:
    """Return what `read` makes of each piece of the column, in order; two pieces are read at a time."""
    pieces = [
        chunk.slice(begin, _CHUNK) for chunk in column.chunks for begin in range(0, len(chunk), _CHUNK) if len(chunk)
    ]
    if len(pieces) < 2:
        return [read(piece) for piece in pieces]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(read, pieces))
