"""Forecasts from every past origin and their errors: effects, levels that fade at their own pace, and the season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.forecast.effects import Effects
from capacity.forecast.growth import Growth, learn_growth
from capacity.forecast.season import seasonal_change
from capacity.forecast.settings import ForecastSettings
from capacity.forecast.smooth import running_mean
from capacity.ground.arrays import Floats, Ints

__all__ = ["Rolling", "roll"]


@dataclass(frozen=True, eq=False)
class Rolling:
    """Forecasts from past origins; the last origin is the end of the history.

    Attributes
    ----------
    origins : int array, shape (origins,)
        Days of history that each knew.
    forecast : array, shape (origins, horizon)
        On the link's scale.
    errors : array, shape (origins, horizon)
        What came, minus the forecast; NaN where missing or not yet.
    growth : Growth
        As known at each origin.
    """

    origins: Ints
    forecast: Floats
    errors: Floats
    growth: Growth


def roll(z: Floats, effects: Effects, X: Floats, horizon: int, unit: float, s: ForecastSettings) -> Rolling:
    """Forecast from past origins and from the end.

    The forecast at lead h is effects + slowest level + sum over j of exp(-h / (40 half_life_j)) (L_j - L_{j+1}),
    plus the growth that was known and what the season is expected to change. A level is as old as the days it is a
    mean of: it grows by slope x age.

    Parameters
    ----------
    z : array, shape (days,)
        NaN where missing.
    X : array, shape (days + horizon, features)
    unit : float
        What 100% of the level is on the link's scale.
    """
    days = len(z)
    step = max(1, -(-(days - s.month) // s.origins))
    origins = np.arange(days, s.month - 1, -step)[::-1]
    beta = effects.at(origins)
    plain = np.where(np.isfinite(z), effects.clean - X[:days] @ effects.beta[-1], np.nan)
    growth = learn_growth(plain, unit, origins, s)
    levels = _levels(z, effects, X, origins, beta, growth.now, s)
    lead = np.arange(1, horizon + 1)
    fade = np.exp(-lead / (s.fade * np.array(s.half_lives[:-1])[:, None]))  # (levels - 1, horizon)
    target = origins[:, None] + lead - 1
    effect = np.take_along_axis(beta @ X.T, target, axis=1)
    forecast = effect + levels[-1][:, None] + (levels[:-1] - levels[1:]).T @ fade
    forecast += seasonal_change(plain, origins, horizon, growth.now, s) + growth.ahead(lead)
    ahead = np.concatenate([z, np.full(horizon, np.nan)])
    return Rolling(origins=origins, forecast=forecast, errors=ahead[target] - forecast, growth=growth)


def _levels(
    z: Floats, effects: Effects, X: Floats, origins: Ints, beta: Floats, slope: Floats, s: ForecastSettings
) -> Floats:
    """Return what the effects known at each origin leave, averaged, shape (half-lives, origins)."""
    both = np.concatenate([effects.clean[:, None], X[: len(z)], np.arange(len(z))[:, None]], axis=1)
    weight = np.isfinite(z).astype(np.float64)
    out = []
    for half_life in s.half_lives:
        mean = running_mean(both, weight, half_life)[origins - 1]
        age = origins - 1 - mean[:, -1]
        out.append(mean[:, 0] - np.einsum("ij,ij->i", mean[:, 1:-1], beta) + slope * age)
    return np.stack(out)
