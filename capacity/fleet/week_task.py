"""Shards to weeks of the store: what a worker sweeps, each week by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from capacity.calls.columns import instants
from capacity.calls.shards import Day, Net, Shard, load_day, swept
from capacity.errors import FrameError
from capacity.fetch.endpoint import Scope
from capacity.fetch.payload import Rows
from capacity.fetch.store import Store
from capacity.fetch.weekfile import SETTLE
from capacity.fetch.windows import Window, split, subtract
from capacity.fleet.scratch import read_part
from capacity.ground.arrays import Ints
from capacity.ground.frame import TOTAL
from capacity.ground.times import DAY, STEP

__all__ = ["Scopes", "Week", "gap_windows", "instant", "sweep_week", "weeks_of"]

_DAY_NS, _STEP_NS = DAY.value, STEP.value
_EMPTY = np.empty((0, 3), np.int64)


def instant(ns: int) -> pd.Timestamp:
    """Return an instant from nanoseconds since 1970."""
    return pd.Timestamp(ns, tz="UTC").as_unit("ns")


@dataclass(frozen=True)
class Scopes:
    """Where the total and the series go; whether there is a total."""

    whole: Scope
    sliced: Scope | None
    total: bool


@dataclass(frozen=True, eq=False)
class Week:
    """All that is needed to sweep one week by itself."""

    window: Window
    missing: tuple[Window, ...]
    days: tuple[Day, ...]
    shards: tuple[Shard, ...]
    tables: tuple[Ints, ...]
    ids: tuple[str, ...]
    named: dict[str, str]
    scopes: Scopes
    store: str


def weeks_of(
    shards: Sequence[Shard], net: Net, span: tuple[int, int], scopes: Scopes, store: str, lacking: Sequence[Window]
) -> Iterator[Week]:
    """Yield the weeks of a range, each with what it needs of the shards and of the prefix sum."""
    windows = split(instant(span[0]), instant(span[1]))
    days = [(w, d) for w in windows for d in range(w.start.value // _DAY_NS, -(-w.end.value // _DAY_NS))]
    carries = net.before([d for _, d in days])
    # A worker is told of a shard where its days are, and nothing else of it.
    light = [replace(s, net=_EMPTY, ids=[], named={}) for s in shards]
    reach = [np.union1d(s.starts.days, s.ends.days) for s in shards]
    for window in windows:
        own = [d for w, d in days if w is window]
        parts = tuple(
            Day(d, max(d * _DAY_NS, window.start.value), min((d + 1) * _DAY_NS, window.end.value), next(carries))
            for d in own
        )
        near = [
            k for k, seen in enumerate(reach) if np.searchsorted(seen, own[0]) < np.searchsorted(seen, own[-1], "right")
        ]
        yield Week(
            window=window,
            missing=tuple(gap for gap in lacking if gap.start < window.end and gap.end > window.start),
            days=parts,
            shards=tuple(light[k] for k in near),
            tables=tuple(net.tables[k] for k in near),
            ids=tuple(net.ids),
            named=net.named,
            scopes=scopes,
            store=store,
        )


def gap_windows(gaps: pd.DataFrame | None) -> list[Window]:
    """Return the gaps, grown to the grid: an interval that lies in one in part is missing too.

    Raises
    ------
    FrameError
        A gap without a start or an end, or one that ends before it starts.
    """
    if gaps is None:
        return []
    starts, none = instants(gaps["start"], "the start of a gap")
    ends, open_ended = instants(gaps["end"], "the end of a gap")
    if none.any() or open_ended.any() or (ends < starts).any():
        raise FrameError("a gap has a start and an end, which is not before it")
    pairs = zip((starts // _STEP_NS).tolist(), (-(-ends // _STEP_NS)).tolist(), strict=True)
    return [Window.of_steps(first, last) for first, last in pairs if first < last]


def sweep_week(week: Week) -> None:
    """Sweep a week day by day, and put it into the store."""
    sliced = week.scopes.sliced is not None
    totals, cells = [], []
    for day in week.days:
        events = load_day(week.shards, week.tables, day.day, read_part)
        first = day.first // _STEP_NS
        for piece in swept(day, events, groups=len(week.ids), total=week.scopes.total, sliced=sliced):
            if piece.total is not None:
                totals.append(piece.total.dense(1)[0])
            if piece.groups is not None:
                cell, value = piece.groups.filled()
                group, step = np.divmod(cell, piece.steps)
                order = np.argsort(step, kind="stable")
                cells.append((step[order] + piece.first + first, group[order], value[order]))
    archive = Store(week.store)
    late = week.window.end + SETTLE
    if week.scopes.total:
        steps = np.arange(week.window.first, week.window.last)
        rows = _rows(steps, np.zeros(len(steps), np.int64), np.concatenate(totals), (TOTAL,), {})
        _put(archive, week, week.scopes.whole, rows, late)
    if week.scopes.sliced is not None:
        none = (np.empty(0, np.int64),) * 3
        steps, groups, values = (np.concatenate(part) for part in zip(none, *cells, strict=True))
        used = np.unique(groups)
        ids = tuple(week.ids[k] for k in used.tolist())
        codes = np.searchsorted(used, groups)
        rows = _rows(steps, codes, values, ids, {i: week.named[i] for i in ids if i in week.named})
        _put(archive, week, week.scopes.sliced, rows, late)


def _rows(steps: Ints, codes: Ints, values: Ints, ids: tuple[str, ...], names: dict[str, str]) -> Rows:
    return Rows(steps.astype(np.int32), codes.astype(np.int32), values.astype(np.int32), ids, names)


def _put(archive: Store, week: Week, scope: Scope, rows: Rows, late: pd.Timestamp) -> None:
    for window in subtract(week.window, week.missing):
        archive.add(scope, window, _part(rows, window), late, repair=True)


def _part(rows: Rows, window: Window) -> Rows:
    begin, end = np.searchsorted(rows.steps, [window.first, window.last])
    part = slice(int(begin), int(end))
    return Rows(rows.steps[part], rows.codes[part], rows.values[part], rows.ids, rows.names)
