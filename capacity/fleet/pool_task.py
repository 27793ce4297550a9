"""The pools of a plan: who shares what, and what a worker does for a pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from capacity.errors import CapacityError
from capacity.fleet.memory import kept_memory
from capacity.fleet.plan import Plan, PlanRow
from capacity.fleet.pool import Pool, pool_row
from capacity.fleet.shared import bounded, exact
from capacity.fleet.table import failed_row
from capacity.fleet.task import Settings, calls_of, frame_of, one_thread
from capacity.ground.calls import Calls
from capacity.ground.frame import total
from capacity.ground.holidays import HolidayLike, holiday_dates
from capacity.ground.licences import Licences, as_licences

__all__ = ["PoolJob", "added", "pool_jobs", "work_pools"]


@dataclass(frozen=True)
class PoolJob:
    """A pool by the plan rows of its projects: addresses, not frames."""

    name: str
    licences: Licences
    rows: tuple[PlanRow, ...]
    guaranteed: Mapping[str, int] = field(default_factory=dict)


def pool_jobs(plan: Plan) -> tuple[list[PoolJob], dict[str, dict[str, Any]]]:
    """Return the pools of a plan, and the rows of those that lack a project.

    Rows of a pool that state the same licences share that count; where they differ, the pool has their sum.
    """
    members: dict[str, list[PlanRow]] = {}
    for row in plan.rows:
        if row.pool:
            members.setdefault(row.pool, []).append(row)
    jobs = []
    bad = {
        failure.pool: failed_row("", f"project {failure.project!r} cannot be read: {failure.reason}")
        for failure in plan.failures
        if failure.pool
    }
    for name, rows in members.items():
        if name not in bad:
            counts = list(dict.fromkeys(row.licences for row in rows))
            held = as_licences(counts[0]) if len(counts) == 1 else added([row.licences for row in rows])
            jobs.append(PoolJob(name, held, tuple(rows)))
    return jobs, bad


def added(licences: Sequence[Any]) -> Licences:
    """Return the sum of several licences, day by day.

    Examples
    --------
    >>> print(added(["40", "100,2026-03-01:120"]))
    140, from 1 Mar 2026: 160
    """
    each = [as_licences(one) for one in licences]
    dates = sorted({date for one in each for date in one.dates})
    counts = np.sum([one.on(pd.DatetimeIndex(dates)) for one in each], axis=0)
    return Licences(tuple(dates), tuple(int(n) for n in counts))


def work_pools(batch: Sequence[PoolJob], settings: Settings, mark: str) -> list[tuple[str, dict[str, Any]]]:
    """Forecast a batch of pools; returns the name and the row of each."""
    with one_thread(), kept_memory():
        return [(job.name, _row(job, settings)) for job in batch]


def _row(job: PoolJob, settings: Settings) -> dict[str, Any]:
    first = job.rows[0]
    try:
        pool = Pool(job.name, job.licences, [row.project for row in job.rows], job.guaranteed)
        return pool_row(
            pool,
            lambda: _demand(job.rows, pool.guaranteed),
            tz=first.tz,
            horizon=settings.horizon,
            seed=settings.seed,
            holidays=_holidays(job.rows),
        )
    except CapacityError as exc:
        return failed_row("", str(exc))
    except Exception as exc:  # whatever a pool does, the others go on
        return failed_row("", f"unexpected {type(exc).__name__}: {exc}")


def _demand(rows: Sequence[PlanRow], own: Mapping[str, int]) -> tuple[str, Sequence[pd.DataFrame]]:
    """Return the demand on shared licences: exact where every store holds call records, otherwise its bounds."""
    calls: dict[str, Calls] = {}
    for row in rows:
        found = calls_of(row)
        if found is None:
            return "bounds", bounded({row.project: total(frame_of(row)) for row in rows}, own)
        calls[row.project] = found
    return "exact", [exact(calls, own)]


def _holidays(rows: Sequence[PlanRow]) -> HolidayLike:
    """Return the holidays of all members: a country, or the dates of several."""
    codes = {row.holidays for row in rows if row.holidays}
    if len(codes) <= 1:
        return next(iter(codes), None)
    years = range(2000, 2051)
    return sorted({date for code in codes for date in holiday_dates(code, years)})
