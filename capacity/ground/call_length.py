"""The mean length of a call: the one number that turns concurrent calls into calls an hour, and back."""

from __future__ import annotations

import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.durations import Length, as_length
from capacity.ground.times import STEP

CallLength = Length

_LONGEST = pd.Timedelta(days=1)


def as_call_length(value: CallLength) -> pd.Timedelta:
    """Return the mean length of a call (mean hold time).

    Parameters
    ----------
    value : str, timedelta or Timedelta
        As `as_length` reads it: "3m", "180s", "2m30s", "00:03:00". From the first word to the end of the call, as
        long as it holds a channel.

    Raises
    ------
    ConfigError
        No length, a number without a unit, zero or less, or more than a day.

    Examples
    --------
    >>> as_call_length("3m").total_seconds()
    180.0
    """
    length = as_length(value, name="mean_call_length", most=_LONGEST)
    if length <= pd.Timedelta(0):
        raise ConfigError(f"mean_call_length={value!r} has to be more than nothing; write it like '3m'")
    return length


def turnover(length: pd.Timedelta) -> float:
    """Return tau / h: how many mean call lengths one 5-minute interval is.

    Examples
    --------
    >>> turnover(as_call_length("2m30s"))
    2.0
    """
    return float(STEP / length)
