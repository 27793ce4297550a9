"""How many intervals of a range are there, by series, and every gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.frame import TOTAL, slice_name, validate
from capacity.ground.result import Result
from capacity.ground.text import plural
from capacity.ground.times import STEP, Instant, as_instant, ceil_step, check_range, floor_step, utc_times

_STEP_NS = STEP.value


@dataclass(frozen=True, eq=False, repr=False)
class Coverage(Result):
    """How many 5-minute intervals of a range a frame holds, by series, and every gap.

    Attributes
    ----------
    start, end : Timestamp, UTC
        The range [start, end) that was looked at.
    table : DataFrame
        By variant: how many intervals are ``expected``, ``present`` and ``missing``; the ``share`` that is present, 0
        to 1; ``first`` and ``last``, the starts of the first and the last one [UTC], NaT where there is none.
    gaps : DataFrame
        One row for each gap: the variant, ``start`` and ``end`` [UTC], half-open, and how many ``intervals`` it has.

    See Also
    --------
    capacity.coverage

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    >>> cap.coverage(frame)
    <Coverage: 2026-07-01 00:00 to 2026-07-02 00:00 UTC: 1 series, 288 of 288 intervals (100.00%), no gaps>
    """

    _chart: ClassVar[str] = "gaps"

    start: pd.Timestamp
    end: pd.Timestamp
    table: pd.DataFrame
    gaps: pd.DataFrame

    @property
    def complete(self) -> bool:
        """Whether every expected interval is present."""
        return len(self.gaps) == 0

    def to_frame(self) -> pd.DataFrame:
        """Return the table by variant."""
        return self.table.copy()

    def __str__(self) -> str:
        expected, present = int(self.table["expected"].sum()), int(self.table["present"].sum())
        share = present / expected if expected else 1.0
        head = (
            f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC: {len(self.table)} series, "
            f"{present:,} of {expected:,} intervals ({share:.2%})"
        )
        if self.complete:
            return f"{head}, no gaps"
        lines = [
            f"  {label}: {gap.start:%Y-%m-%d %H:%M} to {gap.end:%Y-%m-%d %H:%M} ({plural(gap.intervals, 'interval')})"
            for label, gap in zip(self.gaps.iloc[:, 0], self.gaps.itertuples(), strict=True)
        ]
        return "\n".join([f"{head}, {plural(len(lines), 'gap')}:", *lines])


def coverage(frame: pd.DataFrame, start: Instant | None = None, end: Instant | None = None) -> Coverage:
    """Return how many of the expected intervals a frame holds, by series, and every gap.

    The total, and the series that begin first, are expected from `start` on; a variant that appears later is
    expected from its first row on. All are expected up to `end`.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `capacity.as_intervals` makes it.
    start, end : str, datetime or Timestamp, optional
        The half-open range [start, end) to look at, with a time zone ("2026-07-01T00:00Z"). By default from the first
        interval to the end of the last.

    Returns
    -------
    Coverage
        ``print`` of it names every gap.

    Raises
    ------
    ConfigError
        `start` or `end` has no time zone or cannot be read, start is not before end, or the frame is empty and no range
        was given.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.validate, capacity.Coverage, capacity.read_intervals

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.to_datetime(["2026-07-01T14:00Z", "2026-07-01T14:10Z"])
    >>> from capacity.ground.frame import as_intervals
    >>> print(cap.coverage(as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": [3, 5]}))))
    2026-07-01 14:00 to 2026-07-01 14:15 UTC: 1 series, 2 of 3 intervals (66.67%), 1 gap:
      *: 2026-07-01 14:05 to 2026-07-01 14:10 (1 interval)
    """
    validate(frame)
    by = slice_name(frame)
    if len(frame) == 0 and (start is None or end is None):
        raise ConfigError("the frame is empty; give start and end to say what should be there")
    held = frame.index.get_level_values("time")
    first = held[0] if start is None else floor_step(as_instant(start, name="start"))
    last = held[-1] + STEP if end is None else ceil_step(as_instant(end, name="end"))
    check_range(first, last)

    ids, codes = frame.index.levels[1], np.asarray(frame.index.codes[1])
    steps = (frame.index.levels[0].asi8 // _STEP_NS)[frame.index.codes[0]]
    lo, hi = first.value // _STEP_NS, last.value // _STEP_NS
    earlier = np.bincount(codes[steps < lo], minlength=len(ids)) > 0  # a variant that was there before is still due
    inside = (steps >= lo) & (steps < hi)
    steps, codes = steps[inside], codes[inside]
    order = np.argsort(codes, kind="stable")  # the frame ascends in time: each series stays in order
    steps, codes = steps[order], codes[order]

    present = np.bincount(codes, minlength=len(ids))
    shown = np.flatnonzero((present > 0) | earlier)
    if TOTAL in ids and ids.get_loc(TOTAL) not in shown:
        shown = np.sort(np.append(shown, ids.get_loc(TOTAL)))
    if len(shown) == 0:  # TOTAL is due where nothing is there
        ids, present, earlier, shown = pd.Index([TOTAL]), np.zeros(1, int), np.zeros(1, bool), np.zeros(1, int)
    bounds = np.concatenate([[0], np.cumsum(present)])
    has = present > 0
    begins = np.full(len(ids), lo)
    ends = np.full(len(ids), lo)
    begins[has], ends[has] = steps[bounds[:-1][has]], steps[bounds[1:][has] - 1] + 1
    from_start = begins == begins[has].min() if has.any() else np.ones(len(ids), bool)
    from_start |= earlier
    if TOTAL in ids:
        from_start[ids.get_loc(TOTAL)] = True
    due = np.where(from_start, lo, begins)

    # Holes: between two rows of one series, before its first row, and after its last.
    jump = np.flatnonzero((codes[1:] == codes[:-1]) & (steps[1:] - steps[:-1] > 1))
    holes = np.concatenate(
        [
            np.column_stack([codes[jump], steps[jump] + 1, steps[jump + 1]]),
            np.column_stack([shown, due[shown], begins[shown]])[(due < begins)[shown]],
            np.column_stack([shown, ends[shown], np.full(len(shown), hi)])[(ends < hi)[shown]],
        ]
    ).astype(np.int64)
    holes = holes[np.lexsort((holes[:, 1], holes[:, 0]))]
    gaps = pd.DataFrame(
        {
            by: ids[holes[:, 0]],
            "start": _from_steps(holes[:, 1]),
            "end": _from_steps(holes[:, 2]),
            "intervals": holes[:, 2] - holes[:, 1],
        }
    )
    expected = (hi - due)[shown]
    table = pd.DataFrame(
        {
            "expected": expected,
            "present": present[shown],
            "missing": expected - present[shown],
            "share": present[shown] / expected,
            "first": _from_steps(begins[shown]).where(has[shown]),
            "last": _from_steps(ends[shown] - 1).where(has[shown]),
        },
        index=pd.Index(ids[shown], name=by),
    )
    return Coverage(start=first, end=last, table=table, gaps=gaps)


def _from_steps(steps: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
    return utc_times(np.asarray(steps, dtype=np.int64) * _STEP_NS)
