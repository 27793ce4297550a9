from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import capacity as cap
from capacity.errors import ConfigError

from .test_intervals import T0, rows

STEP = pd.Timedelta(minutes=5)


def test_names_every_gap():
    """A hole in the data would not be seen."""
    cov = cap.coverage(cap.as_intervals(rows((0, "*", 1), (3, "*", 1), (4, "*", 1), (9, "*", 1))))
    assert cov.gaps[["start", "end", "intervals"]].to_numpy().tolist() == [
        [T0 + STEP, T0 + 3 * STEP, 2],
        [T0 + 5 * STEP, T0 + 9 * STEP, 4],
    ]
    assert "2 gaps" in str(cov)
    assert "14:05 to 2026-07-01 14:15 (2 intervals)" in str(cov)
    assert not cov.complete


def test_range_beyond_the_rows_is_a_gap():
    """What was asked for but is not there at either end would pass for complete."""
    cov = cap.coverage(cap.as_intervals(rows((2, "*", 1))), start=T0, end=T0 + 4 * STEP)
    assert cov.gaps["intervals"].tolist() == [2, 1]
    assert cov.table.loc["*", ["expected", "present", "missing"]].tolist() == [4, 1, 3]


def test_variant_that_appears_later_is_expected_from_then_on():
    """A new variant would be reported as missing for all the time before it existed."""
    frame = cap.as_intervals(rows((0, "*", 1), (1, "*", 1), (2, "*", 1), (1, "new", 1), (2, "new", 1)))
    assert cap.coverage(frame).complete


def test_one_interval_and_no_interval():
    """The smallest frames would crash."""
    assert cap.coverage(cap.as_intervals(rows((0, "*", 1)))).complete
    empty = cap.as_intervals(rows())
    with pytest.raises(ConfigError, match="start and end"):
        cap.coverage(empty)
    assert cap.coverage(empty, T0, T0 + STEP).gaps["intervals"].tolist() == [1]
    with pytest.raises(ConfigError, match="not before"):
        cap.coverage(empty, T0, T0)


@given(st.sets(st.tuples(st.integers(0, 20), st.sampled_from(["*", "a", "b"])), min_size=1))
def test_gaps_and_rows_make_the_whole(cells):
    """Rows and gaps would overlap or leave something unsaid (against a brute-force set)."""
    frame = cap.as_intervals(rows(*((s, label, 1) for s, label in cells)))
    cov = cap.coverage(frame, T0, T0 + 21 * STEP)
    first = {label: min(s for s, x in cells if x == label) for _, label in cells}
    for label in cov.table.index:
        held = {s for s, x in cells if x == label}
        from_start = label == "*" or first[label] == min(first.values())
        due = set(range(0 if from_start else first[label], 21))
        mine = cov.gaps[cov.gaps["variant"] == label]
        said = {k for gap in mine.itertuples() for k in range(int((gap.start - T0) / STEP), int((gap.end - T0) / STEP))}
        assert said == due - held
        assert cov.table.loc[label, "missing"] == len(said)


def test_a_variant_that_ended_before_the_range_is_missing_from_it():
    """A variant that vanished would pass for complete, because nothing of it is in the range."""
    frame = cap.as_intervals(rows((0, "*", 1), (0, "gone", 1), (4, "*", 1), (5, "*", 1)))
    cov = cap.coverage(frame, start=T0 + 4 * STEP)
    assert cov.table.loc["gone", ["expected", "present"]].tolist() == [2, 0]
    assert cov.gaps[["variant", "intervals"]].to_numpy().tolist() == [["gone", 2]]
