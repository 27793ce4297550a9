"""From a column of lengths to nanoseconds. The unit of a number is given, or known by evidence; it is not guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from capacity.calls.shapes import Group, groups, in_chunks, number
from capacity.calls.times import BAD, NONE, NONE_WORDS, OK, as_text, plain
from capacity.errors import ConfigError

Ints = npt.NDArray[Any]

UNITS = {"s": 10**9, "ms": 10**6, "min": 60 * 10**9, "hour": 3600 * 10**9, "day": 86_400 * 10**9}
UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "min": "minutes", "hour": "hours", "day": "days"}
_MOST = 60 * 366 * 86_400e9  # [ns]
_GROUPED = 21.6  # thousands of seconds that are no call
_SPELLED = {
    **dict.fromkeys(
        ("s", "sec", "secs", "second", "seconds", "sek", "sekunden", "segundos", "secondes", "secondi"), "s"
    ),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten", "minutos", "minuti", "mn"), "min"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunden", "horas", "heures", "ore"), "hour"),
    **dict.fromkeys(("d", "day", "days", "tage", "dias", "jours"), "day"),
}
_CLOCK = re.compile(
    r"\s*(?:(?P<d>\d{1,3})(?:\.| days?,? | ?d,? ?))?"
    r"(?P<a>\d{1,4}):(?P<b>\d{1,2})(?::(?P<c>\d{1,2}))?(?:[.,](?P<f>\d{1,9}))?\s*(?:h|hrs?|min|mins)?\s*"
)
_WORDS = re.compile(r"(\d+(?:[.,]\d+)?)\s*([A-Za-z]+)\.?,?\s*")
_ISO = re.compile(
    r"P(?:(?P<day>\d+)D)?(?:T(?:(?P<hour>\d+)H)?(?:(?P<min>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?", re.IGNORECASE
)
_PLAIN = re.compile(r"-?\d+")
_DECIMAL = re.compile(r"(?P<n>-?\d{1,17})(?P<p>[.,])(?P<f>\d{1,24})")
_BOTH = re.compile(r"-?\d{1,3}(?:(?P<g>[.,' ])\d{3})(?:(?P=g)\d{3})*(?:(?P<p>[.,])\d+)?")


@dataclass(frozen=True)
class Lengths:
    """What was read of a column of lengths.

    Attributes
    ----------
    values : float64
        Nanoseconds where `scaled`, else numbers without a unit.
    state : uint8
        NONE, OK or BAD.
    scaled : bool
        Whether the cell says its unit ("0:02:05", "2 min").
    parts : int
        2 where clock texts have two parts (m:ss or h:mm: the unit of the last part is open), 3 where they have
        three, 0 where there are none.
    thousands : bool
        Whether "1,234" may be 1.234 as well as 1234, and no other cell tells.
    """

    values: npt.NDArray[np.float64]
    state: npt.NDArray[np.uint8]
    scaled: npt.NDArray[np.bool_]
    parts: int
    thousands: bool

    @property
    def needs_unit(self) -> bool:
        """Whether a unit has to be known: for numbers, and for clock texts of two parts."""
        return bool(((self.state == OK) & ~self.scaled & (self.values != 0)).any()) or self.parts == 2

    def nanoseconds(self, unit: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return [ns] with the unit of numbers, or of the last part of a clock text of two parts; and which are none.

        More than sixty years are no length.
        """
        scale = UNITS[unit]
        factor = np.where(self.scaled, scale / UNITS["s"] if self.parts == 2 else 1.0, float(scale))
        bad = (self.state == BAD) | (np.abs(self.values) * factor > _MOST)
        return np.rint(np.where(bad | (self.state != OK), 0, self.values * factor)).astype(np.int64), bad


def check_unit(unit: str | None) -> None:
    """Raise ConfigError for a unit that there is not."""
    if unit is not None and unit not in UNITS:
        raise ConfigError(f"unit={unit!r} is none of {', '.join(UNITS)}")


def unit_in_name(name: str) -> str | None:
    """Return the unit that a column's name says, such as "Duration (seconds)", "duration_ms" or "billsec".

    Examples
    --------
    >>> unit_in_name("Dauer (s)"), unit_in_name("durationMs"), unit_in_name("billsec"), unit_in_name("Duration")
    ('s', 'ms', 's', None)
    """
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    for word in reversed(words):
        if word in _SPELLED and word not in ("m", "h", "d", "std", "ore"):
            return _SPELLED[word]
    joined = "".join(words)
    for ending in ("milliseconds", "msec", "seconds", "secs", "sec", "minutes", "mins"):
        if joined.endswith(ending):
            return _SPELLED[ending]
    bracket = re.search(r"[(\[]\s*([a-zA-Z]+)\s*[)\]]", name)
    return _SPELLED.get(bracket[1].lower()) if bracket else None


def read_lengths(column: pa.ChunkedArray, none: Sequence[str] = ()) -> Lengths:
    """Read a column of lengths: typed, numbers or text."""
    kind = column.type
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        spans = column.cast(pa.duration("ns") if pa.types.is_duration(kind) else pa.time64("ns")).cast(pa.int64())
        state = np.asarray(column.is_valid()).astype(np.uint8)
        clock = 0 if pa.types.is_duration(kind) else 3
        return Lengths(np.asarray(spans.fill_null(0)).astype(float), state, state > 0, clock, False)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = np.asarray(column.cast(pa.float64()).fill_null(np.nan))
        good = np.isfinite(numbers)
        state = np.where(good, OK, np.where(np.isnan(numbers), NONE, BAD)).astype(np.uint8)
        return Lengths(np.where(good, numbers, 0), state, np.zeros(len(state), bool), 0, False)
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    nothing = frozenset(word.strip().lower() for word in (*NONE_WORDS, *none))
    column = as_text(column)
    column = parted(column)
    comma = _decimal_mark(column)
    parts = in_chunks(column, lambda chunk: _read_text(chunk, nothing, comma))
    if not parts:
        return Lengths(np.zeros(0), np.zeros(0, np.uint8), np.zeros(0, bool), 0, False)
    return Lengths(
        np.concatenate([p.values for p in parts]),
        np.concatenate([p.state for p in parts]),
        np.concatenate([p.scaled for p in parts]),
        max(p.parts for p in parts),
        thousands=comma == "?",
    )


def parted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return lengths of six digits, some with a zero in front, as h:mm:ss, where all are one: "001001"."""
    filled = pc.unique(column.filter(pc.not_equal(pc.utf8_trim_whitespace(column), "")))
    if not len(filled) or not pc.all(pc.match_substring_regex(filled, r"^\s*\d\d[0-5]\d[0-5]\d\s*$")).as_py():
        return column
    if not pc.any(pc.match_substring_regex(filled, r"^\s*0")).as_py():
        return column
    return pc.replace_substring_regex(column, r"^\s*(\d\d)(\d\d)(\d\d)\s*$", r"\1:\2:\3")


def _decimal_mark(column: pa.ChunkedArray) -> str:
    """Return the mark before decimals in all cells: "." or ","; "?": "1,234" may be either; "!": cells differ.

    Beside whole numbers that all are below 1,000, a mark before three digits groups thousands.
    """
    marks: set[str] = set()
    doubt: set[str] = set()
    texts = pc.unique(
        pc.utf8_trim_whitespace(column.filter(pc.match_substring_regex(column, r"^\s*-?[\d.,' ]*[.,][\d.,' ]*\s*$")))
    )
    for text in texts.slice(0, 200_000).to_pylist():
        last = max(text.rfind("."), text.rfind(","))
        mark, other = text[last], "," if text[last] == "." else "."
        if text.count(mark) > 1:
            marks.add(other)  # "1.234.567"
        elif other in text or not re.fullmatch(r"-?[1-9]\d{0,2}[.,]\d{3}", text):
            marks.add(mark)  # "1,234.5" or "12.5"
        else:
            doubt.add(mark)
    if len(marks) == 1:
        return marks.pop()
    if marks or len(doubt) > 1:
        return "!"
    whole = pc.unique(pc.utf8_trim_whitespace(column.filter(pc.match_substring_regex(column, r"^\s*\d+\s*$"))))
    if not doubt:
        return "."
    mark = doubt.pop()
    if len(whole):
        grouped = max(int(text) for text in whole.to_pylist()) < 1000
        return ("," if mark == "." else ".") if grouped else "?"
    # "125,000" is 125 s (or as many ms); "1,200" may well be twenty minutes.
    middle = float(np.median([float(text.replace(mark, ".")) for text in texts.to_pylist()]))
    return mark if middle > _GROUPED else "?"


def _read_text(chunk: pa.Array, nothing: frozenset[str], mark: str) -> Lengths:
    chunk = plain(chunk)
    size = len(chunk)
    values, state, scaled, parts = np.zeros(size), np.zeros(size, np.uint8), np.zeros(size, bool), 0
    for group in groups(chunk):
        example = group.example.strip()
        clock = _CLOCK.fullmatch(group.example)
        if _PLAIN.fullmatch(example) and len(example) < 18:
            begin = group.example.index(example)
            sign = -1.0 if example[0] == "-" else 1.0
            found = sign * number(group, begin + (example[0] == "-"), begin + len(example))
            good = np.full(len(found), OK, np.uint8)
        elif clock:
            found, good, many = _clock(group, clock)
            parts = max(parts, many)
            scaled[group.rows] = True
        else:
            texts, place = group.texts(0, len(group.cells))
            read = [_one(text.strip(), nothing, mark) for text in texts]
            found = np.array([r[0] for r in read])[place]
            good = np.array([r[1] for r in read], dtype=np.uint8)[place]
            scaled[group.rows] = np.array([r[2] for r in read])[place]
        if (nothing and example.lower() in nothing) or len(nothing) > len(NONE_WORDS):
            texts, place = group.texts(0, len(group.cells))
            good = np.where(np.array([t.strip().lower() in nothing for t in texts])[place], NONE, good)
        values[group.rows], state[group.rows] = np.where(good == OK, found, 0), good
    too_long = np.asarray(pc.greater(pc.binary_length(chunk), 80).fill_null(False))
    state[too_long] = BAD
    return Lengths(values, state, scaled, parts, thousands=False)


def _clock(group: Group, found: re.Match[str]) -> tuple[npt.NDArray[np.float64], Ints, int]:
    """Read "h:mm:ss" or two parts as if they were m:ss; return [ns], the states, and how many parts there are."""
    spans = {name: found.span(name) for name, text in found.groupdict().items() if text is not None}
    a, b = number(group, *spans["a"]), number(group, *spans["b"])
    c = number(group, *spans["c"]) if "c" in spans else None
    days = number(group, *spans["d"]) if "d" in spans else 0
    seconds = a * 60 + b if c is None else a * 3600 + b * 60 + c
    bad = (b > 59) | (c > 59 if c is not None else False) | ((days > 0) & (a > 23) if "d" in spans else False)
    nanoseconds = (seconds + np.asarray(days) * 86_400) * 1e9
    if "f" in spans:
        start, stop = spans["f"]
        nanoseconds = nanoseconds + number(group, start, stop) * 10.0 ** (9 - (stop - start))
    return nanoseconds, np.where(bad, BAD, OK), 2 if c is None and "f" not in spans and "d" not in spans else 3


def _one(text: str, nothing: frozenset[str], mark: str) -> tuple[float, int, bool]:
    """Read one cell that is neither whole number nor clock: (value, state, whether it says its unit)."""
    if text.lower() in nothing:
        return 0.0, NONE, False
    decimal = _DECIMAL.fullmatch(text)
    if decimal and decimal["p"] == mark:
        return float(f"{decimal['n']}.{decimal['f']}"), OK, False
    if _BOTH.fullmatch(text) and mark in (".", ","):
        bare = re.sub("[' ,]" if mark == "." else "[' .]", "", text).replace(",", ".")
        return float(bare), OK, False
    if (found := _ISO.fullmatch(text)) and len(text) > 2:
        return sum(float(found[unit] or 0) * UNITS[unit] for unit in ("day", "hour", "min", "s")), OK, True
    rest, total = 0, 0.0
    for word in _WORDS.finditer(text):
        unit = _SPELLED.get(word[2].lower())
        if word.start() != rest or unit is None:
            break
        rest, total = word.end(), total + float(word[1].replace(",", ".")) * UNITS[unit]
    if rest == len(text) and text:
        return total, OK, True
    if re.fullmatch(r"-?\d+(\.\d+)?[eE][+-]?\d+", text):
        return float(text), OK, False
    return 0.0, BAD, False
