"""Calls of any number to the store: what is read back equals the sweep in memory, row for row."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity import intervals_to_store
from capacity.cli import run
from capacity.fleet import shard_task

ORIGIN = pd.Timestamp("2026-03-06T20:00Z")  # a Friday evening: midnights and a week's end are near
HOUR = 3600 * 10**9


def table(rows) -> pd.DataFrame:
    """Return calls from (start [ns after the origin], length [ns] or None, variant, name)."""
    starts = [ORIGIN + pd.Timedelta(s) for s, _, _, _ in rows]
    ends = [pd.NaT if n is None else a + pd.Timedelta(n) for a, (_, n, _, _) in zip(starts, rows, strict=True)]
    return pd.DataFrame(
        {
            "start": pd.DatetimeIndex(starts, tz="UTC").as_unit("ns"),
            "end": pd.DatetimeIndex(ends, tz="UTC").as_unit("ns"),
            "variant": [v for _, _, v, _ in rows],
            "variant_name": [n for _, _, _, n in rows],
        }
    )


moments = st.one_of(
    st.integers(0, 100 * HOUR),
    st.integers(0, 100).map(lambda h: h * HOUR),  # on midnights, on week's ends, on the grid
    st.integers(0, 360_000).map(lambda s: s * 10**9),
)
lengths = st.one_of(st.none(), st.integers(0, 3 * HOUR), st.integers(0, 80).map(lambda h: h * HOUR), st.just(0))
rows = st.tuples(moments, lengths, st.sampled_from(["a", "b", "c", None]), st.sampled_from(["A", "B", None]))


@settings(max_examples=25)
@given(
    st.lists(st.lists(rows, min_size=1, max_size=8), min_size=1, max_size=3),
    st.sampled_from(["variant", None]),
    st.one_of(st.none(), st.tuples(st.integers(-2, 60), st.integers(1, 60))),
    st.booleans(),
    st.sampled_from(["zero", "missing"]),
)
def test_the_store_reads_as_the_sweep_in_memory(files, by, span, lacking, absent):
    """A call would be lost or counted twice at a midnight, at a week's end, between files, or at the range's ends."""
    calls = pd.concat([table(part) for part in files], ignore_index=True)
    range_ = {}
    if span is not None:
        range_ = {"start": ORIGIN + pd.Timedelta(hours=span[0]), "end": ORIGIN + pd.Timedelta(hours=sum(span))}
    gaps = None
    if lacking:
        at = ORIGIN + pd.Timedelta(minutes=302)
        gaps = pd.DataFrame({"start": [at], "end": [at + pd.Timedelta(hours=3)]})
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_task, "_SHARD", 5)  # several shards a file
        patch.setattr(shard_task, "_BATCH", 3)
        for k, part in enumerate(reversed(files)):
            table(part).to_parquet(Path(folder) / f"{k}.parquet", row_group_size=4)
        try:
            expected = cap.intervals_from_calls(calls, by=by, gaps=gaps, absent=absent, **range_)
        except cap.errors.ConfigError:
            with pytest.raises(cap.errors.ConfigError):
                intervals_to_store(folder, Path(folder) / "store", by=by, gaps=gaps, workers=1, **range_)
            return
        done = intervals_to_store(folder, Path(folder) / "store", by=by, gaps=gaps, workers=1, **range_)
        if len(expected):
            pd.testing.assert_frame_equal(cap.read_intervals(Path(folder) / "store", absent=absent), expected)
            assert done.calls == len(calls)
        else:
            assert not (Path(folder) / "store").exists() or not len(cap.read_intervals(Path(folder) / "store"))


@pytest.fixture(scope="module")
def logs(tmp_path_factory) -> Path:
    """Nine days of calls in three files, each of which has series of its own, one file out of order."""
    folder = tmp_path_factory.mktemp("logs")
    calls = cap.simulate_calls("2026-03-02", days=9, scale=0.3, seed=1)
    parts = np.array_split(np.arange(len(calls)), 3)
    calls.iloc[parts[1]].sample(frac=1, random_state=1).to_parquet(folder / "b.parquet", row_group_size=500)
    calls.iloc[parts[2]].to_parquet(folder / "a.parquet")
    calls.iloc[parts[0]].astype({"variant": "category"}).to_parquet(folder / "c.parquet")
    return folder


def test_the_same_through_any_executor(logs, tmp_path):
    """The store would depend on who did the work, or scratch be left behind."""
    calls = pd.concat([pd.read_parquet(p).astype({"variant": "object"}) for p in logs.glob("*.parquet")])
    expected = cap.intervals_from_calls(calls)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seen = []
    with ThreadPoolExecutor(3) as pool:
        done = intervals_to_store(
            [logs / "a.parquet", logs / "b.parquet", logs / "c.parquet"],
            tmp_path / "one",
            executor=pool,
            workers=3,
            scratch=scratch,
            progress=lambda *told: seen.append(told),
        )
    intervals_to_store(logs, tmp_path / "two", workers=2, scratch=scratch)
    for store in ("one", "two"):
        pd.testing.assert_frame_equal(cap.read_intervals(tmp_path / store), expected)
    assert list(scratch.iterdir()) == []
    assert (done.calls, done.series) == (int((~calls["blocked"]).sum()), 4)
    assert seen[-1][0] == "swept"
    assert seen[-1][1] == seen[-1][2] == 2  # weeks


def test_again_replaces_what_was_there(logs, tmp_path):
    """Calls would be counted with those of the run before."""
    for _ in range(2):
        intervals_to_store(logs, tmp_path, by=None, workers=1)
    calls = pd.concat([pd.read_parquet(p) for p in logs.glob("*.parquet")])
    assert cap.read_intervals(tmp_path).equals(cap.intervals_from_calls(calls, by=None))


def test_scratch_on_another_file_system(logs, tmp_path):
    """Workers without a common disk could not share the shards."""
    pytest.importorskip("fsspec")
    intervals_to_store(logs, tmp_path / "store", workers=1, scratch="memory://shards")
    assert len(cap.read_intervals(tmp_path / "store")) > 0
    import fsspec

    assert fsspec.filesystem("memory").find("/shards") == []


def test_what_cannot_be_read(tmp_path):
    """An error would come as a traceback, after hours, or as a lost worker that is tried again."""
    with pytest.raises(cap.errors.FrameError, match="is not there"):
        intervals_to_store(tmp_path / "none.parquet", tmp_path / "store")
    with pytest.raises(cap.errors.ConfigError, match="workers=0"):
        intervals_to_store(tmp_path / "none.parquet", tmp_path / "store", workers=0)
    (tmp_path / "log.csv").write_text("start,end\n")
    with pytest.raises(cap.errors.FrameError, match="cannot be read as Parquet"):
        intervals_to_store(tmp_path / "log.csv", tmp_path / "store")
    with pytest.raises(cap.errors.FrameError, match="no Parquet file"):
        intervals_to_store(tmp_path, tmp_path / "store")
    pd.DataFrame({"start": [1], "end": [2]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(cap.errors.FrameError, match="not aware datetimes"):
        intervals_to_store(tmp_path / "a.parquet", tmp_path / "store", by=None, workers=1)
    with pytest.raises(cap.errors.FrameError, match=r"no columns \['begun'\]"):
        intervals_to_store(tmp_path / "a.parquet", tmp_path / "store", columns={"start": "begun"}, workers=1)
    with pytest.raises(cap.errors.FrameError, match="no column 'queue' to group by"):
        intervals_to_store(tmp_path / "a.parquet", tmp_path / "store", by="queue", workers=1)
    (tmp_path / "file").write_text("x")
    with pytest.raises(cap.errors.ConfigError, match="is a file"):
        intervals_to_store(tmp_path / "a.parquet", tmp_path / "file")
    with pytest.raises(cap.errors.StoreError, match="scratch"):
        intervals_to_store(tmp_path / "a.parquet", tmp_path / "store", scratch=tmp_path / "no" / "folder")


def test_calls_in_memory_and_columns_of_any_name(logs, tmp_path):
    """A log of another kind could not be put into a store, or only where it is sliced by variant."""
    calls = pd.read_parquet(logs / "a.parquet").rename(columns={"variant": "queue"}).drop(columns="variant_name")
    intervals_to_store(cap.Calls(calls), tmp_path, by="queue")
    expected = cap.intervals_from_calls(calls, by="queue").rename_axis(index={"queue": "variant"})
    pd.testing.assert_frame_equal(cap.read_intervals(tmp_path), expected)


@pytest.mark.parametrize("more", [[], ["--stream"]])
def test_the_command_writes_into_a_store(logs, tmp_path, capsys, more):
    """A log would go to a file alone, and what reads stores could not use it."""
    assert run(["intervals", str(logs / "a.parquet"), "--store", str(tmp_path / "s"), *more]) == 0
    assert f"UTC in {tmp_path / 's'}" in capsys.readouterr().out
    expected = cap.intervals_from_calls(pd.read_parquet(logs / "a.parquet"))
    pd.testing.assert_frame_equal(cap.read_intervals(tmp_path / "s"), expected)
    assert run(["intervals", str(logs / "a.parquet")]) == 1
    assert "--out FILE or --store DIR" in capsys.readouterr().err
