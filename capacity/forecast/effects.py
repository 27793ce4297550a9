"""Effects of the calendar, learned from innovations, as they could have been known at each week of the past."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter
from scipy.signal import lfilter

from capacity.forecast.settings import ForecastSettings
from capacity.forecast.smooth import running_mean
from capacity.ground.arrays import Floats
from capacity.stats.robust import robust_sd

__all__ = ["Effects", "learn_effects"]

_WEEK = 7


@dataclass(frozen=True, eq=False)
class Effects:
    """What the calendar does to a series.

    Attributes
    ----------
    beta : array, shape (weeks + 1, features)
        Row w holds the effects learned from the first w whole weeks (weeks end with the history); the last row from
        all of them.
    clean : array, shape (days,)
        The series with its outlying days clipped; 0 where missing.
    offset : int
        Days before the first whole week.
    """

    beta: Floats
    clean: Floats
    offset: int

    def at(self, origins: npt.NDArray[np.int64]) -> Floats:
        """Return what was known after the first `origins` days, shape (origins, features)."""
        return np.asarray(self.beta[np.maximum(origins - self.offset, 0) // _WEEK])


def learn_effects(z: Floats, X: Floats, s: ForecastSettings, opened: Collection[int] = ()) -> Effects:
    """Regress innovations of z on innovations of the features, discounted, with a ridge.

    Innovations are what is left of a series, and of each feature alike, after its own exponentially weighted mean of
    the days before; so a moving level does not pass for an effect. Days that lie far from what is around them are
    clipped first.

    Parameters
    ----------
    z : array, shape (days,)
        NaN where missing.
    X : array, shape (days, features)
    s : ForecastSettings
    opened : collection of int
        Weekdays whose level is new. Nothing was expected of it, and no past date could have known it: what is known now
        stands in all rows, or the surprise would pass for an error that comes again.
    """
    weight = np.isfinite(z).astype(np.float64)
    filled = np.where(weight > 0, z, 0.0)
    scale = max(float(filled[weight > 0].std()), 1e-9)
    prior = np.array(s.calendar_prior) * scale
    fresh = list(opened)
    prior[fresh] *= s.fresh
    u, U = _innovations(filled, weight, s), _innovations(X, weight, s)
    seen = weight > 0
    beta = _solve(u, U, prior, max(_mad(u[seen]), s.quiet * scale), s)
    clean = filled
    for _ in range(2):  # the first effects are learned with the outliers, and hide some of them
        clean = _clipped(filled, X @ beta[-1], seen, s) * weight
        u = _innovations(clean, weight, s)
        beta = _solve(u, U, prior, max(_mad((u - U @ beta[-1])[seen]), s.quiet * scale), s)
    beta[:, fresh] = beta[-1, fresh]
    return Effects(beta=beta, clean=clean, offset=len(z) % _WEEK)


def _clipped(z: Floats, effect: Floats, seen: npt.NDArray[np.bool_], s: ForecastSettings) -> Floats:
    """Return z with every day no further than `outlier` robust deviations from its effects and the median around it.

    A median, since a mean would be moved by the outlier, and the days after it would look like outliers to the other
    side.
    """
    days = np.arange(len(z))
    plain = np.interp(days, days[seen], (z - effect)[seen])
    rest = plain - median_filter(plain, s.slow + 1, mode="reflect")
    bound = s.outlier * max(_mad(rest[seen]), 1e-9)
    return np.asarray(z - rest + np.clip(rest, -bound, bound))


def _innovations(columns: Floats, weight: Floats, s: ForecastSettings) -> Floats:
    """Return what each day adds to the mean of the days before it; 0 where missing."""
    table = columns.reshape(len(columns), -1)
    mean = running_mean(table, weight, s.effect_half_life)
    before = np.concatenate([table[:1] * weight[0], mean[:-1]])
    return np.asarray(((table - before) * weight[:, None]).reshape(columns.shape))


def _solve(u: Floats, U: Floats, prior: Floats, noise: float, s: ForecastSettings) -> Floats:
    """Return the effects after each week, shape (weeks + 1, features)."""
    offset = len(u) % _WEEK
    weeks = len(u) // _WEEK
    features = U.shape[1]
    A = U[offset:].reshape(weeks, _WEEK, features)
    b = u[offset:].reshape(weeks, _WEEK, 1)
    At = A.transpose(0, 2, 1)
    sums = np.concatenate([At @ A, At @ b], axis=2)
    decay = 0.5 ** (_WEEK / s.effect_memory)
    sums = np.concatenate([np.zeros((1, features, features + 1)), lfilter([1.0], [1.0, -decay], sums, axis=0)])
    ridge = np.diag((noise / np.maximum(prior, 1e-9)) ** 2)
    return np.asarray(np.linalg.solve(sums[:, :, :-1] + ridge, sums[:, :, -1:])[:, :, 0])


def _mad(x: Floats) -> float:
    """Return a robust standard deviation."""
    if not len(x):
        return 0.0
    robust = robust_sd(x)
    return robust if robust > 0 else float(x.std())
