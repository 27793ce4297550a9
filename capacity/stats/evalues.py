"""Sequentially valid evidence against a forecast's calibration, from probability integral transforms.

Were the forecasts right, each u = F(y) would be uniform, whatever came before. A bet of density f on (0, 1) multiplies
its wealth by f(u), on average by 1; whoever starts with 1 and reaches 1 / alpha has seen what happens with a chance of
at most alpha, at whatever time one looks (Ville's inequality). So the wealth is evidence that may be looked at daily.

The wealth begins in cash. Each day a part of the cash goes to bettors who hold that the forecasts are too low, or too
high, from that day on: on all days, or on one weekday. So a change late in the year is found about as fast as one
early in it. Days that one forecast was made for hang together; `innovations` takes out what the forecast itself says
about that (its own correlation of days), so that each day counts for what is new in it.

Sources: S. Arnold, A. Henzi and J. F. Ziegel, "Sequentially valid tests for forecast calibration", Annals of Applied
Statistics 17 (2023); M. Herbster and M. K. Warmuth, "Tracking the best expert", Machine Learning 32 (1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, special

from capacity.ground.arrays import Floats

__all__ = ["GROUPS", "Bets", "innovations", "since", "wealth"]

_RATE = 1.0 / 200.0  # of the cash that goes to bettors each day
_CLIP = 1e-4  # of u: beyond it a few paths would decide
GROUPS = 8  # all days, and each weekday
_SHARES = np.array([0.72, *[0.04] * 7])  # of the bets on each group
_DEGREES = (2, 3)  # densities 2u and 3u^2, and their mirrors


@dataclass(frozen=True, eq=False)
class Bets:
    """The wealth of every bettor by day.

    Attributes
    ----------
    total : ndarray, shape (days,)
        All wealth after each day; 1 before the first.
    best : ndarray of int64, shape (days, 2)
        The group (0 all days, 1 to 7 Monday to Sunday) and the direction (1 too low, -1 too high) that hold most of it.
    """

    total: Floats
    best: npt.NDArray[np.int64]


def innovations(u: Floats, correlation: Floats) -> Floats:
    """Return transforms with what the days before them tell taken out, shape (days,).

    Parameters
    ----------
    u : ndarray, shape (days,)
        Transforms of days that one forecast was made for.
    correlation : ndarray, shape (days, days)
        Of the normal scores of these days over the forecast's paths.

    Notes
    -----
    With z the normal scores of u and R = L L' their correlation, e = L^-1 z are independent and standard normal if the
    paths are right (a Gaussian copula).

    Examples
    --------
    >>> innovations(np.array([0.5, 0.9]), np.eye(2)).round(3).tolist()
    [0.5, 0.9]
    """
    z = special.ndtri(np.clip(u, _CLIP, 1 - _CLIP))
    root = np.linalg.cholesky(correlation)
    return np.asarray(special.ndtr(linalg.solve_triangular(root, z, lower=True)))


def _densities(u: Floats) -> Floats:
    """Return what each bet pays, shape (days, 2 directions x degrees)."""
    u = np.clip(u, _CLIP, 1 - _CLIP)
    return np.stack([d * side ** (d - 1) for side in (u, 1 - u) for d in _DEGREES], axis=-1)


def wealth(u: Floats, weekday: npt.NDArray[np.int64], *, start: float = 1.0) -> Bets:
    """Return the evidence after each day.

    Parameters
    ----------
    u : ndarray, shape (days,)
        Transforms, each uniform given those before it if the forecasts are right.
    weekday : ndarray of int64, shape (days,)
        0 for Monday to 6 for Sunday.
    start : float
        The wealth before the first day.

    Returns
    -------
    Bets

    Examples
    --------
    >>> days = np.arange(30)
    >>> calm = wealth((days * 0.618) % 1, days % 7)
    >>> low = wealth(0.5 + 0.5 * ((days * 0.618) % 1), days % 7)
    >>> bool(calm.total.max() < 3), bool(low.total[-1] > 100), low.best[-1].tolist()
    (True, True, [0, 1])
    """
    pays = _densities(u)
    kinds = pays.shape[1]
    cash, bets = start, np.zeros((GROUPS, kinds))
    fresh = np.repeat(_SHARES[:, None], kinds, axis=1) / kinds
    total, best = np.empty(len(u)), np.empty((len(u), 2), dtype=np.int64)
    for t in range(len(u)):  # over days: each bet depends on the wealth before it
        bets += _RATE * cash * fresh
        cash *= 1 - _RATE
        bets[0] *= pays[t]
        bets[1 + weekday[t]] *= pays[t]
        by_side = bets.reshape(GROUPS, 2, -1).sum(axis=2)
        total[t] = cash + by_side.sum()
        group, side = np.unravel_index(int(by_side.argmax()), by_side.shape)
        best[t] = group, 1 - 2 * side
    return Bets(total, best)


def since(u: Floats, member: npt.NDArray[np.bool_], direction: int) -> int:
    """Return the place from which on one bet would have gained most until the end.

    Parameters
    ----------
    u : ndarray, shape (days,)
    member : ndarray of bool, shape (days,)
        The days of the bet's group.
    direction : int
        1 too low, -1 too high.

    Examples
    --------
    >>> since(np.array([0.5, 0.2, 0.4, 0.9, 0.95, 0.8]), np.ones(6, dtype=bool), 1)
    3
    """
    side = np.clip(u if direction > 0 else 1 - u, _CLIP, 1.0)
    gain = np.where(member, np.log(2 * side), 0.0)
    after = np.cumsum(gain[::-1])[::-1]
    return int(np.argmax(after))
