"""Wall clock times of a column -> instants in UTC, by the rules of a zone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.times import BAD, NONE, OK, Column, Ints
from capacity.ground.arrays import Bools
from capacity.ground.times import DAY_NS

_QUARTER = 900_000_000_000


@dataclass(frozen=True)
class Instants:
    """Instants [ns since 1970 UTC] and what was the matter with those that are none."""

    values: npt.NDArray[np.int64]
    state: npt.NDArray[np.uint8]
    skipped: Bools
    twice: Bools
    second: npt.NDArray[np.int64]

    @property
    def known(self) -> Bools:
        """Where there is an instant."""
        return np.asarray((self.state == OK) & ~self.skipped, dtype=bool)

    def replaced(self, where: Bools, other: Instants) -> Instants:
        """Return these with those of `other` where it is said."""
        names = ("values", "state", "skipped", "twice", "second")
        return Instants(*(np.where(where, getattr(other, n), getattr(self, n)) for n in names))

    def later(self, span: Ints) -> Instants:
        """Return these moved on."""
        return replace(self, values=self.values + span, second=self.second + span)


def to_utc(column: Column, zone: dt.tzinfo | None, day: Column | None = None, days_on: int = 0) -> Instants:
    """Put wall clock times into `zone`; `day` is the local day of times of day.

    A local time that the clock skipped is `skipped`; of one that it repeats `values` is the first, `second` the other.
    """
    values, state, aware = column.values, column.state, column.aware
    if day is not None and column.clock:
        state = np.where((state == OK) & (day.state != OK), np.where(day.state == NONE, NONE, BAD), state).astype(
            np.uint8
        )
        values = day.values + values + days_on * DAY_NS
        aware = aware & False
    known = state == OK
    wall = known & ~aware
    none = np.zeros(len(values), dtype=bool)
    if not wall.any() or zone is None or str(zone) == "UTC":
        return Instants(np.where(known, values, 0), state, none, none, values)
    quarter = np.where(wall, values // _QUARTER, values[np.argmax(wall)] // _QUARTER)
    low = int(quarter.min())
    local = pd.DatetimeIndex((np.arange(low, int(quarter.max()) + 1) * _QUARTER).astype("M8[ns]"))
    first = local.tz_localize(zone, ambiguous=np.ones(len(local), bool), nonexistent="NaT")
    second = local.tz_localize(zone, ambiguous=np.zeros(len(local), bool), nonexistent="NaT")
    gone = np.asarray(first.isna())
    shift = np.where(gone, 0, np.asarray(first.as_unit("ns").asi8) - np.asarray(local.asi8))
    other = np.where(gone, 0, np.asarray(second.as_unit("ns").asi8) - np.asarray(local.asi8))
    place = quarter - low
    ours = np.where(wall, values + shift[place], np.where(known, values, 0))
    theirs = np.where(wall, values + other[place], ours)
    return Instants(ours, state, wall & gone[place], ours != theirs, theirs)
