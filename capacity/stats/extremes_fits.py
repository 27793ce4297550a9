"""Extreme-value distributions by maximum likelihood, with standard errors and profile-likelihood limits.

    GEV     P(M <= z) = exp(-[1 + xi (z - mu) / sigma]^(-1 / xi)), block maxima; mu may move with a covariate
    Gumbel  the same with xi = 0
    GPD     P(X > u + y | X > u) = [1 + xi y / sigma]^(-1 / xi), excesses over a threshold u

xi > 0 is a heavy tail, xi < 0 an upper end point. scipy's ``c`` is **-xi** for the GEV, and xi for the GPD.

Sources: S. Coles, "An Introduction to Statistical Modeling of Extreme Values" (2001); J. R. M. Hosking, J. R. Wallis,
E. F. Wood, Technometrics 27 (1985), for the L-moments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arrays import Floats
from capacity.stats.extremes_likelihood import (
    IMPOSSIBLE,
    Prior,
    edge,
    gev_cost,
    gpd_cost,
    inverse_information,
    least,
    minimum,
    penalty_of,
    reach_of,
    scale_of,
)

__all__ = ["ExtremeFit", "fit_excesses", "fit_gev", "fit_gpd", "fit_gumbel", "gev_by_l_moments"]

_FEWEST = 10  # maxima or excesses


@dataclass(frozen=True, eq=False)
class ExtremeFit:
    """One fitted distribution.

    Attributes
    ----------
    family : "GEV", "Gumbel" or "GPD"
        Which.
    names : tuple of str
        mu, (trend,) sigma, xi for the GEV; mu, (trend,) sigma for Gumbel; sigma, xi for the GPD.
    estimates : ndarray, shape (parameters,)
        In the data's unit; the trend per unit of the covariate.
    covariance : ndarray, shape (parameters, parameters)
        Inverse of the observed information.
    log_likelihood : float
        At the estimates, without the prior.
    data : ndarray
        Block maxima, or excesses over the threshold.
    covariate : ndarray or None
        What mu moves with.
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
    covariate: Floats | None = None
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
        """The shape; 0 for Gumbel."""
        return self["xi"] if "xi" in self.names else 0.0

    def return_level(self, period: float, *, at: float = 0.0) -> float:
        """Return the level exceeded once in `period` blocks (GEV, Gumbel) or observations (GPD) on average.

        z_p = mu - (sigma / xi) [1 - (-ln(1 - p))^-xi] with p = 1 / period; for the GPD
        u + (sigma / xi) [(period * rate)^xi - 1].

        Parameters
        ----------
        period : float
            Above 1, and for the GPD above 1 / rate.
        at : float
            The covariate at which a level with a trend is meant.
        """
        base = self.threshold if self.family == "GPD" else self["mu"] + (self._trend * at)
        return base + self["sigma"] * reach_of(self.xi, self._return(period))

    def return_level_limits(self, period: float, *, confidence: float = 0.95, at: float = 0.0) -> tuple[float, float]:
        """Return profile-likelihood limits of `return_level`: where twice the loss of log-likelihood is chi-squared.

        An upper limit that the likelihood does not bound is infinite.
        """
        best, centre = self._profile(period, at)
        top = -best(centre)
        drop = 0.5 * float(stats.chi2.ppf(confidence, 1))
        spread = max(float(np.std(self.data)), 1e-9 * abs(centre) + 1e-12) / np.sqrt(len(self.data))

        def excess(z: float) -> float:
            return top - drop + best(z)

        return edge(excess, centre, -spread), edge(excess, centre, spread)

    @property
    def _trend(self) -> float:
        return self["trend"] if "trend" in self.names else 0.0

    def _return(self, period: float) -> float:
        """Return what the level depends on: -1 / ln(1 - 1 / period), or the exceedances expected in `period`."""
        if self.family == "GPD":
            if not period * self.rate > 1:
                raise ConfigError(f"period={period} is shorter than the mean time between exceedances")
            return period * self.rate
        if not period > 1:
            raise ConfigError(f"period={period} is no more than one block; give a longer one")
        return float(-1.0 / np.log1p(-1.0 / period))

    def _profile(self, period: float, at: float) -> tuple[Callable[[float], float], float]:
        """Return minus the profile log-likelihood as a function of the level, and the level at its minimum."""
        reach = self._return(period)
        penalty = penalty_of(self.shape_prior)
        if self.family == "GPD":

            def gpd(z: float) -> float:
                def cost(xi: float) -> float:
                    return gpd_cost((z - self.threshold) / reach_of(xi, reach), xi, self.data) + penalty(xi)

                return least(cost, self.xi)

            return gpd, self.return_level(period)
        x = None if self.covariate is None else self.covariate - at
        free = self.family == "GEV"
        start = np.array(
            [*([self._trend] if x is not None else []), np.log(self["sigma"]), *([self.xi] if free else [])]
        )
        state = {"start": start}

        def gev(z: float) -> float:
            def cost(p: Floats) -> float:
                sigma, xi = scale_of(p[-1 - free]), float(p[-1]) if free else 0.0
                mu = z - sigma * reach_of(xi, reach)
                return gev_cost(mu if x is None else mu + p[0] * x, sigma, xi, self.data) + penalty(xi)

            begin = state["start"].copy()
            if cost(begin) >= IMPOSSIBLE:  # the support has moved past the data: the Gumbel of the same mu has none
                begin[-1 - free] = np.log(max(z - self.return_level(2.0, at=at), 1e-3 * self["sigma"]) / np.log(reach))
                begin[len(begin) - free :] = 0.0
            found = minimum(cost, begin)
            state["start"] = found
            return cost(found)

        return gev, self.return_level(period, at=at)

    def to_frame(self) -> pd.DataFrame:
        """Return estimates and standard errors by parameter."""
        return pd.DataFrame({"estimate": self.estimates, "se": self.se}, index=pd.Index(self.names, name="parameter"))

    def __str__(self) -> str:
        parts = ", ".join(f"{n} {v:.4g} ({s:.2g})" for n, v, s in zip(self.names, self.estimates, self.se, strict=True))
        return f"{self.family} of {len(self.data):,}: {parts}; log-likelihood {self.log_likelihood:.2f}"


def fit_gev(
    maxima: npt.ArrayLike, *, covariate: npt.ArrayLike | None = None, shape_prior: Prior | None = None
) -> ExtremeFit:
    """Fit the generalised extreme-value distribution to block maxima.

    Parameters
    ----------
    maxima : array_like, shape (blocks,)
        One maximum a block, any unit; without gaps marked by NaN.
    covariate : array_like, shape (blocks,), optional
        mu moves with it in a straight line: mu + trend * covariate. Give the time itself where blocks are missing.
    shape_prior : (mean, standard deviation), optional
        Normal prior on xi, for short records.

    Raises
    ------
    InsufficientData
        Fewer than 10 maxima, or all alike.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> fit = fit_gev(100 - 10 * np.log(-np.log(rng.random(2000))))
    >>> bool(abs(fit["mu"] - 100) < 1), bool(abs(fit.xi) < 0.05)
    (True, True)
    """
    return _fit_blocks("GEV", maxima, covariate, shape_prior)


def fit_gumbel(maxima: npt.ArrayLike, *, covariate: npt.ArrayLike | None = None) -> ExtremeFit:
    """Fit the Gumbel distribution (xi = 0) to block maxima; parameters as `fit_gev`."""
    return _fit_blocks("Gumbel", maxima, covariate, None)


def fit_gpd(
    values: npt.ArrayLike, threshold: float, *, shape_prior: Prior | None = None, counts: bool = False
) -> ExtremeFit:
    """Fit the generalised Pareto distribution to what exceeds a threshold.

    Parameters
    ----------
    values : array_like, shape (observations,)
        All observations, also those below.
    threshold : float
        u: values above it count.
    shape_prior : (mean, standard deviation), optional
        Normal prior on xi, for short records.
    counts : bool
        The values are whole numbers: those at or above u count, and u - 1/2 is what they exceed.

    Raises
    ------
    InsufficientData
        Fewer than 10 values above the threshold, or all alike.
    """
    x = _clean(values)
    u = float(np.ceil(threshold)) - 0.5 if counts else float(threshold)
    over = x[x > u] - u
    return fit_excesses(over, threshold=u, rate=len(over) / max(len(x), 1), shape_prior=shape_prior)


def fit_excesses(excesses: Floats, *, threshold: float, rate: float, shape_prior: Prior | None) -> ExtremeFit:
    """Fit the GPD to excesses that are worked out already; `rate` is their share of all observations."""
    _enough(excesses, "values above the threshold")
    penalty = penalty_of(shape_prior)
    unit = float(excesses.mean())
    scaled = excesses / unit

    def cost(p: Floats) -> float:
        return gpd_cost(scale_of(p[0]), float(p[1]), scaled) + penalty(float(p[1]))

    found = minimum(cost, np.array([0.0, 0.01]))
    best = np.array([scale_of(found[0]) * unit, found[1]])
    covariance = inverse_information(lambda p: gpd_cost(p[0], p[1], excesses) + penalty(p[1]), best)
    height = -gpd_cost(best[0], best[1], excesses)
    return ExtremeFit(
        "GPD",
        ("sigma", "xi"),
        best,
        covariance,
        height,
        excesses,
        threshold=threshold,
        rate=rate,
        shape_prior=shape_prior,
    )


def gev_by_l_moments(maxima: npt.ArrayLike) -> tuple[float, float, float]:
    """Return mu, sigma, xi of the GEV by L-moments: steadier than likelihood below some 50 maxima, without limits."""
    x = np.sort(_clean(maxima))
    n = len(x)
    place = np.arange(n)
    b0 = x.mean()
    b1 = float((place * x).sum()) / (n * (n - 1))
    b2 = float((place * (place - 1) * x).sum()) / (n * (n - 1) * (n - 2))
    second, third = 2 * b1 - b0, 6 * b2 - 6 * b1 + b0
    c = 2.0 / (3.0 + third / second) - np.log(2.0) / np.log(3.0)
    k = 7.8590 * c + 2.9554 * c * c
    if abs(k) < 1e-7:
        sigma = second / np.log(2.0)
        return float(b0 - np.euler_gamma * sigma), float(sigma), 0.0
    gamma = special.gamma(1.0 + k)
    sigma = second * k / ((1.0 - 2.0**-k) * gamma)
    return float(b0 - sigma * (1.0 - gamma) / k), float(sigma), float(-k)


def _fit_blocks(
    family: str, maxima: npt.ArrayLike, covariate: npt.ArrayLike | None, shape_prior: Prior | None
) -> ExtremeFit:
    x = _clean(maxima)
    _enough(x, "block maxima")
    t = None if covariate is None else _clean(covariate)
    if t is not None and (len(t) != len(x) or float(np.std(t)) == 0.0):
        raise ConfigError(f"covariate has {len(t)} values for {len(x)} maxima, or does not vary")
    free = family == "GEV"
    penalty = penalty_of(shape_prior)
    # On centred, scaled data every problem looks the same to the optimiser.
    middle, unit = float(np.median(x)), float(np.std(x))
    scaled = (x - middle) / unit
    shift, stretch = (0.0, 1.0) if t is None else (float(t.mean()), float(np.std(t)))
    time = None if t is None else (t - shift) / stretch

    def cost(p: Floats) -> float:
        sigma, xi = scale_of(p[-1 - free]), float(p[-1]) if free else 0.0
        return gev_cost(p[0] if time is None else p[0] + p[1] * time, sigma, xi, scaled) + penalty(xi)

    mu, sigma, xi = gev_by_l_moments(scaled)
    start = [
        mu,
        *([0.0] if time is not None else []),
        np.log(sigma),
        *([float(np.clip(xi, -0.3, 0.3))] if free else []),
    ]
    p = minimum(cost, np.array(start))
    slope = [] if time is None else [p[1] * unit / stretch]
    level = middle + unit * p[0] - (slope[0] * shift if slope else 0.0)
    best = np.array([level, *slope, scale_of(p[-1 - free]) * unit, *([p[-1]] if free else [])])

    def natural(q: Floats) -> float:
        shape = float(q[-1]) if free else 0.0
        return gev_cost(q[0] if t is None else q[0] + q[1] * t, float(q[-1 - free]), shape, x) + penalty(shape)

    names = ("mu", *(("trend",) if t is not None else ()), "sigma", *(("xi",) if free else ()))
    height = -(natural(best) - penalty(float(best[-1]) if free else 0.0))
    return ExtremeFit(
        family, names, best, inverse_information(natural, best), height, x, covariate=t, shape_prior=shape_prior
    )


def _clean(values: npt.ArrayLike) -> Floats:
    x = np.asarray(values, dtype=np.float64).ravel()
    if not bool(np.isfinite(x).all()):
        raise ConfigError("the values hold NaN or infinity; drop them first")
    return x


def _enough(x: Floats, what: str) -> None:
    if len(x) < _FEWEST:
        raise InsufficientData(f"an extreme-value fit needs at least {_FEWEST} {what} and has {len(x)}")
    if float(np.ptp(x)) == 0.0:
        raise InsufficientData(f"an extreme-value fit needs {what} that differ; all {len(x)} are {x[0]:g}")
