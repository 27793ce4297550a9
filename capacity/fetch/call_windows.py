"""Which UTC days of call records are asked for, and how far beyond each its question reaches. Pure.

Whether the API selects calls by their start, their end or by overlap is not said. Days within a range answer for
each other: a call that began yesterday is in yesterday's answer or in today's. Where a day has no neighbour, its
question reaches out by the longest call that is plausible, so that calls in progress at its edges come under any
reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from capacity.fetch.endpoint import Scope
from capacity.fetch.windows import Window
from capacity.ground.times import DAY, floor_step


@dataclass(frozen=True)
class DayPiece:
    """What is held of one UTC day.

    Attributes
    ----------
    window : Window
        What of the day was answered for.
    asked : Window
        How far the question reached.
    fetched_at : Timestamp, UTC
    final : bool
        Whether it need not be asked for again.
    """

    window: Window
    asked: Window
    fetched_at: pd.Timestamp
    final: bool


@dataclass(frozen=True)
class DayAsk:
    """One day to be asked for: `window` is what is answered for then, `asked` how far the question reaches."""

    window: Window
    asked: Window
    scope: Scope
    why: str


def day_of(time: pd.Timestamp) -> pd.Timestamp:
    """Return 00:00 UTC of the day of `time`."""
    return time.floor("D")


def days_of(start: pd.Timestamp, end: pd.Timestamp) -> list[pd.Timestamp]:
    """Return the UTC days that [start, end) touches."""
    return list(pd.date_range(day_of(start), end, freq="D", inclusive="left")) if start < end else []


def outstanding_days(
    scope: Scope,
    window: Window,
    held: Mapping[pd.Timestamp, DayPiece],
    *,
    still: frozenset[pd.Timestamp] = frozenset(),
    broken: frozenset[pd.Timestamp] = frozenset(),
    now: pd.Timestamp,
    longest: pd.Timedelta,
    refetch: bool = False,
) -> list[DayAsk]:
    """Return the days to be asked for, oldest first.

    Parameters
    ----------
    scope : Scope
    window : Window
        The range.
    held : mapping of day to DayPiece
    still : set of days
        On which calls began that were in progress when last seen.
    broken : set of days
        Whose files are damaged.
    now : Timestamp, UTC
        The future is not asked for.
    longest : Timedelta
        Calls that began earlier than this before the range are not looked for.
    refetch : bool
        Whether to ask for everything again.

    Examples
    --------
    >>> two = Window(pd.Timestamp("2026-01-05", tz="UTC"), pd.Timestamp("2026-01-07", tz="UTC"))
    >>> asks = outstanding_days(Scope("A", "P"), two, {}, now=pd.Timestamp("2026-02-01", tz="UTC"), longest=DAY)
    >>> for ask in asks:
    ...     print(ask.window, "by", ask.asked)
    [2026-01-05T00:00Z, 2026-01-06T00:00Z) by [2026-01-04T00:00Z, 2026-01-06T00:00Z)
    [2026-01-06T00:00Z, 2026-01-07T00:00Z) by [2026-01-06T00:00Z, 2026-01-08T00:00Z)
    """
    limit = floor_step(now)
    days = days_of(window.start, min(window.end, limit))
    if not days:
        return []
    final = {day for day, piece in held.items() if piece.final and day not in broken}

    def reaches(day: pd.Timestamp) -> bool:
        """Whether the calls in progress at the edges of the range are known from what is held."""
        asked = held[day].asked
        before = [day - k * DAY for k in range(1, -(-longest // DAY) + 1)]
        behind = day - DAY in final or (asked.start <= day - longest and not still.intersection(before))
        ahead = day + DAY in final or asked.end >= min(day + DAY + longest, limit)
        return (day != days[0] or behind) and (day != days[-1] or ahead)

    missing = [day for day in days if refetch or day not in final or not reaches(day)]
    answering = final | set(missing)
    asks = []
    for day in missing:
        own = Window(day, min(day + DAY, limit))
        first, last = own.start, own.end
        while first > day - longest and first - DAY not in answering:
            first = max(first - DAY, day - longest)
        while last < min(day + DAY + longest, limit) and day_of(last) not in answering:
            last = min(last + DAY, day + DAY + longest, limit)
        why = (
            "damaged"
            if day in broken
            else "not held"
            if day not in held
            else "asked again"
            if refetch
            else "provisional"
        )
        asks.append(DayAsk(own, Window(first, last), scope, why))
    return asks
