"""The archive on disk: which files there are, what they hold, and how an answer is added.

::

    STORE/account=A/project=P/env=live/filters=none/slice=total/2026-01-05.parquet

One file for each scope and UTC week. The rows are the answers as they came; nothing is filled in.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from capacity.errors import ConfigError, StoreError
from capacity.fetch.endpoint import Scope
from capacity.fetch.payload import Rows
from capacity.fetch.weekfile import SETTLE, Damaged, Piece, Week, read_header, read_rows, sweep, write
from capacity.fetch.windows import Window, subtract, week_of

__all__ = ["Store"]

_PATIENCE_S = 30.0


class Store:
    """A folder of Parquet files.

    Parameters
    ----------
    root : path
        Made when the first answer is written.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).expanduser()
        self._threads = threading.Lock()
        self._swept: set[Path] = set()
        self._headers: dict[Path, tuple[tuple[int, int, int], Week]] = {}
        if self.root.exists() and not self.root.is_dir():
            raise ConfigError(f"store={str(self.root)!r} is a file; a store is a folder")

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    def folder(self, scope: Scope) -> Path:
        """Return where the files of a scope lie."""
        return (
            self.root
            / f"account={quote(scope.account, safe='')}"
            / f"project={quote(scope.project, safe='')}"
            / f"env={scope.env}"
            / f"filters={_filter_name(scope)}"
            / f"slice={scope.by or 'total'}"
        )

    def file(self, scope: Scope, week: pd.Timestamp) -> Path:
        """Return the file of the week that begins at `week`."""
        return self.folder(scope) / f"{week:%Y-%m-%d}.parquet"

    def weeks(self, scope: Scope) -> list[Week]:
        """Return what is held of a scope, oldest week first.

        Raises
        ------
        StoreError
            A file is damaged, or of another version.
        """
        return [self._checked(path, scope) for path in self.files(self.folder(scope))]

    def folders(self) -> list[Path]:
        """Return the folder of every scope."""
        return sorted(self.root.glob("account=*/project=*/env=*/filters=*/slice=*"))

    def files(self, folder: Path) -> list[Path]:
        """Return the files of one scope, oldest week first."""
        return sorted(folder.glob("[0-9]*.parquet"))

    def header(self, path: Path) -> Week:
        """Read what one file says of itself; again only where the file was replaced."""
        try:
            stat = path.stat()
        except OSError as exc:
            raise StoreError(f"{path} cannot be read ({exc.strerror})", path=path) from exc
        mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        known = self._headers.get(path)
        if known is None or known[0] != mark:
            known = self._headers[path] = (mark, read_header(path))
        return known[1]

    def scopes(self) -> list[Scope]:
        """Return every scope that there is a file of, as the first file of each folder says.

        Raises
        ------
        StoreError
            That file is damaged, or of another version.
        """
        return [self.header(files[0]).scope for folder in self.folders() if (files := self.files(folder))]

    def _checked(self, path: Path, scope: Scope) -> Week:
        week = self.header(path)
        if week.scope != scope.private:
            raise StoreError(
                f"{path} holds {week.scope}, not {scope.private}; it was moved, or two ids differ in case alone",
                path=path,
            )
        return week

    def rows(self, week: Week) -> Rows:
        """Read the rows of one file."""
        return read_rows(week.path, week.scope.by)

    def survey(self, scope: Scope) -> tuple[list[Week], list[pd.Timestamp]]:
        """Return what is held of a scope, and the weeks whose files are damaged, in their headers or their rows."""
        sound: list[Week] = []
        broken: list[pd.Timestamp] = []
        for path in self.files(self.folder(scope)):
            try:
                week = self._checked(path, scope)
                self.rows(week)
                sound.append(week)
            except Damaged:
                broken.append(pd.Timestamp(path.stem, tz="UTC").as_unit("ns"))
        return sound, broken

    def add(self, scope: Scope, window: Window, rows: Rows, fetched_at: pd.Timestamp, *, repair: bool = False) -> None:
        """Add the answer for `window`, which lies within one week; a newer answer takes the place of an older one.

        Raises
        ------
        StoreError
            The file cannot be written, or it is damaged and `repair` does not say to replace it.
        """
        path = self.file(scope, week_of(window.start))
        with self._alone():
            if path.parent not in self._swept:
                sweep(path.parent)
                self._swept.add(path.parent)
            old, old_rows = self._old(path, scope, repair=repair)
            pieces, kept = _overlay(old, old_rows, window, rows, fetched_at)
            write(path, scope, pieces, kept)

    def _old(self, path: Path, scope: Scope, *, repair: bool) -> tuple[Week | None, Rows | None]:
        if not path.exists():
            return None, None
        try:
            week = self._checked(path, scope)
            return week, self.rows(week)
        except Damaged:
            if not repair:
                raise
            return None, None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and processes from changing a file between our reading and our writing it."""
        with self._threads:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as exc:
                message = f"{self.root} cannot be written ({exc.strerror}); make room, or give another store"
                raise StoreError(message, path=self.root) from exc
            try:
                self._lock(handle)
                yield
            finally:
                os.close(handle)  # and with it the lock, also where the process is killed

    def _lock(self, handle: int) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                _try_lock(handle)
            except (BlockingIOError, PermissionError) as exc:
                if time.monotonic() > deadline:
                    message = f"{self.root} has been locked by another process for {_PATIENCE_S:g} s; is it stopped?"
                    raise StoreError(message, path=self.root) from exc
                time.sleep(0.005)
            except OSError:
                return  # no locks on this file system: replacement is atomic still, a window may be asked for again
            else:
                return


def _try_lock(handle: int) -> None:
    if os.name == "nt":
        msvcrt: Any = importlib.import_module("msvcrt")
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl: Any = importlib.import_module("fcntl")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _filter_name(scope: Scope) -> str:
    if not scope.filters:
        return "none"
    text = "&".join(f"{name}={quote(value, safe='#')}" for name, value in scope.private.filters)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _overlay(
    old: Week | None, old_rows: Rows | None, window: Window, rows: Rows, fetched_at: pd.Timestamp
) -> tuple[list[Piece], Rows]:
    """Lay a new answer over what a file holds."""
    before = old.pieces if old is not None else ()
    newer = [p.window for p in before if p.fetched_at > fetched_at]  # another process was quicker
    mine = subtract(window, newer)
    empty = len(rows) == 0
    was_empty = not subtract(window, [p.window for p in before if p.empty])
    final = fetched_at >= window.end + SETTLE and (not empty or was_empty)
    pieces = [Piece(w, fetched_at, empty, final) for w in mine]
    kept: list[Window] = []
    for piece in before:
        for left in subtract(piece.window, mine):
            kept.append(left)
            pieces.append(Piece(left, piece.fetched_at, piece.empty, piece.final))
    merged = _within(rows, mine)
    if old_rows is not None and old is not None:
        merged = _joined(_within(old_rows, kept), old.names, merged, rows.names)
    return _coalesced(pieces), merged


def _within(rows: Rows, windows: list[Window]) -> Rows:
    inside = np.zeros(len(rows), dtype=bool)
    for window in windows:
        inside[np.searchsorted(rows.steps, window.first) : np.searchsorted(rows.steps, window.last)] = True
    if inside.all():
        return rows
    return Rows(rows.steps[inside], rows.codes[inside], rows.values[inside], rows.ids, rows.names)


def _joined(a: Rows, a_names: dict[str, str], b: Rows, b_names: dict[str, str]) -> Rows:
    ids = tuple(sorted({*a.ids, *b.ids}))
    place = {name: k for k, name in enumerate(ids)}
    codes = np.concatenate(
        [np.array([place[i] for i in r.ids], dtype=np.int32)[r.codes] if len(r) else r.codes for r in (a, b)]
    )
    steps, values = np.concatenate([a.steps, b.steps]), np.concatenate([a.values, b.values])
    order = np.lexsort((codes, steps))
    later = len(b) == 0 or (len(a) > 0 and a.steps[-1] > b.steps[-1])
    names = {**b_names, **a_names} if later else {**a_names, **b_names}
    return Rows(steps[order], codes[order], values[order], ids, names)


def _coalesced(pieces: list[Piece]) -> list[Piece]:
    """Join final pieces that touch; provisional ones are asked for again, each as a whole."""
    joined: list[Piece] = []
    for piece in sorted(pieces, key=lambda p: p.window):
        last = joined[-1] if joined else None
        if last and last.final and piece.final and last.window.end == piece.window.start and last.empty == piece.empty:
            both = Window(last.window.start, piece.window.end)
            joined[-1] = Piece(both, min(last.fetched_at, piece.fetched_at), last.empty, final=True)
        else:
            joined.append(piece)
    return joined
