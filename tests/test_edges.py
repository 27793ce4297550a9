"""The edges of what is allowed, and of what is said: the last value on either side, as the documentation has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis import cost
from capacity.analysis.costing.busy_day import as_shape
from capacity.analysis.utilisation import _duration
from capacity.errors import ConfigError, InsufficientData
from capacity.fetch.call_plan import call_filters
from capacity.fetch.endpoint import Scope, masked_number
from capacity.fetch.instants import Unreadable
from capacity.fetch.payload import _counts
from capacity.fetch.reader import _fan
from capacity.ground.licences import as_licences
from capacity.ground.text import chance, percent
from capacity.stats.order_statistics import rank_of

TIMES = pd.date_range("2026-03-02", periods=576, freq="5min", tz="UTC")
FRAME = cap.as_intervals(pd.DataFrame({"time": TIMES, "variant": cap.TOTAL, "max_concurrent": np.arange(576) % 7}))
FORECAST = cap.PeakForecast(
    np.full((1, 20, 30), 9), ("*",), pd.date_range("2026-03-04", periods=30), pd.DataFrame({"*": [9.0]})
)
SHORT = pd.Series(1.0, index=pd.date_range("2026-03-02", periods=99))


def event(**words: Any) -> cap.Event:
    """Return an event with some of its words changed."""
    return cap.Event(**{"name": "Hotels", "date": "2026-03-01", "calls": 40, "reason": "Signed"} | words)


ALLOWED = {
    "min_share": (lambda v: cap.daily_peaks(FRAME, min_share=v), [1, 1e-9], [0, 1.0001]),
    "n": (lambda v: cap.top_peaks(FRAME, v), [1], [0, True]),
    "risk": (lambda v: cap.licences_needed(FORECAST, v), [0.001, 0.999], [0, 1]),
    "horizons": (lambda v: cap.licences_needed(FORECAST, horizons=v), [1, 30], [0, 31]),
    "quantiles": (FORECAST.quantiles, [0, 1], [-0.001, 1.001]),
    "max_over": (FORECAST.max_over, [1, 30], [0, 31]),
    "scale": (FORECAST.scale, [0], [-0.01, np.inf]),
    "growth": (FORECAST.growth, [-0.99, 0], [-1, np.nan]),
    "add_step": (lambda v: FORECAST.add_step(v, 5), ["2026-04-02", "2020-01-01"], ["2026-04-03"]),
    "q": (lambda v: cap.percentiles(FRAME, v), [0, 1, 100], [0.5, -1, 100.1]),
    "probability": (lambda v: event(probability=v), [1, 0.001], [0, 1.001]),
    "until": (lambda v: event(until=v), ["2026-03-02"], ["2026-03-01"]),
    "ramp": (lambda v: event(ramp=v), [0, 1], [-1]),
    "calls": (lambda v: event(calls=v), [1, -1, (0, 1), (1, 2, 2)], [0, (2, 1), (1, 3, 2)]),
    "pattern": (lambda v: event(pattern=v), [[0] * 6 + [1]], [[0] * 7, [1] * 6, [1] * 8]),
    "day_shape": (lambda v: as_shape([1.0] * v), [1, 300], [0, 301]),
    "shape of nothing": (as_shape, [[0, 1]], [[0, 0], [-1, 1], [np.nan, 1]]),
    "licences": (as_licences, [0, 2**31 - 1], [-1, 2**31, 1.5, True]),
    "lot": (lambda v: cap.Tariff(licence_price=1, lot=v), [1], [0]),
    "licence_price": (lambda v: cap.Tariff(licence_price=v), [0], [-1, np.inf]),
    "times": (lambda v: cap.Burst(times=v), [1], [0.99]),
    "target": (lambda v: cap.agents_for(5, mean_call_length="3m", target=v), [0.01, 0.99], [0, 1]),
    "timeout": (lambda v: cap.Client("A", "P", api_key="k", timeout=v), [0.001], [0, -1]),
    "max_workers": (lambda v: cap.Client("A", "P", api_key="k", max_workers=v), [1], [0, True]),
    "counts": (lambda v: _counts([v]), [0, 2**31 - 1, 25.0], [-1, 2**31, 2.5, 10**400]),
    "channel": (lambda v: call_filters(None, None, v), ["voice", ["a", "b"]], [[], "a,b", ["a", "b,c"]]),
    "slots": (lambda v: cap.weekly_profile(FRAME, slots=v), [168, 2016], [167, 2017]),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_the_last_value_on_either_side(name: str) -> None:
    """What the documentation allows would be refused, or what makes no sense be worked with."""
    call, good, bad = ALLOWED[name]
    for value in good:
        call(value)
    for value in bad:
        with pytest.raises((ConfigError, Unreadable)):
            call(value)


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ("confidence", [0.5], [0.0, 1.0, 1]),
        ("threshold", [0.9], [0.5, 1]),
        ("block_weeks", [1], [0]),
        ("periods", ["1000Y", 0.1], ["0Y", 1001, True]),
    ],
)
def test_what_return_levels_take(option: str, good: list[Any], bad: list[Any]) -> None:
    """An edge would be refused before the data are looked at, or taken as good."""
    for value in good:
        with pytest.raises(InsufficientData):  # it is good, and the days are too few
            cap.return_levels(SHORT, **{option: value})
    for value in bad:
        with pytest.raises(ConfigError):
            cap.return_levels(SHORT, **{option: value})


def test_the_fewest_that_are_enough() -> None:
    """One less than what is needed would do, or what is needed would not."""
    calls = pd.DataFrame({"start": TIMES[:30], "end": TIMES[:30] + pd.Timedelta("3min")})
    assert cap.call_traffic(calls).by_variant.loc["*", "calls"] == 30
    with pytest.raises(InsufficientData):
        cap.call_traffic(calls.iloc[:29])
    week = FRAME.index.get_level_values(0)[0] + pd.timedelta_range("0s", periods=864, freq="5min")
    frame = cap.as_intervals(pd.DataFrame({"time": week, "variant": cap.TOTAL, "max_concurrent": np.arange(864) % 20}))
    assert cap.blocking(frame, "3m", 19).whole["at_cap"] == 43
    with pytest.raises(InsufficientData):
        cap.blocking(frame.iloc[:863], "3m", 19)
    for free, enough in ((45, True), (44, False)):  # of 900, below the cap
        times = pd.date_range(TIMES[0], periods=900, freq="5min")
        full = pd.DataFrame(
            {"time": times, "variant": cap.TOTAL, "max_concurrent": np.where(np.arange(900) < free, 4, 5)}
        )
        if enough:
            assert cap.blocking(cap.as_intervals(full), "3m", 5).whole["at_cap"] == 900 - free
        else:
            with pytest.raises(InsufficientData):
                cap.blocking(cap.as_intervals(full), "3m", 5)


def test_one_licence_one_day_one_call() -> None:
    """The smallest case would be left out, or be divided by two."""
    times = pd.date_range(TIMES[0], periods=864, freq="5min")
    rare = pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": np.arange(864) % 40 == 0})
    rare = cap.as_intervals(rare.astype({"max_concurrent": int}))
    assert cap.blocking(rare, "3m", 1).whole[["intervals", "at_cap"]].tolist() == [864, 22]
    day = cap.busy_hours(FRAME.iloc[:288])
    hours = np.convolve(np.arange(288) % 7, np.ones(12) / 12, mode="valid")
    assert day.table.loc[cap.TOTAL, ["time_consistent", "bouncing"]].tolist() == pytest.approx([hours.max()] * 2)
    for calls in (5, (5, 5), (5, 5, 5)):  # known for sure, however it is told
        added = FORECAST.with_events(event(date="2026-03-04", calls=calls)).series()
        assert (added == 14).all()
    assert cap.agents_for([0, 0.001], mean_call_length="3m").tolist() == [0, 1]
    full = cap.utilisation(FRAME, 6).sentence()
    assert "was at or above the licences (6) for 6.8 h (14.24% of the time)" in full
    assert "never reached 80% of the licences (8)" in cap.utilisation(FRAME, 8).sentence()
    assert "never reached the licences (7), and was at or above 80% for 6.8 h" in cap.utilisation(FRAME, 7).sentence()


@pytest.mark.parametrize(("risk", "count", "above"), [(0.05, 2000, 100), (0.29, 100, 29), (0.01, 100, 1), (0.1, 30, 3)])
def test_as_many_paths_may_exceed_as_the_risk_allows(risk: float, count: int, above: int) -> None:
    """Rounding would take one path away (0.29 x 100 is 28.999...), and a licence too many be bought; or one too few."""
    dates = pd.date_range("2026-03-04", periods=1)
    for more, needed in ((0, 10), (1, 20)):
        peaks = np.where(np.arange(count) < above + more, 20, 10)[None, :, None]
        forecast = cap.PeakForecast(peaks, ("*",), dates, pd.DataFrame({"*": [9.0]}))
        assert cap.licences_needed(forecast, risk).iloc[0, 0] == needed


def test_a_coarse_search_finds_what_a_full_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With very many counts to try, those next to the best coarse one would be left out."""
    peaks = np.random.default_rng(1).poisson(60, (1, 40, 60))
    forecast = cap.PeakForecast(peaks, ("*",), pd.date_range("2026-03-04", periods=60), pd.DataFrame({"*": [9.0]}))
    tariff = cap.Tariff(licence_price=150, lost_call_cost=2)
    whole = cap.best_licence_count(forecast, tariff=tariff)
    monkeypatch.setattr(cost, "_MOST", 9)
    coarse = cap.best_licence_count(forecast, tariff=tariff)
    assert coarse.best == whole.best and len(coarse.table) < len(whole.table)
    assert {coarse.best - 1, coarse.best + 1} <= set(coarse.table.index)


def test_words_at_their_edges() -> None:
    """A chance of 1% would read as less, one of 99% as more, or an hour as 60 minutes."""
    assert [chance(p) for p in (0.0099, 0.01, 0.99, 0.9901)] == ["under 1%", "1%", "99%", "over 99%"]
    assert [percent(p) for p in (0.0, 0.0009, 0.001, 0.0094, 0.0095, 0.9905, 0.999, 0.9991, 1.0)] == [
        "0%", "<0.1%", "0.1%", "0.9%", "1%", "99%", "99.9%", ">99.9%", "100%",
    ]  # fmt: skip
    assert [masked_number(n) for n in ("1234", "12345", "***45")] == [
        "***",
        "***45",
        "***45",
    ]
    assert [_duration(hours) for hours in (0.5, 59 / 60, 1.0)] == ["30 min", "59 min", "1.0 h"]


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 100, 201])
@pytest.mark.parametrize("percent_", [0, 5, 50, 95, 99, 100])
def test_ranks_are_those_of_the_inverse_distribution(percent_: int, count: int) -> None:
    """A percentile would be the value next to it."""
    values = np.arange(count)
    expected = np.quantile(values, percent_ / 100, method="inverted_cdf")
    assert values[int(np.asarray(rank_of(percent_, np.array([count])))[0]) - 1] == expected


def test_one_filtered_series_is_no_slice_and_two_are() -> None:
    """A store of one language alone would be read as a slice by language, or one of two as something else."""
    one, two = (Scope("A", "P", "live", (("language", word),), None) for word in ("en", "es"))
    whole, number = Scope("A", "P", "live", (), None), Scope("A", "P", "live", (("phone_number", "1"),), None)
    assert _fan([one], None) is None
    assert _fan([one, two], None) == _fan([one, whole], None) == "language"
    assert _fan([one, number], None) is None
    assert _fan([one], "language") == "language" and _fan([one], "phone_number") is None
