"""Page 3: the week's rhythm."""

from __future__ import annotations

from capacity.analysis.assessment import Assessment
from capacity.ground.calendar import WEEKDAYS
from capacity.ground.text import count
from capacity.report import charts_rhythm
from capacity.report.frame import GAP, MARGIN, TOP, WIDTH, begin, licences_now, present, variant_of
from capacity.report.panels import Area, Panel, place
from capacity.report.sheet import Sheet

__all__ = ["PANELS", "rhythm"]


def rhythm(assessment: Assessment) -> Sheet:
    """Draw the page of hours and levels."""
    sheet = begin(assessment, 3, _sentence(assessment))
    place(PANELS[0], assessment, Area(sheet, MARGIN, TOP, WIDTH, 81.0))
    width = (WIDTH - 2 * GAP) / 3
    for column, panel in enumerate(PANELS[1:]):
        place(panel, assessment, Area(sheet, MARGIN + column * (width + GAP), 127.0, width, 71.0))
    return sheet


def _sentence(assessment: Assessment) -> str:
    plain_words = "When calls come, and how long each level is held."
    if assessment.profile is None:
        return plain_words
    week = charts_rhythm.pick(assessment.profile, variant_of(assessment))["q90"].dropna()
    if len(week) == 0 or week.max() <= 0:
        return plain_words
    at = int(week.idxmax())
    hour = at % 24
    return f"The busiest hour of the typical week is {WEEKDAYS[at // 24]}, {hour:02d}:00 to {hour + 1:02d}:00."


def _week(assessment: Assessment, area: Area) -> None:
    ax = area.axes(top=0.0, bottom=9.0)
    charts_rhythm.heat_map(assessment.profile, ax, variant=variant_of(assessment), tz=assessment.tz)


def _hours(assessment: Assessment, area: Area) -> None:
    charts_rhythm.busy_hours(present(assessment.busy_hours), area.axes(left=9.0), variant=variant_of(assessment))


def _in_numbers(assessment: Assessment) -> str:
    table = present(assessment.busy_hours).table
    row = table.loc[variant_of(assessment)]
    if not row["days"]:
        return "No day is whole"
    consistent, bouncing, highest = (float(row[c]) for c in ("time_consistent", "bouncing", "highest_30"))
    digits = 0 if bouncing >= 10 else 1
    words = f"Time-consistent {count(consistent, digits)}, bouncing {count(bouncing, digits)}"
    return words if highest != highest else f"{words}, 30 highest days {count(highest, digits)}"


def _shares(assessment: Assessment, area: Area) -> None:
    charts_rhythm.percentiles(
        assessment.percentiles,
        area.axes(left=26.0),
        licences=licences_now(assessment) if assessment.variant else None,
        variant=variant_of(assessment),
    )


def _duration(assessment: Assessment, area: Area) -> None:
    charts_rhythm.load_duration(
        assessment.load_duration,
        area.axes(left=9.0),
        licences=licences_now(assessment) if assessment.variant else None,
        variant=variant_of(assessment),
    )


PANELS = (
    Panel(
        "week",
        "The typical week, hour by hour",
        lambda _: "Calls in progress at once that 90% of each hour's 5-minute intervals do not exceed",
        "profile",
        _week,
        (240.0, 96.0),
    ),
    Panel("busy-hours", "Busy hours", _in_numbers, "busy_hours", _hours),
    Panel(
        "percentiles",
        "How high, how often",
        lambda _: "No more than so many calls at once in so much of the time",
        "percentiles",
        _shares,
    ),
    Panel(
        "load-duration",
        "How long each level is held",
        lambda _: "Hours in a year of 365 days, if it were like the data",
        "load_duration",
        _duration,
    ),
)
