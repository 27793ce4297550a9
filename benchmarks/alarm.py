"""The ledger's alarm: how often it goes up by mistake within a year, and how soon it finds a drift of 10%.

``python -m benchmarks.alarm [--years 100]``: forecasts of a known law. A level that a week shares (standard deviation
2%), and noise of 6% a day, recorded each week; the days come by the same law.

``python -m benchmarks.alarm --own [--years 64] [--first 0] [--kept alarm.csv] [--minutes 8]``: forecasts as this
library makes them, each week from 420 days and more, of four kinds of series: flat, with a season, growing by up to 60%
a year, and with a launch that was told of with its ranges. All wander by 4% a year. With ``--kept`` each year is a line
of a file, and a run goes on where the last one ended.

In the drifted years the days are 10% higher, or lower, from day 150 on. Both curves are printed: the share of years
with an alarm by week, without and with the drift.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import capacity as cap
from capacity.plan.alarm import alarm_of, day_scores
from capacity.plan.ledger_file import Entry, entry_of

DRIFT_ON, EVERY, AHEAD, PAST = 150, 7, 364, 420  # days
LOOKED = 84  # days after a drift that are waited for
SHARED, NOISE = 0.02, 0.06
KINDS = ("flat", "season", "growth", "told")
START = pd.Timestamp("2026-01-05")


def first_alarm(entries: list[Entry], peaks: pd.Series, after: int) -> float:
    """Return how many days after day `after` the first alarm went up; inf for none, and where one stood before."""
    found = alarm_of(entries, day_scores(entries, peaks), peaks)
    ups = [(up - START).days for up, _ in found.history]
    return float(ups[0] - after) if ups and ups[0] >= after else np.inf


# -- forecasts of a known law ----------------------------------------------------------------------------------------


def known(drift: float, seed: int) -> float:
    """Return the wait for the first alarm of a year whose law is known."""
    rng = np.random.default_rng(seed)
    entries, came = [], []
    for day in range(0, AHEAD, EVERY):
        ahead = pd.date_range(START + pd.Timedelta(days=day), periods=EVERY)
        drawn = 100 * (1 + SHARED * rng.standard_normal((300, 1))) * (1 + NOISE * rng.standard_normal((300, EVERY)))
        forecast = cap.PeakForecast(np.rint(drawn).astype(int)[None], ("*",), ahead, pd.DataFrame({"*": []}))
        entries.append(entry_of(forecast, made_on=ahead[0], variant="*", licences={}, settings={}))
        came.append(100 * (1 + SHARED * rng.standard_normal()) * (1 + NOISE * rng.standard_normal(EVERY)))
    off = np.where(np.arange(AHEAD) >= DRIFT_ON, 1 + drift, 1.0)
    peaks = pd.Series(np.rint(np.concatenate(came) * off), index=pd.date_range(START, periods=AHEAD))
    return first_alarm(entries, peaks, DRIFT_ON if drift else 0)


# -- own forecasts ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Series:
    """Daily peaks, and what is told of them."""

    kind: str
    peaks: pd.Series
    launch: tuple[int, tuple[float, float, float]] | None  # its day, and its calls: low, likely, high


def series(seed: int, drift: float = 0.0) -> Series:
    """Draw a series; a drift changes nothing else."""
    rng, kind = np.random.default_rng([23, seed]), KINDS[seed % 4]
    days = PAST + AHEAD
    dates, t = pd.date_range(START - pd.Timedelta(days=PAST), periods=days), (np.arange(days) - PAST) / 365.25
    level = np.exp(rng.uniform(np.log(30), np.log(250)))
    week = np.r_[1 - rng.uniform(0, 0.12, 5), rng.uniform(0.2, 0.9, 2)]
    mean = level * np.exp(np.cumsum(rng.normal(0, 0.04 / np.sqrt(365.25), days)))
    swing, phase, growth = rng.uniform(0.05, 0.25), rng.random(), rng.uniform(0.1, 0.6)
    launch = None
    if kind == "season":
        mean = mean * np.exp(swing * np.cos(2 * np.pi * (t - phase)))
    if kind == "growth":
        mean = mean * (1 + growth) ** t
    if kind == "told":
        on, likely = int(rng.integers(30, 300)), level * rng.uniform(0.1, 0.5)
        calls = (0.75 * likely, likely, 1.4 * likely)
        mean = mean + rng.triangular(*calls) * np.clip((np.arange(days) - PAST - on + 1) / 14, 0, 1)
        launch = on, calls
    noise, chance = np.exp(rng.uniform(0.02, 0.07) * rng.standard_normal(days)), rng.standard_normal(days)
    mean = mean * week[dates.day_of_week] * noise * np.where(np.arange(days) >= PAST + DRIFT_ON, 1 + drift, 1)
    peaks = np.maximum(np.rint(mean + 0.6 * np.sqrt(mean) * chance), 0)
    return Series(kind, pd.Series(peaks, index=dates), launch)


def made(one: Series, seed: int, day: int) -> Entry:
    """Return the forecast that was made on a day of the year ahead."""
    forecast = cap.forecast_peaks(one.peaks.iloc[: PAST + day], 63, seed=seed, paths=400)
    if one.launch is not None and day <= one.launch[0] + 60:
        on, calls = one.launch
        span = (on, on) if on < day else (on - 10, on + 18)
        dates = tuple(START + pd.Timedelta(days=d) for d in span)
        forecast = forecast.with_events(cap.Event("launch", dates, tuple(map(round, calls)), ramp=14, reason="Told"))
    return entry_of(forecast, made_on=forecast.dates[0], variant="*", licences={}, settings={})


def own(seed: int) -> dict[str, float | str]:
    """Return a year's waits: for an alarm without a drift, and for one after it."""
    one, drift = series(seed), 0.1 if (seed // 4) % 2 else -0.1
    moved = series(seed, drift)
    calm = [made(one, seed, day) for day in range(0, AHEAD, EVERY)]
    before = -(-(DRIFT_ON + 1) // EVERY)
    last = DRIFT_ON + LOOKED
    after = [made(moved, seed, day) for day in range(before * EVERY, last, EVERY)]
    return {
        "kind": one.kind,
        "no drift": first_alarm(calm, one.peaks, 0),
        "10% more or fewer": first_alarm(calm[:before] + after, moved.peaks.iloc[: PAST + last], DRIFT_ON),
    }


def years(first: int, count: int, kept: Path | None, seconds: float) -> pd.DataFrame:
    """Return a row for each year that is known when the time is over."""
    table = pd.read_csv(kept, index_col="seed") if kept is not None and kept.exists() else pd.DataFrame()
    began = time.perf_counter()
    for seed in range(first, first + count):
        if seed in table.index:
            continue
        if time.perf_counter() - began > seconds:
            break
        table = pd.concat([table, pd.DataFrame([own(seed)], index=pd.Index([seed], name="seed"))])
        if kept is not None:
            table.to_csv(kept)
    return table.loc[[seed for seed in range(first, first + count) if seed in table.index]]


def curves(waits: pd.DataFrame) -> pd.DataFrame:
    """Return the share of years with an alarm by week."""
    weeks = pd.RangeIndex(1, 53, name="week")
    return pd.DataFrame({name: [(found < 7 * week).mean() for week in weeks] for name, found in waits.items()}, weeks)


def main(arguments: list[str]) -> int:
    """Print both curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=100)
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--minutes", type=float, default=np.inf)
    asked = parser.parse_args(arguments)
    shown = [1, 2, 3, 4, 6, 8, 12, 26, 30, 52]
    if asked.own:
        table = years(asked.first, asked.years, asked.kept, 60 * asked.minutes)
        print(f"{len(table)} years")
        print(curves(table.drop(columns="kind")).loc[shown].round(3).to_string())
        by_kind = table.assign(false=table["no drift"] < AHEAD, found=table["10% more or fewer"] < 42)
        print(by_kind.groupby("kind")[["false", "found"]].agg(["sum", "size"]).to_string())
        return 0
    ways = {"no drift": (0.0, 1_000), "10% more": (0.1, 2_000), "10% fewer": (-0.1, 3_000)}
    waits = {name: [known(drift, seed + k) for k in range(asked.years)] for name, (drift, seed) in ways.items()}
    print(curves(pd.DataFrame(waits)).loc[shown].round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
