"""Whether demand has grown: the level of the last four weeks beside that of four weeks before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.ground.calendar import SAME_WEEKDAYS

_MONTH = 28  # days of whole weeks
_APART = (SAME_WEEKDAYS, 84)  # days back that the level is compared with: a year, or twelve weeks


@dataclass(frozen=True)
class Growth:
    """How the mean daily peak of the last four weeks stands to that of four weeks before."""

    factor: float
    days_before: int


def growth_of(peak: pd.Series) -> Growth | None:
    """Return by what factor the level rose within a year, or within twelve weeks where there is less; None if not.

    Parameters
    ----------
    peak : Series
        Daily peaks [calls] with a daily DatetimeIndex, NaN where a day is missing.

    Examples
    --------
    >>> days = pd.date_range("2026-01-01", periods=140)
    >>> growth_of(pd.Series(np.linspace(50, 120, 140), index=days)).days_before
    84
    """
    recent = peak.iloc[-_MONTH:]
    for apart in _APART:
        before = peak.iloc[-_MONTH - apart : -apart]
        if len(before) == _MONTH and min(before.notna().sum(), recent.notna().sum()) >= 0.75 * _MONTH:
            factor = float(recent.mean() / before.mean()) if before.mean() > 0 else np.inf
            return Growth(factor, apart) if factor >= 1.2 and recent.mean() - before.mean() >= 1 else None
    return None
