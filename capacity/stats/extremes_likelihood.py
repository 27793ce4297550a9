"""Likelihoods of the extreme-value distributions, and the search for where they are greatest or have dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy import optimize

from capacity.errors import ConfigError
from capacity.ground.arrays import Floats

__all__ = ["IMPOSSIBLE", "Prior", "edge", "gev_cost", "gpd_cost", "inverse_information", "least", "minimum"]
__all__ += ["penalty_of", "reach_of", "scale_of"]

Prior: TypeAlias = tuple[float, float]

IMPOSSIBLE = 1e10  # minus the log-likelihood outside the support
_LARGE = 50.0  # exponents are cut off here: such a point is no candidate
_FLAT = 1e-7  # |xi| below which the formula for xi = 0 is exact to all digits
_NEWTON_STEPS = 30
_GROW = 1.6  # how the search for a profile limit widens


def gev_cost(mu: Floats | float, sigma: float, xi: float, x: Floats) -> float:
    """Return minus the log-likelihood of the GEV."""
    if not sigma > 0:
        return IMPOSSIBLE
    y = (x - mu) / sigma
    if abs(xi) < _FLAT:
        return possible(len(x) * np.log(sigma) + y.sum() + np.exp(np.minimum(-y, _LARGE)).sum())
    arm = 1.0 + xi * y
    if arm.min() <= 0 or xi < -1:  # below -1 the likelihood grows without bound at the end point
        return IMPOSSIBLE
    log_arm = np.log(arm)
    tail = np.exp(np.minimum(-log_arm / xi, _LARGE)).sum()
    return possible(len(x) * np.log(sigma) + (1 + 1 / xi) * log_arm.sum() + tail)


def gpd_cost(sigma: float, xi: float, y: Floats) -> float:
    """Return minus the log-likelihood of the GPD."""
    if not sigma > 0:
        return IMPOSSIBLE
    if abs(xi) < _FLAT:
        return possible(len(y) * np.log(sigma) + y.sum() / sigma)
    arm = 1.0 + xi * y / sigma
    if arm.min() <= 0 or xi < -1:
        return IMPOSSIBLE
    return possible(len(y) * np.log(sigma) + (1 + 1 / xi) * np.log(arm).sum())


def possible(cost: float) -> float:
    return float(cost) if cost < IMPOSSIBLE else IMPOSSIBLE


def reach_of(xi: float, ratio: float) -> float:
    """Return (ratio^xi - 1) / xi, log(ratio) at xi = 0."""
    log = np.log(ratio)
    return float(log if abs(xi) < _FLAT else np.expm1(min(xi * log, 300.0)) / xi)


def scale_of(log_sigma: float) -> float:
    """Return sigma, kept within what can be computed with."""
    return float(np.exp(np.clip(log_sigma, -50.0, 50.0)))


def penalty_of(prior: Prior | None) -> Callable[[float], float]:
    """Return minus the log of the normal prior on xi; nothing where there is none."""
    if prior is None:
        return lambda xi: 0.0
    mean, spread = prior
    if not spread > 0:
        raise ConfigError(f"shape_prior={prior!r}: the standard deviation has to be above 0")
    return lambda xi: 0.5 * ((xi - mean) / spread) ** 2


def minimum(cost: Callable[[Floats], float], start: Floats) -> Floats:
    """Return where the cost is least: Newton with differences, and a simplex where that does not settle."""
    p, here = start, cost(start)
    for _ in range(_NEWTON_STEPS):
        slope, hessian = differences(cost, p, here)
        try:
            step = -np.linalg.solve(hessian, slope)
        except np.linalg.LinAlgError:
            break
        gain = -float(slope @ step)
        if not np.isfinite(gain) or gain <= 0:  # not downhill
            break
        if gain < 1e-11:
            return p + step
        size = 1.0
        while size > 1e-3 and (trial := cost(p + size * step)) > here - 1e-4 * size * gain:
            size *= 0.5
        if size <= 1e-3:
            break
        p, here = p + size * step, trial
    options = {"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000}
    return np.asarray(optimize.minimize(cost, p, method="Nelder-Mead", options=options).x)


def differences(cost: Callable[[Floats], float], p: Floats, here: float) -> tuple[Floats, Floats]:
    """Return gradient and Hessian by central differences."""
    count = len(p)
    h = 1e-4 * (1.0 + np.abs(p))
    unit = np.diag(h)
    up = np.array([cost(p + unit[i]) for i in range(count)])
    down = np.array([cost(p - unit[i]) for i in range(count)])
    hessian = np.diag((up - 2 * here + down) / h**2)
    for i in range(count):
        for j in range(i):
            mixed = cost(p + unit[i] + unit[j]) - up[i] - up[j] + 2 * here - down[i] - down[j]
            mixed += cost(p - unit[i] - unit[j])
            hessian[i, j] = hessian[j, i] = mixed / (2 * h[i] * h[j])
    return (up - down) / (2 * h), hessian


def least(cost: Callable[[float], float], near: float) -> float:
    """Return the least cost over the shape."""
    found = optimize.minimize_scalar(cost, bounds=(min(near, 0.0) - 0.9, max(near, 0.0) + 1.5), method="bounded")
    return float(found.fun)


def edge(excess: Callable[[float], float], centre: float, step: float) -> float:
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


def inverse_information(cost: Callable[[Floats], float], best: Floats) -> Floats:
    """Return the inverse of the Hessian by central differences; NaN where it is not positive definite."""
    count = len(best)
    h = 1e-4 * np.maximum(np.abs(best), 1e-2)
    hessian = np.empty((count, count))
    unit = np.diag(h)
    for i in range(count):
        for j in range(i, count):
            corners = [cost(best + a * unit[i] + b * unit[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            value = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h[i] * h[j])
            hessian[i, j] = hessian[j, i] = value
    try:
        inverse = np.linalg.inv(hessian)
    except np.linalg.LinAlgError:
        return np.full((count, count), np.nan)
    positive = bool((np.diag(inverse) > 0).all())
    return np.array(inverse if positive else np.full((count, count), np.nan), dtype=np.float64)
