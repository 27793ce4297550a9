"""Capacity planning for voice agents: how many concurrent-call licences we need, and when we run out.

``import capacity as cap`` costs about what ``import pandas`` costs: every name is loaded when it is first used.
In a notebook results show themselves as pictures (``capacity.report.notebook``).
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and editors; a test holds it to be the same as below
    from capacity import errors as errors
    from capacity import report as report
    from capacity.analysis.anomalies import anomalies as anomalies
    from capacity.analysis.assessment import assess as assess
    from capacity.analysis.backtest import backtest as backtest
    from capacity.analysis.combine import combine as combine
    from capacity.analysis.cost import best_licence_count as best_licence_count
    from capacity.analysis.diversity import diversity as diversity
    from capacity.analysis.erlang import channels_for as channels_for
    from capacity.analysis.erlang import erlang_b as erlang_b
    from capacity.analysis.erlang import load_for as load_for
    from capacity.analysis.extremes import return_levels as return_levels
    from capacity.analysis.forecast import forecast_peaks as forecast_peaks
    from capacity.analysis.headroom import headroom as headroom
    from capacity.analysis.headroom import licences_needed as licences_needed
    from capacity.analysis.peaks import busy_hours as busy_hours
    from capacity.analysis.peaks import daily_peaks as daily_peaks
    from capacity.analysis.peaks import top_peaks as top_peaks
    from capacity.analysis.percentiles import percentiles as percentiles
    from capacity.analysis.profile import weekly_profile as weekly_profile
    from capacity.analysis.seasonality import decompose as decompose
    from capacity.analysis.seasonality import seasonal_strength as seasonal_strength
    from capacity.analysis.traffic import blocking as blocking
    from capacity.analysis.traffic import offered_load as offered_load
    from capacity.analysis.utilisation import utilisation as utilisation
    from capacity.calls.concurrency import intervals_from_calls as intervals_from_calls
    from capacity.calls.simulate import simulate_calls as simulate_calls
    from capacity.fetch.client import Client as Client
    from capacity.fetch.fetcher import fetch_intervals as fetch_intervals
    from capacity.fetch.reader import read_intervals as read_intervals
    from capacity.gaps import coverage as coverage
    from capacity.intervals import TOTAL as TOTAL
    from capacity.intervals import as_intervals as as_intervals
    from capacity.intervals import concat as concat
    from capacity.intervals import total as total
    from capacity.intervals import validate as validate
    from capacity.intervals import variants as variants
    from capacity.sample import load_sample as load_sample

__version__ = "0.1.0"

# Public name -> the module that holds it.
_HOME = {
    "Client": "fetch.client",
    "TOTAL": "intervals",
    "anomalies": "analysis.anomalies",
    "as_intervals": "intervals",
    "assess": "analysis.assessment",
    "backtest": "analysis.backtest",
    "best_licence_count": "analysis.cost",
    "blocking": "analysis.traffic",
    "busy_hours": "analysis.peaks",
    "channels_for": "analysis.erlang",
    "combine": "analysis.combine",
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
    "read_intervals": "fetch.reader",
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


if sys.modules.get("IPython"):  # a notebook, or a program that may have a shell
    from capacity.report.notebook import register

    register()
    del register
