"""How many calls a path of the load loses, given how many intervals reached the cap: drawn many times over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from capacity.ground.arrays import Floats
from capacity.stats.erlang import log_erlang_b
from capacity.stats.load_likelihood import Evidence
from capacity.stats.load_path import LoadPath

_DRAWS = 250
_BATCH = 50  # paths at a time: 50 years of intervals are 42 MB
_EVERY = 5  # of the paths are enough for other licence counts
_MODEL_ERROR = 0.08  # relative, of lost calls: what lengths that are not exponential do to them, in simulation
_NEAR = 0.8  # of sqrt(load): about four standard errors of the path
_UNKNOWN = -60.0  # log: so far below the cap what the table says is a guess, and nothing is lost
_NEVER = 1e-6  # intervals less likely than this to reach the cap are left out
BIN = 0.02  # of sqrt(load), in which loads are counted


def overflow_dispersion(channels: int, load: Floats) -> Floats:
    """Return variance over mean of the number of calls lost in a long time, shape (loads,).

    Lost calls are a Poisson stream that flows while all channels are taken, so that

        1 + 2 p_L sum over k < L of F(k)^2 / p_k,

    p being the law of calls in progress (Poisson cut off at L), F its distribution; summed upwards with
    B(k) = p_k / F(k), which is Erlang's recursion. Source: the deviation matrix of a birth-death process, P. Coolen-
    Schrijner, E. A. van Doorn, Probab. Eng. Inf. Sci. 16 (2002).

    Examples
    --------
    >>> overflow_dispersion(1, np.array([1.0]))  # 1 + 2 A / (1 + A)^2
    array([1.5])
    """
    b = np.ones_like(load)
    summed = np.zeros_like(load)
    for k in range(1, channels + 1):
        up = 1.0 / (b + k / load)
        summed = (summed + 1.0) * up**2 * k / load
        b = b * up
    return np.asarray(1.0 + 2.0 * summed)


class Lost(NamedTuple):
    """Draws of what was lost, and of the loads behind it.

    Attributes
    ----------
    lost, offered : ndarray, shape (months, draws)
        Calls.
    counts : ndarray, shape (bins, fewer draws)
        How many intervals had which load.
    factor : ndarray, shape (fewer draws,)
        What each lost, over what its path would have lost on average: the intervals that reached the cap are
        known, the rest is chance and the error of the model. It holds for other licence counts as well.
    """

    lost: Floats
    offered: Floats
    counts: Floats
    factor: Floats


def draw_lost(
    seen: Evidence,
    path: LoadPath,
    cap: npt.NDArray[np.int64],
    codes: npt.NDArray[np.int64],
    months: int,
    rng: np.random.Generator,
) -> Lost:
    """Draw the calls lost in each month; `codes` are the months of the intervals, ascending from 0."""
    begins = np.searchsorted(codes, np.arange(months))
    lost, offered = np.empty((months, _DRAWS)), np.empty((months, _DRAWS))
    regimes = [_regime(seen, path, cap, int(limit)) for limit in np.unique(cap[seen.at_cap])]
    counts, factors = [], []
    for first in range(0, _DRAWS, _BATCH):
        loads = np.minimum(path.draws(_BATCH, rng), seen.table.grid[-1] ** 2)
        here = slice(first, first + _BATCH)
        offered[:, here] = np.add.reduceat(loads, begins, axis=0) * seen.turn
        mean, variance = np.zeros((2, months, _BATCH))
        expected = sum((regime.add(mean, variance, loads, codes) for regime in regimes), np.zeros(_BATCH))
        wrong = np.exp(_MODEL_ERROR * rng.standard_normal(_BATCH))  # the same in every month
        lost[:, here] = _counts(mean * wrong, variance * wrong, rng)
        factors.append(((lost[:, here].sum(axis=0) + 1.0) / (expected + 1.0))[::_EVERY])
        place = np.minimum(np.sqrt(loads[:, ::_EVERY]) / BIN, _bins(seen) - 1).astype(np.int64)
        counts += [np.bincount(column, minlength=_bins(seen)) for column in place.T]
    return Lost(lost, offered, np.stack(counts, axis=1), np.concatenate(factors))


@dataclass(frozen=True, eq=False)
class _Regime:
    """One licence count: the intervals near it, and what an interval loses at each x = sqrt(load)."""

    near: npt.NDArray[np.int64]
    reached: npt.NDArray[np.bool_]
    grid: Floats
    tables: tuple[Floats, Floats, Floats]  # P(cap reached), mean lost, variance of the lost given what reached it

    def add(self, mean: Floats, variance: Floats, loads: Floats, codes: npt.NDArray[np.int64]) -> Floats:
        """Add this regime's calls to each month's mean and variance, both (months, draws).

        Returns how many each path would have lost on average, whatever number of intervals did reach the cap.
        """
        x = np.sqrt(loads[self.near])
        month = codes[self.near]
        share, lost, spread = (_by_month(np.interp(x, self.grid, table), month, len(mean)) for table in self.tables)
        seen = np.bincount(month, self.reached, minlength=len(mean))[:, None]
        scale = np.where(seen > 0, seen / np.maximum(share, 1e-12), 0.0)
        mean += lost * scale
        variance += spread * scale
        return np.asarray(lost.sum(axis=0))


def _regime(seen: Evidence, path: LoadPath, cap: npt.NDArray[np.int64], limit: int) -> _Regime:
    grid = seen.table.grid
    loads: Floats = np.square(grid)
    reached = seen.at_cap & (cap == limit)
    log_share = seen.table.rows[seen.kind[np.flatnonzero(reached)[0]]]
    log_lost = np.log(loads * seen.turn) + log_erlang_b(np.array(float(limit)), loads)
    log_lost = np.where(log_share > _UNKNOWN, log_lost, -np.inf)
    share, lost = np.exp(log_share), np.exp(log_lost)
    # How many intervals reached the cap is known: its own spread is not part of what is left.
    explained = np.exp(2.0 * log_lost - log_share) * -np.expm1(log_share)
    spread = np.maximum(lost * overflow_dispersion(limit, loads) - explained, 0.5 * lost)
    likely = np.interp(path.x + _NEAR, grid, share) > _NEVER
    return _Regime(
        np.flatnonzero((cap == limit) & (likely | reached)),
        reached[(cap == limit) & (likely | reached)],
        grid,
        (share, lost, spread),
    )


def _by_month(values: Floats, codes: npt.NDArray[np.int64], months: int) -> Floats:
    out = np.zeros((months, values.shape[1]))
    held, first = np.unique(codes, return_index=True)  # the codes ascend
    out[held] = np.add.reduceat(values, first, axis=0)
    return out


def _bins(seen: Evidence) -> int:
    return int(seen.table.grid[-1] / BIN) + 2


def _counts(mean: Floats, variance: Floats, rng: np.random.Generator) -> Floats:
    """Draw whole numbers of this mean and variance: negative binomial, or Poisson where that is as wide."""
    wide = variance > mean * 1.001
    size = np.where(wide, mean**2 / np.where(wide, variance - mean, 1.0), 1.0)
    share = np.where(wide, mean / np.where(wide, variance, 1.0), 0.5)
    heaped = rng.negative_binomial(np.maximum(size, 1e-12), share)
    return np.where(wide, heaped, rng.poisson(mean)).astype(np.float64)
