"""What all charts share: axes for dates and counts, keys, licence lines and gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from matplotlib.transforms import Affine2D, ScaledTranslation, blended_transform_factory

from capacity.ground.arrays import Floats, Ints
from capacity.ground.licences import Licences
from capacity.ground.text import count
from capacity.report import theme
from capacity.report.theme import CAPTION, LICENCE, MUTED, RULE, VOID, day, number_of, text_width, wrap

_SIZE = CAPTION + 0.5  # [pt]
STRONG: dict[str, Any] = {"fontsize": _SIZE, "fontweight": "bold"}  # the figures of a chart
OVER = 15.0  # [pt] how high a unit and a key stand where the licences are named above the axes


def width_of(ax: Axes) -> float:
    """Return the width of the axes [pt]."""
    return float(ax.get_window_extent().width) * 72.0 / float(ax.figure.dpi)


def height_of(ax: Axes) -> float:
    """Return the height of the axes [pt]."""
    return float(ax.get_window_extent().height) * 72.0 / float(ax.figure.dpi)


def nudge(ax: Axes, x: float, y: float, base: Any = None) -> Any:
    """Return `base` (by default data coordinates) moved by (x, y) [pt]."""
    figure = ax.figure
    return (ax.transData if base is None else base) + ScaledTranslation(x / 72, y / 72, figure.dpi_scale_trans)


def write(
    ax: Axes, x: float, y: float, words: str, *, by: tuple[float, float] = (0.0, 0.0), base: Any = None, **look: Any
) -> None:
    """Write words `by` (x, y) [pt] from a place (see `nudge`): small, level with it, also outside of the axes."""
    how: dict[str, Any] = {"fontsize": CAPTION, "va": "center_baseline", "clip_on": False}
    ax.text(x, y, words, transform=nudge(ax, *by, base), **how | look)


def date_axis(
    ax: Axes, first: Any, last: Any, *, tz: str | None = None, label: str = "local day", spare: float = 0.0
) -> None:
    """Let the x axis run from the day `first` to the end of the day `last`, with as many dates as there is room for.

    A share `spare` of its width is left free at the right.
    """
    lo, hi = pd.Timestamp(first).normalize(), pd.Timestamp(last).normalize() + pd.Timedelta(days=1)
    left, right = (float(n) for n in number_of([lo, hi]))
    ax.set_xlim(left, left + (right - left) / (1 - spare))
    ticks, texts = _date_ticks(lo, hi, width_of(ax) * (1 - spare), edge=26.0 if spare else 10.0)
    ax.xaxis.set_major_locator(FixedLocator([float(n) for n in number_of(ticks)]))
    ax.xaxis.set_major_formatter(FixedFormatter(texts))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.spines["bottom"].set_visible(True)
    below(ax, f"{label}, {tz}" if tz else label, 22)
    if spare:
        ax.xaxis.set_label_coords(1 - 1.6 * spare, 0, transform=nudge(ax, 0, -22, ax.transAxes))


def _date_ticks(
    lo: pd.Timestamp, hi: pd.Timestamp, room: float, edge: float = 10.0
) -> tuple[pd.DatetimeIndex, list[str]]:
    within = hi - pd.Timedelta(days=1)
    days = (hi - lo).days
    rulers = [("D", 1), ("D", 2), ("W-MON", 1), ("W-MON", 2), ("MS", 1), ("MS", 2), ("MS", 3), ("MS", 6), ("YS", 1)]
    chosen = pd.DatetimeIndex([])
    for unit, step in rulers:
        if unit == "D" and days > 40:
            continue
        ticks = pd.date_range(lo, within, freq=unit)
        if step > 1:
            # Quarters begin in January, whatever the first month.
            ticks = ticks[(ticks.month - 1) % step == 0] if unit == "MS" else ticks[::step]
        if len(ticks) < 2 and unit != "D":
            break
        chosen = ticks
        if _spacing(chosen, hi - lo, room) >= (28.0 if unit in ("MS", "YS") else 34.0):
            break
    while len(chosen) > 1 and _spacing(chosen, hi - lo, room) < 34.0:
        chosen = chosen[::2]
    if len(chosen) == 0:
        chosen = pd.DatetimeIndex([lo])
    months = bool((chosen.day == 1).all()) and days > 40
    # A label at the very end would hang over the edge of the page.
    inner = (hi - chosen) / (hi - lo) * room > edge
    chosen = chosen[inner] if inner.any() else chosen[:1]
    return chosen, _dated(chosen, months=months)


def _dated(stamps: Sequence[pd.Timestamp] | pd.DatetimeIndex, *, months: bool) -> list[str]:
    """Return the dates, or the months alone, with the year where it is a new one."""
    names = [day(stamp, year=False).split()[1] if months else day(stamp, year=False) for stamp in stamps]
    new = [k == 0 or stamp.year != stamps[k - 1].year for k, stamp in enumerate(stamps)]
    return [f"{name}\n{stamp.year if first else ' '}" for name, stamp, first in zip(names, stamps, new, strict=True)]


def month_ticks(ax: Axes, at: Any, months: pd.Index) -> None:
    """Name months at the places `at`, as many as there is room for; the year where it is a new one."""
    every = max(1, int(np.ceil(len(months) * 30 / max(width_of(ax), 1.0))))
    shown = [m.to_timestamp() if isinstance(m, pd.Period) else pd.Timestamp(m) for m in months[::every]]
    ax.set_xticks(at[::every], _dated(shown, months=True))


def _spacing(ticks: pd.DatetimeIndex, span: pd.Timedelta, room: float) -> float:
    """Return the least distance of two ticks [pt]."""
    numbers = number_of(ticks)
    return float(np.diff(numbers).min()) * room / (span / pd.Timedelta(days=1)) if len(numbers) > 1 else float("inf")


def round_ticks(axis: Axis, most: int, words: Callable[[float], str], *, whole: bool = False) -> None:
    """Let an axis have at most so many ticks, at round numbers, written in these words."""
    axis.set_major_locator(MaxNLocator(nbins=most, integer=whole, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))


def hour_axis(ax: Axes, every: int) -> None:
    """Let the x axis run over the hours of a day, every few of them named."""
    ax.set_xlim(0, 24)
    ax.set_xticks(range(0, 24, every), [f"{hour:02d}:00" for hour in range(0, 24, every)])


def count_axis(ax: Axes, top: float, label: str, *, ticks: int = 5, which: str = "y") -> None:
    """Let an axis run from 0 to a little above `top` in whole calls, with thousands kept apart."""
    upright = which == "y"
    (ax.set_ylim if upright else ax.set_xlim)(0, max(float(top), 1.0) * 1.06)
    round_ticks(ax.yaxis if upright else ax.xaxis, ticks, count, whole=True)
    ax.grid(axis="y" if upright else "x")
    (above if upright else below)(ax, label)


def percent_axis(ax: Axes, label: str, *, top: float = 1.0) -> None:
    """Let the y axis run from 0 to `top` as a share, written in per cent."""
    ax.set_ylim(0, top * 1.02)
    digits = 0 if top > 0.05 else 1
    round_ticks(ax.yaxis, 5, lambda value: f"{100 * value:.{digits}f}%")
    ax.grid(axis="y")
    above(ax, label)


def room_for(highest: float) -> float:
    """Return where a percentage axis ends: at 100%, or where small chances still can be read."""
    return next((end for end in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75) if highest * 1.2 <= end), 1.0)


def above(ax: Axes, label: str, lift: float = 5.0) -> None:
    """Write the unit of the y axis level above it, `lift` [pt] higher: it reads without turning the head."""
    ax.set_ylabel(label, rotation=0, ha="left", va="bottom")
    ax.yaxis.set_label_coords(0, 1, transform=nudge(ax, 0, lift, ax.transAxes))


def below(ax: Axes, label: str, distance: float = 15.0) -> None:
    """Write what the x axis shows below its right end, `distance` [pt] under the axes."""
    ax.set_xlabel(label, ha="right", va="top")
    ax.xaxis.set_label_coords(1, 0, transform=nudge(ax, 0, -distance, ax.transAxes))


def key(ax: Axes, entries: Sequence[tuple[str, str, str]], lift: float = 5.0) -> None:
    """Write a one-line key above the axes, at the right, `lift` [pt] higher: (mark, colour, words).

    A mark is a line, dash, dot, diamond, ring or area.
    """
    at = 0.0
    room = width_of(ax)
    dpi = float(ax.figure.dpi)
    wanted = sum(text_width(words, CAPTION, dpi=dpi) + 20 for _, _, words in entries)
    # Beside the unit where there is room, else on a line of its own above it.
    lift += 2.5 if wanted + text_width(ax.get_ylabel(), CAPTION, dpi=dpi) <= room else 13.0
    for mark, colour, words in reversed(entries):
        width = text_width(words, CAPTION, dpi=dpi)
        if at + width + 16 > room:
            break
        write(ax, 1, 1, words, by=(-at, lift), base=ax.transAxes, ha="right", color=MUTED)
        _mark(ax, mark, colour, -at - width, lift)
        at += width + 20


def _mark(ax: Axes, mark: str, colour: str, x: float, y: float) -> None:
    """Draw a mark of the key, whose right end is (x, y) [pt] from the upper right corner of the axes."""
    whole: Any = ax.transAxes
    corner = ax.figure.dpi_scale_trans + ScaledTranslation(1, 1, whole)
    how: dict[str, Any] = {"transform": Affine2D().translate(x, y).scale(1 / 72) + corner, "clip_on": False}
    if mark in ("line", "dash"):
        dashes = "-" if mark == "line" else (0, (1.6, 1.2))
        ax.plot([-12, -4], [0, 0], color=colour, lw=1.6, ls=dashes, solid_capstyle="butt", **how)
    elif mark == "area":
        ax.plot([-6], [0], "s", ms=5, color=colour, mew=0, **how)
    else:
        shape, face = "D" if mark == "diamond" else "o", "white" if mark == "ring" else colour
        ax.plot([-6], [0], shape, ms=3.6, mfc=face, mec=colour, mew=0.8, **how)


def licence_line(ax: Axes, licences: Licences, dates: pd.DatetimeIndex) -> None:
    """Draw the licences of each local day as steps beneath the data, and write their counts at the right, outside."""
    edges, counts = steps_of(licences, dates)
    edges[-1] = max(edges[-1], ax.get_xlim()[1])
    x, y = np.repeat(edges, 2)[1:-1], np.repeat(counts, 2)
    ax.plot(x, y, color=LICENCE, lw=1.6, solid_capstyle="butt", zorder=2.2, label="licences")
    beside_levels(ax, list(dict.fromkeys(int(n) for n in counts[::-1])))


def steps_of(licences: Licences, dates: pd.DatetimeIndex) -> tuple[Floats, Ints]:
    """Return where each stretch of one count begins and the last one ends (date numbers), and the counts."""
    counts = licences.on(dates)
    starts = np.flatnonzero(np.r_[True, counts[1:] != counts[:-1]])
    return np.r_[number_of(dates[starts]), number_of(dates[-1:]) + 1], counts[starts]


def beside_levels(ax: Axes, counts: Sequence[int]) -> None:
    """Write licences at the right of the axes, outside, the first with its noun; none over another."""
    low, high = ax.get_ylim()
    per_point = (high - low) / max(height_of(ax), 1.0)
    taken: list[float] = []
    for place, number in enumerate(counts):
        words = [f"{count(number)} \N{UPWARDS ARROW}" if number > high else count(number)]
        words += [] if place else ["licence" if number == 1 else "licences"]
        half = (_SIZE + 2) * per_point * len(words) / 2
        y = float(np.clip(number, low + half, high - half)) if not place else float(min(number, high))
        if any(abs(y - other) < (_SIZE + 2) * per_point * (1.6 if place else 1) for other in taken):
            continue
        taken.append(y)
        write(
            ax, 1, y, "\n".join(words), by=(4, 0), base=ax.get_yaxis_transform(), color=LICENCE, **STRONG, va="center",
            linespacing=1.05,
        )  # fmt: skip


def upright(ax: Axes, licences: float, words: str) -> None:
    """Draw the licences as an upright line beneath the data, named above the axes; outside, say on which side.

    What else stands above the axes is to be lifted by `OVER`.
    """
    left, right = ax.get_xlim()
    at = float(np.clip(licences, left, right))
    if at == licences:
        ax.axvline(licences, color=LICENCE, lw=1.6, zorder=1.2, label="licences")
    else:
        words = f"\N{LEFTWARDS ARROW} {words}" if licences < left else f"{words} \N{RIGHTWARDS ARROW}"
    half = text_width(words, _SIZE, "bold") / 2 / max(width_of(ax), 1.0)
    share = float(np.clip((at - left) / (right - left), min(half, 0.5), max(1 - half, 0.5)))
    write(ax, share, 1, words, by=(0, 3), base=ax.transAxes, color=LICENCE, **STRONG, ha="center", va="bottom")


def shade_gaps(ax: Axes, present: pd.Series, *, label: bool = True) -> None:
    """Shade the days without a value: `present` is a bool Series on a full daily index."""
    gone = ~present.to_numpy(dtype=bool)
    if not gone.any():
        return
    edges = np.flatnonzero(np.diff(np.r_[False, gone, False].astype(int)))
    numbers = np.r_[number_of(present.index), number_of(present.index[-1:]) + 1]
    left, right = ax.get_xlim()
    per_point = (right - left) / max(width_of(ax), 1.0)
    across = blended_transform_factory(ax.transData, ax.transAxes)
    for start, end in edges.reshape(-1, 2):
        x, width = numbers[start], numbers[end] - numbers[start]
        shown = max(width, 0.8 * per_point)
        ax.add_patch(
            Rectangle((x, 0), shown, 1, transform=across, fc=VOID, ec="#C3CBD3", hatch="////", lw=0, zorder=0.5)
        )
        if label and width > (text_width("no data", CAPTION) + 4) * per_point:
            box = {"boxstyle": "square,pad=0.15", "fc": VOID, "ec": "none"}
            write(ax, x + width / 2, 0.04, "no data", base=across, ha="center", va="bottom", color=MUTED, bbox=box)


def missing(ax: Axes, reason: str) -> Axes:
    """Say in the place of a chart why there is none."""
    ax.set_axis_off()
    ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, fc=theme.TINT, ec="none"))
    lines = wrap(theme.plain(reason), 0.86 * width_of(ax), CAPTION + 1, lines=max(1, int(height_of(ax) / 14)))
    how: dict[str, Any] = {"ha": "center", "va": "center", "color": MUTED, "fontsize": CAPTION + 1, "linespacing": 1.4}
    write(ax, 0.5, 0.5, "\n".join(lines), base=ax.transAxes, **how)
    return ax


def halo() -> list[withStroke]:
    """Return the white edge that keeps writing legible where it crosses a line."""
    return [withStroke(linewidth=2.0, foreground="white")]


def hairline(ax: Axes, x: float) -> None:
    """Draw a thin upright line: where the data end and the forecast begins."""
    ax.axvline(x, color=RULE, lw=0.8, zorder=1)
