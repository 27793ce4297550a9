"""The verdict's parts: what caps, how far it was tested, and the table of choices."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis.verdict.capping import capping
from capacity.analysis.verdict.confidence import Confidence, Evidence, confidence, evidence
from capacity.analysis.verdict.decisions import decisions, in_words
from capacity.analysis.verdict.growth import growth_of
from capacity.analysis.verdict.headline import _by
from capacity.analysis.verdict.situation import Situation

DATES = pd.date_range("2026-03-01", periods=40, name="date")


# What caps ----------------------------------------------------------------------------------------------------------


def test_a_tie_with_peaks_that_go_far_beyond_is_no_cap() -> None:
    """Three days that stand at a plan by chance would censor peaks that exceeded it freely."""
    assert capping([60, 60, 60, 62, 70, 75, *[50] * 50], np.full(56, 60)) == "plan"


@pytest.mark.parametrize(
    ("cap_at", "above", "expected"),
    [(60, 0, "hard"), (60, 5, "soft"), (90, 5, "plan"), (300, 0, "none"), (60, 60, "plan")],
)
def test_a_pile_up_just_above_the_licences_is_a_cap(cap_at: int, above: int, expected: str) -> None:
    """A cap with a few calls of other environments would pass for a plan, and its days for all there was."""
    rng = np.random.default_rng(2)
    demand = rng.poisson(np.where(np.arange(300) % 7 < 5, 80, 30))
    seen = np.where(demand >= cap_at, np.minimum(demand, cap_at + rng.integers(0, above + 1, 300)), demand)
    assert capping(seen, np.full(300, cap_at)) == expected


def test_no_licences_cap_nothing() -> None:
    """Peaks above 0 licences would pile up "within a tenth above them", and leave no forecast."""
    rng = np.random.default_rng(4)
    peaks = rng.poisson(20, 100)
    assert capping(peaks, np.zeros(100)) == "plan"
    assert capping(np.zeros(100), np.zeros(100)) == "none"
    assert capping(np.minimum(peaks, 20), np.where(np.arange(100) < 10, 0, 20)) == "hard"


def test_a_launch_is_tested_on_the_days_since() -> None:
    """A year of zeros before the first call would make the horizon too long to be tried on what came after it."""
    rng = np.random.default_rng(6)
    times = pd.date_range("2025-03-03", periods=300 * 288, freq="5min", tz="UTC")
    counts = np.where(np.arange(len(times)) < 180 * 288, 0, rng.poisson(20, len(times)))
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": counts}))
    found = cap.assess(frame, 60, tz="UTC", seed=1, horizon=90)
    assert found.backtest is not None
    assert found.backtest.horizon == (120 - 56) // 3
    assert _by(float("inf"), "a year") == "a year ago there were hardly any calls"


def test_a_soft_cap_is_treated_as_a_cap() -> None:
    """The forecast would end where the licences did: 69 for 5% risk where demand came to 119."""
    rng = np.random.default_rng(5)
    days = pd.date_range("2025-01-06", periods=300, freq="D")
    demand = rng.poisson(np.where(days.day_of_week < 5, 85, 40))
    peak = np.where(demand >= 60, 60 + rng.integers(1, 6, 300), demand)
    frame = cap.as_intervals(
        pd.DataFrame(
            {"time": (days + pd.Timedelta("12h")).tz_localize("UTC"), "variant": cap.TOTAL, "max_concurrent": peak}
        )
    )
    times = pd.date_range(days[0], days[-1] + pd.Timedelta(days=1), freq="5min", inclusive="left", tz="UTC")
    filled = frame.reindex(pd.MultiIndex.from_product([times, [cap.TOTAL]], names=frame.index.names))
    found = cap.assess(
        cap.as_intervals(filled[["max_concurrent"]].fillna(0).reset_index()), 60, tz="UTC", seed=1, horizon=30
    )
    assert found.capping == "soft"
    assert found.needed is not None
    assert found.needed.loc[0.05].iloc[-1] > 90
    assert found.headline.kind == "soft-capped"
    assert found.confidence.level == "untested"
    assert any("They are taken as a cap" in note for note in found.notes)


# How far it was tested ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proof", "level", "said"),
    [
        (None, "untested", "not tried on the past"),
        (Evidence(20, 19, 8, 0, 1, 1, 90, 0.8), "tested", "enough in 19 of 20 past forecasts"),
        (Evidence(20, 20, 1, 0, 0, 0, 90, 0.8), "weak", "Little was tested"),
        (Evidence(20, 2, 5, 1, 1, 1, 90, 0.8), "tested", "1 different day exceeded them"),  # one day that all share
        (Evidence(20, 1, 3, 3, 40, 9, 90, 0.5), "weak", "Past forecasts were too low"),
        (Evidence(20, 1, 1, 1, 40, 9, 90, 0.5), "weak", "Past forecasts were too low"),
        (Evidence(20, 20, 5, 0, 0, 0, 90, 0.4), "weak", "Only 40% of past days"),
        (Evidence(20, 20, 5, 0, 0, 0, 28, 0.8), "weak", "28 days ahead could be tested, not 90"),
        (Evidence(20, 20, 5, 0, 0, 0, 90, 0.8, testable=False, lean="The limits cannot"), "untested", "limits cannot"),
    ],
)
def test_confidence_weighs_the_evidence(proof: Evidence | None, level: str, said: str) -> None:
    """Twenty forecasts that share one day would pass for twenty tests, or one that could not fail for a success."""
    found = confidence(proof, forecast=True, total=True, days=700, ahead=90)
    assert found.level == level
    assert said in found.reason


@pytest.mark.parametrize(
    ("facts", "level", "said"),
    [
        ({"forecast": False, "days": 20}, "untested", "20 days of history are too few"),
        ({"forecast": False, "days": 200, "capped": 1.0}, "untested", "the peaks were capped on 100% of the days"),
        ({"total": False}, "untested", "Without a total"),
        ({"capped": 0.7}, "untested", "the peaks were capped on 70% of the days"),
        ({"soft": True, "capped": 0.3}, "untested", "pile up just above the licences"),
        ({"missing": 7}, "weak", "data that end 7 days early"),
        ({"days": 200}, "weak", "200 days, less than a year"),
    ],
)
def test_confidence_weighs_the_data(facts: dict[str, object], level: str, said: str) -> None:
    """A verdict from capped, short or broken data would look as sure as any other."""
    good = Evidence(20, 19, 8, 0, 1, 1, 90, 0.8)
    found = confidence(good, **{"forecast": True, "total": True, "days": 700} | facts)  # type: ignore[arg-type]
    assert found.level == level
    assert said in found.reason
    assert str(found).startswith(f"{level.capitalize()}: ")


def test_growth_that_past_forecasts_missed_is_said_before_the_number() -> None:
    """Page 1 would say "hold 148" without a word where its own evidence is against it."""
    days = pd.date_range("2025-01-06", periods=330, freq="D")
    level = 20 * 5 ** (np.arange(330) / 330) ** 3
    peaks = pd.Series(np.random.default_rng(1).poisson(level), index=days).astype(float)
    found = evidence(cap.backtest(peaks, 60, seed=1, paths=200))
    assert found.kept <= 0.7 * found.tries
    assert found.too_low
    assert found.missed_weeks >= 3


def test_growth_is_measured_on_whole_weeks() -> None:
    """A weekend more or less would pass for growth, or a season's start for nothing."""
    days = pd.date_range("2025-01-01", periods=420, freq="D")
    week = pd.Series(np.where(days.day_of_week < 5, 100.0, 10.0), index=days)
    assert growth_of(week) is None
    doubled = week * np.where(np.arange(420) < 392, 1, 2)
    found = growth_of(doubled)
    assert found is not None
    assert (found.factor, found.days_before) == (pytest.approx(2.0), 364)
    assert growth_of(week.iloc[:100]) is None


# The table of choices -----------------------------------------------------------------------------------------------


def rising() -> np.ndarray:
    """Path k of 20 is above 100 from day 2 k on."""
    return np.where(np.arange(40)[None, :] >= 2 * np.arange(20)[:, None], 105, 90)


def test_choices_count_paths() -> None:
    """A chance in the table would be that of single days, or of another horizon."""
    held = np.full(40, 100)
    table = decisions(rising(), DATES, held, pd.Series({0.05: 105, 0.1: 100}), [30, 40])
    assert table.index.tolist() == ["now", "10% risk", "5% risk"]
    assert table.loc["now", ["chance_30", "chance_40"]].tolist() == [15 / 20, 1.0]
    assert table["difference"].tolist() == [0, 0, 5]
    assert table.loc["now", "days_above"] == pytest.approx(30 * np.mean([(40 - 2 * k) / 40 for k in range(20)]))
    assert table["order_by"].isna().all()


def test_orders_are_due_a_lead_time_before_the_risk_is_passed() -> None:
    """Licences would be ordered when they are needed, and come a month late."""
    table = decisions(rising(), DATES, np.full(40, 100), pd.Series({0.5: 104}), [40], lead_time=pd.Timedelta(days=10))
    # Above none from the 105 on: its own chance is nought at 105, all at 104, which is never passed by more.
    assert pd.isna(table.loc["50% risk", "order_by"])
    table = decisions(rising(), DATES, np.full(40, 100), pd.Series({0.5: 105}), [40], lead_time=pd.Timedelta(days=10))
    assert table.loc["50% risk", "order_by"] == DATES[0] - pd.Timedelta(days=10)
    assert pd.isna(table.loc["now", "order_by"])


def test_planned_steps_stand_in_the_first_row() -> None:
    """A cut within the horizon would be left out of the chances of what is planned."""
    held = np.where(np.arange(40) < 20, 110, 80)
    table = decisions(rising(), DATES, held, pd.Series({0.05: 105}), [20, 40])
    assert table.loc["now", ["licences", "chance_20", "chance_40"]].tolist() == [110, 0.0, 1.0]
    assert table.loc["5% risk", ["licences", "difference", "chance_40"]].tolist() == [105, -5, 0.0]


@pytest.mark.parametrize("billing", ["licences", "maximum"])
def test_costs_are_those_of_the_tariff(billing: str) -> None:
    """The table would give the price of licences as the cost where a month's level, bursts or packages are billed."""
    paths, dates = np.full((1, 10, 60), 50), pd.date_range("2026-07-01", periods=60)
    forecast = cap.PeakForecast(paths, ("*",), dates, pd.DataFrame({"*": []}))
    package = cap.Package(price=100, included=0, overage=0)
    tariff = cap.Tariff(licence_price=12, billing=billing, package=package, lost_call_cost=0)
    curve = cap.best_licence_count(forecast, tariff=tariff)
    counts = {"now": 1000, "5% risk": 40}
    held = np.full(60, counts["now"])
    table = decisions(paths[0], forecast.dates, held, pd.Series({0.05: 40}), [60], losses=curve, priced=True)
    # Of licences each costs 12 a year; of the maximum the 50 calls of each month do. The package is 12 times 100.
    billed = {"licences": counts, "maximum": {"now": 50, "5% risk": 40}}[billing]
    assert [table.loc[row, "cost"] for row in counts] == [pytest.approx(1200 + 12 * billed[row]) for row in counts]


@pytest.mark.parametrize(
    ("steps", "now"),
    [
        ((), "110"),
        ((80,), "110, 80 from 1 Apr 2026"),
        ((80, 90), "110, 80 from 1 Apr 2026, 1 later change"),
        ((80, 90, 95), "110, 80 from 1 Apr 2026, 2 later changes"),
    ],
)
def test_changes_that_are_planned_are_counted_in_words(steps: tuple[int, ...], now: str) -> None:
    """A change that comes later would be left out of the words, or one be counted that is named."""
    table = decisions(rising(), DATES, np.full(40, 110), pd.Series({0.05: 105}), [20, 40])
    changes = tuple((dt.date(2026, 4, 1 + 5 * k), count) for k, count in enumerate(steps))
    facts = Situation(licences=110, horizon=40, days=100, peak=(90, 90), changes=changes)
    assert in_words(table, facts).loc["now", "licences"] == now


def test_much_at_the_licences_is_told_in_per_cent() -> None:
    """A share of the days would be told as another, or a third be passed over."""
    peaks = np.where(np.arange(120) % 5 < 3, 60, 40 + np.arange(120) % 17)
    times = pd.date_range("2026-01-05", periods=120 * 288, freq="5min", tz="UTC")
    calls = np.where(times.hour == 10, np.repeat(peaks, 288), 2)
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    notes = " ".join(cap.assess(frame, 60, tz="UTC", seed=1, horizon=14, backtest=False).notes)
    assert "stood at them on 72 days of 120." in notes
    assert "with 60% of the days at them little is known of the demand" in notes


def test_confidence_reads_as_a_sentence() -> None:
    """The level would be lost where only the text is read."""
    assert str(Confidence("weak", "Little was tested.")) == "Weak: Little was tested."
