"""Forecasts from every past origin and their errors: effects, levels that fade at their own pace, and the season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.forecast.effects import Effects
from capacity.forecast.season import seasonal_change
from capacity.forecast.smooth import running_mean
from capacity.ground.arrays import Floats, Ints

__all__ = ["Rolling", "roll"]

_HALF_LIVES = (2.0, 5.0, 12.0, 40.0, 120.0, 400.0)  # days
_FADE = 40.0  # a level's excess over the next slower one fades with a time of 40 half-lives
_MOST_ORIGINS = 260
_FIRST = 28  # days before the first origin


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
    """

    origins: Ints
    forecast: Floats
    errors: Floats


def roll(z: Floats, effects: Effects, X: Floats, horizon: int) -> Rolling:
    """Forecast from up to 260 origins of the past and from the end.

    The forecast at lead h is effects + slowest level + sum over j of exp(-h / (40 half_life_j)) (L_j - L_{j+1}),
    plus what the season is expected to change.

    Parameters
    ----------
    z : array, shape (days,)
        NaN where missing.
    X : array, shape (days + horizon, features)
    """
    days = len(z)
    step = max(1, -(-(days - _FIRST) // _MOST_ORIGINS))
    origins = np.arange(days, _FIRST - 1, -step)[::-1]
    beta = effects.at(origins)
    levels = _levels(z, effects, X, origins, beta)
    lead = np.arange(1, horizon + 1)
    fade = np.exp(-lead / (_FADE * np.array(_HALF_LIVES[:-1])[:, None]))  # (levels - 1, horizon)
    target = origins[:, None] + lead - 1
    effect = np.take_along_axis(beta @ X.T, target, axis=1)
    forecast = effect + levels[-1][:, None] + (levels[:-1] - levels[1:]).T @ fade
    plain = np.where(np.isfinite(z), effects.clean - X[:days] @ effects.beta[-1], np.nan)
    forecast += seasonal_change(plain, origins, horizon)
    ahead = np.concatenate([z, np.full(horizon, np.nan)])
    return Rolling(origins=origins, forecast=forecast, errors=ahead[target] - forecast)


def _levels(z: Floats, effects: Effects, X: Floats, origins: Ints, beta: Floats) -> Floats:
    """Return what the effects known at each origin leave, averaged, shape (half-lives, origins)."""
    both = np.concatenate([effects.clean[:, None], X[: len(z)]], axis=1)
    weight = np.isfinite(z).astype(np.float64)
    out = []
    for half_life in _HALF_LIVES:
        mean = running_mean(both, weight, half_life)[origins - 1]
        out.append(mean[:, 0] - np.einsum("ij,ij->i", mean[:, 1:], beta))
    return np.stack(out)
