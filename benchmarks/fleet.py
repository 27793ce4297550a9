"""A fleet of projects of two years each, and calls of any number into a store.

By default small: CAPACITY_FLEET_PROJECTS=1000 sets the projects (of eight stores, each read for many labels), and
CAPACITY_FLEET_CALLS=1e6,1e7,1e8 the sizes of the scaling law. Peers of the sweep answer less than we do: DuckDB's
window query the maxima of intervals in which something begins or ends, ClickHouse's (chdb) ``maxIntersections`` the
highest of each day without what is carried over midnight. They are left out where they are not installed, and where
the calls do not fit into memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

import capacity as cap
from benchmarks.table import Row
from capacity.fetch.endpoint import Scope
from capacity.fetch.payload import Rows
from capacity.fetch.store import Store
from capacity.fetch.windows import split
from capacity.fleet.task import one_thread
from capacity.fleet.workers import WorkersOfThisMachine

PROJECTS = int(os.environ.get("CAPACITY_FLEET_PROJECTS", "24"))
CALLS = [int(float(n)) for n in os.environ.get("CAPACITY_FLEET_CALLS", "1e6,4e6").split(",")]
STORES, DAYS, VARIANTS = 8, 730, 50
START = pd.Timestamp("2024-01-01", tz="UTC").as_unit("ns")
PEERS_UP_TO = 20_000_000
YEAR_S = 365 * 86_400


def make_store(root: Path, seed: int) -> None:
    """Write two years of 5-minute maxima: a total and four variants with a busy midday, quieter weekends and growth."""
    rng = np.random.default_rng(seed)
    store = Store(root)
    shape = np.sin(np.linspace(0, np.pi, 288)) ** 2
    ids = tuple(f"v{k}" for k in range(4))
    for window in split(START, START + pd.Timedelta(days=DAYS)):
        days = -(-window.steps // 288)
        begin = (window.start - START).days
        level = (
            40 * (1 + begin / 1500) * np.where((begin + np.arange(days)) % 7 < 5, 1, 0.4) * rng.lognormal(0, 0.1, days)
        )
        load = (level[:, None] * shape).ravel()[: window.steps]
        whole = rng.poisson(load).astype(np.int32)
        steps = (window.first + np.arange(window.steps)).astype(np.int32)
        late = window.end + pd.Timedelta(days=30)
        store.add(Scope("A", "P"), window, Rows(steps, np.zeros_like(steps), whole, (cap.TOTAL,)), late)
        each = rng.poisson(np.repeat(load, 4) / 3).astype(np.int32)
        rows = Rows(np.repeat(steps, 4), np.tile(np.arange(4, dtype=np.int32), len(steps)), each, ids)
        store.add(Scope("A", "P", by="variant"), window, rows, late)


def plan_of(folder: Path, projects: int) -> pd.DataFrame:
    """Return a plan of so many labels over the stores."""
    stores = [str(folder / f"store-{k % STORES}") for k in range(projects)]
    return pd.DataFrame({"project": [f"p{k}" for k in range(projects)], "store": stores, "licences": 80, "tz": "UTC"})


def taken(work: Callable[[], Any]) -> float:
    """Return the wall clock [s] of one call."""
    clock = time.perf_counter()
    work()
    return time.perf_counter() - clock


MEMORY = """
    import pathlib, re, sys
    import pandas as pd
    import capacity as cap
    cap.assess_fleet(pd.read_csv(sys.argv[1], dtype=str), workers=2, out=sys.argv[2])
    print(int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]))
"""


def fleets(folder: Path) -> list[Row]:
    """Time projects: bare, through the fleet, on one and two processes, and on a Dask cluster."""
    for k in range(STORES):
        make_store(folder / f"store-{k}", k)
    plan = plan_of(folder, PROJECTS)
    frames = [cap.read_intervals(folder / f"store-{k}") for k in range(STORES)]
    settings = {"tz": "UTC", "horizon": 365, "seed": 1, "backtest": False}
    with one_thread():
        cap.assess(frames[0], 80, **settings)
        bare = taken(lambda: [cap.assess(frame, 80, **settings) for frame in frames]) / STORES
    own = taken(lambda: cap.assess_fleet(plan, workers=1)) / PROJECTS
    rows = [Row(f"fleet, a project of {DAYS} days from its store, 1 worker", own, floor_s=bare, floor="bare assess()")]
    seconds = {}
    for workers in (1, 2):
        pool = WorkersOfThisMachine(workers)
        cap.assess_fleet(plan[: 4 * workers], executor=pool, workers=workers)  # processes are up, libraries loaded
        seconds[workers] = taken(lambda pool=pool, n=workers: cap.assess_fleet(plan, executor=pool, workers=n))
        pool.close()
    rows.append(Row(f"fleet, {PROJECTS:,} projects, 2 processes", seconds[2], seconds[1], "1 process"))
    rows += on_dask(plan, seconds[2])
    most = []
    for projects in (PROJECTS // 2, PROJECTS):
        plan_of(folder, projects).to_csv(folder / "plan.csv", index=False)
        words = [sys.executable, "-c", textwrap.dedent(MEMORY), str(folder / "plan.csv"), str(folder / f"o{projects}")]
        most.append(int(subprocess.run(words, check=True, capture_output=True, text=True).stdout) / 1024)
    note = f"driver at most {most[0]:.0f} MiB with {PROJECTS // 2:,} projects, {most[1]:.0f} MiB with {PROJECTS:,}"
    return [*rows, Row("fleet, memory", seconds[2], note=note)]


def on_dask(plan: pd.DataFrame, pool_s: float) -> list[Row]:
    """Time the same on a cluster of two processes."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        return []
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        cap.assess_fleet(plan[:8], executor=client, workers=2)
        seconds = taken(lambda: cap.assess_fleet(plan, executor=client, workers=2))
    return [Row(f"fleet, {len(plan):,} projects, Dask cluster of 2", seconds, pool_s, "2 processes")]


def write_calls(path: Path, n: int) -> None:
    """Write calls of a year, in order of start within parts of five million, one part after the other."""
    names = [f"v{k:05d}" for k in range(VARIANTS)]
    writer = None
    for k in range(0, n, 5_000_000):
        rng = np.random.default_rng(k)
        size = min(5_000_000, n - k)
        starts = START.value + np.sort(rng.integers(0, YEAR_S * 10**9, size))
        ends = starts + (rng.lognormal(5, 0.8, size) * 1e9).astype(np.int64)
        variant = pa.DictionaryArray.from_arrays(rng.integers(0, VARIANTS, size).astype(np.int32), names)
        times = [pa.array(t).cast(pa.timestamp("ns", "UTC")) for t in (starts, ends)]
        table = pa.table([*times, variant], ["start", "end", "variant"])
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=1 << 20)
    if writer is not None:
        writer.close()


INGEST = """
    import json, pathlib, re, resource, sys, time
    from capacity.fleet.ingest import intervals_to_store
    if __name__ == "__main__":
        clock = time.perf_counter()
        if sys.argv[4] == "dask":
            from distributed import Client, LocalCluster
            with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
                with Client(cluster) as client:
                    clock = time.perf_counter()
                    intervals_to_store(sys.argv[1], sys.argv[2], scratch=sys.argv[3], executor=client, workers=2)
                    taken = time.perf_counter() - clock
        else:
            workers = int(sys.argv[4])
            intervals_to_store(sys.argv[1], sys.argv[2], scratch=sys.argv[3], workers=workers)
            taken = time.perf_counter() - clock
        theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        # Not ru_maxrss, which a process inherits from the one that started it.
        own = int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 2**20
        print(json.dumps([taken, own, theirs]))
"""


def ingested(folder: Path, n: int, how: str) -> tuple[float, float]:
    """Return seconds and the largest worker's memory [GiB] of one run in processes of its own."""
    script = folder / "ingest.py"
    script.write_text(textwrap.dedent(INGEST))
    words = [sys.executable, str(script), str(folder / f"{n}.parquet"), str(folder / f"s{n}{how}"), str(folder), how]
    run = subprocess.run(words, check=True, capture_output=True, text=True)
    seconds, own, theirs = json.loads(run.stdout.splitlines()[-1])
    return seconds, own if how == "1" else theirs


def scaling(folder: Path) -> list[Row]:
    """Time calls into a store by their number, on two processes and on Dask; and the peers."""
    rows = []
    for n in CALLS:
        write_calls(folder / f"{n}.parquet", n)
        peers = against_peers(folder / f"{n}.parquet") if n <= PEERS_UP_TO else []
        for how, name in (("1", "1 worker"), ("2", "2 processes"), ("dask", "Dask cluster of 2")):
            seconds, memory = ingested(folder, n, how)
            note = f"{seconds / n * 1e9:.0f} ns a call, a worker at most {memory:.2f} GiB"
            peer, peer_s = peers[0] if peers and how == "2" else ("", None)
            rows.append(Row(f"calls to store, {n:,} calls, {name}", seconds, peer_s, peer, note=note))
        rows += [Row(f"calls to store, {n:,} calls, beside it", s, note=name) for name, s in peers[1:]]
        (folder / f"{n}.parquet").unlink()
    return rows


DUCKDB = """
    WITH calls AS (SELECT variant, epoch_ns(start) AS s, epoch_ns("end") AS e FROM '{file}'),
    events AS (
        SELECT variant, s AS t, s // 300000000000 AS bin, 1 AS d FROM calls
        UNION ALL SELECT variant, e, (e - 1) // 300000000000, -1 FROM calls),
    running AS (
        SELECT {key} variant, bin, d,
               sum(d) OVER ({partition} ORDER BY t, d ROWS UNBOUNDED PRECEDING) AS n FROM events)
    SELECT variant, bin, max(CASE WHEN d > 0 THEN n ELSE n + 1 END) AS most FROM running GROUP BY variant, bin
"""
CHDB = """
    SELECT {key}, intDiv(toUnixTimestamp64Nano(start), 86400000000000) AS day,
           maxIntersections(toUnixTimestamp64Nano(start), toUnixTimestamp64Nano("end"))
    FROM file('{file}', Parquet) GROUP BY {key}, day
"""


def against_peers(file: Path) -> list[tuple[str, float]]:
    """Return who answered the same of the same file, and in how many seconds."""
    found = []
    try:
        import duckdb
    except ImportError:
        pass
    else:
        with duckdb.connect() as connection:
            queries = [
                DUCKDB.format(file=file, key="", partition="PARTITION BY variant"),
                DUCKDB.format(file=file, key="'*' AS", partition=""),
            ]
            found.append(("DuckDB window SQL", taken(lambda: [connection.sql(q).fetchnumpy() for q in queries])))
    try:
        import chdb
    except ImportError:
        return found
    queries = [CHDB.format(file=file, key=key) for key in ("variant", "'*'")]
    return [*found, ("chdb maxIntersections by day", taken(lambda: [chdb.query(q, "Arrow") for q in queries]))]


def run() -> list[Row]:
    """Run all."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("CAPACITY_FLEET_FOLDER")) as folder:
        return [*scaling(Path(folder)), *fleets(Path(folder))]


def main() -> None:
    """Print the table alone."""
    from benchmarks.table import head, render

    print(head(), render(run()), sep="\n\n")


if __name__ == "__main__":
    main()
