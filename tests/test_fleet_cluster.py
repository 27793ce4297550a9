"""A fleet on a Dask cluster of processes: workers killed, memory run out, stores damaged, rows that are wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import capacity as cap

from .fleet_stores import levels, make_plan, make_store

pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's own, about ports and processes that end


@contextlib.contextmanager
def cluster(workers: int, memory: str = "1GiB") -> Iterator[object]:
    """Yield a client of a cluster of separate processes on this machine."""
    from dask import config
    from distributed import Client, LocalCluster

    quick = {"distributed.worker.memory.monitor-interval": "20ms", "distributed.admin.log-format": "%(message)s"}
    with (
        config.set(quick),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, memory_limit=memory, dashboard_address=None,
            silence_logs=50,
        ) as local,
        Client(local) as client,
    ):  # fmt: skip
        yield client


def same(a: cap.Fleet, b: cap.Fleet) -> bool:
    """Return whether two fleets hold the same figures."""
    return a.table.equals(b.table) and a.peaks.equals(b.peaks) and a.pooled.equals(b.pooled)


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Path:
    """Three projects, two of which share licences."""
    path = make_plan(tmp_path_factory.mktemp("cluster"), 3, days=80)
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},pool", *(f"{line},{'east' if k else ''}" for k, line in enumerate(lines))]))
    return path


def test_a_cluster_says_what_one_process_says(plan):
    """The table would depend on Dask, or Dask's client be used in a way that only it knows."""
    with cluster(1) as client:
        assert same(cap.assess_fleet(plan, horizon=30, executor=client), cap.assess_fleet(plan, horizon=30, workers=1))


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> tuple[pd.DataFrame, cap.Fleet]:
    """A plan of 36 projects: one store that is damaged, and one row that is wrong; the fleet in one process."""
    folder = tmp_path_factory.mktemp("many")
    rows = []
    for k in range(35):
        make_store(folder / f"s{k}", levels(80, k, 30 + k))
        rows.append((f"p{k}", str(folder / f"s{k}"), "60", "UTC"))
    file = sorted((folder / "s7").rglob("*.parquet"))[2]
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    file.write_bytes(raw)
    rows.append(("typo", "s0", "sixty", "UTC"))
    table = pd.DataFrame(rows, columns=["project", "store", "licences", "tz"])
    return table, cap.assess_fleet(table, horizon=30, workers=1)


@pytest.mark.fleet
def test_worker_killed_store_damaged_rows_wrong(many, tmp_path):
    """A worker that is lost in mid-run would lose projects, or a bad row the run."""
    table, alone = many
    with cluster(2) as client:
        killed = []

        def kill(_what: str, done: int, _of: int) -> None:
            if done >= 8 and not killed:
                killed.append(next(iter(client.run(os.getpid).values())))
                os.kill(killed[0], signal.SIGKILL)

        found = cap.assess_fleet(table, horizon=30, executor=client, workers=2, out=tmp_path, progress=kill)
    assert killed
    assert set(found.failed.index) == {"p7", "typo"}
    assert "damaged" in found.failed["p7"]
    assert same(found, alone)


class _Hungry:
    """A client whose workers need more memory than they may have for one project."""

    def __init__(self, client) -> None:
        self._client = client

    def submit(self, fn, /, *args):
        def hungry(batch, *rest):
            if any(row.project == "p5" for row in batch):
                held = [np.ones(20_000_000) for _ in range(40)]  # 6.4 GB, touched
                time.sleep(len(held))
            return fn(batch, *rest)

        return self._client.submit(hungry, *args)


@pytest.mark.fleet
def test_a_project_beyond_the_memory_limit_is_a_row(many):
    """One project that needs more memory than a worker has would end the run."""
    table, alone = many
    with cluster(2, "1GiB") as client:
        found = cap.assess_fleet(table, horizon=30, executor=_Hungry(client), workers=2)
    assert set(found.failed.index) == {"p5", "p7", "typo"}
    assert "KilledWorker" in found.failed["p5"]
    assert "give workers more memory" in found.failed["p5"]
    assert found.table.drop("p5").equals(alone.table.loc[found.table.index.drop("p5")])


@pytest.mark.fleet
def test_the_driver_killed_goes_on_where_it_was(many, tmp_path):
    """A driver that is killed would begin again at nothing, or leave its processes behind."""
    import subprocess

    table, alone = many
    table.to_csv(tmp_path / "plan.csv", index=False)
    words = [sys.executable, "-m", "capacity", "fleet", "plan.csv", "--out", "out", "--horizon", "30", "--workers", "2"]
    parts = tmp_path / "out" / "parts"
    run = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(parts.glob("*.parquet"))) < 2 and run.poll() is None:
        time.sleep(0.01)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    run.kill()
    run.wait()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    held = sum(len(pd.read_parquet(p)) for p in parts.glob("*.parquet"))
    assert 0 < held < 35
    before = {p: p.stat().st_mtime_ns for p in parts.glob("*.parquet")}
    found = cap.assess_fleet(tmp_path / "plan.csv", horizon=30, workers=2, out=tmp_path / "out")
    assert all(p.stat().st_mtime_ns == mtime for p, mtime in before.items() if p.exists())
    assert same(found, alone)
