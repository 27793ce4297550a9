"""One file of the store: a scope's answers within one UTC week, as Parquet with its provenance inside.

=================  ==================================================================
column             meaning
=================  ==================================================================
``time``           start of the interval, timestamp[us, UTC]
``variant``        the series; named after the slice; "*" in the unsliced scope
``max_concurrent`` int32
``variant_name``   display name as it came, or the id
=================  ==================================================================
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from capacity.errors import StoreError
from capacity.fetch.endpoint import Scope, hashed
from capacity.fetch.payload import Rows
from capacity.fetch.windows import Window
from capacity.ground.frame import TOTAL, TOTAL_NAME

__all__ = [
    "META",
    "META_SUM",
    "SETTLE",
    "VERSION",
    "Damaged",
    "Piece",
    "Week",
    "checksum",
    "put",
    "read_header",
    "read_rows",
    "reading",
    "sweep",
    "write",
]

SETTLE = pd.Timedelta(hours=48)
VERSION = 1

META = b"capacity"
META_SUM = META + b".crc32"
_STEP_US = 300_000_000
_STALE_S = 3600.0
_MEND = "fetch again with repair=True (`capacity fetch --repair`) to replace it, or delete it"


class Damaged(StoreError):
    """A file that cannot be read; asking for its week again mends it."""


@dataclass(frozen=True)
class Piece:
    """A part of a week that was answered in one go.

    Attributes
    ----------
    window : Window
        What was asked for.
    fetched_at : Timestamp, UTC
    empty : bool
        Whether the answer had no interval at all.
    final : bool
        Whether it need not be asked for again: fetched at least `SETTLE` after its end, and, if empty, empty
        twice.
    """

    window: Window
    fetched_at: pd.Timestamp
    empty: bool
    final: bool


@dataclass(frozen=True)
class Week:
    """What the metadata of one file says.

    Attributes
    ----------
    path : Path
    scope : Scope
        Private: a phone number is a hash.
    pieces : tuple of Piece
        In order, disjoint.
    names : dict of id -> display name
    first : dict of id -> int
        The step of the first conversation of each series that had one.
    rows : int
    """

    path: Path
    scope: Scope
    pieces: tuple[Piece, ...]
    names: dict[str, str]
    first: dict[str, int]
    rows: int


class _PieceMeta(msgspec.Struct):
    start: str
    end: str
    fetched_at: str
    empty: bool
    final: bool


class _Meta(msgspec.Struct):
    version: int
    account: str
    project: str
    env: str
    filters: dict[str, str]
    slice: str | None
    final: bool  # for those who read the files without us
    pieces: list[_PieceMeta]
    names: dict[str, str]
    first: dict[str, int]
    content: int  # see _content


class _Version(msgspec.Struct):
    version: int


class _Content(msgspec.Struct):
    content: int


def read_header(path: Path) -> Week:
    """Read the metadata alone.

    Raises
    ------
    StoreError
        The file is damaged, of another version, or none of ours.
    """
    with reading(path):
        return _header(path, pq.read_metadata(path))


def _header(path: Path, footer: Any) -> Week:
    raw = (footer.metadata or {}).get(META)
    if raw is None:
        raise StoreError(f"{path} was not written by this library; keep other files out of the store", path=path)
    version = msgspec.json.decode(raw, type=_Version).version
    if version != VERSION:
        raise StoreError(
            f"{path} is of version {version}, this library reads {VERSION}; use the capacity that wrote it",
            path=path,
        )
    meta = msgspec.json.decode(raw, type=_Meta)
    if footer.metadata.get(META_SUM) != checksum(raw):
        raise ValueError("its metadata does not match its checksum")
    pieces = tuple(
        Piece(
            Window(pd.Timestamp(p.start).as_unit("ns"), pd.Timestamp(p.end).as_unit("ns")),
            pd.Timestamp(p.fetched_at).as_unit("ns"),
            p.empty,
            p.final,
        )
        for p in meta.pieces
    )
    scope = Scope(meta.account, meta.project, meta.env, tuple(sorted(meta.filters.items())), meta.slice)
    return Week(path, scope, pieces, meta.names, meta.first, footer.num_rows)


def read_rows(path: Path, by: str | None) -> Rows:
    """Read the rows; page checksums tell a flipped bit.

    Raises
    ------
    StoreError
        The file is damaged.
    """
    column = by or "variant"
    with reading(path), pq.ParquetFile(path, read_dictionary=[column], page_checksum_verification=True) as file:
        table = file.read(columns=["time", column, "max_concurrent"], use_threads=False)
        times = table.column("time").combine_chunks().cast(pa.int64()).to_numpy(zero_copy_only=False)
        label = table.column(column).combine_chunks()
        label = label.chunk(0) if isinstance(label, pa.ChunkedArray) else label
        rows = Rows(
            steps=(times // _STEP_US).astype(np.int32),
            codes=label.indices.to_numpy(zero_copy_only=False).astype(
                np.int16 if len(label.dictionary) < 2**15 else np.int32
            ),
            values=table.column("max_concurrent").combine_chunks().to_numpy(zero_copy_only=False),
            ids=tuple(label.dictionary.to_pylist()),
        )
        # Page checksums do not cover the footer, which says how many rows there are and where.
        if _content(rows) != msgspec.json.decode(file.metadata.metadata[META], type=_Content).content:
            raise ValueError("its rows do not match their checksum")
        return rows


def _content(rows: Rows) -> int:
    """Sum up times and values, so that a lost or changed row is noticed."""
    return zlib.crc32(rows.values.astype(np.int32).tobytes(), zlib.crc32(rows.steps.astype(np.int32).tobytes()))


def checksum(raw: bytes) -> bytes:
    """Return what stands beside metadata to tell a flipped bit in it."""
    return str(zlib.crc32(raw)).encode()


@contextlib.contextmanager
def reading(path: Path) -> Any:
    """Say of whatever goes wrong in reading a file that it is damaged."""
    try:
        yield
    except StoreError:
        raise
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, msgspec.MsgspecError, KeyError, ValueError, AttributeError) as exc:
        raise Damaged(f"{path} is damaged ({type(exc).__name__}: {exc}); {_MEND}", path=path) from exc


def write(path: Path, scope: Scope, pieces: list[Piece], rows: Rows) -> None:
    """Replace the file in one step: whoever reads sees the old file or the new one, whole.

    Raises
    ------
    StoreError
        The disk is full or cannot be written; the old file stays as it was.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(
        _table(scope, pieces, rows),
        sink,
        compression="zstd",
        write_page_checksum=True,
        write_statistics=["time", "max_concurrent"],  # not of the series: it may be a phone number
    )
    put(path, sink.getvalue())


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


def _table(scope: Scope, pieces: list[Piece], rows: Rows) -> pa.Table:
    shown = [TOTAL_NAME if i == TOTAL else rows.names.get(i, i) for i in rows.ids]
    column = scope.by or "variant"
    codes = pa.array(rows.codes, type=pa.int32())
    table = pa.table(
        {
            "time": pa.array(rows.steps.astype(np.int64) * _STEP_US).cast(pa.timestamp("us", tz="UTC")),
            column: pa.DictionaryArray.from_arrays(codes, pa.array(rows.ids, type=pa.string())),
            "max_concurrent": pa.array(rows.values, type=pa.int32()),
            "variant_name": pa.DictionaryArray.from_arrays(codes, pa.array(shown, type=pa.string())),
        }
    )
    raw = msgspec.json.encode(_meta(scope, pieces, rows))
    return table.replace_schema_metadata({META: raw, META_SUM: checksum(raw)})


def _meta(scope: Scope, pieces: list[Piece], rows: Rows) -> _Meta:
    private = scope.private
    hide = hashed if scope.by == "phone_number" else str
    live = np.flatnonzero(rows.values > 0)[::-1]
    first = np.full(len(rows.ids), -1, dtype=np.int64)
    first[rows.codes[live]] = rows.steps[live]  # the earliest one stays
    return _Meta(
        version=VERSION,
        account=scope.account,
        project=scope.project,
        env=scope.env,
        filters=dict(private.filters),
        slice=scope.by,
        final=all(p.final for p in pieces),
        pieces=[
            _PieceMeta(p.window.start.isoformat(), p.window.end.isoformat(), p.fetched_at.isoformat(), p.empty, p.final)
            for p in pieces
        ],
        names={hide(i): name for i, name in rows.names.items()},
        first={hide(i): step for i, step in zip(rows.ids, first.tolist(), strict=True) if step >= 0},
        content=_content(rows),
    )


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
