"""From daily peaks to simulated futures (sample paths) of the peaks to come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.forecast_notes import regime_notes
from capacity.errors import InsufficientData
from capacity.forecast.engine import sample_paths
from capacity.forecast.history import History, as_history
from capacity.forecast.paths import PeakForecast
from capacity.forecast.regime import Regime
from capacity.forecast.settings import ForecastSettings
from capacity.ground.arguments import as_horizon, as_seed, as_whole, check_kind, whole_of
from capacity.ground.arrays import Floats
from capacity.ground.floats import usual_float_errors
from capacity.ground.holidays import HolidayLike, holiday_dates
from capacity.ground.licences import LicenceLike, Licences, as_licences
from capacity.stats.censoring import uncensor

_WORLDS = 4  # draws of the demand behind the cap, each with its share of the paths


@usual_float_errors
def forecast_peaks(
    peaks: pd.DataFrame | pd.Series,
    horizon: int,
    *,
    seed: int,
    holidays: HolidayLike = None,
    licences: LicenceLike | None = None,
    exclude: Iterable[Any] | None = None,
    paths: int = 2000,
    settings: ForecastSettings | None = None,
) -> PeakForecast:
    """Return a forecast of daily peaks as simulated futures (sample paths), for the total and every variant.

    Parameters
    ----------
    peaks : DataFrame or Series
        What `capacity.daily_peaks` returns; or one Series of peaks [calls] with a daily DatetimeIndex (naive local
        midnights), which becomes TOTAL. Incomplete days are left out and counted (where most days lack a few
        intervals, those with 98% of them are used, and a note says so); missing days stay missing.
    horizon : int
        Days to forecast, 1 to 365, from the day after the last row on. An incomplete last day counts as not over: it is
        then the first day of the forecast.
    seed : int
        Seed of the simulation; the same seed gives the same paths.
    holidays : str or iterable of dates, optional
        A country code ("GB", "US-CA"), or the dates, those ahead included. By default no day is a holiday.
    licences : int, str, mapping or Series of date -> count, or Licences, optional
        The licences under which the history was seen. A peak at them then counts as "at least so many" (censored), and
        the forecast is of demand, which may lie above them. They hold for TOTAL, or for the only series; the calls
        that TOTAL lost are shared out to the variants in proportion to their calls.
    exclude : iterable of dates, optional
        Dates excluded from fitting, such as incidents.
    paths : int, default 2000
        Number of sample paths.
    settings : ForecastSettings, optional
        Constants of the method; by default those that the benchmarks set.

    Returns
    -------
    PeakForecast
        `.paths` has shape (variants, paths, days) and holds whole numbers [calls]. `.left_out` counts incomplete and
        excluded days, `.too_short` names variants with less than eight weeks of history, `.notes` says what of the
        history was not fitted as it came.

    Raises
    ------
    ConfigError
        A horizon outside 1 to 365, fewer than 1 path, or holidays, licences or days that cannot be read.
    FrameError
        `peaks` is not a table of daily peaks, or holds one that is negative, infinite or above 100 million.
    InsufficientData
        Less than eight weeks of history; or fewer than 14 days on which TOTAL was below the licences.

    See Also
    --------
    capacity.daily_peaks, capacity.headroom, capacity.licences_needed, capacity.backtest

    Notes
    -----
    Each path is of one of three kinds, in the proportions that would have lost least (pinball loss) at past dates:

    1. calendar effects (weekday, holiday, bridge day, Christmas week), plus moving averages of the level, of which the
       fast ones fade with the days ahead, plus growth (and, from fourteen months of history on, 30% of the other change
       of level at this time of the year before), plus the whole error vector of one past forecast, so that the days of
       a path are as alike as they were in the past; the slow part of the error is widened by Student's t, since a short
       history holds few stretches as long as the lead;
    2. weeks of the last half year as they were, moved by the growth since, their holidays replaced by those ahead;
    3. from fourteen months of history on, the weeks around one and two years ago, the same week of last year most
       often, moved by the growth and most of the other change of level since.

    Growth is the slope of a Gaussian model of the level (a random walk, a season, a slope that decays), as it could
    have been known at each past date; it is 0 where the evidence is weak. Zeros from before the first call, the level
    before a jump that came once and stayed, days before a weekday opened and a single absurd day are not fitted as they
    came: `.notes` names them. A weekday stays at 0 where it was seen without calls in its last eight weeks, or never
    reported. Within the first year nothing is known of the season: limits are wide, and still too narrow where it is
    strong. The first days of a long forecast are distributed as those of a short one. With `licences` the demand behind
    the cap is drawn four times.

    References
    ----------
    R. J. Hyndman and S. Fan, "Density forecasting for long-term peak electricity demand", IEEE Transactions on Power
    Systems 25 (2010): paths from bootstrapped errors. J. Tobin, "Estimation of relationships for limited dependent
    variables", Econometrica 26 (1958): censoring.

    Examples
    --------
    >>> import capacity as cap
    >>> days = pd.date_range("2026-01-01", periods=120)
    >>> peaks = pd.Series(np.where(days.day_of_week < 5, 100, 20), index=days)
    >>> forecast = cap.forecast_peaks(peaks, 7, seed=1)
    >>> forecast.quantiles(0.5).xs("*", level=1)[0.5].tolist()
    [100, 20, 20, 100, 100, 100, 100]
    """
    horizon, seed = as_horizon(horizon), as_seed(seed)
    paths = as_whole(paths, "paths", least=1, most=1_000_000)
    if settings is not None:
        check_kind(settings, ForecastSettings, "settings", made_by="capacity.ForecastSettings()")
    history = as_history(peaks, exclude=exclude)
    first = history.dates[-1] + pd.Timedelta(days=1)
    dates = pd.date_range(first, periods=horizon, freq="D", unit="ns")
    days_off = holiday_dates(holidays, range(history.dates[0].year - 1, dates[-1].year + 2), warn=True)
    cap = None if licences is None else as_licences(licences)
    chosen = settings or ForecastSettings()

    again = partial(_drawn, history, cap, horizon, days_off, seed, paths, chosen)
    drawn, regimes = again(np.zeros(history.values.shape))
    return PeakForecast(
        paths=drawn,
        variants=history.variants,
        dates=dates,
        history=history.to_frame(),
        licences=cap,
        left_out=history.left_out,
        slice_name=history.slice_name,
        too_short=history.too_short,
        seed=seed,
        notes=(*history.notes, *regime_notes(history, regimes)),
        _again=partial(_paths, again),
    )


def _paths(
    again: Callable[[Floats], tuple[npt.NDArray[np.int32], list[Regime]]], more: Floats
) -> npt.NDArray[np.int32]:
    """Return the paths of the history with `more` calls on each day; a function that can be sent elsewhere."""
    return again(more)[0]


def _drawn(
    history: History,
    cap: Licences | None,
    horizon: int,
    days_off: pd.DatetimeIndex,
    seed: int,
    paths: int,
    settings: ForecastSettings,
    more: Floats,
) -> tuple[npt.NDArray[np.int32], list[Regime]]:
    """Return paths of the demand, of a history with `more` calls, shape (days, variants), and how it was read."""

    def ahead(values: Floats, seed: int, count: int) -> tuple[npt.NDArray[np.int32], list[Regime]]:
        return sample_paths(
            values + more,
            history.dates,
            horizon,
            holidays=days_off,
            seed=seed,
            paths=count,
            settings=settings,
            reported=history.reported,
        )

    if cap is None or not _reached(history, cap).any():
        return ahead(history.values, seed, paths)
    shares = np.diff(np.linspace(0, paths, min(_WORLDS, paths) + 1).astype(int))
    worlds = np.random.SeedSequence(seed).generate_state(len(shares))  # seed + 1 would share all but one with seed
    parts = [
        ahead(_demand(history, cap, int(world)), int(world), int(share))
        for world, share in zip(worlds, shares, strict=True)
    ]
    return np.concatenate([part for part, _ in parts], axis=1), parts[0][1]


def _reached(history: History, licences: Licences) -> npt.NDArray[np.bool_]:
    """Return which days of which series reached the licences, shape (days, variants); of all calls where known."""
    reached = np.asarray(history.values >= licences.on(history.dates)[:, None])
    whole = whole_of(history.variants)
    if whole is not None:  # licences hold for all calls together: a variant never reaches them by itself
        reached &= np.array(history.variants) == whole
    return reached


def _demand(history: History, licences: Licences, world: int) -> Floats:
    """Return the history with what was capped replaced by what the demand may have been: one possible world.

    What TOTAL was turned away on a day is shared out to the variants in proportion to the calls they had. Taken as
    "at least" for themselves they would be too high, by a seventh with a third of the days at the licences: hardly
    any variant is at its own peak just while TOTAL is full.
    """
    values = history.values.copy()
    caps = licences.on(history.dates).astype(np.float64)
    reached = _reached(history, licences)
    whole = whole_of(history.variants)
    for place in np.flatnonzero(reached.any(axis=0)):
        try:
            values[:, place] = uncensor(values[:, place], caps, seed=[world, int(place), 1])
        except InsufficientData:
            if whole is not None:
                raise
            # Of variants without TOTAL, one that was hardly ever free stays as it was seen.
    if whole is None:
        return values
    total = history.variants.index(whole)
    full = np.flatnonzero(reached[:, total])
    more = values[full, total] / np.maximum(history.values[full, total], 1.0)
    others = np.flatnonzero(np.arange(values.shape[1]) != total)
    values[np.ix_(full, others)] = np.rint(values[np.ix_(full, others)] * more[:, None])
    return values
