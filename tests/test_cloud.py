"""Stores in an object store: a real server that speaks S3, faults on the way to it, and addresses."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.calls import emulator
from capacity.fetch.call_plan import plan_calls
from capacity.fetch.call_status import calls_held
from capacity.fetch.endpoint import Scope
from capacity.fetch.payload import Rows
from capacity.fetch.status import status
from capacity.fetch.store import Store
from capacity.fetch.windows import Window, split
from capacity.ground import cloud
from capacity.ground.address import as_place
from capacity.ground.cloud import Remote

from .fleet_stores import levels, make_store
from .object_server import KEY, SECRET, FaultyProxy, az_server, gs_server, rclone, s3_server

pytest.importorskip("s3fs")
MONDAY = pd.Timestamp("2026-01-12", tz="UTC")
LATE = MONDAY + pd.Timedelta(days=400)
SCOPE = Scope("A", "P")
ADDRESS = "s3://bucket/some/where"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serve an empty bucket."""
    if rclone() is None:
        pytest.skip("rclone is not installed")
    folder = tmp_path_factory.mktemp("s3")
    with s3_server(folder) as url:
        yield folder, url


@pytest.fixture
def bucket(server, monkeypatch):
    """Point the environment at a proxy before the server; the bucket is empty."""
    folder, url = server
    import shutil

    shutil.rmtree(folder / "bucket", ignore_errors=True)
    (folder / "bucket").mkdir()
    with FaultyProxy(url) as proxy:
        settings = {"AWS_ENDPOINT_URL": proxy.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        for name, value in {**settings, "AWS_DEFAULT_REGION": "us-east-1"}.items():
            monkeypatch.setenv(name, value)
        yield proxy, folder / "bucket"


def answer(window: Window, value: int) -> Rows:
    """Return an answer for a window, every interval of it with one value."""
    steps = np.arange(window.first, window.last, dtype=np.int32)
    return Rows(steps, steps * 0, steps * 0 + value, ("*",))


def filled(address, count: int) -> None:
    """Fill so many weeks, each with its number."""
    for k, window in enumerate(split(MONDAY, MONDAY + pd.Timedelta(weeks=count))):
        Store(address).add(SCOPE, window, answer(window, k + 1), LATE)


def test_a_bucket_holds_what_a_folder_holds(bucket, tmp_path):
    """A store in a bucket gave another frame than a folder, or kept more than one object a week."""
    _, folder = bucket
    for place in (ADDRESS, tmp_path):
        filled(place, 3)
        filled(place, 2)  # written again
    pd.testing.assert_frame_equal(cap.read_intervals(ADDRESS), cap.read_intervals(tmp_path))
    objects = [p.name[:10] for p in folder.rglob("*.parquet")]
    assert sorted(objects) == ["2026-01-12", "2026-01-19", "2026-01-26"]
    shown, local = status(ADDRESS), status(tmp_path)
    pd.testing.assert_frame_equal(shown.scopes, local.scopes)
    assert str(shown).startswith(ADDRESS)


def test_two_writers_of_one_week_lose_nothing(bucket):
    """Two that read, changed and wrote one week at the same time lost what the other had added."""
    first = MONDAY.value // 300_000_000_000
    steps = [Window.of_steps(first + k, first + k + 1) for k in range(8)]

    def write(offset: int) -> None:
        for k in range(offset, 8, 2):
            Store(ADDRESS).add(SCOPE, steps[k], answer(steps[k], k + 1), LATE)

    threads = [threading.Thread(target=write, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cap.read_intervals(ADDRESS)["max_concurrent"].tolist() == list(range(1, 9))


def test_two_objects_of_one_week_are_read_as_one_and_the_later_answer_holds(bucket, tmp_path):
    """What two writers left side by side was read twice, in part, the older answer won, or it stayed two."""
    _, folder = bucket
    day = [Window(MONDAY + pd.Timedelta(days=k), MONDAY + pd.Timedelta(days=k + 2)) for k in range(2)]
    for k, later in ((0, LATE), (1, LATE - pd.Timedelta(hours=1))):
        other = f"s3://bucket/other{k}"
        Store(other).add(SCOPE, day[k], answer(day[k], k + 1), later)
        (made,) = (folder / f"other{k}").rglob("*.parquet")
        target = folder / "some/where" / made.relative_to(folder / f"other{k}")
        target.parent.mkdir(parents=True, exist_ok=True)
        made.rename(target)
    frame = cap.read_intervals(ADDRESS)["max_concurrent"]
    assert frame.tolist() == [1] * 576 + [2] * 288
    assert int(status(ADDRESS).scopes["intervals"].iloc[0]) == 864
    window = Window(MONDAY, MONDAY + pd.Timedelta(minutes=5))
    Store(ADDRESS).add(SCOPE, window, answer(window, 9), LATE + pd.Timedelta(hours=1))
    assert len(list((folder / "some").rglob("*.parquet"))) == 1
    assert cap.read_intervals(ADDRESS)["max_concurrent"].tolist() == [9] + [1] * 575 + [2] * 288


@pytest.mark.parametrize("fault", ["503", "cut", "reset"])
def test_faults_on_the_way_are_asked_again(bucket, fault):
    """A bucket that was slow down, cut off or reset once gave a wrong frame or an error."""
    proxy, _ = bucket
    filled(ADDRESS, 2)
    want = cap.read_intervals(ADDRESS)
    broken: set[tuple[str, str]] = set()

    def once(method: str, path: str, n: int) -> str:
        first = (method, path) not in broken and method == "GET" and path.endswith(".parquet")
        broken.add((method, path))
        return fault if first else ""

    proxy.fault = once
    pd.testing.assert_frame_equal(cap.read_intervals(ADDRESS), want)


def test_a_slow_server_is_asked_for_many_objects_at_once(bucket):
    """A year in a bucket far away took as long as its weeks one after the other, or came in another order."""
    proxy, _ = bucket
    filled(ADDRESS, 12)
    want = cap.read_intervals(ADDRESS)
    proxy.fault, proxy.at_once = (lambda *_: "slow"), 0
    pd.testing.assert_frame_equal(cap.read_intervals(ADDRESS), want)
    assert proxy.at_once >= 6


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_a_server_that_breaks_off_every_time_is_a_store_error(bucket, monkeypatch, fault):
    """Half an object was read as a whole one, or asked for without end; half a write took the place of a whole one."""
    monkeypatch.setattr(cloud, "_ATTEMPTS", 2)
    cloud._filesystem.cache_clear()
    proxy, _ = bucket
    filled(ADDRESS, 1)
    want = cap.read_intervals(ADDRESS)
    proxy.fault = lambda method, path, _: fault if method == "GET" and path.endswith(".parquet") else ""
    before = len(proxy.requests)
    with pytest.raises(cap.errors.StoreError, match=ADDRESS):
        cap.read_intervals(ADDRESS)
    assert len(proxy.requests) - before < 30
    proxy.fault = lambda method, *_: "reset" if method == "PUT" else ""
    (week,) = split(MONDAY, MONDAY + pd.Timedelta(weeks=1))
    with pytest.raises(cap.errors.StoreError, match=ADDRESS):
        Store(ADDRESS).add(SCOPE, week, answer(week, 9), LATE + pd.Timedelta(days=1))
    proxy.fault = lambda *_: ""
    pd.testing.assert_frame_equal(cap.read_intervals(ADDRESS), want)
    cloud._filesystem.cache_clear()


def test_out_of_reach_is_a_store_error_that_names_the_address(bucket, monkeypatch):
    """A bucket that is out of reach or not there ended in an error of another library, or showed the secret."""
    with pytest.raises(cap.errors.ConfigError, match="s3://no-such-bucket/x' does not exist"):
        cap.read_intervals("s3://no-such-bucket/x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(cap.errors.StoreError, match=ADDRESS) as caught:
        cap.read_intervals(ADDRESS)
    assert SECRET not in str(caught.value)
    assert isinstance(caught.value.path, Remote)


def test_a_range_reads_the_weeks_it_needs_and_no_more_of_the_others_than_their_footers(bucket):
    """A day of a store of years was read by fetching every object whole."""
    proxy, _ = bucket
    rng = np.random.default_rng(1)
    ids = tuple(f"v{k:02d}" for k in range(30))
    for window in split(MONDAY, MONDAY + pd.Timedelta(weeks=4)):
        steps = np.repeat(np.arange(window.first, window.last, dtype=np.int32), 30)
        codes = np.tile(np.arange(30, dtype=np.int32), len(steps) // 30)
        rows = Rows(steps, codes, rng.integers(0, 90, len(steps), dtype=np.int32), ids)
        Store(ADDRESS).add(Scope("A", "P", by="variant"), window, rows, LATE)
    proxy.sent = 0
    cap.read_intervals(ADDRESS)
    whole, proxy.sent = proxy.sent, 0
    one = cap.read_intervals(ADDRESS, "2026-01-20", "2026-01-21", tz="UTC")
    assert len(one) == 288 * 30
    assert proxy.sent < 0.7 * whole


@pytest.fixture(scope="module")
def served():
    """Calls of three weeks, and a client of the server that has them."""
    calls = cap.simulate_calls("2026-01-05", days=21, tz="UTC", scale=0.05, seed=2)
    with (
        emulator.serve(calls, account="A", project="P", key="the-key", calls_key="the-key") as server,
        cap.Client("A", "P", api_key="the-key", base_url=server.url) as client,
    ):
        yield client


def test_call_records_in_a_bucket_are_those_of_a_folder(bucket, served, tmp_path):
    """Call records in a bucket were other than in a folder, asked for again, or in more than one object a day."""
    _, folder = bucket
    for place in (ADDRESS, tmp_path):
        for start, end in (("2026-01-05", "2026-01-17T05:00"), ("2026-01-09", "2026-01-26")):
            cap.fetch_calls(served, start, end, tz="UTC", store=place, progress=False)
    kept = [cap.read_stored_calls(place) for place in (ADDRESS, tmp_path)]
    pd.testing.assert_frame_equal(kept[0].frame, kept[1].frame)
    assert kept[0].covered == kept[1].covered
    days = [p.name[:10] for p in folder.rglob("*.parquet")]
    assert sorted(days) == sorted(p.name[:10] for p in tmp_path.rglob("*.parquet"))
    assert len(plan_calls(served, "2026-01-05", "2026-01-26", tz="UTC", store=ADDRESS)) == 0
    assert calls_held(ADDRESS) == calls_held(tmp_path)


def test_two_writers_of_one_day_of_calls_lose_nothing(bucket, served, tmp_path):
    """Two that fetched at the same time lost each other's days, or the calls that reach into them."""
    _, folder = bucket
    halves = [("2026-01-05", "2026-01-08"), ("2026-01-07", "2026-01-10")]
    fetch = {"tz": "UTC", "progress": False}
    threads = [
        threading.Thread(target=lambda h=half: cap.fetch_calls(served, *h, store=ADDRESS, **fetch)) for half in halves
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    want = cap.fetch_calls(served, "2026-01-05", "2026-01-10", store=tmp_path, **fetch)
    pd.testing.assert_frame_equal(cap.read_stored_calls(ADDRESS).frame, want.frame)
    for path in sorted(folder.rglob("2026-01-07*.parquet")):  # what two writers leave who never saw each other
        path.with_name("2026-01-07.other.parquet").write_bytes(path.read_bytes())
    pd.testing.assert_frame_equal(cap.read_stored_calls(ADDRESS).frame, want.frame)
    cap.fetch_calls(served, "2026-01-07", "2026-01-08", store=ADDRESS, refetch=True, **fetch)
    assert len(list(folder.rglob("2026-01-07*.parquet"))) == 1
    pd.testing.assert_frame_equal(cap.read_stored_calls(ADDRESS).frame, want.frame)


@pytest.mark.filterwarnings("default")  # of Google's and Azure's own libraries
@pytest.mark.parametrize("served", [gs_server, az_server])
def test_other_clouds_hold_what_a_folder_holds(served, monkeypatch, tmp_path):
    """A store at gs:// or az:// could not be written, gave another frame, or an error that does not name it."""
    with served(monkeypatch.setenv) as address:
        for place in (address, tmp_path):
            filled(place, 3)
            filled(place, 2)
        pd.testing.assert_frame_equal(cap.read_intervals(address), cap.read_intervals(tmp_path))
        assert str(status(address)).startswith(address)
        nowhere = address.replace("bucket", "no-such-bucket")
        with pytest.raises(cap.errors.ConfigError, match=f"{nowhere}' does not exist"):
            cap.read_intervals(nowhere)


# Addresses


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("s3://bucket/a/b/", Remote("s3://bucket/a/b")),
        ("S3://bucket", Remote("s3://bucket")),
        ("gs://bucket/a b", Remote("gs://bucket/a b")),
        ("az://box/x", Remote("az://box/x")),
        ("memory://x/y", Remote("memory://x/y")),
        ("abfs://box@account.dfs.core.windows.net/x", Remote("abfs://box@account.dfs.core.windows.net/x")),
        ("file:///tmp/a%20b", Path("/tmp/a b")),
        ("acme:calls", Path("acme:calls")),
        ("hdfs:a", Path("hdfs:a")),
        ("./s3:/x", Path("s3:/x")),
        (Path("/data/x"), Path("/data/x")),
    ],
)
def test_addresses_and_paths_are_told_apart(given, place):
    """An address became a folder, or a folder with a colon an address."""
    assert as_place(given) == place
    assert str(as_place(given)) == str(place)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("s3://id:secret@bucket/x", "credentials"),
        ("s3://id@bucket/x", "credentials"),
        ("s3://bucket/x?aws_secret_access_key=secret", "credentials"),
        ("abfs://id:secret@account/x", "credentials"),
        ("gs://id:secret@bucket/x", "credentials"),
        ("gs:///x", "bucket"),
        ("az://", "bucket"),
        ("hdfs://host/x", "no store that is known"),
        ("https://host/x", "no store that is known"),
        ("s3:///x", "bucket"),
        ("s3://bucket/../x", "nothing in an object store"),
        ("file://host/x", "host"),
        ("", "no path"),
        (" ", "no path"),
        ("a\0b", "no path"),
        (7, "no path"),
        (None, "no path"),
        (b"x", "no path"),
        (Path("s3://bucket/x"), "as text"),
        ("~nosuchuser/x", "whole path"),
    ],
)
def test_what_is_no_place_for_a_store_is_refused(given, says):
    """Credentials were taken from an address (and shown), or an odd place ended in a traceback."""
    with pytest.raises(cap.errors.ConfigError, match=says) as caught:
        Store(given)
    assert "secret" not in str(caught.value)


def test_commands_take_an_address(capsys):
    """`capacity status --store s3://...` went through Path, or looked for call records and failed."""
    from capacity.cli import run

    filled("memory://capacity-test/cli", 1)
    assert run(["status", "--store", "memory://capacity-test/cli"]) == 0
    assert capsys.readouterr().out.startswith("memory://capacity-test/cli: 1 scopes")
    assert run(["status", "--store", "s3://id:secret@bucket/x"]) == 1
    assert "secret" not in capsys.readouterr().err


def test_memory_is_a_store_for_tests():
    """memory:// could not be written or read, or lost an answer."""
    filled("memory://capacity-test/x", 2)
    frame = cap.read_intervals("memory://capacity-test/x")
    assert frame["max_concurrent"].tolist() == [1] * 2016 + [2] * 2016


def test_a_missing_package_names_the_extra(monkeypatch):
    """A store at gs:// without the package ended in an ImportError."""
    monkeypatch.setitem(cloud.PACKAGES, "gs", "no_such_package")
    with pytest.raises(cap.errors.CapacityError, match=r"call-capacity\[cloud\]"):
        cap.read_intervals("gs://bucket/never-asked")


def test_a_fleet_of_buckets(bucket, tmp_path):
    """A plan's addresses would be paths, or a project be taken from a part though its objects changed."""
    make_store(ADDRESS, levels(70, 1))
    make_store(tmp_path / "here", levels(70, 1))
    stores = {"far": ADDRESS, "here": str(tmp_path / "here"), "gone": "s3://bucket/gone"}
    plan = pd.DataFrame({"project": list(stores), "store": list(stores.values()), "licences": 50, "tz": "UTC"})
    plan.to_csv(tmp_path / "plan.csv", index=False)
    ask = {"horizon": 30, "workers": 1, "out": tmp_path / "out"}
    first = cap.assess_fleet(tmp_path / "plan.csv", **ask).table
    assert first.loc["far"].equals(first.loc["here"])
    assert "does not exist" in first.loc["gone", "reason"]
    make_store(ADDRESS, levels(7, 2, 90), start="2025-03-10")
    again = cap.assess_fleet(tmp_path / "plan.csv", **ask).table
    assert again.loc["far", "peak"] > 80
    assert again.loc["here"].equals(first.loc["here"])
