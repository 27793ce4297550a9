"""How far the level of daily peaks has moved in its own past, and what that says of the days after a forecast.

With x the logarithms of daily peaks, rid of the week, the weeks' means L are taken to differ from the mean A of the
four weeks before a day by

    L(h weeks later) - A = g h + an offset (variance a) + a random walk (variance b a week),    a day: + noise (n).

A forecast is at least as good as this one: it knows more. So the errors of its days have at most the covariance

    a + b min(s, t) / 7 + g^2 s t / 49 + n [s = t],    s, t days ahead,

which is often less than what the forecast itself allows for, because it has to allow for more than was ever seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.ground.arrays import Floats
from capacity.stats.robust import TO_SD

_WEEK = 7
_LEAST = 48  # weeks
_KNOWN = 4  # weeks whose mean is the level
_AHEAD = np.arange(1, 9)  # weeks
_OUTLIER = 3.5  # robust standard deviations


@dataclass(frozen=True)
class LevelMoves:
    """Moves of a level, in squares of logarithms.

    Attributes
    ----------
    offset, walk, slope, noise : float
        a, b, g^2 and n of the module.
    """

    offset: float
    walk: float
    slope: float
    noise: float

    def covariance(self, days: int) -> Floats:
        """Return the covariance of the errors of the first days ahead, shape (days, days)."""
        t = np.arange(1.0, days + 1)
        moved = self.walk * np.minimum.outer(t, t) / _WEEK + self.slope * np.outer(t, t) / _WEEK**2
        return np.asarray(self.offset + moved + self.noise * np.eye(days))


def level_moves(peaks: Floats) -> LevelMoves | None:
    """Return how the level of daily peaks has moved, or None with less than 48 weeks.

    Parameters
    ----------
    peaks : ndarray, shape (days,)
        Daily peaks [calls] of consecutive days until the day before the forecast, NaN where missing. Days without a
        call are left out.

    Examples
    --------
    >>> days = np.arange(364)
    >>> steady = level_moves(100.0 + 5 * (-1.0) ** days)
    >>> bool(0.04 < steady.noise**0.5 < 0.06), bool(steady.walk < 1e-4)
    (True, True)
    """
    weeks = len(peaks) // _WEEK
    y = np.asarray(peaks, dtype=np.float64)[len(peaks) - weeks * _WEEK :]
    rows = np.log(np.where(y > 0, y, np.nan)).reshape(weeks, _WEEK)  # a column is a weekday
    rows = rows[np.isfinite(rows).sum(axis=1) > _WEEK // 2]
    if len(rows) < _LEAST:
        return None
    rows = rows[:, np.isfinite(rows).any(axis=0)]  # those that are always shut say nothing
    usual = np.nanmedian(rows - np.nanmedian(rows, axis=1, keepdims=True), axis=0)
    rows = rows - usual
    level = np.nanmean(rows, axis=1)
    rest = (rows - level[:, None])[np.isfinite(rows)]
    most = _OUTLIER * TO_SD * float(np.median(np.abs(rest)))
    noise = max(float(np.mean(np.clip(rest, -most, most) ** 2)) * rows.shape[1] / (rows.shape[1] - 1), 1e-6)
    known = np.convolve(level, np.full(_KNOWN, 1 / _KNOWN), mode="valid")
    errors = [level[_KNOWN - 1 + h :] - known[: len(known) - h] for h in _AHEAD if h < len(known)]
    ahead = _AHEAD[: len(errors)]
    spread = np.array([e.var() for e in errors]) - noise / _WEEK
    middle = ahead + (_KNOWN - 1) / 2  # weeks since the middle of those that are known
    slope = float(np.array([e.mean() for e in errors]) @ middle / (middle @ middle)) ** 2
    walk = max(float(np.polyfit(ahead, spread, 1)[0]), 0.0)
    offset = max(float((spread - walk * ahead).mean()), noise / (_KNOWN * _WEEK))
    return LevelMoves(offset, walk, slope, noise)
