"""What the analyses of an assessment find, one field each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from capacity.analysis.backtest import Backtest
    from capacity.analysis.blocking import Blocking
    from capacity.analysis.busy_hours import BusyHours
    from capacity.analysis.call_traffic import CallTraffic
    from capacity.analysis.cost import CostCurve
    from capacity.analysis.diversity import Diversity
    from capacity.analysis.extremes import ReturnLevels
    from capacity.analysis.headroom import Headroom
    from capacity.analysis.records.result import Reconciliation
    from capacity.analysis.utilisation import Utilisation
    from capacity.forecast.paths import PeakForecast
    from capacity.ground.coverage import Coverage


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Found:
    """What was found so far; None where an analysis has not been asked, or had too little to go by."""

    coverage: Coverage | None = None
    forecast: PeakForecast | None = None
    headroom: Headroom | None = None
    needed: pd.DataFrame | None = None
    backtest: Backtest | None = None
    percentiles: pd.DataFrame | None = None
    load_duration: pd.DataFrame | None = None
    busy_hours: BusyHours | None = None
    profile: pd.DataFrame | None = None
    diversity: Diversity | None = None
    utilisation: Utilisation | None = None
    anomalies: pd.DataFrame | None = None
    traffic: Blocking | None = None
    cost: CostCurve | None = None
    losses: CostCurve | None = None
    return_levels: ReturnLevels | None = None
    call_traffic: CallTraffic | None = None
    reconciliation: Reconciliation | None = None
