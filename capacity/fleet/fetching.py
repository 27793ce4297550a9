"""What the projects of a plan hold is brought up to date first: one process, one project after the other."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from capacity.errors import CapacityError, ConfigError, IncompleteError
from capacity.fetch.client import Client
from capacity.fetch.fetcher import fetch_intervals
from capacity.fetch.keys import API_KEY_VARIABLE
from capacity.fleet.plan import Failure, Plan, PlanLike, PlanRow, read_plan
from capacity.ground.times import Instant

__all__ = ["fetch_fleet"]


def fetch_fleet(
    plan: PlanLike | Plan,
    start: Instant,
    end: Instant,
    *,
    region: str = "us-1",
    base_url: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Plan:
    """Fetch a date range into the store of every project of a plan, and return the plan.

    Projects are fetched one after the other, so that a host meets one client with one pace, whatever the number of
    projects. Only what a store does not hold yet is asked for.

    Parameters
    ----------
    plan : path, DataFrame or Plan
        As `capacity.assess_fleet` takes it. ``account`` and ``project`` are those of the API; ``key_env`` names the
        environment variable that holds the project's key, by default POLYAI_API_KEY.
    start, end : str, date, datetime or Timestamp
        The half-open range; naive times and dates are meant in each row's ``tz``.
    region, base_url
        As for `capacity.Client`.
    progress : callable, optional
        Called with (project, projects done, projects in all).

    Returns
    -------
    Plan
        A project that could not be fetched, or only in part, is among its failures: a verdict on old data would pass
        for a new one.
    """
    todo = read_plan(plan)
    rows, failures = [], list(todo.failures)
    for done, row in enumerate(todo.rows, start=1):
        try:
            _fetch(row, start, end, region, base_url)
            rows.append(row)
        except IncompleteError as exc:
            failures.append(Failure(row.project, f"fetched in part only: {str(exc).splitlines()[0]}", row.pool))
        except CapacityError as exc:
            failures.append(Failure(row.project, f"not fetched: {exc}", row.pool))
        if progress is not None:
            progress(row.project, done, len(todo.rows))
    return replace(todo, rows=tuple(rows), failures=tuple(failures))


def _fetch(row: PlanRow, start: Instant, end: Instant, region: str, base_url: str | None) -> None:
    if not row.account:
        raise ConfigError("account is missing; a project is fetched by its account and project ids")
    variable = row.key_env or API_KEY_VARIABLE
    key = os.environ.get(variable)
    if not key:
        raise ConfigError(f"the environment variable {variable} holds no API key; set it, or name another in key_env")
    with Client(row.account, row.project, api_key=key, region=region, base_url=base_url) as client:
        fetch_intervals(client, start, end, tz=row.tz, env=row.env or "live", store=row.store, progress=False)
