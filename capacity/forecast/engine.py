"""Sample paths of many series: the pieces put together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.forecast.calendar import Calendar, make_calendar
from capacity.forecast.effects import learn_effects
from capacity.forecast.errors import ErrorPool, error_atoms, make_error_pool
from capacity.forecast.levels import Rolling, roll
from capacity.forecast.link import choose_link
from capacity.forecast.mixture import PRIOR, learn_weights
from capacity.forecast.pools import Past, draw_weeks, draw_years, week_atoms, year_atoms, year_lags
from capacity.forecast.smooth import running_mean
from capacity.ground.arrays import Floats
from capacity.stats.robust import TO_SD

__all__ = ["sample_paths"]

_MEMORY = 1461  # days: what is four years old teaches nothing
_OPEN = 56  # days by whose weekdays the open ones are known
_MOSTLY = 6  # of these eight weeks
_WEEKDAYS = 7  # the first columns of the calendar's features
_LEVEL = 30.0  # days: half-life of the level that the years are moved by
_NOW, _LONG_RUN = 12.0, 400.0  # days: half-lives of today's level and of the one it is held against
_FAR = 3.0  # robust standard deviations
_ORIGINS, _LEADS = 40, 10  # past origins, and leads at each, by which the pools are weighed
_STRETCH = 28  # days: what counts as one piece of evidence


def sample_paths(
    values: Floats,
    dates: pd.DatetimeIndex,
    horizon: int,
    *,
    holidays: pd.DatetimeIndex,
    seed: int,
    paths: int,
) -> npt.NDArray[np.int32]:
    """Return sample paths of the days after a history.

    Parameters
    ----------
    values : array, shape (days, variants)
        Daily peaks [calls], NaN where missing; at least eight weeks of each variant.
    dates : DatetimeIndex
        The days, naive midnights, none left out.
    horizon, paths : int
    holidays : DatetimeIndex
        Naive midnights, those ahead included.
    seed : int
        Each variant draws from a stream of its own.

    Returns
    -------
    int array, shape (variants, paths, horizon)
        Daily peaks [calls], whole and never negative.
    """
    values, dates = values[-_MEMORY:], dates[-_MEMORY:]
    both = pd.date_range(dates[0], periods=len(dates) + horizon, freq="D", unit="ns")
    calendar = make_calendar(both, holidays)
    out = np.zeros((values.shape[1], paths, horizon), dtype=np.int32)
    for place in range(values.shape[1]):
        seen = np.isfinite(values[:, place])
        first = int(seen.argmax())  # a variant begins when it was first seen
        rng = np.random.default_rng([seed, place])
        out[place] = _one(values[first:, place], calendar.since(first), horizon, rng, paths)
    return out


def _one(y: Floats, calendar: Calendar, horizon: int, rng: np.random.Generator, count: int) -> Floats:
    """Return paths of one series, shape (count, horizon), in whole calls."""
    days = len(y)
    shut = _shut_weekdays(y, calendar.weekday[:days])[calendar.weekday]
    y = np.where(shut[:days], np.nan, y)
    if not np.isfinite(y).any():
        return np.zeros((count, horizon))
    link = choose_link(y)
    z = link.to_z(y)
    effects = learn_effects(z, calendar.X[:days], calendar.prior)
    rolling = roll(z, effects, calendar.X, horizon)
    pool = make_error_pool(rolling, calendar.kind)
    past = _past(z, calendar.X[:, _WEEKDAYS:] @ effects.beta[-1, _WEEKDAYS:], pool.slope)
    back = _way_back(past.plain)
    weights = _weights(z, calendar, rolling, pool, past) * np.array([1.0, back, back])
    number = rng.multinomial(count, weights / weights.sum())
    centre = rolling.forecast[-1]
    parts = [centre + pool.draw(rng, number[0], calendar.kind[days:]), draw_weeks(past, horizon, rng, number[1])]
    if number[2]:
        parts.append(draw_years(past, horizon, rng, number[2]))
    found = np.concatenate(parts)
    found = link.to_y(np.where(np.isfinite(found), found, centre))
    return np.asarray(np.rint(np.where(shut[days:], 0.0, found)))


def _shut_weekdays(y: Floats, weekday: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which weekdays are shut, shape (7,), by the last eight weeks that were seen.

    A weekday is shut where it had no call at all, though the others mostly had some; or was never reported, though the
    others mostly were. A variant that hardly ever has a call, and a series with many gaps, has no such weekdays.
    """
    end = len(y) - int(np.isfinite(y)[::-1].argmax())
    last, day = y[max(0, end - _OPEN) : end], weekday[max(0, end - _OPEN) : end]
    seen = np.bincount(day, weights=np.isfinite(last), minlength=7)
    busy = np.bincount(day, weights=np.nan_to_num(last) > 0, minlength=7)
    shut = (seen > 0) & (busy == 0) & (2 * busy.sum() > (seen * (busy > 0)).sum())
    absent = (seen == 0) & (np.median(seen[seen > 0]) >= _MOSTLY)
    return np.asarray((shut & (busy > 0).any()) | absent)


def _way_back(plain: Floats) -> float:
    """Return how far the series may be expected to come back to where it used to be, from 0 to 1.

    Where the level lies much further from its long-run mean than it mostly did, this is no passing cloud: it has
    shifted, and the long-run mean and the weeks before the shift say little.
    """
    seen = np.isfinite(plain)
    column, weight = np.where(seen, plain, 0.0)[:, None], seen.astype(np.float64)
    away = np.abs(running_mean(column, weight, _NOW) - running_mean(column, weight, _LONG_RUN))[_STRETCH:, 0]
    usual = TO_SD * float(np.median(away))
    return min(1.0, (_FAR * usual / max(float(away[-1]), 1e-9)) ** 2)


def _past(z: Floats, special: Floats, slope: float) -> Past:
    plain = z - special[: len(z)]
    seen = np.isfinite(plain)
    level = running_mean(np.where(seen, plain, 0.0)[:, None], seen.astype(np.float64), _LEVEL)[:, 0]
    return Past(plain=plain, special=special, level=level, slope=slope)


def _weights(z: Floats, calendar: Calendar, rolling: Rolling, pool: ErrorPool, past: Past) -> Floats:
    """Return how much of each pool, by what their mixtures would have lost at up to 40 past origins."""
    days, horizon = len(z), rolling.errors.shape[1]
    rows = np.flatnonzero((rolling.origins >= _OPEN) & (rolling.origins < days))
    weights = PRIOR
    if len(rows):
        rows = np.repeat(rows[np.unique(np.linspace(0, len(rows) - 1, _ORIGINS).astype(int))], _LEADS)
        # Leads by the golden ratio: spread evenly, and unlike from origin to origin.
        share = np.arange(len(rows)) * 0.6180339887 % 1.0
        lead = (share * np.minimum(horizon, days - rolling.origins[rows])).astype(np.int64) + 1
        target = rolling.origins[rows] + lead - 1
        seen = np.isfinite(z[target])
        rows, lead, target = rows[seen], lead[seen], target[seen]
        origin = rolling.origins[rows]
        atoms = [
            error_atoms(pool, rolling, rows, lead, calendar.kind[target]),
            week_atoms(past, origin, lead),
            year_atoms(past, origin, lead),
        ]
        weights = learn_weights(z[target], atoms, (days - _OPEN) / _STRETCH)
    if not len(year_lags(days)):
        weights = weights * np.array([1.0, 1.0, 0.0])
    return np.asarray(weights / weights.sum())
