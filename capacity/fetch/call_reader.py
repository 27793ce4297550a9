"""From the store to call records, without requests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import pandas as pd

from capacity.errors import ConfigError
from capacity.fetch.call_frame import as_calls
from capacity.fetch.call_plan import call_filters
from capacity.fetch.call_rows import latest
from capacity.fetch.callfile import Day
from capacity.fetch.callstore import CallStore
from capacity.fetch.endpoint import Scope
from capacity.fetch.windows import Window
from capacity.ground.calls import Calls
from capacity.ground.times import DAY, Instant, as_instant, check_range

_EPOCH = pd.Timestamp(0, tz="UTC")


def read_stored_calls(
    store: str | os.PathLike[str],
    start: Instant | None = None,
    end: Instant | None = None,
    *,
    tz: str | None = None,
    account: str | None = None,
    project: str | None = None,
    env: str | None = None,
    variant_id: str | None = None,
    variant_name: str | None = None,
    channel: str | Iterable[str] | None = None,
    unfiltered: bool = False,
) -> Calls:
    """Return the call records that a store holds, without a request.

    Parameters
    ----------
    store : path or address
        What `fetch_calls` filled.
    start, end : str, date, datetime or Timestamp, optional
        The half-open range [start, end); by default all days that were answered.
    tz : str, optional
        IANA name of the zone of dates and times without an offset; needed where there are some.
    account, project, env, variant_id, variant_name, channel : str, optional
        Which of them to read; needed where the store holds more than one.
    unfiltered : bool
        Read what was fetched without a filter, where the store holds that and more.

    Returns
    -------
    Calls
        As `fetch_calls` returns them.

    Raises
    ------
    ConfigError
        There is no such store, it holds no call records, or of more than one selection.
    StoreError
        A file is damaged, or of another version.

    See Also
    --------
    capacity.fetch_calls, capacity.read_intervals

    Examples
    --------
    >>> import capacity as cap
    >>> cap.read_stored_calls("no-such-folder")
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: store='no-such-folder' does not exist; fetch into it first
    """
    archive = CallStore(store).held()
    there = archive.scopes()
    if not there:
        raise ConfigError(f"store={str(archive.root)!r} holds no call records; fetch them with fetch_calls first")
    filters = call_filters(variant_id, variant_name, channel)
    asked = {"account": account, "project": project, "env": env}
    chosen = [s for s in there if all(v is None or getattr(s, k) == v for k, v in asked.items())]
    if filters or unfiltered:
        chosen = [s for s in chosen if s.filters == filters]
    if len(chosen) != 1:
        listed = "\n".join(f"  {shown(scope)}" for scope in there)
        raise ConfigError(
            "which calls to read is not clear: give account=, project=, env= or the filter (or unfiltered=True). "
            f"The store holds\n{listed}"
        )
    days, _ = archive.days(chosen[0])
    held = [day.piece.window for day in days if day.piece is not None]
    first = min(w.start for w in held) if start is None and held else as_instant(start or _EPOCH, tz, name="start")
    last = max(w.end for w in held) if end is None and held else as_instant(end or _EPOCH, tz, name="end")
    check_range(first, last)
    return stored(archive, chosen[0], Window(first, last))


def stored(archive: CallStore, scope: Scope, window: Window, *, dropped: int = 0, repeated: int = 0) -> Calls:
    """Read what a range needs: its own days, and those on which calls began that reach into it."""
    return archive.steadily(lambda: _read(archive, archive.days(scope)[0], window, dropped, repeated))


def _read(archive: CallStore, days: Sequence[Day], window: Window, dropped: int, repeated: int) -> Calls:
    start, end = window.start, window.end
    needed = [d for d in days if d.day < end and (d.day + DAY > start or d.still or d.until > start)]
    rows = latest(archive.tables(needed))
    answered = [day.piece.window for day in needed if day.piece is not None]
    callers = {hour: counts for day in needed for hour, counts in day.callers.items()}
    return as_calls(rows, window, answered, callers, dropped=dropped, repeated=repeated)


def shown(scope: Scope) -> str:
    """Return what is shown of a scope of call records."""
    where = f" where {scope.shown_filters}" if scope.filters else ""
    return f"{scope.account}/{scope.project} {scope.env} calls{where}"
