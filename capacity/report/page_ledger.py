"""The page of a ledger: forecasts as they were, what came, and what changed since the last report and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.ground.arguments import check_kind
from capacity.ground.text import chance, count, percent, plural
from capacity.plan.ledger import Ledger, LedgerScore
from capacity.report import charts_ledger
from capacity.report.frame import begin, drawn_licences, present
from capacity.report.panels import Panel, flow, table
from capacity.report.sheet import Area, Sheet

NAME, TITLE = "page-7-ledger", "Was the forecast right?"
_CAUSES = {
    "before": "Last forecast",
    "data": "Data",
    "events": "Events",
    "settings": "Settings",
    "licences": "Licences",
    "after": "This forecast",
}
_NONE = "No forecast has been kept yet: the page fills as days come."


@dataclass(frozen=True, eq=False)
class Kept:
    """What a ledger says about the series of an assessment.

    Attributes
    ----------
    score : LedgerScore
        How the forecasts that were kept have done on the days of the assessment.
    changes : DataFrame or None
        From the last other forecast to that of the assessment; see `capacity.Ledger.changes`.
    """

    score: LedgerScore
    changes: pd.DataFrame | None


def kept(ledger: Ledger | None, assessment: Assessment) -> Kept | None:
    """Return what a ledger says about an assessment's series; None without a ledger."""
    if ledger is None:
        return None
    check_kind(ledger, Ledger, "ledger", made_by="capacity.Ledger")
    own = assessment.variant or (assessment.forecast.pick() if assessment.forecast is not None else "")
    known = bool(own) and any(entry.variant == own for entry in ledger.entries())
    if not known:
        return Kept(LedgerScore.empty(own), None)
    return Kept(ledger.score(assessment.peaks, variant=own), ledger.changes_to(assessment))


def draw(assessment: Assessment, found: Kept, pages: int = 7) -> Sheet:
    """Draw the page."""
    area = begin(assessment, 7, sentence(found), pages=pages, title=TITLE)
    forecasts, limits, evidence, changes, leads = panels(found)
    flow(
        assessment,
        area,
        [(48.0, [(forecasts, 1.0)]), (40.0, [(limits, 1.0), (evidence, 1.0)]), (58.0, [(changes, 1.6), (leads, 1.0)])],
    )
    return area.sheet


def sentence(found: Kept) -> str:
    """Return what the page says in a sentence."""
    score = found.score
    if score.limits.empty:
        return _NONE
    if score.days.empty:
        return f"{plural(len(score.limits), 'forecast')} kept, and no day ahead has come yet."
    if score.alarm.raised:
        return f"The forecasts no longer hold. {score.alarm.broke}. {score.alarm.advice}"
    over = score.limits[score.limits["days"] > 0]
    side = f"{percent(abs(score.bias))} too {'high' if score.bias > 0 else 'low'}"
    return (
        f"The forecasts have held so far: medians {side}, {percent(score.coverage)} of days within their central 80%, "
        f"licences for 5% risk enough in {count(over['kept'].sum())} of {plural(len(over), 'forecast')}."
    )


def panels(found: Kept) -> tuple[Panel, ...]:
    """Return the page's panels, for what was found."""
    score, changes = found.score, found.changes
    some, came = not score.limits.empty, not score.days.empty
    waits = "No day has come yet that a kept forecast was made for." if some else _NONE
    return (
        Panel(
            "kept-forecasts",
            "Forecasts as they were, and what came",
            lambda _: "Each as it was made, until the next one drawn; shaded: central 50, 80, 90% of days' peaks",
            "peaks",
            partial(_forecasts, score),
            (240.0, 90.0),
            otherwise=_NONE,
            needs=lambda _: some,
        ),
        Panel(
            "kept-licences",
            "Were their licences enough?",
            lambda _: f"Each forecast's licences for 5% risk over its horizon; enough so far in {_enough(score)}",
            "peaks",
            partial(_limits, score),
            otherwise=_NONE,
            needs=lambda _: some,
        ),
        Panel(
            "evidence",
            "Do the forecasts still hold?",
            lambda _: _standing(score),
            "peaks",
            partial(_evidence, score),
            otherwise=waits,
            needs=lambda _: came,
        ),
        Panel(
            "changes",
            "What changed since the last forecast, and why",
            lambda _: "Licences for 5% risk and the chance of exceeding those of the first day; the parts add up",
            "peaks",
            partial(_changes, changes),
            (190.0, 74.0),
            otherwise="It takes a forecast that was kept before this one." if some else _NONE,
            needs=lambda _: changes is not None,
        ),
        Panel(
            "by-lead",
            "How right, by days ahead",
            lambda _: "Median too high (+) or too low (−), and the share of days within",
            "peaks",
            partial(_leads, score),
            (130.0, 66.0),
            otherwise=waits,
            needs=lambda _: came,
        ),
    )


def _forecasts(score: LedgerScore, assessment: Assessment, area: Area) -> None:
    held = drawn_licences(assessment)
    charts_ledger.kept_forecasts(score, area.axes(left=11.0, right=9.0), licences=held, tz=assessment.tz)


def _limits(score: LedgerScore, assessment: Assessment, area: Area) -> None:
    charts_ledger.kept_licences(score, area.axes(left=11.0), tz=assessment.tz)


def _evidence(score: LedgerScore, assessment: Assessment, area: Area) -> None:
    charts_ledger.evidence(score, area.axes(left=11.0), tz=assessment.tz)


def _changes(changes: pd.DataFrame | None, _: Assessment, area: Area) -> None:
    rows = []
    for cause, row in present(changes).iterrows():
        whole = cause in ("before", "after")
        needed = count(row["needed"]) if whole else _signed(row["needed"])
        risk = chance(row["chance"]) if whole else _points(row["chance"])
        rows.append((f"{_CAUSES[str(cause)]}: {row['why']}", needed, risk))
    table(area, ("", "licences for 5% risk", "chance of exceeding"), rows, first=0.68, strong=None)


def _leads(score: LedgerScore, _: Assessment, area: Area) -> None:
    rows = [
        (
            f"{lead} days ahead",
            count(row["days"]),
            f"{100 * row['bias']:+.0f}%".replace("-", "−"),
            percent(row["coverage_80"]),
            percent(row["coverage_95"]),
        )
        for lead, row in score.table.iterrows()
    ]
    table(area, ("", "days", "median", "within 80%", "within 95%"), rows, first=0.34, strong=None)


def _signed(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "−") if round(value) else "0"


def _points(value: float) -> str:
    return f"{100 * value:+.0f} points".replace("-", "−") if round(100 * value) else "0"


def _enough(score: LedgerScore) -> str:
    over = score.limits[score.limits["days"] > 0]
    return (
        f"{count(over['kept'].sum())} of {plural(len(over), 'forecast')}" if len(over) else "none that a day has tested"
    )


def _standing(score: LedgerScore) -> str:
    alarm = score.alarm
    if alarm.raised:
        return f"Alarm: {alarm.broke[:1].lower()}{alarm.broke[1:]}"
    was = f"; it stood {plural(len(alarm.history), 'time')} before" if alarm.history else ""
    return f"No alarm{was}: 20 raises it; right forecasts get there in at most one year of twenty"
