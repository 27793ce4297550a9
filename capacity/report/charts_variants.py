"""Charts of the variants: who drives the peak, what pooling gains, and each one's peaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FixedLocator, FuncFormatter

from capacity.analysis.diversity import Diversity
from capacity.ground.text import count, percent, plural
from capacity.report.axes import date_axis, height_of, missing, shade_gaps, width_of, write
from capacity.report.canvas import drawing
from capacity.report.charts_history import daily, weeks
from capacity.report.theme import (
    BANDS,
    DEMAND,
    FORECAST,
    INK,
    MUTED,
    RULE,
    STANDOUT,
    day,
    number_of,
    on_shade,
    plain,
    shorten,
    text_width,
)

# Against each other, apart, together; the numbers say it without colour as well.
_AGREE = LinearSegmentedColormap.from_list("agree", [STANDOUT, "#F4F8FB", DEMAND])
_ROW = 13.0  # [pt] a bar with its name needs


def drivers(
    shares: pd.Series, ax: Axes | None = None, *, names: Mapping[str, str] | None = None, most: int = 12
) -> Axes:
    """Draw each variant's share of the calls at the total's highest intervals; beyond `most` the rest is summed.

    Parameters
    ----------
    shares : Series
        By variant, of 0 to 1.
    ax : Axes, optional
        Where to draw; by default a new figure; the names take up to 42% of it, at the left.
    names : mapping, optional
        What to call the variants.
    most : int
        How many to draw.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(shares, pd.Series, "the column share_at_top of capacity.diversity", ax) as ax:
        shares = shares.dropna().astype(float)
        shares = shares.iloc[np.argsort(-shares.to_numpy(), kind="stable")]
        if len(shares) == 0:
            return missing(ax, "No variant has calls at the total's peak.")
        rows = max(2, min(most, int(height_of(ax) // _ROW)))
        rest = len(shares) - rows
        if rest > 0:
            rest = len(shares) - (rows - 1)
            shown = [(_name(v, names), s, False) for v, s in shares.iloc[: rows - 1].items()]
            shown.append((f"{count(rest)} others", float(shares.iloc[rows - 1 :].sum()), True))
        else:
            shown = [(_name(v, names), s, False) for v, s in shares.items()]
        ax.set_axis_off()
        ax.set_ylim(max(len(shown), 4) - 0.5, -0.5)
        widest = max(text_width(name, 8) for name, _, _ in shown)
        start = min(0.42, (widest + 9) / max(width_of(ax), 60.0))
        top = max(max(s for _, s, _ in shown), 1e-9)
        scale = (1 - start - 34 / max(width_of(ax), 60.0)) / top
        ax.set_xlim(0, 1)
        for row, (name, share, others) in enumerate(shown):
            label = shorten(name, start * width_of(ax) - 8, 8)
            write(ax, start, row, label, by=(-6, 0), ha="right", fontsize=8)
            ax.barh(row, share * scale, left=start, height=0.6, color=RULE if others else DEMAND, lw=0)
            write(ax, start + share * scale, row, percent(share), by=(4, 0), fontsize=8, fontweight="bold")
    return ax


def _name(variant: Any, names: Mapping[str, str] | None) -> str:
    return plain((names or {}).get(str(variant), variant))


def pooling(diversity: Diversity, ax: Axes | None = None) -> Axes:
    """Draw the sum of the variants' own peaks beside the peak of the total: what sharing the licences saves.

    Parameters
    ----------
    diversity : Diversity
        As `capacity.diversity` returns it; without a total the pool is drawn between its bounds.
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
    with drawing(diversity, Diversity, "capacity.diversity", ax) as ax:
        apart, (low, high) = diversity.separate, diversity.pooled
        ax.set_axis_off()
        ax.set_xlim(0, 1)
        ax.set_ylim(2.05, -0.75)
        pool = count(high) if low == high else f"{count(low)} to {count(high)}"
        room = 1 - (text_width(max(pool, count(apart), key=len), 10, "bold") + 8) / max(width_of(ax), 60.0)
        scale = room / max(apart, high, 1)
        one = plain(diversity.slice_name).replace("_", " ")
        rows = (
            (f"each {one} on licences of its own", apart, count(apart), BANDS[1]),
            ("one pool for all", high, pool, DEMAND),
        )
        for row, (words, value, number, colour) in enumerate(rows):
            ax.text(0, row - 0.40, words, fontsize=8, color=MUTED, va="center_baseline")
            ax.barh(row, value * scale, height=0.42, color=colour, lw=0)
            write(ax, value * scale, row, number, by=(4, 0), fontsize=10, fontweight="bold")
        if low < high:
            ax.barh(1, (high - low) * scale, left=low * scale, height=0.42, color=FORECAST, lw=0)
        ax.text(0, 1.72, _saved(diversity), fontsize=9, fontweight="bold", color=INK, va="center_baseline")
    return ax


def _saved(diversity: Diversity) -> str:
    low, high = diversity.saving
    if low == high:
        share = f" ({percent(low / diversity.separate)})" if diversity.separate else ""
        return f"One pool saves {plural(low, 'licence')}{share}." if low > 0 else "One pool saves no licences."
    return f"One pool saves {count(max(low, 0))} to {plural(high, 'licence')}."


def correlation(
    diversity: Diversity, ax: Axes | None = None, *, names: Mapping[str, str] | None = None, most: int = 12
) -> Axes:
    """Draw how far the daily peaks of each two variants rise and fall together, as a table of correlations.

    Parameters
    ----------
    diversity : Diversity
        As `capacity.diversity` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure. The names stand at its left, and columns are called by the number
        before the name.
    names : mapping, optional
        What to call the variants.
    most : int
        How many to draw: those with the highest peaks.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(diversity, Diversity, "capacity.diversity", ax) as ax:
        shown = [v for v in diversity.table.index if v in diversity.correlation.index][:most]
        cells = diversity.correlation.loc[shown, shown].to_numpy(dtype=float)
        below_diagonal = np.tril(np.ones(cells.shape, dtype=bool), -1)
        cells = np.where(below_diagonal, cells, np.nan)[1:, :-1]
        if np.isnan(cells).all():
            return missing(ax, "It needs two variants whose peaks change, and 14 complete days.")
        rows = len(cells)
        ax.pcolormesh(
            np.arange(rows + 1), np.arange(rows + 1), cells, cmap=_AGREE, vmin=-1, vmax=1, edgecolor="white", lw=0.8
        )
        ax.set_xlim(0, rows)
        ax.set_ylim(rows, 0)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(length=0, labelcolor=INK)
        middle = [k + 0.5 for k in range(rows)]
        labels = [f"{k}  {shorten(_name(v, names), 100, 7)}" for k, v in enumerate(shown, start=1)]
        ax.set_yticks(middle, labels[1:])
        ax.set_xticks(middle, [labels[0] if rows == 1 else str(k + 1) for k in range(rows)])
        for (row, column), value in np.ndenumerate(cells):
            if row >= column:
                words = "–" if np.isnan(value) else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
                ink = INK if np.isnan(value) else on_shade(_AGREE((value + 1) / 2))
                write(ax, column + 0.5, row + 0.5, words, ha="center", fontsize=7.5, color=ink)
        if rows > 1:
            first = shorten(f"1  {_name(shown[0], names)}", width_of(ax), 7)
            write(ax, 0, 1, first, by=(0, 4), base=ax.transAxes, fontsize=7, va="bottom")
    return ax


def small_history(
    peaks: pd.DataFrame,
    ax: Axes | None = None,
    *,
    variant: str,
    name: str | None = None,
    span: tuple[Any, Any] | None = None,
    top: float | None = None,
) -> Axes:
    """Draw one variant's highest peak of each week (of each day within 100 days), small.

    Parameters
    ----------
    peaks : DataFrame
        As `capacity.daily_peaks` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure.
    variant : str
        Which one.
    name : str, optional
        What to call it.
    span : (date, date), optional
        First and last day of the axis; by default the variant's own.
    top : float, optional
        Where the scale ends; by default at the highest peak.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(peaks, pd.DataFrame, "capacity.daily_peaks", ax, columns=("peak",)) as ax:
        days = daily(peaks, variant)
        first, last = span if span is not None else (days.index[0], days.index[-1])
        date_axis(ax, first, last)
        ax.set_xlabel("")
        _ends(ax, pd.Timestamp(first), pd.Timestamp(last))
        peak = days["peak"]
        highest = float(peak.max()) if peak.notna().any() else 0.0
        ax.set_ylim(0, max(highest if top is None else top, 1.0) * 1.18)
        whole = pd.date_range(first, last, freq="D")
        shade_gaps(ax, peak.reindex(whole).notna() | (whole < days.index[0]), label=False)
        ax.yaxis.set_major_locator(FixedLocator([]))
        edge, value = np.r_[number_of(peak.index), number_of(peak.index[-1:]) + 1], peak.to_numpy()
        if len(days) > 100:
            edge, value = weeks(peak)
        x, y = np.repeat(edge, 2)[1:-1], np.repeat(value, 2)
        ax.fill_between(x, y, color=BANDS[0], lw=0)
        ax.plot(x, y, color=DEMAND, lw=0.9)
        title = shorten(plain(name or variant), width_of(ax) - text_width(count(highest), 8, "bold") - 10, 8)
        over: dict[str, Any] = {"by": (0, 3), "base": ax.transAxes, "fontsize": 8, "va": "bottom"}
        write(ax, 0, 1, title, **over)
        write(ax, 1, 1, count(highest), ha="right", fontweight="bold", **over)
        if highest > 0:
            at = float(number_of([peak.idxmax()])[0]) + 0.5
            ax.plot([at], [highest], "o", color=DEMAND, ms=3.2, mec="white", mew=0.6, zorder=5)
    return ax


def _ends(ax: Axes, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Label only where the axis begins and ends."""
    ax.xaxis.set_major_locator(FixedLocator(list(ax.get_xlim())))
    texts = [day(first), day(last)]
    ax.xaxis.set_major_formatter(FuncFormatter(lambda _, place: texts[place or 0]))
    for label, side in zip(ax.get_xticklabels(), ("left", "right"), strict=True):
        label.set(horizontalalignment=side)
