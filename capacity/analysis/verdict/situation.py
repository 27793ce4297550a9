"""The facts that the headline follows from: licences, chances, needs, bounds and planned changes, as plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.headroom import highest_within
from capacity.analysis.verdict.capping import Capping
from capacity.analysis.verdict.growth import Growth, growth_of
from capacity.ground.frame import TOTAL
from capacity.ground.licences import Licences, as_licences

if TYPE_CHECKING:
    from capacity.analysis.verdict.answers import Verdict
    from capacity.forecast.paths import PeakForecast


Bounds: TypeAlias = tuple[int, int]  # the same twice where a count is known

RISKS = (0.01, 0.05, 0.1)


@dataclass(frozen=True)
class Situation:
    """What is known of licences and demand, for `headline`.

    Attributes
    ----------
    licences : int
        On the first day ahead.
    horizon : int
        Days ahead.
    days : int
        Days of history.
    peak : (int, int)
        Bounds of the highest peak so far [calls].
    about : str
        Whose calls these are; "" for all calls together.
    parts : int
        Of how many series the total is known only within bounds; 0 where it is known.
    combined : bool
        Whether these are projects whose sum stands for their total.
    needed : mapping of float -> (int, int)
        Bounds of the licences that keep the risk; empty without a forecast.
    risk : (float, float) or None
        Bounds of the chance of exceeding the licences within the horizon, planned changes included.
    unchanged : (float, float) or None
        The same if the licences stayed as they are.
    likely_by : date or None
        First day by which exceeding is likelier than not.
    changes : tuple of (date, int)
        Planned changes of the licences within the horizon.
    capping : str
        As `capping` says.
    days_at : int
        Days on which the licences were reached or exceeded.
    kept : (int, int) or None
        In how many past forecasts the licences for 5% risk were enough, where that was much too seldom.
    growth : Growth or None
        Where demand grew.
    missing : int
        Days without data at the end.
    cheapest : (int, float) or None
        The cheapest count and its risk.
    today : bool
        Whether `licences` are those that are held.
    first : date
        The first day ahead.
    """

    licences: int
    horizon: int
    days: int
    peak: Bounds
    about: str = ""
    parts: int = 0
    combined: bool = False
    needed: Mapping[float, Bounds] = field(default_factory=dict)
    risk: tuple[float, float] | None = None
    unchanged: tuple[float, float] | None = None
    likely_by: dt.date | None = None
    changes: tuple[tuple[dt.date, int], ...] = ()
    capping: Capping = "none"
    days_at: int = 0
    kept: tuple[int, int] | None = None
    growth: Growth | None = None
    missing: int = 0
    cheapest: tuple[int, float] | None = None
    today: bool = True
    first: dt.date = dt.date.min


def situation(found: Verdict, licences: int | None = None) -> Situation:
    """Return the facts of an assessment; with `licences`, as if that many were held throughout."""
    held = found.licences if licences is None else as_licences(licences)
    ahead = found.ahead
    proof = found.evidence
    forecast = found.forecast
    parts = _parts(found)
    facts = Situation(
        licences=int(held.on(ahead[:1])[0]),
        horizon=found.horizon,
        days=found.days,
        peak=_peak(found, parts),
        about="" if found.variant in (TOTAL, "") else found.display_name(found.variant),
        parts=len(parts),
        combined=bool(parts) and found.variant == TOTAL,
        changes=tuple(_changes(held, ahead)),
        capping=found.capping,
        days_at=found.days_at_licences,
        kept=(proof.kept, proof.tries) if proof is not None and proof.too_low else None,
        growth=growth_of(found.daily(found.variant)) if found.variant else None,
        missing=found.missing_days,
        today=licences is None,
        first=ahead[0].date(),
    )
    if forecast is None or (found.variant and found.variant not in forecast.variants):
        return facts
    return _with_forecast(facts, found, forecast, held, [p for p in parts if p in forecast.variants])


def _with_forecast(
    facts: Situation, found: Verdict, forecast: PeakForecast, held: Licences, parts: list[str]
) -> Situation:
    counts, now = held.on(forecast.dates), np.full(len(forecast.dates), facts.licences)
    whole = forecast.series(found.variant) if found.variant else None
    each = [forecast.series(p) for p in parts]
    if whole is None and not each:
        return facts
    needed = {risk: _needed(whole, each, risk) for risk in RISKS}
    likely = None
    if whole is not None:
        by_then = np.logical_or.accumulate(whole > counts, axis=1).mean(axis=0)
        likely = forecast.dates[int(np.argmax(by_then > 0.5))].date() if by_then[-1] > 0.5 else None
    cheapest = None
    if found.cost is not None and whole is not None:
        best = int(found.cost.best)
        cheapest = (best, float((whole > best).any(axis=1).mean()))
    return replace(
        facts,
        needed=needed,
        risk=_risk(whole, each, counts),
        unchanged=_risk(whole, each, now),
        likely_by=likely,
        cheapest=cheapest,
    )


def _parts(found: Verdict) -> list[str]:
    """Return the series between whose maximum and sum the total lies; none where it is known."""
    ids = [str(i) for i in found.peaks.index.unique(1) if str(i) != TOTAL]
    return ids if found.bounded or not found.variant else []


def _peak(found: Verdict, parts: list[str]) -> Bounds:
    if not parts:
        return found.peak[0], found.peak[0]
    highest = found.peaks["peak"].groupby(level=1, observed=True).max()
    low = int(highest[parts].max())
    if found.variant:
        return low, max(low, found.peak[0])
    if found.diversity is not None:
        low, high = found.diversity.pooled
        return int(low), int(high)
    return low, int(highest[parts].sum())


def _changes(held: Licences, ahead: pd.DatetimeIndex) -> list[tuple[dt.date, int]]:
    counts = held.on(ahead)
    return [(ahead[k].date(), int(counts[k])) for k in np.flatnonzero(np.diff(counts)) + 1]


def _needed(whole: npt.NDArray[np.integer] | None, parts: list[npt.NDArray[np.integer]], risk: float) -> Bounds:
    low = max((int(highest_within(p, risk)) for p in parts), default=0)
    if whole is not None:
        high = int(highest_within(whole, risk))
        return (min(low, high), high) if parts else (high, high)
    # No total: if each part stays within its own share of the risk, so does their sum within the whole of it.
    return low, sum(int(highest_within(p, risk / len(parts))) for p in parts)


def _risk(
    whole: npt.NDArray[np.integer] | None, parts: list[npt.NDArray[np.integer]], counts: npt.NDArray[np.int64]
) -> tuple[float, float]:
    low = max((float((p > counts).any(axis=1).mean()) for p in parts), default=0.0)
    if whole is None:
        return low, 1.0
    high = float((whole > counts).any(axis=1).mean())
    return (min(low, high), high) if parts else (high, high)
