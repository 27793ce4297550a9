"""The cost curve against arithmetic by hand, and its model of a day against simulated days."""

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis.costing.billing import billed_levels
from capacity.analysis.costing.busy_day import BusyDay, as_shape
from capacity.errors import ConfigError, InsufficientData
from capacity.forecast.paths import PeakForecast
from capacity.stats.erlang import erlang_b

CALLS_A_YEAR = 365.25 * 24 * 60 / 3  # of one Erlang, at 3 minutes a call


def forecast_of(paths, start="2026-09-01"):
    """Build a forecast of TOTAL from paths, shape (paths, days)."""
    dates = pd.date_range(start, periods=paths.shape[1])
    return PeakForecast(paths=np.asarray(paths)[None], variants=("*",), dates=dates, history=pd.DataFrame({"*": []}))


def test_one_steady_load_by_hand():
    """The curve would not be price times licences plus cost times Erlang's lost calls."""
    curve = cap.best_licence_count(pd.Series(np.full(288, 20.0)), licence_price=100, lost_call_cost=0.01)
    n = np.arange(60)
    lost = erlang_b(n, 20) * 20 * CALLS_A_YEAR
    total = 100 * n + 0.01 * lost
    assert curve.best == total.argmin() == 31
    assert curve.table["lost_calls"].to_numpy()[20:40] == pytest.approx(lost[20:40], rel=0.01)
    assert curve.one_more == pytest.approx(total[32] - total[31], abs=2)
    assert curve.one_less == pytest.approx(total[30] - total[31], abs=2)
    assert curve.convex
    assert np.isnan(curve.service_level)
    with pytest.raises(ConfigError, match="needs a forecast"):
        curve.newsvendor(500)


def test_one_more_saves_less_than_its_price_and_one_less_more():
    """The rule "buy while it saves more than its price" would lead to another count."""
    rng = np.random.default_rng(1)
    curve = cap.best_licence_count(
        forecast_of(rng.poisson(80, (300, 30))), licence_price=150, lost_call_cost=4, mean_call_length="4m"
    )
    lost = curve.table["lost_calls"]
    best = curve.best
    assert 4 * (lost[best] - lost[best + 1]) <= 150 <= 4 * (lost[best - 1] - lost[best])
    assert curve.convex
    assert (np.diff(lost) <= 1e-9).all()
    low, high = curve.table.loc[best, ["lost_lower", "lost_upper"]]
    assert low <= lost[best] <= high


def simulate_days(loads, minutes, licences, runs, seed):
    """Days of a switch, event by event: their highest number in progress, and the calls lost, both (runs,)."""
    rng = np.random.default_rng(seed)
    top = loads.max() / minutes
    n, peak, lost = np.zeros((3, runs), dtype=np.int64)
    limit = 10 * int(loads.max()) if licences is None else licences
    rate = top + min(limit, int(loads.max() + 8 * np.sqrt(loads.max()))) / minutes
    for load in loads:
        events = rng.poisson(rate * 5, runs)
        for k, u in enumerate(rng.random((events.max(), runs)) * rate):
            live = k < events
            comes = (u < load / minutes) & live
            full = comes & (n >= limit)
            n = n + (comes & ~full) - ((u >= top) & (u < top + n / minutes) & live)
            lost += full
            np.maximum(peak, n, out=peak)
    return peak, lost


def test_a_day_peaks_and_loses_as_in_simulation():
    """A peak would be turned into a load, or a load into lost calls, that days of that shape do not have."""
    shape = as_shape(np.sin(np.pi * (np.arange(60) + 0.5) / 60))
    day = BusyDay.up_to(60.0, 5 / 4, shape)
    peak, _ = simulate_days(25 * shape, 4.0, None, 500, seed=1)
    assert np.interp(5.0, day.grid, day.peak) == pytest.approx(peak.mean(), abs=0.35)
    assert np.interp(5.0, day.grid, day.peak_variance) == pytest.approx(peak.var(), rel=0.2)
    assert day.load(np.array([peak.mean()]))[0] == pytest.approx(25, abs=0.4)
    _, lost = simulate_days(25 * shape, 4.0, 28, 500, seed=2)
    assert np.interp(5.0, day.grid, day.loss(np.array([28]))[0]) == pytest.approx(lost.mean(), rel=0.12)


def test_chance_within_the_day_does_not_count_twice():
    """Days of one load, whose peaks differ by chance alone, would seem to lose more than they do."""
    shape = as_shape(None)
    day = BusyDay.up_to(80.0, 5 / 3, shape)
    at = np.argmin(np.abs(day.grid - np.sqrt(40.0)))
    rng = np.random.default_rng(3)
    peaks = np.maximum(rng.normal(day.peak[at], np.sqrt(day.peak_variance[at]), (4000, 5)).round(), 0).astype(int)
    curve = cap.best_licence_count(
        forecast_of(peaks), licence_price=100, lost_call_cost=1, mean_call_length="3m", day_shape=shape
    )
    want = day.loss(np.array([48]))[0, at] * 365.25
    assert curve.table.loc[48, "lost_calls"] == pytest.approx(want, rel=0.1)


def test_lots_and_newsvendor():
    """Licences would be sold singly, or the quantile be taken at the wrong end."""
    paths = np.repeat(np.arange(1, 101)[:, None], 3, axis=1)  # the highest peak is uniform on 1 .. 100
    curve = cap.best_licence_count(forecast_of(paths), licence_price=10, lost_call_cost=1, lot=8)
    assert (curve.table.index % 8 == 0).all()
    assert curve.newsvendor(100) == 96  # quantile 0.9 is 90, in lots of 8
    single = cap.best_licence_count(forecast_of(paths), licence_price=10, lost_call_cost=1)
    assert single.newsvendor(100) == 90
    assert single.service_level == pytest.approx(min(single.best, 100) / 100)
    if single.service_level < 1:
        assert single.newsvendor(single.implied_shortage_cost * 1.0001) == single.best
    with pytest.raises(ConfigError, match="not above the licence price"):
        single.newsvendor(10)


def test_burst_carries_what_would_be_lost():
    """Burst calls would be charged without being carried, or be carried for nothing."""
    load = pd.Series(np.full(288, 20.0))
    plain = cap.best_licence_count(load, licence_price=100, lost_call_cost=1).table
    burst = cap.best_licence_count(load, licence_price=100, lost_call_cost=1, burst=(5, 0.2)).table
    assert burst.loc[25, "lost_calls"] == pytest.approx(plain.loc[30, "lost_calls"])
    carried = plain.loc[25, "lost_calls"] - plain.loc[30, "lost_calls"]
    assert burst.loc[25, "burst_calls"] == pytest.approx(carried)
    assert burst.loc[25, "total"] == pytest.approx(2500 + 0.2 * carried + plain.loc[30, "lost_calls"])
    same = cap.best_licence_count(load, licence_price=100, lost_call_cost=1, burst=cap.Burst(5, 0.2)).table
    pd.testing.assert_frame_equal(burst, same)


def test_billing_by_the_months_level():
    """A month would be billed by another level than its rule says."""
    paths = np.tile(np.array([40, 60, 50]), (20, 20))

    def curve(rule):
        return cap.best_licence_count(forecast_of(paths), licence_price=12, lost_call_cost=0, billing=rule).table

    top = curve("maximum")
    assert top.loc[50, "licence_cost"] == 12 * 50
    assert top.loc[90, "licence_cost"] == 12 * 60
    held, p95 = curve("held"), curve("p95")
    assert p95.loc[90, "licence_cost"] < held.loc[90, "licence_cost"] < 12 * 60
    assert curve("licences").loc[90, "licence_cost"] == 12 * 90


def test_billed_levels_of_a_frame_by_brute_force():
    """Half an hour with a gap in it, or another month's, would be billed."""
    rng = np.random.default_rng(5)
    times = pd.date_range("2026-03-30T00:00Z", periods=1200, freq="5min")
    values = rng.poisson(30, 1200)
    keep = rng.random(1200) > 0.02
    table = pd.DataFrame({"time": times[keep], "variant": "*", "max_concurrent": values[keep]})
    frame = cap.as_intervals(table)
    local = times.tz_convert("Europe/London").tz_localize(None).to_period("M")
    for month in local.unique():
        mine = (local == month) & keep
        assert billed_levels(frame, "maximum", tz="Europe/London")[month] == values[mine].max()
        held = max(
            (
                values[i - 5 : i + 1].min()
                for i in np.flatnonzero(local == month)
                if i >= 5 and keep[i - 5 : i + 1].all()
            ),
            default=0,
        )
        assert billed_levels(frame, "held", tz="Europe/London")[month] == held
        p95 = billed_levels(frame, "p95", tz="Europe/London")[month]
        assert p95 == min(v for v in values[mine] if (values[mine] <= v).mean() >= 0.95)
    with pytest.raises(ConfigError):
        billed_levels(frame, "licences")
    with pytest.raises(ConfigError):
        billed_levels(frame, "weekly")


def test_many_licences_are_searched_in_two_rounds():
    """Ten thousand calls would take minutes, or the best count be missed between coarse ones."""
    load = pd.Series(np.full(100, 3000.0))
    curve = cap.best_licence_count(load, licence_price=200, lost_call_cost=0.02)
    n = np.arange(2800, 3300)
    total = 200 * n + 0.02 * erlang_b(n, 3000) * 3000 * CALLS_A_YEAR
    assert abs(curve.best - n[total.argmin()]) <= 1
    assert len(curve.table) < 1000
    assert np.isfinite([curve.one_more, curve.one_less]).all()


def test_frames_of_offered_load_and_answers_in_words():
    """The frame of offered_load would not be taken, or the answer hide its assumptions."""
    times = pd.date_range("2026-07-01T00:00Z", periods=300, freq="5min")
    frame = cap.as_intervals(
        pd.DataFrame({"time": times, "variant": "*", "max_concurrent": np.random.default_rng(1).poisson(20, 300)})
    )
    curve = cap.best_licence_count(cap.offered_load(frame, "3m"), licence_price=100, lost_call_cost=4)
    assert "calls of 180 s on average" in str(curve)
    assert "from the load of 300 intervals" in str(curve)
    assert "<table" in curve._repr_html_()
    assert curve.to_frame().equals(curve.table)
    free = cap.best_licence_count(pd.Series([0.0, 0.0]), licence_price=100, lost_call_cost=4)
    assert free.best == 0
    paths = cap.best_licence_count(forecast_of(np.zeros((5, 4), dtype=int)), licence_price=100, lost_call_cost=4)
    assert paths.best == 0


def test_wrong_arguments_are_named():
    """A wrong price, lot or rule would be answered with a number."""
    load = pd.Series(np.full(10, 5.0))
    good = {"licence_price": 100, "lost_call_cost": 4}
    for wrong in (
        {"licence_price": -1},
        {"lost_call_cost": np.nan},
        {"licence_price": "100"},
        {"lost_call_cost": None},
        {"licence_price": True},
        {"lot": "2"},
        {"burst": (1, "2")},
        {"lot": 0},
        {"lot": 1.5},
        {"billing": "weekly"},
        {"billing": "maximum"},
        {"burst": (1.5, 2)},
        {"burst": (1, -2)},
        {"mean_call_length": 180},
    ):
        with pytest.raises(ConfigError):
            cap.best_licence_count(load, **(good | wrong))
    for shape in ([], [0, 0], [1, -1], [1, np.nan], np.ones(301)):
        with pytest.raises(ConfigError, match="day_shape"):
            cap.best_licence_count(forecast_of(np.ones((2, 2), dtype=int)), day_shape=shape, **good)
    with pytest.raises(InsufficientData):
        cap.best_licence_count(pd.Series([np.nan]), **good)
    with pytest.raises(ConfigError):
        cap.best_licence_count(pd.DataFrame({"load": [1.0]}), **good)
    with pytest.raises(ConfigError):
        cap.best_licence_count(pd.Series([-1.0]), **good)


@pytest.mark.parametrize("rule", ["maximum", "held", "p95"])
def test_only_whole_months_are_billed(rule):
    """The highest peak of a few days would be billed as a month's: too low."""
    paths = np.random.default_rng(1).poisson(50, (40, 100))

    def bill(days):
        forecast = forecast_of(paths[:, :days])
        table = cap.best_licence_count(forecast, licence_price=12, lost_call_cost=0, billing=rule).table
        return table["licence_cost"].max()

    assert bill(50) == pytest.approx(bill(30), rel=1e-3)
    assert bill(89) == pytest.approx(bill(60), rel=1e-3)
    with pytest.raises(ConfigError, match=r"counts months, and the forecast is of 29 days"):
        bill(29)
