"""Which columns say when a call holds a channel: from the known exports, from names, from what the cells are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from capacity.calls.kinds import kinds_of
from capacity.calls.known import known_readings, tables
from capacity.calls.reading import Reading, key, short
from capacity.calls.words import KEPT, PARTS, Words, option
from capacity.errors import ConfigError, FrameError

_LENGTHS = ("number", "length", "clock")


def readings_of(names: Sequence[str], sample: pa.Table, words: Words) -> tuple[list[Reading], bool]:
    """Return how the log can be read, the likeliest first, and whether the first is decided.

    Raises
    ------
    FrameError
        Columns that are named are not there; or nothing tells when calls begin or how long they are.
    """
    if not names:
        raise FrameError("the log holds no records")
    words = _as_named(names, words)
    kinds = kinds_of(sample)
    known = known_readings(names, words)
    if known:
        said = [r for r in known if _agrees(r, words)]
        if said:
            return said, True
        return [_with(known[0], words)], True
    named = {part: words.columns[part] for part in PARTS if part in words.columns}
    if "start" in named and ("end" in named or "duration" in named):
        return [
            _with(Reading("as it is said", named["start"][0], date=_date_for(names, kinds, named["start"][0])), words)
        ], True
    return _by_names(names, kinds, words)


def _as_named(names: Sequence[str], words: Words) -> Words:
    """Return the words with columns by their exact names; a name may be said without its case and punctuation."""
    there = {}
    for name in reversed(names):
        there[key(name)] = name

    def find(name: str) -> str:
        if name in names:
            return name
        if key(name) in there:
            return there[key(name)]
        raise FrameError(f"the log has no columns {[name]}; there are {list(names)}")

    return replace(
        words,
        columns={part: tuple(find(n) for n in columns) for part, columns in words.columns.items()},
        date=words.date and find(words.date),
        wait=words.wait and find(words.wait),
        call_id=words.call_id and (find(words.call_id) if words.call_id != "none" or "none" in names else "none"),
        only={find(c): v for c, v in words.only.items()},
        drop=None if words.drop is None else {find(c): v for c, v in words.drop.items()},
        keep=tuple(find(n) for n in words.keep if n in names or n not in words.columns),
    )


def _agrees(reading: Reading, words: Words) -> bool:
    """Tell whether a reading is what the words say, and more."""
    parts = {"start": (reading.start,), "end": reading.end, "duration": (reading.duration,), "talk": (reading.talk,)}
    if any(parts[part] != words.columns[part] for part in PARTS if part in words.columns):
        return False
    complete = "start" in words.columns and ("end" in words.columns or "duration" in words.columns)
    if complete and any((reading.wait and not words.wait, reading.talk and "talk" not in words.columns)):
        return False
    return words.wait in (None, reading.wait) and words.date in (None, reading.date)


def _with(reading: Reading, words: Words) -> Reading:
    """Return a reading with what is said in place of what was found."""
    named = words.columns
    changes: dict[str, Any] = {}
    if "start" in named:
        changes["start"] = named["start"][0]
        changes["wait"] = None
    if "end" in named:
        changes |= {"end": named["end"], "duration": None}
    if "duration" in named:
        changes |= {"duration": named["duration"][0], "end": (), "wait": None}
    if changes or "talk" in named:
        changes["talk"] = named["talk"][0] if "talk" in named else None
    if words.wait:
        changes["wait"] = words.wait
    if words.date:
        changes["date"] = words.date
    return replace(reading, title="as it is said" if changes else reading.title, **changes)


def columns_for(names: Sequence[str], kinds: Mapping[str, str], part: str, fitting: Sequence[str]) -> list[str]:
    """Return the columns that play a part by their names, in the order of the table."""
    table = tables()["parts"][part]
    rank: dict[str, int] = {name: k for k, name in reversed(list(enumerate(table)))}

    def place(name: str) -> int | None:
        tail = key(name.split(".")[-1])
        for form in (key(name), short(name), tail):
            for bare in (form, form.removeprefix("call"), form.removesuffix("utc"), form.removesuffix("local")):
                if bare in rank:
                    return rank[bare]
        return None

    def fits(name: str) -> bool:
        return kinds.get(name) in (*fitting, "unknown") or name == part  # our own name is taken at its word

    ranked = [(place(n), k, n) for k, n in enumerate(names) if fits(n)]
    return [n for p, _, n in sorted(r for r in ranked if r[0] is not None)]


def _date_for(names: Sequence[str], kinds: Mapping[str, str], start: str) -> str | None:
    """Return the column with the day, where `start` is a time of day."""
    if kinds.get(start) != "clock":
        return None
    dates = [n for n in columns_for(names, kinds, "date", ("date", "number")) if n != start]
    dates += [n for n in names if kinds.get(n) == "date" and n not in dates]
    return dates[0] if dates else None


def _by_names(names: Sequence[str], kinds: Mapping[str, str], words: Words) -> tuple[list[Reading], bool]:
    named = words.columns
    starts = list(named.get("start", ())) or columns_for(names, kinds, "start", ("stamp", "epoch", "clock"))
    starts = starts or columns_for(names, kinds, "start_weak", ("stamp", "epoch", "clock"))
    answers = [] if "start" in named else columns_for(names, kinds, "answer", ("stamp", "epoch", "clock"))
    ends = list(named.get("end", ())) or columns_for(names, kinds, "end", ("stamp", "epoch", "clock"))
    lengths = list(named.get("duration", ())) or columns_for(names, kinds, "duration", _LENGTHS)
    talks = list(named.get("talk", ())) or columns_for(names, kinds, "talk", _LENGTHS)
    waits = [words.wait] if words.wait else columns_for(names, kinds, "wait", _LENGTHS)
    if "end" not in named and lengths:
        ends = [e for e in ends if kinds[e] != "empty"]
    if "end" in named or (ends and "duration" not in named and all(kinds[n] == "empty" for n in lengths)):
        lengths = []
    if "duration" in named:
        ends, talks = [], list(named.get("talk", ()))
    if not starts and answers:
        starts, answers = answers, []
    if starts and len(starts) > 1 and "start" not in named:
        starts = _one_of(starts, kinds)
    found = [
        reading
        for start in starts
        for reading in _of_start(
            start, _like(start, answers, kinds), _like(start, ends, kinds, one=True), lengths, talks, waits, words
        )
    ]
    found = [replace(r, date=words.date or _date_for(names, kinds, r.start)) for r in found]
    found = [r for r in found if r.date or kinds.get(r.start) != "clock" or words.date]
    if found:
        ours = found[0].start == "start" and (found[0].end == ("end",) or found[0].duration == "duration")
        return found, len(found) == 1 or (ours and not answers and not lengths)
    return _by_cells(names, kinds, words)


def _one_of(starts: list[str], kinds: Mapping[str, str]) -> list[str]:
    """Of several names for the start keep the best: one that needs no zone first."""
    epochs = [s for s in starts if kinds[s] == "epoch"]
    stamps = [s for s in starts if kinds[s] == "stamp"]
    return (epochs or stamps or starts)[:1]


def _like(start: str, columns: list[str], kinds: Mapping[str, str], *, one: bool = False) -> list[str]:
    """Keep the columns that are written as the start is, where there are such."""
    same = [c for c in columns if kinds[c] == kinds.get(start) and c != start] or [c for c in columns if c != start]
    return same[:1] if one else same


def _of_start(
    start: str,
    answers: list[str],
    ends: list[str],
    lengths: list[str],
    talks: list[str],
    waits: list[str],
    words: Words,
) -> list[Reading]:
    found = []
    length, talk, wait, answer = (next(iter(columns), None) for columns in (lengths, talks, waits, answers))
    end = tuple(words.columns["end"]) if "end" in words.columns else tuple(ends[:1])
    if words.wait:
        if end or length or talk:
            found.append(Reading(f"after {words.wait}", start, end, None if end else length or talk, wait=words.wait))
        return found
    if end or length:
        found.append(Reading("whole call", start, end, None if end else length))
    if end and length:
        found.append(Reading(f"for {length}", start, duration=length))
    if answer and (end or talk or length):
        found.append(Reading("talk, from the answer", answer, end, None if end else talk or length))
    elif talk and (end or length):
        found.append(Reading("talk alone, at the end of the call", start, end, None if end else length, talk=talk))
    elif talk and wait:
        found.append(Reading("talk, after the wait", start, duration=talk, wait=wait))
        found.append(Reading("talk alone, from the start", start, duration=talk))
    elif talk:
        found.append(Reading("talk", start, duration=talk))
    return found


def _by_cells(names: Sequence[str], kinds: Mapping[str, str], words: Words) -> tuple[list[Reading], bool]:
    """Return readings by what the cells are, where no name tells; none of them is decided."""
    times = [n for n in names if kinds.get(n) in ("stamp", "epoch")]
    lengths = [n for n in names if kinds.get(n) in ("clock", "length")]
    numbers = [n for n in names if kinds.get(n) == "number"]
    starts = (
        list(words.columns.get("start", ())) or times[:2] or columns_for(names, kinds, "start", tuple(kinds.values()))
    )
    found = []
    for start in starts[:1]:
        later = [t for t in times if t != start and kinds[t] == kinds.get(start)]
        if "end" in words.columns or later:
            found.append(
                Reading("from one time to the other", start, tuple(words.columns.get("end", ())) or (later[-1],))
            )
        measures = [n for n in (lengths or numbers[:3]) if n != start]
        for length in words.columns.get("duration", ()) or measures:
            found.append(Reading(f"for {length}", start, duration=length))
    if found:
        return [replace(r, guess=True) for r in found], False
    what = "when a call begins" if not starts else "when a call ends or how long it is"
    missing = "start" if not starts else "end' or 'duration"
    raise FrameError(
        f"nothing tells {what}: there is no column '{missing}'; there are {list(names)}; "
        f"say which it is with {option('columns')}"
        + (" start=COLUMN" if not starts else " end=COLUMN or duration=COLUMN")
    )


_KEPT_KEYS = {key(name): name for name in KEPT} | {"variantid": "variant"}


def kept_columns(names: Sequence[str], words: Words, reading: Reading) -> dict[str, str]:
    """Return the columns that are kept to slice by: ours -> theirs."""
    found = {ours: theirs[0] for ours, theirs in words.columns.items() if ours in KEPT}
    if taken := sorted(n for n in words.keep if found.get(n, n) != n and n in names):
        raise ConfigError(f"keep={taken}: the calls have something else by that name; rename the column of the log")
    for name in names:
        ours = _KEPT_KEYS.get(key(name))
        if ours and ours not in found:
            found[ours] = name
    if reading.variant and "variant" not in found:
        found["variant"] = reading.variant
    return found | {name: name for name in words.keep if name not in found}
