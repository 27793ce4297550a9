"""Rows, medians and the table in which every benchmark is printed."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Row", "head", "median_time", "render"]

_VERSIONS = ("pandas", "numpy", "pyarrow", "msgspec", "httpx", "scipy")


@dataclass(frozen=True)
class Row:
    """One case: our median, a peer's and the floor that no implementation can beat.

    Attributes
    ----------
    case : str
        What was measured, with its size.
    ours_s, peer_s, floor_s : float or None
        Median wall clock [s]; None where there is nothing to compare with.
    peer, floor : str
        What the peer and the floor are.
    note : str
        Anything that is no time: memory, requests, counts.
    """

    case: str
    ours_s: float
    peer_s: float | None = None
    peer: str = ""
    floor_s: float | None = None
    floor: str = ""
    note: str = ""

    @property
    def speedup(self) -> float | None:
        """How many times the peer's time ours goes into."""
        return None if self.peer_s is None else self.peer_s / self.ours_s

    @property
    def over_floor(self) -> float | None:
        """How many times the floor we take."""
        return None if self.floor_s is None else self.ours_s / self.floor_s


def median_time(fn: Callable[[], Any], repeat: int = 5, *, warm_up: int = 1) -> float:
    """Return the median wall clock [s] of `repeat` calls, after `warm_up` calls that do not count."""
    for _ in range(warm_up):
        fn()
    taken = []
    for _ in range(repeat):
        gc.collect()
        began = time.perf_counter()
        result = fn()
        taken.append(time.perf_counter() - began)
        del result
    return statistics.median(taken)


def head() -> str:
    """Return one line that says on what the figures were taken."""
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _VERSIONS)
    return (
        f"Python {platform.python_version()}, {packages}; {_processor()}, {os.cpu_count()} cores, {platform.system()}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def render(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| case | ours | peer | times faster | floor | times the floor | note |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        cells = [
            row.case,
            _seconds(row.ours_s),
            "" if row.peer_s is None else f"{_seconds(row.peer_s)} ({row.peer})",
            "" if row.speedup is None else f"{row.speedup:.1f}",
            "" if row.floor_s is None else f"{_seconds(row.floor_s)} ({row.floor})",
            "" if row.over_floor is None else f"{row.over_floor:.2f}",
            row.note,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _seconds(value: float) -> str:
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"
