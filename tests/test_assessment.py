"""The assessment: the verdict, what it says when there is too little, and what machines read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis.headroom import headroom, licences_needed
from capacity.analysis.verdict.machine import plain
from capacity.errors import ConfigError, InsufficientData
from capacity.ground.text import chance

dense_module = import_module("capacity.ground.dense")
peaks_module = import_module("capacity.analysis.peaks")


def made(days: int, *, start: str = "2026-01-05", top: float = 60, cap_at: int | None = None, ids=("*", "a", "b")):
    """Return a frame of so many UTC days: busy at noon, quiet at weekends, seeded."""
    rng = np.random.default_rng(7)
    times = pd.date_range(start, periods=288 * days, freq="5min", tz="UTC")
    day = np.clip(np.sin((np.arange(len(times)) % 288 - 72) / 288 * 2 * np.pi), 0, None)
    busy = np.where(times.day_of_week < 5, top, top / 4) * day
    parts = []
    for share, name in zip((1.0, 0.7, 0.4, 0.2), ids, strict=False):
        values = rng.poisson(busy * share)
        values = values if cap_at is None else np.minimum(values, cap_at)
        parts.append(pd.DataFrame({"time": times, "variant": name, "max_concurrent": values}))
    return cap.as_intervals(pd.concat(parts))


@pytest.fixture(scope="module")
def whole() -> cap.assess:
    """Half a year with everything there is to find."""
    return cap.assess(made(180), 90, tz="UTC", horizon=40, seed=3, holidays="GB-ENG", name="Hotel")


def test_the_verdict_in_a_sentence(whole):
    """The sentence would give another figure than the tables behind it."""
    peaks = cap.daily_peaks(made(180))["peak"].xs("*", level=1)
    passed = chance(1 - whole.headroom.beyond)
    enough = whole.needed.loc[0.05, 40]
    value, time, variant = whole.peak
    assert (value, variant) == (peaks.max(), "*") and time.tzinfo is not None
    assert enough > 90 and whole.headline.number == enough
    assert whole.headline.text == (
        f"Hold {enough} ({enough - 90} more) to keep the 40-day risk at 5%; with today's 90 it is {passed}."
    )
    assert whole.sentence().startswith(f"{whole.headline.text} Weak: ")
    assert repr(whole).startswith("<Assessment: Hold ")


def test_printed_it_is_the_headline_the_tables_and_the_notes(whole):
    """The command line would print less than what was found, or another figure."""
    head, confidence, choices, facts, notes = str(whole).split("\n\n")
    assert head == str(whole.headline)
    assert confidence == f"Confidence: weak. {whole.confidence.reason}"
    facts = " ".join(facts.split())
    assert f"Licences for 5% risk {whole.needed.loc[0.05, 30]} for 30 days, " in facts
    now, *rows = [line.split() for line in choices.splitlines()[-4:]]
    above = [chance(whole.headroom.p_above.iloc[k]) for k in (29, 39)]
    assert now[:2] == ["now", "90"] and " ".join(now[2:]).startswith(" ".join(above))
    assert [row[2] for row in rows] == [str(n) for n in whole.needed[40][::-1]]
    said = [line.removeprefix("- ").removeprefix("Warning: ") for line in notes.splitlines()]
    assert said == list(whole.notes)


def test_parts_are_those_of_the_functions_called_alone(whole):
    """The report would show other figures than a notebook with the same seed."""
    forecast = cap.forecast_peaks(cap.daily_peaks(made(180)), 40, seed=3, holidays="GB-ENG", licences=90)
    np.testing.assert_array_equal(whole.forecast.paths, forecast.paths)
    pd.testing.assert_series_equal(whole.headroom.p_above, headroom(forecast, 90).p_above)
    pd.testing.assert_frame_equal(whole.needed, licences_needed(forecast, horizons=(30, 40)))
    pd.testing.assert_frame_equal(whole.percentiles, cap.percentiles(made(180)))
    assert whole.diversity.separate == cap.diversity(made(180)).separate


def test_every_part_is_there(whole):
    """A part that has data would be missing from the report."""
    measured = ["percentiles", "load_duration", "busy_hours", "profile", "diversity", "utilisation", "anomalies"]
    for part in ["forecast", "headroom", "needed", "backtest", *measured]:
        assert getattr(whole, part) is not None, part
    assert whole.traffic is None and whole.cost is None
    assert not whole.total_only and whole.variant == "*" and whole.name == "Hotel"
    assert whole.span == (pd.Timestamp("2026-01-05", tz="UTC"), pd.Timestamp("2026-07-04", tz="UTC"))
    assert any("less than a year" in note for note in whole.notes)


def test_one_week_still_gives_a_report():
    """A week of data would raise instead of showing what it has."""
    result = cap.assess(made(7), 90, tz="Europe/London", seed=1)
    for part in ("forecast", "headroom", "needed", "backtest", "return_levels", "cost"):
        assert getattr(result, part) is None, part
    for part in ("percentiles", "busy_hours", "profile", "utilisation", "diversity"):
        assert getattr(result, part) is not None, part
    assert sum(note.startswith("A forecast needs 56 days") for note in result.notes) == 1
    assert "7 days of history are too few for a forecast" in result.sentence()
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["headroom"] is None
    assert "Licences" in result._repr_html_()


def test_one_interval():
    """The smallest frame would fail somewhere between the analyses."""
    one = pd.DataFrame({"time": pd.to_datetime(["2026-07-01T14:00Z"]), "variant": "*", "max_concurrent": 5})
    result = cap.assess(cap.as_intervals(one), 4, tz="Europe/London", seed=1)
    assert result.peak == (5, pd.Timestamp("2026-07-01T14:00Z"), "*")
    assert result.to_frame().loc["Peak so far", "value"] == "5 on Wed 1 Jul 2026 15:00"
    assert result.total_only
    json.dumps(result.to_dict(), allow_nan=False)


def test_an_empty_frame_says_so():
    """An assessment of nothing would look like one of no calls."""
    with pytest.raises(InsufficientData, match="no interval"):
        cap.assess(made(1).iloc[:0], 4, tz="UTC", seed=1)


def test_all_zeros():
    """No calls at all would divide by zero."""
    result = cap.assess(made(70, top=0), 10, tz="UTC", horizon=14, seed=1)
    assert result.headline.kind == "far too many" and result.headline.number == 0
    json.dumps(result.to_dict(), allow_nan=False)


def test_days_at_a_cap_are_counted_and_said():
    """Demand that was turned away would pass for demand that was not there."""
    result = cap.assess(made(80, cap_at=70), 70, tz="UTC", horizon=14, seed=1, backtest=False)
    at = int((cap.daily_peaks(made(80, cap_at=70)).xs("*", level=1)["peak"] == 70).sum())
    assert at > 5 and result.days_at_licences == at and result.days == 80
    assert f"ll licences were in use on {at} of 80 days" in result.sentence()
    assert any(f"stood at them on {at} days of 80" in note for note in result.notes)
    assert result.forecast.licences is not None
    assert result.backtest is None


def test_what_lost_calls_cost():
    """The cost page would be empty though prices were given, or be of another forecast or call length."""
    money = {"licence_price": 300.0, "lost_call_cost": 5.0}
    frame = made(70, cap_at=70, ids=("*",))
    result = cap.assess(frame, 70, tz="UTC", horizon=14, seed=1, backtest=False, mean_call_length="3m", **money)
    shape = cap.busy_hours(frame).profile["*"].to_numpy()
    alone = cap.best_licence_count(result.forecast, **money, mean_call_length="3m", day_shape=shape)
    assert result.cost.best == alone.best and result.cost.best > 70
    assert result.traffic.whole["at_cap"] == (frame["max_concurrent"] == 70).sum()
    read = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert read["cost"] is not None and read["traffic"] is not None


def test_mostly_at_the_cap_is_called_a_rough_estimate():
    """A forecast from days that nearly all stand at the licence would look as sure as any other."""
    result = cap.assess(made(80, cap_at=50), 50, tz="UTC", horizon=14, seed=1, backtest=False)
    assert result.days_at_licences > 0.6 * result.days
    assert any("more likely too low" in note for note in result.notes)


def test_licences_below_what_was_seen_are_a_plan():
    """A what-if count below the peaks would censor days that were never capped."""
    result = cap.assess(made(80), 40, tz="UTC", horizon=14, seed=1, backtest=False)
    assert result.forecast.licences is None
    assert any("taken as a plan" in note for note in result.notes)
    assert "over 99%" in result.sentence()
    passed = int((cap.daily_peaks(made(80)).xs("*", level=1)["peak"] > 40).sum())
    assert result.to_frame().loc["Days above them", "value"] == str(passed)


def test_days_left_out_are_those_of_the_series_that_is_judged():
    """A hole in one variant would read as if the total lacked the day."""
    frame = made(80)
    times, ids = (frame.index.get_level_values(k) for k in (0, 1))
    holed = frame[~((ids == "a") & (times.hour == 3))]
    result = cap.assess(holed, 90, tz="UTC", horizon=14, seed=1, backtest=False)
    assert not any("left out" in note for note in result.notes)


def test_steps_ahead_are_named_and_those_past_are_not():
    """The sentence would speak of licences that no longer hold, or not of those to come."""
    steps = {"2026-01-01": 50, "2026-02-01": 80, "2026-04-01": 100}
    result = cap.assess(made(80), steps, tz="UTC", horizon=20, seed=1, backtest=False)
    assert result.span[1] == pd.Timestamp("2026-03-26", tz="UTC")
    assert result.sentence().startswith("The planned rise to 100 on 1 Apr 2026 ")
    assert result.decision_table().loc["now", "licences"] == "80, 100 from 1 Apr 2026"
    assert result.to_frame().loc["Licences", "value"] == "80, from Wed 1 Apr 2026: 100"


def test_several_variants_without_a_total_have_no_verdict():
    """Licences would be judged on one variant, or on a sum of maxima."""
    result = cap.assess(made(80, ids=("a", "b")), 90, tz="UTC", horizon=14, seed=1)
    assert result.variant == "" and result.headroom is None and result.needed is None
    assert result.forecast is not None
    assert any("no TOTAL" in note for note in result.notes)
    assert result.headline.kind == "no total" and result.decisions is None
    json.dumps(result.to_dict(), allow_nan=False)


def test_one_series_is_judged_whatever_its_name_and_slice():
    """A frame sliced by language with one value would have no verdict."""
    frame = made(80, ids=("en-GB",)).rename_axis(["time", "language"])
    result = cap.assess(frame, 92, tz="UTC", horizon=14, seed=1, backtest=False)
    assert result.variant == "en-GB" and result.diversity is None
    assert result.sentence().startswith("en-GB: keep 92; ")


def test_a_variant_that_has_just_begun_is_named():
    """A new variant would be missing from the forecast without a word."""
    frame = made(80)
    late = frame[(frame.index.get_level_values(1) != "b") | (frame.index.get_level_values(0) >= "2026-03-01")]
    result = cap.assess(late, 90, tz="UTC", horizon=14, seed=1, backtest=False)
    assert result.forecast.variants == ("*", "a")
    assert "Forecast: too little history for b." in result.notes


def test_excluded_days_do_not_teach():
    """An incident would still raise the forecast."""
    day = pd.Timestamp("2026-03-20")
    result = cap.assess(made(80), 90, tz="UTC", horizon=14, seed=1, exclude=[day], backtest=False)
    assert np.isnan(result.forecast.history.loc[day, "*"])
    assert any(note == "Forecast: 1 day left out as excluded." for note in result.notes)


def test_gaps_are_counted():
    """A day with holes would count as a day of low peaks."""
    frame = made(80)
    times = frame.index.get_level_values(0)
    holed = frame[(times < "2026-02-03T09:00Z") | (times >= "2026-02-03T15:00Z")]
    result = cap.assess(holed, 90, tz="UTC", horizon=14, seed=1, backtest=False)
    assert len(result.coverage.gaps) == 3
    assert any(note == "Forecast: 1 day left out as incomplete." for note in result.notes)


def test_figures_for_machines_keep_their_keys(whole):
    """A program that reads the JSON would break."""
    text = json.dumps(whole.to_dict(), allow_nan=False)
    read = json.loads(text)
    assert list(read) == [
        "verdict", "headline", "confidence", "decisions", "name", "tz", "seed", "horizon", "variant", "span",
        "licences", "peak", "days", "days_at_licences",
        "days_above_licences",
        "coverage", "headroom", "licences_needed", "forecast", "backtest", "percentiles", "busy_hours", "utilisation",
        "diversity", "anomalies", "traffic", "cost", "return_levels", "call_traffic",
        "reconciliation", "notes",
    ]  # fmt: skip
    assert list(read["headroom"]) == [
        "p_above", "p_at_or_above", "beyond", "dates_given", "by_day", "per_month", "k_in_30",
    ]  # fmt: skip
    assert read["licences"] == [{"from": None, "count": 90}]
    assert len(read["headroom"]["by_day"]) == 40 and read["headroom"]["by_day"][0]["date"] == "2026-07-04"
    assert read["licences_needed"][0] == {"risk": 0.01, "horizon": 30, "licences": int(whole.needed.iloc[0, 0])}
    assert [row["method"] for row in read["backtest"]["scores"]] == ["ours", "weekday average", "seasonal naive"]
    assert read["span"]["start"] == "2026-01-05T00:00:00+00:00"
    assert read["coverage"][0] == {
        "variant": "*", "expected": 51840, "present": 51840, "missing": 0, "share": 1.0,
    }  # fmt: skip


def test_same_seed_same_figures():
    """Two runs on the same data would give two verdicts."""
    one, two = (cap.assess(made(75), 90, tz="UTC", horizon=10, seed=5, mean_call_length=None) for _ in range(2))
    assert json.dumps(one.to_dict()) == json.dumps(two.to_dict())


def test_progress_counts_up_to_the_end():
    """A bar would stop short or run over."""
    told = []
    cap.assess(made(7), 90, tz="UTC", seed=1, progress=lambda *step: told.append(step))
    assert [done for _, done, _ in told] == list(range(len(told)))
    assert told[-1][1] == told[-1][2] == told[0][2]


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"horizon": 0}, "horizon=0"),
        ({"horizon": 366}, "horizon=366"),
        ({"horizon": "90"}, "horizon='90'"),
        ({"seed": -1}, "seed=-1"),
        ({"tz": "Mars/Olympus"}, "Mars/Olympus"),
        ({"licence_price": 100}, "licence_price, lost_call_cost and mean_call_length"),
        ({"licence_price": 100, "lost_call_cost": 2}, "give all three"),
        ({"licences": -1}, "-1 is no count"),
        ({"holidays": "XX"}, "XX"),
    ],
)
def test_wrong_calls_say_what_is_wrong(wrong, match):
    """A wrong argument would cost minutes before it is noticed, or be taken for another."""
    call = {"licences": 90, "tz": "UTC", "seed": 1} | wrong
    with pytest.raises(ConfigError, match=match):
        cap.assess(made(60), call.pop("licences"), **call)


def test_plain_values():
    """JSON would get NaN, a numpy number or a time it cannot hold."""
    assert plain([np.float32(1.5), np.nan, np.inf, np.bool_(True), pd.NaT, None, np.int8(3)]) == [
        1.5, None, None, True, None, None, 3,
    ]  # fmt: skip
    assert plain(pd.Timestamp("2026-03-29T00:30Z")) == "2026-03-29T00:30:00+00:00"
    assert plain(pd.Timedelta("3min")) == 180.0
    assert plain(pd.Series([1], index=[pd.Period("2026-09", "M")])) == {"2026-09": 1}
    assert plain(pd.DataFrame({("a", 1): [2]})) == [{"a, 1": 2}]


def test_a_step_of_no_licences_leaves_the_rest():
    """Licences that began after the first day would cost the whole assessment."""
    frame = made(40, cap_at=50, ids=("*",))
    for licences in ({"2025-01-01": 0, "2026-01-07": 50}, 0):
        calls = frame if licences else frame.assign(max_concurrent=np.int32(0))
        result = cap.assess(calls, licences, tz="UTC", seed=1, mean_call_length="3m", backtest=False)
        assert (result.traffic is not None) == bool(licences)


def test_holidays_and_days_left_out_as_series():
    """The names that stand beside the dates would be read as dates."""
    day = pd.to_datetime(["2026-01-08"])
    frame = made(70)
    named = cap.assess(frame, 90, tz="UTC", seed=1, backtest=False, horizon=7, holidays=pd.Series(["fair"], index=day),
                       exclude=pd.Series(["fault"], index=day))  # fmt: skip
    listed = cap.assess(frame, 90, tz="UTC", seed=1, backtest=False, horizon=7, holidays=iter(day), exclude=iter(day))
    assert (named.forecast.paths == listed.forecast.paths).all()
    assert named.forecast.left_out == listed.forecast.left_out == 1


def test_a_name_is_text_in_a_notebook():
    """A variant called like a tag would be one: it could take the notebook over."""
    name = "<script>x</script>"
    whole = cap.assess(made(70, ids=(name,)), 90, tz="UTC", seed=1, horizon=7, mean_call_length="3m",
                       licence_price=9, lost_call_cost=1)  # fmt: skip
    parts = [whole, whole.headroom, whole.forecast, whole.backtest, whole.cost, whole.traffic]
    shown = [part._repr_html_() for part in parts if part is not None]
    assert not any("<script" in text for text in shown)
    assert "&lt;script&gt;" in whole.headroom._repr_html_()


def test_notes_name_the_field_they_speak_of():
    """A panel that is empty could not tell why: its note would have no field, or that of another."""
    times = pd.date_range("2026-01-05", periods=20 * 288, freq="5min", tz="UTC")
    calls = {"time": times, "variant": cap.TOTAL, "max_concurrent": 3}
    short = cap.assess(cap.as_intervals(pd.DataFrame(calls)), 10, tz="UTC", seed=1, mean_call_length="3m")
    assert all(isinstance(note, cap.Note) for note in short.notes)
    found = {note.field: note for note in short.notes}
    assert {"forecast", "anomalies", "return_levels"} <= set(found)
    assert found["forecast"].severity == "warning" and "eight weeks" in found["forecast"]
    for field in ("forecast", "anomalies", "return_levels"):
        assert getattr(short, field) is None


def test_a_cost_without_a_forecast_says_so():
    """Who gave prices would be told that none were given."""
    times = pd.date_range("2026-01-05", periods=20 * 288, freq="5min", tz="UTC")
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 3}))
    prices = {"mean_call_length": "3m", "licence_price": 300, "lost_call_cost": 2}
    short = cap.assess(frame, 10, tz="UTC", seed=1, **prices)
    assert short.cost is None
    assert [str(note) for note in short.notes if note.field == "cost"] == [
        "Cost: it is worked out on a forecast of the total, and there is none."
    ]


def test_one_assessment_computes_matrix_and_daily_peaks_once(monkeypatch):
    """A frame of a hundred variants would be laid out as a matrix ten times for one report."""
    counted = Counter()

    def count(module, name):
        inner = getattr(module, name)

        def counting(*args, **kwargs):
            counted[name] += 1
            return inner(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)

    count(dense_module, "Dense")  # made by each matrix
    count(peaks_module, "local_days")  # asked for by daily_peaks, and by busy_hours
    frame = made(70)
    cap.assess(frame, 90, tz="Europe/London", seed=1, horizon=14, backtest=False, mean_call_length="3m")
    assert counted == {"Dense": 1, "local_days": 2}
    cap.daily_peaks(frame, tz="Europe/London")
    assert counted == {"Dense": 2, "local_days": 3}  # nothing is kept when it is done


def test_the_curve_of_risks_is_the_share_of_paths_above_each_count(whole):
    """The chance at a count would be that of the next one, or of another horizon."""
    curve = whole.risk_curve()
    peaks = whole.forecast.series(whole.variant)
    assert list(curve.columns) == list(whole.needed.columns)
    assert curve.index.tolist() == list(range(max(int(peaks.max()), *whole.licences.on(whole.ahead)) + 1))
    for days in curve.columns:
        top = peaks[:, :days].max(axis=1)
        for count in (0, int(top.min()), int(np.median(top)), curve.index[-1]):
            assert curve.loc[count, days] == pytest.approx((top > count).mean())
    for lacking in ("headroom", "forecast", "needed"):
        assert replace(whole, **{lacking: None}).risk_curve() is None
