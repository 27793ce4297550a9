"""Sequentially valid evidence against a forecast, from the normal scores of its days.

Were the forecasts right, each score e would be standard normal, whatever came before. A bet multiplies its wealth by
exp(k e - k^2 v / 2), or by exp(-k e - k^2 v / 2): on average by at most 1 as long as the scores are centred and vary
no more than a normal of variance v, which leaves room for spreads that are a little too narrow. Whoever starts with 1
and reaches 1 / alpha has seen what happens with a chance of at most alpha, at whatever time one looks (Ville's
inequality). So the wealth is evidence that may be looked at daily.

The wealth begins in cash. Each day a part of the cash goes to bettors who hold that the forecasts are too low, or too
high, from that day on: on all days, or on one weekday. So a change late in the year is found about as fast as one
early in it. Days that one forecast was made for hang together; `innovations` takes out what is known about that, so
that each day counts for what is new in it.

Sources: S. Arnold, A. Henzi and J. F. Ziegel, "Sequentially valid tests for forecast calibration", Annals of Applied
Statistics 17 (2023); M. Herbster and M. K. Warmuth, "Tracking the best expert", Machine Learning 32 (1998);
S. R. Howard et al., "Time-uniform Chernoff bounds via nonnegative supermartingales", Probability Surveys 17 (2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, special

from capacity.ground.arrays import Floats

_RATE = 1.0 / 90.0  # of the cash that goes to bettors each day
_CLIP = 1e-4  # of u: beyond it a few paths would decide
_MOST = 3.5  # a score counts for no more
GROUPS = 8  # all days, and each weekday
_SHARES = np.array([0.96, *[0.04 / 7] * 7])  # of the bets on each group
_STAKE = 0.5  # k
_VARIANCE = 1.1  # v


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


def scores_of(u: Floats) -> Floats:
    """Return the normal scores of transforms.

    Examples
    --------
    >>> scores_of(np.array([0.5, 0.975])).round(2).tolist()
    [0.0, 1.96]
    """
    return np.asarray(special.ndtri(np.clip(u, _CLIP, 1 - _CLIP)))


def innovations(scores: Floats, covariance: Floats) -> Floats:
    """Return scores with what the days before them tell taken out, shape (days,).

    Parameters
    ----------
    scores : ndarray, shape (days,)
        Normal scores of days that one forecast was made for.
    covariance : ndarray, shape (days, days)
        Of these scores, if nothing has changed.

    Notes
    -----
    With R = L L' the covariance of the scores z, e = L^-1 z are independent and standard normal (a Gaussian copula).

    Examples
    --------
    >>> innovations(np.array([0.0, 1.2]), np.eye(2)).round(3).tolist()
    [0.0, 1.2]
    """
    return np.asarray(linalg.solve_triangular(np.linalg.cholesky(covariance), scores, lower=True))


def _log_pay(scores: Floats, direction: float) -> Floats:
    """Return the logarithm of what bets on one direction pay."""
    return np.asarray(_STAKE * direction * np.clip(scores, -_MOST, _MOST) - _STAKE**2 * _VARIANCE / 2)


def wealth(scores: Floats, weekday: npt.NDArray[np.int64], *, start: float = 1.0) -> Bets:
    """Return the evidence after each day.

    Parameters
    ----------
    scores : ndarray, shape (days,)
        Each standard normal given those before it if nothing has changed.
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
    >>> calm = wealth(2 * ((days * 0.618) % 1) - 1, days % 7)
    >>> low = wealth(2 * ((days * 0.618) % 1), days % 7)
    >>> bool(calm.total.max() < 3), bool(low.total[-1] > 100), low.best[-1].tolist()
    (True, True, [0, 1])
    """
    pays = np.exp(np.stack([_log_pay(scores, side) for side in (1.0, -1.0)], axis=-1))
    cash, bets = start, np.zeros((GROUPS, 2))
    fresh = np.repeat(_SHARES[:, None], 2, axis=1) / 2
    total, best = np.empty(len(scores)), np.empty((len(scores), 2), dtype=np.int64)
    for t in range(len(scores)):  # over days: each bet depends on the wealth before it
        bets += _RATE * cash * fresh
        cash *= 1 - _RATE
        bets[0] *= pays[t]
        bets[1 + weekday[t]] *= pays[t]
        total[t] = cash + bets.sum()
        group, side = np.unravel_index(int(bets.argmax()), bets.shape)
        best[t] = group, 1 - 2 * side
    return Bets(total, best)


def since(scores: Floats, member: npt.NDArray[np.bool_], direction: int) -> int:
    """Return the place from which on one bet would have gained most until the end.

    Parameters
    ----------
    scores : ndarray, shape (days,)
    member : ndarray of bool, shape (days,)
        The days of the bet's group.
    direction : int
        1 too low, -1 too high.

    Examples
    --------
    >>> since(np.array([0.0, -0.8, -0.3, 1.3, 1.6, 0.8]), np.ones(6, dtype=bool), 1)
    3
    """
    gain = np.where(member, _log_pay(scores, direction), 0.0)
    after = np.cumsum(gain[::-1])[::-1]
    return int(np.argmax(after))
