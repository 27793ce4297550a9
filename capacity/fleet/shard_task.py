"""Files of calls to shards: what a worker reads, and how files are cut up."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from capacity.calls.columns import CallArrays, call_arrays
from capacity.calls.shards import Shard, write_shard
from capacity.errors import FrameError
from capacity.fleet.scratch import write_whole

__all__ = ["Read", "Reading", "files_of", "pieces", "read_shards", "shards_of"]

_BATCH = 1 << 19  # rows read at once
_SHARD = 1 << 21  # calls in a shard
_COLUMNS = ("start", "end", "duration", "blocked", "variant_name")


@dataclass(frozen=True)
class Reading:
    """How calls are read: the column to group by, which column is what, and the range [ns)."""

    by: str | None
    columns: dict[str, str]
    bounds: tuple[int | None, int | None]


@dataclass(frozen=True)
class Read:
    """Row groups of one file, and where their shards go."""

    path: str
    groups: tuple[int, ...]
    reading: Reading
    address: str


def files_of(paths: Any) -> list[Path]:
    """Return the Parquet files that paths name, those in folders included."""
    one = isinstance(paths, (str, os.PathLike))
    found: list[Path] = []
    for path in [Path(p).expanduser() for p in ([paths] if one else paths)]:
        if not path.exists():
            raise FrameError(f"{path} is not there")
        held = sorted(p for p in path.rglob("*") if p.suffix in (".parquet", ".pq")) if path.is_dir() else [path]
        if not held:
            raise FrameError(f"{path} holds no Parquet file; read other logs with capacity.read_calls")
        found += held
    if not found:
        raise FrameError("there is no file of calls; name at least one")
    return found


def pieces(files: Sequence[Path]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield row groups of some million rows."""
    for path in files:
        with _parquet(path) as file:
            sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
        first, rows = 0, 0
        for k, size in enumerate(sizes):
            rows += size
            if rows >= _SHARD or k + 1 == len(sizes):
                yield str(path), tuple(range(first, k + 1))
                first, rows = k + 1, 0


@contextlib.contextmanager
def _parquet(path: str | Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            yield file
    except (OSError, pa.ArrowException) as exc:
        raise FrameError(f"{path} cannot be read as Parquet ({exc}); read other logs with capacity.read_calls") from exc


def read_shards(task: Read) -> list[Shard]:
    """Read row groups into shards."""
    shards: list[Shard] = []
    held: list[CallArrays] = []

    def put() -> None:
        if held:
            address = f"{task.address}-{len(shards)}"
            shards.append(write_shard(_joined(held), address, write_whole, *task.reading.bounds))
            held.clear()

    with _parquet(task.path) as file:
        wanted, used = _wanted(task, file.schema_arrow.names)
        for batch in file.iter_batches(_BATCH, row_groups=list(task.groups), columns=wanted, use_threads=False):
            held.append(call_arrays(batch.to_pandas(), by=task.reading.by, columns=used))
            if sum(len(one.starts) for one in held) >= _SHARD:
                put()
    put()
    return shards


def shards_of(calls: pd.DataFrame, reading: Reading, folder: str) -> list[Shard]:
    """Cut calls in memory into shards."""
    return [
        write_shard(
            call_arrays(calls.iloc[k : k + _SHARD], by=reading.by, columns=reading.columns),
            f"{folder}/{k}",
            write_whole,
            *reading.bounds,
        )
        for k in range(0, max(len(calls), 1), _SHARD)
    ]


def _wanted(task: Read, there: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the columns to read, and which of them is what."""
    named, by = task.reading.columns, task.reading.by
    if missing := [c for c in named.values() if c not in there]:
        raise FrameError(f"{task.path} has no columns {missing}; there are {list(there)}")
    ours = [*_COLUMNS, *([by] if by is not None else [])]
    wanted = [c for c in dict.fromkeys(named.get(c, c) for c in ours) if c in there]
    return wanted, {ours_: theirs for ours_, theirs in named.items() if theirs in wanted}


def _joined(parts: Sequence[CallArrays]) -> CallArrays:
    """Join batches, each of which has series of its own."""
    if len(parts) == 1:
        return parts[0]
    ids = sorted({label for part in parts for label in part.ids})
    place = {label: k for k, label in enumerate(ids)}
    small = np.uint8 if len(ids) <= 1 << 8 else np.uint16 if len(ids) <= 1 << 16 else np.uint32
    tables = [np.array([place[label] for label in part.ids] or [0], dtype=small) for part in parts]
    named: dict[str, tuple[int, str]] = {}
    for part in parts:
        for label, found in part.named.items():
            named[label] = max(found, named.get(label, found), key=lambda pair: pair[0])
    return CallArrays(
        starts=np.concatenate([part.starts for part in parts]),
        ends=np.concatenate([part.ends for part in parts]),
        open=np.concatenate([part.open for part in parts]),
        codes=np.concatenate([table[part.codes] for table, part in zip(tables, parts, strict=True)]),
        ids=ids,
        named=named,
    )
