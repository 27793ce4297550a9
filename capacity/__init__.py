"""Capacity planning for voice agents: how many concurrent-call licences we need, and when we run out.

``import capacity as cap`` costs about what ``import pandas`` costs: every name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capacity import errors as errors
    from capacity import report as report

__version__ = "0.1.0"

# Public name -> the module that holds it.
_HOME = {
    "Client": "fetch.client",
    "TOTAL": "intervals",
    "anomalies": "analysis.seasonality",
    "as_intervals": "intervals",
    "assess": "analysis.assessment",
    "backtest": "analysis.backtest",
    "best_licence_count": "analysis.cost",
    "blocking": "analysis.traffic",
    "busy_hours": "analysis.peaks",
    "channels_for": "analysis.erlang",
    "combine": "analysis.diversity",
    "concat": "intervals",
    "coverage": "gaps",
    "daily_peaks": "analysis.peaks",
    "decompose": "analysis.seasonality",
    "diversity": "analysis.diversity",
    "erlang_b": "analysis.erlang",
    "fetch_intervals": "fetch.fetcher",
    "forecast_peaks": "analysis.forecast",
    "headroom": "analysis.headroom",
    "intervals_from_calls": "calls.concurrency",
    "licences_needed": "analysis.headroom",
    "load_for": "analysis.erlang",
    "load_sample": "sample",
    "offered_load": "analysis.traffic",
    "percentiles": "analysis.percentiles",
    "read_intervals": "fetch.fetcher",
    "return_levels": "analysis.extremes",
    "seasonal_strength": "analysis.seasonality",
    "simulate_calls": "calls.simulate",
    "top_peaks": "analysis.peaks",
    "total": "intervals",
    "utilisation": "analysis.utilisation",
    "validate": "intervals",
    "variants": "intervals",
    "weekly_profile": "analysis.profile",
}
_MODULES = ("errors", "report")

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"capacity.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'capacity' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"capacity.{_HOME[name]}"), name)
    globals()[name] = value  # no module beside this file bears a public name, so none can take its place
    return value


def __dir__() -> list[str]:
    return __all__
