"""The charts, judged by the data on their artists: what is drawn is what was found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

import capacity as cap
from capacity.forecast.paths import PeakForecast
from capacity.ground.licences import as_licences
from capacity.report import charts
from capacity.report.charts_history import weeks
from capacity.report.theme import number_of

from .made_assessments import NAMES, ordinary


@pytest.fixture
def ax() -> Iterator[Axes]:
    """Axes as a user makes them, without pyplot."""
    figure = Figure(figsize=(8, 3))
    FigureCanvasAgg(figure)
    yield figure.subplots()
    figure.canvas.draw()  # what was drawn can be rendered, without a warning


def line(ax: Axes, label: str) -> np.ndarray:
    """Return the points of the line with this label."""
    (found,) = [one for one in ax.get_lines() if one.get_label() == label]
    return np.asarray(found.get_xydata())


def words(ax: Axes) -> list[str]:
    """Return what is written in the axes."""
    return [text.get_text() for text in ax.texts]


def forecast() -> PeakForecast:
    """Twelve paths of 60 days, made by hand."""
    paths = 100 + 10 * np.arange(12)[:, None] + np.arange(60)[None, :] % 7
    dates = pd.date_range("2026-03-01", periods=60, name="date")
    history = pd.Series(100.0, index=pd.date_range("2026-01-01", "2026-02-28")).to_frame("*")
    return PeakForecast(paths[None], ("*",), dates, history)


def test_chart_returns_its_axes(ax: Axes) -> None:
    """If a chart returns something else, charts cannot be chained."""
    assert charts.outlook(forecast(), ax) is ax


def test_a_high_days_date_stands_above_the_weeks_around(ax: Axes) -> None:
    """If a date is written across the line of the weeks, neither can be read; a low day has no line about it."""
    dates = pd.date_range("2025-09-01", periods=280, name="date")
    peak = pd.Series(np.where(dates.day_of_week < 5, 60, 30), dates)
    high, low = dates[100], dates[180]
    peak[high], peak[high + pd.Timedelta(days=5)], peak[low] = 70, 95, 5
    peaks = pd.concat({"*": peak}, names=["variant"]).swaplevel().rename("peak").to_frame().sort_index()
    charts.history(peaks, ax, standouts=pd.Series({high: "the high day", low: "the low day"}))
    height = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert (height["the high day"], height["the low day"]) == (95, 5)


def test_days_are_drawn_at_their_noon(ax: Axes) -> None:
    """If days and dates are out of step, a peak is read off the wrong day."""
    charts.history(ordinary().peaks, ax)
    own = ordinary().peaks.xs(cap.TOTAL, level=1)
    whole = own[own["complete"]]
    points = line(ax, "days")
    assert points[:, 0].tolist() == (number_of(whole.index) + 0.5).tolist()
    assert points[:, 1].tolist() == whole["peak"].tolist()
    assert line(ax, "incomplete")[:, 1].tolist() == own.loc[~own["complete"], "peak"].tolist()


def test_week_is_its_highest_day() -> None:
    """If weeks are not counted back from the last day, the last week is a stump that looks like a fall."""
    peak = pd.Series(np.arange(10.0), index=pd.date_range("2026-01-01", periods=10))
    peak.iloc[0] = np.nan
    edge, highest = weeks(peak)
    assert highest.tolist() == [2.0, 9.0]
    assert np.diff(edge).tolist() == [3.0, 7.0]
    assert edge[-1] == number_of(["2026-01-11"])[0]


def test_a_stump_before_a_gap_is_no_week() -> None:
    """The first minutes of the night before a gap of a month would be drawn as a fall to 0."""
    days = pd.date_range("2026-01-05", periods=42)
    peak = pd.Series(20.0, index=days)
    peak.iloc[15:30] = np.nan
    peak.iloc[14] = 0.0
    _, highest = weeks(peak)
    assert [None if np.isnan(h) else h for h in highest] == [20, 20, None, None, 20, 20]


def test_missing_days_are_shaded_and_not_joined(ax: Axes) -> None:
    """If a gap is drawn through, days that nobody measured look measured."""
    peaks = ordinary().peaks.xs(cap.TOTAL, level=1, drop_level=False)
    gone = pd.date_range("2026-02-20", "2026-02-24")
    charts.history(peaks[~peaks.index.get_level_values(0).isin(gone)], ax)
    shaded = [patch for patch in ax.patches if patch.get_hatch()]
    assert [patch.get_width() for patch in shaded] == [1.0, 5.0]  # 3 Feb, which the frame does not hold, and these
    assert shaded[1].get_x() == number_of(gone[:1])[0]


def test_licences_step_at_local_midnight(ax: Axes) -> None:
    """If a step is a day off, a peak stands on the wrong side of it."""
    charts.history(ordinary().peaks, ax, licences=as_licences("70,2026-02-16:85"))
    points = line(ax, "licences")
    assert points[:, 1].tolist() == [70, 70, 85, 85]
    assert points[1, 0] == points[2, 0] == number_of(["2026-02-16"])[0]
    assert {"70", "85\nlicences"} <= set(words(ax))


def test_bands_hold_what_they_say(ax: Axes) -> None:
    """If a band called 50% holds another share of the paths, the chart lies about risk."""
    charts.outlook(forecast(), ax, days=5)
    median = line(ax, "median")
    values = np.sort(forecast().series(), axis=0)
    assert median[:, 1].tolist() == values[5].tolist()  # the 6th of 12: the smallest with half at or below it
    edges = [np.asarray(band.get_paths()[0].vertices) for band in ax.collections]
    widths = [vertices[:, 1].max() - vertices[:, 1].min() for vertices in edges]
    assert widths[:3] == sorted(widths[:3], reverse=True)
    tops = np.sort(forecast().max_over()[0])
    assert [(v[:, 1].min(), v[:, 1].max()) for v in edges[3:]] == [
        tuple(np.quantile(tops, q, method="inverted_cdf")) for q in ((0.025, 0.975), (0.1, 0.9), (0.25, 0.75))
    ]


def test_heat_map_shows_the_profile(ax: Axes) -> None:
    """If hours or weekdays are shifted, staff are planned for the wrong ones."""
    profile = ordinary().profile
    assert profile is not None
    charts.heat_map(profile, ax, tz="Europe/London")
    (mesh,) = [one for one in ax.collections if isinstance(one, QuadMesh)]
    shown = np.asarray(mesh.get_array()).reshape(7, 24)
    assert shown[0, 11] == profile.loc[(cap.TOTAL, 11), "q90"]
    assert shown[6, 23] == profile.loc[(cap.TOTAL, 167), "q90"]
    assert ax.get_yticklabels()[0].get_text() == "Mon"
    assert ax.get_xlabel() == "local hour, Europe/London"


def test_percentiles_are_bars_of_their_value(ax: Axes) -> None:
    """If bars and numbers disagree, one of them is believed."""
    table = ordinary().percentiles
    assert table is not None
    charts.percentiles(table, ax, licences=85)
    value = table.loc[cap.TOTAL, "value"]
    assert [bar.get_width() for bar in ax.patches] == value.tolist()
    assert words(ax)[: len(value)] == [f"{v:,}" for v in value]


def test_load_duration_is_drawn_in_hours(ax: Axes) -> None:
    """If the axis is not hours a year, the time at the licences is misread."""
    table = ordinary().load_duration
    assert table is not None
    charts.load_duration(table, ax, licences=150)
    points = line(ax, "level")
    own = table.loc[cap.TOTAL].drop(0, errors="ignore")
    assert points[:-1, 0].tolist() == own["hours_a_year"].tolist()
    assert {"150\nlicences", "never all in use"} <= set(words(ax))


def test_busy_hour_is_named(ax: Axes) -> None:
    """If the bar stands at another hour than the words say, the busy hour is misread."""
    busy = ordinary().busy_hours
    assert busy is not None
    charts.busy_hours(busy, ax)
    start = busy.table.loc[cap.TOTAL, "start"]
    hour, minute = (int(part) for part in start.split(":"))
    assert ax.patches[0].get_x() == pytest.approx(hour + minute / 60)
    assert any(text.startswith(f"{start} to ") for text in words(ax))


def test_drivers_sum_up_the_rest(ax: Axes) -> None:
    """If the rest is left off, the shares of 200 variants do not make a whole."""
    shares = pd.Series(1 / 200, index=[f"v{k}" for k in range(200)])
    charts.drivers(shares, ax)
    assert "189 others" in words(ax)
    assert sum(float(text[:-1]) for text in words(ax) if text.endswith("%") and text != "94%") == pytest.approx(5.5)


def test_names_are_never_mathematics(ax: Axes) -> None:
    """If a dollar sign starts mathematics, a variant's name breaks the report."""
    shares = pd.Series(0.1, index=list(NAMES))
    charts.drivers(shares, ax)
    assert not any(text.get_parse_math() for text in ax.texts)
    assert NAMES[0] in words(ax)


def test_pooling_says_what_is_saved(ax: Axes) -> None:
    """If the saving is not the difference of the two bars, the chart contradicts itself."""
    found = ordinary().diversity
    assert found is not None
    charts.pooling(found, ax)
    apart, pool = (bar.get_width() for bar in ax.patches)
    assert pool / apart == pytest.approx(found.pooled[0] / found.separate)
    saved = found.separate - found.pooled[0]
    assert words(ax)[-1] == f"One pool saves {saved} licences ({100 * saved / found.separate:.0f}%)."


def test_exhaustion_follows_the_probabilities(ax: Axes) -> None:
    """If the curve is not p_above by date, every date read off it is wrong."""
    result = cap.headroom(forecast(), 150)
    charts.exhaustion(result, ax)
    points = line(ax, "passed")
    assert points[1:, 1].tolist() == result.p_above.tolist()
    assert points[0, 0] == number_of(["2026-03-01"])[0]
    assert any("half" in text for text in words(ax))


def test_chances_are_those_of_the_horizon(ax: Axes) -> None:
    """If a bar shows another day's probability, the page and the table disagree."""
    result = cap.headroom(forecast(), 150)
    charts.chances(result, ax, horizons=(30, 60))
    shares = [bar.get_width() / 0.42 for bar in ax.patches[1::2]]
    assert shares == pytest.approx([result.p_above.iloc[29], result.p_above.iloc[59]])


def test_risk_is_the_share_of_paths_above(ax: Axes) -> None:
    """If the curve counts days instead of paths, a month's risk is read as a day's."""
    charts.risk(forecast(), ax, horizons=(60,), licences=as_licences(150))
    points = line(ax, "60 days")
    tops = forecast().series().max(axis=1)  # 106, 116, ..., 216
    share = dict(points[1:-1])
    assert share[156.0] == pytest.approx((tops > 156).mean())
    assert "216 for 5%" in words(ax)  # at most 5% of twelve paths is none of them


def test_days_above_are_those_of_the_month(ax: Axes) -> None:
    """If the bars show the length of the months, everyone is alarmed."""
    result = cap.headroom(forecast(), 150)
    charts.days_above(result, ax)
    expected = (forecast().series() > 150).mean(axis=0)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([expected[:31].sum(), expected[31:].sum()])


def test_cost_curve_is_its_table(ax: Axes) -> None:
    """If the curve and the cheapest count are of different columns, the wrong count is bought."""
    curve = cap.best_licence_count(pd.Series(np.full(288, 20.0)), licence_price=100, lost_call_cost=0.01)
    charts.cost(curve, ax, licences=40)
    points = line(ax, "total")
    assert points[:, 1].min() == curve.table["total"].min()
    assert points[points[:, 1].argmin(), 0] == curve.best == 31
    assert {"cheapest: 31", "40 now"} <= set(words(ax))


def test_back_test_charts_show_its_scores(ax: Axes) -> None:
    """If the promised and the kept share are swapped, a bad forecast looks good."""
    found = ordinary().backtest
    assert found is not None
    charts.coverage_of(found, ax)
    assert [bar.get_height() for bar in ax.patches] == [0.5, 0.8, 0.95]
    held = found.scores.loc["ours", ["coverage_50", "coverage_80", "coverage_95"]]
    assert line(ax, "came true")[:, 1].tolist() == held.tolist()


def test_pit_bars_are_shares(ax: Axes) -> None:
    """If the bars are counts, the level line is meaningless."""
    found = ordinary().backtest
    assert found is not None
    charts.pit(found, ax)
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(1)


def test_past_forecast_is_one_of_the_past(ax: Axes) -> None:
    """If a fan stands beside the days of another origin, any forecast looks wrong."""
    found = ordinary().backtest
    assert found is not None
    origin = found.forecasts.index.unique(0)[0]
    charts.past_forecast(found, ax, origin=origin)
    shown = line(ax, "actual")[:, 1]
    np.testing.assert_array_equal(shown, found.forecasts.loc[origin, "actual"])


def test_gaps_stand_where_they_are(ax: Axes) -> None:
    """If a gap is drawn elsewhere, people look for the fault on the wrong day."""
    coverage = ordinary().coverage
    charts.gaps(coverage, ax, tz="UTC")
    gap = coverage.gaps.iloc[0]
    drawn = [path.vertices for bar in ax.collections for path in bar.get_paths()]
    assert len(drawn) == len(coverage.gaps)
    left, right = drawn[0][:, 0].min(), drawn[0][:, 0].max()
    assert left == pytest.approx(number_of([gap["start"]])[0])
    assert right - left == pytest.approx(gap["intervals"] / 288, rel=0.01)


@pytest.mark.parametrize("days", [1, 2, 8, 40, 200, 800, 2000, 9000])
@pytest.mark.parametrize("width", [1.0, 4.0, 11.0])
def test_dates_never_touch_each_other(days: int, width: float) -> None:
    """If date labels run together, no axis can be read."""
    figure = Figure(figsize=(width, 2))
    FigureCanvasAgg(figure)
    one = figure.subplots()
    from capacity.report.axes import date_axis
    from capacity.report.theme import style

    with style():
        date_axis(one, "2024-02-27", pd.Timestamp("2024-02-26") + pd.Timedelta(days=days), tz="UTC")
        figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in one.get_xticklabels()]
    assert boxes
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))
