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
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from capacity.errors import StoreError
from capacity.fetch.endpoint import Scope, hashed
from capacity.fetch.payload import Rows
from capacity.fetch.windows import Window
from capacity.ground.address import Place
from capacity.ground.files import put, read
from capacity.ground.frame import TOTAL, TOTAL_NAME

T = TypeVar("T")

SETTLE = pd.Timedelta(hours=48)
VERSION = 1

META = b"capacity"
META_SUM = META + b".crc32"
_STEP_US = 300_000_000
_TAIL = 1 << 15  # bytes at the end of a file, in which its metadata most often lies
_MEND = "fetch again with repair=True (`capacity fetch --repair`) to replace it, or delete it"


class Damaged(StoreError):
    """A file whose contents are damaged; fetching its week again replaces it."""


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
    path : Path or Remote
    scope : Scope
        Private: a phone number is a hash.
    pieces : tuple of Piece
        In order, disjoint.
    names : dict of id -> display name
    first : dict of id -> int
        The step of the first row of each series.
    rows : int
    held : Rows or None
        The rows themselves, where several files of one week were read as one.
    size : int
        Of the file [bytes].
    """

    path: Place
    scope: Scope
    pieces: tuple[Piece, ...]
    names: dict[str, str]
    first: dict[str, int]
    rows: int
    held: Rows | None = None
    size: int = 0


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
    final: bool  # for readers of the files other than this library
    pieces: list[_PieceMeta]
    names: dict[str, str]
    first: dict[str, int]
    content: int  # see _content


class _Content(msgspec.Struct):
    content: int


def read_header(path: Place) -> Week:
    """Read the metadata alone.

    Raises
    ------
    StoreError
        The file is damaged, of another version, or none of ours; or it cannot be read.
    """
    with reading(path):
        return _header(path, footer(path))


def footer(path: Place) -> Any:
    """Return what pyarrow makes of a Parquet file's last bytes, and read no others where they are enough."""
    data = read(path, _TAIL)
    if len(data) == _TAIL and _footer_of(data) > _TAIL:
        data = read(path)
    return pq.read_metadata(pa.BufferReader(data))


def _footer_of(tail: bytes) -> int:
    """Return how many of the last bytes of a Parquet file are its footer."""
    return int.from_bytes(tail[-8:-4], "little") + 8


def metadata(path: Place, footer: Any, kind: type[T], version: int) -> T:
    """Return what a file says of itself, of this version and as it was written."""
    raw = (footer.metadata or {}).get(META)
    if raw is None:
        raise StoreError(f"{path} was not written by this library; keep other files out of the store", path=path)
    theirs = msgspec.json.decode(raw, type=dict[str, Any])["version"]
    if theirs != version:
        why = f"{path} is of version {theirs}, this library reads {version}; use the capacity that wrote it"
        raise StoreError(why, path=path)
    if footer.metadata.get(META_SUM) != _checksum(raw):
        raise ValueError("its metadata does not match its checksum")
    return msgspec.json.decode(raw, type=kind)


def _header(path: Place, footer: Any) -> Week:
    meta = metadata(path, footer, _Meta, VERSION)
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


def read_rows(path: Place, by: str | None) -> Rows:
    """Read the rows; page checksums tell a flipped bit.

    Raises
    ------
    StoreError
        The file is damaged.
    """
    column = by or "variant"
    with reading(path):
        source = pa.BufferReader(read(path))
        file = pq.ParquetFile(source, read_dictionary=[column], page_checksum_verification=True)
        table = file.read(columns=["time", column, "max_concurrent"], use_threads=False)
        times = table.column("time").combine_chunks().cast(pa.int64()).to_numpy()
        label = table.column(column).combine_chunks()
        label = label.chunk(0) if isinstance(label, pa.ChunkedArray) else label
        small = np.int16 if len(label.dictionary) < 2**15 else np.int32
        rows = Rows(
            steps=(times // _STEP_US).astype(np.int32),
            codes=label.indices.to_numpy().astype(small),
            values=table.column("max_concurrent").combine_chunks().to_numpy(),
            ids=tuple(label.dictionary.to_pylist()),
        )
        # Page checksums do not cover the footer, which says how many rows there are and where.
        if _content(rows) != msgspec.json.decode(file.metadata.metadata[META], type=_Content).content:
            raise ValueError("its rows do not match their checksum")
        return rows


def _content(rows: Rows) -> int:
    """Return the CRC-32 of times and values, by which a lost or changed row is noticed."""
    return zlib.crc32(rows.values.astype(np.int32).tobytes(), zlib.crc32(rows.steps.astype(np.int32).tobytes()))


def _checksum(raw: bytes) -> bytes:
    """Return what stands beside metadata to tell a flipped bit in it."""
    return str(zlib.crc32(raw)).encode()


@contextlib.contextmanager
def reading(path: Place) -> Any:
    """Turn an error in the contents of a file into Damaged, and one of reading it into StoreError."""
    try:
        yield
    except (StoreError, FileNotFoundError):
        raise
    except (OSError, pa.ArrowException, msgspec.MsgspecError, KeyError, ValueError, AttributeError) as exc:
        if isinstance(exc, OSError) and exc.errno is not None:
            raise StoreError(f"{path} cannot be read ({exc.strerror}); it may be whole", path=path) from exc
        raise Damaged(f"{path} is damaged ({type(exc).__name__}: {exc}); {_MEND}", path=path) from exc


def write(path: Place, scope: Scope, pieces: list[Piece], rows: Rows, hide: Callable[[str], str] = hashed) -> None:
    """Replace the file in one step: a reader sees the old file or the new one, whole.

    `hide` gives what stands for a phone number in the metadata.

    Raises
    ------
    StoreError
        The disk is full or cannot be written; the old file stays as it was.
    """
    meta = _meta(scope, pieces, rows, hide)
    put_table(path, _table(scope, rows), meta, statistics=["time", "max_concurrent"])  # a series may be a phone number


def put_table(path: Place, table: pa.Table, meta: msgspec.Struct, *, statistics: list[str]) -> None:
    """Write a table as Parquet, with its metadata and checksums, and statistics of these columns alone."""
    raw, sink = msgspec.json.encode(meta), pa.BufferOutputStream()
    table = table.replace_schema_metadata({META: raw, META_SUM: _checksum(raw)})
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True, write_statistics=statistics)
    put(path, sink.getvalue())


def _table(scope: Scope, rows: Rows) -> pa.Table:
    shown = [TOTAL_NAME if i == TOTAL else rows.names.get(i, i) for i in rows.ids]
    column = scope.by or "variant"
    codes = pa.array(rows.codes, type=pa.int32())
    return pa.table(
        {
            "time": pa.array(rows.steps.astype(np.int64) * _STEP_US).cast(pa.timestamp("us", tz="UTC")),
            column: pa.DictionaryArray.from_arrays(codes, pa.array(rows.ids, type=pa.string())),
            "max_concurrent": pa.array(rows.values, type=pa.int32()),
            "variant_name": pa.DictionaryArray.from_arrays(codes, pa.array(shown, type=pa.string())),
        }
    )


def _meta(scope: Scope, pieces: list[Piece], rows: Rows, number: Callable[[str], str]) -> _Meta:
    private = scope.hidden(number)
    hide = number if scope.by == "phone_number" else str
    first = np.full(len(rows.ids), -1, dtype=np.int64)
    first[rows.codes[::-1]] = rows.steps[::-1]  # the earliest one stays
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
