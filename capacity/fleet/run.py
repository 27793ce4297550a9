"""A plan carried out through an executor: batches, what a lost worker means, and what stays for the next run."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from capacity.fleet.parts import Parts, read_table, write_table
from capacity.fleet.plan import PlanLike, PlanRow, read_plan
from capacity.fleet.result import Fleet
from capacity.fleet.table import as_table, changes, failed_row, ranked
from capacity.fleet.task import Outcome, Settings, work
from capacity.fleet.workers import HasResult, InProcess, Lost, SubmitsWork, WorkersOfThisMachine
from capacity.ground.arguments import as_horizon, as_seed, as_whole

__all__ = ["assess_fleet"]

Progress: TypeAlias = Callable[[str, int, int], None]

_MOST = 8  # projects in a batch: some seconds of work, so that the last batch keeps nobody waiting
_ROUNDS = 4  # batches a worker, at least, for the same reason


def assess_fleet(
    plan: PlanLike,
    *,
    horizon: int = 365,
    seed: int = 1,
    executor: SubmitsWork | None = None,
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    backtest: bool = False,
    progress: Progress | None = None,
) -> Fleet:
    """Assess every project of a plan, on the processes of this machine or through any executor.

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
        Days to forecast, 1 to 365.
    seed : int
        Seed of all that is drawn, the same for every project.
    executor : object with ``submit``, optional
        A ``concurrent.futures`` executor, a ``dask.distributed.Client``, mpi4py's pool, or anything whose
        ``submit(function, *args)`` returns an object with ``result()``; nothing else of it is used, and it is left
        open. By default a pool of processes on this machine.
    workers : int, optional
        Number of processes of the default pool, by default one a core. For another executor, how many workers it has:
        the projects are cut into batches so that all of them stay busy.
    out : path, optional
        A folder for the results: ``fleet.parquet``, ``changes.parquet``, and ``parts/``. A part is written when its
        batch is done, and used again in a later run where plan row, store contents, settings and version are equal.
        None writes nothing.
    backtest : bool
        Whether to back-test each forecast, which takes about three times as long. Without, ``confidence`` is
        "untested".
    progress : callable, optional
        Called with (what was done last, projects done, projects in all).

    Returns
    -------
    Fleet

    Raises
    ------
    ConfigError
        The plan cannot be read as a whole, or an argument is out of range.
    StoreError
        `out` cannot be written.

    Examples
    --------
    >>> import pandas as pd
    >>> plan = pd.DataFrame({"project": ["hotel"], "store": ["no-such-folder"], "licences": [40], "tz": ["UTC"]})
    >>> fleet = assess_fleet(plan, workers=1)
    >>> print(fleet.sentence())
    1 project: none with a verdict. Without a verdict: 1.
    """
    settings = Settings(as_horizon(horizon), as_seed(seed), bool(backtest))
    count = (os.cpu_count() or 1) if workers is None else as_whole(workers, "workers", least=1)
    todo = read_plan(plan)
    folder = None if out is None else Path(out).expanduser()
    parts = Parts(None if folder is None else folder / "parts")
    last = None if folder is None else read_table(folder / "fleet.parquet")
    with _executor(executor, min(count, len(todo.rows))) as chosen:
        run = _Run(chosen, settings, parts, progress, len(todo.rows))
        try:
            run.go(todo.rows, count)
        except KeyboardInterrupt as stop:
            kept = (
                "lost, as there is no out" if folder is None else f"kept in {folder}; the same call goes on from there"
            )
            stop.add_note(f"{run.done:,} of {len(todo.rows):,} projects are done and {kept}")
            raise
    rows = parts.rows([row.project for row in todo.rows])
    rows |= {bad.project: failed_row(bad.pool, bad.reason) for bad in todo.failures}
    table = ranked(as_table(rows), todo.order)
    changed = changes(last, table)
    if folder is not None:
        write_table(table, folder / "fleet.parquet")
        write_table(changed, folder / "changes.parquet")
        parts.prune([row.project for row in todo.rows])
    return Fleet(
        table=table,
        changes=changed,
        peaks=parts.peaks([row.project for row in todo.rows]),
        plan=todo,
        settings=settings,
        notes=todo.notes,
    )


@contextlib.contextmanager
def _executor(given: SubmitsWork | None, workers: int) -> Iterator[SubmitsWork]:
    if given is not None:
        yield given
    elif workers <= 1:
        yield InProcess()
    else:
        pool = WorkersOfThisMachine(workers)
        try:
            yield pool
        except BaseException:
            pool.renew()  # do not wait for what nobody will read
            raise
        pool.close()


class _Run:
    """Batches under way, and what is tried when a worker is lost.

    A batch that ends with its worker is tried again project by project, and what fails again alone, with nothing else
    under way: who is lost then has ended the worker itself, and becomes a failure.
    """

    def __init__(
        self, executor: SubmitsWork, settings: Settings, parts: Parts, progress: Progress | None, projects: int
    ) -> None:
        self._executor, self._settings, self._parts = executor, settings, parts
        self._progress, self._projects = progress, projects
        self._known = dict(parts.known)
        self.done = 0

    def go(self, rows: Sequence[PlanRow], workers: int) -> None:
        """Assess all rows."""
        size = max(1, min(_MOST, -(-len(rows) // (_ROUNDS * workers))))
        lost = self._round([rows[k : k + size] for k in range(0, len(rows), size)])
        lost = self._round([[row] for row, _ in lost])
        for row, _ in lost:
            for again, why in self._round([[row]]):
                self._keep([Outcome(again.project, "", failed_row(again.pool, _lost(why)))])

    def _round(self, batches: Sequence[Sequence[PlanRow]]) -> list[tuple[PlanRow, Exception]]:
        """Carry out batches; return the rows of those that were lost, with the error."""
        lost: list[tuple[PlanRow, Exception]] = []
        waiting = deque((batch, self._submit(batch)) for batch in batches)
        try:
            while waiting:
                batch, future = waiting.popleft()
                try:
                    outcomes = future.result()
                except Exception as exc:
                    lost += [(row, exc) for row in batch]
                    continue
                self._keep(outcomes)
        finally:
            for _, future in waiting:
                if hasattr(future, "cancel"):
                    future.cancel()
        if lost and isinstance(self._executor, WorkersOfThisMachine):
            self._executor.renew()
        return lost

    def _submit(self, batch: Sequence[PlanRow]) -> HasResult[list[Outcome]]:
        known = {row.project: mark for row in batch if (mark := self._known.get(row.project))}
        try:
            return self._executor.submit(work, tuple(batch), self._settings, known, secrets.token_hex(8))
        except Exception as exc:
            return Lost(exc)

    def _keep(self, outcomes: Sequence[Outcome]) -> None:
        self._parts.add(outcomes)
        self.done += len(outcomes)
        if self._progress is not None and outcomes:
            self._progress(outcomes[-1].project, self.done, self._projects)


def _lost(why: Exception) -> str:
    said = f"{type(why).__name__}: {str(why).strip()}".rstrip(": ")
    return (
        f"the worker ended three times while it was at this project, the last time with nothing else under way ({said})"
        "; it was killed, or ran out of memory: give workers more memory, or assess this project alone"
    )
