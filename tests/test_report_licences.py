"""The charts of licences that are full, of rare peaks and of variants together, judged by the data on their artists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure

import capacity as cap
from capacity.forecast.paths import PeakForecast
from capacity.ground.licences import as_licences
from capacity.report import charts
from capacity.report.theme import number_of

from .made_assessments import frame, ordinary


@pytest.fixture
def ax() -> Iterator[Axes]:
    """Axes as a user makes them, without pyplot."""
    figure = Figure(figsize=(8, 3))
    FigureCanvasAgg(figure)
    yield figure.subplots()
    figure.canvas.draw()  # what was drawn can be rendered, without a warning


def words(ax: Axes) -> list[str]:
    """Return what is written in the axes."""
    return [text.get_text() for text in ax.texts]


def points(ax: Axes, label: str) -> np.ndarray:
    """Return the points of the line with this label."""
    (found,) = [one for one in ax.get_lines() if one.get_label() == label]
    return np.asarray(found.get_xydata())


def calls(counts: dict[str, int]) -> pd.DataFrame:
    """A frame with one interval of so many calls on each of the days named, and none in all others of them."""
    times = pd.DatetimeIndex([f"{day}T12:00Z" for day in counts])
    return cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": counts.values()}))


def forecast(paths: int = 20) -> PeakForecast:
    """Path k is above 100 on its first k days, of 40."""
    above = np.arange(40)[None, :] < np.arange(paths)[:, None]
    dates = pd.date_range("2026-03-01", periods=40, name="date")
    history = pd.Series(90.0, index=pd.date_range("2026-01-01", "2026-02-28")).to_frame("*")
    return PeakForecast(np.where(above, 101, 90)[None], ("*",), dates, history)


# Utilisation ---------------------------------------------------------------------------------------------------------


def test_full_hours_stand_in_their_month(ax: Axes) -> None:
    """If hours are drawn in another month, or levels swapped, the wrong month is called full."""
    counts = {"2026-01-10": 8, "2026-01-20": 10, "2026-02-10": 9, "2026-03-10": 1}
    charts.utilisation(cap.utilisation(calls(counts), 10), ax)
    heights = {bars.get_label(): [bar.get_height() * 12 for bar in bars] for bars in ax.containers}
    assert heights == {  # intervals of five minutes
        "80%": pytest.approx([2, 1, 0]),
        "90%": pytest.approx([1, 1, 0]),
        "100%": pytest.approx([1, 0, 0]),
    }
    assert [label.get_text().split("\n")[0] for label in ax.get_xticklabels()] == ["Jan", "Feb", "Mar"]
    assert "10 licences" in words(ax)
    assert ax.get_xlabel() == "month, UTC; hatched: in part"


def test_licence_steps_are_drawn_on_their_day(ax: Axes) -> None:
    """If the step stands at the wrong date, a month looks fuller than its licences were."""
    counts = {"2026-01-10": 9, "2026-03-20": 15}
    charts.utilisation(cap.utilisation(calls(counts), "10,2026-02-11:16"), ax)
    assert points(ax, "step")[:, 0].tolist() == [number_of(["2026-02-11"])[0]] * 2
    assert {"10 licences", "16 licences"} <= set(words(ax))


def test_empty_licences_are_said_to_be(ax: Axes) -> None:
    """If nothing reaches 80%, an empty chart looks like a fault."""
    charts.utilisation(cap.utilisation(calls({"2026-01-10": 7}), 10), ax)
    assert words(ax) == ["No interval reached 80% of the licences."]


# Rare peaks ----------------------------------------------------------------------------------------------------------


def levels() -> Any:
    """Return levels of 800 days of made-up peaks."""
    days = pd.date_range("2024-01-01", periods=800)
    return cap.return_levels(pd.Series(np.random.default_rng(0).poisson(100, 800), index=days))


def test_rare_peaks_stand_with_their_limits(ax: Axes) -> None:
    """If a level stands beside another one's limits, the doubt about it is misjudged."""
    found = levels()
    charts.return_levels(found, ax, licences=120)
    limits = {one.get_label(): one.get_segments()[0] for one in ax.collections if isinstance(one, LineCollection)}
    for (method, period), row in found.table.iterrows():
        name = f"{method} {period}"
        assert points(ax, name)[0, 0] == row["level"]
        assert limits[name][:, 0].tolist() == pytest.approx([row["lower"], row["upper"]])
        assert limits[name][0, 1] == points(ax, name)[0, 1]
        assert f"{row['level']:,.0f} ({row['lower']:,.0f} to {row['upper']:,.0f})" in words(ax)
    hollow = [str(one.get_label()) for one in ax.get_lines() if one.get_markerfacecolor() == "white"]
    assert [name for name in hollow if name[:3] in ("GEV", "GPD")] == ["GEV 5Y", "GPD 5Y"]  # longer than the record
    assert points(ax, "licences")[:, 0].tolist() == [120, 120]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["once a year", "once in 2 years", "once in 5 years"]


def test_limits_without_bound_are_called_so(ax: Axes) -> None:
    """If an infinite limit breaks the axis, the shortest records have no picture."""
    found = levels()
    charts.return_levels(replace(found, table=found.table.assign(upper=np.inf)), ax)
    assert all(text.endswith("to no bound)") for text in words(ax) if "(" in text)
    assert ax.get_xlim()[1] < 4 * found.table["level"].max()


def test_days_in_30_are_those_of_the_paths(ax: Axes) -> None:
    """If the bars count days instead of paths, how often is mistaken for how likely."""
    charts.days_in_30(cap.headroom(forecast(), 100), ax)
    bars = {one.get_label(): [bar.get_height() for bar in one] for one in ax.containers}
    at_least = [19, 18, 17, 15, 10, 5]  # of the paths 0 to 19 above on so many days: 1, 2, 3, 5, 10, 15 and more
    assert bars["next 30"] == pytest.approx([count / 20 for count in at_least])
    assert bars["any 30"] == pytest.approx(bars["next 30"])  # they begin on the first day
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1+", "2+", "3+", "5+", "10+", "15+"]
    assert {"95%", "50%"} <= set(words(ax))


# Variants together ---------------------------------------------------------------------------------------------------


def test_correlations_are_those_of_the_pair(ax: Axes) -> None:
    """If rows and columns are out of step, the wrong variants share their licences."""
    found = cap.diversity(frame(28, 4, 40, every="1h"))  # no day is whole: no correlation of days
    known = list(found.table.index)
    made = pd.DataFrame(np.eye(4), index=known, columns=known)
    for row, one in enumerate(known):
        for column, other in enumerate(known[:row]):
            made.loc[one, other] = made.loc[other, one] = (row - column) / 4 - 0.5
    charts.correlation(replace(found, correlation=made), ax)
    (mesh,) = [one for one in ax.collections if isinstance(one, QuadMesh)]
    shown = np.ma.filled(np.asarray(mesh.get_array(), dtype=float), np.nan).reshape(3, 3)
    np.testing.assert_allclose(shown, [[-0.25, np.nan, np.nan], [0, -0.25, np.nan], [0.25, 0, -0.25]])
    assert words(ax).count("\N{MINUS SIGN}0.25") == 3
    assert [label.get_text()[0] for label in ax.get_yticklabels()] == ["2", "3", "4"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3"]


def test_no_correlation_is_said_to_be_none(ax: Axes) -> None:
    """If there is nothing to compare, an empty table looks like independence."""
    charts.correlation(cap.diversity(frame(3, 2, 40, every="1h")), ax)
    assert words(ax) == ["It needs two variants whose peaks change, and 14 complete days."]


# Licences far away, or just there ------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", ["history", "outlook", "risk", "percentiles", "load_duration", "return_levels"])
def test_licences_far_above_do_not_flatten_the_picture(draw: str, ax: Axes) -> None:
    """If 5,000 licences are drawn over peaks of 22, nothing of the peaks can be read."""
    made = forecast()
    steps: Any = {"licences": as_licences(5000)}
    if draw in ("history", "outlook", "risk"):
        what: Any = ordinary().peaks if draw == "history" else made
    else:
        what, steps = levels() if draw == "return_levels" else getattr(ordinary(), draw), {"licences": 5000}
    getattr(charts, draw)(what, ax, **steps)
    across = draw in ("risk", "percentiles", "return_levels")
    assert (ax.get_xlim() if across else ax.get_ylim())[1] < 400
    arrow = "\N{RIGHTWARDS ARROW}" if across else "\N{UPWARDS ARROW}"
    label = f"5,000 licences {arrow}" if across else f"5,000 {arrow}\nlicences"
    assert label in words(ax)


def test_days_at_the_licences_are_not_hidden_by_their_line(ax: Axes) -> None:
    """If the line covers the days that stand at it, nobody sees how often all licences were in use."""
    peaks = ordinary().peaks
    own = peaks.xs(cap.TOTAL, level=1)["peak"]
    often = int(own.mode().iloc[0])
    charts.history(peaks, ax, licences=as_licences(often))
    shown = points(ax, "at the licences")
    full = own[own == often]
    assert len(full) >= 2
    assert shown.tolist() == [[x + 0.5, y] for x, y in zip(number_of(full.index), full, strict=True)]
    (licences,) = [one for one in ax.get_lines() if one.get_label() == "licences"]
    (days,) = [one for one in ax.get_lines() if one.get_label() == "at the licences"]
    assert days.get_zorder() > licences.get_zorder()


def test_dates_close_to_each_other_are_not_written_over_each_other(ax: Axes) -> None:
    """If two of the three dates run together, neither can be read."""
    paths = np.full((1, 20, 90), 90)
    for path, day in enumerate([3] * 4 + [6] * 8 + [9] * 6):
        paths[0, path, day:] = 101
    made = replace(forecast(), paths=paths, dates=pd.date_range("2026-03-01", periods=90, name="date"))
    charts.exhaustion(cap.headroom(made, 100), ax)
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if "2026" in text.get_text()]
    assert len(boxes) == 3
    for place, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:place])


def test_handful_of_paths_gives_no_date(ax: Axes) -> None:
    """If one path in a thousand dates the day, chance passes for knowledge."""
    paths = np.full((1, 1000, 40), 90)
    paths[0, 0, 5:] = 101
    found = cap.headroom(replace(forecast(), paths=paths), 100)
    charts.exhaustion(found, ax)
    assert not any("2026" in text for text in words(ax))


def test_hardly_any_day_above_is_said_in_words(ax: Axes) -> None:
    """If 0.001 days are drawn as a tall bar, a month looks dangerous."""
    charts.days_above(cap.headroom(forecast(), 5000), ax)
    assert words(ax) == ["Less than 0.05 days above the licences are expected in any month."]
