"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from capacity.errors import ConfigError, StoreError

__all__ = ["put", "replaced", "sweep"]

_STALE_S = 3600.0


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


def put(path: Path, data: Any) -> None:
    """Replace the file by these bytes in one step.

    Raises
    ------
    StoreError
        The disk is full or cannot be written; the old file stays as it was.
    """
    fresh = path.with_name(f".{path.stem}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _sync_folder(path.parent)
    except OSError as exc:
        raise StoreError(
            f"{path} cannot be written ({exc.strerror or exc}); what was there before is untouched. "
            "Make room, or give another store",
            path=path,
        ) from exc
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()


def sweep(folder: Path) -> None:
    """Remove what a killed process left half-written; a file of the last hour may still be in work."""
    for left in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                left.unlink()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
