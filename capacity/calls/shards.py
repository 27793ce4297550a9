"""Calls cut up by day: shards of events on disk, what each day nets, and the sweep of a day by itself.

A shard holds the starts and the ends of some million calls, by UTC day. What is in progress when a day begins is the
sum of starts minus ends of all days before, series by series: once that small table is known, every day can be swept
where it is and in any order.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

from capacity.calls.columns import CallArrays
from capacity.calls.keys import order_of
from capacity.calls.sweep import Piece, sweep
from capacity.ground.arrays import Ints
from capacity.ground.times import DAY, STEP

Write: TypeAlias = Callable[[str, bytes], None]  # (address, all of it)
Read: TypeAlias = Callable[[str, int, int], bytes]  # (address, from byte, so many) -> bytes

_DAY_NS, _STEP_NS = DAY.value, STEP.value
_UNITS = (1_000_000_000, 1_000_000)  # [ns] in which a time of day fits 32 bits


@dataclass(frozen=True, eq=False)
class Side:
    """The starts, or the ends, of a shard.

    Attributes
    ----------
    days : int array
        Days since 1970 that have events, ascending.
    counts : int array
        Events of each.
    at : int
        Where the first one's times stand in the file [bytes]; the codes of all follow the times of all.
    """

    days: Ints
    counts: Ints
    at: int


@dataclass(frozen=True, eq=False)
class Shard:
    """Some million calls on disk, and what has to be known of them.

    Attributes
    ----------
    address : str
    unit : int
        Of the times of day in the file [ns].
    time, code : str
        Their types in the file.
    ids : list of str
        The series that the codes mean.
    starts, ends : Side
    net : int array, shape (n, 3)
        Day, code, and starts minus ends: where it is not 0.
    named : dict of id -> (start, name)
    calls : int
    first_start, last_end, last_open : int or None
        [ns since 1970]
    """

    address: str
    unit: int
    time: str
    code: str
    ids: list[str]
    starts: Side
    ends: Side
    net: Ints
    named: dict[str, tuple[int, str]]
    calls: int
    first_start: int | None
    last_end: int | None
    last_open: int | None


def write_shard(arrays: CallArrays, address: str, write: Write, lo: int | None, hi: int | None) -> Shard:
    """Put calls down by day; `lo` and `hi` [ns] are the range that is counted, None where it is open.

    A call that is in progress at `lo` is in the net of the day before it.
    """
    starts, ends, codes = arrays.starts, arrays.ends, arrays.codes
    counts = arrays.open | (ends > starts)
    if lo is not None:
        counts &= arrays.open | (ends > lo)
    if hi is not None:
        counts &= starts < hi
    begun = counts & (starts < lo) if lo is not None else np.zeros(len(starts), dtype=bool)
    closes = counts & ~arrays.open
    if hi is not None:
        closes &= ends <= hi
    ups, downs = (starts, codes), (ends, codes)
    if not (counts.all() and not begun.any()):
        ups = (starts[counts & ~begun], codes[counts & ~begun])
    if not closes.all():
        downs = (ends[closes], codes[closes])
    unit = next((u for u in _UNITS if _whole(ups[0], u) and _whole(downs[0], u)), 1)
    time = "<u4" if unit > 1 else "<i8"
    file = io.BytesIO()
    up, up_net = _put(file, *ups, 0, unit, time)
    # An end at midnight belongs to the day before, as in the sweep: times of ends are in (0, a day].
    down, down_net = _put(file, *downs, 1, unit, time)
    write(address, file.getvalue())
    edge = np.empty((0, 3), np.int64)
    if begun.any() and lo is not None:
        held = np.bincount(codes[begun])
        edge = np.stack([np.full(len(held), lo // _DAY_NS - 1), np.arange(len(held)), held], axis=1)
    closed = ~arrays.open
    return Shard(
        address=address,
        unit=unit,
        time=time,
        code=codes.dtype.newbyteorder("<").str,
        ids=arrays.ids,
        starts=up,
        ends=down,
        net=_summed([edge, up_net, down_net * np.array([1, 1, -1])]),
        named=arrays.named,
        calls=len(starts),
        first_start=int(starts.min()) if len(starts) else None,
        last_end=int(ends[closed].max()) if closed.any() else None,
        last_open=int(starts[arrays.open].max()) if arrays.open.any() else None,
    )


def _whole(times: Ints, unit: int) -> bool:
    """Say whether all times are whole units; mostly the first few tell."""
    return not (times[:1000] % unit).any() and not (times % unit).any()


def _put(file: IO[bytes], times: Ints, codes: Ints, shift: int, unit: int, time: str) -> tuple[Side, Ints]:
    """Append one side, its times by day, then its codes; return where it stands and its counts by day and code."""
    at = file.tell()
    if not len(times):
        return Side(np.empty(0, np.int64), np.empty(0, np.int64), at), np.empty((0, 3), np.int64)
    day = (times - shift) // _DAY_NS
    low = int(day.min())
    day -= low
    width = int(day.max()) + 1
    times = times - (day + low) * _DAY_NS
    if unit > 1:
        times //= unit
    times = times.astype(time)
    if (np.diff(day) < 0).any():
        order = order_of(day, width)
        day, times, codes = day[order], times[order], codes[order]
    for column in (times, codes):
        file.write(np.ascontiguousarray(column).data)
    counts = np.bincount(day, minlength=width)
    used = np.flatnonzero(counts)
    return Side(used + low, counts[used], at), _counted(day, codes, width, low)


def _counted(day: Ints, codes: Ints, days: int, low: int) -> Ints:
    """Return day, code and count of every pair that occurs, shape (n, 3)."""
    groups = int(codes.max()) + 1
    key = day * groups + codes
    if days * groups <= max(1 << 20, 2 * len(key)):
        each = np.bincount(key, minlength=days * groups)
        found = np.flatnonzero(each)
        number = each[found]
    else:
        found, number = np.unique(key, return_counts=True)
    where, code = np.divmod(found, groups)
    return np.stack([where + low, code, number], axis=1)


def _summed(parts: Sequence[Ints]) -> Ints:
    """Return day, code and sum, without zeros."""
    rows = np.concatenate(parts)
    if not len(rows):
        return rows
    groups = int(rows[:, 1].max()) + 1
    key, place = np.unique(rows[:, 0] * groups + rows[:, 1], return_inverse=True)
    total = np.bincount(place.reshape(-1), weights=rows[:, 2]).astype(np.int64)
    day, code = np.divmod(key, groups)
    return np.asarray(np.stack([day, code, total], axis=1)[total != 0])


@dataclass(frozen=True, eq=False)
class Net:
    """Starts minus ends by day and series, of all shards: what is in progress when a day begins.

    Attributes
    ----------
    ids : list of str
        All series, sorted.
    named : dict of id -> str
        The latest display names.
    tables : list of int arrays
        For each shard the place in `ids` of each of its codes.
    rows : int array, shape (n, 3)
        Day, series, net; by day.
    """

    ids: list[str]
    named: dict[str, str]
    tables: list[Ints]
    rows: Ints

    def before(self, days: Iterable[int]) -> Iterator[npt.NDArray[np.int64]]:
        """Yield what is in progress of each series when each of these days begins; days ascend."""
        now = np.zeros(max(len(self.ids), 1), dtype=np.int64)
        at = 0
        for day in days:
            until = int(np.searchsorted(self.rows[:, 0], day))
            np.add.at(now, self.rows[at:until, 1], self.rows[at:until, 2])
            at = until
            yield now.copy()


def merged(shards: Sequence[Shard]) -> Net:
    """Merge the series of all shards, and sum up what their days net."""
    ids = sorted({label for shard in shards for label in shard.ids})
    place = {label: k for k, label in enumerate(ids)}
    tables = [np.array([place[label] for label in shard.ids] or [0], dtype=np.int64) for shard in shards]
    named: dict[str, tuple[int, str]] = {}
    for shard in shards:
        for label, found in shard.named.items():
            named[label] = max(found, named.get(label, found), key=lambda pair: pair[0])
    rows = [np.empty((0, 3), np.int64)]
    for shard, table in zip(shards, tables, strict=True):
        if len(shard.net):
            rows.append(np.stack([shard.net[:, 0], table[shard.net[:, 1]], shard.net[:, 2]], axis=1))
    return Net(ids, {label: name for label, (_, name) in named.items()}, tables, _summed(rows))


@dataclass(frozen=True, eq=False)
class Day:
    """What is needed to sweep one UTC day.

    Attributes
    ----------
    day : int
        Since 1970.
    first, last : int
        The part of it that is wanted [ns since 1970), on the grid.
    carry : int array
        In progress of each series when the day begins, or at `first`.
    """

    day: int
    first: int
    last: int
    carry: npt.NDArray[np.int64]


def load_day(shards: Sequence[Shard], tables: Sequence[Ints], day: int, read: Read) -> tuple[Ints, Ints, Ints, Ints]:
    """Return start times, their series, end times, their series of one day, times [ns] from its midnight."""
    found: tuple[list[Ints], ...] = ([], [], [], [])
    for shard, table in zip(shards, tables, strict=True):
        for side, times, codes in ((shard.starts, found[0], found[1]), (shard.ends, found[2], found[3])):
            place = int(np.searchsorted(side.days, day))
            if place == len(side.days) or side.days[place] != day:
                continue
            before, count, whole = int(side.counts[:place].sum()), int(side.counts[place]), int(side.counts.sum())
            time, code = np.dtype(shard.time), np.dtype(shard.code)
            at = side.at + before * time.itemsize
            part = np.frombuffer(read(shard.address, at, count * time.itemsize), dtype=time)
            at = side.at + whole * time.itemsize + before * code.itemsize
            label = np.frombuffer(read(shard.address, at, count * code.itemsize), dtype=code)
            times.append(part.astype(np.int64) * shard.unit)
            codes.append(table[label])
    none = np.empty(0, np.int64)
    starts, ups, ends, downs = (np.concatenate([none, *parts]) for parts in found)
    return starts, ups, ends, downs


def swept(
    day: Day, events: tuple[Ints, Ints, Ints, Ints], *, groups: int, total: bool, sliced: bool
) -> Iterator[Piece]:
    """Sweep one day; the pieces count their steps from `day.first`."""
    starts, ups, ends, downs = events
    offset = day.day * _DAY_NS - day.first
    return sweep(
        starts + offset,
        ends + offset,
        ups,
        downs,
        groups=max(groups, 1),
        steps=(day.last - day.first) // _STEP_NS,
        width=_STEP_NS,
        total=total,
        sliced=sliced,
        carry=day.carry,
        threads=1,
    )
