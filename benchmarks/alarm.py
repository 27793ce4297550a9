"""The ledger's alarm: how often it goes up by mistake within a year, and how soon it finds a drift of 10%.

``python -m benchmarks.alarm [--years 100]``

Forecasts of a known law are recorded each week: a level that a week shares (standard deviation 2%), and noise of 6% a
day. The days come by the same law; in the drifted years they are 10% higher, or lower, from a day on. Both curves are
printed: the share of years with an alarm by week, without and with the drift.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

import capacity as cap
from capacity.plan.alarm import alarm_of, day_scores
from capacity.plan.ledger_file import entry_of

DRIFT_ON, EVERY = 150, 7  # days
SHARED, NOISE = 0.02, 0.06


def waits(years: int, drift: float, seed: int) -> np.ndarray:
    """Return the day of each year's first alarm, from the drift on (from the first day without one); inf for none."""
    rng = np.random.default_rng(seed)
    start, dates = pd.Timestamp("2026-01-05"), pd.date_range("2026-01-05", periods=364)
    out = []
    for _ in range(years):
        entries, came = [], []
        for day in range(0, 364, EVERY):
            ahead = pd.date_range(start + pd.Timedelta(days=day), periods=EVERY)
            drawn = 100 * (1 + SHARED * rng.standard_normal((300, 1))) * (1 + NOISE * rng.standard_normal((300, EVERY)))
            forecast = cap.PeakForecast(np.rint(drawn).astype(int)[None], ("*",), ahead, pd.DataFrame({"*": []}))
            entries.append(entry_of(forecast, made_on=ahead[0], variant="*", licences={}, settings={}))
            came.append(100 * (1 + SHARED * rng.standard_normal()) * (1 + NOISE * rng.standard_normal(EVERY)))
        off = np.where(np.arange(364) >= DRIFT_ON, 1 + drift, 1.0)
        peaks = pd.Series(np.rint(np.concatenate(came) * off), index=dates)
        found = alarm_of(entries, day_scores(entries, peaks))
        ups = [(up - start).days for up, _ in found.history]
        first = DRIFT_ON if drift else 0
        out.append(next((day - first for day in ups if day >= first), np.inf))
    return np.array(out)


def main(arguments: list[str]) -> int:
    """Print both curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=100)
    years = parser.parse_args(arguments).years
    curves = {
        name: [(found <= 7 * week).mean() for week in range(1, 53)]
        for name, found in {
            "no drift": waits(years, 0.0, 1),
            "10% more": waits(years, 0.1, 2),
            "10% fewer": waits(years, -0.1, 3),
        }.items()
    }
    table = pd.DataFrame(curves, index=pd.RangeIndex(1, 53, name="week"))
    print(table.loc[[1, 2, 3, 4, 6, 8, 12, 26, 30, 52]].round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
