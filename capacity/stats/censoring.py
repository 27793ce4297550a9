"""Demand behind a cap: what peaks would have been on the days that reached their licences.

A call that the licence turned away leaves no trace: on such a day the peak stands at exactly the licence, and all
that is known of the demand is that it was *at least* that. Deleting those days, or taking them at face value, both
bias low. Here they are **censored** observations (Tobin 1958, "Estimation of relationships for limited dependent
variables", Econometrica 26): log-likelihood = sum of log f(y) below the cap + sum of log P(Y >= cap) at it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtri_exp

from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arrays import Bools, Floats
from capacity.stats.robust import TO_SD

_MIN_BELOW = 14  # days below the cap
_KNOT = 14  # days between two knots of the level
_OUTLIER = 0.03  # share of days that follow no pattern: holidays, incidents
_POOL = 30.0  # days of common spread that a weekday's own spread is pooled with
_TRIAL, _STEPS = 30, 100  # EM steps before the link is chosen, and after
_ENOUGH = 0.003  # gain of log-likelihood below which a step is the last
_LOG_ROOT_TAU = 0.5 * np.log(2 * np.pi)


def at_cap(values: npt.ArrayLike, caps: npt.ArrayLike) -> Bools:
    """Return which days reached their cap, shape (days,): there the demand is only known to be at least that.

    Examples
    --------
    >>> at_cap([90, 100, float("nan")], [100, 100, 100])
    array([False,  True, False])
    """
    return np.asarray(np.asarray(values, dtype=np.float64) >= np.asarray(caps, dtype=np.float64))


def uncensor(values: npt.ArrayLike, caps: npt.ArrayLike, *, seed: int | Sequence[int]) -> Floats:
    """Replace the days at the cap by draws of the demand that may stand behind them.

    The demand is taken as normal, after the transform (none, square root or logarithm) that has the highest
    censored likelihood, around a slowly moving level plus the day of the week; each weekday has its own spread,
    pooled with the common one; a few days in a hundred may follow no pattern. Fitted by EM; each day at the cap then
    gets one draw from its own normal above the cap, so that the quantiles of the result, and not only its mean, are
    those of demand.

    In simulations of two years with a fifth of the days at the cap, the median to the 95% quantile of demand came back
    within 2% (root mean square; of 99% within 4%), where the clipped peaks missed by up to 14 and 22%. With three
    fifths at the cap it was 4 to 10%, on the low side, and with three quarters it was too low by a fifth.

    Parameters
    ----------
    values : array of float, shape (days,)
        Daily peaks [calls], one a day without jumps in the calendar; NaN where a day is missing.
    caps : array of float, shape (days,)
        The licences [calls] on each day, inf where there was none.
    seed : int or sequence of int
        Of the draws. The same seed gives the same result.

    Returns
    -------
    array of float, shape (days,)
        Days below the cap and missing days as they were; days at the cap at least as high as they were, in whole
        calls where all values are whole.

    Raises
    ------
    ConfigError
        The shapes differ, or a cap is NaN.
    InsufficientData
        Fewer than 14 days lie below the cap.

    Examples
    --------
    >>> demand = np.random.default_rng(1).poisson(100, 400)
    >>> cap = np.quantile(demand, 0.8)
    >>> imputed = uncensor(np.minimum(demand, cap), np.full(400, cap), seed=1)
    >>> bool(abs(np.quantile(imputed, 0.95) / np.quantile(demand, 0.95) - 1) < 0.05)
    True
    """
    y, cap = np.asarray(values, dtype=np.float64), np.asarray(caps, dtype=np.float64)
    if y.ndim != 1 or y.shape != cap.shape or np.isnan(cap).any():
        raise ConfigError(f"values {y.shape} and caps {cap.shape} must be two rows of days; inf where there was no cap")
    capped = at_cap(y, cap)
    result = y.copy()
    if not capped.any():
        return result
    below = int((~capped & ~np.isnan(y)).sum())
    if below < _MIN_BELOW:
        raise InsufficientData(
            f"{int(capped.sum())} days are at the licence and {below} below it; what demand was cannot be told from "
            f"less than {_MIN_BELOW} days below it. Leave licences= out to take the peaks as they are"
        )
    whole = bool((y[~np.isnan(y)] % 1 == 0).all())
    low = np.maximum(y - 0.5, 0.0) if whole else y  # a count of L stands for [L - 1/2, L + 1/2)
    fits = [_Regression(y, low, capped, link) for link in _links(y)]
    for fit in fits:
        fit.run(_TRIAL)
    best = max(fits, key=lambda fit: fit.loglik)
    best.run(_STEPS)
    drawn = best.draw(low, np.random.default_rng(seed))
    result[capped] = np.maximum(np.floor(drawn + 0.5) if whole else drawn, y[capped])
    return result


@dataclass(frozen=True)
class _Link:
    """A transform towards the normal: there, back, and the log of its slope."""

    to: Callable[[Any], Any]
    back: Callable[[Any], Any]
    log_slope: Callable[[Any], Any]


def _links(y: Floats) -> list[_Link]:
    shift = max(float(np.nanmedian(y)), 0.5)
    return [
        _Link(lambda x: x, lambda z: z, lambda x: np.zeros_like(x)),
        _Link(lambda x: 2 * np.sqrt(x + 0.375), lambda z: np.square(np.maximum(z, 0) / 2) - 0.375, _sqrt_slope),
        _Link(lambda x: np.log(x + shift), lambda z: np.exp(z) - shift, lambda x: -np.log(x + shift)),
        _Link(lambda x: np.log(x + 0.5), lambda z: np.exp(z) - 0.5, lambda x: -np.log(x + 0.5)),
    ]


def _sqrt_slope(x: Any) -> Any:
    return -0.5 * np.log(x + 0.375)


@dataclass(frozen=True, eq=False)
class _Design:
    """Level and weekday of each day, sparse: hats on knots two weeks apart, then the seven days of the week.

    A row has three entries: two of the hats, which add up to 1, and one weekday.
    """

    place: npt.NDArray[np.int64]  # (days, 3) columns
    value: Floats  # (days, 3)
    knots: int

    @classmethod
    def of(cls, days: int) -> _Design:
        knots = max(2, days // _KNOT + 1)
        at = np.linspace(0, knots - 1, days)
        left = np.minimum(at.astype(np.int64), knots - 2)
        right = at - left
        place = np.column_stack([left, left + 1, knots + np.arange(days) % 7])
        return cls(place=place, value=np.column_stack([1 - right, right, np.ones(days)]), knots=knots)

    def gram(self, weight: Floats) -> Floats:
        """Return X' W X."""
        size = self.knots + 7
        cell = self.place[:, :, None] * size + self.place[:, None, :]
        entry = weight[:, None, None] * self.value[:, :, None] * self.value[:, None, :]
        return np.asarray(np.bincount(cell.ravel(), entry.ravel(), size * size), np.float64).reshape(size, size)

    def turned(self, values: Floats) -> Floats:
        """Return X' v."""
        entry = (values[:, None] * self.value).ravel()
        return np.asarray(np.bincount(self.place.ravel(), entry, self.knots + 7), np.float64)

    def times(self, beta: Floats) -> Floats:
        """Return X b."""
        return np.asarray((beta[self.place] * self.value).sum(axis=1))

    def variance(self, cov: Floats) -> Floats:
        """Return the diagonal of X C X'."""
        block = cov[self.place[:, :, None], self.place[:, None, :]]
        return np.asarray(np.einsum("ij,ijk,ik->i", self.value, block, self.value))


class _Regression:
    """Censored regression on one link's scale by EM.

    The knots are a random walk, so that the level bends where the data say so. A few days in a hundred may follow
    no pattern (holidays, incidents): a flat density takes their weight, and they teach nothing.
    """

    def __init__(self, y: Floats, low: Floats, capped: Bools, link: _Link) -> None:
        known = ~np.isnan(y)
        safe = np.where(known, y, 1.0)
        self.link, self.capped, self.known = link, capped, known
        self.floor = link.to(np.where(capped, low, 0.0))
        self.slope = np.where(known & ~capped, link.log_slope(safe), 0.0)
        self.flat = np.log(_OUTLIER) - np.log(max(float(np.nanmax(y)), 1.0)) - link.log_slope(safe)
        self.design = _Design.of(len(y))
        self.bends = np.diff(np.eye(self.design.knots), axis=0)
        self.z = link.to(safe)
        self.scale = max(float(np.std(self.z[known])), 1e-6)
        self.weight = known.astype(np.float64)
        self.spread = np.full(len(y), self.scale)
        self.walk = self.scale**2 / 50
        self.mean = self.z
        self.loglik, self.steps = -np.inf, 0

    def run(self, steps: int) -> None:
        """Go on for so many steps, or until the likelihood stands still."""
        for _ in range(steps):
            before = self.loglik
            cov = self._regress()
            if self.steps == 0:  # before outliers are known, the spread is a robust one
                off = np.median(np.abs(self.z - self.mean)[self.known])
                self.spread = np.full(len(self.z), max(TO_SD * float(off), self.scale / 50))
            self._expect(cov)
            self.steps += 1
            if self.loglik - before < _ENOUGH and self.steps > 5:
                return

    def _regress(self) -> Floats:
        """Coefficients of the level and the weekdays given the weights; returns their covariance."""
        knots, w = self.design.knots, self.weight / self.spread**2
        precision = self.design.gram(w)
        precision[:knots, :knots] += self.bends.T @ self.bends / self.walk
        precision[np.diag_indices(knots + 7)] += 1e-3 / self.scale**2
        cov = np.linalg.inv(precision)
        beta = cov @ self.design.turned(w * self.z)
        self.mean = self.design.times(beta)
        moved = np.square(self.bends @ beta[:knots]).sum() + np.sum(self.bends @ cov[:knots, :knots] * self.bends)
        self.walk = max(float(moved) / (knots - 1), 1e-8 * self.scale**2)
        return np.asarray(cov)

    def _expect(self, cov: Floats) -> None:
        """Expect the days at the cap, the outliers and the spread, given the means."""
        a = (self.floor - self.mean) / self.spread
        tail = log_ndtr(-a)
        mills = np.exp(-0.5 * a**2 - _LOG_ROOT_TAU - tail)
        self.z = np.where(self.capped, self.mean + self.spread * mills, self.z)
        extra = np.where(self.capped, self.spread**2 * np.clip(1 + a * mills - mills**2, 0, 1), 0.0)
        off = self.z - self.mean
        dense = np.log1p(-_OUTLIER) - 0.5 * (off / self.spread) ** 2 - _LOG_ROOT_TAU - np.log(self.spread)
        both = np.logaddexp(dense, self.flat)
        self.weight = np.where(self.capped, 1.0, np.exp(dense - both)) * self.known
        self.loglik = float((np.where(self.capped, tail, both + self.slope) * self.known).sum())
        self.spread = _spread(self.weight, off**2 + extra + self.design.variance(cov), self.scale)

    def draw(self, low: Floats, rng: np.random.Generator) -> Floats:
        """One value of demand for each day at the cap, from the normal above its lower end."""
        mean, spread = self.mean[self.capped], self.spread[self.capped]
        start = (self.link.to(low[self.capped]) - mean) / spread
        tail = np.log1p(-rng.random(len(start))) + log_ndtr(-start)
        return np.asarray(self.link.back(mean - spread * ndtri_exp(tail)), dtype=np.float64)


def _spread(weight: Floats, square: Floats, scale: float) -> Floats:
    """Return the standard deviation by weekday, pooled with that of all days; shape (days,)."""
    weekday = np.arange(len(weight)) % 7
    total, count = np.bincount(weekday, weight * square, 7), np.bincount(weekday, weight, 7)
    common = total.sum() / max(float(count.sum()), 1.0)
    own = (total + _POOL * common) / (count + _POOL)
    return np.asarray(np.sqrt(np.maximum(own, (1e-3 * scale) ** 2)))[weekday]
