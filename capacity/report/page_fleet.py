"""The page of a fleet: who is at risk, how the risk is spread, who needs what by when, and what changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from capacity.fleet.pool import Pools
from capacity.fleet.result import Fleet
from capacity.ground.text import chance, plural
from capacity.report.frame import GAP, MARGIN, WIDTH
from capacity.report.panels import Area, rows_within, table
from capacity.report.sheet import PT, Sheet, png
from capacity.report.theme import FORECAST, INK, LICENCE, MUTED, VOID, day, plain, style, wrap

__all__ = ["figure", "save_fleet"]

_LEFT = 158.0  # [mm]
_EDGES = (0.01, 0.05, 0.2, 0.5)
_CLASSES = ("under 1%", "1 to 5%", "5 to 20%", "20 to 50%", "over 50%", "no verdict")


def save_fleet(fleet: Fleet, path: str | os.PathLike[str]) -> Path:
    """Write the page of a fleet as PNG, A4 landscape at 200 dots an inch, and return its path.

    Parameters
    ----------
    fleet : Fleet
        As `capacity.assess_fleet` returns it.
    path : path
        The file; one that is there is replaced.
    """
    png(figure(fleet), Path(path))
    return Path(path)


def figure(fleet: Fleet) -> Figure:
    """Return the page of a fleet as a matplotlib Figure."""
    with style():
        sheet = Sheet()
        _head(sheet, fleet)
        right, width = MARGIN + _LEFT + GAP, WIDTH - _LEFT - GAP
        pooled = 45.0 if len(fleet.pooled) else 0.0
        _ranking(Area(sheet, MARGIN, 43.0, _LEFT, 152.0 - pooled), fleet)
        if pooled:
            _pools(Area(sheet, MARGIN, 197.0 - pooled, _LEFT, pooled - 2.0), fleet)
        _spread(Area(sheet, right, 43.0, width, 46.0), fleet)
        _needs(Area(sheet, right, 93.0, width, 50.0), fleet)
        _changes(Area(sheet, right, 147.0, width, 48.0), fleet)
        return sheet.figure


def _head(sheet: Sheet, fleet: Fleet) -> None:
    sheet.text(MARGIN, 15.0, "Fleet", 9, weight="bold", color=INK)
    sheet.rule(MARGIN, 18.5, WIDTH)
    words = plain(fleet.sentence())
    size = 13.0 if len(wrap(words, WIDTH * PT, 13.0, "bold")) <= 2 else 11.0
    sheet.block(MARGIN, 27.0, words, size, WIDTH, lines=2, weight="bold", leading=1.3)
    foot = "A chance is the share of sample paths on which the highest peak of the days ahead exceeds the licences"
    how = "back-tested" if fleet.settings.backtest else "forecasts not back-tested (confidence: untested)"
    sheet.text(MARGIN, 205.0, f"{foot}; {how}; seed {fleet.settings.seed}", 6.5, color=MUTED)


def _chance(p: float) -> str:
    return "" if pd.isna(p) else chance(float(p))


def _ranking(area: Area, fleet: Fleet) -> None:
    found = fleet.table
    area.sheet.heading(
        area.x, area.y, area.width, "Projects by the chance of exceeding their licences within 90 days",
        f"Licences needed: exceeded with 5% risk within {plural(fleet.settings.horizon, 'day')}",
    )  # fmt: skip
    inner = Area(area.sheet, area.x, area.y + 14.0, area.width, area.height - 14.0)
    room = rows_within(inner.height) - 2
    rows = [
        [str(name), _number(r["licences"]), _number(r["peak"]), _chance(r["p_above_30"]), _chance(r["p_above_90"]),
         _chance(r["p_above_365"]), _number(r["needed_05"]) if not r["reason"] else "no verdict"]
        for name, r in found.head(room).iterrows()
    ]  # fmt: skip
    table(inner, ["Project", "Licences", "Peak", "30 days", "90 days", "365 days", "Needed"], rows, first=0.3, strong=4)
    if len(found) > room:
        area.sheet.text(
            area.x + 1.0,
            area.y + area.height - 6.0,
            f"and {len(found) - room:,} more in fleet.parquet",
            7.0,
            color=MUTED,
        )


def _pools(area: Area, fleet: Fleet) -> None:
    shown = Pools(fleet.pooled, fleet.settings.horizon).words()
    rows = [
        [str(name), _number(r["licences"]), r["p_above_90"], r["p_above_365"], r["needed_05"]]
        for name, r in shown.iterrows()
    ]
    what = "Between bounds where only maxima are known: the projects need not peak at the same moment"
    area.sheet.heading(area.x, area.y, area.width, "Licences that projects share", what)
    inner = Area(area.sheet, area.x, area.y + 14.0, area.width, area.height - 14.0)
    head = ["Pool", "Licences", "90 days", "365 days", "Needed"]
    table(inner, head, rows[: rows_within(inner.height) - 1], first=0.24, strong=2)


def _number(value: int) -> str:
    return "" if pd.isna(value) else f"{value:,}"


def _spread(area: Area, fleet: Fleet) -> None:
    sound = fleet.table["reason"] == ""
    span = "p_above_90" if fleet.settings.horizon >= 90 else "p_above_30"
    place = np.digitize(fleet.table.loc[sound, span].fillna(0.0), _EDGES)
    sizes = [*np.bincount(place, minlength=len(_EDGES) + 1).tolist(), int((~sound).sum())]
    area.sheet.heading(
        area.x, area.y, area.width, "How the risk is spread", f"Projects by chance within {span[8:]} days"
    )
    axes = Area(area.sheet, area.x, area.y + 11.0, area.width, area.height - 11.0).axes(left=22.0, top=0.0, bottom=1.0)
    colours = [FORECAST, FORECAST, LICENCE, LICENCE, LICENCE, VOID]
    axes.barh(range(len(sizes)), sizes, color=colours, height=0.72)
    axes.set_yticks(range(len(sizes)), _CLASSES)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.set_xlim(0, max(*sizes, 1) * 1.15)
    axes.spines["bottom"].set_visible(False)
    for k, size in enumerate(sizes):
        axes.text(size, k, f" {size:,}", va="center", fontsize=7.5)


def _needs(area: Area, fleet: Fleet) -> None:
    due = fleet.table[fleet.table["exceeded_by"].notna()].sort_values("exceeded_by", kind="stable")
    due = due[due["needed_05"] > due["licences"]]
    rows = [
        [str(name), day(r["exceeded_by"]), f"+{int(r['needed_05'] - r['licences']):,}", _chance(r["p_above_365"])]
        for name, r in due.iterrows()
    ]
    what = "Day by which, if they are exceeded at all, they are in half of the cases; licences more for 5% risk"
    _listed(area, "Who needs what by when", what, ["Project", "By", "Licences", "365 days"], rows)


def _changes(area: Area, fleet: Fleet) -> None:
    rows = [
        [str(name), r["change"], f"{_chance(r['p_above_90_before']) or '-'} to {_chance(r['p_above_90']) or '-'}"]
        for name, r in fleet.changes.iterrows()
    ]
    what = "Chance within 90 days before and now" if rows else "Nothing, or this is the first run into its folder"
    _listed(area, "What changed since the last run", what, ["Project", "What", "Chance"], rows)


def _listed(area: Area, title: str, what: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    area.sheet.heading(area.x, area.y, area.width, title, what)
    if rows:
        inner = Area(area.sheet, area.x, area.y + 14.0, area.width, area.height - 14.0)
        table(inner, head, rows[: rows_within(inner.height) - 1], strong=None)
