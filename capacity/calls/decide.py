"""From what is said and what the log shows to a plan; or to several, of which one has to be chosen by a person."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from capacity.calls.concurrency import intervals_from_calls
from capacity.calls.evidence import orders, units, zone_in_names
from capacity.calls.plan import Outcome, Plan, carry_out
from capacity.calls.readings import Reading, _found, kept_columns, key, kinds_of, readings_of
from capacity.calls.rows import Rows
from capacity.calls.times import OK, read_column
from capacity.calls.words import Words, option, shown
from capacity.errors import ConfigError, FrameError
from capacity.ground.text import plural
from capacity.ground.times import as_zone

__all__ = ["Choice", "Decision", "Undecided", "decide"]

_MOST = 16  # readings that are weighed
_LISTED = 8  # commands that are printed
_ID_ROWS = 1_000_000  # rows at the beginning and the end that are searched for ids that come twice
_PEAK_ROWS = 2_000_000  # of larger logs no peaks are found for readings that are not taken


class Undecided(ConfigError):
    """The log can be read in several ways, and nothing tells which is meant.

    Attributes
    ----------
    choices : list of (command, what it counts)
        The likeliest first.
    """

    def __init__(self, message: str, choices: list[tuple[str, str]]) -> None:
        super().__init__(message)
        self.message: str = message
        self.choices: list[tuple[str, str]] = choices

    def __str__(self) -> str:
        return "\n".join([self.message, *(line for command, what in self.choices for line in (f"# {what}", command))])


@dataclass(frozen=True)
class Choice:
    """One way to read the log: the plan, the words that say it, and what sets it apart from the others."""

    plan: Plan
    words: Words
    differs: tuple[str, ...]
    why: tuple[str, ...] = ()
    asks_zone: bool = False


@dataclass(frozen=True)
class Decision:
    """The way that is taken, what it gave, and the other readings of a known export."""

    choice: Choice
    outcome: Outcome
    others: list[tuple[str, str]] = field(default_factory=list)


def decide(rows: Rows, words: Words, progress: Callable[[int], object] | None = None) -> Decision:
    """Return how the log is read.

    Raises
    ------
    Undecided
        Neither a known export nor the cells decide between readings that give other calls.
    ConfigError, FrameError
        Something is missing that the words have to say.
    """
    names, sample = rows.names, rows.sample()
    readings, decided = readings_of(names, sample, words)
    kinds = kinds_of(sample)
    taken = readings[:1] if decided else readings[:_MOST]
    choices = [
        choice
        for reading in taken
        for choice in _answered(
            rows, _choices(rows, reading, words, kinds, names=len(taken) > 1 or reading.guess), both=not reading.like
        )
    ]
    choices = choices[:_MOST]
    if not choices:
        raise FrameError(
            f"nothing tells when calls end or how long they are; there are {list(names)}; "
            f"say which column is what with {option('columns')}"
        )
    guess = readings[0].guess
    if len(choices) == 1 and not guess:
        if choices[0].asks_zone:
            _ask_for_zone(choices[0], rows)
        outcome = carry_out(choices[0].plan, rows, progress)
        others = [c for r in readings[1:] for c in _choices(rows, r, words, kinds, names=True)] if decided else []
        if words.drop is None and choices[0].plan.drop:
            others += [
                replace(c, plan=replace(c.plan, drop={}), words=replace(c.words, drop={}), differs=("all rows",))
                for c in choices
            ]
        return Decision(choices[0], outcome, _beside(others, outcome, rows))
    results = _weighed(choices, rows)
    if len(results) == 1 and not guess:
        if results[0][0].asks_zone:
            _ask_for_zone(results[0][0], rows)
        return Decision(*results[0])
    raise Undecided(
        f"{rows.logs[0].name} can be read in several ways, and nothing in it decides; nothing is read. "
        "Take the line that is meant:",
        [_line(choice, outcome) for choice, outcome in results[:_LISTED]],
    )


def _choices(rows: Rows, reading: Reading, words: Words, kinds: dict[str, str], *, names: bool) -> list[Choice]:
    """Return the ways to read the log by these columns."""
    plan = Plan(
        reading,
        kept=kept_columns(rows.names, words, reading),
        formats=words.time_format,
        date_formats=(words.date_format,) if words.date_format else words.time_format,
        none=(*words.na_values, *(reading.nothing if not words.na_values else ())),
        only=dict(words.only),
        drop=dict(reading.drop if words.drop is None else words.drop),
        unfinished=words.unfinished,
    )
    missing = [n for n in plan.wanted if n not in rows.names]
    if missing:
        raise FrameError(f"the log has no columns {missing}; there are {rows.names}")
    span = _span(rows, kinds)
    ids = _ids(rows, reading, words, kinds)
    times = {*reading.used, *(span or ()), *ids}
    rows.load(
        [*plan.wanted, *(span or ()), *ids],
        [n for n in plan.kept.values() if n not in times],
        typed=not plan.formats and not plan.none,
    )
    base = reading.said(words) if names else words
    title = (reading.title,) if names else ()
    found = []
    fixed = (*plan.formats, *plan.date_formats) if not reading.date or words.date_format else ()
    found_orders = orders(rows, reading, fixed, str(words.tz) if words.tz else None)
    for order, order_why in found_orders:
        ordered = replace(plan, order=order)
        zone, said, note, zone_why = _zone(rows, ordered, words)
        kinds_of_unit = [(words.unit, "")] if words.unit else units(rows, reading, span, order)
        for (unit, unit_why), call_id in itertools.product(kinds_of_unit, _id_choices(ids, reading, words, rows)):
            told = _as_formats(rows, ordered, order, base) if len(found_orders) > 1 else base
            told = replace(told, tz=said) if note else told
            several = len(kinds_of_unit) > 1
            told = replace(told, unit=unit) if several else told
            differs = [*title]
            if told.time_format != base.time_format or told.date_format != base.date_format:
                differs.append(_dates_as(rows, ordered))
            if several:
                differs.append(f"lengths in {_named(unit)}")
            if call_id is not _UNSAID:
                told = replace(told, call_id=call_id[0] or "none")
                differs.append(f"rows that share {ids[0]} are one call" if call_id[0] else "each row is a call")
            if note:
                differs.append(note)
            one = replace(
                ordered,
                zone=zone,
                unit=unit,
                call_id=call_id[0]
                if call_id is not _UNSAID
                else (ids[0] if words.call_id or reading.call_id else None),
                same_id=ids[0] if call_id is not _UNSAID else None,
            )
            why = tuple(
                w
                for w in (
                    order_why and f"dates: {order} ({order_why})",
                    unit_why and f"lengths in {_named(unit)}: {unit_why}",
                    zone_why,
                )
                if w
            )
            found.append(Choice(one, told, tuple(differs), why, asks_zone=bool(note)))
    return found


_STATUS = (
    "status",
    "callstatus",
    "disposition",
    "result",
    "callresult",
    "actionresult",
    "outcome",
    "answered",
    "calloutcome",
    "finalstatus",
    "callstate",
)
_NOT_ANSWERED = re.compile(
    r"(no|un|not)[ _-]?answer(ed)?|miss(ed)?( call)?|abandon(ed)?|busy|cancel+ed|failed|rejected|declined|refused|"
    r"no[ _-]pick[ _-]?up|unavailable|congestion|hang up|blocked|false|no|0|n",
    re.IGNORECASE,
)


def _answered(rows: Rows, choices: list[Choice], *, both: bool) -> list[Choice]:
    """Return the choices with the calls that were answered alone, where a column tells, and with all rows.

    Of a known export the answered calls alone are taken, for no other time of it leaves the others out.
    """
    if not choices:
        return []
    plan = choices[0].plan
    reading, words = plan.reading, choices[0].words
    talk = reading.talk or reading.wait or (reading.like and len(reading.end) == 1)
    column = next((n for n in rows.names if key(n) in _STATUS), None)
    if (
        plan.only
        or plan.drop
        or words.drop is not None
        or talk
        or column is None
        or column in reading.used
        or column in plan.kept.values()
    ):
        return choices
    rows.load([column])
    text = pc.utf8_trim_whitespace(rows.columns[column].cast(pa.string()))
    values = [str(v) for v in pc.unique(text).slice(0, 200).to_pylist() if v]
    marked = tuple(v for v in values if _NOT_ANSWERED.fullmatch(v) and (key(column) == "answered" or len(v) > 2))
    if not marked or len(marked) == len(values):
        return choices
    listed = " and ".join(shown(v) for v in marked[:4])
    found = []
    for choice in choices:
        said = replace(choice.words, drop={column: marked})
        why = (
            (*choice.why, f"rows with {column} {listed} were not answered and are left out") if not both else choice.why
        )
        differs = (*choice.differs, f"without {column} {listed}") if both else choice.differs
        found.append(
            replace(
                choice,
                plan=replace(choice.plan, drop={column: marked}),
                words=said if both else choice.words,
                differs=differs,
                why=why,
            )
        )
        if both:
            found.append(replace(choice, words=replace(choice.words, drop={}), differs=(*choice.differs, "all rows")))
    return found


_UNSAID = ("?",)


def _named(unit: str) -> str:
    return {"s": "seconds", "ms": "milliseconds", "min": "minutes", "hour": "hours", "day": "days"}[unit]


def _span(rows: Rows, kinds: dict[str, str]) -> tuple[str, str] | None:
    """Return the columns between which the whole length of a call can be measured."""
    times = ("stamp", "epoch")
    start = _found(rows.names, kinds, "start", times) or _found(rows.names, kinds, "start_weak", times)
    end = [e for e in _found(rows.names, kinds, "end", times) if start and kinds[e] == kinds[start[0]]]
    return (start[0], end[0]) if start and end else None


def _ids(rows: Rows, reading: Reading, words: Words, kinds: dict[str, str]) -> list[str]:
    if words.call_id is not None:
        return [] if words.call_id == "none" else [words.call_id]
    if reading.call_id is not None:
        return [reading.call_id]
    if reading.like:
        return []
    named = _found(rows.names, kinds, "call_id", ("text", "number", "epoch", "length", "stamp", "date", "clock"))
    return [n for n in named if n not in reading.used][:1]


def _id_choices(ids: list[str], reading: Reading, words: Words, rows: Rows) -> list[tuple[str | None, ...]]:
    if not ids or words.call_id is not None or reading.call_id is not None:
        return [_UNSAID]
    column = rows.columns[ids[0]]
    for part in (column.slice(0, _ID_ROWS), column.slice(max(_ID_ROWS, len(column) - _ID_ROWS))):
        filled = part.filter(pc.not_equal(part.cast(pa.string()), ""))
        if pc.count_distinct(filled).as_py() < len(filled):
            return [(ids[0],), (None,)]
    del rows.columns[ids[0]]
    return [_UNSAID]


def _zone(rows: Rows, plan: Plan, words: Words) -> tuple[dt.tzinfo | None, str | dt.tzinfo | None, str, str]:
    """Return the zone of the plan, the one to say, what to say of it, and why it is known."""
    reading = plan.reading
    named = zone_in_names(reading)
    if named is not None:
        return as_zone(named), words.tz, "", f"times in {named}, as the names of their columns say"
    if words.tz is not None:
        return as_zone(words.tz), words.tz, "", ""
    for name in (reading.start, *reading.end):
        column = read_column(rows.columns[name], order=plan.order, formats=plan.formats, none=plan.none)
        if bool(((column.state == OK) & ~column.aware).any()):
            zone = _machine_zone() or "UTC"
            return as_zone(zone), zone, f"times in {zone}", ""
    return None, words.tz, "", ""


def _machine_zone() -> str | None:
    """Return the zone of this machine by its name, where it has one."""
    name = os.environ.get("TZ") or str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    if name in ("Etc/UTC", "UCT", "Etc/UCT", "Zulu", "Universal", "GMT", "Etc/GMT"):
        return "UTC"
    try:
        return ZoneInfo(name).key if name else None
    except (KeyError, ValueError, OSError):
        return None


def _ask_for_zone(choice: Choice, rows: Rows) -> None:
    """Raise Undecided: the times are local, and the zone is not known."""
    reading = choice.plan.reading
    column = read_column(
        rows.columns[reading.start], order=choice.plan.order, formats=choice.plan.formats, none=choice.plan.none
    )
    wall = (column.state == OK) & ~column.aware
    first = rows.cell(reading.start, int(np.argmax(wall)))
    zones = dict.fromkeys((str(choice.words.tz), "UTC", *(["Europe/London"] if str(choice.words.tz) == "UTC" else [])))
    lines = [
        (
            replace(choice.words, tz=zone).spoken(),
            f"times in {zone}" + (" (say, or your own zone)" if k and zone != "UTC" else ""),
        )
        for k, zone in enumerate(zones)
    ]
    raise Undecided(
        f"{int(wall.sum()):,} times have no time zone (first: {first}); "
        f"say where they are local with {option('tz', 'Europe/London')} (say), or 'UTC':",
        lines,
    )


def _as_formats(rows: Rows, plan: Plan, order: str, words: Words) -> Words:
    """Return the words with the formats that say this order."""
    reading = plan.reading
    formats: dict[str, None] = {}
    for name in (reading.start, *reading.end):
        column = read_column(rows.columns[name], order=order)
        formats |= dict.fromkeys(f for f, cells in column.formats.items() if cells and not column.clock)
    date_format = words.date_format
    if reading.date and not date_format:
        found = read_column(rows.columns[reading.date], order=order).formats
        date_format = next((f for f, cells in found.items() if cells), None)
    return replace(words, time_format=tuple(formats) or words.time_format, date_format=date_format)


def _dates_as(rows: Rows, plan: Plan) -> str:
    """Say what the first date is in this order."""
    reading = plan.reading
    name = reading.date or reading.start
    column = read_column(rows.columns[name], order=plan.order)
    good = column.state == OK
    place = int(np.argmax(good))
    moment = pd.Timestamp(int(column.values[place]))
    return f"{str(rows.cell(name, place)).strip()} is {moment:%-d %B %Y}"


def _weighed(choices: list[Choice], rows: Rows) -> list[tuple[Choice, Outcome]]:
    """Carry the plans out; leave out those that cannot be, and those that give the same calls as one before."""
    results: list[tuple[Choice, Outcome]] = []
    failed: list[FrameError | ConfigError] = []
    for choice in choices:
        try:
            results.append((choice, carry_out(choice.plan, rows)))
        except (FrameError, ConfigError) as exc:
            failed.append(exc)
    if not results:
        raise failed[0]
    least = min(o.tally.bad for _, o in results)
    results = [(c, o) for c, o in results if o.tally.bad <= least + max(0.01 * rows.size, 0)]
    most = max(len(o.starts) for _, o in results)
    if most:
        results = [(c, o) for c, o in results if len(o.starts) > 0]
    kept: list[tuple[Choice, Outcome]] = []
    for choice, outcome in results:
        if not any(outcome.same(o) for _, o in kept):
            kept.append((choice, outcome))
    return kept


def _line(choice: Choice, outcome: Outcome) -> tuple[str, str]:
    what = ", ".join(choice.differs) or choice.plan.reading.title
    return choice.words.spoken(), f"{what}: {_peak(outcome)}"


def _peak(outcome: Outcome) -> str:
    calls = plural(len(outcome.starts), "call")
    if len(outcome.starts) > _PEAK_ROWS or not len(outcome.starts):
        return calls
    try:
        frame = intervals_from_calls(outcome.frame(), by=None)
    except (ConfigError, FrameError):
        return calls
    return f"peak {int(frame['max_concurrent'].max()) if len(frame) else 0}, {calls}"


def _beside(others: list[Choice], taken: Outcome, rows: Rows) -> list[tuple[str, str]]:
    """Return the other readings of a known export that give other calls."""
    lines, seen = [], [taken]
    for choice in others[:4]:
        if rows.size > _PEAK_ROWS:
            lines.append((choice.words.spoken(), choice.plan.reading.title))
            continue
        try:
            outcome = carry_out(choice.plan, rows)
        except (FrameError, ConfigError):
            continue
        if not any(outcome.same(o) for o in seen):
            seen.append(outcome)
            lines.append(_line(choice, outcome))
    return lines
