"""Synthetic calls: how many a second, with and without a cap that turns calls away."""

from __future__ import annotations

import heapq

import numpy as np
import pandas as pd

import capacity as cap
from benchmarks.table import Row, median_time
from capacity.calls.simulate import turn_away


def heap_loop(starts: np.ndarray, ends: np.ndarray, most: int) -> list[bool]:
    """Decide call after call with a heap of those in progress: the plain way to be exact."""
    busy: list[int] = []
    blocked = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        while busy and busy[0] <= start:
            heapq.heappop(busy)
        blocked.append(len(busy) >= most)
        if not blocked[-1]:
            heapq.heappush(busy, end)
    return blocked


def run() -> list[Row]:
    """Time the demo's calls, ten times as many, and the cap alone."""
    rows = []
    for scale in (1, 10):
        n = len(cap.simulate_calls(scale=scale, seed=1))
        taken = median_time(lambda scale=scale: cap.simulate_calls(scale=scale, seed=1), 3)
        rows.append(
            Row(
                f"simulate, 400 days, {n / 1e6:.1f} million calls",
                taken,
                note=f"{n / taken / 1e6:.1f} million a second",
            )
        )
    calls = cap.simulate_calls(seed=1)
    starts, ends = (pd.DatetimeIndex(calls[c]).asi8 for c in ("start", "end"))
    for most in (75, 50):
        caps = np.full(len(calls), most)
        blocked = turn_away(starts, ends, caps)
        assert blocked.tolist() == heap_loop(starts, ends, most)
        rows.append(
            Row(
                f"turn away at {most} licences, {len(calls) / 1e6:.1f} million calls",
                median_time(lambda caps=caps: turn_away(starts, ends, caps)),
                median_time(lambda most=most: heap_loop(starts, ends, most), 3),
                "loop with a heap",
                note=f"{blocked.mean():.2%} turned away",
            )
        )
    return rows
