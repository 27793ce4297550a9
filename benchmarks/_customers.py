"""Simulated customers: growth, seasons and launches, with the load of every day known to the simulator alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

import capacity as cap
from capacity.analysis.costing.busy_day import BusyDay, as_shape

TURN = 5 / 3  # interval over mean call length
PAST, AHEAD = 500, 365  # days
FIRST = pd.Timestamp("2024-06-03")
_TOP = 1500.0  # calls


@dataclass(frozen=True)
class Launch:
    """What comes, and what is told of it."""

    day: int  # of the year ahead
    calls: float
    ramp: int
    told_on: int  # of the year ahead, may be below 0
    early: int
    late: int
    low: float
    likely: float
    high: float


@dataclass(frozen=True)
class Customer:
    """One customer's days: load of the busiest interval [Erlang] and highest peak [calls], were there no cap."""

    name: str
    dates: pd.DatetimeIndex
    loads: np.ndarray
    peaks: np.ndarray
    launches: tuple[Launch, ...]

    def events(self, today: int) -> list[cap.Event]:
        """Return what has been told by a day: ranges before, the day itself once it has come."""
        out = []
        for number, one in enumerate(self.launches):
            if one.told_on > today:
                continue
            start = FIRST + pd.Timedelta(days=PAST)
            came = one.day < today
            span = (one.day, one.day) if came else (one.early, one.late)
            date = tuple(start + pd.Timedelta(days=d) for d in span)
            calls = (one.low, one.likely, one.high)
            out.append(cap.Event(f"launch {number}", date, calls, ramp=one.ramp, reason="Told by the customer"))
        return out


_DAY: BusyDay | None = None


def busy_day() -> BusyDay:
    """Return the day that every customer's days run like; it is dear to work out."""
    global _DAY
    if _DAY is None:
        _DAY = BusyDay.up_to(_TOP, TURN, as_shape(None))
    return _DAY


def customer(seed: int) -> Customer:
    """Draw a customer."""
    rng = np.random.default_rng([17, seed])
    days = PAST + AHEAD
    dates = pd.date_range(FIRST, periods=days)
    t = np.arange(days) / 365.25
    level = np.exp(rng.uniform(np.log(30), np.log(250)))
    rate = rng.choice([0.0, rng.uniform(-0.15, 0.0), rng.uniform(0.05, 0.8)], p=[0.25, 0.15, 0.6])
    slow = np.cumsum(rng.normal(0, 0.04 / np.sqrt(365.25), days))  # the level wanders by 4% a year
    season = rng.choice([0.0, rng.uniform(0.05, 0.25)]) * np.cos(2 * np.pi * (t - rng.random()))
    week = np.r_[np.ones(5) - rng.uniform(0, 0.12, 5), rng.uniform(0.2, 0.9, 2)]
    mean = level * np.exp(np.log1p(rate) * (t - PAST / 365.25) + slow + season)
    launches = []
    for _ in range(rng.choice(3, p=[0.4, 0.4, 0.2])):
        day = int(rng.integers(20, 330))
        likely = level * rng.uniform(0.1, 0.5)
        low, high = likely * rng.uniform(0.5, 0.9), likely * rng.uniform(1.1, 1.8)
        early = day - int(rng.integers(0, 29))
        launches.append(
            Launch(
                day=day,
                calls=rng.triangular(low, likely, high),
                ramp=int(rng.choice([1, 14, 30, 60])),
                told_on=early - int(rng.integers(30, 120)),
                early=early,
                late=early + 28,
                low=round(low),
                likely=round(likely),
                high=round(high),
            )
        )
    for one in launches:
        mean = mean + one.calls * np.clip((np.arange(days) - PAST - one.day + 1) / one.ramp, 0, 1)
    noise = np.exp(rng.uniform(0.02, 0.07) * rng.standard_normal(days))
    model = busy_day()
    loads = model.load(mean * week[dates.day_of_week] * noise)  # the load whose peak that is on average
    at = np.sqrt(loads)
    spread = np.sqrt(np.interp(at, model.grid, model.peak_variance))
    peaks = np.interp(at, model.grid, model.peak) + spread * rng.standard_normal(days)
    return Customer(f"customer {seed}", dates, loads, np.maximum(np.rint(peaks), 0).astype(int), tuple(launches))
