"""Rows of call records -> the frame of a range, with an account of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from capacity.fetch.call_rows import ends, flags, ints, known
from capacity.fetch.callers import calls_again
from capacity.fetch.callfile import HourCounts
from capacity.fetch.conversations import TEXTS
from capacity.fetch.windows import Window, join
from capacity.ground.calls import Calls
from capacity.ground.text import plural
from capacity.ground.times import utc_times

_HOUR_S = 3600
_NS = 1000  # in a microsecond


def as_calls(
    rows: pa.Table,
    span: Window,
    answered: Iterable[Window],
    callers: Mapping[int, tuple[int, int]],
    *,
    dropped: int = 0,
    repeated: int = 0,
) -> Calls:
    """Return the calls that belong to a range: those that begin in it, and those in progress at its start.

    Parameters
    ----------
    rows : pyarrow.Table
        One row a conversation.
    span : Window
        [start, end), UTC.
    answered : iterable of Window
        What was answered for, of the range and beyond.
    callers : mapping
        Hour since 1970 -> calls with a number, and those that tried again.
    dropped, repeated : int
        For the account.
    """
    start, end, still = ints(rows, "start"), ends(rows), flags(rows, "in_progress")
    first, last = span.start.value // _NS, span.end.value // _NS
    belongs = (start < last) & ((start >= first) | still | (end > first))
    rows, start, end, still = rows.filter(pa.array(belongs)), start[belongs], end[belongs], still[belongs]
    frame = pd.DataFrame(
        {
            "start": _times(start),
            "end": _times(np.where(still, np.iinfo(np.int64).min // _NS, end), missing=still),
            "variant": _category(rows, "variant"),
            "variant_name": _category(rows, "variant_name"),
            "total_duration": _seconds(rows, "total_duration"),
            "polyai_duration": _seconds(rows, "polyai_duration"),
            "channel": _category(rows, "channel"),
            "handoff": pd.arrays.BooleanArray(flags(rows, "handoff").copy(), ~known(rows, "handoff")),
            "phone_number": _category(rows, "phone_number"),
            "language": _category(rows, "language"),
            "env": _category(rows, "env"),
        }
    )
    unknown = int((~known(rows, "total_duration") & ~still).sum())
    notes = [
        f"{plural(len(frame), 'call')} from {span}, of which {int((start < first).sum()):,} began before it",
        still.any() and f"kept: {int(still.sum()):,} in progress when last asked for; they are asked for again",
        unknown and f"kept: {unknown:,} without a total duration, taken to end with the agent's part, or at once",
        repeated and f"sent more than once: {repeated:,} rows; the later answer holds",
        dropped and f"dropped: {dropped:,} rows of calls outside the range",
    ]
    hours = [hour for hour in sorted(callers) if first <= hour * _HOUR_S * 1_000_000 < last]
    counts = pd.DataFrame(
        [callers[hour] for hour in hours],
        columns=["calls", "again"],
        index=utc_times(np.array(hours, dtype=np.int64) * (_HOUR_S * 10**9)).rename("hour"),
        dtype=np.int64,
    )
    account = "\n  ".join(str(note) for note in notes if note)
    parts = [w for w in join(answered) if w.start < span.end and w.end > span.start]
    covered = tuple((max(w.start, span.start), min(w.end, span.end)) for w in parts)
    return Calls(frame, account, covered=covered, callers=counts)


def hour_counts(rows: pa.Table, callers: npt.NDArray[np.uint64], day: Window) -> HourCounts:
    """Count by hour the calls of a day that came with a number, and those that followed another one closely."""
    start, stop = ints(rows, "start") // 1_000_000, ends(rows) // 1_000_000
    again = calls_again(start, stop, callers)
    counted = (callers != 0) & (start >= day.start.timestamp()) & (start < day.end.timestamp())
    hours, place = np.unique(start[counted] // _HOUR_S, return_inverse=True)
    tried = np.bincount(place, weights=again[counted], minlength=len(hours))
    calls = np.bincount(place, minlength=len(hours))
    return {int(h): (int(n), int(k)) for h, n, k in zip(hours, calls, tried, strict=True)}


def _times(us: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_] | None = None) -> pd.DatetimeIndex:
    values = us * _NS
    if missing is not None:
        values[missing] = pd.NaT.value
    return utc_times(values)


def _seconds(rows: pa.Table, name: str) -> npt.NDArray[np.float64]:
    return np.where(known(rows, name), ints(rows, name), np.nan)


def _category(rows: pa.Table, name: str) -> pd.Categorical:
    assert name in TEXTS
    column = rows.column(name).combine_chunks().dictionary_encode()
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    labels = column.dictionary.to_pylist()
    order = sorted(range(len(labels)), key=labels.__getitem__)
    rank = np.append(np.argsort(order), -1).astype(np.int32) if labels else np.array([-1], dtype=np.int32)
    return pd.Categorical.from_codes(rank[codes], [labels[k] for k in order])
