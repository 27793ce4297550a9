"""Rows of call records: joined, and where each call ends. Arrow tables by `capacity.fetch.conversations.SCHEMA`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from capacity.fetch.conversations import SCHEMA


def latest(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of all tables, one for each id: that of the latest answer; by start."""
    rows = pa.concat_tables([SCHEMA.empty_table(), *tables])
    return rows.take(pa.array(latest_rows(rows))).combine_chunks()


def latest_rows(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Return the places of the rows that hold: for each id that of the latest answer; by start."""
    ids, asked, start = (ints(rows, name) for name in ("id", "asked_at", "start"))
    order = np.lexsort((np.arange(len(ids)), asked, ids))
    last = order[np.append(ids[order][1:] != ids[order][:-1], True)[: len(ids)]]
    return np.asarray(last[np.lexsort((ids[last], start[last]))], dtype=np.int64)


def ends(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Return the end of each call [us since 1970]; the start where its length is not known."""
    length = np.where(known(rows, "total_duration"), ints(rows, "total_duration"), ints(rows, "polyai_duration"))
    return np.asarray(ints(rows, "start") + length * 1_000_000)


def ints(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    """Return a column as integers, 0 where it is null; times as microseconds since 1970."""
    column = rows.column(name)
    kind = pa.uint64() if name == "id" else pa.int64()
    return np.asarray(column.cast(kind).fill_null(0).to_numpy())


def known(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    """Return where a column is not null."""
    return np.asarray(rows.column(name).is_valid().to_numpy())


def flags(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    """Return a column of true and false; null is false."""
    return np.asarray(rows.column(name).fill_null(False).to_numpy())
