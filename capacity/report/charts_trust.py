"""Charts of what the numbers are worth: forecasts of the past beside what happened, and the holes in the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from capacity.analysis.backtest import Backtest
from capacity.ground.calendar import DAY_STEPS
from capacity.ground.coverage import Coverage
from capacity.ground.frame import TOTAL
from capacity.ground.text import count, percent
from capacity.report.axes import above, below, count_axis, date_axis, halo, height_of, key, missing, width_of, write
from capacity.report.canvas import drawing
from capacity.report.theme import BANDS, CAPTION, DEMAND, INK, MUTED, STANDOUT, number_of, plain, shorten


def gaps(
    coverage: Coverage,
    ax: Axes | None = None,
    *,
    names: Mapping[str, str] | None = None,
    tz: str = "UTC",
    most: int = 12,
) -> Axes:
    """Draw each series as a bar over time, broken where intervals are missing.

    Parameters
    ----------
    coverage : Coverage
        Its ``table`` and ``gaps``.
    ax : Axes, optional
        Where to draw; by default a new figure.
    names : mapping, optional
        What to call the series.
    tz : str
        The zone of the axis.
    most : int
        How many series to draw: TOTAL first, then those with most missing.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(coverage, Coverage, "capacity.coverage", ax) as ax:
        table = coverage.table
        order = sorted(table.index, key=lambda v: (v != TOTAL, -int(table.loc[v, "missing"]), str(v)))
        shown = order[: max(1, min(most, int(height_of(ax) // 10)))]
        start, end = (t.tz_convert(tz).tz_localize(None) for t in (coverage.start, coverage.end))
        date_axis(ax, start, end - pd.Timedelta(minutes=5), tz=tz)
        ax.set_ylim(len(shown) - 0.4, -0.6)
        known = {TOTAL: "All calls together"} | dict(names or {})
        ax.set_yticks(range(len(shown)), [shorten(plain(known.get(str(v), v)), 96.0, CAPTION) for v in shown])
        left, right = ax.get_xlim()
        least = 1.6 * (right - left) / max(width_of(ax), 1.0)
        for row, name in enumerate(shown):
            own = coverage.gaps[coverage.gaps.iloc[:, 0] == name]
            first = end - pd.Timedelta(minutes=5) * int(table.loc[name, "expected"])
            begin, stop = number_of([first, end])
            ax.barh(row, stop - begin, left=begin, height=0.5, color=BANDS[1], lw=0)
            begins = number_of(pd.DatetimeIndex(own["start"]).tz_convert(tz).tz_localize(None))
            widths = np.maximum(own["intervals"].to_numpy() / DAY_STEPS, least)
            ax.broken_barh(list(zip(begins, widths, strict=True)), (row - 0.36, 0.72), fc=STANDOUT, ec="none", zorder=3)
            share = percent(float(table.loc[name, "share"]))
            write(ax, 1, row, share, by=(5, 0), base=ax.get_yaxis_transform(), color=INK)
        key(ax, [("area", BANDS[1], "there"), ("area", STANDOUT, "missing")])
        if len(order) > len(shown):
            more = f"and {count(len(order) - len(shown))} more"
            write(ax, 0, 0, more, by=(0, -22), base=ax.transAxes, va="top", color=MUTED)
    return ax


def past_forecast(
    backtest: Backtest, ax: Axes | None = None, *, origin: Any = None, days: int | None = None, tz: str | None = None
) -> Axes:
    """Draw one forecast of the past beside what happened.

    Parameters
    ----------
    backtest : Backtest
        ``forecasts``: index (origin, date), columns p5, p10, p25, p50, p75, p90, p95 and ``actual`` [calls].
    ax : Axes, optional
        Where to draw; by default a new figure.
    origin : date, optional
        The last day that the forecast knew; by default the latest.
    days : int, optional
        How many days to show; by default all.
    tz : str, optional
        The zone in which days are days, for the axis.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(backtest, Backtest, "capacity.backtest", ax) as ax:
        known = backtest.forecasts.index.unique(0)
        if len(known) == 0:
            return missing(ax, "No forecast of the past was kept.")
        fan = backtest.forecasts.loc[known.max() if origin is None else pd.Timestamp(origin)].iloc[:days]
        at = number_of(fan.index) + 0.5
        date_axis(ax, fan.index[0], fan.index[-1], tz=tz)
        top = float(np.nanmax(fan[["p95", "actual"]].to_numpy(dtype=float)))
        count_axis(ax, top * 1.04, "calls in progress at once, highest of the day", ticks=4)
        for low, high, colour in (("p5", "p95", BANDS[0]), ("p10", "p90", BANDS[1]), ("p25", "p75", BANDS[2])):
            ax.fill_between(at, fan[low].to_numpy(dtype=float), fan[high].to_numpy(dtype=float), color=colour, lw=0)
        dot = float(np.clip(width_of(ax) / len(fan) * 0.8, 1.4, 4.0))
        ax.plot(at, fan["actual"], "-", color=DEMAND, lw=0.6, zorder=3)
        ax.plot(at, fan["actual"], "o", color=DEMAND, ms=dot, mew=0, zorder=3, label="actual")
    return ax


def coverage_of(backtest: Backtest, ax: Axes | None = None, *, row: str | None = None) -> Axes:
    """Draw how often what happened lay within the central 50, 80 and 95% of the forecasts of the past.

    Parameters
    ----------
    backtest : Backtest
        ``scores``: a row for each way to forecast, columns ``coverage_50``, ``coverage_80``, ``coverage_95``.
    ax : Axes, optional
        Where to draw; by default a new figure.
    row : str, optional
        Which way stands out; by default the first.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(backtest, Backtest, "capacity.backtest", ax) as ax:
        scores = backtest.scores
        levels = [c for c in scores.columns if str(c).startswith("coverage_")]
        promised = [float(str(c).rsplit("_", 1)[1]) / 100 for c in levels]
        chosen = scores.index[0] if row is None else row
        x = np.arange(len(levels))
        ax.set_xlim(-0.5, len(levels) - 0.5)
        ax.set_ylim(0, 1.08)
        ax.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
        ax.grid(axis="y")
        ax.set_xticks(x, [f"central {percent(p)}" for p in promised])
        ax.spines["bottom"].set_visible(True)
        ax.bar(x, promised, width=0.56, color=BANDS[0], lw=0)
        values = scores.loc[chosen, levels].to_numpy(dtype=float)
        ax.plot(x, values, "D", color=DEMAND, ms=5.5, zorder=4, label="came true")
        for place, value in zip(x.tolist(), values, strict=True):
            write(ax, place, value, percent(value), by=(8, 0), fontsize=8, fontweight="bold")
        below(ax, "interval of the daily peak's forecast")
        above(ax, "share of days within")
        key(ax, [("area", BANDS[0], "promised"), ("diamond", DEMAND, "came true")])
    return ax


def pit(backtest: Backtest, ax: Axes | None = None, *, bins: int = 10) -> Axes:
    """Draw where in its forecast each day of the past fell: flat if the forecasts are unbiased.

    Parameters
    ----------
    backtest : Backtest
        ``pit``: the probability integral transform of each day, between 0 and 1.
    ax : Axes, optional
        Where to draw; by default a new figure.
    bins : int
        How many parts of equal chance.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(backtest, Backtest, "capacity.backtest", ax) as ax:
        values = np.asarray(backtest.pit, dtype=float).ravel()
        values = values[~np.isnan(values)]
        share = np.histogram(values, bins=bins, range=(0, 1))[0] / max(len(values), 1)
        edges = np.linspace(0, 1, bins + 1)
        ax.bar(edges[:-1] + 0.5 / bins, share, width=0.86 / bins, color=BANDS[1], lw=0)
        ax.axhline(1 / bins, color=DEMAND, lw=1.2)
        top = max(float(share.max()) if len(share) else 0.0, 2 / bins)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, top * 1.15)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
        ax.grid(axis="y")
        ax.set_xticks([0, 0.5, 1], ["lowest", "middle", "highest"])
        for label, side in zip(ax.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set(horizontalalignment=side)
        ax.spines["bottom"].set_visible(True)
        below(ax, "where the day fell in its forecast")
        rising = share[: bins // 2].sum() <= share[bins // 2 :].sum()  # the words stand where the bars are low
        look = {"ha": "left" if rising else "right", "va": "bottom", "color": DEMAND, "path_effects": halo()}
        flat = f"flat: {percent(1 / bins)} each"
        write(ax, 0 if rising else 1, 1 / bins, flat, by=(0, 3), base=ax.get_yaxis_transform(), **look)
        above(ax, "share of days")
    return ax
