"""The event sweep: starts and ends of calls -> the most in progress within each step. Integers only.

One sort serves the total and the groups. Events are sorted by time with the group packed into the low bits of the
key, and cut into pieces of time that fit a cache. In a piece they are the total as they stand; a stable (radix)
partition by group makes them the groups. What is in progress at the end of a piece is carried into the next.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from capacity.calls.keys import Events, order_of, sorted_events, spans

P = ParamSpec("P")
T = TypeVar("T")
Ints = npt.NDArray[Any]

_PIECE = 1 << 19  # calls; some 15 MB of events


@dataclass(frozen=True)
class Runs:
    """The steps in which something happens, by group, and what is carried on after each.

    Attributes
    ----------
    steps : int
        How many steps the piece has.
    cells : int64, shape (k,)
        ``group * steps + step``, ascending. A group with calls in progress at the beginning has its first step.
    maxima : int32, shape (k,)
        The most in progress within the step, those carried in included.
    after : int32, shape (k,)
        How many are in progress from the end of the step until the next that is listed.
    """

    steps: int
    cells: npt.NDArray[np.int64]
    maxima: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]

    def filled(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return (cell, maximum) of all steps with a maximum above zero, those where nothing happens included."""
        if len(self.cells) == 0:
            return self.cells, self.maxima
        ends_of_group = (self.cells // self.steps + 1) * self.steps
        following = np.minimum(np.append(self.cells[1:], ends_of_group[-1]), ends_of_group)
        rows = np.where(self.after > 0, following - self.cells, 1)
        first = np.cumsum(rows) - rows
        cells = np.arange(int(rows.sum()), dtype=np.int64) + np.repeat(self.cells - first, rows)
        values = np.repeat(self.after, rows)
        values[first] = self.maxima
        keep = values > 0
        return (cells, values) if bool(keep.all()) else (cells[keep], values[keep])

    def dense(self, groups: int) -> npt.NDArray[np.int32]:
        """Return the maxima of every step, shape (groups, steps)."""
        flat = np.zeros(groups * self.steps, dtype=np.int32)
        cells, values = self.filled()
        flat[cells] = values
        return flat.reshape(groups, self.steps)


@dataclass(frozen=True)
class Piece:
    """The runs of the steps [first, first + steps), of all calls and by group."""

    first: int
    steps: int
    total: Runs | None
    groups: Runs | None


def sweep(
    starts: Ints,
    ends: Ints,
    start_codes: Ints,
    end_codes: Ints,
    *,
    groups: int,
    steps: int,
    width: int,
    total: bool,
    sliced: bool,
    carry: Ints | None = None,
    threads: int = 2,
) -> Iterator[Piece]:
    """Sweep over `steps` steps of `width`; yield the pieces in order of time, without a gap.

    A call is in progress on [start, end). Starts and ends need not pair: whose end it is does not matter.

    Parameters
    ----------
    starts, ends : int64, shapes (n,) and (m,) [ns]
        From the beginning: 0 <= start < steps * width and 0 < end <= steps * width.
    start_codes, end_codes : integers, shapes (n,) and (m,)
        The group of each, in 0 .. groups - 1.
    groups, steps, width : int
        How many groups and steps there are, and the width of a step [ns].
    total, sliced : bool
        Which of the two to make.
    carry : int, shape (groups,), optional
        The calls of each group that are in progress at the beginning and have no start here.
    threads : int
        How many to work with; 1 for a process that has one core to itself.
    """
    now = np.zeros(groups, np.int64) if carry is None else np.asarray(carry, dtype=np.int64)
    bits = (groups - 1).bit_length() if sliced else 0
    with ThreadPoolExecutor(threads) if threads > 1 else _Here() as pool:
        waiting: deque[Future[Piece]] = deque()
        for span in spans(starts, ends, start_codes, end_codes, steps=steps, width=width, bits=bits):
            events = sorted_events(span, bits=bits, width=width, pool=pool)
            for first, stop, ups, downs in _cut(events, span.steps):
                job = _Job(events, ups, downs, now, first, stop - first)
                waiting.append(pool.submit(job.piece, span.first, total=total, sliced=sliced))
                now = now + events.count(ups, groups) - events.count(downs, groups)
                if len(waiting) > threads:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Here(Executor):
    """Carry out what is submitted where it stands."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def _cut(events: Events, steps: int) -> Iterator[tuple[int, int, Ints, Ints]]:
    """Cut at steps so that a piece has about so many starts; yield (first step, stop, starts, ends)."""
    at = np.unique(events.step(events.starts[_PIECE::_PIECE]))
    edges = [0, *(int(step) for step in at if 0 < step < steps), steps]
    ups = np.searchsorted(events.starts, events.edge(edges[:-1]))
    downs = np.searchsorted(events.ends, events.edge(edges[:-1]))
    for k, (first, stop) in enumerate(itertools.pairwise(edges)):
        last = k + 2 == len(edges)
        yield (
            first,
            stop,
            events.starts[ups[k] : None if last else ups[k + 1]],
            events.ends[downs[k] : None if last else downs[k + 1]],
        )


@dataclass(frozen=True)
class _Job:
    """One piece of time: the events in it and the calls carried into it."""

    events: Events
    ups: Ints
    downs: Ints
    carry: npt.NDArray[np.int64]
    first: int
    steps: int

    def piece(self, offset: int, *, total: bool, sliced: bool) -> Piece:
        """Count the total and the groups."""
        keys = np.concatenate([self.ups, self.downs])
        keys.sort(kind="stable")  # two sorted runs: a linear merge
        step = (self.events.step(keys) - self.first).astype(np.int32)
        move = 1 - 2 * self.events.is_end(keys).astype(np.int32)
        every = np.array([0, len(keys)])
        return Piece(
            first=offset + self.first,
            steps=self.steps,
            total=_runs(step, move, every, self.carry.sum(keepdims=True), self.steps) if total else None,
            groups=self._by_group(keys, step, move) if sliced else None,
        )

    def _by_group(self, keys: Ints, step: Ints, move: Ints) -> Runs:
        code = self.events.code(keys)
        order = order_of(code, len(self.carry))
        bounds = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=len(self.carry)))])
        return _runs(step[order], move[order], bounds, self.carry, self.steps)


def _runs(step: Ints, move: Ints, bounds: Ints, carry: npt.NDArray[np.int64], steps: int) -> Runs:
    """Count up and down in each group, from what is carried in; `bounds` are where the groups begin and end."""
    present = np.flatnonzero(np.diff(bounds))
    begins = bounds[present]
    cells, maxima, after = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32)
    if len(present):
        # One running sum serves all groups: at its first event each steps from where the last one ended to its own.
        final = carry[present] + np.add.reduceat(move, begins, dtype=np.int64)
        lifted = move.copy()
        lifted[begins] += (carry[present] - np.append(0, final[:-1])).astype(np.int32)
        running = np.cumsum(lifted, dtype=np.int32)
        new = np.empty(len(step), dtype=bool)
        np.not_equal(step[1:], step[:-1], out=new[1:])
        new[begins] = True
        first = np.flatnonzero(new)
        place = np.searchsorted(first, begins)
        cells = step[first] + np.repeat(present, np.diff(np.append(place, len(first)))) * steps
        after = running[np.append(first[1:], len(step)) - 1]
        before = np.append(np.int32(0), after[:-1])
        before[place] = carry[present]
        maxima = np.maximum(np.maximum.reduceat(running, first), before)
    carried = carry > 0
    carried[present[step[begins] == 0]] = False  # these have their first step already
    if carried.any():
        added = np.flatnonzero(carried)
        at = np.searchsorted(cells, added * steps)
        cells = np.insert(cells, at, added * steps)
        maxima, after = (np.insert(column, at, carry[added]) for column in (maxima, after))
    return Runs(steps=steps, cells=cells, maxima=maxima, after=after)
