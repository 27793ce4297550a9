"""Daily peaks and busy hours, by variant and TOTAL at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arguments import as_number
from capacity.ground.arrays import Ints
from capacity.ground.calendar import DAY_STEPS, HOUR_STEPS
from capacity.ground.dense import Dense, dense
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import TOTAL, slice_name
from capacity.ground.localtime import LocalDays, local_days
from capacity.ground.once import once
from capacity.ground.result import Result
from capacity.ground.text import plural
from capacity.stats.stacks import first_maxima, stacks

__all__ = ["BusyHours", "busy_hours", "daily_peaks", "mean_of_highest", "top_peaks"]

_STARTS = DAY_STEPS - HOUR_STEPS + 1  # hours that lie within one day, at 5-minute steps


@once
def daily_peaks(frame: pd.DataFrame, *, tz: str | dt.tzinfo = "UTC", min_share: float = 1.0) -> pd.DataFrame:
    """Return each local day's peak: the highest of its 5-minute maxima, by variant.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose days are meant, such as "Europe/London".
    min_share : float, default 1.0
        Least share of its intervals with which a day counts as complete, above 0 and at most 1. Below 1 the peak of a
        complete day may lie in an interval that is missing.

    Returns
    -------
    DataFrame
        MultiIndex (``date``: naive local midnight, variant), sorted; a row for each day on which a variant has at
        least one interval. Columns:

        ``peak``
            int32 [calls], the most that were in progress at once.
        ``time``
            datetime64[ns, UTC], start of the first interval that reached the peak.
        ``intervals``
            how many of the day's intervals the frame holds.
        ``complete``
            whether that is all of them (or at least `min_share`): 288, or 276 or 300 on the days on which the clock
            moves by an hour.

    Raises
    ------
    FrameError
        The frame breaks the schema.
    ConfigError
        No such time zone, or `min_share` is not above 0 and at most 1.

    See Also
    --------
    capacity.top_peaks, capacity.busy_hours, capacity.forecast_peaks

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01T23:00Z", periods=3, freq="5min")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": [3, 5, 5]}))
    >>> day = cap.daily_peaks(frame, tz="Europe/London").iloc[0]
    >>> print(day.peak, day.time, day.intervals, day.complete)
    5 2026-07-01 23:05:00+00:00 3 False
    """
    rule = "must be above 0 and at most 1; write 0.98 for 98% of the intervals"
    min_share = as_number(min_share, "min_share", lambda share: 0 < share <= 1, rule)
    cells, span = _by_local_day(dense(frame), tz)
    first_row = np.searchsorted(span.day_of, np.arange(len(span.days)))
    shape = (len(span.days), len(cells.ids))
    peak, place, count = np.zeros(shape, np.int32), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for days, _, stack in stacks(cells.values, first_row):
        peak[days], place[days] = first_maxima(stack)
        count[days] = (stack >= 0).sum(axis=1, dtype=np.int16)
    day, variant = np.nonzero(count)
    when = cells.times.asi8[(first_row[:, None] + place)[day, variant]]
    index = pd.MultiIndex(
        levels=[span.days, _labels(frame, cells)],
        codes=[day, variant],
        names=["date", slice_name(frame)],
        verify_integrity=False,
    )
    return pd.DataFrame(
        {
            "peak": peak[day, variant],
            "time": pd.DatetimeIndex(when.view("datetime64[ns]")).tz_localize("UTC"),
            "intervals": count[day, variant],
            "complete": count[day, variant] >= min_share * span.expected[day],
        },
        index=index,
    )


def top_peaks(frame: pd.DataFrame, n: int = 10, *, tz: str | dt.tzinfo = "UTC") -> pd.DataFrame:
    """Return the `n` days with the highest peaks of each variant, the highest first, of equal ones the earlier first.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, or the table that `daily_peaks` returns.
    n : int, default 10
        Number of days for each variant; all of them where there are fewer.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose days are meant; not used where `frame` is a table of daily peaks.

    Returns
    -------
    DataFrame
        MultiIndex (variant, ``rank`` from 1 on); columns ``date`` (naive local midnight), ``peak`` [calls], ``time``
        (UTC), ``intervals`` and ``complete`` as in `daily_peaks`. Days with gaps are included, with the intervals
        that they have.

    Raises
    ------
    ConfigError
        `n` is not a whole number of at least 1, or no such time zone.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.daily_peaks, capacity.anomalies

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=3, freq="D", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": [3, 9, 5]}))
    >>> cap.top_peaks(frame, 2)["peak"].tolist()
    [9, 5]
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ConfigError(f"n={n!r} is no number of days; give a whole number of at least 1")
    daily = isinstance(frame, pd.DataFrame) and frame.index.names[0] == "date"
    table = frame if daily else daily_peaks(frame, tz=tz)
    by = table.index.names[1]
    # By codes and arrays, not by column: a slice may be called "peak", "time" or "rank".
    label, date = table.index.get_level_values(1), table.index.get_level_values(0)
    order = np.lexsort(
        (date.asi8, -table["peak"].to_numpy().astype(np.int64), np.asarray(pd.factorize(label, sort=True)[0]))
    )
    table, label, date = table.iloc[order], label[order], date[order]
    rank = pd.Series(label).groupby(np.asarray(label, dtype=object), sort=False).cumcount().to_numpy() + 1
    table = table.set_axis(pd.MultiIndex.from_arrays([label, rank], names=[by, "rank"]), axis=0)
    table.insert(0, "date", date)
    return table[rank <= n]


def mean_of_highest(peaks: pd.DataFrame, days: tuple[int, ...] = (5, 30), *, value: str = "peak") -> pd.DataFrame:
    """Return the mean of each variant's highest days: of 5, the high load, and of 30, the normal load of a year.

    Parameters
    ----------
    peaks : DataFrame
        What `daily_peaks` made, or another table by (date, variant).
    days : tuple of int
        How many of the highest days to average over.
    value : str
        The column that is averaged [calls].

    Returns
    -------
    DataFrame
        By variant: ``highest_5``, ``highest_30``; NaN for a variant with fewer days than that.

    References
    ----------
    ITU-T E.500 (1992), Traffic intensity measurement principles: normal and high load of yearly measurements.

    Examples
    --------
    >>> dates = pd.date_range("2026-07-01", periods=6, name="date")
    >>> peaks = pd.DataFrame({"peak": [1, 2, 3, 4, 5, 6]}, pd.MultiIndex.from_product([dates, ["*"]]))
    >>> mean_of_highest(peaks).loc["*"].tolist()
    [4.0, nan]
    """
    ordered = peaks[value].sort_values(ascending=False, kind="stable").groupby(level=1)
    rank, held = ordered.cumcount(), ordered.size()
    means = {
        f"highest_{k}": ordered.obj[rank < k].groupby(level=1).mean().astype(np.float64).where(held >= k) for k in days
    }
    return pd.DataFrame(means)


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


def _labels(frame: pd.DataFrame, cells: Dense) -> pd.Index:
    """Return the slice values that the frame uses, as its own index holds them."""
    level = frame.index.levels[1]
    return level[level.isin(cells.ids)].rename(slice_name(frame))


def _by_local_day(cells: Dense, tz: str | dt.tzinfo) -> tuple[Dense, LocalDays]:
    """Return the matrix with its local days; where a clock once went back over midnight, ordered by day."""
    span = local_days(cells.times, tz)
    if not bool((np.diff(span.day_of) < 0).any()):
        return cells, span
    order = np.argsort(span.day_of, kind="stable")
    ordered = Dense(times=cells.times[order], ids=cells.ids, values=cells.values[order])
    return ordered, span._replace(day_of=span.day_of[order])
