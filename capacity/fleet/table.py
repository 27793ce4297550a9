"""The table of a fleet: its columns, a project's row, and the order by risk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.ground.calendar import HORIZONS, SAME_WEEKDAYS
from capacity.ground.frame import TOTAL

if TYPE_CHECKING:
    from capacity.analysis.assessment import Assessment

__all__ = ["FLEET_SCHEMA", "as_table", "changes", "failed_row", "peaks_of", "ranked", "row_of"]

FLEET_SCHEMA: Mapping[str, str] = MappingProxyType(
    {
        "pool": "str",  # name of the pool that the project shares licences in, "" for none
        "licences": "Int64",  # held on the day after the data [calls]
        "peak": "Int64",  # highest so far [calls]
        "peak_time": "datetime64[ns, UTC]",  # start of the first interval that reached it
        "days": "Int64",  # local days with data
        "days_at_licences": "Int64",  # days on which the peak was at the licences or above
        "p_above_30": "float64",  # chance of exceeding the licences within 30 days; NaN beyond the horizon
        "p_above_90": "float64",  # the same within 90 days
        "p_above_365": "float64",  # the same within 365 days
        "exceeded_by": "datetime64[ns]",  # local day by which, if they are exceeded, they are in half of the cases
        "needed_01": "Int64",  # fewest licences exceeded within the horizon with 1% risk at most [calls]
        "needed_05": "Int64",  # the same for 5% risk
        "needed_10": "Int64",  # the same for 10% risk
        "order_by": "datetime64[ns]",  # local day to order on, for 5% risk, where a lead time is given
        "confidence": "str",  # tested, weak or untested
        "confidence_reason": "str",  # why, in words
        "growth": "float64",  # of the mean daily peak: last 28 days on the same 28 a year before [share]
        "best_licences": "Int64",  # cheapest count, where prices are given [calls]
        "best_cost": "float64",  # what it costs in a year, lost calls included [money]
        "coverage": "float64",  # share of the intervals that are there, of the series that the verdict is about
        "data_start": "datetime64[ns, UTC]",  # start of the first interval
        "data_end": "datetime64[ns, UTC]",  # end of the last interval
        "warnings": "str",  # the notes of severity "warning"
        "reason": "str",  # why there is no verdict; "" where there is one
    }
)

_MONTH = 28  # days, whole weeks
_UNTESTED = "The back-test was not run (backtest=False)."


def row_of(assessment: Assessment, *, pool: str, backtest: bool) -> dict[str, Any]:
    """Return a project's row."""
    headroom, needed = assessment.headroom, assessment.needed
    start, end = assessment.span
    row: dict[str, Any] = {
        "pool": pool,
        "licences": int(assessment.licences.on(_day_after(end, assessment.tz))[0]),
        "peak": int(assessment.peak[0]),
        "peak_time": assessment.peak[1],
        "days": assessment.days,
        "days_at_licences": assessment.days_at_licences,
        "growth": _growth(peaks_of(assessment)),
        "coverage": _coverage(assessment),
        "data_start": start,
        "data_end": end,
        "warnings": " ".join(str(n) for n in assessment.notes if getattr(n, "severity", "info") == "warning"),
        "reason": "" if headroom is not None else _without(assessment),
    }
    if headroom is not None:
        for days in HORIZONS:
            if days <= len(headroom.p_above):
                row[f"p_above_{days}"] = float(headroom.p_above.iloc[days - 1])
        if 1 - headroom.beyond >= 0.01:  # a handful of paths would say nothing
            row["exceeded_by"] = headroom.dates_given[0.5]
        if assessment.lead_time is not None and assessment.decisions is not None:
            row["order_by"] = assessment.decisions["order_by"].get("5% risk")
    if needed is not None:
        row |= {f"needed_{round(100 * float(risk)):02d}": int(needed.loc[risk].iloc[-1]) for risk in needed.index}
    if assessment.cost is not None:
        best = assessment.cost.best
        row |= {"best_licences": int(best), "best_cost": float(assessment.cost.table.loc[best, "total"])}
    confidence = getattr(assessment, "confidence", None)
    row["confidence"] = "untested" if not backtest or confidence is None else str(confidence.level)
    row["confidence_reason"] = str(confidence.reason) if backtest and confidence is not None else _UNTESTED
    return row


def failed_row(pool: str, reason: str) -> dict[str, Any]:
    """Return the row of a project without a verdict."""
    return {"pool": pool, "confidence": "untested", "reason": " ".join(reason.split())}


def peaks_of(assessment: Assessment) -> pd.DataFrame:
    """Return the daily peaks of the judged series: index date, columns peak and complete."""
    if assessment.variant:
        return assessment.peaks.xs(assessment.variant, level=1)[["peak", "complete"]]
    return assessment.peaks.iloc[:0].droplevel(1)[["peak", "complete"]]


def as_table(
    rows: Mapping[str, Mapping[str, Any]], kinds: Mapping[str, str] = FLEET_SCHEMA, *, index: str = "project"
) -> pd.DataFrame:
    """Return rows as a table with columns of these kinds, by default those of `FLEET_SCHEMA`."""
    labels = pd.Index(list(rows), dtype="str", name=index)
    columns = {}
    for name, kind in kinds.items():
        cells = [row.get(name) for row in rows.values()]
        if kind == "str":
            cells = ["" if cell is None else cell for cell in cells]
        columns[name] = _typed(cells, kind, labels)
    return pd.DataFrame(columns, index=labels)


def ranked(table: pd.DataFrame, order: Iterable[str]) -> pd.DataFrame:
    """Return the projects by the chance within 90 days, the riskiest first; without a verdict last."""
    table = table.loc[list(order)]
    chances = table[["p_above_90", "p_above_365", "p_above_30"]].copy()
    chances["shortage"] = (table["needed_05"] / table["licences"].where(table["licences"] > 0)).astype("float64")
    place = np.lexsort([np.arange(len(table)), *(-chances[c].fillna(-1.0).to_numpy() for c in chances.columns[::-1])])
    return table.iloc[place]


def _typed(cells: list[Any], kind: str, index: pd.Index) -> pd.Series:
    if kind.startswith("datetime64"):
        utc = "UTC" in kind
        times = pd.to_datetime(pd.Series(cells, index=index, dtype="object"), utc=utc)
        return times.dt.as_unit("ns") if len(cells) else times.astype(kind)
    return pd.Series(cells, index=index, dtype=kind)


def _day_after(end: pd.Timestamp, tz: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([end.tz_convert(tz).tz_localize(None).normalize()])


def _growth(peaks: pd.DataFrame) -> float:
    """Return the change of the mean daily peak within a year; NaN where a year ago was not seen."""
    daily = peaks["peak"].where(peaks["complete"]).astype("float64").asfreq("D")
    if len(daily) < _MONTH + SAME_WEEKDAYS:
        return float("nan")
    now, before = daily.iloc[-_MONTH:], daily.iloc[-_MONTH - SAME_WEEKDAYS : -SAME_WEEKDAYS]
    both = now.notna().to_numpy() & before.notna().to_numpy()
    level = float(before[both].mean()) if both.sum() >= _MONTH // 2 else 0.0
    return float(now[both].mean()) / level - 1.0 if level > 0 else float("nan")


def _coverage(assessment: Assessment) -> float:
    table = assessment.coverage.table
    own = assessment.variant or TOTAL
    if own in table.index:
        return float(table.loc[own, "share"])
    return float(table["present"].sum() / table["expected"].sum())


def _without(assessment: Assessment) -> str:
    """Return why there is no verdict: the note on the forecast, or on the headroom."""
    for word in ("forecast", "headroom"):
        for note in assessment.notes:
            if note.lower().startswith((word, f"a {word}")):
                return str(note)
    return "there is no forecast"


def changes(before: pd.DataFrame | None, now: pd.DataFrame) -> pd.DataFrame:
    """Return what changed since the last table: index project, the largest change of the chance first."""
    names = ["p_above_90", "licences", "needed_05"]
    empty = as_table({})
    old = empty if before is None else before
    both = pd.Index(
        dict.fromkeys([*now.index, *(old.index if before is not None else [])]), name="project", dtype="str"
    )
    if before is None:
        both = both[:0]
    table = pd.DataFrame({"change": ""}, index=both)
    for name in names:
        table[f"{name}_before"], table[name] = old[name].reindex(both), now[name].reindex(both)
    was, has = both.isin(old.index[old["reason"] == ""]), both.isin(now.index[now["reason"] == ""])
    told = [
        ("new", ~both.isin(old.index)),
        ("gone", ~both.isin(now.index)),
        ("has a verdict again", ~was & has),
        ("has no verdict any more", was & ~has),
        ("licences", _differ(table, "licences")),
        ("chance", (table["p_above_90"] - table["p_above_90_before"]).abs().ge(0.01).to_numpy()),
        ("licences needed", _differ(table, "needed_05")),
    ]
    words = np.select([flag for _, flag in told], [word for word, _ in told], default="")
    table["change"] = pd.Series(words, index=both, dtype="str")
    table = table[table["change"] != ""]
    moved = (table["p_above_90"].fillna(0.0) - table["p_above_90_before"].fillna(0.0)).abs()
    return table.loc[moved.sort_values(ascending=False, kind="stable").index]


def _differ(table: pd.DataFrame, name: str) -> npt.NDArray[np.bool_]:
    return np.asarray((table[name] != table[f"{name}_before"]).fillna(False), dtype=bool)
