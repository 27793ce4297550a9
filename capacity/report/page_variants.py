"""Page 4: the variants."""

from __future__ import annotations

import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.ground.frame import TOTAL
from capacity.ground.text import count, percent, plural
from capacity.report import charts_variants
from capacity.report.alone import PANELS as ALONE
from capacity.report.frame import GAP, begin, names_of, present
from capacity.report.panels import Panel, Row, flow
from capacity.report.sheet import Area, Sheet
from capacity.report.theme import plain

_MOST = 12
_DRIVES = 1 / 3  # share of the calls from which a variant drives the peak
_ALIKE = 5.0  # ratio of the highest peaks up to which they share a scale
_ALONE = "The data hold the total alone: there are no variants to compare."


def variants(assessment: Assessment, pages: int = 6) -> Sheet:
    """Draw the page of who drives the peak; where there are no variants, how full the licences were."""
    area = begin(assessment, 4, sentence(assessment), pages=pages)
    drivers, pooling, peaks = PANELS
    rows: list[Row] = [(66.0, [(drivers, 158.0), (pooling, 98.0)]), (88.0, [(peaks, 1.0)])]
    if assessment.diversity is None:
        full, days_in_30, _ = ALONE
        rows = [(1.0, [(full, 1.0)]), (1.0, [(days_in_30, 1.0)]), (1.0, [(drivers, 1.0)])]
    flow(assessment, area, rows)
    return area.sheet


def sentence(assessment: Assessment) -> str:
    """Return what the page says in a sentence."""
    found = assessment.diversity
    if found is None:
        return _ALONE if assessment.total_only else "What the variants have to do with the peak is not known."
    first = found.table.sort_values("share_at_top", ascending=False, kind="stable").iloc[0]
    full = plain(names_of(assessment).get(str(first.name), first.name))
    if len(found.table) == 1:
        return f"All calls are those of {full}."
    share = float(first["share_at_top"])
    if share < _DRIVES:
        most = percent(share)
        words = f"No {found.slice_name} drives the peak: {full} has most, {most} of the calls when all are busiest"
    else:
        words = f"{full} drives the peak, with {percent(share)} of the calls when all are busiest"
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


def _common_top(assessment: Assessment) -> float | None:
    """Return the top of the scale that the small pictures share; None where their peaks are too far apart."""
    shown = _highest(assessment).iloc[:_MOST]
    return float(shown.iloc[0]) if len(shown) and shown.iloc[0] <= _ALIKE * shown.iloc[-1] else None


def _rest(assessment: Assessment) -> str:
    scale = "On one scale" if _common_top(assessment) else "Each on a scale of its own"
    what = f"{scale}; the number is the highest peak [calls at once]"
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
    columns = {1: 1, 2: 2, 3: 3, 5: 3, 6: 3}.get(len(shown), 4)
    rows = -(-len(shown) // columns)
    width, height = (area.width - (columns - 1) * GAP) / columns, area.height / rows
    top = _common_top(assessment)
    names, dates = names_of(assessment), peaks.index.get_level_values(0)
    span = (dates.min(), dates.max())
    for place_, variant in enumerate(shown.index):
        row, column = divmod(place_, columns)
        ax = area.sheet.axes(area.x + column * (width + GAP), area.y + 4.0 + row * height, width, height - 11.0)
        name = names.get(str(variant))
        charts_variants.small_history(peaks, ax, variant=str(variant), name=name, span=span, top=top)


PANELS = (
    Panel(
        "drivers",
        "Who drives the peak",
        lambda a: f"Share of all calls in progress in the {count(present(a.diversity).top)} highest 5-minute intervals",
        "diversity",
        _drivers,
        otherwise=_ALONE,
        of_one=False,
    ),
    Panel(
        "pooling",
        "What pooling gains",
        lambda _: "Licences that would have carried every call: peaks do not fall together",
        "diversity",
        _pooling,
        (130.0, 80.0),
        _ALONE,
        of_one=False,
    ),
    Panel(
        "variants",
        "Each variant's highest peaks",
        _rest,
        "peaks",
        _multiples,
        (297.0, 120.0),
        needs=lambda a: len(_highest(a)) > 0,
        of_one=False,
    ),
)
