"""Events that have come, beside what was told of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from capacity.ground.event import Event, as_events

__all__ = ["score_events"]

_WEEKS = 28  # days before and after that are compared, weekday by weekday
_LEAST = 7  # days that must have come
_SURE = 1.64  # standard errors of a 90% interval
_CLEAR = 3.0  # standard errors from which a change is one


def score_events(events: Iterable[Event], peaks: pd.Series) -> pd.DataFrame:
    """Return what came of each event whose days are over.

    Parameters
    ----------
    events : iterable of Event
    peaks : Series
        Daily peaks [calls] of the series that the events are part of, by local day.

    Returns
    -------
    DataFrame
        By ``event``: ``told_from``, ``told_until`` (first day), ``told_low``, ``told_high`` [calls], ``came_on``,
        ``came`` [calls] with ``came_low`` and ``came_high`` (90%), and ``verdict``. One row for each event whose latest
        first day and ramp lie at least a week back.

    Notes
    -----
    The day is the one within what was told at which the level of the four weeks after differs most from that of the
    four weeks before, weekdays compared with their like; the size is the difference of the levels, scaled to the
    busiest weekday.

    Examples
    --------
    >>> days = pd.date_range("2026-01-05", periods=84)
    >>> peaks = pd.Series(np.where(np.arange(84) < 42, 100.0, 130.0) + np.tile([-1, 1], 42), index=days)
    >>> told = Event("Hotels", ("2026-02-10", "2026-02-24"), (20, 40), reason="Signed")
    >>> score_events([told], peaks).loc["Hotels", ["came_on", "verdict"]].tolist()
    [Timestamp('2026-02-16 00:00:00'), 'as told']
    """
    daily = peaks.astype(np.float64).asfreq("D")
    rows = {}
    for event in as_events(events):
        first, late = event.date
        ramp = pd.Timedelta(days=event.ramp_days)
        if not len(daily) or late + ramp + pd.Timedelta(days=_LEAST) > daily.index[-1]:
            continue
        found = [_change(daily, day, ramp) for day in pd.date_range(first, late)]
        size, error, day = max(found, key=lambda one: abs(one[0]) / one[1] if np.isfinite(one[1]) else -1.0)
        low, high = event.calls[0], event.calls[-1]
        rows[event.name] = {
            "told_from": first,
            "told_until": late,
            "told_low": low,
            "told_high": high,
            "came_on": day,
            "came": round(size, 1),
            "came_low": round(size - _SURE * error, 1),
            "came_high": round(size + _SURE * error, 1),
            "verdict": _verdict(size, error, low, high),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("event")


def _change(daily: pd.Series, day: pd.Timestamp, ramp: pd.Timedelta) -> tuple[float, float, pd.Timestamp]:
    """Return the change of level at a day [calls], its standard error, and the day."""
    one = pd.Timedelta(days=1)
    before = daily[day - _WEEKS * one : day - one].dropna()
    after = daily[day + ramp : day + ramp + (_WEEKS - 1) * one].dropna()
    pairs = [(after[after.index.day_of_week == w], before[before.index.day_of_week == w]) for w in range(7)]
    gaps = [(a.mean() - b.mean(), b.mean()) for a, b in pairs if len(a) and len(b)]
    if len(gaps) < 2:
        return 0.0, np.inf, day
    change, level = np.array(gaps).T
    share = level / level.max() if level.max() > 0 else np.ones(len(level))
    size = float((change * share).sum() / (share**2).sum())
    rest = np.concatenate([(s - s.mean()).to_numpy() for a, b in pairs for s in (a, b) if len(s)])
    spread = np.sqrt((rest**2).sum() / max(len(rest) - 2 * len(gaps), 1)) + 1e-9
    error = spread * np.sqrt(1.0 / len(after) + 1.0 / len(before)) / np.sqrt((share**2).mean())
    return size, float(error), day


def _verdict(size: float, error: float, low: float, high: float) -> str:
    if abs(size) < _CLEAR * error:
        return "not seen"
    if size + _SURE * error < low:
        return "less than told" if low > 0 else "more calls left than told"
    if size - _SURE * error > high:
        return "more than told" if high > 0 else "fewer calls left than told"
    return "as told"
