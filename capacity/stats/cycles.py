"""Trend and weekly cycle of one series on a grid of weeks x weekdays x slots, robustly.

The work of STL (Cleveland et al. 1990), laid out so that each smoothing step is one product of matrices: a
kernel over the weeks for the cycle, local lines over the days for the trend, bisquare weights against outliers.
A cell that was not observed has weight 0, so gaps need no filling.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capacity.ground.arrays import Floats

# Chosen by measurement against known truth (benchmarks/decompose.py): at 25 weeks the patterns are a fifth truer
# than at 15 (what STL takes), and still follow a season; a trend of 29 days leaves the weeks alone.
CYCLE_WEEKS = 25
TREND_DAYS = 29

_ROUNDS = 2  # of bisquare weights; a third changes nothing that can be seen
_REJECT = 6.0  # bisquare weights reach 0 at this many median absolute remainders, as in STL
# sqrt(count + 3/8) of a Poisson count has a standard deviation of 1/2. Remainders of half of that are never
# outliers, or a series that is mostly zeros would reject everything else.
_LEAST_SPREAD = 0.25
# Not zero: a cell with no other witness is better known by an outlier than by nothing.
_LEAST_WEIGHT = 1e-9
_LOOK = 9  # weeks: up to four in a row can be out of line and are outvoted, more than the trend is wide


class Cycles(NamedTuple):
    """The parts of one series, each of shape (weeks, 7, slots); `daily + weekly` sums to 0 over each week.

    `daily` is the same on all days of a week. `weekly` sums to 0 over the weekdays at each slot, so that what a
    day and a week could both explain (harmonics that they share) is the day's.
    """

    trend: Floats
    daily: Floats
    weekly: Floats


def fit_cycles(values: Floats, weight: Floats) -> Cycles:
    """Split a series into trend, daily and weekly cycle by backfitting.

    Parameters
    ----------
    values : float, shape (weeks, 7, slots)
        One series by week, weekday and slot of the day; whatever stands where `weight` is 0.
    weight : float, shape (weeks, 7, slots)
        Weight of each cell in the fit; 0 where nothing was observed.
    """
    weeks = len(values)
    over_weeks = _kernel(weeks, CYCLE_WEEKS)
    values = np.where(weight > 0, values, 0.0)
    cycle = np.zeros_like(values)
    trend = np.zeros_like(values)
    robust = _first_look(values, weight)
    for _ in range(1 + _ROUNDS):
        now = weight * robust
        for _ in range(2):
            trend = _trend(values - cycle, now)
            cycle = _cycle(values - trend, now, over_weeks)
        robust = _bisquare(values - trend - cycle, weight)
    daily = np.broadcast_to(cycle.mean(axis=1, keepdims=True), cycle.shape)
    return Cycles(trend, daily, cycle - daily)


def leverage(weeks: int) -> float:
    """Return how much of its own weekly cycle a value is, on average, for a series of that many weeks.

    Also the strength that a weekly cycle shows in white noise.
    """
    kernel = _kernel(weeks, CYCLE_WEEKS)
    return float((np.diag(kernel) / kernel.sum(axis=1)).mean()) * 6 / 7


def _kernel(n: int, width: int) -> Floats:
    """Return tricube weights between n equidistant points; towards the ends they reach as far as the width."""
    place = np.arange(n)
    distance = np.abs(place[:, None] - place)
    nearest = np.partition(distance, min(width, n) - 1, axis=1)[:, min(width, n) - 1]
    reach = np.maximum(nearest + 1, (width + 1) / 2)
    return np.asarray((1 - np.minimum(distance / reach[:, None], 1.0) ** 3) ** 3)


def _trend(values: Floats, weight: Floats) -> Floats:
    """Return local lines through the daily levels, joined from noon to noon."""
    weeks, days, slots = values.shape
    by_day = weight.reshape(weeks * days, slots)
    mass = by_day.sum(axis=1)
    level = (values.reshape(by_day.shape) * by_day).sum(axis=1)
    reach = TREND_DAYS // 2
    step = np.arange(-reach, reach + 1.0)
    near = (1 - np.abs(step / (reach + 1)) ** 3) ** 3

    def around(what: Floats, moment: Floats) -> Floats:
        # Correlation with the kernel; cut to the days, which may be fewer than the kernel has.
        return np.convolve(what, moment[::-1], mode="full")[reach : reach + len(what)]

    s0, s1, s2 = (around(mass, near * step**k) for k in range(3))
    t0, t1 = (around(level, near * step**k) for k in range(2))
    s0 = np.where(s0 > 0, s0, 1.0)  # no day with a value is near enough: this one has none either
    mean = t0 / s0
    # The last term is a day's worth of doubt: a lone day has a level, but no slope.
    slope = (t1 - s1 * mean) / (s2 - s1 * s1 / s0 + s0)
    noon = np.arange(len(mass)) * slots + (slots - 1) / 2
    line = np.interp(np.arange(len(mass) * slots), noon, mean - slope * s1 / s0)
    return np.asarray(line.reshape(values.shape))


def _cycle(values: Floats, weight: Floats, kernel: Floats) -> Floats:
    """Return the mean over nearby weeks at each slot of the week, less its level."""
    weeks = len(values)
    mass = weight.reshape(weeks, -1)
    near = kernel @ mass
    seen = near > 0
    cycle = np.divide(kernel @ (values.reshape(weeks, -1) * mass), near, out=np.zeros_like(near), where=seen)
    cycle, seen = cycle.reshape(values.shape), seen.reshape(values.shape)
    if not seen.all():
        # A slot that this weekday never showed looks like the other weekdays do.
        days_seen = np.maximum(seen.sum(axis=1, keepdims=True), 1)
        cycle = np.where(seen, cycle, cycle.sum(axis=1, keepdims=True) / days_seen)
    return np.asarray(cycle - cycle.mean(axis=(1, 2), keepdims=True))


def _first_look(values: Floats, weight: Floats) -> Floats:
    """Return first weights: whole days against the median of their weekday in the nearest nine weeks.

    A fit that starts from all days alike takes an outage of half the trend's width for the trend.
    """
    slots = values.shape[2]
    mass = weight.sum(axis=2)
    known = mass >= slots / 2
    level = np.divide((values * weight).sum(axis=2), mass, out=np.full(mass.shape, np.nan), where=known)
    padded = np.pad(level, ((_LOOK // 2, _LOOK // 2), (0, 0)), constant_values=np.nan)
    near = np.sort(np.lib.stride_tricks.sliding_window_view(padded, _LOOK, axis=0), axis=2)  # NaN comes last
    count = (~np.isnan(near)).sum(axis=2, keepdims=True)
    low, high = (np.take_along_axis(near, np.maximum(k, 0), axis=2)[:, :, 0] for k in ((count - 1) // 2, count // 2))
    stray = np.where(known, level - (low + high) / 2, 0.0)
    day = _bisquare(stray, known.astype(float)) if known.any() else np.ones_like(stray)
    return np.broadcast_to(day[:, :, None], values.shape)


def _bisquare(remainder: Floats, weight: Floats) -> Floats:
    size = np.abs(remainder)
    typical = float(np.median(size[weight > 0]))
    reach = _REJECT * max(typical, _LEAST_SPREAD)
    return np.asarray(np.maximum((1 - np.minimum(size / reach, 1.0) ** 2) ** 2, _LEAST_WEIGHT))
