"""Each page of the report, the six of them, and all files: from an assessment of the sample to PNG on disk.

The floor is an empty A4 sheet at 200 dots an inch, drawn by matplotlib and written as PNG.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import capacity as cap
from benchmarks.table import Row, median_time
from capacity.analysis.assessment import Assessment
from capacity.ground.sample import LICENCES, TZ
from capacity.report import pages
from capacity.report.sheet import Sheet, png

FLOOR = "an empty sheet"
LIMIT_PAGE, LIMIT_SIX = 2.0, 8.0  # [s] what a reader waits for


def assessment() -> Assessment:
    """Assess the sample, ninety days ahead."""
    return cap.assess(cap.load_sample(), LICENCES, tz=TZ, seed=1, name="Northwind Hotels", holidays="GB")


def run() -> list[Row]:
    """Measure page by page, then the whole."""
    found = assessment()
    blank = median_time(lambda: png(Sheet().figure))
    names = list(pages._PAGES)
    rows = []
    for number, name in enumerate(names, start=1):
        taken = median_time(lambda number=number: cap.report.page(found, number), repeat=3)  # type: ignore[misc]
        rows.append(Row(name, taken, floor_s=blank, floor=FLOOR, note=f"limit {LIMIT_PAGE:g} s"))
    six = median_time(lambda: [cap.report.page(found, k) for k in range(1, len(names) + 1)], repeat=3)
    rows.append(Row("six pages", six, floor_s=6 * blank, floor=f"six of {FLOOR}", note=f"limit {LIMIT_SIX:g} s"))
    with tempfile.TemporaryDirectory() as folder:
        files = len(cap.report.save(found, folder))
        everything = median_time(lambda: cap.report.save(found, Path(folder)), repeat=3)
    rows.append(Row(f"save: pages and charts, {files} files", everything))
    return rows
