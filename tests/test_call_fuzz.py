"""Call logs in random dialects: each is read right, or refused; never wrong."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings

import capacity as cap
from capacity.calls.decide import Undecided
from capacity.errors import CapacityError
from tests.call_dialects import Written, logs

RUNS = int(os.environ.get("CAPACITY_FUZZ", "0"))  # a long run, each time with other logs
TOLERANCE = 0.002  # [s] of lengths that are fractions of a minute or day


def same(calls: cap.Calls, log: Written) -> bool:
    """Whether the calls are those that were written, in any order."""
    frame = calls.frame
    if frame["end"].isna().any() or len(frame) != len(log.calls):
        return False
    found = sorted((s.timestamp(), e.timestamp()) for s, e in zip(frame["start"], frame["end"], strict=True))
    return all(
        abs(a - c) < TOLERANCE and abs(b - d) < TOLERANCE
        for (a, b), (c, d) in zip(found, sorted(log.calls), strict=True)
    )


@settings(
    max_examples=RUNS or 150,
    derandomize=not RUNS,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(log=logs())
def test_right_or_refused(tmp_path_factory, log):
    """A dialect would be guessed at, and calls be counted that never were."""
    path = Path(tmp_path_factory.mktemp("fuzz")) / "log.csv"
    path.write_bytes(log.data)
    try:
        calls = cap.read_calls(path, tz=log.tz)
    except Undecided as exc:
        outcomes = []
        for command, _ in exc.choices:
            try:
                outcomes.append(same(eval(command, {"cap": cap}), log))  # our own words, to be pasted
            except CapacityError:
                outcomes.append(False)
        assert any(outcomes), f"none of the choices is right: {log.how}\n{exc}"
        return
    except CapacityError:
        return
    assert same(calls, log), f"{log.how}\n{calls.account}\n{calls.frame.head()}"
