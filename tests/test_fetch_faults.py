"""The fetcher against a server that keeps the contract and does everything else wrong, in 500 seeded runs."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import capacity as cap
from capacity.fetch.patience import Patience

from .faulty_server import STEP_S, FaultyServer, Manners, Truth

MONDAY = int(pd.Timestamp("2026-01-12", tz="UTC").timestamp()) // STEP_S
RUNS, BATCHES = 500, 5
HASTY = Patience(attempts=4, first_wait=0.0, longest_wait=0.0, jitter=0.0)


def at(step: int) -> pd.Timestamp:
    """Return the start of an interval."""
    return pd.Timestamp(step * STEP_S, unit="s", tz="UTC")


def expected(truth: Truth, first: int, last: int, wish: dict[str, Any], *, zeros: bool) -> dict[tuple[int, str], int]:
    """By hand: what the frame has to hold for [first, last); a series begins with its first row, a 0 too if sent."""
    begins: dict[str, int] = {"*": first} if wish.get("total", True) else {}
    for (step, series), value in sorted(truth.values.items()):
        if (value or zeros) and first <= step < last and series != "*" and "slice_by" not in wish:
            begins.setdefault(series, step)
    return {
        (step, series): value
        for (step, series), value in truth.values.items()
        if first <= step < last and series in begins and step >= begins[series]
    }


def as_dict(frame: pd.DataFrame) -> dict[tuple[int, str], int]:
    """Return a frame as the truth is written."""
    return {
        (int(time.timestamp()) // STEP_S, series): value
        for (time, series), value in zip(frame.index, frame["max_concurrent"].tolist(), strict=True)
    }


def answers(client, truth, first, last, store, rng, wish):
    """Ask until nothing is missing; what came before must be a part of the truth."""
    for _ in range(60):
        errors = rng.choice(["raise", "partial"])
        try:
            frame = cap.fetch_intervals(client, at(first), at(last), store=store, errors=errors, **wish)
        except cap.errors.IncompleteError as exc:
            assert exc.failures
            assert all(str(failure.window) in str(exc) for failure in exc.failures[:20])
            frame = exc.frame
        got = as_dict(frame)
        assert all(truth.values[key] == value for key, value in got.items())
        yield got
    raise AssertionError("60 calls were not enough")


@pytest.fixture(scope="module")
def served():
    """Serve all runs of a batch."""
    with FaultyServer() as server, cap.Client("A", "P", api_key="k", base_url=server.url) as client:
        client._patience = HASTY
        yield server, client


@pytest.mark.parametrize("batch", range(BATCHES))
def test_nothing_is_lost_and_nothing_asked_for_twice(served, batch: int, tmp_path: Path) -> None:
    """An interval was lost, doubled or wrong, or a window that was answered was asked for again."""
    server, client = served
    for seed in range(batch, RUNS, BATCHES):
        rng = random.Random(seed)
        first = MONDAY - rng.choice([0, 1, 3, 5] * 8 + [2016 + 2])
        last = max(first + 1, MONDAY + rng.choice([0, 0, 1, 4]))
        server.truth = Truth.drawn(seed, first - 3, last + 3, series=rng.randint(1, 3))
        server.manners = Manners.drawn(rng)
        server.reset(seed)
        store = tmp_path / str(seed) if rng.random() < 0.5 else None
        wish = rng.choice([{}, {"total": False}, {"slice_by": None}])
        want = expected(server.truth, first, last, wish, zeros=server.manners.sends_zeros)
        part = rng.randint(first, last - 1) if store and rng.random() < 0.4 else None
        if part is not None:
            next(answers(client, server.truth, part, last, store, rng, wish))
        for got in answers(client, server.truth, first, last, store, rng, wish):
            if got == want:
                break
            assert set(got) < set(want), f"seed {seed}"
        else:
            raise AssertionError(f"seed {seed}: never whole")
        if store is not None:
            again = Counter(server.answered).most_common(1)[0]
            assert again[1] == 1, f"seed {seed}: {again}"
            asked = len(server.requests)
            assert as_dict(cap.fetch_intervals(client, at(first), at(last), store=store, **wish)) == want
            assert len(server.requests) == asked, f"seed {seed}: what was held was asked for again"
            assert as_dict(cap.read_intervals(store)) == want
