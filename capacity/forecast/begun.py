"""Events that have begun: a history as if they had always been there, so that their rise is not taken for growth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capacity.forecast.events import weekly_share
from capacity.ground.arrays import Floats
from capacity.ground.event import Event

__all__ = ["Begun", "begun"]

_BEFORE = 56  # days of history before an event that tell the level without it
_AFTER = 28  # days after its ramp that tell its size
_LONGEST = 365  # days since it began: what began before is no news to the growth


class Begun:
    """What an event that has begun did to a history.

    Attributes
    ----------
    lacked : ndarray, shape (days,)
        What each day of the history lacks of the event at its full size [calls].
    still : float
        What the last day lacks, before the week [calls].
    """

    def __init__(self, event: Event, past: Floats, dates: pd.DatetimeIndex, start: int, size: float) -> None:
        share = _share(event, start, len(past))
        week = weekly_share(event, past[:start], dates)
        self.lacked: Floats = size * (1.0 - share) * week
        self.still = float(size * (1.0 - share[-1]))


def begun(event: Event, past: Floats, dates: pd.DatetimeIndex) -> Begun | None:
    """Return what an event has done to a history, or None where it has not begun or little is known.

    Parameters
    ----------
    event : Event
    past : ndarray, shape (days,)
        Daily peaks [calls], NaN where missing.
    dates : DatetimeIndex
        The days, none left out.

    Notes
    -----
    Its first day is, of those that were told, the one after which a ramp fits the days best; its size is what was told,
    corrected by what came (the mean of a normal prior of the told range and the ramp's least squares).
    """
    first, last = ((day - dates[0]).days for day in event.date)
    over = event.until is not None and event.until[0] <= dates[-1]
    if over or last >= len(past) or first < _BEFORE or len(past) - last > _LONGEST:
        return None
    low, high = event.calls[0], event.calls[-1]
    told = event.calls[1] if len(event.calls) == 3 else (low + high) / 2
    ramp = max((len(shape) for shape in event.ramp), default=1)
    window = slice(first - _BEFORE, min(last + ramp + _AFTER, len(past)))
    level = (past / np.maximum(weekly_share(event, past[:first], dates), 1e-9))[window]
    seen = np.isfinite(level)
    if seen.sum() < _BEFORE // 2:
        return None
    y = level[seen]
    best: tuple[float, int, float] | None = None
    for start in range(first, last + 1):
        x = _share(event, start, len(past))[window][seen]
        x, calm = x - x.mean(), float(np.var(np.diff(y))) / 2
        weight, prior = float(x @ x), max(((high - low) / 4) ** 2, 1e-6)
        noise = max(calm, 1e-6)
        size = (told / prior + float(x @ (y - y.mean())) / noise) / (1 / prior + weight / noise)
        size = float(np.clip(size, low, high))
        rest = float(np.square(y - y.mean() - size * x).sum())
        if best is None or rest < best[0]:
            best = rest, start, size
    return None if best is None else Begun(event, past, dates, best[1], best[2])


def _share(event: Event, start: int, days: int) -> Floats:
    """Return the mean share of the event that each day has, shape (days,)."""
    since = np.arange(days) - start
    shapes: tuple[tuple[float, ...], ...] = event.ramp or ((1.0,),)
    shares = [np.asarray(one, dtype=np.float64)[np.clip(since, 0, len(one) - 1)] for one in shapes]
    return np.where(since >= 0, np.mean(shares, axis=0), 0.0)
