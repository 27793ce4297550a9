"""Growth as it could have been known at each past date: the slope of a Gaussian model of the level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.forecast.settings import ForecastSettings
from capacity.ground.arrays import Floats, Ints
from capacity.ground.calendar import SAME_WEEKDAYS, YEAR
from capacity.stats.robust import TO_SD

__all__ = ["Growth", "learn_growth"]

_ANY = 10.0  # sd of the level, in units of 100%


@dataclass(frozen=True, eq=False)
class Growth:
    """Slopes at past origins; each dies down with a memory of its own.

    Attributes
    ----------
    slope : array, shape (origins, memories)
        Growth a day on the link's scale [calls].
    memory : array, shape (memories,)
        Days.
    """

    slope: Floats
    memory: Floats

    @property
    def now(self) -> Floats:
        """The whole slope at each origin, shape (origins,)."""
        return np.asarray(self.slope.sum(axis=1))

    def ahead(self, lead: Floats | Ints) -> Floats:
        """Return what the level grows by within `lead` days: (origins, leads), or for paired arrays use `one`."""
        return np.asarray(self.slope @ (self.memory[:, None] * -np.expm1(-np.asarray(lead) / self.memory[:, None])))


def learn_growth(plain: Floats, unit: float, origins: Ints, s: ForecastSettings) -> Growth:
    """Return the growth that was known at each origin.

    The level is a free constant, a walk that forgets, a yearly season and the integral of a slope that forgets, each on
    a grid of sizes; every point of the grid counts by its likelihood up to the origin.

    Parameters
    ----------
    plain : array, shape (days,)
        The history on the link's scale without effects of the calendar; NaN where missing.
    unit : float
        What 100% of the level is on that scale.
    origins : int array
        Days of history known.
    """
    days = len(plain)
    size = 7 * -(-days // SAME_WEEKDAYS)
    blocks = days // size
    offset = days - blocks * size
    memory = np.array([days for _, days in s.trend])
    rows = plain[offset:].reshape(blocks, size)
    count = np.isfinite(rows).sum(axis=1)
    full = np.flatnonzero(count)
    change = np.abs(np.diff(plain[np.isfinite(plain)]))
    noise = TO_SD * float(np.median(change)) / np.sqrt(2) if len(change) else 0.0
    if len(full) < 4 or unit <= 0:
        return Growth(np.zeros((len(origins), len(memory))), memory)
    noise = max(noise, s.quiet * unit)
    x = np.nansum(rows[full], axis=1) / count[full] / unit
    middle: Floats = np.asarray((full + 0.5) * (size / YEAR), dtype=np.float64)
    of_block = np.asarray(noise / unit / np.sqrt(count[full]))
    slopes, sd = _slopes(x - x.mean(), of_block, middle, size / YEAR, s)
    slope = slopes.sum(axis=0)
    slopes = slopes * np.maximum(0.0, 1.0 - s.growth_doubt * (sd / np.where(slope == 0, 1e-12, slope)) ** 2)
    known = np.searchsorted(offset + (full + 1) * size, origins, side="right") - 1
    at = slopes[:, np.maximum(known, 0)].T * (known >= 0)[:, None]
    return Growth(at * unit / YEAR, memory)


def _slopes(x: Floats, noise: Floats, t: Floats, width: float, s: ForecastSettings) -> tuple[Floats, Floats]:
    """Return the slopes known at the end of each block, shape (memories, blocks), and the sd of their sum.

    Both in shares of the level a year.
    """
    n = len(x)
    gap = np.abs(t[:, None] - t)
    W, R = (each.ravel() for each in np.meshgrid(s.walk, np.array(s.walk_memory) / YEAR))
    walks = (W**2 * R / 2)[:, None, None] * np.exp(-gap / R[:, None, None])
    seasons = np.array(s.season)[:, None, None] ** 2 * np.exp(-2 * np.sin(np.pi * gap) ** 2)
    G, T = np.array(s.trend).T / np.array([[1.0], [YEAR]])
    g, m = G[:, None, None], T[:, None, None]
    least, down = np.minimum(t[:, None], t), np.exp(-t / m)
    trends = g**2 * m * (2 * least - m * (1 - down.transpose(0, 2, 1) - down + np.exp(-gap / m)))
    end = t + width / 2
    back = np.maximum(end - t[:, None], 0.0)  # (block, known at)
    crosses = g**2 * m * (np.exp(-back / m) - np.exp(-end / m))
    cov = walks[:, None, None] + seasons[None, :, None] + trends + (np.diag(noise**2) + _ANY**2)
    L = np.linalg.cholesky(cov)
    cross = np.broadcast_to(crosses, cov.shape)
    both = np.linalg.solve(L, np.concatenate([cross, np.broadcast_to(x[:, None], (*cov.shape[:-1], 1))], axis=-1))
    v, w = both[..., :-1], both[..., -1]
    upto = np.tril(np.ones((n, n))).T  # [i, m]: block i is known at m
    slope = np.einsum("abcim,abci,im->abcm", v, w, upto, optimize=True)
    var = np.maximum(G[:, None] ** 2 - (v**2 * upto).sum(axis=-2), 0.0)
    fit = np.cumsum(-0.5 * w**2 - np.log(np.diagonal(L, axis1=-2, axis2=-1)), axis=-1)
    chance = np.exp(fit - fit.max(axis=(0, 1, 2)))
    chance /= chance.sum(axis=(0, 1, 2))
    by_trend = (chance * slope).sum(axis=(0, 1))  # (memories, blocks)
    second = (chance * (var + slope**2)).sum(axis=(0, 1, 2))
    sd = np.sqrt(np.maximum(second - by_trend.sum(axis=0) ** 2, 0.0))
    return by_trend, sd
