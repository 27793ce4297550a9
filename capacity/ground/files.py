"""Files that are replaced whole, listed and locked: in a folder, or in an object store."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import secrets
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

from capacity.errors import ConfigError, StoreError
from capacity.ground.address import Place
from capacity.ground.cloud import Remote

_STALE_S = 3600.0
_NOT_SYNCED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EACCES, errno.EPERM)


def read(path: Place, last: int | None = None) -> bytes:
    """Return the bytes of a file, or as many of its last ones.

    Raises
    ------
    FileNotFoundError
        There is none.
    StoreError
        It cannot be read just now, or not by this user; that is no damage.
    """
    if isinstance(path, Remote):
        return path.read_bytes(last)
    try:
        with path.open("rb") as file:
            if last is not None:
                file.seek(-min(last, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise _unreadable(path, exc) from exc


def mark_of(path: Place) -> tuple[str, int]:
    """Return what tells one version of a file from another, and its size [bytes].

    Raises
    ------
    FileNotFoundError, StoreError
        As `read`.
    """
    if isinstance(path, Remote):
        found = path.mark or next((p.mark for p in path.parent.glob(path.name)), None)
        if found is None:
            raise FileNotFoundError(str(path))
        return found
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    return f"{stat.st_ino}.{stat.st_mtime_ns}", stat.st_size


def listed(folder: Place, pattern: str) -> list[Any]:
    """Return what lies below a folder and matches, part by part, sorted; nothing where there is no such folder.

    Raises
    ------
    StoreError
        A folder may not be read: what lies in it is not nothing.
    """
    if isinstance(folder, Remote):
        return folder.glob(pattern)
    head, _, tail = pattern.partition("/")
    try:
        with os.scandir(folder) as entries:
            found = sorted(folder / entry.name for entry in entries if fnmatchcase(entry.name, head))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:
        raise _unreadable(folder, exc) from exc
    return found if not tail else [path for below in found for path in listed(below, tail)]


def _unreadable(path: Path, exc: OSError) -> StoreError:
    why = exc.strerror or str(exc)
    return StoreError(f"{path} cannot be read ({why}); it may be whole: see to that, and read it again", path=path)


@contextlib.contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Yield a file to write to, which takes the place of `path` when all is written; on an error nothing changes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replaced(f"{folder}/x.txt") as held:
    ...         _ = held.write(b"whole")
    ...     (Path(folder) / "x.txt").read_bytes()
    b'whole'
    """
    target = Path(path)
    if target.is_dir():
        raise ConfigError(f"{str(target)!r} is a folder; name a file")
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("wb") as held:
            yield held
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def put(path: Place, data: Any) -> None:
    """Replace a file by these bytes in one step: a reader sees the old file or the new one, whole.

    Raises
    ------
    StoreError
        The disk is full or cannot be written; the old file stays as it was.
    """
    if isinstance(path, Remote):
        path.write_bytes(data)
        return
    fresh = path.with_name(f".{path.stem}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("xb") as file:
            file.write(data)
            file.flush()
            _sync(file.fileno())
        fresh.replace(path)
    except OSError as exc:
        raise StoreError(
            f"{path} cannot be written ({exc.strerror or exc}); what was there before is untouched. "
            "Make room, or give another store",
            path=path,
        ) from exc
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    _sync_folder(path.parent)


def _sync(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in _NOT_SYNCED:  # some file systems sync by themselves, and refuse to be told
            raise


def _sync_folder(folder: Path) -> None:
    """Make the new name last. The file is there: where a folder cannot be synced, that is no failure."""
    if os.name != "nt":
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def sweep(folder: Place) -> None:
    """Remove what a killed process left half-written; a file of the last hour may still be in work."""
    if isinstance(folder, Remote):
        return  # an object is there whole, or not at all
    for left in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                left.unlink()


@contextlib.contextmanager
def locked(folder: Path, patience: float, *, busy: str = "") -> Iterator[None]:
    """Keep other threads and processes out of a folder, which is made; where there are no locks, go on without.

    Parameters
    ----------
    folder : Path
    patience : float
        How long to wait for others [s].
    busy : str
        What to say when the wait was in vain.

    Raises
    ------
    StoreError
        The folder cannot be written, or somebody holds the lock for longer than `patience` [s].
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as exc:
        message = f"{folder} cannot be written ({exc.strerror}); make room, or give another folder"
        raise StoreError(message, path=folder) from exc
    try:
        _lock(handle, folder, patience, busy)
        yield
    finally:
        os.close(handle)  # and with it the lock, also where the process is killed


def _lock(handle: int, folder: Path, patience: float, busy: str) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            _try_lock(handle)
        except (BlockingIOError, PermissionError) as exc:
            if time.monotonic() > deadline:
                said = busy or f"{folder} has been locked by another process for {patience:g} s; is it stopped?"
                raise StoreError(said, path=folder) from exc
            time.sleep(0.005)
        except OSError:
            return  # no locks on this file system: replacing is one step still, a window may be asked for again
        else:
            return


def _try_lock(handle: int) -> None:
    if os.name == "nt":
        msvcrt: Any = importlib.import_module("msvcrt")
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl: Any = importlib.import_module("fcntl")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
