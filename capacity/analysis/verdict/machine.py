"""Results as plain values for machines: what JSON can hold, with keys that stay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from capacity.analysis.backtest import Backtest
    from capacity.analysis.headroom import Headroom
    from capacity.analysis.verdict.headline import Headline
    from capacity.forecast.paths import PeakForecast
    from capacity.ground.licences import Licences
    from capacity.ground.result import Result


def plain(value: Any) -> Any:
    """Return what JSON can hold: times in ISO 8601, midnights without a zone as dates, NaN and infinity as None.

    Examples
    --------
    >>> plain({0.5: pd.Timestamp("2026-09-18"), "x": np.float64("nan"), "n": np.int64(3)})
    {'0.5': '2026-09-18', 'x': None, 'n': 3}
    """
    if isinstance(value, pd.DataFrame):
        return records(value)
    if isinstance(value, pd.Series):
        return {_key(k): plain(v) for k, v in value.items()}
    if isinstance(value, Mapping):
        return {_key(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, np.ndarray, pd.Index)):
        return [plain(v) for v in value]
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        midnight = value.tzinfo is None and value == value.normalize()
        return f"{value:%Y-%m-%d}" if midnight else value.isoformat()
    if isinstance(value, pd.Timedelta):
        return value.total_seconds()
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return str(value)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one dictionary a row, index levels first.

    Examples
    --------
    >>> records(pd.DataFrame({"above": [1.5]}, index=pd.Index(["2026-09"], name="month")))
    [{'month': '2026-09', 'above': 1.5}]
    """
    columns = [_key(column) for column in table.columns]
    cells = [table.iloc[:, k] for k in range(len(columns))]
    for k in reversed(range(table.index.nlevels)):
        if (name := table.index.names[k]) is not None:
            columns.insert(0, f"slice_{name}" if name in columns else _key(name))  # a slice may be called "peak"
            cells.insert(0, table.index.get_level_values(k).to_series())
    return [{key: plain(value) for key, value in zip(columns, row, strict=True)} for row in zip(*cells, strict=True)]


def _key(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_key(part) for part in value)
    return str(plain(value))


def licences(held: Licences) -> list[dict[str, Any]]:
    """Return the steps: the first count holds from ever on."""
    starts = [None, *held.dates[1:]]
    return [{"from": plain(s), "count": n} for s, n in zip(starts, held.counts, strict=True)]


def headline(found: Headline) -> dict[str, Any]:
    """Return the headline's parts, and all of it as text."""
    return {
        "kind": found.kind,
        "action": found.action,
        "number": found.number,
        "reason": found.reason,
        "besides": list(found.besides),
        "text": found.text,
    }


def headroom(result: Headroom) -> dict[str, Any]:
    """Return the chances within the horizon, by day and by month."""
    return {
        "p_above": float(result.p_above.iloc[-1]),
        "p_at_or_above": float(result.p_at_or_above.iloc[-1]),
        "beyond": result.beyond,
        "dates_given": plain(result.dates_given),
        "by_day": records(result.to_frame()),
        "per_month": records(result.per_month),
        "k_in_30": records(result.k_in_30),
    }


def needed(result: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row a risk and horizon."""
    return records(result.stack().rename("licences").to_frame())  # noqa: PD013 - one row a risk and horizon


def forecast(result: PeakForecast, variant: str) -> dict[str, Any]:
    """Return what it was made from, and one variant's quantiles by day."""
    by_day = None
    if variant in result.variants:
        by_day = records(result.to_frame().xs(variant, level=1))
    return {
        "days": int(result.history.notna().any(axis=1).sum()),
        "left_out": result.left_out,
        "paths": int(result.paths.shape[1]),
        "by_day": by_day,
    }


def backtest(result: Backtest) -> dict[str, Any]:
    """Return the scores by method."""
    return {
        "origins": plain(result.origins),
        "horizon": result.horizon,
        "breach": result.breach,
        "scores": records(result.scores),
    }


def table(result: Result | None) -> list[dict[str, Any]] | None:
    """Return the rows of a result's own table."""
    return None if result is None else records(result.to_frame())
