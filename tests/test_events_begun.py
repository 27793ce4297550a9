"""Events that have begun: what they brought is in the history, and is no growth."""

import pickle

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.forecast.begun import begun

DATES = pd.date_range("2025-01-06", periods=460)
ON = 430  # the launch's first day


def history(size=60.0, ramp=14, seed=1, noise=3.0):
    """Return a flat series with a quiet weekend, and a launch near its end."""
    week = np.array([1, 1, 1, 1, 0.9, 0.4, 0.3])[DATES.day_of_week]
    share = np.clip((np.arange(460) - ON + 1) / ramp, 0, 1)
    chance = noise * np.random.default_rng(seed).standard_normal(460)
    return pd.Series(np.rint((100 + size * share) * week + chance), index=DATES)


def launch(calls=(30, 50, 80), date=ON, ramp=14, **how):
    """Return what was told of it."""
    days = (date, date) if np.isscalar(date) else date
    span = tuple(DATES[0] + pd.Timedelta(days=day) for day in days)
    return cap.Event("Hotels", span, calls, ramp=ramp, reason="Signed", **how)


@pytest.mark.parametrize("days", [437, 446, 460])
def test_a_launch_that_was_told_is_no_growth(days):
    """A plan would buy for a slope that ends with the ramp, within it or after it."""
    told = cap.forecast_peaks(history()[:days], 120, seed=1, paths=400).with_events(launch((55, 60, 65)))
    month = told.series()[:, 60:90].max(axis=1)
    assert np.median(month) == pytest.approx(163, abs=12)
    assert np.quantile(month, 0.95) < 200


def test_what_it_did_is_found_within_what_was_told():
    """Its day or its size would be taken as told, whatever came."""
    past = history().to_numpy()
    found = begun(launch(date=(ON - 10, ON + 12)), past, DATES)
    assert found.lacked[: ON - 10] == pytest.approx(60 * (found.lacked[:7].max() / 60) * history_week(ON - 10), abs=1)
    assert found.lacked[:7].max() == pytest.approx(60, abs=4)
    assert found.lacked[ON + 20 :].max() == 0
    assert found.still == 0
    half = begun(launch((50, 60, 70)), past[: ON + 7], DATES[: ON + 7])
    assert half.still == pytest.approx(30, abs=4)


def history_week(days):
    """Return the week of the series for its first days."""
    return np.array([1, 1, 1, 1, 0.9, 0.4, 0.3])[DATES.day_of_week][:days]


def test_what_is_not_known_well_is_left_as_it_is():
    """An event ahead, one that is over, one long ago or one without a history before it would change the past."""
    past = history().to_numpy()
    for event in (
        launch(date=470),
        launch(date=(ON, 470)),
        launch(date=ON - 20, until=DATES[ON - 1]),
        launch(date=20),
    ):
        assert begun(event, past, DATES) is None, event
    forecast = cap.forecast_peaks(history(), 30, seed=1, paths=100)
    ahead = launch(date=480)
    assert (forecast.with_events(ahead).before_events.paths == forecast.paths).all()


def test_a_variants_launch_is_taken_out_of_the_total_too():
    """The total would go on growing though its variant does not."""
    whole = history(noise=1.0)
    frame = pd.concat({"*": whole, "a": whole - 40, "b": pd.Series(40.0, DATES)}, names=["variant", "date"])
    peaks = frame.rename("peak").reorder_levels(["date", "variant"]).sort_index().to_frame()
    peaks = peaks.assign(complete=True, peak=peaks["peak"].clip(lower=0))
    told = cap.forecast_peaks(peaks, 90, seed=1, paths=200).with_events(launch((55, 60, 65), variant="a"))
    top = np.median(told.series("*")[:, 30:60].max(axis=1))
    assert top == pytest.approx(163, abs=12)
    assert np.median(told.series("b")[:, 30:60].max(axis=1)) == pytest.approx(40, abs=3)


def test_a_forecast_with_its_history_can_be_sent_elsewhere():
    """A fleet's worker could not return its forecast."""
    forecast = cap.forecast_peaks(history(), 30, seed=1, paths=50)
    again = pickle.loads(pickle.dumps(forecast))
    event = launch((55, 60, 65))
    assert (again.with_events(event).paths == forecast.with_events(event).paths).all()
