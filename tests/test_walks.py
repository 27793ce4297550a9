"""The walks of the documentation, done step by step on a copy of the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STEP = re.compile(
    r"^```\{code-block\} python\n:caption: (?P<where>.*?)\n\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


def walk(page: str, copy: Path) -> set[str]:
    """Do what a page says to the copy, and return the files that were touched."""
    touched = set()
    for step in STEP.finditer((ROOT / "docs" / page).read_text(encoding="utf-8")):
        name, _, anchor = step["where"].strip("'\"").partition(", after: ")
        path = copy / name
        touched.add(name)
        if not anchor:
            path.write_text(step["code"], encoding="utf-8")
            continue
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        found = [k for k, line in enumerate(lines) if line.strip().startswith(anchor)]
        assert found, f"{page}: {name} has no line that begins with {anchor!r}"
        lines.insert(found[-1] + 1, step["code"])
        path.write_text("".join(lines), encoding="utf-8")
    return touched


def test_adding_an_analysis_as_the_page_says(tmp_path: Path) -> None:
    """Somebody who follows the page would end with an error, or would have to touch half the house."""
    shutil.copytree(ROOT / "capacity", tmp_path / "capacity", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", tmp_path / "data")
    assert len(walk("add_an_analysis.md", tmp_path)) <= 5
    code = (
        "import capacity as cap\n"
        "a = cap.assess(cap.load_sample().loc['2026-05-01':], 115, tz='Europe/London', seed=1, backtest=False)\n"
        "assert cap.weekday_peaks(a.peaks).equals(a.weekday_peaks)\n"
        "print([p.name for p in cap.report.save(a, 'out') if 'weekdays' in p.name])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "['chart-weekdays.png']", done.stderr
