"""What is asked for: the scopes of a request, and the windows of each that are not held. Pure, but for the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from capacity.errors import ConfigError
from capacity.fetch.endpoint import Scope
from capacity.fetch.store import Store
from capacity.fetch.weekfile import Week
from capacity.fetch.windows import Window, last_closed, split, subtract, week_of
from capacity.ground.frame import TOTAL
from capacity.ground.times import WEEK


@dataclass(frozen=True)
class Wanted:
    """The scopes that make up one frame.

    Attributes
    ----------
    by : str
        What the second index level is called.
    layers : tuple of (label, Scope)
        The label of an unsliced series in the frame; None for a sliced scope.
    """

    by: str
    layers: tuple[tuple[str | None, Scope], ...]


@dataclass(frozen=True)
class Ask:
    """One request to be made."""

    window: Window
    scope: Scope
    layer: int
    why: str


def wanted(
    account: str,
    project: str,
    *,
    env: str = "live",
    variant_id: str | None = None,
    variant_name: str | None = None,
    language: str | None = None,
    phone_number: str | None = None,
    slice_by: str | None = "variant",
    languages: Iterable[str] | None = None,
    phone_numbers: Iterable[str] | None = None,
    total: bool = True,
) -> Wanted:
    """Return the scopes of a request.

    Raises
    ------
    ConfigError
        Arguments that exclude each other, or that leave nothing to ask for.
    """
    given = {"variant_id": variant_id, "variant_name": variant_name, "language": language, "phone_number": phone_number}
    filters = tuple(sorted((name, value) for name, value in given.items() if value is not None))
    whole = Scope(account, project, env, filters, None)
    layers: list[tuple[str | None, Scope]] = []
    by = slice_by or "variant"
    if (fanned := fan(languages, phone_numbers)) is not None:
        by, values = fanned
        if given[by] is not None:
            raise ConfigError(f"{by}= and {by}s= were both given; leave {by}= out")
        layers += [(value, whole.narrowed(by, value)) for value in values]
    elif slice_by is not None:
        layers.append((None, Scope(account, project, env, filters, slice_by)))
    if total:
        layers.append((TOTAL, whole))
    if not layers:
        raise ConfigError("slice_by=None with total=False leaves nothing to ask for; drop one of the two")
    return Wanted(by, tuple(layers))


def fan(languages: Iterable[str] | None, phone_numbers: Iterable[str] | None) -> tuple[str, list[str]] | None:
    """Return what ``languages=`` or ``phone_numbers=`` slice by, and the values; None where neither was given.

    Raises
    ------
    ConfigError
        Both were given, or what was given is no list of values, is empty, or holds TOTAL.
    """
    if languages is not None and phone_numbers is not None:
        raise ConfigError("languages= and phone_numbers= were both given; a frame has one slice, ask for each alone")
    by, values = ("language", languages) if languages is not None else ("phone_number", phone_numbers)
    if values is None:
        return None
    if isinstance(values, str):
        raise ConfigError(f"{by}s= takes a list; write {by}s=[...]")
    listed = list(dict.fromkeys(values))
    if not listed:
        raise ConfigError(f"{by}s= is empty; name at least one")
    if TOTAL in listed:
        raise ConfigError(f"{by}s= holds {TOTAL!r}, which stands for the total; leave it out")
    return by, listed


def outstanding(
    scopes: Sequence[Scope],
    window: Window,
    store: Store | None,
    *,
    now: pd.Timestamp,
    refetch: bool = False,
    repair: bool = False,
) -> list[Ask]:
    """Return the requests to be made for `window`, oldest first.

    Only what is not held, or not final, is asked for; with `refetch` everything; with `repair` also the whole
    week of every damaged file.

    Raises
    ------
    StoreError
        A file of these scopes is damaged (without `repair`), or of another version.
    """
    asks: list[Ask] = []
    for layer, scope in enumerate(scopes):
        weeks, broken = _held(store, scope, repair=repair)
        pieces = [piece for week in weeks for piece in week.pieces]
        final = [p.window for p in pieces if p.final and not refetch]
        held = [p.window for p in pieces]
        mend = [Window(monday, min(monday + WEEK, last_closed(now))) for monday in broken]
        for part in split(window.start, window.end):
            if week_of(part.start) not in broken:
                for left in subtract(part, final):
                    why = "not held" if subtract(left, held) else "asked again" if refetch else "provisional"
                    asks.append(Ask(left, scope, layer, why))
        asks += [Ask(part, scope, layer, "damaged") for part in mend if part.start < part.end]
    return sorted(asks, key=lambda ask: (ask.window, ask.layer))


def _held(store: Store | None, scope: Scope, *, repair: bool) -> tuple[list[Week], list[pd.Timestamp]]:
    if store is None:
        return [], []
    return store.survey(scope) if repair else (store.weeks(scope), [])
