"""A panel: a title, a line that says what is shown, and the picture. Pages are made of them; each is a file as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from capacity.analysis.assessment import Assessment
from capacity.ground.frame import TOTAL
from capacity.ground.text import listed
from capacity.report.axes import missing
from capacity.report.frame import GAP, reason, variant_name, whose
from capacity.report.sheet import PT, Area, Sheet
from capacity.report.theme import CAPTION, INK, MUTED, TINT, plain, shorten, text_width, wrap

_HEAD = 14.0  # [mm] title and line
_BETWEEN = 4.5  # [mm] rows of panels
_SINGLE = (190.0, 104.0)  # [mm]
_ROW = 5.8  # [mm] of a table


Draw: TypeAlias = Callable[[Assessment, Area], None]


@dataclass(frozen=True)
class Panel:
    """A part of a page that also stands alone.

    Attributes
    ----------
    name : str
        Of its file.
    title : str
    what : callable
        Says of an assessment in a line what is shown.
    field : str
        The field of the assessment it draws: where it is None, the panel says why.
    draw : callable
        Draws an assessment into an area.
    shape : (float, float)
        Width and height of the file [mm].
    otherwise : str
        What to say where no note says why.
    needs : callable, optional
        Says whether the field of an assessment holds enough to be drawn.
    of_one : bool
        Whether it shows one series, to be named where that is not the total.
    instead : callable, optional
        Returns the title where it depends on what was found; "" for `title`.
    """

    name: str
    title: str
    what: Callable[[Assessment], str]
    field: str
    draw: Draw
    shape: tuple[float, float] = _SINGLE
    otherwise: str = "Not part of this assessment."
    needs: Callable[[Assessment], bool] | None = None
    of_one: bool = True
    instead: Callable[[Assessment], str] | None = None

    def title_of(self, assessment: Assessment) -> str:
        """Return the title."""
        return (self.instead(assessment) if self.instead is not None else "") or self.title

    def stands_alone(self, assessment: Assessment) -> bool:
        """Say whether an assessment holds what is drawn."""
        return getattr(assessment, self.field) is not None and (self.needs is None or self.needs(assessment))


def place(panel: Panel, assessment: Assessment, area: Area) -> None:
    """Draw a panel into an area, its head included; or say why there is nothing to draw."""
    inner = area.below(_HEAD)
    if not panel.stands_alone(assessment):
        area.sheet.heading(area.x, area.y, area.width, panel.title)
        missing(inner.axes(left=0, top=-4, bottom=0), why_absent(panel, assessment))
        return
    what = panel.what(assessment)
    named = assessment.variant != TOTAL or assessment.situation.combined
    if named and (panel.of_one or assessment.variant not in (TOTAL, "")):
        what = f"{variant_name(assessment)}: {what[:1].lower()}{what[1:]}" if what else variant_name(assessment)
    area.sheet.heading(area.x, area.y, area.width, panel.title_of(assessment), plain(what))
    panel.draw(assessment, inner)


# Share of the height; panels with their shares of the width.
Row: TypeAlias = tuple[float, Sequence[tuple[Panel, float]]]


def flow(assessment: Assessment, area: Area, rows: Sequence[Row]) -> None:
    """Draw the panels that there is something to draw for, in rows that share the area; say why others are not there.

    Parameters
    ----------
    assessment : Assessment
    area : Area
    rows : sequence of (float, panels)
        Share of the height, and panels with their shares of the width. What a panel that is not there leaves, the
        others take.
    """
    kept = [(height, [(p, w) for p, w in panels if p.stands_alone(assessment)]) for height, panels in rows]
    kept = [row for row in kept if row[1]]
    absent = [p for _, panels in rows for p, _ in panels if not p.stands_alone(assessment)]
    reasons: dict[str, list[str]] = {}
    for panel in absent:
        reasons.setdefault(why_absent(panel, assessment), []).append(panel.title)
    if not kept:
        sheet_axes = area.axes(left=0, top=0, bottom=area.height / 2)
        missing(sheet_axes, "\n".join(reasons))
        return
    lines = [line for why, titles in reasons.items() for line in _absent(titles, why, area.width)]
    rest = area.height - (3.4 * len(lines) + 2.0 if lines else 0.0) - _BETWEEN * (len(kept) - 1)
    y, shares = area.y, sum(height for height, _ in kept)
    for height, panels in kept:
        tall, x, widths = rest * height / shares, area.x, sum(w for _, w in panels)
        free = area.width - GAP * (len(panels) - 1)
        for panel, share in panels:
            wide = free * share / widths
            place(panel, assessment, Area(area.sheet, x, y, wide, tall))
            x += wide + GAP
        y += tall + _BETWEEN
    for number, line in enumerate(lines):
        area.sheet.text(area.x, area.y + area.height - 3.4 * (len(lines) - 1 - number), line, CAPTION, color=MUTED)


def _absent(titles: list[str], why: str, width: float) -> list[str]:
    return wrap(f"Not shown: {listed([title.rstrip('?') for title in titles])}. {why}", width * PT, CAPTION)


def notes(area: Area, lines: list[str], elsewhere: str) -> list[str]:
    """Write notes under a heading, as many as find room; returns the others, and says where they stand."""
    sheet, size = area.sheet, 7.0
    at = sheet.heading(area.x, area.y, area.width, "What it rests on") + 4.0
    step = 1.35 * size / PT
    end = area.y + area.height
    for number, line in enumerate(lines):
        need = step * len(wrap(plain(line), area.width * PT, size))
        last = number == len(lines) - 1
        if at + need - step > (end if last else end - step):
            sheet.text(area.x, at, f"More on {elsewhere}.", size, color=MUTED)
            return lines[number:]
        at = sheet.block(area.x, at, plain(line), size, area.width, color=MUTED) + 0.7
    return []


def why_absent(panel: Panel, assessment: Assessment) -> str:
    """Return why there is nothing to draw for a panel."""
    return reason(assessment, panel.field) or panel.otherwise


def single(panel: Panel, assessment: Assessment) -> Sheet:
    """Return a sheet with a panel alone, and whose it is."""
    width, height = panel.shape
    sheet = Sheet(panel.shape)
    place(panel, assessment, Area(sheet, 7.0, 6.0, width - 14.0, height - 17.0))
    size = CAPTION - 0.5
    sheet.text(7.0, height - 4.5, whose(assessment, (width - 14.0) * PT, size), size, color=MUTED)
    return sheet


def rows_within(height: float) -> int:
    """Return how many rows of a table find room in an area of so many mm."""
    return max(int((height - 2.0) // _ROW), 1)


def table(
    area: Area,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    first: float | None = 0.36,
    strong: int | None = 1,
    best: Sequence[Sequence[bool]] = (),
) -> float:
    """Write a table into an area: the first column to the left, the others to the right; returns where it ends [mm].

    Parameters
    ----------
    area : Area
        Rows that find no room in it are left out.
    head, rows : sequence of str
        Column names, over several lines where they are long, and rows of words.
    first : float or None
        The first column's share of the width; None for columns as wide as their words need.
    strong : int or None
        Which column stands out; None for no column.
    best : sequence of sequence of bool
        Cells that stand out, by row and column.
    """
    sheet = area.sheet
    widths = _shared(area.width, len(head), first) if first is not None else _needed(area.width, head, rows)
    ends = [area.x + sum(widths[: k + 1]) - 1.0 for k in range(len(head))]
    heads = [_balanced(words, (wide - 2.0) * PT) for words, wide in zip(head, widths, strict=True)]
    deep = max(map(len, heads))
    for column, lines in enumerate(heads):
        for number, line in enumerate(lines, start=deep - len(lines)):
            x = area.x + 1.0 if column == 0 else ends[column]
            sheet.text(x, area.y + 3.0 + 3.2 * number, line, 7.5, ha="right" if column else "left", color=MUTED)
    y = area.y + 3.0 + 3.2 * (deep - 1)
    for number, row in enumerate(rows):
        base = y + _ROW * (number + 1)
        if number >= rows_within(area.height - 3.2 * (deep - 1)):
            break
        if number % 2 == 0:
            sheet.box(area.x, base - 4.1, area.width, _ROW, TINT)
        for column, words in enumerate(row):
            heavy = column == strong or bool(best and best[number][column])
            weight = "bold" if heavy else "normal"
            room = (widths[0] + widths[1] * 0.25 if column == 0 and first is not None else widths[column]) * PT
            x = area.x + 1.0 if column == 0 else ends[column]
            line = shorten(plain(words), room, 8.5, weight)
            sheet.text(x, base, line, 8.5, ha="right" if column else "left", weight=weight, color=INK)
    return y + _ROW * len(rows) + 1.5


def _balanced(words: str, width: float) -> list[str]:
    """Break a column's name into as few lines as its width [pt] allows, all about as long."""
    lines = len(wrap(words, width, 7.5))
    narrow = max((text_width(word, 7.5) for word in words.split(" ")), default=0.0)
    while narrow < width and len(wrap(words, narrow, 7.5)) > lines:
        narrow += 2.0
    return wrap(words, min(narrow, width), 7.5)


def _shared(width: float, columns: int, first: float) -> list[float]:
    return [width * first, *[width * (1 - first) / max(columns - 1, 1)] * (columns - 1)]


def _needed(width: float, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """Return columns [mm] as wide as their words need, what is left shared out."""
    need = [
        max(
            *(text_width(word, 7.5) for word in name.split()),
            *(text_width(plain(row[column]), 8.5, "bold") for row in rows),
            text_width(name, 7.5) / 3 + 6,
        )
        / PT
        + 4.0
        for column, name in enumerate(head)
    ]
    return [wide + (width - sum(need)) / len(need) for wide in need]
