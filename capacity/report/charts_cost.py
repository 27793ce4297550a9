"""The chart of what licences and lost calls cost together."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from capacity.analysis.cost import CostCurve
from capacity.ground.text import count
from capacity.report.axes import OVER, above, below, halo, key, nudge, upright, width_of
from capacity.report.beside import FAR
from capacity.report.canvas import drawing
from capacity.report.theme import CAPTION, DEMAND, INK, LICENCE, STANDOUT, text_width

__all__ = ["cost"]


def cost(curve: CostCurve, ax: Axes | None = None, *, licences: int | None = None) -> Axes:
    """Draw what each count of licences costs in a year: the licences, the calls lost, and both together.

    Parameters
    ----------
    curve : CostCurve
        As `capacity.best_licence_count` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure; counts far dearer than the best are left out.
    licences : int, optional
        What holds now, as an upright line.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(curve, CostCurve, "capacity.best_licence_count", ax) as ax:
        table = curve.table
        least = float(table.loc[curve.best, "total"])
        total = table["total"].to_numpy()
        limit = np.where(table.index < curve.best, 2.2, 1.5) * least
        near = table.index[total <= np.maximum(limit, 1e-9)]
        now = [licences] if licences is not None and licences <= FAR * max(curve.best, 1) else []
        held = [curve.best, *now, int(near.min()), int(near.max())]
        shown = table.loc[min(held) : max(held)]
        x = shown.index.to_numpy(dtype=float)
        left, right = float(min(held)), float(max(held))
        pad = max(0.04 * (right - left), 1.0)
        ax.set_xlim(max(0.0, left - pad), right + pad)
        ax.set_ylim(0, max(2.4 * least, 1e-9) if least else 1.0)
        for column, colour, width in (
            ("licence_cost", LICENCE, 1.2),
            ("lost_cost", STANDOUT, 1.2),
            ("total", DEMAND, 1.8),
        ):
            ax.plot(x, shown[column].to_numpy(dtype=float), color=colour, lw=width, label=column, zorder=3)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 2.5, 5, 10]))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        ax.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
        digits = 0 if least >= 10 else 2
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value, digits)))
        ax.grid(axis="y")
        ax.spines["bottom"].set_visible(True)
        lift = 5.0 if licences is None else OVER
        above(ax, "a year, in the money of the prices", lift)
        below(ax, "licences [calls at once]")
        key(ax, [("line", DEMAND, "together"), ("line", LICENCE, "licences"), ("line", STANDOUT, "lost calls")], lift)
        ax.plot([curve.best], [least], "o", color=DEMAND, ms=5, mec="white", mew=0.8, zorder=6)
        _write(ax, float(curve.best), least, f"cheapest: {count(curve.best)}", INK, rise=9.0)
        if licences is not None:
            upright(ax, licences, f"{count(licences)} now")
    return ax


def _write(ax: Axes, x: float, y: float, words: str, colour: str, *, rise: float) -> None:
    left, right = ax.get_xlim()
    on_right = (right - x) / (right - left) * width_of(ax) > text_width(words, CAPTION + 0.5, "bold") + 8
    ax.text(
        x,
        y,
        words,
        transform=nudge(ax, 4 if on_right else -4, rise),
        ha="left" if on_right else "right",
        va="bottom",
        color=colour,
        fontsize=CAPTION + 0.5,
        fontweight="bold",
        path_effects=halo(),
        zorder=7,
    )
