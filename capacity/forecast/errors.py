"""Errors of past origins, made alike, and whole paths drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from capacity.forecast.calendar import SPECIAL
from capacity.forecast.levels import Rolling
from capacity.forecast.season import FIRST_YEAR
from capacity.ground.arrays import Floats, Ints

__all__ = ["ErrorPool", "error_atoms", "make_error_pool"]

_RECENT = 200.0  # days: half-life of an origin's chance to be drawn
_SHORTEST = 14  # days: a shorter error vector is no start of a path
_CARRY = 0.8  # of the last week's error goes on where another vector is chained on
_SLOW = 14  # days: what is left of an error after a moving mean is fast
_DIP = 2.5  # mean errors: what a single day goes beyond that is its own, and no error of the level
_WIDE = 1.15  # the slow errors of the past were made with the effects of the whole history known
_UNSEEN, _SEASON = 0.3, 90  # wider by that share for a season never seen, in full from so many days ahead on
_HEAVIEST = 4.0
_WINDOWS = 1.0  # degrees of freedom for each stretch of history as long as the horizon
_KIND_PRIOR = 20.0  # weeks at common spread that a weekday's own is pooled with
_BUCKETS = (7, 14, 28, 56, 90, 182)  # ends of the lead buckets, days
_DOUBT, _FIRST_YEAR_DOUBT = 4.0, 30.0  # see `_drift`


@dataclass(frozen=True, eq=False)
class ErrorPool:
    """Errors of past forecasts, made alike.

    Attributes
    ----------
    scaled : array, shape (origins, horizon)
        Divided by the spread of the day's kind, less their mean by lead; NaN where unknown.
    drift : array, shape (horizon,)
        The part of that mean that will go on.
    spread : array, shape (8,)
        By kind of day, on the link's scale.
    weight : array, shape (origins,)
        How likely each origin is to be drawn.
    days : int
        Of history.
    """

    scaled: Floats
    drift: Floats
    spread: Floats
    weight: Floats
    days: int

    @property
    def slope(self) -> float:
        """The drift that will go on, per day, on the link's scale."""
        horizon = len(self.drift)
        first = max((end for end in _BUCKETS if end < horizon), default=0)
        return float(self.drift[-1] * self.spread[:SPECIAL].mean() / ((first + 1 + horizon) / 2))

    def draw(self, rng: np.random.Generator, count: int, kind: Ints) -> Floats:
        """Return `count` whole error vectors for days of these kinds, shape (count, horizon).

        The slow part of each, which is the error of the level, is as likely to lie on the other side. It is wider by
        Student's t, with one degree of freedom for each stretch of history as long as the horizon: where
        few have been seen, the next may well be unlike them all. And wider within the first year, whose season has
        not been seen to turn.
        """
        out = self._chained(rng, count)
        slow = _moving_mean(np.clip(out, -_DIP, _DIP), _SLOW)
        freedom = _WINDOWS * self.days / out.shape[1]
        wide = _WIDE + _UNSEEN * _first_year(self.days) * min(1.0, out.shape[1] / _SEASON)
        wider = wide * np.minimum(np.sqrt(freedom / rng.chisquare(freedom, size=count)), _HEAVIEST)
        out += slow * (np.where(rng.random(count) < 0.5, -wider, wider) - 1.0)[:, None]
        return np.asarray((out + self.drift) * self.spread[kind])

    def _chained(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw error vectors; where one ends before the horizon, another goes on from where it stood."""
        scaled = self.scaled
        horizon = scaled.shape[1]
        known = np.isfinite(scaled)
        reach = np.where(known.any(axis=1), horizon - known[:, ::-1].argmax(axis=1), 0)
        chance = self.weight * (reach >= min(_SHORTEST, int(reach.max())))
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
            carry = _CARRY * (out[rows] * week).sum(axis=1, keepdims=True) / week.sum(axis=1, keepdims=True)
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


def _first_year(days: int) -> float:
    """Return how much of the first fourteen months is still to come, from 1 down to 0."""
    return max(0.0, 1.0 - days / FIRST_YEAR)


def _moving_mean(rows: Floats, days: int) -> Floats:
    """Return a centred moving mean along each row; at the ends, of the days that are there."""
    days = min(days, rows.shape[1])
    weight = uniform_filter1d(np.ones(rows.shape[1]), days, mode="constant")
    return np.asarray(uniform_filter1d(rows, days, axis=1, mode="constant") / weight)


def make_error_pool(rolling: Rolling, kind: Ints) -> ErrorPool:
    """Make the errors of all origins but the last alike.

    Parameters
    ----------
    rolling : Rolling
    kind : int array, shape (days + horizon,)
        The kind of each day, 0 to 7.
    """
    errors, origins = rolling.errors[:-1], rolling.origins[:-1]
    days = int(rolling.origins[-1])
    kinds = kind[origins[:, None] + np.arange(errors.shape[1])]
    spread = _spread_by_kind(errors, kinds)
    scaled = errors / spread[kinds]
    mean, drift = _drift(scaled, days)
    weight = 0.5 ** ((days - origins) / _RECENT)
    return ErrorPool(scaled=scaled - mean, drift=drift, spread=spread, weight=weight, days=days)


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
    weight = known * 0.5 ** ((origin - past[use]) / _RECENT)
    total = weight.sum(axis=1, keepdims=True)
    error = (np.where(known, scaled, 0.0) + pool.drift[lead - 1][:, None]) * pool.spread[kind][:, None]
    return rolling.forecast[row, lead - 1][:, None] + error, np.asarray(weight / np.where(total > 0, total, 1.0))


def _spread_by_kind(errors: Floats, kinds: Ints) -> Floats:
    """Return the mean absolute error by kind of day, pooled with the common one."""
    known = np.isfinite(errors)
    size = np.bincount(kinds[known], weights=np.abs(errors[known]), minlength=SPECIAL + 1)
    count = np.bincount(kinds[known], minlength=SPECIAL + 1)
    common = size.sum() / max(int(count.sum()), 1)
    prior = _KIND_PRIOR * errors.shape[1] / 7
    return np.asarray(np.maximum((size + prior * common) / (count + prior), 1e-9))


def _drift(scaled: Floats, days: int) -> tuple[Floats, Floats]:
    """Return the mean error by lead (in buckets), and the part of it that is drift which will go on.

    That part is 1 - doubt / t^2, if positive, where t compares the mean with its chance over stretches that do not
    overlap. Within the first year doubt is larger, since a slope cannot be told from a season.
    """
    horizon = scaled.shape[1]
    doubt = _DOUBT + _FIRST_YEAR_DOUBT * _first_year(days)
    known = np.isfinite(scaled)
    filled = np.where(known, scaled, 0.0)
    mean, drift = np.zeros(horizon), np.zeros(horizon)
    ends = [*(end for end in _BUCKETS if end < horizon), horizon]
    for start, end in zip([0, *ends], ends, strict=False):
        count = known[:, start:end].sum(axis=1)
        if not (count > 0).any():
            continue
        each = filled[count > 0, start:end].sum(axis=1) / count[count > 0]
        windows = max((days - end) / end, 0.5)
        t2 = each.mean() ** 2 * windows / max(float(each.var()), 1e-12)
        mean[start:end] = each.mean()
        drift[start:end] = each.mean() * max(0.0, 1.0 - doubt / max(t2, 1e-12))
    return mean, drift
