"""Extreme-value distributions by maximum likelihood, with standard errors and profile-likelihood limits.

    GEV     P(M <= z) = exp(-[1 + xi (z - mu) / sigma]^(-1 / xi)), block maxima
    GPD     P(X > u + y | X > u) = [1 + xi y / sigma]^(-1 / xi), excesses over a threshold u

xi > 0 is a heavy tail, xi < 0 an upper end point. scipy's ``c`` is **-xi** for the GEV, and xi for the GPD.

References
----------
S. Coles, "An Introduction to Statistical Modeling of Extreme Values" (2001), chapters 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arrays import Floats

Prior: TypeAlias = tuple[float, float]

_FEWEST = 10  # maxima or excesses
_IMPOSSIBLE = 1e10  # minus the log-likelihood outside the support
_LARGE = 50.0  # exponents are cut off here: such a point is no candidate
_FLAT = 1e-7  # |xi| below which the formula for xi = 0 is exact to all digits
_GROW = 1.6  # how the search for a profile limit widens


@dataclass(frozen=True, eq=False)
class Fit:
    """One fitted distribution.

    Attributes
    ----------
    family : "GEV" or "GPD"
        Which.
    names : tuple of str
        mu, sigma, xi for the GEV; sigma, xi for the GPD.
    estimates : ndarray, shape (parameters,)
        In the data's unit.
    covariance : ndarray, shape (parameters, parameters)
        Inverse of the observed information.
    log_likelihood : float
        At the estimates, without the prior.
    data : ndarray
        Block maxima, or excesses over the threshold.
    threshold : float
        u, for the GPD.
    rate : float
        Share of all observations that exceed u.
    shape_prior : (mean, standard deviation) or None
        Normal prior on xi.
    """

    family: str
    names: tuple[str, ...]
    estimates: Floats
    covariance: Floats
    log_likelihood: float
    data: Floats
    threshold: float = 0.0
    rate: float = 1.0
    shape_prior: Prior | None = None

    @property
    def se(self) -> Floats:
        """Standard errors, shape (parameters,)."""
        return np.sqrt(np.diag(self.covariance))

    def __getitem__(self, name: str) -> float:
        return float(self.estimates[self.names.index(name)])

    @property
    def xi(self) -> float:
        """The shape."""
        return self["xi"]

    def return_level(self, period: float) -> float:
        """Return the level exceeded once in `period` blocks (GEV) or observations (GPD) on average.

        z_p = mu - (sigma / xi) [1 - (-ln(1 - p))^-xi] with p = 1 / period; for the GPD
        u + (sigma / xi) [(period * rate)^xi - 1].

        Parameters
        ----------
        period : float
            Above 1, and for the GPD above 1 / rate.
        """
        base = self.threshold if self.family == "GPD" else self["mu"]
        return base + self["sigma"] * _reach(self.xi, self._return(period))

    def return_level_limits(self, period: float, *, confidence: float = 0.95) -> tuple[float, float]:
        """Return profile-likelihood limits of `return_level`: where twice the loss of log-likelihood is chi-squared.

        An upper limit that the likelihood does not bound is infinite.
        """
        best, centre = self._profile(self._return(period)), self.return_level(period)
        top = best(centre) + 0.5 * float(stats.chi2.ppf(confidence, 1))
        spread = max(float(np.std(self.data)), 1e-9 * abs(centre) + 1e-12) / np.sqrt(len(self.data))
        lower, upper = (_edge(lambda z: best(z) - top, centre, step) for step in (-spread, spread))
        return lower, upper

    def _return(self, period: float) -> float:
        """Return what the level depends on: -1 / ln(1 - 1 / period), or the exceedances expected in `period`."""
        if self.family == "GPD":
            if not period * self.rate > 1:
                raise ConfigError(f"period={period} is shorter than the mean time between exceedances")
            return period * self.rate
        if not period > 1:
            raise ConfigError(f"period={period} is no more than one block; give a longer one")
        return float(-1.0 / np.log1p(-1.0 / period))

    def _profile(self, reach: float) -> Callable[[float], float]:
        """Return minus the profile log-likelihood as a function of the level."""
        penalty = _penalty(self.shape_prior)
        if self.family == "GPD":

            def gpd(z: float) -> float:
                def cost(xi: float) -> float:
                    return gpd_cost((z - self.threshold) / _reach(xi, reach), xi, self.data) + penalty(xi)

                bounds = (min(self.xi, 0.0) - 0.9, max(self.xi, 0.0) + 1.5)
                return float(optimize.minimize_scalar(cost, bounds=bounds, method="bounded").fun)

            return gpd
        start = np.array([np.log(self["sigma"]), self.xi])

        def gev(z: float) -> float:
            def cost(p: Floats) -> float:
                sigma, xi = np.exp(p[0]), float(p[1])
                return gev_cost(z - sigma * _reach(xi, reach), sigma, xi, self.data) + penalty(xi)

            begin = start.copy()
            if cost(begin) >= _IMPOSSIBLE:  # the support has moved past the data: with xi = 0 there is none
                begin[:] = np.log(max(z - self["mu"], 1e-3 * self["sigma"]) / np.log(reach)), 0.0
            start[:] = _minimum(cost, begin)
            return cost(start)

        return gev

    def __str__(self) -> str:
        parts = ", ".join(f"{n} {v:.4g} ({s:.2g})" for n, v, s in zip(self.names, self.estimates, self.se, strict=True))
        return f"{self.family} of {len(self.data):,}: {parts}; log-likelihood {self.log_likelihood:.2f}"


def fit_gev(maxima: npt.ArrayLike, *, shape_prior: Prior | None = None) -> Fit:
    """Fit the generalised extreme-value distribution to block maxima.

    Parameters
    ----------
    maxima : array_like, shape (blocks,)
        One maximum a block, any unit; without gaps marked by NaN.
    shape_prior : (mean, standard deviation), optional
        Normal prior on xi, for short records.

    Raises
    ------
    InsufficientData
        Fewer than 10 maxima, or all alike.
    ConfigError
        NaN or infinity, or a prior without spread.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> fit = fit_gev(100 - 10 * np.log(-np.log(rng.random(2000))))
    >>> bool(abs(fit["mu"] - 100) < 1), bool(abs(fit.xi) < 0.05)
    (True, True)
    """
    x = _clean(maxima, "block maxima")
    penalty = _penalty(shape_prior)
    middle, unit = float(np.median(x)), float(np.std(x))
    scaled = (x - middle) / unit  # every problem looks the same to the optimiser

    def cost(p: Floats) -> float:
        return gev_cost(p[0], np.exp(p[1]), float(p[2]), scaled) + penalty(float(p[2]))

    sigma = np.sqrt(6.0) / np.pi  # of the Gumbel with the same mean and spread
    mu, log_sigma, xi = _minimum(cost, np.array([scaled.mean() - np.euler_gamma * sigma, np.log(sigma), 0.01]))
    best = np.array([middle + unit * mu, np.exp(log_sigma) * unit, xi])
    covariance = _inverse_information(lambda p: gev_cost(p[0], p[1], p[2], x) + penalty(p[2]), best)
    height = -gev_cost(best[0], best[1], best[2], x)
    return Fit("GEV", ("mu", "sigma", "xi"), best, covariance, height, x, shape_prior=shape_prior)


def fit_excesses(excesses: npt.ArrayLike, *, threshold: float, rate: float, shape_prior: Prior | None = None) -> Fit:
    """Fit the generalised Pareto distribution to excesses over a threshold.

    Parameters
    ----------
    excesses : array_like, shape (excesses,)
        By how much the values above the threshold exceed it.
    threshold : float
        u.
    rate : float
        The excesses' share of all observations.
    shape_prior : (mean, standard deviation), optional
        Normal prior on xi, for short records.

    Raises
    ------
    InsufficientData
        Fewer than 10 excesses, or all alike.
    ConfigError
        NaN or infinity, or a prior without spread.

    Examples
    --------
    >>> fit = fit_excesses(np.random.default_rng(1).exponential(5.0, 2000), threshold=30.0, rate=0.1)
    >>> bool(abs(fit["sigma"] - 5) < 0.5), bool(abs(fit.xi) < 0.05)
    (True, True)
    """
    y = _clean(excesses, "values above the threshold")
    penalty = _penalty(shape_prior)
    unit = float(y.mean())

    def cost(p: Floats) -> float:
        return gpd_cost(np.exp(p[0]), float(p[1]), y / unit) + penalty(float(p[1]))

    log_sigma, xi = _minimum(cost, np.array([0.0, 0.01]))
    best = np.array([np.exp(log_sigma) * unit, xi])
    covariance = _inverse_information(lambda p: gpd_cost(p[0], p[1], y) + penalty(p[1]), best)
    height = -gpd_cost(best[0], best[1], y)
    return Fit("GPD", ("sigma", "xi"), best, covariance, height, y, threshold, rate, shape_prior)


def gev_cost(mu: float, sigma: float, xi: float, x: Floats) -> float:
    """Return minus the log-likelihood of the GEV: scipy's density takes ten times as long."""
    if not sigma > 0:
        return _IMPOSSIBLE
    y = (x - mu) / sigma
    if abs(xi) < _FLAT:
        return _possible(len(x) * np.log(sigma) + y.sum() + np.exp(np.minimum(-y, _LARGE)).sum())
    arm = 1.0 + xi * y
    if arm.min() <= 0 or xi < -1:  # below -1 the likelihood grows without bound at the end point
        return _IMPOSSIBLE
    log_arm = np.log(arm)
    tail = np.exp(np.minimum(-log_arm / xi, _LARGE)).sum()
    return _possible(len(x) * np.log(sigma) + (1 + 1 / xi) * log_arm.sum() + tail)


def gpd_cost(sigma: float, xi: float, y: Floats) -> float:
    """Return minus the log-likelihood of the GPD."""
    if not sigma > 0:
        return _IMPOSSIBLE
    if abs(xi) < _FLAT:
        return _possible(len(y) * np.log(sigma) + y.sum() / sigma)
    arm = 1.0 + xi * y / sigma
    if arm.min() <= 0 or xi < -1:
        return _IMPOSSIBLE
    return _possible(len(y) * np.log(sigma) + (1 + 1 / xi) * np.log(arm).sum())


def _possible(cost: float) -> float:
    return float(cost) if cost < _IMPOSSIBLE else _IMPOSSIBLE


def _reach(xi: float, ratio: float) -> float:
    """Return (ratio^xi - 1) / xi, log(ratio) at xi = 0."""
    log = np.log(ratio)
    return float(log if abs(xi) < _FLAT else np.expm1(min(xi * log, 300.0)) / xi)


def _penalty(prior: Prior | None) -> Callable[[float], float]:
    """Return minus the log of the normal prior on xi; nothing where there is none."""
    if prior is None:
        return lambda xi: 0.0
    mean, spread = prior
    if not spread > 0:
        raise ConfigError(f"shape_prior={prior!r}: the standard deviation has to be above 0")
    return lambda xi: 0.5 * ((xi - mean) / spread) ** 2


def _minimum(cost: Callable[[Floats], float], start: Floats) -> Floats:
    """Return where the cost is least; on a log scale of sigma, kept within what can be computed with."""

    def within(p: Floats) -> float:
        return cost(p) if float(np.abs(p).max()) < _LARGE else _IMPOSSIBLE

    options = {"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000, "maxfev": 4000}
    return np.asarray(optimize.minimize(within, start, method="Nelder-Mead", options=options).x)


def _edge(excess: Callable[[float], float], centre: float, step: float) -> float:
    """Return where `excess` passes 0 on the way from `centre` by `step` and on."""
    inner, outer = centre, centre + step
    for _ in range(60):
        if excess(outer) > 0:
            if excess(inner) >= 0:  # so near that rounding decides
                return float(inner)
            return float(optimize.brentq(excess, inner, outer, xtol=1e-5 * abs(step) + 1e-12, rtol=1e-7))
        step *= _GROW
        inner, outer = outer, outer + step
    return float(np.copysign(np.inf, step))


def _inverse_information(cost: Callable[[Floats], float], best: Floats) -> Floats:
    """Return the inverse of the Hessian by central differences; NaN where it is not positive definite."""
    step = np.diag(1e-4 * np.maximum(np.abs(best), 1e-2))
    signs = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
    hessian = [
        [sum(s * cost(best + a * u + b * v) for a, b, s in signs) / (4 * u.sum() * v.sum()) for u in step] for v in step
    ]
    try:
        inverse = np.linalg.inv(np.array(hessian))
    except np.linalg.LinAlgError:
        return np.full((len(best), len(best)), np.nan)
    return np.asarray(inverse if bool((np.diag(inverse) > 0).all()) else np.full(inverse.shape, np.nan))


def _clean(values: npt.ArrayLike, what: str) -> Floats:
    x = np.asarray(values, dtype=np.float64).ravel()
    if not bool(np.isfinite(x).all()):
        raise ConfigError("the values hold NaN or infinity; drop them first")
    if len(x) < _FEWEST:
        raise InsufficientData(f"an extreme-value fit needs at least {_FEWEST} {what} and has {len(x)}")
    if float(np.ptp(x)) == 0.0:
        raise InsufficientData(f"an extreme-value fit needs {what} that differ; all {len(x)} are {x[0]:g}")
    return x
