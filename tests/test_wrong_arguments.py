"""Arguments of the wrong kind end in our error, which says the value and the rule; never in one of Python's own."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.errors import CapacityError

TIMES = pd.date_range("2026-01-05", periods=60 * 288, freq="5min", tz="UTC")
COUNTS = 5 + (np.arange(len(TIMES)) // 12) % 9


@pytest.fixture(scope="module")
def made():
    """A frame, its peaks, a forecast, and call records."""
    table = pd.DataFrame({"time": TIMES, "max_concurrent": COUNTS})
    frame = cap.as_intervals(pd.concat([table.assign(variant=v) for v in (cap.TOTAL, "a", "b")]))
    peaks = cap.daily_peaks(frame, tz="UTC")
    calls = pd.DataFrame({"start": TIMES[:3], "end": TIMES[1:4]})
    return {"frame": frame, "peaks": peaks, "forecast": cap.forecast_peaks(peaks, 7, seed=1), "calls": calls}


LOG = pd.DataFrame({"start": TIMES[:2], "duration": [5, 6], "status": [1, 2]})
WRONG = [
    (lambda _, v: cap.read_calls(v), "give a path", [None, (1, 2), b"x", 3]),
    *[
        (lambda _, v, name=name: cap.read_calls(LOG, **{name: v}), name, values)
        for name, values in {
            **dict.fromkeys(("columns", "only", "drop"), ("x", 3)),
            **dict.fromkeys(
                ("like", "encoding", "separator", "date", "date_format", "unit", "call_id"), (-1, b"x", [])
            ),
            **dict.fromkeys(("header", "time_format", "na_values", "keep"), (-1, (1, 2))),
            "skip": ["x", -1, 1.5],
        }.items()
    ],
    (lambda m, v: cap.daily_peaks(m["frame"], tz="UTC", min_share=v), "min_share", ["x", None, 2, float("nan")]),
    (lambda m, v: cap.anomalies(m["frame"], threshold=v), "threshold", ["x", None, 0, []]),
    (lambda m, v: cap.anomalies(m["frame"], min_calls=v), "min_calls", ["x", [], b"x"]),
    (lambda m, v: cap.diversity(m["frame"], top=v), "top", ["x", float("nan"), 0]),
    (lambda m, v: cap.return_levels(m["peaks"], v), "period", [None, -1, "x"]),
    (lambda m, v: cap.return_levels(m["peaks"], block_weeks=v), "block_weeks", [2**70, "x"]),
    (lambda m, v: cap.return_levels(m["peaks"], threshold=v), "threshold", ["x", 2, float("nan")]),
    (lambda m, v: cap.licences_needed(m["forecast"], v), "risk", ["5%", {}, 5, ()]),
    (lambda m, v: cap.forecast_peaks(m["peaks"], 7, seed=1, paths=v), "paths", [2**70, 0]),
    (lambda m, v: cap.forecast_peaks(m["peaks"], 7, seed=1, settings=v), "settings", ["x", 1]),
    (lambda m, v: cap.purchase_schedule(v, cap.Tariff(licence_price=1), lead_time=3), "forecast", ["x", None]),
    (lambda m, v: cap.simulate_calls(days=1, seed=1, scale=v), "scale", ["x", None, -1, 2.0**70]),
    (lambda m, v: cap.simulate_calls(days=1, seed=1, growth=v), "growth", ["x", -1, float("inf")]),
    (lambda m, v: cap.intervals_from_calls(v), "calls", ["x", None, [1]]),
    (lambda m, v: cap.intervals_from_calls(m["calls"], by=None, gaps=v), "gaps", ["x", {}, pd.DataFrame({"a": [1]})]),
    (lambda m, v: cap.intervals_from_calls(m["calls"], by=v), "by", [[], 3]),
    (lambda m, v: cap.intervals_from_calls(m["calls"], columns=v), "columns", ["x", 3]),
    (lambda m, v: cap.call_traffic(v, tz="UTC"), "calls", ["x", None]),
    (lambda m, v: cap.assess(m["frame"], 20, tz="UTC", seed=1, calls=v), "calls", ["x", pd.DataFrame()]),
    (lambda m, v: cap.assess(m["frame"], 20, tz="UTC", seed=1, events=v), "event", [-1, "x"]),
    (lambda _, v: cap.channels_for(v, 0.01), "load", [2**70, -1, "x"]),
    (lambda _, v: cap.agents_for(v, mean_call_length="3m"), "load", [2**70, -1, "x"]),
    (lambda m, v: cap.percentiles(m["frame"], 95, hours=v), "hours", [(1, 2), ("09:00",), "x"]),
]


@pytest.mark.parametrize(("call", "name", "values"), WRONG, ids=[f"{k} {name}" for k, (_, name, _) in enumerate(WRONG)])
def test_arguments_of_the_wrong_kind(made, call, name, values):
    """Else a typing error would end in a TypeError from within."""
    for value in values:
        with pytest.raises(CapacityError, match=name):
            call(made, value)


def test_a_scalar_stands_for_itself():
    """Else a number to select by would be a TypeError, and the name of one column its letters."""
    assert len(cap.read_calls(LOG, only={"status": 1}, keep="status", unit="s").frame["status"]) == 1


def test_frames_that_break_the_schema_in_odd_ways():
    """Else they would end in an error of pandas, or lose a part of a number without a word."""
    table = pd.DataFrame({"time": TIMES[:2], "variant": "a", "max_concurrent": [1, 2]})
    for wrong, says in (
        (table.assign(max_concurrent=[1j, 2j]), "whole numbers"),
        (
            table.assign(time=pd.DatetimeIndex(np.array(["2426-01-05", "2426-01-06"], "datetime64[s]"), tz="UTC")),
            "years 1678 to 2262",
        ),
        (pd.concat([table, table[["max_concurrent"]]], axis=1), "stand twice"),
    ):
        with pytest.raises(CapacityError, match=says):
            cap.as_intervals(wrong)
    arrow = cap.as_intervals(table.convert_dtypes(dtype_backend="pyarrow"))
    pd.testing.assert_frame_equal(arrow, cap.as_intervals(table))


def test_notes_speak_of_no_arguments():
    """Else the page for those who decide would tell them to leave licences= out."""
    keep = np.ones(len(TIMES[: 20 * 288]), dtype=bool)
    keep[::288] = False  # each day lacks an interval
    table = pd.DataFrame({"time": TIMES[: 20 * 288], "variant": cap.TOTAL, "max_concurrent": COUNTS[: 20 * 288]})
    for frame in (table, table[keep]):
        notes = cap.assess(cap.as_intervals(frame), 12, tz="UTC", seed=1).notes
        assert notes
        assert not [note for note in notes if re.search(r"\w=|\(\.\.\.", note)]
