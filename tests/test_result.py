"""What every result can do: a short repr, HTML, a table, and a picture where there is one."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

import capacity as cap
from capacity.analysis.blocking import Blocking

from .made_assessments import ordinary

WITH_PICTURE = ("forecast", "headroom", "diversity", "cost", "busy_hours", "backtest", "coverage", "utilisation")
PUBLIC = sorted(
    name
    for name in cap.__all__
    if isinstance(getattr(cap, name), type) and issubclass(getattr(cap, name), cap.Result) and name != "Result"
)


@pytest.mark.parametrize("field", ["", *WITH_PICTURE])
def test_repr_is_short_and_html_has_the_figures(field: str) -> None:
    """A result would show itself as a dataclass dump of thousands of characters, or without its figures."""
    result = getattr(ordinary(), field) if field else ordinary()
    assert isinstance(result, cap.Result)
    name = type(result).__name__
    assert repr(result).startswith(f"<{name}: ") and repr(result).endswith(">")
    assert "\n" not in repr(result) and len(repr(result)) <= 200 + len(name) + 4
    assert "<table" in result._repr_html_()
    assert isinstance(result.to_frame(), pd.DataFrame)


@pytest.mark.parametrize("field", ["", *WITH_PICTURE])
def test_plot_draws_where_it_is_told_or_on_axes_of_its_own(field: str) -> None:
    """`result.plot()` would draw nothing, draw elsewhere, or leave the look of other figures changed."""
    result = getattr(ordinary(), field) if field else ordinary()
    before = dict(matplotlib.rcParams)
    _, given = pyplot.subplots()
    assert result.plot(given) is given
    own = result.plot()
    assert isinstance(own, Axes) and own is not given and own.get_children()
    pyplot.close("all")
    assert dict(matplotlib.rcParams) == before


def test_results_without_a_picture_say_so() -> None:
    """A result without a picture would end in an AttributeError."""
    with pytest.raises(cap.errors.ConfigError, match="a Licences has no picture"):
        ordinary().licences.plot()


@pytest.mark.parametrize("name", PUBLIC)
def test_every_result_class_defines_its_table(name: str) -> None:
    """`to_frame()` would raise NotImplementedError for one of the public results."""
    assert getattr(cap, name).to_frame is not cap.Result.to_frame
    assert getattr(cap, name).__str__ is not object.__str__


CHARTS = {
    "chances": "headroom",
    "cost": "cost",
    "days_above": "headroom",
    "days_in_30": "headroom",
    "heat_map": "profile",
    "history": "peaks",
    "load_duration": "load_duration",
    "past_forecast": "backtest",
    "percentiles": "percentiles",
    "pit": "backtest",
    "risk": "forecast",
}


@pytest.mark.parametrize("name", cap.report.charts.__all__)
def test_charts_refuse_what_they_do_not_draw(name: str) -> None:
    """A wrong argument would end in an AttributeError deep in the drawing."""
    draw = getattr(cap.report.charts, name)
    more = {"variant": cap.TOTAL} if name == "small_history" else {}
    for wrong in (None, 3, pd.DataFrame({"a": [1]}), ordinary()):
        with pytest.raises(cap.errors.ConfigError, match=r"give what (capacity|the column)"):
            draw(wrong, **more)


@pytest.mark.parametrize(("name", "field"), CHARTS.items())
def test_every_chart_makes_its_own_axes(name: str, field: str) -> None:
    """`ax` would be needed where a figure of its own is wanted."""
    draw, what = getattr(cap.report.charts, name), getattr(ordinary(), field)
    ax = draw(what)
    assert isinstance(ax, Axes) and ax.get_children()
    with pytest.raises(cap.errors.ConfigError, match="is no matplotlib Axes"):
        draw(what, "ax")
    pyplot.close("all")


def test_what_is_no_forecast_or_assessment_is_refused(tmp_path: Path) -> None:
    """`headroom(peaks, 100)` or `report.save(forecast, out)` would end in an AttributeError."""
    found = ordinary()
    for call in (
        lambda: cap.headroom(found.peaks, 100),
        lambda: cap.headroom(None, 100),
        lambda: cap.licences_needed(found.headroom),
        lambda: cap.report.save(found.forecast, tmp_path),
        lambda: cap.report.page(found.headroom, 1),
    ):
        with pytest.raises(cap.errors.ConfigError, match="must be a"):
            call()


@pytest.mark.parametrize("wrong", [None, 3, "frame", [1, 2], pd.Series([1])], ids=str)
@pytest.mark.parametrize("name", ["as_intervals", "coverage", "daily_peaks", "top_peaks", "percentiles", "diversity"])
def test_what_is_no_frame_is_refused(name: str, wrong: object) -> None:
    """A frame that is none would end in an AttributeError of pandas."""
    with pytest.raises(cap.errors.FrameError, match=r"DataFrame|cap\.as_intervals"):
        getattr(cap, name)(wrong)


def test_what_is_no_list_of_frames_is_refused() -> None:
    """A single frame would be joined by its columns, or None iterated over."""
    frame = cap.as_intervals(pd.DataFrame({"time": [], "variant": [], "max_concurrent": []}))
    for call in (lambda: cap.concat(frame), lambda: cap.concat(None), lambda: cap.combine([frame])):
        with pytest.raises(cap.errors.ConfigError, match="give a"):
            call()


def test_return_levels_show_the_levels() -> None:
    """The short form would name the days alone, and not what is reached in how many years."""
    rng = np.random.default_rng(3)
    days = pd.date_range("2024-01-01", periods=500, freq="D")
    found = cap.return_levels(pd.Series(rng.poisson(80, len(days)), index=days), ("1Y", "2Y"))
    for period in ("1Y", "2Y"):
        highest = max(found.table.loc[(method, period), "level"] for method in ("GEV", "GPD"))
        assert f"{highest:,.0f} calls once in {period}" in repr(found)


def test_lost_calls_are_drawn_by_month() -> None:
    """The picture of `blocking` would be missing, or show other months, means or limits than its table."""
    months = pd.PeriodIndex(["2026-01", "2026-02", "2026-03"], freq="M", name="month")
    monthly = pd.DataFrame(
        {"turned_away": [3.0, 40.0, 12.0], "lower": [0.0, 30.0, 8.0], "upper": [9.0, 55.0, 16.0]}, months
    )
    length = pd.Timedelta(minutes=3)
    found = Blocking(
        monthly, pd.Series(dtype=float), monthly, cap.Licences((), ()), length, cap.TOTAL, pd.Series(dtype=float)
    )
    ax = found.plot()
    assert [bar.get_height() for bar in ax.patches] == [3.0, 40.0, 12.0]
    (limits,) = ax.collections
    assert [tuple(line[:, 1]) for line in limits.get_segments()] == [(0.0, 9.0), (30.0, 55.0), (8.0, 16.0)]
    assert [label.get_text().split()[0] for label in ax.get_xticklabels()] == ["Jan", "Feb", "Mar"]
    pyplot.close("all")


def test_decompositions_are_drawn_by_day() -> None:
    """The picture of `decompose` would be missing, show other days than were seen, or leave special days unmarked."""
    times = pd.date_range("2026-01-05", periods=35 * 288, freq="5min", tz="UTC")
    level = (20 + 10 * np.sin(np.arange(len(times)) * 2 * np.pi / 288)).astype(int)
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": level}))
    ax = cap.decompose(frame, holidays=["2026-01-14"]).plot()
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert list(drawn["seen"]) == [30] * 35 and list(drawn["special"]) == [30]
    assert abs(np.asarray(drawn["expected"]) - 30).max() < 1
    pyplot.close("all")
