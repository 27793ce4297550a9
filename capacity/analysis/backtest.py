"""How often the forecast was right on this history: rolling origins, beside two simple baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
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
from capacity.ground.calendar import LONGEST
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import TOTAL
from capacity.ground.holidays import HolidayLike, as_holidays
from capacity.ground.licences import LicenceLike, as_licences
from capacity.ground.notes import Note
from capacity.ground.result import Result
from capacity.ground.text import html_of, plural
from capacity.ground.times import as_date

OURS = "ours"
_ORIGINS = 20
_FANS = 4
_FEW = 3  # windows without overlap: with fewer, a lean is chance
_LEAN = 0.05  # of the mean PIT from 1/2: less is no matter


@dataclass(frozen=True, eq=False, repr=False)
class Backtest(Result):
    """Scores of forecasts made from past dates (origins), each with only the days up to its date.

    Attributes
    ----------
    scores : DataFrame
        Index ``method`` ("ours", "weekday average", "seasonal naive"); columns: ``pinball`` [calls], mean quantile
        loss over q = 0.5, 0.8, 0.9, 0.95, 0.99 and all days, lower is better; ``pinball_max`` [calls], that of the
        maximum over the horizon; ``brier``, mean square error of the chance of `breach`; ``coverage_50``,
        ``coverage_80``, ``coverage_95``, the share of days within the central range of that size; ``kept_95``, the
        share of origins whose maximum stayed within the licences for 5% risk, 0.95 if they are right.
    pit : array, shape (days,)
        The forecast probability of a peak at or below the one that came, for each day of our forecasts: spread evenly
        over 0 to 1 if the forecasts are right.
    origins : DatetimeIndex
        The last day that each forecast knew. Their horizons overlap where they are closer than `horizon` days.
    horizon : int
        Days ahead.
    forecasts : DataFrame
        A few past fans beside what came: index (``origin``, ``date``), columns p5, p10, p25, p50, p75, p90, p95 and
        ``actual`` [calls] (NaN where missing).
    breach : str
        The event that the Brier score is of, in words.
    variant : str
        Id of the series.
    by_origin : DataFrame
        Index ``origin``; columns: ``limit`` [calls], the licences for 5% risk over the horizon as of that day;
        ``highest`` [calls], what came; ``kept``, whether the limit held; ``testable``, whether what came could have
        exceeded it (under a cap that lies at or below the limit it could not); ``pit``, the mean of `pit`.
    missed_days : DatetimeIndex
        The distinct days above the limit of a forecast made before them. Where horizons overlap, one such day is a
        miss of several origins.

    See Also
    --------
    capacity.backtest

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
    by_origin: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["limit", "highest", "kept", "pit"]))
    missed_days: pd.DatetimeIndex = field(default_factory=lambda: pd.DatetimeIndex([]))

    @property
    def windows(self) -> int:
        """How many of the horizons do not overlap: the number of independent trials."""
        count, free = 0, pd.Timestamp.min
        for origin in self.origins:
            if origin >= free:
                count, free = count + 1, origin + pd.Timedelta(days=self.horizon)
        return count

    @property
    def testable(self) -> bool:
        """Whether any limit could have been exceeded; False where all lay at or above the licences of their time."""
        return bool(self.by_origin["testable"].any()) if "testable" in self.by_origin else bool(len(self.origins))

    @property
    def bias(self) -> float:
        """Mean of the PIT minus 1/2: above 0 where forecasts were too low, between -1/2 and 1/2."""
        return float(np.mean(self.pit)) - 0.5 if len(self.pit) else 0.0

    @property
    def notes(self) -> tuple[Note, ...]:
        """Warnings: limits that could not be tested, and forecasts that were too low or too high.

        Forecasts are called too low or too high where the mean PIT is more than .05 from 1/2, and more than two
        standard errors, taken over windows that do not overlap.
        """
        if not self.testable:
            return (
                Note(
                    "The limits cannot be tested: all lay at or above the licences of their time, which calls cannot "
                    "exceed.",
                    field="backtest",
                    severity="warning",
                ),
            )
        return tuple(Note(text, field="backtest", severity="warning") for text in self._lean())

    def _lean(self) -> list[str]:
        if self.windows < _FEW or "pit" not in self.by_origin:
            return []
        bias = self.bias
        error = float(self.by_origin["pit"].astype(float).std()) / np.sqrt(self.windows)
        if abs(bias) <= max(_LEAN, 2 * error):
            return []
        side, other = ("low", "above") if bias > 0 else ("high", "below")
        return [
            f"Past forecasts were too {side}: {np.mean(self.pit > 0.5) if bias > 0 else np.mean(self.pit < 0.5):.0%} "
            f"of days came {other} the median, in {self.windows} windows that do not overlap."
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the scores by method."""
        return self.scores.copy()

    def sentence(self) -> str:
        """Return how often past forecasts were right, in words."""
        ours, many = self.scores.loc[OURS], len(self.origins)
        kept = round(float(ours["kept_95"]) * many)
        ratios = [
            f"{ours['pinball'] / row['pinball']:.2f} of that of the {method}"
            for method, row in self.scores.drop(index=OURS).iterrows()
            if row["pinball"] > 0
        ]
        loss = f" Loss: {', '.join(ratios)}." if ratios else ""
        apart = f" ({plural(self.windows, 'window')} without overlap)" if self.windows < many else ""
        return (
            f"Tried on {plural(many, 'past date')}, {plural(self.horizon, 'day')} ahead{apart}: "
            f"{ours['coverage_80']:.0%} of days fell within the central 80% range; {self._limits(kept)}.{loss}"
        )

    def _limits(self, kept: int) -> str:
        if not self.testable:
            return "the licences for 5% risk cannot be tested, since the licences of the time capped what came"
        days = f", exceeded on {plural(len(self.missed_days), 'day')}" if len(self.missed_days) else ""
        return f"the licences for 5% risk held in {kept} of {len(self.origins)}{days}"

    def __str__(self) -> str:
        return f"{self.sentence()}\n\n{self.scores.round(3).to_string()}"

    def _table(self) -> str:
        return html_of(self.sentence(), self.scores.round(3))


@usual_float_errors
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
    """Return how well forecasts made from past dates fit what came, beside two simple methods.

    Every method makes sample paths, so that all of them can be asked about periods. The baselines are the weekday
    average (weeks drawn whole from the last eight) and the seasonal naive (last week, plus its own past week-on-week
    changes). Where `licences` are given, forecasts are of demand, but what came could not exceed them: then
    min(demand, licences) is scored.

    Parameters
    ----------
    peaks : DataFrame or Series
        As for `capacity.forecast_peaks`.
    horizon : int
        Days ahead of each forecast, 1 to 365.
    seed : int
        Seed of the simulations; the same seed gives the same scores.
    origins : int or iterable of dates, optional
        How many origins (spread evenly over the second half of the history, where it is long enough), or the last day
        that each forecast may know. By default 20, or as many as there are days for.
    holidays, licences, exclude
        As for `capacity.forecast_peaks`. With `licences` the Brier score is of a day at or above them, otherwise of a
        day above the past year's highest peak.
    variant : str, optional
        Id of the series; by default TOTAL, or the only one.
    paths : int, default 500
        Number of sample paths of each forecast.
    progress : callable, optional
        Called with (origins done, origins in all) after each origin.

    Returns
    -------
    Backtest

    Raises
    ------
    InsufficientData
        Less than eight weeks and `horizon` days of history.
    ConfigError
        A horizon outside 1 to 365, a seed below 0, or origins that leave no history before them or nothing to compare
        after them; holidays, licences or days that cannot be read; no such variant.
    FrameError
        `peaks` is not a table of daily peaks.

    See Also
    --------
    capacity.forecast_peaks, capacity.Backtest

    References
    ----------
    Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation", JASA 102.

    Examples
    --------
    >>> import capacity as cap
    >>> days = pd.date_range("2026-01-01", periods=120)
    >>> peaks = pd.Series(np.random.default_rng(1).poisson(np.where(days.day_of_week < 5, 100, 20)), index=days)
    >>> result = cap.backtest(peaks, 14, origins=2, seed=1)
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
    days = pd.DatetimeIndex(y.index)
    known = days[np.array(used) - 1].rename("origin")
    above = [days[at : at + horizon][row] for at, row in zip(used, scorer.above, strict=True)]
    return Backtest(
        scores=scorer.table(),
        pit=scorer.pit(),
        origins=known,
        horizon=horizon,
        forecasts=pd.concat(fans) if fans else pd.DataFrame(columns=[*FAN, "actual"]),
        breach="a day at or above the licences" if held is not None else "a day above the past year's highest peak",
        variant=name,
        by_origin=pd.DataFrame(scorer.limits, index=known),
        missed_days=pd.DatetimeIndex(np.unique(np.concatenate(above))).rename("date"),
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
    past = float(np.nanmax(values[max(0, at - LONGEST) : at]))
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
    days = pd.DatetimeIndex([as_date(day, name="origins") for day in origins]).as_unit("ns")
    places = pd.DatetimeIndex(y.index).get_indexer(days) + 1
    wrong = (places < first) | (places > last)
    if len(days) == 0 or wrong.any():
        which = f"{days[wrong][0]:%Y-%m-%d}" if len(days) else "none"
        raise ConfigError(
            f"origins: {which} is not between {y.index[first - 1]:%Y-%m-%d} and {y.index[last - 1]:%Y-%m-%d}, "
            f"with eight weeks before and {horizon} days after it"
        )
    return sorted(set(places.tolist()))
