"""A year of calls, from a load or from sample paths of daily peaks: what it loses with each count of licences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.costing.billing import Rule, held_level
from capacity.analysis.costing.busy_day import BusyDay
from capacity.errors import ConfigError, InsufficientData
from capacity.forecast.paths import PeakForecast
from capacity.ground.arguments import pick
from capacity.ground.arrays import Floats
from capacity.stats.erlang import log_erlang_b

__all__ = ["LoadYear", "PathYear", "Year", "loads_of"]

_DAYS_A_YEAR = 365.25
_DAY = 288  # intervals
_INTERVALS_A_YEAR = _DAY * _DAYS_A_YEAR
_MONTH = 30  # days, in which a forecast's bills are counted
_BILLED_PATHS = 400
_BIN = 0.002  # of sqrt(load)


class Year:
    """What a year's calls do with each count of licences."""

    top: int
    basis: str
    highest: npt.NDArray[np.int64]

    def lost(self, channels: npt.NDArray[np.int64]) -> Floats:
        """Return lost calls a year, shape (counts, paths)."""
        raise NotImplementedError

    def billed(self, channels: npt.NDArray[np.int64]) -> Floats:
        """Return the channels paid for, on average over months and paths, shape (counts,)."""
        return channels.astype(np.float64)


class LoadYear(Year):
    """Intervals whose load is known."""

    def __init__(self, loads: Floats, turn: float) -> None:
        # Loads within 0.002 of each other in sqrt(Erlang) are counted as one.
        place, count = np.unique(np.rint(np.sqrt(loads) / _BIN), return_counts=True)
        self.loads: Floats = np.square(place * _BIN)
        self.calls = self.loads * turn * count * (_INTERVALS_A_YEAR / len(loads))
        self.top = int(loads.max() + 8.0 * np.sqrt(loads.max())) + 5
        self.highest = np.empty(0, dtype=np.int64)
        self.basis = f"from the load of {len(loads):,} intervals, scaled to a year"

    def lost(self, channels: npt.NDArray[np.int64]) -> Floats:  # noqa: D102 - as the base says
        b = np.exp(log_erlang_b(channels[:, None].astype(np.float64), self.loads[None, :]))
        return np.asarray((b @ self.calls)[:, None])


class PathYear(Year):
    """Paths of daily peaks, each day running like one shape."""

    def __init__(self, forecast: PeakForecast, turn: float, shape: Floats, variant: str | None, rule: Rule) -> None:
        peaks = forecast.series(variant).astype(np.float64)
        self.top = int(peaks.max() + 5.0 * np.sqrt(peaks.max())) + 5
        self.day = BusyDay.up_to(float(peaks.max()), turn, shape)
        loads = self.day.load(self.day.without_chance(peaks))
        self.count = self.day.days(loads) * (_DAYS_A_YEAR / peaks.shape[1])
        self.highest = np.sort(peaks.max(axis=1)).astype(np.int64)
        if rule != "licences" and peaks.shape[1] < _MONTH:
            raise ConfigError(
                f"billing={rule!r} counts months, and the forecast is of {peaks.shape[1]} days; "
                f"forecast at least {_MONTH}, or give 'licences'"
            )
        self.levels = None if rule == "licences" else _month_levels(self.day, peaks, loads, rule)
        self.basis = (
            f"from {peaks.shape[0]:,} paths of {peaks.shape[1]:,} days, scaled to a year, each day running like one "
            f"shape of {len(shape) / 12:g} hours"
        )

    def lost(self, channels: npt.NDArray[np.int64]) -> Floats:  # noqa: D102 - as the base says
        return np.asarray(self.day.loss(channels) @ self.count.T)

    def billed(self, channels: npt.NDArray[np.int64]) -> Floats:  # noqa: D102 - as the base says
        if self.levels is None:
            return channels.astype(np.float64)
        return np.asarray(np.minimum(self.levels.ravel()[None, :], channels[:, None]).mean(axis=1))


def _month_levels(day: BusyDay, peaks: Floats, loads: Floats, rule: Rule) -> Floats:
    """Return each path's billed level by month, were there no cap, shape (paths, months)."""
    days = peaks.shape[1] // _MONTH * _MONTH  # whole months: the highest of half a month is lower than that of a whole
    peaks, loads = peaks[:, :days], loads[:, :days]
    firsts = np.arange(0, days, _MONTH)
    if rule == "maximum":
        return np.asarray(np.maximum.reduceat(peaks, firsts, axis=1))
    some = loads[:: max(len(loads) // _BILLED_PATHS, 1)]
    levels = np.interp(np.sqrt(some)[:, :, None] * np.sqrt(day.shape), day.grid, day.interval_peak)
    if rule == "held":
        return np.asarray(np.maximum.reduceat(held_level(levels), firsts, axis=1))
    ends = [*firsts[1:], days]
    out = []
    for first, end in zip(firsts, ends, strict=True):  # over months
        month = np.sort(levels[:, first:end].reshape(len(some), -1), axis=1)
        above = int((end - first) * _DAY * 0.05)  # intervals of the whole day, nights too, that lie above
        out.append(month[:, -1 - above] if above < month.shape[1] else np.zeros(len(some)))
    return np.stack(out, axis=1)


def loads_of(demand: pd.DataFrame | pd.Series, variant: str | None) -> Floats:
    """Return the loads [Erlang] of a frame of offered_load or of a Series, NaN left out."""
    series = demand
    if isinstance(demand, pd.DataFrame):
        if "offered_load" not in demand.columns:
            raise ConfigError(f"demand has no column offered_load, but {[str(c) for c in demand.columns]}")
        series = demand["offered_load"]
        if isinstance(series.index, pd.MultiIndex):
            held = series.index.get_level_values(-1)
            ids = [str(i) for i in held.unique()]
            if variant is not None or ids:
                series = series[held == pick(ids, variant, where="the load", slice_name=str(series.index.names[-1]))]
    if not isinstance(series, pd.Series):
        raise ConfigError("demand is neither a forecast, nor a frame of offered_load, nor a Series of loads")
    loads = series.dropna().to_numpy(dtype=np.float64)
    if len(loads) == 0:
        raise InsufficientData("the cost needs at least one interval's load and has none")
    if not bool((np.isfinite(loads) & (loads >= 0)).all()):
        raise ConfigError(f"a load is {loads[~(np.isfinite(loads) & (loads >= 0))][0]}; loads are at least 0 [Erlang]")
    return np.asarray(loads)
