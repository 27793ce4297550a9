"""The page of a fleet as one HTML file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from capacity.fleet.result import Fleet
from capacity.ground.text import plural
from capacity.report import fleet_lists
from capacity.report.html import GLOSSARY, render, svg
from capacity.report.page_fleet import spread_alone
from capacity.report.theme import plain

_WORDS = ("Calls at once", "5-minute maximum", "Chance of exceeding", "Tested, weak, untested")
_NEEDED = ("Needed", "The smallest count of licences that is exceeded in at most 5% of the simulated futures.")


def page(fleet: Fleet, reports: Path) -> str:
    """Return the HTML of a fleet, with links to the projects' own reports that are in a folder beside it."""
    headline = plain(fleet.sentence())
    told = [entry for entry in GLOSSARY if entry[0] in _WORDS]
    return render(
        "fleet.html.j2",
        title=f"Fleet: {headline}",
        headline=headline,
        horizon=plural(fleet.settings.horizon, "day"),
        confidence=fleet_lists.confidence(fleet),
        notes=fleet.notes,
        spread_what=_spread_in_words(fleet).partition(":")[0],
        spread=svg(spread_alone(fleet), "spread", _spread_in_words(fleet)),
        lists=_lists(fleet),
        told_of=fleet_lists.told(fleet),
        reports=[
            (plain(name), f"{quote(reports.name)}/{quote(name, safe='')}/report.html")
            for name in map(str, fleet.table.index)
            if "/" not in name and (reports / name / "report.html").is_file()
        ],
        glossary=[*told, _NEEDED],
        seed=fleet.settings.seed,
    )


def _lists(fleet: Fleet) -> list[fleet_lists.Listing]:
    pools = [fleet_lists.pools(fleet)] if len(fleet.pooled) else []
    return [fleet_lists.ranking(fleet), *pools, fleet_lists.needs(fleet), fleet_lists.changes(fleet)]


def _spread_in_words(fleet: Fleet) -> str:
    found = fleet_lists.spread(fleet)
    if found is None:
        return "The horizon is too short for a chance within 30 days"
    sizes = ", ".join(f"{name}: {size:,}" for name, size in found[1])
    return f"Projects by chance within {found[0]} days: {sizes}"
