"""Rolling origins on real series: our forecast beside its peers.

``python -m benchmarks.forecast FILE [--origins 10] [--shortest 112] [--python PEERS_PYTHON] [--cache DIR]``

FILE is a Parquet table ``set, series, date, peak[, complete][, country]``. The peers run in an environment of their own
(``pip install statsforecast prophet``), whose interpreter is given by ``--python``; what they
made is kept in the cache.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast_peers import QUANTILES, summarise
from benchmarks.table import Row, median_time
from capacity.analysis.forecast import forecast_peaks
from capacity.ground.holidays import holiday_dates

HORIZONS = (28, 90)
SHORTEST = 112  # days before the first origin
YEAR = 365
SCORED = (0.5, 0.8, 0.9, 0.95, 0.99)
BREACH = (0.95, 1.0, 1.05, 1.15)
BASE = "seasonal naive"
COUNTRY = {  # where a file has no column `country`
    "vic_elec": "AU-VIC", "pedestrian": "AU-VIC", "bank_calls": "US", "pjm_load": "US", "nyc_taxi": "US-NY",
    "nyc_flights": "US-NY", "sf_bikes_2014": "US-CA", "parking_de_clean": "DE-NW",
}  # fmt: skip


def read_series(file: str) -> dict[str, tuple[pd.Series, str | None]]:
    """Read the series by name, each with its country."""
    table = pd.read_parquet(file)
    if "complete" in table:
        table = table[table["complete"]]
    out = {}
    for (group, name), rows in table.groupby(["set", "series"], sort=False):
        peaks = rows.set_index("date")["peak"].sort_index().asfreq("D")
        country = rows["country"].iloc[0] if "country" in rows else COUNTRY.get(group)
        out[f"{group}/{name}"] = (peaks, country if isinstance(country, str) else None)
    return out


def make_jobs(series: dict[str, tuple[pd.Series, str | None]], origins: int, shortest: int = SHORTEST) -> list[dict]:
    """Return one job for each series and origin; the future stays out of it, but for what is needed to score."""
    jobs = []
    longest = max(HORIZONS)
    for name, (peaks, country) in series.items():
        last = len(peaks) - longest
        for seed, origin in enumerate(np.unique(np.linspace(min(shortest, last), last, origins).astype(int))):
            past, future = peaks.iloc[:origin], peaks.iloc[origin : origin + longest]
            years = range(past.index[0].year, future.index[-1].year + 1)
            jobs.append(
                {
                    "name": f"{name}@{origin}",
                    "series": name,
                    "history": past.to_numpy(),
                    "first": past.index[0],
                    "horizon": longest,
                    "horizons": HORIZONS,
                    "mask": future.notna().to_numpy(),
                    "thresholds": np.array(BREACH) * past.iloc[-365:].max(),
                    "max": {h: future.iloc[:h].max() for h in HORIZONS},
                    "holidays": holiday_dates(country, years),
                    "country": country,
                    "seed": int(seed),
                    "future": future.to_numpy(),
                }
            )
    return jobs


def ours(job: dict, horizon: int) -> dict:
    """Return the summary of our paths at one horizon."""
    past = pd.Series(job["history"], index=pd.date_range(job["first"], periods=len(job["history"])))
    began = time.perf_counter()
    found = forecast_peaks(past, horizon, holidays=job["holidays"], seed=job["seed"])
    seconds = time.perf_counter() - began
    return summarise(found.paths[0], job | {"horizons": (horizon,)}, seconds)


def peers(jobs: list[dict], python: str, cache: Path) -> dict[str, list[dict]]:
    """Run the peers in their own environment, or take what they made before."""
    cache.mkdir(parents=True, exist_ok=True)
    key = cache / f"peers-{len(jobs)}-{_key(jobs)}.pickle"
    if not key.exists():
        jobs_file = cache / "jobs.pickle"
        lean = [{name: value for name, value in job.items() if name not in ("future", "country")} for job in jobs]
        for job in lean:  # no pandas: the peers may pin another
            job["holidays"] = job["holidays"].to_numpy()
            job["first"] = job["first"].to_datetime64()
        jobs_file.write_bytes(pickle.dumps(lean))
        script = Path(__file__).with_name("forecast_peers.py")
        subprocess.run([python, str(script), str(jobs_file), str(key)], check=True)
    return pickle.loads(key.read_bytes())


def _key(jobs: list[dict]) -> str:
    text = "|".join(f"{job['name']}:{np.nansum(job['history']):.6g}" for job in jobs)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def pinball(quantiles: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the pinball loss, mean over SCORED; quantiles (QUANTILES, ...), y (...)."""
    q = np.array(SCORED).reshape(-1, *[1] * y.ndim)
    gap = y - quantiles[[QUANTILES.index(p) for p in SCORED]]
    return np.maximum(q * gap, (q - 1) * gap).mean(axis=0)


def score(summary: dict, job: dict, days: int) -> dict:
    """Return the scores of one method at one origin."""
    mask = job["mask"][:days]
    y = job["future"][:days][mask]
    quantiles = summary["days"][:, :days][:, mask]
    top, when = summary[f"max_{days}"], job["max"][days]

    def within(low: float, high: float) -> float:
        inside = (y >= quantiles[QUANTILES.index(low)]) & (y <= quantiles[QUANTILES.index(high)])
        return inside.mean()

    return {
        "series": job["series"],
        "pinball": pinball(quantiles, y).mean(),
        "max": float(pinball(top[:, None], np.array([when]))[0]),
        "brier": np.mean((np.array(summary[f"breach_{days}"]) - (when > job["thresholds"])) ** 2),
        "cover50": within(0.25, 0.75),
        "cover80": within(0.1, 0.9),
        "cover95": within(0.025, 0.975),
        "below95": (y <= quantiles[QUANTILES.index(0.95)]).mean(),
        "below99": (y <= quantiles[QUANTILES.index(0.99)]).mean(),
        "max95 kept": float(when <= top[QUANTILES.index(0.95)]),
        "pit": summary[f"pit_{days}"],
        "seconds": summary["seconds"],
    }


def table(scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row a method: losses as ratios to the base (geometric mean over series), the rest as means."""
    by_series = {name: frame.groupby("series").mean() for name, frame in scores.items()}
    rows = {}
    for name, frame in by_series.items():
        row = {}
        for loss in ("pinball", "max"):
            ratio = frame[loss] / by_series[BASE][loss]
            row[loss] = float(np.exp(np.log(np.maximum(ratio, 1e-3)).mean()))
        rest = ["brier", "cover50", "cover80", "cover95", "below95", "below99", "max95 kept", "seconds"]
        rows[name] = row | frame[rest].mean().to_dict()
    return pd.DataFrame(rows).T


def run() -> list[Row]:
    """Return what a fit takes; how good it is the table of ``python -m benchmarks.forecast FILE`` says."""
    rng = np.random.default_rng(0)
    dates = pd.date_range("2022-01-03", periods=1461)
    shape = 100 * np.where(dates.day_of_week < 5, 1.0, 0.5) * np.exp(np.cumsum(rng.normal(0, 0.01, 1461)))

    def noisy() -> np.ndarray:
        return np.rint(shape * np.exp(0.1 * rng.standard_normal(1461)))

    one = pd.Series(noisy(), dates)
    many = pd.DataFrame({f"v{k:03d}": noisy() for k in range(100)}, index=dates).iloc[-1096:].stack()  # noqa: PD013 - one value a cell
    peaks = many.rename("peak").to_frame().rename_axis(index=["date", "variant"])
    return [
        Row("forecast_peaks: 4 years, 90 days", median_time(lambda: forecast_peaks(one, 90, seed=1, holidays="GB"))),
        Row("forecast_peaks: 4 years, 365 days", median_time(lambda: forecast_peaks(one, 365, seed=1, holidays="GB"))),
        Row("forecast_peaks: 100 variants x 3 years", median_time(lambda: forecast_peaks(peaks, 90, seed=1), repeat=3)),
    ]


def main(argv: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--origins", type=int, default=10)
    parser.add_argument("--shortest", type=int, default=SHORTEST, help="days before the first origin")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--cache", default="/tmp/forecast-peers", type=Path)
    parser.add_argument("--by-series", action="store_true")
    asked = parser.parse_args(argv)
    jobs = make_jobs(read_series(asked.file), asked.origins, asked.shortest)
    found = peers(jobs, asked.python, asked.cache)
    for days in HORIZONS:
        mine = [ours(job, days) for job in jobs]
        scores = {
            name: pd.DataFrame([score(row, job, days) for row, job in zip(rows, jobs, strict=True)])
            for name, rows in {"ours": mine, **found}.items()
        }
        print(f"\n{days} days, {len(jobs)} origins, {len({j['series'] for j in jobs})} series")
        print(table(scores).round(3).to_string())
        long = np.array([len(job["history"]) >= YEAR for job in jobs])
        for name, some in (("under a year", ~long), ("a year or more", long)):
            if some.any():
                print(f"\n{name} of history, {some.sum()} origins")
                part = table({way: frame[some] for way, frame in scores.items()})
                print(part[["pinball", "max", "brier"]].round(3).to_string())
        if asked.by_series:
            print(pd.DataFrame({n: f.groupby("series")["pinball"].mean() for n, f in scores.items()}).round(3))


if __name__ == "__main__":
    main()
