"""Confidence limits of percentiles: the stationary bootstrap of Politis and Romano (1994), in whole weeks."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from capacity.errors import InsufficientData
from capacity.ground.arrays import Ints
from capacity.ground.dense import Dense
from capacity.ground.localtime import local_days
from capacity.stats.order_statistics import BLOCK, rank_of

REPLICATES = 1000
FEWEST_WEEKS = 4


def stationary_weights(blocks: int, *, replicates: int, seed: int) -> Ints:
    """Return how often each of `blocks` weeks is drawn, shape (replicates, blocks).

    A resample is made of runs of consecutive weeks (the first follows the last), each beginning anywhere and of
    geometric length with mean ``round(blocks ** (1 / 3))``, until as many weeks are drawn as there are.

    Examples
    --------
    >>> stationary_weights(5, replicates=2, seed=0).sum(axis=1)
    array([5, 5])
    """
    rng = np.random.default_rng(seed)
    mean_length = max(1, round(blocks ** (1 / 3)))
    anew = rng.random((replicates, blocks)) < 1 / mean_length
    anew[:, 0] = True
    begin = rng.integers(0, blocks, size=(replicates, blocks))
    place = np.arange(blocks)
    last = np.maximum.accumulate(np.where(anew, place, 0), axis=1)
    drawn = (np.take_along_axis(begin, last, axis=1) + place - last) % blocks
    key = drawn + np.arange(replicates)[:, None] * blocks
    return np.bincount(key.ravel(), minlength=replicates * blocks).reshape(replicates, blocks)


def limits(
    cells: Dense, group: Ints, groups: int, percents: Sequence[float], *, level: float, seed: int, tz: str | dt.tzinfo
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the lower and the upper limits of percentiles, each of shape (percents, groups, variants).

    The weeks are runs of seven local days from the frame's first day on; a variant's are those from its first row
    to its last. Days over, fewer than seven, stand in every resample. NaN for a variant with fewer than four weeks.

    Raises
    ------
    InsufficientData
        No variant has four whole weeks.
    """
    span = local_days(cells.times, tz)
    day = (span.days - span.days[0]).days.to_numpy()
    week_of = day[span.day_of] // 7
    whole = (int(day[-1]) + 1) // 7
    low = np.full((len(percents), groups, len(cells.ids)), np.nan)
    high = low.copy()
    most = 0
    for place in range(len(cells.ids)):
        column = cells.values[:, place]
        held = np.flatnonzero((column >= 0) & (group >= 0))
        if len(held) == 0:
            continue
        present = np.flatnonzero(np.bincount(week_of[held], minlength=whole)[:whole])
        first, last = (int(present[0]), int(present[-1]) + 1) if len(present) else (0, 0)
        most = max(most, last - first)
        if last - first < FEWEST_WEEKS:
            continue
        weights = stationary_weights(last - first, replicates=REPLICATES, seed=seed)
        week = np.minimum(week_of[held] - first, last - first)  # the days over make the last one
        weights = np.pad(weights, ((0, 0), (0, 1)), constant_values=1)
        drawn = _resample(column[held], group[held], groups, week, weights, percents)
        low[:, :, place], high[:, :, place] = _between(drawn, (1 - level) / 2)
    if most < FEWEST_WEEKS:
        raise InsufficientData(f"confidence limits need at least {FEWEST_WEEKS} whole weeks; the frame has {most}")
    return low, high


def _between(drawn: Ints, tail: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the values that `tail` of the resamples do not exceed, and do not fall below; NaN where all are empty."""
    ordered = np.sort(drawn, axis=1)
    empty = (drawn < 0).sum(axis=1, keepdims=True)
    full = drawn.shape[1] - empty
    cut = np.maximum(np.ceil(tail * full).astype(np.int64), 1)
    low = np.take_along_axis(ordered, np.minimum(empty + cut, drawn.shape[1]) - 1, axis=1)
    high = np.take_along_axis(ordered, drawn.shape[1] - cut, axis=1)
    return np.where(full > 0, low, np.nan)[:, 0], np.where(full > 0, high, np.nan)[:, 0]


def _resample(
    values: npt.NDArray[np.int32], group: Ints, groups: int, week: Ints, weights: Ints, percents: Sequence[float]
) -> Ints:
    """Return the percentiles of every resample, shape (percents, replicates, groups); -1 where a group is empty.

    A resample's counts of each value are its weights times the counts by week: no value is drawn one by one.
    """
    replicates, weeks = weights.shape
    level, code = np.unique(values, return_inverse=True)
    out = np.full((len(percents), replicates, groups), -1, dtype=np.int64)
    step = max(1, BLOCK // (len(level) * max(replicates, weeks)))
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(0, groups + step, step))
    for begin, (first, last) in zip(range(0, groups, step), itertools.pairwise(bounds), strict=False):
        some = order[first:last]
        here = min(step, groups - begin)
        key = ((week[some] * here) + group[some] - begin) * len(level) + code.reshape(-1)[some]
        by_week = np.bincount(key, minlength=weeks * here * len(level)).reshape(weeks, -1)
        counts = (weights.astype(np.float64) @ by_week).reshape(replicates, here, len(level))
        running = np.cumsum(counts, axis=2, out=counts)
        count = running[:, :, -1].astype(np.int64)
        for place, percent in enumerate(percents):
            reached = np.sum(running < rank_of(percent, count)[:, :, None], axis=2)
            value = level[np.minimum(reached, len(level) - 1)]
            out[place, :, begin : begin + here] = np.where(count > 0, value, -1)
    return out
