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


# Situations: each calls for another headline --------------------------------------------------------------------------


def from_peaks(peaks: dict[str, np.ndarray], start: str = "2025-01-06") -> pd.DataFrame:
    """Return a frame whose daily peaks are these, by series: every day rises to its peak before noon and falls."""
    days = len(next(iter(peaks.values())))
    hour = np.arange(288) / 12
    shape = np.exp(-(((hour - 11) / 3) ** 2))  # 1 at 11:00
    times = pd.date_range(start, periods=288 * days, freq="5min", tz="UTC")
    parts = [
        pd.DataFrame({"time": times, "variant": name, "max_concurrent": np.floor(np.outer(top, shape)).ravel()})
        for name, top in peaks.items()
    ]
    return cap.as_intervals(pd.concat(parts))


def weekly(days: int, level: float, seed: int = 1, *, growth: float = 1.0) -> np.ndarray:
    """Return daily peaks [calls] with quiet weekends; `growth` is the factor from the first day to the last."""
    week = np.where(np.arange(days) % 7 < 5, 1.0, 0.45)
    return np.random.default_rng(seed).poisson(level * week * growth ** np.linspace(0, 1, days))


def relicensed(base: Assessment, licences: str) -> Assessment:
    """Put other licences into an assessment whose peaks never reached those it had."""
    held = as_licences(licences)
    assert base.forecast is not None
    own, at = base.daily(base.variant), held.on(base.peaks.index.unique(0))
    return replace(
        base,
        licences=held,
        headroom=cap.headroom(base.forecast, held),
        days_at_licences=int((own.to_numpy() >= at).sum()),
        days_above_licences=int((own.to_numpy() > at).sum()),
    )


_DAYS = 400
_ASK = {"tz": "UTC", "seed": 1, "horizon": 30}


@cache
def tested() -> Assessment:
    """Peaks about 70, of which enough was tested, far below the licences."""
    return cap.assess(from_peaks({cap.TOTAL: weekly(_DAYS, 70)}), 300, name="Northwind Hotels", **_ASK)


@cache
def situation(name: str) -> Assessment:
    """Return an assessment in one of the situations that `SITUATIONS` names."""
    rng = np.random.default_rng(3)
    total = {cap.TOTAL: weekly(_DAYS, 70)}
    if name in ("tight", "too few", "ample", "far too many", "about to be cut"):
        steps = {"tight": "97", "too few": "85", "ample": "112", "far too many": "1000",
                 "about to be cut": "115,2026-02-20:90"}  # fmt: skip
        return relicensed(tested(), steps[name])
    if name == "capped":
        return cap.assess(from_peaks({cap.TOTAL: np.minimum(weekly(120, 70), 60)}), 60, **_ASK)
    if name == "soft-capped":
        seen = np.where(total[cap.TOTAL] >= 60, 61 + rng.integers(0, 5, _DAYS), total[cap.TOTAL])
        return cap.assess(from_peaks({cap.TOTAL: seen}), 60, **_ASK)
    if name == "short history":
        return cap.assess(from_peaks({cap.TOTAL: weekly(20, 70)}), 100, **_ASK)
    if name == "growing":
        late = 20 * 5 ** (np.linspace(0, 1, 300) ** 4)
        return cap.assess(from_peaks({cap.TOTAL: rng.poisson(late)}), 125, **_ASK)
    if name == "no total":
        parts = {"hotel": weekly(200, 40), "bank": weekly(200, 25, 2), "shop": weekly(200, 10, 3)}
        return cap.assess(from_peaks(parts), 75, **_ASK)
    if name == "several projects":
        both = {n: from_peaks({cap.TOTAL: weekly(200, 40, k)}) for k, n in enumerate(("hotel", "bank"))}
        return cap.assess(cap.combine(both), 95, **_ASK)
    if name == "untested":
        return cap.assess(from_peaks(total), 110, backtest=False, **_ASK)
    if name == "gap at the end":
        whole = from_peaks(total | {"hotel": weekly(_DAYS, 60, 2)})
        times, ids = (whole.index.get_level_values(k) for k in (0, 1))
        return cap.assess(whole[(ids != cap.TOTAL) | (times < "2026-02-03")], 115, **_ASK)
    if name == "two or three calls":
        return cap.assess(from_peaks({cap.TOTAL: rng.integers(2, 4, 400)}), 4, **_ASK)
    if name == "priced":
        money = {"mean_call_length": "3m", "licence_price": 300.0, "lost_call_cost": 2.0, "lead_time": "3w"}
        return cap.assess(from_peaks(total | {"hotel": weekly(_DAYS, 60, 2)}), 96, **_ASK, **money)
    if name == "names":
        parts = {f"v{k}": weekly(70, 40 - k, k) for k in range(len(NAMES))}
        whole = from_peaks({cap.TOTAL: sum(parts.values())} | parts)
        shown = dict(zip(parts, NAMES, strict=True)) | {cap.TOTAL: ""}
        named = whole.assign(variant_name=pd.Categorical(whole.index.get_level_values(1).map(shown)))
        return cap.assess(named, 450, name="حجز الفنادق", **_ASK | {"horizon": 28})
    raise KeyError(name)


# Name -> the kind of headline that it calls for.
SITUATIONS = {
    "tight": "tight",
    "too few": "too few",
    "ample": "ample",
    "far too many": "far too many",
    "about to be cut": "about to be cut",
    "capped": "capped",
    "soft-capped": "soft-capped",
    "short history": "short history",
    "growing": "too low",
    "no total": "no total",
    "several projects": "tight",
    "untested": "ample",
    "gap at the end": "ample",
    "two or three calls": "ample",
    "priced": "tight",
    "names": "ample",
}
