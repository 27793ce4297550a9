"""Events to come: launches, campaigns, clients who leave, each with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.arguments import as_whole
from capacity.ground.calendar import SHORT_WEEKDAYS
from capacity.ground.holidays import as_days
from capacity.ground.text import day

Shape: TypeAlias = tuple[float, ...]  # share of the calls by day since the launch; the last one stays

_LONGEST_RAMP = 730  # days


@dataclass(frozen=True)
class Event:
    """A launch, campaign or leaving client that will change the number of concurrent calls, with its uncertainty.

    `PeakForecast.with_events` adds events to a forecast: each simulated future draws whether the event comes, when,
    and how large it is. `capacity.assess` takes them as ``events=``.

    Attributes
    ----------
    name : str
        Name in tables and notes; each event of a forecast has its own.
    date : date, or (earliest, latest)
        The first local day: ISO text, date or Timestamp. Of a pair, every day between the two is equally likely.
    calls : number, (low, high) or (low, likely, high)
        Concurrent calls [calls] that it adds to the daily peak of a busy weekday, once it has fully grown; below 0 for
        what leaves. Between two numbers all are equally likely; three are the ends and the peak of a triangular
        distribution.
    until : date, or (earliest, latest), optional
        The first day on which it is over; by default it stays.
    probability : float, default 1.0
        The chance that it comes at all, above 0 and at most 1.
    ramp : int, sequence of float, or several such sequences, optional
        Days in which it grows in equal steps; or its share of `calls` on each day from the first on, of which the last
        holds from then on, as `capacity.ramp_from` returns it. Of several shapes each simulated future draws one. By
        default it has its full size at once.
    pattern : "flat", seven numbers, or a mapping of weekday -> number, optional
        Its size from Monday to Sunday relative to a busy weekday; weekdays that a mapping ("Mon" to "Sun") leaves out
        are 0. By default it has the same weekly pattern as the series that it is added to, holidays included.
    variant : str, optional
        Id of the series that it is part of; it is added to the total as well. By default it is added to the total
        alone, or to the only series.
    reason : str
        Who expects it, and why; printed in the report. Required.

    Raises
    ------
    ConfigError
        A value cannot be read, or there is no reason.

    See Also
    --------
    capacity.ramp_from : the shape of a past launch of your own.
    capacity.event_effects : what each event adds to the risk.
    capacity.PeakForecast : its method `with_events`.

    Examples
    --------
    >>> import capacity as cap
    >>> launch = cap.Event("Hotels", ("2026-03-01", "2026-04-01"), (20, 35, 60), ramp=14, reason="Signed in May")
    >>> print(launch)
    Hotels: 20 to 60 calls more (likely 35) between Sun 1 Mar 2026 and Wed 1 Apr 2026, over 14 days. Signed in May
    """

    name: str
    date: Any
    calls: Any
    until: Any = field(default=None, kw_only=True)
    probability: float = field(default=1.0, kw_only=True)
    ramp: Any = field(default=None, kw_only=True)
    pattern: Any = field(default=None, kw_only=True)
    variant: str | None = field(default=None, kw_only=True)
    reason: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ConfigError(f"name={self.name!r} must be text that names the event, such as 'Hotels go live'")
        if not isinstance(self.reason, str) or not self.reason.strip():
            raise ConfigError(f"event {self.name!r} has no reason; say who expects it and why: reason='Signed in May'")
        if self.variant is not None and not isinstance(self.variant, str):
            raise self._wrong("variant", self.variant, "the id of a series, as text")
        if not isinstance(self.probability, Real) or not 0 < self.probability <= 1:
            raise self._wrong("probability", self.probability, "above 0 and at most 1, such as 0.7")
        self._set("date", self._days("date", self.date))
        self._set("calls", self._numbers())
        if self.until is not None:
            self._set("until", self._days("until", self.until))
            if self.until[0] <= self.date[1]:
                raise self._wrong("until", day(self.until[0]), f"after the latest first day, {day(self.date[1])}")
        self._set("ramp", self._shapes())
        self._set("pattern", self._week())

    # -- reading ------------------------------------------------------------------------------------------------

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _wrong(self, what: str, value: Any, rule: str) -> ConfigError:
        return ConfigError(f"event {self.name!r}: {what}={value!r} must be {rule}")

    def _days(self, what: str, value: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Return (earliest, latest) as naive midnights."""
        both = list(value) if isinstance(value, (tuple, list)) else [value, value]
        if len(both) != 2:
            raise self._wrong(what, value, "one date, or (earliest, latest)")
        try:
            first, last = (as_days([one], name=what)[0] for one in both)
        except ConfigError as exc:
            raise ConfigError(f"event {self.name!r}: {exc}") from exc
        if first > last:
            raise self._wrong(what, (f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"), "(earliest, latest) in this order")
        return first, last

    def _numbers(self) -> tuple[float, ...]:
        """Return one, two or three numbers of calls, ascending, not all 0."""
        many = tuple(self.calls) if isinstance(self.calls, (tuple, list)) else (self.calls,)
        good = 1 <= len(many) <= 3 and all(_finite(n) for n in many)
        if not good or list(many) != sorted(many) or not any(many):
            raise self._wrong("calls", self.calls, "a number other than 0, (low, high) or (low, likely, high)")
        return tuple(float(n) for n in many)

    def _shapes(self) -> tuple[Shape, ...]:
        """Return the ramps as shapes of shares by day; () where it is there at once."""
        ramp, rule = self.ramp, "days (14), or shares of the calls by day (0.2, 0.6, 1), or several such"
        if ramp is None:
            return ()
        if isinstance(ramp, Real):
            days = as_whole(ramp, f"event {self.name!r}: ramp", least=0, most=_LONGEST_RAMP, of="days")
            return (tuple((k + 1) / days for k in range(days)),) if days else ()
        if not isinstance(ramp, (Sequence, np.ndarray)) or isinstance(ramp, str) or len(ramp) == 0:
            raise self._wrong("ramp", ramp, rule)
        many = [ramp] if all(isinstance(n, Real) for n in ramp) else list(ramp)
        for one in many:
            fits = isinstance(one, (Sequence, np.ndarray)) and 0 < len(one) <= _LONGEST_RAMP
            if not fits or isinstance(one, str) or not all(_finite(n) and n >= 0 for n in one) or not any(one):
                raise self._wrong("ramp", one, rule)
        return tuple(tuple(float(n) for n in one) for one in many)

    def _week(self) -> tuple[float, ...] | None:
        """Return its size from Monday to Sunday, the largest 1; None where it is that of the series."""
        pattern, rule = self.pattern, "'flat', seven numbers from Monday to Sunday, or {'Mon': 1, 'Sat': 0.4}"
        if pattern is None:
            return None
        if isinstance(pattern, str) and pattern.lower() == "flat":
            return (1.0,) * 7
        if isinstance(pattern, Mapping):
            if not set(pattern) <= set(SHORT_WEEKDAYS):
                raise self._wrong("pattern", dict(pattern), rule)
            pattern = [pattern.get(name, 0.0) for name in SHORT_WEEKDAYS]
        if isinstance(pattern, str) or not isinstance(pattern, Iterable):
            raise self._wrong("pattern", self.pattern, rule)
        week = list(pattern)
        if len(week) != 7 or not all(_finite(n) and n >= 0 for n in week) or not any(week):
            raise self._wrong("pattern", self.pattern, rule)
        return tuple(float(n) / float(max(week)) for n in week)

    # -- words --------------------------------------------------------------------------------------------------

    @property
    def ramp_days(self) -> int:
        """How many days the longest ramp takes."""
        return max((len(shape) for shape in self.ramp), default=1) - 1

    def size(self) -> str:
        """Say how many calls."""
        low, high = self.calls[0], self.calls[-1]
        word = "calls fewer" if high <= 0 else "calls more"
        ends = sorted((abs(low), abs(high))) if high <= 0 else [low, high]
        likely = f" (likely {abs(self.calls[1]) if high <= 0 else self.calls[1]:g})" if len(self.calls) == 3 else ""
        return f"{ends[0]:g} {word}" if low == high else f"{ends[0]:g} to {ends[1]:g} {word}{likely}"

    def when(self) -> str:
        """Say from which day on."""
        first, last = self.date
        return f"from {day(first)}" if first == last else f"between {day(first)} and {day(last)}"

    def __str__(self) -> str:
        over = f", over {self.ramp_days + 1} days" if self.ramp_days > 0 else ""
        ends = "" if self.until is None else f", until {day(self.until[1])}"
        sure = "" if self.probability == 1 else f", with a chance of {100 * self.probability:.0f}%"
        return f"{self.name}: {self.size()} {self.when()}{over}{ends}{sure}. {self.reason}"


def as_events(events: Iterable[Event] | Event | None) -> tuple[Event, ...]:
    """Return the events as a tuple, each name once.

    Raises
    ------
    ConfigError
        Something else among them, or two of one name.

    Examples
    --------
    >>> as_events(None)
    ()
    """
    many = () if events is None else tuple(events) if isinstance(events, Iterable) else (events,)
    for one in many:
        if not isinstance(one, Event):
            raise ConfigError(f"{one!r} is not an event; write cap.Event('Hotels', '2026-03-01', 40, reason='Signed')")
    names = [one.name for one in many]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"two events are called {twice[0]!r}; give each its own name")
    return many


def _finite(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
