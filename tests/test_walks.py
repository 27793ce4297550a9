"""The walks of the documentation, done step by step on a copy of the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

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


def test_adding_a_vendor_as_the_page_says(tmp_path: Path) -> None:
    """Somebody who describes an export as the page says would find it unread, or read by the wrong times."""
    shutil.copytree(ROOT / "capacity", tmp_path / "capacity", ignore=shutil.ignore_patterns("__pycache__"))
    page = (ROOT / "docs" / "another_vendors_log.md").read_text(encoding="utf-8")
    entry = re.search(r"```\{code-block\} toml\n:caption: [^\n]*\n\n(.*?)```", page, re.DOTALL)[1]
    log = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    known = tmp_path / "capacity" / "calls" / "exports.toml"
    head, mark, rest = known.read_text(encoding="utf-8").partition('[[export]]\nname = "vapi"')
    known.write_text(head + entry + mark + rest, encoding="utf-8")
    (tmp_path / "acme.csv").write_text(log, encoding="utf-8")
    command = [sys.executable, "-m", "capacity", "intervals", "acme.csv", "--out", "x.parquet", "--tz", "UTC"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert "like acme: talk, from the answer" in told
    assert "whole call, from ringing" in told
    frame = pd.read_parquet(tmp_path / "x.parquet").reset_index()
    total = frame[frame["variant"] == "*"]
    assert total["max_concurrent"].tolist() == [2]  # from 09:02 to 09:04 both are in progress
