"""Page 6: how far the numbers can be trusted."""

from __future__ import annotations

from capacity.analysis.assessment import Assessment
from capacity.analysis.verdict.confidence import no_data
from capacity.ground.text import count, percent, plural
from capacity.report import charts_trust, page_verdict
from capacity.report.frame import BOTTOM, GAP, MARGIN, WIDTH, begin, names_of, present
from capacity.report.panels import Panel, flow, notes, place, table
from capacity.report.sheet import Area, Sheet
from capacity.report.theme import day

_LEANS = 0.05  # mean place of past days in their forecasts, off the middle, that is worth a word

_THIRD = (WIDTH - 2 * GAP) / 3
_MEASURES = {"pinball": "single days [calls]", "pinball_max": "highest day [calls]", "brier": "chance (Brier)"}
_DIGITS = {"pinball": 2, "pinball_max": 2, "brier": 3}
_LONGEST = 120  # days of a past forecast that can be told apart in print


def trust(assessment: Assessment, pages: int = 6) -> Sheet:
    """Draw the page of back-test and data quality, with the notes that the first page had no room for."""
    area = begin(assessment, 6, sentence(assessment), pages=pages)
    past, coverage, pit, scores, data = PANELS
    lower = _lower(assessment)
    upper = Area(area.sheet, area.x, area.y, area.width, lower - 4.0 - area.y)
    flow(assessment, upper, [(55.0, [(past, 1.0)]), (48.0, [(coverage, 1.0), (pit, 1.0), (scores, 1.0)])])
    rest = page_verdict.overflow(assessment)
    wide = 2 * _THIRD + GAP if rest else WIDTH
    place(data, assessment, Area(area.sheet, MARGIN, lower, wide, BOTTOM - lower))
    if rest:
        notes(_notes_area(area.sheet, lower), rest, f"page {pages}")
    return area.sheet


def _lower(assessment: Assessment) -> float:
    """Return where the data and the notes begin [mm]: higher where there is no back-test to show."""
    return 80.0 if assessment.backtest is None else 150.5


def _notes_area(sheet: Sheet, lower: float) -> Area:
    return Area(sheet, MARGIN + 2 * (_THIRD + GAP), lower, _THIRD, BOTTOM - lower)


def overflow(assessment: Assessment) -> list[str]:
    """Return the notes that find no room on the first and the last page."""
    rest = page_verdict.overflow(assessment)
    return notes(_notes_area(Sheet(), _lower(assessment)), rest, "page 7") if rest else []


def more_notes(assessment: Assessment, pages: int = 7) -> Sheet:
    """Draw the page of the notes that found no room before."""
    area = begin(assessment, pages, "What the verdict rests on, continued.", pages=pages, title="Notes")
    notes(area, overflow(assessment), "the printed text")
    return area.sheet


def sentence(assessment: Assessment) -> str:
    """Return what the page says in a sentence."""
    proof, found = assessment.evidence, assessment.confidence
    if proof is None or not proof.testable:
        return f"The verdict is untested. {found.reason}"
    verdict = {
        "tested": "The forecast stood the test",
        "weak": "The forecast failed the test" if proof.too_low else "The forecast was tested weakly",
        "untested": "The verdict is untested",
    }[found.level]
    return (
        f"{verdict}: its licences for 5% risk were enough in {count(proof.kept)} of "
        f"{plural(proof.tries, 'past forecast')}, {plural(proof.windows, 'separate period')}; its central 80% range "
        f"held {percent(proof.within)} of days."
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
    held = [c for c in _MEASURES if c in scores.columns]
    best = scores[held].round(3).eq(scores[held].round(3).min())
    rows = [
        ("this forecast" if number == 0 else str(name), *(_score(float(row[c]), _DIGITS[c]) for c in held))
        for number, (name, row) in enumerate(scores.iterrows())
    ]
    marks = [[False, *row] for row in best.to_numpy().tolist()]
    below = area.below(-1.0)
    table(below, ("", *(_MEASURES[c] for c in held)), rows, first=0.36, strong=None, best=marks)


def _score(value: float, digits: int) -> str:
    least = 10.0**-digits
    return f"<{least:.{digits}f}" if 0 < value < least / 2 else count(value, digits)


def _against(assessment: Assessment) -> str:
    scores = present(assessment.backtest).scores
    ours, others = scores.iloc[0], scores.iloc[1:]
    won = int((ours["pinball"] <= others["pinball"]).sum())
    if won == len(others):
        return "Better than both plain methods on single days; lower is better, the best is bold"
    if won:
        return "Better than one plain method of two on single days; lower is better, the best is bold"
    return "No better than the plain methods on single days; lower is better, the best is bold"


def _ranges(assessment: Assessment) -> str:
    within = float(present(assessment.backtest).scores.iloc[0]["coverage_80"])
    verdict = "too narrow" if within < 0.72 else "too wide" if within > 0.92 else "about right"
    return f"They are {verdict}: share of past days that fell within the range forecast for them"


def _leaning(assessment: Assessment) -> str:
    proof = assessment.evidence
    if proof is not None and proof.testable and proof.lean:
        return proof.lean
    bias = present(assessment.backtest).bias
    if abs(bias) > _LEANS:
        side = "low" if bias > 0 else "high"
        return f"Rather too {side}, in too few separate periods to be sure: where each past day fell; flat if unbiased"
    return "Neither: where each past day fell in its forecast; flat if unbiased"


def _complete(assessment: Assessment) -> str:
    gone = assessment.missing_days
    words = f"{no_data(gone)[:-1]}. " if gone else ""
    return f"{words}Intervals that are there, of those that should be, by series; short gaps are drawn wider"


def _data(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=36.0, right=14.0, top=4.0, bottom=9.0)
    charts_trust.gaps(assessment.coverage, ax, names=names_of(assessment), tz=assessment.tz)


PANELS = (
    Panel(
        "past-forecasts", "Forecasts of the past beside what happened", _past_words, "backtest", _past, (240.0, 80.0)
    ),
    Panel("coverage", "Do the ranges hold?", _ranges, "backtest", _coverage, (130.0, 80.0)),
    Panel("pit", "Is it too high or too low?", _leaning, "backtest", _pit, (130.0, 80.0)),
    Panel("scores", "Against plain methods", _against, "backtest", _scores, (130.0, 60.0)),
    Panel("data-quality", "Is the data complete?", _complete, "coverage", _data, of_one=False),
)
