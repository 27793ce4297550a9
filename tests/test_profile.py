from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.errors import ConfigError, InsufficientData

from .made_frames import ZONES, every, of, plain, ragged

NAMES, Q = ("median", "q90", "q99"), (0.5, 0.9, 0.99)


def by_loop(frame: pd.DataFrame, tz: str, slots: int, every_nth: int = 1) -> pd.DataFrame:
    """Take the profile group by group, of every n-th slot."""
    table = plain(frame, tz)
    local = table["local"]
    table["slot"] = (local.dt.day_of_week * 1440 + local.dt.hour * 60 + local.dt.minute) // (10080 // slots)
    table["week"] = table["date"] - pd.to_timedelta(local.dt.day_of_week, unit="D")
    weeks = table.groupby(["variant", "week"])["max_concurrent"].agg(["mean", "count"])
    known = weeks["mean"].where((weeks["count"] >= 0.9 * 2016) & (weeks["mean"] > 0))
    table["relative"] = (
        table["max_concurrent"] / known.loc[list(zip(table["variant"], table["week"], strict=True))].array
    )
    weeks_of = known.notna().groupby(level=0).sum()
    rows = {}
    for key, part in table[table["slot"] % every_nth == 0].groupby(["variant", "slot"]):
        ratio = part["relative"].to_numpy()
        ratio = ratio[~np.isnan(ratio)]
        plain_ones = np.quantile(part["max_concurrent"].to_numpy(), Q, method="inverted_cdf")
        relative = np.quantile(ratio, Q, method="inverted_cdf") if len(ratio) else [np.nan] * 3
        rows[key] = [*plain_ones, *relative, len(part), weeks_of[key[0]]]
    names = [*NAMES, *(f"relative_{name}" for name in NAMES), "intervals", "weeks"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


@pytest.mark.parametrize("tz", ZONES)
def test_agrees_with_a_loop(tz):
    """A quantile, a week's level or an hour would be wrong where there are holes, zeros or a late start."""
    frame = ragged(11, "2026-03-16", "2026-04-12")
    found, loop = cap.weekly_profile(frame, tz=tz), by_loop(frame, tz, 168)
    assert found.index.names == ["variant", "hour_of_week"]
    assert found.index.tolist() == loop.index.tolist()
    for column in loop:
        assert found[column].tolist() == pytest.approx(loop[column].tolist(), rel=1e-12, nan_ok=True), column
    assert found["relative_median"].notna().any()
    assert found.loc["idle", "relative_median"].isna().all()


def test_slots():
    """The finer profile would not be of 5-minute slots."""
    frame = ragged(12, "2026-03-02", "2026-04-01")
    found, loop = cap.weekly_profile(frame, tz="Europe/London", slots=2016), by_loop(frame, "Europe/London", 2016, 29)
    assert found.index.names == ["variant", "slot_of_week"]
    assert len(found) == 4 * 2016
    found = found[found.index.get_level_values("slot_of_week") % 29 == 0]
    assert found.index.tolist() == loop.index.tolist()
    for column in loop:
        assert found[column].tolist() == pytest.approx(loop[column].tolist(), rel=1e-12, nan_ok=True), column


def test_growth_does_not_widen_the_relative_profile():
    """A volume that doubles from week to week would look like wild hours."""
    times = every("2026-03-02", "2026-03-30")
    week = 10 + np.arange(2016) % 288 // 12
    frame = of({cap.TOTAL: (times, np.concatenate([week * 2**k for k in range(4)]))})
    found = cap.weekly_profile(frame)
    assert (found["q99"] == 8 * found["median"] / 2).all()
    assert np.allclose(found["relative_q99"], found["relative_median"])
    assert found["relative_median"].to_numpy()[:24] == pytest.approx((10 + np.arange(24)) / 21.5)
    assert (found["weeks"] == 4).all()


def test_weeks_that_are_not_all_there_give_no_level():
    """The mean of a Saturday would stand for that of a week."""
    times = every("2026-03-02", "2026-03-16")
    frame = of({cap.TOTAL: (times[: 2016 + 1814], 2), "b": (times[: 2016 + 1815], 2)})
    weeks = cap.weekly_profile(frame)["weeks"]
    assert weeks[cap.TOTAL].unique().tolist() == [1]
    assert weeks["b"].unique().tolist() == [2]


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_does_not_depend_on_rows_or_labels(seed):
    """Shuffled rows, a frame split and rejoined, or other names would give another profile."""
    frame = ragged(seed, "2026-03-23", "2026-04-06")
    whole = cap.weekly_profile(frame, tz="Europe/London")
    cut = seed % len(frame)
    rejoined = cap.concat([frame.iloc[cut:], frame.iloc[:cut]])
    pd.testing.assert_frame_equal(cap.weekly_profile(rejoined, tz="Europe/London"), whole)
    other = frame.reset_index().sample(frac=1, random_state=seed)
    other["variant"] = other["variant"].map({cap.TOTAL: cap.TOTAL, "busy": "z", "idle": "y", "late": "x"})
    renamed = cap.weekly_profile(cap.as_intervals(other), tz="Europe/London")
    pd.testing.assert_frame_equal(renamed.loc["z"], whole.loc["busy"])


def test_little_and_wrong():
    """One interval would crash, none would give a profile, and an odd number of slots be taken for hours."""
    frame = of({cap.TOTAL: (every("2026-03-04", "2026-03-05"), 3)})
    one = cap.weekly_profile(frame.iloc[:1])
    assert one.index.tolist() == [(cap.TOTAL, 48)]
    assert one["median"].tolist() == [3]
    assert one["relative_median"].isna().all()
    assert one["weeks"].tolist() == [0]
    with pytest.raises(InsufficientData, match="at least one interval"):
        cap.weekly_profile(frame.iloc[:0])
    with pytest.raises(ConfigError, match="336"):
        cap.weekly_profile(frame, slots=336)
    with pytest.raises(ConfigError, match="Mars"):
        cap.weekly_profile(frame, tz="Mars/Olympus")
