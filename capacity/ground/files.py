"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from capacity.errors import ConfigError

__all__ = ["replaced"]


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
