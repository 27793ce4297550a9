"""Forecasts of the demand behind a licence, of the total and of variants that share it."""

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.errors import InsufficientData

from .test_forecast import frame_of, weekly


def test_demand_behind_the_cap():
    """A licence that cut every fifth day: the forecast must be of demand, whose 99 % is known; the carried must not."""
    demand = weekly(730, level=200, noise=0.12)
    licences = int(demand.quantile(0.8))
    seen = demand.clip(upper=licences)
    truth = cap.forecast_peaks(demand, 60, seed=1)
    forecast = cap.forecast_peaks(seen, 60, seed=1, licences=licences)
    naive = cap.forecast_peaks(seen, 60, seed=1)
    goal, ours, theirs = (np.quantile(f.paths, 0.99) for f in (truth, forecast, naive))
    assert abs(ours / goal - 1) < 0.05
    assert abs(ours / goal - 1) < abs(theirs / goal - 1) / 3
    assert forecast.carried.max() == licences
    assert forecast.history.max().iloc[0] == licences


def test_licences_never_reached_change_nothing():
    """A cap far above every peak says nothing about demand; the paths are those without it."""
    peaks = weekly(400)
    free = cap.forecast_peaks(peaks, 28, seed=1)
    capped = cap.forecast_peaks(peaks, 28, seed=1, licences=10_000)
    assert (free.paths == capped.paths).all()


def squeezed(licences, seed=1, days=364):
    """Return the peaks of two variants and of TOTAL under one pool of licences, simulated minute by minute."""
    dates = pd.date_range("2025-01-06", periods=days)
    rng = np.random.default_rng(seed)
    level = np.where(dates.day_of_week < 5, 1.0, 0.6) * np.exp(0.1 * rng.standard_normal(days))
    now = {variant: np.zeros(days, dtype=np.int64) for variant in "ab"}
    top = {variant: np.zeros(days, dtype=np.int64) for variant in ("a", "b", cap.TOTAL)}
    for minute in range(400):
        for variant, load in (("a", 40), ("b", 25)):
            now[variant] -= rng.binomial(now[variant], 1 / 3)
            calls = rng.poisson(load * np.sin((minute + 0.5) / 400 * np.pi) * level / 3)
            now[variant] += np.minimum(calls, np.maximum(licences - now["a"] - now["b"], 0))
            top[variant] = np.maximum(top[variant], now[variant])
        top[cap.TOTAL] = np.maximum(top[cap.TOTAL], now["a"] + now["b"])
    return frame_of({variant: pd.Series(peaks, dates) for variant, peaks in top.items()})


def test_variants_are_squeezed_by_a_full_total():
    """TOTAL is full on six days in ten: its variants would be forecast too low, though none reached the licences."""
    free = squeezed(10**6, seed=0)
    licences = int(free["peak"].xs(cap.TOTAL, level=1).quantile(0.4))
    seen = squeezed(licences, seed=0)
    truth, naive = (cap.forecast_peaks(p, 60, seed=1, paths=600) for p in (free, seen))
    forecast = cap.forecast_peaks(seen, 60, seed=1, paths=600, licences=licences)
    for variant in ("a", "b"):
        goal, ours, theirs = (np.quantile(f.series(variant), 0.95) for f in (truth, forecast, naive))
        assert theirs < 0.93 * goal
        assert ours == pytest.approx(goal, rel=0.05)


def test_variants_are_as_they_were_while_the_total_is_free():
    """A variant that alone stands above the licences of all would be censored; a full day would move other days."""
    peaks = squeezed(70)
    total, b = (peaks["peak"].xs(variant, level=1) for variant in (cap.TOTAL, "b"))
    known = b.where(total < 70).dropna()
    forecast = cap.forecast_peaks(peaks, 14, seed=1, paths=40, licences=70)
    assert (forecast.history["b"] == b).all()
    quiet = frame_of({cap.TOTAL: total.clip(upper=69), "b": known + 100})
    assert (
        cap.forecast_peaks(quiet, 14, seed=1, paths=40, licences=70).paths
        == cap.forecast_peaks(quiet, 14, seed=1, paths=40).paths
    ).all()


def test_a_total_that_was_never_free_says_so():
    """A demand that nobody can know would be drawn all the same."""
    full = frame_of({cap.TOTAL: weekly(200).clip(upper=20), "a": weekly(200, level=10)})
    with pytest.raises(InsufficientData, match="days are at the licence"):
        cap.forecast_peaks(full, 14, seed=1, licences=20)


def test_of_variants_without_a_total_each_is_of_demand():
    """Only the first of the variants would be forecast beyond the licences that capped it."""
    demand = {"a": weekly(300, level=40), "b": weekly(300, level=200)}
    licences = int(demand["b"].quantile(0.8))
    seen = frame_of({name: peaks.clip(upper=licences) for name, peaks in demand.items()})
    forecast = cap.forecast_peaks(seen, 28, seed=1, paths=200, licences=licences)
    truth = cap.forecast_peaks(frame_of(demand), 28, seed=1, paths=200)
    for name in demand:
        ours, goal = (np.quantile(f.series(name), 0.95) for f in (forecast, truth))
        assert ours == pytest.approx(goal, rel=0.05)
        assert name == "a" or ours > licences


def test_of_variants_without_a_total_one_that_was_never_free_stays():
    """One variant always at the licences would stop the forecast of all the others."""
    peaks = frame_of({"a": weekly(200), "b": weekly(200, level=200, weekend=1).clip(upper=120)})
    forecast = cap.forecast_peaks(peaks, 14, seed=1, paths=40, licences=120)
    assert forecast.series("b").max() == 120
