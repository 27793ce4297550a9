"""A few pictures, held against those that were looked at and found good.

Compared with ``pytest --mpl``; made anew with ``pytest --mpl-generate-path=tests/reference_images``, then looked at.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import capacity as cap
from capacity.analysis.utilisation import Utilisation
from capacity.forecast.paths import PeakForecast
from capacity.ground.licences import as_licences
from capacity.report import charts
from capacity.report.theme import style

# Letters are drawn a little differently from one matplotlib to the next.
DRAWN_WITH = "3.11"
pytestmark = [
    pytest.mark.skipif(not mpl.__version__.startswith(DRAWN_WITH), reason=f"pictures of matplotlib {DRAWN_WITH}"),
]
compared = pytest.mark.mpl_image_compare(
    baseline_dir="reference_images", style="default", tolerance=2, savefig_kwargs={"dpi": 100}
)


def figure() -> Figure:
    """A figure without pyplot, in the report's look."""
    with style():
        made = Figure(figsize=(6, 2.6), dpi=100)
        FigureCanvasAgg(made)
        made.add_axes((0.09, 0.2, 0.8, 0.64))
    return made


def forecast() -> PeakForecast:
    """Paths that rise, with a week's rhythm, by arithmetic alone."""
    days = np.arange(90)
    week = np.array([0, -2, -3, -1, 4, -40, -55])
    dates = pd.date_range("2026-06-01", periods=90, name="date")
    spread = np.linspace(-1, 1, 101)[:, None] * (6 + 0.15 * days)[None, :]
    paths = np.rint(100 + 0.12 * days + week[dates.day_of_week] + spread).astype(np.int32)
    past = pd.date_range("2026-03-03", "2026-05-31", name="date")
    seen = 92.0 + week[past.day_of_week] + np.arange(90) % 5
    seen[40:44] = np.nan
    return PeakForecast(paths[None], ("*",), dates, pd.DataFrame({"*": seen}, index=past))


@compared
def test_picture_of_the_outlook() -> Figure:
    """If the outlook looks different, someone has to look at it before people do."""
    made = figure()
    charts.outlook(forecast(), made.axes[0], licences=as_licences("110,2026-07-01:125"), tz="Europe/London")
    return made


@compared
def test_picture_of_exhaustion() -> Figure:
    """If the curve of running out looks different, someone has to look at it before people do."""
    made = figure()
    charts.exhaustion(cap.headroom(forecast(), 118), made.axes[0], tz="Europe/London")
    return made


@compared
def test_picture_of_the_week() -> Figure:
    """If the typical week looks different, someone has to look at it before people do."""
    made = figure()
    hours = np.arange(168)
    value = np.rint(60 * np.exp(-(((hours % 24 - 11) / 4.5) ** 2)) * np.where(hours // 24 < 5, 1, 0.4))
    index = pd.MultiIndex.from_product([["*"], hours], names=["variant", "hour_of_week"])
    charts.heat_map(pd.DataFrame({"q90": value}, index=index), made.axes[0], tz="Europe/London")
    return made


@compared
def test_picture_of_full_months() -> Figure:
    """If the months of full licences look different, someone has to look at it before people do."""
    made = figure()
    months = pd.date_range("2025-07-01", periods=12, freq="MS")
    index = pd.MultiIndex.from_product([["*"], [80, 90, 100], months], names=["variant", "level", "month"])
    hours = np.concatenate([np.arange(12) % 7 * 3.0, np.arange(12) % 7 * 1.5, (np.arange(12) % 7 - 3).clip(0) * 0.75])
    empty = pd.DataFrame()
    found = Utilisation(
        as_licences("80,2026-01-10:115"),
        "Europe/London",
        empty,
        pd.DataFrame({"hours": hours, "present": 31 * 288}, index),
    )
    charts.utilisation(found, made.axes[0])
    return made
