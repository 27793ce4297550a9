"""The season in the level: how it went on to change at the same time of an earlier year."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from capacity.forecast.settings import ForecastSettings
from capacity.ground.arrays import Floats, Ints
from capacity.ground.calendar import SAME_WEEKDAYS

__all__ = ["seasonal_change"]

_SEEN = 1.5 / 7  # share of the days of a mean that must be there: more than one weekday


def seasonal_change(plain: Floats, origins: Ints, horizon: int, slope: Floats, s: ForecastSettings) -> Floats:
    """Return by how much the level may be expected to change with the season, shape (origins, horizon).

    That is `season_share` of what it changed by, beyond its growth, over as many days a year before, or two years
    where those days had not all come yet; each level is a mean over four weeks. 0 where there is no such year.

    Parameters
    ----------
    plain : array, shape (days,)
        The history without the effects of the calendar; NaN where missing.
    origins : int array
        Days of history that each forecast knew.
    horizon : int
    slope : array, shape (origins,)
        Growth a day, as known at each origin.
    s : ForecastSettings
    """
    days = len(plain)
    out = np.zeros((len(origins), horizon))
    side = s.month // 2  # days on either side of the mean that stands for the level
    if days < s.first_year:
        return out
    seen = np.isfinite(plain)
    width = 2 * side + 1
    share = uniform_filter1d(seen.astype(np.float64), width, mode="constant")
    level = uniform_filter1d(np.where(seen, plain, 0.0), width, mode="constant") / np.maximum(share, _SEEN)
    now = origins[:, None] - 1
    target = now + 1 + np.arange(horizon)
    back = SAME_WEEKDAYS * (1 + (target + side - SAME_WEEKDAYS > now))
    ok = now - back >= side
    before, after = np.maximum(now - back, 0), np.maximum(target - back, 0)
    ok &= (share[before] > _SEEN) & (share[after] > _SEEN)
    grown = slope[:, None] * (target - now)
    return np.where(ok, s.season_share * (level[after] - level[before] - grown), 0.0)
