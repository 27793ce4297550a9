"""Results on disk: Parquet parts that stay, one a batch, and the tables made of them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from capacity.errors import ConfigError, StoreError
from capacity.fleet.table import FLEET_SCHEMA, as_table
from capacity.fleet.task import Outcome
from capacity.ground.files import locked
from capacity.ground.times import DAY

__all__ = ["Parts", "alone_in", "read_table", "write_table"]


class Parts:
    """What is at hand of a run: in a folder, or in memory where there is none.

    Parameters
    ----------
    folder : path or None
        Parts of earlier runs are read from it; made when the first part is written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._rows: dict[str, dict[str, Any]] = {}
        self._marks: dict[str, str] = {}
        self._days: dict[str, tuple[Any, Any]] = {}
        self._at: dict[str, Path] = {}
        if folder is not None:
            self._read(folder)

    @property
    def kept(self) -> bool:
        """Whether results stay after the run."""
        return self._folder is not None

    @property
    def known(self) -> Mapping[str, str]:
        """The fingerprint of every project that is at hand."""
        return self._marks

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Keep what came of a batch; what is unchanged is kept already."""
        fresh = [outcome for outcome in outcomes if outcome.row is not None]
        for outcome in fresh:
            self._rows[outcome.project] = outcome.row or {}
            self._days[outcome.project] = (outcome.days, outcome.peaks)
            if outcome.fingerprint:
                self._marks[outcome.project] = outcome.fingerprint
        if self._folder is None or not fresh:
            return
        path = self._folder / f"{hashlib.blake2b(_names(fresh).encode(), digest_size=8).hexdigest()}.parquet"
        table = as_table({o.project: o.row or {} for o in fresh}).reset_index()
        table["fingerprint"] = [o.fingerprint for o in fresh]
        table["peak_days"] = [o.days for o in fresh]
        table["peak_values"] = [o.peaks for o in fresh]
        write(table, path)
        for outcome in fresh:
            self._at[outcome.project] = path
            del self._days[outcome.project]  # it is on disk: memory does not grow with the projects

    def rows(self, projects: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of these projects."""
        return {project: self._rows[project] for project in projects}

    def peaks(self, projects: Sequence[str]) -> pd.DataFrame:
        """Return the daily peaks of these projects: index date, one column a project [calls], NaN where unknown."""
        found: dict[str, tuple[Any, Any]] = {}
        for path in sorted({self._at[p] for p in projects if p in self._at}):
            part = pq.read_table(path, columns=["project", "peak_days", "peak_values"]).to_pylist()
            found |= {row["project"]: (row["peak_days"], row["peak_values"]) for row in part}
        found |= self._days
        columns = {p: _series(*found[p]) for p in projects if p in found}
        wide = pd.DataFrame(columns, columns=pd.Index(list(columns), name="project"), dtype=np.float64)
        return wide.sort_index().rename_axis("date")

    def prune(self, projects: Sequence[str]) -> None:
        """Remove the parts that hold none of these projects' latest results."""
        if self._folder is not None and self._folder.is_dir():
            live = {self._at[p] for p in projects if p in self._at}
            for path in set(self._folder.glob("*.parquet")) - live:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _read(self, folder: Path) -> None:
        for path in sorted(folder.glob("*.parquet"), key=lambda p: p.stat().st_mtime_ns):
            try:
                table = pq.read_table(path, columns=["project", *FLEET_SCHEMA, "fingerprint"])
            except (OSError, pa.ArrowException, KeyError):
                continue  # damaged, or of another version: its projects are assessed again
            for row in table.to_pylist():
                project, mark = row.pop("project"), row.pop("fingerprint")
                if mark:
                    self._rows[project], self._marks[project], self._at[project] = row, mark, path


@contextlib.contextmanager
def alone_in(out: Path | None) -> Iterator[None]:
    """Keep a folder of results, which is made, from another run: it would remove our parts.

    Raises
    ------
    ConfigError
        `out` is a file.
    StoreError
        It cannot be written, or another run is at work in it.
    """
    if out is None:
        yield
        return
    if out.exists() and not out.is_dir():
        raise ConfigError(f"out={str(out)!r} is a file; give a folder")
    busy = f"another run is at work in {out}; wait until it is done, or give another folder"
    with locked(out, 0.0, busy=busy):
        yield


def _names(outcomes: Sequence[Outcome]) -> str:
    return "\0".join(f"{o.project}\0{o.fingerprint}" for o in outcomes)


def _series(days: Any, peaks: Any) -> pd.Series:
    dates = pd.DatetimeIndex(np.asarray(days, dtype=np.int64) * DAY.value)
    return pd.Series(np.asarray(peaks, dtype=np.float64), index=dates)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table with its index, in one step."""
    write(table.reset_index(), path)


def read_table(path: Path) -> pd.DataFrame | None:
    """Return the table of the last run, index project; None where there is none that can be read."""
    if not path.exists():
        return None
    try:
        rows = pq.read_table(path).to_pylist()
        return as_table({row.pop("project"): row for row in rows})
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None


def write(table: pd.DataFrame, path: Path) -> None:
    """Write Parquet whole or not at all: whoever reads sees the old file or the new one.

    Raises
    ------
    StoreError
        The disk is full or cannot be written.
    ConfigError
        The folder is a file.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), sink, compression="zstd")
    fresh = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("xb") as file:
            file.write(sink.getvalue())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as exc:
        raise StoreError(f"{path} cannot be written ({exc.strerror or exc}); make room", path=path) from exc
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
