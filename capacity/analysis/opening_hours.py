"""Opening hours: which 5-minute slots of the local week count."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from capacity.errors import ConfigError
from capacity.ground.calendar import DAY_STEPS, WEEKDAYS

HoursLike: TypeAlias = Sequence[str] | Mapping[Any, Any]

_WEEK = 7 * DAY_STEPS
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_EXAMPLE = "write ('08:00', '20:00'), or by weekday {'Mon-Fri': ('08:00', '20:00'), 'Sat': ('09:00', '13:00')}"


def open_slots(hours: HoursLike | None) -> npt.NDArray[np.bool_]:
    """Return which of the 2016 five-minute slots of a local week, from Monday 00:00 on, are open.

    Parameters
    ----------
    hours : pair of "HH:MM", mapping, or None
        ``("08:00", "20:00")`` is the half-open [08:00, 20:00) of every day; an end before the start lies on the next
        day; "24:00" is the day's end. A mapping gives a pair, a list of pairs or None (closed) for weekdays:
        "Mon", "Monday", 0 (Monday) to 6, or "Mon-Fri". Days it does not name are closed. None is always open.

    Raises
    ------
    ConfigError
        No such weekday, a weekday twice, a time that is none or off the 5-minute grid, or no open slot at all.

    Examples
    --------
    >>> int(open_slots({"Mon-Fri": ("08:00", "20:00"), "Sat": ("22:00", "02:00")}).sum() / 12)
    64
    """
    if hours is None:
        return np.ones(_WEEK, dtype=bool)
    by_day = hours if isinstance(hours, Mapping) else {"mon-sun": hours}
    is_open = np.zeros(_WEEK, dtype=bool)
    seen: set[int] = set()
    for key, spans in by_day.items():
        days = _days(key)
        if seen & set(days):
            raise ConfigError(f"hours={hours!r}: {key!r} names a weekday a second time; give each once")
        seen |= set(days)
        for begin, end in _spans(spans, hours):
            slots = np.add.outer(np.array(days) * DAY_STEPS, np.arange(begin, end)) % _WEEK
            is_open[slots.ravel()] = True
    if not is_open.any():
        raise ConfigError(f"hours={hours!r} are never open; {_EXAMPLE}")
    return is_open


def _days(key: Any) -> list[int]:
    if isinstance(key, int | np.integer) and not isinstance(key, bool) and 0 <= key < 7:
        return [int(key)]
    first, _, last = str(key).partition("-")
    begin, end = _day(first, key), _day(last or first, key)
    return [(begin + k) % 7 for k in range((end - begin) % 7 + 1)]


def _day(text: str, key: Any) -> int:
    name = text.strip().lower()
    found = [k for k, weekday in enumerate(WEEKDAYS) if len(name) >= 3 and weekday.lower().startswith(name)]
    if len(found) != 1:
        raise ConfigError(f"hours: {key!r} is no weekday; {_EXAMPLE}")
    return found[0]


def _spans(spans: Any, hours: HoursLike) -> list[tuple[int, int]]:
    if spans is None:
        return []
    if not isinstance(spans, Sequence) or isinstance(spans, str):
        raise ConfigError(f"hours={hours!r}: {spans!r} is no pair of opening and closing time; {_EXAMPLE}")
    pairs = [spans] if len(spans) == 2 and all(isinstance(one, str) for one in spans) else list(spans)
    return [_span(pair, hours) for pair in pairs]


def _span(pair: Any, hours: HoursLike) -> tuple[int, int]:
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise ConfigError(f"hours={hours!r}: {pair!r} is no pair of opening and closing time; {_EXAMPLE}")
    begin, end = (_slot(text, hours) for text in pair)
    if begin == end:
        raise ConfigError(f"hours={hours!r}: opens and closes at {pair[0]}; the whole day is ('00:00', '24:00')")
    return begin, end if end > begin else end + DAY_STEPS


def _slot(text: Any, hours: HoursLike) -> int:
    clock = _CLOCK.fullmatch(str(text).strip())
    minutes = int(clock[1]) * 60 + int(clock[2]) if clock and int(clock[2]) < 60 else -1
    if not 0 <= minutes <= 24 * 60 or minutes % 5:
        raise ConfigError(f"hours={hours!r}: {text!r} is no time from 00:00 to 24:00 in steps of 5 minutes; {_EXAMPLE}")
    return minutes // 5
