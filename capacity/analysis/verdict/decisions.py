"""The decision table: what each count of licences means, in chances, days, calls and money, and when to order."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.ground.text import chance, day, percent, plural

if TYPE_CHECKING:
    from capacity.analysis.cost import CostCurve
    from capacity.analysis.verdict.situation import Situation


NOW, CHEAPEST = "now", "cheapest"
_MONTH = 30  # days


def decisions(
    paths: npt.NDArray[np.integer[Any]],
    dates: pd.DatetimeIndex,
    held: npt.NDArray[np.int64],
    needed: pd.Series,
    spans: list[int],
    *,
    losses: CostCurve | None = None,
    priced: bool = False,
    lead_time: pd.Timedelta | None = None,
) -> pd.DataFrame:
    """Return one row a choice: the licences as planned, the cheapest count, and those for each risk.

    Parameters
    ----------
    paths : array of int, shape (paths, days)
        Daily peaks [calls] of the series that the licences are judged on.
    dates : DatetimeIndex
        The days ahead, naive local midnights.
    held : array of int, shape (days,)
        The licences of each day as planned.
    needed : Series
        Licences [calls] by risk, for the whole horizon.
    spans : list of int
        Days within which the chance of exceeding is wanted.
    losses : CostCurve, optional
        Calls lost with each count, and, where `priced`, its yearly cost.
    priced : bool
        Whether prices were given.
    lead_time : Timedelta, optional
        From order to use.

    Returns
    -------
    DataFrame
        Index ``choice`` ("now", "cheapest", "10% risk", ...); columns ``licences``, ``difference`` to now,
        ``chance_30``, ... of exceeding them within so many days, ``days_above`` (expected, in a month of 30 days),
        ``lost_calls`` a year, ``cost`` a year (NaN where unknown) and ``order_by`` (NaT where nothing has to be
        ordered within the horizon): the day on which the chance of exceeding the licences as planned passes that of
        the row, less the lead time.
    """
    rows = {NOW: held}
    if priced and losses is not None:
        rows[CHEAPEST] = np.full(len(dates), losses.best)
    for risk, count in needed.sort_index(ascending=False).items():
        rows[f"{percent(float(risk))} risk"] = np.full(len(dates), int(count))
    by_then = np.logical_or.accumulate(paths > held, axis=1).mean(axis=0)
    table = []
    for counts in rows.values():
        above = paths > counts
        row: dict[str, Any] = {"licences": int(counts[0]), "difference": int(counts[0] - held[0])}
        row |= {f"chance_{span}": float(above[:, :span].any(axis=1).mean()) for span in spans}
        row |= {"days_above": float(above.mean()) * _MONTH, "lost_calls": np.nan, "cost": np.nan}
        if losses is not None:
            lost = np.interp(counts, losses.table.index, losses.table["lost_calls"])
            row["lost_calls"] = float(lost.mean())
            if priced:
                row["cost"] = float(_yearly_cost(losses, counts).mean())
        row["order_by"] = pd.NaT
        late = by_then > row[f"chance_{spans[-1]}"]
        if lead_time is not None and (counts > held).any() and late.any():
            row["order_by"] = (dates[int(np.argmax(late))] - lead_time).normalize()
        table.append(row)
    return pd.DataFrame(table, index=pd.Index(list(rows), name="choice")).astype({"order_by": "datetime64[ns]"})


def _yearly_cost(curve: CostCurve, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the cost of counts of licences [money a year], all that the tariff bills included.

    Beyond the curve, where no call is lost, licences cost more only where they themselves are billed.
    """
    total = np.interp(counts, curve.table.index, curve.table["total"])
    beyond = np.maximum(counts - int(curve.table.index[-1]), 0)
    return np.asarray(total + (curve.licence_price if curve.billing == "licences" else 0.0) * beyond)


def in_words(table: pd.DataFrame, facts: Situation) -> pd.DataFrame:
    """Return the table of `decisions` as it is printed, columns without anything in them left out.

    Parameters
    ----------
    table : DataFrame
        As `decisions` returns it.
    facts : Situation
        Its planned changes stand beside the licences that are held; an order due before its first day is due now.
    """
    planned = "".join(f", {n:,} from {day(date, weekday=False)}" for date, n in facts.changes[:1])
    planned += f", {plural(len(facts.changes) - 1, 'later change')}" if len(facts.changes) > 1 else ""
    words: dict[str, list[str]] = {
        "licences": [f"{n:,}{planned if c == NOW else ''}" for c, n in table["licences"].items()],
        "difference": ["" if c == NOW else f"{n:+,}" if n else "0" for c, n in table["difference"].items()],
    }
    for column in table.columns:
        if column.startswith("chance_"):
            span = plural(int(column.removeprefix("chance_")), "day")
            words[f"chance of exceeding within {span}"] = [chance(p) for p in table[column]]
    words["days above a month"] = [_few(n) for n in table["days_above"]]
    if table["lost_calls"].notna().any():
        words["lost calls a year"] = [_few(n) for n in table["lost_calls"]]
    if table["cost"].notna().any():
        words["cost a year"] = [f"{n:,.0f}" for n in table["cost"]]
    if table["order_by"].notna().any():
        words["order by"] = [_date(d, facts.first) for d in table["order_by"]]
    return pd.DataFrame(words, index=table.index)


def _few(value: float) -> str:
    if value == 0:
        return "0"
    if value < 0.05:
        return "under 0.1"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _date(date: Any, today: dt.date) -> str:
    if pd.isna(date):
        return "–"
    return "now" if date.date() <= today else day(date, weekday=False)
