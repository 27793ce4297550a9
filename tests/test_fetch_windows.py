"""Windows are cut on the grid of UTC weeks, and nothing falls between them."""

from __future__ import annotations

import itertools

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.fetch.windows import Window, join, last_closed, split, subtract, week_of

ORIGIN = int(pd.Timestamp("2026-01-01", tz="UTC").timestamp()) // 300
STEPS = st.integers(ORIGIN - 9000, ORIGIN + 9000)


def window(a: int, b: int) -> Window:
    """Return the window between two steps, of at least one."""
    return Window.of_steps(min(a, b), max(a, b) + 1)


def steps(windows) -> list[int]:
    """Return every interval of the windows, in order of the windows."""
    return [step for w in windows for step in range(w.first, w.last)]


@settings(max_examples=100)
@given(STEPS, STEPS)
def test_a_range_is_cut_at_every_monday_and_nothing_is_lost_or_doubled(a, b):
    """An interval fell between two windows or stands in both, or a window is longer than a week."""
    whole = window(a, b)
    parts = split(whole.start, whole.end)
    assert steps(parts) == steps([whole])
    for left, right in itertools.pairwise(parts):
        assert right.start == left.end
        assert (right.start.weekday(), right.start.hour, right.start.minute) == (0, 0, 0)
    assert all(0 < part.steps <= 2016 and part.end <= week_of(part.start) + pd.Timedelta(days=7) for part in parts)


@settings(max_examples=100)
@given(st.tuples(STEPS, STEPS), st.lists(st.tuples(STEPS, STEPS), max_size=6))
def test_subtracting_is_subtracting_sets(whole, held):
    """What is held was asked for, or what is not held was not."""
    whole, held = window(*whole), [window(*h) for h in held]
    left = subtract(whole, held)
    assert steps(left) == sorted(set(steps([whole])) - set(steps(held)))
    assert all(a.end < b.start for a, b in itertools.pairwise(left))


@settings(max_examples=100)
@given(st.lists(st.tuples(STEPS, STEPS), max_size=6))
def test_joining_is_the_union_of_sets(parts):
    """A cover lost or gained an interval when it was joined, or stayed in more windows than it needs."""
    parts = [window(*p) for p in parts]
    joined = join(parts)
    assert steps(joined) == sorted(set(steps(parts)))
    assert all(a.end < b.start for a, b in itertools.pairwise(joined))


def test_a_local_week_of_169_hours_is_no_window_of_its_own():
    """A week of local time with the clock going back was asked for in one window of 169 hours."""
    start, end = (pd.Timestamp(t, tz="Europe/London").tz_convert("UTC") for t in ("2026-10-19", "2026-10-26"))
    assert end - start == pd.Timedelta(hours=169)
    assert [str(w) for w in split(start, end)] == [
        "[2026-10-18T23:00Z, 2026-10-19T00:00Z)",
        "[2026-10-19T00:00Z, 2026-10-26T00:00Z)",
    ]


def test_now_on_the_grid_is_the_end_of_the_interval_before():
    """At 10:05 sharp the interval from 10:00 on was still open, or the one from 10:05 on closed already."""
    for now, closed in [("10:05", "10:05"), ("10:09:59.999999999", "10:05"), ("10:04:59", "10:00")]:
        assert last_closed(pd.Timestamp(f"2026-01-01T{now}Z")) == pd.Timestamp(f"2026-01-01T{closed}Z")
