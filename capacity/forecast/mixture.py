"""How much of each pool: by what the mixture would have lost at past origins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from capacity.forecast.settings import ForecastSettings
from capacity.ground.arrays import Bools, Floats

__all__ = ["learn_weights"]

Atoms: TypeAlias = tuple[Floats, Floats]

_QUANTILES = (0.5, 0.8, 0.9, 0.95, 0.99)


def learn_weights(truth: Floats, pools: Sequence[Atoms], evidence: float, s: ForecastSettings) -> Floats:
    """Return the weights of the three pools.

    Every mixture on a grid is scored by its pinball loss over all cells. The weights are the mean of the grid under
    exp(-3 evidence x relative loss) times a prior around `pool_prior`: with little evidence they stay near it.

    Parameters
    ----------
    truth : array, shape (cells,)
        What came, at past origins and leads.
    pools : sequence of (values, weights), each of shape (cells, atoms)
        What each pool held for it, known at the time: errors of past origins, weeks, years. Weights of a cell sum to 1,
        or to 0 where the pool had nothing.
    evidence : float
        How many independent stretches of time the cells stand for.
    """
    n, fewest = s.pool_steps, s.pool_origins // 2  # cells
    grid = np.array([(n - a - b, a, b) for a in range(n + 1) for b in range(n + 1 - a)]) / n
    prior = np.array(s.pool_prior)
    chance = np.exp(-s.pool_prior_sharp * ((grid - prior) ** 2).sum(axis=1))
    has = np.stack([weight.sum(axis=1) > 0 for _, weight in pools], axis=1)
    all_three, first_two = np.asarray(has.all(axis=1)), np.asarray(has[:, :2].all(axis=1))
    if all_three.sum() >= fewest:
        chance *= np.exp(-s.pool_sharp * evidence * all_three.mean() * _relative_loss(truth, pools, grid, all_three))
    elif first_two.sum() >= fewest:  # nothing to judge the years by: the other two are judged by themselves
        pair = grid[:, :2] + 1e-9 * np.maximum(prior[:2], 1e-3)
        pair /= pair.sum(axis=1, keepdims=True)
        chance *= np.exp(-s.pool_sharp * evidence * _relative_loss(truth, pools[:2], pair, first_two))
    return np.asarray(chance @ grid / chance.sum())


def _relative_loss(truth: Floats, pools: Sequence[Atoms], grid: Floats, cells: Bools) -> Floats:
    """Return for each mixture of the grid how much more it loses than the best one."""
    truth = truth[cells]
    values = np.concatenate([v[cells] for v, _ in pools], axis=1)
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    cdfs = []
    place = 0
    for _, weight in pools:
        whole = np.zeros_like(values)
        whole[:, place : place + weight.shape[1]] = weight[cells]
        place += weight.shape[1]
        cdfs.append(np.cumsum(np.take_along_axis(whole, order, axis=1), axis=1))
    stack = np.stack(cdfs)
    loss = np.array([_loss(truth, ordered, np.tensordot(weights, stack, axes=1)) for weights in grid])
    return np.asarray(loss / max(float(loss.min()), 1e-12) - 1.0)


def _loss(truth: Floats, ordered: Floats, cdf: Floats) -> float:
    """Return the pinball loss of distributions given as ordered values and their cumulative weights."""
    rows = np.arange(len(truth))
    total = 0.0
    for q in _QUANTILES:
        at = np.minimum((cdf < q - 1e-9).sum(axis=1), cdf.shape[1] - 1)
        gap = truth - ordered[rows, at]
        total += float(np.maximum(q * gap, (q - 1) * gap).sum())
    return total
