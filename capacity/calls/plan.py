"""A plan says everything that is needed to read a log; carrying it out gives calls and a tally of what was lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from capacity.calls.lengths import read_lengths
from capacity.calls.readings import Reading
from capacity.calls.rows import Rows
from capacity.calls.times import BAD, FAR, NONE, Instants, read_column, to_utc
from capacity.calls.words import option, shown
from capacity.errors import FrameError
from capacity.ground.arrays import Bools

__all__ = ["Outcome", "Plan", "Tally", "carry_out"]

Ints = npt.NDArray[Any]

_DAY = 86_400_000_000_000
_SLAB = 1 << 22  # rows that are read at once
_TRUE, _FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0", "")
_LEG_GAP = 3_600_000_000_000  # [ns] legs further apart are calls of their own


@dataclass(frozen=True)
class Plan:
    """How to read a log.

    Attributes
    ----------
    reading : Reading
    zone : tzinfo or None
    order : str
        How numbers stand in dates.
    formats, date_formats, none : tuple of str
    unit : str
    call_id : str or None
        Rows that share it are one call.
    same_id : str or None
        Rows that share it and are alike in start and end are one row that came twice.
    kept : dict of ours -> theirs
    only, drop : dict of column -> values
    unfinished : str
    """

    reading: Reading
    zone: dt.tzinfo | None = None
    order: str = ""
    formats: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    unit: str = "s"
    call_id: str | None = None
    same_id: str | None = None
    kept: dict[str, str] = field(default_factory=dict)
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    drop: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unfinished: str = "recent"

    @property
    def wanted(self) -> list[str]:
        """The columns that are read."""
        names = [
            *self.reading.used,
            *self.kept.values(),
            *self.only,
            *self.drop,
            *(n for n in (self.call_id, self.same_id) if n),
        ]
        return list(dict.fromkeys(names))


@dataclass
class Reason:
    """Why rows were lost, or what was decided about rows that were kept."""

    rows: int
    first: int
    text: str
    remedy: str = ""


class Tally:
    """Rows by reason, with the first of them; `old` are the starts of calls that never ended and are left out."""

    def __init__(self) -> None:
        self.lost: dict[str, Reason] = {}
        self.kept: dict[str, Reason] = {}
        self.bad = 0
        self.old: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def count(
        self, book: dict[str, Reason], why: str, which: Bools, base: int, text: Callable[[int], str], remedy: str = ""
    ) -> int:
        """Add the rows of a slab for which the reason holds."""
        rows = int(np.count_nonzero(which))
        if rows:
            if why in book:
                book[why].rows += rows
            else:
                first = base + int(np.argmax(which))
                book[why] = Reason(rows, first, text(first), remedy)
        return rows


@dataclass(frozen=True)
class Outcome:
    """What a plan gave.

    Attributes
    ----------
    starts, ends : int64 [ns since 1970 UTC]
    still : bool
        Calls without an end.
    kept : dict of column -> Categorical or bool array
    rows : int64
        The row each call began with.
    tally : Tally
    formats : dict of column -> formats that were seen
    whole_minutes : float
        The share of starts on a whole minute.
    """

    starts: Ints
    ends: Ints
    still: Bools
    kept: dict[str, Any]
    rows: Ints
    tally: Tally
    formats: dict[str, dict[str, int]]

    def frame(self) -> pd.DataFrame:
        """Return the calls."""
        ends = np.where(self.still, pd.NaT.value, self.ends)
        columns: dict[str, Any] = {
            "start": pd.DatetimeIndex(self.starts.view("M8[ns]")).tz_localize("UTC"),
            "end": pd.DatetimeIndex(ends.view("M8[ns]")).tz_localize("UTC"),
        }
        return pd.DataFrame({**columns, **self.kept})

    def same(self, other: Outcome) -> bool:
        """Tell whether another plan gave the same calls."""
        return (
            len(self.starts) == len(other.starts)
            and np.array_equal(self.starts, other.starts)
            and np.array_equal(self.still, other.still)
            and np.array_equal(np.where(self.still, 0, self.ends), np.where(other.still, 0, other.ends))
        )


def carry_out(plan: Plan, rows: Rows, progress: Callable[[int], object] | None = None) -> Outcome:
    """Read the calls, slab by slab."""
    rows.load(plan.wanted)
    _check_values(plan, rows)
    tally = Tally()
    parts: list[tuple[Ints, Ints, Bools, Ints, Bools]] = []
    formats: dict[str, dict[str, int]] = {}
    for base in range(0, rows.size, _SLAB):
        parts.append(_Slab(plan, rows, base, tally, formats).calls())
        if progress is not None:
            progress(min(base + _SLAB, rows.size))
    starts, ends, still, index, blocked = _put_together(parts) if parts else _none()
    kept = {name: _labels(rows.columns[column], index) for name, column in plan.kept.items() if name != "blocked"}
    if "blocked" in plan.kept:
        kept["blocked"] = blocked
    outcome = Outcome(starts, ends, still, kept, index, tally, formats)
    if plan.same_id is not None:
        outcome = _once(outcome, rows.columns[plan.same_id], plan.same_id)
    if plan.call_id is not None:
        outcome = _joined(outcome, rows.columns[plan.call_id], plan.call_id, rows)
    return _settled(outcome, plan, rows)


def _put_together(parts: list[tuple[Ints, Ints, Bools, Ints, Bools]]) -> tuple[Ints, Ints, Bools, Ints, Bools]:
    starts, ends, still, index, blocked = (np.concatenate(p) for p in zip(*parts, strict=True))
    return starts, ends, still, index, blocked


def _none() -> tuple[Ints, Ints, Bools, Ints, Bools]:
    whole, flags = np.zeros(0, np.int64), np.zeros(0, bool)
    return whole, whole, flags, whole, flags


def _check_values(plan: Plan, rows: Rows) -> None:
    """Raise FrameError where a value that was said to be dropped or kept is nowhere."""
    for flag, pairs in (("only", plan.only), ("drop", plan.drop)):
        for column, values in pairs.items():
            if plan.reading.drop.get(column) == values:
                continue
            counts = pc.value_counts(pc.utf8_trim_whitespace(rows.columns[column].cast(pa.string())))
            there = {str(v["values"].as_py() or ""): v["counts"].as_py() for v in counts}
            for value in values:
                if value not in there and rows.size:
                    most = sorted(there.items(), key=lambda item: -item[1])[:8]
                    listed = ", ".join(f"{shown(text)} {count:,}" for text, count in most)
                    raise FrameError(
                        f"{option(flag)} {column}={value}: no row has it; there are {listed}"
                        + (" ..." if len(there) > len(most) else "")
                    )


class _Slab:
    """Some rows of a log on their way to calls; each row is lost for one reason at most."""

    def __init__(self, plan: Plan, rows: Rows, base: int, tally: Tally, formats: dict[str, dict[str, int]]) -> None:
        self.plan, self.rows, self.base, self.tally, self.formats = plan, rows, base, tally, formats
        self.size = min(_SLAB, rows.size - base)
        self.good = np.ones(self.size, dtype=bool)

    def column(self, name: str) -> pa.ChunkedArray:
        return self.rows.columns[name].slice(self.base, self.size)

    def lose(self, why: str, which: Bools, column: str = "", remedy: str = "", *, bad: bool = False) -> None:
        which = which & self.good
        lost = self.tally.count(self.tally.lost, why, which, self.base, self._text(column), remedy)
        self.tally.bad += lost if bad else 0
        self.good[which] = False

    def note(self, why: str, which: Bools, column: str = "", remedy: str = "") -> None:
        self.tally.count(self.tally.kept, why, which & self.good, self.base, self._text(column), remedy)

    def _text(self, column: str) -> Callable[[int], str]:
        return lambda index: shown(self.rows.cell(column, index)) if column else ""

    def calls(self) -> tuple[Ints, Ints, Bools, Ints, Bools]:
        self._select()
        start = self._start()
        ends, still = self._ends(start)
        reading = self.plan.reading
        starts = start.values
        if reading.talk is not None:
            talk, none, bad = self._lengths(reading.talk)
            self.lose(f"{reading.talk} cannot be read", bad, reading.talk, bad=True)
            self.lose(
                f"{reading.talk} is longer than the call",
                (ends - talk < starts - 10**9) & ~still & ~none,
                reading.talk,
                bad=True,
            )
            starts = np.where(still, starts, np.where(none, ends, np.maximum(ends - talk, starts)))
        blocked = np.zeros(self.size, dtype=bool)
        if "blocked" in self.plan.kept:
            blocked, unclear = _flags(self.column(self.plan.kept["blocked"]))
            self.lose("blocked is neither true nor false", unclear, self.plan.kept["blocked"])
            self.note(
                "turned away (column blocked): never in progress", blocked, remedy=f"{option('columns')} blocked=..."
            )
        self.note("start in the hour that the clock repeats: the first is taken", start.twice, reading.start)
        self.note("of no length: never in progress", (ends == starts) & ~still)
        self.note("longer than a day", (ends - starts > _DAY) & ~still)
        if self.good.all():
            return starts, ends, still, np.arange(self.base, self.base + self.size), blocked
        index = np.flatnonzero(self.good) + self.base
        return starts[self.good], ends[self.good], still[self.good], index, blocked[self.good]

    def _select(self) -> None:
        for column, values in self.plan.only.items():
            text = pc.utf8_trim_whitespace(self.column(column).cast(pa.string()))
            keep = np.asarray(pc.is_in(text, value_set=pa.array(values, pa.string())).fill_null(False))
            self.lose(f"{column} is not {' or '.join(shown(v) for v in values)}", ~keep, column)
        for column, values in self.plan.drop.items():
            text = pc.utf8_trim_whitespace(self.column(column).cast(pa.string()))
            for value in values:
                self.lose(f"{column} is {shown(value)}", np.asarray(pc.equal(text, value).fill_null(False)))

    def _times(self, name: str, days_on: int = 0) -> Instants:
        plan = self.plan
        found = read_column(self.column(name), order=plan.order, formats=plan.formats, none=plan.none, zone=plan.zone)
        book = self.formats.setdefault(name, {})
        for form, cells in found.formats.items():
            form = self.rows.written.get(name, form)
            book[form] = book.get(form, 0) + cells
        day = None
        if plan.reading.date is not None and (found.clock or not found.formats):
            day = read_column(self.column(plan.reading.date), order=plan.order, formats=plan.date_formats)
            days = self.formats.setdefault(plan.reading.date, {})
            for form, cells in day.formats.items():
                days[form] = days.get(form, 0) + cells
        if found.clock and day is None:
            raise FrameError(
                f"{name} holds times of day (the first: {shown(self.rows.cell(name, self.base))}) and no day; "
                f"say which column holds the day with {option('date')}"
            )
        return to_utc(found, plan.zone, day, days_on)

    def _start(self) -> Instants:
        reading = self.plan.reading
        start = self._times(reading.start)
        name = reading.start
        self.lose("no start", start.state == NONE)
        self.lose("start in a year that stands for none", start.state == FAR, name)
        remedy = f"{option('time_format')} says how it is written, {option('na_values')} that it means nothing"
        self.lose("start cannot be read", start.state == BAD, name, remedy, bad=True)
        self.lose("start is a local time that the clock skipped", start.skipped, name)
        if reading.wait is not None:
            wait, none, bad = self._lengths(reading.wait)
            self.lose(f"{reading.wait} cannot be read", bad, reading.wait, bad=True)
            start = start.later(np.where(none, 0, wait))
        return start

    def _lengths(self, name: str) -> tuple[Ints, Bools, Bools]:
        found = read_lengths(self.column(name), self.plan.none)
        nanoseconds, bad = found.nanoseconds(self.plan.unit)
        return nanoseconds, found.state == NONE, bad

    def _ends(self, start: Instants) -> tuple[Ints, Bools]:
        """Return the ends [ns], and where there is none."""
        reading = self.plan.reading
        if not reading.end:
            assert reading.duration is not None
            lengths, none, bad = self._lengths(reading.duration)
            label = "duration" if reading.duration == "duration" else reading.duration
            self.lose(f"{label} cannot be read", bad, reading.duration, f"{option('unit')} says its unit", bad=True)
            self.lose(f"{label} is negative", lengths < 0, reading.duration, bad=True)
            return start.values + lengths, none
        plan_keeps = self.plan.unfinished == "keep"
        last = np.full(self.size, np.iinfo(np.int64).min)
        still = np.ones(self.size, dtype=bool)
        for column in reading.end:
            found, over = self._times(column), np.zeros(self.size, dtype=bool)
            if reading.date is not None and found.known.any():
                over = found.known & (found.values < start.values - _DAY // 2)
                if (over | found.skipped).any():
                    next_day = self._times(column, 1)
                    over |= found.skipped & next_day.known & (next_day.values - start.values < _DAY // 2)
                    found = found.replaced(over, next_day)
            label = "end" if column == "end" else column
            far = found.state == FAR
            if plan_keeps:
                self.note(f"{label} in a year that stands for none: taken as no end", far, column)
            else:
                remedy = f"{option('unfinished', 'keep')} takes it as no end"
                self.lose(f"{label} in a year that stands for none", far, column, remedy)
            self.lose(
                f"{label} cannot be read",
                found.state == BAD,
                column,
                f"{option('na_values')} says that it means nothing",
                bad=True,
            )
            self.lose(f"{label} is a local time that the clock skipped", found.skipped, column)
            # Of a local hour that happens twice the first is taken, unless the call would end before it began.
            values = found.values
            if found.twice.any():
                values = np.where(found.twice & (values < start.values), found.second, values)
            self.lose(f"{label} lies before {reading.start}", found.known & (values < start.values), column, bad=True)
            self.note("end after midnight: on the next day", over, column)
            if found.known.all():
                last, still = np.maximum(last, values), still & False
                continue
            last = np.where(found.known, np.maximum(last, values), last)
            still &= ~found.known
        return np.where(still, start.values, last) if still.any() else last, still


def _flags(column: pa.ChunkedArray) -> tuple[Bools, Bools]:
    if pa.types.is_boolean(column.type):
        return np.asarray(column.fill_null(False)), np.zeros(len(column), dtype=bool)
    text = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null("")))
    yes = np.asarray(pc.is_in(text, value_set=pa.array(_TRUE)))
    return yes, ~(yes | np.asarray(pc.is_in(text, value_set=pa.array(_FALSE))))


def _labels(column: pa.ChunkedArray, index: Ints) -> pd.Categorical:
    """Return the texts of the rows as categories, in order of their names."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    whole = column.combine_chunks() if len(column.chunks) != 1 else column.chunk(0)
    texts = [None if t is None else str(t).strip() for t in whole.dictionary.cast(pa.string()).to_pylist()]
    names = sorted({t for t in texts if t})
    place = {t: k for k, t in enumerate(names)}
    table = np.array([*(place.get(t or "", -1) for t in texts), -1], dtype=np.int32)
    indices = whole.indices.fill_null(-1) if whole.indices.null_count else whole.indices
    codes = np.asarray(indices)
    found = table.take(codes if len(index) == len(codes) else codes[index], mode="wrap")
    used = np.bincount(found.astype(np.int64) + 1, minlength=len(names) + 1)[1:] > 0
    if not used.all():  # names of rows that were dropped
        found = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.int32)[found]
        names = [name for name, is_used in zip(names, used, strict=True) if is_used]
    return pd.Categorical.from_codes(found, names)


def _joined(outcome: Outcome, ids: pa.ChunkedArray, name: str, rows: Rows) -> Outcome:
    """Join the legs that share an id: one call from its first start to its last end."""
    codes = _labels(ids, outcome.rows).codes.astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    if len(np.unique(codes)) == len(codes):
        return outcome
    order = np.lexsort((outcome.starts, codes))
    code, starts, rank = codes[order], outcome.starts[order], outcome.rows[order]
    ends, still = np.where(outcome.still, outcome.starts, outcome.ends)[order], outcome.still[order]
    reach = pd.Series(ends).groupby(code).cummax().to_numpy()
    new = np.ones(len(code), dtype=bool)
    new[1:] = (code[1:] != code[:-1]) | (starts[1:] - reach[:-1] > _LEG_GAP)
    first = np.flatnonzero(new)
    legs = np.diff(np.append(first, len(code)))
    joined_ends = np.maximum.reduceat(ends, first)
    # A call of which a leg has no end goes on.
    joined_still = np.logical_or.reduceat(still, first)
    ranks = np.minimum.reduceat(rank, first)
    back = np.argsort(ranks, kind="stable")
    several = int((legs > 1).sum())
    where = int(rank[first[np.argmax(legs > 1)]]) if several else 0
    if several:
        outcome.tally.kept[
            f"calls of several rows that share {name}: each is one call, from its first start to its last end"
        ] = Reason(several, where, "", option("call_id", "none"))
    apart = len(first) - len(np.unique(code[first]))
    if apart:
        outcome.tally.kept[f"rows with a {name} that came before, an hour and more later: calls of their own"] = Reason(
            apart, where, ""
        )
    lead = order[first][back]
    return replace(
        outcome,
        starts=starts[first][back],
        ends=joined_ends[back],
        still=joined_still[back],
        rows=ranks[back],
        kept={n: v[lead] for n, v in outcome.kept.items()},
    )


def _settled(outcome: Outcome, plan: Plan, rows: Rows) -> Outcome:
    """Decide about calls without an end."""
    still, tally = outcome.still, outcome.tally
    if not still.any():
        return outcome
    latest = max(int(outcome.starts.max()), int(outcome.ends[~still].max(initial=np.iinfo(np.int64).min)))
    old = still & (outcome.starts < latest - _DAY)
    gone = still if plan.unfinished == "drop" else old if plan.unfinished == "recent" else still & False

    def first(which: Bools) -> int:
        return int(outcome.rows[np.argmax(which)])

    if gone.any():
        tally.old = outcome.starts[gone] if plan.unfinished == "recent" else tally.old
        why = (
            "no end"
            if plan.unfinished == "drop"
            else "no end, and begun more than 24 hours before the log's latest time"
        )
        remedy = (
            ""
            if plan.unfinished == "drop"
            else f"{option('unfinished', 'keep')} counts them as in progress to the end of the log"
        )
        tally.lost[why] = Reason(int(gone.sum()), first(gone), "", remedy)
    if (still & ~gone).any():
        tally.kept["no end: still in progress"] = Reason(
            int((still & ~gone).sum()), first(still & ~gone), "", option("unfinished", "drop")
        )
    return _picked(outcome, ~gone) if gone.any() else outcome


def _picked(outcome: Outcome, keep: Bools) -> Outcome:
    return replace(
        outcome,
        starts=outcome.starts[keep],
        ends=outcome.ends[keep],
        still=outcome.still[keep],
        rows=outcome.rows[keep],
        kept={n: v[keep] for n, v in outcome.kept.items()},
    )


def _once(outcome: Outcome, ids: pa.ChunkedArray, name: str) -> Outcome:
    """Leave out rows that came before: with the same id, start and end."""
    codes = _labels(ids, outcome.rows).codes
    ends = np.where(outcome.still, -1, outcome.ends)
    again = np.asarray(pd.DataFrame({"s": outcome.starts, "e": ends, "id": codes}).duplicated()) & (codes >= 0)
    if not again.any():
        return outcome
    why = f"a row that came before, with the same {name}, start and end"
    outcome.tally.lost[why] = Reason(int(again.sum()), int(outcome.rows[np.argmax(again)]), "")
    return _picked(outcome, ~again)
