"""Call records in memory, and the account of how they were read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from capacity.ground.result import Result

__all__ = ["Account", "Calls"]


class Account(Protocol):
    """What was read, dropped, assumed and doubted; its text is for people."""

    def __str__(self) -> str: ...


@dataclass(frozen=True, eq=False, repr=False)
class Calls(Result):
    """Call records, with the account of how they were read.

    Attributes
    ----------
    frame : DataFrame
        One row a call: ``start`` and ``end`` (datetime64[ns, UTC]; NaT in `end`: still in progress), then the slice
        columns ("variant", "language", ...).
    account : Account
        What was read, dropped, assumed and doubted.
    command : str
        The command line that reads the same calls; "" where there is none.
    covered : tuple of (Timestamp, Timestamp), optional
        The ranges [start, end), UTC, that the records cover whole, in order; None where nobody said.
    callers : DataFrame, optional
        By hour (UTC): ``calls`` that came with the caller's number, and how many of them came ``again`` within ten
        minutes of the end of the same caller's call before; counted while fetching, within UTC days.

    See Also
    --------
    capacity.read_calls, capacity.fetch_calls, capacity.intervals_from_calls

    Examples
    --------
    >>> start = pd.to_datetime(["2026-07-01T09:00Z"])
    >>> Calls(pd.DataFrame({"start": start, "end": start + pd.Timedelta("3min")}))
    <Calls: 1 calls>
    """

    frame: pd.DataFrame
    account: Account | str = ""
    command: str = ""
    covered: tuple[tuple[pd.Timestamp, pd.Timestamp], ...] | None = None
    callers: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def __str__(self) -> str:
        return str(self.account) or f"{len(self.frame):,} calls"

    def to_frame(self) -> pd.DataFrame:
        """Return the calls as a frame: one row a call."""
        return self.frame
