"""Call records in memory, with an account of how they were read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from capacity.ground.result import Result
from capacity.ground.text import plural


class Account(Protocol):
    """What was read, dropped and assumed, and what is in doubt: ``str`` of it is text for people."""

    def __str__(self) -> str: ...


@dataclass(frozen=True, eq=False, repr=False)
class Calls(Result):
    """Call records, with the account of how they were read.

    Attributes
    ----------
    frame : DataFrame
        One row a call: ``start`` and ``end`` (datetime64[ns, UTC]; NaT in ``end``: still in progress), then the slice
        columns ("variant", "language", ...).
    account : Account or str
        What was read, dropped and assumed, and what is in doubt; ``print`` of it is text for people.
    command : str
        The command line that reads the same calls; "" where there is none.
    covered : tuple of (Timestamp, Timestamp), optional
        The ranges [start, end), UTC, of which the records hold every call, in order; None where that is not known.
    callers : DataFrame, optional
        Index the hour (UTC): ``calls`` that came with the caller's number, and how many of them came ``again``, within
        ten minutes of the end of the same caller's previous call. Counted while fetching, within each UTC day; None
        where numbers were not counted.

    See Also
    --------
    capacity.read_calls, capacity.fetch_calls, capacity.intervals_from_calls

    Examples
    --------
    >>> import capacity as cap
    >>> start = pd.to_datetime(["2026-07-01T09:00Z"])
    >>> cap.Calls(pd.DataFrame({"start": start, "end": start + pd.Timedelta("3min")}))
    <Calls: 1 call>
    """

    frame: pd.DataFrame
    account: Account | str = ""
    command: str = ""
    covered: tuple[tuple[pd.Timestamp, pd.Timestamp], ...] | None = None
    callers: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def __str__(self) -> str:
        return str(self.account) or plural(len(self.frame), "call")

    def to_frame(self) -> pd.DataFrame:
        """Return the calls as a frame: one row a call."""
        return self.frame
