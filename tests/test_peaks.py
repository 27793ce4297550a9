from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.analysis.peaks import mean_of_highest
from capacity.errors import ConfigError

from .made_frames import CLOCK_DAYS, ZONES, every, of, plain, ragged


def by_loop(frame: pd.DataFrame, tz: str) -> pd.DataFrame:
    """Take the daily peaks group by group."""
    by = frame.index.names[1]
    rows = {}
    for key, part in plain(frame, tz).groupby(["date", by]):
        first = part.sort_values(["max_concurrent", "time"], ascending=[False, True]).iloc[0]
        rows[key] = (first["max_concurrent"], first["time"], len(part))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["peak", "time", "intervals"])


@pytest.mark.parametrize("tz", ZONES)
def test_agrees_with_a_loop_over_days(tz):
    """A peak, its time or its day would be wrong where there are gaps, zeros or a variant that begins late."""
    frame = ragged(1, "2026-03-05", "2026-04-07")
    found, loop = cap.daily_peaks(frame, tz=tz), by_loop(frame, tz)
    assert found.index.tolist() == loop.index.tolist()
    for column in loop:
        assert found[column].tolist() == loop[column].tolist(), column


def test_agrees_with_sql():
    """The peaks would not be what a database says of the same rows."""
    duckdb = pytest.importorskip("duckdb")
    frame = ragged(2, "2026-10-01", "2026-11-10")
    rows = frame.reset_index().drop(columns="variant_name")
    rows["time"] = rows["time"].dt.tz_localize(None)
    answer = duckdb.sql(
        "select cast(time at time zone 'UTC' at time zone 'Europe/London' as date) as date, variant, "
        "max(max_concurrent) as peak, min_by(time, (-max_concurrent, time)) as time, count(*) as intervals "
        "from rows group by all order by date, variant"
    ).df()
    found = cap.daily_peaks(frame, tz="Europe/London").reset_index()
    for column in ("date", "variant", "peak", "intervals"):
        assert found[column].tolist() == answer[column].tolist()
    assert found["time"].dt.tz_localize(None).tolist() == answer["time"].tolist()


@pytest.mark.parametrize(("tz", "date", "intervals"), CLOCK_DAYS)
def test_days_on_which_the_clock_moves(tz, date, intervals):
    """A whole day of 23 or 25 hours would be called incomplete, or lose or gain an hour of its neighbour."""
    begin = pd.Timestamp(date, tz=tz).tz_convert("UTC")
    end = (pd.Timestamp(date) + pd.Timedelta(days=1)).tz_localize(tz).tz_convert("UTC")
    times = pd.date_range(begin - pd.Timedelta(hours=3), end + pd.Timedelta(hours=3), freq="5min", inclusive="left")
    values = np.where((times == begin) | (times == end - pd.Timedelta(minutes=5)), 7, 1)
    values[times == end] = 9
    values[times == begin - pd.Timedelta(minutes=5)] = 9
    day = cap.daily_peaks(of({cap.TOTAL: (times, values)}), tz=tz).loc[(pd.Timestamp(date), cap.TOTAL)]
    assert (day["peak"], day["time"], day["intervals"], day["complete"]) == (7, begin, intervals, True)
    holed = of({cap.TOTAL: (times.delete(50), np.delete(values, 50))})
    assert not cap.daily_peaks(holed, tz=tz).loc[(pd.Timestamp(date), cap.TOTAL), "complete"]


def test_clock_that_goes_back_over_midnight():
    """In St John's, at 00:01 until 2011, the clock went back to the day before: its rows do not ascend by day."""
    times = every("2010-11-05", "2010-11-10")
    frame = of({cap.TOTAL: (times, np.arange(len(times)) % 700)})
    found, loop = cap.daily_peaks(frame, tz="America/St_Johns"), by_loop(frame, "America/St_Johns")
    for column in loop:
        assert found[column].tolist() == loop[column].tolist(), column


def test_a_day_that_was_skipped():
    """Samoa's 30 December 2011, which nobody lived, would get a row, or its neighbours lose hours."""
    times = every("2011-12-29T10:00", "2011-12-31T10:00")  # the 29th at -10:00 and the 31st at +14:00
    found = cap.daily_peaks(of({cap.TOTAL: (times, np.arange(576))}), tz="Pacific/Apia").reset_index()
    assert found["date"].dt.strftime("%d").tolist() == ["29", "31"]
    assert found["peak"].tolist() == [287, 575]
    assert found["intervals"].tolist() == [288, 288]
    assert found["complete"].all()


def test_values_at_the_edge_of_int32():
    """Large counts would overflow into another peak."""
    times = every("2026-07-01", "2026-07-03")
    values = np.full(len(times), 2**31 - 2)
    values[[100, 400]] = 2**31 - 1
    found = cap.daily_peaks(of({cap.TOTAL: (times, values)}))
    assert found["peak"].tolist() == [2**31 - 1] * 2
    assert found["time"].tolist() == [times[100], times[400]]


def test_shape_of_the_answer():
    """What forecasts and charts rely on would have other types, even where the frame is empty."""
    for frame in (ragged(3), ragged(3).iloc[:0]):
        found = cap.daily_peaks(frame, tz="Europe/London")
        assert [str(t) for t in found.dtypes] == ["int32", "datetime64[ns, UTC]", "int64", "bool"]
        assert found.index.names == ["date", "variant"]
        assert found.index.get_level_values("date").dtype == "datetime64[ns]"
        assert found.index.is_monotonic_increasing
        assert found.index.is_unique


def test_other_slices_keep_their_name():
    """A frame by language would come back as one by variant."""
    table = pd.DataFrame({"time": every("2026-07-01", "2026-07-02"), "language": "en-GB", "max_concurrent": 2})
    frame = cap.as_intervals(table)
    assert cap.daily_peaks(frame).index.names == ["date", "language"]
    assert cap.top_peaks(frame).index.names == ["language", "rank"]
    assert cap.busy_hours(frame).table.index.name == "language"


def test_unused_labels_leave_no_trace():
    """A variant that was filtered away would still have days, or shift the labels of the others."""
    frame = ragged(4)
    kept = frame[frame.index.get_level_values("variant") != "busy"]
    found = cap.daily_peaks(kept)
    full = cap.daily_peaks(frame)
    pd.testing.assert_frame_equal(found, full[full.index.get_level_values("variant") != "busy"])


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 40 * 288))
def test_does_not_depend_on_how_the_rows_came(seed, cut):
    """Shuffled rows, or a frame split and rejoined, would give other peaks."""
    frame = ragged(seed, "2026-03-25", "2026-04-03")
    whole = cap.daily_peaks(frame, tz="Europe/London")
    shuffled = frame.reset_index().sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(cap.daily_peaks(cap.as_intervals(shuffled), tz="Europe/London"), whole)
    cut = cut % len(frame)
    rejoined = cap.concat([frame.iloc[cut:], frame.iloc[:cut]])
    pd.testing.assert_frame_equal(cap.daily_peaks(rejoined, tz="Europe/London"), whole)


def test_top_peaks():
    """The highest days would be out of order, or a later of two equal days come first."""
    times = pd.date_range("2026-07-01", periods=5, freq="D", tz="UTC")
    frame = of({"a": (times, [3, 9, 9, 1, 4]), "b": (times[:2], [0, 5])})
    found = cap.top_peaks(frame, 3)
    assert found.loc["a", "peak"].tolist() == [9, 9, 4]
    assert found.loc["a", "date"].dt.day.tolist() == [2, 3, 5]
    assert found.loc["b", "peak"].tolist() == [5, 0]
    pd.testing.assert_frame_equal(cap.top_peaks(cap.daily_peaks(frame), 3), found)
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(ConfigError, match="whole number"):
            cap.top_peaks(frame, wrong)


def test_mean_of_highest():
    """The high and the normal load would be of other days than the 5 and the 30 highest."""
    rng = np.random.default_rng(5)
    dates = pd.date_range("2026-01-01", periods=60, name="date")
    peaks = pd.DataFrame(
        {"peak": rng.permutation(120)}, pd.MultiIndex.from_product([dates, ["a", "b"]], names=["date", "variant"])
    ).drop([(date, "b") for date in dates[20:]])
    found = mean_of_highest(peaks)
    a, b = (np.sort(peaks["peak"].xs(v, level=1))[::-1] for v in "ab")
    assert found.loc["a"].tolist() == [a[:5].mean(), a[:30].mean()]
    assert found.loc["b", "highest_5"] == b[:5].mean()
    assert np.isnan(found.loc["b", "highest_30"])
