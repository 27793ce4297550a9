"""Whole weeks of the past as they were: half a year back by weeks, and a year or two back by season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.forecast.growth import Growth
from capacity.forecast.settings import ForecastSettings
from capacity.ground.arrays import Floats, Ints
from capacity.ground.calendar import SAME_WEEKDAYS

__all__ = ["Past", "draw_weeks", "draw_years", "neighbour_gaps", "week_atoms", "year_atoms", "year_lags"]


@dataclass(frozen=True, eq=False)
class Past:
    """The history on the link's scale, in the forms that the pools need.

    Attributes
    ----------
    plain : array, shape (days,)
        Without the effects of special days; NaN where missing.
    gap : array, shape (days,)
        Distance of each day to its neighbours in size; 0 where missing, or where values pile up.
    special : array, shape (days + horizon,)
        The effects of special days, the days ahead included.
    level : array, shape (days,)
        A running mean of `plain`.
    growth : Growth
        As known at each of the `origins`.
    """

    plain: Floats
    gap: Floats
    special: Floats
    level: Floats
    growth: Growth
    origins: Ints
    s: ForecastSettings


def draw_weeks(past: Past, horizon: int, rng: np.random.Generator, count: int) -> Floats:
    """Draw each week ahead from the last half year, its special days exchanged for those ahead.

    Returns
    -------
    array, shape (count, horizon)
        NaN where the day that was drawn is missing.
    """
    ahead = -(-horizon // 7)
    weeks = min(past.s.pool_weeks, len(past.plain) // 7)
    recent, gap = (each[-7 * weeks :].reshape(weeks, 7)[::-1] for each in (past.plain, past.gap))  # the last week first
    recent = _filled(recent, past.growth.now[-1], rng)
    drawn = np.stack(
        [rng.choice(weeks, size=count, p=_whole(_recency(past.s, np.arange(weeks), w))) for w in range(ahead)], 1
    )
    since = 7 * (drawn + 1)[:, :, None] - 1 - np.arange(7)  # days from the day drawn to the last one known
    noise = past.s.smoothing * rng.standard_normal((count, 1, 1))
    found = recent[drawn] + past.growth.now[-1] * since + noise * gap[drawn]
    found = found.reshape(count, 7 * ahead)[:, :horizon] + past.growth.ahead(1 + np.arange(horizon))[-1]
    return np.asarray(found + past.special[len(past.plain) :])


def neighbour_gaps(plain: Floats, s: ForecastSettings) -> Floats:
    """Return how far each day lies from its neighbours in size, among its weekday's values of half a year around it.

    That is the mean distance between the `neighbours` next above and below (at the ends, between those that there are):
    the width over which one value stands for those that might have come in its place. It is 0 where values pile up, as
    they do at a capacity.
    """
    days = len(plain)
    rows = -(-days // 7)
    table = np.concatenate([np.full(7 * rows - days, np.nan), plain]).reshape(rows, 7)
    width = min(s.pool_weeks, rows)
    start = np.clip(np.arange(rows) - width // 2, 0, rows - width)
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(table, width, axis=0)[start], axis=2)  # NaN last
    count = np.isfinite(windows).sum(axis=2)
    rank = (windows < table[:, :, None]).sum(axis=2)
    high = np.minimum(rank + s.neighbours, np.maximum(count - 1, 0))
    low = np.maximum(rank - s.neighbours, 0)
    ends = [np.take_along_axis(windows, at[:, :, None], axis=2)[:, :, 0] for at in (high, low)]
    gap = np.where(np.isfinite(table) & (high > low), (ends[0] - ends[1]) / np.maximum(high - low, 1), 0.0)
    return np.asarray(gap.reshape(-1)[7 * rows - days :])


def _filled(weeks: Floats, slope: float, rng: np.random.Generator) -> Floats:
    """Fill missing days from other weeks, the same weekday, moved by the growth between them."""
    out = weeks.copy()
    for day in range(7):
        gap = np.isnan(weeks[:, day])
        there = np.flatnonzero(~gap)
        if len(there) and gap.any():
            other = rng.choice(there, size=int(gap.sum()))
            out[gap, day] = weeks[other, day] + 7 * slope * (other - np.flatnonzero(gap))
    return out


def week_atoms(past: Past, origin: Ints, lead: Ints) -> tuple[Floats, Floats]:
    """Return what `draw_weeks` could have drawn for the day `lead` after each `origin`, and how likely each was.

    Both have shape (cells, weeks); what was not there has weight 0.
    """
    week, day = np.divmod(lead - 1, 7)
    back = np.arange(past.s.pool_weeks)
    source = (origin + day)[:, None] - 7 * (back + 1)
    found = past.plain[np.maximum(source, 0)]
    known = np.isfinite(found) & (source >= 0)
    found = found + _moved(past, origin, lead, source)
    values = np.where(known, found, 0.0) + past.special[origin + lead - 1][:, None]
    return values, _whole(known * _recency(past.s, back, week[:, None]))


def year_lags(days: int, s: ForecastSettings) -> Ints:
    """Return the lags [days], whole weeks around one and two years, that a history of so many days holds.

    Examples
    --------
    >>> s = ForecastSettings()
    >>> year_lags(424, s).tolist(), year_lags(500, s).tolist()
    ([], [343, 350, 357, 364, 371, 378, 385])
    """
    lags = _around_years(s)
    return np.asarray(lags[lags <= days] if days >= s.first_year else lags[:0])


def _around_years(s: ForecastSettings) -> Ints:
    shifts = 7 * np.arange(-s.year_weeks, s.year_weeks + 1)  # seasons do not keep to the week
    return np.concatenate([SAME_WEEKDAYS + shifts, 2 * SAME_WEEKDAYS + shifts])


def draw_years(past: Past, horizon: int, rng: np.random.Generator, count: int) -> Floats:
    """Draw whole paths from around one and two years ago, moved by the growth and most other change of level.

    The same week of last year is the likeliest.

    Returns
    -------
    array, shape (count, horizon)
        NaN where the day that was drawn is missing.
    """
    days = len(past.plain)
    lags = year_lags(days, past.s)
    if not count or not len(lags):
        return np.empty((0, horizon))
    lag = rng.choice(lags, size=count, p=_whole(_likely(past.s, lags)))[:, None]
    source = days + np.arange(horizon) - lag
    source -= SAME_WEEKDAYS * np.maximum(
        -(-(source - days + 1) // SAME_WEEKDAYS), 0
    )  # what is not there yet, another year back
    slope = past.growth.now[-1]
    moved = past.s.year_change * (past.level[-1] - past.level[np.maximum(days - 1 - lag, 0)] - slope * lag)
    moved = moved + slope * (days - 1 - source) + past.growth.ahead(1 + np.arange(horizon))[-1]
    found = np.where(source >= 0, past.plain[np.maximum(source, 0)], np.nan)
    noise = past.s.smoothing * rng.standard_normal((count, 1)) * past.gap[np.maximum(source, 0)]
    return np.asarray(found + noise + moved + past.special[days:])


def year_atoms(past: Past, origin: Ints, lead: Ints) -> tuple[Floats, Floats]:
    """Return what `draw_years` could have drawn for the day `lead` after each `origin`; as `week_atoms`."""
    lag = _around_years(past.s)
    day = origin + lead - 1
    source = day[:, None] - lag
    source = np.where(source < origin[:, None], source, source - SAME_WEEKDAYS)
    found = past.plain[np.maximum(source, 0)]
    known = np.isfinite(found) & (source >= 0) & (origin[:, None] >= np.maximum(lag, past.s.first_year))
    change = past.level[origin - 1][:, None] - past.level[np.maximum(origin[:, None] - 1 - lag, 0)]
    moved = past.s.year_change * (change - _slope(past, origin) * lag) + _moved(past, origin, lead, source)
    values = np.where(known, found + moved, 0.0) + past.special[day][:, None]
    return values, _whole(known * _likely(past.s, lag))


def _slope(past: Past, origin: Ints) -> Floats:
    return np.asarray(past.growth.now[np.searchsorted(past.origins, origin)][:, None])


def _moved(past: Past, origin: Ints, lead: Ints, source: Ints) -> Floats:
    """Return the growth from each source day to the day `lead` after its origin."""
    row = np.searchsorted(past.origins, origin)
    memory = past.growth.memory
    ahead = (past.growth.slope[row] * memory * -np.expm1(-lead[:, None] / memory)).sum(axis=1, keepdims=True)
    return np.asarray(past.growth.now[row][:, None] * (origin[:, None] - 1 - source) + ahead)


def _likely(s: ForecastSettings, lag: Ints) -> Floats:
    years = np.rint(lag / SAME_WEEKDAYS)
    return np.asarray(s.year_older ** (years - 1) * s.year_near ** (np.abs(lag - SAME_WEEKDAYS * years) / 7))


def _recency(s: ForecastSettings, back: Ints, week: Ints | int) -> Floats:
    return np.asarray(0.5 ** (back / (s.halving + s.halving_by_lead * week)))


def _whole(weight: Floats) -> Floats:
    total = weight.sum(axis=-1, keepdims=True)
    return np.asarray(weight / np.where(total > 0, total, 1.0))
