"""The analyses of an assessment, each by itself: what has too little to go by becomes a note, and the rest stands."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.combine import UPPER_BOUND
from capacity.analysis.peaks import daily_peaks
from capacity.analysis.verdict.capping import Capping, capping
from capacity.analysis.verdict.found import Found
from capacity.analysis.verdict.growth import growth_of
from capacity.analysis.verdict.situation import RISKS
from capacity.errors import InsufficientData
from capacity.forecast.history import MIN_DAYS
from capacity.ground.arguments import whole_of
from capacity.ground.calendar import horizons_up_to
from capacity.ground.calls import Calls
from capacity.ground.coverage import coverage
from capacity.ground.event import Event
from capacity.ground.frame import TOTAL
from capacity.ground.holidays import HolidayLike, as_days
from capacity.ground.licences import Licences
from capacity.ground.notes import Note, Severity
from capacity.ground.tariff import Tariff
from capacity.stats.censoring import uncensor

if TYPE_CHECKING:
    from capacity.analysis.backtest import Backtest
    from capacity.analysis.blocking import Blocking
    from capacity.analysis.busy_hours import BusyHours
    from capacity.analysis.call_traffic import CallTraffic
    from capacity.analysis.cost import CostCurve
    from capacity.analysis.headroom import Headroom
    from capacity.forecast.paths import PeakForecast


_DECIDES = ("forecast", "headroom", "needed", "backtest", "cost", "losses")  # without them a reader may decide wrongly
_COUNTS = 10  # calls: below, a peak more or less is a tenth

Step: TypeAlias = tuple[str, str, Callable[[Found], Any]]  # field, what to call it, how to get it from the others


@dataclass(frozen=True, eq=False)
class Ask:
    """What was asked, and what the licences were to the peaks that were seen."""

    frame: pd.DataFrame
    licences: Licences
    tz: str
    zone: dt.tzinfo
    horizon: int
    seed: int
    holidays: HolidayLike  # as dates
    named_holidays: HolidayLike  # as they were given
    exclude: list[Any] | None
    peaks: pd.DataFrame
    ids: list[str]
    variant: str  # id of the series that the verdict is about; "" where there is none
    days: int
    at: int  # days at the licences or above
    above: int  # days above them
    capping: Capping  # what the licences were to the peaks
    events: tuple[Event, ...] = ()  # told to come
    end: pd.Timestamp | None = None  # up to where there should be data

    @classmethod
    def of(cls, frame: pd.DataFrame, licences: Licences, zone: dt.tzinfo, **rest: Any) -> Ask:
        """Look at the daily peaks: whose they are, and how they stand to the licences."""
        peaks = daily_peaks(frame, tz=zone)
        ids = sorted((str(i) for i in peaks.index.unique(1)), key=lambda i: (i != TOTAL, i))
        variant = whole_of(ids) or ""
        own = peaks.xs(variant, level=1)["peak"] if variant else peaks["peak"].groupby(level=0).max()
        held = licences.on(pd.DatetimeIndex(own.index))
        at, above = int((own.to_numpy() >= held).sum()), int((own.to_numpy() > held).sum())
        return cls(
            frame=frame,
            licences=licences,
            zone=zone,
            peaks=peaks,
            ids=ids,
            variant=variant,
            days=len(own),
            at=at,
            above=above,
            capping=capping(own, held),
            **rest,
        )

    @property
    def bounded(self) -> bool:
        """Whether TOTAL is the sum of projects whose calls are not known, an upper bound."""
        held = self.frame["variant_name"]
        own = held.index.codes[1] == held.index.levels[1].get_indexer([TOTAL])[0]
        return self.variant == TOTAL and str(held[own].iloc[-1]) == UPPER_BOUND

    @property
    def cap(self) -> Licences | None:
        """The licences, where they may have capped what was seen; None where peaks exceeded them freely."""
        return None if self.capping == "plan" else self.licences

    def peak(self) -> tuple[int, pd.Timestamp, str]:
        """Return the highest peak: calls, UTC start of the first interval that reached it, variant."""
        own = self.peaks.xs(self.variant, level=1, drop_level=False) if self.variant else self.peaks
        place = int(np.argmax(own["peak"].to_numpy()))
        return int(own["peak"].iloc[place]), own["time"].iloc[place], str(own.index[place][1])


def run(
    steps: list[Step], found: Found, progress: Callable[[str, int, int], None] | None = None
) -> tuple[Found, list[Note]]:
    """Return `found` with what each step adds, and a note for each that had too little to go by."""
    failed = []
    for done, (field, what, work) in enumerate(steps):
        if progress is not None:
            progress(what, done, len(steps))
        try:
            found = replace(found, **{field: work(found)})
        except InsufficientData as exc:
            severity: Severity = "warning" if field in _DECIDES else "info"
            failed.append(Note(_because(what, str(exc)), field=field, severity=severity))
    if progress is not None:
        progress("", len(steps), len(steps))
    return found, failed


def _because(what: str, message: str) -> str:
    # What a reader of the report can do nothing with, arguments of Python, is left out.
    said = [part for part in re.split(r"(?<=[.;:])\s", message) if not re.search(r"\w=|\(\.\.\.", part)]
    text = f"{' '.join(said).rstrip('.;:')}."
    named = text.lower().startswith((what.lower(), f"a {what.lower()}"))
    return text[0].upper() + text[1:] if named else f"{what}: {text}"


def measures(ask: Ask) -> list[Step]:
    """Return what is measured: no chance, no future."""
    from capacity.analysis.anomalies import anomalies
    from capacity.analysis.busy_hours import busy_hours
    from capacity.analysis.diversity import diversity
    from capacity.analysis.percentiles import load_duration, percentiles
    from capacity.analysis.profile import weekly_profile
    from capacity.analysis.utilisation import utilisation

    frame, tz = ask.frame, ask.zone
    steps: list[Step] = [
        ("coverage", "Coverage", lambda _: coverage(frame, end=ask.end)),
        ("percentiles", "Percentiles", lambda _: percentiles(frame, tz=tz)),
        ("load_duration", "Load duration", lambda _: load_duration(frame, tz=tz)),
        ("busy_hours", "Busy hours", lambda _: busy_hours(frame, tz=tz)),
        ("profile", "Weekly profile", lambda _: weekly_profile(frame, tz=tz)),
        ("utilisation", "Utilisation", lambda _: utilisation(frame, ask.licences, tz=tz)),
        ("anomalies", "Anomalies", lambda _: anomalies(frame, tz=tz, holidays=ask.holidays)),
    ]
    if len(ask.ids) > 1:
        steps.append(("diversity", "Variants", lambda _: diversity(frame, tz=tz)))
    return steps


def outlook(ask: Ask, backtest: bool) -> list[Step]:
    """Return what is forecast, each step on what those before it found."""
    from capacity.analysis.backtest import backtest as try_out
    from capacity.analysis.extremes import return_levels
    from capacity.analysis.forecast import forecast_peaks
    from capacity.analysis.headroom import headroom, licences_needed

    same: dict[str, Any] = {"holidays": ask.holidays, "licences": ask.cap, "exclude": ask.exclude, "seed": ask.seed}

    def judged(found: Found, work: Callable[[PeakForecast], object]) -> object:
        forecast = found.forecast
        return work(forecast) if forecast is not None and ask.variant in forecast.variants else None

    def tried(found: Found) -> Backtest | None:
        forecast = found.forecast
        if forecast is None:
            return None  # its note is there already
        # A third of what can be tested at most: a horizon as long as the history would leave one origin.
        known = int(forecast.history[ask.variant].count()) if ask.variant in forecast.history else ask.days
        span = max(14, min(ask.horizon, (min(ask.days, known) - MIN_DAYS) // 3))
        if ask.capping == "soft":
            raise InsufficientData("peaks that pile up just above the licences could not have exceeded any limit")
        # Where no day reached the licences they capped nothing, and what came could have exceeded any limit.
        held = ask.cap if ask.at else None
        return try_out(ask.peaks, min(span, ask.horizon), variant=ask.variant, **same | {"licences": held})

    def chances(forecast: PeakForecast) -> Headroom:
        return headroom(forecast, ask.licences, variant=ask.variant)

    def enough(forecast: PeakForecast) -> pd.DataFrame:
        return licences_needed(forecast, RISKS, horizons_up_to(ask.horizon), variant=ask.variant)

    steps: list[Step] = [
        ("forecast", "Forecast", lambda _: forecast_peaks(ask.peaks, ask.horizon, **same).with_events(ask.events)),
        ("headroom", "Headroom", lambda found: judged(found, chances)),
        ("needed", "Licences needed", lambda found: judged(found, enough)),
    ]
    if backtest and ask.variant:
        steps.append(("backtest", "Back-test", tried))
    if ask.variant:
        steps.append(("return_levels", "Return levels", lambda _: return_levels(_steady(_demand(ask)))))
    return steps


def _steady(daily: pd.Series) -> pd.Series:
    """Return daily peaks that return levels can be read from: high enough, and at a level that stays."""
    if daily.max() < _COUNTS:
        raise InsufficientData(f"peaks of {daily.max():.0f} at most are too few steps for return levels")
    if growth_of(daily) is not None:
        raise InsufficientData("demand is growing, and return levels hold only while its level stays")
    return daily


def _demand(ask: Ask) -> pd.Series:
    """Return the judged series' peaks on complete days, with days at the cap drawn as what demand may have been."""
    own = ask.peaks.xs(ask.variant, level=1)
    daily = own["peak"].where(own["complete"]).astype(np.float64).asfreq("D")
    if ask.exclude is not None:
        daily = daily.mask(daily.index.isin(as_days(ask.exclude, name="exclude")))
    if ask.cap is None or not ask.at:
        return daily.rename(ask.variant)
    caps = ask.cap.on(pd.DatetimeIndex(daily.index))
    return pd.Series(uncensor(daily.to_numpy(), caps, seed=ask.seed), index=daily.index, name=ask.variant)


def records(ask: Ask, calls: Calls) -> list[Step]:
    """Return what call records add: against the API's maxima, where they are its own, and how calls come and last."""
    from capacity.analysis.call_traffic import call_traffic
    from capacity.analysis.reconcile import reconcile

    def traffic(found: Found) -> CallTraffic:
        said = found.reconciliation
        if said is None or said.why:
            return call_traffic(calls, tz=ask.zone)
        return call_traffic(calls, tz=ask.zone, duration=said.duration, voice_only=said.voice_only)

    steps: list[Step] = []
    if calls.covered is not None and TOTAL in ask.ids:
        steps.append(("reconciliation", "Call records", lambda _: reconcile(ask.frame, calls, tz=ask.zone)))
    return [*steps, ("call_traffic", "Call lengths", traffic)]


def money(ask: Ask, length: Any, tariff: Tariff | None) -> list[Step]:
    """Return what calls that are turned away mean, where the length of a call and prices are known."""
    if length is None or not ask.variant:
        return []
    from capacity.analysis.blocking import blocking
    from capacity.analysis.cost import best_licence_count

    def turned_away(_: Found) -> Blocking:
        return blocking(ask.frame, length, ask.licences, tz=ask.zone, variant=ask.variant, seed=ask.seed)

    def cheapest(found: Found) -> CostCurve:
        if found.headroom is None or found.forecast is None:
            raise InsufficientData("it is worked out on a forecast of the total, and there is none")
        rates = Tariff(licence_price=0.0) if tariff is None else tariff
        shape = _day_shape(found.busy_hours, ask.variant)
        return best_licence_count(
            found.forecast, tariff=rates, mean_call_length=length, day_shape=shape, variant=ask.variant
        )

    steps: list[Step] = []
    if ask.cap is not None:
        steps.append(("traffic", "Calls turned away", turned_away))
    steps.append(("losses" if tariff is None else "cost", "Cost", cheapest))
    return steps


def _day_shape(busy: BusyHours | None, variant: str) -> npt.NDArray[np.float64] | None:
    """Return the mean day of the judged series, hour by hour at 5-minute steps; None without a whole day."""
    if busy is None or variant not in busy.profile.columns:
        return None
    load = busy.profile[variant].to_numpy(dtype=np.float64)
    return load if np.isfinite(load).all() and load.max() > 0 else None
