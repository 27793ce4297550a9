"""From a column of times to nanoseconds, by one strict rule for the column; a cell that breaks it drops its row."""

from __future__ import annotations

import datetime as dt
import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from capacity.calls.formats import EPOCHS, MONTHS, formats_of, pattern
from capacity.calls.shapes import Group, groups, in_chunks, number
from capacity.ground.arrays import Bools
from capacity.ground.times import DAY_NS

Ints = npt.NDArray[Any]

_CLOCK = 4  # for the time being: a time of day
NONE, OK, BAD, FAR = 0, 1, 2, 3  # states of a cell: nothing there, a time, unreadable, a year that stands for "none"
NONE_WORDS = (
    *("", "-", "--", "---", "n/a", "na", "none", "null", "nan", "nat", "nil"),
    *("\\n", "(null)", "<null>", "undefined", "-:-"),
)
_NO_TIME = ("0", "-1", "0.0", "0000-00-00", "00.00.0000")
_YEARS = (1971, 2200)  # outside of them a year stands for "none": 0001, 1900, 1970-01-01, 9999
_EXCEL = 25_569  # days from 1899-12-30 to 1970-01-01
_ABBREVIATIONS = {
    **dict.fromkeys(("z", "utc", "gmt", "wet", "ut"), 0),
    **{"est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420},
    **{"akst": -540, "akdt": -480, "hst": -600, "cet": 60, "cest": 120, "mez": 60, "mesz": 120, "bst": 60, "west": 60},
    **{"eet": 120, "eest": 180, "msk": 180, "jst": 540, "kst": 540, "sgt": 480, "hkt": 480, "sast": 120},
    **{"aest": 600, "aedt": 660, "acst": 570, "acdt": 630, "awst": 480, "nzst": 720, "nzdt": 780},
    **{"ast": -240, "adt": -180},
}
_FIRST_DAY: Ints = np.arange("1900-01", "2300-02", dtype="M8[M]").astype("M8[D]").astype(np.int64)  # of each month
_MONTH_DAYS = np.diff(_FIRST_DAY)


@dataclass(frozen=True)
class Column:
    """What was read of a column of times.

    Attributes
    ----------
    values : int64 [ns since 1970]
        UTC where `aware`, else of the wall clock; 0 where `state` is not OK. Of a time of day: since midnight.
    state : uint8
        NONE, OK, BAD or FAR (a year that stands for "none").
    aware : bool
        Whether the cell says its offset.
    formats : dict of format -> cells
    clock : bool
        Whether these are times of day.
    """

    values: npt.NDArray[np.int64]
    state: npt.NDArray[np.uint8]
    aware: Bools
    formats: dict[str, int] = field(default_factory=dict)
    clock: bool = False

    def count(self, state: int) -> int:
        """Return how many cells are in a state."""
        return int((self.state == state).sum())


def read_column(
    column: pa.ChunkedArray,
    *,
    order: str = "",
    formats: Sequence[str] = (),
    none: Sequence[str] = (),
    zone: dt.tzinfo | None = None,
) -> Column:
    """Read a column of times: typed, text or numbers.

    Parameters
    ----------
    column : ChunkedArray
    order : {"", "ymd", "dmy", "mdy", "epoch"}
        How numbers stand in dates that can be read in several ways; "" reads only what can be read in one.
    formats : sequence of str
        As `capacity.calls.formats` writes them, tried in order before what a cell itself shows.
    none : sequence of str
        Further texts that stand for no time.
    zone : tzinfo, optional
        Whose abbreviations are known beside the common ones.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _typed(column)
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return _clock(column)
    column = as_text(column)
    nothing = frozenset(word.strip().lower() for word in (*NONE_WORDS, *_NO_TIME, *none))
    zones = _zone_names(zone)
    read = functools.partial(_read_text, order=order, formats=tuple(formats), nothing=nothing, zones=zones)
    parts = in_chunks(column, read)
    if not parts:
        return Column(np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0, bool))
    counts: dict[str, int] = {}
    for part in parts:
        for form, cells in part.formats.items():
            counts[form] = counts.get(form, 0) + cells
    state = np.concatenate([p.state for p in parts])
    clocks, stamps = np.count_nonzero(state == _CLOCK), np.count_nonzero(state == OK)
    if clocks:  # times of day and times with a day are not mixed: the fewer stray
        state[state == (_CLOCK if stamps >= clocks else OK)] = BAD
        state[state == _CLOCK] = OK
    return Column(
        np.concatenate([p.values for p in parts]),
        state,
        np.concatenate([p.aware for p in parts]),
        dict(sorted(counts.items(), key=lambda item: -item[1])),
        clock=bool(clocks > stamps),
    )


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the cells as text; whole numbers without a point, whatever their type."""
    kind = column.type
    if pa.types.is_floating(kind):
        whole = pc.floor(column)
        if pc.all(pc.or_kleene(pc.equal(column, whole), pc.is_nan(column))).as_py() is not False:
            column = pc.if_else(pc.is_nan(column), None, column).cast(pa.int64())
        else:
            # A number since 1970 is meant to the microsecond, a day of a workbook to a millionth of a second.
            cells = [
                None if v != v else f"{v:.{6 if v > 1e8 else 11}f}".rstrip("0")
                for v in column.fill_null(np.nan).to_pylist()
            ]
            return pa.chunked_array([pa.array(cells, pa.string())])
    if pa.types.is_null(kind):
        return pa.chunked_array([pa.nulls(len(column), pa.string())])
    return (
        column if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) else column.cast(pa.string())
    )


def _iso(chunk: pa.Array) -> Column | None:
    """Read a piece of which every cell is ISO 8601 with a day and an hour, all with an offset or none with one."""
    if len(chunk) == 0 or chunk.null_count:
        return None
    first = str(chunk[0])
    form = formats_of(first).get("", "")
    if not form.startswith(("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")) or form.endswith("%Z"):
        return None
    aware = form.endswith("%z")
    try:
        values = np.asarray(chunk.cast(pa.timestamp("ns", "UTC" if aware else None)).cast(pa.int64()))
    except pa.ArrowInvalid:
        return None
    if not _within(values, 1).all():
        return None
    return Column(values, np.full(len(values), OK, np.uint8), np.full(len(values), aware), {form: len(values)})


def plain(chunk: pa.Array) -> pa.Array:
    """Return the cells in ASCII: accents dropped, odd spaces plain, and "?" for what has no such form."""
    if not pc.any(pc.invert(pc.string_is_ascii(chunk))).as_py():
        return chunk
    texts = chunk.to_pylist()
    for place, text in enumerate(texts):
        if text is not None and not text.isascii():
            split = unicodedata.normalize("NFKD", text)
            bare = "".join(c for c in split if not unicodedata.combining(c))
            texts[place] = bare.encode("ascii", "replace").decode()
    return pa.array(texts, pa.string())


def _typed(column: pa.ChunkedArray) -> Column:
    kind = column.type
    aware = pa.types.is_timestamp(kind) and kind.tz is not None
    unit = kind.unit if pa.types.is_timestamp(kind) else "s"
    column = column.cast(pa.timestamp(unit, "UTC" if aware else None))
    known = np.asarray(column.is_valid())
    numbers = np.asarray(column.cast(pa.int64()).fill_null(0))
    scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    far = known & ~_within(numbers, scale)
    state = np.where(far, FAR, known).astype(np.uint8)
    values = np.where(state == OK, numbers, 0) * scale
    return Column(values, state, np.full(len(values), aware), {"datetime": int(known.sum())})


def _clock(column: pa.ChunkedArray) -> Column:
    spans = column.cast(pa.duration("ns") if pa.types.is_duration(column.type) else pa.time64("ns")).cast(pa.int64())
    state = np.asarray(column.is_valid()).astype(np.uint8)
    return Column(
        np.asarray(spans.fill_null(0)), state, np.zeros(len(state), bool), {"%H:%M:%S": len(state)}, clock=True
    )


def _within(numbers: Ints, scale: int) -> Bools:
    """Tell which numbers since 1970 lie in the years that are taken for times."""
    lo, hi = (int(np.datetime64(f"{year}-01-01", "s").astype(np.int64)) * (10**9 // scale) for year in _YEARS)
    return np.asarray((numbers >= lo) & (numbers < hi), dtype=bool)


def _read_text(
    chunk: pa.Array, *, order: str, formats: tuple[str, ...], nothing: frozenset[str], zones: dict[str, int]
) -> Column:
    size, chunk = len(chunk), plain(chunk)
    values, state, aware = np.zeros(size, np.int64), np.zeros(size, np.uint8), np.zeros(size, bool)
    counts: dict[str, int] = {}
    if not formats and len(nothing) == len(NONE_WORDS) + len(_NO_TIME) and (quick := _iso(chunk)) is not None:
        return quick
    for group in groups(chunk):
        example, clock = group.example, False
        form = next((f for f in formats if pattern(f).fullmatch(example)), None)
        if form is None:
            shown = formats_of(example)
            form = shown.get("", shown.get(order) or shown.get("clock"))
        if form is None:
            found, good, offset = np.zeros(len(group.rows), np.int64), np.full(len(group.rows), BAD, np.uint8), None
        else:
            found, good, offset = _fields(group, form, zones)
            counts[form] = counts.get(form, 0) + int((good == OK).sum())
            clock = not {"d", "e", "x"} & set(pattern(form).groupindex)
        if (good != OK).any():
            bad = np.flatnonzero(good != OK)
            words, place = Group(group.rows[bad], group.cells[:, bad]).texts(0, len(group.cells))
            is_none = np.array([word.strip().lower() in nothing for word in words])
            good[bad[is_none[place]]] = NONE
        elif (nothing and example.strip().lower() in nothing) or (
            form is not None and len(nothing) > len(NONE_WORDS) + len(_NO_TIME)
        ):
            words, place = group.texts(0, len(group.cells))
            good[np.array([word.strip().lower() in nothing for word in words])[place]] = NONE
        values[group.rows] = np.where(good == OK, found, 0)
        state[group.rows] = np.where((good == OK) & clock, _CLOCK, good)
        if offset is not None:
            aware[group.rows] = True
    too_long = np.asarray(pc.greater(pc.binary_length(chunk), 80).fill_null(False))
    state[too_long] = BAD
    return Column(values, state, aware, counts)


def _fields(group: Group, form: str, zones: dict[str, int]) -> tuple[Ints, npt.NDArray[np.uint8], Ints | None]:
    """Read the fields of a format; return [ns], the states, and the offsets [min] where the cells say them."""
    size, example = len(group.rows), group.example
    found = pattern(form).fullmatch(example)
    if found is None:
        return np.zeros(size, np.int64), np.full(size, BAD, np.uint8), None
    bad = _literals_differ(group, example, [found.span(name) for name, text in found.groupdict().items() if text])
    spans = {name: found.span(name) for name, text in found.groupdict().items() if text is not None}
    if "e" in spans or "x" in spans:
        return _numbers(group, form, spans, bad)
    part = {name: number(group, *span) for name, span in spans.items() if name in "YymdHIMS"}
    clock = part.get("H", 0) * 3600 + part.get("M", 0) * 60 + part.get("S", 0)
    bad |= (part.get("H", 0) > 23) | (part.get("M", 0) > 59) | (part.get("S", 0) > 60)
    if "I" in part:
        noons, place = group.texts(*spans["p"])
        late = np.array([12 if noon[0] in "pP" else 0 for noon in noons])[place]
        bad |= (part["I"] < 1) | (part["I"] > 12)
        clock = clock + (part["I"] % 12 + late) * 3600
    days, far = np.zeros(size, np.int64), np.zeros(size, bool)
    if "d" in part:
        year = part["Y"] if "Y" in part else part["y"] + np.where(part["y"] < 69, 2000, 1900)
        month = part["m"] if "m" in part else _mapped(group, spans["b"], MONTHS)
        far = (year < _YEARS[0]) | (year >= _YEARS[1])
        index = np.clip((year - 1900) * 12 + month - 1, 0, len(_MONTH_DAYS) - 1)
        bad |= ~far & ((month < 1) | (month > 12) | (part["d"] < 1) | (part["d"] > _MONTH_DAYS[index]))
        days = _FIRST_DAY[index] + part["d"] - 1
    offset = None
    if "z" in spans or "Z" in spans:
        texts, place = group.texts(*spans["z" if "z" in spans else "Z"])
        known = [_minutes(text, zones) for text in texts]
        bad |= np.array([k is None for k in known])[place]
        offset = np.array([k or 0 for k in known], dtype=np.int64)[place]
        clock = clock - offset * 60
    values = (days * 86_400 + clock) * 10**9
    if "f" in spans:
        start, stop = spans["f"]
        values = values + number(group, start, stop) * 10 ** (9 - (stop - start))
    return values, np.where(bad, BAD, np.where(far, FAR, OK)).astype(np.uint8), offset


def _literals_differ(group: Group, example: str, spans: list[tuple[int, int]]) -> Bools:
    """Tell which cells have other letters than the example where the format wants these and no others."""
    bad = np.zeros(len(group.rows), dtype=bool)
    for place, character in enumerate(example):
        if character.isalpha() and not any(start <= place < stop for start, stop in spans):
            bad |= group.cells[place] != group.cells[place, 0]
    return bad


def _numbers(
    group: Group, form: str, spans: dict[str, tuple[int, int]], bad: Bools
) -> tuple[Ints, npt.NDArray[np.uint8], Ints | None]:
    start, stop = spans.get("f", (0, 0))
    digits = min(stop - start, 12)
    fraction = number(group, start, start + digits)
    if form == "excel-days":
        # A day fraction is meant to the millisecond at best.
        day = (number(group, *spans["x"]) - _EXCEL) * DAY_NS
        share = np.rint(fraction / 10.0**digits * 86_400_000).astype(np.int64) * 10**6
        return day + share, np.where(bad, BAD, OK).astype(np.uint8), None
    scale = EPOCHS.get(form, 10**9)
    whole = number(group, *spans["e"])
    within = _within(whole, scale)
    values = np.where(within, whole, 0) * scale + fraction * scale // 10**digits
    state = np.where(bad, BAD, np.where(within, OK, FAR)).astype(np.uint8)
    return values, state, np.zeros(len(whole), np.int64)


def _mapped(group: Group, span: tuple[int, int], table: dict[str, int]) -> Ints:
    texts, place = group.texts(*span)
    return np.array([table.get(text.lower(), 0) for text in texts], dtype=np.int64)[place]


def _minutes(text: str, zones: dict[str, int]) -> int | None:
    """Return an offset [min] from "Z", "+01", "+0530", "-08:00" or an abbreviation."""
    low = text.lower()
    if low in zones:
        return zones[low]
    if text[0] not in "+-":
        return None
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    return None if hours > 15 or minutes > 59 else (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def _zone_names(zone: dt.tzinfo | None) -> dict[str, int]:
    """Return the offsets [min] of abbreviations; those of `zone` come before the common ones."""
    known = dict(_ABBREVIATIONS)
    if zone is not None:
        for month in (1, 7):
            moment = dt.datetime(2026, month, 1, tzinfo=zone)
            name, offset = moment.tzname(), moment.utcoffset()
            if name and offset is not None and name.isalpha() and name.lower() not in ("utc", "gmt"):
                known[name.lower()] = int(offset.total_seconds() // 60)
    return known
