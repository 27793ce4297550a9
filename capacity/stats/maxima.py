"""What a 5-minute maximum says about the load: the distribution of the most calls in progress within an interval.

Poisson arrivals offer a load A [Erlang]; calls last h on average, exponentially spread. The number in progress
is a birth-death process with Poisson(A) as its law at any one moment, and its maximum over tau = 5 minutes is
larger than that. With Q_c the generator killed on reaching c, and pi the Poisson law,

    P(max < c) = pi[0..c-1] . exp(Q_c tau) . 1.

Three facts make this quick and exact. The exponential is a Laplace inversion, done on Talbot's contour with
24 nodes (error about 1e-14). The matrices Q_c are nested tridiagonals, so that one elimination that runs upwards
serves every c, and its pivots give P(max = m) as one term each. And a cap of L licences that turns calls away
changes nothing below L but the law at the start, which is Poisson cut off at L.

Sources: J. Keilson, "Markov Chain Models - Rarity and Exponentiality" (1979) for the killed generator;
L. N. Trefethen, J. A. C. Weideman, T. Schmelzer, "Talbot quadratures and rational approximations", BIT 46 (2006).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from capacity.ground.arrays import Floats

_NODES = 24
_TAIL = 12.0  # standard deviations of Poisson above the load that are worked out
_TRUSTED = 1e-9  # a sum that cancels to less than this share of its terms has lost its digits
_ABOVE = 7.0  # of sqrt(m) above sqrt(load), 14 standard deviations: beyond, the inversion's digits are noise
_DEPENDENCE_LOADS = (0.5, 2.0, 8.0, 32.0, 100.0)


def law_of_maximum(loads: Floats, turn: float, licences: int | None = None) -> Floats:
    """Return the distribution of the most calls in progress within 5 minutes.

    Parameters
    ----------
    loads : array, shape (loads,)
        Offered loads [Erlang], at least 0: calls an hour times mean call length in hours.
    turn : float
        How many mean call lengths 5 minutes are.
    licences : int, optional
        Calls that would be more than this many at once are turned away and do not come back.

    Returns
    -------
    array, shape (loads, values)
        P(max = m) for m = 0, 1, ...

    Notes
    -----
    Exact for Poisson arrivals and exponential call lengths that hold through the interval. Retries, dialler
    batches and peaky arrivals widen the true distribution. Calls of nearly equal length make the maximum a little
    larger, for more of them end within the 5 minutes: all of 3 minutes, 59.6 rather than 58.8 at 50 Erlang.

    Examples
    --------
    >>> p = law_of_maximum(np.array([10.0, 50.0, 200.0]), 5 / 3)
    >>> (p @ np.arange(p.shape[1])).round(2).tolist()
    [13.76, 58.8, 217.92]
    """
    top = float(loads.max())
    size = int(top + _TAIL * np.sqrt(top) + 30) if licences is None else int(licences) + 1
    law = stats.poisson.logpmf(np.arange(size), loads[:, None])
    if licences is None:
        return np.asarray(ratio(loads, turn, size)[0] * np.exp(law))
    start = np.exp(law[:, :-1] - log_poisson_cdf(int(licences), loads)[:, None])
    below = ratio(loads, turn, size - 1)[0] * start
    return np.column_stack([below, np.maximum(1.0 - below.sum(axis=1), 0.0)])


def log_poisson_cdf(count: int, loads: Floats) -> Floats:
    """Return log P(N <= count) for N ~ Poisson(load), also where it underflows (load far above count)."""
    with np.errstate(divide="ignore"):
        out = np.log(special.gammaincc(count + 1.0, loads))
    far = ~(out > -600.0)
    # Far out in the lower tail the sum is a geometric series from its last term down.
    last = stats.poisson.logpmf(count, loads[far])
    out[far] = last - np.log1p(-count / loads[far])
    return np.asarray(out)


def ratio(loads: Floats, turn: float, size: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return P(max = m) / pi(m) without a cap for m < `size`, and where it is known to some digits.

    Both of shape (loads, size). The digits go where the load is so far above m that P(max = m) is less than
    about 1e-10 pi(m), and where m is so far above the load that pi(m) itself is nothing: there 0 stands.
    """
    z, weights = _talbot(turn)
    pole = z[None, :] + loads[:, None]
    values = np.empty((size, len(loads)))
    known = np.empty(values.shape, dtype=bool)
    pivot, solved = pole, np.ones_like(pole)
    with np.errstate(over="ignore", invalid="ignore"):  # far above the load, where nothing is taken from it
        for m in range(size):  # over channels: each step is a whole (loads, nodes) array
            if m:
                back = m / pivot
                solved = 1.0 + back * solved
                pivot = pole + m - loads[:, None] * back
            terms = weights * solved * solved / pivot
            values[m] = terms.real.sum(axis=1)
            known[m] = values[m] > _TRUSTED * np.abs(terms).sum(axis=1)
    near = np.sqrt(np.arange(size))[:, None] < np.sqrt(loads) + _ABOVE
    return np.where(near, np.maximum(values, 0.0), 0.0).T, (near & known).T


def _talbot(turn: float) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return nodes and weights of the inverse Laplace transform at time `turn`, upper half only."""
    angle = np.pi * (2 * np.arange(_NODES // 2) + 1) / _NODES
    near = 0.6407 * angle
    z = _NODES * (0.5017 * angle / np.tan(near) - 0.6122 + 0.2645j * angle)
    slope = _NODES * (0.5017 / np.tan(near) - 0.5017 * near / np.sin(near) ** 2 + 0.2645j)
    return z / turn, np.exp(z) * slope * (2 / (1j * _NODES)) / turn


def variance_inflation(loads: Floats, turn: float) -> Floats:
    """Return how many times wider the variance of a mean of consecutive maxima is than if they were independent.

    1 + 2 (rho_1 + rho_2 + ...), with rho_k the correlation of two maxima k intervals apart at a constant load;
    at mean call lengths of 3 and 6 minutes rho_1 is about 0.37 and 0.58. It hardly depends on the load.
    """
    known = _inflation_table(round(turn, 9))
    return np.asarray(np.interp(np.log(np.maximum(loads, 1e-9)), np.log(_DEPENDENCE_LOADS), known))


@lru_cache(maxsize=32)
def _inflation_table(turn: float) -> tuple[float, ...]:
    return tuple(1.0 + 2.0 * sum(_correlations(load, turn)[1:]) for load in _DEPENDENCE_LOADS)


def _correlations(load: float, turn: float) -> tuple[float, float, float]:
    """Return rho_1, and rho_1 + rho_2 + ... as the part that decays like exp(-k turn) and the rest.

    Given the number n in progress between two intervals, what comes after and (reversed in time) what went
    before are independent and alike, so the covariance is the variance of e(n) = E[max | n at one end].
    """
    size = int(load + 9.0 * np.sqrt(load) + 15)
    n = np.arange(size)
    given = n + _climb(load, turn, size)
    law = stats.poisson.pmf(n, load)
    mean = float(law @ given)
    between = float(law @ (given - mean) ** 2)
    p = ratio(np.array([load]), turn, size)[0][0] * law
    spread = float(p @ (n - p @ n) ** 2)
    first = float(law @ (given * (n - load))) ** 2 / load  # the part along n itself, which decays slowest
    rest = max(between - first, 0.0)
    slow, quick = first / -np.expm1(-turn), rest / -np.expm1(-2.0 * turn)
    return between / spread, slow / spread, quick / spread


def _climb(load: float, turn: float, size: int) -> Floats:
    """Return E[max - n | n in progress at the start], shape (size,): the sum over c > n of P(c is reached)."""
    z, weights = _talbot(turn)
    pivots, solved = [z + load], [np.ones_like(z)]
    for n in range(1, size):
        back = n / pivots[-1]
        solved.append(1.0 + back * solved[-1])
        pivots.append(z + load + n - load * back)
    # v[c] solves (z - Q_c) v = 1, from the top state down, for all c at once.
    tops = np.arange(1, size + 1)[:, None]
    v = np.zeros((size, len(z)), dtype=complex)
    climb = np.empty(size)
    for n in range(size - 1, -1, -1):
        v = np.where(tops > n, (solved[n] + load * v) / pivots[n], 0.0)
        stays = (weights * v).real.sum(axis=1)
        climb[n] = float((1.0 - stays[n:]).sum())
    return climb
