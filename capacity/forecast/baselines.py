"""The two simple forecasts that a back-test compares with, as sample paths."""

from __future__ import annotations

import numpy as np

from capacity.ground.arrays import Floats

__all__ = ["seasonal_naive", "weekday_average"]

_WEEKS = 8


def weekday_average(y: Floats, horizon: int, rng: np.random.Generator, paths: int) -> Floats:
    """Draw each week ahead from the last eight: the historical average of the same weekday, with its spread.

    Parameters
    ----------
    y : array, shape (days,)
        Daily peaks [calls] up to the origin; NaN where missing.

    Returns
    -------
    array, shape (paths, horizon)

    Examples
    --------
    >>> y = np.tile([5.0, 5, 5, 5, 5, 1, 1], 8)
    >>> weekday_average(y, 8, np.random.default_rng(0), 1).tolist()
    [[5.0, 5.0, 5.0, 5.0, 5.0, 1.0, 1.0, 5.0]]
    """
    weeks = _weeks(y)[-_WEEKS:]
    drawn = rng.integers(len(weeks), size=(paths, -(-horizon // 7)))
    return np.asarray(weeks[drawn].reshape(paths, -1)[:, :horizon])


def seasonal_naive(y: Floats, horizon: int, rng: np.random.Generator, paths: int) -> Floats:
    """Repeat the last week, and add up one past week-on-week change a week: the spread grows with the root of weeks.

    Parameters and returns as `weekday_average`; never below 0.
    """
    weeks = _weeks(y)
    changes = np.diff(weeks, axis=0)
    drawn = rng.integers(len(changes), size=(paths, -(-horizon // 7)))
    walk = np.cumsum(changes[drawn] - changes.mean(axis=0), axis=1)
    return np.asarray(np.maximum((weeks[-1] + walk).reshape(paths, -1)[:, :horizon], 0.0))


def _weeks(y: Floats) -> Floats:
    """Return whole weeks up to the origin, shape (weeks, 7); a missing day stands at the last seen of its weekday."""
    weeks = y[len(y) % 7 :].reshape(-1, 7)
    seen = np.isfinite(weeks)
    last = np.maximum.accumulate(np.where(seen, np.arange(len(weeks))[:, None], -1), axis=0)
    filled = np.take_along_axis(weeks, np.maximum(last, 0), axis=0)
    known = np.isfinite(filled)
    usual = np.where(known, filled, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, filled, usual)
