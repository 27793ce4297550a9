"""What of a history still holds: closed and newly opened weekdays, a single absurd day, a level that has jumped."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capacity.forecast.calendar import SPECIAL
from capacity.forecast.settings import ForecastSettings
from capacity.ground.arrays import Bools, Floats, Ints
from capacity.stats.robust import TO_SD, robust_sd

__all__ = ["Regime", "read_regime"]

_WEEK = 7


@dataclass(frozen=True, eq=False)
class Regime:
    """A history as it would have been with today's open weekdays and at today's level.

    Attributes
    ----------
    y : array, shape (days,)
        Peaks [calls]; NaN where a day is missing, its weekday is shut or was not yet open, or its peak is absurd.
        Days before a jump of the level are carried to the level after it.
    shut : array, shape (7,)
        Weekdays that stay at 0.
    absurd : int array
        Days whose peak is not fitted.
    jump : int
        First day of today's level, 0 where it did not jump.
    factor : float
        By how much.
    opened : dict of weekday -> day
        Weekdays whose own level changed, and the first day of the new one.
    """

    y: Floats
    shut: Bools
    absurd: Ints
    jump: int
    factor: float
    opened: dict[int, int]

    def wider(self, weekday: Ints, s: ForecastSettings) -> Floats:
        """Return by how much each kind of day is wider than its past errors say, shape (8,).

        Counts scatter by the root of their level; and the level of a weekday known from n days is a mean of these.
        """
        out = np.ones(SPECIAL + 1)
        seen = np.isfinite(self.y)
        for day in self.opened:
            own = self.y[seen & (weekday == day)]
            others = self.y[seen & (weekday != day)][-s.month :]
            ratio = float(own.mean()) / max(float(others.mean()), 1e-9)
            out[day] = np.sqrt(max(ratio, 1.0) * (1.0 + 1.0 / len(own)))
        return out

    def after(self, days: int) -> Regime:
        """Return the same with days counted from so many days earlier."""
        jump = self.jump + days if self.jump else 0
        return replace(
            self, absurd=self.absurd + days, jump=jump, opened={d: at + days for d, at in self.opened.items()}
        )


def read_regime(y: Floats, kind: Ints, weekday: Ints, reported: Bools, s: ForecastSettings) -> Regime:
    """Read a history.

    Parameters
    ----------
    y : array, shape (days,)
        NaN where missing.
    kind, weekday : int array, shape (days,)
        As `Calendar` has them.
    reported : array, shape (days,)
        Days on which a peak was at hand, though it may have been left out.
    """
    shut = _shut(y, weekday, reported, s)
    y = np.where(shut[weekday], np.nan, y)
    absurd = _absurd(y, s)
    y[absurd] = np.nan
    opened = _opened(y, kind, weekday, s)
    for day, first in opened.items():
        y[:first][weekday[:first] == day] = np.nan
    jump, factor = _jump(y, s)
    if jump:
        y = _carried(y, weekday, jump, factor, s)
    return Regime(y, shut, absurd, jump, factor, opened)


def _shut(y: Floats, weekday: Ints, reported: Bools, s: ForecastSettings) -> Bools:
    """Return which weekdays are shut, shape (7,).

    A weekday is shut where the last eight that were seen had no call, though the other weekdays mostly had some; or
    where it was never reported at all, though the others mostly were. Days that are missing, incomplete or excluded
    are not seen, and close nothing.
    """
    end = len(y) - int(np.isfinite(y)[::-1].argmax())
    seen, busy, never = np.zeros(7), np.zeros(7), np.zeros(7, bool)
    for day in range(7):
        values = y[:end][weekday[:end] == day]
        last = values[np.isfinite(values)][-s.open_weeks :]
        seen[day], busy[day] = len(last), np.count_nonzero(last)
        never[day] = not reported[weekday == day].any()
    mostly = 2 * busy.sum() > (seen * (busy > 0)).sum()
    quiet = (seen > 0) & (busy == 0) & mostly & bool((busy > 0).any())
    share = np.isfinite(y[max(0, end - _WEEK * s.open_weeks) : end]).sum() / s.open_weeks / max((~never).sum(), 1)
    return np.asarray(quiet | (never & (share >= 0.75)))


def _absurd(y: Floats, s: ForecastSettings) -> Ints:
    """Return the days, alone among their neighbours, whose peak is far above all the others."""
    seen = np.flatnonzero(np.isfinite(y))
    values = y[seen]
    few = max(1, len(seen) // s.absurd_days)
    order = np.argsort(values)
    rest = float(values[order[-few - 1]])
    far = values > s.absurd * max(rest, 1.0)
    alone = ~(np.r_[False, far[:-1]] | np.r_[far[1:], False])
    return np.asarray(seen[far & alone])


def _opened(y: Floats, kind: Ints, weekday: Ints, s: ForecastSettings) -> dict[int, int]:
    """Return weekdays whose level has lately changed unlike that of the others: the day from which the new one counts.

    That is where at least four of its last 26 days (two where it was shut), and all from there on, lie above or below
    all that came before by more than the weekday's own spread allows, relative to the week around them.
    """
    out: dict[int, int] = {}
    days = np.arange(len(y))
    ok = np.isfinite(y) & (kind != SPECIAL)
    for day in range(7):
        at = days[ok & (weekday == day)]
        others = days[ok & (weekday != day)]
        if len(at) < 6 or len(others) < 40:
            continue
        usual = np.interp(at, *_weekly(others, y))
        ratio = y[at] / np.maximum(usual, 1.0)
        noise = 1.0 / np.sqrt(np.maximum(usual, 1.0))
        for back in range(2, min(s.pool_weeks, len(at) - 4) + 1):
            new, old = ratio[-back:], ratio[-back - s.pool_weeks : -back]
            gap = max(float(new.min() - old.max()), float(old.min() - new.max()))
            if gap <= 0:  # mostly so, and quickly seen
                continue
            spread = robust_sd(old) + float(np.median(noise)) * np.sqrt(max(float(np.median(old)), 0.02))
            shut = float(np.median(old)) == 0
            if gap > (s.jump_usual / 2 if shut else s.jump_usual) * max(spread, 0.1) and (shut or back >= 4):
                out[day] = int(at[-back])
    return out


def _weekly(days: Ints, y: Floats) -> tuple[Floats, Floats]:
    """Return the middle and the mean of each week of these days."""
    week = days // _WEEK
    count = np.bincount(week)
    there = count > 0
    means = np.bincount(week, y[days])[there] / count[there]
    return np.asarray(np.flatnonzero(there) * 7.0 + 3.0, np.float64), np.asarray(means, np.float64)


def _means(y: Floats, length: int) -> Floats:
    """Return the mean of the `length` days before each day, shape (days + 1,); NaN where few were seen."""
    seen = np.isfinite(y)
    total = np.r_[0.0, np.cumsum(np.where(seen, y, 0.0))]
    count = np.r_[0, np.cumsum(seen)]
    out = np.full(len(y) + 1, np.nan)
    n = count[length:] - count[:-length]
    few = n < max(1, 3 * length // 7 - 1)
    out[length:] = np.where(few, np.nan, (total[length:] - total[:-length]) / np.maximum(n, 1))
    return out


def _jump(y: Floats, s: ForecastSettings) -> tuple[int, float]:
    """Return the first day of today's level and its ratio to the one before; (0, 1) where it did not jump.

    The two to four weeks after it differ from the four before by a factor of at least 1.3, and by four times what they
    mostly differ by; all of it came within a week; no level like it was seen before; it has stayed; and it happened
    once: what jumps often may jump again, and its jumps are its errors.
    """
    days = len(y)
    if days < 2 * s.month:
        return 0, 1.0
    month, week = np.log(np.maximum(_means(y, s.month), 0.1)), np.log(np.maximum(_means(y, _WEEK), 0.1))
    at = np.arange(s.month, days - 2 * _WEEK + 1)
    after = np.full(len(at), np.nan)
    for length in range(2 * _WEEK, s.month + 1, _WEEK):
        means = np.log(np.maximum(_means(y, length), 0.1))
        here = at + length <= days
        after[here] = means[at[here] + length]
    change = after - month[at]
    sharp = week[at + _WEEK] - week[at]
    big = (np.abs(change) > np.log(s.jump)) & (sharp * np.sign(change) > s.jump_share * np.abs(change))
    if not big.any():
        return 0, 1.0
    big &= np.abs(change) > s.jump_usual * TO_SD * float(np.nanmedian(np.abs(change)))
    if not big.any():
        return 0, 1.0
    events = np.flatnonzero(big)
    groups = np.split(events, np.flatnonzero(np.diff(events) > 2 * _WEEK) + 1)
    if len(groups) > 1:
        return 0, 1.0
    best = groups[0][np.argmax(np.abs(sharp[groups[0]]))]
    first, size = int(at[best]), float(change[best])
    earlier = month[: first + 1]
    known = earlier[np.isfinite(earlier)]
    new = float(after[best])
    side = np.sign(size)
    if len(known) and side * new < float((side * known).max()) + np.log(s.jump) / 2:
        return 0, 1.0
    lately = y[max(first, days - s.month) :]
    last = float(np.log(max(float(lately[np.isfinite(lately)].mean()), 0.1))) if np.isfinite(lately).any() else new
    if side * (last - (new - size)) < s.jump_share * abs(size):
        return 0, 1.0
    return first, float(np.exp(size))


def _carried(y: Floats, weekday: Ints, jump: int, factor: float, s: ForecastSettings) -> Floats:
    """Return the history with the days before the jump as they would have been at the level after it.

    The level and the shape of the week are multiplied; what is left around them is noise, which grows less than in
    proportion: with the root of the factor for counts by chance, by as much as was seen otherwise.
    """
    out = y.copy()
    before, after = y[:jump], y[jump:]
    weeks = len(after) // _WEEK
    span = _WEEK * s.open_weeks
    old = _profile(before[-span:], weekday[:jump][-span:])
    new = _profile(after[:span], weekday[jump : jump + span])
    part = min(weeks, s.open_weeks) / (min(weeks, s.open_weeks) + s.jump_prior)
    shape = np.where((old > 0.02) & (new > 0.02), (np.maximum(new, 0.02) / np.maximum(old, 0.02)) ** part, 1.0)
    base = before.copy()
    for day in range(7):
        rows = np.flatnonzero((weekday[:jump] == day) & np.isfinite(before))
        if len(rows):
            base[rows] = _running_median(before[rows])
    seen = np.log(_noise(after) / _noise(before[-s.pool_weeks * _WEEK :]))
    expected = 0.75 * np.log(factor)  # half-way between the root and the whole
    ratio = float(np.exp((weeks * seen + s.jump_prior * expected) / (weeks + s.jump_prior)))
    root = float(np.sqrt(factor))
    low, high = min(root, factor), max(root, factor)
    scale = shape[weekday[:jump]]
    out[:jump] = np.maximum(factor * scale * base + np.clip(ratio, low, high) * scale * (before - base), 0.0)
    return out


def _profile(y: Floats, weekday: Ints) -> Floats:
    """Return the mean of each weekday relative to the mean of those seen; 0 where not seen."""
    seen = np.isfinite(y)
    count = np.bincount(weekday[seen], minlength=7)
    mean = np.bincount(weekday[seen], y[seen], minlength=7) / np.maximum(count, 1)
    return np.asarray(mean / max(float(mean[count > 0].mean()) if (count > 0).any() else 1.0, 1e-9))


def _running_median(values: Floats) -> Floats:
    """Return the median of five values around each."""
    padded = np.pad(values, 2, mode="reflect") if len(values) > 2 else np.pad(values, 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1))


def _noise(y: Floats) -> float:
    """Return the median change from week to week [calls], at least a little."""
    change = np.abs(y[7:] - y[:-7])
    change = change[np.isfinite(change)]
    return max(float(np.median(change)) if len(change) else 0.0, 0.5)
