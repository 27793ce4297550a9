from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.errors import InsufficientData

from .made_frames import CLOCK_DAYS, ZONES, every, of, plain, ragged


def by_loop(frame: pd.DataFrame, tz: str) -> dict[str, tuple]:
    """Take the busy hours day by day and hour by hour."""
    out = {}
    for variant, table in plain(frame, tz).groupby("variant"):
        days = [part["max_concurrent"].to_numpy() for _, part in table.groupby("date") if whole(part, tz)]
        if days:
            hours = np.array([[day[k : k + 12].sum() for k in range(277)] for day in days])
            mean, best = hours.sum(axis=0), hours.max(axis=1)
            k = int(mean.argmax())
            start = f"{k // 12:02d}:{k % 12 * 5:02d}"
            out[variant] = (start, mean[k] / 12 / len(days), best.sum() / 12 / len(days), len(days))
    return out


def whole(part: pd.DataFrame, tz: str) -> bool:
    """Tell whether a day has its 24 hours and all of their intervals."""
    date = part["date"].iloc[0]
    length = (date + pd.Timedelta(days=1)).tz_localize(tz) - date.tz_localize(tz)
    return len(part) == 288 and length == pd.Timedelta(days=1)


@pytest.mark.parametrize("tz", ZONES)
def test_agrees_with_a_loop(tz):
    """A busy hour, or the days it rests on, would be wrong."""
    frame = ragged(7, "2026-03-05", "2026-04-07")
    found = cap.busy_hours(frame, tz=tz)
    loop = by_loop(frame, tz)
    assert {k for k in found.table.index if found.table.loc[k, "days"]} == set(loop)
    for variant, expected in loop.items():
        row = found.table.loc[variant, ["start", "time_consistent", "bouncing", "days"]].tolist()
        assert row == [expected[0], *(pytest.approx(value, rel=1e-12) for value in expected[1:])]


def test_by_hand():
    """An hour that lies across the clock's hours, or that moves from day to day, would be missed."""
    times = every("2026-07-06", "2026-07-08")
    values = np.ones(len(times), dtype=int)
    values[9 * 12 + 7 : 9 * 12 + 19] = 13  # 09:35 to 10:35 on the first day
    values[288 + 14 * 12 + 1 : 288 + 14 * 12 + 13] = 25  # 14:05 to 15:05 on the second
    found = cap.busy_hours(of({cap.TOTAL: (times, values)}))
    row = found.table.loc[cap.TOTAL]
    assert (row["start"], row["time_consistent"], row["bouncing"]) == ("14:05", 13.0, 19.0)
    assert found.daily["start"].tolist() == ["09:35", "14:05"]
    assert found.daily["load"].tolist() == [13.0, 25.0]
    assert found.profile.loc["09:35", cap.TOTAL] == 7.0
    assert found.profile.index[[0, -1]].tolist() == ["00:00", "23:00"]
    assert "14:05" in str(found)
    assert found.to_frame().equals(found.table)


@pytest.mark.parametrize(("tz", "date", "intervals"), CLOCK_DAYS)
def test_days_on_which_the_clock_moves_are_left_out(tz, date, intervals):
    """A day of 23 or 25 hours would be averaged with others hour by hour, though its hours are not theirs."""
    begin = (pd.Timestamp(date) - pd.Timedelta(days=1)).tz_localize(tz).tz_convert("UTC")
    end = (pd.Timestamp(date) + pd.Timedelta(days=2)).tz_localize(tz).tz_convert("UTC")
    times = pd.date_range(begin, end, freq="5min", inclusive="left")
    row = cap.busy_hours(of({cap.TOTAL: (times, np.ones(len(times), int))}), tz=tz).table.loc[cap.TOTAL]
    assert (row["days"], row["left_out"]) == ((3, 0) if intervals == 288 else (2, 1))


def test_a_clock_day_that_lost_its_surplus_is_no_whole_day():
    """A 25-hour day with an hour missing has 288 intervals, and would pass for a whole day."""
    times = pd.date_range("2026-10-24T23:00Z", "2026-10-26T00:00Z", freq="5min", inclusive="left")  # the 25th in London
    assert len(times) == 300
    with pytest.raises(InsufficientData, match="none is whole"):
        cap.busy_hours(of({cap.TOTAL: (times[12:], np.ones(288, int))}), tz="Europe/London")


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_bouncing_is_never_less(seed):
    """The mean of the highest would be below the highest of the means."""
    table = cap.busy_hours(ragged(seed, "2026-03-25", "2026-04-03"), tz="Europe/London").table
    table = table[table["days"] > 0]
    assert len(table)
    assert (table["bouncing"] >= table["time_consistent"]).all()


def test_five_and_thirty_highest_days():
    """The high and the normal load would be of other days."""
    times = every("2026-05-01", "2026-06-10")
    level = np.random.default_rng(3).permutation(40)
    found = cap.busy_hours(of({cap.TOTAL: (times, np.repeat(level, 288)), "new": (times[-288 * 6 :], 1)})).table
    assert found.loc[cap.TOTAL, ["highest_5", "highest_30"]].tolist() == [37.0, 24.5]
    assert found.loc["new", "highest_5"] == 1.0
    assert np.isnan(found.loc["new", "highest_30"])


def test_variant_without_a_whole_day():
    """It would get a number, or take the others down with it."""
    times = every("2026-07-06", "2026-07-08")
    found = cap.busy_hours(of({cap.TOTAL: (times, 4), "new": (times[-20:], 9)}))
    row = found.table.loc["new"]
    assert (row["days"], row["left_out"]) == (0, 1)
    assert row[["start", "time_consistent", "bouncing"]].isna().all()
    assert found.profile["new"].isna().all()
    assert "new: no whole day" in str(found)


def test_large_counts():
    """The sum of twelve large maxima would overflow."""
    times = every("2026-07-06", "2026-07-08")
    found = cap.busy_hours(of({cap.TOTAL: (times, 2**31 - 1)})).table
    assert found.loc[cap.TOTAL, "bouncing"] == 2**31 - 1


def test_nothing_to_go_by():
    """An empty frame, or one interval, would give a busy hour."""
    frame = of({cap.TOTAL: (every("2026-07-06", "2026-07-07"), 4)})
    for part in (frame.iloc[:0], frame.iloc[:1]):
        with pytest.raises(InsufficientData, match="whole day"):
            cap.busy_hours(part)
