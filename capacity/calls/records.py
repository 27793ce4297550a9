"""The reader of release 0.1.0, for one release more: `capacity.read_calls` takes its place."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from capacity.calls import read
from capacity.calls.account import CallLogAccount


@dataclass(frozen=True)
class CallLog:
    """Call records, and an account of what was read and dropped.

    Attributes
    ----------
    calls : DataFrame
        ``start`` and ``end`` [UTC; NaT: still in progress], and the columns to slice by.
    account : CallLogAccount
    """

    calls: pd.DataFrame
    account: CallLogAccount

    @property
    def read(self) -> int:
        """The rows of the log."""
        return self.account.read

    @property
    def dropped(self) -> pd.DataFrame:
        """By reason: ``rows`` that were dropped, and the number of the ``first``."""
        return self.account.dropped[["rows", "first"]]

    @property
    def notes(self) -> pd.DataFrame:
        """The same of rows that were kept, but about which something was decided."""
        return self.account.notes[["rows", "first"]]

    @property
    def silences(self) -> pd.DataFrame:
        """Stretches of 24 hours or more without a call."""
        return self.account.silences

    def to_frame(self) -> pd.DataFrame:
        """Return the calls."""
        return self.calls

    def __str__(self) -> str:
        return str(self.account)


def read_calls(
    path: str | Path,
    *,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    tz: str | dt.tzinfo | None = None,
    time_format: str | Sequence[str] = (),
    date: str | None = None,
    date_format: str | None = None,
    nothing: Sequence[str] = (),
    drop: Mapping[str, Collection[Any]] | None = None,
    unfinished: str = "keep",
    keep: Sequence[str] = (),
    separator: str | None = None,
    encoding: str | None = None,
    progress: Callable[[int], object] | None = None,
) -> CallLog:
    """Read a call log; `capacity.read_calls` does the same, and more.

    .. deprecated:: 0.2
        Its arguments keep their meaning, apart from `nothing`, which is `na_values` there, and from `unfinished`,
        which is "recent" by default.

    Parameters
    ----------
    path : path
    columns, tz, time_format, date, date_format, drop, keep, separator, encoding, progress
        As in `capacity.read_calls`.
    nothing : sequence of str
        Its `na_values`.
    unfinished : {"keep", "drop", "recent"}

    Returns
    -------
    CallLog

    Raises
    ------
    FrameError, ConfigError
        As there.
    """
    warnings.warn(
        "capacity.calls.records.read_calls is capacity.read_calls now (nothing= is na_values=, and unfinished= is "
        "'recent' by default); this name goes with the next release",
        DeprecationWarning,
        stacklevel=2,
    )
    calls = read.read_calls(
        path,
        columns=columns,
        tz=tz,
        time_format=time_format,
        date=date,
        date_format=date_format,
        na_values=nothing,
        drop=drop or None,
        unfinished=unfinished,
        keep=keep,
        separator=separator,
        encoding=encoding,
        progress=progress,
    )
    assert isinstance(calls.account, CallLogAccount)
    return CallLog(calls.frame, calls.account)
