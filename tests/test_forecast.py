"""The forecast of daily peaks, from end to end."""

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.errors import ConfigError, FrameError, InsufficientData


def weekly(days, *, start="2024-01-01", level=100.0, noise=0.07, growth=0.0, weekend=0.5, seed=0):
    """Return daily peaks with a weekly pattern, noise, and growth by day."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(start, periods=days)
    mean = level * np.exp(growth * np.arange(days)) * np.where(dates.day_of_week < 5, 1.0, weekend)
    return pd.Series(np.rint(mean * np.exp(noise * rng.standard_normal(days))), index=dates)


def frame_of(series, complete=None):
    """Return the frame of `daily_peaks` made of several Series."""
    wide = pd.DataFrame(series)
    long = wide.stack().rename("peak").to_frame()  # noqa: PD013 - one value a cell
    long.index.names = ["date", "variant"]
    long["complete"] = True if complete is None else complete.reindex(long.index.get_level_values(0)).to_numpy()
    return long


@pytest.mark.parametrize("horizon", [1, 7, 28, 90, 365])
def test_shape_dates_and_whole_numbers(horizon):
    """A path that is too short, begins on the wrong day or is no count could not be planned with."""
    peaks = weekly(200)
    forecast = cap.forecast_peaks(peaks, horizon, seed=1, paths=50)
    assert forecast.paths.shape == (1, 50, horizon)
    assert forecast.paths.dtype.kind == "i"
    assert forecast.paths.min() >= 0
    assert forecast.dates[0] == peaks.index[-1] + pd.Timedelta(days=1)
    assert len(forecast.dates) == horizon


def test_same_seed_same_paths():
    """A verdict that changes when it is run again, or does not change with the seed, cannot be checked."""
    peaks = weekly(150)
    first, again, other = (cap.forecast_peaks(peaks, 30, seed=s, paths=40).paths for s in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_input_is_left_alone():
    """The caller's peaks must not change under the forecast."""
    peaks = weekly(150)
    before = peaks.copy()
    cap.forecast_peaks(peaks, 30, seed=1, paths=10, exclude=[peaks.index[3]])
    pd.testing.assert_series_equal(peaks, before)


def test_known_distribution_is_recovered():
    """Independent noise of known spread: quantiles of weekdays and of the monthly maximum are known without a model."""
    rng = np.random.default_rng(5)
    forecast = cap.forecast_peaks(weekly(1000, noise=0.1, level=1000, seed=3), 28, seed=1)
    working = forecast.dates.day_of_week < 5
    truth = 1000 * np.exp(0.1 * rng.standard_normal((20000, int(working.sum()))))
    ours = forecast.paths[0][:, working]
    for q in (0.05, 0.5, 0.95):
        assert np.quantile(ours, q) == pytest.approx(np.quantile(truth, q), rel=0.04)
    top, true_top = forecast.max_over()[0], truth.max(axis=1)
    assert np.quantile(top, 0.5) == pytest.approx(np.quantile(true_top, 0.5), rel=0.03)
    assert np.quantile(top, 0.95) == pytest.approx(np.quantile(true_top, 0.95), rel=0.07)


@pytest.mark.parametrize(("level", "tolerance"), [(3, 0.35), (300, 0.04), (300_000, 0.04)])
def test_any_scale(level, tolerance):
    """Three calls and three hundred thousand must be forecast alike."""
    forecast = cap.forecast_peaks(weekly(400, level=level), 28, seed=1, paths=400)
    working = forecast.dates.day_of_week < 5
    assert forecast.paths[0][:, working].mean() == pytest.approx(level, rel=tolerance)


def test_scale_makes_no_difference():
    """The forecast of ten times the calls is ten times the forecast: no constant of the code has the unit of calls."""
    peaks = weekly(300, level=5000)
    small, large = (cap.forecast_peaks(peaks * k, 28, seed=1, paths=200).paths[0].mean(axis=0) for k in (1, 10))
    np.testing.assert_allclose(large / small, 10, rtol=2e-3)


def test_growth_goes_on():
    """Two years of 44 % growth a year: a forecast that stands still is 8 % short after 75 days on average."""
    peaks = weekly(820, growth=0.001)
    forecast = cap.forecast_peaks(peaks[:730], 90, seed=1)
    truth = peaks[790:].groupby(peaks.index[790:].day_of_week).mean()
    ours = pd.Series(np.median(forecast.paths[0], axis=0), forecast.dates)[60:]
    ours = ours.groupby(ours.index.day_of_week).mean()
    assert (ours / truth).mean() == pytest.approx(1.0, abs=0.04)


def test_level_shift_is_followed():
    """Half the calls moved away six weeks ago: planning with the old level would buy twice what is needed."""
    peaks = weekly(500)
    peaks[-42:] = np.rint(peaks[-42:] / 2)
    forecast = cap.forecast_peaks(peaks, 28, seed=1)
    working = forecast.dates.day_of_week < 5
    assert np.median(forecast.paths[0][:, working]) < 65


def test_a_level_that_has_gone_does_not_come_back():
    """Weeks from before a shift would be drawn as if nothing had happened: a fifth of all days at the old level."""
    peaks = weekly(700)
    peaks[-60:] = np.rint(peaks[-60:] / 2)
    forecast = cap.forecast_peaks(peaks, 60, seed=1, paths=600)
    assert (forecast.paths[0][:, forecast.dates.day_of_week < 5] > 75).mean() < 0.06


def test_constant():
    """A line that never moved must not be given a spread it never had."""
    peaks = pd.Series(40.0, pd.date_range("2025-01-01", periods=200))
    assert (cap.forecast_peaks(peaks, 60, seed=1, paths=50).paths == 40).all()


def test_all_zero():
    """A variant without a call is forecast to have none; logarithms and divisions must not notice."""
    peaks = pd.Series(0.0, pd.date_range("2025-01-01", periods=200))
    assert (cap.forecast_peaks(peaks, 60, seed=1, paths=50).paths == 0).all()


def test_shut_weekdays_stay_shut():
    """A Sunday on which nobody ever calls must not be given calls by the level of the week."""
    peaks = weekly(300)
    peaks[peaks.index.day_of_week == 6] = 0
    forecast = cap.forecast_peaks(peaks, 60, seed=1, paths=100)
    sunday = forecast.dates.day_of_week == 6
    assert (forecast.paths[0][:, sunday] == 0).all()
    assert (forecast.paths[0][:, ~sunday] > 0).all()


def test_weekdays_only():
    """A series that reports working days alone: its weekends are unknown, not a reason to fail or to lower the rest."""
    peaks = weekly(240)
    peaks = peaks[peaks.index.day_of_week < 5]
    forecast = cap.forecast_peaks(peaks, 28, seed=1, paths=400)
    working = forecast.dates.day_of_week < 5
    assert np.median(forecast.paths[0][:, working]) == pytest.approx(100, rel=0.05)


def test_gaps_are_no_zeros():
    """A third of the days missing, at random and a month on end, must hardly move the forecast."""
    peaks = weekly(500, seed=2)
    gappy = peaks.copy()
    gappy[np.random.default_rng(1).random(500) < 0.33] = np.nan
    gappy[300:330] = np.nan
    gappy.iloc[0] = np.nan
    whole, holed = (cap.forecast_peaks(p, 28, seed=1).paths[0].mean() for p in (peaks, gappy))
    assert holed == pytest.approx(whole, rel=0.03)
    absent = cap.forecast_peaks(gappy.dropna(), 28, seed=1).paths[0]
    present = cap.forecast_peaks(gappy[1:], 28, seed=1).paths[0]
    assert (absent == present).all()


def test_two_months_without_data_are_no_zeros():
    """Nothing was reported for nine weeks: no weekday is shut for that."""
    peaks = weekly(400)
    peaks.iloc[-63:] = np.nan
    forecast = cap.forecast_peaks(peaks, 28, seed=1, paths=200)
    assert np.median(forecast.paths[0][:, forecast.dates.day_of_week < 5]) == pytest.approx(100, rel=0.06)


def test_rare_calls_come_back():
    """A variant with a call on one day in thirty, none lately, is quiet but not shut."""
    peaks = pd.Series(0.0, pd.date_range("2024-01-01", periods=400))
    peaks.iloc[10:340:30] = 2
    assert cap.forecast_peaks(peaks, 90, seed=1).max_over().mean() > 0.1


def test_one_outlier_does_not_lift_the_level():
    """One day at ten times the usual, a week ago, must not raise the median of the weeks to come."""
    peaks = weekly(400)
    peaks.iloc[-8] *= 10
    forecast = cap.forecast_peaks(peaks, 28, seed=1)
    working = forecast.dates.day_of_week < 5
    assert np.median(forecast.paths[0][:, working]) == pytest.approx(100, rel=0.06)


def test_holidays_ahead_are_quiet():
    """Holidays that were at a fifth of a working day for two years must be forecast so, and only where they fall."""
    days_off = pd.DatetimeIndex(
        [f"{y}-{md}" for y in (2024, 2025, 2026) for md in ("03-06", "05-01", "08-12", "11-04")]
    )
    peaks = weekly(765)
    peaks[peaks.index.isin(days_off)] = 20
    forecast = cap.forecast_peaks(peaks, 60, seed=1, holidays=days_off)
    median = pd.Series(np.median(forecast.paths[0], axis=0), forecast.dates)
    assert median["2026-03-06"] < 45
    assert median["2026-03-05"] > 85
    unaware = cap.forecast_peaks(peaks, 60, seed=1)
    assert np.median(unaware.paths[0], axis=0)[forecast.dates == "2026-03-06"] > 85


def test_yearly_season_is_seen():
    """Three summers at twice the winter: in May the forecast of July must be above the spring's level."""
    dates = pd.date_range("2022-01-01", "2025-05-15")
    rng = np.random.default_rng(1)
    season = 150 - 50 * np.cos(2 * np.pi * (dates.day_of_year - 15) / 365.25)
    peaks = pd.Series(np.rint(season * np.exp(0.05 * rng.standard_normal(len(dates)))), dates)
    forecast = cap.forecast_peaks(peaks, 75, seed=1)
    july = np.median(forecast.paths[0][:, -15:])
    assert july > peaks[-14:].mean() * 1.04


def test_short_history_is_wider():
    """Eight weeks know less than two years: the same series must be given a wider quarter."""
    peaks = weekly(730, noise=0.1)
    width = [
        np.subtract(*np.quantile(cap.forecast_peaks(p, 90, seed=1).max_over()[0], [0.95, 0.05]))
        for p in (peaks[-56:], peaks)
    ]
    assert width[0] > 1.3 * width[1]


def test_too_short():
    """Seven weeks and six days: the message says what is needed and what is there."""
    with pytest.raises(InsufficientData, match=r"56 days.*there are 55 days"):
        cap.forecast_peaks(weekly(55), 28, seed=1)
    with pytest.raises(InsufficientData, match="0 seen"):
        cap.forecast_peaks(weekly(100) * np.nan, 28, seed=1)


def test_total_and_variants():
    """TOTAL comes first, each variant on its own level, and a variant that began late is forecast from its start."""
    late = weekly(300, level=40, seed=3)
    late[:150] = np.nan
    peaks = frame_of({"b": late, "a": weekly(300, level=20, seed=2), cap.TOTAL: weekly(300, level=60)})
    forecast = cap.forecast_peaks(peaks, 28, seed=1, paths=200)
    assert forecast.variants == (cap.TOTAL, "a", "b")
    working = forecast.dates.day_of_week < 5
    np.testing.assert_allclose(np.median(forecast.paths[:, :, working], axis=(1, 2)), [60, 20, 40], rtol=0.1)


def test_a_variant_of_a_week_does_not_stop_the_rest():
    """A variant that was launched last week is left out, and said to be; the others are forecast."""
    fresh = weekly(300)
    fresh[:293] = np.nan
    forecast = cap.forecast_peaks(frame_of({cap.TOTAL: weekly(300), "new": fresh}), 28, seed=1, paths=20)
    assert forecast.variants == (cap.TOTAL,)
    assert forecast.too_short == ("new",)
    assert "Without 'new': less than eight weeks" in str(forecast)


def test_a_total_of_a_week_stops_the_forecast_but_the_first_variant_does_not():
    """Licences are judged on TOTAL; of variants alone, one that is new would stop all others for its name's sake."""
    new, old = weekly(200).iloc[-7:], weekly(200, level=20)
    forecast = cap.forecast_peaks(frame_of({"a": new, "b": old}), 14, seed=1, paths=40)
    assert (forecast.variants, forecast.too_short) == (("b",), ("a",))
    with pytest.raises(InsufficientData):
        cap.forecast_peaks(frame_of({cap.TOTAL: new, "b": old}), 14, seed=1, paths=40)


def test_incomplete_days_are_left_out_and_counted():
    """A day with gaps has a peak that is too low: it must neither teach nor pass without being counted."""
    peaks = weekly(200)
    complete = pd.Series(True, peaks.index)
    complete.iloc[[50, 51]] = False
    broken = peaks.copy()
    broken.iloc[[50, 51]] = 0
    forecast = cap.forecast_peaks(frame_of({cap.TOTAL: broken}, complete), 28, seed=1, paths=50)
    clean = cap.forecast_peaks(peaks.drop(peaks.index[[50, 51]]), 28, seed=1, paths=50)
    assert forecast.left_out == 2
    assert (forecast.paths == clean.paths).all()


def test_a_last_day_that_is_not_over_is_forecast():
    """Today is incomplete: its peak is still to come, so the forecast begins with it."""
    peaks = weekly(200)
    complete = pd.Series(True, peaks.index)
    complete.iloc[-1] = False
    forecast = cap.forecast_peaks(frame_of({cap.TOTAL: peaks}, complete), 28, seed=1, paths=10)
    assert forecast.dates[0] == peaks.index[-1]


def test_a_series_ends_where_its_index_ends():
    """A Series that goes on to a Sunday without a value is followed by Monday: else every day would be off by two."""
    peaks = weekly(203)  # to a Sunday
    peaks[peaks.index.day_of_week >= 5] = np.nan
    forecast = cap.forecast_peaks(peaks, 7, seed=1, paths=10)
    assert forecast.dates[0] == peaks.index[-1] + pd.Timedelta(days=1)
    assert forecast.dates[0].day_of_week == 0


def test_excluded_days_do_not_teach():
    """An incident that is named must leave no trace, wherever it lies."""
    peaks = weekly(200)
    incident = peaks.copy()
    incident.iloc[[120, 199]] = 5000
    days = incident.index[[120, 199]]
    named = cap.forecast_peaks(incident, 28, seed=1, paths=50, exclude=days)
    gone = peaks.copy()
    gone.iloc[[120, 199]] = np.nan
    assert (named.paths == cap.forecast_peaks(gone, 28, seed=1, paths=50).paths).all()
    assert named.left_out == 2
    assert named.history.isna().sum().iloc[0] == 2


@pytest.mark.parametrize("horizon", [0, -1, 366, 1.5, True, "90", None])
def test_horizon_is_checked(horizon):
    """A horizon that is none must be refused by name."""
    with pytest.raises(ConfigError, match="horizon"):
        cap.forecast_peaks(weekly(100), horizon, seed=1)


@pytest.mark.parametrize("paths", [0, -5, 1.5])
def test_paths_are_checked(paths):
    """A number of paths that is none must be refused by name."""
    with pytest.raises(ConfigError, match="paths"):
        cap.forecast_peaks(weekly(100), 7, seed=1, paths=paths)


@pytest.mark.parametrize(
    ("peaks", "match"),
    [
        (weekly(100).rename(index=lambda d: d + pd.Timedelta(hours=5)), "whole days"),
        (weekly(100).tz_localize("UTC"), "zone"),
        (pd.concat([weekly(100), weekly(100)]), "twice"),
        (weekly(100).reset_index(drop=True), "not dates"),
        (weekly(100) - 90, "negative"),
        (weekly(100).to_frame("peak"), "daily_peaks"),
        (weekly(100).astype(str) + "x", "numbers"),
    ],
)
def test_what_is_no_daily_peaks(peaks, match):
    """Input that cannot be daily peaks must be refused with the rule it breaks."""
    with pytest.raises(FrameError, match=match):
        cap.forecast_peaks(peaks, 7, seed=1)


def test_order_of_rows_does_not_matter():
    """Peaks that come unsorted are the same peaks."""
    peaks = weekly(150)
    shuffled = peaks.sample(frac=1, random_state=1)
    assert (
        cap.forecast_peaks(peaks, 14, seed=1, paths=20).paths
        == cap.forecast_peaks(shuffled, 14, seed=1, paths=20).paths
    ).all()


def test_neighbouring_seeds_share_no_path():
    """Seeds 1 and 2 would be three quarters the same draw: agreement between them would say nothing."""
    peaks = weekly(300, noise=0.15).clip(upper=110)
    one, two = (cap.forecast_peaks(peaks, 28, seed=s, licences=110, paths=80).paths[0] for s in (1, 2))
    assert not {path.tobytes() for path in one} & {path.tobytes() for path in two}
    assert len({path.tobytes() for path in one}) == 80


@pytest.mark.parametrize("seed", [-1, 1.5, True, None, "1"])
def test_seed_is_checked(seed):
    """A seed that is none would end in an error of the generator, or silently be another."""
    with pytest.raises(ConfigError, match="seed"):
        cap.forecast_peaks(weekly(100), 7, seed=seed)
