"""Sample paths of many series: the pieces put together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.forecast.calendar import Calendar, make_calendar
from capacity.forecast.effects import learn_effects
from capacity.forecast.errors import ErrorPool, error_atoms, make_error_pool
from capacity.forecast.levels import Rolling, roll
from capacity.forecast.link import choose_link
from capacity.forecast.mixture import learn_weights
from capacity.forecast.pools import Past, draw_weeks, draw_years, neighbour_gaps, week_atoms, year_atoms, year_lags
from capacity.forecast.regime import Regime, read_regime
from capacity.forecast.settings import ForecastSettings
from capacity.forecast.smooth import running_mean
from capacity.ground.arrays import Floats
from capacity.stats.robust import TO_SD

__all__ = ["sample_paths"]

_WEEKDAYS = 7  # the first columns of the calendar's features


def sample_paths(
    values: Floats,
    dates: pd.DatetimeIndex,
    horizon: int,
    *,
    holidays: pd.DatetimeIndex,
    seed: int,
    paths: int,
    settings: ForecastSettings,
    reported: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.int32], list[Regime]]:
    """Return sample paths of the days after a history.

    Parameters
    ----------
    values : array, shape (days, variants)
        Daily peaks [calls], NaN where missing; at least eight weeks of each variant.
    dates : DatetimeIndex
        The days, naive midnights, none left out.
    horizon, paths : int
    holidays : DatetimeIndex
        Naive midnights, those ahead included.
    seed : int
        Each variant draws from a stream of its own.
    settings : ForecastSettings
    reported : bool array, shape (days, variants), optional
        Where a peak was at hand, though it may have been left out; by default where there is a value.

    Returns
    -------
    paths : int array, shape (variants, paths, horizon)
        Daily peaks [calls], whole and never negative.
    regimes : list of Regime
        How the history of each variant was read; days are counted from the first of `dates`.
    """
    reported = np.isfinite(values) if reported is None else reported
    cut = max(0, len(values) - settings.memory)
    values, dates, reported = values[cut:], dates[cut:], reported[cut:]
    regimes = []
    drawn = max(horizon, settings.month)
    both = pd.date_range(dates[0], periods=len(dates) + drawn, freq="D", unit="ns")
    calendar = make_calendar(both, holidays)
    out = np.zeros((values.shape[1], paths, horizon), dtype=np.int32)
    for place in range(values.shape[1]):
        seen = np.isfinite(values[:, place])
        first = int(seen.argmax())  # a variant begins when it was first seen
        rng = np.random.default_rng([seed, place])
        found, regime = _one(
            values[first:, place], reported[first:, place], calendar.since(first), drawn, rng, paths, settings
        )
        out[place] = found[:, :horizon]
        regimes.append(regime.after(cut + first))
    return out, regimes


def _one(
    y: Floats,
    reported: npt.NDArray[np.bool_],
    calendar: Calendar,
    horizon: int,
    rng: np.random.Generator,
    count: int,
    s: ForecastSettings,
) -> tuple[Floats, Regime]:
    """Return paths of one series, shape (count, horizon), in whole calls, and how its history was read."""
    days = len(y)
    regime = read_regime(y, calendar.kind[:days], calendar.weekday[:days], reported, s)
    shut = regime.shut[calendar.weekday]
    seen, high = int(np.isfinite(y).sum()), y[regime.absurd]
    y = regime.y
    if not np.isfinite(y).any():
        return np.zeros((count, horizon)), regime
    link = choose_link(y, s)
    z = link.to_z(y)
    effects = learn_effects(z, calendar.X[:days], s, regime.opened)
    known = y[np.isfinite(y)]
    mean = float(known[-364:].mean())
    unit = mean * link.shift / (mean + link.shift) if link.shift else mean
    rolling = roll(z, effects, calendar.X, horizon, unit, s)
    pool = make_error_pool(rolling, calendar.kind, s, regime.wider(calendar.weekday[:days], s))
    past = _past(z, calendar.X[:, _WEEKDAYS:] @ effects.beta[-1, _WEEKDAYS:], rolling, s)
    back = _mean_reversion_weight(past.plain, s)
    weights = _weights(z, calendar, rolling, pool, past) * np.array([1.0, back, back])
    which = _pools(weights, horizon, rng.permutation(count), s)
    centre = rolling.forecast[-1]
    rows = [np.flatnonzero((which == k).any(axis=1)) for k in range(3)]
    found = centre + pool.draw(rng, count, calendar.kind[days:])
    drawn = draw_weeks(past, horizon, rng, len(rows[1])), draw_years(past, horizon, rng, len(rows[2]))
    for k, paths in zip((1, 2), drawn, strict=True):
        paths = np.where(np.isfinite(paths), paths, centre)
        found[rows[k]] = np.where(which[rows[k]] == k, paths, found[rows[k]])
    found = np.where(shut[days:], 0.0, link.to_y(found))
    if len(high):  # as often as it was seen
        again = rng.random(found.shape) < len(high) / seen
        found = np.where(again & ~shut[days:], np.maximum(found, rng.choice(high, size=found.shape)), found)
    return np.asarray(np.rint(found)), regime


def _pools(weights: Floats, horizon: int, rank: npt.NDArray[np.int64], s: ForecastSettings) -> npt.NDArray[np.int64]:
    """Return which pool each path is drawn from at each lead, shape (count, horizon).

    A path changes its pool from one stretch of leads to the next only where the weights do.
    """
    share = (rank + 0.5) / len(rank)
    ends = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    pool = (share[:, None, None] > ends[None, :, :2]).sum(axis=2)  # (count, stretches)
    stretch = np.searchsorted(s.pool_ends, np.arange(1, horizon + 1))
    return np.asarray(pool[:, np.minimum(stretch, len(weights) - 1)])


def _mean_reversion_weight(plain: Floats, s: ForecastSettings) -> float:
    """Return the weight of pools that return to past levels, from 0 to 1.

    It shrinks towards 0 when the level is more than `outlier` robust standard deviations from its long-run mean: it has
    then shifted, and weeks from before the shift say little.
    """
    seen = np.isfinite(plain)
    column, weight = np.where(seen, plain, 0.0)[:, None], seen.astype(np.float64)
    away = np.abs(running_mean(column, weight, s.effect_half_life) - running_mean(column, weight, s.half_lives[-1]))[
        s.month :, 0
    ]
    usual = TO_SD * float(np.median(away))
    return min(1.0, (s.outlier * usual / max(float(away[-1]), 1e-9)) ** 2)


def _past(z: Floats, special: Floats, rolling: Rolling, s: ForecastSettings) -> Past:
    plain = z - special[: len(z)]
    seen = np.isfinite(plain)
    level = running_mean(np.where(seen, plain, 0.0)[:, None], seen.astype(np.float64), s.effect_half_life)[:, 0]
    gap = neighbour_gaps(plain, s)
    return Past(plain=plain, gap=gap, special=special, level=level, growth=rolling.growth, origins=rolling.origins, s=s)


def _weights(z: Floats, calendar: Calendar, rolling: Rolling, pool: ErrorPool, past: Past) -> Floats:
    """Return how much of each pool in each stretch of leads, shape (stretches, 3).

    By what their mixtures would have lost at up to 40 past origins; a stretch that was never seen is as the one before.
    """
    s, days, horizon = pool.s, len(z), rolling.errors.shape[1]
    first = 7 * s.open_weeks
    prior = np.array(s.pool_prior)
    out: list[Floats] = []
    starts = [0, *(end for end in s.pool_ends if end < horizon)]
    for start, end in zip(starts, s.pool_ends, strict=False):
        rows = np.flatnonzero((rolling.origins >= first) & (rolling.origins < days - start))
        weights = out[-1] if out else prior
        if len(rows):
            rows = np.repeat(rows[np.unique(np.linspace(0, len(rows) - 1, s.pool_origins).astype(int))], s.pool_leads)
            # Leads by the golden ratio: spread evenly, and unlike from origin to origin.
            share = np.arange(len(rows)) * 0.6180339887 % 1.0
            longest = np.minimum(min(end, horizon), days - rolling.origins[rows])
            lead = start + (share * (longest - start)).astype(np.int64) + 1
            target = rolling.origins[rows] + lead - 1
            seen = np.isfinite(z[target])
            rows, lead, target = rows[seen], lead[seen], target[seen]
            origin = rolling.origins[rows]
            atoms = [
                error_atoms(pool, rolling, rows, lead, calendar.kind[target]),
                week_atoms(past, origin, lead),
                year_atoms(past, origin, lead),
            ]
            weights = learn_weights(z[target], atoms, (days - first - start) / s.month, s)
        out.append(weights)
    years = 1.0 if len(year_lags(days, s)) else 0.0
    return np.asarray(np.stack(out) * np.array([1.0, 1.0, years]))
