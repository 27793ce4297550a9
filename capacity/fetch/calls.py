"""From a date range to call records: which days are asked for, what is kept, and what a store holds."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from capacity.fetch.call_frame import as_calls, hour_counts
from capacity.fetch.call_pages import Session, all_pages
from capacity.fetch.call_plan import Plan, call_scope, closed_range, plan
from capacity.fetch.call_reader import shown, stored
from capacity.fetch.call_rows import ends, flags, ints, latest, latest_rows
from capacity.fetch.call_windows import DayAsk, DayPiece
from capacity.fetch.callfile import HourCounts
from capacity.fetch.callstore import CallStore
from capacity.fetch.client import Client
from capacity.fetch.endpoint import Scope
from capacity.fetch.loop import to_its_end
from capacity.fetch.run import carry_out, check_errors, incomplete
from capacity.fetch.windows import Window
from capacity.ground.calls import Calls
from capacity.ground.times import DAY, Instant, floor_step

_US_A_DAY = DAY.value // 1000


def fetch_calls(
    client: Client,
    start: Instant,
    end: Instant,
    *,
    tz: str | None = None,
    env: str = "live",
    variant_id: str | None = None,
    variant_name: str | None = None,
    channel: str | Iterable[str] | None = None,
    store: str | os.PathLike[str] | None = None,
    errors: str = "raise",
    progress: bool | None = None,
    refetch: bool = False,
    repair: bool = False,
    longest_call: str | pd.Timedelta = "24h",
) -> Calls:
    """Return the call records of a date range from the API (Conversations API v3); a store is not asked for again.

    Transcripts and callers' numbers are not kept, logged or shown. Of a caller's number a hash under a random key is
    used in memory, to count how many call again; of the id of a conversation a hash is kept.

    Parameters
    ----------
    client : Client
        The connection: which account and project, at which address. Its key for call records is ``api_key=``, or the
        environment variable POLYAI_V3_API_KEY, or POLYAI_API_KEY where that is not set.
    start, end : str, date, datetime or Timestamp
        The half-open range [start, end). The future is not asked for.
    tz : str, optional
        IANA name of the zone of dates and times without an offset; needed where there are some.
    env : {"live", "sandbox", "pre-release"}, default "live"
        The environment whose conversations are asked for.
    variant_id, variant_name : str, optional
        Only such conversations; the API takes one or the other.
    channel : str or list of str, optional
        Only conversations on these channels. By default all, voice or not: the frame says which.
    store : path or address, optional
        A folder, or an address such as ``s3://bucket/prefix``, that keeps what was fetched, by UTC day, beside the
        maxima. None keeps nothing.
    errors : {"raise", "partial"}
        What to do when days failed after the last retry: "raise" (the default) raises IncompleteError at the end, with
        the rest in its ``frame``; "partial" returns the rest.
    progress : bool, optional
        Whether to draw a bar; by default on a terminal or in a notebook, if there is more than one day.
    refetch, repair : bool, default False
        Whether to ask for everything again, and whether to replace damaged files by asking for their days again.
    longest_call : str or Timedelta, default "24h"
        Calls in progress at `start` are looked for among those that began at most this long before it.

    Returns
    -------
    Calls
        ``frame``: one row a conversation that began in [start, end), or before it and was in progress at `start`:
        ``start``, ``end`` [UTC; start + total_duration, NaT in progress], ``variant``, ``variant_name``,
        ``total_duration``, ``polyai_duration`` [s], ``channel``, ``handoff``, ``phone_number`` (the line called),
        ``language``, ``env``. Not clipped to the range. ``account``: what was kept and dropped.

    Raises
    ------
    ConfigError
        An argument is wrong; nothing was asked for.
    BadRequest, Unauthorized, NotFound
        The fetch stops, since no other day would fare better; what was fetched before is in the store.
    IncompleteError
        Some days were not answered, or with something that the schema does not allow (`PayloadError`).
    StoreError
        A file is damaged, cannot be written, or is of another version.

    See Also
    --------
    capacity.read_stored_calls : the same from the store, without a request.
    capacity.reconcile : these records beside the API's own maxima.
    capacity.call_traffic : how long calls last and how they come.

    Examples
    --------
    >>> import capacity as cap
    >>> from capacity.calls import emulator
    >>> calls = cap.simulate_calls("2026-03-02", days=1, seed=1, tz="UTC")
    >>> with emulator.serve(calls, account="A", project="P", key="secret") as server:
    ...     with cap.Client("A", "P", api_key="secret", base_url=server.url) as client:
    ...         fetched = cap.fetch_calls(client, "2026-03-02", "2026-03-03", tz="UTC")
    >>> print(fetched.frame[["variant", "total_duration", "channel"]].head(2))
              variant  total_duration channel
    0  V-out-of-hours            26.0   voice
    1  V-out-of-hours           505.0   voice
    """
    check_errors(errors)
    scope = call_scope(client, env, variant_id, variant_name, channel)
    window = closed_range(client, start, end, tz)
    archive = CallStore(store) if store is not None else None
    if window is None:
        now = floor_step(client._now())
        return as_calls(latest([]), Window(now, now), [], {})
    todo = plan(client, scope, window, archive, longest_call, refetch=refetch, repair=repair)
    run = _Run(client, scope, archive, todo, repair=repair)
    kept = archive is not None
    failures = carry_out(client, todo.asks, run.one, progress, kept=kept) if todo.asks else []
    calls = run.calls(window)
    if failures and errors == "raise":
        failures = sorted(failures, key=lambda failed: failed[0].window)
        raise incomplete(failures, f"of {len(todo.asks)} days", calls.frame, kept=kept, name=shown)
    return calls


class _Run:
    """Days being asked for: what came of them."""

    def __init__(self, client: Client, scope: Scope, archive: CallStore | None, plan: Plan, *, repair: bool) -> None:
        self._client, self._scope, self._archive, self._repair = client, scope, archive, repair
        self._rows: list[pa.Table] = []
        self._answered: list[Window] = []
        self._callers: HourCounts = {}
        self._answering = [day.value // DAY.value for day in plan.answering]
        self._dropped = self._repeated = 0

    async def one(self, session: Session, ask: DayAsk) -> None:
        """Ask for one day, all its pages, and keep what belongs to it or to a day beside it."""
        fetched_at = self._client._now()
        came, who = await all_pages(session, ask, self._client._now)
        await to_its_end(lambda: self._keep(ask, fetched_at, came, who))

    def _keep(self, ask: DayAsk, fetched_at: pd.Timestamp, came: pa.Table, who: npt.NDArray[np.uint64]) -> None:
        once = latest_rows(came)
        rows, who = came.take(pa.array(once)), who[once]
        callers = hour_counts(rows, who, ask.window)
        day, began = ask.window.start.value // DAY.value, ints(rows, "start") // _US_A_DAY
        # At the instant at which a day begins a call is over, yet an API that selects by ends tells it with that day.
        reaches = (began < day) & (flags(rows, "in_progress") | (ends(rows) >= day * _US_A_DAY))
        mine = (began == day) | np.isin(began, self._answering) | reaches
        rows = rows.filter(pa.array(mine))
        self._repeated += len(came) - len(once)
        self._dropped += int((~mine).sum())
        if self._archive is None:
            self._rows.append(rows)
            self._answered.append(ask.window)
            self._callers |= callers
            return
        piece = DayPiece(ask.window, ask.asked, fetched_at, final=False)
        self._archive.keep(self._scope, piece, rows, callers, repair=self._repair)

    def calls(self, window: Window) -> Calls:
        """Return what is held now of a range."""
        counts = {"dropped": self._dropped, "repeated": self._repeated}
        if self._archive is not None:
            return stored(self._archive, self._scope, window, **counts)
        return as_calls(latest(self._rows), window, self._answered, self._callers, **counts)
