"""Columns of a log that were not read but contradict what was: zones of other places, lengths of more than the call."""

from __future__ import annotations

import zoneinfo

import numpy as np
import pyarrow as pa

from capacity.calls.kinds import kinds_of
from capacity.calls.lengths import parted, read_lengths
from capacity.calls.plan import Plan
from capacity.calls.reading import key
from capacity.calls.rows import Rows
from capacity.calls.times import NONE_WORDS, OK, as_text
from capacity.calls.words import option, quoted, shown

_SHOWN = 3


def other_columns(plan: Plan, rows: Rows, *, local: bool) -> list[str]:
    """Return what the first rows of the columns that were not read say against the reading.

    Parameters
    ----------
    local : bool
        Whether times were read as local in the zone of the plan.
    """
    sample = rows.sample()
    kinds = kinds_of(sample)
    unread = [n for n in rows.names if n not in plan.reading.used]
    zones = [_zones(n, sample[n], str(plan.zone)) for n in unread if kinds[n] == "text"] if local else []
    longer = [_longer(n, sample, plan) for n in unread if kinds[n] in ("clock", "length")]
    lengths = [n for n in (plan.reading.duration, plan.reading.talk, plan.reading.wait) if n]
    return [doubt for doubt in (*zones, *longer, *map(_compact, lengths, map(sample.column, lengths))) if doubt]


def _compact(name: str, column: pa.ChunkedArray) -> str:
    """Say that six digits are read as hours, minutes and seconds."""
    if not pa.types.is_string(column.type) or parted(column) is column:
        return ""
    return f"{name} has six digits and is read as hhmmss; if it counts seconds, write it without zeros in front"


def _zones(name: str, column: pa.ChunkedArray, zone: str) -> str:
    """Say which other zones a column names."""
    texts = {str(cell).strip() for cell in as_text(column).to_pylist() if cell is not None}
    named = sorted(t for t in texts if t.lower() not in NONE_WORDS and t != zone)
    known = zoneinfo.available_timezones()
    if not named or not (all(t in known for t in named) or key(name).endswith(("timezone", "tz"))):
        return ""
    if not any("/" in t for t in named) and not key(name).endswith(("timezone", "tz", "zone")):
        return ""
    more = ", ..." if len(named) > _SHOWN else ""
    rows = "the rows of each" if len(named) > 1 or zone in texts else "them"
    return (
        f"column {name} says {', '.join(map(shown, named[:_SHOWN]))}{more}, but times "
        f"are read as local in {zone}; if they are local there, read {rows} with {option('tz', named[0])}"
        + (f" and {option('only')} {quoted(f'{name}={named[0]}')}" if rows != "them" else "")
    )


def _longer(name: str, sample: pa.Table, plan: Plan) -> str:
    """Say that a length that was not read is longer than the one that was, as the whole call is."""
    ours = plan.reading.duration
    if ours is None or plan.reading.end or plan.reading.talk or plan.reading.wait or plan.reading.like:
        return ""
    theirs, taken = read_lengths(sample[name]), read_lengths(sample[ours])
    both = (theirs.state == OK) & (taken.state == OK) & (taken.values > 0)
    long, short = theirs.nanoseconds(plan.unit)[0][both], taken.nanoseconds(plan.unit)[0][both]
    if not len(long) or np.mean(long >= short) < 0.98 or np.mean(long > short) < 0.5 or np.median(long) > 8.64e13:
        return ""
    return (
        f"column {name} is longer than {ours} in {np.mean(long > short):.0%} of the first rows; if it is the whole "
        f"call: {option('columns')} {quoted(f'duration={name}')}"
    )
