"""The recipes of docs/fleet.md, run as they stand."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pandas as pd
import pytest

import capacity as cap
from capacity.fleet.plan import COLUMNS

from .fleet_stores import make_plan

PAGE = Path(__file__).parent.parent / "docs" / "fleet.md"


def block(word: str) -> str:
    """Return the block of Python that holds a word."""
    return next(b for b in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S) if word in b)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Two projects."""
    return make_plan(tmp_path_factory.mktemp("docs"), 2, days=70)


def test_the_ray_adapter(plan, monkeypatch):
    """The adapter would not be what assess_fleet asks of an executor."""
    calls = []

    def remote(function):
        return types.SimpleNamespace(remote=lambda *arguments: calls.append(arguments) or function(*arguments))

    monkeypatch.setitem(sys.modules, "ray", types.SimpleNamespace(remote=remote, get=lambda found: found))
    names: dict = {}
    exec(block("class OnRay"), names)
    found = cap.assess_fleet(plan, horizon=30, executor=names["OnRay"](), workers=2)
    assert len(calls) == 2
    assert found.table.equals(cap.assess_fleet(plan, horizon=30, workers=1).table)


def test_the_spark_recipe(plan):
    """The function would give Spark other columns than its schema says."""
    names: dict = {}
    exec(block("SCHEMA"), names)
    table = pd.read_csv(plan, dtype=str)
    table["store"] = [str(plan.parent / store) for store in table["store"]]
    rows = pd.concat(names["assess"](iter([table[:1], table[1:]])))
    declared = [part.split(" ")[0] for part in names["SCHEMA"].split(", ")]
    assert list(rows.columns) == declared
    assert rows["project"].tolist() == ["p0", "p1"]


def test_the_plan_columns_are_all_told():
    """A column would be read that no page knows, or told that is not read."""
    section = PAGE.read_text("utf-8").partition("## Shared")[0]
    told = {name for line in re.findall(r"^\| (`.*?) \|", section, re.M) for name in re.findall(r"`(\w+)`", line)}
    assert told == set(COLUMNS)
