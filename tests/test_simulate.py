"""Synthetic calls: their numbers against the rates they were drawn from, and the cap against a loop."""

from __future__ import annotations

import datetime as dt
import heapq

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import capacity as cap
from capacity.calls.profiles import VARIANTS, Campaign, Profile, rates
from capacity.calls.simulate import turn_away
from capacity.errors import ConfigError

FLAT = Profile("f", "Flat", 2000.0, (1.0,) * 24, mean_length=120, spread=0.5)
PLAIN = {"growth": 0.0, "holidays": None, "campaigns": (), "day_noise": 0.0}


def test_the_same_seed_gives_the_same_calls_bit_by_bit():
    """A published figure could not be made again, or two seeds would give one world."""
    one, two = (cap.simulate_calls("2026-03-02", days=9, seed=11) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert one.iloc[0]["start"] == pd.Timestamp("2026-03-02T00:01:03.364Z")
    assert len(cap.simulate_calls("2026-03-02", days=9, seed=12)) != len(one)


def test_the_schema():
    """The columns that intervals, emulator and files rest on would be missing or of another type."""
    calls = cap.simulate_calls("2026-03-02", days=14, seed=1)
    assert calls["start"].is_monotonic_increasing
    assert (calls["end"] - calls["start"]).min() >= pd.Timedelta("1s")
    assert {str(calls[c].dtype) for c in ("start", "end")} == {"datetime64[ns, UTC]"}
    assert not calls["blocked"].any()
    assert calls["variant"].cat.categories.tolist() == sorted(p.id for p in VARIANTS)
    assert 0.98 < (calls["env"] == "live").mean() < 1
    assert set(calls["env"]) == {"live", "sandbox", "pre-release"}
    # Numbers from the ranges that Ofcom keeps for fiction, and each with its own variant.
    assert calls["phone_number"].astype(str).str.match(r"\+44(2079460|1632960|8081570|7700900)\d{3}$").all()
    own = calls.groupby(["variant", "phone_number"], observed=True).size()
    assert own.index.tolist() == sorted((p.id, n) for p in VARIANTS for n in p.numbers)
    assert calls.groupby("variant", observed=True)["variant_name"].nunique().eq(1).all()


def test_counts_are_poisson_around_the_rate_and_lengths_have_their_mean():
    """The load of a simulation would not be what was asked for (4 standard errors)."""
    calls = cap.simulate_calls("2026-06-01", days=50, variants=[FLAT], scale=2, seed=5, **PLAIN)
    assert abs(len(calls) - 200_000) < 4 * 200_000**0.5
    steps = (
        calls["start"]
        .dt.floor("5min")
        .value_counts(sort=False)
        .reindex(pd.date_range("2026-05-31T23:00Z", periods=50 * 288, freq="5min"), fill_value=0)
    )
    assert abs(steps.var() / steps.mean() - 1) < 4 * (2 / len(steps)) ** 0.5
    lengths = (calls["end"] - calls["start"]).dt.total_seconds()
    # The variance of a log-normal: mean^2 (exp(sigma^2) - 1).
    error = 120 * (np.exp(0.25) - 1) ** 0.5 / len(calls) ** 0.5
    assert abs(lengths.mean() - 120) < 4 * error
    assert abs(np.log(lengths).std() - 0.5) < 4 * 0.5 / (2 * len(calls)) ** 0.5


def daily(calls: pd.DataFrame, tz: str = "Europe/London") -> pd.Series:
    """Count calls by local day of their start."""
    return calls["start"].dt.tz_convert(tz).dt.tz_localize(None).dt.normalize().value_counts().sort_index()


def test_rhythms():
    """Hour, weekday, season, growth, holidays, campaigns or the day of going live would not shape the calls."""
    odd = Profile(
        "o",
        "Odd",
        3000.0,
        tuple(1.0 if 9 <= h < 17 else 0.0 for h in range(24)),
        weekdays=(2, 1, 1, 1, 1, 0, 0),
        swing=0.5,
        swing_day=15,
        holiday=0.1,
        begins=10,
    )
    plain = PLAIN | {"growth": 0.5, "holidays": ["2026-01-20"]}
    plain["campaigns"] = [Campaign("2026-02-04 10:00", lift=3.0, hours=2.0, variant="o")]
    calls = cap.simulate_calls("2026-01-01", days=730, variants=[odd, FLAT], seed=6, **plain)
    local = calls["start"].dt.tz_convert("Europe/London")
    mine = calls["variant"] == "o"
    assert local[mine].min() >= pd.Timestamp("2026-01-11", tz="Europe/London")
    assert set(local[mine].dt.hour) == set(range(8, 18))  # the shape runs straight from one half hour to the next
    assert set(local[mine].dt.day_of_week) == set(range(5))
    days = daily(calls[mine])
    mondays = days[days.index.day_of_week == 0]["2026-03":"2026-12"].mean()
    assert mondays / days[days.index.day_of_week == 2]["2026-03":"2026-12"].mean() == pytest.approx(2, rel=0.1)
    assert days["2027-03"].mean() / days["2026-03"].mean() == pytest.approx(1.5, rel=0.05)
    wednesdays = days[days.index.day_of_week == 2]
    assert wednesdays["2026-07"].mean() / wednesdays["2027-01"].mean() == pytest.approx(0.5 / 1.5 / 1.5**0.5, rel=0.06)
    assert days["2026-01-20"] / days["2026-01-21"] == pytest.approx(0.1, rel=0.25)
    assert days["2026-02-04"] / days["2026-01-28"] == pytest.approx(1.7, rel=0.2)
    others = daily(calls[~mine])
    assert others["2026-02-04"] / others["2026-02-03"] == pytest.approx(1, abs=0.15)


def test_days_are_local_over_clock_changes():
    """A simulation that begins on the day of a clock change would have a day too long or too short."""
    for day, hours in [("2026-03-29", 23), ("2026-10-25", 25), ("2028-02-29", 24)]:
        calls = cap.simulate_calls(day, days=1, variants=[FLAT], scale=20, seed=1, **PLAIN)
        first = pd.Timestamp(day, tz="Europe/London")
        assert calls["start"].min() - first < pd.Timedelta("1min")
        assert abs(first + pd.Timedelta(hours=hours) - calls["start"].max()) < pd.Timedelta("1min")


@pytest.mark.parametrize(
    ("start", "days", "tz", "end"),
    [
        ("2026-03-28", 1, "Asia/Beirut", "2026-03-29T01:00+03:00"),  # the next day begins at one
        ("2026-03-29", 1, "Asia/Beirut", "2026-03-30T00:00+03:00"),
        (dt.date(2026, 3, 28), np.int64(2), "Asia/Beirut", "2026-03-30T00:00+03:00"),
        ("2026-03-29T00:00Z", 1, "Europe/London", "2026-03-30T00:00+01:00"),  # aware: still a local day
        (pd.Timestamp("2026-10-25", tz="UTC"), 1, "America/New_York", "2026-10-25T20:00-04:00"),
        ("2026-03-28T01:30", 1, "Europe/London", "2026-03-29T02:00+01:00"),  # was skipped
        ("2026-10-24T01:30", 1, "Europe/London", "2026-10-25T01:30+01:00"),  # happens twice
    ],
)
def test_days_after_are_local_days(start, days, tz, end):
    """The range would end an hour off, or a midnight that the clock skips would raise."""
    options = {"tz": tz, "variants": [FLAT], "scale": 20, "seed": 1, **PLAIN}
    found = cap.simulate_calls(start, days=days, **options)
    pd.testing.assert_frame_equal(found, cap.simulate_calls(start, end=pd.Timestamp(end), **options))


def test_the_defaults_are_a_believable_year():
    """The demo would have peaks that no one could plan licences for, or take too long."""
    calls = cap.simulate_calls(seed=1)
    assert 1_000_000 < len(calls) < 1_500_000
    frame = cap.intervals_from_calls(calls[calls["env"] == "live"])
    assert 80 <= cap.total(frame)["max_concurrent"].max() <= 130
    peaks = cap.variants(frame)["max_concurrent"].groupby(level=1).max()
    assert peaks.max() > 5 * peaks.min() > 20
    days = daily(calls)
    assert days["2025-12-25"] < 0.6 * days["2025-12-18"]


def slow_cap(starts: list[int], ends: list[int], caps: list[int]) -> list[bool]:
    """Every call in turn, against a heap of those in progress."""
    busy: list[int] = []
    blocked = []
    for start, end, most in zip(starts, ends, caps, strict=True):
        while busy and busy[0] <= start:
            heapq.heappop(busy)
        blocked.append(len(busy) >= most)
        if not blocked[-1]:
            heapq.heappush(busy, end)
    return blocked


@given(
    calls=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(0, 4)), max_size=60).map(
        lambda rows: sorted(rows, key=lambda row: row[0])
    )
)
def test_the_cap_turns_away_exactly_those_that_a_loop_does(calls):
    """The truth behind a censored series would be wrong: at ties, at hand-overs, where the cap steps up or down."""
    starts, lengths, caps = (np.array([row[k] for row in calls], dtype=np.int64) for k in range(3))
    found = turn_away(starts, starts + lengths, caps)
    assert found.tolist() == slow_cap(starts.tolist(), (starts + lengths).tolist(), caps.tolist())


def test_licences_in_steps_hold_for_live_calls():
    """More calls would be carried than licences, fewer turned away than had to be, or test calls take channels."""
    options = {"days": 12, "scale": 1.2, "seed": 7}
    licences = {"2026-03-01": 30, "2026-03-08": 45}
    calls = cap.simulate_calls("2026-03-02", licences=licences, **options)
    demand = cap.simulate_calls("2026-03-02", **options)
    pd.testing.assert_frame_equal(calls.drop(columns="blocked"), demand.drop(columns="blocked"))
    live = calls["env"] == "live"
    assert not calls.loc[~live, "blocked"].any()
    caps = np.where(calls["start"] < pd.Timestamp("2026-03-08", tz="Europe/London"), 30, 45)
    ns = {c: pd.DatetimeIndex(calls.loc[live, c]).asi8.tolist() for c in ("start", "end")}
    assert calls.loc[live, "blocked"].tolist() == slow_cap(ns["start"], ns["end"], caps[live].tolist())
    carried = cap.intervals_from_calls(calls[live], by=None)["max_concurrent"].droplevel(1).tz_convert("Europe/London")
    assert (carried[:"2026-03-07"].max(), carried["2026-03-08":].max()) == (30, 45)
    assert cap.simulate_calls("2026-03-02", days=1, licences=0, seed=1).query("env == 'live'")["blocked"].all()


def test_loss_is_what_erlang_b_says():
    """The cap would turn away another share than theory: Erlang B, load 20, 20 channels: 0.1589 (published tables)."""
    profile = Profile("e", "Erlang", 20 * 86_400 / 180, (1.0,) * 24, mean_length=180, spread=1.0)
    calls = cap.simulate_calls("2026-06-01", days=60, variants=[profile], licences=20, seed=9, **PLAIN)
    live = calls[calls["env"] == "live"]
    share = len(live) / len(calls)
    assert live["blocked"].mean() == pytest.approx(cap.erlang_b(20, 20 * share), abs=0.004)
    assert cap.erlang_b(20, 20) == pytest.approx(0.1589, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"variants": []}, "at least one"),
        ({"variants": [FLAT, FLAT]}, "each id once"),
        ({"scale": -1}, "negative"),
        ({"growth": -1}, "growth"),
        ({"days": 0}, "days=0"),
        ({"days": 10**7}, "days=10000000"),
        ({"days": 10**20}, "days=1000"),
        ({"days": 1.5}, "days=1.5"),
        ({"start": "garbage"}, "start='garbage' is no time"),
        ({"start": "2262-04-01", "days": 400}, "is no time"),
        ({"start": "2262-04-01T10:00", "days": 400}, "no time"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 1.5}, r"seed=1\.5"),
        ({"seed": None}, "seed=None"),
        ({"scale": float("nan")}, "scale=nan.*finite"),
        ({"scale": float("inf")}, "scale=inf.*finite"),
        ({"growth": float("nan")}, "growth=nan.*finite"),
        ({"growth": float("inf")}, "growth=inf.*finite"),
        ({"day_noise": float("nan")}, "day_noise=nan.*finite"),
        ({"day_noise": float("inf")}, "day_noise=inf.*finite"),
        ({"end": "2024-01-01"}, "is not before"),
        ({"holidays": "XX"}, "no calendar that is known|no date"),
        ({"holidays": "GB-XX"}, "no calendar that is known|no date"),
        ({"campaigns": [Campaign("2025-01-02", 1, variant="nobody")]}, "'nobody'"),
        ({"licences": -3}, "licences"),
        ({"tz": "Mars/Olympus"}, "no IANA"),
    ],
)
def test_mistaken_options_are_refused(options, match):
    """A mistake would end in a traceback of numpy's, or in calls that mean nothing."""
    with pytest.raises(ConfigError, match=match):
        cap.simulate_calls(**({"days": 2, "seed": 1} | options))


def test_mistaken_profiles_are_refused():
    """A profile with 23 hours would shift every call after the missing one."""
    for change in ({"hours": (1.0,) * 23}, {"weekdays": (0.0,) * 7}, {"mean_length": 0}, {"swing": 2}, {"numbers": ()}):
        with pytest.raises(ConfigError, match="no profile"):
            Profile(**({"id": "a", "name": "A", "calls_per_day": 1.0, "hours": (1.0,) * 24} | change))


@pytest.mark.parametrize("holidays", ["GB", ["2026-05-04"], [dt.date(2026, 5, 4)]])
def test_holidays_are_quieter(holidays):
    """A day off, of a country or as a date, would be as busy as any other."""
    times = pd.date_range(
        "2026-05-04", periods=2 * 288, freq="5min", tz="UTC"
    )  # the early May bank holiday, and a Tuesday
    options = {"growth": 0.0, "campaigns": (), "tz": dt.UTC}
    off, usual = (rates(times, VARIANTS, holidays=given, **options) for given in (holidays, None))
    assert np.allclose(off[:288], usual[:288] * [profile.holiday for profile in VARIANTS])
    assert np.array_equal(off[288:], usual[288:])


def test_no_calls():
    """A scale of zero would raise."""
    none = cap.simulate_calls("2026-03-02", days=1, scale=0, licences=5, seed=1)
    assert len(none) == 0
    assert cap.intervals_from_calls(none).empty
