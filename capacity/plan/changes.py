"""What changed from one forecast to the next, and why: differences that add up."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from capacity.ground.text import day, listed, plural
from capacity.plan.ledger_file import Entry

__all__ = ["changes_between"]

_RISK = 0.05


def changes_between(old: Entry, new: Entry) -> pd.DataFrame:
    """Return what changed between two forecasts; see `capacity.Ledger.changes`.

    Examples
    --------
    See `capacity.Ledger`.
    """
    held = old.held(), new.held()
    needed = _split(old, new, lambda entry, days, events: entry.needed(_RISK, days, events=events))
    chance = _split(old, new, lambda entry, days, events: entry.chance(held[0], days, events=events))
    after = new.chance(held[1])
    licences = {"needed": 0, "held": held[1] - held[0], "chance": after - new.chance(held[0])}
    rows = {
        "before": {"needed": old.needed(_RISK), "held": held[0], "chance": old.chance(held[0])},
        **{cause: {"needed": needed[cause], "held": 0, "chance": chance[cause]} for cause in needed},
        "licences": licences,
        "after": {"needed": new.needed(_RISK), "held": held[1], "chance": after},
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("cause")
    return table.assign(why=pd.Series(_reasons(old, new)))


def _split(old: Entry, new: Entry, of: Callable[[Entry, int | None, bool], float]) -> dict[str, float]:
    """Return the parts of a difference: data, which are what the others leave, events and settings."""
    shared = min(len(old.dates), len(new.dates))
    events = (of(new, None, True) - of(new, None, False)) - (of(old, None, True) - of(old, None, False))
    settings = (of(new, None, True) - of(new, shared, True)) - (of(old, None, True) - of(old, shared, True))
    return {
        "data": of(new, None, True) - of(old, None, True) - events - settings,
        "events": events,
        "settings": settings,
    }


def _reasons(old: Entry, new: Entry) -> dict[str, str]:
    """Return in words what differs under each cause."""
    moved = (new.dates[0] - old.dates[0]).days
    before, after = ({k: v for k, v in e.settings.items() if k not in ("seed", "name")} for e in (old, new))
    settings = [f"{k} {before.get(k, 'none')} to {after.get(k, 'none')}" for k in after if before.get(k) != after[k]]
    same = old.data.get("crc32") == new.data.get("crc32")
    steps = old.held() == new.held() and old.licences != new.licences
    return {
        "before": f"made on {day(old.made_on)}, {plural(len(old.dates), 'day')} ahead",
        "data": "the same days of history"
        if same
        else f"{plural(moved, 'day')} more, and the days ahead moved on"
        if moved > 0
        else "other days of history",
        "events": _events(old, new),
        "settings": listed(settings) if settings else "the same",
        "licences": f"{old.held():,} to {new.held():,}"
        if old.held() != new.held()
        else "the same on the first day, other steps later"
        if steps
        else "the same",
        "after": f"made on {day(new.made_on)}, {plural(len(new.dates), 'day')} ahead",
    }


def _events(old: Entry, new: Entry) -> str:
    """Return in words which events are new, gone, or told otherwise."""
    before, after = ({text.split(":")[0]: text for text in entry.events} for entry in (old, new))
    said = [f"new: {name}" for name in after if name not in before]
    said += [f"told otherwise: {name}" for name in after if name in before and before[name] != after[name]]
    said += [f"gone: {name}" for name in before if name not in after]
    return listed(said) if said else "the same" if after else "none told"
