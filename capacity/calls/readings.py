"""Which columns say when a call holds a channel: from the known exports, from names, from what the cells are."""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any

import pyarrow as pa

from capacity.calls.formats import formats_of
from capacity.calls.words import KEPT, PARTS, Words, option
from capacity.errors import ConfigError, FrameError

__all__ = ["Reading", "exports", "header_of", "key", "kinds_of", "readings_of"]


@dataclass(frozen=True)
class Reading:
    """Which columns say when a call holds a channel.

    Attributes
    ----------
    title : str
        What this counts, such as "whole call, from ringing".
    start, wait, end, duration, talk, date : column names
        A channel is held from `start` (+ `wait`) to the last `end`, or for `duration`; `talk` is the last part.
    like, why : str
        The known export, and why these of its times.
    guess : bool
        Whether no name tells: it is never taken without being asked for.
    """

    title: str
    start: str
    end: tuple[str, ...] = ()
    duration: str | None = None
    talk: str | None = None
    wait: str | None = None
    date: str | None = None
    call_id: str | None = None
    variant: str | None = None
    unit: str | None = None
    order: str = ""
    nothing: tuple[str, ...] = ()
    drop: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    like: str = ""
    why: str = ""
    guess: bool = False

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that times and lengths are read from."""
        names = (self.start, *self.end, self.duration, self.talk, self.wait, self.date)
        return tuple(dict.fromkeys(n for n in names if n))

    def said(self, words: Words) -> Words:
        """Return the words that say this reading, so that it can be pasted."""
        columns = {k: v for k, v in words.columns.items() if k not in PARTS}
        parts = {"start": (self.start,), "end": self.end, "duration": (self.duration,), "talk": (self.talk,)}
        columns |= {k: tuple(n for n in v if n) for k, v in parts.items() if any(v)}
        return replace(words, columns=columns, wait=self.wait or words.wait, date=self.date or words.date)


def key(name: str) -> str:
    """Return a name without case, accents, spaces and punctuation.

    Examples
    --------
    >>> key("Start Time"), key("startedAt"), key("Início"), key("Duration (s)")
    ('starttime', 'startedat', 'inicio', 'durations')
    """
    split = unicodedata.normalize("NFKD", name)
    return "".join(c for c in split if c.isalnum() and not unicodedata.combining(c)).lower()


def _short(name: str) -> str:
    """Return the key of a name without what stands in brackets, and without "call" before it."""
    return key(re.sub(r"[(\[].*?[)\]]", "", name)) or key(name)


@functools.cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(resources.files("capacity.calls").joinpath("exports.toml").read_text("utf-8"))


def exports() -> list[str]:
    """Return the names of the exports that are known."""
    return [export["name"] for export in _tables()["export"]]


def kinds_of(sample: pa.Table) -> dict[str, str]:
    """Tell what the cells of each column are: stamp, date, clock, length, number, epoch, text, empty or unknown."""
    return {name: _kind(sample[name]) if sample.num_rows else "unknown" for name in sample.column_names}


def _kind(column: pa.ChunkedArray) -> str:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return "stamp"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_time(kind):
        return "clock"
    if pa.types.is_duration(kind):
        return "length"
    if pa.types.is_boolean(kind):
        return "text"
    cells = [str(c).strip() for c in column.to_pylist() if c is not None and str(c).strip() not in ("", "0", "-")]
    if not cells:
        return "empty"
    cells = cells[:: max(1, len(cells) // 200)]
    if all(re.fullmatch(r"[345]\d{4}[.,]\d{3,}", cell) for cell in cells):
        return "stamp"  # days of a workbook
    best, count = Counter(map(_cell_kind, cells)).most_common(1)[0]
    return best if count * 2 >= len(cells) else "text"


def _cell_kind(cell: str) -> str:
    if re.fullmatch(r"-?\d+([.,]\d+)?([eE][+-]?\d+)?", cell):
        whole = re.split(r"[.,eE]", cell)[0]
        if len(whole) in (10, 13, 16, 19) and whole[0] in "12":
            return "epoch"
        if cell.isdigit() and len(cell) in (8, 12, 14) and _is_date(cell[:8]):
            return "date" if len(cell) == 8 else "stamp"
        return "number"
    forms = formats_of(cell)
    if not forms:
        return (
            "length"
            if re.fullmatch(
                r"(\d+([.,]\d+)?\s*[a-zA-Z]{1,8}\.?,?\s*)+|P[T\d].*|\d+(?:[. d]| days?,?)+\d+:\d\d:\d\d\S*|\d{3,}:\d\d",
                cell,
            )
            else "text"
        )
    form = next(iter(forms.values()))
    if "clock" in forms:
        return "clock"
    return "stamp" if any(d in form for d in ("%H", "%I", "epoch", "excel")) else "date"


def _is_date(digits: str) -> bool:
    """Tell whether eight digits are a day of 1971 to 2199, in some order."""
    parts = [
        (digits[:4], digits[4:6], digits[6:]),
        (digits[4:], digits[2:4], digits[:2]),
        (digits[4:], digits[:2], digits[2:4]),
    ]
    return any(1971 <= int(y) < 2200 and 1 <= int(m) <= 12 and 1 <= int(d) <= 31 for y, m, d in parts)


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
    known = _known(names, words)
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


def _known(names: Sequence[str], words: Words) -> list[Reading]:
    """Return the readings of the export that is said or whose columns these are."""
    if words.like == "none":
        return []
    tables = {export["name"]: export for export in _tables()["export"]}
    if words.like is not None and words.like not in tables:
        raise ConfigError(f"{option('like')} {words.like!r} is not known; there are {', '.join(tables)}, none")
    there = {key(n): n for n in reversed(names)} | {_short(n): n for n in reversed(names)}
    there |= {key(n): n for n in reversed(names)}
    fitting = [
        e
        for e in ([tables[words.like]] if words.like else tables.values())
        if all(n in there for n in e["needs"]) and (not e.get("any") or any(n in there for n in e["any"]))
    ]
    if not fitting:
        if words.like:
            missing = [n for n in tables[words.like]["needs"] if n not in there]
            raise FrameError(f"the log is not like {words.like}: it has no {missing}; there are {list(names)}")
        return []
    export = max(fitting, key=lambda e: len(e["needs"]))
    ids = export.get("call_id", [])
    found = []
    for reading in export["reading"]:
        others = {p: there.get(reading.get(p, "")) for p in ("duration", "talk", "wait", "date")}
        wanted = [
            reading["start"],
            *reading.get("end", []),
            *(reading[p] for p in ("duration", "talk", "wait", "date") if p in reading),
        ]
        if not all(n in there for n in wanted):
            continue
        found.append(
            Reading(
                reading["title"],
                there[reading["start"]],
                tuple(there[n] for n in reading.get("end", [])),
                duration=others["duration"],
                talk=others["talk"],
                wait=others["wait"],
                date=others["date"],
                call_id=next((there[n] for n in ([ids] if isinstance(ids, str) else ids) if n in there), None),
                variant=there.get(export.get("variant", "")),
                unit=export.get("unit"),
                order=export.get("order", ""),
                nothing=tuple(export.get("nothing", ())),
                drop={there[c]: tuple(v) for c, v in export.get("drop", {}).items() if c in there},
                like=export["name"],
                why=export["why"],
            )
        )
    return found


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


def _found(names: Sequence[str], kinds: Mapping[str, str], part: str, fitting: Sequence[str]) -> list[str]:
    """Return the columns that play a part by their names, in the order of the table."""
    table = _tables()["parts"][part]
    rank: dict[str, int] = {name: k for k, name in reversed(list(enumerate(table)))}

    def place(name: str) -> int | None:
        tail = key(name.split(".")[-1])
        for form in (key(name), _short(name), tail):
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
    dates = [n for n in _found(names, kinds, "date", ("date", "number")) if n != start]
    dates += [n for n in names if kinds.get(n) == "date" and n not in dates]
    return dates[0] if dates else None


def _by_names(names: Sequence[str], kinds: Mapping[str, str], words: Words) -> tuple[list[Reading], bool]:
    named = words.columns
    starts = list(named.get("start", ())) or _found(names, kinds, "start", ("stamp", "epoch", "clock"))
    starts = starts or _found(names, kinds, "start_weak", ("stamp", "epoch", "clock"))
    answers = [] if "start" in named else _found(names, kinds, "answer", ("stamp", "epoch", "clock"))
    ends = list(named.get("end", ())) or _found(names, kinds, "end", ("stamp", "epoch", "clock"))
    lengths = list(named.get("duration", ())) or _found(names, kinds, "duration", _LENGTHS)
    talks = list(named.get("talk", ())) or _found(names, kinds, "talk", _LENGTHS)
    waits = [words.wait] if words.wait else _found(names, kinds, "wait", _LENGTHS)
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
    starts = list(words.columns.get("start", ())) or times[:2] or _found(names, kinds, "start", tuple(kinds.values()))
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


def header_of(names: Sequence[str], sample: pa.Table, like: str | None) -> tuple[str, list[str]] | None:
    """Return the known export that writes such rows without a header, and the names of its columns."""
    kinds = list(kinds_of(sample).values())
    for export in _tables()["export"]:
        header, few = export.get("header"), export.get("few", 0)
        if header is None or like not in (None, export["name"]) or not few <= len(names) <= len(header):
            continue
        first, last = export["stamps"]
        stamps = kinds[first - 1] == "stamp" and kinds[last - 1] == "stamp"
        clocks = all(kinds[k - 1] == "clock" for k in export.get("clocks", []))
        numbers = all(
            kinds[k - 1] in ("number", "empty") for k in range(export["numbers"][0], export["numbers"][1] + 1)
        )
        if like == export["name"] or (stamps and clocks and numbers):
            return export["name"], header[: len(names)]
    return None


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
