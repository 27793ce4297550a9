"""From call records over real HTTP and back: the same frame as straight from the records."""

from __future__ import annotations

import pandas as pd
import pytest

import capacity as cap
from capacity.fetch.patience import Patience

emulator = pytest.importorskip("capacity.calls.emulator")

RANGE = {"start": "2026-03-28T00:00Z", "end": "2026-03-31T09:35Z"}


@pytest.fixture(scope="module")
def calls():
    """Simulate three days of live calls around a clock change and the end of a week."""
    drawn = cap.simulate_calls("2026-03-28", days=3, seed=5)
    return drawn[drawn["env"] == "live"]


@pytest.mark.parametrize(
    "manners",
    [
        {},
        {"zeros": True},
        {"inclusive_end": True},
        {"zeros": True, "failures": 0.3, "too_many": 0.1, "retry_after": 0, "cut": 0.2, "seed": 3},
    ],
    ids=str,
)
def test_what_is_fetched_is_what_the_records_say(calls, manners, tmp_path):
    """The fetcher and the sweep over call records disagree on an interval, a zero or a name."""
    want = cap.intervals_from_calls(calls, **RANGE)
    switches = emulator.Switches(**manners)
    with (
        emulator.serve(calls, account="A", project="P", key="k", switches=switches) as server,
        cap.Client("A", "P", api_key="k", base_url=server.url) as client,
    ):
        client._patience = Patience(attempts=30, first_wait=0.0, longest_wait=0.0, jitter=0.0)
        frame = cap.fetch_intervals(client, **RANGE, store=tmp_path)
    pd.testing.assert_frame_equal(frame, want)
    pd.testing.assert_frame_equal(cap.read_intervals(tmp_path), want)
