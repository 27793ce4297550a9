"""Diversity: the pool against the parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.ground.frame import assemble

TIMES = pd.date_range("2026-07-01T08:00Z", periods=4, freq="5min")


def frame_of(columns, *, times=TIMES, by="variant"):
    """Build a frame from lists by label; None is a missing row."""
    rows = [(t, who, n) for who, ns in columns.items() for t, n in zip(times, ns, strict=True) if n is not None]
    return cap.as_intervals(pd.DataFrame(rows, columns=["time", by, "max_concurrent"]).astype({"max_concurrent": int}))


HAND = {cap.TOTAL: [120, 131, 60, 9], "sales": [90, 80, 20, 3], "care": [30, 74, 41, 4], "(none)": [0, 0, 0, 2]}


def test_by_hand():
    """Any of the figures that go into a contract would be wrong."""
    found = cap.diversity(frame_of(HAND), top=2)
    assert found.separate == 90 + 74 + 2
    assert found.pooled == (131, 131)
    assert found.saving == (35, 35)
    assert found.factor == pytest.approx(166 / 131)
    assert found.coincidence == pytest.approx(131 / 166)
    assert found.peak_time == TIMES[1]
    assert (found.below, found.above, found.intervals, found.left_out) == (0, 0, 4, 0)
    assert found.bounds["lower"].tolist() == [90, 80, 41, 4]
    assert found.bounds["upper"].tolist() == [120, 154, 61, 9]
    table = found.to_frame()
    assert table.index.tolist() == ["sales", "care", "(none)"]
    assert table["peak"].tolist() == [90, 74, 2]
    assert table["time"].tolist() == [TIMES[0], TIMES[1], TIMES[3]]
    assert table["at_total_peak"].tolist() == [80, 74, 0]
    # The two highest totals are the first two intervals: 170 of 274 calls are of sales.
    assert table["share_at_top"].tolist() == pytest.approx([170 / 274, 104 / 274, 0])
    assert found.sentence() == (
        "Separate licences for each variant: 166; pooled: 131. Pooling saves 35 (21%; factor 1.27). "
        "In the total's 2 highest intervals sales had 62% of the calls."
    )


def test_without_total_there_are_bounds_only():
    """A sum of maxima would pass for the total."""
    found = cap.diversity(frame_of({k: v for k, v in HAND.items() if k != cap.TOTAL}))
    assert not found.exact
    assert found.pooled == (90, 154)
    assert found.saving == (12, 76)
    assert np.isnan(found.factor)
    assert np.isnan(found.coincidence)
    assert found.factor_bounds == pytest.approx((166 / 154, 166 / 90))
    assert "between 90 and 154. These are bounds" in str(found)
    assert list(found.bounds.columns) == ["lower", "upper"]


def test_violations_are_counted():
    """A total that cannot be would go unnoticed, or stop the analysis."""
    found = cap.diversity(frame_of({cap.TOTAL: [5, 20, 8, 9], "a": [6, 5, 4, 5], "b": [1, 5, 4, 4]}))
    assert (found.below, found.above) == (1, 1)
    assert "In 2 of 4 intervals the total is not between" in found.sentence()
    assert "which is more" in found.sentence()  # 20 pooled, 6 + 5 separate


def test_intervals_with_holes_are_left_out():
    """A variant's gap would count as zero: the sum would be too low, and the total seem to break its bound."""
    found = cap.diversity(frame_of({cap.TOTAL: [9, 50, 8, None], "a": [5, None, 4, 99], "b": [4, 5, 4, 4]}))
    assert (found.intervals, found.left_out) == (2, 2)
    assert (found.above, found.separate, found.pooled) == (0, 9, (9, 9))
    assert "2 intervals were left out" in found.sentence()


def test_a_variant_from_mid_range_was_not_there_before():
    """Its first half would be taken for a gap, and with it half of the frame."""
    found = cap.diversity(frame_of({cap.TOTAL: [9, 9, 12, 10], "a": [9, 9, 6, 4], "new": [None, None, 6, 7]}))
    assert (found.intervals, found.left_out) == (4, 0)
    assert found.separate == 16


def test_ties_at_the_top_are_all_taken():
    """Who drives the peak would hang on the order of equal intervals."""
    found = cap.diversity(frame_of({cap.TOTAL: [8, 8, 8, 1], "a": [8, 0, 0, 1], "b": [0, 8, 8, 0]}), top=1)
    assert found.top == 3
    assert found.table["share_at_top"].to_dict() == pytest.approx({"a": 1 / 3, "b": 2 / 3})


def test_one_variant_is_its_own_pool():
    """One variant would save against itself."""
    found = cap.diversity(frame_of({cap.TOTAL: [1, 7, 3, 2], "a": [1, 7, 3, 2]}, by="language"))
    assert (found.factor, found.saving) == (1, (0, 0))
    assert found.slice_name == "language"
    assert found.table.index.name == "language"


def test_correlation_of_daily_peaks():
    """It would not be that of complete days, or a variant that never changes would warn."""
    rng = np.random.default_rng(1)
    days, times = 20, pd.date_range("2026-01-01", periods=20 * 288, freq="5min", tz="UTC")
    peaks = rng.integers(10, 50, (days, 2))
    columns = {"a": np.zeros((days, 288), int), "b": np.zeros((days, 288), int), "flat": np.full((days, 288), 3)}
    columns["a"][:, 100], columns["b"][:, 150] = peaks.T
    frame = frame_of({k: v.ravel().tolist() for k, v in columns.items()}, times=times)
    found = cap.diversity(frame).correlation
    assert found.loc["a", "b"] == pytest.approx(np.corrcoef(peaks.T)[0, 1])
    assert np.isnan(found.loc["a", "flat"])
    gappy = cap.diversity(frame.iloc[3:]).correlation  # the first day is no longer complete
    assert gappy.loc["a", "b"] == pytest.approx(np.corrcoef(peaks[1:].T)[0, 1])
    assert np.isnan(cap.diversity(frame[: 3 * 288 * 13]).correlation.loc["a", "b"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "empty"),
        ({cap.TOTAL: [1, 2, 3, 4]}, "only TOTAL"),
        ({cap.TOTAL: [0] * 4, "a": [0] * 4}, "has a conversation"),
        ({cap.TOTAL: [None, None, 1, 1], "a": [1, 1, None, None]}, "absent='zero'"),
    ],
)
def test_nothing_to_compare(columns, message):
    """A division by zero, or figures that rest on nothing."""
    with pytest.raises(cap.errors.InsufficientData, match=message):
        cap.diversity(frame_of(columns))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.integers(1, 1500), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=60
    )
)
def test_exact_data_keep_the_bounds(calls):
    """In frames made of real calls the bounds would be broken, or D be less than 1."""
    table = pd.DataFrame(calls, columns=["start", "seconds", "variant"])
    start = pd.Timestamp("2026-07-01T08:00Z") + pd.to_timedelta(table["start"], unit="s")
    records = pd.DataFrame(
        {"start": start, "end": start + pd.to_timedelta(table["seconds"], unit="s"), "variant": table["variant"]}
    )
    found = cap.diversity(cap.intervals_from_calls(records))
    assert (found.below, found.above, found.left_out) == (0, 0, 0)
    assert found.factor >= 1
    assert found.table["share_at_top"].sum() == pytest.approx(1)
    # Brute force: calls in progress at each start.
    at = records["start"].to_numpy()
    busy = ((records["start"].to_numpy()[:, None] <= at) & (records["end"].to_numpy()[:, None] > at)).sum(axis=0)
    assert found.pooled == (busy.max(), busy.max())


def test_two_hundred_variants():
    """Blocks of the matrix would be put together wrongly: more rows than a block holds, many of them with gaps."""
    rng = np.random.default_rng(2)
    values = rng.integers(0, 9, (5000, 200), dtype=np.int32)
    there = rng.random((5000, 201)) > 0.0005
    there[0] = True  # a hole before a variant's first row is none
    row, column = np.nonzero(there)
    frame = assemble(
        times=pd.date_range("2026-01-01", periods=5000, freq="5min", tz="UTC"),
        time_codes=row,
        ids=[cap.TOTAL, *(f"v{k:03d}" for k in range(200))],
        id_codes=column,
        values=np.column_stack([values.sum(axis=1) - 7, values])[there],
    )
    found, kept = cap.diversity(frame), there.all(axis=1)
    assert found.intervals == kept.sum() < 5000
    assert found.separate == values[kept].max(axis=0).sum()
    np.testing.assert_array_equal(found.bounds["lower"], values[kept].max(axis=1))
    np.testing.assert_array_equal(found.bounds["upper"], values[kept].sum(axis=1))
