"""Call records on disk, beside the maxima: one Parquet file for each scope and UTC day on which calls began.

::

    STORE/account=A/project=P/env=live/filters=none/calls/2026-01-05.parquet

The rows are by `capacity.fetch.conversations.SCHEMA`. An answer may hold calls of the days around the one that was
asked for: they are kept in the files of their own days. Of two rows about one conversation the later answer holds.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from capacity.errors import ConfigError, StoreError
from capacity.fetch.call_rows import ints, latest
from capacity.fetch.call_windows import DayPiece
from capacity.fetch.callfile import Day, HourCounts, read_header, read_table, write
from capacity.fetch.conversations import SCHEMA
from capacity.fetch.endpoint import Scope
from capacity.fetch.store import Store
from capacity.fetch.weekfile import Damaged
from capacity.ground.address import Place, StoreAddress
from capacity.ground.cloud import Remote
from capacity.ground.files import listed, sweep
from capacity.ground.times import DAY

__all__ = ["CallStore"]


class CallStore(Store):
    """The call records of a store; they are kept in a folder, not yet in an object store.

    Parameters
    ----------
    root : path or address
    writing : bool
        Whether answers will be kept.

    Raises
    ------
    ConfigError
        Answers are to be kept at an address: days have no way yet to keep two writers apart there.
    """

    def __init__(self, root: StoreAddress, *, writing: bool = False) -> None:
        super().__init__(root)
        if writing and isinstance(self.root, Remote):
            raise ConfigError(f"store={str(self.root)!r}: call records are kept in a folder; give one")

    def folder(self, scope: Scope) -> Place:
        """Return where the days of a scope lie."""
        return super().folder(scope).with_name("calls")

    def folders(self, account: str | None = None, project: str | None = None, env: str | None = None) -> list[Any]:
        """Return the folder of every scope, or of those of one account, project or env."""
        return listed(self.root, f"{self._selected(account, project, env)}/filters=*/calls")

    def scopes(self, account: str | None = None, project: str | None = None, env: str | None = None) -> list[Scope]:
        """Return every scope that there are call records of, or those selected."""
        folders = self.folders(account, project, env)
        return [read_header(files[0]).scope for folder in folders if (files := self.files(folder))]

    def days(self, scope: Scope, *, repair: bool = False) -> tuple[list[Day], list[pd.Timestamp]]:
        """Return what is held of a scope, oldest day first, and with `repair` the days whose files are damaged.

        Raises
        ------
        StoreError
            A file is of another version, or damaged without `repair`.
        """
        sound, broken = [], []
        for path in self.files(self.folder(scope)):
            try:
                day = self._own(path, scope)
                if repair:
                    self.table(day)
                sound.append(day)
            except Damaged:
                if not repair:
                    raise
                broken.append(pd.Timestamp(path.stem, tz="UTC").as_unit("ns"))
        return sound, broken

    def table(self, day: Day) -> pa.Table:
        """Read the rows of one file."""
        return read_table(day.path)

    def _own(self, path: Place, scope: Scope) -> Day:
        day = read_header(path)
        if day.scope != scope.private:
            raise StoreError(
                f"{path} holds {day.scope}, not {scope.private}; it was moved, or two ids differ in case alone",
                path=path,
            )
        return day

    def keep(
        self,
        scope: Scope,
        piece: DayPiece,
        rows: pa.Table,
        callers: HourCounts,
        *,
        repair: bool = False,
    ) -> None:
        """Add the answer for one day. Its own file comes last: a day is answered for when all its rows are kept.

        Raises
        ------
        StoreError
            A file cannot be written, or it is damaged and `repair` does not say to replace it.
        """
        days = ints(rows, "start") // (DAY.value // 1000)
        own = piece.window.start.value // DAY.value
        with self._alone():
            self.with_key(scope)
            sweep(self.folder(scope))
            for day in sorted({*days.tolist(), own}, key=lambda each: (each == own, each)):
                time = pd.Timestamp(day * DAY.value, tz="UTC")
                path = self.folder(scope) / f"{time:%Y-%m-%d}.parquet"
                mine = rows.filter(pa.array(days == day))
                self._overlay(path, scope, piece if day == own else None, mine, callers, repair=repair)

    def _overlay(
        self, path: Place, scope: Scope, piece: DayPiece | None, rows: pa.Table, callers: HourCounts, *, repair: bool
    ) -> None:
        old, before = None, SCHEMA.empty_table()
        try:
            if path.exists():
                old = self._own(path, scope)
                before = read_table(path)
        except Damaged:
            if not repair:
                raise
        merged = latest([before, rows])
        if piece is None and old is not None and merged.equals(before):
            return
        held = old.piece if old else None
        newer = piece is not None and (held is None or held.fetched_at <= piece.fetched_at)
        write(path, scope, piece if newer else held, merged, callers if newer else old.callers if old else {})
