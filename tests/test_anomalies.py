"""Days that stand far out of their season."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import capacity as cap

SLOTS = 288
START = pd.Timestamp("2026-01-05")


def series(days, *, seed=0, level=60):
    """Simulate calls by day and slot: opening hours, quiet weekends, chance."""
    rng = np.random.default_rng(seed)
    hour = np.arange(SLOTS) / 12
    mean = np.where((hour >= 8) & (hour < 20), level, level / 20) * np.ones((days, 1))
    mean[np.arange(days) % 7 >= 5] *= 0.5
    return rng.poisson(mean)


def frame_of(calls, *, variant=cap.TOTAL, by="variant", tz="UTC"):
    """Build a frame of one series from calls by day and slot."""
    times = pd.date_range(START, periods=calls.size, freq="5min", tz="UTC")
    return cap.as_intervals(pd.DataFrame({"time": times, by: variant, "max_concurrent": calls.reshape(-1)}))


def test_size_and_time_of_a_spike():
    """The spike would be missed, or its size, score or moment be wrong."""
    calls = series(70)
    calls[40, 100] = 190
    found = cap.anomalies(frame_of(calls))
    assert found.index.tolist() == [(START + pd.Timedelta(days=40), cap.TOTAL)]
    day = found.iloc[0]
    assert day["peak"] == 190
    assert day["time"] == pd.Timestamp("2026-02-14T08:20Z")
    # A Saturday: what its fellows reach, by hand.
    assert day["expected"] == pytest.approx(np.median(calls[5::7].max(axis=1)), abs=4)
    assert day["excess"] == pytest.approx(190 - day["expected"])
    assert day["score"] > 4
    assert not day["special"]
    assert day["complete"]


def test_a_saturday_like_a_monday_is_odd():
    """What is usual would be that of all days, not of the weekday."""
    calls = series(84)
    calls[47] = calls[49]  # a Saturday with a Monday's calls
    assert cap.anomalies(frame_of(calls)).index.get_level_values("date").tolist() == [START + pd.Timedelta(days=47)]


def test_an_outage_is_found_as_too_quiet():
    """A day without calls would pass for a quiet one."""
    calls = series(70)
    calls[30] = 0
    found = cap.anomalies(frame_of(calls))
    assert found["peak"].tolist() == [0]
    assert found["score"].iloc[0] < -4
    assert found["excess"].iloc[0] == pytest.approx(-found["expected"].iloc[0])


@pytest.mark.parametrize("days", [3, 14, 25])
def test_a_long_outage_is_all_of_it_and_nothing_else(days):
    """A long outage would become the trend: its neighbours would stand out instead."""
    calls = series(210)
    calls[100 : 100 + days] = 0
    found = cap.anomalies(frame_of(calls), threshold=5).index.get_level_values("date")
    assert found.tolist() == [START + pd.Timedelta(days=k) for k in range(100, 100 + days)]


def test_a_gap_is_no_quiet_day():
    """A day that lost its busy hours would be called too quiet; one that is too high all the same, missed."""
    frame = frame_of(series(70))
    day = (frame.index.get_level_values("time").tz_localize(None) - START).days
    slot = np.arange(len(frame)) % SLOTS
    gappy = frame[~((day == 30) & (slot > 60))]
    assert len(cap.anomalies(gappy)) == 0
    calls = series(70)
    calls[30, 50] = 200
    found = cap.anomalies(frame_of(calls)[~((day == 30) & (slot > 60))])
    assert found["complete"].tolist() == [False]
    assert found["peak"].tolist() == [200]


def test_holidays_are_marked_and_teach_nothing():
    """Two quiet Mondays of nine would move what a Monday is expected to reach, or not be told from outages."""
    calls = series(63)
    calls[[14, 21]] = 2
    days = [START + pd.Timedelta(days=k) for k in (14, 21)]
    found = cap.anomalies(frame_of(calls), holidays=days)
    assert found.index.get_level_values("date").tolist() == days
    assert found["special"].tolist() == [True, True]
    mondays = np.delete(calls[::7].max(axis=1), [2, 3])
    assert found["expected"].to_numpy() == pytest.approx(np.median(mondays), abs=4)


def test_clean_days_are_left_alone():
    """Chance would be reported: more than about one day a year, over 4 years of growing traffic."""
    found = 0
    for seed in range(2):
        growing = series(728, seed=seed) * np.linspace(1, 2, 728)[:, None]
        found += len(cap.anomalies(frame_of(growing.astype(int))))
    assert found <= 4


def test_nothing_is_made_of_a_few_calls():
    """A line that is silent but for a call now and then would be full of anomalies."""
    rng = np.random.default_rng(3)
    calls = (rng.random((120, SLOTS)) < 0.0003).astype(int)
    assert 5 < calls.max(axis=1).sum() < 40
    assert len(cap.anomalies(frame_of(calls))) == 0
    silent = cap.anomalies(frame_of(np.zeros((40, SLOTS), int)))
    assert len(silent) == 0
    assert silent.attrs["left_out"] == ()


@pytest.mark.parametrize("tz", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_days_of_a_clock_change_are_ordinary(tz):
    """A day of 23 or 25 hours would be out of season, or incomplete."""
    times = pd.date_range("2026-01-01", "2027-01-01", freq="5min", tz=tz, inclusive="left")
    calls = 40 + (times.hour == 9) * np.random.default_rng(5).poisson(20, len(times))
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    odd = cap.anomalies(frame, tz=tz).index.get_level_values("date")
    changes = times[np.flatnonzero(np.diff([t.utcoffset().total_seconds() for t in times[::12]])) * 12 + 12]
    assert len(changes) == 2
    assert not odd.isin(changes.tz_localize(None).normalize()).any()


def test_each_series_by_itself():
    """One variant's spike would hide in another, or a short one be judged; the slice may have any name."""
    loud, quiet = series(70, seed=1), series(70, seed=2, level=12)
    quiet[20, 120] = 70  # less than the loud one has every day
    short = frame_of(series(20, seed=3), variant="short", by="language")
    frame = cap.concat(
        [frame_of(loud, variant="loud", by="language"), frame_of(quiet, variant="quiet", by="language"), short]
    )
    found = cap.anomalies(frame)
    assert found.index.names == ["date", "language"]
    assert found.index.tolist() == [(START + pd.Timedelta(days=20), "quiet")]
    assert found.attrs["left_out"] == ("short",)


def test_too_little():
    """Days would be judged by next to nothing, or a threshold that finds all days be taken."""
    for calls in (series(0), series(1)[:, :1], series(27)):
        with pytest.raises(cap.errors.InsufficientData, match="28 complete local days"):
            cap.anomalies(frame_of(calls))
    with pytest.raises(cap.errors.ConfigError, match="threshold=0"):
        cap.anomalies(frame_of(series(28)), threshold=0)
