"""Quantiles of whole numbers by group and column: counted where the numbers are small, sorted where they are not.

The definition is numpy's ``inverted_cdf``: of n values the q-th percentile is the k-th smallest, k = ceil(q n / 100),
which is a value that was attained. The percentile is read as the decimal that it prints as: the 99.9th of 1,000
values is the 999th, whatever 99.9 / 100 comes to in binary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from capacity.errors import ConfigError
from capacity.ground.arrays import Ints

BLOCK = 1 << 20  # cells at a time: the working copies stay near the processor


class Grouped(NamedTuple):
    """Quantiles, and how many values each rests on.

    Attributes
    ----------
    quantiles : int64, shape (percents, groups, columns)
        -1 where a group has no value in that column.
    counts : int64, shape (groups, columns)
        The values that are there.
    """

    quantiles: Ints
    counts: Ints


def as_percents(q: float | Sequence[float]) -> tuple[float, ...]:
    """Return percentiles as a tuple; ConfigError for one that does not lie between 0 and 100, or is a quantile."""
    try:
        percents = tuple(np.atleast_1d(np.asarray(q, dtype=np.float64)).ravel().tolist())
    except (TypeError, ValueError):
        percents = ()
    fit = all(0 <= one <= 100 for one in percents)
    if not (percents and fit and len(set(percents)) == len(percents)):
        raise ConfigError(f"q={q!r}: give percentiles between 0 and 100, each once, such as (50, 95, 99.9)")
    small = next((one for one in percents if 0 < one < 1), None)
    if small is not None:
        raise ConfigError(
            f"q={q!r}: {small:g} looks like a quantile, and percentiles are between 0 and 100; "
            f"write {float(Decimal(repr(small)) * 100):g}"
        )
    return percents


def rank_of(percent: float, count: Ints) -> Ints:
    """Return which smallest of `count` values is the percentile, from 1 on; 1 also where there is none."""
    over, under = (Decimal(repr(float(percent))) / 100).as_integer_ratio()
    if over * int(count.max(initial=0)) >= 1 << 62:  # more decimals than int64 takes
        exact = [-(-over * int(n) // under) for n in count.ravel()]
        return np.maximum(np.array(exact, dtype=np.int64).reshape(count.shape), 1)
    return np.maximum(-(-over * count // under), 1)


def group_blocks(group: Ints, groups: int, columns: int) -> Iterator[tuple[slice, npt.NDArray[np.intp] | slice, Ints]]:
    """Walk over the groups, some at a time: which groups, their rows (group by group), and the rows of each.

    A row whose group is -1 belongs to none.
    """
    size = np.bincount(group[group >= 0], minlength=groups)
    one = groups == 1 and int(size[0]) == len(group)
    order = slice(0, len(group)) if one else np.argsort(group, kind="stable")[len(group) - int(size.sum()) :]
    end = np.cumsum(size)
    block_of = (end - 1) * max(columns, 1) // BLOCK
    first = np.flatnonzero(np.diff(block_of, prepend=block_of[0] - 1))
    for begin, stop in zip(first, np.append(first[1:], groups), strict=True):
        if isinstance(order, slice):
            yield slice(0, 1), order, size
        else:
            rows = order[int(end[begin] - size[begin]) : int(end[stop - 1])]
            yield slice(int(begin), int(stop)), rows, size[begin:stop]


def group_quantiles(values: npt.NDArray[np.int32], group: Ints, groups: int, percents: Sequence[float]) -> Grouped:
    """Return the percentiles of each column of each group of rows.

    Parameters
    ----------
    values : int32, shape (rows, columns)
        Whole numbers from 0 on; -1 where there is none.
    group : int64, shape (rows,)
        Each row's group, 0 to groups - 1; -1 for rows to leave out.
    groups : int
        How many groups there are.
    percents : sequence of float
        Percentiles, 0 to 100.
    """
    columns = values.shape[1]
    shape = (groups, columns)
    out = np.full((len(percents), *shape), -1, dtype=np.int64)
    count = np.zeros(shape, dtype=np.int64)
    if values.size == 0 or groups == 0:
        return Grouped(out, count)
    width = values.max(axis=0).astype(np.int64) + 2  # a place for "not there" and one for each value from 0 on
    for some, rows, size in group_blocks(group, groups, columns):
        cells = int(size.sum()) * columns
        if cells == 0:
            continue
        if int(width.sum()) * len(size) <= max(4 * cells, 1024):
            found = _by_counting(values, rows, size, width, percents)
        else:
            found = _by_sorting(values[rows], size, percents)
        out[:, some], count[some] = found
    return Grouped(out, count)


def _by_counting(
    values: npt.NDArray[np.int32],
    rows: npt.NDArray[np.intp] | slice,
    size: Ints,
    width: Ints,
    percents: Sequence[float],
) -> Grouped:
    """Count how often each value occurs, then look where the running count passes each rank."""
    start = np.cumsum(width) - width  # each column's first place among the counts of a group
    places = int(width.sum())
    base = np.arange(len(size))[:, None] * places + start  # (groups, columns)
    counts = np.zeros(len(size) * places, dtype=np.int64)
    local = np.repeat(np.arange(len(size)), size)
    step = max(1, BLOCK // len(width))
    for begin in range(0, len(local), step):
        some = slice(begin, begin + step)
        block = values[some] if isinstance(rows, slice) else values[rows[some]]
        key = block + (start + 1)
        if len(size) > 1:
            key += (local[some] * places)[:, None]
        counts += np.bincount(key.ravel(), minlength=len(counts))
    running = np.cumsum(counts)
    missing = counts[base]
    count = size[:, None] - missing
    before = running[base]  # all that come before this column's value 0, its missing ones included
    quantiles = np.stack([np.searchsorted(running, before + rank_of(p, count)) for p in percents]) - base - 1
    return Grouped(np.where(count > 0, quantiles, -1), count)


def _by_sorting(block: npt.NDArray[np.int32], size: Ints, percents: Sequence[float]) -> Grouped:
    """Sort group and value as one number; a rank is then a place."""
    local = np.repeat(np.arange(len(size)), size)
    packed = np.ascontiguousarray(((local[:, None] << 32) + block + 1).T)
    packed.sort(axis=1)
    gone = np.cumsum(np.pad(block < 0, ((1, 0), (0, 0))), axis=0)
    end = np.cumsum(size)
    missing = gone[end] - gone[end - size]
    count = size[:, None] - missing
    first = (end - size)[:, None] + missing - 1
    column = np.arange(block.shape[1])
    place = np.stack([np.minimum(first + rank_of(p, count), len(block) - 1) for p in percents])
    quantiles = (packed[column, place] & 0xFFFFFFFF) - 1
    return Grouped(np.where(count > 0, quantiles, -1), count)
