"""Local days, hours and slots of UTC times: by runs of one offset, not one time after the other.

A zone keeps one UTC offset for months. The offset is looked up once a day and, on the few days where it changes,
at every 5-minute step; all else is whole-number arithmetic. An interval belongs to the local time at which it
starts.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.ground.calendar import MONDAY
from capacity.ground.times import DAY_NS, HOUR_NS, STEP, as_zone, utc_times

_STEP = STEP.value
_MONDAY = MONDAY * DAY_NS


class LocalDays(NamedTuple):
    """The local days of a run of times.

    Attributes
    ----------
    day_of : int64, shape (times,)
        Each time's place in `days`. It ascends, but for zones that once set the clock back over midnight
        (America/St_Johns until 2011).
    days : DatetimeIndex
        The local days that hold at least one of the times, as naive midnights [ns], ascending.
    expected : int64, shape (days,)
        How many 5-minute intervals start within each: 288, but 276 or 300 where the clock moves by an hour.
    """

    day_of: npt.NDArray[np.int64]
    days: pd.DatetimeIndex
    expected: npt.NDArray[np.int64]


def local_days(times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> LocalDays:
    """Return the local day of each time, and what each day should hold.

    Parameters
    ----------
    times : DatetimeIndex, UTC, sorted
        Interval starts, on the 5-minute grid.
    tz : str or tzinfo
        IANA name.

    Examples
    --------
    >>> day = pd.date_range("2026-03-28T23:00Z", "2026-03-29T23:00Z", freq="5min", inclusive="left")
    >>> local_days(day, "Europe/London").expected
    array([288, 276])
    """
    day, place = np.unique(_local_ns(times, tz) // DAY_NS, return_inverse=True)
    days = pd.DatetimeIndex((day * DAY_NS).view("datetime64[ns]"))
    return LocalDays(place.astype(np.int64, copy=False).reshape(-1), days, _expected(day, times, tz))


def local_times(times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> pd.DatetimeIndex:
    """Return the local wall-clock time of each UTC time, naive [ns]; `times` sorted and on the 5-minute grid.

    Examples
    --------
    >>> local_times(pd.DatetimeIndex(["2026-07-01T14:00Z"]), "Asia/Kolkata")[0]
    Timestamp('2026-07-01 19:30:00')
    """
    return pd.DatetimeIndex(_local_ns(times, tz).view("datetime64[ns]"))


def slot_of_day(times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> npt.NDArray[np.int64]:
    """Return the 5-minute slot of the local day: 0 at 00:00 to 287 at 23:55; wall-clock, so a slot can occur twice."""
    return np.asarray(_local_ns(times, tz) % DAY_NS // _STEP)


def slot_of_week(times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> npt.NDArray[np.int64]:
    """Return the 5-minute slot of the local week: 0 on Monday at 00:00 to 2015 on Sunday at 23:55."""
    return np.asarray((_local_ns(times, tz) + _MONDAY) % (7 * DAY_NS) // _STEP)


def hour_of_day(times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> npt.NDArray[np.int64]:
    """Return the local hour, 0 to 23."""
    return np.asarray(_local_ns(times, tz) % DAY_NS // HOUR_NS)


def hour_of_week(times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> npt.NDArray[np.int64]:
    """Return the local hour of the week: 0 on Monday at 00:00 to 167 on Sunday at 23:00.

    Examples
    --------
    >>> hour_of_week(pd.DatetimeIndex(["2026-07-05T23:00Z"]), "Europe/London")  # Monday midnight, local time
    array([0])
    """
    return np.asarray((_local_ns(times, tz) + _MONDAY) % (7 * DAY_NS) // HOUR_NS)


class _Runs(NamedTuple):
    """UTC offsets [ns]: `offset[i]` holds on [start[i], start[i + 1]), on the 5-minute grid."""

    start: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]


def _runs(first: int, last: int, tz: str | dt.tzinfo) -> _Runs:
    """Return the runs of one offset that cover two days more than [first, last] on either side."""
    zone = as_zone(tz)
    coarse = np.arange(first // DAY_NS - 2, last // DAY_NS + 4) * DAY_NS
    moved = np.flatnonzero(np.diff(_offsets(coarse, zone)))
    fine = (coarse[moved][:, None] + np.arange(DAY_NS // _STEP) * _STEP).ravel()
    start = np.union1d(coarse, fine)
    offset = _offsets(start, zone)
    new = np.flatnonzero(np.diff(offset, prepend=offset[0] - 1))
    return _Runs(start[new], offset[new])


def _offsets(utc: npt.NDArray[np.int64], zone: dt.tzinfo) -> npt.NDArray[np.int64]:
    aware = utc_times(utc).tz_convert(zone)
    return np.asarray(aware.tz_localize(None).asi8 - utc, dtype=np.int64)


def _local_ns(times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> npt.NDArray[np.int64]:
    utc = np.asarray(times.as_unit("ns").asi8, dtype=np.int64)
    if len(utc) == 0:
        as_zone(tz)
        return utc
    runs = _runs(int(utc[0]), int(utc[-1]), tz)
    length = np.diff(np.searchsorted(utc, runs.start), append=len(utc))
    return utc + np.repeat(runs.offset, length)


def _expected(day: npt.NDArray[np.int64], times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> npt.NDArray[np.int64]:
    if len(day) == 0:
        return np.empty(0, dtype=np.int64)
    utc = times.as_unit("ns").asi8
    runs = _runs(int(utc[0]), int(utc[-1]), tz)
    # What each run gives to each day: the grid points of [run) that lie within the day as that run's offset has it.
    run_end = np.append(runs.start[1:], np.iinfo(np.int64).max - DAY_NS)
    begin = np.maximum(runs.start[:, None], day * DAY_NS - runs.offset[:, None])
    end = np.minimum(run_end[:, None], (day + 1) * DAY_NS - runs.offset[:, None])
    points = -(-np.maximum(end, begin) // _STEP) - -(-begin // _STEP)
    return np.asarray(points.sum(axis=0), dtype=np.int64)
