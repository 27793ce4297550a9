"""Fleets of any size, made up of figures instead of stores: what the page has to hold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capacity.fleet.plan import Failure, Plan
from capacity.fleet.pool import BOUNDED, pools_table
from capacity.fleet.result import Fleet
from capacity.fleet.table import as_table, changes, failed_row, ranked
from capacity.fleet.task import Settings

LONG = "Grand Hotel Wolfgangsee <b>& Spa</b>, front desk and reservations (nights, weekends) $x_1$"


def made_fleet(
    projects: int, *, failed: int = 0, pools: int = 0, long: bool = False, before: bool = False, horizon: int = 365
) -> Fleet:
    """Return a fleet of so many projects; `before` says that there was a last run."""
    names = [f"{LONG} {k}" if long else f"project-{k:04d}" for k in range(projects)]
    rows = {name: _row(k, horizon) for k, name in enumerate(names)}
    for k, name in enumerate(names[projects - failed :]):
        rows[name] = failed_row("", f"/data/stores/{k}/2026-01-05.parquet is damaged; remove it and fetch that week")
    table = ranked(as_table(rows), names)
    last = None
    if before:
        last = table.drop(index=names[:1]).copy()
        last["p_above_90"] = last["p_above_90"].where(np.arange(len(last)) % 4 > 0, last["p_above_90"] / 2 + 0.02)
    failures = tuple(Failure(name, rows[name]["reason"]) for name in names[projects - failed :])
    return Fleet(
        table=table,
        pooled=pools_table({f"pool {k}": _pool(k, horizon) for k in range(pools)}),
        changes=changes(last, table),
        peaks=pd.DataFrame(),
        plan=Plan((), failures, tuple(names)),
        settings=Settings(horizon, 1, backtest=False),
    )


def _row(k: int, horizon: int) -> dict[str, object]:
    rng = np.random.default_rng(k)
    licences, risk = int(rng.integers(5, 400)), float(np.sort(rng.random(3))[0] ** 3)
    chances = np.round([risk / 2, risk, min(1.0, risk * 1.8)], 4)
    needed = round(licences * (0.99 + (chances[2] - 0.05) / 2))
    row = {
        "licences": licences, "peak": round(licences * (0.6 + 0.4 * risk)), "days": 400, "days_at_licences": 0,
        "peak_time": pd.Timestamp("2026-10-05T11:00Z"), "confidence": "untested", "coverage": 0.998, "growth": risk,
        "needed_01": needed + 5, "needed_05": needed, "needed_10": needed - 1, "reason": "",
        "data_start": pd.Timestamp("2025-10-01T00:00Z"), "data_end": pd.Timestamp("2026-11-01T00:00Z"),
    }  # fmt: skip
    row |= {f"p_above_{d}": p for d, p in zip((30, 90, 365), chances, strict=True) if d <= horizon}
    if risk > 0.01:
        row["exceeded_by"] = pd.Timestamp("2026-11-01") + pd.Timedelta(days=int(360 * (1 - risk) ** 3))
    return row


def _pool(k: int, horizon: int) -> dict[str, object]:
    row = {"projects": 3, "licences": 120 + k, "guaranteed": 0, "method": "bounds" if k % 2 else "exact", "reason": ""}
    for name in BOUNDED:
        if name.startswith("p_above") and int(name[8:]) > horizon:
            continue
        low = 0.02 if name.startswith("p_above") else 100
        row |= {f"{name}_lower": low, f"{name}_upper": low * 3 if k % 2 else low}
    return row
