"""The event sweep against a brute-force count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.calls import keys, sweep
from capacity.errors import ConfigError, FrameError
from capacity.fleet import shard_task
from capacity.fleet.ingest import stream_intervals

STEP = 300_000_000_000
BASE = pd.Timestamp("2026-03-29T00:00Z").value


def brute(calls: list[tuple[int, int, str]], first: int, last: int) -> dict[tuple[int, str], int]:
    """Count in progress at every instant at which it can be most: each start, and each interval's beginning."""
    out = {}
    for label in {g for *_, g in calls} | {cap.TOTAL}:
        mine = [(s, e) for s, e, g in calls if label in (g, cap.TOTAL)]
        for step in range(first, last, STEP):
            instants = [step, *(s for s, _ in mine if step <= s < step + STEP)]
            out[step, label] = max(sum(s <= t < e for s, e in mine) for t in instants)
    return out


def as_calls(rows: list[tuple[int, int, str]]) -> pd.DataFrame:
    """Call records of (start, end, variant)."""
    return pd.DataFrame(
        {
            "start": pd.DatetimeIndex([s for s, *_ in rows], tz="UTC"),
            "end": pd.DatetimeIndex([e for _, e, _ in rows], tz="UTC"),
            "variant": [g for *_, g in rows],
        }
    )


instants = st.one_of(
    st.integers(0, 12 * STEP),
    st.builds(lambda k, d: max(k * STEP + d, 0), st.integers(0, 12), st.sampled_from([-1, 0, 1])),
    st.builds(lambda k: k * 60_000_000_000, st.integers(0, 60)),
)
one_call = st.builds(
    lambda a, b, g: (BASE + min(a, b), BASE + max(a, b), g), instants, instants, st.sampled_from(["a", "b", "c d", ""])
)


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(one_call, min_size=1, max_size=25),
    word=st.sampled_from([63, 43]),
    piece=st.sampled_from([1 << 19, 3]),
)
def test_identical_to_brute_force(rows, word, piece):
    """Ties, boundaries to the nanosecond, calls over many intervals and of no length would be counted wrongly."""
    span = {"start": pd.Timestamp(BASE, tz="UTC"), "end": pd.Timestamp(BASE + 12 * STEP, tz="UTC")}
    expected = brute(rows, BASE, BASE + 12 * STEP)
    calls = as_calls(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_WORD_BITS", word)  # 43: as if time and group did not fit into one word
        patch.setattr(sweep, "_PIECE", piece)  # 3: calls enough for several pieces of time
        sparse = cap.intervals_from_calls(calls, **span, absent="missing")
        dense = cap.intervals_from_calls(calls, **span)
    found = {(t.value, g): n for (t, g), n in sparse["max_concurrent"].items()}
    assert found == {k: n for k, n in expected.items() if n > 0 or k[1] == cap.TOTAL}
    begun = {g: min(t for (t, h), n in expected.items() if h == g and n) for (_, g), n in expected.items() if n}
    begun[cap.TOTAL] = BASE
    found = {(t.value, g): n for (t, g), n in dense["max_concurrent"].items()}
    assert found == {(t, g): n for (t, g), n in expected.items() if g in begun and t >= begun[g]}


def frame_of(rows: list[tuple[str, str, str]], **options) -> dict[tuple[str, str], int]:
    """Count calls given as (hour and minute, hour and minute, variant) on 1 July 2026 UTC."""
    day = "2026-07-01T"
    calls = pd.DataFrame(rows, columns=["start", "end", "variant"])
    for column in ("start", "end"):
        calls[column] = pd.to_datetime(day + calls[column] + "Z")
    frame = cap.intervals_from_calls(calls, **options)
    return {(f"{t:%H:%M}", g): n for (t, g), n in frame["max_concurrent"].items()}


def test_by_hand():
    """The picture in everyone's head: carried in, handed over at one instant, of no length, nothing between."""
    rows = [
        ("14:01", "14:05", "a"),  # ends as the second interval begins: not in it
        ("14:04", "14:07", "b"),
        ("14:07", "14:21", "a"),  # takes over at the instant at which b ends: not two
        ("14:09", "14:09", "b"),  # of no length
    ]
    assert frame_of(rows) == {
        ("14:00", "*"): 2,
        ("14:00", "a"): 1,
        ("14:00", "b"): 1,
        ("14:05", "*"): 1,
        ("14:05", "a"): 1,
        ("14:05", "b"): 1,
        **{(f"14:{m}", g): n for m in (10, 15, 20) for g, n in (("*", 1), ("a", 1), ("b", 0))},
    }


def test_a_call_of_months_and_a_range_inside_it():
    """Calls in progress before the range begins, or after it ends, would not count."""
    calls = as_calls(
        [(BASE, BASE + 100 * 288 * STEP + 1, "a"), (BASE + 50 * 288 * STEP, BASE + 50 * 288 * STEP + 1, "b")]
    )
    whole = cap.total(cap.intervals_from_calls(calls))["max_concurrent"]
    assert len(whole) == 100 * 288 + 1
    assert whole[whole == 2].index.get_level_values(0).asi8.tolist() == [BASE + 50 * 288 * STEP]
    assert set(whole) == {1, 2}
    inside = {"start": pd.Timestamp(BASE + 7 * STEP, tz="UTC"), "end": pd.Timestamp(BASE + 9 * STEP, tz="UTC")}
    assert cap.intervals_from_calls(calls, **inside)["max_concurrent"].tolist() == [1, 1, 1, 1]
    after = {"start": "2030-01-01T00:00Z", "end": "2030-01-01T00:10Z"}
    assert cap.intervals_from_calls(calls, **after)["max_concurrent"].to_dict() == {
        (pd.Timestamp("2030-01-01T00:00Z"), "*"): 0,
        (pd.Timestamp("2030-01-01T00:05Z"), "*"): 0,
    }


def test_calls_without_an_end_are_in_progress_up_to_the_end():
    """A call still in progress would vanish from the frame, or last for ever."""
    still = [("14:01", None, "a"), ("14:03", "14:08", "b")]
    assert frame_of(still) == {
        ("14:00", "*"): 2,
        ("14:00", "a"): 1,
        ("14:00", "b"): 1,
        ("14:05", "*"): 2,
        ("14:05", "a"): 1,
        ("14:05", "b"): 1,
    }
    until = frame_of(still, end="2026-07-01T15:00Z", by=None)
    assert list(until.values()) == [2, 2, *[1] * 10]
    assert frame_of([("14:05", None, "a")]) == {("14:05", "*"): 1, ("14:05", "a"): 1}


def test_blocked_calls_never_were_in_progress():
    """Calls turned away at the licence would count as if they had been carried."""
    calls = as_calls([(BASE, BASE + STEP, "a"), (BASE, BASE + STEP, "b"), (BASE, BASE + STEP, "a")])
    for flags in ([False, True, True], pd.array([False, True, True], dtype="boolean"), [0, 1, 1], [None, True, True]):
        frame = cap.intervals_from_calls(calls.assign(blocked=flags))
        assert frame["max_concurrent"].droplevel(0).to_dict() == {"*": 1, "a": 1}


def test_flags_are_judged_by_what_they_are_not_by_what_holds_them():
    """True and False in a categorical or among objects would end in an IndexError; a text would count as true."""
    calls = as_calls([(BASE, BASE + STEP, "a"), (BASE, BASE + STEP, "b"), (BASE, BASE + STEP, "a")])
    for flags in (
        pd.Categorical([False, True, True]),
        pd.Categorical([None, True, True]),
        pd.Categorical([0, 1, 1]),
        pd.Series([False, True, 1], dtype=object),
        pd.Series([pd.NA, np.True_, 1.0], dtype=object),
        pd.Series([False, True, True], dtype="bool[pyarrow]"),
        pd.array([None, 1, 1], dtype="Int8"),
    ):
        frame = cap.intervals_from_calls(calls.assign(blocked=flags))
        assert frame["max_concurrent"].droplevel(0).to_dict() == {"*": 1, "a": 1}
    for flags in (
        pd.Categorical(["1", "0", "1"]),
        pd.Series([True, "1", False], dtype=object),
        ["1", "0", "1"],
        pd.to_datetime([0, 1, 1]),
    ):
        with pytest.raises(FrameError, match=r"blocked is .*(1|0).*not true or false"):
            cap.intervals_from_calls(calls.assign(blocked=flags))


def test_durations_columns_and_other_groups():
    """Logs with a length instead of an end, or with other names, could not be counted."""
    times = pd.to_datetime(["2026-07-01T14:00:00Z", "2026-07-01T14:04:59Z"])
    seconds = pd.DataFrame({"answered": times, "talk": [60.5, 2], "code": [7, None], "variant": "x"})
    spans = seconds.assign(talk=pd.to_timedelta(seconds["talk"], unit="s"))
    for calls in (seconds, spans):
        frame = cap.intervals_from_calls(calls, by="code", columns={"start": "answered", "duration": "talk"})
        assert frame.index.names == ["time", "code"]
        assert [f"{t:%M} {g} {n}" for (t, g), n in frame["max_concurrent"].items()] == [
            *("00 (none) 1", "00 * 1", "00 7.0 1"),
            *("05 (none) 1", "05 * 1", "05 7.0 0"),
        ]
        mapped = cap.intervals_from_calls(calls, columns={"start": "answered", "duration": "talk", "variant": "code"})
        assert mapped.index.names == ["time", "variant"]
    assert cap.intervals_from_calls(seconds.rename(columns={"answered": "start", "talk": "duration"}), by=None).shape


def test_resolution_and_zone_of_the_times_do_not_matter():
    """Seconds, microseconds, other zones or pyarrow types would shift a call."""
    calls = cap.simulate_calls("2026-03-28", days=2, seed=5)
    calls = calls.assign(start=calls["start"].dt.floor("s"), end=calls["end"].dt.ceil("s"))
    expected = cap.intervals_from_calls(calls)
    for change in (
        lambda c: c.dt.as_unit("s"),
        lambda c: c.dt.as_unit("us").dt.tz_convert("Asia/Kathmandu"),
        lambda c: c.astype("timestamp[ms, tz=UTC][pyarrow]"),
    ):
        other = calls.assign(start=change(calls["start"]), end=change(calls["end"]))
        pd.testing.assert_frame_equal(cap.intervals_from_calls(other), expected)
        shuffled = other.sample(frac=1, random_state=1)
        pd.testing.assert_frame_equal(cap.intervals_from_calls(shuffled), expected)


def test_display_names_are_the_latest():
    """A variant that was renamed would appear under its old name, or under both."""
    calls = as_calls([(BASE + k * STEP, BASE + (k + 1) * STEP, g) for k, g in enumerate("aababcb")])
    calls["variant_name"] = ["one", "two", "B", None, "B2", None, None]
    for order in (calls, calls.iloc[::-1]):
        frame = cap.intervals_from_calls(order)
        names = frame["variant_name"].astype(str).groupby(level=1).first()
        assert names.to_dict() == {"*": "All variants", "a": "two", "b": "B2", "c": "c"}


def test_many_groups_without_zeros():
    """Ten thousand groups would need a frame of all their intervals, or be counted wrongly."""
    rng = np.random.default_rng(8)
    n = 12_000
    starts = BASE + rng.integers(0, 300 * 288 * STEP, n)
    lengths = rng.choice([0, 1, STEP, 37 * STEP + 11, 150 * STEP], n)
    groups = rng.integers(0, 10_000, n)
    calls = pd.DataFrame(
        {
            "start": pd.DatetimeIndex(starts, tz="UTC"),
            "end": pd.DatetimeIndex(starts + lengths, tz="UTC"),
            "agent": pd.Categorical.from_codes(groups, [f"{g:05d}" for g in range(10_000)]),
        }
    )
    frame = cap.intervals_from_calls(calls, by="agent", absent="missing")
    sliced = cap.variants(frame)["max_concurrent"]
    assert (sliced > 0).all()
    for picked in rng.choice(10_000, 12, replace=False):
        mine = [
            (int(s), int(s + w), "x") for s, w in zip(starts[groups == picked], lengths[groups == picked], strict=True)
        ]
        alone = (
            cap.intervals_from_calls(as_calls(mine), by=None)["max_concurrent"]
            if any(e > s for s, e, _ in mine)
            else None
        )
        found = sliced[sliced.index.get_level_values(1) == f"{picked:05d}"].droplevel(1)
        expected = alone[alone > 0].droplevel(1) if alone is not None else found
        assert found.to_dict() == expected.to_dict()
    alone = cap.intervals_from_calls(calls, by=None)["max_concurrent"]
    assert cap.total(frame)["max_concurrent"].to_numpy().tolist() == alone.to_numpy().tolist()
    with pytest.raises(ConfigError, match="absent='missing'"):
        cap.intervals_from_calls(calls, by="agent")


def test_no_calls():
    """An empty log would raise, or would not be told from one that was never read."""
    none = as_calls([])
    assert cap.intervals_from_calls(none).empty
    hour = cap.intervals_from_calls(none, start="2026-07-01T14:00Z", end="2026-07-01T15:00Z")
    assert hour["max_concurrent"].tolist() == [0] * 12
    assert cap.intervals_from_calls(as_calls([(BASE, BASE, "a")])).empty
    blocked = as_calls([(BASE, BASE + 1, "a")]).assign(blocked=True)
    assert cap.intervals_from_calls(blocked).empty


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c.assign(start=c["start"].dt.tz_localize(None)), r"start is datetime64.*3 rows.*tz_localize"),
        (lambda c: c.assign(end=c["end"].astype(str)), "end is .*to_datetime"),
        (lambda c: c.assign(start=c["start"].where(c.index != 1)), r"1 calls have no start.*\(row 1: start NaT"),
        (lambda c: c.assign(end=c["end"] - pd.Timedelta("1D")), r"3 calls end before they start.*\(row 0: start 2026"),
        (lambda c: c.drop(columns="end"), "need 'start' and 'end'"),
        (lambda c: c.drop(columns="variant"), r"no column 'variant'.*by=None"),
        (lambda c: c.assign(variant="*"), r"'\*', which stands for the total"),
        (lambda c: c.drop(columns="end").assign(duration="5:00"), "duration is"),
        (lambda c: c.assign(blocked=["false", "false", "true"]), "blocked is .*'false'"),
        (lambda c: c.assign(blocked=[0, 1, 2]), "blocked is .*2"),
        (lambda c: c.drop(columns="end").assign(duration=-1.0), "3 calls end before they start"),
        (lambda c: c.drop(columns="end").assign(duration=np.inf), "duration like inf"),
        (lambda c: c.assign(end=pd.DatetimeIndex(["9999-12-31"] * 3, dtype="datetime64[s, UTC]")), "1678 to 2262"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_rows(change, match):
    """Broken records would be counted somehow, or the message would not help to find them."""
    calls = as_calls([(BASE + k * STEP, BASE + (k + 1) * STEP, "a") for k in range(3)])
    with pytest.raises(FrameError, match=match):
        cap.intervals_from_calls(change(calls))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"absent": "drop"}, "neither"),
        ({"by": None, "total": False}, "nothing to count"),
        ({"by": "variant_name"}, r"columns=\{'variant': 'variant_name'\}"),
        ({"start": "2026-01-01"}, "no time zone"),
        ({"start": "2027-01-01T00:00Z"}, "is not before"),
        ({"end": "2226-01-01T00:00Z"}, "longer than 60 years"),
    ],
)
def test_options_that_mean_nothing(options, match):
    """A mistaken option would give a frame that looks right."""
    with pytest.raises(ConfigError, match=match):
        cap.intervals_from_calls(as_calls([(BASE, BASE + 1, "a")]).assign(variant_name="A"), **options)


@pytest.mark.parametrize("by", ["variant", "agent", None])
@pytest.mark.parametrize("absent", ["zero", "missing"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_streamed_is_the_same_as_in_memory(tmp_path, monkeypatch, by, absent, shuffled):
    """A log larger than memory would give other maxima: at a batch's seam, at midnight, at the edge of the range."""
    monkeypatch.setattr(shard_task, "_BATCH", 400)
    monkeypatch.setattr(shard_task, "_SHARD", 1500)
    calls = cap.simulate_calls("2026-03-27", days=3, scale=0.4, seed=3, licences=18)
    rng = np.random.default_rng(3)
    calls["agent"] = rng.choice(["x", "y", None, *map(str, range(40))], len(calls))
    calls.loc[rng.choice(len(calls), 9), "end"] = pd.NaT
    calls.loc[5, "end"] += pd.Timedelta("70h")
    calls.loc[[7, 8], "start"] = calls["start"].dt.floor("D")[[7, 8]]
    calls.loc[[7, 8], "end"] = calls["start"].dt.ceil("D")[[7, 8]]
    if shuffled:
        calls = calls.sample(frac=1, random_state=2).reset_index(drop=True)
    for k in range(2):
        calls[k::2].to_parquet(tmp_path / f"{k}.parquet", row_group_size=1500)
    for span in (
        {},
        {"start": "2026-03-28T10:07Z", "end": "2026-03-29T22:58Z"},
        {"start": "2026-03-25T00:00Z", "end": "2026-03-27T08:00Z"},
        {"start": "2026-04-03T00:00Z", "end": "2026-04-03T02:00Z"},
    ):
        expected = cap.intervals_from_calls(calls, by=by, absent=absent, **span)
        found = stream_intervals(tmp_path, by=by, absent=absent, scratch=tmp_path, workers=1, **span)
        pd.testing.assert_frame_equal(found, expected)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.parquet", "1.parquet"]


@pytest.mark.parametrize("streamed", [False, True])
def test_no_calls_streamed_and_in_memory(tmp_path, streamed):
    """An empty log would be taken in one way and refused in the other, or a mistaken bound or gap pass unseen."""
    none = as_calls([(BASE, BASE, "a")]).head(0)
    none.to_parquet(tmp_path / "none.parquet")
    gaps = pd.DataFrame({"start": [pd.Timestamp(BASE, tz="UTC")], "end": [pd.Timestamp(BASE + STEP, tz="UTC")]})

    def count(**options):
        if streamed:
            return stream_intervals(tmp_path / "none.parquet", workers=1, **options)
        return cap.intervals_from_calls(none, **options)

    for options in ({}, {"absent": "missing"}, {"gaps": gaps}, {"start": "2026-01-01T00:00Z"}):
        frame = count(**options)
        assert frame.empty
        cap.validate(frame)
    hour = count(start="2026-03-29T00:00Z", end="2026-03-29T01:00Z", gaps=gaps)
    assert hour.index.levels[0].asi8.tolist() == [BASE + k * STEP for k in range(1, 12)]
    with pytest.raises(ConfigError, match="no time zone"):
        count(start="2026-01-01")
    with pytest.raises(FrameError, match="not before it"):
        count(gaps=gaps.set_axis(["end", "start"], axis=1))


def test_streaming_says_what_it_cannot_read(tmp_path):
    """A CSV, or Parquet of other columns, would end in a traceback; a mapping would be ignored."""
    calls = as_calls([(BASE, BASE + STEP, "a")])
    calls.rename(columns={"start": "begin"}).to_parquet(tmp_path / "a.parquet")
    mapped = stream_intervals(tmp_path / "a.parquet", columns={"start": "begin"}, workers=1)
    pd.testing.assert_frame_equal(mapped, cap.intervals_from_calls(calls))
    calls.head(0).to_parquet(tmp_path / "none.parquet")
    assert stream_intervals(tmp_path / "none.parquet", workers=1).empty
    with pytest.raises(FrameError, match=r"no columns \['began'\]"):
        stream_intervals(tmp_path / "a.parquet", columns={"start": "began"}, workers=1)
    with pytest.raises(FrameError, match="need 'start'"):
        stream_intervals(tmp_path / "a.parquet", workers=1)
    (tmp_path / "a.csv").write_text("start,end")
    with pytest.raises(FrameError, match="read_calls"):
        stream_intervals(tmp_path / "a.csv")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 not at all")
    with pytest.raises(FrameError, match="cannot be read"):
        stream_intervals(tmp_path / "b.parquet")
