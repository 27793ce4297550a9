"""Every chart of the report: each takes results and an ``ax``, draws in the report's look, and returns the ``ax``.

Examples
--------
>>> from matplotlib.figure import Figure
>>> import numpy as np, pandas as pd
>>> from capacity.forecast.paths import PeakForecast
>>> dates = pd.date_range("2026-09-01", periods=2)
>>> paths = np.array([[[100, 110], [90, 130], [95, 105], [99, 90]]])
>>> forecast = PeakForecast(paths=paths, variants=("*",), dates=dates, history=pd.DataFrame({"*": []}))
>>> ax = risk(forecast, Figure().subplots())
>>> ax.get_ylabel()
'chance of exceeding them (log scale)'
"""

from __future__ import annotations

from capacity.report.charts_cost import cost, turned_away
from capacity.report.charts_exhaustion import chances, days_above, exhaustion, risk
from capacity.report.charts_history import decomposition, history, outlook
from capacity.report.charts_ledger import evidence, kept_forecasts, kept_licences
from capacity.report.charts_rare import days_in_30, return_levels
from capacity.report.charts_records import reconciliation
from capacity.report.charts_rhythm import busy_hours, heat_map, load_duration, percentiles
from capacity.report.charts_trust import coverage_of, gaps, past_forecast, pit
from capacity.report.charts_utilisation import utilisation
from capacity.report.charts_variants import correlation, drivers, pooling, small_history

__all__ = [
    "busy_hours",
    "chances",
    "correlation",
    "cost",
    "coverage_of",
    "days_above",
    "days_in_30",
    "decomposition",
    "drivers",
    "evidence",
    "exhaustion",
    "gaps",
    "heat_map",
    "history",
    "kept_forecasts",
    "kept_licences",
    "load_duration",
    "outlook",
    "past_forecast",
    "percentiles",
    "pit",
    "pooling",
    "reconciliation",
    "return_levels",
    "risk",
    "small_history",
    "turned_away",
    "utilisation",
]
