"""Call logs as files: 10 million calls as CSV, a million as JSON lines, each in a process of its own (for its memory).

The floor of CSV is pyarrow's bare reading of the same file, times parsed and nothing checked; the peer of JSON lines is
DuckDB. CAPACITY_LOG_CALLS=1000000 sets the calls of the CSV.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from benchmarks.table import Row, median_time

CALLS = int(os.environ.get("CAPACITY_LOG_CALLS", "10000000"))

_OURS = """
import re, sys, time
import capacity as cap, capacity.calls.read
begin = time.perf_counter()
cap.read_calls(sys.argv[1], tz="UTC")
print(time.perf_counter() - begin, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1e6)
"""


def make_calls(n: int) -> pd.DataFrame:
    """Return calls of a year with log-normal lengths, to the second, in order of start."""
    rng = np.random.default_rng(1)
    starts = pd.Timestamp("2025-01-01").value // 10**9 + np.sort(rng.integers(0, 365 * 86_400, n))
    ends = starts + rng.lognormal(5, 0.8, n).astype(np.int64)
    return pd.DataFrame(
        {
            "start": starts.view("M8[s]"),
            "end": ends.view("M8[s]"),
            "variant": pd.Categorical.from_codes(rng.integers(0, 50, n), [f"v{k:05d}" for k in range(50)]),
        }
    )


def ours(path: Path) -> tuple[float, float]:
    """Return the time [s] and the memory [GB] of reading a log in a fresh process; the best of three."""
    found = []
    for _ in range(3):
        out = subprocess.run(
            [sys.executable, "-c", _OURS, str(path)], check=True, capture_output=True, text=True
        ).stdout
        found.append(tuple(float(word) for word in out.split()))
    return min(seconds for seconds, _ in found), max(memory for _, memory in found)


def run() -> list[Row]:
    """Measure both kinds."""
    with tempfile.TemporaryDirectory() as folder:
        calls = make_calls(CALLS)
        table = pa.Table.from_pandas(calls.astype({"variant": str}), preserve_index=False)
        plain = Path(folder) / "calls.csv"
        pyarrow.csv.write_csv(table, plain)
        lines = Path(folder) / "calls.jsonl"
        few = calls.head(1_000_000).assign(note="x" * 200)
        few.to_json(lines, orient="records", lines=True, date_format="iso")
        del calls, table, few
        csv_s, csv_gb = ours(plain)
        json_s, json_gb = ours(lines)
        size = lines.stat().st_size / 1e6
        duck = f"SELECT start, \"end\", variant FROM read_json('{lines}', format='newline_delimited')"
        return [
            Row(
                f"log of {CALLS:,} calls, CSV",
                csv_s,
                floor_s=median_time(lambda: pyarrow.csv.read_csv(plain), 3),
                floor="pyarrow.csv.read_csv",
                note=f"{csv_gb:.2f} GB at most",
            ),
            Row(
                f"log of {size:,.0f} MB, JSON lines",
                json_s,
                peer_s=median_time(lambda: duckdb.sql(duck).fetch_arrow_table(), 3),
                peer="DuckDB read_json",
                note=f"{size / json_s:,.0f} MB/s, {json_gb:.2f} GB at most",
            ),
        ]
