"""Old weeks that a server keeps by the hour, and zeros before the first call: noticed, said, and not made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import capacity as cap
from capacity.fetch.payload import Rows
from capacity.fetch.strides import _parts, coarse

from .faulty_server import STEP_S, FaultyServer, Truth

MONDAY = pd.Timestamp("2026-03-02", tz="UTC")
FIRST = int(MONDAY.timestamp()) // STEP_S
WEEK = 2016


def rows(steps) -> Rows:
    """Return an answer of the total with these intervals."""
    steps = np.asarray(steps, dtype=np.int32)
    return Rows(steps, steps * 0, steps * 0 + 3, ("*",))


def truth(coarse_steps, fine_steps) -> Truth:
    """Return a truth that is 5 in all of these intervals."""
    return Truth({(FIRST + k, name): 5 for k in (*coarse_steps, *fine_steps) for name in ("*", "a")})


@pytest.mark.parametrize("every", [2, 3, 6, 12])
@pytest.mark.parametrize("offset", [0, 1])
def test_old_weeks_by_the_hour_are_missing_between_and_it_is_said(caplog, every, offset):
    """Eleven of twelve intervals of an old week were 0, "no gaps", and nothing was said."""
    with (
        FaultyServer(truth(range(offset, WEEK, every), range(WEEK, 2 * WEEK))) as server,
        cap.Client("A", "P", api_key="k", base_url=server.url) as client,
    ):
        frame = cap.fetch_intervals(client, MONDAY, MONDAY + pd.Timedelta(weeks=2))
    assert (frame["max_concurrent"] == 5).all()
    assert len(frame) == 2 * (WEEK // every + WEEK)
    assert cap.coverage(cap.total(frame), MONDAY, MONDAY + pd.Timedelta(weeks=2)).gaps["intervals"].sum() == (
        WEEK - WEEK // every
    )
    assert f"only one interval in {every}" in caplog.text
    assert "[2026-03-02T00:00Z, 2026-03-09T00:00Z)" in caplog.text


def test_a_resolution_that_changes_within_a_week(caplog):
    """A week of which four days are kept by the hour was taken for one of many zeros."""
    early = range(0, 4 * 288, 12)
    with (
        FaultyServer(truth(early, range(4 * 288, WEEK))) as server,
        cap.Client("A", "P", api_key="k", base_url=server.url) as client,
    ):
        frame = cap.fetch_intervals(client, MONDAY, MONDAY + pd.Timedelta(weeks=1), slice_by=None)
    assert (frame["max_concurrent"] == 5).all()
    assert len(frame) == 4 * 24 + 3 * 288


def test_hours_alone_are_zero_between_and_it_is_said(caplog):
    """A probe that calls every hour lost its zeros; or nothing was said of weeks that may be kept by the hour."""
    with (
        FaultyServer(truth(range(0, WEEK, 12), ())) as server,
        cap.Client("A", "P", api_key="k", base_url=server.url) as client,
    ):
        frame = cap.fetch_intervals(client, MONDAY, MONDAY + pd.Timedelta(weeks=1), slice_by=None)
    assert len(frame) == WEEK
    assert "only one interval in 12" in caplog.text
    assert "taken to be 0" in caplog.text


@given(st.sets(st.integers(0, WEEK - 1), max_size=12))
def test_a_few_calls_are_no_coarse_grid(steps):
    """A quiet project's few calls (each day at ten, say) were taken for a server's coarser grid."""
    assert coarse([rows(sorted(FIRST + k for k in steps))]) == []


def test_zeros_before_the_first_call_are_said(caplog):
    """Two months from before a project's launch were filled with zeros, and nothing was said."""
    with (
        FaultyServer(truth((), range(2 * WEEK, 2 * WEEK + 300))) as server,
        cap.Client("A", "P", api_key="k", base_url=server.url) as client,
    ):
        frame = cap.fetch_intervals(client, MONDAY, MONDAY + pd.Timedelta(weeks=3), slice_by=None)
        assert (frame["max_concurrent"].iloc[: 2 * WEEK] == 0).all()
        assert "no call before 2026-03-16T00:00Z: 14 days before it are 0" in caplog.text
        caplog.clear()
        cap.fetch_intervals(client, MONDAY + pd.Timedelta(weeks=2), MONDAY + pd.Timedelta(weeks=3), slice_by=None)
        assert "no call before" not in caplog.text


def test_steps_are_cut_where_a_utc_week_begins():
    """The first interval of a week would be taken for the last one's."""
    monday = pd.Timestamp("2026-03-02", tz="UTC").value // 300_000_000_000
    steps = monday + np.array([-2016, -3, -1, 0, 1, 2015, 2016])
    assert [part.tolist() for part in _parts(steps, 2016)] == [
        (monday + np.array(part)).tolist() for part in ([-2016, -3, -1], [0, 1, 2015], [2016])
    ]
