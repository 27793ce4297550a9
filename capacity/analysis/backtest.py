"""How often the forecast was right on this very history: rolling origins, beside two plain baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from capacity.analysis.forecast import forecast_peaks
from capacity.errors import ConfigError, InsufficientData
from capacity.forecast.baselines import seasonal_naive, weekday_average
from capacity.forecast.history import MIN_DAYS, as_history
from capacity.forecast.scores import FAN, Scorer
from capacity.ground.arguments import as_horizon, as_seed, as_whole, pick
from capacity.ground.arrays import Floats
from capacity.ground.frame import TOTAL
from capacity.ground.holidays import HolidayLike, as_holidays
from capacity.ground.licences import LicenceLike, as_licences
from capacity.ground.result import Result
from capacity.ground.text import html_of, plural

__all__ = ["Backtest", "backtest"]

OURS = "ours"
_ORIGINS = 20
_FANS = 4
_YEAR = 365  # days: what the past maximum is taken over


@dataclass(frozen=True, eq=False, repr=False)
class Backtest(Result):
    """Scores of past forecasts, each made with nothing but what was known at its origin.

    Attributes
    ----------
    scores : DataFrame
        Index ``method`` ("ours", "weekday average", "seasonal naive"); columns: ``pinball`` [calls], mean quantile
        loss over q = 0.5, 0.8, 0.9, 0.95, 0.99 and all days; ``pinball_max`` [calls], that of the maximum over the
        horizon; ``brier``, of the chance of `breach`; ``coverage_50``, ``coverage_80``, ``coverage_95``, the share
        of days within the central range; ``kept_95``, the share of origins whose maximum stayed within the licences
        for 5 % risk.
    pit : array, shape (days,)
        Where each day fell in the distribution forecast for it: flat on 0..1 if that is right. Of ours.
    origins : DatetimeIndex
        The last day that each forecast knew. Their horizons overlap where they are closer than `horizon` days.
    horizon : int
        Days ahead.
    forecasts : DataFrame
        A few past fans beside what came: index (``origin``, ``date``), columns p5, p10, p25, p50, p75, p90, p95 and
        ``actual`` [calls] (NaN where missing).
    breach : str
        Which event the Brier score is of.
    variant : str
        Whose peaks they are.

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2025-01-06", periods=140, freq="D")
    >>> peaks = pd.Series(60 + np.arange(140) % 7 + np.arange(140) % 5, dates)
    >>> found = cap.backtest(peaks, 14, seed=1, origins=3)
    >>> found.horizon, list(found.scores.index)
    (14, ['ours', 'weekday average', 'seasonal naive'])
    """

    _chart: ClassVar[str] = "coverage_of"

    scores: pd.DataFrame
    pit: Floats
    origins: pd.DatetimeIndex
    horizon: int
    forecasts: pd.DataFrame
    breach: str
    variant: str = TOTAL

    def to_frame(self) -> pd.DataFrame:
        """Return the scores by method."""
        return self.scores.copy()

    def sentence(self) -> str:
        """Say it in plain words."""
        ours, many = self.scores.loc[OURS], len(self.origins)
        kept = round(float(ours["kept_95"]) * many)
        ratios = [
            f"{ours['pinball'] / row['pinball']:.2f} of that of the {method}"
            for method, row in self.scores.drop(index=OURS).iterrows()
            if row["pinball"] > 0
        ]
        loss = f" Loss: {', '.join(ratios)}." if ratios else ""
        return (
            f"Tried on {plural(many, 'past date')}, {plural(self.horizon, 'day')} ahead: "
            f"{100 * ours['coverage_80']:.0f} % of days fell within the central 80 % range; the licences for 5 % risk "
            f"held in {kept} of {many}.{loss}"
        )

    def __str__(self) -> str:
        return self.sentence()

    def _table(self) -> str:
        return html_of(self.sentence(), self.scores.round(3))


def backtest(
    peaks: pd.DataFrame | pd.Series,
    horizon: int,
    *,
    seed: int,
    origins: int | Iterable[Any] | None = None,
    holidays: HolidayLike = None,
    licences: LicenceLike | None = None,
    exclude: Iterable[Any] | None = None,
    variant: str | None = None,
    paths: int = 500,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Forecast from past days and compare with what came.

    Every method makes sample paths, so that all of them can be asked about periods. The baselines are the weekday
    average (weeks drawn whole from the last eight) and the seasonal naive (last week, plus its own past week-on-week
    changes). Where `licences` are given, forecasts are of demand but what came could not pass them: then
    min(demand, licences) is scored.

    Parameters
    ----------
    peaks : DataFrame or Series
        As for `capacity.forecast_peaks`.
    horizon : int
        Days ahead.
    seed : int
        Of all that is drawn.
    origins : int or iterable of dates, optional
        How many origins (spread evenly), or the last day that each forecast may know. By default 20, or as many as
        there are days for.
    holidays, licences, exclude
        As for `capacity.forecast_peaks`. The Brier score is then of reaching the licences, and else of passing
        the past year's highest peak.
    variant : str, optional
        By default TOTAL, or the only one.
    paths : int
        Sample paths of each forecast.
    progress : callable, optional
        Called with (done, total) after each origin.

    Returns
    -------
    Backtest

    Raises
    ------
    InsufficientData
        Less than eight weeks and `horizon` days of history.
    ConfigError
        A horizon outside 1 to 365, a seed below 0, or origins that leave no history before them or nothing to compare
        after them.

    References
    ----------
    Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation", JASA 102.

    Examples
    --------
    >>> days = pd.date_range("2026-01-01", periods=120)
    >>> peaks = pd.Series(np.random.default_rng(1).poisson(np.where(days.day_of_week < 5, 100, 20)), index=days)
    >>> result = backtest(peaks, 14, origins=2, seed=1)
    >>> result.scores.index.tolist()
    ['ours', 'weekday average', 'seasonal naive']
    """
    horizon, seed = as_horizon(horizon), as_seed(seed)
    history = as_history(peaks, exclude=exclude)
    table = history.to_frame()
    name = pick(history.variants, variant, where="the history", slice_name=history.slice_name)
    y = table[name].loc[table[name].first_valid_index() :]
    places = _origins(y, horizon, origins)
    held = None if licences is None else as_licences(licences)
    caps = np.full(len(y), np.inf) if held is None else held.on(pd.DatetimeIndex(y.index)).astype(np.float64)
    scorer = Scorer(capped=held is not None, seed=seed)
    same: dict[str, Any] = {"seed": seed, "holidays": as_holidays(holidays), "licences": held, "paths": paths}
    shown = set(np.array(places)[np.linspace(0, len(places) - 1, _FANS).round().astype(int)].tolist())
    fans, used = [], []
    for done, at in enumerate(places, start=1):
        fan = _try(y, at, horizon, caps, scorer, same)
        if fan is not None:
            used.append(at)
            fans += [fan] if at in shown else []
        if progress is not None:
            progress(done, len(places))
    if not used:
        raise InsufficientData(
            f"none of the {len(places)} origins has enough days before it and a day seen in the {horizon} after it"
        )
    return Backtest(
        scores=scorer.table(),
        pit=scorer.pit(),
        origins=pd.DatetimeIndex(y.index)[np.array(used) - 1].rename("origin"),
        horizon=horizon,
        forecasts=pd.concat(fans) if fans else pd.DataFrame(columns=[*FAN, "actual"]),
        breach="a day at or above the licences" if held is not None else "a day above the past year's highest peak",
        variant=name,
    )


def _try(
    y: pd.Series, at: int, horizon: int, caps: Floats, scorer: Scorer, same: dict[str, Any]
) -> pd.DataFrame | None:
    """Score every method from the origin that knows `at` days; returns our fan, or None if it cannot be tried."""
    values, days = y.to_numpy(), pd.DatetimeIndex(y.index)
    truth, cap = values[at : at + horizon], caps[at : at + horizon]
    if not np.isfinite(truth).any():
        return None
    try:
        ours = forecast_peaks(y.iloc[:at], horizon, **same).series()
    except InsufficientData:  # too many gaps, or days at the cap, before this origin: others may fare better
        return None
    rng = np.random.default_rng([same["seed"], at])
    ways = {
        OURS: ours.astype(np.float64),
        "weekday average": weekday_average(values[:at], horizon, rng, same["paths"]),
        "seasonal naive": seasonal_naive(values[:at], horizon, rng, same["paths"]),
    }
    past = float(np.nanmax(values[max(0, at - _YEAR) : at]))
    quantiles = scorer.add({way: np.minimum(p, cap) for way, p in ways.items()}, truth, cap, past)
    index = pd.MultiIndex.from_product([days[at - 1 : at], days[at : at + horizon]], names=["origin", "date"])
    return pd.DataFrame(np.column_stack([quantiles.T, truth]), index=index, columns=[*FAN, "actual"])


def _origins(y: pd.Series, horizon: int, origins: int | Iterable[Any] | None) -> list[int]:
    """Return how many days each forecast may know."""
    first, last = MIN_DAYS, len(y) - horizon
    if last < first:
        raise InsufficientData(
            f"a back-test needs {MIN_DAYS} days (eight weeks) before and {horizon} days after an origin; there are "
            f"{len(y)} days. Take a shorter horizon"
        )
    if origins is None or isinstance(origins, (int, float, np.number)):
        count = _ORIGINS if origins is None else as_whole(origins, "origins", least=1, of="origins")
        # Half of the history teaches the first forecast, where there is enough of it.
        first = max(first, min(len(y) // 2, last - horizon))
        return sorted(set(np.linspace(last, first, count).round().astype(int).tolist()))
    days = pd.DatetimeIndex([pd.Timestamp(day) for day in origins]).as_unit("ns")
    places = pd.DatetimeIndex(y.index).get_indexer(days) + 1
    wrong = (places < first) | (places > last)
    if len(days) == 0 or wrong.any():
        which = f"{days[wrong][0]:%Y-%m-%d}" if len(days) else "none"
        raise ConfigError(
            f"origins: {which} is not between {y.index[first - 1]:%Y-%m-%d} and {y.index[last - 1]:%Y-%m-%d}, "
            f"with eight weeks before and {horizon} days after it"
        )
    return sorted(set(places.tolist()))
