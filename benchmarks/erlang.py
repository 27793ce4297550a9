"""Erlang B on arrays beside the plain recursion, its inverses beside bisection, and maxima beside dense matrices."""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm
from scipy.stats import poisson

import capacity as cap
from benchmarks.table import Row, median_time
from capacity.stats.maxima import law_of_maximum

_SIZES = ((100, 100_000), (1_000, 100_000), (10_000, 20_000), (100_000, 2_000))
_PLAIN = 200  # elements the plain recursion is timed on; it is linear in them


def plain(channels: int, load: float) -> float:
    """Erlang's recursion, as textbooks and peers have it."""
    b = 1.0
    for n in range(1, channels + 1):
        b = load * b / (n + load * b)
    return b


def plain_channels(load: float, blocking: float) -> int:
    """Find the fewest channels by running the recursion until it is low enough."""
    b, n = 1.0, 0
    while b > blocking:
        n += 1
        b = load * b / (n + load * b)
    return n


def plain_load(channels: int, blocking: float) -> float:
    """Find the load by bisection on the recursion."""
    low, high = 0.0, 2.0 * channels / (1.0 - blocking) + 1.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if plain(channels, middle) < blocking else (low, middle)
    return low


def dense_mean(load: float, turn: float) -> float:
    """E[max] by one dense matrix exponential for each count."""
    mean = 0.0
    for c in range(1, int(load + 10 * load**0.5) + 10):
        n = np.arange(c)
        q = np.diag(-(load + n)) + np.diag(np.full(c - 1, load), 1) + np.diag(n[1:].astype(float), -1)
        mean += 1 - float(poisson.pmf(n, load) @ expm(q * turn) @ np.ones(c))
    return mean


def run() -> list[Row]:
    rng = np.random.default_rng(1)
    rows = []
    for top, count in _SIZES:
        n = rng.integers(1, top + 1, count)
        a = n * rng.uniform(0.5, 1.3, count)
        some = [(int(i), float(x)) for i, x in zip(n[:_PLAIN], a[:_PLAIN], strict=True)]
        peer = median_time(lambda some=some: [plain(i, x) for i, x in some], 3) * count / len(some)
        ours = median_time(lambda n=n, a=a: cap.erlang_b(n, a), 3)
        worst = max(abs(cap.erlang_b(i, x) / plain(i, x) - 1) for i, x in some if plain(i, x) > 1e-200)
        note = f"largest relative difference {worst:.0e}"
        rows.append(Row(f"erlang_b, {count:,} of 1 to {top:,} channels", ours, peer, "plain recursion", note=note))
    n = rng.integers(1, 1001, 10_000)
    a = n * rng.uniform(0.5, 1.3, 10_000)
    some = [(int(i), float(x)) for i, x in zip(n[:20], a[:20], strict=True)]
    peer = median_time(lambda: [plain_channels(x, 0.01) for _, x in some], 3) * len(n) / len(some)
    rows.append(Row("channels_for, 10,000", median_time(lambda: cap.channels_for(a, 0.01), 3), peer, "plain recursion"))
    peer = median_time(lambda: [plain_load(i, 0.01) for i, _ in some], 1) * len(n) / len(some)
    rows.append(Row("load_for, 10,000", median_time(lambda: cap.load_for(n, 0.01), 3), peer, "bisection on it"))
    peer = median_time(lambda: dense_mean(50.0, 5 / 3), 3)
    ours = median_time(lambda: law_of_maximum(np.array([50.0]), 5 / 3), 3)
    rows.append(Row("E[max over 5 minutes] at 50 Erlang", ours, peer, "dense matrix exponentials"))
    ours = median_time(lambda: law_of_maximum(np.linspace(1, 200, 200), 5 / 3), 3)
    rows.append(Row("the same for 200 loads up to 200 Erlang", ours))
    return rows + _traffic(rng)


def _traffic(rng: np.random.Generator) -> list[Row]:
    import pandas as pd

    times = pd.date_range("2025-01-01T00:00Z", periods=105_120, freq="5min")
    hour = np.arange(len(times)) % 288 / 12
    load = 1 + 40 * np.clip(np.sin((hour - 7) / 13 * np.pi), 0, None)
    values = np.minimum(rng.poisson(load + 1.2 * np.sqrt(load)), 55)
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": values}))
    cases = {
        "offered_load, a year of intervals": lambda: cap.offered_load(frame, "3m", licences=55),
        "offered_load, a year by hour": lambda: cap.offered_load(frame, "3m", by="hour", licences=55),
        "blocking, a year with limits and curve": lambda: cap.blocking(frame, "3m", 55),
    }
    return [Row(name, median_time(fn, 1)) for name, fn in cases.items()]
