"""Page 3: the week's rhythm."""

from __future__ import annotations

from capacity.analysis.assessment import Assessment
from capacity.ground.calendar import WEEKDAYS
from capacity.ground.text import count, listed
from capacity.report import charts_rhythm
from capacity.report.frame import begin, licences_now, present, variant_of
from capacity.report.panels import Panel, flow
from capacity.report.sheet import Area, Sheet


def rhythm(assessment: Assessment, pages: int = 6) -> Sheet:
    """Draw the page of hours and levels."""
    area = begin(assessment, 3, sentence(assessment), pages=pages)
    week, *others = PANELS
    flow(assessment, area, [(81.0, [(week, 1.0)]), (71.0, [(panel, 1.0) for panel in others])])
    return area.sheet


def sentence(assessment: Assessment) -> str:
    """Return what the page says in a sentence."""
    plain_words = "When calls come, and how long each level is held."
    if assessment.profile is None:
        return plain_words
    week = charts_rhythm.pick(assessment.profile, variant_of(assessment))
    at = week.index[(week["q90"] == week["q90"].max()) & (week["q90"] > 0)].to_numpy()
    if len(at) == 0:
        return plain_words
    if len(at) == 1:
        hour = int(at[0]) % 24
        return f"The busiest hour of the typical week is {WEEKDAYS[at[0] // 24]}, {_clock(hour)} to {_clock(hour + 1)}."
    days, hours = sorted(set(at // 24)), at % 24
    when = f"between {_clock(hours.min())} and {_clock(hours.max() + 1)}"
    if len(days) == 1:
        return f"The busiest hours of the typical week are {WEEKDAYS[days[0]]} {when}."
    named = [WEEKDAYS[d] for d in days]
    row = days[-1] - days[0] == len(days) - 1
    which = f"{named[0]} to {named[-1]}" if row and len(days) > 2 else listed(named)
    return f"The busiest hours of the typical week, {len(at)} alike, are {which} {when}."


def _clock(hour: int) -> str:
    return f"{hour:02d}:00"


def _week(assessment: Assessment, area: Area) -> None:
    ax = area.axes(top=0.0, bottom=9.0)
    charts_rhythm.heat_map(assessment.profile, ax, variant=variant_of(assessment), tz=assessment.tz)


def _hours(assessment: Assessment, area: Area) -> None:
    charts_rhythm.busy_hours(present(assessment.busy_hours), area.axes(left=9.0), variant=variant_of(assessment))


def _in_numbers(assessment: Assessment) -> str:
    row = present(assessment.busy_hours).table.loc[variant_of(assessment)]
    if not row["days"]:
        return "No day is complete"
    same, own, highest = (float(row[c]) for c in ("time_consistent", "bouncing", "highest_30"))
    digits = 0 if own >= 10 else 1
    words = f"Mean of the busiest hour {count(same, digits)}; of each day's own busiest hour {count(own, digits)}"
    return words if highest != highest else f"{words}; on the 30 highest days {count(highest, digits)}"


def _shares(assessment: Assessment, area: Area) -> None:
    charts_rhythm.percentiles(
        assessment.percentiles,
        area.axes(left=26.0, right=12.0),
        licences=licences_now(assessment) if assessment.variant else None,
        variant=variant_of(assessment),
    )


def _duration(assessment: Assessment, area: Area) -> None:
    charts_rhythm.load_duration(
        assessment.load_duration,
        area.axes(left=9.0, right=13.0),
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
