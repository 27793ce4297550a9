"""Forecasts from every past origin and their errors: effects plus levels that fade at their own pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from capacity.analysis.forecasting.effects import Effects
from capacity.analysis.forecasting.smooth import running_mean

__all__ = ["PACES", "Pace", "Rolling", "roll"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

_MOST_ORIGINS = 260
_FIRST = 28  # days before the first origin


@dataclass(frozen=True)
class Pace:
    """How a forecast follows the level: by means of several half-lives, of which the faster ones fade with the lead.

    Attributes
    ----------
    half_lives : tuple of float
        Days, ascending.
    fade : float
        A level's excess over the next slower one fades with a time of `fade` half-lives.
    share : float
        Of the paths.
    """

    half_lives: tuple[float, ...]
    fade: float
    share: float


# One takes what was lately for what will be, the other for a passing cloud; together they are better than one between.
PACES = (Pace((4.0, 12.0, 40.0, 120.0, 400.0), 40.0, 0.6), Pace((400.0,), 2.0, 0.4))


@dataclass(frozen=True)
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


def roll(z: Floats, effects: Effects, X: Floats, horizon: int, pace: Pace) -> Rolling:
    """Forecast from up to 260 origins of the past and from the end.

    The forecast at lead h is effects + slowest level + sum over j of exp(-h / (fade half_life_j)) (L_j - L_{j+1}).

    Parameters
    ----------
    z : array, shape (days,)
        NaN where missing.
    X : array, shape (days + horizon, features)
    pace : Pace
    """
    days = len(z)
    step = max(1, -(-(days - _FIRST) // _MOST_ORIGINS))
    origins = np.arange(days, _FIRST - 1, -step)[::-1]
    beta = effects.at(origins)
    levels = _levels(z, effects, X, origins, beta, pace.half_lives)
    lead = np.arange(1, horizon + 1)
    fade = np.exp(-lead / (pace.fade * np.array(pace.half_lives[:-1])[:, None]))  # (levels - 1, horizon)
    target = origins[:, None] + lead - 1
    effect = np.take_along_axis(beta @ X.T, target, axis=1)
    forecast = effect + levels[-1][:, None] + (levels[:-1] - levels[1:]).T @ fade
    ahead = np.concatenate([z, np.full(horizon, np.nan)])
    return Rolling(origins=origins, forecast=forecast, errors=ahead[target] - forecast)


def _levels(
    z: Floats, effects: Effects, X: Floats, origins: Ints, beta: Floats, half_lives: tuple[float, ...]
) -> Floats:
    """Return what the effects known at each origin leave, averaged, shape (half-lives, origins)."""
    both = np.concatenate([effects.clean[:, None], X[: len(z)]], axis=1)
    weight = np.isfinite(z).astype(np.float64)
    out = []
    for half_life in half_lives:
        mean = running_mean(both, weight, half_life)[origins - 1]
        out.append(mean[:, 0] - np.einsum("ij,ij->i", mean[:, 1:], beta))
    return np.stack(out)
