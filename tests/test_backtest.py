"""Back-tests: scores by hand, baselines by hand, and no look into the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capacity.analysis.backtest import backtest
from capacity.errors import ConfigError, InsufficientData
from capacity.forecast.baselines import seasonal_naive, weekday_average
from capacity.forecast.scores import Scorer, pinball


def series(days=150, seed=0, start="2026-01-05") -> pd.Series:
    """Return peaks with a weekday pattern."""
    dates = pd.date_range(start, periods=days)
    mean = np.where(dates.day_of_week < 5, 100, 30)
    return pd.Series(np.random.default_rng(seed).poisson(mean).astype(float), index=dates)


def test_pinball_of_the_true_quantile_is_smallest():
    """The loss would reward another forecast than the quantile it is named after."""
    values = np.random.default_rng(0).normal(size=20_000)
    for q in (0.5, 0.9, 0.99):
        losses = [pinball(values, np.full_like(values, x), np.array(q)).mean() for x in np.linspace(-3, 3, 61)]
        assert np.linspace(-3, 3, 61)[np.argmin(losses)] == pytest.approx(np.quantile(values, q), abs=0.11)


def test_scores_by_hand():
    """Coverage, Brier, the kept limit or the maximum's loss would be of something else."""
    scorer = Scorer(capped=False, seed=1)
    paths = np.arange(100.0)[:, None] + np.array([[0.0, 100.0]])  # 0..99 and 100..199: maximum 100..199
    fan = scorer.add({"ours": paths}, np.array([60.0, 195.0]), np.full(2, np.inf), past=149)
    assert fan[:, 0].tolist() == [4, 9, 24, 49, 74, 89, 94]
    row = scorer.table().loc["ours"]
    assert row["coverage_50"] == 0.5  # 60 within 24..74; 195 not within 124..174
    assert row["coverage_95"] == 1.0  # 195 within 102..197
    assert row["brier"] == pytest.approx((0.5 - 1) ** 2)  # half the paths pass 149; it was passed
    assert row["kept_95"] == 0.0  # 195 above the 95 % limit, 194
    q, at = np.array([0.5, 0.8, 0.9, 0.95, 0.99]), np.array([149, 179, 189, 194, 198])
    wanted = np.where(at <= 195, q * (195 - at), (1 - q) * (at - 195))
    assert row["pinball_max"] == pytest.approx(wanted.mean())
    assert scorer.pit().tolist() == pytest.approx([0.605, 0.955], abs=0.0051)


def test_missing_days_are_not_scored():
    """A gap would count as a miss, or as a zero."""
    scorer = Scorer(capped=False, seed=1)
    scorer.add({"ours": np.full((10, 3), 7.0)}, np.array([np.nan, 7.0, np.nan]), np.full(3, np.inf), past=9)
    row = scorer.table().loc["ours"]
    assert row["coverage_50"] == 1 and row["pinball"] == 0 and row["brier"] == 0
    assert len(scorer.pit()) == 1


def test_reaching_the_cap_is_the_breach_where_there_is_one():
    """What was clipped never passes its cap: the Brier score would call every warning false."""
    scorer = Scorer(capped=True, seed=1)
    scorer.add({"ours": np.full((10, 2), 100.0)}, np.array([90.0, 100.0]), np.full(2, 100.0), past=500)
    assert scorer.table().loc["ours", "brier"] == 0


def test_weekday_average_draws_whole_weeks_of_the_last_eight():
    """The baseline would use older weeks, or the wrong weekday."""
    y = np.arange(7.0 * 10) + 3
    drawn = weekday_average(y, 16, np.random.default_rng(0), 4000)
    assert drawn.shape == (4000, 16)
    first = np.unique(drawn[:, 0])
    np.testing.assert_array_equal(first, y[14::7])  # the eight latest of the first weekday ahead
    np.testing.assert_array_equal(drawn[:, 6] - drawn[:, 0], 6)
    assert drawn[:, 9].mean() == pytest.approx(y[16::7].mean(), rel=0.03)


def test_seasonal_naive_repeats_last_week_and_spreads():
    """The baseline would not start from last week, or not widen."""
    y = np.random.default_rng(1).normal(100, 10, 7 * 30)
    drawn = seasonal_naive(y, 70, np.random.default_rng(0), 4000)
    np.testing.assert_allclose(drawn[:, :7].mean(axis=0), y[-7:], atol=1.5)
    assert drawn[:, 63].std() == pytest.approx(drawn[:, 0].std() * np.sqrt(10), rel=0.08)
    constant = seasonal_naive(np.tile([1.0, 2, 3, 4, 5, 6, 7], 4), 9, np.random.default_rng(0), 2)
    assert constant.tolist() == [[1, 2, 3, 4, 5, 6, 7, 1, 2]] * 2


def test_baselines_bridge_gaps():
    """One missing day would make every path NaN."""
    y = np.tile([1.0, 2, 3, 4, 5, 6, 7], 10)
    y[[0, 20, 69]] = np.nan
    for way in (weekday_average, seasonal_naive):
        assert way(y, 14, np.random.default_rng(0), 3).tolist() == [[1, 2, 3, 4, 5, 6, 7] * 2] * 3


def test_the_future_is_not_known_at_the_origin():
    """A forecast of the past would use what came after its origin: scores too good to be true."""
    peaks = series()
    changed = peaks.copy()
    changed.iloc[100:] *= 3
    first, second = (backtest(p, 14, origins=[peaks.index[99]], seed=1, paths=50) for p in (peaks, changed))
    pd.testing.assert_frame_equal(first.forecasts.drop(columns="actual"), second.forecasts.drop(columns="actual"))
    assert (second.forecasts["actual"] == 3 * first.forecasts["actual"]).all()


def test_a_backtest_as_the_report_shows_it():
    """The table, the fans or the sentence would be of other origins or days."""
    peaks = series()
    result = backtest(peaks, 14, origins=5, seed=1, paths=200)
    assert result.scores.index.tolist() == ["ours", "weekday average", "seasonal naive"]
    assert list(result.scores.columns) == [
        "pinball", "pinball_max", "brier", "coverage_50", "coverage_80", "coverage_95", "kept_95",
    ]  # fmt: skip
    assert result.origins[-1] == peaks.index[-15] and len(result.origins) == 5
    assert result.pit.shape == (5 * 14,) and result.pit.min() >= 0 and result.pit.max() <= 1
    fan = result.forecasts.loc[result.origins[-1]]
    np.testing.assert_array_equal(fan["actual"], peaks.iloc[-14:])
    assert (fan["p5"] <= fan["p50"]).all() and (fan["p50"] <= fan["p95"]).all()
    assert 0.6 <= result.scores.loc["ours", "coverage_80"] <= 0.95
    assert result.scores.loc["ours", "pinball"] < result.scores.loc["seasonal naive", "pinball"]
    assert result.sentence().startswith("Tried on 5 past dates, 14 days ahead: ")
    assert "<table" in result._repr_html_()


def test_same_seed_same_scores():
    """Two runs would give two reports."""
    one, two = (backtest(series(100), 10, origins=2, seed=4, paths=50) for _ in range(2))
    pd.testing.assert_frame_equal(one.scores, two.scores)
    np.testing.assert_array_equal(one.pit, two.pit)


def test_under_a_licence_forecast_and_truth_stay_below_it():
    """Demand would be scored against calls that the licence clipped."""
    peaks = series().clip(upper=105)
    result = backtest(peaks, 14, origins=3, seed=1, paths=100, licences=105)
    assert result.forecasts.max().max() <= 105
    assert result.breach == "a day at or above the licences"


def test_progress_is_told_origin_by_origin():
    """A bar would stand still."""
    told = []
    backtest(series(100), 10, origins=3, seed=4, paths=20, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_gaps_zeros_and_constants():
    """Missing days in the window, or a series without spread, would end in NaN or a warning."""
    gappy = series()
    gappy.iloc[[60, 61, 62, 140, 141]] = np.nan
    assert backtest(gappy, 14, origins=3, seed=1, paths=50).scores.notna().all(axis=None)
    for value in (0.0, 7.0):
        flat = pd.Series(value, index=pd.date_range("2026-01-01", periods=100))
        result = backtest(flat, 10, origins=2, seed=1, paths=50)
        assert result.scores["pinball"].max() == 0
        assert "held in 2 of 2" in result.sentence()


def test_days_missing_before_the_origin_do_not_shift_the_forecast():
    """After a gap the forecast of a Sunday would be held against a Wednesday."""
    dates = pd.date_range("2026-01-05", periods=120)
    peaks = pd.Series(np.where(dates.day_of_week < 5, 100.0, 20.0), index=dates)
    peaks.iloc[96:99] = np.nan
    result = backtest(peaks, 14, origins=[dates[98]], seed=1, paths=50)
    assert result.scores["pinball"].max() == 0
    np.testing.assert_array_equal(result.forecasts["p50"], result.forecasts["actual"])
    long = pd.concat([peaks, peaks.set_axis(dates + pd.Timedelta(days=420))]).asfreq("D")
    far = backtest(long, 365, origins=[dates[98]], seed=1, paths=20)
    assert len(far.forecasts) == 365


def test_a_window_without_a_single_day_is_left_out():
    """An origin with nothing after it would fail the whole test, or be scored as perfect."""
    peaks = series(200)
    peaks.iloc[100:114] = np.nan
    kept = backtest(peaks, 14, origins=[peaks.index[99], peaks.index[150]], seed=1, paths=20)
    assert kept.origins.tolist() == [peaks.index[150]]
    with pytest.raises(InsufficientData, match="none of the 1 origins"):
        backtest(peaks, 14, origins=[peaks.index[99]], seed=1, paths=20)


def test_an_origin_with_too_little_before_it_is_left_out():
    """One early origin in a gappy beginning would take the whole back-test along."""
    peaks = series(200)
    peaks.iloc[5:90] = np.nan
    result = backtest(peaks, 14, origins=[peaks.index[70], peaks.index[180]], seed=1, paths=20)
    assert result.origins.tolist() == [peaks.index[180]]


def test_too_little_history_says_how_much_is_needed():
    """A back-test of nothing would come back empty."""
    with pytest.raises(InsufficientData, match=r"needs 56 days .* before and 30 days after .* 80 days"):
        backtest(series(80), 30, seed=1)
    with pytest.raises(ConfigError, match="2026-01-10 is not between"):
        backtest(series(), 14, origins=["2026-01-10"], seed=1)
    with pytest.raises(ConfigError, match="at least 1"):
        backtest(series(), 14, origins=0, seed=1)


def test_holidays_are_read_by_every_origin():
    """A generator of holidays would be used up by the first forecast: the others would know of none."""
    peaks = series(200)
    days_off = peaks.index[[40, 75, 110, 128, 150, 182, 189]]
    peaks[days_off] = 5
    listed, drained = (
        backtest(peaks, 14, origins=4, seed=1, paths=50, holidays=given)
        for given in (list(days_off), (day for day in days_off))
    )
    unaware = backtest(peaks, 14, origins=4, seed=1, paths=50)
    pd.testing.assert_frame_equal(listed.forecasts, drained.forecasts)
    assert not listed.forecasts.equals(unaware.forecasts)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [({"horizon": 14.7}, "horizon"), ({"horizon": "14"}, "horizon"), ({"horizon": 0}, "horizon"),
     ({"seed": -1}, "seed"), ({"origins": 2.5}, "origins"), ({"variant": "b"}, "'b'")],
)  # fmt: skip
def test_wrong_arguments_are_named(wrong, match):
    """14.7 days would silently be 14, and a seed of -1 an error of the generator."""
    with pytest.raises(ConfigError, match=match):
        backtest(series(), **{"horizon": 14, "seed": 1} | wrong)


def test_half_of_the_history_teaches():
    """The first forecast would know eight weeks, though there is half a year to learn from."""
    peaks = series(300)
    assert backtest(peaks, 14, origins=5, seed=1, paths=10).origins[0] == peaks.index[149]


def test_one_high_day_is_one_miss_though_many_horizons_hold_it():
    """A single day under twenty overlapping horizons would be counted as twenty failures."""
    peaks = series(200).clip(upper=110)
    peaks.iloc[170] = 400
    result = backtest(peaks, 28, origins=list(peaks.index[150:165:2]), seed=1, paths=100)
    assert not result.by_origin["kept"].any() and len(result.by_origin) == 8
    assert result.missed_days.tolist() == [peaks.index[170]]
    assert result.windows == 1
    assert "held in 0 of 8, exceeded on 1 day" in result.sentence()


def test_windows_are_counted_without_overlap():
    """Overlapping horizons would pass for independent trials."""
    peaks = series(200)
    days = peaks.index[[99, 109, 113, 126, 127, 140, 180]]  # 14 days ahead: 99, 113, 127, 180 (141 would be the next)
    assert backtest(peaks, 14, origins=list(days), seed=1, paths=20).windows == 4


def test_under_a_cap_the_limit_cannot_be_tested():
    """A limit that nothing seen could exceed would be praised for holding in 20 of 20."""
    peaks = series(200).clip(upper=95)
    result = backtest(peaks, 14, origins=4, seed=1, paths=100, licences=95)
    assert not result.testable and not result.by_origin["testable"].any()
    assert "cannot be tested" in result.sentence() and "held in" not in result.sentence()
    assert [note.severity for note in result.notes] == ["warning"]
    assert backtest(peaks, 14, origins=4, seed=1, paths=100).testable


def test_forecasts_that_lean_are_named():
    """Calls fell week by week, faster each time, below what was forecast: a reader would not be told."""
    peaks = series(300)
    peaks.iloc[150:] = np.rint(peaks.iloc[150:] * np.repeat(0.78 ** np.arange(1, 12), 14)[:150])
    result = backtest(peaks, 14, origins=list(peaks.index[149:284:14]), seed=1, paths=100)
    assert result.bias < -0.1
    assert "too high" in result.notes[0]
    steady = backtest(series(300), 14, origins=8, seed=1, paths=100)
    assert abs(steady.bias) < 0.05 and not steady.notes
