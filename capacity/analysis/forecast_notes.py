"""What of a history was not taken as it came, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from capacity.forecast.history import History
from capacity.forecast.regime import Regime
from capacity.ground.arguments import whole_of
from capacity.ground.arrays import Floats
from capacity.ground.calendar import WEEKDAYS
from capacity.ground.notes import Note
from capacity.ground.text import day


def regime_notes(history: History, regimes: list[Regime]) -> list[Note]:
    """Return a note for each absurd day, each jump of the level and each weekday with a level of its own."""
    whole = whole_of(history.variants)
    notes = []
    for place, (name, regime) in enumerate(zip(history.variants, regimes, strict=True)):
        whose = "" if len(history.variants) == 1 or name == whole else f" of {name}"
        notes += list(_of_one(history, history.values[:, place], regime, whose))
    return notes


def _of_one(history: History, values: Floats, regime: Regime, whose: str) -> Iterator[Note]:
    seen = int(np.isfinite(values).sum())
    rest = float(np.nanmax(np.delete(values, regime.absurd))) if seen > len(regime.absurd) else 0.0
    for at in regime.absurd:
        yield Note(
            f"The peak{whose} on {day(history.dates[at])}, {values[at]:,.0f} calls, is far above that of any other "
            f"({rest:,.0f}). It is not fitted; it may come again as rarely as it came, {len(regime.absurd)} in "
            f"{seen:,} days. If it is an error, exclude the day.",
            field="forecast",
            severity="warning",
        )
    if regime.jump:
        yield Note(
            f"The level{whose} moved to {regime.factor:.2g} times what it was on {day(history.dates[regime.jump])} "
            "and stayed: the days before are taken as they would have been at the level after it.",
            field="forecast",
        )
    for weekday, at in regime.opened.items():
        yield Note(
            f"{WEEKDAYS[weekday]}s{whose} have had a level of their own since {day(history.dates[at])}: those before "
            "it are left out.",
            field="forecast",
        )
