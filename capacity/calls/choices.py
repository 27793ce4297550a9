"""The ways to read a log by given columns: orders of dates, units, zones, ids, and whether a call was answered."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from capacity.calls.evidence import orders, units, zone_in_names
from capacity.calls.lengths import UNIT_NAMES
from capacity.calls.plan import Plan
from capacity.calls.reading import Reading, key
from capacity.calls.readings import columns_for, kept_columns
from capacity.calls.rows import Rows
from capacity.calls.times import OK, read_column
from capacity.calls.words import Words, shown
from capacity.errors import FrameError
from capacity.ground.times import as_zone

_ID_ROWS = 1_000_000  # rows at the beginning and the end that are searched for ids that come twice


@dataclass(frozen=True)
class Choice:
    """One way to read the log: the plan, the words that say it, and what sets it apart from the others."""

    plan: Plan
    words: Words
    differs: tuple[str, ...]
    why: tuple[str, ...] = ()
    asks_zone: bool = False


def choices_of(rows: Rows, reading: Reading, words: Words, kinds: dict[str, str], *, names: bool) -> list[Choice]:
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
                differs.append(f"lengths in {UNIT_NAMES[unit]}")
            if call_id is not _UNSAID:
                told = replace(told, call_id=call_id[0] or "none")
                differs.append(f"rows that share {ids[0]} are one call" if call_id[0] else "each row is a call")
            if note:
                differs.append(note)
            whose = ids[0] if words.call_id or reading.call_id else None
            same = None
            if call_id is not _UNSAID:
                whose, same = call_id[0], ids[0]
            one = replace(ordered, zone=zone, unit=unit, call_id=whose, same_id=same)
            order_word = order_why and f"dates: {order} ({order_why})"
            unit_word = unit_why and f"lengths in {UNIT_NAMES[unit]}: {unit_why}"
            why = tuple(word for word in (order_word, unit_word, zone_why) if word)
            found.append(Choice(one, told, tuple(differs), why, asks_zone=bool(note)))
    return found


_STATUS = (
    *("status", "callstatus", "disposition", "result", "callresult", "actionresult", "outcome", "answered"),
    *("calloutcome", "finalstatus", "callstate"),
)
_NOT_ANSWERED = re.compile(
    r"(no|un|not)[ _-]?answer(ed)?|miss(ed)?( call)?|abandon(ed)?|busy|cancel+ed|failed|rejected|declined|refused|"
    r"no[ _-]pick[ _-]?up|unavailable|congestion|hang up|blocked|false|no|0|n",
    re.IGNORECASE,
)


def answered(rows: Rows, choices: list[Choice], *, both: bool) -> list[Choice]:
    """Return the choices with the calls that were answered alone, where a column tells, and with all rows.

    Of a known export the answered calls alone are taken, for no other time of it leaves the others out.
    """
    if not choices:
        return []
    plan = choices[0].plan
    reading, words = plan.reading, choices[0].words
    talk = reading.talk or reading.wait or (reading.like and len(reading.end) == 1)
    column = next((n for n in rows.names if key(n) in _STATUS), None)
    said = plan.only or plan.drop or words.drop is not None
    if said or talk or column is None or column in (*reading.used, *plan.kept.values()):
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
        without = replace(choice, plan=replace(choice.plan, drop={column: marked}))
        if not both:
            left_out = f"rows with {column} {listed} were not answered and are left out"
            found.append(replace(without, why=(*choice.why, left_out)))
            continue
        for way, drop, what in ((without, {column: marked}, f"without {column} {listed}"), (choice, {}, "all rows")):
            found.append(replace(way, words=replace(choice.words, drop=drop), differs=(*choice.differs, what)))
    return found


_UNSAID = ("?",)


def _span(rows: Rows, kinds: dict[str, str]) -> tuple[str, str] | None:
    """Return the columns between which the whole length of a call can be measured."""
    times = ("stamp", "epoch")
    start = columns_for(rows.names, kinds, "start", times) or columns_for(rows.names, kinds, "start_weak", times)
    end = [e for e in columns_for(rows.names, kinds, "end", times) if start and kinds[e] == kinds[start[0]]]
    return (start[0], end[0]) if start and end else None


def _ids(rows: Rows, reading: Reading, words: Words, kinds: dict[str, str]) -> list[str]:
    if words.call_id is not None:
        return [] if words.call_id == "none" else [words.call_id]
    if reading.call_id is not None:
        return [reading.call_id]
    if reading.like:
        return []
    named = columns_for(rows.names, kinds, "call_id", ("text", "number", "epoch", "length", "stamp", "date", "clock"))
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
