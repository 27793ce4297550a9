"""A plan says everything that is needed to read a log; carrying it out gives calls and a tally of what was lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.reading import Reading
from capacity.ground.arrays import Bools
from capacity.ground.times import utc_times

Ints = npt.NDArray[Any]


@dataclass(frozen=True)
class Plan:
    """How to read a log.

    Attributes
    ----------
    reading : Reading
    zone : tzinfo or None
    order : str
        How numbers stand in dates.
    formats, date_formats, none : tuple of str
    unit : str
    call_id : str or None
        Rows that share it are one call.
    same_id : str or None
        Rows that share it and are alike in start and end are one row that came twice.
    kept : dict of ours -> theirs
    only, drop : dict of column -> values
    unfinished : str
    """

    reading: Reading
    zone: dt.tzinfo | None = None
    order: str = ""
    formats: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    unit: str = "s"
    call_id: str | None = None
    same_id: str | None = None
    kept: dict[str, str] = field(default_factory=dict)
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    drop: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unfinished: str = "recent"

    @property
    def wanted(self) -> list[str]:
        """The columns that are read."""
        names = [
            *self.reading.used,
            *self.kept.values(),
            *self.only,
            *self.drop,
            *(n for n in (self.call_id, self.same_id) if n),
        ]
        return list(dict.fromkeys(names))


@dataclass
class Reason:
    """Why rows were lost, or what was decided about rows that were kept."""

    rows: int
    first: int
    text: str
    remedy: str = ""


class Tally:
    """Rows by reason, with the first of them; `old` are the starts of calls that never ended and are left out."""

    def __init__(self) -> None:
        self.lost: dict[str, Reason] = {}
        self.kept: dict[str, Reason] = {}
        self.bad = 0
        self.old: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def count(
        self, book: dict[str, Reason], why: str, which: Bools, base: int, text: Callable[[int], str], remedy: str = ""
    ) -> int:
        """Add the rows of a slab for which the reason holds."""
        rows = int(np.count_nonzero(which))
        if rows:
            if why in book:
                book[why].rows += rows
            else:
                first = base + int(np.argmax(which))
                book[why] = Reason(rows, first, text(first), remedy)
        return rows


@dataclass(frozen=True)
class Outcome:
    """What a plan gave.

    Attributes
    ----------
    starts, ends : int64 [ns since 1970 UTC]
    still : bool
        Calls without an end.
    kept : dict of column -> Categorical or bool array
    rows : int64
        The row each call began with.
    tally : Tally
    formats : dict of column -> formats that were seen
    whole_minutes : float
        The share of starts on a whole minute.
    """

    starts: Ints
    ends: Ints
    still: Bools
    kept: dict[str, Any]
    rows: Ints
    tally: Tally
    formats: dict[str, dict[str, int]]

    def frame(self) -> pd.DataFrame:
        """Return the calls."""
        ends = np.where(self.still, pd.NaT.value, self.ends)
        return pd.DataFrame({"start": utc_times(self.starts), "end": utc_times(ends), **self.kept})

    def same(self, other: Outcome) -> bool:
        """Tell whether another plan gave the same calls."""
        return (
            len(self.starts) == len(other.starts)
            and np.array_equal(self.starts, other.starts)
            and np.array_equal(self.still, other.still)
            and np.array_equal(np.where(self.still, 0, self.ends), np.where(other.still, 0, other.ends))
        )
