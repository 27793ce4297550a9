"""Demand that changes: each case here was forecast wrongly by release 0.1.0."""

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.errors import FrameError, InsufficientData
from capacity.forecast.growth import _slopes, learn_growth
from capacity.ground.calendar import YEAR

DATES = pd.date_range("2024-01-01", periods=900)
WEEK = np.resize([1.2, 1.1, 1.05, 1.0, 1.0, 0.55, 0.4], 900)


def counts(mean, seed=1, days=None):
    """Return counts by chance around a mean."""
    mean = np.asarray(mean, dtype=float)[:days]
    return pd.Series(np.random.default_rng(seed).poisson(mean).astype(float), DATES[: len(mean)])


def limit(peaks, horizon, risk=0.05, **options):
    """Return the licences for a risk over the horizon."""
    forecast = cap.forecast_peaks(peaks, horizon, seed=1, **options)
    return float(np.quantile(forecast.max_over()[0], 1 - risk, method="inverted_cdf"))


# -- growth -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_growth_is_in_the_median(rate):
    """Steady growth would be forecast to stop: the median lay 5% too low a quarter ahead, 10 to 30% a year ahead."""
    mean = 60 * (1 + rate) ** (np.arange(900) / 365)
    forecast = cap.forecast_peaks(counts(mean * WEEK, days=535), 365, seed=1)
    ratio = np.median(forecast.paths[0], axis=0) / (mean * WEEK)[535:]
    assert ratio[60:90].mean() == pytest.approx(1, abs=0.06)
    assert ratio[300:].mean() == pytest.approx(1, abs=0.14)


@pytest.mark.parametrize("days", [200, 500])
def test_a_roll_out_under_way_goes_on(days):
    """Half-way through a roll-out the median lay a quarter too low a quarter ahead, the limit below what came."""
    mean = 20 + 180 / (1 + np.exp(-(np.arange(900) - days) / 45))
    forecast = cap.forecast_peaks(counts(mean, days=days), 90, seed=1)
    assert np.median(forecast.paths[0], axis=0).mean() > 0.85 * mean[days : days + 90].mean()
    assert np.quantile(forecast.max_over()[0], 0.95) >= mean[days + 89]


def test_a_dip_of_weeks_does_not_end_the_growth():
    """Two years of growth by 30% a year and a dip in the last weeks: the slope was taken to be gone."""
    plain = 100 * 1.3 ** (np.arange(728) / 365) + np.random.default_rng(5).normal(0, 4, 728)
    plain[700:] -= 12
    slope = learn_growth(plain, 150.0, np.array([728]), cap.ForecastSettings()).now[0]
    assert 0.25 < slope / (plain[:700] * np.log(1.3) / 365)[-28:].mean() < 1.2


def test_flat_series_have_no_growth():
    """A level that stands still would be given the slope of its noise: the shrunk slope must be exactly 0 mostly."""
    still = 0
    for seed in range(10):
        plain = 100 + np.random.default_rng(seed).normal(0, 8, 600)
        still += learn_growth(plain, 100.0, np.array([600]), cap.ForecastSettings()).now[0] == 0
    assert still >= 8


def test_growth_knows_only_its_past():
    """The slope at a past date would be learned from what came after: errors of the past too small."""
    plain = 100 + 0.2 * np.arange(700) + np.random.default_rng(1).normal(0, 3, 700)
    other = plain.copy()
    other[490:] = 100.0
    one, two = (learn_growth(p, 150.0, np.array([300, 490]), cap.ForecastSettings()).now for p in (plain, other))
    assert one[1] > 0.05
    np.testing.assert_allclose(one, two, rtol=0.25)  # the scale of the noise is that of the whole history


def test_the_level_does_not_fall_off_a_cliff_within_a_path():
    """Twenty weeks that grow by a call a day: the median fell from 256 to 160 where a bucket of leads ended."""
    peaks = pd.Series(50.0 + np.arange(140), DATES[:140])
    median = np.median(cap.forecast_peaks(peaks, 365, seed=1).paths[0], axis=0)
    assert median[180:190].min() > 0.9 * median[150:180].min()
    assert np.diff(median[::7]).min() > -12
    assert median[27] > 200


@pytest.mark.parametrize("horizon", [90, 365])
def test_the_near_term_does_not_depend_on_the_horizon(horizon):
    """The first four weeks of a year's forecast lost 11% more than a forecast of four weeks."""
    peaks = counts(100 * WEEK * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, 900))), days=700)
    short, long = (cap.forecast_peaks(peaks, h, seed=1).paths[0][:, :28] for h in (28, horizon))
    for q in (0.05, 0.5, 0.95):
        a, b = np.quantile(short, q, axis=0), np.quantile(long, q, axis=0)
        assert np.abs(a / b - 1).mean() < 0.03


# -- regimes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weeks", [2, 4, 8])
def test_a_weekday_that_opened_is_forecast_as_it_is(weeks):
    """Saturdays shut until a month ago: their median was 16 of 200, and the limit held in six runs of ten."""
    mean = np.where(np.arange(900) % 7 < 5, 100.0, 0.0)
    saturday = np.arange(900) % 7 == 5
    mean[saturday & (np.arange(900) >= 300 - 7 * weeks)] = 200
    forecast = cap.forecast_peaks(counts(mean, days=300), 28, seed=1)
    ahead = forecast.paths[0][:, forecast.dates.day_of_week == 5]
    assert np.median(ahead) == pytest.approx(200, rel=0.08)
    truth = np.quantile(np.random.default_rng(2).poisson(200, (5000, 4)).max(axis=1), 0.95)
    assert 0.92 * truth <= np.quantile(forecast.max_over()[0], 0.95) <= 1.2 * truth
    assert any("Saturdays" in note for note in forecast.notes)


def test_a_weekday_is_shut_only_where_it_was_seen_without_calls():
    """Eight Saturdays that were incomplete, missing or excluded passed for shut: paths of 0 on the busiest day."""
    mean = np.where(np.arange(400) % 7 == 5, 120.0, 50.0)
    peaks = counts(mean)
    lately = peaks.index[(peaks.index.day_of_week == 5) & (np.arange(400) >= 400 - 56)]
    frame = peaks.rename("peak").to_frame()
    frame["complete"] = ~frame.index.isin(lately)
    frame.index = pd.MultiIndex.from_product([frame.index, ["*"]], names=["date", "variant"])
    options = {"incomplete": (frame, {}), "missing": (peaks.drop(lately), {}), "excluded": (peaks, {"exclude": lately})}
    for name, (given, kwargs) in options.items():
        forecast = cap.forecast_peaks(given, 28, seed=1, **kwargs)
        ahead = forecast.paths[0][:, forecast.dates.day_of_week == 5]
        assert np.median(ahead) == pytest.approx(120, rel=0.06), name


@pytest.mark.parametrize("since", [14, 30, 90, 180])
def test_after_a_launch_the_limit_is_that_of_the_new_level(since):
    """60 to 300 calls at once: the limit for 28 days was 963 after two weeks and 385 after half a year; truth 350."""
    mean = np.where(np.arange(900) < 400 - since, 60.0, 300.0)
    found = limit(counts(mean, days=400), 28)
    truth = np.quantile(np.random.default_rng(2).poisson(300, (5000, 28)).max(axis=1), 0.95)
    assert 0.97 * truth <= found <= 1.15 * truth


def test_a_level_that_jumps_often_may_jump_again():
    """Jumps that come again and again are how the series goes: without them its limits would be those of calm."""
    level = np.repeat([60.0, 100, 60, 110, 65, 105, 60, 100], 75)
    assert limit(counts(level, days=600), 90) > 110


def test_zeros_before_the_first_call_teach_nothing():
    """Asked from two months before the launch, the zeros that were filled in doubled the licences."""
    mean = np.where(np.arange(900) < 61, 0.0, 100.0 * WEEK)
    peaks = counts(mean, days=167)
    with_zeros, without = limit(peaks, 90), limit(peaks[61:], 90)
    assert with_zeros == pytest.approx(without, rel=0.02)
    notes = cap.forecast_peaks(peaks, 28, seed=1).notes
    assert any("61 days without calls before it" in note for note in notes)


def test_a_quiet_series_keeps_its_zeros():
    """A variant with a call on one day in ten, which began with a fortnight of none, has not been launched since."""
    y = np.zeros(200)
    y[14::10] = 1.0
    assert np.isfinite(cap.forecast_peaks(pd.Series(y, DATES[:200]), 28, seed=1).history.iloc[:14, 0]).all()


# -- the scale, tails and single days -----------------------------------------------------------------------------


def test_tails_of_stationary_counts():
    """Logarithms by chance: with a record of 39 the limit for 1% risk was 5 times what it should be."""
    for seed in range(6):
        found = limit(counts(np.full(400, 20.0), seed=seed), 28, risk=0.01)
        truth = np.quantile(np.random.default_rng(2).poisson(20, (20_000, 28)).max(axis=1), 0.99)
        assert found < 1.3 * truth


def test_one_absurd_interval_is_named_and_counted_as_one():
    """5,000 once in 300 days below 75 made the chance of exceeding 120 within 90 days 93%; one day in 300 says 26%."""
    peaks = counts(np.full(300, 50.0))
    peaks.iloc[200] = 5000
    forecast = cap.forecast_peaks(peaks, 90, seed=1)
    assert (forecast.max_over()[0] > 120).mean() == pytest.approx(1 - (1 - 1 / 300) ** 90, abs=0.05)
    (note,) = forecast.notes
    assert "5,000" in note and "19 Jul 2024" in note and note.severity == "warning"
    assert not cap.forecast_peaks(peaks, 90, seed=1, exclude=[peaks.index[200]]).notes


def test_counts_that_are_none_are_refused():
    """Peaks near 2^31 failed with "paths are peaks of calls: whole numbers, never negative"."""
    peaks = counts(np.full(100, 50.0))
    peaks.iloc[50] = 2**31 - 10
    with pytest.raises(FrameError, match=r"2,147,483,638 calls at once is more than 100,000,000"):
        cap.forecast_peaks(peaks, 28, seed=1)


def test_eight_weeks_that_begin_on_a_shut_weekend_are_eight_weeks():
    """Saturday to Friday, eight weeks later, weekends without rows: refused as 54 days."""
    days = pd.date_range("2026-01-03", periods=56)
    peaks = counts(np.full(56, 50.0)).set_axis(days)
    working = peaks[days.day_of_week < 5]
    assert len(cap.forecast_peaks(working, 28, seed=1).dates) == 28
    with pytest.raises(InsufficientData, match="53 days"):
        cap.forecast_peaks(working[1:], 28, seed=1)


def made(days, missing):
    """Return an interval frame in which some intervals of each day are missing."""
    times = pd.date_range("2026-01-05", periods=288 * days, freq="5min", tz="UTC")
    values = np.random.default_rng(1).poisson(30, len(times))
    keep = ~np.isin(np.arange(len(times)) % 288, missing)
    table = pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": values})
    return cap.as_intervals(table[keep])


def test_five_minutes_missing_every_night_leave_a_forecast():
    """Maintenance every night: no day was complete, there was no forecast, and nothing said what to do."""
    frame = made(80, [36])
    forecast = cap.forecast_peaks(cap.daily_peaks(frame), 28, seed=1)
    assert any("min_share" in note for note in forecast.notes)
    chosen = cap.daily_peaks(frame, min_share=0.98)
    assert chosen["complete"].all() and not cap.daily_peaks(frame)["complete"].any()
    assert not any("min_share" in note for note in cap.forecast_peaks(chosen, 28, seed=1).notes)


def test_hours_missing_every_day_are_not_passed_over():
    """With a quarter of each day missing the peak may be missing: no forecast, and the error says the remedy."""
    with pytest.raises(InsufficientData, match=r"80 days were left out.*min_share"):
        cap.forecast_peaks(cap.daily_peaks(made(80, list(range(72)))), 28, seed=1)


def test_settings_are_one_frozen_object():
    """A constant that could not be seen or set could not be studied."""
    settings = cap.ForecastSettings(growth_doubt=1e9)
    peaks = counts(60 * 2 ** (np.arange(900) / 365), days=535)
    without = np.median(cap.forecast_peaks(peaks, 90, seed=1, settings=settings).paths[0])
    assert without < 0.97 * np.median(cap.forecast_peaks(peaks, 90, seed=1).paths[0])
    with pytest.raises(AttributeError):
        settings.fade = 1.0


def test_a_slope_is_that_of_regression_on_a_process_that_forgets():
    """The slope or its doubt would be another than a Gaussian process gives whose slope forgets within the memory."""
    walk, walk_days, season, size, memory_days, n = 0.3, 200.0, 0.1, 0.3, 1000.0, 7
    settings = cap.ForecastSettings(
        walk=(walk,), walk_memory=(walk_days,), season=(season,), trend=((size, memory_days),)
    )
    memory, forgets, width = memory_days / YEAR, walk_days / YEAR, 28 / YEAR
    t, x = (np.arange(n) + 0.5) * width, np.array([0.1, -0.1, 0.0, 0.2, 0.1, 0.3, 0.4])
    noise = np.full(n, 0.05)
    (slope,), sd = _slopes(x, noise, t, width, settings)
    # By sums over short steps: the level is the sum of a slope with covariance size^2 exp(-|u - v| / memory).
    u = (np.arange(1400) + 0.5) * (n * width / 1400)
    of_slope = size**2 * np.exp(-np.abs(u[:, None] - u) / memory)
    upto = (u <= t[:, None]) * (n * width / 1400)
    apart = np.abs(t[:, None] - t)
    cov = upto @ of_slope @ upto.T + np.diag(noise**2) + 10.0**2
    cov += walk**2 * forgets / 2 * np.exp(-apart / forgets) + season**2 * np.exp(-2 * np.sin(np.pi * apart) ** 2)
    for known in (4, n):
        end = t[known - 1] + width / 2
        cross = upto[:known] @ (size**2 * np.exp(-np.abs(end - u) / memory))
        weights = np.linalg.solve(cov[:known, :known], cross)
        assert slope[known - 1] == pytest.approx(weights @ x[:known], rel=2e-3)
        assert sd[known - 1] == pytest.approx(np.sqrt(size**2 - weights @ cross), rel=2e-3)
