"""What the cells say of themselves: the order of numbers in dates, the unit of lengths, the zone. No guess is made.

Each function returns what is possible, the likeliest first; one entry is a decision.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from capacity.calls.formats import formats_of
from capacity.calls.lengths import UNITS, Lengths, read_lengths, unit_in_name
from capacity.calls.reading import Reading, key
from capacity.calls.rows import Rows
from capacity.calls.times import OK, Column, as_text, read_column
from capacity.errors import FrameError
from capacity.ground.times import DAY_NS, HOUR_NS

_SHORTEST, _LONGEST = 5e9, 3.6e12  # a median call lasts between 5 s and 1 h
_LEAST = 1e9
_LONG = 6 * 3600e9  # fewer than one call in a hundred lasts longer
_ORDERS = ("ymd", "dmy", "mdy", "epoch")
_WRITTEN = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_floating)


def orders(rows: Rows, reading: Reading, formats: Sequence[str], zone: str | None) -> list[tuple[str, str]]:
    """Return the orders in which the numbers in dates may stand, each with what tells.

    Raises
    ------
    FrameError
        Some dates can be read in one order only, and others only in another.
    """
    columns = list(dict.fromkeys((*([reading.date] if reading.date else []), reading.start, *reading.end)))
    if reading.order or formats:
        return [(reading.order, "")]
    offered, noon = _offered(rows, columns)
    if not offered:
        return [("", "")]
    found: dict[str, list[Column]] = {o: [read_column(rows.columns[n], order=o) for n in columns] for o in offered}
    good = {o: np.concatenate([c.state == OK for c in parts]) for o, parts in found.items()}
    any_good = np.logical_or.reduce(list(good.values()))
    total = int(any_good.sum())
    if total == 0:
        return [("", "")]
    missed = {o: total - int(g.sum()) for o, g in good.items()}
    fitting = [o for o in offered if missed[o] == 0]
    if "epoch" in fitting and len(fitting) > 1:
        # A number since 1970 that reads as a date as well is one in two hundred; all of three or more are none.
        fitting = [o for o in fitting if o != "epoch"] if total >= 3 else fitting
    if not fitting:
        best = min(missed, key=lambda o: missed[o])
        if missed[best] * 100 > total:
            others = [o for o in offered if o != best]
            raise FrameError(
                f"dates are written in two ways: {missed[best]:,} of {total:,} in {', '.join(columns)} are none as "
                f"{_spelled(best)} but are as {_spelled(others[0])}; mend the log, or read it in two parts"
            )
        return [(best, f"{missed[best]:,} others stray")]
    if len(fitting) == 1:
        return [(fitting[0], "" if fitting == ["epoch"] else "in other orders some dates would be none")]
    decided = _by_span({o: found[o] for o in fitting})
    if decided:
        return [decided]
    american = noon or ((zone or "").startswith(("America/", "US/")) and not (zone or "").startswith("America/Sao"))
    rank: tuple[str, ...] = ("epoch", "mdy", "dmy", "ymd") if american else ("epoch", "dmy", "mdy", "ymd")
    if "ymd" in fitting and str(_first(rows, columns[0])).strip().isdigit():
        rank = ("ymd", *(o for o in rank if o != "ymd"))
    return [(o, "") for o in rank if o in fitting]


def _first(rows: Rows, name: str) -> object:
    column = rows.columns[name]
    return next((c for c in column.slice(0, 100).to_pylist() if c not in (None, "")), "")


def _offered(rows: Rows, columns: Sequence[str]) -> tuple[list[str], bool]:
    """Return the orders that some cell leaves open, and whether the hours are those of 12."""
    offered: set[str] = set()
    noon = False
    for name in columns:
        kind = rows.columns[name].type
        if not any(is_kind(kind) for is_kind in _WRITTEN):
            continue
        seen: set[str] = set()
        for cell in as_text(rows.picked(name, 5_000)).to_pylist():
            shape = re.sub(r"\d", "9", str(cell))
            if cell is None or shape in seen:
                continue
            seen.add(shape)
            forms = formats_of(str(cell))
            offered |= set(forms) & set(_ORDERS)
            noon |= any("%p" in f for f in forms.values())
    return [o for o in _ORDERS if o in offered], noon


def _by_span(found: dict[str, list[Column]]) -> tuple[str, str] | None:
    """Tell the order by the days there are: several in one month, against one day in several months.

    And by what ends would be: on the day of the start or the next, against months later or before.
    """
    days = {o: _days(parts) for o, parts in found.items()}
    for o, ours in days.items():
        months = np.unique(ours.astype("M8[M]"))
        others = [theirs for p, theirs in days.items() if p != o]
        if len(ours) >= 3 and len(months) == 1 and all(_one_day_a_month(theirs) for theirs in others):
            return o, f"{len(ours)} days of one month; else it would be one day in each of {len(ours)} months"
    far = {o: _far_ends(parts) for o, parts in found.items()}
    near = [o for o, share in far.items() if share == 0]
    if len(near) == 1 and len(far) > 1 and all(share > 0 for o, share in far.items() if o != near[0]):
        return near[0], "else calls would end before they begin, or weeks later"
    return None


def _days(parts: list[Column]) -> npt.NDArray[Any]:
    values = np.concatenate([c.values[c.state == OK] for c in parts if not c.clock])
    return np.unique(values // DAY_NS).astype("M8[D]")


def _one_day_a_month(days: npt.NDArray[Any]) -> bool:
    months = days.astype("M8[M]")
    return len(np.unique(days - months)) == 1 and len(np.unique(months)) == len(days)


def _far_ends(parts: list[Column]) -> float:
    """Return the share of rows of which the last column lies before the first, or a week later."""
    if len(parts) < 2 or parts[0].clock or parts[-1].clock:
        return 0.0
    both = (parts[0].state == OK) & (parts[-1].state == OK) & (parts[0].aware == parts[-1].aware)
    span = (parts[-1].values - parts[0].values)[both]
    return float(np.mean((span < -26 * HOUR_NS) | (span > 7 * DAY_NS))) if len(span) else 0.0


def _spelled(order: str) -> str:
    return {"ymd": "year, month, day", "dmy": "day, month, year", "mdy": "month, day, year"}.get(order, order)


def zone_in_names(reading: Reading) -> str | None:
    """Return "UTC" where the columns of times say so in their names, such as "Start Time (UTC)"."""
    names = [reading.start, *reading.end]
    if all(re.search(r"(?:^|[\W_])(?:utc|gmt)(?:$|[\W_])|UTC$", n, re.IGNORECASE) for n in names):
        return "UTC"
    return None


def units(rows: Rows, reading: Reading, span: tuple[str, str] | None, order: str) -> list[tuple[str, str]]:
    """Return the units that lengths may have, each with what tells; one entry where none is needed.

    Parameters
    ----------
    span : (start, end), optional
        Columns of the log between which the length of a call can be measured.
    """
    names = [n for n in (reading.duration, reading.talk, reading.wait) if n]
    if not names or reading.unit is not None:
        return [(reading.unit or "s", f"as {reading.like} writes it" if names else "")]
    read = {n: read_lengths(rows.picked(n)) for n in names}
    if grouped := [n for n in names if read[n].thousands]:
        raise FrameError(
            f"{grouped[0]}: '1,234' may be 1.234 or 1234, and no other cell tells; write it without the comma"
        )
    open_ = [n for n in names if read[n].needs_unit]
    if not open_:
        return [("s", "")]
    clocks = [n for n in open_ if read[n].parts == 2]
    numbers = [n for n in open_ if n not in clocks]
    told = {unit_in_name(n) for n in numbers} | {_clock_in_name(n) for n in clocks}
    if len(told) == 1 and (unit := next(iter(told))) is not None:
        return [(unit, "as the column's name says")]
    name = next((n for n in open_ if n == reading.duration), open_[0])
    lengths = read[name]
    if span is not None and (measured := _measured(rows, lengths, name, span, order)):
        return [measured]
    possible = ["s", "min"] if name in clocks else list(UNITS)
    begun = read_column(rows.picked(reading.start), order=order).state == OK  # not the line of totals
    values = lengths.values[(lengths.state == OK) & (lengths.values > 0) & (begun | ~begun.any())]
    base = UNITS["s"] if name in clocks else 1  # clocks are read as m:ss already

    def scaled(unit: str) -> npt.NDArray[np.float64]:
        return np.asarray(values * (UNITS[unit] / base), dtype=np.float64)

    if name not in clocks and not np.any(values % 1):
        possible = ["s", "ms", "min"]  # whole hours and days are no lengths of calls
    usual = {"s"}
    if len(values) and not np.any(values % 1000):
        usual.add("ms")
    if len(values) and np.any(values % 1) and bool(np.all(np.abs(values * 60 - np.rint(values * 60)) < 1e-4)):
        usual.add("min")  # whole seconds, as minutes
    fitting = [u for u in possible if _plausible(scaled(u), usual=u in usual)]
    if len(fitting) == 1:
        return [(fitting[0], _because(scaled(fitting[0])))]
    whole = [u for u in fitting if len(values) >= 3 and _whole_seconds(scaled(u))] if np.any(values % 1) else []
    if len(whole) == 1:
        return [(whole[0], "all lengths then are whole seconds")]
    return [(u, "") for u in (fitting or ([] if reading.guess else possible))]


def _clock_in_name(name: str) -> str | None:
    bare = key(name)
    return "min" if bare.endswith("hmm") else "s" if bare.endswith(("mmss", "mss")) else None


def _plausible(lengths: npt.NDArray[np.float64], *, usual: bool) -> bool:
    """Tell whether calls may be so long; units that are usual for such numbers are given up later than others."""
    if len(lengths) == 0:
        return False
    median = float(np.median(lengths))
    if usual:
        return _LEAST <= median <= _LONG
    return _SHORTEST <= median <= _LONGEST and float(np.quantile(lengths, 0.99)) <= _LONG


def _whole_seconds(lengths: npt.NDArray[np.float64]) -> bool:
    return bool(np.all(np.abs(lengths - np.rint(lengths / 1e9) * 1e9) < 1e5))


def _because(lengths: npt.NDArray[np.float64]) -> str:
    median = dt.timedelta(seconds=round(float(np.median(lengths)) / 1e9))
    return f"the median call then lasts {median}"


def _measured(rows: Rows, lengths: Lengths, name: str, span: tuple[str, str], order: str) -> tuple[str, str] | None:
    """Tell the unit by the time between start and end: the largest in which (nearly) no call is longer than that."""
    first, last = (read_column(rows.picked(n), order=order) for n in span)
    good = (first.state == OK) & (last.state == OK) & (lengths.state == OK) & (lengths.values > 0)
    good &= (first.aware == last.aware) & (not first.clock) & (not last.clock)
    whole = (last.values - first.values)[good]
    if len(whole) < 3 or not (whole > 0).any():
        return None
    coarse = 60e9 if bool(np.all(first.values[good] % (60 * 10**9) == 0)) else 2e9
    clocks = lengths.parts == 2
    fitting = []
    for unit in ("s", "min") if clocks else UNITS:
        length = lengths.values[good] * (UNITS[unit] / UNITS["s"] if clocks else UNITS[unit])
        slack = max(coarse, UNITS["min"] if unit == "min" else 0)
        if np.mean(length <= whole + slack) >= 0.98 and np.median(length) >= 0.2 * np.median(whole):
            fitting.append((unit, float(np.median(length))))
    if not fitting:
        return None
    unit = max(fitting, key=lambda item: item[1])[0]
    return unit, f"between {span[0]} and {span[1]} lies what {name} says"
