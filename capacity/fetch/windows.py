"""Windows of time, all half-open and on the 5-minute grid: cut into weeks, joined, subtracted. Pure.

The API takes at most one week at a time and rounds start down and end up to 5 minutes. Windows are cut where
the UTC week begins (Monday 00:00), not from the start that was asked for, so that two requests that overlap
ask for the same windows, and no rounding can make one longer than 7 x 24 hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from capacity.ground.calendar import MONDAY
from capacity.ground.times import DAY, STEP, WEEK, floor_step

STEPS_PER_WEEK = WEEK // STEP

_STEP_NS = STEP.value
_WEEK_NS = WEEK.value
_MONDAY_NS = -MONDAY * DAY.value  # the last Monday before 1970


@dataclass(frozen=True, order=True)
class Window:
    """The half-open window [start, end), UTC, on the 5-minute grid.

    Examples
    --------
    >>> print(Window(pd.Timestamp("2026-01-05", tz="UTC"), pd.Timestamp("2026-01-12", tz="UTC")))
    [2026-01-05T00:00Z, 2026-01-12T00:00Z)
    """

    start: pd.Timestamp
    end: pd.Timestamp

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%MZ}, {self.end:%Y-%m-%dT%H:%MZ})"

    @classmethod
    def of_steps(cls, first: int, last: int) -> Window:
        """Return the window from step `first` up to, not including, step `last` (see `first`)."""
        return cls(_from_step(first), _from_step(last))

    @property
    def first(self) -> int:
        """The first interval, as a whole number of 5-minute steps since 1970."""
        return int(self.start.value // _STEP_NS)

    @property
    def last(self) -> int:
        """The step just after the last interval."""
        return int(self.end.value // _STEP_NS)

    @property
    def steps(self) -> int:
        """How many intervals the window has."""
        return self.last - self.first


def _from_step(step: int) -> pd.Timestamp:
    return pd.Timestamp(step * _STEP_NS, unit="ns", tz="UTC")


def week_of(time: pd.Timestamp) -> pd.Timestamp:
    """Return the Monday 00:00 UTC at or before `time`.

    Examples
    --------
    >>> week_of(pd.Timestamp("2026-01-11T23:55Z"))
    Timestamp('2026-01-05 00:00:00+0000', tz='UTC')
    """
    value = time.as_unit("ns").value
    return pd.Timestamp(value - (value - _MONDAY_NS) % _WEEK_NS, unit="ns", tz="UTC")


def last_closed(now: pd.Timestamp) -> pd.Timestamp:
    """Return the end of the last interval that is over at `now`: what lies behind it is not asked for.

    Examples
    --------
    >>> last_closed(pd.Timestamp("2026-01-11T23:57Z"))
    Timestamp('2026-01-11 23:55:00+0000', tz='UTC')
    """
    return floor_step(now.as_unit("ns"))


def split(start: pd.Timestamp, end: pd.Timestamp) -> list[Window]:
    """Cut [start, end) at every Monday 00:00 UTC; nothing where start >= end.

    Examples
    --------
    >>> for window in split(pd.Timestamp("2026-01-09", tz="UTC"), pd.Timestamp("2026-01-14", tz="UTC")):
    ...     print(window)
    [2026-01-09T00:00Z, 2026-01-12T00:00Z)
    [2026-01-12T00:00Z, 2026-01-14T00:00Z)
    """
    windows = []
    while start < end:
        windows.append(Window(start, min(week_of(start) + WEEK, end)))
        start = windows[-1].end
    return windows


def join(windows: Iterable[Window]) -> list[Window]:
    """Return the same cover in the fewest windows: sorted, and joined where they touch or overlap.

    Examples
    --------
    >>> a, b = split(pd.Timestamp("2026-01-09", tz="UTC"), pd.Timestamp("2026-01-14", tz="UTC"))
    >>> print(*join([b, a]))
    [2026-01-09T00:00Z, 2026-01-14T00:00Z)
    """
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined


def subtract(window: Window, held: Iterable[Window]) -> list[Window]:
    """Return what of `window` is in none of `held`, in order.

    Examples
    --------
    >>> week = split(pd.Timestamp("2026-01-05", tz="UTC"), pd.Timestamp("2026-01-12", tz="UTC"))[0]
    >>> tuesday = Window(pd.Timestamp("2026-01-06", tz="UTC"), pd.Timestamp("2026-01-07", tz="UTC"))
    >>> print(*subtract(week, [tuesday]))
    [2026-01-05T00:00Z, 2026-01-06T00:00Z) [2026-01-07T00:00Z, 2026-01-12T00:00Z)
    """
    left: list[Window] = []
    start = window.start
    for piece in join(held):
        if piece.end <= start or piece.start >= window.end:
            continue
        if piece.start > start:
            left.append(Window(start, piece.start))
        start = max(start, piece.end)
    if start < window.end:
        left.append(Window(start, window.end))
    return left
