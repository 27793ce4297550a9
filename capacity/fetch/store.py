"""The archive: which files there are, what they hold, and how an answer is added.

::

    STORE/account=A/project=P/env=live/filters=none/slice=total/2026-01-05.parquet

One file for each scope and UTC week. The rows are the answers as they came; nothing is filled in. Filters have a hash
for a name, under the key of the store (see `hiding`).

In a folder a lock keeps writers of one week apart. An object store has none: there each write makes an object of its
own, ``2026-01-05.<token>.parquet``, that holds all that was there before, and removes what it took in. Two writers at
once leave two objects, which are read as one and become one at the next write; nothing relies on conditional writes,
which some servers ignore.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from typing import Any, Self, TypeVar
from urllib.parse import quote

import pandas as pd

from capacity.errors import ConfigError, StoreError
from capacity.fetch.endpoint import Scope
from capacity.fetch.hiding import OLD, Hider, hiders, new_hider
from capacity.fetch.overlay import merged, overlay
from capacity.fetch.payload import Rows
from capacity.fetch.weekfile import Damaged, Week, read_header, read_rows, write
from capacity.fetch.windows import Window, week_of
from capacity.ground.address import Place, StoreAddress, as_place
from capacity.ground.cloud import Remote
from capacity.ground.files import listed, locked, mark_of, sweep

T = TypeVar("T")

_PATIENCE_S = 30.0
_AT_ONCE = 16  # objects asked for at the same time
_AGAIN = 5  # times that a reading begins anew because another writer took a file in
_LONGEST_NAME = 150  # bytes of an id in a path: most file systems take 255 for a name


class Store:
    """A folder of Parquet files, or a prefix of them in an object store.

    Parameters
    ----------
    root : path or address
        See `capacity.ground.address.as_place`. Made when the first answer is written.
    """

    def __init__(self, root: StoreAddress | Remote) -> None:
        self.root: Place = as_place(root)
        self._threads = threading.Lock()
        self._swept: set[Place] = set()
        self._headers: dict[Place, tuple[tuple[str, int], Week]] = {}
        self._hiders: list[Hider] | None = None
        with self._reached():
            if not isinstance(self.root, Remote) and self.root.exists() and not self.root.is_dir():
                raise ConfigError(f"store={str(self.root)!r} is a file; a store is a folder")

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise StoreError(f"{self.root} cannot be read ({exc.strerror or exc})", path=self.root) from exc

    def exists(self) -> bool:
        """Whether there is such a folder, or anything at the address."""
        with self._reached():
            return self.root.exists()

    def held(self) -> Self:
        """Return the store; ConfigError where there is none."""
        if not self.exists():
            raise ConfigError(f"store={str(self.root)!r} does not exist; fetch into it first")
        return self

    def folder(self, scope: Scope) -> Place:
        """Return where the files of a scope lie."""
        return (
            self.root
            / f"account={_name(scope.account)}"
            / f"project={_name(scope.project)}"
            / f"env={scope.env}"
            / f"filters={_filter_text(scope, self.hider(scope))}"
            / f"slice={scope.by or 'total'}"
        )

    def hiders(self) -> list[Hider]:
        """Return the ways in which phone numbers are hidden here."""
        if self._hiders is None:
            self._hiders = hiders(self.root)
        return self._hiders

    def hider(self, scope: Scope) -> Hider:
        """Return the way in which a scope is hidden: that of the folder which is there, or else the first."""
        ways = self.hiders()
        if scope.filters and len(ways) > 1:
            above = (
                self.root / f"account={_name(scope.account)}" / f"project={_name(scope.project)}" / f"env={scope.env}"
            )
            there = {path.name for path in listed(above, "filters=*")}
            ways = [w for w in ways if f"filters={_filter_text(scope, w)}" in there] or ways
        return ways[0]

    def with_key(self, scope: Scope) -> None:
        """Give the store a key, if it has none and the scope has something to hide that it does not hold already."""
        if not scope.filters and scope.by != "phone_number":
            return
        self._hiders = None
        if self.hiders() == [OLD] and not self.files(self.folder(scope)):
            new_hider(self.root)
            self._hiders = None

    def file(self, scope: Scope, week: pd.Timestamp) -> Place:
        """Return the file that the week beginning at `week` is written to."""
        token = f".{secrets.token_hex(6)}" if isinstance(self.root, Remote) else ""
        return self.folder(scope) / f"{week:%Y-%m-%d}{token}.parquet"

    def weeks(self, scope: Scope) -> list[Week]:
        """Return what is held of a scope, oldest week first.

        Raises
        ------
        StoreError
            A file is damaged, or of another version.
        """
        return [self.week(paths, scope) for paths in self.by_week(self.folder(scope))]

    def folders(self, account: str | None = None, project: str | None = None, env: str | None = None) -> list[Any]:
        """Return the folder of every scope, or of those of one account, project or env: by their names alone."""
        return listed(self.root, f"{self._selected(account, project, env)}/filters=*/slice=*")

    def _selected(self, account: str | None, project: str | None, env: str | None) -> str:
        # An escaped id holds nothing that a pattern takes for more than itself.
        wanted = {"account": account, "project": project, "env": env}
        return "/".join(f"{part}={'*' if value is None else _name(value)}" for part, value in wanted.items())

    def files(self, folder: Any) -> list[Any]:
        """Return the files of one scope, oldest week first."""
        return listed(folder, "[0-9]*.parquet")

    def by_week(self, folder: Any) -> list[list[Place]]:
        """Return the files of each week: one, but where two writers met in an object store."""
        files = self.files(folder)
        self._ahead(self.header, files)
        return [list(same) for _, same in groupby(files, key=_monday_of)]

    def _ahead(self, work: Callable[[Any], Any], items: Sequence[Any]) -> None:
        """Have `work` done for all items at once where each takes a round trip; it keeps what it finds."""
        if isinstance(self.root, Remote) and len(items) > 1:

            def quietly(item: Any) -> None:
                with contextlib.suppress(StoreError, FileNotFoundError):  # whoever needs it meets the error itself
                    work(item)

            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(quietly, items))

    def steadily(self, work: Callable[[], T]) -> T:
        """Return what a reading makes; begin anew where a file went, as another writer took it into a new one."""
        for _ in range(_AGAIN):
            with contextlib.suppress(FileNotFoundError):
                return work()
        try:
            return work()
        except FileNotFoundError as exc:
            raise StoreError(f"{self.root} changes while it is read ({exc}); try again", path=self.root) from exc

    def header(self, path: Place) -> Week:
        """Read what one file says of itself; again only where the file was replaced."""
        mark = mark_of(path)
        known = self._headers.get(path)
        if known is None or known[0] != mark:
            known = self._headers[path] = (mark, replace(read_header(path), size=mark[1]))
        return known[1]

    def scopes(self, account: str | None = None, project: str | None = None, env: str | None = None) -> list[Scope]:
        """Return every scope that there is a file of, as the first file of each folder says; or those selected.

        Raises
        ------
        StoreError
            That file is damaged, or of another version.
        """
        firsts = [files[0] for folder in self.folders(account, project, env) if (files := self.files(folder))]
        self._ahead(self.header, firsts)
        return [self.header(path).scope for path in firsts]

    def _checked(self, path: Place, scope: Scope) -> Week:
        week = self.header(path)
        if week.scope not in [scope.hidden(way.number) for way in self.hiders()]:
            raise moved(path, week.scope, scope)
        return week

    def week(self, paths: Sequence[Place], scope: Scope) -> Week:
        """Return what the files of one week hold."""
        first, *others = [self._checked(path, scope) for path in paths]
        for other in others:
            first = merged(first, self.rows(first), other, self.rows(other))
        return first

    def rows(self, week: Week) -> Rows:
        """Read the rows of one week."""
        return week.held if week.held is not None else read_rows(week.path, week.scope.by)

    def many_rows(self, weeks: Sequence[Week]) -> list[Rows]:
        """Read the rows of several weeks."""
        found: dict[Place, Rows] = {}
        self._ahead(lambda week: found.update({week.path: self.rows(week)}), weeks)
        return [found[week.path] if week.path in found else self.rows(week) for week in weeks]

    def survey(self, scope: Scope) -> tuple[list[Week], list[pd.Timestamp]]:
        """Return what is held of a scope, and the weeks whose files are damaged, in their headers or their rows."""
        sound: list[Week] = []
        broken: list[pd.Timestamp] = []
        for paths in self.by_week(self.folder(scope)):
            try:
                week = self.week(paths, scope)
                self.rows(week)
                sound.append(week)
            except Damaged:
                broken.append(pd.Timestamp(_monday_of(paths[0]), tz="UTC").as_unit("ns"))
        return sound, broken

    def add(self, scope: Scope, window: Window, rows: Rows, fetched_at: pd.Timestamp, *, repair: bool = False) -> None:
        """Add the answer for `window`, which lies within one week; a newer answer takes the place of an older one.

        Raises
        ------
        StoreError
            The file cannot be written, or it is damaged and `repair` does not say to replace it.
        """
        with self._alone():
            self.with_key(scope)
            path = self.file(scope, week_of(window.start))
            if path.parent not in self._swept:
                sweep(path.parent)
                self._swept.add(path.parent)
            old, files = self.steadily(lambda: self._old(path, scope, repair=repair))
            pieces, kept = overlay(old, None if old is None else self.rows(old), window, rows, fetched_at)
            write(path, scope, pieces, kept, self.hider(scope).number)
            for taken_in in files:
                if taken_in != path:
                    taken_in.unlink()

    def _old(self, path: Any, scope: Scope, *, repair: bool) -> tuple[Week | None, list[Any]]:
        """Return what is held of the week that `path` is of, with its rows, and the files it is held in."""
        files = listed(path.parent, f"{_monday_of(path)}*.parquet")
        if not files:
            return None, []
        try:
            week = self.week(files, scope)
            return replace(week, held=self.rows(week)), files
        except Damaged:
            if not repair:
                raise
            return None, files

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and processes from changing a file between our reading and our writing it."""
        with (
            self._threads,
            contextlib.nullcontext() if isinstance(self.root, Remote) else locked(self.root, _PATIENCE_S),
        ):
            yield


def moved(path: Place, held: Scope, scope: Scope) -> StoreError:
    """Return the error for a file that holds another scope than its folder says."""
    why = f"{path} holds {held}, not {scope.private}; it was moved, or two ids differ in case alone"
    return StoreError(why, path=path)


def _monday_of(path: Any) -> str:
    return str(path.name[: len("2026-01-05")])


def _name(identifier: str) -> str:
    """Return an id as a part of a path: escaped, and where it is too long for a name, cut, with a hash of the whole."""
    name = quote(identifier, safe="")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 20]}~{hashlib.sha256(identifier.encode()).hexdigest()[:16]}"


def _filter_text(scope: Scope, way: Hider) -> str:
    if not scope.filters:
        return "none"
    hidden = scope.hidden(way.number).filters
    return way.name("&".join(f"{name}={quote(value, safe='#')}" for name, value in hidden))
