"""Lengths of time as people write them: one strict parser, which refuses what it cannot read for certain."""

from __future__ import annotations

import datetime as dt
import re
from typing import TypeAlias

import numpy as np
import pandas as pd

from capacity.errors import ConfigError

Length: TypeAlias = str | dt.timedelta | pd.Timedelta | np.timedelta64

_HOW = "write it with its unit, like '90s', '3m', '1h30m', '00:03:00', 'PT3M' or pd.Timedelta(minutes=3)"
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
# From long to short, each at most once: "1h30m", "2 days 3 hours". Capitals are left to ISO 8601, where M is ambiguous.
_UNITS = {
    604800.0: "weeks|week|w",
    86400.0: "days|day|d",
    3600.0: "hours|hour|hrs|hr|h",
    60.0: "minutes|minute|mins|min|m",
    1.0: "seconds|second|secs|sec|s",
    0.001: "milliseconds|millisecond|millis|ms",
}
_WORDS = re.compile("".join(rf"(?:{_NUMBER}\s*(?:{names})(?![a-z])\s*)?" for names in _UNITS.values()))
_ISO = re.compile(
    rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?".replace(
        r"\.", "[.,]"
    )
)
_CLOCK = re.compile(r"(?:([0-9]+):)?([0-9]+):([0-9]{2}(?:\.[0-9]+)?)")


def as_length(value: Length, *, name: str, most: pd.Timedelta | None = None) -> pd.Timedelta:
    """Return a length of time as a Timedelta [ns].

    Parameters
    ----------
    value : str, timedelta, Timedelta or timedelta64
        Text carries its unit: ``90s``, ``3m``, ``1h30m``, ``2 days``; a clock: ``mm:ss``, ``hh:mm:ss``; or an ISO 8601
        duration of weeks, days, hours, minutes and seconds: ``PT3M``, ``P1DT12H``. Never negative.
    name : str
        What to call the value in an error message.
    most : Timedelta, optional
        The longest that is taken.

    Returns
    -------
    Timedelta

    Raises
    ------
    ConfigError
        A number without a unit, a decimal comma, months or years, or anything else that is not certain; or a length
        above `most`.

    Examples
    --------
    >>> as_length("1h30m", name="lead_time"), as_length("02:30", name="mean_call_length")
    (Timedelta('0 days 01:30:00'), Timedelta('0 days 00:02:30'))
    >>> as_length("180", name="mean_call_length")
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: mean_call_length='180' has no unit; write it with its unit, like '90s', '3m', \
'1h30m', '00:03:00', 'PT3M' or pd.Timedelta(minutes=3)
    """
    seconds = _seconds(value) if isinstance(value, str) else None
    try:
        if seconds is not None:
            length = pd.Timedelta(round(seconds * 1e9), unit="ns")
        elif isinstance(value, (dt.timedelta, np.timedelta64)):
            length = pd.Timedelta(value).as_unit("ns")
        else:
            number = isinstance(value, (int, float)) or (isinstance(value, str) and _is_number(value))
            raise ConfigError(f"{name}={value!r} {'has no unit' if number else 'is no length of time'}; {_HOW}")
    except (ValueError, OverflowError) as exc:
        if isinstance(exc, ConfigError):
            raise
        raise ConfigError(f"{name}={value!r} is no length of time; {_HOW}") from exc
    if length is pd.NaT or length < pd.Timedelta(0):
        raise ConfigError(f"{name}={value!r} is no length of time; {_HOW}")
    if most is not None and length > most:
        raise ConfigError(f"{name}={value!r} is out of range; it has to be at most {most}; {_HOW}")
    return length


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*[+-]?[0-9]+(?:[.,][0-9]*)?\s*", text) is not None


def _seconds(value: str) -> float | None:
    text = value.strip()
    if (found := _CLOCK.fullmatch(text)) is not None:
        hours, minutes, seconds = found.groups()
        if float(seconds) >= 60 or (hours is not None and (int(minutes) >= 60 or len(minutes) != 2)):
            return None
        return 3600.0 * int(hours or 0) + 60.0 * int(minutes) + float(seconds)
    for pattern, units in ((_WORDS, list(_UNITS)), (_ISO, [604800.0, 86400.0, 3600.0, 60.0, 1.0])):
        found = pattern.fullmatch(text)
        if found is not None and any(found.groups()):
            parts = zip(found.groups(), units, strict=True)
            return sum(float(n.replace(",", ".")) * unit for n, unit in parts if n is not None)
    return None
