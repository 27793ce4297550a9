"""Object stores (S3, Google Cloud Storage, Azure) through fsspec, in as much of Path's language as a store needs.

Endpoints and credentials come from the environment, as each provider's own tools read them (AWS_*, GOOGLE_*, AZURE_*).
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from capacity.errors import StoreError
from capacity.ground.extras import extra

# What each scheme needs beside fsspec. `memory` is for tests: it lives as long as the process.
PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "memory": "fsspec",
}
_CHECKSUMS = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
_OPTIONS: dict[str, dict[str, Any]] = {
    # Newer checksums than servers beside Amazon's know are left out; the files have their own.
    "s3": {
        "config_kwargs": {
            "connect_timeout": 10,
            "read_timeout": 30,
            "retries": {"total_max_attempts": 2, "mode": "standard"},
            **_CHECKSUMS,
        }
    }
}
_ATTEMPTS = 4
_SETTINGS = ("AWS_", "GOOGLE_", "AZURE_", "STORAGE_EMULATOR_HOST")
_SHOWN = 200  # characters of what a provider says


class Remote:
    """An object, or a prefix of objects.

    Parameters
    ----------
    address : str
        ``scheme://bucket/and/more``; see `capacity.ground.address.as_place`.
    mark : tuple, optional
        What tells one version of the object from another, and its size [bytes], where a listing has said so.
    """

    def __init__(self, address: str, mark: tuple[str, int] | None = None) -> None:
        self.scheme: str
        self.scheme, _, rest = address.partition("://")
        self.parts: tuple[str, ...] = tuple(part for part in rest.split("/") if part)
        self.mark = mark

    def __str__(self) -> str:
        return f"{self.scheme}://{'/'.join(self.parts)}"

    def __repr__(self) -> str:
        return f"Remote({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __lt__(self, other: Remote) -> bool:
        return str(self) < str(other)

    def __truediv__(self, below: str) -> Remote:
        return Remote(f"{self}/{below}")

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]

    @property
    def stem(self) -> str:
        """The last part without its ending."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def parent(self) -> Remote:
        """All but the last part."""
        return Remote(f"{self.scheme}://{'/'.join(self.parts[:-1])}")

    def with_name(self, name: str) -> Remote:
        """Return the same with another last part."""
        return self.parent / name

    def exists(self) -> bool:
        """Whether there is such an object, or one below it."""
        with self._reached("looked for") as files:
            return bool(files.exists(str(self)))

    def glob(self, pattern: str) -> list[Remote]:
        """Return the objects and prefixes below that match, part by part."""
        wanted = pattern.split("/")
        with self._reached("listed") as files:
            try:
                depth = 1 if len(wanted) == 1 else None  # else all below, in as few requests as there can be
                found = files.find(str(self), maxdepth=depth, detail=True, withdirs=False)
            except FileNotFoundError:  # no such bucket
                found = {}
            skipped = len(Remote(f"x://{files._strip_protocol(str(self))}").parts)
        matched: dict[str, Remote] = {}
        for path, info in found.items():
            parts = [part for part in path.split("/") if part][skipped:]
            place = parts[: len(wanted)]
            if len(place) == len(wanted) and all(map(fnmatchcase, place, wanted)):
                address = f"{self}/{'/'.join(place)}"
                matched.setdefault(address, Remote(address, _mark(info) if place == parts else None))
        return sorted(matched.values())

    def read_bytes(self, last: int | None = None) -> bytes:
        """Return the object, or as many of its last bytes where a listing has said how many there are.

        Raises
        ------
        FileNotFoundError
            There is none.
        StoreError
            It is out of reach.
        """
        size = self.mark[1] if self.mark is not None else 0
        # No suffix range: some servers refuse one that is longer than the object.
        start = size - last if last is not None and size > last else 0
        try:
            with self._reached("read") as files:
                return bytes(files.cat_file(str(self), **({"start": start, "end": size} if size else {})))
        except StoreError:
            if self.exists():
                raise
            raise FileNotFoundError(str(self)) from None  # it was removed while it was read

    def read_part(self, start: int, size: int) -> bytes:
        """Return so many bytes of the object, from a place on."""
        with self._reached("read") as files:
            return bytes(files.cat_file(str(self), start=start, end=start + size))

    def write_bytes(self, data: Any) -> None:
        """Write the object, whole: until it is there, what was there before is."""
        try:
            with self._reached("written") as files:
                files.pipe_file(str(self), bytes(data))
        except FileNotFoundError as exc:
            raise StoreError(f"{self} cannot be written: there is no such bucket or container", path=self) from exc

    def unlink(self) -> None:
        """Remove the object, if it is there."""
        try:
            with self._reached("removed") as files:
                files.rm_file(str(self))
        except FileNotFoundError:
            pass

    @contextmanager
    def _reached(self, what: str) -> Iterator[Any]:
        try:
            settings = tuple((k, v) for k, v in sorted(os.environ.items()) if k.startswith(_SETTINGS))
            with extra("cloud", f"a store at {self.scheme}://"):
                files = _filesystem(self.scheme, os.getpid(), settings)
            yield files
        except (FileNotFoundError, StoreError):
            raise
        except ImportError as exc:
            raise StoreError(f"{self} cannot be {what} ({exc})", path=self) from exc
        except Exception as exc:  # each provider's library has errors of its own
            why = " ".join(f"{type(exc).__name__}: {exc}".split())[:_SHOWN]
            raise StoreError(
                f"{self} cannot be {what} ({why}); check address, network, and the environment's credentials", path=self
            ) from exc


@functools.lru_cache(maxsize=8)
def _filesystem(scheme: str, process: int, settings: tuple[tuple[str, str], ...]) -> Any:
    """Return fsspec's file system of a scheme: one for a process and what its environment says."""
    import fsspec

    importlib.import_module(PACKAGES[scheme])
    files = fsspec.filesystem(scheme, skip_instance_cache=True, use_listings_cache=False, **_OPTIONS.get(scheme, {}))
    if hasattr(files, "retries"):  # s3fs tries again around its own trying again, and botocore inside both
        files.retries = _ATTEMPTS
    return files


def _mark(info: dict[str, Any]) -> tuple[str, int]:
    version = next((info[k] for k in ("ETag", "etag", "md5Hash", "LastModified", "created") if info.get(k)), "")
    return str(version), int(info.get("size") or 0)
