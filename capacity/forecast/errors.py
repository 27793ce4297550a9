"""Errors of past origins, made alike, and whole paths drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from capacity.forecast.calendar import SPECIAL
from capacity.forecast.levels import Rolling
from capacity.forecast.settings import ForecastSettings
from capacity.ground.arrays import Floats, Ints

__all__ = ["ErrorPool", "error_atoms", "make_error_pool"]


@dataclass(frozen=True, eq=False)
class ErrorPool:
    """Errors of past forecasts, made alike.

    Attributes
    ----------
    scaled : array, shape (origins, horizon)
        Divided by the spread of the day's kind, less their mean by lead; NaN where unknown.
    below, above : array, shape (8,)
        Spread by kind of day, of errors below and above 0, on the link's scale. They differ on special days alone.
    size : array, shape (horizon,)
        Mean absolute value of `scaled` by lead.
    weight : array, shape (origins,)
        How likely each origin is to be drawn.
    days : int
        Of history.
    """

    scaled: Floats
    below: Floats
    above: Floats
    size: Floats
    weight: Floats
    days: int
    s: ForecastSettings

    def draw(self, rng: np.random.Generator, count: int, kind: Ints) -> Floats:
        """Return `count` whole error vectors for days of these kinds, shape (count, horizon).

        The slow part of each, which is the error of the level, is as likely to lie on the other side, and has the
        spread of ordinary days throughout. It is widened by Student's t, with one degree of freedom for each stretch of
        history as long as the lead, since few such stretches say little about the next one; and within the first year,
        in which not every season has been seen.
        """
        out = self._chained(rng, count)
        most = self.s.dip * np.maximum(self.size, 1.0)
        slow = _moving_mean(np.clip(out, -most, most), self.s.slow)
        fast = (out - slow) * np.where(out < slow, self.below[kind], self.above[kind])
        fast *= 1.0 + self.s.jitter * rng.standard_normal((count, 1))
        side = np.where(rng.random(count) < 0.5, -1.0, 1.0)[:, None]
        return np.asarray(fast + slow * side * self._wider(rng, count) * self._ordinary(kind))

    def _ordinary(self, kind: Ints) -> Floats:
        """Return the spread of each day, special days as an ordinary one."""
        common = float(self.below[:SPECIAL].mean())
        return np.where(kind == SPECIAL, common, self.below[kind])

    def _wider(self, rng: np.random.Generator, count: int) -> Floats:
        """Return by how much errors of the level are wider than those of the past, shape (count, horizon).

        Student's t by the approximation of Wilson and Hilferty (1931): chi^2 / n = (1 - 2 / 9n + N (2 / 9n)^1/2)^3.
        """
        near, quarter = self.s.pool_ends[:2]  # up to where doubt does not grow, and from where it is in full
        lead = np.maximum(np.arange(1, self.scaled.shape[1] + 1), near)
        part = 2.0 * lead / (9.0 * self.days)  # 2 / 9n
        root = np.maximum(1.0 - part + rng.standard_normal(count)[:, None] * np.sqrt(part), 1e-3)
        heavy = 1.0 / (root * np.sqrt(root))
        left = max(0.0, 1.0 - self.days / self.s.first_year)  # of the first fourteen months
        wide = 1.0 + (self.s.far + self.s.unseen * left) * np.minimum(1.0, lead / quarter)
        return np.asarray(np.minimum(wide * heavy, self.s.heaviest))

    def _chained(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw error vectors; where one ends before the horizon, another goes on from where it stood."""
        scaled = self.scaled
        horizon = scaled.shape[1]
        known = np.isfinite(scaled)
        reach = np.where(known.any(axis=1), horizon - known[:, ::-1].argmax(axis=1), 0)
        chance = self.weight * (reach >= min(self.s.slow, int(reach.max())))
        chance /= chance.sum()
        first = rng.choice(len(scaled), size=count, p=chance)
        filled = self._without_gaps(rng, reach)
        out = filled[first]
        end = reach[first]
        lead = np.arange(horizon)
        while len(rows := np.flatnonzero(end < horizon)):
            other = rng.choice(len(scaled), size=len(rows), p=chance)
            seam = end[rows, None]
            week = (lead >= seam - 7) & (lead < seam)
            carry = self.s.carry * (out[rows] * week).sum(axis=1, keepdims=True) / week.sum(axis=1, keepdims=True)
            piece = np.take_along_axis(filled[other], np.maximum(lead - seam, 0), axis=1)
            out[rows] = np.where(lead < seam, out[rows], piece + carry)
            end[rows] = np.minimum(horizon, end[rows] + reach[other])
        return out

    def _without_gaps(self, rng: np.random.Generator, reach: Ints) -> Floats:
        """Fill gaps within the reach of a vector by other origins' errors at that lead, if any; by 0 otherwise."""
        out = self.scaled.copy()
        for _ in range(3):
            row, day = np.nonzero(~np.isfinite(out) & (np.arange(out.shape[1]) < reach[:, None]))
            if not len(row):
                break
            out[row, day] = self.scaled[rng.integers(len(out), size=len(row)), day]
        return np.where(np.isfinite(out), out, 0.0)


def _moving_mean(rows: Floats, days: int) -> Floats:
    """Return a centred moving mean along each row; at the ends, of the days that are there."""
    days = min(days, rows.shape[1])
    weight = uniform_filter1d(np.ones(rows.shape[1]), days, mode="constant")
    return np.asarray(uniform_filter1d(rows, days, axis=1, mode="constant") / weight)


def make_error_pool(rolling: Rolling, kind: Ints, s: ForecastSettings, wider: Floats | None = None) -> ErrorPool:
    """Make the errors of all origins but the last alike.

    Parameters
    ----------
    rolling : Rolling
    kind : int array, shape (days + horizon,)
        The kind of each day, 0 to 7.
    wider : array, shape (8,), optional
        By how much each kind of day is wider than its past errors say.
    """
    errors, origins = rolling.errors[:-1], rolling.origins[:-1]
    days = int(rolling.origins[-1])
    kinds = kind[origins[:, None] + np.arange(errors.shape[1])]
    near = s.pool_ends[0]
    below, above = _spreads(errors[:, :near], kinds[:, :near], s)
    scaled = errors / np.where(errors < 0, below[kinds], above[kinds])
    weight = 0.5 ** ((days - origins) / s.recent)
    scaled = scaled - _mean_by_lead(scaled, s)
    more = np.ones(SPECIAL + 1) if wider is None else wider
    return ErrorPool(scaled, below * more, above * more, _mean_by_lead(np.abs(scaled), s), weight, days, s)


def error_atoms(
    pool: ErrorPool, rolling: Rolling, row: Ints, lead: Ints, kind: Ints, most: int = 60
) -> tuple[Floats, Floats]:
    """Return what the pool held for the day `lead` after the origin in `row`: errors of days that had come by then.

    Parameters
    ----------
    row, lead, kind : int array, shape (cells,)
        Row of the origin in `rolling`, days ahead, and kind of that day.

    Returns
    -------
    values, weights : arrays, shape (cells, at most `most` + 1)
        What was not there has weight 0.
    """
    past = rolling.origins[:-1]
    use = np.arange(len(past))[:: max(1, len(past) // most)]
    origin = rolling.origins[row][:, None]
    scaled = pool.scaled[use][:, lead - 1].T
    known = np.isfinite(scaled) & (past[use] + lead[:, None] <= origin)
    weight = known * 0.5 ** ((origin - past[use]) / pool.s.recent)
    total = weight.sum(axis=1, keepdims=True)
    scaled = np.where(known, scaled, 0.0)
    error = scaled * np.where(scaled < 0, pool.below[kind][:, None], pool.above[kind][:, None])
    return rolling.forecast[row, lead - 1][:, None] + error, np.asarray(weight / np.where(total > 0, total, 1.0))


def _spreads(errors: Floats, kinds: Ints, s: ForecastSettings) -> tuple[Floats, Floats]:
    """Return the mean absolute error by kind of day, below and above 0, pooled with the common one.

    The few special days that were seen say little of how high one may be: their upper spread is that of their own
    errors above 0, pooled with some weeks of ordinary days, and never wider than the lower.
    """
    known = np.isfinite(errors)
    size, kind = np.abs(errors[known]), kinds[known]
    total = np.bincount(kind, weights=size, minlength=SPECIAL + 1)
    count = np.bincount(kind, minlength=SPECIAL + 1)
    common = float(size.sum()) / max(len(size), 1)
    weeks = errors.shape[1] / 7
    below = np.maximum((total + s.kind_prior * weeks * common) / (count + s.kind_prior * weeks), 1e-9)
    up = size[(kind == SPECIAL) & (errors[known] > 0)]
    ordinary = float(below[:SPECIAL].mean())
    above = below.copy()
    prior = s.kind_prior * weeks
    above[SPECIAL] = min(below[SPECIAL], (float(up.sum()) + prior * ordinary) / (len(up) + prior))
    return below, above


def _mean_by_lead(scaled: Floats, s: ForecastSettings) -> Floats:
    """Return the mean by lead, in stretches, shape (horizon,)."""
    horizon = scaled.shape[1]
    known = np.isfinite(scaled)
    filled = np.where(known, scaled, 0.0)
    mean = np.zeros(horizon)
    ends = [*(end for end in s.centre_ends if end < horizon), horizon]
    for start, end in zip([0, *ends], ends, strict=False):
        count = known[:, start:end].sum(axis=1)
        if (count > 0).any():
            mean[start:end] = (filled[count > 0, start:end].sum(axis=1) / count[count > 0]).mean()
    return mean
