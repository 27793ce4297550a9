"""What the page of a fleet lists, in words: the same rows for the picture, the PDF and the HTML file."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from capacity.fleet.pool import Pools
from capacity.fleet.result import Fleet
from capacity.ground.calendar import HORIZONS
from capacity.ground.text import chance, plural
from capacity.report.theme import day

_EDGES = (0.01, 0.05, 0.2, 0.5)
_CLASSES = ("under 1%", "1 to 5%", "5 to 20%", "20 to 50%", "over 50%", "no verdict")


@dataclass(frozen=True)
class Listing:
    """A table in words.

    Attributes
    ----------
    title, what : str
        Its title, and what it shows in a line.
    head, rows : list
        The first cell of a row names it.
    none : str
        What to say where there are no rows.
    strong : int or None
        The column that stands out.
    """

    title: str
    what: str
    head: list[str]
    rows: list[list[str]] = field(repr=False)
    none: str = ""
    strong: int | None = None


def _spans(fleet: Fleet) -> list[int]:
    """Return the spans [days] that chances are known for."""
    return [days for days in HORIZONS if days <= fleet.settings.horizon]


def _span(fleet: Fleet) -> int | None:
    """Return the span [days] that projects are ranked by."""
    return max((days for days in _spans(fleet) if days <= 90), default=None)


def ranking(fleet: Fleet) -> Listing:
    """Return the projects, the riskiest first."""
    span, spans = _span(fleet), _spans(fleet)
    within = f"by the chance of exceeding their licences within {span} days" if span else "by what they lack"
    pooled = bool((fleet.table["pool"] != "").any())
    rows = [
        [str(name), *([str(r["pool"])] if pooled else []), _number(r["licences"]), _number(r["peak"]),
         *(_chance(r[f"p_above_{days}"]) for days in spans),
         _number(r["needed_05"]) if not r["reason"] else "no verdict"]
        for name, r in fleet.table.iterrows()
    ]  # fmt: skip
    head = ["Project", *(["Pool"] if pooled else []), "Licences", "Peak", *(f"{days} days" for days in spans), "Needed"]
    return Listing(
        f"Projects {within}",
        f"Needed: the licences that are exceeded with 5% risk within {plural(fleet.settings.horizon, 'day')}",
        head,
        rows,
        strong=head.index(f"{span} days") if span else None,
    )


def pools(fleet: Fleet) -> Listing:
    """Return the licences that projects share."""
    shown, spans = Pools(fleet.pooled, fleet.settings.horizon).words(), _spans(fleet)
    rows = [
        [str(name), _number(r["projects"]), _number(r["licences"]), *(r[f"p_above_{days}"] for days in spans),
         r["needed_05"]]
        for name, r in shown.iterrows()
    ]  # fmt: skip
    reasons = fleet.pooled.loc[fleet.pooled["reason"] != "", "reason"]
    head = ["Pool", "Projects", "Licences", *(f"{days} days" for days in spans), "Needed"]
    rows += [[str(name), *[""] * (len(head) - 2), "no verdict"] for name in reasons.index]
    what = "Between bounds where only maxima are known: the projects need not peak at the same moment"
    span = _span(fleet)
    return Listing(
        "Licences that projects share", what, head, rows, strong=head.index(f"{span} days") if span else None
    )


def needs(fleet: Fleet) -> Listing:
    """Return who needs more licences, the earliest first."""
    table, spans = fleet.table, _spans(fleet)
    due = table[table["needed_05"] > table["licences"]].sort_values("exceeded_by", kind="stable")
    last = f"p_above_{spans[-1]}" if spans else None
    ordered = bool(due["order_by"].notna().any())
    columns = ["exceeded_by", *(["order_by"] if ordered else [])]
    rows = [
        [str(name), *("" if pd.isna(r[column]) else day(r[column]) for column in columns),
         f"+{int(r['needed_05'] - r['licences']):,}", *([_chance(r[last])] if last else [])]
        for name, r in due.iterrows()
    ]  # fmt: skip
    return Listing(
        "Who needs what by when",
        "Licences to add for 5% risk, and the day by which half of the cases in which licences are exceeded have come",
        ["Project", "By", *(["Order by"] if ordered else []), "Licences", *([f"{spans[-1]} days"] if spans else [])],
        rows,
        f"No project with a verdict has more than 5% risk within {plural(fleet.settings.horizon, 'day')}.",
    )


def changes(fleet: Fleet) -> Listing:
    """Return what changed since the last run."""
    rows = [[str(name), r["change"], _moved(r)] for name, r in fleet.changes.iterrows()]
    return Listing(
        "What changed since the last run",
        "Before and now: the chance within 90 days, or what else changed" if rows else "",
        ["Project", "What", "Before and now"],
        rows,
        "Nothing, or this is the first run into its folder.",
    )


def _moved(row: pd.Series) -> str:
    name = {"licences": "licences", "licences needed": "needed_05"}.get(row["change"], "p_above_90")
    say = _chance if name == "p_above_90" else _number
    before, now = say(row[f"{name}_before"]), say(row[name])
    return f"{before} to {now}" if before and now else now or before


def told(fleet: Fleet) -> list[Listing]:
    """Return why projects and pools have no verdict, and what a reader of the others must know: names and words."""
    table = fleet.table
    failed = [[str(name), why] for name, why in fleet.failed.items()]
    failed += [[f"{name} (pool)", why] for name, why in fleet.pooled["reason"].items() if why]
    warned = table.loc[(table["warnings"] != "") & (table["reason"] == ""), "warnings"]
    parts = [
        Listing("Without a verdict", "", ["Project", "Why"], failed),
        Listing("Read before deciding", "", ["Project", "Warnings"], [[str(n), w] for n, w in warned.items()]),
    ]
    return [part for part in parts if part.rows]


def spread(fleet: Fleet) -> tuple[int, list[tuple[str, int]]] | None:
    """Return the span [days] and how many projects are in each class of risk; None where the horizon is too short."""
    span = _span(fleet)
    if span is None:
        return None
    sound = fleet.table["reason"] == ""
    place = np.digitize(fleet.table.loc[sound, f"p_above_{span}"].fillna(0.0), _EDGES)
    sizes = [*np.bincount(place, minlength=len(_EDGES) + 1).tolist(), int((~sound).sum())]
    return span, list(zip(_CLASSES, sizes, strict=True))


def confidence(fleet: Fleet) -> str:
    """Say whether the forecasts were back-tested, and what came of it."""
    if not fleet.settings.backtest:
        return "The forecasts were not back-tested (confidence: untested)."
    levels = fleet.table.loc[fleet.table["reason"] == "", "confidence"].value_counts()
    return f"Back-tested: {', '.join(f'{n:,} {level}' for level, n in levels.items())}." if len(levels) else ""


def _chance(p: float) -> str:
    return "" if pd.isna(p) else chance(float(p))


def _number(value: int) -> str:
    return "" if pd.isna(value) else f"{value:,}"
