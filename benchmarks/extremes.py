"""Return levels with profile-likelihood limits beside pyextremes' bootstrap for the same level.

pyextremes is no dependency: it runs in a Python of its own, named by CAPACITY_PYEXTREMES
(``python -m venv V && V/bin/pip install pyextremes``, then ``CAPACITY_PYEXTREMES=V/bin/python``). Without it its
columns stay empty.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

import capacity as cap
from benchmarks.table import Row, median_time
from capacity.stats.extremes import Fit, fit_excesses, fit_gev

_SAMPLES = 100  # bootstrap fits, pyextremes' default; limits that hold still need ten times as many

_PEER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
from pyextremes import EVA
task = json.load(sys.stdin)
series = pd.Series(task["values"], index=pd.date_range("1920-01-01", periods=len(task["values"]), freq="D"))
out = {}
for kind in ("GEV", "GPD"):
    began = time.perf_counter()
    model = EVA(series)
    if kind == "GEV":
        model.get_extremes("BM", block_size="365.2425D")
    else:
        model.get_extremes("POT", threshold=task["threshold"], r="24h")
    model.fit_model("MLE", distribution="genextreme" if kind == "GEV" else "genpareto")
    level, low, high = model.get_return_value(100, alpha=0.95, n_samples=task["samples"])
    out[kind] = [float(level), float(low), float(high), time.perf_counter() - began]
print(json.dumps(out))
"""


def run() -> list[Row]:
    values = stats.gamma.rvs(3.0, scale=20.0, size=65 * 365, random_state=1)
    threshold = float(np.quantile(values, 0.99))
    over = values[values > threshold] - threshold
    blocks = values.reshape(65, 365).max(axis=1)
    peer = _peer(values, threshold)
    days = pd.Series(np.round(values[:1100]), index=pd.date_range("2023-01-01", periods=1100))
    rows = []
    for kind, fit, period in (
        ("GEV", lambda: fit_gev(blocks), 100.0),
        ("GPD", lambda: fit_excesses(over, threshold=threshold, rate=len(over) / len(values)), 36524.0),
    ):
        ours = median_time(_level(fit, period), 5)
        theirs = peer.get(kind)
        note = f"ours {_limits(_level(fit, period)())}" + (f", theirs {_limits(theirs)}" if theirs else "")
        seconds = theirs[3] if theirs else None
        name = f"{kind}: 100-year level with 95 % limits"
        rows.append(Row(name, ours, seconds, f"pyextremes, {_SAMPLES:,} bootstrap fits", note=note))
    rows.append(Row("return_levels, three years of days, both fits", median_time(lambda: cap.return_levels(days), 3)))
    return rows


def _level(fit: Callable[[], Fit], period: float) -> Callable[[], tuple[float, float, float]]:
    def work() -> tuple[float, float, float]:
        done = fit()
        return (done.return_level(period), *done.return_level_limits(period))

    return work


def _limits(found: tuple[float, ...] | list[float]) -> str:
    return f"{found[0]:.0f} ({found[1]:.0f} to {found[2]:.0f})"


def _peer(values: np.ndarray, threshold: float) -> dict[str, list[float]]:
    python = os.environ.get("CAPACITY_PYEXTREMES")
    if not python:
        return {}
    task = json.dumps({"values": values.tolist(), "threshold": threshold, "samples": _SAMPLES})
    done = subprocess.run([python, "-c", _PEER], input=task, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))
