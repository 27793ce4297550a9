"""The mean length of a call: the one number that turns concurrent calls into calls an hour, and back."""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import pandas as pd

from capacity.errors import ConfigError

__all__ = ["CallLength", "as_call_length"]

CallLength: TypeAlias = str | dt.timedelta | pd.Timedelta

_LONGEST = pd.Timedelta(days=1)
_HOW = "write it with its unit, like '3m', '180s' or pd.Timedelta(minutes=3)"


def as_call_length(value: CallLength) -> pd.Timedelta:
    """Read the mean length of a call (mean hold time).

    Parameters
    ----------
    value : str, timedelta or Timedelta
        Text carries its unit: "3m", "180s", "2m30s". From the first word to the end of the call, as long as
        it holds a channel.

    Raises
    ------
    ConfigError
        No length, a number without a unit, zero or less, or more than a day.

    Examples
    --------
    >>> as_call_length("3m").total_seconds()
    180.0
    >>> as_call_length("180")
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: mean_call_length='180' has no unit; write it with its unit, like '3m', '180s' or \
pd.Timedelta(minutes=3)
    """
    if isinstance(value, str):
        if value.strip().replace(".", "", 1).isdigit():
            raise ConfigError(f"mean_call_length={value!r} has no unit; {_HOW}")
    elif not isinstance(value, dt.timedelta):
        raise ConfigError(f"mean_call_length={value!r} is no length of time; {_HOW}")
    try:
        length = pd.Timedelta(value)
    except (ValueError, OverflowError) as exc:
        raise ConfigError(f"mean_call_length={value!r} is no length of time; {_HOW}") from exc
    if length is pd.NaT or not pd.Timedelta(0) < length <= _LONGEST:
        raise ConfigError(f"mean_call_length={value!r} has to be more than nothing and at most a day; {_HOW}")
    return length.as_unit("ns")
