"""Simulated daily peaks of demand that changes, each with what comes after, and their jobs for forecasters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["FAMILIES", "Case", "make_cases", "make_jobs"]

LONGEST = 365
WEEKS = {
    "calls": (1.25, 1.1, 1.05, 1.0, 1.0, 0.55, 0.4),
    "flat": (1.0,) * 7,
    "hotel": (0.9, 0.9, 0.95, 1.0, 1.15, 1.2, 1.0),
    "office": (1.1, 1.05, 1.0, 1.0, 0.95, 0.3, 0.2),
}


@dataclass(frozen=True, eq=False)
class Case:
    """A series: `mean` of the peaks by day, history and `LONGEST` days after; what was seen; the horizons asked."""

    family: str
    name: str
    first: pd.Timestamp
    mean: np.ndarray
    seen: np.ndarray
    days: int
    horizons: tuple[int, ...]
    draw: Callable[[np.random.Generator], np.ndarray]


def _peaks(rng: np.random.Generator, level: np.ndarray, *, week: str | None = None, noise: float = 0.05, wander=0.04):
    """Return (mean, draw): the weekly shape on a level, and a way to draw counts around it."""
    shape = np.resize(WEEKS[week or rng.choice(list(WEEKS))], len(level))
    mean = level * shape

    def draw(rng: np.random.Generator) -> np.ndarray:
        slow = np.zeros(len(mean))
        shocks = rng.normal(0, wander * np.sqrt(1 - 0.97**2), len(mean))
        slow[0] = rng.normal(0, wander)
        for t in range(1, len(mean)):
            slow[t] = 0.97 * slow[t - 1] + shocks[t]
        return rng.poisson(mean * np.exp(slow + rng.normal(0, noise, len(mean)))).astype(float)

    return mean, draw


def _level(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(25), np.log(250))))


def _steady(low: int, high: int):
    def make(rng, total):
        days = int(rng.integers(low, high))
        rate = rng.choice([0.15, 0.3, 0.5, 1.0])
        t = np.arange(days + LONGEST) / 365
        curve = (1 + rate) ** t if rng.random() < 0.7 else 1 + rate * t
        season = 1 + rng.choice([0.0, 0.1]) * np.sin(2 * np.pi * (t + rng.random()))
        return days, _peaks(rng, _level(rng) / 2 * curve * season)

    return make


def _staircase(rng, total):
    days = int(rng.integers(380, 900))
    level = np.full(days + LONGEST, _level(rng) / 2)
    at = 0
    while (at := at + int(rng.integers(20, 80))) < len(level):
        level[at:] *= 1 + rng.uniform(0.03, 0.15)
    return days, _peaks(rng, level)


def _rollout(low: int, high: int):
    def make(rng, total):
        days = int(rng.integers(low, high))
        t = np.arange(days + LONGEST)
        width = rng.uniform(25, 70)
        middle = days + rng.uniform(-1.0, 1.0) * width
        start = rng.uniform(0.05, 0.4)
        return days, _peaks(rng, _level(rng) * 2 * (start + (1 - start) / (1 + np.exp(-(t - middle) / width))))

    return make


def _ramp(rng, total):
    """Growth by a constant share a month, from half a year on: 5 to 20 %."""
    days = 300
    rate = rng.choice([0.05, 0.09, 0.18])
    t = np.arange(days + LONGEST)
    return days, _peaks(rng, _level(rng) / 4 * (1 + rate) ** (np.minimum(t, days + 90) / 30.4))


def _flat(rng, total):
    days = int(rng.integers(120, 1000))
    return days, _peaks(rng, np.full(days + LONGEST, _level(rng)))


def _season(rng, total):
    days = int(rng.integers(200, 1200))
    t = np.arange(days + LONGEST) / 365.25
    return days, _peaks(rng, _level(rng) * np.exp(rng.uniform(0.1, 0.4) * np.sin(2 * np.pi * (t + rng.random()))))


def _walk(rng, total):
    days = int(rng.integers(150, 1000))
    return days, _peaks(rng, _level(rng) * np.exp(np.cumsum(rng.normal(0, rng.uniform(0.008, 0.025), days + LONGEST))))


def _decline(rng, total):
    days = int(rng.integers(300, 1000))
    t = np.arange(days + LONGEST) / 365
    return days, _peaks(rng, _level(rng) * 2 * (1 - rng.uniform(0.1, 0.4)) ** t)


def _opened(rng, total):
    days = int(rng.integers(150, 700))
    weeks = int(rng.integers(2, 9))
    level = np.full(days + LONGEST, _level(rng))
    day = int(rng.choice([5, 6]))
    shape = np.resize([1.0, 1, 1, 1, 1, 0, 0], len(level)).astype(float)
    opened = (np.arange(len(level)) % 7 == day) & (np.arange(len(level)) >= days - 7 * weeks)
    shape[opened] = rng.choice([0.4, 1.0, 2.0])
    return days, _peaks(rng, level * shape, week="flat")


def _jump(factors: tuple[float, ...], since: tuple[int, ...]):
    def make(rng, total):
        days = int(rng.integers(250, 600))
        level = np.full(days + LONGEST, _level(rng))
        level[days - int(rng.choice(since)) :] *= rng.choice(factors)
        return days, _peaks(rng, level)

    return make


def _launch(rng, total):
    days = int(rng.integers(250, 500))
    level = np.full(days + LONGEST, 60.0)
    level[days - int(rng.choice([14, 30, 60, 90, 180])) :] = 300.0
    return days, _peaks(rng, level)


def _poisson(rng, total):
    days = int(rng.integers(100, 800))
    return days, _peaks(rng, np.full(days + LONGEST, np.exp(rng.uniform(np.log(3), np.log(60)))), noise=0.0, wander=0.0)


FAMILIES: dict[str, tuple[Callable, tuple[int, ...]]] = {
    "steady growth": (_steady(400, 1200), (28, 90, 365)),
    "steady, under a year": (_steady(120, 350), (28, 90)),
    "staircase": (_staircase, (90,)),
    "roll-out, under a year": (_rollout(120, 350), (90,)),
    "roll-out, a year or more": (_rollout(370, 800), (90,)),
    "ramp of months": (_ramp, (90,)),
    "flat": (_flat, (28, 90, 365)),
    "season": (_season, (28, 90, 365)),
    "walk": (_walk, (28, 90, 365)),
    "decline": (_decline, (28, 90)),
    "weekday opened": (_opened, (28,)),
    "step x1.5": (_jump((1.5,), (30,)), (28,)),
    "step x5": (_jump((5.0,), (30,)), (28,)),
    "launch 60 -> 300": (_launch, (28,)),
    "Poisson": (_poisson, (28, 90)),
}


def make_cases(count: int, seed: int, families: list[str] | None = None) -> Iterator[Case]:
    """Make `count` series of each family."""
    for name in families or FAMILIES:
        make, horizons = FAMILIES[name]
        for k in range(count):
            rng = np.random.default_rng([seed, list(FAMILIES).index(name), k])
            days, (mean, draw) = make(rng, LONGEST)
            first = pd.Timestamp("2022-01-03") + pd.Timedelta(weeks=int(rng.integers(52)))
            yield Case(name, f"{name} {k}", first, mean, draw(rng), days, horizons, draw)


def make_jobs(cases: Iterator[Case]) -> list[dict]:
    """Return one job for each case and horizon, as `benchmarks.forecast_peers` takes them."""
    jobs = []
    for number, case in enumerate(cases):
        rng = np.random.default_rng([number, 99])
        ahead = np.stack([case.draw(rng)[case.days :] for _ in range(200)])
        for horizon in case.horizons:
            parts = tuple(h for h in (28, 90, 365) if h <= horizon)
            future = case.seen[case.days : case.days + horizon]
            jobs.append(
                {
                    "family": case.family, "name": f"{case.name}, {horizon}", "case": case.name,
                    "history": case.seen[: case.days], "first": case.first.to_datetime64(),
                    "horizon": horizon, "horizons": parts, "mask": np.ones(horizon, bool),
                    "thresholds": np.array([]), "max": {h: future[:h].max() for h in parts},
                    "holidays": np.array([], "datetime64[ns]"), "seed": number, "future": future,
                    "limit": {h: float(np.quantile(ahead[:, :h].max(axis=1), 0.95)) for h in parts},
                }
            )  # fmt: skip
    return jobs
