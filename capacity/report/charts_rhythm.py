"""Charts of the week's rhythm: hours, percentiles, and how long each level is held."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from capacity.analysis.busy_hours import BusyHours
from capacity.ground.calendar import SHORT_WEEKDAYS
from capacity.ground.frame import main_series
from capacity.ground.text import count, plural
from capacity.report.axes import (
    STRONG,
    below,
    beside_levels,
    count_axis,
    halo,
    height_of,
    hour_axis,
    key,
    missing,
    upright,
    width_of,
    write,
)
from capacity.report.beside import FAR
from capacity.report.canvas import drawing
from capacity.report.theme import BANDS, DEMAND, FORECAST, INK, LICENCE, VOID, on_shade, text_width

_SHADES = LinearSegmentedColormap.from_list("calls", ["#F4F8FB", BANDS[0], BANDS[1], FORECAST, DEMAND])


def pick(table: pd.DataFrame, variant: str | None = None) -> pd.DataFrame:
    """Return one variant's rows; by default those of TOTAL, or of the first one."""
    return table.xs(main_series(table.index.unique(0), variant), level=0)


def heat_map(
    profile: pd.DataFrame,
    ax: Axes | None = None,
    *,
    column: str = "q90",
    variant: str | None = None,
    tz: str | None = None,
) -> Axes:
    """Draw the typical week as a table of hours, dark where it is busy, with the numbers in it.

    Parameters
    ----------
    profile : DataFrame
        As `capacity.weekly_profile` returns it with 168 hours: index (variant, ``hour_of_week``).
    ax : Axes, optional
        Where to draw; by default a new figure.
    column : str
        Which of its columns, such as ``median``, ``q90`` or ``q99``.
    variant : str, optional
        By default TOTAL, or the first one.
    tz : str, optional
        The zone whose hours they are, for the axis.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(profile, pd.DataFrame, "capacity.weekly_profile", ax, columns=(column,)) as ax:
        cells = pick(profile, variant)[column].reindex(range(168)).to_numpy(dtype=float).reshape(7, 24)
        top = float(np.nanmax(cells)) if not np.isnan(cells).all() else 0.0
        ax.set_facecolor(VOID)
        ax.pcolormesh(
            np.arange(25), np.arange(8), cells, cmap=_SHADES, vmin=0, vmax=max(top, 1.0), edgecolor="white", lw=0.8
        )
        ax.set_ylim(7, 0)
        ax.set_yticks(np.arange(7) + 0.5, SHORT_WEEKDAYS)
        hour_axis(ax, 3)
        ax.tick_params(length=0)
        below(ax, f"local hour, {tz}" if tz else "local hour")
        _numbers(ax, cells, top)
    return ax


def _numbers(ax: Axes, cells: npt.NDArray[np.float64], top: float) -> None:
    size = 6.5
    thousands = top >= 10_000
    words = f"{top / 1000:,.0f}k" if thousands else f"{top:,.0f}"
    if text_width(words, size) > width_of(ax) / 24 - 2 or height_of(ax) / 7 < size + 2:
        return
    for (row, hour), value in np.ndenumerate(cells):
        if np.isnan(value):
            continue
        text = f"{value / 1000:,.0f}k" if thousands and value >= 1000 else f"{value:,.0f}"
        colour = on_shade(_SHADES(value / max(top, 1.0)))
        ax.text(hour + 0.5, row + 0.5, text, ha="center", va="center_baseline", fontsize=size, color=colour)


def percentiles(
    table: pd.DataFrame, ax: Axes | None = None, *, licences: int | None = None, variant: str | None = None
) -> Axes:
    """Draw percentiles of 5-minute maxima as a table whose rows end in their values.

    Parameters
    ----------
    table : DataFrame
        As `capacity.percentiles` returns it without ``by``: index (variant, ``q``), column ``value``; ``low`` and
        ``high`` are drawn as whiskers if they are there.
    ax : Axes, optional
        Where to draw; by default a new figure.
    licences : int, optional
        What holds now, as an upright line.
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
    with drawing(table, pd.DataFrame, "capacity.percentiles", ax, columns=("value",)) as ax:
        rows = pick(table, variant)
        value = rows["value"].to_numpy(dtype=float)
        y = np.arange(len(value))
        seen = max(float(value.max()), 1.0)
        near = licences is not None and licences <= FAR * seen
        top = max(seen, float(licences or 0)) if near else seen
        ax.set_ylim(len(value) - 0.5, -0.5)
        count_axis(ax, top, "calls in progress at once, highest in 5 minutes", which="x", ticks=4)
        ax.barh(y, value, height=0.56, color=BANDS[1], lw=0)
        if {"low", "high"} <= set(rows.columns):
            ax.hlines(y, rows["low"], rows["high"], color=DEMAND, lw=1.2)
        ax.set_yticks(y, [_share(float(q)) for q in rows.index])
        ax.tick_params(axis="y", labelcolor=INK)
        for place, number in zip(y.tolist(), value, strict=True):
            write(ax, 1, place, count(number), by=(4, 0), base=ax.get_yaxis_transform(), fontsize=8, fontweight="bold")
        if licences is not None:
            upright(ax, licences, plural(int(licences), "licence"))
    return ax


def _share(q: float) -> str:
    return "all (the peak)" if q >= 100 else f"{q:g}% of the time"


def load_duration(
    table: pd.DataFrame, ax: Axes | None = None, *, licences: int | None = None, variant: str | None = None
) -> Axes:
    """Draw how many hours a year each level is reached: the rarer, the further left.

    Parameters
    ----------
    table : DataFrame
        Index (variant, ``level``); column ``hours_a_year`` [h] at or above the level.
    ax : Axes, optional
        Where to draw; by default a new figure.
    licences : int, optional
        What holds now, as a level line.
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
    with drawing(
        table, pd.DataFrame, "capacity.analysis.percentiles.load_duration", ax, columns=("hours_a_year",)
    ) as ax:
        rows = pick(table, variant)
        rows = rows[rows.index > 0]
        if len(rows) == 0:
            return missing(ax, "No interval has a call.")
        level, hours = rows.index.to_numpy(dtype=float), rows["hours_a_year"].to_numpy(dtype=float)
        low = 10 ** np.floor(np.log10(max(hours.min(), 1e-3)))
        ax.set_xscale("log")
        ax.set_xlim(low, 8760 * 1.05)
        ax.xaxis.set_major_locator(FixedLocator([t for t in (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0) if t >= low]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g} h"))
        ax.spines["bottom"].set_visible(True)
        below(ax, "hours a year at the level or above it (log scale)")
        top = float(level.max())
        if licences is not None and licences <= FAR * top:
            top = max(top, float(licences))
        count_axis(ax, top * 1.04, "calls in progress at once, highest in 5 minutes")
        ax.step(np.r_[hours, low], np.r_[level, level[-1]], where="pre", color=DEMAND, lw=1.6, label="level")
        if licences is not None:
            _level(ax, licences, level, hours)
    return ax


def _level(ax: Axes, licences: int, level: npt.NDArray[np.float64], hours: npt.NDArray[np.float64]) -> None:
    ax.axhline(licences, color=LICENCE, lw=1.6, zorder=1.2)
    beside_levels(ax, [licences])
    reached = level >= licences
    time = f"all in use {_hours(float(hours[reached].max()))} a year" if reached.any() else "never all in use"
    key(ax, [("line", LICENCE, time)])


def _hours(value: float) -> str:
    return f"{60 * value:.0f} min" if value < 1 else f"{value:,.0f} h"


def busy_hours(busy: BusyHours, ax: Axes | None = None, *, variant: str | None = None, tz: str | None = None) -> Axes:
    """Draw the mean load of each hour of the day, with the time-consistent busy hour picked out.

    Parameters
    ----------
    busy : BusyHours
        As `capacity.busy_hours` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure.
    variant : str, optional
        By default TOTAL, or the first one.
    tz : str, optional
        What to call the zone of the hours; by default that of `busy`.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(busy, BusyHours, "capacity.busy_hours", ax) as ax:
        chosen = main_series(busy.table.index, variant)
        row = busy.table.loc[chosen]
        if not row["days"]:
            return missing(ax, "No day is whole: 288 intervals, none missing.")
        curve = busy.profile[chosen]
        middle = np.array([_clock(start) for start in curve.index]) + 0.5
        value = curve.to_numpy(dtype=float)
        begin = _clock(row["start"])
        ax.fill_between(middle, value, color=BANDS[0], lw=0)
        ax.plot(middle, value, color=DEMAND, lw=1.4, label="hours")
        best, level = begin + 0.5, float(row["time_consistent"])
        ax.bar([best], [level], width=1.0, color=FORECAST, lw=0, zorder=1.5)
        ax.plot([best], [level], "o", color=DEMAND, ms=4.5, mec="white", mew=0.8, zorder=6)
        hour_axis(ax, 6 if width_of(ax) < 200 else 3)
        ax.spines["bottom"].set_visible(True)
        below(ax, f"middle of the hour, local, {tz or busy.tz}")
        count_axis(ax, max(float(np.nanmax(value)), level) * 1.18, "calls in progress at once, mean over days")
        words = f"{row['start']} to {_later(begin)}: {count(level, 0 if level >= 10 else 1)}"
        look = STRONG | {"ha": "center", "va": "bottom", "path_effects": halo(), "zorder": 7}
        write(ax, float(np.clip(best, 6, 18)), level, words, by=(0, 5), **look)
    return ax


def _clock(start: Any) -> float:
    hour, minute = str(start).split(":")[:2]
    return int(hour) + int(minute) / 60


def _later(begin: float) -> str:
    minutes = round((begin + 1) * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
