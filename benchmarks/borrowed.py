"""Whether a series with less than a year does better with a season borrowed from others: leave-one-out on real series.

``python -m benchmarks.borrowed FILE...`` (columns set, series, date, peak, as benchmarks/forecast_unseen.py writes).
Each series in turn is taken to have begun some months before an origin; the others of its set, with what they had by
that origin, lend it their season. Scored against its own forecast: pinball of the days ahead and of their maximum, as
ratios (geometric mean over series; below 1 the borrowed season helps).

The season stays off. On 22 real series of five groups (156 origins; the reference file, and what forecast_unseen.py
makes), days / maximum: a quarter of it .980 / .966, half 1.003 / 1.078, all of it 1.072 / 1.267, the share that the
history itself shows .985 / .983. The quarter was chosen on these very series, and loses on one group of the five (car
parks 1.016 / 1.083); it helps most where the lender is the same city's bicycles (.804 / .569).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd

import capacity as cap

HISTORY, HORIZON, STEP = (120, 250), 90, 182
QUANTILES = np.array([0.5, 0.8, 0.9, 0.95, 0.99])
FITTED = float("inf")  # stands for the share that the history itself shows
WEIGHTS = (0.25, 0.5, 1.0, FITTED)
SMOOTH, YEAR = 29, 364


def seasons(others: pd.DataFrame, origin: pd.Timestamp, days: pd.DatetimeIndex) -> np.ndarray | None:
    """Return the shared season of log levels on `days`, by what the others had before `origin`; None for no season.

    A season is the level (mean over four weeks) against its mean over the year around; of the days ahead the same days
    of a year or two before.
    """
    found = []
    for name in others:
        own = others[name][:origin].iloc[:-1].dropna()
        if len(own) < YEAR + 2 * SMOOTH:
            continue
        level = np.log(own.asfreq("D").rolling(SMOOTH, center=True, min_periods=SMOOTH // 2).mean() + 1.0)
        apart = level - level.rolling(YEAR, center=True, min_periods=YEAR // 2).mean()
        back = [apart.reindex(days - pd.Timedelta(days=YEAR * k)).to_numpy() for k in (0, 1, 2)]
        season = np.where(np.isfinite(back[1]), back[1], np.where(np.isfinite(back[2]), back[2], back[0]))
        if np.isfinite(season).mean() > 0.9:
            found.append(pd.Series(season).interpolate(limit_direction="both").to_numpy())
    return np.mean(found, axis=0) if found else None


def cases(table: pd.DataFrame) -> Iterator[tuple[str, pd.Series, pd.Series, np.ndarray]]:
    """Yield (series, history, future, season on all those days)."""
    for group, rows in table.groupby("set"):
        wide = rows.pivot_table(index="date", columns="series", values="peak").asfreq("D")
        if wide.shape[1] < 2:
            continue
        for name in wide:
            own, others = wide[name], wide.drop(columns=name)
            first, last = own.first_valid_index(), own.last_valid_index()
            for origin in pd.date_range(
                first + pd.Timedelta(days=YEAR + 60), last - pd.Timedelta(days=HORIZON), freq=f"{STEP}D"
            ):
                for days in HISTORY:
                    past = own[origin - pd.Timedelta(days=days) : origin - pd.Timedelta(days=1)]
                    ahead = own[origin : origin + pd.Timedelta(days=HORIZON - 1)]
                    season = seasons(others, origin, past.index.append(ahead.index))
                    if past.notna().sum() >= 0.8 * days and ahead.notna().sum() >= 0.8 * HORIZON and season is not None:
                        yield f"{group}/{name}", past, ahead, season


def fitted(past: pd.Series, season: np.ndarray) -> float:
    """Return the share of the season that the history itself shows: its slope on it, shrunk by how well it fits."""
    level = np.log(past.rolling(SMOOTH, center=True, min_periods=SMOOTH // 2).mean() + 1.0).to_numpy()
    own, lent = level - np.nanmean(level), season[: len(past)] - season[: len(past)].mean()
    seen = np.isfinite(own)
    slope = float(own[seen] @ lent[seen]) / max(float(lent[seen] @ lent[seen]), 1e-12)
    fit = float(np.corrcoef(own[seen], lent[seen])[0, 1])
    return min(max(slope, 0.0), 1.0) * max(fit, 0.0) ** 2


def losses(paths: np.ndarray, ahead: pd.Series) -> tuple[float, float]:
    """Return the pinball loss of the days and of their maximum."""
    seen = ahead.notna().to_numpy()

    def pinball(values: np.ndarray, truth: np.ndarray) -> float:
        gap = truth - np.quantile(values, QUANTILES, axis=0)
        q = QUANTILES.reshape(-1, *[1] * (gap.ndim - 1))
        return float(np.maximum(q * gap, (q - 1) * gap).mean())

    truth = ahead.to_numpy()[seen]
    return pinball(paths[:, seen], truth), pinball(paths[:, seen].max(axis=1), np.array(truth.max()))


def drawn(past: pd.Series, season: np.ndarray, weight: float) -> np.ndarray:
    """Return paths of the days ahead, with so much of the season taken out of the history and put back ahead."""
    factor = np.exp(weight * season)
    plain = (past / factor[: len(past)]).round(0)
    paths = cap.forecast_peaks(plain, HORIZON, seed=1, paths=500).series()
    return paths * factor[len(past) :]


def main(files: list[str]) -> None:
    """Print the ratios by set and history."""
    rows = []
    for file in files:
        for name, past, ahead, season in cases(pd.read_parquet(file)):
            try:
                base = losses(drawn(past, season, 0.0), ahead)
                for weight in WEIGHTS:
                    share = fitted(past, season) if weight is FITTED else weight
                    mine = losses(drawn(past, season, share), ahead)
                    rows.append((name, len(past), weight, *np.log(np.maximum(mine, 1e-9) / np.maximum(base, 1e-9))))
            except cap.errors.CapacityError:
                continue
    table = pd.DataFrame(rows, columns=["series", "history", "weight", "days", "max"])
    table["set"] = table["series"].str.partition("/")[0]
    for keys in (["weight"], ["weight", "history"], ["weight", "set"]):
        each = table.groupby([*keys, "series"])[["days", "max"]].mean()
        print(np.exp(each.groupby(level=list(range(len(keys)))).mean()).round(3).to_string(), end="\n\n")
    print(f"{len(table) // len(WEIGHTS)} origins of {table['series'].nunique()} series")


if __name__ == "__main__":
    main(sys.argv[1:])
