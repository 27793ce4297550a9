"""Charts of running out: when, how many licences for which risk, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from capacity.analysis.headroom import Headroom
from capacity.forecast.paths import PeakForecast
from capacity.ground.calendar import horizons_within
from capacity.ground.licences import Licences
from capacity.ground.text import chance, count, percent, plural
from capacity.report.axes import (
    OVER,
    STRONG,
    above,
    below,
    date_axis,
    key,
    missing,
    month_ticks,
    percent_axis,
    room_for,
    round_ticks,
    upright,
    write,
)
from capacity.report.beside import FAR, leader, leaders
from capacity.report.canvas import drawing
from capacity.report.theme import BANDS, CAPTION, DEMAND, FORECAST, LICENCE, MUTED, RULE, day, number_of

_PARTS = {0.1: "one in ten", 0.5: "half", 0.9: "nine in ten"}


def chances(headroom: Headroom, ax: Axes | None = None, *, horizons: Sequence[int] | None = None) -> Axes:
    """Draw the chance that demand has exceeded the licences within each horizon, as bars with their figures.

    Parameters
    ----------
    headroom : Headroom
        ``p_above``: by date, the probability that some day up to it is above the licences.
    ax : Axes, optional
        Where to draw; by default a new figure.
    horizons : sequence of int, optional
        Days ahead; by default those of 30, 90 and 365 that the forecast reaches, or all of it.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(headroom, Headroom, "capacity.headroom", ax) as ax:
        rising = headroom.p_above
        chosen = horizons_within(len(rising)) if horizons is None else list(horizons)
        ax.set_xlim(0, 1)
        ax.set_ylim(len(chosen) - 0.4, -0.6)
        ax.set_axis_off()
        for row, days in enumerate(chosen):
            share = float(rising.iloc[days - 1])
            by = day(pd.Timestamp(rising.index[days - 1]))
            ax.text(0, row - 0.26, f"within {plural(days, 'day')}", fontsize=8, va="center_baseline", fontweight="bold")
            ax.text(0, row + 0.06, f"by {by}", fontsize=CAPTION, va="center_baseline", color=MUTED)
            ax.barh(row - 0.12, 0.42, height=0.22, left=0.36, color=RULE, lw=0)
            ax.barh(row - 0.12, 0.42 * share, height=0.22, left=0.36, color=LICENCE, lw=0, label=plural(days, "day"))
            ax.text(1, row - 0.12, chance(share), fontsize=12, va="center_baseline", ha="right", fontweight="bold")
    return ax


def exhaustion(headroom: Headroom, ax: Axes | None = None, *, tz: str | None = None) -> Axes:
    """Draw by date the chance that demand has exceeded the licences, and that it has reached them.

    Where they are exceeded at once, the chance of each single day is drawn.

    Parameters
    ----------
    headroom : Headroom
        ``p_above``, ``p_at_or_above`` (Series by date) and ``dates_given`` (.1, .5, .9 -> date).
    ax : Axes, optional
        Where to draw; by default a new figure.
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
    with drawing(headroom, Headroom, "capacity.headroom", ax) as ax:
        rising = headroom.p_above
        dates = pd.DatetimeIndex(rising.index)
        if float(rising.iloc[-1]) == 0:
            return missing(ax, f"In none of the simulations does demand exceed the licences up to {day(dates[-1])}.")
        date_axis(ax, dates[0], dates[-1], tz=tz)
        edge = np.r_[number_of(dates[:1]), number_of(dates) + 1]
        if passed_at_once(headroom):
            each = headroom.daily["above"].to_numpy(dtype=float)
            percent_axis(ax, "chance of exceeding on that very day", top=1.0)
            ax.bar(edge[:-1] + 0.5, each, width=0.9, color=LICENCE, lw=0, label="each day")
            return ax
        reached = headroom.p_at_or_above
        percent_axis(ax, "chance that it has happened by that day", top=room_for(float(reached.max())))
        ax.step(edge, np.r_[0, reached], where="pre", color=LICENCE, lw=0.9, ls=(0, (4, 2)), label="reached")
        ax.fill_between(edge, np.r_[0, rising], step="pre", color=LICENCE, alpha=0.12, lw=0)
        ax.step(edge, np.r_[0, rising], where="pre", color=LICENCE, lw=1.8, label="passed")
        key(ax, [("line", LICENCE, "exceeded"), ("dash", LICENCE, "all in use, or exceeded")])
        _given(ax, headroom, rising)
    return ax


def passed_at_once(headroom: Headroom) -> bool:
    """Say whether the licences are exceeded so soon and surely that the first time tells nothing: each day does."""
    rising = headroom.p_above
    return float(rising.iloc[min(len(rising) - 1, max(len(rising) // 10, 1))]) > 0.99


def _given(ax: Axes, headroom: Headroom, rising: pd.Series) -> None:
    if rising.iloc[-1] < 0.01:
        return  # a handful of paths says nothing about when
    shares: dict[pd.Timestamp, list[str]] = {}
    for share, date in sorted((headroom.dates_given or {}).items()):
        if date is not None and not pd.isna(date):
            shares.setdefault(pd.Timestamp(date), []).append(_PARTS.get(round(share, 2), percent(share)))
    notes = []
    for stamp, parts in shares.items():
        x, y = float(number_of([stamp])[0]) + 0.5, float(rising.loc[stamp])
        ax.plot([x], [y], "o", color=LICENCE, ms=5, mec="white", mew=0.8, zorder=6)
        notes.append((x, y, f"{day(stamp)}: {', '.join(parts)}"))
    across = np.repeat(number_of(rising.index), 3) + np.tile([0.0, 0.5, 1.0], len(rising))  # of each day's step
    curves = [np.c_[across, np.repeat(values.to_numpy(), 3)] for values in (rising, headroom.p_at_or_above)]
    leaders(ax, notes, np.vstack(curves))


def days_above(headroom: Headroom, ax: Axes | None = None) -> Axes:
    """Draw the expected number of days above the licences in each month ahead.

    Parameters
    ----------
    headroom : Headroom
        ``per_month``: index month, column ``above`` [days].
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
        table = headroom.per_month
        if table is None or len(table) == 0:
            return missing(ax, "No month lies ahead.")
        expected = table["above"].to_numpy(dtype=float)
        if expected.max() < 0.05:
            return missing(ax, "Less than 0.05 days above the licences are expected in any month.")
        x = np.arange(len(expected))
        days, whole = table["days"].to_numpy(), np.array([month.days_in_month for month in table.index])
        bars = ax.bar(x, expected, width=0.62, color=LICENCE, lw=0)
        for bar, part in zip(bars, days < whole, strict=True):
            if part:
                bar.set(hatch="////", edgecolor="white")
        ax.set_xlim(-0.6, max(len(expected), 4) - 0.4)
        ax.set_ylim(0, max(float(expected.max()) * 1.32, 0.1))
        round_ticks(ax.yaxis, 4, "{:g}".format)
        ax.grid(axis="y")
        above(ax, "expected days above the licences")
        for place, value, seen, full in zip(x.tolist(), expected, days, whole, strict=True):
            if len(x) <= 14:
                words = count(value, 0 if value >= 10 else 1) if value >= 0.05 else "<0.05"
                words += f"\nin {plural(int(seen), 'day')}" if seen < full else ""
                write(ax, place, value, words, by=(0, 2), ha="center", va="bottom", **STRONG)
        month_ticks(ax, x, table.index)
        ax.spines["bottom"].set_visible(True)
        below(ax, "month; hatched: within the horizon only in part" if (days < whole).any() else "month", 22)
    return ax


def risk(
    forecast: PeakForecast,
    ax: Axes | None = None,
    *,
    licences: Licences | None = None,
    variant: str | None = None,
    horizons: Sequence[int] | None = None,
    marks: Sequence[float] = (0.1, 0.05, 0.01),
) -> Axes:
    """Draw the chance that demand exceeds a number of licences at some time within the horizon.

    Parameters
    ----------
    forecast : PeakForecast
        The risk at n licences is the share of simulations whose highest peak is above n.
    ax : Axes, optional
        Where to draw; by default a new figure.
    licences : Licences, optional
        What holds at the end of the horizon, drawn as an upright line.
    variant : str, optional
        By default TOTAL, or the only one.
    horizons : sequence of int, optional
        Days ahead; by default those of 30, 90 and 365 that the forecast reaches, or all of it.
    marks : sequence of float
        Risks whose licences are written on the curve of the longest horizon.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(forecast, PeakForecast, "capacity.forecast_peaks", ax) as ax:
        place = forecast.variants.index(forecast.pick(variant))
        chosen = horizons_within(len(forecast.dates)) if horizons is None else sorted(horizons)
        tops = {h: np.sort(forecast.max_over(h)[place]) for h in chosen}
        all_tops = np.concatenate(list(tops.values()))
        low, high = float(np.quantile(all_tops, 0.002)), float(np.quantile(all_tops, 0.998))
        last = None if licences is None else int(licences.on(forecast.dates)[-1])
        held = [float(last)] if last is not None and last <= FAR * max(high, 1.0) else []
        span = max(max([high, *held]) - min([low, *held]), 2.0)
        left, right = max(0.0, min([low, *held]) - 0.06 * span), max([high, *held]) + 0.08 * span
        ax.set_xlim(left, right)
        _risk_axis(ax)
        round_ticks(ax.xaxis, 6, count, whole=True)
        ax.spines["bottom"].set_visible(True)
        below(ax, "licences [calls at once]")
        colours = [BANDS[2], FORECAST, DEMAND][-len(chosen) :]
        for days, colour in zip(chosen, colours, strict=False):
            values, counts = np.unique(tops[days], return_counts=True)
            share = 1 - np.cumsum(counts) / len(tops[days])
            x, y = np.r_[left, values, right], np.r_[1, share, share[-1]]
            width = 1.8 if days == chosen[-1] else 1.2
            ax.step(x, np.maximum(y, 1e-6), where="post", color=colour, lw=width, label=plural(days, "day"))
        lift = 5.0 if last is None else OVER
        above(ax, "chance of exceeding them (log scale)", lift)
        key(ax, [("line", c, plural(d, "day")) for d, c in zip(chosen, colours, strict=False)], lift)
        if last is not None:
            stays = bool((licences.on(forecast.dates) == last).all()) if licences is not None else True
            upright(ax, last, plural(last, "licence") + ("" if stays else " at the end"))
        _risk_marks(ax, tops[chosen[-1]], marks)
    return ax


def _risk_axis(ax: Axes) -> None:
    """Let the y axis run from 0.5 to 100% by ratios: 10, 5 and 1% stand as far apart as they differ."""
    ax.set_yscale("log")
    ax.set_ylim(0.005, 1.15)
    ax.yaxis.set_major_locator(FixedLocator([0.01, 0.05, 0.1, 0.2, 0.5, 1.0]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
    ax.grid(axis="y")


def _risk_marks(ax: Axes, tops: npt.NDArray[np.integer[Any]], marks: Sequence[float]) -> None:
    for share in marks:
        need = float(np.quantile(tops, 1 - share, method="inverted_cdf"))
        ax.plot([need], [share], "o", color=DEMAND, ms=4.5, mec="white", mew=0.8, zorder=6)
        leader(ax, need, share, f"{count(need)} for {percent(share)}", drop=-5)
