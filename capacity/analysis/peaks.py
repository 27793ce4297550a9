"""Daily peaks and busy hours, by variant and TOTAL at once."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.arguments import as_number
from capacity.ground.dense import Dense, dense
from capacity.ground.frame import slice_name
from capacity.ground.localtime import LocalDays, local_days
from capacity.ground.once import once
from capacity.ground.times import utc_times
from capacity.stats.stacks import first_maxima, stacks


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
            "time": utc_times(when),
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
