"""Lengths of time in whole days: lead times, notice periods, commitments."""

from __future__ import annotations

import datetime as dt
import re
from typing import TypeAlias

import pandas as pd

from capacity.errors import ConfigError

__all__ = ["SpanLike", "as_span"]

SpanLike: TypeAlias = int | str | dt.timedelta | pd.Timedelta

_TEXT = re.compile(r"\s*(\d+)\s*(d|w|y|days?|weeks?|years?)\s*", re.IGNORECASE)
_DAYS = {"d": 1, "w": 7, "y": 365}
_LONGEST = 3650  # days


def as_span(value: SpanLike, name: str) -> int:
    """Return a length of time in whole days.

    Parameters
    ----------
    value : int, str, timedelta or Timedelta
        A number is in days; text carries its unit: "21d", "3w" or "1y" (365 days).
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
    if isinstance(value, str):
        found = _TEXT.fullmatch(value)
        if found is not None:
            days = int(found[1]) * _DAYS[found[2][0].lower()]
    elif isinstance(value, dt.timedelta):  # pandas.Timedelta is one
        days = value / dt.timedelta(days=1)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        days = float(value)
    if not (0 <= days <= _LONGEST and days == int(days)):
        raise ConfigError(how)
    return int(days)
