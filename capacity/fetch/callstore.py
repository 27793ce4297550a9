"""Call records on disk, beside the maxima: one Parquet file for each scope and UTC day on which calls began.

::

    STORE/account=A/project=P/env=live/filters=none/calls/2026-01-05.parquet

The rows are by `capacity.fetch.conversations.SCHEMA`. An answer may hold calls of the days around the one that was
asked for: they are kept in the files of their own days. Of two rows about one conversation the later answer holds.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pandas as pd
import pyarrow as pa

from capacity.fetch.call_rows import ints, latest
from capacity.fetch.call_windows import DayPiece
from capacity.fetch.callfile import Day, HourCounts, day_of, merged, read_header, read_table, write
from capacity.fetch.conversations import SCHEMA
from capacity.fetch.endpoint import Scope
from capacity.fetch.store import Store, moved
from capacity.fetch.weekfile import Damaged
from capacity.ground.address import Place, StoreAddress
from capacity.ground.cloud import Remote
from capacity.ground.files import listed, sweep
from capacity.ground.times import DAY


class CallStore(Store):
    """The call records of a store.

    In an object store each write makes an object of its own, as `capacity.fetch.store` says of weeks.
    """

    def __init__(self, root: StoreAddress) -> None:
        super().__init__(root)
        self._known: dict[Place, Day] = {}

    def folder(self, scope: Scope) -> Place:
        """Return where the days of a scope lie."""
        return super().folder(scope).with_name("calls")

    def folders(self, account: str | None = None, project: str | None = None, env: str | None = None) -> list[Any]:
        """Return the folder of every scope, or of those of one account, project or env."""
        return listed(self.root, f"{self._selected(account, project, env)}/filters=*/calls")

    def scopes(self, account: str | None = None, project: str | None = None, env: str | None = None) -> list[Scope]:
        """Return every scope that there are call records of, or those selected."""
        folders = self.folders(account, project, env)
        return [self._read(files[0]).scope for folder in folders if (files := self.files(folder))]

    def by_day(self, folder: Any) -> list[list[Place]]:
        """Return the files of each day: one, but where two writers met in an object store."""
        files = self.files(folder)
        self._ahead(self._read, files)
        return [list(same) for _, same in groupby(files, key=day_of)]

    def days(self, scope: Scope, *, repair: bool = False) -> tuple[list[Day], list[pd.Timestamp]]:
        """Return what is held of a scope, oldest day first, and with `repair` the days whose files are damaged.

        Raises
        ------
        StoreError
            A file is of another version, or damaged without `repair`.
        """
        return self.steadily(lambda: self._days(scope, repair=repair))

    def _days(self, scope: Scope, *, repair: bool) -> tuple[list[Day], list[pd.Timestamp]]:
        sound, broken = [], []
        for paths in self.by_day(self.folder(scope)):
            try:
                day = self.day(paths, scope)
                if repair:
                    self.table(day)
                sound.append(day)
            except Damaged:
                if not repair:
                    raise
                broken.append(pd.Timestamp(day_of(paths[0]), tz="UTC").as_unit("ns"))
        return sound, broken

    def day(self, paths: Sequence[Place], scope: Scope | None = None) -> Day:
        """Return what the files of one day hold; with `scope`, only if it is of that."""
        return functools.reduce(merged, [self._own(path, scope) for path in paths])

    def table(self, day: Day) -> pa.Table:
        """Read the rows of one day."""
        tables = [read_table(path) for path in (day.path, *day.others)]
        return tables[0] if len(tables) == 1 else latest(tables)

    def tables(self, days: Sequence[Day]) -> list[pa.Table]:
        """Read the rows of several days."""
        found: dict[Place, pa.Table] = {}
        self._ahead(lambda day: found.update({day.path: self.table(day)}), days)
        return [found[day.path] if day.path in found else self.table(day) for day in days]

    def _read(self, path: Place) -> Day:
        """Read the metadata of one file; of an object once, as another write makes another object."""
        if not isinstance(path, Remote):
            return read_header(path)
        if path not in self._known:
            self._known[path] = read_header(path)
        return self._known[path]

    def _own(self, path: Place, scope: Scope | None) -> Day:
        day = self._read(path)
        if scope is not None and day.scope != scope.private:
            raise moved(path, day.scope, scope)
        return day

    def keep(self, scope: Scope, piece: DayPiece, rows: pa.Table, callers: HourCounts, *, repair: bool = False) -> None:
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
                path = self.file(scope, time)
                mine = rows.filter(pa.array(days == day))
                self._overlay(path, scope, piece if day == own else None, mine, callers, repair=repair)

    def _overlay(
        self, path: Place, scope: Scope, piece: DayPiece | None, rows: pa.Table, callers: HourCounts, *, repair: bool
    ) -> None:
        old, before, files = self.steadily(lambda: self._held(path, scope, repair=repair))
        both = latest([before, rows])
        if piece is None and old is not None and both.equals(before):
            return
        held = old.piece if old else None
        newer = piece is not None and (held is None or held.fetched_at <= piece.fetched_at)
        write(path, scope, piece if newer else held, both, callers if newer else old.callers if old else {})
        for taken_in in files:
            if taken_in != path:
                taken_in.unlink()

    def _held(self, path: Any, scope: Scope, *, repair: bool) -> tuple[Day | None, pa.Table, list[Any]]:
        """Return what is held of the day that `path` is of, its rows, and the files it is held in."""
        files = listed(path.parent, f"{day_of(path)}*.parquet")
        if not files:
            return None, SCHEMA.empty_table(), []
        try:
            day = self.day(files, scope)
            return day, self.table(day), files
        except Damaged:
            if not repair:
                raise
            return None, SCHEMA.empty_table(), files
