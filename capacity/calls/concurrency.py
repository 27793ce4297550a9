"""From call records to exact 5-minute maxima."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.columns import CallArrays, call_arrays, instants
from capacity.calls.sweep import Piece, sweep
from capacity.errors import ConfigError, FrameError
from capacity.ground.arguments import check_kind
from capacity.ground.calls import Calls
from capacity.ground.frame import TOTAL, assemble, trim
from capacity.ground.times import DAY, STEP, Instant, as_instant, ceil_step, floor_step, utc_times

Ints = npt.NDArray[Any]
Rows = tuple[Ints, Ints, Ints]

_STEP_NS = STEP.value
_MOST_STEPS = 60 * 366 * (DAY // STEP)  # a range of more than sixty years is a mistake in the times
_MOST_ROWS = 500_000_000


def intervals_from_calls(
    calls: pd.DataFrame | Calls,
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    by: str | None = "variant",
    total: bool = True,
    absent: str = "zero",
    columns: Mapping[str, str] | None = None,
    gaps: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the most calls that were in progress at once in each 5-minute interval, exact to the nanosecond.

    A call is in progress on [start, end). A call that is in progress when an interval begins counts in it; where one
    ends at the instant at which another starts, they are not in progress at once; a call of no length never counts. The
    total is counted over all calls, not summed over the groups.

    Parameters
    ----------
    calls : DataFrame, one row a call, or Calls
        ``start`` and ``end``, with a time zone, of any resolution; or ``start`` and ``duration`` [s, or timedelta]. A
        missing end (or duration) is a call still in progress up to `end`. Rows with a true ``blocked`` are left out:
        calls turned away never were in progress. ``variant_name`` gives the display names, the latest for each variant.
    start, end : str, datetime or Timestamp, optional
        The half-open range [start, end) that was recorded, with a time zone, grown to whole intervals. By default from
        the first start to the last end. Calls that reach beyond it count for the part that lies inside.
    by : str or None, default "variant"
        The column to group by; None for the total alone. A missing value is "(none)".
    total : bool, default True
        Whether to add the series of all calls, ``cap.TOTAL``.
    absent : {"zero", "missing"}
        "zero" (the default): each group has a row for every interval from its first call in the range on. "missing":
        intervals in which a group had no call get no row (for thousands of groups). The total has every row.
    columns : mapping, optional
        Which column is what: ``{"start": "answered_at", "duration": "talk_time"}``.
    gaps : DataFrame, optional
        Stretches [``start``, ``end``), with a time zone, in which nothing was recorded: their intervals get no rows,
        since a missing interval is not a zero. The account of `capacity.read_calls` has candidates (``silences``).

    Returns
    -------
    DataFrame
        Interval frame: MultiIndex (time, `by`), where time is the start of the interval [time, time + 5 min), UTC;
        columns ``max_concurrent`` [calls] and ``variant_name``.

    Raises
    ------
    FrameError
        Missing columns, times without a zone, calls without a start or with an end before it: the message says how
        many, and shows the first.
    ConfigError
        start >= end, a `start` or `end` without a zone, or an unknown value of `absent`.

    See Also
    --------
    capacity.read_calls, capacity.as_intervals, capacity.intervals_to_store

    Notes
    -----
    One sort of all starts and ends and one pass over them; memory is about 80 bytes a call. For more calls than fit
    into memory see `capacity.intervals_to_store`.

    Examples
    --------
    >>> import capacity as cap
    >>> calls = pd.DataFrame({
    ...     "start": pd.to_datetime(["2026-07-01T14:01Z", "2026-07-01T14:03Z", "2026-07-01T14:04Z"]),
    ...     "end": pd.to_datetime(["2026-07-01T14:04Z", "2026-07-01T14:06Z", "2026-07-01T14:09Z"]),
    ...     "variant": ["booking", "billing", "booking"],
    ... })
    >>> cap.intervals_from_calls(calls)["max_concurrent"].unstack().loc["2026-07-01 14:00"]
    variant
    *          2
    billing    1
    booking    1
    Name: 2026-07-01 14:00:00+00:00, dtype: int32
    """
    check_options(by, total=total, absent=absent)
    calls = calls.frame if isinstance(calls, Calls) else calls
    check_kind(calls, pd.DataFrame, "calls", made_by="capacity.read_calls")
    arrays = call_arrays(calls, by=by, columns=columns)

    def pieces(first: int, last: int) -> Iterator[Piece]:
        starts, ends, codes = clip(arrays, first, last)
        return sweep(
            starts,
            ends,
            codes,
            codes,
            groups=max(len(arrays.ids), 1),
            steps=(last - first) // _STEP_NS,
            width=_STEP_NS,
            total=total,
            sliced=by is not None,
        )

    span = span_of(arrays, *bounds(start, end))
    return framed(pieces, span, ids=arrays.ids, named=arrays.named, by=by, total=total, absent=absent, gaps=gaps)


def bounds(start: Instant | None, end: Instant | None) -> tuple[int | None, int | None]:
    """Return the range that was asked for [ns], grown to the grid; None for a side that was not."""
    return (
        int(floor_step(as_instant(start, name="start")).value) if start is not None else None,
        int(ceil_step(as_instant(end, name="end")).value) if end is not None else None,
    )


def span_of(arrays: CallArrays, lo: int | None, hi: int | None) -> tuple[int, int] | None:
    """Return the range [ns) on the grid: as asked for, else as the calls have it; None where there is neither."""
    if len(arrays.starts) == 0:
        return range_of(None, None, None, lo, hi)
    closed = ~arrays.open
    last_end = int(arrays.ends[closed].max()) if closed.any() else None
    last_open = int(arrays.starts[arrays.open].max()) if arrays.open.any() else None
    return range_of(int(arrays.starts.min()), last_end, last_open, lo, hi)


def range_of(
    first_start: int | None, last_end: int | None, last_open: int | None, lo: int | None, hi: int | None
) -> tuple[int, int] | None:
    """Return the range of calls of which the first start, the last end and the last start without an end are known."""
    if (lo is None or hi is None) and first_start is None:
        return None
    first = lo if lo is not None else int(first_start or 0) // _STEP_NS * _STEP_NS
    if hi is not None:
        last = hi
    else:
        # A call without an end is in progress at its start: the interval of that start belongs to the range.
        known = [-(-last_end // _STEP_NS)] if last_end is not None else []
        known += [last_open // _STEP_NS + 1] if last_open is not None else []
        last = max(known) * _STEP_NS
        if last == first and lo is None:
            return None  # calls of no length only
    if first >= last:
        raise ConfigError(
            f"start={pd.Timestamp(first, tz='UTC').isoformat()} is not before "
            f"end={pd.Timestamp(last, tz='UTC').isoformat()}; ranges are [start, end)"
        )
    if (last - first) // _STEP_NS > _MOST_STEPS:
        raise ConfigError(
            f"the range {pd.Timestamp(first, tz='UTC').isoformat()} to {pd.Timestamp(last, tz='UTC').isoformat()} is "
            "longer than 60 years: a time is wrong; give start and end to say which years are meant"
        )
    return first, last


def clip(arrays: CallArrays, first: int, last: int) -> tuple[Ints, Ints, Ints]:
    """Return (starts, ends, codes) of the parts that lie inside, counted from `first`; no empty ones."""
    starts, ends = arrays.starts, arrays.ends
    if arrays.open.any():
        ends = np.where(arrays.open, last, ends)
    if len(starts) and (starts.min() < first or ends.max() > last):
        starts, ends = np.clip(starts, first, last), np.clip(ends, first, last)
    starts, ends = starts - first, ends - first
    inside = ends > starts
    if bool(inside.all()):
        return starts, ends, arrays.codes
    return starts[inside], ends[inside], arrays.codes[inside]


def without(frame: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Leave out the intervals that lie in a gap, wholly or in part."""
    if not isinstance(gaps, pd.DataFrame) or not {"start", "end"} <= set(gaps.columns):
        raise FrameError("gaps must be a DataFrame with the columns start and end, such as calls.account.silences")
    starts, none = instants(gaps["start"], "the start of a gap")
    ends, open_ended = instants(gaps["end"], "the end of a gap")
    if none.any() or open_ended.any() or (ends < starts).any():
        raise FrameError("a gap has a start and an end, which is not before it")
    times = frame.index.levels[0].asi8
    edge = np.zeros(len(times) + 1, dtype=np.int64)
    np.add.at(edge, np.searchsorted(times, starts - _STEP_NS, side="right"), ends > starts)
    np.add.at(edge, np.searchsorted(times, ends), -(ends > starts).astype(np.int64))
    return trim(frame[(np.cumsum(edge)[:-1] == 0)[frame.index.codes[0]]])


def check_options(by: str | None, *, total: bool, absent: str) -> None:
    """Raise ConfigError for options that contradict each other or are unknown."""
    if absent not in ("zero", "missing"):
        raise ConfigError(f"absent={absent!r} is neither 'zero' nor 'missing'")
    if by is None and not total:
        raise ConfigError("by=None and total=False leave nothing to count; give a column in by=, or total=True")


def check_rows(groups: int, steps: int) -> None:
    """Raise ConfigError for a frame with an absurd number of rows."""
    if groups * steps > _MOST_ROWS:
        raise ConfigError(
            f"{groups:,} groups x {steps:,} intervals would be {groups * steps:,} rows; "
            "absent='missing' leaves zeros out"
        )


def framed(
    pieces: Callable[[int, int], Iterable[Piece]],
    span: tuple[int, int] | None,
    *,
    ids: list[str],
    named: Mapping[str, tuple[int, str]],
    by: str | None,
    total: bool,
    absent: str,
    gaps: pd.DataFrame | None,
) -> pd.DataFrame:
    """Sweep the range [ns), if there is one, into the interval frame, and leave out what lies in a gap."""
    first, last = span or (0, 0)
    steps = (last - first) // _STEP_NS
    if absent == "zero":
        check_rows(len(ids), steps)
    frame = as_frame(
        pieces(first, last) if span else [],
        utc_times(first + np.arange(steps, dtype=np.int64) * _STEP_NS),
        ids=ids if span else [],
        names={label: name for label, (_, name) in named.items()},
        by=by or "variant",
        total=total and span is not None,
        zeros=absent == "zero" and span is not None,
    )
    return frame if gaps is None else without(frame, gaps)


def as_frame(
    pieces: Iterable[Piece],
    times: pd.DatetimeIndex,
    *,
    ids: list[str],
    names: Mapping[str, str],
    by: str,
    total: bool,
    zeros: bool,
) -> pd.DataFrame:
    """Put the pieces of a sweep into the interval frame; `zeros` gives each group all rows from its first call on."""
    labels = sorted([*ids, TOTAL]) if total else ids
    place = {label: k for k, label in enumerate(labels)}
    column = np.array([place[i] for i in ids], dtype=np.int64)
    fill = _dense_rows if zeros else _sparse_rows
    time_codes, id_codes, values = fill(pieces, len(times), len(labels), column, place.get(TOTAL))
    used = np.bincount(id_codes, minlength=len(labels)) > 0
    if not used.all():  # a group that never was in progress
        id_codes = (np.cumsum(used) - 1)[id_codes]
        labels = [label for label, has_rows in zip(labels, used, strict=True) if has_rows]
    return assemble(
        times=times, time_codes=time_codes, ids=labels, id_codes=id_codes, values=values, names=names, by=by
    )


def _dense_rows(pieces: Iterable[Piece], steps: int, width: int, column: Ints, whole: int | None) -> Rows:
    matrix = np.zeros((steps, width), dtype=np.int32)
    for piece in pieces:
        block = matrix[piece.first : piece.first + piece.steps]
        if piece.total is not None and whole is not None:
            block[:, whole] = piece.total.dense(1)[0]
        if piece.groups is not None and len(column):
            block[:, column] = piece.groups.dense(len(column)).T
    begun = np.argmax(matrix > 0, axis=0)
    begun[matrix[begun, np.arange(width)] == 0] = steps  # never in progress
    if whole is not None:
        begun[whole] = 0
    if not begun.any():
        codes = np.indices(matrix.shape)
        return codes[0].ravel(), codes[1].ravel(), matrix.ravel()
    keep = np.arange(steps)[:, None] >= begun
    time_codes, id_codes = np.nonzero(keep)
    return time_codes, id_codes, matrix[keep]


def _sparse_rows(pieces: Iterable[Piece], steps: int, width: int, column: Ints, whole: int | None) -> Rows:
    parts: list[Rows] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))]
    for piece in pieces:
        if piece.total is not None and whole is not None:
            own = np.arange(piece.first, piece.first + piece.steps)
            parts.append((own, np.full(len(own), whole), piece.total.dense(1)[0]))
        if piece.groups is not None:
            cells, values = piece.groups.filled()
            group, step = np.divmod(cells, piece.steps)
            parts.append((step + piece.first, column[group], values))
    time_codes, id_codes, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return time_codes, id_codes, values
