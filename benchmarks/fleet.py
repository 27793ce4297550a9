"""A fleet of projects of two years each, and calls of any number into a store.

By default small: CAPACITY_FLEET_PROJECTS=1000 sets the projects (of eight stores, each read for many labels),
CAPACITY_FLEET_CALLS=1e6,1e7,1e8 the sizes of the scaling law, CAPACITY_FLEET_PARTS=calls (or projects) takes one of the
two, and CAPACITY_FLEET_FOLDER says where the files go. Peers of the sweep answer less than we do: DuckDB's
window query the maxima of intervals in which something begins or ends, ClickHouse's (chdb) ``maxIntersections`` the
highest of each day without what is carried over midnight. They are left out where they are not installed, and where
the calls do not fit into memory.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
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

PROJECTS = int(os.environ.get("CAPACITY_FLEET_PROJECTS", "24"))
CALLS = [int(float(n)) for n in os.environ.get("CAPACITY_FLEET_CALLS", "1e6,4e6").split(",")]
WAYS = {"1": "1 worker", "2": "2 processes", "dask": "Dask cluster of 2"}
PARTS = os.environ.get("CAPACITY_FLEET_PARTS", "calls,projects").split(",")
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


FLEET = """
    import json, pathlib, re, sys, time
    import pandas as pd
    import capacity as cap
    from capacity.fleet.workers import WorkersOfThisMachine

    def timed(executor, workers):
        plan = pd.read_csv(sys.argv[1], dtype=str)
        cap.assess_fleet(plan[: 4 * workers], executor=executor, workers=workers)  # processes up, libraries loaded
        clock = time.perf_counter()
        fleet = cap.assess_fleet(plan, executor=executor, workers=workers, out=sys.argv[2])
        assert not len(fleet.failed), fleet.failed
        own = int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
        print(json.dumps([time.perf_counter() - clock, own]))

    if __name__ == "__main__":
        if sys.argv[3] == "dask":
            from distributed import Client, LocalCluster
            with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
                with Client(cluster) as client:
                    timed(client, 2)
        else:
            pool = WorkersOfThisMachine(int(sys.argv[3]))
            timed(pool, int(sys.argv[3]))
            pool.close()
"""


def assessed(folder: Path, projects: int, how: str) -> tuple[float, float]:
    """Return seconds and the driver's memory [MiB] of one run of so many projects, in processes of its own."""
    plan_of(folder, projects).to_csv(folder / "plan.csv", index=False)
    script = folder / "fleet.py"
    script.write_text(textwrap.dedent(FLEET))
    words = [sys.executable, str(script), str(folder / "plan.csv"), str(folder / f"out-{projects}-{how}"), how]
    run = subprocess.run(words, check=True, capture_output=True, text=True)
    seconds, memory = json.loads(run.stdout.splitlines()[-1])
    return seconds, memory


def fleets(folder: Path) -> list[Row]:
    """Time projects: bare; a tenth of them through one and two processes and a Dask cluster; all through two."""
    for k in range(STORES):
        make_store(folder / f"store-{k}", k)
    frames = [cap.read_intervals(folder / f"store-{k}") for k in range(STORES)]
    settings = {"tz": "UTC", "horizon": 365, "seed": 1, "backtest": False}
    with one_thread():
        cap.assess(frames[0], 80, **settings)
        bare = taken(lambda: [cap.assess(frame, 80, **settings) for frame in frames]) / STORES
    few = max(PROJECTS // 10, 8)
    one, _ = assessed(folder, few, "1")
    two, little = assessed(folder, few, "2")
    name = f"fleet, {few:,} projects of {DAYS} days"
    rows = [
        told(Row(f"{name}, 1 process, a project", one / few, floor_s=bare, floor="bare assess()")),
        told(Row(f"{name}, 2 processes", two, one, "1 process")),
    ]
    if importlib.util.find_spec("distributed"):
        rows.append(told(Row(f"{name}, Dask cluster of 2", assessed(folder, few, "dask")[0], two, "2 processes")))
    whole, much = assessed(folder, PROJECTS, "2")
    note = f"{whole / PROJECTS * 1e3:.0f} ms a project; driver at most {much:.0f} MiB, {little:.0f} MiB with {few:,}"
    return [*rows, told(Row(f"fleet, {PROJECTS:,} projects, 2 processes", whole, note=note))]


def told(row: Row) -> Row:
    """Return a row, and print it at once: a run of an hour that is ended leaves what it found."""
    print(row, file=sys.stderr, flush=True)
    return row


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
        for how, name in WAYS.items():
            seconds, memory = ingested(folder, n, how)
            note = f"{seconds / n * 1e9:.0f} ns a call, a worker at most {memory:.2f} GiB"
            peer, peer_s = peers[0] if peers and how == "2" else ("", None)
            rows.append(told(Row(f"calls to store, {n:,} calls, {name}", seconds, peer_s, peer, note=note)))
            shutil.rmtree(folder / f"s{n}{how}")
        rows += [told(Row(f"calls to store, {n:,} calls, beside it", s, note=name)) for name, s in peers[1:]]
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
        parts = {"calls": scaling, "projects": fleets}
        return [row for part in PARTS for row in parts[part](Path(folder))]


def main() -> None:
    """Print the table alone."""
    from benchmarks.table import head, render

    print(head(), render(run()), sep="\n\n")


if __name__ == "__main__":
    main()
