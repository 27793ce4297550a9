"""Where a store is: a folder, or an address in an object store. Addresses never go through pathlib."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from capacity.errors import ConfigError
from capacity.ground.cloud import PACKAGES, Remote

Place: TypeAlias = Path | Remote
StoreAddress: TypeAlias = str | os.PathLike[str]

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_BROKEN = re.compile(rf"({'|'.join(PACKAGES)}):/(?!/)")  # what Path makes of an address


def as_place(store: StoreAddress | Remote, *, name: str = "store") -> Place:
    """Return the folder or the address that a store is at.

    Parameters
    ----------
    store : str or path
        A folder (``~`` is the home folder; a colon is an ordinary character), or an address: ``s3://bucket/prefix``,
        ``gs://``, ``az://``, ``abfs://``, ``file:///folder``, ``memory://`` (for tests).
    name : str
        What to call it in an error message.

    Raises
    ------
    ConfigError
        No such scheme, an address with credentials in it or without a bucket, or a path that no file system takes.

    Examples
    --------
    >>> as_place("s3://bucket/prefix/") / "2026-01-05.parquet"
    Remote('s3://bucket/prefix/2026-01-05.parquet')
    >>> as_place("acme:calls").as_posix()
    'acme:calls'
    """
    if isinstance(store, Remote):
        return store
    try:
        text = os.fspath(store)
    except TypeError as exc:
        raise ConfigError(f"{name}={store!r} is no path and no address") from exc
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise ConfigError(f"{name}={text!r} is no path and no address; write it like 'calls' or 's3://bucket/calls'")
    if (found := _ADDRESS.fullmatch(text)) is not None:
        return _remote(text, found[1].lower(), name)
    if not isinstance(store, str) and (broken := _BROKEN.match(text)):
        raise ConfigError(f"{name}={text!r} went through Path, which breaks addresses; give {broken[1]}://... as text")
    try:
        return Path(text).expanduser()
    except RuntimeError as exc:  # there is no such user, or no home folder
        raise ConfigError(f"{name}={text!r}: {exc}; write the whole path") from exc


def _remote(text: str, scheme: str, name: str) -> Place:
    parts: Any = urlsplit(text)
    host, user = parts.netloc, "@" in parts.netloc
    if scheme.startswith("abfs") and ":" not in host:
        user = False  # abfs://container@account.dfs.core.windows.net/path
    if user or parts.query or parts.fragment:
        raise ConfigError(
            f"{name} is an address at {scheme}:// with credentials, a query or a fragment in it; give bucket and "
            "prefix alone, and credentials in the environment (AWS_*, GOOGLE_*, AZURE_*)"
        )
    if scheme == "file":
        if host not in ("", "localhost"):
            raise ConfigError(f"{name}={text!r} names a host; write file:///folder")
        return Path(url2pathname(parts.path))
    if scheme not in PACKAGES:
        raise ConfigError(f"{name}={text!r} is at no store that is known; it is a folder, {'://, '.join(PACKAGES)}://")
    if not host:
        raise ConfigError(f"{name}={text!r} names no bucket; write it like {scheme}://bucket/prefix")
    if any(part in (".", "..") for part in parts.path.split("/")):
        raise ConfigError(f"{name}={text!r} has . or .. in it, which mean nothing in an object store")
    return Remote(f"{scheme}://{host}{parts.path}")
