"""One file of call records: those that began on one UTC day, as Parquet with its provenance inside."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from capacity.fetch.call_rows import ends, flags, ints
from capacity.fetch.call_windows import DayPiece
from capacity.fetch.conversations import SCHEMA
from capacity.fetch.endpoint import Scope
from capacity.fetch.weekfile import META, SETTLE, footer, metadata, put_table, reading
from capacity.fetch.windows import Window
from capacity.ground.address import Place
from capacity.ground.files import read
from capacity.ground.times import DAY

VERSION = 1

HourCounts = dict[int, tuple[int, int]]  # hour since 1970 -> calls with a number, and those that tried again


@dataclass(frozen=True)
class Day:
    """What the metadata of one file says.

    Attributes
    ----------
    path : Path
    scope : Scope
        Private.
    day : Timestamp
    piece : DayPiece or None
        None where all rows came with answers for other days.
    still : int
        How many calls were in progress when last seen.
    until : Timestamp
        The latest end of a call that has one.
    rows : int
    callers : dict
        Hour since 1970 -> calls with a number, and those that tried again.
    others : tuple of Path
        Further files of the same day: two writers met in an object store.
    """

    path: Place
    scope: Scope
    day: pd.Timestamp
    piece: DayPiece | None
    still: int
    until: pd.Timestamp
    rows: int
    callers: HourCounts
    others: tuple[Place, ...] = ()


class _PieceMeta(msgspec.Struct):
    start: str
    end: str
    asked_from: str
    asked_to: str
    fetched_at: str


class _Meta(msgspec.Struct):
    version: int
    kind: str
    account: str
    project: str
    env: str
    filters: dict[str, str]
    final: bool
    piece: _PieceMeta | None
    still: int
    until: str
    callers: dict[str, tuple[int, int]]
    content: int


def write(path: Place, scope: Scope, piece: DayPiece | None, rows: pa.Table, callers: HourCounts) -> None:
    """Replace the file in one step.

    Raises
    ------
    StoreError
        The disk is full or cannot be written; the old file stays as it was.
    """
    still = flags(rows, "in_progress")
    closed = ends(rows)[~still]
    own = scope.private
    times = [] if piece is None else [piece.window.start, piece.window.end, piece.asked.start, piece.asked.end]
    times += [] if piece is None else [piece.fetched_at]
    meta = _Meta(
        version=VERSION,
        kind="calls",
        account=own.account,
        project=own.project,
        env=own.env,
        filters=dict(own.filters),
        final=_is_final(piece, still=bool(still.any())),
        piece=None if piece is None else _PieceMeta(*(time.isoformat() for time in times)),
        still=int(still.sum()),
        until=pd.Timestamp(int(closed.max()) * 1000 if len(closed) else 0, tz="UTC").isoformat(),
        callers={str(hour): counts for hour, counts in callers.items()},
        content=_content(rows),
    )
    put_table(path, rows, meta, statistics=["start"])  # not of the texts: one of them is a phone number


def _is_final(piece: DayPiece | None, *, still: bool) -> bool:
    if piece is None or still:
        return False
    end = piece.window.start + DAY
    return bool(piece.window.end == end and piece.fetched_at >= end + SETTLE)


def _content(rows: pa.Table) -> int:
    total = 0
    for name in ("id", "start", "total_duration", "polyai_duration", "in_progress"):
        values = flags(rows, name) if name == "in_progress" else ints(rows, name)
        total = zlib.crc32(np.ascontiguousarray(values).tobytes(), total)
    return total


def read_header(path: Place) -> Day:
    """Read the metadata alone.

    Raises
    ------
    StoreError
        The file is damaged, of another version, or none of ours.
    """
    with reading(path):
        return _header(path, footer(path))


def _header(path: Place, footer: Any) -> Day:
    meta = metadata(path, footer, _Meta, VERSION)
    day = pd.Timestamp(day_of(path), tz="UTC").as_unit("ns")
    piece = None
    if meta.piece is not None:
        times = [getattr(meta.piece, name) for name in meta.piece.__struct_fields__]
        start, end, first, last, fetched = (pd.Timestamp(text).as_unit("ns") for text in times)
        piece = DayPiece(Window(start, end), Window(first, last), fetched, meta.final)
    return Day(
        path=path,
        scope=Scope(meta.account, meta.project, meta.env, tuple(sorted(meta.filters.items()))),
        day=day,
        piece=piece,
        still=meta.still,
        until=pd.Timestamp(meta.until).as_unit("ns"),
        rows=footer.num_rows,
        callers={int(hour): (known, again) for hour, (known, again) in meta.callers.items()},
    )


def day_of(path: Place) -> str:
    """Return the day that a file is of, as its name begins with it."""
    return path.name[: len("2026-01-05")]


def merged(a: Day, b: Day) -> Day:
    """Return two files of one day as one: the later answer holds; what one of them knows as in progress may be over."""
    newer = b if a.piece is None or (b.piece is not None and b.piece.fetched_at > a.piece.fetched_at) else a
    return replace(
        newer,
        path=a.path,
        others=(*a.others, b.path),
        still=a.still + b.still,
        until=max(a.until, b.until),
        rows=max(a.rows, b.rows),
    )


def read_table(path: Place) -> pa.Table:
    """Read the rows; checksums tell a flipped bit.

    Raises
    ------
    StoreError
        The file is damaged.
    """
    with reading(path), pq.ParquetFile(pa.BufferReader(read(path)), page_checksum_verification=True) as file:
        rows = file.read(columns=SCHEMA.names, use_threads=False).replace_schema_metadata(None).cast(SCHEMA)
        if _content(rows) != msgspec.json.decode(file.metadata.metadata[META], type=_Meta).content:
            raise ValueError("its rows do not match their checksum")
        return rows
