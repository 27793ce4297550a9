"""The bytes of a page of conversations -> the columns that are kept. Pure.

Transcripts, turns and state are skipped unread. Of a caller's number only a hash under a random key of this process
comes out, for counting who calls again; of an id a hash of 8 bytes, enough to tell rows apart.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from capacity.errors import PayloadError
from capacity.fetch.instants import Unreadable
from capacity.fetch.payload import decode
from capacity.fetch.windows import Window

TEXTS = ("channel", "variant", "variant_name", "phone_number", "language", "env")
SCHEMA = pa.schema(
    [
        ("id", pa.uint64()),
        ("asked_at", pa.timestamp("us", tz="UTC")),
        ("start", pa.timestamp("us", tz="UTC")),
        ("in_progress", pa.bool_()),
        ("total_duration", pa.int32()),
        ("polyai_duration", pa.int32()),
        ("handoff", pa.bool_()),
        *((name, pa.string()) for name in TEXTS),
    ]
)

_LONGEST_S = 366 * 86_400
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_DATE = len("2026-01-05")
_CALLER_KEY = secrets.token_bytes(16)  # lives as long as the process, and nowhere else


class _Conversation(msgspec.Struct, gc=False):
    id: str
    started_at: str
    channel: str | None = None
    in_progress: bool | None = None
    variant_id: str | None = None
    variant_name: str | None = None
    to_number: str | None = None
    from_number: str | None = None
    environment: str | None = None
    total_duration: int | float | None = None  # a whole number, also where it is written 60.0
    polyai_duration: int | float | None = None
    handoff: bool | None = None
    language: Any = None  # not in the contract: taken where it is text


class _Page(msgspec.Struct):
    conversations: list[_Conversation]
    cursor: str | None = None
    next_offset: int | None = None


_DECODER = msgspec.json.Decoder(_Page)


@dataclass(frozen=True)
class Page:
    """One page of an answer.

    Attributes
    ----------
    rows : pyarrow.Table
        By `SCHEMA`, in the order they came; empty texts are null.
    callers : uint64, shape (n,)
        Who called, as a hash under a key of this process; 0 where the number is withheld.
    cursor : str
        Of the next page; "" where there is none.
    next_offset : int or None
    """

    rows: pa.Table
    callers: npt.NDArray[np.uint64]
    cursor: str
    next_offset: int | None

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @property
    def ids(self) -> npt.NDArray[np.uint64]:
        """The hashed ids."""
        return np.asarray(self.rows.column("id").to_numpy())


def parse_page(body: bytes, window: Window, *, asked_at: dt.datetime, env: str) -> Page:
    """Read the body of a 200.

    Parameters
    ----------
    body : bytes
        JSON in UTF-8.
    window : Window
        For the errors.
    asked_at : datetime, aware
        When the page was asked for: of two answers about one conversation the later holds.
    env : str
        The environment that was asked for, for rows that do not name theirs.

    Raises
    ------
    PayloadError
        Valid JSON that is not what the schema says. The message quotes nothing of it.
    TransportFailure
        JSON that ends too early.
    Garbled
        No JSON.
    """
    page = decode(_DECODER, body, window)
    try:
        rows = _table(page.conversations, asked_at, env)
    except Unreadable as exc:
        problem = PayloadError(f"200, but {exc}", window=window, status=200)
    else:
        return Page(rows, _callers(page.conversations), page.cursor or "", page.next_offset)
    raise problem  # outside the handler: what it caught may hold the body


def _table(found: list[_Conversation], asked_at: dt.datetime, env: str) -> pa.Table:
    texts: dict[str, list[str | None]] = {
        "channel": [c.channel or None for c in found],
        "variant": [c.variant_id or None for c in found],
        "variant_name": [c.variant_name or None for c in found],
        "phone_number": [c.to_number or None for c in found],
        "language": [c.language or None if isinstance(c.language, str) else None for c in found],
        "env": [c.environment or env for c in found],
    }
    columns: dict[str, Any] = {
        "id": np.array([_hashed_id(c.id, k) for k, c in enumerate(found)], dtype=np.uint64),
        "asked_at": pa.array(np.full(len(found), (asked_at - _EPOCH) // _MICROSECOND, dtype=np.int64)),
        "start": pa.array([_instant(c.started_at, k) for k, c in enumerate(found)], type=pa.int64()),
        "in_progress": [_in_progress(c) for c in found],
        "total_duration": [_seconds(c.total_duration, "total_duration", k) for k, c in enumerate(found)],
        "polyai_duration": [_seconds(c.polyai_duration, "polyai_duration", k) for k, c in enumerate(found)],
        "handoff": [c.handoff for c in found],
        **texts,
    }
    arrays = [
        value.cast(kind) if isinstance(value, pa.Array | pa.ChunkedArray) else pa.array(value, type=kind)
        for value, kind in ((columns[f.name], f.type) for f in SCHEMA)
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _in_progress(call: _Conversation) -> bool:
    """Whether a call has no end yet; one that says neither so nor how long it was is taken to have none."""
    return call.total_duration is None if call.in_progress is None else call.in_progress


def _seconds(value: float | None, name: str, row: int) -> int | None:
    if value is None:
        return None
    if not 0 <= value <= _LONGEST_S or value != int(value):
        raise Unreadable(f"{name} of row {row} is {value} s; it has to be whole, and lie between 0 and a year")
    return int(value)


def _instant(text: str, row: int) -> int:
    """Return microseconds since 1970."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        try:
            time = dt.datetime.fromisoformat(text.strip().upper())
        except ValueError:
            time = None
    if time is None or len(text.strip()) <= _DATE:
        raise Unreadable(f"started_at of row {row} is no ISO 8601 time")
    if time.tzinfo is None:
        time = time.replace(tzinfo=dt.UTC)  # the API speaks UTC
    return (time - _EPOCH) // _MICROSECOND


def _hashed_id(text: str, row: int) -> int:
    if not text:
        raise Unreadable(f"the id of row {row} is empty")
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _callers(found: list[_Conversation]) -> npt.NDArray[np.uint64]:
    known: dict[str | None, int] = {None: 0, "": 0}
    for call in found:
        if call.from_number not in known:
            number = str(call.from_number).encode("utf-8", "surrogatepass")
            digest = hashlib.blake2b(number, digest_size=8, key=_CALLER_KEY).digest()
            known[call.from_number] = int.from_bytes(digest, "little")
    return np.array([known[call.from_number] for call in found], dtype=np.uint64)
