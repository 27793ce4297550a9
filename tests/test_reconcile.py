"""Call records against maxima: the true hypothesis is named, and nothing is called equal that is not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import capacity as cap

from .simulated_records import HYPOTHESES, maxima, records

ROUNDINGS = {
    "as recorded": (None, None),
    "rounded outward": (lambda t: t.dt.floor("s"), lambda t: t.dt.ceil("s")),
    "rounded down": (lambda t: t.dt.floor("s"), lambda t: t.dt.floor("s")),
    "a second later": (None, lambda t: t + pd.Timedelta(seconds=1)),
}


def named(duration, voice):
    """Return what a hypothesis is called."""
    return f"{duration}, {'voice' if voice else 'all channels'}"


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(("duration", "voice"), HYPOTHESES)
def test_names_the_true_hypothesis_from_a_week_of_a_thousand_calls_a_day(duration, voice, rounding):
    """The wrong part of a call would be taken for what takes a channel."""
    start, end = ROUNDINGS[rounding]
    for seed in (1, 2):
        calls = records(seed)
        found = cap.reconcile(maxima(calls, duration, voice, start=start, end=end), calls)
        assert found.hypothesis.startswith(named(duration, voice))
        assert found.share_equal == 1.0
        assert found.missing.empty
        assert found.why == ""
        assert bool(found.rounding) == (rounding != "as recorded")
    if rounding == "a second later":
        assert found.hypothesis.endswith("ends a second later")


@pytest.mark.parametrize(("duration", "voice"), HYPOTHESES)
def test_one_per_cent_missing_is_said_and_where(duration, voice):
    """Records that lack calls would be called equal, or the missing ones be looked for in the wrong place."""
    calls = records(3)
    lost = np.random.default_rng(3).random(len(calls)) < 0.01
    found = cap.reconcile(maxima(calls, duration, voice), calls[~lost])
    assert found.hypothesis == named(duration, voice)
    assert found.share_equal < 1
    assert "Records are missing" in found.sentence()
    taking = calls[lost & ((calls["channel"] == "voice") | (not voice)).to_numpy()]
    assert 0.4 * len(taking) < found.missing["calls"].sum() <= len(taking)
    assert 0.005 < found.missing_share < 0.015
    for row in found.missing.itertuples():  # each period holds a call that was lost
        assert ((taking["start"] < row.end) & (taking["end"] > row.start)).any()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_many_missing_records_never_name_a_wrong_hypothesis(share):
    """Missing records lower the maxima as a shorter call or fewer channels do: the wrong one would be named."""
    for duration, voice in HYPOTHESES:
        calls = records(4, per_day=3000)
        kept = calls[np.random.default_rng(4).random(len(calls)) >= share]
        assert cap.reconcile(maxima(calls, duration, voice), kept).hypothesis in (named(duration, voice), "undecided")


def test_undecided_where_the_data_cannot_tell():
    """A hypothesis would be named though every call says the same of two."""
    calls = records(5, handoffs=0.0)
    found = cap.reconcile(maxima(calls, "total_duration", True), calls)
    assert (found.hypothesis, found.share_equal) == ("undecided", 1.0)
    assert set(found.candidates) == {"total_duration, voice", "polyai_duration, voice"}
    assert "Undecided" in found.sentence()
    one = records(5, handoffs=0.0)
    rare = one.index[one["channel"] == "voice"][100]
    one.loc[rare, "polyai_duration"] = 1  # one call in seven thousand
    assert cap.reconcile(maxima(one, "polyai_duration", True), one).hypothesis == "undecided"


def test_another_projects_records_fit_nothing():
    """Records of something else would be explained by a hypothesis all the same."""
    found = cap.reconcile(maxima(records(6)), records(7))
    assert found.hypothesis == "undecided"
    assert "no hypothesis fits" in found.why
    assert found.too_many > 100


def test_a_day_without_records_is_one_stretch_and_does_not_hide_the_rest():
    """A lost day would be scattered over many rows, or keep the hypothesis from being named."""
    calls = records(8)
    found = cap.reconcile(maxima(calls), calls[calls["start"].dt.day != 5], tz="UTC")
    assert found.hypothesis == "total_duration, all channels"
    day = pd.Timestamp("2026-03-05", tz="UTC")
    assert len(found.missing) == 1
    assert abs(found.missing["start"][0] - day) < pd.Timedelta(hours=2)
    assert abs(found.missing["end"][0] - day - pd.Timedelta(days=1)) < pd.Timedelta(hours=2)
    assert found.days.index[found.days["missing"] > 0].tolist() == [pd.Timestamp("2026-03-05")]


def test_only_what_both_cover_is_compared():
    """Days that were never fetched would count as days without records, or a gap of the API as zero."""
    calls = records(9)
    api = maxima(calls)
    day = pd.Timestamp("2026-03-04", tz="UTC")
    part = calls[(calls["start"] < day) & (calls["end"] > day - pd.Timedelta(days=1))]
    covered = ((day - pd.Timedelta(days=1), day),)
    found = cap.reconcile(api, cap.Calls(part, covered=covered))
    assert (found.intervals, found.share_equal) == (288, 1.0)
    holes = api[api.index.get_level_values(0).hour != 7]
    assert cap.reconcile(holes, cap.Calls(part, covered=covered)).intervals == 276
    with pytest.raises(cap.errors.InsufficientData, match="same days"):
        cap.reconcile(api, cap.Calls(part, covered=((day + pd.Timedelta(days=90), day + pd.Timedelta(days=91)),)))
    with pytest.raises(cap.errors.FrameError, match="no TOTAL"):
        cap.reconcile(cap.variants(api), calls)
    with pytest.raises(cap.errors.FrameError, match="no column 'end'"):
        cap.reconcile(api, calls.drop(columns="end"))


def test_environments_that_are_mixed_are_told():
    """Calls of a sandbox would pass for calls that the API lost."""
    calls, tests = records(10), records(11, per_day=200).assign(env="sandbox")
    api = maxima(calls)
    both = pd.concat([calls.assign(env="live"), tests])
    found = cap.reconcile(api, both)
    assert (found.share_equal, found.hypothesis) == (1.0, "total_duration, all channels")
    assert "sandbox (" in found.notes[0]
    assert "live alone" in found.notes[0]
    assert "another" in cap.reconcile(api, both.drop(columns="env")).sentence()


def test_variants_that_go_by_other_names_are_told():
    """A renamed variant would look like one that is lost and one that is new."""
    calls = records(12)
    calls["variant"], calls["variant_name"] = calls["variant"].astype(str), calls["variant_name"].astype(str)
    api = maxima(calls)
    assert cap.reconcile(api, calls).notes == ()
    other = calls.assign(variant=calls["variant"].replace({"V-billing": "V-accounts"}))
    assert cap.reconcile(api, other).notes == (
        "Variant 'V-accounts' of the records is 'V-billing' of the API: renamed.",
    )
    shown = calls.assign(variant_name=calls["variant_name"].replace({"Billing": "Accounts"}))
    assert "'Billing' by the API and 'Accounts' in the records" in cap.reconcile(api, shown).notes[0]
    gone = calls[calls["variant"] != "V-billing"]
    assert any("'V-billing' is in the API alone" in note for note in cap.reconcile(api, gone).notes)


def test_the_largest_differences_and_all_forms_of_the_result():
    """The times of the largest differences would be wrong, or a form of the result would not show it."""
    calls = records(13, days=2)
    api = maxima(calls)
    burst = cap.total(api)["max_concurrent"].idxmax()[0]
    there = (calls["start"] <= burst + pd.Timedelta(minutes=5)) & (calls["end"] > burst)
    found = cap.reconcile(api, calls[~there], tz="Europe/London")
    row = found.largest.iloc[0]
    assert row["difference"] == row["records"] - row["api"] == found.largest["difference"].min()
    assert abs(row["time"] - burst) <= pd.Timedelta(minutes=10)
    told = f"most at {row['time'].tz_convert('Europe/London'):%a} 2 Mar 2026 {row['time']:%H:%M} "
    assert told + f"(API {row['api']}, records {row['records']})" in found.sentence()
    assert json.loads(json.dumps(found.to_dict()))["hypothesis"] == found.hypothesis
    assert found.to_frame().index[0] in str(found)
    assert found.series["api"].tolist() == cap.total(api)["max_concurrent"].tolist()
    assert found.plot() is not None
    assert "<img" in found._repr_html_()


def test_calls_in_progress_and_blocked_ones():
    """A call without an end would end at once, or a call that was turned away would take a channel."""
    start = pd.to_datetime(["2026-03-02T10:00Z", "2026-03-02T10:01Z", "2026-03-02T10:02Z"])
    end = pd.DatetimeIndex([pd.NaT, "2026-03-02T10:20Z", "2026-03-02T10:30Z"], tz="UTC")
    calls = pd.DataFrame({"start": start, "end": end, "blocked": [False, False, True]})
    times = pd.date_range("2026-03-02T10:00Z", periods=6, freq="5min")
    api = cap.as_intervals(pd.DataFrame({"time": times, "variant": "*", "max_concurrent": [2, 2, 2, 2, 1, 1]}))
    covered = ((times[0], times[-1] + pd.Timedelta(minutes=5)),)
    assert cap.reconcile(api, cap.Calls(calls, covered=covered)).share_equal == 1.0
    found = cap.reconcile(api, cap.Calls(calls, covered=covered), tz="Pacific/Kiritimati")
    assert found.days.index.tolist() == [pd.Timestamp("2026-03-03")]  # fourteen hours ahead of UTC
    assert found.days["intervals"].tolist() == [6]
    part = ((times[0] + pd.Timedelta(minutes=2), covered[0][1] - pd.Timedelta(minutes=2)),)
    assert cap.reconcile(api, cap.Calls(calls, covered=part)).intervals == 4  # those that are covered in full
