"""The event sweep against a brute-force count."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.calls import keys, sweep

STEP = 300_000_000_000
BASE = pd.Timestamp("2026-03-29T00:00Z").value


def brute(calls: list[tuple[int, int, str]], first: int, last: int) -> dict[tuple[int, str], int]:
    """Count in progress at every instant at which it can be most: each start, and each interval's beginning."""
    out = {}
    for label in {g for *_, g in calls} | {cap.TOTAL}:
        mine = [(s, e) for s, e, g in calls if label in (g, cap.TOTAL)]
        for step in range(first, last, STEP):
            instants = [step, *(s for s, _ in mine if step <= s < step + STEP)]
            out[step, label] = max(sum(s <= t < e for s, e in mine) for t in instants)
    return out


def as_calls(rows: list[tuple[int, int, str]]) -> pd.DataFrame:
    """Call records of (start, end, variant)."""
    return pd.DataFrame(
        {
            "start": pd.DatetimeIndex([s for s, *_ in rows], tz="UTC"),
            "end": pd.DatetimeIndex([e for _, e, _ in rows], tz="UTC"),
            "variant": [g for *_, g in rows],
        }
    )


instants = st.one_of(
    st.integers(0, 12 * STEP),
    st.builds(lambda k, d: max(k * STEP + d, 0), st.integers(0, 12), st.sampled_from([-1, 0, 1])),
    st.builds(lambda k: k * 60_000_000_000, st.integers(0, 60)),
)
one_call = st.builds(
    lambda a, b, g: (BASE + min(a, b), BASE + max(a, b), g), instants, instants, st.sampled_from(["a", "b", "c d", ""])
)


@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(one_call, min_size=1, max_size=25),
    word=st.sampled_from([63, 43]),
    piece=st.sampled_from([1 << 19, 3]),
)
def test_identical_to_brute_force(rows, word, piece):
    """Ties, boundaries to the nanosecond, calls over many intervals and of no length would be counted wrongly."""
    span = {"start": pd.Timestamp(BASE, tz="UTC"), "end": pd.Timestamp(BASE + 12 * STEP, tz="UTC")}
    expected = brute(rows, BASE, BASE + 12 * STEP)
    calls = as_calls(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_WORD_BITS", word)  # 43: as if time and group did not fit into one word
        patch.setattr(sweep, "_PIECE", piece)  # 3: calls enough for several pieces of time
        sparse = cap.intervals_from_calls(calls, **span, absent="missing")
        dense = cap.intervals_from_calls(calls, **span)
    found = {(t.value, g): n for (t, g), n in sparse["max_concurrent"].items()}
    assert found == {k: n for k, n in expected.items() if n > 0 or k[1] == cap.TOTAL}
    begun = {g: min(t for (t, h), n in expected.items() if h == g and n) for (_, g), n in expected.items() if n}
    begun[cap.TOTAL] = BASE
    found = {(t.value, g): n for (t, g), n in dense["max_concurrent"].items()}
    assert found == {(t, g): n for (t, g), n in expected.items() if g in begun and t >= begun[g]}
