from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.analysis import utilisation as module
from capacity.errors import ConfigError, InsufficientData
from capacity.ground.licences import as_licences

from .made_frames import ZONES, every, of, plain, ragged

STEPS = {"2026-01-01": 15, "2026-03-29": 12, "2026-04-05": 0}


def longest(table: pd.DataFrame) -> tuple[int, pd.Timestamp | None]:
    """Find the longest run of hits, one row after the other."""
    best, since, run, begin, last = 0, None, 0, None, None
    for time, hit in zip(table["time"], table["hit"], strict=True):
        if not hit or last is None or time - last != pd.Timedelta(minutes=5):
            run = 0
        if hit:
            begin = time if run == 0 else begin
            run += 1
            if run > best:
                best, since = run, begin
        last = time
    return best, since


@pytest.mark.parametrize("tz", ZONES)
@pytest.mark.parametrize("licences", [14, STEPS])
def test_agrees_with_a_loop(tz, licences):
    """Time, days or runs at a level would be wrong at gaps, at a step of the licence or on a day the clock moves."""
    frame = ragged(13, "2026-03-26", "2026-04-08")
    found = cap.utilisation(frame, licences, tz=tz)
    table = plain(frame, tz)
    held = as_licences(licences).on(pd.DatetimeIndex(table["date"]))
    table["month"] = table["date"].dt.to_period("M").dt.to_timestamp()
    for level in (80, 90, 100):
        table["hit"] = (table["max_concurrent"] * 100 >= level * held) & (table["max_concurrent"] > 0)
        for variant, part in table.groupby("variant"):
            row = found.table.loc[(variant, level)]
            run, since = longest(part)
            assert row["intervals"] == part["hit"].sum()
            assert row["share"] == pytest.approx(part["hit"].mean())
            assert row["hours"] == pytest.approx(part["hit"].sum() / 12)
            assert row["days"] == part.loc[part["hit"], "date"].nunique()
            assert row["days_present"] == part["date"].nunique()
            assert row["longest_hours"] == pytest.approx(run / 12)
            assert row["longest_start"] == since or (since is None and row["longest_start"] is pd.NaT)
            months = found.months.loc[(variant, level)]
            by_month = part.groupby("month")["hit"]
            assert months["intervals"].to_dict() == by_month.sum().to_dict()
            assert months["present"].to_dict() == by_month.size().to_dict()
            assert months["share"].to_dict() == pytest.approx(by_month.mean().to_dict())
            assert months["hours"].tolist() == pytest.approx((by_month.sum() / 12).tolist())
            touched = part[part["hit"]].groupby("month")["date"].nunique()
            assert months["days"].to_dict() == touched.reindex(months.index, fill_value=0).to_dict()


def test_agrees_with_sql():
    """The share of time at the licence would not be what a database says."""
    duckdb = pytest.importorskip("duckdb")
    frame = ragged(14)
    rows = frame.reset_index()[["variant", "max_concurrent"]]
    answer = duckdb.from_df(rows).aggregate(
        "variant, count(*) filter (max_concurrent >= 0.8 * 11), count(*) filter (max_concurrent >= 11)"
    )
    found = cap.utilisation(frame, 11).table["intervals"]
    for variant, near, full in answer.fetchall():
        assert (found[(variant, 80)], found[(variant, 100)]) == (near, full)


def test_levels_are_whole_calls_rounded_up():
    """At 80% of 12, which is 9.6, an interval of 9 would count or one of 10 would not."""
    times = every("2026-07-01T00:00", "2026-07-01T00:20")
    table = cap.utilisation(of({cap.TOTAL: (times, [9, 10, 11, 12])}), 12).table
    assert table.loc[cap.TOTAL, "intervals"].to_dict() == {80: 3, 90: 2, 100: 1}


def test_a_gap_ends_a_run():
    """Two spells on either side of a gap would be one long run."""
    times = every("2026-07-01T00:00", "2026-07-01T01:00")
    kept = times.delete([3])
    holed = cap.utilisation(of({cap.TOTAL: (kept, 9)}), 9).table.loc[(cap.TOTAL, 100)]
    assert (holed["longest_hours"], holed["longest_start"]) == (8 / 12, times[4])
    other = of({cap.TOTAL: (kept, 9), "b": (times, 1)})  # the gap is a hole in a matrix now
    assert cap.utilisation(other, 9).table.loc[(cap.TOTAL, 100), "longest_start"] == times[4]


def test_the_first_of_equal_runs():
    """The start of the longest run would depend on chance."""
    times = every("2026-07-01T00:00", "2026-07-01T00:50")
    table = cap.utilisation(of({cap.TOTAL: (times, [1, 9, 9, 1, 9, 9, 1, 9, 1, 1])}), 9).table
    assert table.loc[(cap.TOTAL, 100), "longest_start"] == times[1]


def test_blocks_of_variants(monkeypatch):
    """Variants that are looked at in another block would get each other's runs."""
    frame = ragged(15)
    whole = cap.utilisation(frame, 8).table
    monkeypatch.setattr(module, "_BLOCK", 1)
    pd.testing.assert_frame_equal(cap.utilisation(frame, 8).table, whole)


def test_no_licence_and_no_calls():
    """With a licence of nought, or without calls, idle time would count as time at the limit."""
    frame = of({cap.TOTAL: (every("2026-07-01T00:00", "2026-07-01T00:20"), [0, 0, 1, 0])})
    table = cap.utilisation(frame, 0).table
    assert table["intervals"].tolist() == [1, 1, 1]
    idle = cap.utilisation(of({cap.TOTAL: (every("2026-07-01", "2026-07-02"), 0)}), 5)
    assert idle.table["intervals"].sum() == 0
    assert idle.table["longest_start"].isna().all()
    assert "never reached" in str(idle)


def test_words():
    """The sentence would say other numbers than the table."""
    frame = of({cap.TOTAL: (every("2026-07-01", "2026-07-03"), [10] * 6 + [8] * 6 + [1] * 564)})
    found = cap.utilisation(frame, 10)
    assert found.sentence() == (
        "The total was at or above the licences (10) for 30 min (1.04% of the time) on 1 of 2 days, "
        "30 min at a stretch; at or above 80% for 1.0 h (2.08% of the time)."
    )
    assert cap.utilisation(frame, "11").sentence() == (
        "The total never reached the licences (11), and was at or above 80% for 30 min (1.04% of the time)."
    )
    assert cap.utilisation(frame, 20).sentence() == "The total never reached 80% of the licences (20)."
    assert repr(found) == f"<Utilisation: {found}>"
    assert str(found) == found.sentence(cap.TOTAL)
    assert found.to_frame().equals(found.table)
    assert "<table" in found._repr_html_()
    many = cap.utilisation(of({f"v{k:02d}": (every("2026-07-01", "2026-07-02"), k) for k in range(12)}), 10)
    assert "2 variants more" in str(many)


@settings(max_examples=6)
@given(st.integers(0, 10_000), st.integers(1, 25))
def test_does_not_depend_on_rows_and_falls_with_the_licence(seed, licences):
    """A split and rejoined frame would give another answer, or more licences more time at them."""
    frame = ragged(seed, "2026-03-25", "2026-04-03")
    found = cap.utilisation(frame, licences, tz="Europe/London")
    cut = seed % len(frame)
    rejoined = cap.utilisation(cap.concat([frame.iloc[cut:], frame.iloc[:cut]]), licences, tz="Europe/London")
    pd.testing.assert_frame_equal(rejoined.table, found.table)
    pd.testing.assert_frame_equal(rejoined.months, found.months)
    more = cap.utilisation(frame, licences + 1, tz="Europe/London").table
    for column in ("intervals", "days", "longest_hours"):
        assert (more[column] <= found.table[column]).all()
    at = {level: found.table["intervals"].xs(level, level="level") for level in (80, 90, 100)}
    assert (at[80] >= at[90]).all()
    assert (at[90] >= at[100]).all()
    assert (found.months.groupby(level=[0, 1])["intervals"].sum() == found.table["intervals"]).all()


def test_wrong_and_too_little():
    """An empty frame would be at its limit 0% of the time, and a licence of -1 or half a call be measured."""
    frame = of({cap.TOTAL: (every("2026-07-01", "2026-07-02"), 3)})
    with pytest.raises(InsufficientData, match="at least one interval"):
        cap.utilisation(frame.iloc[:0], 5)
    with pytest.raises(ConfigError, match="whole number"):
        cap.utilisation(frame, -1)
    with pytest.raises(ConfigError, match="Mars"):
        cap.utilisation(frame, 5, tz="Mars/Olympus")
    assert np.isfinite(cap.utilisation(frame.iloc[:1], 5).table["share"]).all()
