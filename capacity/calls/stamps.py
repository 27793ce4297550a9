"""Times and lengths as logs write them -> nanoseconds. Nothing is guessed: what cannot be read is said to be so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.arrays import Bools

__all__ = ["Stamps", "read_lengths", "read_times"]

Nanos = npt.NDArray[np.int64]

_DAY = 86_400_000_000_000  # [ns]
_OFFSET = r"(?:[Zz]|[+-]\d\d:?\d\d)\s*$"
_HOUR_MINUTE = r"\d{1,2}:\d\d"
_CLOCK = r"^\s*(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)\s*$"


@dataclass(frozen=True)
class Stamps:
    """Instants, and what was the matter with those that are none.

    Attributes
    ----------
    values : int64 [ns since 1970 UTC], 0 where there is none
    missing : bool
        Nothing stands there, or a text that means nothing.
    unreadable : bool
        Something stands there that is no time in any of the formats.
    never : bool
        A local time that the clock skipped.
    twice : bool
        A local time that happened twice: `values` is the first of the two.
    second : int64
        The second of the two; elsewhere as `values`.
    """

    values: Nanos
    missing: Bools
    unreadable: Bools
    never: Bools
    twice: Bools
    second: Nanos

    @property
    def known(self) -> Bools:
        """Where there is an instant."""
        return ~(self.missing | self.unreadable | self.never)

    def replaced(self, where: Bools, other: Stamps) -> Stamps:
        """Return these stamps with those of `other` where it is said."""
        both = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Stamps(*(np.where(where, theirs, ours) for ours, theirs in both))


def read_times(
    column: pd.Series,
    *,
    tz: dt.tzinfo | None,
    formats: Sequence[str] = (),
    nothing: Sequence[str] = (),
    day: pd.Series | None = None,
) -> Stamps:
    """Read a column of times.

    Parameters
    ----------
    column : Series
        Datetimes, ISO 8601 text (with or without offset, mixed), text in one of `formats`, or numbers: seconds,
        milliseconds, microseconds or nanoseconds since 1970, by size. With `day`: the time of day, "h:mm:ss" or "h:mm".
    tz : tzinfo or None
        Where naive times are local.
    formats : sequence of str
        strptime formats that are tried where the text is not ISO 8601.
    nothing : sequence of str
        Texts that stand for no time.
    day : Series of naive datetimes, optional
        The local day of each time of day; NaT where it cannot be read.

    Raises
    ------
    ConfigError
        Naive times without `tz`.
    """
    if day is not None:
        naive, missing, bad = _day_and_clock(column, day, nothing)
        return _localised(naive, missing, bad, np.zeros(len(column), np.int64), np.zeros(len(column), bool), tz)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        known = pd.DatetimeIndex(column).as_unit("ns")
        return _aware(np.asarray(known.asi8), np.asarray(known.isna()))
    if column.dtype.kind == "M":
        naive = pd.DatetimeIndex(column).as_unit("ns")
        none = np.zeros(len(column), bool)
        return _localised(naive, np.asarray(naive.isna()), none, np.zeros(len(column), np.int64), none, tz)
    text = column.astype("string").str.strip()
    missing = np.asarray((text.isna() | text.isin(["", *nothing])).astype(bool))
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if not formats and not missing.all() and bool(np.isfinite(numbers[~missing]).all()):
        exact = column.to_numpy() if column.dtype.kind in "iu" else numbers
        values, bad = _from_epoch(exact, missing)
        return replace(_aware(values, missing | bad), missing=missing, unreadable=bad)
    aware_text = np.asarray(text.str.contains(_OFFSET, regex=True).fillna(False).astype(bool)) & ~missing
    aware = _parsed(text.where(aware_text), formats, utc=True)
    naive = _parsed(text.where(~aware_text & ~missing), formats, utc=False)
    bad = ~missing & np.asarray(aware.isna() & naive.isna())
    has = np.asarray(aware.notna())
    return _localised(naive, missing, bad, np.where(has, aware.asi8, 0), has, tz)


def read_lengths(column: pd.Series, nothing: Sequence[str] = ()) -> tuple[Nanos, Bools, Bools]:
    """Return lengths [ns], where there is none, and where there is one that cannot be read.

    Numbers are seconds; text may be seconds, "mm:ss", "h:mm:ss", or what `pandas.to_timedelta` reads ("2 min").
    """
    if column.dtype.kind == "m":
        spans = pd.TimedeltaIndex(column).as_unit("ns")
        return np.where(spans.isna(), 0, spans.asi8), np.asarray(spans.isna()), np.zeros(len(column), bool)
    text = column.astype("string").str.strip()
    missing = np.asarray((text.isna() | text.isin(["", *nothing])).astype(bool))
    seconds = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    clock = text.str.extract(_CLOCK).astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    clock[:, 0] = np.where(np.isnan(clock[:, 0]), 0, clock[:, 0])
    from_clock = clock @ np.array([3600.0, 60.0, 1.0])
    seconds = np.where(np.isnan(seconds), from_clock, seconds)
    rest = np.isnan(seconds) & ~missing
    if rest.any():
        other = pd.to_timedelta(text[rest].astype(object), errors="coerce")
        seconds[rest] = np.asarray(other.dt.total_seconds())
    bad = ~missing & ~np.isfinite(seconds)
    return np.rint(np.where(missing | bad, 0, seconds) * 1e9).astype(np.int64), missing, bad


def _day_and_clock(column: pd.Series, day: pd.Series, nothing: Sequence[str]) -> tuple[pd.DatetimeIndex, Bools, Bools]:
    if column.dtype.kind != "m":
        text = column.astype("string").str.strip()
        # A length of 23:50 is minutes and seconds, a time of day hours and minutes.
        column = text.where(~text.str.fullmatch(_HOUR_MINUTE).fillna(False) | text.isin(list(nothing)), text + ":00")
    clock, absent, bad = read_lengths(column, nothing)
    days = pd.DatetimeIndex(day).as_unit("ns")
    bad |= ~absent & ((clock < 0) | (clock >= _DAY) | np.asarray(days.isna()))
    return days + pd.to_timedelta(np.where(bad, 0, clock), unit="ns"), absent, bad


def _parsed(text: pd.Series, formats: Sequence[str], *, utc: bool) -> pd.DatetimeIndex:
    found = pd.to_datetime(text.astype(object), format="ISO8601", errors="coerce", utc=utc)
    for form in formats:
        open_rows = found.isna() & text.notna()
        if not open_rows.any():
            break
        more = pd.to_datetime(text[open_rows].astype(object), format=form, errors="coerce", utc=utc)
        found = found.astype(more.dtype)
        found[open_rows] = more
    return pd.DatetimeIndex(found).as_unit("ns")


def _from_epoch(numbers: npt.NDArray[Any], missing: Bools) -> tuple[Nanos, Bools]:
    """Return [ns] of numbers since 1970 by their size, each unit from 1973 to 2100, and which are none of these."""
    out, bad = np.zeros(len(numbers), dtype=np.int64), ~missing
    for unit in (10**9, 10**6, 10**3, 1):
        here = ~missing & (numbers >= 1e17 / unit) & (numbers < 4.1e18 / unit)
        if numbers.dtype.kind in "iu":
            out[here] = numbers[here] * unit
        else:
            finer = min(unit, 1000)  # a fraction to the thousandth
            out[here] = np.rint(numbers[here] * finer).astype(np.int64) * (unit // finer)
        bad &= ~here
    return out, bad


def _aware(values: Nanos, missing: Bools) -> Stamps:
    none = np.zeros(len(values), dtype=bool)
    known = np.where(missing, 0, values)
    return Stamps(known, missing, none, none, none, known)


def _localised(
    naive: pd.DatetimeIndex, missing: Bools, bad: Bools, aware: Nanos, is_aware: Bools, tz: dt.tzinfo | None
) -> Stamps:
    """Put naive times into `tz`, beside those that are aware already."""
    if not bool(naive.notna().any()):
        none = np.zeros(len(naive), dtype=bool)
        return Stamps(aware, missing, bad, none, none, aware)
    if tz is None:
        raise ConfigError(
            f"{int(naive.notna().sum()):,} times have no time zone (first: {naive[naive.notna()][0]}); "
            "say where they are local with tz='Europe/London' (say), or 'UTC'"
        )
    first = naive.tz_localize(tz, ambiguous=np.ones(len(naive), bool), nonexistent="NaT")
    second = naive.tz_localize(tz, ambiguous=np.zeros(len(naive), bool), nonexistent="NaT")
    never = np.asarray(naive.notna() & first.isna())
    gone = np.asarray(first.isna())
    values = np.where(is_aware, aware, np.where(gone, 0, first.asi8))
    later = np.where(is_aware, aware, np.where(gone, 0, second.asi8))
    return Stamps(values, missing, bad, never & ~missing, values != later, later)
