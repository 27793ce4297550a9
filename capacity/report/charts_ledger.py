"""Charts of a ledger: forecasts as they were beside what came, their licences, and the evidence against them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from capacity.ground.licences import Licences
from capacity.ground.text import count
from capacity.plan.ledger import LedgerScore
from capacity.report.axes import (
    above,
    count_axis,
    date_axis,
    hairline,
    halo,
    key,
    licence_line,
    missing,
    nudge,
    width_of,
)
from capacity.report.canvas import drawing
from capacity.report.theme import BANDS, CAPTION, DEMAND, FORECAST, MUTED, STANDOUT, VOID, day, number_of, text_width

_APART = 28  # days between the forecasts that are drawn
_AHEAD = 90  # days of the last forecast
_RAISED = 20.0  # evidence that raises the alarm


def kept_forecasts(
    score: LedgerScore, ax: Axes | None = None, *, licences: Licences | None = None, tz: str | None = None
) -> Axes:
    """Draw the forecasts of a ledger as they were made, each until the next one, beside what came.

    Of forecasts that were made more often, one every four weeks is drawn, counted back from the last.

    Parameters
    ----------
    score : LedgerScore
        As `capacity.Ledger.score` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure.
    licences : Licences, optional
        Drawn as steps.
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
    with drawing(score, LedgerScore, "capacity.Ledger.score", ax) as ax:
        fans = _apart(score.forecasts)
        if not fans:
            return missing(ax, "No forecast has been kept yet.")
        spans = [fan[: max(len(fan), 1)] for fan in fans]
        dates = pd.date_range(spans[0].index[0], spans[-1].index[-1])
        date_axis(ax, dates[0], dates[-1], tz=tz)
        tops = [float(np.nanmax(fan[["p95", "actual"]].to_numpy(dtype=float))) for fan in spans]
        held = [] if licences is None else [n for n in licences.on(dates) if n <= 2 * max(tops)]
        count_axis(ax, max(*tops, *held, 1.0) * 1.04, "calls in progress at once, highest of the day", ticks=4)
        if held and licences is not None and len(held) == len(dates):
            licence_line(ax, licences, dates)
        for fan in spans:
            at = np.r_[number_of(fan.index), number_of(fan.index[-1:]) + 1]
            for low, high, colour in (("p5", "p95", BANDS[0]), ("p10", "p90", BANDS[1]), ("p25", "p75", BANDS[2])):
                one, other = (np.append(fan[name].to_numpy(dtype=float), fan[name].iloc[-1]) for name in (low, high))
                ax.fill_between(at, one, other, step="post", color=colour, lw=0)
            hairline(ax, at[0])
        came = _came(spans)
        dot = float(np.clip(width_of(ax) / len(dates) * 0.8, 1.2, 4.0))
        ax.plot(number_of(came.index) + 0.5, came, "o", color=DEMAND, ms=dot, mew=0, zorder=3, label="what came")
        marks = [("dot", DEMAND, "what came"), ("area", BANDS[1], "forecast, central 80% of each day's peaks")]
        key(ax, marks)
    return ax


def _apart(forecasts: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the last forecast and those at least four weeks apart before it, each until the next begins."""
    starts = forecasts.reset_index().groupby("number")["date"].min()
    chosen: list[tuple[int, pd.Timestamp | None]] = []
    until: pd.Timestamp | None = None
    for number, start in starts[::-1].items():
        if until is None or (until - start).days >= _APART:
            chosen.append((number, until))
            until = start
    fans = []
    for number, end in reversed(chosen):
        fan = forecasts.loc[number]
        fans.append(fan[: end - pd.Timedelta(days=1)] if end is not None else fan.iloc[:_AHEAD])
    return fans


def _came(fans: list[pd.DataFrame]) -> pd.Series:
    return pd.concat([fan["actual"].dropna() for fan in fans])


def kept_licences(score: LedgerScore, ax: Axes | None = None, *, tz: str | None = None) -> Axes:
    """Draw the licences that each forecast of a ledger asked for, and the highest peak that has come in its horizon.

    Parameters
    ----------
    score : LedgerScore
        As `capacity.Ledger.score` returns it.
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
    with drawing(score, LedgerScore, "capacity.Ledger.score", ax) as ax:
        limits = score.limits
        if limits.empty:
            return missing(ax, "No forecast has been kept yet.")
        spare = pd.Timedelta(days=max(3, int((limits.index[-1] - limits.index[0]).days * 0.03)))
        date_axis(ax, limits.index[0] - spare, limits.index[-1] + spare, tz=tz, label="made on")
        count_axis(ax, float(np.nanmax(limits[["needed", "highest"]].to_numpy(dtype=float))) * 1.04, "calls", ticks=4)
        at = number_of(limits.index) + 0.5
        size = float(np.clip(width_of(ax) / len(at) * 0.5, 1.5, 5.0))
        ax.vlines(
            at, limits["highest"].fillna(limits["needed"]), limits["needed"], color=BANDS[1], lw=size / 3, zorder=1
        )
        ax.plot(at, limits["needed"], "D", color=FORECAST, ms=size, mew=0, zorder=3, label="needed")
        ax.plot(at, limits["highest"], "o", color=DEMAND, ms=size, mew=0, zorder=4, label="highest")
        key(ax, [("diamond", FORECAST, "licences for 5% risk"), ("dot", DEMAND, "highest peak since")])
    return ax


def evidence(score: LedgerScore, ax: Axes | None = None, *, tz: str | None = None) -> Axes:
    """Draw the evidence against the forecasts of a ledger day by day, and where the alarm stood.

    Parameters
    ----------
    score : LedgerScore
        As `capacity.Ledger.score` returns it.
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
    with drawing(score, LedgerScore, "capacity.Ledger.score", ax) as ax:
        worth = score.alarm.evidence
        if worth.empty:
            return missing(ax, "No day has come yet that a kept forecast was made for.")
        date_axis(ax, worth.index[0], worth.index[-1], tz=tz)
        low, high = 10 ** np.floor(np.log10(min(float(worth.min()), 0.1))), max(100.0, float(worth.max()) * 2)
        ax.set_yscale("log")
        ax.set_ylim(max(low, 1e-4), high)
        ax.yaxis.set_major_locator(FixedLocator([10.0**k for k in range(-4, 30, 1 if high < 1e4 else 3)]))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value) if value >= 1 else f"{value:g}"))
        ax.grid(axis="y")
        above(ax, "evidence (1: none; log scale)")
        for up, down in score.alarm.history:
            left, right = number_of([up, worth.index[-1] + pd.Timedelta(days=1) if down is None else down])
            ax.axvspan(left, right, color=VOID, lw=0, zorder=0)
        ax.axhline(_RAISED, color=STANDOUT, lw=1.2, zorder=2)
        ax.plot(number_of(worth.index) + 0.5, worth, color=DEMAND, lw=1.2, zorder=3, label="evidence")
        ax.text(
            0,
            _RAISED,
            "20: the alarm goes up",
            transform=nudge(ax, 3, 3, ax.get_yaxis_transform()),
            fontsize=CAPTION,
            color=STANDOUT,
            path_effects=halo(),
        )
        _name_alarms(ax, score)
    return ax


def _name_alarms(ax: Axes, score: LedgerScore) -> None:
    """Write the day of the last alarm into its shade, where there is room."""
    if not score.alarm.history:
        return
    up = score.alarm.history[-1][0]
    at, (left, right) = float(number_of([up])[0]), ax.get_xlim()
    words = f"alarm, {day(up, year=False)}"
    fits = (right - at) / (right - left) * width_of(ax) > text_width(words, CAPTION) + 6
    ax.text(
        at,
        0,
        words,
        transform=nudge(ax, 3 if fits else -3, 4, ax.get_xaxis_transform()),
        ha="left" if fits else "right",
        fontsize=CAPTION,
        color=MUTED,
        path_effects=halo(),
    )
