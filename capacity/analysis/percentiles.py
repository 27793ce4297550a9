"""Percentiles of 5-minute maxima, and how many hours a year are spent at or above each level."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.opening_hours import HoursLike, open_slots
from capacity.analysis.percentile_limits import limits
from capacity.errors import ConfigError, InsufficientData
from capacity.ground.calendar import LONGEST, MONDAY
from capacity.ground.dense import Dense, dense
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import slice_name
from capacity.ground.localtime import hour_of_day, hour_of_week, local_times, slot_of_week
from capacity.ground.times import as_zone
from capacity.stats.order_statistics import as_percents, group_quantiles

By: TypeAlias = Literal["hour", "weekday", "hour_of_week", "month", "day", "week"]

_RECURRING = ("hour", "weekday", "hour_of_week")
_ONCE = ("month", "day", "week")
_YEAR_HOURS = 24 * LONGEST


class _Groups(NamedTuple):
    """The groups of a frame's times: each time's place in `labels`."""

    of: npt.NDArray[np.int64]
    labels: pd.Index


@usual_float_errors
def percentiles(
    frame: pd.DataFrame,
    q: float | Sequence[float] = (50, 90, 95, 99, 99.9, 100),
    *,
    by: By | None = None,
    tz: str | dt.tzinfo = "UTC",
    hours: HoursLike | None = None,
    ci: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return percentiles of the 5-minute maxima, by variant.

    The 99th percentile is the number of calls that the maxima of 99% of the intervals did not exceed. It is
    the ``inverted_cdf`` of numpy: the k-th smallest of the n maxima, k = ceil(q n / 100), a value that was attained.
    Percentiles of variants neither add up nor average to those of the total, and those of days do not average to that
    of the year. Missing intervals are left out, not taken as zero. Nights full of zeros lower every percentile: `hours`
    restricts to opening hours.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    q : float or sequence of float, default (50, 90, 95, 99, 99.9, 100)
        Percentiles between 0 and 100; 100 is the maximum. A number between 0 and 1, which would be a quantile, is
        refused.
    by : {"hour", "weekday", "hour_of_week", "month", "day", "week"}, optional
        Local time to group by. "hour": 0 to 23; "weekday": 0 (Monday) to 6; "hour_of_week": 0 (Monday 00:00) to 167
        (Sunday 23:00); "month", "day", "week" (from Monday): each by the naive midnight at which it begins. By default
        all intervals together.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone that `by`, `hours` and the weeks of `ci` are meant in.
    hours : pair of "HH:MM" or mapping of weekday to pairs, optional
        ``("08:00", "20:00")``, half-open, or ``{"Mon-Fri": ("08:00", "20:00"), "Sat": ("22:00", "02:00")}``; an end
        before the start lies on the next day, and weekdays that are not named are closed. By default all hours.
    ci : float, optional
        Confidence level between 0 and 1: adds the limits ``low`` and ``high``, by a stationary bootstrap of blocks
        of whole weeks (neighbouring maxima are far from independent). Weeks are drawn from those that were seen: a
        trend, or a rare event that did not happen, is not in it, and limits of the maximum never exceed what was seen.
        In simulations of 13 weeks and more, limits at 0.9 held the true percentile nine times in ten where weeks are
        independent; where their levels correlate by 0.6, eight times in ten over a year, and two in three over a
        quarter.
    seed : int, default 0
        Seed of the bootstrap; without `ci` it is not used.

    Returns
    -------
    DataFrame
        MultiIndex (variant, `by` if given, ``q``), sorted; columns ``value`` [calls]; ``low`` and ``high`` [calls] if
        `ci` is given (NaN for a variant with fewer than four whole weeks); and ``intervals``, the number of 5-minute
        maxima that it rests on. ``["value"].unstack("q")`` sets the percentiles side by side.

    Raises
    ------
    ConfigError
        A `q`, `by`, `tz`, `hours` or `ci` that cannot be read or is out of range, or `ci` with a `by` of months, days
        or weeks.
    InsufficientData
        No interval (within `hours`), or `ci` and no variant with four whole weeks.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.weekly_profile, capacity.utilisation

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, definition 1. Politis and Romano (1994), The
    stationary bootstrap.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=1000, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": range(1, 1001)}))
    >>> cap.percentiles(frame, (50, 99.9))  # doctest: +NORMALIZE_WHITESPACE
                  value  intervals
    variant q
    *       50.0    500       1000
            99.9    999       1000
    """
    percents = tuple(sorted(as_percents(q)))
    cells = dense(frame)
    tz = as_zone(tz)
    kept = _open(cells, hours, tz)
    groups = _groups(cells.times, by, tz)
    of = groups.of if kept is None else np.where(kept, groups.of, -1)
    if ci is not None:
        _check_ci(ci, by)
    found = group_quantiles(cells.values, of, len(groups.labels), percents)
    if not found.counts.any():
        raise InsufficientData(f"percentiles need at least one interval; the frame has none{_within(hours)}")
    columns: dict[str, npt.NDArray[Any]] = {"value": found.quantiles}
    if ci is not None:
        columns["low"], columns["high"] = limits(cells, of, len(groups.labels), percents, level=ci, seed=seed, tz=tz)
    return _table(columns, found.counts, slice_name(frame), cells.ids, groups.labels, percents)


@usual_float_errors
def load_duration(frame: pd.DataFrame, *, tz: str | dt.tzinfo = "UTC", hours: HoursLike | None = None) -> pd.DataFrame:
    """Return how many hours a year the 5-minute maxima are at or above each level, by variant.

    An interval counts for its whole five minutes if its maximum was at the level or above, so the hours are an upper
    bound on the time that was spent there. A year is the 8,760 hours of 365 days (their part within `hours`), and what
    the frame holds is taken as typical of it: a frame of one season gives a year of that season.

    Parameters
    ----------
    frame : DataFrame
        Interval frame.
    tz : str or tzinfo
        IANA name of the zone of `hours`.
    hours : pair of "HH:MM" or mapping of weekday to pairs, optional
        As in `percentiles`.

    Returns
    -------
    DataFrame
        MultiIndex (variant, ``level``): each number of calls that was attained, ascending. Columns
        ``intervals`` at or above it, their ``share`` of those that are there, and ``hours_a_year`` [h].

    Raises
    ------
    InsufficientData
        No interval (within `hours`).
    ConfigError, FrameError
        As `percentiles`.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=4, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": [0, 2, 2, 7]}))
    >>> load_duration(frame)  # doctest: +NORMALIZE_WHITESPACE
                   intervals  share  hours_a_year
    variant level
    *       0              4   1.00        8760.0
            2              3   0.75        6570.0
            7              1   0.25        2190.0
    """
    cells = dense(frame)
    tz = as_zone(tz)
    kept = _open(cells, hours, tz)
    year = _YEAR_HOURS * float(open_slots(hours).mean())
    tables = {}
    for place, label in enumerate(cells.ids):
        column = cells.values[:, place] if kept is None else cells.values[kept, place]
        level, intervals = np.unique(column[column >= 0], return_counts=True)
        at_or_above = intervals[::-1].cumsum()[::-1]
        share = at_or_above / at_or_above[:1].sum()
        tables[label] = pd.DataFrame(
            {"intervals": at_or_above, "share": share, "hours_a_year": share * year},
            index=pd.Index(level.astype(np.int64), name="level"),
        )
    tables = {label: table for label, table in tables.items() if len(table)}
    if not tables:
        raise InsufficientData(f"load_duration needs at least one interval; the frame has none{_within(hours)}")
    return pd.concat(tables, names=[slice_name(frame)])


def _within(hours: HoursLike | None) -> str:
    return "" if hours is None else f" within hours={hours!r}"


def _open(cells: Dense, hours: HoursLike | None, tz: str | dt.tzinfo) -> npt.NDArray[np.bool_] | None:
    slots = open_slots(hours)
    return None if hours is None else slots[slot_of_week(cells.times, tz)]


def _check_ci(ci: float, by: str | None) -> None:
    if not isinstance(ci, float | np.floating) or not 0 < ci < 1:
        raise ConfigError(f"ci={ci!r} does not lie between 0 and 1; 0.9 gives limits that hold nine times in ten")
    if by in _ONCE:
        raise ConfigError(f"ci draws whole weeks anew, and by={by!r} has each once; use by=None or one of {_RECURRING}")


def _groups(times: pd.DatetimeIndex, by: str | None, tz: str | dt.tzinfo) -> _Groups:
    if by is None:
        return _Groups(np.zeros(len(times), dtype=np.int64), pd.RangeIndex(1))
    if by == "hour":
        return _Groups(hour_of_day(times, tz), pd.RangeIndex(24, name=by))
    if by == "weekday":
        return _Groups(hour_of_week(times, tz) // 24, pd.RangeIndex(7, name=by))
    if by == "hour_of_week":
        return _Groups(hour_of_week(times, tz), pd.RangeIndex(168, name=by))
    if by not in _ONCE:
        raise ConfigError(f"by={by!r} is none of {[*_RECURRING, *_ONCE]}")
    local = local_times(times, tz).to_numpy()
    day = local.astype("datetime64[D]")
    if by == "month":
        begin = day.astype("datetime64[M]")
    else:
        begin = day if by == "day" else day - (day.astype(np.int64) + MONDAY) % 7
    labels, of = np.unique(begin, return_inverse=True)
    return _Groups(of.reshape(-1).astype(np.int64), pd.DatetimeIndex(labels.astype("datetime64[ns]"), name=by))


def _table(
    columns: dict[str, npt.NDArray[Any]],
    counts: npt.NDArray[np.int64],
    slice_by: str,
    ids: list[str],
    labels: pd.Index,
    percents: tuple[float, ...],
) -> pd.DataFrame:
    """Lay (percents, groups, variants) out as rows by variant, group and percentile, leaving out those without data."""
    variant, group = np.nonzero(counts.T)
    each = len(percents)
    levels, codes = [pd.Index(ids, name=slice_by)], [np.repeat(variant, each)]
    if labels.name is not None:
        levels, codes = [*levels, labels], [*codes, np.repeat(group, each)]
    levels, codes = [*levels, pd.Index(percents, name="q")], [*codes, np.tile(np.arange(each), len(variant))]
    index = pd.MultiIndex(levels=levels, codes=codes, names=[level.name for level in levels], verify_integrity=False)
    data = {name: column[:, group, variant].T.ravel() for name, column in columns.items()}
    return pd.DataFrame({**data, "intervals": np.repeat(counts[group, variant], each)}, index=index)
