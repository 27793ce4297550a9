"""Call records of a week as the API has them, and the maxima under a hypothesis of what takes a channel."""

from __future__ import annotations

import numpy as np
import pandas as pd

import capacity as cap

HYPOTHESES = [(duration, voice) for duration in ("total_duration", "polyai_duration") for voice in (False, True)]


def records(seed, *, days=7, per_day=1000, handoffs=0.2, chats=0.08) -> pd.DataFrame:
    """Draw calls with whole-second durations; some handed off, some on another channel than voice."""
    calls = cap.simulate_calls("2026-03-02", days=days, seed=seed, tz="UTC", scale=per_day / 3000)
    calls = calls[calls["env"] == "live"].drop(columns=["blocked"]).reset_index(drop=True)
    rng = np.random.default_rng(seed)
    total = ((calls["end"] - calls["start"]) // pd.Timedelta(seconds=1)).to_numpy()
    handed = rng.random(len(calls)) < handoffs
    agent = np.where(handed, np.floor(total * rng.uniform(0.2, 0.9, len(calls))), total)
    return calls.assign(
        total_duration=total,
        polyai_duration=agent,
        end=calls["start"] + pd.to_timedelta(total, unit="s"),
        channel=np.where(rng.random(len(calls)) < chats, "chat", "voice"),
        handoff=handed,
    )


def maxima(calls, duration="total_duration", voice=False, *, start=None, end=None) -> pd.DataFrame:
    """Return what the API would count; `start` and `end` round the times."""
    taking = calls[calls["channel"] == "voice"] if voice else calls
    first, last = taking["start"], taking["start"] + pd.to_timedelta(taking[duration], unit="s")
    first = first if start is None else start(first)
    return cap.intervals_from_calls(taking.assign(start=first, end=last if end is None else end(last)))
