"""The peers of the forecast, each as its documentation uses it. Runs alone, in an environment of its own.

``python forecast_peers.py JOBS OUT [PEER ...]``: JOBS is a pickle of dicts (history, first day, horizon, mask of the
days that will be scored, thresholds, holidays); OUT receives, job by job, what `summarise` makes of each peer's paths.
Only numpy is needed for the summary itself; statsforecast and prophet are imported by the peers that use them.
"""

from __future__ import annotations

import logging
import pickle
import sys
import time
import warnings
from pathlib import Path

import numpy as np

QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95, 0.975, 0.99)
PATHS = 1000


def summarise(paths: np.ndarray, job: dict, seconds: float) -> dict:
    """Reduce paths (paths, days) to what is scored: quantiles by day, and of the maximum over both horizons."""
    out = {"seconds": seconds, "days": np.quantile(paths, QUANTILES, axis=0, method="inverted_cdf").astype(np.float32)}
    for days in job["horizons"]:
        mask = job["mask"][:days]
        top = paths[:, :days][:, mask].max(axis=1) if mask.any() else np.zeros(len(paths))
        out[f"max_{days}"] = np.quantile(top, QUANTILES, method="inverted_cdf")
        out[f"breach_{days}"] = [(top > threshold).mean() for threshold in job["thresholds"]]
        ranks = np.searchsorted(np.sort(top), [job["max"][days], job["max"][days] + 1e-9])
        out[f"pit_{days}"] = ranks.mean() / len(top)
    return out


class Grid:
    """A series without gaps on the weekdays that are open, and the way back to the days of the calendar."""

    def __init__(self, job: dict) -> None:
        y, first = np.asarray(job["history"], float), np.datetime64(job["first"], "D")
        weekday = (np.arange(len(y) + job["horizon"]) + (first.astype(int) + 3)) % 7
        seen = np.isfinite(y)
        is_open = np.array([seen[weekday[: len(y)] == d].any() for d in range(7)])
        self.keep = is_open[weekday]
        self.season = int(is_open.sum())
        self.horizon = int(self.keep[len(y) :].sum())
        self.days = (first + np.arange(len(self.keep)))[self.keep]
        values = y[self.keep[: len(y)]]
        for _ in range(60):  # the same weekday before (or, at the start, after) stands in for a missing day
            gaps = np.flatnonzero(~np.isfinite(values))
            if not len(gaps):
                break
            values[gaps] = values[np.where(gaps >= self.season, gaps - self.season, gaps + self.season) % len(values)]
        self.values = np.where(np.isfinite(values), values, np.nanmedian(values))
        self.ahead = self.keep[len(y) :]

    def back(self, paths: np.ndarray) -> np.ndarray:
        """Return the paths on the days of the calendar, in whole calls; 0 on the weekdays that are shut."""
        whole = np.zeros((len(paths), len(self.ahead)))
        whole[:, self.ahead] = paths
        return np.maximum(np.rint(whole), 0)


def weekday_quantiles(grid: Grid, job: dict) -> np.ndarray:
    """Draw each day from the last eight of its weekday, every day for itself."""
    rng = np.random.default_rng(job["seed"])
    season = grid.season
    last = grid.values[-8 * season :]
    last = last[len(last) % season :].reshape(-1, season)
    column = np.arange(grid.horizon) % season
    return last[rng.integers(len(last), size=(PATHS, grid.horizon)), column]


def _simulated(model, grid: Grid, job: dict) -> np.ndarray:
    return np.asarray(model.simulate(h=grid.horizon, n_paths=PATHS, y=grid.values, seed=job["seed"]))


def seasonal_naive(grid: Grid, job: dict) -> np.ndarray:
    from statsforecast.models import SeasonalNaive

    return _simulated(SeasonalNaive(season_length=grid.season), grid, job)


def conformal_naive(grid: Grid, job: dict) -> np.ndarray:
    from statsforecast.models import SeasonalNaive
    from statsforecast.utils import ConformalIntervals

    windows = int(min(20, (len(grid.values) - 2 * grid.season) // grid.horizon))
    if windows < 2:
        return seasonal_naive(grid, job)
    model = SeasonalNaive(
        season_length=grid.season, prediction_intervals=ConformalIntervals(h=grid.horizon, n_windows=windows)
    )
    return _independent(model, grid, job)


def _independent(model, grid: Grid, job: dict) -> np.ndarray:
    """Draw every day for itself from intervals at every fourth percent: for models that make no paths."""
    level = [*range(2, 100, 4), 99]
    found = model.forecast(y=grid.values, h=grid.horizon, level=level)
    low = [found[f"lo-{v}"] for v in reversed(level)]
    high = [found[f"hi-{v}"] for v in level]
    table = np.array([*low, found["mean"], *high])
    at = np.array([0.5 - v / 200 for v in reversed(level)] + [0.5] + [0.5 + v / 200 for v in level])
    u = np.random.default_rng(job["seed"]).random((PATHS, grid.horizon))
    return np.stack([np.interp(u[:, d], at, np.sort(table[:, d])) for d in range(grid.horizon)], axis=1)


def conformal_pool(grid: Grid, job: dict) -> np.ndarray:
    from statsforecast.models import ConformalSeasonalPool

    return _simulated(ConformalSeasonalPool(season_length=grid.season), grid, job)


def auto_ets(grid: Grid, job: dict) -> np.ndarray:
    from statsforecast.models import AutoETS

    return _simulated(AutoETS(season_length=grid.season), grid, job)


def damped_logs(grid: Grid, job: dict) -> np.ndarray:
    from statsforecast.models import AutoETS

    model = AutoETS(season_length=grid.season, damped=True)
    paths = model.simulate(h=grid.horizon, n_paths=PATHS, y=np.log1p(grid.values), seed=job["seed"])
    return np.expm1(np.minimum(np.asarray(paths), 20.0))


def another_release(grid: Grid, job: dict) -> np.ndarray:
    """Return the paths of the release of `capacity` that is on the path."""
    import pandas as pd

    from capacity import forecast_peaks

    past = pd.Series(job["history"], pd.date_range(job["first"], periods=len(job["history"])))
    found = forecast_peaks(past, job["horizon"], seed=job["seed"], holidays=pd.DatetimeIndex(job["holidays"]))
    return found.paths[0][:, grid.ahead]


def auto_theta(grid: Grid, job: dict) -> np.ndarray:
    from statsforecast.models import AutoTheta

    return _simulated(AutoTheta(season_length=grid.season), grid, job)


def mstl(grid: Grid, job: dict) -> np.ndarray:
    from statsforecast.models import MSTL

    year = 52 * grid.season
    seasons = [grid.season, year] if len(grid.values) > 2 * year else [grid.season]
    return _independent(MSTL(season_length=seasons), grid, job)


def prophet(grid: Grid, job: dict) -> np.ndarray:
    import pandas as pd
    from prophet import Prophet

    days_off = pd.DataFrame({"holiday": "holiday", "ds": pd.to_datetime(job["holidays"])})
    model = Prophet(holidays=days_off if len(days_off) else None, uncertainty_samples=PATHS)
    past = len(grid.days) - grid.horizon
    model.fit(pd.DataFrame({"ds": pd.to_datetime(grid.days[:past]), "y": grid.values}), seed=job["seed"])
    np.random.seed(job["seed"])  # noqa: NPY002 - Prophet draws from the global state
    drawn = model.predictive_samples(pd.DataFrame({"ds": pd.to_datetime(grid.days[past:])}))
    return np.asarray(drawn["yhat"]).T


PEERS = {
    "seasonal naive": seasonal_naive,
    "weekday quantiles": weekday_quantiles,
    "conformal naive": conformal_naive,
    "conformal pool": conformal_pool,
    "AutoETS": auto_ets,
    "AutoETS damped, logs": damped_logs,
    "AutoTheta": auto_theta,
    "MSTL": mstl,
    "Prophet": prophet,
    "0.1.0": another_release,
}


def main(jobs_file: str, out_file: str, names: list[str]) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    jobs = pickle.loads(Path(jobs_file).read_bytes())
    done = {}
    for name in names or list(PEERS)[:-1]:
        rows = []
        for job in jobs:
            grid = Grid(job)
            began = time.perf_counter()
            try:
                paths = PEERS[name](grid, job)
                if not np.isfinite(paths).all():
                    raise ValueError("not finite")  # noqa: TRY301
            except Exception as exc:  # a peer that fails on a series is scored as the seasonal naive there
                print(f"{name} failed on {job['name']}: {type(exc).__name__}: {exc}", file=sys.stderr)
                paths = seasonal_naive(grid, job)
            rows.append(summarise(grid.back(paths), job, time.perf_counter() - began))
        done[name] = rows
        Path(out_file).write_bytes(pickle.dumps(done))
        print(name, f"{sum(row['seconds'] for row in rows):.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
