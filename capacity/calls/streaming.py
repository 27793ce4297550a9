"""More calls than fit into memory: Parquet in, THE frame out, by way of events that are put down on disk by day."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.dataset

from capacity.calls.columns import CallArrays, call_arrays
from capacity.calls.concurrency import bounds, check_options, framed, range_of
from capacity.calls.keys import order_of
from capacity.calls.sweep import Piece, sweep
from capacity.errors import FrameError
from capacity.ground.times import DAY, STEP, Instant

__all__ = ["stream_intervals"]

Ints = npt.NDArray[Any]

_STEP_NS = STEP.value
_DAY_NS = DAY.value
_BATCH = 1 << 18  # rows
_LOAD = 4_000_000  # events that are swept at once; some 300 MB
_RECORD = np.dtype([("time", "<i8"), ("code", "<u4")])
_COLUMNS = ("start", "end", "duration", "blocked", "variant_name")


def stream_intervals(
    path: str | Path,
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    by: str | None = "variant",
    total: bool = True,
    absent: str = "zero",
    columns: Mapping[str, str] | None = None,
    gaps: pd.DataFrame | None = None,
    scratch: str | Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> pd.DataFrame:
    """Do what `capacity.intervals_from_calls` does, for a Parquet file or folder that is larger than memory.

    The file is read once, in batches and in any order. Starts and ends go to a scratch folder, one file a UTC day,
    and are swept day after day; what is in progress at the end of a day is carried over. Memory is that of a few
    million calls and of the result; the scratch folder takes 24 bytes a call.

    Parameters
    ----------
    path : path
        A Parquet file, or a folder of them, with aware times.
    start, end, by, total, absent, columns, gaps
        As in `capacity.intervals_from_calls`.
    scratch : path, optional
        Where the scratch folder is made, and removed at the end; by default where the system puts such things.
    progress : callable, optional
        Called with the number of calls read so far.

    Returns
    -------
    DataFrame
        THE frame, the same as from memory.

    Raises
    ------
    FrameError, ConfigError
        As `capacity.intervals_from_calls`; and for a path that is no Parquet.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from capacity.calls import concurrency, simulate
    >>> calls = simulate.simulate_calls("2026-03-02", days=2, seed=1)
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "calls.parquet"
    >>> calls.to_parquet(file)
    >>> stream_intervals(file).equals(concurrency.intervals_from_calls(calls))
    True
    """
    check_options(by, total=total, absent=absent)
    if not (Path(path).is_dir() or Path(path).suffix.lower() in (".parquet", ".pq")):
        raise FrameError(f"{path} is no Parquet file or folder; read other logs with capacity.read_calls")
    if not Path(path).exists():
        raise FrameError(f"{path} is not there")
    with tempfile.TemporaryDirectory(prefix="capacity-", dir=scratch) as folder:
        store = _Scratch(Path(folder), *bounds(start, end))
        for arrays in _batches(Path(path), by, columns):
            store.add(arrays)
            if progress is not None:
                progress(store.read)
        span = range_of(store.first_start, store.last_end, store.last_open, store.lo, store.hi)
        ids = sorted(store.place)

        def pieces(first: int, last: int) -> Iterator[Piece]:
            return _Sweep(store, ids, first, last, total=total, sliced=by is not None).pieces()

        return framed(pieces, span, ids=ids, named=store.named, by=by, total=total, absent=absent, gaps=gaps)


def _batches(path: Path, by: str | None, columns: Mapping[str, str] | None) -> Iterator[CallArrays]:
    try:
        dataset = pyarrow.dataset.dataset(path, format="parquet")
        yield from _arrays(dataset, path, by, columns)
    except (OSError, pa.ArrowException) as exc:
        raise FrameError(f"{path} cannot be read ({exc}); is it what its name says?") from exc


def _arrays(
    dataset: pyarrow.dataset.Dataset, path: Path, by: str | None, columns: Mapping[str, str] | None
) -> Iterator[CallArrays]:
    there = [str(n) for n in dataset.schema.names]
    named = dict(columns or {})
    ours = [*_COLUMNS, *([by] if by is not None else [])]
    wanted = [c for c in dict.fromkeys(named.get(c, c) for c in ours) if c in there]
    missing = [c for c in named.values() if c not in there]
    if missing:
        raise FrameError(f"{path} has no columns {missing}; there are {there}")
    used = {ours_: theirs for ours_, theirs in named.items() if theirs in wanted}
    # Without read-ahead and buffering of whole files: memory must not grow with the file.
    batches = dataset.to_batches(
        columns=wanted,
        batch_size=_BATCH,
        batch_readahead=1,
        fragment_readahead=1,
        use_threads=False,
        fragment_scan_options=pyarrow.dataset.ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False),
    )
    for batch in batches:
        yield call_arrays(batch.to_pandas(), by=by, columns=used)


class _Scratch:
    """Starts and ends on disk by UTC day, and what has to be known of all calls together."""

    def __init__(self, folder: Path, lo: int | None, hi: int | None) -> None:
        self.folder = folder
        self.lo, self.hi = lo, hi
        self.read = 0
        self.place: dict[str, int] = {}
        self.named: dict[str, tuple[int, str]] = {}
        self.days: set[int] = set()
        self.carried: Ints = np.zeros(0, np.int64)  # in progress already at `lo`
        self.first_start: int | None = None
        self.last_end: int | None = None
        self.last_open: int | None = None

    def add(self, arrays: CallArrays) -> None:
        """Take one batch of calls."""
        self.read += len(arrays.starts)
        if len(arrays.starts) == 0:
            return
        self._note(arrays)
        table = np.array([self.place.setdefault(i, len(self.place)) for i in arrays.ids] or [0], dtype=np.uint32)
        codes, starts, ends = table[arrays.codes], arrays.starts, arrays.ends
        counts = arrays.open | (ends > starts)
        if self.lo is not None:
            counts &= arrays.open | (ends > self.lo)
        if self.hi is not None:
            counts &= starts < self.hi
        before = counts & (starts < self.lo) if self.lo is not None else np.zeros(len(starts), dtype=bool)
        now = np.bincount(codes[before], minlength=max(len(self.place), len(self.carried)))
        now[: len(self.carried)] += self.carried
        self.carried = now
        self._put("start", starts, codes, counts & ~before)
        closes = counts & ~arrays.open
        self._put("end", ends, codes, closes & (ends <= self.hi) if self.hi is not None else closes)

    def load(self, side: str, day: int) -> npt.NDArray[Any]:
        """Return the events of one day: time [ns since 1970] and code."""
        file = self.folder / f"{side}{day}"
        return np.fromfile(file, dtype=_RECORD) if file.exists() else np.empty(0, dtype=_RECORD)

    def _note(self, arrays: CallArrays) -> None:
        for label, found in arrays.named.items():
            self.named[label] = max(found, self.named.get(label, found), key=lambda pair: pair[0])
        first = int(arrays.starts.min())
        self.first_start = first if self.first_start is None else min(first, self.first_start)
        if not arrays.open.all():
            last = int(arrays.ends[~arrays.open].max())
            self.last_end = last if self.last_end is None else max(last, self.last_end)
        if arrays.open.any():
            last = int(arrays.starts[arrays.open].max())
            self.last_open = last if self.last_open is None else max(last, self.last_open)

    def _put(self, side: str, times: Ints, codes: Ints, keep: Ints) -> None:
        if not keep.all():
            times, codes = times[keep], codes[keep]
        if len(times) == 0:
            return
        # An end at midnight belongs to the day before, as in the sweep.
        day = (times - (1 if side == "end" else 0)) // _DAY_NS
        low = int(day.min())
        order = order_of(day - low, int(day.max()) - low + 1)
        events = np.empty(len(times), dtype=_RECORD)
        events["time"], events["code"] = times[order], codes[order]
        edges = np.cumsum(np.bincount(day - low))
        for k in np.flatnonzero(np.diff(edges, prepend=0)).tolist():
            begin = int(edges[k - 1]) if k else 0
            with (self.folder / f"{side}{low + k}").open("ab") as file:
                events[begin : int(edges[k])].tofile(file)
            self.days.add(low + k)


@dataclass(frozen=True)
class _Sweep:
    """The sweep over the scratch folder: days in order, several at once while they are small."""

    store: _Scratch
    ids: list[str]
    first: int
    last: int
    total: bool
    sliced: bool

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces of the whole range, in order of time."""
        groups = max(len(self.ids), 1)
        rank = {label: k for k, label in enumerate(self.ids)}
        table = np.array([rank[label] for label in self.store.place] or [0], dtype=np.int64)
        carry = np.zeros(groups, np.int64)
        if len(self.store.carried):
            carry[table[: len(self.store.carried)]] = self.store.carried
        begin = self.first
        for until, ups, downs in self._loads():
            up, down = table[ups["code"]], table[downs["code"]]
            steps = (until - begin) // _STEP_NS
            for piece in sweep(
                ups["time"] - begin,
                downs["time"] - begin,
                up,
                down,
                groups=groups,
                steps=steps,
                width=_STEP_NS,
                total=self.total,
                sliced=self.sliced,
                carry=carry,
            ):
                yield replace(piece, first=piece.first + (begin - self.first) // _STEP_NS)
            carry = carry + np.bincount(up, minlength=groups) - np.bincount(down, minlength=groups)
            begin = until

    def _loads(self) -> Iterator[tuple[int, Ints, Ints]]:
        """Yield (end of the days, starts, ends) of consecutive days with some million events."""
        held: list[tuple[Ints, Ints]] = []
        size = 0
        for day in sorted(self.store.days):
            held.append((self.store.load("start", day), self.store.load("end", day)))
            size += len(held[-1][0]) + len(held[-1][1])
            if size >= _LOAD and (day + 1) * _DAY_NS < self.last:
                yield (day + 1) * _DAY_NS, *(np.concatenate(side) for side in zip(*held, strict=True))
                held, size = [], 0
        none = np.empty(0, dtype=_RECORD)
        ups, downs = (np.concatenate([none, *(pair[k] for pair in held)]) for k in (0, 1))
        yield self.last, ups, downs
