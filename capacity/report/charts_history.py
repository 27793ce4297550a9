"""Charts of the daily peak: how it went, and how it may go on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from capacity.analysis.seasonality import Decomposition
from capacity.forecast.paths import PeakForecast
from capacity.ground.frame import main_series
from capacity.ground.licences import Licences
from capacity.ground.localtime import local_times
from capacity.ground.text import plural
from capacity.report.axes import (
    count_axis,
    date_axis,
    hairline,
    halo,
    key,
    licence_line,
    missing,
    shade_gaps,
    width_of,
    write,
)
from capacity.report.beside import FAR
from capacity.report.canvas import drawing
from capacity.report.theme import BANDS, CAPTION, DEMAND, FORECAST, MUTED, STANDOUT, day, number_of, text_width

_CENTRAL = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
_WEEK = 7  # days
_SPARE = 0.07  # share of the width for the highest day
_FEW = 10  # calls: peaks so low are drawn as steps
_WEEKLY = 200  # days shown from which on weeks are drawn instead of days


def daily(peaks: pd.DataFrame, variant: str | None = None, until: Any = None) -> pd.DataFrame:
    """Return one variant's days from the frame of `capacity.daily_peaks`, without holes in the calendar.

    Parameters
    ----------
    peaks : DataFrame
        Index (date, variant); columns ``peak`` and ``complete``.
    variant : str, optional
        By default TOTAL, or the first one.
    until : date, optional
        Last day that there should be, where the series ends before it.

    Returns
    -------
    DataFrame
        Index date, every day from the first to the last; ``peak`` float [calls], NaN where there is no day;
        ``complete`` bool.
    """
    one = peaks.xs(main_series(peaks.index.levels[1], variant), level=1)
    last = one.index[-1] if until is None else max(one.index[-1], pd.Timestamp(until))
    every = pd.date_range(one.index[0], last, freq="D", name="date")
    complete = one["complete"] if "complete" in one.columns else pd.Series(True, index=one.index)
    return pd.DataFrame(
        {"peak": one["peak"].astype(float).reindex(every), "complete": complete.reindex(every).eq(True)}
    )


def history(
    peaks: pd.DataFrame,
    ax: Axes | None = None,
    *,
    licences: Licences | None = None,
    forecast: PeakForecast | None = None,
    standouts: pd.Series | None = None,
    variant: str | None = None,
    tz: str | None = None,
    until: Any = None,
) -> Axes:
    """Draw daily peaks with the licences, the gaps, the forecast and the days that stood out.

    Parameters
    ----------
    peaks : DataFrame
        As `capacity.daily_peaks` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure.
    licences : Licences, optional
        Drawn as steps.
    forecast : PeakForecast, optional
        Drawn as bands of the central 50, 80 and 95%: of each day's peak, or of each week's highest peak where
        more than 200 days are shown.
    standouts : Series, optional
        Index date, values the words to write, by falling importance; those that find room are written.
    variant : str, optional
        By default TOTAL, or the first one.
    tz : str, optional
        The zone in which days are days, for the axis.
    until : date, optional
        Last day that there should be data for; days without any are hatched.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(peaks, pd.DataFrame, "capacity.daily_peaks", ax, columns=("peak",)) as ax:
        days = daily(peaks, variant, until)
        if not days["peak"].notna().any():
            return missing(ax, "No day has data.")
        paths = None if forecast is None else _paths(forecast, variant)
        last = days.index[-1] if forecast is None or paths is None else max(forecast.dates[-1], days.index[-1])
        weekly = len(days) + (0 if paths is None else paths.shape[1]) > _WEEKLY
        few = max(float(days["peak"].max()), 0.0 if paths is None else float(paths.max())) <= _FEW
        fan = None if forecast is None or paths is None else _fan(paths, forecast.dates, weekly=weekly, few=few)
        every = pd.date_range(days.index[0], last, freq="D")
        tops = [days["peak"].max()]
        if fan is not None:
            tops.append(fan[1].max())
        if licences is not None:
            tops.append(_top(licences, every, max(tops)))
        date_axis(ax, days.index[0], last, tz=tz)
        count_axis(ax, max(tops) * 1.04, "calls in progress at once, highest of the day")
        shade_gaps(ax, days["peak"].notna())
        _days(ax, days, weekly=weekly)
        entries = [("dot", DEMAND, "day's peak")] + ([("line", DEMAND, "week's highest")] if weekly else [])
        if not days.loc[days["peak"].notna(), "complete"].all():
            entries.append(("ring", DEMAND, "incomplete day"))
        if fan is not None:
            _draw_fan(ax, *fan, step=weekly or few)
            hairline(ax, float(number_of([last])[0]) + 1 - (paths.shape[1] if paths is not None else 0))
            entries.append(("area", BANDS[1], "forecast, central 50, 80, 95%" + (" of weeks" if weekly else "")))
        if licences is not None:
            licence_line(ax, licences, every)
            _at_the_licences(ax, days["peak"], licences)
        key(ax, entries)
        if standouts is not None:
            _name_days(ax, days["peak"], standouts)
    return ax


def outlook(
    forecast: PeakForecast,
    ax: Axes | None = None,
    *,
    licences: Licences | None = None,
    variant: str | None = None,
    days: int | None = None,
    ahead: int | None = None,
    tz: str | None = None,
) -> Axes:
    """Draw the last days and the days ahead, day by day, against the licences.

    Parameters
    ----------
    forecast : PeakForecast
        Its history is what stands left of the line.
    ax : Axes, optional
        Where to draw; by default a new figure.
    licences : Licences, optional
        Drawn as steps.
    variant : str, optional
        By default TOTAL, or the only one.
    days : int, optional
        How many past days to show; by default as many as lie ahead, at least 28.
    ahead : int, optional
        How many days ahead to show; by default all.
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
    with drawing(forecast, PeakForecast, "capacity.forecast_peaks", ax) as ax:
        paths = _paths(forecast, variant)
        if paths is None:
            return missing(ax, f"The forecast has no series {variant!r}.")
        past = forecast.history[main_series(forecast.variants, variant)].astype(float)
        dates = forecast.dates[:ahead]
        shown = max(28, len(dates)) if days is None else days
        begin = forecast.dates[0] - pd.Timedelta(days=shown)
        if len(past):
            begin = max(begin, past.index[0])
        past = past.reindex(pd.date_range(begin, forecast.dates[0] - pd.Timedelta(days=1), freq="D"))
        every = pd.date_range(begin, dates[-1], freq="D")
        weekly = len(every) > _WEEKLY
        few = max(float(past.max()), float(paths.max())) <= _FEW
        fan = _fan(paths[:, : len(dates)], dates, weekly=weekly, few=few)
        highest = _quantiles(paths.max(axis=1)) if len(dates) == len(forecast.dates) else None
        tops = [0.0 if past.isna().all() else past.max(), fan[1].max()]
        tops += [] if highest is None else [highest[-1]]
        if licences is not None:
            tops.append(_top(licences, every, max(tops)))
        date_axis(ax, begin, dates[-1], tz=tz, spare=0.0 if highest is None else _SPARE)
        count_axis(ax, max(tops) * 1.04, "calls in progress at once, highest of the day")
        shade_gaps(ax, past.notna(), label=False)
        _draw_fan(ax, *fan, step=weekly or few)
        _days(ax, pd.DataFrame({"peak": past, "complete": past.notna()}), weekly=weekly)
        hairline(ax, float(number_of(forecast.dates[:1])[0]))
        if highest is not None:
            _draw_highest(ax, highest, float(number_of(dates[-1:])[0]) + 1, len(dates))
        if licences is not None:
            licence_line(ax, licences, every)
            _at_the_licences(ax, past, licences)
        unit = "weeks" if weekly else "days"
        entries = [("dot", DEMAND, "day's peak"), ("area", BANDS[1], f"forecast, central 50, 80, 95% of {unit}")]
        key(ax, entries[:1] + ([("line", DEMAND, "week's highest")] if weekly else []) + entries[1:])
    return ax


def decomposition(
    found: Decomposition, ax: Axes | None = None, *, variant: str | None = None, tz: str | None = None
) -> Axes:
    """Draw each day's highest maximum beside the highest that trend and cycles make of the day.

    Parameters
    ----------
    found : Decomposition
        From `capacity.decompose`.
    ax : Axes, optional
        Where to draw; by default on a new figure.
    variant : str, optional
        The series; by default TOTAL, or the first.
    tz : str, optional
        Named at the x axis in place of the zone of the decomposition.

    Returns
    -------
    Axes
        Dots for what was seen, rings for special days, a line for what was expected.

    Raises
    ------
    ConfigError
        What is given is not a Decomposition.
    """
    with drawing(found, Decomposition, "capacity.decompose", ax) as ax:
        parts = found.components.assign(expected=found.expected)
        own = parts.xs(main_series(parts.index.unique(1), variant), level=1)
        local = local_times(pd.DatetimeIndex(own.index), found.tz).normalize()
        highest = own[["max_concurrent", "expected"]].groupby(local).max().asfreq("D")
        at, special = number_of(highest.index) + 0.5, highest.index.isin(found.special_days)
        date_axis(ax, highest.index[0], highest.index[-1], tz=tz or found.tz)
        count_axis(ax, float(highest.max().max()), "calls in progress at once, highest of the day")
        ax.plot(at, highest["expected"], color=FORECAST, lw=1.4, label="expected")
        ax.plot(at, highest["max_concurrent"], "o", color=DEMAND, ms=2.4, mew=0, label="seen")
        rings: dict[str, Any] = {"mfc": "none", "mec": STANDOUT, "mew": 1.0, "ms": 5.0}
        ax.plot(at[special], highest["max_concurrent"][special], "o", label="special", **rings)
        entries = [("dot", DEMAND, "seen"), ("line", FORECAST, "by trend and cycles")]
        key(ax, entries + ([("ring", STANDOUT, "special day")] if special.any() else []))
    return ax


def _top(licences: Licences, days: pd.DatetimeIndex, seen: float) -> float:
    """Return how high the axis must reach for the licences, and their count above them, to be seen."""
    counts = licences.on(days)
    near = counts[counts <= FAR * max(seen, 1.0)]
    return 1.03 * float(near.max()) if len(near) == len(counts) else max(1.2 * seen, 1.03 * float(near.max(initial=0)))


def _at_the_licences(ax: Axes, peak: pd.Series, licences: Licences) -> None:
    """Draw the days that stand at the licences once more, over their line: it must not hide them."""
    full = peak[peak.to_numpy() == licences.on(pd.DatetimeIndex(peak.index))]
    room = width_of(ax) / max((ax.get_xlim()[1] - ax.get_xlim()[0]), 1.0)
    dot = float(np.clip(room * 1.2, 2.0, 4.5))
    look: dict[str, Any] = {"mew": 0.4, "mec": "white", "ms": dot, "zorder": 4.5}
    ax.plot(number_of(full.index) + 0.5, full.to_numpy(), "o", color=DEMAND, label="at the licences", **look)


def _paths(forecast: PeakForecast, variant: str | None) -> npt.NDArray[np.integer[Any]] | None:
    chosen = main_series(forecast.variants, variant)
    return forecast.series(chosen) if chosen in forecast.variants else None


def _fan(
    paths: npt.NDArray[np.integer[Any]], dates: pd.DatetimeIndex, *, weekly: bool, few: bool = False
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return where the bands stand and their edges, shape (days or weeks, 7)."""
    starts = np.arange(0, len(dates), 7) if weekly else np.arange(len(dates))
    if weekly and len(starts) > 1 and len(dates) - starts[-1] < 4:
        starts = starts[:-1]  # a stump of a week would look like a fall
    values = np.maximum.reduceat(paths, starts, axis=1) if weekly else paths
    at = number_of(dates[starts])
    edges = np.r_[at, number_of(dates[-1:]) + 1] if weekly or few else at + 0.5
    return edges, _quantiles(values).T


def _quantiles(values: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float64]:
    """Return the edges of the bands, shape (7,) or (7, ...)."""
    return np.asarray(np.quantile(values, _CENTRAL, axis=0, method="inverted_cdf"), dtype=np.float64)


def _draw_highest(ax: Axes, edges: npt.NDArray[np.float64], end: float, days: int) -> None:
    """Draw at the right, apart, in which range the highest of all days ahead is expected: this meets the licences."""
    right = ax.get_xlim()[1]
    at = end + np.array([0.3, 0.75]) * (right - end)
    for place, colour in enumerate(BANDS):
        ax.fill_between(at, edges[place], edges[-1 - place], color=colour, lw=0, zorder=1.5 + place / 10)
    ax.plot(at, edges[[3, 3]], color=FORECAST, lw=1.6, zorder=2, label="highest day")
    words, axis = f"highest of\n{plural(days, 'day')}", ax.get_xaxis_transform()
    write(ax, float(at.mean()), 0, words, by=(0, -5), base=axis, ha="center", va="top", color=MUTED)


def _draw_fan(ax: Axes, at: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], *, step: bool) -> None:
    if step:
        at, edges = np.repeat(at, 2)[1:-1], np.repeat(edges, 2, axis=0)
    elif len(at) == 1:
        at, edges = np.r_[at - 0.4, at + 0.4], np.repeat(edges, 2, axis=0)
    for place, colour in enumerate(BANDS):
        ax.fill_between(at, edges[:, place], edges[:, -1 - place], color=colour, lw=0, zorder=1.5 + place / 10)
    ax.plot(at, edges[:, 3], color=FORECAST, lw=1.1, zorder=2, label="median")


def _days(ax: Axes, days: pd.DataFrame, *, weekly: bool) -> None:
    at = number_of(days.index) + 0.5
    peak, complete = days["peak"].to_numpy(), days["complete"].to_numpy()
    room = width_of(ax) / max((ax.get_xlim()[1] - ax.get_xlim()[0]), 1.0)
    if weekly:
        edge, highest = weeks(days["peak"])
        ax.plot(np.repeat(edge, 2)[1:-1], np.repeat(highest, 2), color=DEMAND, lw=1.2, zorder=3, label="weeks")
        dot = float(np.clip(room * 1.6, 1.3, 2.6))
        alpha = float(np.clip(room * 0.5, 0.3, 0.6))
    else:
        few = bool(np.nanmax(peak, initial=0) <= _FEW)
        ax.plot(at, peak, color=DEMAND, lw=1.0, zorder=3, drawstyle="steps-mid" if few else "default")
        dot, alpha = float(np.clip(room * 0.9, 1.8, 4.5)), 1.0
    ax.plot(at[complete], peak[complete], "o", color=DEMAND, ms=dot, mew=0, alpha=alpha, zorder=2.5, label="days")
    ring = ~complete & ~np.isnan(peak)
    ax.plot(
        at[ring], peak[ring], "o", mfc="white", mec=DEMAND, mew=0.6, ms=max(dot, 2.4), zorder=3.2, label="incomplete"
    )


def weeks(peak: pd.Series) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the edges of the weeks, counted back from the last day, and each week's highest peak.

    It is NaN where not two days were seen: a stump before or after a gap would look like a rise or a fall.
    """
    lead = -len(peak) % 7
    days = np.r_[np.full(lead, -1.0), peak.fillna(-1.0).to_numpy()].reshape(-1, 7)
    padded = np.where((days >= 0).sum(axis=1) < min(2, len(peak)), -1.0, days.max(axis=1))
    end = float(number_of(peak.index[-1:])[0]) + 1
    edge = (end - 7.0 * np.arange(len(padded), -1, -1)).astype(np.float64)
    edge[0] += lead
    if lead > 4 and len(padded) > 1:
        padded[0] = -1.0  # two days at the beginning are no week either
    return edge, np.where(padded < 0, np.nan, padded).astype(np.float64)


def _name_days(ax: Axes, peak: pd.Series, standouts: pd.Series) -> None:
    """Ring the days, and write their dates where the writing finds room; the first ones come first."""
    known = standouts[standouts.index.isin(peak.index)]
    at, height = number_of(known.index) + 0.5, peak.reindex(known.index).to_numpy()
    ax.plot(at, height, "o", mfc="none", mec=STANDOUT, mew=1.0, ms=5.5, zorder=5, label="stood out")
    scale = width_of(ax) / (ax.get_xlim()[1] - ax.get_xlim()[0])
    middle = float(peak.median())
    taken: list[tuple[float, float]] = []
    for x, y, (date, words) in zip(at, height, known.items(), strict=True):
        if np.isnan(y):
            continue
        text = str(words) or day(date)
        half = text_width(text, CAPTION) / 2 + 3
        centre = float(np.clip((x - ax.get_xlim()[0]) * scale, half, max(width_of(ax) - half, half)))
        if any(abs(centre - other) < half + reach for other, reach in taken):
            continue
        taken.append((centre, half))
        if y > middle:  # a high day's words stand above the line of the weeks around
            around = np.abs(number_of(peak.index) + 0.5 - ax.get_xlim()[0] - centre / scale) < half / scale + _WEEK
            y = float(np.nanmax(peak.to_numpy()[around], initial=y))
        look = {"ha": "center", "va": "bottom", "color": STANDOUT, "zorder": 6, "path_effects": halo()}
        write(ax, ax.get_xlim()[0] + centre / scale, y, text, by=(0, 5), **look)
