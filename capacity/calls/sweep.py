"""The event sweep: starts and ends of calls -> the most in progress within each step. Integers only.

One sort serves both series. Events are sorted by time with the group packed into the low bits of the key; in that
order they are the total, and a stable (radix) partition by group turns them into the slices without a second sort.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Runs", "dense_maxima", "sparse_maxima", "sweep"]

Ints = npt.NDArray[Any]

_WORD_BITS = 63
_UNITS = (1_000_000_000, 1_000_000, 1_000)  # [ns]: seconds, milliseconds, microseconds


@dataclass(frozen=True)
class Runs:
    """The maxima of the steps in which something happens, and what is carried on after each.

    Attributes
    ----------
    cells : int64, shape (k,)
        ``group * steps + step``, ascending.
    maxima : int32, shape (k,)
        The most in progress within the step, those carried in included.
    after : int32, shape (k,)
        How many are in progress from the end of the step until the next step that is listed.
    """

    cells: npt.NDArray[np.int64]
    maxima: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]


def sweep(
    starts: Ints, ends: Ints, codes: Ints, *, groups: int, steps: int, width: int, total: bool, sliced: bool
) -> tuple[Runs | None, Runs | None]:
    """Sweep calls over `steps` steps of `width`; return the runs of the total and of the groups.

    Parameters
    ----------
    starts, ends : int64, shape (n,) [ns]
        From the beginning of the range: 0 <= start < end <= steps * width. A call is in progress on [start, end).
    codes : integer, shape (n,)
        The group of each call, in 0 .. groups - 1.
    groups, steps, width : int
        How many groups and steps there are, and the width of a step [ns].
    total, sliced : bool
        Which of the two to make; None stands for the other.
    """
    if len(starts) == 0:
        none = Runs(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))
        return (none if total else None), (none if sliced else None)
    if groups == 1 and sliced:
        only = sweep(starts, ends, codes, groups=1, steps=steps, width=width, total=True, sliced=False)[0]
        return (only if total else None), only
    unit = _common_unit(starts, ends, width)
    with ThreadPoolExecutor(2) as pool:
        step, ends_here, group = _events(starts, ends, codes if sliced else None, groups, unit, width // unit, pool)
        one = pool.submit(_runs, step, ends_here, None, steps) if total else None
        many = pool.submit(_by_group, step, ends_here, group, groups, steps) if sliced and group is not None else None
        return (one.result() if one else None), (many.result() if many else None)


def dense_maxima(runs: Runs, *, groups: int, steps: int) -> npt.NDArray[np.int32]:
    """Return the maxima of every step, shape (groups, steps): what is carried stands where nothing happens."""
    bounds = np.concatenate([[0], runs.cells, [groups * steps]])
    flat = np.repeat(np.concatenate([np.zeros(1, np.int32), runs.after]), np.diff(bounds))
    flat[runs.cells] = runs.maxima
    return flat.reshape(groups, steps)


def sparse_maxima(runs: Runs, *, steps: int) -> tuple[npt.NDArray[np.int64], Ints, npt.NDArray[np.int32]]:
    """Return (group, step, maximum) of the steps with a maximum above zero, by group and step."""
    if len(runs.cells) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32)
    gap = np.diff(runs.cells, append=runs.cells[-1] + 1) - 1
    carried = np.where(runs.after > 0, gap, 0)
    rows = 1 + carried
    first = np.cumsum(rows) - rows
    cells = np.arange(int(rows.sum()), dtype=np.int64) + np.repeat(runs.cells - first, rows)
    values = np.repeat(runs.after, rows)
    values[first] = runs.maxima
    group, step = np.divmod(cells, steps)
    keep = values > 0
    return group[keep], step[keep], values[keep]


def _common_unit(starts: Ints, ends: Ints, width: int) -> int:
    """Return the coarsest unit [ns] of which all times are whole multiples: short keys sort faster."""
    for unit in _UNITS:
        # The first few rule a unit out at almost no cost.
        if width % unit or (starts[:1000] % unit).any() or (ends[:1000] % unit).any():
            continue
        if not ((starts % unit).any() or (ends % unit).any()):
            return unit
    return 1


def _events(
    starts: Ints, ends: Ints, codes: Ints | None, groups: int, unit: int, width: int, pool: ThreadPoolExecutor
) -> tuple[Ints, Ints, Ints | None]:
    """Return step, whether it is an end, and group of all events, in order of time, ends before starts."""
    bits = 0 if codes is None else (groups - 1).bit_length()
    # A start at t is 2 t, an end 2 t - 1: at one instant ends come first, and those on a boundary fall before it.
    size = max(int(ends.max()) // unit, width).bit_length() + 1 + bits
    if size > _WORD_BITS:
        return _events_by_argsort(starts, ends, codes, width * unit)
    word: Any = np.uint32 if size <= 32 else np.int64

    def packed(times: Ints, shift: int) -> Ints:
        key: Ints = (times // unit if unit > 1 else times).astype(word) * word(2) - word(shift)
        if codes is not None:
            key = (key << word(bits)) | codes.astype(word)
        if not bool(np.all(key[1:] >= key[:-1])):
            key.sort()
        return key

    half = pool.submit(packed, ends, 1)
    key = np.concatenate([packed(starts, 0), half.result()])
    key.sort(kind="stable")  # two sorted runs: a linear merge
    step = (key // word(width << (bits + 1))).astype(np.int32)
    ends_here = ((key >> word(bits)) & word(1)).astype(np.int8)
    if codes is None:
        return step, ends_here, None
    narrow = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    return step, ends_here, (key & word((1 << bits) - 1)).astype(narrow)


def _events_by_argsort(starts: Ints, ends: Ints, codes: Ints | None, width: int) -> tuple[Ints, Ints, Ints | None]:
    """Sort events whose time and group do not fit into one word."""
    key = np.concatenate([starts * 2, ends * 2 - 1])
    order = np.argsort(key, kind="stable")
    key = key[order]
    group = None if codes is None else np.concatenate([codes, codes])[order]
    return (key // (2 * width)).astype(np.int32), (key & 1).astype(np.int8), group


def _by_group(step: Ints, ends_here: Ints, group: Ints, groups: int, steps: int) -> Runs:
    order = _partition(group, groups)
    bounds = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=groups))])
    return _runs(step[order], ends_here[order], bounds, steps)


def _partition(group: Ints, groups: int) -> npt.NDArray[np.int64]:
    """Return the stable order by group; numpy sorts 8- and 16-bit words by radix."""
    if groups <= 1 << 8:
        return np.argsort(group.astype(np.uint8, copy=False), kind="stable")
    if groups <= 1 << 16:
        return np.argsort(group.astype(np.uint16, copy=False), kind="stable")
    order = np.argsort((group & 0xFFFF).astype(np.uint16), kind="stable")
    high = (group >> 16).astype(np.uint32)[order]
    return order[np.argsort(high.astype(np.uint16) if groups <= 1 << 32 else high, kind="stable")]


def _runs(step: Ints, ends_here: Ints, bounds: Ints | None, steps: int) -> Runs:
    """Count up and down; every group begins and ends at zero, so that one running sum serves all."""
    moves = np.int8(1) - ends_here * np.int8(2)
    running = np.cumsum(moves, dtype=np.int32)
    new = np.empty(len(step), dtype=bool)
    new[0] = True
    np.not_equal(step[1:], step[:-1], out=new[1:])
    if bounds is not None:
        begins = bounds[:-1][np.diff(bounds) > 0]
        new[begins] = True
    first = np.flatnonzero(new)
    cells = step[first].astype(np.int64)
    if bounds is not None:
        in_group = np.diff(np.searchsorted(first, bounds))
        cells += np.repeat(np.arange(len(in_group), dtype=np.int64) * steps, in_group)
    after = running[np.append(first[1:], len(step)) - 1]
    before = np.concatenate([np.zeros(1, np.int32), after[:-1]])
    return Runs(cells=cells, maxima=np.maximum(np.maximum.reduceat(running, first), before), after=after)
