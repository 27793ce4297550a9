"""Demand behind a cap, against simulations in which the demand is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from capacity.analysis.forecast import forecast_peaks
from capacity.errors import ConfigError, InsufficientData
from capacity.stats.censoring import at_cap, uncensor

QS = (0.5, 0.8, 0.9, 0.95, 0.99)


def demand_of(kind: str, seed: int, days: int = 730) -> np.ndarray:
    """Return daily demand peaks with weekdays, a level and noise of a kind, in whole calls."""
    rng, t = np.random.default_rng(seed), np.arange(days)
    weekday = np.array([1.1, 1.05, 1, 1, 0.95, 0.5, 0.4])[t % 7]
    level = np.exp(0.4 * t / days) if "grow" in kind else np.exp(np.cumsum(rng.normal(0, 0.008, days)))
    mean = 100 * weekday * level
    if "poisson" in kind:
        return rng.poisson(mean).astype(float)
    if "autocorrelated" in kind:
        noise = rng.normal(0, 0.1, days)
        for day in range(1, days):
            noise[day] += 0.5 * noise[day - 1]
        return np.rint(mean * np.exp(noise))
    demand = np.rint(mean * np.exp(rng.normal(0, 0.12, days)))
    if "holidays" in kind:
        demand[rng.choice(days, 20, replace=False)] *= 0.25
    if "closed" in kind:
        demand[t % 7 == 6] = 0
    return np.rint(demand)


@pytest.mark.parametrize(
    "kind", ["poisson, grow", "poisson", "lognormal", "lognormal, grow", "autocorrelated", "holidays", "closed"]
)
def test_quantiles_of_demand_are_recovered(kind):
    """With a cap at the 80th percentile, demand would come back more than 5 % off, or little better than clipped."""
    ours, naive = [], []
    for seed in range(6):
        demand = demand_of(kind, seed)
        cap = np.quantile(demand, 0.8, method="inverted_cdf")
        clipped = np.minimum(demand, cap)
        truth = np.quantile(demand, QS)
        ours.append(np.quantile(uncensor(clipped, np.full(730, cap), seed=seed), QS) / truth - 1)
        naive.append(np.quantile(clipped, QS) / truth - 1)
    assert np.abs(np.mean(ours, axis=0)).max() < 0.05
    assert np.abs(ours).mean() < np.abs(naive).mean() / 3


def test_a_forecast_of_demand_recovers_its_quantiles():
    """Named licences would not reach the forecast: too few licences, by as much as the cap hides."""
    dates = pd.date_range("2024-01-01", periods=730 + 28)
    mean = 100 * np.array([1.1, 1.05, 1, 1, 0.95, 0.5, 0.4])[dates.day_of_week]
    ours, naive = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        demand = pd.Series(np.rint(mean * np.exp(rng.normal(0, 0.12, len(dates)))), index=dates).iloc[:730]
        future = np.rint(mean[730:] * np.exp(rng.normal(0, 0.12, (4000, 28))))
        cap = int(demand.quantile(0.8))
        for misses, licences in ((ours, cap), (naive, None)):
            forecast = forecast_peaks(demand.clip(upper=cap), 28, licences=licences, seed=seed, paths=1000)
            days = np.quantile(forecast.series(), QS) / np.quantile(future, QS)
            highest = np.quantile(forecast.max_over(), (0.5, 0.95)) / np.quantile(future.max(axis=1), (0.5, 0.95))
            misses.append(np.r_[days, highest] - 1)
    assert np.abs(np.mean(ours, axis=0)).max() < 0.05
    assert np.abs(ours).mean() < np.abs(naive).mean() / 3


def test_steps_of_the_licence_are_followed():
    """Days before a step would be held against the later, higher count, and taken for uncensored."""
    demand = demand_of("poisson", 5)
    caps = np.where(np.arange(730) < 365, 105.0, np.quantile(demand, 0.95))
    result = uncensor(np.minimum(demand, caps), caps, seed=1)
    for half in (slice(0, 365), slice(365, 730)):
        truth, clipped = np.quantile(demand[half], QS), np.quantile(np.minimum(demand, caps)[half], QS)
        assert np.abs(np.quantile(result[half], QS) / truth - 1).max() < 0.05
        assert np.abs(clipped / truth - 1).max() > 0.03


def test_parameters_agree_with_a_direct_maximum_likelihood_tobit():
    """The censored likelihood would be another than Tobin's; scipy fits a flat series' normal by `CensoredData`."""
    rng = np.random.default_rng(2)
    demand = rng.normal(1000, 50, 400)
    cap = 1030.0
    clipped = np.minimum(demand, cap)
    sample = stats.CensoredData(uncensored=clipped[clipped < cap], right=np.full((clipped >= cap).sum(), cap))
    loc, scale = stats.norm.fit(sample)
    draws = np.concatenate([uncensor(clipped, np.full(400, cap), seed=seed) for seed in range(20)])
    assert draws.mean() == pytest.approx(loc, abs=3)
    assert draws.std() == pytest.approx(scale, rel=0.05)


def test_days_below_the_cap_and_missing_days_stay():
    """The imputation would change what was seen, fill gaps, or fall below the cap."""
    demand = demand_of("lognormal", 4)
    demand[[0, 13, 300, 729]] = np.nan
    caps = np.full(730, 100.0)
    values = np.minimum(demand, caps)
    result = uncensor(values, caps, seed=3)
    capped = at_cap(values, caps)
    np.testing.assert_array_equal(result[~capped], values[~capped])
    assert (result[capped] >= 100).all() and (result[capped] % 1 == 0).all()
    assert np.isnan(result).sum() == 4
    assert np.isnan(values).sum() == 4  # the input is not changed


def test_same_seed_same_draws():
    """Two runs would give two reports."""
    values = np.minimum(demand_of("poisson", 1), 100)
    caps = np.full(730, 100.0)
    np.testing.assert_array_equal(uncensor(values, caps, seed=7), uncensor(values, caps, seed=7))
    assert (uncensor(values, caps, seed=7) != uncensor(values, caps, seed=8)).any()


def test_without_a_cap_nothing_happens():
    """Series that never met a licence would be changed."""
    values = demand_of("poisson", 1)
    np.testing.assert_array_equal(uncensor(values, np.full(730, np.inf), seed=1), values)
    np.testing.assert_array_equal(uncensor([], [], seed=1), [])
    assert np.isnan(uncensor([np.nan] * 30, [5.0] * 30, seed=1)).all()


def test_a_peak_above_the_cap_bounds_its_demand():
    """A day seen above its licence would be drawn below what was seen."""
    values = demand_of("poisson", 1)
    result = uncensor(values, np.full(730, 100.0), seed=1)
    assert (result >= values).all()


def test_always_at_the_cap_is_an_error():
    """Demand would be made up where nothing is known of it."""
    values = np.full(100, 50.0)
    values[:13] = 40
    with pytest.raises(InsufficientData, match="87 days are at the licence and 13 below it"):
        uncensor(values, np.full(100, 50.0), seed=1)


@pytest.mark.parametrize(("values", "caps"), [([1.0, 2.0], [3.0]), ([1.0], [np.nan]), ([[1.0]], [[1.0]])])
def test_wrong_shapes_are_errors(values, caps):
    """Days and caps would be matched by chance."""
    with pytest.raises(ConfigError, match="two rows of days"):
        uncensor(values, caps, seed=1)


@pytest.mark.parametrize("level", [3, 300_000])
def test_small_and_large_counts(level):
    """Counts of 3 or of 300,000 would overflow, or come back as fractions or as infinity."""
    demand = np.random.default_rng(0).poisson(level, 200).astype(float)
    cap = np.quantile(demand, 0.8)
    result = uncensor(np.minimum(demand, cap), np.full(200, cap), seed=1)
    assert np.isfinite(result).all() and (result % 1 == 0).all()
    assert np.quantile(result, 0.95) == pytest.approx(np.quantile(demand, 0.95), rel=0.05, abs=1)


def test_constant_below_the_cap_and_zero_caps():
    """A spread of nothing, or a licence of 0, would divide by zero."""
    values = np.r_[np.full(60, 10.0), np.full(10, 12.0)]
    assert np.isfinite(uncensor(values, np.full(70, 12.0), seed=1)).all()
    values = np.r_[np.full(60, 10.0), np.zeros(10)]
    assert np.isfinite(uncensor(values, np.r_[np.full(60, 99.0), np.zeros(10)], seed=1)).all()


def test_the_last_months_all_at_the_cap():
    """Demand that grew into its licence would explode, or be said to have stopped growing."""
    rng, t = np.random.default_rng(3), np.arange(500)
    demand = rng.poisson(60 * np.exp(0.8 * t / 500)).astype(float)
    caps = np.full(500, 100.0)
    result = uncensor(np.minimum(demand, caps), caps, seed=1)
    assert 100 < result[-60:].mean() < 1.3 * demand[-60:].mean()
