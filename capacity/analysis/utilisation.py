"""How full the licences are: time, days and longest runs at or above 80, 90 and 100% of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import InsufficientData
from capacity.ground.arrays import Ints
from capacity.ground.dense import Dense, dense
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import TOTAL, main_series, slice_name
from capacity.ground.licences import LicenceLike, Licences, as_licences
from capacity.ground.localtime import LocalDays, local_days
from capacity.ground.result import Result
from capacity.ground.times import STEP
from capacity.stats.stacks import counts_by_period

_LEVELS = (80, 90, 100)  # per cent of the licences
_HOURS = STEP / pd.Timedelta(hours=1)  # of one interval
_BLOCK = 1 << 22  # cells at a time


@dataclass(frozen=True, eq=False, repr=False)
class Utilisation(Result):
    """How much of the time 80, 90 and 100% of the licences were in use, by variant and by month.

    An interval counts for its whole five minutes if its maximum was at or above the level: the hours are an upper
    bound on the time that was spent there. "At 100%" is at or above the licence: a further call may have been turned
    away.

    Attributes
    ----------
    licences : Licences
        What the maxima are measured against.
    tz : str
        The zone of the months, the days and the licence's steps.
    table : DataFrame
        By variant and ``level`` [%]: ``intervals`` at or above it, their ``share`` of those that are there,
        ``hours`` [h], ``days`` touched, ``days_present`` in the frame, ``longest_hours`` [h] and ``longest_start``
        (UTC, NaT where there is none) of the longest run; a gap ends a run.
    months : DataFrame
        By variant, ``level`` and ``month`` (naive midnight of its first day): ``intervals``, ``share``, ``hours``,
        ``days`` touched, and ``present`` intervals.

    See Also
    --------
    capacity.utilisation

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    >>> cap.utilisation(frame, 8)
    <Utilisation: The total never reached the licences (8), and was at or above 80% for 24.0 h (100.00% of the time).>
    """

    _chart: ClassVar[str] = "utilisation"

    licences: Licences
    tz: str
    table: pd.DataFrame
    months: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table by variant and level."""
        return self.table.copy()

    def sentence(self, variant: str | None = None) -> str:
        """Return in words how full the licences were.

        Parameters
        ----------
        variant : str, optional
            Id of the series; by default TOTAL, or the first one.
        """
        variant = main_series(self.table.index.unique(0), variant)
        full, near = self.table.loc[(variant, 100)], self.table.loc[(variant, 80)]
        who = "The total" if variant == TOTAL else variant
        if near["intervals"] == 0:
            return f"{who} never reached 80% of the licences ({self.licences})."
        nearly = f"at or above 80% for {_duration(near['hours'])} ({_percent(near['share'])} of the time)"
        if full["intervals"] == 0:
            return f"{who} never reached the licences ({self.licences}), and was {nearly}."
        return (
            f"{who} was at or above the licences ({self.licences}) for {_duration(full['hours'])} "
            f"({_percent(full['share'])} of the time) on {full['days']:,} of {full['days_present']:,} days, "
            f"{_duration(full['longest_hours'])} at a stretch; {nearly}."
        )

    def __str__(self) -> str:
        ids = list(self.table.index.unique(0))
        lines = [self.sentence(one) for one in ids[:10]]
        return "\n".join([*lines, *([f"... and {len(ids) - 10} variants more"] if len(ids) > 10 else [])])


@usual_float_errors
def utilisation(frame: pd.DataFrame, licences: LicenceLike, *, tz: str | dt.tzinfo = "UTC") -> Utilisation:
    """Return how much of the time 80, 90 and 100% of the licences were in use, by variant.

    Every variant, and the total, is measured against the same licences. A level is a share of the licences held at that
    time, in whole calls rounded up: 80% of 12 is reached by 10. An interval without a call is never at a level.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    licences : int, str, mapping or Series of date -> int, or Licences
        Licences [calls], constant or in steps ("80,2025-03-01:115"); a step begins at local midnight.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone of months, days and steps.

    Returns
    -------
    Utilisation
        Shares, hours, days and longest runs by variant and level, and by month. Missing intervals count neither as
        busy nor as idle.

    Raises
    ------
    InsufficientData
        The frame has no interval.
    ConfigError
        The licences cannot be read, or there is no such time zone.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.blocking, capacity.percentiles, capacity.Utilisation

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=4, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": [7, 8, 10, 8]}))
    >>> cap.utilisation(frame, 10).table[["intervals", "share", "days"]]  # doctest: +NORMALIZE_WHITESPACE
                   intervals  share  days
    variant level
    *       80             3   0.75     1
            90             1   0.25     1
            100            1   0.25     1
    """
    held = as_licences(licences)
    cells = dense(frame)
    if cells.values.size == 0:
        raise InsufficientData("utilisation needs at least one interval; the frame has none")
    span = local_days(cells.times, tz)
    # Where a clock once went back over midnight, what follows stays with the later day.
    span = span._replace(day_of=np.maximum.accumulate(span.day_of))
    counts = _count(cells, span, held.at(cells.times, tz=tz))
    return Utilisation(
        licences=held,
        tz=str(tz),
        table=_table(cells, counts, slice_name(frame)),
        months=_months(cells, counts, span, slice_name(frame)),
    )


def _duration(hours: float) -> str:
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:,.1f} h"


def _percent(share: float) -> str:
    return f"{share:.2%}" if share >= 0.0001 else "less than 0.01%"


class _Counts(NamedTuple):
    """What a matrix of maxima says of each level, by day and of the longest runs."""

    above: Ints  # intervals at or above, (levels, days, variants)
    present: Ints  # intervals that are there, (days, variants)
    longest: Ints  # intervals of the longest run, (levels, variants)
    since: Ints  # row of its first interval, (levels, variants)


def _count(cells: Dense, span: LocalDays, licences: Ints) -> _Counts:
    first_row = np.searchsorted(span.day_of, np.arange(len(span.days)))
    after_gap = np.diff(cells.times.asi8, prepend=cells.times.asi8[0] - STEP.value) != STEP.value
    above, longest, since = [], [], []
    for level in _LEVELS:
        needed = np.clip(-(-licences * level // 100), 1, np.iinfo(np.int32).max).astype(np.int32)
        hit = cells.values >= needed[:, None]
        above.append(counts_by_period(hit, first_row))
        length, begin = _longest_runs(hit, np.asarray(above[-1].any(axis=0)), after_gap)
        longest.append(length)
        since.append(begin)
    present = counts_by_period(cells.values >= 0, first_row)
    return _Counts(np.stack(above), present, np.stack(longest), np.stack(since))


def _longest_runs(
    hit: npt.NDArray[np.bool_], has_any: npt.NDArray[np.bool_], after_gap: npt.NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """Return the length of each column's longest run of True, and the row at which the first of that length begins."""
    length, begin = np.zeros(hit.shape[1], np.int64), np.zeros(hit.shape[1], np.int64)
    columns = np.flatnonzero(has_any)
    step = max(1, _BLOCK // len(hit))
    for first in range(0, len(columns), step):
        some = columns[first : first + step]
        part = np.ascontiguousarray(hit[:, some].T)
        starts, ends = part.copy(), part.copy()
        starts[:, 1:] &= ~part[:, :-1] | after_gap[1:]
        ends[:, :-1] &= ~part[:, 1:] | after_gap[1:]
        start = np.flatnonzero(starts)
        run = np.flatnonzero(ends) - start + 1
        column = start // len(hit)
        length[some] = np.maximum.reduceat(run, np.flatnonzero(np.diff(column, prepend=-1)))
        longest = np.flatnonzero(run == length[some][column])
        longest = longest[np.flatnonzero(np.diff(column[longest], prepend=-1))]  # the first of equals
        begin[some] = start[longest] % len(hit)
    return length, begin


def _table(cells: Dense, counts: _Counts, by: str) -> pd.DataFrame:
    above = counts.above.sum(axis=1).T  # (variants, levels)
    held = counts.present.sum(axis=0)
    none = (counts.longest == 0).T.ravel()
    since = cells.times[counts.since.T.ravel()]
    return pd.DataFrame(
        {
            "intervals": above.ravel(),
            "share": (above / held[:, None]).ravel(),
            "hours": (above * _HOURS).ravel(),
            "days": (counts.above > 0).sum(axis=1).T.ravel(),
            "days_present": np.repeat((counts.present > 0).sum(axis=0), len(_LEVELS)),
            "longest_hours": (counts.longest.T * _HOURS).ravel(),
            "longest_start": since.where(~none),
        },
        index=pd.MultiIndex.from_product([cells.ids, _LEVELS], names=[by, "level"]),
    )


def _months(cells: Dense, counts: _Counts, span: LocalDays, by: str) -> pd.DataFrame:
    begin = span.days.to_numpy().astype("datetime64[M]")
    month, first_day = np.unique(begin, return_index=True)
    above = np.add.reduceat(counts.above, first_day, axis=1)
    touched = np.add.reduceat(counts.above > 0, first_day, axis=1, dtype=np.int64)
    held = np.broadcast_to(np.add.reduceat(counts.present, first_day, axis=0), above.shape)
    variant, level, which = (a.ravel() for a in np.indices((len(cells.ids), len(_LEVELS), len(month))))
    there = held[level, which, variant] > 0
    at = level[there], which[there], variant[there]
    index = pd.MultiIndex(
        levels=[cells.ids, _LEVELS, pd.DatetimeIndex(month.astype("datetime64[ns]"))],
        codes=[at[2], at[0], at[1]],
        names=[by, "level", "month"],
        verify_integrity=False,
    )
    return pd.DataFrame(
        {
            "intervals": above[at],
            "share": above[at] / held[at],
            "hours": above[at] * _HOURS,
            "days": touched[at],
            "present": held[at],
        },
        index=index,
    )
