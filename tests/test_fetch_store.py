"""The store: what is asked for again and what is not, and what no crash, disk or second process may do to it."""

from __future__ import annotations

import json
import threading

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import capacity as cap
from capacity.fetch.endpoint import Scope
from capacity.fetch.fetcher import plan
from capacity.fetch.patience import Patience
from capacity.fetch.payload import Rows
from capacity.fetch.store import Store
from capacity.fetch.windows import Window

from .faulty_server import FaultyServer, Truth, error
from .hourly import DAY, EVERY_HOUR, FIRST, HOUR, MONDAY, asked, fetch, set_now, truth


@pytest.fixture
def server():
    """Serve an interval every hour for some weeks."""
    with FaultyServer(EVERY_HOUR) as running:
        yield running


@pytest.fixture
def client(server):
    """Connect to that server, long after what it knows."""
    with cap.Client("A", "P", api_key="k", base_url=server.url) as made:
        made._patience = Patience(attempts=2, first_wait=0.0, longest_wait=0.0, jitter=0.0)
        set_now(made, MONDAY + 100 * DAY)
        yield made


# Only what is not held


def test_only_what_is_not_held_is_asked_for(server, client, tmp_path):
    """A window that is held was asked for again, or a hole in a week was not."""
    fetch(client, MONDAY + 2 * DAY, MONDAY + 3 * DAY, tmp_path)
    assert asked(server) == ["01-14T00..01-15T00"]
    fetch(client, MONDAY + 2 * DAY + HOUR, MONDAY + 3 * DAY - HOUR, tmp_path)
    assert asked(server) == []
    frame = fetch(client, MONDAY + 1 * DAY, MONDAY + 8 * DAY, tmp_path)
    assert asked(server) == ["01-13T00..01-14T00", "01-15T00..01-19T00", "01-19T00..01-20T00"]
    assert len(frame) == 7 * 288
    assert frame["max_concurrent"].sum() == sum(1 + h % 7 for h in range(24, 192))
    fetch(client, MONDAY, MONDAY + 14 * DAY, tmp_path)
    assert asked(server) == ["01-12T00..01-13T00", "01-20T00..01-26T00"]
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


def test_with_refetch_everything_is_asked_for_again(server, client, tmp_path):
    """refetch=True kept what was there, or lost what lies around it."""
    fetch(client, MONDAY, MONDAY + 7 * DAY, tmp_path)
    server.truth = Truth(dict.fromkeys(EVERY_HOUR.values, 5))
    asked(server)
    fetch(client, MONDAY + DAY, MONDAY + 2 * DAY, tmp_path, refetch=True)
    assert asked(server) == ["01-13T00..01-14T00"]
    peaks = cap.read_intervals(tmp_path)["max_concurrent"].to_numpy().reshape(7, 24, 12)[:, :, 0]
    was = np.array([1 + h % 7 for h in range(168)]).reshape(7, 24)
    was[1] = 5
    np.testing.assert_array_equal(peaks, was)


def test_a_window_is_final_48_hours_after_its_end(server, client, tmp_path):
    """A recent window was never corrected, or an old one was asked for for ever."""
    end = MONDAY + 3 * DAY
    for hours, again in [(0, True), (1, True), (47.9, True), (48, True), (49, False), (500, False)]:
        set_now(client, end + pd.Timedelta(hours=hours))
        fetch(client, MONDAY, end, tmp_path)
        assert (asked(server) != []) == again, f"{hours} h after its end"


def test_late_corrections_arrive(server, client, tmp_path):
    """A provisional window that changed on the server stayed as it was, or kept intervals that are gone."""
    set_now(client, MONDAY + 2 * HOUR)
    server.truth = truth(0, 1)
    fetch(client, MONDAY, MONDAY + DAY, tmp_path)
    set_now(client, MONDAY + 3 * HOUR)
    server.truth = Truth({(FIRST, "*"): 9})
    frame = fetch(client, MONDAY, MONDAY + DAY, tmp_path, absent="missing")
    assert frame["max_concurrent"].tolist() == [9]


def test_an_empty_answer_is_final_when_it_comes_twice(server, client, tmp_path):
    """An empty answer was believed at once, or asked for for ever, or the first one counted too early."""
    server.truth = Truth({})
    end = MONDAY + DAY
    for hours, again in [(1, True), (50, True), (60, False)]:
        set_now(client, end + pd.Timedelta(hours=hours))
        fetch(client, MONDAY, end, tmp_path / "a")
        assert (asked(server) != []) == again, f"first asked 1 h after, now {hours}"
    for hours, again in [(60, True), (61, True), (62, False)]:
        set_now(client, end + pd.Timedelta(hours=hours))
        fetch(client, MONDAY, end, tmp_path / "b")
        assert (asked(server) != []) == again, f"first asked 60 h after, now {hours}"


def test_an_empty_answer_that_fills_up_later(server, client, tmp_path):
    """What came the second time after an empty answer was lost."""
    server.truth = Truth({})
    fetch(client, MONDAY, MONDAY + DAY, tmp_path)
    server.truth = EVERY_HOUR
    assert fetch(client, MONDAY, MONDAY + DAY, tmp_path)["max_concurrent"].gt(0).sum() == 24
    asked(server)
    fetch(client, MONDAY, MONDAY + DAY, tmp_path)
    assert asked(server) == []


def test_the_future_is_never_asked_for_and_never_stored(server, client, tmp_path):
    """An interval still in progress, or one to come, was asked for or stood in the frame."""
    set_now(client, MONDAY + 2 * HOUR + pd.Timedelta(minutes=7, seconds=30))
    frame = fetch(client, MONDAY, MONDAY + 30 * DAY, tmp_path)
    assert frame.index[-1][0] == MONDAY + 2 * HOUR
    assert server.requests[0].query["end_time"] == "2026-01-12T02:05:00.000Z"
    asked(server)
    assert len(fetch(client, MONDAY + 1 * DAY, MONDAY + 2 * DAY, tmp_path)) == 0
    assert len(fetch(client, MONDAY + 2 * HOUR + pd.Timedelta(minutes=5), MONDAY + 3 * HOUR, tmp_path)) == 0
    assert asked(server) == []
    set_now(client, MONDAY + 4 * HOUR)
    frame = fetch(client, MONDAY, MONDAY + 30 * DAY, tmp_path)
    assert frame.index[-1][0] == MONDAY + 4 * HOUR - pd.Timedelta(minutes=5)


def test_the_total_and_each_filter_are_scopes_of_their_own(server, client, tmp_path):
    """An answer to one question was taken for the answer to another."""
    for more in ({}, {"slice_by": "variant"}, {"env": "sandbox"}, {"variant_id": "a"}, {"language": "en-GB"}):
        fetch(client, MONDAY, MONDAY + HOUR, tmp_path, **{"total": False} if "slice_by" in more else {}, **more)
        assert len(server.requests) == 1, more
        server.requests.clear()


def test_the_same_store_serves_another_base_url(client, tmp_path, server):
    """The base URL was part of the scope."""
    fetch(client, MONDAY, MONDAY + HOUR, tmp_path)
    with cap.Client("A", "P", api_key="k", region="uk-1") as other:
        assert len(fetch(other, MONDAY, MONDAY + HOUR, tmp_path)) == 12


def test_a_plan_lists_what_would_be_asked_and_asks_nothing(server, client, tmp_path):
    """The dry run differs from the run."""
    fetch(client, MONDAY + 1 * DAY, MONDAY + 2 * DAY, tmp_path)
    set_now(client, MONDAY + 12 * DAY)
    fetch(client, MONDAY + 11 * DAY, MONDAY + 12 * DAY, tmp_path)
    server.requests.clear()
    arguments = {"store": tmp_path, "slice_by": None}
    table = plan(client, MONDAY, MONDAY + 14 * DAY, **arguments)
    assert server.requests == []
    shown = [f"{r.start:%m-%dT%H}..{r.end:%m-%dT%H} {r.why}" for r in table.itertuples()]
    assert shown == [
        "01-12T00..01-13T00 not held",
        "01-14T00..01-19T00 not held",
        "01-19T00..01-24T00 not held",
    ]
    fetch(client, MONDAY, MONDAY + 14 * DAY, tmp_path)
    assert asked(server) == [line.split(" ")[0] for line in shown]
    assert plan(client, MONDAY, MONDAY + 14 * DAY, **arguments)["why"].tolist() == ["provisional"]
    assert set(plan(client, MONDAY, MONDAY + 14 * DAY, refetch=True, **arguments)["why"]) == {"asked again"}


# Files that others can read


def test_duckdb_and_pandas_read_it_directly(client, tmp_path):
    """The files are Parquet in name only, or the folders are not hive-style."""
    frame = cap.fetch_intervals(client, MONDAY - DAY, MONDAY + 9 * DAY, store=tmp_path, absent="missing")
    want = {
        "total": int(cap.total(frame)["max_concurrent"].sum()),
        "variant": int(cap.variants(frame).iloc[:, 0].sum()),
    }
    files = f"{tmp_path}/**/*.parquet"
    found = duckdb.sql(
        "select slice, sum(max_concurrent), epoch(min(time)), any_value(account), any_value(env), "
        f"count(distinct variant_name) from read_parquet('{files}', hive_partitioning=true) group by slice"
    ).fetchall()
    assert {row[0]: row[1] for row in found} == want
    assert all(row[2] == (MONDAY - DAY).timestamp() and row[3:] == ("A", "live", 1) for row in found)
    by_pandas = pd.read_parquet(tmp_path)
    assert by_pandas.groupby("slice", observed=True)["max_concurrent"].sum().to_dict() == want


def test_polars_reads_it_directly(client, tmp_path):
    """The folders are not hive-style to polars."""
    pl = pytest.importorskip("polars")
    frame = fetch(client, MONDAY - DAY, MONDAY + 9 * DAY, tmp_path)
    table = pl.read_parquet(f"{tmp_path}/**/*.parquet", hive_partitioning=True)
    assert table["max_concurrent"].sum() == frame["max_concurrent"].sum()
    assert table["project"].unique().to_list() == ["P"]


def test_the_metadata_says_where_it_comes_from(client, tmp_path):
    """A file does not say what was asked, when, and whether that is final."""
    set_now(client, MONDAY + 3 * DAY)
    fetch(client, MONDAY, MONDAY + DAY, tmp_path, language="en-GB")
    (path,) = tmp_path.rglob("*.parquet")
    assert path.name == "2026-01-12.parquet"
    meta = json.loads(pq.read_metadata(path).metadata[b"capacity"])
    assert meta["version"] == 1
    assert (meta["account"], meta["project"], meta["env"], meta["slice"]) == ("A", "P", "live", None)
    assert meta["filters"] == {"language": "en-GB"}
    (piece,) = meta["pieces"]
    assert piece == {
        "start": "2026-01-12T00:00:00+00:00",
        "end": "2026-01-13T00:00:00+00:00",
        "fetched_at": "2026-01-15T00:00:00+00:00",
        "empty": False,
        "final": True,
    }
    assert "en-GB" not in str(path)


def test_answers_stand_as_they_came(client, server, tmp_path):
    """Zeros were filled in on writing, so that a reader cannot tell what was answered."""
    fetch(client, MONDAY, MONDAY + DAY, tmp_path)
    (path,) = tmp_path.rglob("*.parquet")
    assert pq.read_metadata(path).num_rows == 24


# Two at once


def one_interval(step: int, value: int) -> tuple[Window, Rows]:
    """Return an answer of one interval."""
    column = np.array([value], dtype=np.int32)
    return Window.of_steps(step, step + 1), Rows(np.array([step], dtype=np.int32), column * 0, column, ("*",))


def test_two_writers_of_one_week_lose_nothing(tmp_path):
    """Two that read, changed and wrote one file at the same time lost what the other had added."""
    scope, late = Scope("A", "P"), MONDAY + 30 * DAY

    def write(offset: int) -> None:
        store = Store(tmp_path)  # its own lock, as another process has
        for k in range(offset, 40, 4):
            store.add(scope, *one_interval(FIRST + k, 1 + k), late)

    threads = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cap.read_intervals(tmp_path)["max_concurrent"].tolist() == list(range(1, 41))


def test_the_newer_answer_stays_whoever_writes_last(tmp_path):
    """A slow process overwrote a newer answer with its older one."""
    scope, store = Scope("A", "P"), Store(tmp_path)
    for fetched_at, value in [(MONDAY + 5 * DAY, 5), (MONDAY + 4 * DAY, 4)]:
        store.add(scope, *one_interval(FIRST, value), fetched_at)
    assert cap.read_intervals(tmp_path)["max_concurrent"].tolist() == [5]


def test_a_lock_that_never_opens_is_an_error(tmp_path, monkeypatch):
    """A stopped process that holds the lock kept everybody for ever."""
    monkeypatch.setattr("capacity.fetch.store._PATIENCE_S", 0.02)
    holder, waiter = Store(tmp_path), Store(tmp_path)
    with holder._alone(), pytest.raises(cap.errors.StoreError, match="locked"):
        waiter.add(Scope("A", "P"), *one_interval(FIRST, 1), MONDAY)


def test_a_failed_window_is_asked_for_next_time_alone(server, client, tmp_path):
    """After an incomplete fetch everything was asked for again, or the failed window was forgotten."""
    server.script = lambda r, n: error(500) if r.query["start_time"].startswith("2026-01-19") else None
    with pytest.raises(cap.errors.IncompleteError, match=r"\[2026-01-19T00:00Z, 2026-01-26T00:00Z\)"):
        fetch(client, MONDAY, MONDAY + 21 * DAY, tmp_path)
    server.script = None
    asked(server)
    frame = fetch(client, MONDAY, MONDAY + 21 * DAY, tmp_path)
    assert asked(server) == ["01-19T00..01-26T00"]
    assert cap.coverage(frame, MONDAY, MONDAY + 21 * DAY).complete


def test_a_hopeless_status_keeps_what_is_done(server, client, tmp_path):
    """A key that expired in the middle cost the windows before it."""
    server.script = lambda r, n: error(401, "expired") if n > 6 else None
    with pytest.raises(cap.errors.Unauthorized, match="expired"):
        cap.fetch_intervals(client, "2025-06-02", "2026-01-05", tz="UTC", slice_by=None, store=tmp_path)
    held = len(list(tmp_path.rglob("*.parquet")))
    assert 1 <= held <= 6
    assert len(server.requests) < 20
