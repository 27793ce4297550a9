"""The analyses of an assessment, each by itself: what has too little to go by becomes a note, and the rest stands."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.combine import UPPER_BOUND, bound_note
from capacity.analysis.peaks import daily_peaks
from capacity.analysis.verdict.capping import Capping, capping
from capacity.analysis.verdict.growth import growth_of
from capacity.analysis.verdict.told import event_notes
from capacity.errors import InsufficientData
from capacity.ground.arguments import whole_of
from capacity.ground.calendar import LONGEST, horizons_up_to
from capacity.ground.calls import Calls
from capacity.ground.coverage import coverage
from capacity.ground.event import Event
from capacity.ground.frame import TOTAL
from capacity.ground.holidays import HolidayLike, as_days, holiday_words
from capacity.ground.licences import Licences
from capacity.ground.notes import Note, Severity
from capacity.ground.tariff import Tariff
from capacity.ground.text import plural
from capacity.stats.censoring import uncensor

__all__ = ["Ask", "Found", "Step", "measures", "money", "outlook", "rests_on", "run"]

_RISKS = (0.01, 0.05, 0.1)
_EIGHT_WEEKS = 56  # days
_DECIDES = ("forecast", "headroom", "needed", "backtest", "cost", "losses")  # without them a reader may decide wrongly
_COUNTS = 10  # calls: below, a peak more or less is a tenth
_MUCH = 0.4  # share of days at the licences from which on demand is little known

Found: TypeAlias = dict[str, Any]  # field of Assessment -> what it holds
Step: TypeAlias = tuple[str, str, Callable[[], Any]]  # field, what to call it, how to get it


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


def run(steps: list[Step], found: Found, progress: Callable[[str, int, int], None] | None) -> list[Note]:
    """Fill `found` step by step; returns a note for each that had too little to go by."""
    failed = []
    for done, (field, what, work) in enumerate(steps):
        if progress is not None:
            progress(what, done, len(steps))
        try:
            found[field] = work()
        except InsufficientData as exc:
            found[field] = None
            severity: Severity = "warning" if field in _DECIDES else "info"
            failed.append(Note(_because(what, str(exc)), field=field, severity=severity))
    if progress is not None:
        progress("", len(steps), len(steps))
    return failed


def _because(what: str, message: str) -> str:
    # What a reader of the report can do nothing with, arguments of Python, is left out.
    said = [part for part in re.split(r"(?<=[.;:])\s", message) if not re.search(r"\w=|\(\.\.\.", part)]
    text = f"{' '.join(said).rstrip('.;:')}."
    named = text.lower().startswith((what.lower(), f"a {what.lower()}"))
    return text[0].upper() + text[1:] if named else f"{what}: {text}"


def measures(ask: Ask) -> list[Step]:
    """Return what is measured: no chance, no future."""
    from capacity.analysis.anomalies import anomalies
    from capacity.analysis.diversity import diversity
    from capacity.analysis.peaks import busy_hours
    from capacity.analysis.percentiles import load_duration, percentiles
    from capacity.analysis.profile import weekly_profile
    from capacity.analysis.utilisation import utilisation

    frame, tz = ask.frame, ask.zone
    steps: list[Step] = [
        ("coverage", "Coverage", lambda: coverage(frame, end=ask.end)),
        ("percentiles", "Percentiles", lambda: percentiles(frame, tz=tz)),
        ("load_duration", "Load duration", lambda: load_duration(frame, tz=tz)),
        ("busy_hours", "Busy hours", lambda: busy_hours(frame, tz=tz)),
        ("profile", "Weekly profile", lambda: weekly_profile(frame, tz=tz)),
        ("utilisation", "Utilisation", lambda: utilisation(frame, ask.licences, tz=tz)),
        ("anomalies", "Anomalies", lambda: anomalies(frame, tz=tz, holidays=ask.holidays)),
    ]
    if len(ask.ids) > 1:
        steps.append(("diversity", "Variants", lambda: diversity(frame, tz=tz)))
    return steps


def outlook(ask: Ask, found: Found, backtest: bool) -> list[Step]:
    """Return what is forecast, each step on what those before it found."""
    from capacity.analysis.backtest import backtest as try_out
    from capacity.analysis.extremes import return_levels
    from capacity.analysis.forecast import forecast_peaks
    from capacity.analysis.headroom import headroom, licences_needed

    spans = horizons_up_to(ask.horizon)
    same: dict[str, Any] = {
        "seed": ask.seed,
        "holidays": ask.holidays,
        "licences": ask.cap,
        "exclude": ask.exclude,
    }

    def judged(work: Callable[[Any], Any]) -> Any:
        forecast = found["forecast"]
        return work(forecast) if forecast is not None and ask.variant in forecast.variants else None

    def tried() -> Any:
        forecast = found["forecast"]
        if forecast is None:
            return None  # its note is there already
        # A third of what can be tested at most: a horizon as long as the history would leave one origin.
        known = int(forecast.history[ask.variant].count()) if ask.variant in forecast.history else ask.days
        span = max(14, min(ask.horizon, (min(ask.days, known) - _EIGHT_WEEKS) // 3))
        if ask.capping == "soft":
            raise InsufficientData("peaks that pile up just above the licences could not have exceeded any limit")
        # Where no day reached the licences they capped nothing, and what came could have exceeded any limit.
        held = ask.cap if ask.at else None
        return try_out(ask.peaks, min(span, ask.horizon), variant=ask.variant, **same | {"licences": held})

    steps: list[Step] = [
        ("forecast", "Forecast", lambda: forecast_peaks(ask.peaks, ask.horizon, **same).with_events(ask.events)),
        ("headroom", "Headroom", lambda: judged(lambda f: headroom(f, ask.licences, variant=ask.variant))),
        ("needed", "Licences needed", lambda: judged(lambda f: licences_needed(f, _RISKS, spans, variant=ask.variant))),
    ]
    if backtest and ask.variant:
        steps.append(("backtest", "Back-test", tried))
    if ask.variant:
        steps.append(("return_levels", "Return levels", lambda: return_levels(_steady(_demand(ask)))))
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


def records(ask: Ask, found: Found, calls: Calls) -> list[Step]:
    """Return what call records add: against the API's maxima, where they are its own, and how calls come and last."""
    from capacity.analysis.call_traffic import call_traffic
    from capacity.analysis.reconcile import reconcile

    def traffic() -> Any:
        said = found.get("reconciliation")
        if said is None or said.why:
            return call_traffic(calls, tz=ask.zone)
        return call_traffic(calls, tz=ask.zone, duration=said.duration, voice_only=said.voice_only)

    steps: list[Step] = []
    if calls.covered is not None and TOTAL in ask.ids:
        steps.append(("reconciliation", "Call records", lambda: reconcile(ask.frame, calls, tz=ask.zone)))
    return [*steps, ("call_traffic", "Call lengths", traffic)]


def money(ask: Ask, found: Found, length: Any, tariff: Tariff | None) -> list[Step]:
    """Return what calls that are turned away mean, where the length of a call and prices are known."""
    if length is None or not ask.variant:
        return []
    from capacity.analysis.blocking import blocking
    from capacity.analysis.cost import best_licence_count

    def turned_away() -> Any:
        return blocking(ask.frame, length, ask.licences, tz=ask.zone, variant=ask.variant, seed=ask.seed)

    def cheapest() -> Any:
        if found["headroom"] is None:
            raise InsufficientData("it is worked out on a forecast of the total, and there is none")
        rates = Tariff(licence_price=0.0) if tariff is None else tariff
        shape = _day_shape(found["busy_hours"], ask.variant)
        return best_licence_count(
            found["forecast"], tariff=rates, mean_call_length=length, day_shape=shape, variant=ask.variant
        )

    steps: list[Step] = []
    if ask.cap is not None:
        steps.append(("traffic", "Calls turned away", turned_away))
    steps.append(("losses" if tariff is None else "cost", "Cost", cheapest))
    return steps


def _day_shape(busy: Any, variant: str) -> npt.NDArray[np.float64] | None:
    """Return the mean day of the judged series, hour by hour at 5-minute steps; None without a whole day."""
    if busy is None or variant not in busy.profile.columns:
        return None
    load = busy.profile[variant].to_numpy(dtype=np.float64)
    return load if np.isfinite(load).all() and load.max() > 0 else None


def _left_out(ask: Ask) -> list[Note]:
    """Return which days of the judged series were not fitted; other series may lack others."""
    own = ask.peaks.xs(ask.variant, level=1) if ask.variant else ask.peaks
    excluded = own.index.isin(as_days(ask.exclude or [], name="exclude"))
    counts = {"incomplete": int((~own["complete"] & ~excluded).sum()), "excluded": int(excluded.sum())}
    return [
        Note(f"Forecast: {plural(count, 'day')} left out as {why}.", field="forecast")
        for why, count in counts.items()
        if count
    ]


def _licence_notes(ask: Ask) -> list[Note]:
    """Return what the licences were to the peaks, and what that does to the forecast."""
    if not ask.at:
        return []
    days = f"{plural(ask.at, 'day')} of {ask.days:,}"
    if ask.capping == "plan":
        plan = (
            f"Licences: the peak was above them on {plural(ask.above, 'day')}, so they are taken as a plan, not as "
            "what capped the calls seen."
        )
        return [Note(plan, field="licences")]
    soft = ask.capping == "soft"
    stood = "piled up at them or up to a tenth above them" if soft else "stood at them"
    taken = " They are taken as a cap." if soft else ""
    capped = (
        f"Licences: the peak {stood} on {days}.{taken} Calls may have been turned away then; the forecast is of the "
        "demand, which is estimated for those days."
    )
    notes = [Note(capped, field="licences", severity="warning")]
    if ask.at > _MUCH * ask.days:
        rough = (
            f"Licences: with {100 * ask.at / ask.days:.0f}% of the days at them little is known of the demand; "
            "the estimate is rough, and more likely too low than too high."
        )
        notes.append(Note(rough, field="licences", severity="warning"))
    return notes


def _record_notes(found: Found) -> list[Note]:
    """Return what call records say of the data and of Erlang's assumptions."""
    notes = []
    if (compared := found.get("reconciliation")) is not None:
        doubt = bool(compared.why) or len(compared.missing) > 0 or compared.too_many > 0
        text = f"Call records: {compared.sentence()}"
        notes.append(Note(text, field="reconciliation", severity="warning" if doubt else "info"))
        notes += [Note(f"Call records: {each}", field="reconciliation", severity="warning") for each in compared.notes]
    if (traffic := found.get("call_traffic")) is not None:
        notes += traffic.notes()
    return notes


def rests_on(ask: Ask, found: Found) -> list[Note]:
    """Return in sentences what the forecast rests on."""
    bound = bound_note(ask.peaks) if ask.bounded else ""
    notes = [Note(f"Licences: {bound[0].lower()}{bound[1:]}", field="licences", severity="warning")] if bound else []
    if not ask.variant:
        no_total = (
            "Headroom: the frame has several variants and no TOTAL. Licences are judged on the total, which is no sum "
            "of maxima; fetch it as well (total=True)."
        )
        notes.append(Note(no_total, field="headroom", severity="warning"))
    notes += _licence_notes(ask)
    notes += _record_notes(found)
    forecast = found.get("forecast")
    if forecast is None:
        return notes
    notes += [*_left_out(ask), *forecast.notes]
    if ask.events and ask.variant:
        own = ask.peaks.xs(ask.variant, level=1)
        seen = own["peak"].where(own["complete"])
        notes += event_notes(ask.events, forecast, ask.variant, ask.licences, seen)
    short = [i for i in ask.ids if i not in forecast.variants]
    if short:
        shown = ", ".join(short[:5]) + (f" and {len(short) - 5} more" if len(short) > 5 else "")
        notes.append(Note(f"Forecast: too little history for {shown}.", field="forecast"))
    if len(forecast.history) < LONGEST - 7:  # a day or two of a year may be incomplete
        season = (
            f"Forecast: the history covers {plural(len(forecast.history), 'day')}, less than a year. A season that has "
            "not been seen is not in it."
        )
        notes.append(Note(season, field="forecast", severity="warning"))
    days_off, differ = holiday_words(ask.named_holidays, forecast.dates[0].year)
    return [*notes, Note(f"Public holidays: {days_off}.", field="forecast", severity="warning" if differ else "info")]
