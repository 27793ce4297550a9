"""Calls of any number to the store: shards by day, a prefix sum, and every week swept where it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from capacity.calls.concurrency import bounds, check_options, range_of
from capacity.calls.shards import merged
from capacity.errors import CapacityError, StoreError
from capacity.fetch.endpoint import Scope
from capacity.fetch.store import Store
from capacity.fleet.carry import Carrier, open_executor
from capacity.fleet.scratch import scratch_folder
from capacity.fleet.shard_task import Read, Reading, files_of, pieces, read_shards
from capacity.fleet.week_task import Scopes, instant, sweep_week, weeks_of
from capacity.fleet.workers import SubmitsWork
from capacity.ground.result import Result
from capacity.ground.times import Instant

__all__ = ["StoredCalls", "intervals_to_store"]


@dataclass(frozen=True, eq=False, repr=False)
class StoredCalls(Result):
    """What `intervals_to_store` put down.

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

    Examples
    --------
    >>> print(StoredCalls(0, 0, None, "intervals"))
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
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
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
    """Turn call records of any number into weekly Parquet that `capacity.read_intervals` reads.

    The frame that is read back equals `capacity.intervals_from_calls` of all calls, row for row. Files are read once,
    in any order, into shards of starts and ends by UTC day; what each series nets by day tells what is in progress
    when a day begins; then every week is swept by itself. Memory is that of some million calls in each worker.

    Parameters
    ----------
    paths : path, or iterable of paths
        Parquet files, or folders of them, with aware times: ``start`` and ``end``, or ``start`` and ``duration``.
    store : path
        The store; what it holds of this range under the same account and project is replaced.
    by : {"variant", "language", "phone_number"} or None
        The column to group by; None for the total alone. Another column: ``columns={"variant": "queue"}``.
    start, end, total, columns, gaps
        As in `capacity.intervals_from_calls`.
    account, project : str
        Under which names the store holds the series.
    executor : object with ``submit``, optional
        As in `capacity.assess_fleet`; `paths`, `store` and `scratch` have to be within reach of its workers.
    workers : int, optional
        Number of processes of the default executor, by default two; how many workers another one has.
    scratch : path or address, optional
        Where the shards are put, and removed at the end: 5 to 24 bytes a call. By default where the system puts such
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
        An option that means nothing, or a column that the store cannot be sliced by.
    StoreError
        The store or the scratch folder cannot be written, or the workers were lost.

    See Also
    --------
    capacity.intervals_from_calls : for calls that fit into memory.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import capacity as cap
    >>> calls = cap.simulate_calls("2026-03-02", days=2, seed=1)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> calls.to_parquet(folder / "calls.parquet")
    >>> _ = intervals_to_store(folder / "calls.parquet", folder / "store", workers=1)
    >>> cap.read_intervals(folder / "store").equals(cap.intervals_from_calls(calls))
    True
    """
    check_options(by, total=total, absent="zero")
    scopes = Scopes(Scope(account, project), Scope(account, project, by=by) if by is not None else None, total)
    Store(store)  # a store that is a file is refused before the work
    count = 2 if workers is None else workers
    reading = Reading(by, dict(columns or {}), bounds(start, end))
    with scratch_folder(scratch) as folder, open_executor(executor, count) as chosen:
        tasks = [
            Read(path, groups, reading, f"{folder}/{k}") for k, (path, groups) in enumerate(pieces(files_of(paths)))
        ]
        told = _Told(progress, "read")
        shards = [shard for found in _all(chosen, read_shards, tasks, count, told) for shard in found]
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
            weeks = list(weeks_of(shards, net, span, scopes, os.fspath(store), gaps))
            _all(chosen, sweep_week, weeks, count, _Told(progress, "swept"))
    return StoredCalls(
        sum(s.calls for s in shards),
        len(net.ids),
        None if span is None else (instant(span[0]), instant(span[1])),
        os.fspath(store),
    )


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
            return [self.task(item) for item in batch]
        except CapacityError as exc:
            return [exc]
