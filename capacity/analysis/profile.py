"""The typical week: quantiles of each local hour, in calls and relative to the mean of their week."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arrays import Floats, Ints
from capacity.ground.dense import Dense, dense
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import slice_name
from capacity.ground.localtime import hour_of_week, local_times, slot_of_week
from capacity.stats.order_statistics import group_blocks, group_quantiles, rank_of
from capacity.stats.stacks import counts_by_period, sums_by_period

_PERCENTS = {"median": 50.0, "q90": 90.0, "q99": 99.0}
_WEEK = 2016
_ENOUGH = 0.9  # of a week's intervals, for its mean to stand for it


@usual_float_errors
def weekly_profile(frame: pd.DataFrame, *, tz: str | dt.tzinfo = "UTC", slots: int = 168) -> pd.DataFrame:
    """Return the typical week: median, 90% and 99% quantile of each local hour of the week, by variant.

    The quantiles are over all weeks, as ``inverted_cdf`` (values that were attained). Growth widens them, so each is
    given a second time with every maximum divided by the level of its week, the mean of that week's maxima: 1.4 is 40%
    above the week's mean. Quantiles of ratios are not ratios of quantiles. A week (local, from Monday) gives a level if
    at least nine tenths of its intervals are there and not all are zero; the relative columns rest on these ``weeks``
    alone.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose hours are meant.
    slots : {168, 2016}
        168 (the default) for hours of the week, 2016 for its 5-minute slots.

    Returns
    -------
    DataFrame
        MultiIndex (variant, ``hour_of_week`` or ``slot_of_week``), sorted, from 0 on Monday at 00:00; a row for each
        that has an interval. Columns ``median``, ``q90``, ``q99`` [calls]; ``relative_median``,
        ``relative_q90``, ``relative_q99`` (ratios), NaN without such a week; ``intervals``, the number of maxima; and
        ``weeks``, how many weeks of the variant gave a level.

    Raises
    ------
    InsufficientData
        The frame has no interval.
    ConfigError
        No such time zone, or another number of slots.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.busy_hours, capacity.percentiles, capacity.decompose

    References
    ----------
    R. J. Hyndman, Y. Fan (1996), Sample quantiles in statistical packages, definition 1.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-06-29", periods=2016, freq="5min", tz="UTC")
    >>> calls = [6 if time.hour == 9 else 2 for time in times]
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    >>> nine = cap.weekly_profile(frame).loc[(cap.TOTAL, 9)]
    >>> print(nine["median"], round(nine["relative_median"], 3), nine["intervals"])
    6.0 2.769 12.0
    """
    if slots not in (168, _WEEK):
        raise ConfigError(f"slots={slots!r} is neither 168 (hours) nor 2016 (5-minute slots)")
    cells = dense(frame)
    if cells.values.size == 0:
        raise InsufficientData("weekly_profile needs at least one interval; the frame has none")
    of = hour_of_week(cells.times, tz) if slots == 168 else slot_of_week(cells.times, tz)
    found = group_quantiles(cells.values, of, slots, tuple(_PERCENTS.values()))
    week_of, level = _levels(cells, tz)
    relative = _relative_quantiles(cells.values, of, slots, week_of, level)

    variant, slot = np.nonzero(found.counts.T)
    name = "hour_of_week" if slots == 168 else "slot_of_week"
    index = pd.MultiIndex(
        levels=[pd.Index(cells.ids), pd.RangeIndex(slots)],
        codes=[variant, slot],
        names=[slice_name(frame), name],
        verify_integrity=False,
    )
    plain = {key: found.quantiles[k, slot, variant] for k, key in enumerate(_PERCENTS)}
    scaled = {f"relative_{key}": relative[k, slot, variant] for k, key in enumerate(_PERCENTS)}
    counts = {"intervals": found.counts[slot, variant], "weeks": np.count_nonzero(~np.isnan(level), axis=0)[variant]}
    return pd.DataFrame({**plain, **scaled, **counts}, index=index)


def _levels(cells: Dense, tz: str | dt.tzinfo) -> tuple[Ints, Floats]:
    """Return each time's week, and each week's mean by variant, NaN where it is not known or zero."""
    day = local_times(cells.times, tz).to_numpy().astype("datetime64[D]").astype(np.int64)
    _, week_of = np.unique((day + 3) // 7, return_inverse=True)  # 1970-01-01 was a Thursday
    week_of = np.maximum.accumulate(week_of.reshape(-1).astype(np.int64))
    first = np.flatnonzero(np.diff(week_of, prepend=-1))
    rows = np.diff(first, append=len(week_of))[:, None]
    count = counts_by_period(cells.values >= 0, first)
    total = sums_by_period(cells.values, first) + (rows - count)  # a missing one stands in the sum as -1
    known = (count >= _ENOUGH * _WEEK) & (total > 0)
    return week_of, np.where(known, total, np.nan) / np.where(known, count, 1)


def _relative_quantiles(values: npt.NDArray[np.int32], of: Ints, slots: int, week_of: Ints, level: Floats) -> Floats:
    """Return the quantiles of value / level, shape (percents, slots, variants); NaN where there is none."""
    out = np.full((len(_PERCENTS), slots, values.shape[1]), np.nan)
    for some, rows, size in group_blocks(of, slots, values.shape[1]):
        block = values[rows]
        ratio = block / level[week_of[rows]]
        ratio[block < 0] = np.nan
        end = np.cumsum(size)
        for slot, first, last in zip(range(some.start, some.stop), end - size, end, strict=True):
            part = ratio[first:last].T
            count = np.count_nonzero(part == part, axis=1)
            place = np.stack([rank_of(percent, count) for percent in _PERCENTS.values()]) - 1
            here = np.flatnonzero(count)
            if len(here):
                part = np.partition(part, np.unique(place[:, here]), axis=1)  # NaN comes last
                out[:, slot, here] = part[here, place[:, here]]
    return out
