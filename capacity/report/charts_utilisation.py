"""The chart of how full the licences were, month by month."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from capacity.analysis.utilisation import Utilisation
from capacity.ground.licences import Licences
from capacity.ground.text import count, plural
from capacity.report.axes import (
    STRONG,
    above,
    below,
    halo,
    key,
    missing,
    month_ticks,
    round_ticks,
    steps_of,
    width_of,
    write,
)
from capacity.report.canvas import drawing
from capacity.report.charts_rhythm import pick
from capacity.report.theme import BANDS, CAPTION, DEMAND, LICENCE, RULE, number_of, text_width

_LEAST = 183.0  # days that are drawn at least: one month alone would be a block
_COLOURS = {80: BANDS[0], 90: BANDS[2], 100: DEMAND}  # [% of the licences]: the fuller, the darker


def utilisation(result: Utilisation, ax: Axes | None = None, *, variant: str | None = None) -> Axes:
    """Draw by month the hours at or above 80, 90 and 100% of the licences, and where these change.

    The bars stand one in front of the other: hours at or above 90% are among those at or above 80%.

    Parameters
    ----------
    result : Utilisation
        As `capacity.utilisation` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure.
    variant : str, optional
        By default TOTAL, or the first one.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(result, Utilisation, "capacity.utilisation", ax) as ax:
        own = pick(result.months, variant)
        hours = own["hours"].unstack(level=0).fillna(0.0)  # noqa: PD010 - a column a level
        if not hours.to_numpy().any():
            return missing(ax, f"No interval reached {hours.columns[0]}% of the licences.")
        first = pd.DatetimeIndex(hours.index)
        after = first + pd.offsets.MonthBegin(1)
        top = float(hours.to_numpy().max())
        ax.set_ylim(0, top * 1.22)  # the licences are written above the bars
        round_ticks(ax.yaxis, 4, "{:,g}".format)
        ax.grid(axis="y")
        above(ax, "hours in the month [h]")
        left, right = number_of(first), number_of(after)
        ax.set_xlim(left[0], max(right[-1], left[0] + _LEAST))
        there = own["present"].groupby(level=1).max().reindex(hours.index).to_numpy()
        part = there < 0.99 * 288 * (right - left)  # the clock may take an hour of a month
        month_ticks(ax, (left + right) / 2, first)
        ax.spines["bottom"].set_visible(True)
        below(ax, f"month, {result.tz}" + ("; hatched: in part" if part.any() else ""), 22)
        for level in hours.columns:
            value, look = hours[level].to_numpy(dtype=float), {"color": _COLOURS[int(level)], "zorder": 1 + level / 100}
            bars = ax.bar((left + right) / 2, value, width=0.78 * (right - left), lw=0, label=f"{level}%", **look)
            for bar in np.array(bars)[part]:
                bar.set(hatch="////", edgecolor="white")
        key(ax, [("area", _COLOURS[int(level)], f"at or above {level}%") for level in hours.columns])
        _steps(ax, result.licences, pd.date_range(first[0], after[-1], freq="D", inclusive="left"))
    return ax


def _steps(ax: Axes, licences: Licences, days: pd.DatetimeIndex) -> None:
    """Write the licences of each stretch at the top, and draw a line where they change."""
    edges, counts = steps_of(licences, days)
    left, right = ax.get_xlim()
    scale = width_of(ax) / (right - left)
    for place, number in enumerate(counts):
        if place:
            ax.axvline(edges[place], color=RULE, lw=0.8, zorder=0.9, label="step")
        full = plural(int(number), "licence")
        words = full if len(counts) == 1 or _fits(full, edges, place, scale) else count(int(number))
        if not _fits(words, edges, place, scale):
            continue
        look = STRONG | {"va": "top", "color": LICENCE, "path_effects": halo(), "zorder": 6}
        write(ax, edges[place], 1, words, by=(3 if place else 0, -2), base=ax.get_xaxis_transform(), **look)


def _fits(words: str, edges: np.ndarray[tuple[int], np.dtype[np.float64]], place: int, scale: float) -> bool:
    return text_width(words, CAPTION + 0.5, "bold") + 5 <= float(edges[place + 1] - edges[place]) * scale
