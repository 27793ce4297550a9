"""A year of monthly plans for simulated customers, beside hindsight and beside three habits.

``python -m benchmarks.plan [--customers 200] [--first 1000] [--jobs 2] [--kept plan.csv] [--minutes 8]``

Each customer has 500 days of history, seen under the licences that were held (what came above them was turned away and
is in no history), and twelve reviews ahead. At each review the plan forecasts, adds the launches that it has been told
of, and orders what `purchase_schedule` says is due; hindsight knows every day's load. All keep the same rules: three
weeks from order to use, a month's notice, lots of five. What a day loses is Erlang's formula on its true load.

With ``--kept`` each customer's costs are a line of a file, and those that are there already are not worked out again:
a run that was stopped, or that ``--minutes`` ended, goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

import capacity as cap
from benchmarks._customers import AHEAD, PAST, Customer, busy_day, customer
from capacity.plan.solve import Grid, solve

LEAD, NOTICE, REVIEW, HORIZON = 21, 30, 30, 150  # days
TARIFF = cap.Tariff(licence_price=300, lot=5, notice=NOTICE, lost_call_cost=1.5)
HABITS = ("peak + 20%", "last month's peak", "trend line")


def day_costs(person: Customer, counts: np.ndarray) -> np.ndarray:
    """Return what licences and lost calls cost on each day ahead with each count, shape (counts, days)."""
    model = busy_day()
    loss = np.stack(
        [np.interp(np.sqrt(person.loads[PAST:]), model.grid, row) for row in model.loss(np.asarray(counts))]
    )
    return TARIFF.licence_price / 365.25 * np.asarray(counts)[:, None] + TARIFF.lost_call_cost * loss


class Held:
    """Licences by day of the year ahead: what is held, ordered and handed back."""

    def __init__(self, first: int) -> None:
        self.days = np.full(AHEAD + LEAD + NOTICE + HORIZON, first)

    def aim(self, today: int, target: int) -> None:
        """Order up to a target, or give notice of what is above it."""
        lot = TARIFF.lot
        target = -(-max(target, 0) // lot) * lot
        order, back = today + LEAD, today + NOTICE
        if target > self.days[order]:
            self.days[order:] += target - self.days[order]
        elif target < self.days[back:].min():
            self.days[back:] -= (self.days[back:].min() - target) // lot * lot


def seen(person: Customer, held: Held, today: int, start: int) -> pd.Series:
    """Return the peaks that went through until a day."""
    caps = np.r_[np.full(PAST, start), held.days[:today]]
    return pd.Series(np.minimum(person.peaks[: PAST + today], caps), index=person.dates[: PAST + today])


def steps(person: Customer, held: Held, start: int) -> dict[pd.Timestamp, int]:
    """Return the licences as steps, those to come included."""
    days = np.r_[start, held.days]
    at = np.flatnonzero(np.diff(days))
    first = person.dates[PAST]
    return {person.dates[0]: int(start)} | {first + pd.Timedelta(days=int(d)): int(days[d + 1]) for d in at}


def planned(person: Customer, start: int) -> np.ndarray:
    """Return the licences of each day under the monthly plan."""
    held = Held(start)
    for today in range(0, AHEAD, REVIEW):
        licences = steps(person, held, start)
        past = seen(person, held, today, start)
        forecast = cap.forecast_peaks(past, HORIZON, seed=today, licences=licences, paths=1000)
        forecast = forecast.with_events(person.events(today))
        plan = cap.purchase_schedule(
            forecast, TARIFF, lead_time=LEAD, review=REVIEW, risk=None, licences=licences, mean_call_length="3m"
        )
        for row in plan.today.itertuples():
            sign, wait = (1, LEAD) if row.action == "order" else (-1, NOTICE)
            held.days[today + wait - 1 :] += sign * row.licences
    return held.days[:AHEAD]


def habit(person: Customer, start: int, name: str) -> np.ndarray:
    """Return the licences of each day under a habit."""
    held = Held(start)
    for today in range(0, AHEAD, REVIEW):
        past = seen(person, held, today, start).to_numpy()
        months = past[len(past) % 30 :].reshape(-1, 30).max(axis=1)
        if name == HABITS[0]:
            target = np.ceil(1.2 * past[-365:].max())
        elif name == HABITS[1]:
            target = months[-1]
        else:
            slope, level = np.polyfit(np.arange(12), months[-12:], 1)
            target = np.ceil(level + slope * (11 + (LEAD + REVIEW) / 30))
        held.aim(today, int(target))
    return held.days[:AHEAD]


def hindsight(person: Customer, start: int) -> float:
    """Return the least cost of the year for one who knows every day's load."""
    lot, most = TARIFF.lot, int(person.peaks.max()) + 40
    fewest = -(start // lot)
    lots = np.arange(fewest, (most - start) // lot + 2)
    daily = day_costs(person, start + lot * lots)
    reviews = np.arange(0, AHEAD, REVIEW)
    orders, returns = reviews + LEAD - 1, reviews + NOTICE - 1
    orders, returns = orders[orders < AHEAD], returns[returns < AHEAD]
    cuts = sorted({0, AHEAD, *orders.tolist(), *returns.tolist()})
    periods = [slice(a, b) for a, b in pairwise(cuts)]
    costs = np.array([daily[:, p].sum(axis=1) for p in periods])
    found = solve(Grid(orders, returns, periods, np.full(len(returns), -fewest), 0), fewest, costs)
    assert found is not None
    return found.cost


def year(seed: int) -> dict[str, float]:
    """Return what a customer's year costs in each way."""
    person = customer(seed)
    start = int(np.ceil(1.05 * person.peaks[PAST - 90 : PAST].max() / TARIFF.lot)) * TARIFF.lot
    out = {"hindsight": hindsight(person, start)}
    for name, days in [("plan", planned(person, start)), *((name, habit(person, start, name)) for name in HABITS)]:
        counts = np.unique(days)
        daily = day_costs(person, counts)
        out[name] = float(daily[np.searchsorted(counts, days), np.arange(AHEAD)].sum())
    return out


def years(seeds: Sequence[int], jobs: int, kept: Path | None = None, seconds: float = np.inf) -> pd.DataFrame:
    """Return a row for each customer whose year is known when the time is over."""
    known = pd.read_csv(kept, index_col="seed") if kept is not None and kept.exists() else pd.DataFrame()
    missing, began = [seed for seed in seeds if seed not in known.index], time.perf_counter()
    with ProcessPoolExecutor(jobs) as pool:
        for part in batched(missing, jobs):
            if time.perf_counter() - began > seconds:
                break
            rows = pd.DataFrame(list(pool.map(year, part)), index=pd.Index(part, name="seed"))
            known = pd.concat([known, rows])
            if kept is not None:
                known.to_csv(kept)
    return known.loc[[seed for seed in seeds if seed in known.index]]


def batched(seeds: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Return the seeds in parts of a size."""
    return [tuple(seeds[k : k + size]) for k in range(0, len(seeds), size)]


def main(arguments: list[str]) -> int:
    """Print sums over all customers, as ratios to hindsight."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--minutes", type=float, default=np.inf)
    asked = parser.parse_args(arguments)
    began = time.perf_counter()
    seeds = range(asked.first, asked.first + asked.customers)
    table = years(seeds, asked.jobs, asked.kept, 60 * asked.minutes)
    print((table.sum() / table["hindsight"].sum()).round(3).to_string())
    each = table.div(table["hindsight"], axis=0)
    print(each.quantile([0.1, 0.5, 0.9]).round(3).to_string())
    print(each["plan"].nlargest(5).round(3).to_string())
    print(f"{len(table)} of {len(seeds)} customers, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
