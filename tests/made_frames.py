"""Frames that the tests of the analyses share, and the plain table that they check against."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

import capacity as cap

ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]

# The local day on which each clock goes forward and back, and how many 5-minute intervals it has.
CLOCK_DAYS = [
    ("Europe/London", "2026-03-29", 276),
    ("Europe/London", "2026-10-25", 300),
    ("America/New_York", "2026-03-08", 276),
    ("America/New_York", "2026-11-01", 300),
    ("Australia/Lord_Howe", "2026-10-04", 282),
    ("Australia/Lord_Howe", "2026-04-05", 294),
    ("Asia/Kolkata", "2026-03-29", 288),
]


def of(series: dict[str, pd.Series | tuple[pd.DatetimeIndex, object]]) -> pd.DataFrame:
    """Return the frame of a (times, values) pair by variant."""
    parts = [
        pd.DataFrame({"time": times, "variant": variant, "max_concurrent": values})
        for variant, (times, values) in series.items()
    ]
    return cap.as_intervals(pd.concat(parts))


def every(start: str, end: str) -> pd.DatetimeIndex:
    """Return all interval starts of [start, end), UTC."""
    return pd.date_range(start, end, freq="5min", tz="UTC", inclusive="left")


@functools.lru_cache(maxsize=8)
def ragged(seed: int, start: str = "2026-03-01", end: str = "2026-04-12", scale: int = 1) -> pd.DataFrame:
    """Return TOTAL, a busy variant with holes, one of zeros and one that begins in mid-range."""
    times, rng = every(start, end), np.random.default_rng(seed)
    load = 1 + 6 * np.clip(np.sin(np.arange(len(times)) / 288 * 2 * np.pi), 0, None)
    late = len(times) // 2 + 37
    holes = rng.random(len(times)) < 0.97
    holes[400:700] = False
    return of(
        {
            cap.TOTAL: (times, rng.poisson(2 * load) * scale),
            "busy": (times[holes], (rng.poisson(load) * scale)[holes]),
            "idle": (times, np.zeros(len(times), dtype=int)),
            "late": (times[late:], rng.poisson(load[late:]) * scale),
        }
    )


def plain(frame: pd.DataFrame, tz: str) -> pd.DataFrame:
    """Return the frame as columns with local time, converted one time after the other: what analyses are held to."""
    table = frame.reset_index()
    local = {time: time.tz_convert(tz).tz_localize(None) for time in table["time"].unique()}
    table["local"] = table["time"].map(local)
    table["date"] = table["local"].dt.normalize()
    return table
