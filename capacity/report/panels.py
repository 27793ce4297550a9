"""A panel: a title, a line that says what is shown, and the picture. Pages are made of them; each is a file as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from matplotlib.axes import Axes

from capacity.analysis.assessment import Assessment
from capacity.report.axes import missing
from capacity.report.frame import reason, whose
from capacity.report.sheet import PT, Sheet
from capacity.report.theme import CAPTION, INK, MUTED, TINT, plain, shorten

__all__ = ["Area", "Panel", "place", "rows_within", "single", "table", "why_absent"]

_HEAD = 14.0  # [mm] title and line
_SINGLE = (190.0, 104.0)  # [mm]
_ROW = 5.8  # [mm] of a table


@dataclass(frozen=True)
class Area:
    """A rectangle on a sheet [mm].

    Attributes
    ----------
    sheet : Sheet
    x, y : float
        Its upper left corner.
    width, height : float
    """

    sheet: Sheet
    x: float
    y: float
    width: float
    height: float

    def axes(self, *, left: float = 10.0, right: float = 0.0, top: float = 6.0, bottom: float = 9.5) -> Axes:
        """Return axes in it, with room [mm] for labels around them."""
        return self.sheet.axes(
            self.x + left, self.y + top, self.width - left - right, max(self.height - top - bottom, 5.0)
        )


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
        Says whether the field of an assessment holds enough to be a file.
    """

    name: str
    title: str
    what: Callable[[Assessment], str]
    field: str
    draw: Draw
    shape: tuple[float, float] = _SINGLE
    otherwise: str = "Not part of this assessment."
    needs: Callable[[Assessment], bool] | None = None

    def stands_alone(self, assessment: Assessment) -> bool:
        """Say whether an assessment holds what is drawn."""
        return getattr(assessment, self.field) is not None and (self.needs is None or self.needs(assessment))


def place(panel: Panel, assessment: Assessment, area: Area) -> None:
    """Draw a panel into an area, its head included."""
    absent = getattr(assessment, panel.field) is None
    what = "" if absent else panel.what(assessment)
    area.sheet.heading(area.x, area.y, area.width, panel.title, what)
    inner = Area(area.sheet, area.x, area.y + _HEAD, area.width, area.height - _HEAD)
    if absent:
        missing(inner.axes(left=0, top=-4, bottom=0), why_absent(panel, assessment))
    else:
        panel.draw(assessment, inner)


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
    area: Area, head: Sequence[str], rows: Sequence[Sequence[str]], *, first: float = 0.36, strong: int | None = 1
) -> None:
    """Write a small table into an area: the first column to the left, the others to the right.

    Parameters
    ----------
    area : Area
        Rows that find no room in it are left out.
    head, rows : sequence of str
        Column names, and rows of words.
    first : float
        The first column's share of the width.
    strong : int or None
        Which column stands out; None for the first row.
    """
    sheet, x, width = area.sheet, area.x, area.width
    step = width * (1 - first) / max(len(head) - 1, 1)
    places = [x + width * first + (k + 1) * step - 1.0 for k in range(len(head) - 1)]
    y = area.y + 3.0
    sheet.text(x + 1.0, y, head[0], 7.5, color=MUTED)
    for at, words in zip(places, head[1:], strict=True):
        sheet.text(at, y, words, 7.5, ha="right", color=MUTED)
    for number, row in enumerate(rows):
        base = y + _ROW * (number + 1)
        if number >= rows_within(area.height):
            break
        if number % 2 == 0:
            sheet.box(x, base - 4.1, width, _ROW, TINT)
        room = (width * first + step * 0.25) * PT
        heavy = "bold" if strong is None and number == 0 else "normal"
        sheet.text(x + 1.0, base, shorten(plain(row[0]), room, 8.5, heavy), 8.5, weight=heavy)
        for column, (at, words) in enumerate(zip(places, row[1:], strict=True), start=1):
            weight = "bold" if column == strong or heavy == "bold" else "normal"
            sheet.text(at, base, words, 8.5, ha="right", weight=weight, color=INK)
