"""A plan carried out through an executor: projects, pools, and what stays for the next run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from capacity.errors import ConfigError
from capacity.fleet.carry import Carrier, open_executor
from capacity.fleet.parts import Parts, alone_in, read_table, write_table
from capacity.fleet.plan import Plan, PlanLike, PlanRow, read_plan
from capacity.fleet.pool import pools_table
from capacity.fleet.pool_task import PoolJob, pool_jobs, work_pools
from capacity.fleet.result import Fleet
from capacity.fleet.table import as_table, changes, failed_row, ranked
from capacity.fleet.task import Outcome, Settings, work
from capacity.fleet.workers import SubmitsWork
from capacity.ground.address import as_place
from capacity.ground.arguments import as_horizon, as_seed, as_whole
from capacity.ground.spans import SpanLike, as_span
from capacity.ground.tariff import Tariff

__all__ = ["assess_fleet"]

Progress: TypeAlias = Callable[[str, int, int], None]


def assess_fleet(
    plan: PlanLike | Plan,
    *,
    horizon: int = 365,
    seed: int = 1,
    executor: SubmitsWork | None = None,
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    backtest: bool = False,
    tariff: Tariff | None = None,
    lead_time: SpanLike | None = None,
    progress: Progress | None = None,
) -> Fleet:
    """Return a verdict for every project of a plan, worked out on this machine's processes or through any executor.

    Each project is read from its own store where the work is done and assessed as `capacity.assess` does it. The
    table is the same whatever the executor and the number of workers. A project that cannot be assessed is a row
    whose ``reason`` says why; the others go on.

    Parameters
    ----------
    plan : path or DataFrame
        A CSV file or the same columns as a DataFrame, one row a project: ``project``, ``store``, ``licences`` (a
        count, or steps), ``tz``; and optionally ``account``, ``env``, ``pool``, ``holidays``, ``mean_call_length``,
        ``licence_price``, ``lost_call_cost``, ``events`` (a path), ``key_env``. Relative paths are relative to the
        plan's folder.
    horizon : int
        Days to forecast, 1 to 365; 365 by default.
    seed : int, default 1
        Seed of the simulations, the same for every project.
    executor : object with ``submit``, optional
        A ``concurrent.futures`` executor, a ``dask.distributed.Client``, mpi4py's pool, or anything whose
        ``submit(function, *args)`` returns an object with ``result()``; nothing else of it is used, and it is left
        open. By default a pool of processes on this machine.
    workers : int, optional
        Number of processes of the default pool, by default one a core. For another executor, how many workers it has:
        the projects are cut into batches so that all of them stay busy.
    out : path, optional
        A folder for the results: ``fleet.parquet``, ``pooled.parquet``, ``changes.parquet``, and ``parts/``. A part is
        written when its batch is done, and used again in a later run where plan row, store contents, settings and
        version are equal. None writes nothing.
    backtest : bool, default False
        Whether to back-test each forecast, which takes about three times as long. Without, ``confidence`` is
        "untested".
    tariff : Tariff, optional
        How licences are paid for: for each project that has a ``mean_call_length`` and no prices of its own.
    lead_time : int, str or timedelta, optional
        From order to use: days, "21d" or "3w"; gives ``order_by``.
    progress : callable, optional
        Called with (the project done last, projects done, projects in all).

    Returns
    -------
    Fleet

    Raises
    ------
    ConfigError
        The plan cannot be read as a whole, or an argument is out of range.
    StoreError
        `out` cannot be written, or another run is at work in it.

    See Also
    --------
    capacity.assess, capacity.assess_pools, capacity.Fleet

    Examples
    --------
    >>> import capacity as cap
    >>> plan = pd.DataFrame({"project": ["hotel"], "store": ["no-such-folder"], "licences": [40], "tz": ["UTC"]})
    >>> fleet = cap.assess_fleet(plan, workers=1)
    >>> print(fleet.sentence())
    1 project: none with a verdict. Without a verdict: 1.
    """
    ahead = None if lead_time is None else as_span(lead_time, "lead_time")
    settings = Settings(as_horizon(horizon), as_seed(seed), bool(backtest), tariff, ahead)
    count = (os.cpu_count() or 1) if workers is None else as_whole(workers, "workers", least=1)
    todo = read_plan(plan)
    folder = _folder(out)
    with alone_in(folder):
        return _carried_out(todo, settings, folder, executor, count, progress)


def _folder(out: str | os.PathLike[str] | None) -> Path | None:
    if out is None:
        return None
    place = as_place(out, name="out")
    if not isinstance(place, Path):
        raise ConfigError(f"out={str(out)!r} is an address; results are kept in a folder")
    return place


def _carried_out(
    todo: Plan,
    settings: Settings,
    folder: Path | None,
    executor: SubmitsWork | None,
    count: int,
    progress: Progress | None,
) -> Fleet:
    last = None if folder is None else read_table(folder / "fleet.parquet")
    run = _Run(todo, settings, Parts(None if folder is None else folder / "parts"), progress)
    with open_executor(executor, min(count, len(todo.rows))) as chosen:
        try:
            run.projects(chosen, count)
            run.pools(chosen, count)
        except KeyboardInterrupt as stop:
            kept = (
                "lost, as there is no out" if folder is None else f"kept in {folder}; the same call goes on from there"
            )
            stop.add_note(f"{run.done:,} of {len(todo.rows):,} projects are done and {kept}")
            raise
    table = run.table()
    fleet = Fleet(
        table=table,
        pooled=pools_table(run.pooled),
        changes=changes(last, table),
        peaks=run.parts.peaks([row.project for row in todo.rows]),
        plan=todo,
        settings=settings,
        notes=todo.notes,
    )
    if folder is not None:
        for name in ("pooled", "changes", "table"):  # the table last: it is what the next run compares with
            write_table(getattr(fleet, name), folder / f"{'fleet' if name == 'table' else name}.parquet")
        run.parts.prune([row.project for row in todo.rows])
    return fleet


class _Run:
    """What came of a plan so far."""

    def __init__(self, plan: Plan, settings: Settings, parts: Parts, progress: Progress | None) -> None:
        self.plan, self.settings, self.parts = plan, settings, parts
        self._progress = progress
        self.done = 0
        self.pooled: dict[str, dict[str, Any]] = {}

    def projects(self, executor: SubmitsWork, workers: int) -> None:
        """Assess every project."""
        known = dict(self.parts.known)

        def arguments(batch: Sequence[PlanRow]) -> tuple[Settings, dict[str, str] | None]:
            mine = {row.project: known[row.project] for row in batch if row.project in known}
            return self.settings, mine if self.parts.kept else None

        def keep(outcomes: Sequence[Outcome]) -> None:
            self.parts.add(outcomes)
            self.done += len(outcomes)
            if self._progress is not None and outcomes:
                self._progress(outcomes[-1].project, self.done, len(self.plan.rows))

        def lost(row: PlanRow, why: str) -> Outcome:
            return Outcome(row.project, "", failed_row(row.pool, why))

        Carrier(executor, work, arguments=arguments, keep=keep, lost=lost).go(self.plan.rows, workers)

    def pools(self, executor: SubmitsWork, workers: int) -> None:
        """Forecast every pool that all its projects are known of."""
        jobs, bad = pool_jobs(self.plan)
        self.pooled |= bad

        def keep(found: Sequence[tuple[str, dict[str, Any]]]) -> None:
            self.pooled |= dict(found)

        def lost(job: PoolJob, why: str) -> tuple[str, dict[str, Any]]:
            return job.name, failed_row("", why)

        Carrier(executor, work_pools, arguments=lambda _: (self.settings,), keep=keep, lost=lost).go(jobs, workers)

    def table(self) -> pd.DataFrame:
        """Return the table of all projects, the riskiest first."""
        rows = self.parts.rows([row.project for row in self.plan.rows])
        rows |= {bad.project: failed_row(bad.pool, bad.reason) for bad in self.plan.failures}
        return ranked(as_table(rows), self.plan.order)
