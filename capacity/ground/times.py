"""Instants, steps and the two ways in which local time enters: a range that is asked for, and local days."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left
from numbers import Number
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError

STEP = pd.Timedelta(minutes=5).as_unit("ns")
DAY = pd.Timedelta(days=1).as_unit("ns")
DAY_NS = DAY.value
HOUR_NS = DAY_NS // 24
WEEK = pd.Timedelta(days=7).as_unit("ns")

Instant: TypeAlias = str | dt.date | dt.datetime | pd.Timestamp

_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})"
    r"(?P<time>[Tt ][0-9]{2}(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]{1,9})?)?)?( ?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?))?)?"
)


def as_zone(tz: str | dt.tzinfo) -> dt.tzinfo:
    """Return the time zone of an IANA name, or raise ConfigError for one that does not exist.

    Examples
    --------
    >>> as_zone("Europe/London")
    zoneinfo.ZoneInfo(key='Europe/London')
    """
    if isinstance(tz, dt.tzinfo):
        return tz
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError, TypeError) as exc:
        raise ConfigError(f"tz={tz!r} is no IANA time zone; write it like 'Europe/London' or 'UTC'") from exc


def as_instant(value: Instant, tz: str | dt.tzinfo | None = None, *, name: str = "time") -> pd.Timestamp:
    """Return one point in time as a UTC Timestamp [ns].

    Parameters
    ----------
    value : str, date, datetime or Timestamp
        An aware time is taken as it is. A date (or a date-only string) is midnight in `tz`, or the first
        instant of that day where the clock skips midnight. A naive time is local time in `tz`. Text is ISO 8601;
        or "now", or "today": midnight of today in `tz`.
    tz : str or tzinfo, optional
        IANA name.
    name : str
        What to call the value in an error message.

    Raises
    ------
    ConfigError
        The value cannot be read, is naive without a `tz`, or is a local time that happens twice or never.

    Examples
    --------
    >>> as_instant("2026-07-01", "Europe/London")
    Timestamp('2026-06-30 23:00:00+0000', tz='UTC')
    >>> as_instant("2026-07-01T14:00:00Z")
    Timestamp('2026-07-01 14:00:00+0000', tz='UTC')
    """
    if isinstance(value, str) and value.strip().lower() in ("now", "today"):
        return _clock(value.strip().lower(), tz, name)
    stamp, whole_day = _stamp(value, f"{name}={value!r}", "time", "'2026-07-01' or '2026-07-01T14:00Z'")
    if stamp.tzinfo is not None:
        return stamp.tz_convert("UTC")
    if tz is None:
        raise ConfigError(
            f"{name}={value!r} has no time zone; give tz='Europe/London' (say), or an offset, as in '...T14:00Z'"
        )
    zone = as_zone(tz)
    if whole_day:
        return midnight(stamp, zone)
    try:
        local = stamp.tz_localize(zone)
    except Exception as exc:  # pandas 3 raises ValueError, pandas 2 errors of pytz
        raise ConfigError(
            f"{name}={value!r} happens twice or never in {tz} (the clock changes); give it with its offset"
        ) from exc
    return local.tz_convert("UTC")


def as_date(value: Any, *, name: str) -> pd.Timestamp:
    """Return a local day as a naive midnight [ns].

    Parameters
    ----------
    value : str, date, datetime or Timestamp
        Text is ISO 8601. A time has to be midnight; its zone is dropped.
    name : str
        What to call the value in an error message.

    Raises
    ------
    ConfigError
        No date, a number, text that is not ISO 8601 (01/03/2026 is two dates), or a time of day.

    Examples
    --------
    >>> as_date("2026-12-25", name="exclude")
    Timestamp('2026-12-25 00:00:00')
    """
    stamp = _stamp(value, f"{name}: {value!r}", "date", "'2026-12-25'")[0].tz_localize(None)
    if stamp != stamp.normalize():
        raise ConfigError(f"{name}: {value!r} is no whole day; give local days like '2026-12-25'")
    return stamp


def _stamp(value: Any, shown: str, kind: str, form: str) -> tuple[pd.Timestamp, bool]:
    """Return what a date or a time says, and whether it is a date alone; what is not certain is refused."""
    how = f"write it in ISO 8601, like {form}"
    if isinstance(value, (Number, np.number)):  # read as nanoseconds since 1970, any number would be a day of that year
        raise ConfigError(f"{shown} is a number, not a {kind}; {how}")
    found = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, str) and found is None:
        raise ConfigError(f"{shown} is no {kind}; {how}")
    try:
        stamp = pd.Timestamp(value.strip() if isinstance(value, str) else value).as_unit("ns")
    except (ValueError, TypeError, OverflowError, AttributeError) as exc:
        raise ConfigError(f"{shown} is no {kind}; {how}") from exc
    if stamp is pd.NaT:
        raise ConfigError(f"{shown} is no {kind}; {how}")
    if found is not None:
        return stamp, found["time"] is None
    return stamp, isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _clock(word: str, tz: str | dt.tzinfo | None, name: str) -> pd.Timestamp:
    now = pd.Timestamp.now("UTC").as_unit("ns")
    if word == "now":
        return now
    if tz is None:
        raise ConfigError(f"{name}='today' has no time zone; give tz='Europe/London' (say)")
    zone = as_zone(tz)
    return midnight(now.tz_convert(zone).tz_localize(None).normalize(), zone)


def midnight(day: pd.Timestamp, zone: dt.tzinfo) -> pd.Timestamp:
    """Return the first instant of a local day in UTC: where the clock skips it, the first instant after the gap.

    Parameters
    ----------
    day : Timestamp
        Naive midnight.

    Examples
    --------
    >>> midnight(pd.Timestamp("2011-12-30"), ZoneInfo("Pacific/Apia"))  # Samoa went from the 29th to the 31st
    Timestamp('2011-12-30 10:00:00+0000', tz='UTC')
    """
    local = day.tz_localize(zone, ambiguous=True, nonexistent="NaT")
    if local is not pd.NaT:
        return local.tz_convert("UTC")
    # pandas' own shift goes astray where the gap is a whole day. No offset is as much as that.
    early = day.tz_localize("UTC") - DAY

    def passed(second: int) -> bool:
        return bool((early + pd.Timedelta(seconds=second)).tz_convert(zone).tz_localize(None) >= day)

    gap_ends = bisect_left(range(2 * int(DAY.total_seconds())), True, key=passed)
    return early + pd.Timedelta(seconds=gap_ends)


def utc_times(ns: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
    """Return nanoseconds since 1970 UTC as aware times."""
    return pd.DatetimeIndex(ns.view("M8[ns]")).tz_localize("UTC")


def as_range(start: Instant, end: Instant, tz: str | dt.tzinfo | None = None) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the half-open range [start, end) in UTC, grown to whole 5-minute steps.

    Raises
    ------
    ConfigError
        As `as_instant`, and where start >= end.

    Examples
    --------
    >>> as_range("2026-07-01T14:02Z", "2026-07-01T14:06Z")
    (Timestamp('2026-07-01 14:00:00+0000', tz='UTC'), Timestamp('2026-07-01 14:10:00+0000', tz='UTC'))
    """
    first, last = as_instant(start, tz, name="start"), as_instant(end, tz, name="end")
    check_range(first, last)
    return floor_step(first), ceil_step(last)


def check_range(start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Raise ConfigError unless start < end."""
    if start >= end:
        raise ConfigError(f"start={start.isoformat()} is not before end={end.isoformat()}; ranges are [start, end)")


def floor_step(time: pd.Timestamp) -> pd.Timestamp:
    """Round down to the 5-minute step that holds `time`."""
    return time.floor(STEP)


def ceil_step(time: pd.Timestamp) -> pd.Timestamp:
    """Round up to the next 5-minute step."""
    return time.ceil(STEP)
