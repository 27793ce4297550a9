"""Page 6: how far the numbers can be trusted."""

from __future__ import annotations

from capacity.analysis.assessment import Assessment
from capacity.ground.text import count, percent, plural
from capacity.report import charts_trust
from capacity.report.frame import GAP, MARGIN, TOP, WIDTH, begin, names_of, present, span_of
from capacity.report.panels import Area, Panel, place, table
from capacity.report.sheet import PT, Sheet
from capacity.report.theme import MUTED, day, plain, wrap

__all__ = ["PANELS", "trust"]

_LONGEST = 120  # days of a past forecast that can be told apart in print


def trust(assessment: Assessment) -> Sheet:
    """Draw the page of back-test and data quality."""
    sheet = begin(assessment, 6, _sentence(assessment))
    third = (WIDTH - 2 * GAP) / 3
    right = MARGIN + 2 * (third + GAP)
    past, coverage, pit, scores, data = PANELS
    place(past, assessment, Area(sheet, MARGIN, TOP, WIDTH, 55.0))
    place(coverage, assessment, Area(sheet, MARGIN, 98.0, third, 48.0))
    place(pit, assessment, Area(sheet, MARGIN + third + GAP, 98.0, third, 48.0))
    place(scores, assessment, Area(sheet, right, 98.0, third, 48.0))
    place(data, assessment, Area(sheet, MARGIN, 150.5, 2 * third + GAP, 50.0))
    _notes(assessment, Area(sheet, right, 150.5, third, 50.0))
    return sheet


def _sentence(assessment: Assessment) -> str:
    found = assessment.backtest
    if found is None:
        return "The forecast was not tried on the past."
    ours, many = found.scores.iloc[0], len(found.origins)
    kept = round(float(ours["kept_95"]) * many)
    within = percent(float(ours["coverage_80"]))
    return (
        f"Tried on {plural(many, 'past date')}, the forecast's central 80% range held {within} of days, "
        f"and its licences for 5% risk were enough in {count(kept)} of {count(many)}."
    )


def _past(assessment: Assessment, area: Area) -> None:
    found = present(assessment.backtest)
    origins = list(found.forecasts.index.unique(0))
    origins = origins[:: max(len(origins) - 1, 1)] if found.horizon > 45 else origins
    width = (area.width - (len(origins) - 1) * GAP) / max(len(origins), 1)
    for number, origin in enumerate(origins):
        left = area.x + number * (width + GAP) + 8.0
        ax = area.sheet.axes(left, area.y + 6.5, width - 8.0, area.height - 15.5)
        charts_trust.past_forecast(found, ax, origin=origin, days=_LONGEST, tz=assessment.tz)
        ax.set_xlabel("")
        ax.set_ylabel("")
        area.sheet.text(left, area.y + 4.0, f"from {day(origin)}", 8, weight="bold")


def _past_words(assessment: Assessment) -> str:
    horizon = present(assessment.backtest).horizon
    ahead = f"{plural(horizon, 'day')} ahead" + (f" (the first {_LONGEST})" if horizon > _LONGEST else "")
    return f"Made with what was known on that day, {ahead}; shaded: central 50, 80, 90% of days' peaks; dots: what came"


def _coverage(assessment: Assessment, area: Area) -> None:
    charts_trust.coverage_of(present(assessment.backtest), area.axes(left=11.0, right=5.0))


def _pit(assessment: Assessment, area: Area) -> None:
    charts_trust.pit(present(assessment.backtest), area.axes(left=11.0))


def _scores(assessment: Assessment, area: Area) -> None:
    scores = present(assessment.backtest).scores
    columns = {"pinball": "days", "pinball_max": "highest day", "brier": "Brier"}
    held = [c for c in columns if c in scores.columns]
    rows = [
        ("this forecast" if number == 0 else str(name), *(_score(float(row[c])) for c in held))
        for number, (name, row) in enumerate(scores.iterrows())
    ]
    below = Area(area.sheet, area.x, area.y + 2.0, area.width, area.height - 2.0)
    table(below, ("", *(columns[c] for c in held)), rows, first=0.36, strong=None)


def _score(value: float) -> str:
    return "< 0.001" if 0 < value < 0.001 else f"{value:.3g}"


def _data(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=36.0, right=14.0, top=4.0, bottom=9.0)
    charts_trust.gaps(assessment.coverage, ax, names=names_of(assessment), tz=assessment.tz)


def _notes(assessment: Assessment, area: Area) -> None:
    sheet = area.sheet
    at = sheet.heading(area.x, area.y, area.width, "What it rests on") + 4.0
    for line in (plain(line) for line in (*span_of(assessment), *assessment.notes)):
        need = 3.35 * len(wrap(line, area.width * PT, 7.0))
        if at + need > area.y + area.height + 2.0:
            sheet.text(area.x, at, "…", 7.0, color=MUTED)
            break
        at = sheet.block(area.x, at, line, 7.0, area.width, color=MUTED) + 0.8


PANELS = (
    Panel(
        "past-forecasts",
        "Forecasts of the past beside what happened",
        _past_words,
        "backtest",
        _past,
        (240.0, 80.0),
    ),
    Panel(
        "coverage",
        "Do the ranges hold?",
        lambda _: "Share of past days that fell within the forecast range",
        "backtest",
        _coverage,
        (130.0, 80.0),
    ),
    Panel(
        "pit",
        "Is it too high or too low?",
        lambda _: "Where each past day fell in its forecast: level if honest (PIT)",
        "backtest",
        _pit,
        (130.0, 80.0),
    ),
    Panel(
        "scores",
        "Against plain methods",
        lambda _: "Lower is better: quantile loss [calls] and Brier score",
        "backtest",
        _scores,
        (130.0, 60.0),
    ),
    Panel(
        "data-quality",
        "Are the data whole?",
        lambda _: "Intervals answered for, of those that are due, by series; the shortest gaps are drawn wider",
        "coverage",
        _data,
    ),
)
