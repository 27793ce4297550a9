"""Nothing that comes after a day changes what was known on it: no forecast, no origin of a back-test, no baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap

DAYS, HORIZON = 240, 21
DATES = pd.date_range("2025-01-06", periods=DAYS)


def peaks(seed: int) -> pd.Series:
    """Return daily peaks with a week, a trend, gaps, and days at 75."""
    rng = np.random.default_rng(seed)
    level = (60 + 0.08 * np.arange(DAYS)) * np.where(DATES.day_of_week < 5, 1.0, 0.4)
    series = pd.Series(np.minimum(rng.poisson(level), 75).astype(float), DATES)
    return series.where(rng.random(DAYS) > 0.03)


def scrambled(series: pd.Series, known: int, seed: int) -> pd.Series:
    """Return the series with everything after its first `known` days made up anew, ten times as high and with gaps."""
    rng = np.random.default_rng(seed)
    other = pd.Series(rng.integers(0, 750, len(series)).astype(float), series.index).where(
        rng.random(len(series)) > 0.1
    )
    return series.where(np.arange(len(series)) < known, other)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**16), known=st.integers(80, DAYS - HORIZON), licences=st.sampled_from([None, 75]))
def test_a_forecast_knows_nothing_of_the_days_after(seed: int, known: int, licences: int | None) -> None:
    """A forecast made on a day would know what came after it."""
    whole = peaks(seed)
    ask = {"seed": seed, "licences": licences, "paths": 40, "holidays": ["2025-05-05", "2025-08-25"]}
    cut = cap.forecast_peaks(whole.iloc[:known].dropna(), HORIZON, **ask)
    other = scrambled(whole, known, seed)
    cap.forecast_peaks(other, HORIZON, **ask)  # leaves nothing behind
    table = other.iloc[: known + 1].fillna(0.0).to_frame("peak").assign(complete=whole.iloc[: known + 1].notna())
    table.iloc[known, 1], table["intervals"] = False, 288
    table.iloc[known, 2] = 12  # the day after has just begun: it is not over, and the first to be forecast
    table.index = pd.MultiIndex.from_product([table.index, [cap.TOTAL]], names=["date", "variant"])
    begun = cap.forecast_peaks(table, HORIZON, **ask)
    assert begun.dates.equals(cut.dates)
    assert np.array_equal(cut.paths, begun.paths)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**16), known=st.integers(80, DAYS - 2 * HORIZON), licences=st.sampled_from([None, 75]))
def test_an_origin_of_a_back_test_knows_nothing_of_the_days_after_it(
    seed: int, known: int, licences: int | None
) -> None:
    """A back-test would praise a forecast that had seen the answer, or hold it against a baseline that had."""
    whole = peaks(seed)
    ask = {"seed": seed, "licences": licences, "paths": 40, "origins": [DATES[known - 1]]}
    ours = cap.backtest(whole, HORIZON, **ask)
    # What came within the horizon decides about the scores, what came beyond it about nothing.
    beyond = cap.backtest(scrambled(whole, known + HORIZON, seed), HORIZON, **ask)
    pd.testing.assert_frame_equal(ours.scores, beyond.scores)
    pd.testing.assert_frame_equal(ours.forecasts, beyond.forecasts)
    within = cap.backtest(scrambled(whole, known, seed), HORIZON, **ask)
    fans = [column for column in ours.forecasts.columns if column != "actual"]
    pd.testing.assert_frame_equal(ours.forecasts[fans], within.forecasts[fans])


@pytest.mark.parametrize("licences", [None, 75])
def test_baselines_and_events_know_nothing_of_the_days_after(licences: int | None, monkeypatch) -> None:
    """The weekday average, the naive forecast or the level of the Brier event would see the week to come."""
    import capacity.analysis.backtest as module

    handed: list[tuple] = []

    class Spy(module.Scorer):
        def add(self, ways, truth, limit, past, *more, **named):
            handed.append(({name: paths.copy() for name, paths in ways.items()}, limit, past))
            return super().add(ways, truth, limit, past, *more, **named)

    monkeypatch.setattr(module, "Scorer", Spy)
    whole, known = peaks(5), 150
    ask = {"seed": 5, "licences": licences, "paths": 40, "origins": [DATES[known - 1]]}
    for series in (whole, scrambled(whole, known, 1), scrambled(whole, known, 2)):
        cap.backtest(series, HORIZON, **ask)
    first, *others = handed
    assert len(others) == 2 and set(first[0]) == {"ours", "weekday average", "seasonal naive"}
    assert first[2] == np.nanmax(whole.iloc[:known])
    for ways, limit, past in others:
        assert past == first[2]
        assert np.array_equal(limit, first[1])
        for name, paths in ways.items():
            assert np.array_equal(paths, first[0][name]), name
