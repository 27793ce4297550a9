"""The account of a call log: what was read, what was dropped and why, and where the log is silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.ground.arrays import Bools
from capacity.ground.result import Result
from capacity.ground.times import STEP

__all__ = ["CallLog", "Tally", "silences"]

_SILENCE = pd.Timedelta(hours=24)
_SHOWN = 5
_BROKEN = "a line with more or fewer fields than the header"


@dataclass(frozen=True, eq=False, repr=False)
class CallLog(Result):
    """Call records, and an account of what was read and dropped.

    Attributes
    ----------
    calls : DataFrame
        ``start`` and ``end`` [UTC; NaT: still in progress], and those columns the log has of variant,
        variant_name, language, phone_number, env, blocked and what `keep` named.
    read : int
        The rows of the log.
    dropped : DataFrame
        By reason: ``rows``, and the number of the ``first`` of them (the first row of data is 1).
    notes : DataFrame
        The same of rows that were kept, but about which something was decided.
    silences : DataFrame
        Stretches of 24 hours or more without a call: ``start``, ``end`` [UTC, half-open]. Either nobody called or
        the log has a hole. `capacity.intervals_from_calls` takes them as ``gaps=``; else they count as zero.
    """

    calls: pd.DataFrame
    read: int
    dropped: pd.DataFrame
    notes: pd.DataFrame
    silences: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the calls."""
        return self.calls

    def __str__(self) -> str:
        lost = self.read - len(self.calls)
        lines = [f"{self.read:,} rows read, {len(self.calls):,} calls kept, {lost:,} dropped"]
        for title, table in (("dropped", self.dropped), ("kept", self.notes)):
            lines += [
                f"  {title}: {rows:,} {reason} (first: row {first:,})" for reason, rows, first in table.itertuples()
            ]
        for row in self.silences.head(_SHOWN).itertuples():
            lines.append(
                f"  silent: no call from {row.start:%Y-%m-%d %H:%M} to {row.end:%Y-%m-%d %H:%M} UTC; "
                "if the log has a hole there, give gaps= to intervals_from_calls (--silences-missing)"
            )
        if len(self.silences) > _SHOWN:
            lines.append(f"  silent: {len(self.silences) - _SHOWN:,} more such stretches")
        return "\n".join(lines)


class Tally:
    """Rows by reason, and the number of the first."""

    def __init__(self) -> None:
        self.read = 0
        self.lost: dict[str, list[int]] = {}
        self.kept: dict[str, list[int]] = {}
        self.unreadable = ""

    def count(self, book: dict[str, list[int]], reason: str, which: Bools) -> None:
        """Add the rows of the present batch for which the reason holds."""
        if which.any():
            book.setdefault(reason, [0, self.read + int(np.argmax(which)) + 1])[0] += int(which.sum())

    def add_broken(self, lines: Sequence[int]) -> None:
        """Add the rows that never came in a batch, by their numbers, once all batches are counted.

        So far rows were numbered without them; what lies behind moves on.
        """
        if not lines:
            return
        numbers = np.sort(np.asarray(lines, dtype=np.int64))
        before = numbers - np.arange(len(numbers))  # the row that would have each number, but for those before it
        for entry in (*self.lost.values(), *self.kept.values()):
            entry[1] += int(np.searchsorted(before, entry[1], side="right"))
        self.read += len(numbers)
        self.lost[_BROKEN] = [len(numbers), int(numbers[0])]

    def closed(self, calls: pd.DataFrame) -> CallLog:
        """Return the account, once all is read."""
        return CallLog(calls, self.read, _table(self.lost), _table(self.kept), silences(calls))


def silences(calls: pd.DataFrame) -> pd.DataFrame:
    """Return the stretches of 24 hours or more without a call, between the first and the last, in whole intervals."""
    order = np.argsort(calls["start"].to_numpy(), kind="stable")
    starts = pd.DatetimeIndex(calls["start"].iloc[order])
    ends = pd.DatetimeIndex(calls["end"].iloc[order])
    until = np.maximum.accumulate(np.where(ends.isna(), starts.asi8, ends.asi8)) if len(starts) else ends.asi8
    quiet = np.flatnonzero(starts.asi8[1:] - until[:-1] >= _SILENCE.value)
    return pd.DataFrame(
        {
            "start": pd.DatetimeIndex(until[quiet]).tz_localize("UTC").ceil(STEP),
            "end": starts[quiet + 1].floor(STEP),
        }
    )


def _table(book: dict[str, list[int]]) -> pd.DataFrame:
    rows = sorted(book.items(), key=lambda item: -item[1][0])
    index = pd.Index([reason for reason, _ in rows], name="reason", dtype=object)
    return pd.DataFrame({"rows": [v[0] for _, v in rows], "first": [v[1] for _, v in rows]}, index=index, dtype="int64")
