"""The caller's floating-point error handling is theirs: it reaches nothing inside the library."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import capacity as cap

from .made_assessments import frame, ordinary


@cache
def made() -> pd.DataFrame:
    """Return ten weeks of two variants that reach 70 calls at once."""
    return frame(70, 2, 60)


@cache
def peaks() -> pd.Series:
    """Return 400 days of peaks with a cap at 75."""
    rng = np.random.default_rng(2)
    dates = pd.date_range("2025-01-06", periods=400)
    return pd.Series(np.minimum(rng.poisson(60 + 10 * (dates.day_of_week < 5)), 75), dates, dtype=float)


CALLS: dict[str, Any] = {
    "anomalies": lambda: cap.anomalies(made()),
    "backtest": lambda: cap.backtest(peaks(), 14, seed=1, origins=3, licences=75, paths=50).scores,
    "best_licence_count": lambda: (
        cap.best_licence_count(
            cap.forecast_peaks(peaks(), 30, seed=1, paths=50), licence_price=100, lost_call_cost=1
        ).table
    ),
    "blocking": lambda: cap.blocking(cap.total(made()), "3m", 70, seed=1).monthly,
    "busy_hours": lambda: cap.busy_hours(made()).table,
    "channels_for": lambda: cap.channels_for(np.array([1e-3, 5.0, 900.0]), 1e-9),
    "decompose": lambda: cap.decompose(made()).components,
    "diversity": lambda: cap.diversity(made()).table,
    "erlang_b": lambda: cap.erlang_b(np.array([1e-3, 3.0, 900.0]), np.array([900, 4000, 1])),
    "forecast_peaks": lambda: cap.forecast_peaks(peaks(), 30, seed=1, licences=75, paths=50).paths,
    "load_for": lambda: cap.load_for(np.array([1, 50, 4000]), 1e-9),
    "offered_load": lambda: cap.offered_load(made(), "3m", by="hour_of_week", licences=70),
    "percentiles": lambda: cap.percentiles(made(), ci=0.9),
    "picture": lambda: cap.report.page(ordinary(), 1),
    "return_levels": lambda: cap.return_levels(peaks()).table,
    "seasonal_strength": lambda: cap.seasonal_strength(made()),
    "simulate_calls": lambda: cap.simulate_calls("2026-03-01", "2026-03-02", seed=1),
    "utilisation": lambda: cap.utilisation(made(), 60).table,
    "weekly_profile": lambda: cap.weekly_profile(made()),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_hunt_for_nan_does_not_reach_inside(name: str) -> None:
    """With np.seterr(all="raise") the underflow of exp(-1000) would end in a FloatingPointError."""
    usual = CALLS[name]()
    with np.errstate(all="raise"):
        found = CALLS[name]()
        assert np.geterr()["under"] == "raise"  # the caller's own setting holds again
    assert found.equals(usual) if isinstance(usual, pd.DataFrame | pd.Series) else np.array_equal(found, usual)
