"""Seasonality: trend, daily and weekly cycle of every series, how strong they are, and what is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.week_grid import Grid, special_days, week_grid
from capacity.errors import InsufficientData
from capacity.ground.dense import dense
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import slice_name, trim, validate
from capacity.ground.holidays import HolidayLike
from capacity.ground.localtime import local_times
from capacity.ground.result import Result
from capacity.stats.cycles import fit_cycles, leverage

SLOTS = 288  # 5-minute slots in a day of 24 hours

# Two of every weekday: with one, a pattern and what strays from it are the same thing.
_LEAST_OF_A_WEEKDAY = 2
_ANSCOMBE = 3 / 8
_PARTS = ["trend", "daily", "weekly", "remainder"]
# An interval is "in use" from half a call expected: below that the line is closed, or nobody calls.
_IN_USE = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition(Result):
    """Trend, daily cycle, weekly cycle and remainder of every series.

    The parts are on the scale sqrt(calls + 3/8), on which they add up: ``trend + daily + weekly + remainder``.

    Attributes
    ----------
    components : DataFrame
        Indexed like the frame (time [UTC], variant): ``max_concurrent`` [calls, int32]; ``trend``, ``daily``,
        ``weekly``, ``remainder`` [sqrt(calls), float32]; ``special``, whether the local day was set apart.
    tz : str
        The zone whose days and weeks the cycles follow.
    special_days : DatetimeIndex
        The days that were set apart (naive midnights), of those that the frame holds.
    left_out : tuple of str
        Variants with too short a history, which have no rows in `components`.

    See Also
    --------
    capacity.decompose

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=6048, freq="5min", tz="UTC")
    >>> calls = (20 - 12 * np.cos(2 * np.pi * np.arange(6048) / 288)).astype(int)
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    >>> parts = cap.decompose(frame)
    >>> list(parts.components)
    ['max_concurrent', 'trend', 'daily', 'weekly', 'remainder', 'special']
    """

    _chart: ClassVar[str] = "decomposition"

    components: pd.DataFrame
    tz: str
    special_days: pd.DatetimeIndex
    left_out: tuple[str, ...] = ()

    @property
    def expected(self) -> pd.Series:
        """What trend and cycles make of each interval [calls, float32], back on the scale of the frame."""
        level = self.components["trend"] + self.components["daily"] + self.components["weekly"]
        return (level.clip(lower=0) ** 2 - np.float32(_ANSCOMBE)).clip(lower=0).rename("expected")

    def to_frame(self) -> pd.DataFrame:
        """Return the components."""
        return self.components.copy()

    def __str__(self) -> str:
        times = self.components.index.get_level_values("time")
        series = len(self.components.index.unique(level=1))
        text = (
            f"Decomposition of {series} series, {times.min():%Y-%m-%d %H:%M} to {times.max():%Y-%m-%d %H:%M} UTC, "
            f"{len(self.components):,} intervals, cycles in {self.tz}, {len(self.special_days)} special days"
        )
        return f"{text}, left out: {', '.join(self.left_out)}" if self.left_out else text


@usual_float_errors
def decompose(frame: pd.DataFrame, *, tz: str | dt.tzinfo = "UTC", holidays: HolidayLike = None) -> Decomposition:
    """Return every series split into trend, daily cycle, weekly cycle and remainder, robustly.

    On z = sqrt(calls + 3/8), which makes the spread of counts about the same at all levels (Anscombe 1948),
    z = trend + daily + weekly + remainder:

    * the trend is a local line through the daily levels, 29 days wide;
    * the cycles are what the slots of the local week are like on average over the nearest 25 weeks or so, nearer
      weeks more than farther ones, so they may change over the year;
    * ``daily`` is the mean over the weekdays, ``weekly`` what a weekday differs from it: at each slot of the day it
      sums to 0 over a week. A harmonic that both periods share (k = 7 of the week is k = 1 of the day) is the day's;
    * outliers lose their weight (bisquare, at 6 median absolute remainders), after a first look at whole days against
      the median of their weekday over nine weeks: up to four weeks of outage in a row bend nothing.

    The slots are those of the local clock: where it is set back, two intervals share a slot, and where it is set
    forward, none has it. Missing intervals are not filled in.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose days and weeks are meant.
    holidays : str or iterable of dates, optional
        A country code ("GB", "US-CA") or local dates. These days are not fitted: their remainder is the effect of the
        holiday.

    Returns
    -------
    Decomposition

    Raises
    ------
    InsufficientData
        No series has two of every weekday with at least half their intervals each.
    ConfigError
        No such time zone, or no such country code.

    See Also
    --------
    capacity.seasonal_strength, capacity.weekly_profile, capacity.Decomposition

    References
    ----------
    Cleveland, Cleveland, McRae, Terpenning (1990), STL, Journal of Official Statistics 6, 3-73.
    Bandara, Hyndman, Bergmeir (2021), MSTL, arXiv:2107.13462.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-06-01", periods=28 * 288, freq="5min", tz="UTC")
    >>> calls = np.where((times.hour >= 8) & (times.hour < 18) & (times.day_of_week < 5), 40, 2)
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    >>> parts = cap.decompose(frame)
    >>> print(parts)
    Decomposition of 1 series, 2026-06-01 00:00 to 2026-06-28 23:55 UTC, 8,064 intervals, cycles in UTC, 0 special days
    >>> print(parts.expected.iloc[144].round(), parts.expected.iloc[-144].round())  # Monday and Sunday at noon
    40.0 2.0
    """
    cells = dense(frame)
    present = cells.values >= 0
    parts = np.zeros((len(_PARTS), *cells.values.shape), dtype=np.float32)
    special = np.zeros(len(cells.times), dtype=bool)
    seen = pd.DatetimeIndex([], dtype="datetime64[ns]")
    for found in _series(frame, tz, holidays):
        for part, values in zip(parts, (*found.cycles, found.remainder), strict=True):
            part[found.rows, found.column] = values
        special[found.rows] |= found.special
        seen = seen.union(found.special_days)
        present[:, found.column] &= found.enough
    left_out = tuple(label for k, label in enumerate(cells.ids) if not present[:, k].any())
    if not present.any():
        raise InsufficientData(_too_short("decompose", len(frame), cells.ids))
    return Decomposition(
        components=_components(frame, parts, special, present), tz=str(tz), special_days=seen, left_out=left_out
    )


@usual_float_errors
def seasonal_strength(
    frame: pd.DataFrame, *, tz: str | dt.tzinfo = "UTC", holidays: HolidayLike = None
) -> pd.DataFrame:
    """Return how strong the daily and the weekly cycle of every series are, from 0 (no cycle) to 1 (a cycle alone).

    F = max(0, 1 - Var(R) / Var(S + R)), with R the remainder and S one part of `decompose`, on sqrt(calls + 3/8).

    Two things inflate it. Nights full of zeros follow the cycle exactly: compare the columns ``..._in_use``,
    which count only intervals with at least half a call expected. And over few weeks a fitted cycle follows the
    noise: ``noise`` is the weekly strength that a series without any cycle would show.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose days and weeks are meant.
    holidays : str or iterable of dates, optional
        As in `decompose`; these days are left out of the variances.

    Returns
    -------
    DataFrame
        Indexed by variant: ``daily``, ``weekly``, ``trend``, ``daily_in_use``, ``weekly_in_use``, ``noise`` (each
        from 0 to 1; NaN for a variant with too short a history, and in use for one that never is), ``in_use`` (the
        share of intervals), ``days`` (local days with data).

    Raises
    ------
    InsufficientData
        No series has two of every weekday with at least half their intervals each.
    ConfigError
        No such time zone, or no such country code.

    See Also
    --------
    capacity.decompose

    References
    ----------
    Wang, Smith, Hyndman (2006), Data Mining and Knowledge Discovery 13, 335-364.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-06-01", periods=56 * 288, freq="5min", tz="UTC")
    >>> calls = np.where(times.hour >= 12, 40, 20)
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    >>> cap.seasonal_strength(frame).loc[cap.TOTAL, ["daily", "weekly"]].tolist()
    [1.0, 0.0]
    """
    rows = {found.label: _strength(found) for found in _series(frame, tz, holidays)}
    if all(np.isnan(row.daily) for row in rows.values()):
        raise InsufficientData(_too_short("seasonal_strength", len(frame), list(rows)))
    labels = pd.Index(list(rows), dtype=frame.index.levels[1].dtype, name=slice_name(frame))
    return pd.DataFrame(list(rows.values()), index=labels)


class _Found(NamedTuple):
    label: str
    column: int
    rows: npt.NDArray[np.bool_]  # of the times, those at which the series has a value
    enough: bool
    cycles: tuple[npt.NDArray[np.float64], ...]  # trend, daily, weekly at those rows
    remainder: npt.NDArray[np.float64]
    special: npt.NDArray[np.bool_]
    special_days: pd.DatetimeIndex
    days: int
    weeks: int


class _Strength(NamedTuple):
    daily: float
    weekly: float
    trend: float
    daily_in_use: float
    weekly_in_use: float
    noise: float
    in_use: float
    days: int


def _series(frame: pd.DataFrame, tz: str | dt.tzinfo, holidays: HolidayLike) -> Iterator[_Found]:
    """Fit one series after the other: the memory of one is enough."""
    cells = dense(validate(frame))
    local = local_times(cells.times, tz)
    apart = special_days(holidays, local)
    for column, label in enumerate(cells.ids):
        counts = cells.values[:, column]
        rows = counts >= 0
        grid = week_grid(local[rows], SLOTS, apart)
        z = np.sqrt(counts[rows] + _ANSCOMBE)
        yield _fit(label, column, rows, grid, z)


def _fit(label: str, column: int, rows: npt.NDArray[np.bool_], grid: Grid, z: npt.NDArray[np.float64]) -> _Found:
    """Return the cycles of a series, all 0 where it is too short for them."""
    enough = grid.of_each_weekday(at_least=SLOTS // 2) >= _LEAST_OF_A_WEEKDAY
    rest = np.zeros(len(z))
    parts: tuple[npt.NDArray[np.float64], ...] = (rest,) * 3
    if enough:
        trend, daily, weekly = parts = tuple(grid.gather(part) for part in fit_cycles(grid.spread(z), grid.weight()))
        rest = z - trend - daily - weekly
    return _Found(label, column, rows, enough, parts, rest, grid.special, grid.special_days, grid.days, grid.weeks)


def _strength(found: _Found) -> _Strength:
    if not found.enough:
        return _Strength(**dict.fromkeys(_Strength._fields[:-1], float("nan")), days=found.days)
    trend, daily, weekly = (part[~found.special] for part in found.cycles)
    remainder = found.remainder[~found.special]
    used = (trend + daily + weekly) >= np.sqrt(_IN_USE + _ANSCOMBE)
    return _Strength(
        daily=_share(daily, remainder),
        weekly=_share(weekly, remainder),
        trend=_share(trend, remainder),
        daily_in_use=_share(daily[used], remainder[used]) if used.any() else np.nan,
        weekly_in_use=_share(weekly[used], remainder[used]) if used.any() else np.nan,
        noise=leverage(found.weeks),
        in_use=float(used.mean()),
        days=found.days,
    )


def _share(season: npt.NDArray[np.float64], remainder: npt.NDArray[np.float64]) -> float:
    whole = float(np.var(season + remainder))
    # A series that never moves has no cycle; what rounding leaves of it is none either.
    return max(0.0, 1.0 - float(np.var(remainder)) / whole) if whole > 1e-12 else 0.0


def _components(
    frame: pd.DataFrame, parts: npt.NDArray[np.float32], special: npt.NDArray[np.bool_], present: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Put the matrices back into the order of the frame, which is theirs: by time, then by variant."""
    cells = dense(frame)
    kept = trim(frame[present[cells.values >= 0]]).index
    columns: dict[str, npt.NDArray[Any]] = {"max_concurrent": cells.values[present]}
    columns |= {name: part[present] for name, part in zip(_PARTS, parts, strict=True)}
    columns["special"] = np.broadcast_to(special[:, None], present.shape)[present]
    return pd.DataFrame(columns, index=kept)


def _too_short(what: str, rows: int, labels: list[str]) -> str:
    if rows == 0:
        return f"{what} needs two of every weekday; the frame is empty"
    some = ", ".join(repr(label) for label in labels[:3]) + (", ..." if len(labels) > 3 else "")
    return (
        f"{what} needs two of every weekday (14 local days, special days not counted) with at least half of their "
        f"intervals; none of {some} has them: give a longer range"
    )
