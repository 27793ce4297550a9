"""Page 4: the variants."""

from __future__ import annotations

import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.ground.frame import TOTAL
from capacity.ground.text import count, percent, plural
from capacity.report import charts_variants
from capacity.report.axes import missing
from capacity.report.frame import GAP, MARGIN, TOP, WIDTH, begin, names_of, present
from capacity.report.panels import Area, Panel, place
from capacity.report.sheet import PT, Sheet
from capacity.report.theme import plain, shorten

__all__ = ["PANELS", "variants"]

_MOST = 12
_ALONE = "The data hold the total alone: there is nothing to tell apart."


def variants(assessment: Assessment) -> Sheet:
    """Draw the page of who drives the peak."""
    sheet = begin(assessment, 4, _sentence(assessment))
    drivers, pooling, peaks = PANELS
    left = 158.0
    place(drivers, assessment, Area(sheet, MARGIN, TOP, left, 66.0))
    place(pooling, assessment, Area(sheet, MARGIN + left + GAP, TOP, WIDTH - left - GAP, 66.0))
    place(peaks, assessment, Area(sheet, MARGIN, 111.0, WIDTH, 88.0))
    return sheet


def _sentence(assessment: Assessment) -> str:
    found = assessment.diversity
    if found is None:
        return _ALONE if assessment.total_only else "What the variants have to do with the peak is not known."
    first = found.table.iloc[int(found.table["share_at_top"].to_numpy().argmax())]
    full = plain(names_of(assessment).get(str(first.name), first.name))
    if len(found.table) == 1:
        return f"All calls are those of {shorten(full, 180 * PT, 13, 'bold')}."
    name = shorten(full, 90 * PT, 13, "bold")
    words = f"{name} drives the peak, with {percent(float(first['share_at_top']))} of the calls when all are busiest"
    saved = found.saving[0]
    return f"{words}; one pool saves {plural(saved, 'licence')}." if saved > 0 else f"{words}."


def _drivers(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=0.0, top=0.0, bottom=1.0)
    charts_variants.drivers(present(assessment.diversity).table["share_at_top"], ax, names=names_of(assessment))


def _pooling(assessment: Assessment, area: Area) -> None:
    ax = area.sheet.axes(area.x, area.y + 5.0, area.width, min(area.height - 6.0, 42.0))
    charts_variants.pooling(present(assessment.diversity), ax)


def _highest(assessment: Assessment) -> pd.Series:
    highest = assessment.peaks["peak"].groupby(level=1, observed=True).max().drop(TOTAL, errors="ignore")
    return highest.sort_values(ascending=False, kind="stable")


def _rest(assessment: Assessment) -> str:
    what = "Each on a scale of its own; the number is the highest peak [calls at once]"
    if len(_highest(assessment)) == 0:
        return ""
    rest = _highest(assessment).iloc[_MOST:]
    if len(rest) == 0:
        return what
    if len(rest) == 1:
        return f"{what}. The one other has a peak of {count(rest.iloc[0])}"
    low, high = count(rest.min()), count(rest.max())
    return f"{what}. The {count(len(rest))} others have peaks of {low if low == high else f'{low} to {high}'}"


def _multiples(assessment: Assessment, area: Area) -> None:
    peaks = assessment.peaks
    shown = _highest(assessment).iloc[:_MOST]
    if len(shown) == 0:
        missing(area.axes(left=0.0, top=-4.0, bottom=0.0), _ALONE)
        return
    columns = {1: 1, 2: 2, 3: 3, 5: 3, 6: 3}.get(len(shown), 4)
    rows = -(-len(shown) // columns)
    width, height = (area.width - (columns - 1) * GAP) / columns, area.height / rows
    names, dates = names_of(assessment), peaks.index.get_level_values(0)
    for place_, variant in enumerate(shown.index):
        row, column = divmod(place_, columns)
        ax = area.sheet.axes(area.x + column * (width + GAP), area.y + 4.0 + row * height, width, height - 11.0)
        name = names.get(str(variant))
        charts_variants.small_history(peaks, ax, variant=str(variant), name=name, span=(dates.min(), dates.max()))


PANELS = (
    Panel(
        "drivers",
        "Who drives the peak",
        lambda a: f"Share of all calls in progress in the {count(present(a.diversity).top)} highest 5-minute intervals",
        "diversity",
        _drivers,
        otherwise=_ALONE,
    ),
    Panel(
        "pooling",
        "What pooling gains",
        lambda _: "Licences that would have carried every call: peaks do not fall together",
        "diversity",
        _pooling,
        (130.0, 80.0),
        _ALONE,
    ),
    Panel(
        "variants",
        "Each variant's highest peaks",
        _rest,
        "peaks",
        _multiples,
        (297.0, 120.0),
        needs=lambda a: len(_highest(a)) > 0,
    ),
)
