"""Trend, daily and weekly cycle, and how strong they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.stats.cycles import fit_cycles, leverage

SLOTS = 288
ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]


def frame_of(values, *, start="2026-01-05", variant=cap.TOTAL, by="variant"):
    """Build a frame of one series from its values at 5-minute steps."""
    times = pd.date_range(start, periods=len(values), freq="5min", tz="UTC")
    return cap.as_intervals(pd.DataFrame({"time": times, by: variant, "max_concurrent": values}))


def truth(weeks, slots, *, seed, noise=0.4, outliers=0):
    """Simulate known parts on the scale of z, each of shape (weeks, 7, slots), and their sum with noise and outliers.

    Daily and weekly are built orthogonal: daily has mean 0 over the day, weekly sums to 0 over the weekdays.
    """
    rng = np.random.default_rng(seed)
    week, day, slot = np.meshgrid(np.arange(weeks), np.arange(7), np.arange(slots), indexing="ij")
    hour = slot * 24 / slots
    trend = 7 + 1.5 * (week + day / 7) / weeks + 0.5 * np.sin((week + day / 7) / 8)
    daily = np.where((hour >= 8) & (hour < 20), 2.0 + np.sin((hour - 8) / 2), 0.0)
    daily -= daily.mean()
    weekly = np.array([0.8, 0.4, 0.3, 0.2, 0.1, -0.7, -1.1])[day]
    weekly = weekly + np.array([0.5, 0.1, 0, -0.1, -0.3, -0.6, 0.4])[day] * np.cos(hour / 24 * 2 * np.pi)
    z = trend + daily + weekly + rng.normal(0, noise, trend.shape)
    flat = z.reshape(-1)
    for start in rng.integers(0, flat.size - slots, outliers):
        flat[start : start + rng.integers(slots // 24, slots)] += rng.choice([-4.0, 4.0, 6.0])
    return trend, daily, weekly, z


def rms(error):
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(error))))


def counts_of(z):
    """Return the whole number of calls whose z is nearest."""
    return np.maximum(np.round(z.reshape(-1) ** 2 - 0.375), 0).astype(int)


def test_known_parts_come_back():
    """A part would take what belongs to another, or a few outliers would bend it."""
    trend, daily, weekly, z = truth(26, SLOTS, seed=1, outliers=6)
    parts = cap.decompose(frame_of(counts_of(z))).to_frame()
    # A cell of the week is seen 26 times, noise 0.4: about 0.4 / sqrt(26 * 0.7) = 0.09 remains in the weekly part,
    # and 0.09 / sqrt(7) = 0.035 in the daily one.
    assert rms(parts["weekly"] - weekly.reshape(-1)) < 0.12
    assert rms(parts["daily"] - daily.reshape(-1)) < 0.05
    assert rms(parts["trend"] - trend.reshape(-1)) < 0.06


def test_outliers_do_not_bend_the_parts():
    """Robustness would be a word: without weights these outliers move the cycle by more than a third."""
    *_, clean = truth(26, 24, seed=2, noise=0.3)
    dirty = clean.copy()
    dirty[5, 2], dirty[11, 4], dirty[17] = 0.6, 14.0, 15.0  # an outage, a storm, and a whole week of it
    one, other = (fit_cycles(z, np.ones_like(z)) for z in (clean, dirty))
    calm = np.r_[:14, 20:26]
    for part in ("daily", "weekly", "trend"):
        assert rms((getattr(one, part) - getattr(other, part))[calm]) < 0.05, part


def test_nearer_the_truth_than_mstl():
    """The own approach would be fast, but worse than what it stands for."""
    seasonal = pytest.importorskip("statsmodels.tsa.seasonal")
    trend, daily, weekly, z = truth(10, 24, seed=3, outliers=4)
    theirs = seasonal.MSTL(z.reshape(-1), periods=(24, 168), stl_kwargs={"robust": True, "outer_iter": 3}).fit()
    ours = fit_cycles(z, np.ones_like(z))
    pairs = {
        "trend": (ours.trend, theirs.trend, trend),
        "daily": (ours.daily, theirs.seasonal[:, 0], daily),
        "weekly": (ours.weekly, theirs.seasonal[:, 1], weekly),
    }
    for part, (mine, peer, known) in pairs.items():
        assert rms(mine - known) < rms(peer - known.reshape(-1)), part
        assert np.corrcoef(np.ravel(mine), np.ravel(peer))[0, 1] > 0.9, part


def test_parts_add_up():
    """Trend, daily, weekly and remainder would not be the whole."""
    *_, z = truth(3, SLOTS, seed=4)
    parts = cap.decompose(frame_of(counts_of(z))).to_frame()
    whole = parts["trend"] + parts["daily"] + parts["weekly"] + parts["remainder"]
    np.testing.assert_allclose(whole, np.sqrt(parts["max_concurrent"] + 0.375), atol=1e-5)


def test_daily_and_weekly_are_orthogonal():
    """The two cycles would share a harmonic: neither could be read alone."""
    *_, z = truth(4, SLOTS, seed=5)
    parts = cap.decompose(frame_of(counts_of(z))).to_frame()
    weekly = parts["weekly"].to_numpy().reshape(4, 7, SLOTS)
    daily = parts["daily"].to_numpy().reshape(4, 7, SLOTS)
    np.testing.assert_allclose(weekly.sum(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(daily, daily[:, :1].repeat(7, axis=1), atol=1e-6)
    np.testing.assert_allclose(daily.mean(axis=2), 0, atol=1e-5)


def test_a_shared_harmonic_is_the_days():
    """A plain daily wave, k = 7 of the week, would show up as weekly."""
    wave = 50 + 30 * np.sin(2 * np.pi * np.arange(8 * 7 * SLOTS) / SLOTS)
    strength = cap.seasonal_strength(frame_of(wave.round().astype(int))).loc[cap.TOTAL]
    assert strength["daily"] > 0.99
    assert strength["weekly"] < 0.01


@pytest.mark.parametrize("tz", ZONES)
def test_cycles_follow_the_local_clock(tz):
    """On and after a change of the clock the pattern would be an hour (or half of one) off."""
    # A year holds both changes of each zone. What is called depends on local weekday and slot alone, and is growing.
    times = pd.date_range("2026-01-01", "2027-01-01", freq="5min", tz="UTC", inclusive="left")
    local = times.tz_convert(tz)
    calls = 20 + 30 * ((local.hour >= 8) & (local.hour < 18)) + 5 * local.day_of_week + 10 * (local.minute == 30)
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    assert cap.decompose(frame, tz=tz).components["remainder"].abs().max() < 0.01


def test_white_noise_has_no_season():
    """Strength would be made of noise, beyond what its own column `noise` admits."""
    rng = np.random.default_rng(6)
    row = cap.seasonal_strength(frame_of(rng.poisson(50, 26 * 7 * SLOTS))).loc[cap.TOTAL]
    assert row["daily"] < 0.02
    assert row["trend"] < 0.02
    assert row["weekly"] == pytest.approx(row["noise"], abs=0.01)
    assert row["noise"] < 0.06


@pytest.mark.parametrize("weeks", [2, 4, 13])
def test_noise_admits_what_few_weeks_make_of_nothing(weeks):
    """A fortnight of noise would be sold as a weekly pattern."""
    rng = np.random.default_rng(7)
    row = cap.seasonal_strength(frame_of(rng.poisson(50, weeks * 7 * SLOTS))).loc[cap.TOTAL]
    assert row["weekly"] == pytest.approx(leverage(weeks), abs=0.04)


def test_strength_is_the_published_formula():
    """F would not be max(0, 1 - Var(R) / Var(S + R)) of the parts that decompose gives."""
    *_, z = truth(6, SLOTS, seed=8)
    frame = frame_of(counts_of(z))
    parts, row = cap.decompose(frame).to_frame().astype(float), cap.seasonal_strength(frame).loc[cap.TOTAL]
    for part in ("daily", "weekly", "trend"):
        expected = 1 - parts["remainder"].var() / (parts[part] + parts["remainder"]).var()
        assert row[part] == pytest.approx(max(0, expected), abs=1e-4)


def test_night_zeros_are_told_apart():
    """A line that is closed at night would look seasonal though its open hours are pure chance."""
    rng = np.random.default_rng(9)
    hour = np.arange(8 * 7 * SLOTS) % SLOTS / 12
    calls = np.where((hour >= 8) & (hour < 18), rng.poisson(30, hour.size), 0)
    row = cap.seasonal_strength(frame_of(calls)).loc[cap.TOTAL]
    assert row["daily"] > 0.9
    assert row["daily_in_use"] < 0.1
    assert row["in_use"] == pytest.approx(10 / 24, abs=0.001)


def test_holidays_are_set_apart():
    """Holidays would teach the weekdays they fall on, and be half hidden by what they taught."""
    calls = np.full(8 * 7 * SLOTS, 60)
    days = pd.DatetimeIndex(["2026-01-26", "2026-02-02", "2026-02-09"])  # three Mondays of eight
    for day in days:
        at = (day - pd.Timestamp("2026-01-05")).days * SLOTS
        calls[at : at + SLOTS] = 5
    parts = cap.decompose(frame_of(calls), holidays=days)
    special = parts.components["special"]
    assert special.sum() == 3 * SLOTS
    assert list(parts.special_days) == list(days)
    assert parts.components.loc[~special, "remainder"].abs().max() < 1e-3
    dip = np.sqrt(5.375) - np.sqrt(60.375)
    np.testing.assert_allclose(parts.components.loc[special, "remainder"], dip, atol=1e-3)
    assert cap.seasonal_strength(frame_of(calls), holidays=days).loc[cap.TOTAL, "weekly"] == 0


def test_gaps_change_little():
    """Missing intervals would count as zeros, or shift what follows them."""
    trend, daily, weekly, z = truth(12, SLOTS, seed=10)
    frame = frame_of(counts_of(z))
    keep = np.random.default_rng(1).random(len(frame)) > 0.2
    keep[30 * SLOTS : 36 * SLOTS] = False
    parts = cap.decompose(frame[keep]).to_frame()
    assert len(parts) == keep.sum()
    for part, known in (("trend", trend), ("daily", daily), ("weekly", weekly)):
        assert rms(parts[part] - known.reshape(-1)[keep]) < 0.2, part


def test_a_variant_from_mid_range_is_judged_on_its_own_time():
    """Days before a variant's first row would count as zeros, or a short one would get made-up cycles."""
    *_, z = truth(8, SLOTS, seed=11)
    whole = counts_of(z)
    late, brief = whole[4 * 7 * SLOTS :], whole[-9 * SLOTS :]
    start = pd.Timestamp("2026-01-05", tz="UTC")
    parts = [
        frame_of(whole),
        frame_of(late, start=start + pd.Timedelta(weeks=4), variant="late"),
        frame_of(brief, start=start + pd.Timedelta(days=47), variant="brief"),
    ]
    both = cap.decompose(cap.concat(parts))
    assert both.left_out == ("brief",)
    assert "left out: brief" in str(both)
    alone = cap.decompose(parts[1]).to_frame()
    pd.testing.assert_frame_equal(both.components.xs("late", level=1), alone.xs("late", level=1))
    strength = cap.seasonal_strength(cap.concat(parts))
    assert strength.loc["brief"].drop("days").isna().all()
    assert strength["days"].to_dict() == {cap.TOTAL: 56, "late": 28, "brief": 9}


def test_labels_and_neighbours_change_nothing():
    """A series would depend on what it is called, or on what stands beside it."""
    *_, z = truth(3, SLOTS, seed=12)
    one, other = counts_of(z), counts_of(z[::-1])
    pair = cap.concat([frame_of(one, variant="b"), frame_of(other, variant="c")])
    renamed = cap.concat([frame_of(one, variant="z"), frame_of(other, variant="a")])
    found, again = cap.seasonal_strength(pair), cap.seasonal_strength(renamed)
    np.testing.assert_array_equal(found.loc["b"], again.loc["z"])
    np.testing.assert_array_equal(found.loc["b"], cap.seasonal_strength(frame_of(one)).loc[cap.TOTAL])


def test_all_zeros():
    """A silent line would be a division by zero, or seasonal."""
    frame = frame_of(np.zeros(21 * SLOTS, int))
    row = cap.seasonal_strength(frame).loc[cap.TOTAL]
    assert row[["daily", "weekly", "trend", "in_use"]].tolist() == [0, 0, 0, 0]
    assert np.isnan(row["daily_in_use"])
    assert (cap.decompose(frame).expected < 1e-3).all()


@pytest.mark.parametrize("function", [cap.decompose, cap.seasonal_strength])
def test_too_little(function):
    """Cycles would be made up for less than two weeks, or the message would not say what is needed."""
    for values in (np.empty(0, int), np.array([3]), np.full(13 * SLOTS, 3)):
        with pytest.raises(cap.errors.InsufficientData, match="two of every weekday"):
            function(frame_of(values))
    with pytest.raises(cap.errors.InsufficientData, match="special days not counted"):
        function(frame_of(np.full(14 * SLOTS, 3)), holidays=["2026-01-05"])


def test_many_variants_and_another_slice():
    """The work would not be per variant, or would insist on the name `variant`."""
    days, ids = 14, [f"v{k:03d}" for k in range(200)]
    slot = np.arange(days * SLOTS) % SLOTS
    values = (slot[:, None] > 140) * (np.arange(200) + 5)
    times = pd.date_range("2026-01-05", periods=len(slot), freq="5min", tz="UTC")
    table = pd.DataFrame(values, index=times.rename("time"), columns=pd.Index(ids, name="language"))
    frame = cap.as_intervals(table.melt(ignore_index=False, value_name="max_concurrent").reset_index())
    before = frame["max_concurrent"].to_numpy().copy()
    strength = cap.seasonal_strength(frame)
    assert strength.index.name == "language"
    assert strength.index.tolist() == ids
    assert (strength["daily"] > 0.999).all()
    parts = cap.decompose(frame)
    assert parts.components.index.equals(frame.index)
    np.testing.assert_allclose(parts.expected, frame["max_concurrent"], atol=0.01)
    np.testing.assert_array_equal(frame["max_concurrent"], before)


def test_labels_stay_sorted_where_a_series_is_left_out():
    """Labels in the order of appearance would break whoever slices by them, or joins the parts to the frame."""
    times = pd.date_range("2026-06-01", periods=40 * 288, freq="5min", tz="UTC")
    calls = {"a": times[5 * 288 :], "b": times, "c": times[-288:]}
    parts = [pd.DataFrame({"time": at, "variant": name, "max_concurrent": 5}) for name, at in calls.items()]
    found = cap.decompose(cap.as_intervals(pd.concat(parts)))
    assert found.left_out == ("c",)
    assert found.components.index.levels[1].tolist() == ["a", "b"]
    assert found.components.index.is_monotonic_increasing
