"""Events and ceilings applied to sample paths of daily peaks."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import ndimage

from capacity.errors import ConfigError
from capacity.ground.arrays import Floats
from capacity.ground.event import Event

__all__ = ["Rhythm", "ceilings", "event_calls", "saturate", "weekly_share"]

_WEEK = 7  # days
_MONTH = 29  # days, odd: the window of the busy level
_PAST = 56  # days of history that tell the week where the horizon is short
_SWING = (0.5, 2.0)  # limits of a day's deviation from its own week
_MAX = 1.2  # of the busy level: no day of an event is higher


class Rhythm:
    """How the days of a series differ: within the week, on holidays, and by chance.

    Parameters
    ----------
    past : ndarray, shape (days,)
        Daily peaks until the day before the paths begin [calls], NaN where missing; may be empty.
    paths : ndarray, shape (paths, days)
        Sample paths of the series [calls].
    """

    def __init__(self, past: Floats, paths: npt.NDArray[np.integer[Any]]) -> None:
        own = paths.astype(np.float64)
        mean = own.mean(axis=0)
        both = pd.Series(np.concatenate([past[-_PAST:], mean]))
        # The busy level: the highest day of each week, smoothed over a month, so that a holiday does not lower it.
        top = both.rolling(_WEEK, center=True, min_periods=1).max()
        busy = top.rolling(_MONTH, center=True, min_periods=1).median().to_numpy()[-len(mean) :]
        self.share: Floats = np.clip(np.divide(mean, busy, out=np.ones_like(mean), where=busy > 0), 0.0, _MAX)
        if not mean.any():
            self.share = np.ones_like(mean)
        self.chance: Floats = np.clip(_from_week(own) / np.maximum(_from_week(mean[None]), 1e-9), *_SWING)


def _from_week(values: Floats) -> Floats:
    """Return each day over the mean of the seven around it; 1 where there are no calls. Shape (paths, days)."""
    week = ndimage.uniform_filter1d(values, _WEEK, axis=1, mode="nearest")
    return np.asarray(np.divide(values, week, out=np.ones_like(values), where=(values > 0) & (week > 0)))


def event_calls(event: Event, rhythm: Rhythm, dates: pd.DatetimeIndex, seed: int) -> Floats:
    """Return what an event adds to each path [calls], shape (paths, days).

    The draws depend on the seed and the event's name alone, so that two sets of events that share one share its draws.
    What the last day before the paths already held of an event that has begun is not added again.
    """
    rng = np.random.default_rng([seed, zlib.crc32(event.name.encode())])
    paths = len(rhythm.chance)
    today = -1  # days since the first one ahead
    days = np.concatenate([[today], np.arange(len(dates))])
    comes = rng.random(paths) < event.probability
    size = _sizes(event.calls, rng, paths)
    start = _days(event.date, dates[0], rng, paths)
    end = np.full(paths, np.iinfo(np.int64).max) if event.until is None else _days(event.until, dates[0], rng, paths)
    shape = _shapes(event.ramp, rng, paths)  # (paths, longest ramp)
    since = days[None, :] - start[:, None]
    share = np.take_along_axis(shape, np.clip(since, 0, shape.shape[1] - 1), axis=1)
    share = np.where((since >= 0) & (days[None, :] < end[:, None]), share, 0.0)
    begun = since[:, 0] >= 0
    comes = comes | begun  # what has begun is no longer a matter of chance
    share = share[:, 1:] - share[:, :1]
    week = rhythm.share if event.pattern is None else np.asarray(event.pattern)[dates.day_of_week]
    return np.asarray(np.where(comes, size, 0.0)[:, None] * share * week * rhythm.chance)


def weekly_share(event: Event, past: Floats, dates: pd.DatetimeIndex) -> Floats:
    """Return what an event has on each day by its weekday, as a share of its busiest one, shape (days,).

    Parameters
    ----------
    event : Event
    past : ndarray
        Daily peaks before it, the first of them on the first of `dates` [calls].
    dates : DatetimeIndex
    """
    if event.pattern is not None:
        return np.asarray(np.asarray(event.pattern, dtype=np.float64)[dates.day_of_week])
    usual = pd.Series(past[-_PAST:]).groupby(dates[: len(past)].day_of_week[-_PAST:]).mean().reindex(range(_WEEK))
    top = float(usual.max())
    week = (usual / top).fillna(1.0).to_numpy(dtype=np.float64) if top > 0 else np.ones(_WEEK)
    return np.asarray(week[dates.day_of_week])


def _sizes(calls: tuple[float, ...], rng: np.random.Generator, paths: int) -> Floats:
    if len(calls) == 3 and calls[0] < calls[2]:
        return np.asarray(rng.triangular(*calls, size=paths))
    return np.asarray(rng.uniform(calls[0], calls[-1], paths))


def _days(
    span: tuple[pd.Timestamp, pd.Timestamp], first: pd.Timestamp, rng: np.random.Generator, paths: int
) -> npt.NDArray[np.int64]:
    """Draw days since `first`: a range that is not over yet begins today at the earliest, for it has not come yet."""
    early, late = ((day - first).days for day in span)
    early = late if late < 0 else max(early, 0) if early < late else early
    return np.asarray(rng.integers(early, late + 1, paths))


def _shapes(ramps: tuple[tuple[float, ...], ...], rng: np.random.Generator, paths: int) -> Floats:
    """Draw one ramp for each path, shape (paths, days of the longest); the last share stays."""
    shapes = ramps or ((1.0,),)
    longest = max(len(one) for one in shapes)
    table = np.array([[*one, *[one[-1]] * (longest - len(one))] for one in shapes])
    return np.asarray(table[rng.integers(len(shapes), size=paths)])


def ceilings(calls: Any, reference: float, seed: int, paths: int) -> Floats:
    """Draw the highest that demand may grow to [calls], one a path, shape (paths,).

    Raises
    ------
    ConfigError
        Not (low, mid, high) in this order, or high not above what is reached already.
    """
    many = tuple(calls) if isinstance(calls, (tuple, list)) else (calls,) * 3
    try:
        low, mid, high = (float(n) for n in many)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"ceiling={calls!r} must be a number of calls, or (low, mid, high)") from exc
    if not 0 < low <= mid <= high < np.inf:
        raise ConfigError(f"ceiling={calls!r} must be (low, mid, high) in this order, above 0 and finite")
    if high < reference:
        raise ConfigError(f"ceiling={calls!r} is below the {reference:g} calls that recent days have reached")
    rng = np.random.default_rng([seed, zlib.crc32(b"ceiling")])
    drawn = np.full(paths, low) if low == high else rng.triangular(low, mid, high, paths)
    return np.asarray(np.maximum(drawn, reference))


def saturate(paths: Floats, reference: float, ceiling: Floats) -> Floats:
    """Return paths that keep what is below `reference` and level off towards each path's ceiling above it.

    y becomes r + (c - r) (1 - exp(-(y - r) / (c - r))) for y above r: nothing changes at r, and c is never passed.
    """
    room = np.maximum(ceiling - reference, 1e-9)[:, None]
    above = np.maximum(paths - reference, 0.0)
    return np.asarray(np.minimum(paths, reference) + room * -np.expm1(-above / room))
