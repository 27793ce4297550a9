"""Calls of any number to the store: shards by day, a prefix sum, and every week swept where it is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd

from capacity.calls.concurrency import bounds, check_options, range_of
from capacity.calls.shards import Shard, merged
from capacity.errors import CapacityError, StoreError
from capacity.fetch.build import check_absent, empty_frame
from capacity.fetch.endpoint import SLICES, Scope
from capacity.fetch.reader import read_intervals
from capacity.fetch.store import Store
from capacity.fleet.carry import Carrier, open_executor
from capacity.fleet.memory import kept_memory
from capacity.fleet.scratch import scratch_folder
from capacity.fleet.shard_task import Read, Reading, files_of, pieces, read_shards, shards_of
from capacity.fleet.week_task import Scopes, gap_windows, instant, sweep_week, weeks_of
from capacity.fleet.workers import SubmitsWork
from capacity.ground.arguments import as_whole
from capacity.ground.calls import Calls
from capacity.ground.result import Result
from capacity.ground.times import Instant

__all__ = ["StoredCalls", "intervals_to_store", "stream_intervals"]

Source: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Calls | pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class StoredCalls(Result):
    """How many calls and series `capacity.intervals_to_store` wrote, and for which range.

    Attributes
    ----------
    calls : int
        Call records read, blocked ones left out.
    series : int
        Series besides the total.
    span : tuple of Timestamp or None
        The range [start, end) that is held now, UTC; None where there was no call.
    store : str
        The address of the store.

    See Also
    --------
    capacity.intervals_to_store

    Examples
    --------
    >>> import capacity as cap
    >>> print(cap.StoredCalls(0, 0, None, "intervals"))
    0 calls: nothing was in progress at any time, and nothing is stored in intervals.
    """

    calls: int
    series: int
    span: tuple[pd.Timestamp, pd.Timestamp] | None
    store: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row: calls, series, start, end."""
        start, end = self.span or (pd.NaT, pd.NaT)
        return pd.DataFrame([{"calls": self.calls, "series": self.series, "start": start, "end": end}])

    def __str__(self) -> str:
        if self.span is None:
            return f"{self.calls:,} calls: nothing was in progress at any time, and nothing is stored in {self.store}."
        start, end = self.span
        return (
            f"{self.calls:,} calls of {self.series:,} series: maxima from {start:%Y-%m-%d %H:%M} to "
            f"{end:%Y-%m-%d %H:%M} UTC in {self.store}."
        )


def intervals_to_store(
    paths: Source,
    store: str | os.PathLike[str],
    *,
    by: str | None = "variant",
    start: Instant | None = None,
    end: Instant | None = None,
    total: bool = True,
    columns: Mapping[str, str] | None = None,
    gaps: pd.DataFrame | None = None,
    account: str = "calls",
    project: str = "calls",
    executor: SubmitsWork | None = None,
    workers: int | None = None,
    scratch: str | os.PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> StoredCalls:
    """Write call records of any number into a store of 5-minute maxima, and return what was stored.

    `capacity.read_intervals` reads the store; the frame equals `capacity.intervals_from_calls` of all calls, row for
    row. Files are read once, in any order, and cut into shards of starts and ends by UTC day; starts minus ends of each
    series and day say how many calls are in progress when a day begins; so every week is counted by itself. Memory is
    that of some million calls in each worker.

    Parameters
    ----------
    paths : path, iterable of paths, Calls or DataFrame
        Parquet files, or folders of them, with times that have a zone: ``start`` and ``end``, or ``start`` and
        ``duration``. Or calls in memory, as `capacity.read_calls` returns them for logs of any other kind.
    store : path
        The store; what it holds of this range under the same account and project is replaced.
    by : str or None, default "variant"
        The column to group by; None for the total alone. A store knows variants, languages and phone numbers: the
        values of another column are stored as variants.
    start, end, total, columns, gaps
        As in `capacity.intervals_from_calls`.
    account, project : str
        Under which names the store holds the series.
    executor : object with ``submit``, optional
        As in `capacity.assess_fleet`; `paths`, `store` and `scratch` have to be within reach of its workers.
    workers : int, optional
        Number of processes of the default executor, by default two; how many workers another one has.
    scratch : path or address, optional
        Where the shards are put, and removed at the end: 10 to 24 bytes a call. By default where the system puts such
        things; an address such as ``s3://bucket/prefix`` needs fsspec (extra ``cloud``).
    progress : callable, optional
        Called with (what is done, tasks done, tasks in all).

    Returns
    -------
    StoredCalls

    Raises
    ------
    FrameError
        As `capacity.intervals_from_calls`; a path that is not there or no Parquet.
    ConfigError
        An option that cannot be used, or a `store` that is a file.
    StoreError
        The store or the scratch folder cannot be written, or the workers were lost.

    See Also
    --------
    capacity.intervals_from_calls : for calls that fit into memory.
    capacity.read_intervals, capacity.read_calls, capacity.StoredCalls

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import capacity as cap
    >>> calls = cap.simulate_calls("2026-03-02", days=2, seed=1)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> calls.to_parquet(folder / "calls.parquet")
    >>> stored = cap.intervals_to_store(folder / "calls.parquet", folder / "store", workers=1)
    >>> print(f"{stored.calls:,} calls, {stored.series} series, {stored.span[0]} to {stored.span[1]}")
    7,768 calls, 4 series, 2026-03-02 00:05:00+00:00 to 2026-03-04 00:10:00+00:00
    >>> cap.read_intervals(folder / "store").equals(cap.intervals_from_calls(calls))
    True
    """
    check_options(by, total=total, absent="zero")
    sliced = None if by is None else Scope(account, project, by=by if by in SLICES else "variant")
    scopes = Scopes(Scope(account, project), sliced, total)
    lacking = gap_windows(gaps)
    Store(store)  # a store that is a file is refused before the work
    count = 2 if workers is None else as_whole(workers, "workers", least=1)
    reading = Reading(by, dict(columns or {}), bounds(start, end))
    with scratch_folder(scratch) as folder, open_executor(executor, count) as chosen:
        shards = _shards(paths, reading, folder, chosen, count, _Told(progress, "read"))
        net = merged(shards)
        lo, hi = reading.bounds
        span = range_of(
            min((s.first_start for s in shards if s.first_start is not None), default=None),
            max((s.last_end for s in shards if s.last_end is not None), default=None),
            max((s.last_open for s in shards if s.last_open is not None), default=None),
            lo,
            hi,
        )
        if span is not None:
            weeks = list(weeks_of(shards, net, span, scopes, os.fspath(store), lacking))
            _all(chosen, sweep_week, weeks, count, _Told(progress, "swept"))
    return StoredCalls(
        sum(s.calls for s in shards),
        len(net.ids),
        None if span is None else (instant(span[0]), instant(span[1])),
        os.fspath(store),
    )


def _shards(
    paths: Source, reading: Reading, folder: str, executor: SubmitsWork, workers: int, told: _Told
) -> list[Shard]:
    """Cut calls up: files through the executor, calls in memory at once."""
    calls = paths.frame if isinstance(paths, Calls) else paths
    if isinstance(calls, pd.DataFrame):
        return shards_of(calls, reading, folder)
    tasks = [Read(path, groups, reading, f"{folder}/{k}") for k, (path, groups) in enumerate(pieces(files_of(calls)))]
    return [shard for found in _all(executor, read_shards, tasks, workers, told) for shard in found]


def stream_intervals(
    paths: Source,
    *,
    by: str | None = "variant",
    absent: str = "zero",
    scratch: str | os.PathLike[str] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Return what `capacity.intervals_from_calls` does, for calls that are larger than memory.

    Parameters
    ----------
    paths, by, scratch
        As in `intervals_to_store`; the store is made beside the shards, and removed at the end.
    absent : {"zero", "missing"}
        As in `capacity.intervals_from_calls`.
    **options
        Of `intervals_to_store`.
    """
    check_absent(absent)
    with tempfile.TemporaryDirectory(prefix="capacity-", dir=scratch) as folder:
        done = intervals_to_store(paths, f"{folder}/store", by=by, scratch=scratch, **options)
        frame = empty_frame("variant") if done.span is None else read_intervals(f"{folder}/store", absent=absent)
    return frame.rename_axis(index={frame.index.names[1]: by or "variant"})


@dataclass
class _Told:
    progress: Callable[[str, int, int], None] | None
    what: str


def _all(
    executor: SubmitsWork, task: Callable[[Any], Any], items: Sequence[Any], workers: int, told: _Told
) -> list[Any]:
    """Carry out a task for all items; return what each gave, in order, or raise what one raised."""
    found: list[Any] = []

    def keep(results: Sequence[Any]) -> None:
        for result in results:
            if isinstance(result, CapacityError):
                raise result
            found.append(result)
        if told.progress is not None:
            told.progress(told.what, len(found), len(items))

    def lost(_item: Any, why: str) -> Any:
        raise StoreError(f"a part of the calls could not be {told.what}: {why}")

    batches = _Tasks(task)
    Carrier[Any, Any](executor, batches, arguments=lambda _: (), keep=keep, lost=lost, most=1).go(items, workers)
    return found


@dataclass(frozen=True)
class _Tasks:
    """A task for each item of a batch; an error of ours is a result, which is not tried again."""

    task: Callable[[Any], Any]

    def __call__(self, batch: Sequence[Any], mark: str) -> list[Any]:
        try:
            with kept_memory():
                return [self.task(item) for item in batch]
        except CapacityError as exc:
            return [exc]
