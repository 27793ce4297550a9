"""Notes on events: what was told, what each adds, and what came of those whose days are over."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from capacity.analysis.event_effects import event_effects
from capacity.forecast.event_scores import score_events
from capacity.forecast.paths import PeakForecast
from capacity.ground.event import Event
from capacity.ground.licences import Licences
from capacity.ground.notes import Note
from capacity.ground.text import chance, day


def event_notes(
    events: Sequence[Event], forecast: PeakForecast, variant: str, licences: Licences, peaks: pd.Series
) -> list[Note]:
    """Return a note for each event.

    Parameters
    ----------
    events : sequence of Event
        What was told.
    forecast : PeakForecast
        With the events in it.
    variant : str
        The series that the verdict is about; "" for none.
    licences : Licences
    peaks : Series
        Daily peaks of that series on complete days [calls].

    Examples
    --------
    >>> event_notes([], None, "*", None, None)
    []
    """
    if not events or variant not in forecast.variants:
        return []
    adds, came = event_effects(forecast, licences, variant=variant), score_events(events, peaks)
    notes = []
    for event in events:
        if event.name in came.index:
            row = came.loc[event.name]
            text = (
                f"{event} Its days are over: {row['verdict']}, {row['came']:+.0f} calls ({row['came_low']:+.0f} to "
                f"{row['came_high']:+.0f}) from {day(row['came_on'])}."
            )
        else:
            row = adds.loc[event.name]
            text = (
                f"{event}. It adds {row['adds']:+,} licences at 5% risk; without it the chance of exceeding them"
                f" is {chance(row['chance_without'])} in place of {chance(row['chance'])}."
            )
        notes.append(Note(f"Event: {text}", field="events"))
    return notes
