"""What `assess_fleet` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from capacity.errors import ConfigError
from capacity.fleet.plan import Plan
from capacity.fleet.task import Settings, assessed
from capacity.ground.arguments import some
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
    changes : DataFrame
        What changed since the last run into the same folder: index project; ``change`` in words, and chance within 90
        days, licences and licences needed before and now. Empty where nothing changed, or there was no last run.
    peaks : DataFrame
        Daily peaks on complete local days: index date, one column a project [calls], NaN where unknown.
    plan : Plan
        The plan as it was read.
    settings : Settings
        Horizon [days], seed, and whether the forecasts were back-tested.
    notes : tuple of Note

    See Also
    --------
    capacity.assess_fleet : makes it.

    Examples
    --------
    >>> import capacity as cap
    >>> plan = pd.DataFrame({"project": ["hotel"], "store": ["no-such-folder"], "licences": [40], "tz": ["UTC"]})
    >>> cap.assess_fleet(plan, workers=1).failed["hotel"].endswith("does not exist; fetch into it first")
    True
    """

    table: pd.DataFrame
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

    def assessment(self, project: str) -> Assessment:
        """Read one project again and return its whole assessment, as its row was made.

        Raises
        ------
        ConfigError
            The plan has no such project.
        CapacityError
            What kept the project from having a verdict.
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

    def __str__(self) -> str:
        parts = [self.sentence()]
        sound = self.table[self.table["reason"] == ""]
        if len(sound):
            shown = sound[_COLUMNS].head(_SHOWN).copy()
            for name in [c for c in shown if c.startswith("p_above")]:
                shown[name] = [chance(p) if p == p else "" for p in shown[name]]
            more = f"\n... and {len(sound) - _SHOWN:,} more" if len(sound) > _SHOWN else ""
            parts.append(shown.to_string() + more)
        if len(self.failed):
            parts.append("\n".join(f"- {project}: {why}" for project, why in self.failed.head(_SHOWN).items()))
        return "\n\n".join([*parts, *(f"- {note}" for note in self.notes)])
