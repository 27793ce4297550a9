"""What every page shares: margins, head and foot, and what an assessment is about in words."""

from __future__ import annotations

from typing import Any, TypeVar

import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.analysis.blocking import Blocking
from capacity.errors import InsufficientData
from capacity.ground.frame import TOTAL
from capacity.ground.licences import Licences
from capacity.ground.text import count, percent, plural
from capacity.report.sheet import A4, PT, Area, Sheet
from capacity.report.theme import INK, MUTED, day, plain, readable, shorten, text_width, wrap

T = TypeVar("T")

MARGIN = 16.0  # [mm]
WIDTH = A4[0] - 2 * MARGIN
GAP = 9.0  # [mm] between columns
BOTTOM = 200.5  # [mm] where panels end
PAGES = ("The verdict", "History", "The week", "Variants", "When the licences run out", "How far to trust it")


def begin(assessment: Assessment, number: int, sentence: str = "", *, pages: int = len(PAGES), title: str = "") -> Area:
    """Start a page: its head, how far the verdict was tested, what the page says in a sentence, and its foot.

    Returns the area that is left for panels.
    """
    sheet = Sheet()
    sheet.text(MARGIN, 12.0, title or PAGES[number - 1], 9, weight="bold", color=INK)
    sheet.text(MARGIN + WIDTH, 12.0, whose(assessment, (WIDTH - 50) * PT, 8), 8, ha="right", color=MUTED)
    sheet.rule(MARGIN, 15.0, WIDTH)
    foot = ["A value is the highest number of calls in progress at once within 5 minutes"]
    foot.append(f"days and hours are local, {assessment.tz}")
    if assessment.forecast is not None:
        foot.append(f"forecast from {count(assessment.forecast.paths.shape[1])} simulations, seed {assessment.seed}")
    sheet.text(MARGIN, 205.0, "; ".join(foot), 6.5, color=MUTED)
    sheet.text(MARGIN + WIDTH, 205.0, f"{number} / {pages}", 6.5, ha="right", color=MUTED)
    y = 19.5
    if number > 1:  # on the first page it stands larger, under the headline
        words = f"Confidence: {assessment.confidence.level}. {assessment.confidence.reason}"
        y = sheet.block(MARGIN, y, plain(words), 7.0, WIDTH, color=MUTED) + 3.2
    if sentence:
        words = plain(sentence)
        size = next((s for s in (15.0, 13.0, 11.0) if len(wrap(words, WIDTH * PT, s, "bold")) <= 2), 10.0)
        y = sheet.block(MARGIN, y + 1.0, words, size, WIDTH, weight="bold", leading=1.3)
    return Area(sheet, MARGIN, y, WIDTH, BOTTOM - y)


def whose(assessment: Assessment, width: float, size: float) -> str:
    """Return whose calls these are, which of them are shown if not all, and of which days: at most `width` [pt]."""
    parts = [period(assessment)]
    if not assessment.variant:
        parts.insert(0, f"{shorten(variant_name(assessment), width / 4, size)} alone, there is no total")
    rest = "  ·  ".join(parts)
    name = plain(getattr(assessment, "name", None) or "")
    if not name:
        return shorten(rest, width, size)
    room = width - text_width(f"  ·  {rest}", size)
    return shorten(f"{shorten(name, max(room, 0.0), size)}  ·  {rest}", width, size)


def local(time: Any, tz: str) -> pd.Timestamp:
    """Return an aware time as a naive local one."""
    stamp = pd.Timestamp(time)
    return stamp.tz_convert(tz).tz_localize(None) if stamp.tzinfo is not None else stamp


def period(assessment: Assessment) -> str:
    """Return the first and the last local day of the data, and the zone."""
    start, end = (local(t, assessment.tz) for t in assessment.span)
    return f"{day(start)} to {day(end - pd.Timedelta(nanoseconds=1))}, {assessment.tz}"


def span_of(assessment: Assessment) -> list[str]:
    """Return in words what the numbers rest on: span, coverage, gaps, time at the licences."""
    lines = [f"Data: {period(assessment)}."]
    coverage = assessment.coverage
    if coverage is not None:
        table = coverage.table
        whole = TOTAL in table.index
        row = table.loc[TOTAL] if whole else table[["expected", "present"]].sum()
        share = float(row["present"]) / float(row["expected"]) if row["expected"] else 1.0
        own = coverage.gaps[coverage.gaps.iloc[:, 0] == TOTAL] if whole else coverage.gaps
        words = "no gaps" if len(own) == 0 else f"{count(len(own))} gap{'s' if len(own) > 1 else ''}"
        what = "the total" if whole else "all series"
        lines.append(f"Coverage: {percent(share)} of the 5-minute intervals of {what}, {words}.")
    if assessment.utilisation is not None and assessment.variant:
        lines.append(_at_the_cap(assessment))
    if assessment.traffic is not None and assessment.traffic.whole["turned_away"] >= 0.5:
        lines.append(_turned_away(assessment.traffic))
    return lines


def notes_of(assessment: Assessment) -> list[str]:
    """Return all that the verdict rests on, warnings first, word for word."""
    warnings = [f"Warning: {note}" for note in assessment.notes if note.severity == "warning"]
    others = [str(note) for note in assessment.notes if note.severity != "warning"]
    return [*warnings, *span_of(assessment), *others]


def _at_the_cap(assessment: Assessment) -> str:
    table = present(assessment.utilisation).table
    chosen = variant_of(assessment)
    row = table.loc[(chosen if chosen in table.index.unique(0) else table.index[0][0], 100)]
    if not row["intervals"]:
        return "The licences were never all in use."
    return f"All licences were in use in {percent(float(row['share']))} of the 5-minute intervals."


def _turned_away(traffic: Blocking) -> str:
    whole = traffic.whole
    limits = f"{count(whole['lower'])} to {count(whole['upper'])}, 90%"
    lost, share = round(whole["turned_away"]), percent(float(whole["share"]))
    return (
        f"About {plural(lost, 'call')} ({limits}) {'was' if lost == 1 else 'were'} turned away, {share} of those "
        f"offered: estimated, for calls of {minutes(traffic.mean_call_length)} that arrive singly, by chance."
    )


def minutes(length: pd.Timedelta) -> str:
    """Return a length of calls in words."""
    value = length.total_seconds() / 60
    return f"{value:g} minute{'' if value == 1 else 's'}"


def variant_of(assessment: Assessment) -> str:
    """Return the series that the verdict is about; where there is none, the one with the highest peak."""
    return str(assessment.variant or assessment.peak[2])


def variant_name(assessment: Assessment) -> str:
    """Return what the verdict is about, for people."""
    chosen = variant_of(assessment)
    if assessment.situation.combined:
        return "The sum of all projects, an upper bound"
    return "All calls together" if chosen == TOTAL else plain(names_of(assessment).get(chosen, chosen))


def names_of(assessment: Assessment) -> dict[str, str]:
    """Return the variants' display names."""
    if assessment.diversity is None:
        return {}
    names = assessment.diversity.table["name"]
    return {str(v): str(name) for v, name in names.items() if readable(str(name))}


def licences_now(assessment: Assessment) -> int:
    """Return the licences on the day after the data."""
    end = local(assessment.span[1], assessment.tz)
    return int(assessment.licences.on(pd.DatetimeIndex([end.normalize()]))[0])


def drawn_licences(assessment: Assessment) -> Licences | None:
    """Return the licences to draw; None where the series drawn is not the one that they are judged on."""
    return assessment.licences if assessment.variant else None


# Field of an assessment -> the fields without which it is not there.
_NEEDS = {
    "headroom": ("forecast",),
    "needed": ("headroom", "forecast"),
    "backtest": ("forecast", "headroom"),
    "return_levels": ("headroom",),
}


def reason(assessment: Assessment, field: str) -> str:
    """Return the note that says why a field is not there, or nothing."""
    for name in (field, *_NEEDS.get(field, ())):
        notes = [note for note in assessment.notes if note.field == name]
        if notes and getattr(assessment, name) is None:
            return plain(notes[0])
    return ""


def present(part: T | None) -> T:
    """Return a part of an assessment that is there: panels are drawn only where their field is."""
    if part is None:
        raise InsufficientData("this part of the assessment is not there; its notes say why")
    return part
