"""A sheet of paper measured in millimetres from its upper left corner, and how it becomes a PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from capacity.report.theme import INK, MUTED, RULE, wrap

A4 = (297.0, 210.0)  # [mm], landscape
DPI = 200
PT = 72.0 / 25.4  # points in a millimetre


class Sheet:
    """A page: text and axes are placed in mm from the upper left corner.

    Parameters
    ----------
    size : (float, float)
        Width and height [mm].
    """

    def __init__(self, size: tuple[float, float] = A4) -> None:
        self.width: float = size[0]
        self.height: float = size[1]
        self.figure: Figure = Figure(figsize=(size[0] / 25.4, size[1] / 25.4), dpi=DPI)
        FigureCanvasAgg(self.figure)

    def text(self, x: float, y: float, words: str, size: float, **how: Any) -> None:
        """Write one line whose baseline is at `y`."""
        look = {"color": INK, "va": "baseline", "ha": "left"} | how
        self.figure.text(x / self.width, 1 - y / self.height, words, fontsize=size, **look)

    def block(
        self, x: float, y: float, words: str, size: float, width: float, *, lines: int | None = None, **how: Any
    ) -> float:
        """Write words over several lines of at most `width` mm, and return the baseline [mm] after the last one."""
        leading = how.pop("leading", 1.35) * size / PT
        for line in wrap(words, width * PT, size, how.get("weight", "normal"), lines):
            self.text(x, y, line, size, **how)
            y += leading
        return y

    def rule(self, x: float, y: float, width: float, *, colour: str = RULE, weight: float = 0.6) -> None:
        """Draw a level line."""
        at = 1 - y / self.height
        line = Line2D([x / self.width, (x + width) / self.width], [at, at], color=colour, lw=weight)
        line.set_transform(self.figure.transFigure)
        line.set_solid_capstyle("butt")
        self.figure.add_artist(line)

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        self.figure.add_artist(
            Rectangle(
                (x / self.width, 1 - (y + height) / self.height),
                width / self.width,
                height / self.height,
                fc=colour,
                ec="none",
                transform=self.figure.transFigure,
                zorder=0.1,
            )
        )

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Add axes whose frame is the given rectangle."""
        where = (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(where)

    def heading(self, x: float, y: float, width: float, title: str, subtitle: str = "") -> float:
        """Write a panel's title and what it shows, and return where the panel may begin [mm]."""
        self.rule(x, y, width, colour=INK, weight=0.8)
        y += 5.0
        self.text(x, y, title, 9.5, weight="bold")
        y += 4.2
        if subtitle:
            y = self.block(x, y, subtitle, 7.5, width, lines=2, color=MUTED)
        return y - 3.0


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

    def below(self, depth: float) -> Area:
        """Return what is left of it under a strip of so many mm."""
        return Area(self.sheet, self.x, self.y + depth, self.width, self.height - depth)

    def axes(self, *, left: float = 10.0, right: float = 0.0, top: float = 6.0, bottom: float = 9.5) -> Axes:
        """Return axes in it, with room [mm] for labels around them."""
        return self.sheet.axes(
            self.x + left, self.y + top, self.width - left - right, max(self.height - top - bottom, 5.0)
        )


def png(figure: Figure, path: Path | None = None) -> bytes:
    """Draw a figure and return it as PNG, the same bytes for the same figure; with `path`, write it there too."""
    held = io.BytesIO()
    # No date and no name of the software: pictures that show the same are the same.
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(held, metadata={"Software": None})
    data = held.getvalue()
    if path is not None:
        path.write_bytes(data)
    return data
