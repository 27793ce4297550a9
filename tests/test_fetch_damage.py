"""The store under damage: flipped bits, cut files, full disks, files of others, killed processes."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import capacity as cap
from capacity.fetch.fetcher import plan
from capacity.fetch.patience import Patience

from .faulty_server import FaultyServer
from .hourly import DAY, EVERY_HOUR, MONDAY, asked, fetch, set_now


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


def whole(client, store) -> tuple[pd.DataFrame, Path]:
    """Fill a store with one file and return what it holds."""
    frame = fetch(client, MONDAY, MONDAY + 7 * DAY, store)
    (path,) = Path(store).rglob("*.parquet")
    return frame, path


def test_a_damaged_file_is_named_and_mended_by_repair(server, client, tmp_path):
    """A damaged file ended in a traceback of pyarrow, in wrong numbers, or could not be mended."""
    frame, path = whole(client, tmp_path)
    sound = path.read_bytes()
    path.write_bytes(sound[: len(sound) // 2])
    for read in (lambda: cap.read_intervals(tmp_path), lambda: fetch(client, MONDAY, MONDAY + DAY, tmp_path)):
        with pytest.raises(cap.errors.StoreError, match="repair") as caught:
            read()
        assert caught.value.path == path
        assert str(path) in str(caught.value)
    asked(server)
    arguments = (client, MONDAY + DAY, MONDAY + 2 * DAY)
    assert plan(*arguments, store=tmp_path, slice_by=None, repair=True)["why"].tolist() == ["damaged"]
    fetch(*arguments, tmp_path, repair=True)
    assert asked(server) == ["01-12T00..01-19T00"]  # the whole week: it may have been held
    pd.testing.assert_frame_equal(cap.read_intervals(tmp_path), frame)


def test_any_flipped_bit_and_any_cut_is_noticed(client, tmp_path):
    """A flipped bit became a wrong number."""
    frame, path = whole(client, tmp_path)
    sound = path.read_bytes()
    rng = random.Random(5)
    noticed = 0
    for n in range(120):
        broken = bytearray(sound)
        if n % 3:
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        else:
            del broken[rng.randrange(len(broken)) :]
        path.write_bytes(broken)
        os.utime(path, (n, n))
        try:
            got = cap.read_intervals(tmp_path)
        except cap.errors.StoreError:
            noticed += 1
        except cap.errors.ConfigError as exc:
            assert "what to read is not clear" in str(exc) or "holds nothing" in str(exc)
        else:
            pd.testing.assert_frame_equal(got, frame)
    assert noticed > 60


def rewrite(path: Path, change, meta=lambda held: held) -> None:
    """Write a file anew with other rows or metadata: its pages are sound, its checksums those of what it held."""
    table = pq.read_table(path)
    held = dict(table.schema.metadata)
    pq.write_table(change(table).replace_schema_metadata(meta(held)), path, write_page_checksum=True)
    os.utime(path, (7, 7))


def test_other_rows_under_the_same_checksum_are_noticed(client, tmp_path):
    """Rows that another program wrote, or that were lost with their pages, would be read as answers."""
    frame, path = whole(client, tmp_path)
    assert len(frame) > 10
    for change in (
        lambda t: t.set_column(
            t.schema.get_field_index("max_concurrent"),
            t.schema.field("max_concurrent"),
            pc.add(t["max_concurrent"], pa.scalar(1, t["max_concurrent"].type)),
        ),
        lambda t: t.slice(1),
    ):
        sound = path.read_bytes()
        rewrite(path, change)
        with pytest.raises(cap.errors.StoreError, match="damaged"):
            cap.read_intervals(tmp_path)
        path.write_bytes(sound)


def test_other_metadata_under_the_same_checksum_is_noticed(client, tmp_path):
    """A window that is not final would be called final, and never be asked for again."""
    _, path = whole(client, tmp_path)

    def change(held):
        ((key, raw),) = [(k, v) for k, v in held.items() if k.startswith(b"capacity") and b"{" in v]
        assert b"true" in raw
        return held | {key: raw.replace(b"true", b"false", 1)}

    rewrite(path, lambda table: table, change)
    with pytest.raises(cap.errors.StoreError, match="damaged"):
        cap.read_intervals(tmp_path)


def rewritten(path: Path, change) -> None:
    """Write a file anew with other rows or other metadata; its pages are sound, with checksums of their own."""
    table = pq.read_table(path)
    meta = dict(table.schema.metadata)
    pq.write_table(change(table, meta).replace_schema_metadata(meta), path, write_page_checksum=True)


@pytest.mark.parametrize("column", ["max_concurrent", "time"])
def test_the_checksum_of_the_rows_is_held_against_them(client, tmp_path, column):
    """A row that was changed, or lost, with all pages sound, was read as if it had been answered so."""
    _, path = whole(client, tmp_path)

    def change(table, meta):
        place = table.schema.get_field_index(column)
        values = table.column(column).to_pylist()
        values[3] = values[3] + (1 if column == "max_concurrent" else pd.Timedelta(minutes=5))
        field = table.schema.field(place)
        return table.set_column(place, field, pa.array(values, type=field.type))

    sound = path.read_bytes()
    rewritten(path, lambda table, meta: table)
    cap.read_intervals(tmp_path)  # writing it anew does no harm
    for broken in (change, lambda table, meta: table.slice(1)):
        path.write_bytes(sound)
        rewritten(path, broken)
        with pytest.raises(cap.errors.StoreError, match="rows do not match their checksum"):
            cap.read_intervals(tmp_path)


def test_the_checksum_of_the_metadata_is_held_against_it(client, tmp_path):
    """A flipped byte in the metadata made an answer final, or moved it to another time."""
    _, path = whole(client, tmp_path)

    def change(table, meta):
        raw = meta[b"capacity"]
        flipped = raw.replace(b'"empty":false', b'"empty":true ')
        assert flipped != raw
        meta[b"capacity"] = flipped
        return table

    rewritten(path, change)
    with pytest.raises(cap.errors.StoreError, match="metadata does not match its checksum"):
        cap.read_intervals(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"time,variant\n", b"\0" * 5000])
def test_what_is_no_parquet_at_all(client, tmp_path, content):
    """An empty file, as some file systems leave after a power cut, ended in a traceback."""
    _, path = whole(client, tmp_path)
    path.write_bytes(content)
    with pytest.raises(cap.errors.StoreError, match="damaged"):
        cap.read_intervals(tmp_path)


def test_files_of_others_and_of_other_versions_are_not_touched(client, tmp_path):
    """repair=True replaced a file of a newer version, or one of somebody else."""
    _, path = whole(client, tmp_path)
    table = pq.read_table(path)
    meta = json.loads(table.schema.metadata[b"capacity"])
    for metadata, says in [(None, "not written by"), ({b"capacity": json.dumps({**meta, "version": 2})}, "version 2")]:
        pq.write_table(table.replace_schema_metadata(metadata), path)
        before = path.read_bytes()
        for read in (
            lambda: cap.read_intervals(tmp_path),
            lambda: fetch(client, MONDAY, MONDAY + DAY, tmp_path, repair=True),
        ):
            with pytest.raises(cap.errors.StoreError, match=says):
                read()
        assert path.read_bytes() == before


def test_a_file_in_the_wrong_place_is_not_taken_for_another(client, tmp_path):
    """A file that was moved to another project's folder was read as that project's."""
    _, path = whole(client, tmp_path)
    elsewhere = Path(str(path).replace("project=P", "project=Q"))
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(path, elsewhere)
    with cap.Client("A", "Q", api_key="k") as other, pytest.raises(cap.errors.StoreError, match="moved"):
        fetch(other, MONDAY, MONDAY + DAY, tmp_path)


# Disks


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_full_disk_is_a_clear_error_and_the_old_file_stays(client, tmp_path, monkeypatch, where):
    """A full disk destroyed what was there, or left half a file under the right name."""
    fetch(client, MONDAY, MONDAY + DAY, tmp_path)
    (path,) = tmp_path.rglob("*.parquet")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full) if where == "fsync" else patch.setattr(Path, "replace", full)
        with pytest.raises(cap.errors.StoreError, match="No space left on device"):
            fetch(client, MONDAY, MONDAY + 2 * DAY, tmp_path)
    assert path.read_bytes() == before
    assert not list(tmp_path.rglob("*.tmp"))
    assert len(fetch(client, MONDAY, MONDAY + 2 * DAY, tmp_path)) == 2 * 288


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits there")
def test_a_file_that_may_not_grow(tmp_path):
    """A real failing write (RLIMIT_FSIZE) ended in anything but StoreError."""
    program = textwrap.dedent(
        """
        import resource, signal, sys
        import numpy as np, pandas as pd
        import capacity as cap
        from capacity.fetch.endpoint import Scope
        from capacity.fetch.payload import Rows
        from capacity.fetch.store import Store
        from capacity.fetch.windows import split
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        monday = pd.Timestamp("2026-01-12", tz="UTC")
        one, two = split(monday, monday + pd.Timedelta(days=14))
        def rows(w):
            steps = np.arange(w.first, w.last, dtype=np.int32)
            return Rows(steps, steps * 0, np.random.default_rng(1).integers(0, 10**6, len(steps), np.int32), ("*",))
        store, scope = Store(sys.argv[1]), Scope("A", "P")
        store.add(scope, one, rows(one), monday)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        for w in (one, two):
            try:
                store.add(scope, w, rows(w), monday)
            except cap.errors.StoreError as exc:
                print("StoreError", exc)
        """
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("StoreError") == 2
    assert "File too large" in done.stdout
    assert len(cap.read_intervals(tmp_path)) == 2016
    assert [p.name for p in tmp_path.rglob("*.*") if p.is_file()] == [".lock", "2026-01-12.parquet"]


def test_a_store_that_is_a_file(client, tmp_path):
    """A file in the place of the store ended in a traceback."""
    (tmp_path / "store").write_text("no")
    with pytest.raises(cap.errors.ConfigError, match="folder"):
        fetch(client, MONDAY, MONDAY + DAY, tmp_path / "store")
    with pytest.raises(cap.errors.StoreError, match="cannot be written"):
        fetch(client, MONDAY, MONDAY + DAY, tmp_path / "store" / "below")


def test_what_a_killed_process_left_is_swept_when_it_is_old(client, tmp_path):
    """Half-written files piled up, or one that another process is writing just now was removed."""
    _, path = whole(client, tmp_path)
    old, new = path.with_name(".2026-01-12.1.a.tmp"), path.with_name(".2026-01-12.2.b.tmp")
    for left in (old, new):
        left.write_bytes(b"half")
    os.utime(old, (1, 1))
    fetch(client, MONDAY, MONDAY + DAY, tmp_path, refetch=True)
    assert [p.exists() for p in (old, new)] == [False, True]
    assert len(cap.read_intervals(tmp_path)) == 2016
