"""Growth as it could have been known at each past date: the slope of a Gaussian model of the level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.forecast.settings import ForecastSettings
from capacity.ground.arrays import Floats, Ints
from capacity.ground.calendar import SAME_WEEKDAYS, YEAR
from capacity.stats.robust import TO_SD

__all__ = ["Growth", "learn_growth"]

_CONSTANT = 10.0  # sd of the level, in units of 100%: any


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
    memory = np.array(sorted({T for _, T, _ in s.trend}, reverse=True))
    none = Growth(np.zeros((len(origins), len(memory))), memory)
    rows = plain[offset:].reshape(blocks, size)
    count = np.isfinite(rows).sum(axis=1)
    full = np.flatnonzero(count)
    change = np.abs(np.diff(plain[np.isfinite(plain)]))
    noise = TO_SD * float(np.median(change)) / np.sqrt(2) if len(change) else 0.0
    if len(full) < 4 or unit <= 0:
        return none
    noise = max(noise, 1e-3 * unit)
    x = np.nansum(rows[full], axis=1) / count[full] / unit
    middle: Floats = np.asarray((full + 0.5) * (size / YEAR), dtype=np.float64)
    of_block = np.asarray(noise / unit / np.sqrt(count[full]))
    slope, sd, share = _slopes(x - x.mean(), of_block, middle, size / YEAR, memory, s)
    slope = slope * np.maximum(0.0, 1.0 - s.growth_doubt * (sd / np.where(slope == 0, 1e-12, slope)) ** 2)
    known = np.searchsorted(offset + (full + 1) * size, origins, side="right") - 1
    at = (slope * share)[:, np.maximum(known, 0)].T * (known >= 0)[:, None]
    return Growth(at * unit / YEAR, memory)


def _slopes(
    x: Floats, noise: Floats, t: Floats, width: float, memory: Floats, s: ForecastSettings
) -> tuple[Floats, Floats, Floats]:
    """Return slope and its sd [shares of the level a year] at the end of each block, and the share of each memory."""
    n = len(x)
    gap = t[:, None] - t
    least = np.minimum(t[:, None], t)
    walks = np.array(s.walk)[:, None, None] ** 2 * least
    seasons = np.array(s.season)[:, None, None] ** 2 * np.exp(-2 * np.sin(np.pi * gap) ** 2)
    end = t + width / 2
    trends, crosses, kinds, starts = [], [], [], []
    for G, days, _ in s.trend:
        T = days / YEAR
        down = np.exp(-t / T)
        trends.append(G**2 * T * (2 * least - T * (1 - down[:, None] - down + np.exp(-np.abs(gap) / T))))
        back = np.maximum(end - t[:, None], 0.0)  # (block, known at)
        crosses.append(G**2 * T * (np.exp(-back / T) - np.exp(-end / T)))
        kinds.append(int(np.flatnonzero(memory == days)[0]))
        starts.append(G**2)
    base = np.diag(noise**2) + _CONSTANT**2
    cov = walks[:, None, None] + seasons[None, :, None] + np.array(trends)[None, None] + base
    L = np.linalg.cholesky(cov)
    cross = np.broadcast_to(np.array(crosses), cov.shape)
    both = np.linalg.solve(L, np.concatenate([cross, np.broadcast_to(x[:, None], (*cov.shape[:-1], 1))], axis=-1))
    v, w = both[..., :-1], both[..., -1]
    upto = np.tril(np.ones((n, n))).T  # [i, m]: block i is known at m
    slope = np.einsum("abcim,abci,im->abcm", v, w, upto, optimize=True)
    var = np.maximum(np.array(starts)[:, None] - (v**2 * upto).sum(axis=-2), 0.0)
    fit = np.cumsum(-0.5 * w**2 - np.log(np.diagonal(L, axis1=-2, axis2=-1)), axis=-1)
    fit = fit + np.log(np.array(s.walk_prior))[:, None, None, None]
    fit = fit + np.log(np.array([prior for *_, prior in s.trend]))[:, None]
    chance = np.exp(fit - fit.max(axis=(0, 1, 2)))
    chance /= chance.sum(axis=(0, 1, 2))
    by_trend = (chance * slope).sum(axis=(0, 1))  # (trends, m)
    mean = by_trend.sum(axis=0)
    second = (chance * (var + slope**2)).sum(axis=(0, 1, 2))
    parts = np.stack([by_trend[np.array(kinds) == k].sum(axis=0) for k in range(len(memory))])
    share = parts / np.where(np.abs(mean) > 1e-12, mean, 1.0)
    return mean, np.sqrt(np.maximum(second - mean**2, 0.0)), share
