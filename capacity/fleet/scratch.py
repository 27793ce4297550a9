"""Where shards are put for the time of a run: a folder, or an address that fsspec knows."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from capacity.errors import ConfigError, StoreError

__all__ = ["opened", "scratch_folder"]


@contextlib.contextmanager
def scratch_folder(folder: str | os.PathLike[str] | None) -> Iterator[str]:
    """Yield an address for shards, and remove all beneath it at the end."""
    if folder is None or "://" not in os.fspath(folder):
        try:
            made = tempfile.mkdtemp(prefix="capacity-", dir=folder)
        except OSError as exc:
            raise StoreError(f"scratch={str(folder)!r} cannot be written ({exc.strerror})") from exc
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return
    address = f"{os.fspath(folder).rstrip('/')}/capacity-{secrets.token_hex(6)}"
    files, path = _remote(address)
    try:
        yield address
    finally:
        with contextlib.suppress(OSError):
            files.rm(path, recursive=True)


def opened(address: str, mode: str) -> IO[bytes]:
    """Open a file, or an object at an address."""
    if "://" not in address:
        return Path(address).open(mode)
    files, path = _remote(address)
    file: IO[bytes] = files.open(path, mode)
    return file


def _remote(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise ConfigError(f"scratch={address!r} needs fsspec; install call-capacity[cloud]") from None
    files, path = url_to_fs(address)
    return files, str(path)
