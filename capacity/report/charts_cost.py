"""Charts of calls that are lost: how many were, and what licences and lost calls cost together."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from capacity.analysis.blocking import Blocking
from capacity.analysis.cost import CostCurve
from capacity.ground.text import count
from capacity.report.axes import (
    OVER,
    STRONG,
    above,
    below,
    count_axis,
    halo,
    key,
    month_ticks,
    round_ticks,
    upright,
    width_of,
    write,
)
from capacity.report.beside import FAR
from capacity.report.canvas import drawing
from capacity.report.theme import CAPTION, DEMAND, INK, LICENCE, STANDOUT, text_width


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
        lines = {"licence_cost": (LICENCE, 1.2), "lost_cost": (STANDOUT, 1.2), "total": (DEMAND, 1.8)}
        for column, (colour, width) in lines.items():
            ax.plot(x, shown[column].to_numpy(dtype=float), color=colour, lw=width, label=column, zorder=3)
        round_ticks(ax.xaxis, 6, count, whole=True)
        round_ticks(ax.yaxis, 4, lambda value: count(value, 0 if least >= 10 else 2))
        ax.grid(axis="y")
        ax.spines["bottom"].set_visible(True)
        lift = 5.0 if licences is None else OVER
        above(ax, "a year, in the money of the prices", lift)
        below(ax, "licences [calls at once]")
        key(ax, [("line", DEMAND, "together"), ("line", LICENCE, "licences"), ("line", STANDOUT, "lost calls")], lift)
        ax.plot([curve.best], [least], "o", color=DEMAND, ms=5, mec="white", mew=0.8, zorder=6)
        words = f"cheapest: {count(curve.best)}"
        left, right = ax.get_xlim()
        room = (right - curve.best) / (right - left) * width_of(ax)
        side = 1 if room > text_width(words, CAPTION + 0.5, "bold") + 8 else -1
        look = STRONG | {"color": INK, "ha": "left" if side > 0 else "right", "va": "bottom", "zorder": 7}
        write(ax, curve.best, least, words, by=(4 * side, 9.0), path_effects=halo(), **look)
        if licences is not None:
            upright(ax, licences, f"{count(licences)} now")
    return ax


def turned_away(blocking: Blocking, ax: Axes | None = None) -> Axes:
    """Draw how many calls were turned away in each month, with their 90% limits.

    Parameters
    ----------
    blocking : Blocking
        From `capacity.blocking`.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
        A bar a month, and upright lines from the lower limit to the upper.

    Raises
    ------
    ConfigError
        What is given is not a Blocking.
    """
    with drawing(blocking, Blocking, "capacity.blocking", ax) as ax:
        table = blocking.monthly
        x, value = np.arange(len(table)), table["turned_away"].to_numpy(dtype=float)
        low, high = table["lower"].to_numpy(dtype=float), table["upper"].to_numpy(dtype=float)
        ax.set_xlim(-0.6, max(len(table), 4) - 0.4)
        ax.bar(x, value, width=0.62, color=STANDOUT, lw=0, label="turned away")
        ax.vlines(x, low, high, color=INK, lw=1.0, label="limits")
        count_axis(ax, float(high.max()), "calls turned away, with 90% limits")
        month_ticks(ax, x, table.index)
        ax.spines["bottom"].set_visible(True)
        below(ax, "month", 22)
    return ax
