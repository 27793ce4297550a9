"""Page 1: the verdict."""

from __future__ import annotations

import itertools

import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.analysis.headroom import Headroom
from capacity.ground.calendar import horizons_within
from capacity.ground.text import chance, count, moment, percent, plural
from capacity.report import charts_exhaustion, charts_history
from capacity.report.frame import (
    GAP,
    MARGIN,
    WIDTH,
    begin,
    drawn_licences,
    licences_now,
    local,
    present,
    span_of,
    variant_name,
    variant_of,
)
from capacity.report.panels import Area, Panel, place, table
from capacity.report.sheet import PT, Sheet
from capacity.report.theme import INK, LICENCE, MUTED, day, plain, text_width, wrap

__all__ = ["PANELS", "verdict"]


def verdict(assessment: Assessment) -> Sheet:
    """Draw the page that is read if only one is read."""
    sheet = begin(assessment, 1)
    y = _headline(sheet, assessment.sentence(), 31.0)
    _figures(sheet, assessment, max(y + 1.0, 51.5))
    outlook, chances, needed = PANELS
    left = 172.0
    right, width = MARGIN + left + GAP, WIDTH - left - GAP
    place(outlook, assessment, Area(sheet, MARGIN, 90.5, left, 78.0))
    place(chances, assessment, Area(sheet, right, 90.5, width, 40.0))
    place(needed, assessment, Area(sheet, right, 134.5, width, 36.0))
    _rests_on(sheet, assessment, 173.0)
    return sheet


def _headline(sheet: Sheet, sentence: str, y: float) -> float:
    """Write the sentence as large as it can be in three lines."""
    words = plain(sentence)
    for size in (19.0, 17.0, 15.0, 13.5, 12.0):
        if len(wrap(words, WIDTH * PT, size, "bold")) <= (2 if size > 15 else 3):
            break
    return sheet.block(MARGIN, y, words, size, WIDTH, lines=3, weight="bold", leading=1.3)


def _figures(sheet: Sheet, assessment: Assessment, y: float) -> None:
    tiles = [_licences(assessment), _peak(assessment), _chance(assessment), _when(assessment)]
    width = (WIDTH - 3 * GAP) / 4
    for number, (label, value, note, colour) in enumerate(tiles):
        x = MARGIN + number * (width + GAP)
        sheet.rule(x, y, width, colour=colour, weight=2.0)
        sheet.text(x, y + 6.2, label, 8.5, color=MUTED)
        size = 27.0
        while text_width(value, size, "bold") > width * PT and size > 12:
            size -= 1.0
        sheet.text(x, y + 18.0, value, size, weight="bold", color=colour)
        sheet.block(x, y + 23.6, note, 7.5, width, lines=3, color=MUTED)


def _licences(assessment: Assessment) -> tuple[str, str, str, str]:
    licences = assessment.licences
    today, now = local(assessment.span[1], assessment.tz).normalize(), licences_now(assessment)
    steps = list(zip(licences.dates, licences.counts, strict=True))
    ahead = [(d, n) for d, n in steps if d > today]
    past = [d for d, n in steps if n == now and d.year > 1900 and (d, n) not in ahead]
    if ahead:
        note = ", ".join(f"{count(n)} from {day(d)}" for d, n in ahead[:2])
    elif past and steps[0][1] != now:
        note = f"concurrent calls, since {day(past[-1])} ({count(_before(steps, past[-1]))} before)"
    else:
        note = "concurrent calls that may be in progress at once"
    return "Licences", count(now), note, LICENCE


def _before(steps: list[tuple[pd.Timestamp, int]], date: pd.Timestamp) -> int:
    return [n for d, n in steps if d < date][-1] if steps[0][0] < date else steps[0][1]


def _peak(assessment: Assessment) -> tuple[str, str, str, str]:
    value, time = assessment.peak[0], assessment.peak[1]
    if value is None or time is None or pd.isna(time):
        return "Highest peak so far", "none", "no interval has data", INK
    local = pd.Timestamp(time).tz_convert(assessment.tz)
    held = int(assessment.licences.on(pd.DatetimeIndex([local.tz_localize(None).normalize()]))[0])
    share = f"; {percent(value / held)} of the {plural(held, 'licence')} of that day" if held else ""
    return "Highest peak so far", count(value), f"{moment(local, weekday=False)} {assessment.tz}{share}", INK


def _chance(assessment: Assessment) -> tuple[str, str, str, str]:
    headroom = assessment.headroom
    if headroom is None:
        return "Chance to run out", "unknown", "see what it rests on, below", INK
    rising = headroom.p_above
    label = f"Chance to run out within {plural(len(rising), 'day')}"
    share = float(rising.iloc[-1])
    return label, chance(share), f"that demand is above the licences on some day up to {day(rising.index[-1])}", INK


def _when(assessment: Assessment) -> tuple[str, str, str, str]:
    headroom = assessment.headroom
    label = "When, if it happens"
    if headroom is None:
        return label, "unknown", "see what it rests on, below", INK
    given = {round(q, 2): d for q, d in (headroom.dates_given or {}).items() if d is not None and not pd.isna(d)}
    if 0.5 not in given or headroom.p_above.iloc[-1] < 0.01:
        few = "fewer than 1 path in 100" if 0.5 in given else "no path"
        return label, "no date", f"{few} passes the licences within {plural(len(headroom.p_above), 'day')}", INK
    spread = ""
    if 0.1 in given and 0.9 in given and given[0.1] != given[0.9]:
        spread = f", eight in ten between {day(given[0.1])} and {day(given[0.9])}"
    return label, day(given[0.5]), f"half of the cases by then{spread}; {_beyond(headroom)}", INK


def _beyond(headroom: Headroom) -> str:
    share = float(headroom.beyond)
    return f"{chance(share)} not within {plural(len(headroom.p_above), 'day')}"


def _outlook(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=9.0, bottom=10.0)
    licences, tz = drawn_licences(assessment), assessment.tz
    charts_history.outlook(present(assessment.forecast), ax, licences=licences, variant=variant_of(assessment), tz=tz)


def _chances(assessment: Assessment, area: Area) -> None:
    rows = len(horizons_within(len(present(assessment.headroom).p_above)))
    ax = area.sheet.axes(area.x, area.y - 5.5, area.width, min(10.0 * rows, area.height + 5.5))
    charts_exhaustion.chances(present(assessment.headroom), ax)


def _needed(assessment: Assessment, area: Area) -> None:
    needed = present(assessment.needed).sort_index(ascending=False)
    head = ("", *(plural(int(days), "day") for days in needed.columns))
    rows = [
        (f"{percent(float(risk))} risk", *(count(n) for n in row))
        for risk, row in zip(needed.index, needed.to_numpy(), strict=True)
    ]
    table(area, head, rows, first=0.26, strong=len(needed.columns))


def _rests_on(sheet: Sheet, assessment: Assessment, y: float) -> None:
    sheet.heading(MARGIN, y, WIDTH, "What it rests on")
    width = (WIDTH - 2 * GAP) / 3
    lines = [plain(line) for line in (*span_of(assessment), *assessment.notes)]
    heights = [len(wrap(line, width * PT, 7.5)) * 3.57 + 0.9 for line in lines]
    for column, (first, last) in enumerate(_columns(heights)):
        at = 0.0
        for line, height in zip(lines[first:last], heights[first:last], strict=True):
            if at + height > 22.0:
                break  # the rest is on the page of trust
            sheet.block(MARGIN + column * (width + GAP), y + 10.0 + at, line, 7.5, width, color=MUTED)
            at += height


def _columns(heights: list[float]) -> list[tuple[int, int]]:
    """Split lines, in their order, into three columns of which the longest is as short as can be."""
    n = len(heights)
    splits = [(0, a, b, n) for a in range(n + 1) for b in range(a, n + 1)]
    best = min(splits, key=lambda s: max(sum(heights[i:j]) for i, j in itertools.pairwise(s)))
    return list(itertools.pairwise(best))


PANELS = (
    Panel(
        "outlook",
        "Daily peaks against the licences",
        lambda a: f"{variant_name(a)}: the last days, and the {plural(len(present(a.forecast).dates), 'day')} ahead",
        "forecast",
        _outlook,
    ),
    Panel(
        "chances",
        "Chance that demand passes the licences",
        lambda _: "",
        "headroom",
        _chances,
        (130.0, 62.0),
    ),
    Panel(
        "licences-needed",
        "Licences to hold",
        lambda _: "for the risk that demand passes them at some time within",
        "needed",
        _needed,
        (130.0, 62.0),
    ),
)
