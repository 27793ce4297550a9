"""Effects of the calendar, learned from innovations, as they could have been known at each week of the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from capacity.analysis.forecasting.smooth import running_mean

__all__ = ["Effects", "learn_effects"]

Floats: TypeAlias = npt.NDArray[np.float64]

_HALF_LIVES = (4.0, 12.0, 40.0)  # days: how fast the level may move under the effects
_MEMORY = 300.0  # days: half-life of what is learned
_CLIP = 3.5  # robust standard deviations
_WEEK = 7


@dataclass(frozen=True)
class Effects:
    """What the calendar does to a series.

    Attributes
    ----------
    beta : array, shape (weeks + 1, features)
        Row w holds the effects learned from the first w whole weeks (weeks end with the history); the last row from
        all of them.
    clean : array, shape (days,)
        The series with its outlying innovations clipped; 0 where missing.
    offset : int
        Days before the first whole week.
    """

    beta: Floats
    clean: Floats
    offset: int

    def at(self, origins: npt.NDArray[np.int64]) -> Floats:
        """Return what was known after the first `origins` days, shape (origins, features)."""
        return np.asarray(self.beta[np.maximum(origins - self.offset, 0) // _WEEK])


def learn_effects(z: Floats, X: Floats, prior: Floats) -> Effects:
    """Regress innovations of z on innovations of the features, discounted, with a ridge.

    Innovations are what is left of a series, and of each feature alike, after its own exponentially weighted mean of
    the days before; so a moving level does not pass for an effect. The half-life of that mean is the one with the
    smallest error. Innovations beyond 3.5 robust standard deviations are clipped.

    Parameters
    ----------
    z : array, shape (days,)
        NaN where missing.
    X : array, shape (days, features)
    prior : array, shape (features,)
        Standard deviations of the effects, in units of the series' own.
    """
    weight = np.isfinite(z).astype(np.float64)
    filled = np.where(weight > 0, z, 0.0)
    scale = _spread(filled[weight > 0])
    best = None
    for half_life in _HALF_LIVES:
        found = _one(filled, X, weight, prior * scale, half_life)
        if best is None or found[0] < best[0]:
            best = found
    assert best is not None
    _, beta, clean = best
    return Effects(beta=beta, clean=clean, offset=len(z) % _WEEK)


def _one(z: Floats, X: Floats, weight: Floats, prior: Floats, half_life: float) -> tuple[float, Floats, Floats]:
    both = np.concatenate([z[:, None], X], axis=1)
    mean = running_mean(both, weight, half_life)
    before = np.concatenate([both[:1] * weight[0], mean[:-1]])
    change = (both - before) * weight[:, None]
    u, U = change[:, 0], change[:, 1:]
    seen = weight > 0
    beta = _solve(u, U, prior, max(_mad(u[seen]), 1e-9))
    rest = u - U @ beta[-1]
    bound = _CLIP * max(_mad(rest[seen]), 1e-9)
    excess = rest - np.clip(rest, -bound, bound)
    beta = _solve(u - excess, U, prior, bound / _CLIP)
    known = np.repeat(beta[:-1], _WEEK, axis=0)  # row of the week before: what each day could be forecast with
    offset = len(z) % _WEEK
    error = (u - excess)[offset:] - np.einsum("ij,ij->i", U[offset:], known)
    return float(np.abs(error[len(error) // 4 :]).sum()), beta, (z - excess) * weight


def _solve(u: Floats, U: Floats, prior: Floats, noise: float) -> Floats:
    """Return the effects after each week, shape (weeks + 1, features)."""
    offset = len(u) % _WEEK
    weeks = len(u) // _WEEK
    features = U.shape[1]
    A = U[offset:].reshape(weeks, _WEEK, features)
    b = u[offset:].reshape(weeks, _WEEK, 1)
    At = A.transpose(0, 2, 1)
    sums = np.concatenate([At @ A, At @ b], axis=2)
    decay = 0.5 ** (_WEEK / _MEMORY)
    sums = np.concatenate([np.zeros((1, features, features + 1)), lfilter([1.0], [1.0, -decay], sums, axis=0)])
    ridge = np.diag((noise / np.maximum(prior, 1e-9)) ** 2)
    return np.asarray(np.linalg.solve(sums[:, :, :-1] + ridge, sums[:, :, -1:])[:, :, 0])


def _mad(x: Floats) -> float:
    """Return a robust standard deviation."""
    if not len(x):
        return 0.0
    robust = 1.4826 * float(np.median(np.abs(x - np.median(x))))
    return robust if robust > 0 else float(x.std())


def _spread(x: Floats) -> float:
    return max(float(x.std()), 1e-9)
