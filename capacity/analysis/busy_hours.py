"""The busy hours of a day, time-consistent and bouncing, by variant."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.peaks import _by_local_day, _labels, mean_of_highest
from capacity.errors import InsufficientData
from capacity.ground.arrays import Ints
from capacity.ground.calendar import DAY_STEPS, HOUR_STEPS
from capacity.ground.dense import dense
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import TOTAL
from capacity.ground.localtime import LocalDays
from capacity.ground.result import Result
from capacity.ground.text import plural
from capacity.stats.stacks import first_maxima, stacks

_STARTS = DAY_STEPS - HOUR_STEPS + 1  # hours that lie within one day, at 5-minute steps


@dataclass(frozen=True, eq=False, repr=False)
class BusyHours(Result):
    """The busy hour of each variant, time-consistent and bouncing.

    An hour's load is the mean of its twelve 5-minute maxima [calls], which is at least the mean number of calls in
    progress. The time-consistent busy hour is the clock hour whose mean over the days is the highest. The bouncing busy
    hour is the mean over the days of each day's own highest hour, which is never below the first.

    Attributes
    ----------
    tz : str
        The zone of the days.
    table : DataFrame
        By variant: ``start`` (local, "14:35") of the time-consistent busy hour, the earliest of equals;
        ``time_consistent`` and ``bouncing`` [calls]; ``highest_5`` and ``highest_30``, the mean over the 5
        and the 30 days with the highest hours (ITU-T E.500), NaN with fewer days; ``days`` that were used; and
        ``left_out``, days with gaps or on which the clock moves. A variant without a whole day has NaN.
    profile : DataFrame
        Mean load over the days of each hour of the day [calls]: index ``start`` (00:00 to 23:00 in 5-minute steps), one
        column a variant.
    daily : DataFrame
        By ``date`` and variant: each day's highest hour, ``load`` [calls] and ``start``, the earliest of equals.

    See Also
    --------
    capacity.busy_hours

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    >>> cap.busy_hours(frame)
    <BusyHours: *: busy hour from 00:00 (UTC), 7.0 conversations; each day's own 7.0; over 1 day, 0 left out>
    """

    _chart: ClassVar[str] = "busy_hours"

    tz: str
    table: pd.DataFrame
    profile: pd.DataFrame
    daily: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table by variant."""
        return self.table.copy()

    def __str__(self) -> str:
        ids = sorted(self.table.index, key=lambda one: (one != TOTAL, one))
        lines = [
            f"{one}: busy hour from {row['start']} ({self.tz}), {row['time_consistent']:,.1f} conversations; "
            f"each day's own {row['bouncing']:,.1f}; over {plural(row['days'], 'day')}, {row['left_out']} left out"
            if row["days"]
            else f"{one}: no whole day, {row['left_out']} left out"
            for one, row in ((one, self.table.loc[one]) for one in ids[:10])
        ]
        return "\n".join([*lines, *([f"... and {len(ids) - 10} variants more"] if len(ids) > 10 else [])])


@usual_float_errors
def busy_hours(frame: pd.DataFrame, *, tz: str | dt.tzinfo = "UTC") -> BusyHours:
    """Return the busy hour of each variant: the same clock hour on all days, and each day's own (bouncing).

    Hours begin at every 5-minute step and lie within one local day. Only whole days of 288 intervals are used, so that
    every hour is averaged over the same days; days with gaps, and the days on which the clock moves, are left out and
    counted.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose days are meant.

    Returns
    -------
    BusyHours

    Raises
    ------
    InsufficientData
        No variant has a whole day of 288 intervals.
    FrameError
        The frame breaks the schema.
    ConfigError
        No such time zone.

    See Also
    --------
    capacity.daily_peaks, capacity.weekly_profile, capacity.BusyHours

    References
    ----------
    ITU-T E.500 (1992), Traffic intensity measurement principles.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=576, freq="5min", tz="UTC")
    >>> calls = [8 if time.hour == 9 + time.day % 2 else 2 for time in times]
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    >>> print(cap.busy_hours(frame))
    *: busy hour from 09:00 (UTC), 5.0 conversations; each day's own 8.0; over 2 days, 0 left out
    """
    cells, span = _by_local_day(dense(frame), tz)
    first_row = np.searchsorted(span.day_of, np.arange(len(span.days)))
    shape = (len(span.days), len(cells.ids))
    load, place, whole = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)
    held, summed = np.zeros(shape, bool), np.zeros((_STARTS, len(cells.ids)), np.int64)
    for days, _, stack in stacks(cells.values, first_row):
        held[days] = (stack >= 0).any(axis=1)
        if stack.shape[1] != DAY_STEPS:
            continue
        whole[days] = (stack >= 0).all(axis=1) & (span.expected[days] == DAY_STEPS)[:, None]
        hours = _hour_sums(stack)
        load[days], place[days] = first_maxima(hours)
        summed += (hours * whole[days][:, None, :]).sum(axis=0)
    if not whole.any():
        raise InsufficientData(
            f"busy_hours needs a whole day of {DAY_STEPS} intervals; of the {len(span.days)} days in {tz} none is whole"
        )
    return _busy_hours(str(tz), span, _labels(frame, cells), load, place, whole, held, summed)


def _hour_sums(stack: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the sum of twelve maxima from each step on, shape (days, 277, variants)."""
    small = int(stack.max(initial=0)) < 1 << 18  # the running sum of a day fits in int32
    running = np.zeros((stack.shape[0], DAY_STEPS + 1, stack.shape[2]), dtype=np.int32 if small else np.int64)
    np.cumsum(stack, axis=1, out=running[:, 1:])
    return np.asarray(running[:, HOUR_STEPS:] - running[:, :-HOUR_STEPS])


def _busy_hours(
    tz: str,
    span: LocalDays,
    labels: pd.Index,
    load: Ints,
    place: Ints,
    whole: npt.NDArray[np.bool_],
    held: npt.NDArray[np.bool_],
    summed: Ints,
) -> BusyHours:
    days = whole.sum(axis=0)
    starts = pd.Index([f"{k // 12:02d}:{k % 12 * 5:02d}" for k in range(_STARTS)], name="start")
    mean = np.where(days > 0, summed, np.nan) / (HOUR_STEPS * np.maximum(days, 1))
    day, variant = np.nonzero(whole)
    daily = pd.DataFrame(
        {"load": load[day, variant] / HOUR_STEPS, "start": starts.to_numpy()[place[day, variant]]},
        index=pd.MultiIndex(
            levels=[span.days, labels], codes=[day, variant], names=["date", labels.name], verify_integrity=False
        ),
    )
    bouncing = np.where(days > 0, (load * whole).sum(axis=0), np.nan) / (HOUR_STEPS * np.maximum(days, 1))
    table = pd.DataFrame(
        {
            "start": np.where(days > 0, starts.to_numpy()[summed.argmax(axis=0)].astype(object), None),
            "time_consistent": mean.max(axis=0),
            "bouncing": bouncing,
        },
        index=labels,
    )
    table = table.join(mean_of_highest(daily, value="load"))
    table["days"], table["left_out"] = days, held.sum(axis=0) - days
    return BusyHours(tz=tz, table=table, profile=pd.DataFrame(mean, index=starts, columns=labels), daily=daily)
