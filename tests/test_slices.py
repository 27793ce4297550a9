"""A slice may be called like a column: what call records were grouped by is not ours to name."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis.percentiles import load_duration

TIMES = pd.date_range("2026-03-02", periods=288 * 60, freq="5min", tz="UTC")
LEVEL = 10 + 6 * np.sin(np.arange(len(TIMES)) * 2 * np.pi / 288)
NAMES = "peak intervals complete name value q date level start days share expected present missing special score"
NAMES += " share_at_top at_total_peak offered_load hours rank key id month index level_0"


def sliced(by: str) -> pd.DataFrame:
    """Return two series and TOTAL, sliced by a column of any name."""
    rng = np.random.default_rng(1)
    noise = rng.poisson(1, (2, len(TIMES)))
    on, off = (0.6 * LEVEL).astype(int) + noise[0], (0.5 * LEVEL).astype(int) + noise[1]
    parts = [
        pd.DataFrame({"time": TIMES, by: v, "max_concurrent": n})
        for v, n in (("*", on + off), ("on", on), ("off", off))
    ]
    return cap.as_intervals(pd.concat(parts))


@pytest.fixture(scope="module")
def usual() -> dict[str, object]:
    """What a slice called "variant" gives."""
    return figures(sliced("variant"))


def figures(frame: pd.DataFrame) -> dict[str, object]:
    """Return figures of every analysis, without the name of the slice."""
    found = cap.assess(frame, 15, tz="UTC", seed=1, horizon=7, backtest=False)
    assert json.dumps(found.to_dict())
    return {
        "top": cap.top_peaks(frame, 3)["peak"].tolist(),
        "top of peaks": cap.top_peaks(cap.daily_peaks(frame), 3)["date"].tolist(),
        "hours": cap.percentiles(frame, by="hour")["value"].tolist(),
        "duration": load_duration(frame)["hours_a_year"].tolist(),
        "load": cap.offered_load(frame, "3m", by="hour_of_week")["offered_load"].tolist(),
        "sentence": found.sentence(),
        "needed": found.needed.to_numpy().tolist(),
        "diversity": found.diversity.factor,
        "json": [len(row) for part in ("busy_hours", "utilisation", "diversity") for row in found.to_dict()[part]],
    }


@pytest.mark.parametrize("by", NAMES.split())
def test_any_name_of_a_slice_gives_the_same_figures(by: str, usual: dict[str, object]) -> None:
    """A slice called "peak" would end in a ValueError of pandas, or be taken for the column of that name."""
    assert figures(sliced(by)) == usual
