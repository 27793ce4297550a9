"""Page 1: the verdict."""

from __future__ import annotations

import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.ground.calendar import horizons_within
from capacity.ground.frame import TOTAL
from capacity.ground.text import chance, count, moment, percent, plural
from capacity.report import charts_exhaustion, charts_history
from capacity.report.frame import (
    BOTTOM,
    GAP,
    MARGIN,
    WIDTH,
    begin,
    drawn_licences,
    local,
    notes_of,
    present,
    variant_name,
    variant_of,
)
from capacity.report.page_history import PANELS as HISTORY
from capacity.report.panels import Panel, notes, place, table
from capacity.report.sheet import PT, Area, Sheet
from capacity.report.theme import INK, LICENCE, MUTED, day, plain, text_width, wrap

_ROWS = 5.8  # [mm] of the decision table
_FIRST = 24.5  # [mm] baseline of the headline
_FIGURES = 28.0  # [mm]
_LEFT = 172.0  # [mm] of the picture
_LEAST = 52.0  # [mm] for the picture; the figures above it give way


def verdict(assessment: Assessment, pages: int = 6) -> Sheet:
    """Draw the page that is read if only one is read."""
    area = begin(assessment, 1, pages=pages)
    sheet = area.sheet
    y = _words(sheet, assessment, _FIRST)
    figures, table_height = _heights(assessment, BOTTOM - y)
    if figures:
        _figures(sheet, assessment, y)
        y += figures
    choices, picture = PANELS[1], _picture(assessment)
    if table_height:
        place(choices, assessment, Area(sheet, MARGIN, y, WIDTH, table_height))
        y += table_height
    if picture is not None:
        place(picture, assessment, Area(sheet, MARGIN, y, _LEFT, BOTTOM - y))
    notes(_notes_area(sheet, assessment, y), notes_of(assessment), "page 6")
    return sheet


def sentence(assessment: Assessment) -> str:
    """Return the headline, and what else a decision has to know."""
    return str(assessment.headline)


def overflow(assessment: Assessment) -> list[str]:
    """Return the notes that find no room on the page of the verdict."""
    sheet = Sheet()
    y = _words(sheet, assessment, _FIRST)
    y += sum(_heights(assessment, BOTTOM - y))
    return notes(_notes_area(sheet, assessment, y), notes_of(assessment), "page 6")


def _picture(assessment: Assessment) -> Panel | None:
    """Return what is drawn at the lower left: the days ahead, or the past alone where there is no forecast."""
    return next((panel for panel in (PANELS[0], HISTORY[0]) if panel.stands_alone(assessment)), None)


def _heights(assessment: Assessment, room: float) -> tuple[float, float]:
    """Return how high the figures and the decision table are [mm]; the figures give way to the picture."""
    table_height = 0.0 if assessment.decisions is None else 23.5 + _ROWS * len(assessment.decisions)
    return (_FIGURES if room - table_height - _FIGURES >= _LEAST else 0.0), table_height


def _notes_area(sheet: Sheet, assessment: Assessment, y: float) -> Area:
    x = MARGIN if _picture(assessment) is None else MARGIN + _LEFT + GAP
    return Area(sheet, x, y, MARGIN + WIDTH - x, BOTTOM - y)


def _words(sheet: Sheet, assessment: Assessment, y: float) -> float:
    """Write the headline as large as it can be in three lines, what else matters, and how far it was tested."""
    words = plain(assessment.headline.text)
    for size in (19.0, 17.0, 15.0, 13.5, 12.0):
        if len(wrap(words, WIDTH * PT, size, "bold")) <= (2 if size > 15 else 3):
            break
    y = sheet.block(MARGIN, y, words, size, WIDTH, weight="bold", leading=1.3) - 1.0
    if assessment.headline.besides:
        y = sheet.block(MARGIN, y, plain(" ".join(assessment.headline.besides)), 10.0, WIDTH) + 0.5
    level = f"Confidence: {assessment.confidence.level}. "
    size = 10.0 if assessment.confidence.level != "tested" else 9.0
    indent = text_width(level, size, "bold") / PT
    tested = assessment.confidence.level == "tested"
    lines = wrap(plain(assessment.confidence.reason), (WIDTH - indent) * PT, size)
    sheet.text(MARGIN, y, level, size, weight="bold", color=MUTED if tested else LICENCE)
    for line in lines:
        sheet.text(MARGIN + indent, y, line, size, color=MUTED if tested else INK)
        y += 1.35 * size / PT
    return y + 0.5


def _figures(sheet: Sheet, assessment: Assessment, y: float) -> None:
    tiles = [_licences(assessment), _peak(assessment), _chance(assessment), _number(assessment)]
    width = (WIDTH - 3 * GAP) / 4
    for number, (label, value, note, colour) in enumerate(tiles):
        x = MARGIN + number * (width + GAP)
        sheet.rule(x, y, width, colour=colour, weight=2.0)
        sheet.text(x, y + 5.0, label, 8.0, color=MUTED)
        size = 22.0
        while text_width(value, size, "bold") > width * PT and size > 9:
            size -= 1.0
        sheet.text(x, y + 14.0, value, size, weight="bold", color=colour)
        sheet.block(x, y + 18.5, plain(note), 7.0, width, lines=2, color=MUTED)


def _licences(assessment: Assessment) -> tuple[str, str, str, str]:
    facts = assessment.situation
    note = "concurrent calls that may be in progress at once"
    if facts.changes:
        note = ", ".join(f"{count(n)} from {day(date)}" for date, n in facts.changes[:3])
    return "Licences", count(facts.licences), note, LICENCE


def _peak(assessment: Assessment) -> tuple[str, str, str, str]:
    low, high = assessment.situation.peak
    value, time, whose = assessment.peak
    at = local(time, assessment.tz)
    when = f"{moment(at, weekday=False)} {assessment.tz}"
    if low < high:
        note = f"known within bounds; {assessment.display_name(whose)} alone: {count(value)}"
        if assessment.variant:
            note = "known within bounds: the largest project, and the sum of all"
        return "Highest peak so far", f"{count(low)} to {count(high)}", note, INK
    held = int(assessment.licences.on(pd.DatetimeIndex([at.normalize()]))[0])
    share = f"; {percent(value / held)} of the {plural(held, 'licence')} of that day" if held else ""
    return "Highest peak so far", count(value), f"{when}{share}", INK


def _chance(assessment: Assessment) -> tuple[str, str, str, str]:
    label = f"Chance of exceeding them within {plural(assessment.horizon, 'day')}"
    headroom = assessment.headroom
    if headroom is None:
        return label, "unknown", "the notes say why", INK
    least = "at most " if assessment.situation.combined else ""
    note = f"that demand exceeds the licences on some day up to {day(headroom.p_above.index[-1])}"
    return label, f"{least}{chance(float(headroom.p_above.iloc[-1]))}", note, INK


def _number(assessment: Assessment) -> tuple[str, str, str, str]:
    """Return the date by which exceeding is likelier than not; where it is not, the licences for 5% risk."""
    facts = assessment.situation
    if facts.likely_by is not None and not facts.combined:
        return (
            "Likelier than not by",
            day(facts.likely_by),
            f"by then the chance of exceeding is above {percent(0.5)}",
            INK,
        )
    label = f"Licences for 5% risk within {plural(assessment.horizon, 'day')}"
    if not facts.needed:
        return label, "unknown", "the notes say why", INK
    low, high = facts.needed[0.05]
    if low < high:
        return label, f"{count(low)} to {count(high)}", "known within bounds", INK
    apart = high - facts.licences
    note = "as many as are held" if not apart else f"{abs(apart):,} {'more' if apart > 0 else 'fewer'} than are held"
    return label, count(high), note, INK


def _outlook(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=9.0, right=15.0, bottom=10.0)
    licences, tz = drawn_licences(assessment), assessment.tz
    charts_history.outlook(present(assessment.forecast), ax, licences=licences, variant=variant_of(assessment), tz=tz)


def _choices(assessment: Assessment, area: Area) -> None:
    words = present(assessment.decision_table())
    head = ("", *(name[0].upper() + name[1:] for name in words.columns))
    rows = [(str(choice), *row) for choice, row in zip(words.index, words.to_numpy().tolist(), strict=True)]
    table(area.below(-3.0), head, rows, first=None)


def _what_is_expected(assessment: Assessment) -> str:
    ahead = plural(len(present(assessment.forecast).dates), "day")
    alone = assessment.variant == TOTAL and not assessment.situation.combined
    whose = f"{variant_name(assessment)}: " if alone else ""
    return f"{whose}the last days, the {ahead} ahead, and at the right the highest of these"


def _chances(assessment: Assessment, area: Area) -> None:
    headroom = present(assessment.headroom)
    rows = len(horizons_within(len(headroom.p_above)))
    ax = area.sheet.axes(area.x, area.y - 5.5, area.width, min(10.0 * rows, area.height + 5.5))
    charts_exhaustion.chances(headroom, ax)


def _needed(assessment: Assessment, area: Area) -> None:
    needed = present(assessment.needed).sort_index(ascending=False)
    head = ("", *(plural(int(days), "day") for days in needed.columns))
    rows = [
        (f"{percent(float(risk))} risk", *(count(n) for n in row))
        for risk, row in zip(needed.index, needed.to_numpy(), strict=True)
    ]
    table(area, head, rows, first=0.26, strong=len(needed.columns))


PANELS = (
    Panel("outlook", "Daily peaks against the licences", _what_is_expected, "forecast", _outlook),
    Panel(
        "decisions",
        "What each choice means",
        lambda a: f"Risk: the chance that demand exceeds the licences on at least one of {plural(a.horizon, 'day')}",
        "decisions",
        _choices,
        (240.0, 70.0),
    ),
    Panel("chances", "Chance of exceeding the licences", lambda _: "", "headroom", _chances, (130.0, 62.0)),
    Panel(
        "licences-needed",
        "Licences to hold",
        lambda _: "So that demand exceeds them with no more than this risk within",
        "needed",
        _needed,
        (130.0, 62.0),
    ),
)
