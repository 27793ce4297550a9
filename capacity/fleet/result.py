"""What `assess_fleet` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from capacity.analysis.verdict.machine import records
from capacity.errors import ConfigError
from capacity.fleet.plan import Plan
from capacity.fleet.pool import Pool, Pools, pools_table
from capacity.fleet.pool_task import PoolJob, added, pool_jobs, work_pools
from capacity.fleet.task import Settings, assessed
from capacity.ground.arguments import some
from capacity.ground.licences import LicenceLike, Licences, as_licences
from capacity.ground.notes import Note
from capacity.ground.result import Result
from capacity.ground.text import chance, plural

if TYPE_CHECKING:
    from capacity.analysis.assessment import Assessment

__all__ = ["Fleet"]

_RISKY = 0.05
_SHOWN = 20
_COLUMNS = ["licences", "peak", "p_above_30", "p_above_90", "p_above_365", "needed_05", "confidence"]


@dataclass(frozen=True, eq=False, repr=False)
class Fleet(Result):
    """A verdict for every project of a plan.

    Attributes
    ----------
    table : DataFrame
        One row a project, index project, the riskiest first, columns `capacity.FLEET_SCHEMA`. A project without a
        verdict comes last, and its ``reason`` says why.
    pooled : DataFrame
        One row a pool, index pool: as the table of `capacity.Pools`.
    changes : DataFrame
        What changed since the last run into the same folder: index project; ``change`` in words, and the chance of
        exceeding within 90 days, licences and licences needed, before and now. Empty where nothing changed, or there
        was no last run.
    peaks : DataFrame
        Daily peaks on complete local days: index date, one column a project [calls], NaN where unknown.
    plan : Plan
        The plan as it was read.
    settings : Settings
        Horizon [days], seed, and whether the forecasts were back-tested.
    notes : tuple of Note
        What of the plan was not read.

    See Also
    --------
    capacity.assess_fleet, capacity.Pools

    Examples
    --------
    >>> import capacity as cap
    >>> plan = pd.DataFrame({"project": ["hotel"], "store": ["no-such-folder"], "licences": [40], "tz": ["UTC"]})
    >>> cap.assess_fleet(plan, workers=1).failed["hotel"].endswith("does not exist; fetch into it first")
    True
    """

    table: pd.DataFrame
    pooled: pd.DataFrame
    changes: pd.DataFrame
    peaks: pd.DataFrame
    plan: Plan
    settings: Settings
    notes: tuple[Note, ...] = ()

    @property
    def failed(self) -> pd.Series:
        """The projects without a verdict, and why: index project."""
        reasons = self.table["reason"]
        return reasons[reasons != ""]

    @property
    def diversity(self) -> pd.DataFrame:
        """What sharing saves, by pool [calls].

        ``peaks_alone`` is the sum of the projects' own peaks and ``needed_alone`` the sum of the licences that each
        would need by itself at 5% risk; ``peak`` and ``needed`` of the pool with ``_lower`` and ``_upper``; ``saved``
        is what the pool needs less, at least (``_lower``) and at most.
        """
        sums = self.table.groupby("pool")[["peak", "needed_05"]].sum(min_count=1).reindex(self.pooled.index)
        pooled = self.pooled
        return pd.DataFrame(
            {
                "projects": pooled["projects"],
                "peaks_alone": sums["peak"],
                "peak_lower": pooled["peak_lower"],
                "peak_upper": pooled["peak_upper"],
                "needed_alone": sums["needed_05"],
                "needed_lower": pooled["needed_05_lower"],
                "needed_upper": pooled["needed_05_upper"],
                "saved_lower": sums["needed_05"] - pooled["needed_05_upper"],
                "saved_upper": sums["needed_05"] - pooled["needed_05_lower"],
            }
        )

    # -- what if ------------------------------------------------------------------------------------------------

    def what_if(self, *pools: Pool) -> Pools:
        """Return the forecast of other pools of the same projects; their stores are read again.

        Parameters
        ----------
        *pools : Pool
            The pools, whose members are projects of the plan.

        Raises
        ------
        ConfigError
            A pool names a project that the plan has not, or that cannot be read.
        """
        rows = {row.project: row for row in self.plan.rows}
        for pool in pools:
            if strange := [name for name in pool.members if name not in rows]:
                raise ConfigError(f"pool {pool.name!r}: {some(strange)} cannot be read, or is not in the plan")
        jobs = [
            PoolJob(p.name, as_licences(p.licences), tuple(rows[m] for m in p.members), p.guaranteed) for p in pools
        ]
        return Pools(pools_table(dict(work_pools(jobs, self.settings, ""))), self.settings.horizon)

    def merge(self, *names: str) -> Pools:
        """Return the forecast of several pools as one, which has the sum of their licences.

        Parameters
        ----------
        *names : str
            Names of pools of the plan.

        Raises
        ------
        ConfigError
            There is no such pool, or it cannot be forecast.
        """
        jobs = [self._pool(name) for name in names]
        members = [row.project for job in jobs for row in job.rows]
        return self.what_if(Pool(" + ".join(names), added([job.licences for job in jobs]), members))

    def split(self, name: str, licences: Mapping[str, LicenceLike]) -> Pools:
        """Return the forecast of a pool's projects with licences of their own; those that are not named share the rest.

        Parameters
        ----------
        name : str
            Name of a pool of the plan.
        licences : mapping of str -> int, str or Licences
            Project -> licences of its own.

        Raises
        ------
        ConfigError
            There is no such pool or project, or the pool has fewer licences.
        """
        job = self._pool(name)
        pools = [Pool(project, count, [project]) for project, count in licences.items()]
        rest = [row.project for row in job.rows if row.project not in licences]
        if rest:
            taken = added(list(licences.values())) if licences else as_licences(0)
            dates = sorted({*job.licences.dates, *taken.dates})
            left = job.licences.on(pd.DatetimeIndex(dates)) - taken.on(pd.DatetimeIndex(dates))
            if left.min() < 0:
                raise ConfigError(f"pool {name!r} has {job.licences} licences, fewer than it is split into; give fewer")
            pools.append(Pool(f"{name}, the rest", Licences(tuple(dates), tuple(int(n) for n in left)), rest))
        return self.what_if(*pools)

    def guarantee(self, name: str, guaranteed: Mapping[str, int]) -> Pools:
        """Return the forecast of a pool in which some projects have licences that no other project may use.

        Parameters
        ----------
        name : str
            Name of a pool of the plan.
        guaranteed : mapping of str -> int
            Project -> licences that it has to itself.

        Raises
        ------
        ConfigError
            There is no such pool or project, or the pool has fewer licences.

        Examples
        --------
        ``fleet.guarantee("east", {"hotel": 40})``: what if the hotel gets 40 of the pool's licences to itself?
        """
        job = self._pool(name)
        return self.what_if(Pool(name, job.licences, [row.project for row in job.rows], guaranteed))

    def _pool(self, name: str) -> PoolJob:
        jobs, bad = pool_jobs(self.plan)
        found = {job.name: job for job in jobs}
        if name not in found:
            why = bad[name]["reason"] if name in bad else f"the plan has {some(list(found)) or 'no pool'}"
            raise ConfigError(f"pool={name!r} cannot be forecast: {why}")
        return found[name]

    # -- one project, and words ---------------------------------------------------------------------------------

    def assessment(self, project: str) -> Assessment:
        """Return the whole assessment of one project, made again from its store as its row was made.

        Parameters
        ----------
        project : str
            Name of a project of the plan.

        Raises
        ------
        ConfigError
            The plan has no such project.
        CapacityError
            The error for which the project has no verdict.
        """
        rows = {row.project: row for row in self.plan.rows}
        if project not in rows:
            bad = {failure.project: failure.reason for failure in self.plan.failures}
            raise ConfigError(bad.get(project, f"project={project!r} is not in the plan; it has {some(list(rows))}"))
        return assessed(rows[project], self.settings)

    def sentence(self) -> str:
        """Say in words how many projects are at risk, and which most."""
        sound = self.table[self.table["reason"] == ""]
        head = plural(len(self.table), "project")
        span = 90 if self.settings.horizon >= 90 else 30
        risk = sound[f"p_above_{span}"]
        if not len(sound):
            text = f"{head}: none with a verdict."
        elif risk.isna().all():
            text = (
                f"{head}: a horizon of {plural(self.settings.horizon, 'day')}, too short for a chance within 30 days."
            )
        else:
            risky = int((risk >= _RISKY).sum())
            first = risk.idxmax()
            text = (
                f"{head}: {risky:,} with a chance of 5% or more of exceeding their licences within {span} days; "
                f"highest {first}: {chance(float(risk[first]))}."
            )
        return text + (f" Without a verdict: {len(self.failed):,}." if len(self.failed) else "")

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for machines: everything JSON can hold, always the same keys.

        ``sentence``, ``horizon`` [days], ``seed``, ``projects`` (one object a project, with the columns of the table),
        ``pooled``, ``changes``, ``notes``.
        """
        return {
            "sentence": self.sentence(),
            "horizon": self.settings.horizon,
            "seed": self.settings.seed,
            "projects": records(self.table),
            "pooled": records(self.pooled),
            "changes": records(self.changes),
            "notes": [str(note) for note in self.notes],
        }

    def __str__(self) -> str:
        parts = [self.sentence()]
        sound = self.table[self.table["reason"] == ""]
        if len(sound):
            shown = sound[_COLUMNS].head(_SHOWN).copy()
            for name in [c for c in shown if c.startswith("p_above")]:
                shown[name] = [chance(p) if p == p else "" for p in shown[name]]
            more = f"\n... and {len(sound) - _SHOWN:,} more" if len(sound) > _SHOWN else ""
            parts.append(shown.to_string() + more)
        if len(self.pooled):
            parts.append(str(Pools(self.pooled, self.settings.horizon)))
        if len(self.failed):
            parts.append("\n".join(f"- {project}: {why}" for project, why in self.failed.head(_SHOWN).items()))
        return "\n\n".join([*parts, *(f"- {note}" for note in self.notes)])
