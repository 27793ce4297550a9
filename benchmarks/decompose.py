"""Trend and cycles of 5-minute data: ours and MSTL of statsmodels, time and truth.

The truth is known, since the data are made of it: growth and a yearly wave, opening hours, weekdays, correlated
noise and a few outages and storms. The note gives the root mean square error of trend + daily + weekly on the scale
sqrt(calls + 3/8), ours against the peer's.

MSTL as it comes smooths at every point; with its ``jump`` options it smooths at every 300th and goes straight between.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import capacity as cap
from benchmarks.table import Row, median_time

__all__ = ["run"]

Array = npt.NDArray[np.float64]

_SLOTS = 288
_START = pd.Timestamp("2024-01-01T00:00Z")  # a Monday
_JUMPS = {"trend_jump": 300, "low_pass_jump": 200}


def run() -> list[Row]:
    """Return the rows: two years against MSTL with jumps, plain and robust; eight weeks against MSTL as it comes."""
    rows = [_case("2 years of 5-minute data", 104, "MSTL with jumps", robust=False, **_JUMPS)]
    rows.append(_case("2 years of 5-minute data", 104, "robust MSTL with jumps", robust=True, outer_iter=3, **_JUMPS))
    rows.append(_case("8 weeks of 5-minute data", 8, "MSTL", robust=False))
    return rows


def _case(case: str, weeks: int, name: str, **settings: Any) -> Row:
    calls, known = _made(weeks)
    times = pd.date_range(_START, periods=len(calls), freq="5min")
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    parts = cap.decompose(frame).components
    ours = _rms(parts["trend"] + parts["daily"] + parts["weekly"] - known)
    seconds = median_time(lambda: cap.decompose(frame), 3)
    peer = _mstl(np.sqrt(calls + 0.375), settings)
    if peer is None:
        return Row(case, seconds, note=f"error {ours:.3f}; statsmodels is not installed")
    held: list[Array] = []
    peer_seconds = median_time(lambda: held.append(peer()), 1, warm_up=0)
    return Row(case, seconds, peer_seconds, name, note=f"error {ours:.3f} against {_rms(held[0] - known):.3f}")


def _mstl(z: Array, settings: dict[str, Any]) -> Callable[[], Array] | None:
    try:
        from statsmodels.tsa.seasonal import MSTL
    except ImportError:
        return None

    def fit() -> Array:
        found = MSTL(z, periods=(_SLOTS, 7 * _SLOTS), stl_kwargs={"inner_iter": 2, "outer_iter": 0, **settings}).fit()
        return np.asarray(found.trend + found.seasonal.sum(axis=1))

    return partial(fit)


def _made(weeks: int) -> tuple[npt.NDArray[np.int64], Array]:
    """Return the calls, and the trend and cycles that they were made of."""
    rng = np.random.default_rng(1)
    step = np.arange(weeks * 7 * _SLOTS)
    years, hour, day = step / (_SLOTS * 365.25), step % _SLOTS / 12, step // _SLOTS % 7
    open_ = np.where((hour >= 8) & (hour < 20), 1 + 0.3 * np.sin((hour - 8) / 12 * 2 * np.pi), 0.0)
    known = (
        np.sqrt(50 * (1 + 0.4 * years) * (1 + 0.12 * np.sin(2 * np.pi * years)))
        + 2.5 * (open_ - open_.mean()) * (1 + 0.2 * years)
        + np.array([0.8, 0.4, 0.3, 0.2, 0.1, -0.7, -1.1])[day]
        + np.array([0.5, 0.1, 0.0, -0.1, -0.3, -0.6, 0.4])[day] * open_
    )
    spells = np.convolve(rng.normal(0, 0.42, len(step) + 2), [0.85, 0.45, 0.28], mode="valid")
    z = known + spells + rng.normal(0, 0.15, weeks * 7)[step // _SLOTS]
    for start in rng.integers(0, len(step) - _SLOTS, 8):
        z[start : start + rng.integers(12, _SLOTS)] += rng.choice([-4.0, 4.0, 6.0])
    return np.maximum(np.round(np.maximum(z, 0) ** 2 - 0.375), 0).astype(np.int64), known


def _rms(error: Any) -> float:
    return float(np.sqrt(np.mean(np.square(np.asarray(error)))))
