"""Call records to 5-minute maxima: 10 million calls, a year, 50 variants and their total.

Times are nanoseconds (which no short cut for whole seconds helps), calls in order of start, as a log has them, and
shuffled. The peers answer less than we do: the maxima of intervals in which something begins or ends, without those in
between and without the frame; they are given tables of their own, ready made, with times as integers. The floor is
`np.sort` of the starts and of the ends, as they come, once for the sliced and once for the total series.

staircase needs an older pandas: its interpreter is named by STAIRCASE_PYTHON, and the case is left out without it.
CAPACITY_SWEEP_FILE=100000000 sets the calls of the out-of-core case.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet

import capacity as cap
from benchmarks.table import Row, median_time

YEAR_NS = 365 * 86_400 * 10**9
STEP_NS = 300 * 10**9
BEGIN = pd.Timestamp("2025-01-01", tz="UTC").value
CALLS, VARIANTS = 10_000_000, 50
IN_FILE = int(os.environ.get("CAPACITY_SWEEP_FILE", "20000000"))


def make_calls(n: int, variants: int, *, span: int = YEAR_NS, seed: int = 1) -> pd.DataFrame:
    """Return calls with log-normal lengths of some minutes, in order of start."""
    rng = np.random.default_rng(seed)
    starts = BEGIN + np.sort(rng.integers(0, span, n))
    lengths = (rng.lognormal(5, 0.8, n) * 1e9).astype(np.int64)
    return pd.DataFrame(
        {
            "start": pd.DatetimeIndex(starts, tz="UTC"),
            "end": pd.DatetimeIndex(starts + lengths, tz="UTC"),
            "variant": pd.Categorical.from_codes(rng.integers(0, variants, n), [f"v{k:05d}" for k in range(variants)]),
        }
    )


def two_sorts(calls: pd.DataFrame) -> None:
    """Sort starts and ends, for the sliced and for the total series: what a sweep cannot do without."""
    starts, ends = (pd.DatetimeIndex(calls[c]).asi8 for c in ("start", "end"))
    for _ in range(2):
        np.sort(starts)
        np.sort(ends)


# An end counts in the interval before it, and before starts at the same instant; the most in progress is after a start
# or before an end.
DUCKDB = """
WITH events AS (
    SELECT variant, s AS t, s // 300000000000 AS bin, 1 AS d FROM calls
    UNION ALL SELECT variant, e, (e - 1) // 300000000000, -1 FROM calls),
running AS (
    SELECT {key} variant, bin, d,
           sum(d) OVER ({partition} ORDER BY t, d ROWS UNBOUNDED PRECEDING) AS n FROM events)
SELECT variant, bin, max(CASE WHEN d > 0 THEN n ELSE n + 1 END) AS most FROM running GROUP BY variant, bin
"""


def with_duckdb(connection: duckdb.DuckDBPyConnection) -> list[pd.DataFrame]:
    """Run the window functions, sliced and total."""
    return [
        connection.sql(DUCKDB.format(key="", partition="PARTITION BY variant")).df(),
        connection.sql(DUCKDB.format(key="0 AS", partition="")).df(),
    ]


def with_polars(calls: pl.DataFrame) -> list[pl.DataFrame]:
    """Sum up sorted events, sliced and total."""
    events = pl.concat(
        [
            calls.lazy().select("variant", t="s", bin=pl.col("s") // STEP_NS, d=pl.lit(1, pl.Int32)),
            calls.lazy().select("variant", t="e", bin=(pl.col("e") - 1) // STEP_NS, d=pl.lit(-1, pl.Int32)),
        ]
    )
    before_end = pl.when(pl.col("d") > 0).then(pl.col("n")).otherwise(pl.col("n") + 1)
    sliced = (
        events.sort("variant", "t", "d")
        .with_columns(n=pl.col("d").cum_sum().over("variant"))
        .group_by("variant", "bin")
        .agg(most=before_end.max())
    )
    total = events.sort("t", "d").with_columns(n=pl.col("d").cum_sum()).group_by("bin").agg(most=before_end.max())
    return [sliced.collect(), total.collect()]


def check(frame: pd.DataFrame, sliced: pd.DataFrame, total: pd.DataFrame) -> None:
    """Assert that a peer's maxima are ours: all of them."""
    for answer, mine in ((sliced, cap.variants(frame)), (total, cap.total(frame))):
        place = pd.DataFrame(
            {"bin": mine.index.get_level_values(0).asi8 // STEP_NS, "n": mine["max_concurrent"].to_numpy()}
        )
        place["variant"] = mine.index.codes[1] if len(mine.index.levels[1]) > 1 else 0
        joined = answer.assign(variant=answer.get("variant", 0)).merge(place, on=["variant", "bin"])
        assert len(joined) == len(answer)
        assert (joined["most"] == joined["n"]).all()


def against_peers() -> list[Row]:
    """Time ours, DuckDB's, polars' and the floor, at full size."""
    calls = make_calls(CALLS, VARIANTS)
    plain = pd.DataFrame(
        {
            "variant": calls["variant"].cat.codes.astype(np.int32),
            "s": pd.DatetimeIndex(calls["start"]).asi8,
            "e": pd.DatetimeIndex(calls["end"]).asi8,
        }
    )
    connection = duckdb.connect()
    connection.execute("CREATE TABLE calls AS SELECT * FROM plain")
    table = pl.from_pandas(plain)
    frame = cap.intervals_from_calls(calls)
    check(frame, *with_duckdb(connection))
    check(frame, *(answer.to_pandas() for answer in with_polars(table)))
    duck, bear = median_time(lambda: with_duckdb(connection), 3), median_time(lambda: with_polars(table), 3)
    connection.close()
    size = f"{CALLS / 1e6:.0f} million calls, a year, {VARIANTS} variants and total"
    ours, floor = median_time(lambda: cap.intervals_from_calls(calls)), median_time(lambda: two_sorts(calls))
    sorts = "2 x (sort starts + sort ends)"
    rows = [
        Row(f"sweep, {size}, in order", ours, duck, "DuckDB window SQL", floor, sorts),
        Row(f"sweep, {size}, in order", ours, bear, "polars"),
    ]
    calls = calls.sample(frac=1, random_state=1)
    ours, floor = median_time(lambda: cap.intervals_from_calls(calls)), median_time(lambda: two_sorts(calls))
    return [*rows, Row(f"sweep, {size}, shuffled", ours, floor_s=floor, floor=sorts)]


def growth() -> list[Row]:
    """Take the time by calls: it should grow as they do; and many groups without zeros."""
    rows = []
    for n in (1_000_000, 3_000_000, 10_000_000):
        calls = make_calls(n, VARIANTS)
        taken = median_time(lambda calls=calls: cap.intervals_from_calls(calls, absent="missing"), 3)
        rows.append(
            Row(f"sweep, zeros left out, {n / 1e6:.0f} million calls", taken, note=f"{taken / n * 1e9:.0f} ns a call")
        )
    calls = make_calls(3_000_000, 10_000)
    taken = median_time(lambda: cap.intervals_from_calls(calls, absent="missing"), 3)
    rows.append(
        Row("sweep, zeros left out, 3 million calls, 10,000 groups", taken, note=f"{taken / 3e6 * 1e9:.0f} ns a call")
    )
    return rows


STAIRCASE = """
    import json, sys, time, warnings
    import numpy as np, pandas as pd, staircase
    warnings.simplefilter("ignore")
    begin, steps, step = json.loads(sys.argv[2])
    calls = pd.DataFrame(np.load(sys.argv[1]), columns=["s", "e"]).apply(pd.to_datetime)
    bins = pd.interval_range(pd.Timestamp(begin), periods=steps, freq=pd.Timedelta(step), closed="left")
    clock = time.perf_counter()
    most = staircase.Stairs(calls, "s", "e").slice(bins).max()
    print(json.dumps([time.perf_counter() - clock, [int(n) for n in most]]))
"""


def against_staircase() -> list[Row]:
    """Take one series of one week, which is what staircase does in some seconds."""
    python = os.environ.get("STAIRCASE_PYTHON")
    if not python:
        return []
    n, week = 20_000, 2016 * STEP_NS
    calls = make_calls(n, 1, span=week)
    until = pd.Timestamp(BEGIN + week, tz="UTC")
    span = {"start": pd.Timestamp(BEGIN, tz="UTC"), "end": until, "by": None}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls.npy"
        np.save(file, np.column_stack([pd.DatetimeIndex(calls[c]).asi8 for c in ("start", "end")]))
        command = [python, "-c", textwrap.dedent(STAIRCASE), str(file), json.dumps([BEGIN, 2016, STEP_NS])]
        theirs, most = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert most == cap.intervals_from_calls(calls, **span)["max_concurrent"].tolist()
    ours = median_time(lambda: cap.intervals_from_calls(calls, **span))
    return [Row(f"sweep, {n:,} calls, a week, one series", ours, theirs, "staircase")]


STREAM = """
    import pathlib, re, sys, time
    from capacity.fleet.ingest import stream_intervals
    clock = time.perf_counter()
    frame = stream_intervals(sys.argv[1], scratch=sys.argv[2], workers=1)
    taken = time.perf_counter() - clock
    # Not ru_maxrss, which a process inherits from the one that started it.
    most = re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())
    print(taken, int(most[1]) / 2**20, len(frame))
"""


def out_of_core() -> list[Row]:
    """Read Parquet in batches, in a process of its own: time and the highest resident memory."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls.parquet"
        part, writer = 5_000_000, None
        for k in range(-(-IN_FILE // part)):
            calls = make_calls(min(part, IN_FILE - k * part), VARIANTS, seed=k)
            table = pa.Table.from_pandas(calls, preserve_index=False)
            writer = writer or pyarrow.parquet.ParquetWriter(file, table.schema)
            writer.write_table(table, row_group_size=1 << 20)
        writer.close()
        command = [sys.executable, "-c", textwrap.dedent(STREAM), str(file), folder]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    taken, peak = float(said[0]), float(said[1])
    note = f"peak memory {peak:.2f} GiB, {taken / IN_FILE * 1e9:.0f} ns a call"
    return [Row(f"sweep out of core, {IN_FILE / 1e6:.0f} million calls in Parquet, unsorted", taken, note=note)]


def run() -> list[Row]:
    """Run all."""
    return [*against_peers(), *growth(), *against_staircase(), *out_of_core()]
