"""Page 5: when the licences run out, and how many would be enough."""

from __future__ import annotations

import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.ground.text import chance, count, percent
from capacity.report import charts_cost, charts_exhaustion, charts_rare
from capacity.report.frame import (
    GAP,
    MARGIN,
    TOP,
    WIDTH,
    begin,
    drawn_licences,
    licences_now,
    minutes,
    present,
    variant_of,
)
from capacity.report.panels import Area, Panel, place
from capacity.report.sheet import Sheet
from capacity.report.theme import day

__all__ = ["PANELS", "exhaustion"]


def exhaustion(assessment: Assessment) -> Sheet:
    """Draw the page of running out."""
    sheet = begin(assessment, 5, _sentence(assessment))
    width = (WIDTH - GAP) / 2
    *three, cost, rare = PANELS
    # Where there is no price, what is reached once a year is worth more than a word about that.
    fourth = rare if assessment.cost is None and assessment.return_levels is not None else cost
    for number, panel in enumerate((*three, fourth)):
        row, column = divmod(number, 2)
        height = (83.0, 72.0)[row]
        place(panel, assessment, Area(sheet, MARGIN + column * (width + GAP), (TOP, 128.0)[row], width, height))
    return sheet


def _sentence(assessment: Assessment) -> str:
    headroom = assessment.headroom
    if headroom is None:
        why = "forecast" if assessment.forecast is None else "total to judge them on"
        return f"When the licences run out is not known: there is no {why}."
    share = float(headroom.p_above.iloc[-1])
    last = day(headroom.p_above.index[-1])
    middle = (headroom.dates_given or {}).get(0.5)
    if middle is None or pd.isna(middle):
        return f"On no path is demand above the licences up to {last}."
    words = f"The chance is {chance(share)} that demand is above the licences on some day up to {last}"
    if share < 0.01:
        return f"{words}."
    return f"{words}; if so, as likely as not by {day(middle)}."


def _when(assessment: Assessment, area: Area) -> None:
    charts_exhaustion.exhaustion(present(assessment.headroom), area.axes(left=11.0), tz=assessment.tz)


def _risk(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=11.0)
    charts_exhaustion.risk(
        present(assessment.forecast), ax, licences=drawn_licences(assessment), variant=variant_of(assessment)
    )


def _months(assessment: Assessment, area: Area) -> None:
    charts_exhaustion.days_above(present(assessment.headroom), area.axes(left=11.0, bottom=12.0))


def _prices(assessment: Assessment) -> str:
    length = minutes(present(assessment.cost).mean_call_length)
    return f"Licences and lost calls together; calls last {length} on average and arrive singly, by chance"


def _cost(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=14.0, bottom=12.0)
    charts_cost.cost(present(assessment.cost), ax, licences=licences_now(assessment))


def _rare(assessment: Assessment, area: Area) -> None:
    levels, held = present(assessment.return_levels), drawn_licences(assessment)
    ax = area.axes(left=23.0, bottom=12.0)
    charts_rare.return_levels(levels, ax, licences=None if held is None else licences_now(assessment))


def _rests_on(assessment: Assessment) -> str:
    levels = present(assessment.return_levels)
    years = f"{levels.years:.1f}" if levels.years < 9.95 else f"{levels.years:.0f}"
    return (
        f"At the level of today, without growth to come, with {percent(levels.confidence)} limits; "
        f"from {count(levels.days)} days in {years} years"
    )


PANELS = (
    Panel(
        "exhaustion",
        "When the licences are passed for the first time",
        lambda _: "Share of paths; dots: one in ten, half, nine in ten of those that pass them",
        "headroom",
        _when,
    ),
    Panel(
        "risk",
        "Licences against risk",
        lambda _: "Chance that demand passes so many licences at some time within the horizon",
        "forecast",
        _risk,
    ),
    Panel(
        "days-above",
        "How often, month by month",
        lambda _: "Expected number of days on which demand is above the licences",
        "headroom",
        _months,
    ),
    Panel(
        "cost",
        "What it costs",
        _prices,
        "cost",
        _cost,
        otherwise="No prices were given: it needs the mean call length, the price of a licence and of a lost call.",
    ),
    Panel(
        "return-levels",
        "What is reached once in years",
        _rests_on,
        "return_levels",
        _rare,
    ),
)
