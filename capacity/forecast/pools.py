"""Whole weeks of the past as they were: half a year back by weeks, and a year or two back by season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.forecast.season import FIRST_YEAR
from capacity.ground.arrays import Floats, Ints
from capacity.ground.calendar import SAME_WEEKDAYS

__all__ = ["Past", "draw_weeks", "draw_years", "week_atoms", "year_atoms", "year_lags"]

_WEEKS = 26
_HALVING = 6.0  # weeks back after which a week is half as likely
_HALVING_BY_LEAD = 0.7  # weeks more for each week ahead: what is far ahead does not care what was lately
_SHIFTS = 7 * np.arange(-3, 4)  # days: seasons do not keep to the week
_NEAR = 0.6  # each week of shift makes a draw that much less likely
_OLDER = 0.5  # and a year more that much
_CHANGE = 0.6  # share of the change of level since that is carried over


@dataclass(frozen=True, eq=False)
class Past:
    """The history on the link's scale, in the forms that the pools need.

    Attributes
    ----------
    plain : array, shape (days,)
        Without the effects of special days; NaN where missing.
    special : array, shape (days + horizon,)
        The effects of special days, the days ahead included.
    level : array, shape (days,)
        A running mean of `plain`.
    slope : float
        Drift that will go on [per day]; mostly 0.
    """

    plain: Floats
    special: Floats
    level: Floats
    slope: float


def draw_weeks(past: Past, horizon: int, rng: np.random.Generator, count: int) -> Floats:
    """Draw each week ahead from the last 26, its special days exchanged for those ahead.

    Returns
    -------
    array, shape (count, horizon)
        NaN where the day that was drawn is missing.
    """
    ahead = -(-horizon // 7)
    weeks = min(_WEEKS, len(past.plain) // 7)
    recent = past.plain[-7 * weeks :].reshape(weeks, 7)[::-1]  # the last week first
    drawn = np.stack([rng.choice(weeks, size=count, p=_whole(_recency(np.arange(weeks), w))) for w in range(ahead)], 1)
    lag = 7 * (drawn + 1 + np.arange(ahead))
    found = recent[drawn] + past.slope * lag[:, :, None]
    return np.asarray(found.reshape(count, 7 * ahead)[:, :horizon] + past.special[len(past.plain) :])


def week_atoms(past: Past, origin: Ints, lead: Ints) -> tuple[Floats, Floats]:
    """Return what `draw_weeks` could have drawn for the day `lead` after each `origin`, and how likely each was.

    Both have shape (cells, 26); what was not there has weight 0.
    """
    week, day = np.divmod(lead - 1, 7)
    back = np.arange(_WEEKS)
    source = (origin + day)[:, None] - 7 * (back + 1)
    found = past.plain[np.maximum(source, 0)]
    known = np.isfinite(found) & (source >= 0)
    values = np.where(known, found, 0.0) + past.special[origin + lead - 1][:, None]
    return values, _whole(known * _recency(back, week[:, None]))


def year_lags(days: int) -> Ints:
    """Return the lags [days], whole weeks around one and two years, that a history of so many days holds.

    Examples
    --------
    >>> year_lags(424).tolist(), year_lags(500).tolist()
    ([], [343, 350, 357, 364, 371, 378, 385])
    """
    lags = np.concatenate([SAME_WEEKDAYS + _SHIFTS, 2 * SAME_WEEKDAYS + _SHIFTS])
    return np.asarray(lags[lags <= days] if days >= FIRST_YEAR else lags[:0])


def draw_years(past: Past, horizon: int, rng: np.random.Generator, count: int) -> Floats:
    """Draw whole paths from around one and two years ago, moved by .6 of the change of level since.

    The same week of last year is the likeliest.

    Returns
    -------
    array, shape (count, horizon)
        NaN where the day that was drawn is missing.
    """
    days = len(past.plain)
    lags = year_lags(days)
    lag = rng.choice(lags, size=count, p=_whole(_likely(lags)))[:, None]
    source = days + np.arange(horizon) - lag
    # What is not there yet is taken from another year back.
    source -= SAME_WEEKDAYS * np.maximum(-(-(source - days + 1) // SAME_WEEKDAYS), 0)
    moved = _CHANGE * (past.level[-1] - past.level[np.maximum(days - 1 - lag, 0)])
    found = np.where(source >= 0, past.plain[np.maximum(source, 0)], np.nan)
    return np.asarray(found + moved + past.special[days:])


def year_atoms(past: Past, origin: Ints, lead: Ints) -> tuple[Floats, Floats]:
    """Return what `draw_years` could have drawn for the day `lead` after each `origin`; as `week_atoms`."""
    lag = np.concatenate([SAME_WEEKDAYS + _SHIFTS, 2 * SAME_WEEKDAYS + _SHIFTS])
    day = origin + lead - 1
    source = day[:, None] - lag
    source = np.where(source < origin[:, None], source, source - SAME_WEEKDAYS)
    found = past.plain[np.maximum(source, 0)]
    known = np.isfinite(found) & (source >= 0) & (origin[:, None] >= np.maximum(lag, FIRST_YEAR))
    moved = _CHANGE * (past.level[origin - 1][:, None] - past.level[np.maximum(origin[:, None] - 1 - lag, 0)])
    values = np.where(known, found + moved, 0.0) + past.special[day][:, None]
    return values, _whole(known * _likely(lag))


def _likely(lag: Ints) -> Floats:
    years = np.rint(lag / SAME_WEEKDAYS)
    return np.asarray(_OLDER ** (years - 1) * _NEAR ** (np.abs(lag - SAME_WEEKDAYS * years) / 7))


def _recency(back: Ints, week: Ints | int) -> Floats:
    return np.asarray(0.5 ** (back / (_HALVING + _HALVING_BY_LEAD * week)))


def _whole(weight: Floats) -> Floats:
    total = weight.sum(axis=-1, keepdims=True)
    return np.asarray(weight / np.where(total > 0, total, 1.0))
