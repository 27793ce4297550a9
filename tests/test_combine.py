"""Several projects on one licence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis.combine import PROJECT, UPPER_BOUND, bound_note, combined_bounds

TIMES = pd.date_range("2026-07-01T08:00Z", periods=3, freq="5min")


def project(values, *, times=TIMES, **variants):
    """Build one project's frame: its TOTAL and some variants."""
    columns = {cap.TOTAL: values, **variants}
    rows = [(t, who, n) for who, ns in columns.items() for t, n in zip(times, ns, strict=True)]
    return cap.as_intervals(pd.DataFrame(rows, columns=["time", "variant", "max_concurrent"]))


def test_total_is_the_upper_bound_and_says_so():
    """The sum of the projects' maxima would pass for their total, or take variants for projects."""
    both = cap.combine({"hotel": project([90, 50, 0], a=[80, 40, 0]), "bank": project([40, 74, 1])})
    cap.validate(both)
    assert both.index.names == ["time", PROJECT]
    total = cap.total(both)
    assert total["max_concurrent"].tolist() == [130, 124, 1]
    assert total["variant_name"].unique().tolist() == [UPPER_BOUND]
    parts = cap.variants(both)["max_concurrent"]
    assert parts.xs("hotel", level=PROJECT).tolist() == [90, 50, 0]
    assert parts.xs("bank", level=PROJECT).tolist() == [40, 74, 1]
    bounds = combined_bounds({"hotel": project([90, 50, 0]), "bank": project([40, 74, 1])})
    assert bounds["lower"].tolist() == [90, 74, 1]
    assert bounds["upper"].tolist() == [130, 124, 1]


def test_the_true_total_is_between_the_bounds():
    """A bound would not be one: the calls of both projects together, counted exactly, lie outside."""
    rng = np.random.default_rng(4)
    start = pd.Timestamp("2026-07-01T08:00Z") + pd.to_timedelta(rng.integers(0, 7200, 800), unit="s")
    calls = pd.DataFrame(
        {
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(10, 600, 800), unit="s"),
            "variant": rng.choice(["a", "b", "c"], 800),
        }
    )
    span = {"start": "2026-07-01T08:00Z", "end": "2026-07-01T10:00Z"}
    parts = {k: cap.intervals_from_calls(calls[calls["variant"] == k], **span) for k in "abc"}
    exact = cap.total(cap.intervals_from_calls(calls, **span))["max_concurrent"].to_numpy()
    bounds = combined_bounds(parts)
    assert (bounds["lower"].to_numpy() <= exact).all()
    assert (exact <= bounds["upper"].to_numpy()).all()
    # All projects as slices of one: the same bounds by another way.
    alike = cap.diversity(cap.intervals_from_calls(calls, **span)).bounds
    assert bounds["upper"].tolist() == alike["upper"].tolist()
    assert bounds["lower"].tolist() == alike["lower"].tolist()


def test_no_bound_where_a_project_is_missing():
    """A project's gap would count as no calls: the upper bound would be none."""
    both = cap.combine({"hotel": project([90, 50, 7]), "bank": project([40, 9], times=TIMES[[0, 2]])})
    assert cap.total(both).index.get_level_values("time").tolist() == [TIMES[0], TIMES[2]]
    assert cap.total(both)["max_concurrent"].tolist() == [130, 16]
    assert len(cap.variants(both)) == 5


def test_names_that_could_be_mistaken():
    """A project called like TOTAL's display name, or before it in the alphabet, would be renamed or lost."""
    both = cap.combine({"All variants": project([1, 2, 3]), "(none)": project([4, 5, 6])})
    shown = both["variant_name"].groupby(level=1).first()
    assert shown.to_dict() == {"(none)": "(none)", cap.TOTAL: UPPER_BOUND, "All variants": "All variants"}
    assert cap.total(both)["max_concurrent"].tolist() == [5, 7, 9]


def test_one_project_is_exact():
    """One project alone would get another total than its own."""
    alone = cap.combine({"hotel": project([90, 50, 7])})
    assert cap.total(alone)["max_concurrent"].tolist() == [90, 50, 7]
    assert cap.diversity(alone).factor_bounds == (1, 1)


def test_diversity_takes_no_bound_for_a_total():
    """The saving of a pool of projects would be given as known: its total is but the sum of their maxima."""
    found = cap.diversity(cap.combine({"hotel": project([90, 50, 0]), "bank": project([40, 74, 1])}))
    assert not found.exact
    assert found.pooled == (90, 130)
    assert found.saving == (34, 74)
    assert "between 90 and 130" in found.sentence()


def test_forecast_and_headroom_of_a_combined_total():
    """On the way from combine to headroom it would be lost that the answer is conservative, and by how much."""
    days = 100
    times = pd.date_range("2026-01-01", periods=days * 288, freq="5min", tz="UTC")
    rng = np.random.default_rng(6)
    frames = {}
    for name, slot, level in (("hotel", 120, 60), ("bank", 180, 40)):
        calls = np.full((days, 288), 5)
        calls[:, slot] = level + rng.integers(0, 10, days)
        frames[name] = project(calls.ravel(), times=times)
    forecast = cap.forecast_peaks(cap.daily_peaks(cap.combine(frames)), 14, seed=1, paths=200)
    assert forecast.slice_name == PROJECT
    room = cap.headroom(forecast, 60)
    assert room.variant == cap.TOTAL
    assert "upper bound" in bound_note(forecast.history)
    # Both have 5 calls at the other's peak: the sum peaks at most at 69 + 5, the true one not under the hotel's own.
    assert "between 69 and 74; up to 5 licences (7%)" in bound_note(forecast.history)


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        ({}, cap.errors.ConfigError, "no project"),
        ({"*": project([1, 2, 3])}, cap.errors.ConfigError, r"'\*' is no name"),
        ({" ": project([1, 2, 3])}, cap.errors.ConfigError, "no name"),
        ({"a": cap.variants(project([1, 2, 3], v=[1, 1, 1]))}, cap.errors.ConfigError, "no TOTAL"),
        (
            {"a": project([1], times=TIMES[:1]), "b": project([1], times=TIMES[2:])},
            cap.errors.InsufficientData,
            "all projects hold",
        ),
        ({k: project([2**31 - 1, 0, 0]) for k in "ab"}, cap.errors.FrameError, "4,294,967,294"),
    ],
)
def test_what_cannot_be_combined(frames, error, message):
    """A wrong total would come out where there is none."""
    with pytest.raises(error, match=message):
        cap.combine(frames)


def test_daily_peaks_keep_what_the_total_is():
    """From combine to daily peaks it would be forgotten that TOTAL is a bound, and how far it may be off."""
    times = pd.date_range("2026-06-01", periods=2 * 288, freq="5min", tz="UTC")
    slot = np.arange(len(times)) % 288
    hotel, bank = np.where(slot == 100, 90, 5), np.where(slot == 200, 74, 40)
    peaks = cap.daily_peaks(cap.combine({"hotel": project(hotel, times=times), "bank": project(bank, times=times)}))
    assert peaks["peak"].xs(pd.Timestamp("2026-06-01")).to_dict() == {"*": 130, "bank": 74, "hotel": 90}
    note = bound_note(peaks)
    assert "upper bound" in note
    assert "between 90 and 130; up to 40 licences (31%) may be too many" in note
    assert bound_note(cap.daily_peaks(project(hotel, times=times))) == ""


def test_headroom_and_assessment_say_that_the_total_is_a_bound():
    """Licences would be bought on a sum of maxima that nobody called one."""
    days = pd.date_range("2026-01-01", periods=70 * 288, freq="5min", tz="UTC")
    hour = days.hour.to_numpy()

    def project(busy: int) -> pd.DataFrame:
        calls = np.where(hour == busy, 40, 10) + days.day_of_week.to_numpy()
        return cap.as_intervals(pd.DataFrame({"time": days, "variant": cap.TOTAL, "max_concurrent": calls}))

    # Never busy at once: the sum peaks at 46 + 16, the true total cannot be told from 46 upwards.
    frame = cap.combine({"hotel": project(9), "bank": project(15)})
    forecast = cap.forecast_peaks(cap.daily_peaks(frame), 14, seed=1, paths=200)
    said = cap.headroom(forecast, 70).sentence()
    assert "upper bound" in said
    assert "between 46 and 62; up to 16 licences" in said
    assert cap.headroom(forecast, 70, variant="hotel").note == ""
    notes = cap.assess(frame, 70, tz="UTC", seed=1, horizon=14, backtest=False).notes
    assert sum("upper bound" in note for note in notes) == 1
