"""How often the limits of `capacity.blocking` hold, in simulations whose truth is known.

``python -m benchmarks.blocking_limits [SEEDS]`` prints, by setting: how often the truth lies within the 90 % limits of
the whole range, of its months and of the curve of other licence counts (the same calls run again under .85 to 1.25
times the licences, where ten calls or more were lost), and the median of estimate over truth.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

import capacity as cap
from capacity.calls.profiles import Profile

EVENING = tuple(np.exp(-0.5 * ((np.arange(24) - 18) / 3.0) ** 2))
OFFICE = Profile("o", "O", 52_000, tuple(float(8 <= hour < 18) for hour in range(24)), mean_length=90)
SETTINGS = {
    "a small house, four weeks": ({"scale": 0.15, "days": 28}, 0.97),
    "half the house, eight weeks": ({"scale": 0.5, "days": 56}, 0.97),
    "the whole house, a quarter": ({"days": 84}, 0.97),
    "days that differ by 15 %, rarely full": ({"days": 84, "day_noise": 0.15}, 0.995),
    "days that differ by 10 %, often full": ({"scale": 0.3, "days": 60, "day_noise": 0.1}, 0.9),
    "two houses, four weeks": ({"scale": 2, "days": 28}, 0.98),
    "evenings, days that differ by 20 %, often full": (
        {"variants": [Profile("e", "E", 3000, EVENING, mean_length=240)], "days": 42, "day_noise": 0.2},
        0.85,
    ),
    "an office, calls of 90 s, 130 Erlang": ({"variants": [OFFICE], "days": 28, "campaigns": ()}, 0.97),
    "the same, filled at once by a campaign": ({"variants": [OFFICE], "days": 28}, 0.97),
}
TIMES = (0.85, 0.93, 1.0, 1.08, 1.16, 1.25)


def live(**options) -> pd.DataFrame:
    calls = cap.simulate_calls("2025-02-03", **options)
    return calls[calls["env"] == "live"]


def judge(options: dict, share: float) -> dict[str, float]:
    """Return how often the limits of one run hold; `share` of the busier intervals stay below the licences."""
    maxima = cap.total(cap.intervals_from_calls(live(**options)))["max_concurrent"].to_numpy()
    licences = int(np.quantile(maxima[maxima > np.median(maxima)], share))
    calls = live(**options, licences=licences)
    carried = calls[~calls["blocked"]]
    length = (carried["end"] - carried["start"]).mean()
    found = cap.blocking(cap.intervals_from_calls(carried), length, licences, tz="Europe/London")
    month = calls["start"].dt.tz_convert("Europe/London").dt.tz_localize(None).dt.to_period("M")
    lost = calls["blocked"].groupby(month).sum().reindex(found.monthly.index, fill_value=0)
    full = found.monthly["intervals"] >= 2000
    held = lost.between(found.monthly["lower"], found.monthly["upper"])[full]
    curve = found.curve.reindex(range(found.curve.index[0], found.curve.index[-1] + 1)).interpolate()
    others = []
    for count in {round(times * licences) for times in TIMES}:
        truth = int(live(**options, licences=count)["blocked"].sum())
        if truth >= 10:
            others.append(curve.loc[count, "lower"] <= truth <= curve.loc[count, "upper"])
    whole = found.whole
    return {
        "runs": 1,
        "whole": float(whole.lower <= lost.sum() <= whole.upper),
        "months": held.sum(),
        "of months": len(held),
        "curve": sum(others),
        "of counts": len(others),
        "estimate / truth": whole.turned_away / max(lost.sum(), 1),
        "lost": lost.sum() / len(calls),
    }


def main(seeds: int = 5) -> None:
    """Print the table."""
    rows = []
    for place, (name, (options, share)) in enumerate(SETTINGS.items()):
        for seed in range(seeds):
            rows.append({"setting": name} | judge(options | {"seed": 1000 + 100 * place + seed}, share))
    runs = pd.DataFrame(rows)
    table = runs.groupby("setting", sort=False).sum()
    table[["estimate / truth", "lost"]] = runs.groupby("setting", sort=False)[["estimate / truth", "lost"]].median()
    table.loc["all"] = table.sum()
    table.loc["all", ["estimate / truth", "lost"]] = runs[["estimate / truth", "lost"]].median()
    print(table.round(3).to_string())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
