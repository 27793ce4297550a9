"""Charts of what is rare: the peak of a year or of five, and how many days of a month are above the licences."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from capacity.analysis.extremes import ReturnLevels
from capacity.analysis.headroom import Headroom
from capacity.ground.arrays import Floats
from capacity.ground.text import chance, count, plural
from capacity.report.axes import OVER, below, key, percent_axis, room_for, round_ticks, upright, width_of, write
from capacity.report.canvas import drawing
from capacity.report.theme import CAPTION, DEMAND, FORECAST, INK, LICENCE, text_width

_FAR = 2.0  # times the level: limits of short records reach farther than can be drawn
_TINT = "#EDBFA8"  # of the licences' colour
_COLOURS = {"GEV": DEMAND, "GPD": FORECAST}
_APART = {"GEV": -0.17, "GPD": 0.17}  # of a row
_METHODS = {"GEV": "from the highest of each block", "GPD": "from all high peaks"}


def return_levels(levels: ReturnLevels, ax: Axes | None = None, *, licences: int | None = None) -> Axes:
    """Draw the peaks that are reached once in a period on average, with their limits, by both methods.

    Parameters
    ----------
    levels : ReturnLevels
        As `capacity.return_levels` returns it. A level of which the period is longer than the record is drawn hollow.
    ax : Axes, optional
        Where to draw; by default a new figure; room for words is needed at its left.
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
    with drawing(levels, ReturnLevels, "capacity.return_levels", ax) as ax:
        table = levels.table
        periods = list(table.index.unique("period"))
        row_of = {period: row for row, period in enumerate(periods)}
        level, low = table["level"].to_numpy(dtype=float), table["lower"].to_numpy(dtype=float)
        high = np.minimum(table["upper"].to_numpy(dtype=float), _FAR * level)
        ax.set_ylim(len(periods) - 0.4, -0.6)
        words = [
            f"{count(x)} ({count(lo)} to {count(hi) if np.isfinite(hi) else 'no bound'})"
            for x, lo, hi in zip(level, low, table["upper"], strict=True)
        ]
        _level_axis(ax, low, high, max(text_width(text, CAPTION, "bold") for text in words) + 8, licences)
        hollow = table["extrapolated"].to_numpy(dtype=bool)
        rows = zip(table.index, level, low, high, hollow, words, strict=True)
        for (method, period), x, lo, hi, beyond, text in rows:
            y, colour = row_of[period] + _APART[method], _COLOURS[method]
            ax.hlines(y, lo, hi, color=colour, lw=1.4, label=f"{method} {period}")
            face = "white" if beyond else colour
            ax.plot([x], [y], "o", mfc=face, mec=colour, mew=1.2, ms=5, zorder=4, label=f"{method} {period}")
            write(ax, 1, y, text, base=ax.get_yaxis_transform(), ha="right", fontweight="bold")
        ax.set_yticks(range(len(periods)), [_period(str(period)) for period in periods])
        ax.tick_params(axis="y", labelcolor=INK)
        entries = [("dot", _COLOURS[m], _METHODS[m]) for m in table.index.unique("method")]
        if hollow.any():
            entries.append(("ring", DEMAND, "beyond the record"))
        key(ax, entries, 5.0 if licences is None else OVER)
    return ax


def _level_axis(ax: Axes, low: Floats, high: Floats, label: float, licences: int | None) -> None:
    """Let the x axis hold all limits, the numbers at their right, and the licences if they are near; dots need no 0."""
    least, most = float(low.min()), float(high.max())
    span = max(most - least, 0.05 * most, 4.0)
    near = licences is not None and least - 0.4 * span <= licences <= most + 0.8 * span
    left = max(0.0, min(least, licences if near and licences is not None else least) - 0.08 * span)
    share = max(1 - label / max(width_of(ax), 1.0), 0.4)  # what the numbers leave
    most = max(most, float(licences)) if near and licences is not None else most
    ax.set_xlim(left, left + (most + 0.03 * span - left) / share)
    round_ticks(ax.xaxis, 5, count, whole=True)
    ax.grid(axis="x")
    ax.spines["bottom"].set_visible(True)
    below(ax, "highest peak [calls in progress at once]")
    if licences is not None:
        upright(ax, licences, plural(licences, "licence"))


def _period(period: str) -> str:
    years = float(period.rstrip("Y"))
    return "once a year" if years == 1 else f"once in {years:g} years"


def days_in_30(headroom: Headroom, ax: Axes | None = None) -> Axes:
    """Draw the chance that at least so many of 30 days are above the licences: of the next 30, and of any in a row.

    Parameters
    ----------
    headroom : Headroom
        ``k_in_30``: columns ``k``, ``probability`` and ``any_30``.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(headroom, Headroom, "capacity.headroom", ax) as ax:
        table = headroom.k_in_30
        soon, ever = table["probability"].to_numpy(dtype=float), table["any_30"].to_numpy(dtype=float)
        window, days = min(30, len(headroom.dates)), len(headroom.dates)
        told = np.flatnonzero(np.maximum(soon, ever) >= 0.005)
        rows = max(4, int(told.max(initial=0)) + 1)  # beyond, nothing would be seen
        soon, ever, x = soon[:rows], ever[:rows], np.arange(min(rows, len(table)))
        ax.set_xlim(-0.6, len(x) - 0.4)
        ax.spines["bottom"].set_visible(True)
        percent_axis(ax, "chance", top=room_for(float(max(ever.max(), soon.max()))))
        _bars(ax, x - 0.2, soon, LICENCE, f"next {window}")
        entries = [("area", LICENCE, f"of the next {window}")]
        if days > window:
            _bars(ax, x + 0.2, ever, _TINT, f"any {window}")
            entries.append(("area", _TINT, f"of some {window} in a row within {count(days)} days"))
        ax.set_xticks(x, [f"{k}" if k == window else f"{k}+" for k in table["k"][:rows]])
        below(ax, "days above the licences", 15)
        key(ax, entries)
    return ax


def _bars(ax: Axes, at: npt.NDArray[np.floating[Any]], value: Floats, colour: str, label: str) -> None:
    ax.bar(at, value, width=0.38, color=colour, lw=0, label=label)
    room = 0.4 * width_of(ax) / float(np.diff(ax.get_xlim()).item())
    for x, height in zip(at.tolist(), value.tolist(), strict=True):
        words = chance(height)
        if height >= 0.005 and text_width(words, CAPTION, "bold") < room:
            write(ax, x, height, words, by=(0, 2), ha="center", va="bottom", fontweight="bold")
