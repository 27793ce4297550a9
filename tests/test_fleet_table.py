"""The table of a fleet: what a row takes from an assessment, the order by risk, and what changed since the last run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.fleet.table import as_table, changes, failed_row, ranked, row_of

ZONE = "Pacific/Auckland"
END = pd.Timestamp("2026-08-04T07:15", tz=ZONE)  # in UTC still the third
DAYS = 430


@pytest.fixture(scope="module")
def assessed() -> cap.Assessment:
    """Demand that rises by a quarter within the last year, licences that change on the local day of the data's end."""
    times = pd.date_range(END - pd.Timedelta(days=DAYS), END, freq="5min", inclusive="left").tz_convert("UTC")
    day = pd.Series(times.tz_convert(ZONE).tz_localize(None).normalize())
    back = (pd.Timestamp("2026-08-03") - day).dt.days.to_numpy()  # days before the last whole one
    level = np.where(back < 28, 50, np.where((back >= 364) & (back < 392), 40, 20))
    calls = np.where(times.hour == 20, level + np.random.default_rng(1).integers(-3, 4, DAYS + 2)[back + 1], 2)
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    steps = {"2025-01-01": 48, "2026-08-04": 60}
    return cap.assess(frame, steps, tz=ZONE, horizon=120, seed=1, backtest=False)


def test_a_row_is_of_the_local_day_after_the_data_and_of_the_whole_horizon(assessed: cap.Assessment) -> None:
    """The licences would be those of the day before, the licences needed those of a month, growth of other days."""
    row = row_of(assessed, pool="east", backtest=False)
    highest = np.sort(assessed.forecast.series().max(axis=1))
    assert (row["pool"], row["licences"]) == ("east", 60)
    assert row["needed_05"] == highest[len(highest) - 1 - len(highest) // 20]
    above = assessed.forecast.series() > 60
    assert [row["p_above_30"], row["p_above_90"]] == [above[:, :n].any(axis=1).mean() for n in (30, 90)]
    assert "p_above_365" not in row
    peaks = assessed.peaks["peak"].droplevel(1)
    now = peaks["2026-07-08":"2026-08-03"].mean()  # of the last 28 days the last is not over
    assert row["growth"] == pytest.approx(now / peaks["2025-07-09":"2025-08-04"].mean() - 1)
    assert row["growth"] == pytest.approx(0.25, abs=0.05)
    assert (row["data_end"], row["coverage"], row["days"]) == (END, 1.0, DAYS + 1)


def rows(**projects: tuple[float, float, float, int]) -> pd.DataFrame:
    """Return a table of (chance within 90, 365 and 30 days, licences needed) by project, of 50 licences each."""
    names = ["p_above_90", "p_above_365", "p_above_30", "needed_05"]
    return as_table({name: {"licences": 50, **dict(zip(names, row, strict=True))} for name, row in projects.items()})


def test_the_order_is_by_90_days_then_a_year_then_a_month_then_the_shortage() -> None:
    """Who has to act first would stand further down, or a project without a verdict above one with."""
    table = rows(
        none=(np.nan, np.nan, np.nan, 80), calm=(0.1, 0.1, 0.1, 50), short=(0.1, 0.2, 0.1, 60),
        shorter=(0.1, 0.2, 0.1, 61), month=(0.1, 0.2, 0.15, 40), year=(0.1, 0.3, 0.0, 40),
        first=(0.2, 0.2, 0.0, 40), alike=(0.1, 0.1, 0.1, 50),
    )  # fmt: skip
    order = ["first", "year", "month", "shorter", "short", "calm", "alike", "none"]
    assert ranked(table, table.index).index.tolist() == order
    assert ranked(table, table.index[::-1]).index.tolist()[-3:] == ["alike", "calm", "none"]  # as in the plan


def test_what_changed_is_told_once_each_the_largest_move_first() -> None:
    """A project that came, went, lost its verdict or moved would be told as another change, or not at all."""
    failed = as_table({"lost": failed_row("", "no data"), "mute": failed_row("", "no data")})
    had = as_table({"back": failed_row("", "no data"), "mute": failed_row("", "no data")})
    before = rows(
        gone=(0.5, 0, 0, 50), lost=(0.4, 0, 0, 50), same=(0.1, 0, 0, 50), up=(0.10, 0, 0, 50), down=(0.30, 0, 0, 50),
        little=(0.100, 0, 0, 50), more=(0.1, 0, 0, 50), need=(0.1, 0, 0, 50),
    )  # fmt: skip
    now = rows(
        fresh=(0.2, 0, 0, 50), back=(0.6, 0, 0, 50), same=(0.1, 0, 0, 50), up=(0.12, 0, 0, 50), down=(0.15, 0, 0, 50),
        little=(0.105, 0, 0, 50), more=(0.2, 0, 0, 50), need=(0.1, 0, 0, 51),
    )  # fmt: skip
    now.loc["more", "licences"] = 60
    found = changes(pd.concat([before, had]), pd.concat([now, failed]))
    assert found["change"].to_dict() == {
        "back": "has a verdict again", "gone": "gone", "lost": "has no verdict any more", "fresh": "new",
        "down": "chance", "more": "licences", "up": "chance", "need": "licences needed",
    }  # fmt: skip
    assert list(found.index) == ["back", "gone", "lost", "fresh", "down", "more", "up", "need"]
    assert found.loc["down", ["p_above_90_before", "p_above_90"]].tolist() == [0.3, 0.15]
    assert found.loc["more", ["licences_before", "licences"]].tolist() == [50, 60]
    assert len(changes(None, now)) == 0  # a first run has nothing to be compared with
