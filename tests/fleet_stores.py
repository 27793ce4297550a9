"""Stores of made-up projects, written as a fetch would have written them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from capacity.fetch.endpoint import Scope
from capacity.fetch.payload import Rows
from capacity.fetch.store import Store
from capacity.fetch.windows import Window
from capacity.ground.frame import TOTAL

STEP = 300


def levels(days: int, seed: int, level: int = 40) -> np.ndarray:
    """Return 5-minute maxima of `days` UTC days: a busy midday, quieter weekends, noise; shape (days * 288,)."""
    rng = np.random.default_rng(seed)
    day = np.arange(days) % 7
    scale = level * np.where(day < 5, 1.0, 0.4) * rng.lognormal(0, 0.08, days)
    shape = np.sin(np.linspace(0, np.pi, 288)) ** 2
    return np.rint(scale[:, None] * shape * rng.uniform(0.9, 1.0, (days, 288))).astype(np.int32).ravel()


def make_store(
    root: Path | str,
    values: np.ndarray,
    *,
    project: str = "P",
    account: str = "A",
    start: str = "2025-01-06",
    by: str | None = None,
    names: tuple[str, str] = ("a", "b"),
) -> Path | str:
    """Write maxima into a store, week by week; `by` "variant" adds two variants of a half each."""
    store = Store(root)
    first = pd.Timestamp(start, tz="UTC").as_unit("ns")
    for k in range(0, len(values), 7 * 288):
        week = values[k : k + 7 * 288]
        begin = first + pd.Timedelta(seconds=STEP) * k
        window = Window(begin, begin + pd.Timedelta(seconds=STEP) * len(week))
        late = window.end + pd.Timedelta(days=30)
        steps = (window.first + np.arange(len(week))).astype(np.int32)
        store.add(Scope(account, project), window, Rows(steps, np.zeros_like(steps), week, (TOTAL,)), late)
        if by:
            codes = np.tile(np.arange(2, dtype=np.int32), len(week))
            half = np.repeat(week // 2, 2).astype(np.int32)
            store.add(Scope(account, project, by=by), window, Rows(np.repeat(steps, 2), codes, half, names), late)
    return root


def make_plan(folder: Path, projects: int, *, days: int = 120, licences: int = 50) -> Path:
    """Write a plan of so many projects, each with a store of its own beside it, and return its path."""
    for k in range(projects):
        make_store(folder / f"store-{k}", levels(days, k, 30 + 3 * k))
    lines = [f"p{k},store-{k},{licences},UTC" for k in range(projects)]
    path = folder / "plan.csv"
    path.write_text("\n".join(["project,store,licences,tz", *lines, ""]))
    return path
