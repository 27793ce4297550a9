"""A day as a load that rises and falls: what ties its highest peak to the calls that it would lose.

A forecast knows each day's highest 5-minute maximum, not its load. Given how a day runs (its shape: the load of each
interval relative to the busiest), the load A of the busiest interval decides both

    P(day's peak < c) = product over intervals s of P(max over 2 tau < c | A w_s) / P(max over tau < c | A w_s),
    lost calls        = sum over intervals s of A w_s (tau / h) B(L, A w_s),

each interval being taken given the one before it. The first, on average, is turned round to read A from a peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from capacity.errors import ConfigError
from capacity.ground.arrays import Floats
from capacity.stats.erlang import log_erlang_b
from capacity.stats.maxima import ratio

_STEP, _COARSE, _LARGE = 0.05, 0.1, 2000.0  # in sqrt(Erlang); coarser from 2,000 calls on
_MINUTES = 5.0  # of an interval
_NEVER = -60.0  # log of a probability that does not matter

# Ten hours that rise and fall like half a sine: 6.4 busy hours' worth of calls.
TYPICAL_DAY: Floats = np.sin(np.pi * (np.arange(120) + 0.5) / 120)


def as_shape(shape: npt.ArrayLike | None) -> Floats:
    """Return the load of each 5-minute interval of a day relative to the busiest.

    Raises
    ------
    ConfigError
        It is empty, has more than a day's 300 intervals, or holds something negative or NaN, or nothing above 0.
    """
    values = TYPICAL_DAY if shape is None else np.asarray(shape, dtype=np.float64).ravel()
    if not 0 < len(values) <= 300 or not bool((np.isfinite(values) & (values >= 0)).all()) or values.max() <= 0:
        raise ConfigError(
            "day_shape has to be the load of each 5-minute interval of a day (at most 300), at least 0 and not all 0"
        )
    return np.asarray(values / values.max())


@dataclass(frozen=True, eq=False)
class BusyDay:
    """Days of one shape, by the load of their busiest interval.

    Attributes
    ----------
    grid : ndarray, shape (points,)
        sqrt of the busiest interval's load, evenly spaced from 0.
    share : ndarray, shape (points, points)
        How many of a day's intervals lie at each grid point, for each busiest load.
    peak, peak_variance : ndarray, shape (points,)
        Mean and variance of the day's highest 5-minute maximum [calls].
    interval_above : ndarray, shape (points, levels)
        P(maximum of a single interval > m), m = 0, 1, ...
    turn : float
        Interval over mean call length.
    shape : ndarray
        Load of each interval relative to the busiest.
    """

    grid: Floats
    share: Floats
    peak: Floats
    peak_variance: Floats
    interval_above: Floats
    turn: float
    shape: Floats

    @classmethod
    def up_to(cls, highest: float, turn: float, shape: Floats) -> BusyDay:
        """Work out days whose highest peak goes up to `highest` calls."""
        step = _STEP if highest < _LARGE else _COARSE
        grid: Floats = np.arange(int(np.sqrt(highest) / step) + 2, dtype=np.float64) * step
        loads: Floats = np.square(grid)
        size = int(loads[-1] + 10.0 * grid[-1]) + 30
        law = np.exp(stats.poisson.logpmf(np.arange(size), loads[:, None]))
        once, twice = (np.minimum((ratio(loads, k * turn, size)[0] * law).cumsum(axis=1), 1.0) for k in (1, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            stays = np.where(once > 1e-12, np.log(twice / once), _NEVER)
        stays = np.clip(stays, _NEVER, 0.0)
        share = _spread(grid[:, None] * np.sqrt(shape)[None, :] / step, len(grid))
        above = -np.expm1(share @ stays)  # P(day's peak > m), m = 0, 1, ...
        peak = above.sum(axis=1)
        square = ((2.0 * np.arange(size) + 1.0) * above).sum(axis=1)
        return cls(grid, share, peak, np.maximum(square - peak**2, 0.0), 1.0 - once, turn, shape)

    @property
    def interval_peak(self) -> Floats:
        """Mean maximum of a single interval with the load of each grid point [calls], shape (points,)."""
        return np.asarray(self.interval_above.sum(axis=1))

    def intervals_above(self, days: Floats) -> Floats:
        """Return in how many intervals the maximum passes each level m, shape (rows, levels), from (rows, points)."""
        return np.asarray((days @ self.share) @ self.interval_above)

    def load(self, peak: Floats) -> Floats:
        """Return the busiest interval's load [Erlang] under which such a day's peak is `peak` on average."""
        return np.asarray(np.square(np.interp(peak, self.peak, self.grid)))

    def without_chance(self, peaks: Floats) -> Floats:
        """Take the chance in each day's peak out of its spread over paths, shape (paths, days).

        A peak varies from path to path because the load does, and because callers do. Lost calls count the second
        themselves; left in, it would count twice.
        """
        middle = peaks.mean(axis=0)
        variance = peaks.var(axis=0)
        chance = np.interp(middle, self.peak, self.peak_variance)
        kept = np.sqrt(np.clip(1.0 - chance / np.maximum(variance, 1e-12), 0.0, 1.0))
        return np.asarray(np.maximum(middle + (peaks - middle) * kept, 0.0))

    def days(self, loads: Floats) -> Floats:
        """Return how many of a path's days lie at each grid point, shape (paths, points), from (paths, days)."""
        return _spread(np.sqrt(loads) / (self.grid[1] - self.grid[0]), len(self.grid))

    def interval_loss(self, channels: npt.NDArray[np.int64]) -> Floats:
        """Return the calls that one interval loses with each count, shape (counts, points)."""
        loads: Floats = np.square(self.grid)
        log_b = log_erlang_b(channels[:, None].astype(np.float64), loads[None, :])
        return np.asarray(np.exp(log_b) * loads * self.turn)

    def minutes_above(self, licences: npt.NDArray[np.int64], most: npt.NDArray[np.int64]) -> Floats:
        """Return the call minutes above the licences in a day, up to `most` calls, shape (counts, points)."""
        over = calls_above(np.square(self.grid)[None, :], licences[:, None], most[:, None])
        return np.asarray(_MINUTES * over @ self.share.T)

    def loss(self, channels: npt.NDArray[np.int64]) -> Floats:
        """Return the calls that a day loses with each count of channels, shape (counts, points)."""
        return np.asarray(self.interval_loss(channels) @ self.share.T)


def calls_above(loads: Floats, licences: npt.NDArray[np.int64], most: npt.NDArray[np.int64]) -> Floats:
    """Return the mean number of calls above the licences where at most `most` are carried; shapes broadcast.

    The calls in progress are Poisson, cut off at `most`: sum over L < n <= C of (n - L) p(n) / sum over n <= C of p(n).
    """
    loads, licences, most = np.broadcast_arrays(loads, licences, most)
    upto, at = stats.poisson.cdf(most, loads), stats.poisson.cdf(licences, loads)
    more = loads * (stats.poisson.cdf(most - 1, loads) - stats.poisson.cdf(licences - 1, loads))
    return np.asarray((more - licences * (upto - at)) / np.maximum(upto, 1e-300))


def _spread(place: Floats, points: int) -> Floats:
    """Share each place out over the two grid points beside it: shape (rows, points) from (rows, n)."""
    place = np.clip(place, 0.0, points - 1.000001)
    low = place.astype(np.int64)
    up = place - low
    row = np.broadcast_to(np.arange(len(place))[:, None] * points, place.shape)
    out = np.bincount((row + low).ravel(), (1.0 - up).ravel(), minlength=len(place) * points)
    out += np.bincount((row + low + 1).ravel(), up.ravel(), minlength=len(place) * points)
    return np.asarray(out.reshape(len(place), points))
