"""A plan carried out: the rows of a log, slab by slab, into calls and a tally of what was lost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from capacity.calls.instants import Instants, to_utc
from capacity.calls.legs import joined, labels, once, settled
from capacity.calls.lengths import read_lengths
from capacity.calls.plan import Ints, Outcome, Plan, Tally
from capacity.calls.rows import Rows
from capacity.calls.times import BAD, FAR, NONE, Column, read_column
from capacity.calls.words import option, shown
from capacity.errors import FrameError
from capacity.ground.arrays import Bools
from capacity.ground.times import DAY_NS

_SLAB = 1 << 22  # rows that are read at once
_TRUE, _FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0", "")


def carry_out(plan: Plan, rows: Rows, progress: Callable[[int], object] | None = None) -> Outcome:
    """Read the calls, slab by slab."""
    rows.load(plan.wanted)
    _check_values(plan, rows)
    tally = Tally()
    whole, flags = np.zeros(0, np.int64), np.zeros(0, bool)
    parts: list[tuple[Ints, Ints, Bools, Ints, Bools]] = [(whole, whole, flags, whole, flags)]
    formats: dict[str, dict[str, int]] = {}
    for base in range(0, rows.size, _SLAB):
        parts.append(_Slab(plan, rows, base, tally, formats).calls())
        if progress is not None:
            progress(min(base + _SLAB, rows.size))
    starts, ends, still, index, blocked = (np.concatenate(p) for p in zip(*parts, strict=True))
    kept = {name: labels(rows.columns[column], index) for name, column in plan.kept.items() if name != "blocked"}
    if "blocked" in plan.kept:
        kept["blocked"] = blocked
    outcome = Outcome(starts, ends, still, kept, index, tally, formats)
    if plan.same_id is not None:
        outcome = once(outcome, rows.columns[plan.same_id], plan.same_id)
    if plan.call_id is not None:
        outcome = joined(outcome, rows.columns[plan.call_id], plan.call_id, rows)
    return settled(outcome, plan, rows)


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
        self.note("longer than a day", (ends - starts > DAY_NS) & ~still)
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
        self._saw(name, found)
        day = None
        if plan.reading.date is not None and (found.clock or not found.formats):
            day = read_column(self.column(plan.reading.date), order=plan.order, formats=plan.date_formats)
            self._saw(plan.reading.date, day)
        if found.clock and day is None:
            raise FrameError(
                f"{name} holds times of day (the first: {shown(self.rows.cell(name, self.base))}) and no day; "
                f"say which column holds the day with {option('date')}"
            )
        return to_utc(found, plan.zone, day, days_on)

    def _saw(self, name: str, found: Column) -> None:
        """Count the formats that a column of times was written in."""
        book = self.formats.setdefault(name, {})
        for form, cells in found.formats.items():
            form = self.rows.written.get(name, form)
            book[form] = book.get(form, 0) + cells

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
            name, remedy = reading.duration, f"{option('unit')} says its unit"
            self.lose(f"{name} cannot be read", bad, name, remedy, bad=True)
            self.lose(f"{name} is negative", lengths < 0, name, bad=True)
            return start.values + lengths, none
        last = np.full(self.size, np.iinfo(np.int64).min)
        still = np.ones(self.size, dtype=bool)
        for column in reading.end:
            found, over = self._times(column), np.zeros(self.size, dtype=bool)
            if reading.date is not None and found.known.any():
                over = found.known & (found.values < start.values - DAY_NS // 2)
                if (over | found.skipped).any():
                    next_day = self._times(column, 1)
                    over |= found.skipped & next_day.known & (next_day.values - start.values < DAY_NS // 2)
                    found = found.replaced(over, next_day)
            far = found.state == FAR
            if self.plan.unfinished == "keep":
                self.note(f"{column} in a year that stands for none: taken as no end", far, column)
            else:
                remedy = f"{option('unfinished', 'keep')} takes it as no end"
                self.lose(f"{column} in a year that stands for none", far, column, remedy)
            remedy = f"{option('na_values')} says that it means nothing"
            self.lose(f"{column} cannot be read", found.state == BAD, column, remedy, bad=True)
            self.lose(f"{column} is a local time that the clock skipped", found.skipped, column)
            # Of a local hour that happens twice the first is taken, unless the call would end before it began.
            values = found.values
            if found.twice.any():
                values = np.where(found.twice & (values < start.values), found.second, values)
            self.lose(f"{column} lies before {reading.start}", found.known & (values < start.values), column, bad=True)
            self.note("end after midnight: on the next day", over, column)
            last = np.where(found.known, np.maximum(last, values), last)
            still &= ~found.known
        return np.where(still, start.values, last), still


def _flags(column: pa.ChunkedArray) -> tuple[Bools, Bools]:
    if pa.types.is_boolean(column.type):
        return np.asarray(column.fill_null(False)), np.zeros(len(column), dtype=bool)
    text = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null("")))
    yes = np.asarray(pc.is_in(text, value_set=pa.array(_TRUE)))
    return yes, ~(yes | np.asarray(pc.is_in(text, value_set=pa.array(_FALSE))))
