"""The same three years again: from the store, without a request."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile

import httpx

import capacity as cap
from benchmarks._data import filled, weeks
from benchmarks.table import Row, median_time

WEEKS, VARIANTS = 157, 10

_MEMORY = """
import sys
from pathlib import Path
import capacity as cap
def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) * 1024
def now():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1]) * 1024
store = sys.argv[1]
cap.read_intervals(store, "2023-01-02", "2023-01-09", tz="UTC")  # imports and pools
Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
before = now()
frame = cap.read_intervals(store)
print(peak() - before, frame.memory_usage(index=True, deep=False).sum())
"""


def _never(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a request was made: {request.url}")


def run() -> list[Row]:
    """Time a fetch that finds everything in the store, and measure what it needs at most."""
    windows = weeks(WEEKS)
    with tempfile.TemporaryDirectory() as store:
        filled(store, windows, VARIANTS)
        transport = httpx.MockTransport(_never)
        with cap.Client("ACCOUNT-1", "PROJECT-1", api_key="k", transport=transport) as client:

            def again() -> int:
                return len(cap.fetch_intervals(client, windows[0].start, windows[-1].end, store=store))

            rows = again()
            gc.collect()
            taken = median_time(again, 7)
        case = f"again: 3 years x {VARIANTS} variants and the total, from the store"
        return [Row(case, taken, note=f"{rows:,} rows, no request{_memory(store)}")]


def _memory(store: str) -> str:
    if sys.platform != "linux":
        return ""
    done = subprocess.run([sys.executable, "-c", _MEMORY, store], capture_output=True, text=True, check=True)
    peak, frame = map(int, done.stdout.split())
    return f"; peak {peak / 1e6:.0f} MB = {peak / frame:.1f} x the frame"
