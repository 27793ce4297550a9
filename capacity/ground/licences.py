"""Licence counts, one number or steps by date: what every argument `licences=` is read into."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.result import Result
from capacity.ground.times import as_date, as_zone, midnight


@dataclass(frozen=True, repr=False)
class Licences(Result):
    """How many conversations may be in progress at once, by local date: a count, or steps.

    Functions take a number, text or a mapping as ``licences=`` and keep it as this.

    Attributes
    ----------
    dates : tuple of pandas.Timestamp
        Naive midnights, ascending: the local day from which each count holds.
    counts : tuple of int
        The channels, one for each date. The first count also holds before the first date.

    See Also
    --------
    capacity.headroom, capacity.utilisation

    Examples
    --------
    >>> import capacity as cap
    >>> held = cap.utilisation(cap.load_sample(), "80,2025-03-01:115", tz="Europe/London").licences
    >>> print(held)
    80, from 1 Mar 2025: 115
    >>> held.on(pd.DatetimeIndex(["2025-02-28", "2025-03-01"]))
    array([ 80, 115])
    """

    dates: tuple[pd.Timestamp, ...]
    counts: tuple[int, ...]

    def on(self, dates: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
        """Return the licences on each local day.

        Parameters
        ----------
        dates : DatetimeIndex
            Local days, as naive midnights.

        Returns
        -------
        int64 array, shape (len(dates),)
        """
        starts = pd.DatetimeIndex(self.dates).as_unit("ns").asi8
        place = np.searchsorted(starts, dates.as_unit("ns").asi8, side="right") - 1
        return np.asarray(np.take(self.counts, np.maximum(place, 0)), dtype=np.int64)

    def at(self, times: pd.DatetimeIndex, *, tz: str | dt.tzinfo) -> npt.NDArray[np.int64]:
        """Return the licences at each instant; a step begins at local midnight.

        Parameters
        ----------
        times : DatetimeIndex
            With a time zone.
        tz : str or tzinfo
            IANA name of the zone whose midnights are meant.

        Returns
        -------
        int64 array, shape (len(times),)
        """
        zone = as_zone(tz)
        first = [midnight(date, zone).value for date in self.dates]
        place = np.searchsorted(first, times.as_unit("ns").asi8, side="right") - 1
        return np.asarray(np.take(self.counts, np.maximum(place, 0)), dtype=np.int64)

    @property
    def constant(self) -> bool:
        """Whether one count holds at all times."""
        return len(set(self.counts)) == 1

    @property
    def last(self) -> int:
        """The count that holds after the last step."""
        return self.counts[-1]

    def to_frame(self) -> pd.DataFrame:
        """Return the steps: index ``date`` (the first count also holds before it), column ``licences``."""
        return pd.DataFrame({"licences": self.counts}, index=pd.DatetimeIndex(self.dates, name="date"))

    def __str__(self) -> str:
        first, *later = self.counts
        steps = [f"from {d.day} {d:%b %Y}: {n:,}" for d, n in zip(self.dates[1:], later, strict=True)]
        return ", ".join([f"{first:,}", *steps])


LicenceLike: TypeAlias = int | str | Mapping[Any, Any] | pd.Series | Licences

_LONG_AGO = pd.Timestamp("1900-01-01")


def as_licences(value: LicenceLike) -> Licences:
    """Return a licence count, constant or in steps, read from any of its forms.

    Parameters
    ----------
    value : int, str, mapping or Series of date -> count, or Licences
        A mapping gives the local day from which each count holds; the first count also holds before it.
        Text is what the command line takes: ``"100"`` or ``"100,2026-03-01:120"``.

    Raises
    ------
    ConfigError
        A count that is no whole number of at least 0, a date that is none, or no count at all.

    Examples
    --------
    >>> as_licences(120).counts
    (120,)
    >>> as_licences({"2026-01-01": 100, "2026-03-01": 120}).on(pd.DatetimeIndex(["2026-02-28", "2026-03-01"]))
    array([100, 120])
    """
    if isinstance(value, Licences):
        return value
    if isinstance(value, str):
        return _from_pairs([_text_step(part) for part in value.split(",")])
    if isinstance(value, (Mapping, pd.Series)):
        return _from_pairs([(as_date(key, name="licences"), count) for key, count in value.items()])
    return _from_pairs([(_LONG_AGO, value)])


def _text_step(text: str) -> tuple[pd.Timestamp, str]:
    date, colon, count = text.strip().rpartition(":")
    return (as_date(date, name="licences") if colon else _LONG_AGO), count


def _from_pairs(pairs: list[tuple[pd.Timestamp, Any]]) -> Licences:
    if not pairs:
        raise ConfigError("licences is empty; give a number, or steps like {'2026-01-01': 100, '2026-03-01': 120}")
    pairs = sorted(pairs, key=lambda pair: pair[0])
    dates = tuple(date for date, _ in pairs)
    if len(set(dates)) < len(dates):
        raise ConfigError("licences: two counts begin on the same day; give each day once")
    return Licences(dates=dates, counts=tuple(_count(count) for _, count in pairs))


def _count(value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if isinstance(value, (bool, np.bool_)) or not number.is_integer() or not 0 <= number < 2**31:
        raise ConfigError(f"licences: {value!r} is no count of channels; give a whole number of at least 0")
    return int(number)
