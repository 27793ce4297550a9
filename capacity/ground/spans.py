"""Lengths of time in whole days: lead times, notice periods, commitments."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from typing import TypeAlias

import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.durations import as_length

SpanLike: TypeAlias = int | str | dt.timedelta | pd.Timedelta

_YEARS = re.compile(r"\s*([0-9]+)\s*(?:y|years?)\s*")
_LONGEST = 3650  # days


def as_span(value: SpanLike, name: str) -> int:
    """Return a length of time in whole days.

    Parameters
    ----------
    value : int, str, timedelta or Timedelta
        A number is in days; text is as `as_length` reads it, "21d" or "3w", or in years of 365 days: "1y".
    name : str
        What to call it in a message.

    Raises
    ------
    ConfigError
        No whole number of days from 0 to 3650.

    Examples
    --------
    >>> as_span("21d", "lead_time"), as_span("3w", "lead_time"), as_span(7, "lead_time")
    (21, 21, 7)
    """
    how = f"{name}={value!r} must be a whole number of days, such as 21, '21d', '3w' or '1y', at most 3650"
    days: float = -1.0
    if isinstance(value, str) and (years := _YEARS.fullmatch(value)) is not None:
        days = 365 * int(years[1])
    elif isinstance(value, (str, dt.timedelta)):  # pandas.Timedelta is one
        with contextlib.suppress(ConfigError):  # said below, in days
            days = as_length(value, name=name) / pd.Timedelta(days=1)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        days = float(value)
    if not (0 <= days <= _LONGEST and days == int(days)):
        raise ConfigError(how)
    return int(days)
