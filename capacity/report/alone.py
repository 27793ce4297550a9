"""Charts that are files of their own and on no page."""

from __future__ import annotations

from capacity.analysis.assessment import Assessment
from capacity.ground.text import count
from capacity.report import charts_rare, charts_utilisation, charts_variants
from capacity.report.frame import names_of, present, variant_name, variant_of
from capacity.report.panels import Panel
from capacity.report.sheet import Area

_MOST = 12


def _utilisation(assessment: Assessment, area: Area) -> None:
    charts_utilisation.utilisation(
        present(assessment.utilisation), area.axes(left=11.0), variant=variant_of(assessment)
    )


def _in_30(assessment: Assessment, area: Area) -> None:
    charts_rare.days_in_30(present(assessment.headroom), area.axes(left=11.0))


def _correlation(assessment: Assessment, area: Area) -> None:
    ax = area.axes(left=44.0, top=5.0, bottom=5.0)
    charts_variants.correlation(present(assessment.diversity), ax, names=names_of(assessment), most=_MOST)


def _correlated(assessment: Assessment) -> str:
    few = len(present(assessment.diversity).table) > _MOST
    which = f" of the {count(_MOST)} variants with the highest peaks" if few else ""
    return f"Correlation of the daily peaks{which}: 1 rise and fall together, 0 by themselves, −1 against each other"


PANELS = (
    Panel(
        "utilisation",
        "How full the licences were, month by month",
        lambda a: f"{variant_name(a)}: hours of 5-minute intervals whose maximum was at the level or above",
        "utilisation",
        _utilisation,
        (240.0, 96.0),
    ),
    Panel(
        "days-in-30",
        "How many days of a month",
        lambda _: "Chance that demand is above the licences on at least so many of 30 days",
        "headroom",
        _in_30,
    ),
    Panel(
        "correlation",
        "Do the variants' peaks come together?",
        _correlated,
        "diversity",
        _correlation,
        needs=lambda a: (
            present(a.diversity).correlation.notna().to_numpy().sum() > len(present(a.diversity).correlation)
        ),
        of_one=False,
    ),
)
