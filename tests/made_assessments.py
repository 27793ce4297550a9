"""Assessments that the tests of the report share: an ordinary one, and those at the ends of what can come."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

import capacity as cap
from capacity.analysis.assessment import Assessment
from capacity.forecast.paths import PeakForecast
from capacity.ground.licences import as_licences

# What people call their variants, and what must not happen: mathematics, boxes, lines, a page that bursts.
NAMES = (
    "$5_off & $10_off",
    "Reservations, northern region, second line, overflow (do not use after the end of 2025)",
    "予約センター",
    "حجز الفنادق",
    r"a\frac{1}{2}^2$x$",
    "Бронирование",
    "party \N{PARTY POPPER}",
    "line\nbreak\ttab",
    "\U000f0000\U000f0001",
)


def frame(
    days: int, variants: int, level: float, *, start: str = "2026-01-05", every: str = "5min", seed: int = 1
) -> pd.DataFrame:
    """Return TOTAL and so many variants with a working day's rhythm; `every` thins out the intervals."""
    times = pd.date_range(start, periods=days, freq="D", tz="UTC")
    times = pd.date_range(times[0], times[-1] + pd.Timedelta(days=1), freq=every, inclusive="left")
    hour = times.hour + times.minute / 60
    shape = np.exp(-(((hour - 11) / 4) ** 2)) * np.array([1.1, 1, 1, 1, 1.05, 0.5, 0.3])[times.day_of_week]
    weights = 1 / np.arange(1, variants + 1) ** 0.7
    rng = np.random.default_rng(seed)
    each = rng.poisson(np.outer(level * shape, weights / weights.sum()) if variants else np.zeros((len(times), 0)))
    whole = each.sum(axis=1) if variants else rng.poisson(level * shape)
    ids = [cap.TOTAL, *(f"v{k:03d}" for k in range(variants))]
    names = ["", *(NAMES[k] if k < len(NAMES) else f"Variant {k}" for k in range(variants))]
    return cap.as_intervals(
        pd.DataFrame(
            {
                "time": times.repeat(len(ids)),
                "variant": np.tile(ids, len(times)),
                "max_concurrent": np.column_stack([whole, each]).ravel(),
                "variant_name": np.tile(names, len(times)),
            }
        )
    )


@cache
def ordinary() -> Assessment:
    """Ten weeks of three variants, with a gap, licences in two steps, and everything computed."""
    whole = frame(74, 3, 60)
    times = whole.index.get_level_values("time")
    kept = whole[~((times >= "2026-02-02T10:00Z") & (times < "2026-02-04T09:00Z"))]
    licences = "70,2026-02-16:85"
    prices = {"mean_call_length": "3m", "licence_price": 300, "lost_call_cost": 2}
    return cap.assess(kept, licences, tz="Europe/London", seed=1, horizon=30, name="Northwind Hotels", **prices)


def hand_made(base: Assessment, *, days: int, level: float, licences: str) -> Assessment:
    """Put a forecast of so many days and such a level into an assessment that has none."""
    held = as_licences(licences)
    own = base.peaks.xs(base.variant, level=1)["peak"].astype(float)
    dates = pd.date_range(own.index[-1] + pd.Timedelta(days=1), periods=days, name="date")
    rng = np.random.default_rng(3)
    week = np.array([1.1, 1, 1, 1, 1.05, 0.5, 0.3])[dates.day_of_week]
    drift = np.exp(np.cumsum(rng.normal(0.0003, 0.006, (400, days)), axis=1))
    paths = np.rint(level * week * drift * rng.normal(1, 0.04, (400, days))).clip(0).astype(np.int32)
    history = own.to_frame(base.variant)
    forecast = PeakForecast(paths[None], (base.variant,), dates, history)
    horizons = [h for h in (30, 90, 365) if h < days] + [days]
    return replace(
        base,
        licences=held,
        horizon=days,
        forecast=forecast,
        headroom=cap.headroom(forecast, held),
        needed=cap.licences_needed(forecast, horizons=horizons),
    )


@cache
def extreme(name: str) -> Assessment:
    """Return one of the assessments at the ends of what can come."""
    if name == "one interval":
        return cap.assess(frame(1, 0, 3).iloc[:1], 10, tz="UTC", seed=1)
    if name == "one week, peaks of 3":
        return cap.assess(frame(7, 0, 1.0), 3, tz="Asia/Kathmandu", seed=1, name="A name " * 40)
    if name == "200 variants, peaks of 30,000":
        base = cap.assess(frame(14, 200, 30_000, every="2h"), 32_000, tz="America/St_Johns", seed=1, name=NAMES[0])
        return hand_made(base, days=90, level=29_000, licences="20000,2026-01-12:25000,2026-02-01:32000")
    if name == "five years":
        thin = frame(5 * 365, 2, 800, start="2021-01-01", every="12h")
        steps = "500,2022-01-01:550,2022-06-01:560,2022-06-10:570,2023-01-01:600,2024-01-01:800,2025-02-01:1000"
        return hand_made(cap.assess(thin, steps, tz="UTC", seed=1), days=365, level=900, licences=steps)
    if name == "nobody called":
        return hand_made(
            cap.assess(frame(30, 1, 0.0, every="1h"), 10, tz="UTC", seed=1), days=30, level=0, licences="10"
        )
    if name == "far above the licences":
        base = cap.assess(frame(20, 1, 50, every="1h"), 1, tz="UTC", seed=1)
        return hand_made(base, days=14, level=60, licences="1")
    if name == "by language":
        return cap.assess(frame(14, 2, 30, every="1h").rename_axis(index={"variant": "language"}), 40, tz="UTC", seed=1)
    if name == "no total":
        parts = cap.variants(frame(20, 3, 50, every="1h"))
        return cap.assess(parts, 60, tz="UTC", seed=1)
    raise KeyError(name)


# Each with the pages on which it has given trouble.
EXTREMES = {
    "one interval": "1236",
    "one week, peaks of 3": "123",
    "200 variants, peaks of 30,000": "1246",
    "five years": "126",
    "nobody called": "356",
    "far above the licences": "15",
    "no total": "14",
    "by language": "46",
}
