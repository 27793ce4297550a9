"""Where shards are put for the time of a run: a folder, or an address in an object store."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator

from capacity.errors import StoreError
from capacity.ground.address import as_place
from capacity.ground.cloud import Remote

__all__ = ["read_part", "scratch_folder", "write_whole"]


@contextlib.contextmanager
def scratch_folder(scratch: str | os.PathLike[str] | None) -> Iterator[str]:
    """Yield an address for shards, and remove all beneath it at the end."""
    place = None if scratch is None else as_place(scratch, name="scratch")
    if not isinstance(place, Remote):
        try:
            made = tempfile.mkdtemp(prefix="capacity-", dir=place)
        except OSError as exc:
            raise StoreError(f"scratch={str(scratch)!r} cannot be written ({exc.strerror}); name a folder") from exc
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return
    place = place / f"capacity-{secrets.token_hex(6)}"
    try:
        yield str(place)
    finally:
        for shard in place.glob("*"):
            shard.unlink()


def write_whole(address: str, data: bytes) -> None:
    """Write a shard."""
    try:
        as_place(address, name="scratch").write_bytes(data)
    except OSError as exc:
        raise StoreError(f"{address} cannot be written ({exc.strerror}); make room, or give another scratch=") from exc


def read_part(address: str, start: int, size: int) -> bytes:
    """Return so many bytes of a shard."""
    place = as_place(address, name="scratch")
    if isinstance(place, Remote):
        return place.read_part(start, size)
    with place.open("rb") as file:
        file.seek(start)
        return file.read(size)
