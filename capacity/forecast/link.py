"""The scale on which a series is modelled: as it is, or on logarithms where its spread grows with its level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.ground.arrays import Floats

__all__ = ["Link", "choose_link"]

_BLOCK = 28  # days
_THRESHOLD = 0.5
_PRIOR_BLOCKS = 6.0


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


def choose_link(y: Floats) -> Link:
    """Choose logarithms where, over blocks of 28 days, the spread grows with the level.

    The slope of log median |y_t - y_{t-7}| on log level is shrunk towards 0 as by six blocks that show none, since with
    few blocks it is mostly chance.
    """
    seen = y[np.isfinite(y)]
    top = 5.0 * float(seen.max()) + 5.0
    median = float(np.median(seen))
    blocks = len(y) // _BLOCK
    if median <= 0 or blocks < 3:
        return Link(0.0, top)
    level, spread = _by_block(y, blocks)
    ok = np.isfinite(level) & np.isfinite(spread) & (level > 0) & (spread > 0)
    if ok.sum() < 3:
        return Link(0.0, top)
    x, s = np.log(level[ok]), np.log(spread[ok])
    x = x - x.mean()
    variance = 0.05**2 * _PRIOR_BLOCKS  # levels that differ by 5 % say nothing about growth of spread with level
    slope = float(x @ (s - s.mean()) / (x @ x + variance))
    return Link(median if slope > _THRESHOLD else 0.0, top)


def _by_block(y: Floats, blocks: int) -> tuple[Floats, Floats]:
    change = np.full(len(y), np.nan)
    change[7:] = np.abs(y[7:] - y[:-7])
    cut = len(y) - blocks * _BLOCK
    return _median(y[cut:].reshape(blocks, -1)), _median(change[cut:].reshape(blocks, -1))


def _median(rows: Floats) -> Floats:
    """Return the median by row without the missing; NaN for a row with fewer than ten values."""
    ordered = np.sort(rows, axis=1)  # NaN last
    count = np.isfinite(rows).sum(axis=1)
    at = np.maximum(count - 1, 0)
    rank = np.arange(len(rows))
    middle = (ordered[rank, at // 2] + ordered[rank, (at + 1) // 2]) / 2
    return np.where(count >= 10, middle, np.nan)
