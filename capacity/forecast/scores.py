"""Scores of sample paths against what came: pinball, coverage, PIT, Brier, and the maximum over the horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.ground.arrays import Floats

__all__ = ["FAN", "QUANTILES", "Scorer", "pinball"]

QUANTILES = np.array([0.5, 0.8, 0.9, 0.95, 0.99])
FAN = ("p5", "p10", "p25", "p50", "p75", "p90", "p95")
_FAN_Q = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
_LIMIT = 0.95  # of the horizon's highest peak: the licences for 5% risk
_RANGES = {"coverage_50": (0.25, 0.75), "coverage_80": (0.1, 0.9), "coverage_95": (0.025, 0.975)}


def pinball(truth: Floats, forecast: Floats, q: Floats) -> Floats:
    """Return the quantile loss max(q (y - f), (q - 1) (y - f)) [unit of y]; shapes broadcast.

    Examples
    --------
    >>> pinball(np.array([12.0, 8.0]), np.array([10.0, 10.0]), np.array([0.9, 0.9])).round(1).tolist()
    [1.8, 0.2]
    """
    gap = truth - forecast
    return np.asarray(np.maximum(q * gap, (q - 1) * gap))


@dataclass(eq=False)
class Scorer:
    """Collects origins one by one; `capped` says that breaching means reaching the caps."""

    capped: bool
    seed: int
    rows: list[dict[str, float | str]] = field(default_factory=list)
    places: list[Floats] = field(default_factory=list)
    limits: list[dict[str, float | bool]] = field(default_factory=list)
    above: list[npt.NDArray[np.bool_]] = field(default_factory=list)

    def add(self, ways: Mapping[str, Floats], truth: Floats, caps: Floats, past: float) -> Floats:
        """Score the paths of each way, shape (paths, days), from one origin; returns the fan of the first way."""
        seen = np.isfinite(truth)
        came = truth[seen]
        hit = bool((came >= caps[seen]).any()) if self.capped else bool(came.max() > past)
        for way, paths in ways.items():
            known = paths[:, seen]
            reached = known >= caps[seen] if self.capped else known > past
            self.rows.append({"method": way, "days": float(len(came)), **_score(known, came, reached, hit)})
        first = next(iter(ways.values()))
        rng = np.random.default_rng([self.seed, len(self.places)])
        self.places.append(_place(first[:, seen], came, rng))
        limit = float(np.quantile(first[:, seen].max(axis=1), _LIMIT, method="inverted_cdf"))
        self.above.append(np.asarray(np.nan_to_num(truth) > limit))
        self.limits.append(
            {
                "limit": limit,
                "highest": float(came.max()),
                "kept": bool(came.max() <= limit),
                "testable": bool(limit < caps[seen].max()),
                "pit": float(self.places[-1].mean()),
            }
        )
        return np.asarray(np.quantile(first, _FAN_Q, axis=0, method="inverted_cdf"))

    def table(self) -> pd.DataFrame:
        """Return the scores by method: those of days weighted by the days seen, those of horizons by origin."""
        rows = pd.DataFrame(self.rows)
        daily = ["pinball", *_RANGES]
        rows[daily] = rows[daily].mul(rows["days"], axis=0)
        sums = rows.groupby("method", sort=False).sum()
        means = rows.groupby("method", sort=False).mean(numeric_only=True)
        means[daily] = sums[daily].div(sums["days"], axis=0)
        return means[["pinball", "pinball_max", "brier", *_RANGES, "kept_95"]]

    def pit(self) -> Floats:
        """Return the probability integral transforms of the first way, all days in a row."""
        return np.concatenate(self.places)


def _score(paths: Floats, came: Floats, reached: npt.NDArray[np.bool_], hit: bool) -> dict[str, float]:
    at = np.quantile(paths, QUANTILES, axis=0, method="inverted_cdf")  # (q, days)
    highest = np.quantile(paths.max(axis=1), QUANTILES, method="inverted_cdf")
    scores = {
        "pinball": float(pinball(came, at, QUANTILES[:, None]).mean()),
        "pinball_max": float(pinball(came.max(), highest, QUANTILES).mean()),
        "brier": float((reached.any(axis=1).mean() - hit) ** 2),
        "kept_95": float(came.max() <= highest[3]),
    }
    for name, ends in _RANGES.items():
        low, high = np.quantile(paths, ends, axis=0, method="inverted_cdf")
        scores[name] = float(((came >= low) & (came <= high)).mean())
    return scores


def _place(paths: Floats, came: Floats, rng: np.random.Generator) -> Floats:
    """Return the randomised PIT: counts have ties, within which the place is drawn."""
    below, upto = (paths < came).mean(axis=0), (paths <= came).mean(axis=0)
    return np.asarray(below + rng.random(len(came)) * (upto - below))
