"""From the store to the interval frame, without requests: which scopes make it up, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from capacity.errors import ConfigError
from capacity.fetch.build import Layer, build, check_absent, empty_frame
from capacity.fetch.endpoint import FILTERS, Scope
from capacity.fetch.plan import Wanted, fan
from capacity.fetch.store import Store
from capacity.fetch.weekfile import Week
from capacity.fetch.windows import Window
from capacity.ground.address import StoreAddress
from capacity.ground.frame import TOTAL
from capacity.ground.times import Instant, as_instant, ceil_step, check_range, floor_step


def read_intervals(
    store: StoreAddress,
    start: Instant | None = None,
    end: Instant | None = None,
    *,
    tz: str | None = None,
    account: str | None = None,
    project: str | None = None,
    env: str | None = None,
    variant_id: str | None = None,
    variant_name: str | None = None,
    language: str | None = None,
    phone_number: str | None = None,
    unfiltered: bool = False,
    slice_by: str | None = None,
    languages: Iterable[str] | None = None,
    phone_numbers: Iterable[str] | None = None,
    total: bool = True,
    absent: str = "zero",
) -> pd.DataFrame:
    """Return the 5-minute maxima that a store holds, as an interval frame, without a request.

    Parameters
    ----------
    store : path or address
        The folder, or the address in an object store (``s3://bucket/prefix``), that `fetch_intervals` filled.
    start, end : str, date, datetime or Timestamp, optional
        The half-open range [start, end), grown to whole 5-minute intervals; by default all that is held.
    tz : str, optional
        IANA name of the zone of dates and times without an offset; needed where there are some.
    account, project, env : str, optional
        Which of them to read; needed where the store holds more than one.
    variant_id, variant_name, language, phone_number : str, optional
        All filters that it was fetched with; needed where the store holds more than one set of filters.
    unfiltered : bool
        Read what was fetched without a filter, where the store holds that and more.
    slice_by : {"variant", "language", "phone_number"}, optional
        Which slice to read; needed where the store holds more than one. "language" also reads what
        ``languages=[...]`` fetched.
    languages, phone_numbers : list of str, optional
        Read these of what ``languages=[...]`` or ``phone_numbers=[...]`` fetched. A store knows a phone number
        by its hash alone: numbers that are not named here are called "#...".
    total : bool, default True
        Whether TOTAL is read too.
    absent : {"zero", "missing"}, default "zero"
        Whether an interval that an answer left out is a row with 0, or no row: see `capacity.fetch_intervals`.

    Returns
    -------
    DataFrame
        Interval frame: MultiIndex (time [UTC], slice), columns ``max_concurrent`` [calls] and ``variant_name``. An
        interval that was not answered has no row.

    Raises
    ------
    ConfigError
        There is no such store, it holds nothing of the kind, or more than one; the message lists what is there.
    StoreError
        A file is damaged, or of another version.

    See Also
    --------
    capacity.fetch_intervals, capacity.intervals_to_store, capacity.read_stored_calls, capacity.coverage

    Examples
    --------
    >>> import tempfile
    >>> import capacity as cap
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stored = cap.intervals_to_store(cap.simulate_calls("2026-03-02", days=2, seed=1), folder, workers=1)
    ...     frame = cap.read_intervals(folder, "2026-03-02", "2026-03-03", tz="Europe/London")
    >>> print(cap.coverage(cap.total(frame)))
    2026-03-02 00:05 to 2026-03-03 00:00 UTC: 1 series, 287 of 287 intervals (100.00%), no gaps
    """
    check_absent(absent)
    archive = Store(store).held()
    asked = {"account": account, "project": project, "env": env}
    values = (variant_id, variant_name, language, phone_number)
    given = tuple(sorted((n, v) for n, v in zip(FILTERS, values, strict=True) if v is not None))
    by, wish = fan(languages, phone_numbers) or (slice_by, None)

    def frame() -> pd.DataFrame:
        # By the folders' names first: a store may hold thousands of projects.
        scopes = [s for s in archive.scopes(**asked) if all(v is None or getattr(s, k) == v for k, v in asked.items())]
        if len({(s.account, s.project, s.env) for s in scopes}) != 1:
            there = archive.scopes()
            if not there:
                raise ConfigError(f"store={str(archive.root)!r} holds nothing yet; fetch into it first")
            raise _ambiguous("account=, project= or env=", there)
        filters = _held_filters(archive, given, scopes) if given or unfiltered else None
        want = _chosen(archive, scopes, filters, by, wish, total=total)
        window = _range(archive, want, start, end, tz)
        if window is None:
            return empty_frame(want.by)
        layers = [stored_layer(archive, label, scope, window) for label, scope in want.layers]
        return build(layers, window, by=want.by, absent=absent)

    return archive.steadily(frame)


def _held_filters(
    archive: Store, given: tuple[tuple[str, str], ...], scopes: Sequence[Scope]
) -> tuple[tuple[str, str], ...]:
    """Return the filters with what stands for a phone number in this store."""
    ways = [tuple((n, w.number(v) if n == "phone_number" else v) for n, v in given) for w in archive.hiders()]
    return next((way for way in ways if any(set(way) <= set(s.filters) for s in scopes)), ways[0])


def _chosen(
    archive: Store,
    scopes: Sequence[Scope],
    filters: tuple[tuple[str, str], ...] | None,
    by: str | None,
    wish: list[str] | None,
    *,
    total: bool,
) -> Wanted:
    """Choose the scopes of one account, project and env that make up one frame."""
    sets = sorted({s.filters for s in scopes})
    if filters is None:
        fan = by if wish is not None else _fan(scopes, by)
        if fan is not None:
            return _fanned(archive, scopes, fan, wish, total=total)
        if len(sets) > 1:
            raise _ambiguous("a filter (or unfiltered=True), or slice_by=", scopes)
        filters = sets[0]
    elif wish is not None:
        narrowed = [s for s in scopes if set(filters) <= set(s.filters)]
        return _fanned(archive, narrowed, str(by), wish, total=total, base=filters)
    chosen = [s for s in scopes if s.filters == filters]
    sliced = [s for s in chosen if s.by is not None and by in (None, s.by)]
    whole = [s for s in chosen if s.by is None and total]
    if len(sliced) > 1 or not sliced + whole or (by is not None and not sliced):
        raise _ambiguous("another filter or slice_by=", scopes)
    layers = [(None, s) for s in sliced] + [(TOTAL, s) for s in whole]
    return Wanted(sliced[0].by or "variant" if sliced else "variant", tuple(layers))


def _fan(scopes: Sequence[Scope], by: str | None) -> str | None:
    """Return what a store was sliced by with one filtered request each, if that is all it holds, or is asked for."""
    narrowed = {s.filters[0][0] for s in scopes if len(s.filters) == 1}
    if by in ("language", "phone_number"):
        return by if by in narrowed and not any(s.by == by for s in scopes) else None
    plain = all(s.by is None and len(s.filters) < 2 for s in scopes)
    if by is None and plain and len(scopes) > 1 and narrowed in ({"language"}, {"phone_number"}):
        return narrowed.pop()
    return None


def _fanned(
    archive: Store,
    scopes: Sequence[Scope],
    by: str,
    wish: list[str] | None,
    *,
    total: bool,
    base: tuple[tuple[str, str], ...] = (),
) -> Wanted:
    held = {dict(s.filters)[by]: s for s in scopes if s.by is None and _is_one_more(s, by, base)}
    ways = [way.number for way in archive.hiders()] if by == "phone_number" else [str]

    def kept(value: str) -> str:
        """Return what stands for a value here."""
        return next((way(value) for way in ways if way(value) in held), ways[0](value))

    labels = {kept(value): value for value in wish} if wish else {value: value for value in held}
    if lacking := [shown for value, shown in labels.items() if value not in held]:
        shown = [kept(value) for value in lacking]
        raise _ambiguous(f"another {by} than {', '.join(shown)}", scopes)
    layers: list[tuple[str | None, Scope]] = [(labels[value], held[value]) for value in labels]
    whole = [s for s in scopes if s.by is None and s.filters == base]
    if total:
        layers += [(TOTAL, s) for s in whole]
    return Wanted(by, tuple(layers))


def _is_one_more(scope: Scope, by: str, base: tuple[tuple[str, str], ...]) -> bool:
    return by in dict(scope.filters) and tuple(f for f in scope.filters if f[0] != by) == base


def _ambiguous(selector: str, there: Sequence[Scope]) -> ConfigError:
    listed = "\n".join(f"  {scope}" for scope in there)
    return ConfigError(f"what to read is not clear: give {selector}. The store holds\n{listed}")


def _range(archive: Store, want: Wanted, start: Instant | None, end: Instant | None, tz: str | None) -> Window | None:
    first = None if start is None else floor_step(as_instant(start, tz, name="start"))
    last = None if end is None else ceil_step(as_instant(end, tz, name="end"))
    if first is not None and last is not None:
        check_range(first, last)
    held = [p.window for _, scope in want.layers for week in archive.weeks(scope) for p in week.pieces]
    if not held:
        return None
    # Not beyond what is held: a century of empty intervals costs memory and has no row.
    first = max(min(w.start for w in held), first) if first is not None else min(w.start for w in held)
    last = min(max(w.end for w in held), last) if last is not None else max(w.end for w in held)
    return Window(first, last) if first < last else None


def stored_layer(archive: Store, label: str | None, scope: Scope, window: Window) -> Layer:
    """Return what a store holds of one scope, for a frame of the range `window`."""
    layer = Layer(label)
    within: list[tuple[list[Window], Week]] = []
    for week in archive.weeks(scope):
        layer.seen_before |= {i for i, step in week.first.items() if step < window.first}
        layer.names |= week.names
        pieces = [p.window for p in week.pieces if p.window.start < window.end and p.window.end > window.start]
        if pieces:
            within.append((pieces, week))
    for (pieces, _), rows in zip(within, archive.many_rows([week for _, week in within]), strict=True):
        layer.add(pieces, rows)
    if label is not None:
        layer.seen_before = {label} if layer.seen_before else set()
    elif scope.by == "phone_number":
        # The metadata knows numbers by their hashes: only those that the rows name can be told.
        layer.seen_before = {
            i
            for rows in layer.rows
            for i in rows.ids
            if any(way.number(i) in layer.seen_before for way in archive.hiders())
        }
    return layer
