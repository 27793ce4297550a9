"""The scale on which a series is modelled: as it is, or on logarithms where its spread grows with its level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.forecast.settings import ForecastSettings
from capacity.ground.arrays import Floats
from capacity.stats.robust import TO_SD

__all__ = ["Link", "choose_link"]


@dataclass(frozen=True)
class Link:
    """y -> z and back: z = y, or z = log(y + shift) * shift, so that z has the unit [calls] either way.

    Attributes
    ----------
    shift : float
        The median of the history where logarithms are taken, 0 where they are not.
    top : float
        No value is taken back to more than this [calls]: exp() of an unlucky sum is no forecast.
    """

    shift: float
    top: float

    def to_z(self, y: Floats) -> Floats:
        """Return z [calls]."""
        return np.log1p(y / self.shift) * self.shift if self.shift else y

    def to_y(self, z: Floats) -> Floats:
        """Return y [calls], between 0 and `top`."""
        if self.shift:
            z = np.expm1(np.minimum(z / self.shift, 50.0)) * self.shift
        return np.clip(z, 0.0, self.top)


def choose_link(y: Floats, s: ForecastSettings) -> Link:
    """Choose logarithms where, over blocks of 28 days, spread and swing of the weekdays grow with the level.

    The evidence is the mean of two slopes on the log level: of the log spread, the middle of |y_t - y_{t-7}|, and of
    the log swing, the mean distance of the weekdays' means from their own mean, where it exceeds its noise. Each slope
    is shrunk towards 0 by the noise of its observations: with levels that hardly differ it is chance.
    """
    seen = y[np.isfinite(y)]
    top = s.record_factor * float(seen.max()) + 5.0
    median = float(np.median(seen))
    blocks = len(y) // s.month
    if median <= 0 or blocks < 3:
        return Link(0.0, top)
    level, spread, swing = _by_block(y, s.month)
    noise = spread * TO_SD / np.sqrt(2) / np.sqrt(s.month / 7)  # sd of a weekday's mean
    both = np.isfinite(noise) & np.isfinite(swing)
    clear = bool(both.any()) and float(np.median(swing[both])) > 1.5 * float(np.median(noise[both]))
    slopes = [_slope(level, each, s.log_doubt) for each in ((spread, swing) if clear else (spread,))]
    return Link(median if float(np.mean(slopes)) > s.log_slope else 0.0, top)


def _slope(level: Floats, size: Floats, doubt: float) -> float:
    """Return the slope of log size on log level, shrunk; 0 where fewer than three blocks tell."""
    ok = np.isfinite(level) & np.isfinite(size) & (level > 0) & (size > 0)
    if ok.sum() < 3:
        return 0.0
    x, s = np.log(level[ok]), np.log(size[ok])
    x, s = x - x.mean(), s - s.mean()
    return float(x @ s / max(x @ x + doubt * float(s @ s) / len(s), 1e-12))


def _by_block(y: Floats, days: int) -> tuple[Floats, Floats, Floats]:
    """Return level, spread and swing of each block of so many days."""
    blocks = len(y) // days
    change = np.full(len(y), np.nan)
    change[7:] = np.abs(y[7:] - y[:-7])
    cut = len(y) - blocks * days
    rows = y[cut:].reshape(blocks, -1, 7)
    count = np.isfinite(rows).sum(axis=1)
    means = np.where(count > 0, np.nansum(rows, axis=1) / np.maximum(count, 1), np.nan)
    open_ = np.isfinite(means)
    of = np.maximum(open_.sum(axis=1), 1)
    middle = np.nansum(means, axis=1) / of
    swing = np.nansum(np.abs(means - middle[:, None]), axis=1) / of
    return _middle(y[cut:].reshape(blocks, -1)), _middle(change[cut:].reshape(blocks, -1)), swing


def _middle(rows: Floats) -> Floats:
    """Return the mean of the middle half by row without the missing; NaN for a row of which not a third was seen."""
    ordered = np.sort(rows, axis=1)  # NaN last
    count = np.isfinite(rows).sum(axis=1)
    total = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(np.nan_to_num(ordered), axis=1)], axis=1)
    low, rank = count // 4, np.arange(len(rows))
    middle = (total[rank, count - low] - total[rank, low]) / np.maximum(count - 2 * low, 1)
    return np.where(3 * count > rows.shape[1], middle, np.nan)
