"""What every page shares: margins, head and foot, and the panel that says why there is nothing to show."""

from __future__ import annotations

from typing import Any

import pandas as pd

from capacity.intervals import TOTAL
from capacity.report.axes import missing
from capacity.report.sheet import A4, PT, Sheet
from capacity.report.theme import INK, MUTED, count, day, percent, plain, shorten

__all__ = ["MARGIN", "PAGES", "WIDTH", "begin", "missing_panel", "reason", "span_of", "variant_name"]

MARGIN = 16.0  # [mm]
WIDTH = A4[0] - 2 * MARGIN
PAGES = ("The verdict", "History", "Rhythm", "Variants", "Exhaustion", "Trust")


def begin(assessment: Any, number: int) -> Sheet:
    """Return a page with its head and foot."""
    sheet = Sheet()
    title = PAGES[number - 1]
    sheet.text(MARGIN, 15.0, title, 9, weight="bold", color=INK)
    name = getattr(assessment, "name", None)
    right = [plain(name)] if name else []
    right.append(_period(assessment))
    words = shorten("  ·  ".join(right), (WIDTH - 50) * PT, 8)
    sheet.text(MARGIN + WIDTH, 15.0, words, 8, ha="right", color=MUTED)
    sheet.rule(MARGIN, 18.5, WIDTH)
    foot = ["A value is the highest number of calls in progress at once within 5 minutes"]
    foot.append(f"days and hours are local, {assessment.tz}")
    forecast = assessment.forecast
    if forecast is not None:
        foot.append(f"forecast from {count(forecast.paths.shape[1])} paths, seed {assessment.seed}")
    sheet.text(MARGIN, 205.0, "; ".join(foot), 6.5, color=MUTED)
    sheet.text(MARGIN + WIDTH, 205.0, f"{number} / {len(PAGES)}", 6.5, ha="right", color=MUTED)
    return sheet


def _local(time: Any, tz: str) -> pd.Timestamp:
    stamp = pd.Timestamp(time)
    return stamp.tz_convert(tz).tz_localize(None) if stamp.tzinfo is not None else stamp


def _period(assessment: Any) -> str:
    start, end = (_local(t, assessment.tz) for t in assessment.span)
    last = end - pd.Timedelta(nanoseconds=1)
    return f"{day(start)} to {day(last)}, {assessment.tz}"


def span_of(assessment: Any) -> list[str]:
    """Return in words what the numbers rest on: span, coverage, gaps, days at the cap."""
    lines = [f"Data: {_period(assessment)}."]
    coverage = assessment.coverage
    if coverage is not None:
        table = coverage.table
        row = table.loc[TOTAL] if TOTAL in table.index else table.sum()
        share = float(row["present"]) / float(row["expected"]) if row["expected"] else 1.0
        what = "the total series" if TOTAL in table.index else "all series"
        gaps = coverage.gaps
        own = gaps[gaps.iloc[:, 0] == TOTAL] if TOTAL in table.index else gaps
        words = "no gaps" if len(own) == 0 else f"{count(len(own))} gap{'s' if len(own) > 1 else ''}"
        lines.append(f"Coverage: {percent(share)} of 5-minute intervals of {what}, {words}.")
    return lines


def variant_name(assessment: Any) -> str:
    """Return what the verdict is about."""
    chosen = getattr(assessment.headroom, "variant", None) if assessment.headroom is not None else None
    return "All calls together" if chosen in (None, TOTAL) else plain(chosen)


def reason(assessment: Any, *words: str) -> str:
    """Return the first note that speaks of one of `words`, or say that nothing is known."""
    for word in words:
        for note in assessment.notes:
            if word.lower() in str(note).lower():
                return plain(note)
    return "Not part of this assessment."


def missing_panel(
    sheet: Sheet, assessment: Any, x: float, y: float, width: float, height: float, title: str, *words: str
) -> None:
    """Keep the panel's place and say in a line what is missing and why."""
    sheet.heading(x, y, width, title)
    missing(sheet.axes(x, y + 8.0, width, height - 8.0), reason(assessment, *words))
