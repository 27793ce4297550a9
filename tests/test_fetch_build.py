"""Answers become a frame without ever taking much more memory than it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from capacity.fetch.build import Layer, build
from capacity.fetch.payload import Rows
from capacity.fetch.windows import Window
from capacity.ground.frame import assemble


@pytest.mark.parametrize("gaps", [False, True])
def test_building_takes_little_more_than_the_frame(gaps):
    """A frame of years took many times its own memory to build."""
    steps, series = 50_000, 20
    window = Window.of_steps(5_000_000, 5_000_000 + steps)
    values = np.random.default_rng(1).integers(gaps * -1, 9, (steps, series)).astype(np.int32)
    at, codes = np.nonzero(values >= 0)
    rows = Rows(
        (at + window.first).astype(np.int32),
        codes.astype(np.int32),
        values[at, codes],
        tuple(f"v{k:02d}" for k in range(series)),
    )
    del at, codes
    layer = Layer(None, [window], [rows])
    build([layer], window, by="variant", absent="missing")
    tracemalloc.start()
    frame = build([layer], window, by="variant", absent="missing")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(frame) == len(rows)
    assert peak < 2.5 * frame.memory_usage(index=True).sum()


def test_putting_parts_in_order_together_takes_little_more_than_the_frame():
    """Parts that are in order already were sorted all the same, with keys of eight bytes a row."""
    steps, series = 50_000, 20
    times = pd.date_range("2026-01-01", periods=steps, freq="5min", tz="UTC")
    parts = {
        "times": times,
        "time_codes": np.repeat(np.arange(steps, dtype=np.int32), series),
        "ids": [f"v{k:02d}" for k in range(series)],
        "id_codes": np.tile(np.arange(series, dtype=np.int8), steps),
        "values": np.ones(steps * series, dtype=np.int32),
    }
    assemble(**parts)
    tracemalloc.start()
    frame = assemble(**parts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.0 * frame.memory_usage(index=True).sum()
