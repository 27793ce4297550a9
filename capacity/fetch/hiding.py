"""What stands for a phone number in a store: a hash under a key that the store keeps beside its files.

There are so few phone numbers that a hash without a key is soon undone by trying them all. Whoever holds the store
holds its key; who sees a path or a log does not. Stores of before have hashes without one, and keep them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from capacity.errors import StoreError
from capacity.fetch.endpoint import hashed
from capacity.ground.address import Place
from capacity.ground.files import listed, put, read


@dataclass(frozen=True)
class Hider:
    """One way to hide what is in a store.

    Attributes
    ----------
    number : callable
        A phone number -> what stands for it; what stands for one already stays.
    name : callable
        The text of all filters -> the name of their folder.
    """

    number: Callable[[str], str]
    name: Callable[[str], str]


OLD = Hider(hashed, lambda text: hashlib.sha256(text.encode()).hexdigest()[:16])


def hiders(root: Place) -> list[Hider]:
    """Return the ways of a store, by its keys (two writers may have made one each), and the old way last.

    Raises
    ------
    StoreError
        A key cannot be read.
    """
    try:
        return [*(_under(read(path)) for path in listed(root, ".key.*")), OLD]
    except FileNotFoundError as exc:
        raise StoreError(f"{root} lacks the key that it had ({exc}); read it again", path=root) from exc


def new_hider(root: Place) -> Hider:
    """Give a store a key."""
    key = secrets.token_bytes(32)
    put(root / f".key.{secrets.token_hex(4)}", key)
    return _under(key)


def _under(key: bytes) -> Hider:
    def digest(text: str) -> str:
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]

    return Hider(lambda number: number if number.startswith("#") else "#" + digest(number), digest)
