"""Simulated demand that changes: our forecast beside the release before and its peers.

``python -m benchmarks.growth [--count 24] [--seed 1] [--before DIR] [--python PEERS_PYTHON] [--picture FILE]``

DIR is a checkout of the release to compare with (``git worktree add DIR v0.1.0``). What it and the peers made is kept
in the cache. The peers run in an environment of their own, whose interpreter is given by ``--python``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._growth_series import FAMILIES, make_cases, make_jobs
from benchmarks.forecast import pinball
from benchmarks.forecast_peers import QUANTILES, summarise
from benchmarks.table import Row
from capacity.analysis.forecast import forecast_peaks

MEDIAN, LIMIT = QUANTILES.index(0.5), QUANTILES.index(0.95)
PEERS = ["AutoETS", "AutoETS damped, logs", "AutoTheta", "Prophet", "conformal pool"]


def forecast(jobs: list[dict]) -> list[dict]:
    """Return the summaries of our own forecasts."""
    out = []
    for job in jobs:
        past = pd.Series(job["history"], pd.date_range(job["first"], periods=len(job["history"])))
        began = time.perf_counter()
        found = forecast_peaks(past, job["horizon"], seed=job["seed"])
        out.append(summarise(found.paths[0], job, time.perf_counter() - began))
    return out


def elsewhere(jobs: list[dict], cache: Path, name: str, python: str, path: str = "") -> list[dict]:
    """Run a peer in a process of its own, or take what it made of these very jobs before."""
    text = "|".join(f"{job['name']}:{job['history'].sum():.6g}:{job['future'].sum():.6g}" for job in jobs)
    kept = cache / f"{name.replace(' ', '-')}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.pickle"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        asked = cache / f"jobs-{os.getpid()}.pickle"
        asked.write_bytes(pickle.dumps(jobs))
        script = str(Path(__file__).with_name("forecast_peers.py"))
        env = os.environ | ({"PYTHONPATH": path} if path else {})
        subprocess.run([python, script, str(asked), str(kept), name], check=True, env=env)
    return list(pickle.loads(kept.read_bytes())[name])


def score(found: dict, job: dict) -> list[dict]:
    """Return one row for each part of the horizon."""
    rows = []
    for days in job["horizons"]:
        came = job["future"][:days]
        scale = max(float(came.mean()), 1.0)
        middle = found["days"][MEDIAN, :days]
        limit = float(found[f"max_{days}"][LIMIT])
        rows.append(
            {
                "family": job["family"],
                "asked": job["horizon"],
                "days": days,
                "case": job["case"],
                "pinball": float(pinball(found["days"][:, :days], came).mean()) / scale,
                "max": float(pinball(found[f"max_{days}"][:, None], came.max()[None])[0]) / scale,
                "bias": float((middle - came).mean()) / scale,
                "kept": float(came.max() <= limit),
                "over": limit / job["limit"][days],
                "top": float(found[f"max_{days}"][-1]) / max(job["limit"][days], 1.0),
                "seconds": found["seconds"],
            }
        )
    return rows


def scores(found: list[dict], jobs: list[dict]) -> pd.DataFrame:
    """Return the rows of all jobs."""
    return pd.DataFrame([row for got, job in zip(found, jobs, strict=True) for row in score(got, job)])


def table(ours: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each family and horizon: losses as ratios to the base (geometric mean over series)."""
    keys = ["family", "asked", "days"]
    whole = ours["asked"] == ours["days"]
    ratio = np.log(ours[["pinball", "max"]] / base[["pinball", "max"]]).replace([np.inf, -np.inf], np.nan)
    means = ["bias", "kept", "over", "top"]
    out = pd.concat([ours[keys], ratio, ours[means], base[means].add_suffix(" 0")], axis=1)[whole]
    out = out.groupby(keys[:2], sort=False).mean(numeric_only=True).drop(columns="days")
    out[["pinball", "max"]] = np.exp(out[["pinball", "max"]])
    return out


def near_term(ours: pd.DataFrame) -> pd.DataFrame:
    """Return the losses of the first 28 days of longer forecasts, as ratios to those of a 28-day one."""
    first = ours[ours["days"] == 28].pivot_table(index="case", columns="asked", values=["pinball", "max"])
    ratio = {}
    for loss in ("pinball", "max"):
        for asked in (90, 365):
            both = first[loss][[28, asked]].dropna()
            ratio[loss, asked] = float(both[asked].sum() / both[28].sum())
    return pd.Series(ratio).unstack()  # noqa: PD010 - two by two


def run() -> list[Row]:
    """Nothing to time: how good it is the table of ``python -m benchmarks.growth`` says."""
    jobs = make_jobs(make_cases(1, 1))
    rows = scores(forecast(jobs), jobs)
    return [Row(f"growth suite, {len(jobs)} forecasts", float(rows["seconds"].sum()))]


def picture(all_scores: dict[str, pd.DataFrame], file: str) -> None:
    """Draw loss, bias and limits kept of every method by family."""
    import matplotlib.pyplot as plt

    keys = ["family", "asked"]
    with plt.style.context("default"):
        figure, axes = plt.subplots(1, 3, figsize=(13, 5.5), sharey=True, layout="constrained")
        base = next(reversed(all_scores.values()))
        for column, ax in zip(("pinball", "bias", "kept"), axes, strict=True):
            for name, rows in all_scores.items():
                whole = rows[rows["asked"] == rows["days"]]
                if column == "pinball":
                    losses = np.log(whole["pinball"] / base.loc[whole.index, "pinball"])
                    means = np.exp(losses.groupby([whole[k] for k in keys], sort=False).mean())
                else:
                    means = whole.groupby(keys, sort=False)[column].mean()
                labels = [f"{family}, {asked} days" for family, asked in means.index]
                strong = name == "ours"
                ax.plot(
                    means.to_numpy(), labels, "o" if strong else ".", markersize=9 if strong else 6, label=name,
                    color="#0b5fa5" if strong else None, zorder=3 if strong else 2,
                )  # fmt: skip
            ax.grid(axis="x", alpha=0.3)
            ax.spines[["top", "right"]].set_visible(False)
        axes[0].set(title="Pinball loss, ratio to 0.1.0", xscale="log")
        axes[0].xaxis.set_major_formatter("{x:.1f}")
        axes[1].set(title="Bias of the median", xlim=(-0.35, 0.25))
        axes[1].axvline(0, color="0.6", linewidth=1)
        axes[2].set(title="Limit for 5% risk kept")
        axes[2].axvline(0.95, color="0.6", linewidth=1)
        axes[0].invert_yaxis()
        axes[2].legend(loc="lower left", fontsize=8)
        figure.savefig(file, dpi=80)
        plt.close(figure)


def main(argv: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--count", type=int, default=8, help="series of each family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", action="append", choices=list(FAMILIES))
    parser.add_argument("--before", help="a checkout of the release before")
    parser.add_argument("--python", help="the peers' interpreter")
    parser.add_argument("--cache", default="/tmp/forecast-growth", type=Path)
    parser.add_argument("--picture")
    asked = parser.parse_args(argv)
    jobs = make_jobs(make_cases(asked.count, asked.seed, asked.family))
    found = {"ours": scores(forecast(jobs), jobs)}
    for name in PEERS if asked.python else ():
        found[name] = scores(elsewhere(jobs, asked.cache, name, asked.python), jobs)
    if asked.before:
        path = str(Path(asked.before).resolve())
        found["0.1.0"] = scores(elsewhere(jobs, asked.cache, "0.1.0", sys.executable, path), jobs)
    base = found.get("0.1.0", found["ours"])
    with pd.option_context("display.width", 200):
        for name, rows in found.items():
            print(f"\n{name}, {len(jobs)} forecasts, {1e3 * rows['seconds'].median():.0f} ms at the median")
            print(table(rows, base).round(3).to_string())
        print("\nThe first 28 days of longer forecasts, to those of a 28-day one")
        print(near_term(found["ours"]).round(3).to_string())
    if asked.picture:
        picture(found, asked.picture)


if __name__ == "__main__":
    main()
