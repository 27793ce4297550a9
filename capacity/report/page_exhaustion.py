"""Page 5: when the licences run out, and how many would be enough."""

from __future__ import annotations

import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.ground.text import chance, count, percent, plural
from capacity.report import charts_cost, charts_exhaustion, charts_rare
from capacity.report.frame import begin, drawn_licences, licences_now, minutes, present, variant_of
from capacity.report.panels import Panel, flow
from capacity.report.sheet import Area, Sheet
from capacity.report.theme import day


def exhaustion(assessment: Assessment, pages: int = 6) -> Sheet:
    """Draw the page of running out."""
    area = begin(assessment, 5, sentence(assessment), pages=pages)
    first, risk, months, cost, rare = PANELS
    second = [(months, 1.0), (cost, 1.0)] if assessment.cost is not None else [(months, 1.0), (rare, 1.0)]
    flow(assessment, area, [(83.0, [(first, 1.0), (risk, 1.0)]), (72.0, second)])
    return area.sheet


def sentence(assessment: Assessment) -> str:
    """Return what the page says in a sentence."""
    headroom = assessment.headroom
    if headroom is None:
        why = "forecast" if assessment.forecast is None else "total to judge them on"
        return f"When the licences run out is not known: there is no {why}."
    most = "at most " if assessment.situation.combined else ""
    share = float(headroom.p_above.iloc[-1])
    last = day(headroom.p_above.index[-1])
    words = f"The chance that demand exceeds the licences on some day up to {last} is {most}{chance(share)}"
    if share == 0:
        many = count(present(assessment.forecast).paths.shape[1])
        return f"In none of {many} simulations does demand exceed the licences up to {last}."
    likely = assessment.situation.likely_by
    if likely is not None and not most:
        return f"{words}; it is likelier than not by {day(likely)}."
    middle = (headroom.dates_given or {}).get(0.5)
    if middle is None or pd.isna(middle) or share < 0.01:
        return f"{words}."
    return f"{words}; if it happens, in half of the cases by {day(middle)}."


def _title(assessment: Assessment) -> str:
    at_once = charts_exhaustion.passed_at_once(present(assessment.headroom))
    return "How likely the licences are exceeded on each day" if at_once else ""


def _when_words(assessment: Assessment) -> str:
    if charts_exhaustion.passed_at_once(present(assessment.headroom)):
        return "Share of simulations; that it happens at all, and at once, is over 99% likely"
    return "Share of simulations; dots: one in ten, half, nine in ten of those in which it happens"


def _when(assessment: Assessment, area: Area) -> None:
    charts_exhaustion.exhaustion(present(assessment.headroom), area.axes(left=11.0), tz=assessment.tz)


def _risk(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=11.0, top=9.5)
    charts_exhaustion.risk(
        present(assessment.forecast), ax, licences=drawn_licences(assessment), variant=variant_of(assessment)
    )


def _months(assessment: Assessment, area: Area) -> None:
    charts_exhaustion.days_above(present(assessment.headroom), area.axes(left=11.0, bottom=12.0))


def _prices(assessment: Assessment) -> str:
    length = minutes(present(assessment.cost).mean_call_length)
    table = present(assessment.decisions)
    cheap, safe = table.loc["cheapest"], table.loc["5% risk"]
    last = [name for name in table.columns if str(name).startswith("chance_")][-1]
    risk = chance(float(cheap[last]))
    return (
        f"Cheapest: {count(cheap.licences)}, with a chance of exceeding them of {risk}; "
        f"{count(safe.licences)} for 5% risk cost {count(safe.cost - cheap.cost)} more a year. Calls last {length} on "
        "average and arrive singly, by chance"
    )


def _cost(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=14.0, top=9.5, bottom=12.0)
    charts_cost.cost(present(assessment.cost), ax, licences=licences_now(assessment))


def _rare(assessment: Assessment, area: Area) -> None:
    levels, held = present(assessment.return_levels), drawn_licences(assessment)
    ax = area.axes(left=23.0, top=9.5, bottom=12.0)
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
        "When the licences are exceeded for the first time",
        _when_words,
        "headroom",
        _when,
        otherwise="In none of the simulations does demand exceed the licences.",
        needs=lambda a: float(present(a.headroom).p_above.iloc[-1]) > 0,
        instead=_title,
    ),
    Panel(
        "risk",
        "Licences against risk",
        lambda a: f"Chance that demand exceeds so many licences on at least one of {plural(a.horizon, 'day')}",
        "forecast",
        _risk,
    ),
    Panel(
        "days-above",
        "How often, month by month",
        lambda _: "Expected number of days on which demand exceeds the licences as planned",
        "headroom",
        _months,
        otherwise="Less than 0.05 days above the licences are expected in any month.",
        needs=lambda a: float(present(a.headroom).per_month["above"].max()) >= 0.05,
    ),
    Panel(
        "cost",
        "What it costs",
        _prices,
        "cost",
        _cost,
        otherwise="No prices were given: it needs the mean call length, the price of a licence and of a lost call.",
    ),
    Panel("return-levels", "What is reached once in years", _rests_on, "return_levels", _rare),
)
