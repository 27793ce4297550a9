"""What an assessment rests on, in notes: the licences, the records, the days left out, events and holidays."""

from __future__ import annotations

from capacity.analysis.combine import bound_note
from capacity.analysis.verdict.capping import MUCH
from capacity.analysis.verdict.found import Found
from capacity.analysis.verdict.steps import Ask
from capacity.analysis.verdict.told import event_notes
from capacity.ground.calendar import LONGEST
from capacity.ground.holidays import as_days, holiday_words
from capacity.ground.notes import Note
from capacity.ground.text import plural


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
    if ask.at > MUCH * ask.days:
        rough = (
            f"Licences: with {100 * ask.at / ask.days:.0f}% of the days at them little is known of the demand; "
            "the estimate is rough, and more likely too low than too high."
        )
        notes.append(Note(rough, field="licences", severity="warning"))
    return notes


def _record_notes(found: Found) -> list[Note]:
    """Return what call records say of the data and of Erlang's assumptions."""
    notes = []
    if (compared := found.reconciliation) is not None:
        doubt = bool(compared.why) or len(compared.missing) > 0 or compared.too_many > 0
        text = f"Call records: {compared.sentence()}"
        notes.append(Note(text, field="reconciliation", severity="warning" if doubt else "info"))
        notes += [Note(f"Call records: {each}", field="reconciliation", severity="warning") for each in compared.notes]
    if (traffic := found.call_traffic) is not None:
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
    forecast = found.forecast
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
