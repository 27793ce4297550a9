"""From a date range to the interval frame: plan, concurrent requests, store, frame."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from capacity.errors import FetchError
from capacity.fetch.build import Layer, build, check_absent, empty_frame
from capacity.fetch.client import Client
from capacity.fetch.payload import Rows
from capacity.fetch.plan import Ask, Wanted, outstanding, wanted
from capacity.fetch.reader import stored_layer
from capacity.fetch.run import carry_out, check_errors, incomplete
from capacity.fetch.store import Store
from capacity.fetch.windows import Window, last_closed
from capacity.ground.address import StoreAddress
from capacity.ground.times import Instant, as_range

_LOG = logging.getLogger("capacity.fetch")


def fetch_intervals(
    client: Client,
    start: Instant,
    end: Instant,
    *,
    tz: str | None = None,
    env: str = "live",
    variant_id: str | None = None,
    variant_name: str | None = None,
    language: str | None = None,
    phone_number: str | None = None,
    slice_by: str | None = "variant",
    languages: Iterable[str] | None = None,
    phone_numbers: Iterable[str] | None = None,
    total: bool = True,
    store: StoreAddress | None = None,
    absent: str = "zero",
    errors: str = "raise",
    progress: bool | None = None,
    refetch: bool = False,
    repair: bool = False,
) -> pd.DataFrame:
    """Return the 5-minute maxima of a date range from the API, as an interval frame; a store is not asked for again.

    Parameters
    ----------
    client : Client
        The connection: which account and project, at which address, with which key.
    start, end : str, date, datetime or Timestamp
        The half-open range [start, end), grown to whole 5-minute intervals. The end is cut to the last interval
        that is over: the future is not asked for.
    tz : str, optional
        IANA name of the zone of dates and times without an offset; needed where there are some.
    env : {"live", "sandbox", "pre-release"}, default "live"
        The environment whose conversations are counted.
    variant_id, variant_name, language, phone_number : str, optional
        Count only such conversations, in TOTAL as well. The API takes variant_id or variant_name, not both.
    slice_by : {"variant", "language", "phone_number"} or None, default "variant"
        The second index level. None: TOTAL alone.
    languages, phone_numbers : list of str, optional
        Slice by these values, with one filtered request for each: the API itself slices by variant alone.
    total : bool, default True
        Whether to ask for TOTAL too, by its own, unsliced requests.
    store : path or address, optional
        A folder, or an address in an object store (``s3://bucket/prefix``, ``gs://``, ``az://``), that keeps what was
        fetched. None keeps nothing.
    absent : {"zero", "missing"}
        Whether an interval that an answer left out is a row with 0 ("zero", the default: for TOTAL everywhere; for
        others from their first row in the range, or the store, on), or no row. Logged as a warning: weeks for which a
        server seems to have one value an hour (the intervals between are then missing, where other weeks have all), and
        days of zeros before the first call.
    errors : {"raise", "partial"}
        What to do when windows failed after the last retry: "raise" (the default) raises IncompleteError at the end,
        with the rest in its ``frame``; "partial" returns the rest, of which `capacity.coverage` names the gaps.
    progress : bool, optional
        Whether to draw a bar; by default on a terminal or in a notebook, if there is more than one window.
    refetch : bool, default False
        Whether to ask for everything again, and replace what the store holds.
    repair : bool, default False
        Whether to replace damaged store files by asking for their weeks again.

    Returns
    -------
    DataFrame
        Index (time, variant): interval starts in UTC, [time, time + 5 min), and the series; columns
        ``max_concurrent`` [conversations] and ``variant_name``.

    Raises
    ------
    ConfigError
        An argument is wrong; nothing was asked for.
    BadRequest, Unauthorized, NotFound, NotSupported
        400, 401 and 403, 404, 501: the fetch stops, since no other window would fare better. What was fetched before is
        in the store.
    IncompleteError
        See `errors`.
    StoreError
        A store file is damaged or cannot be written.

    See Also
    --------
    capacity.read_intervals, capacity.fetch_calls, capacity.Client

    Notes
    -----
    Ctrl-C ends it within a second; finished windows stay in the store, and the next call goes on from there.

    Examples
    --------
    >>> import capacity as cap
    >>> with cap.Client("ws-1", "PROJECT-1", api_key="secret") as client:
    ...     frame = cap.fetch_intervals(client, "2126-01-01", "2126-01-02", tz="Europe/London")  # nothing is over yet
    >>> len(frame)
    0
    """
    check_absent(absent)
    check_errors(errors)
    want = wanted(
        client.account_id,
        client.project_id,
        env=env,
        variant_id=variant_id,
        variant_name=variant_name,
        language=language,
        phone_number=phone_number,
        slice_by=slice_by,
        languages=languages,
        phone_numbers=phone_numbers,
        total=total,
    )
    window = _closed_range(client, start, end, tz)
    if window is None:
        return empty_frame(want.by)
    archive = Store(store) if store is not None else None
    asks = _asks(client, want, window, archive, refetch=refetch, repair=repair)
    run = _Run(client, archive, repair=repair)
    if asks:
        run.go(asks, progress)
    frame = build(run.layers(want, window), window, by=want.by, absent=absent)
    if run.failures and errors == "raise":
        raise incomplete(run.failures, f"of {len(asks)} windows", frame, kept=archive is not None)
    return frame


def plan(
    client: Client,
    start: Instant,
    end: Instant,
    *,
    tz: str | None = None,
    store: StoreAddress | None = None,
    refetch: bool = False,
    repair: bool = False,
    **selection: Any,
) -> pd.DataFrame:
    """Return the requests that `fetch_intervals` would make, without making them.

    Parameters
    ----------
    client, start, end, tz, store, refetch, repair
        As for `fetch_intervals`.
    **selection
        ``env``, filters, ``slice_by``, ``languages``, ``phone_numbers`` and ``total``, as there.

    Returns
    -------
    DataFrame
        One row for each request, in order: ``start`` and ``end`` [UTC], half-open, ``slice``, ``filters`` (phone
        numbers as hashes) and ``why`` it is made: not held, provisional, asked again or damaged.

    Raises
    ------
    ConfigError, StoreError
        As `fetch_intervals`.

    Examples
    --------
    >>> with Client("ws-1", "PROJECT-1", api_key="secret") as client:
    ...     table = plan(client, "2026-01-09", "2026-01-14", tz="UTC", total=False)
    >>> table["start"].dt.strftime("%a %d").tolist()
    ['Fri 09', 'Mon 12']
    """
    want = wanted(client.account_id, client.project_id, **selection)
    window = _closed_range(client, start, end, tz)
    archive = Store(store) if store is not None else None
    asks = _asks(client, want, window, archive, refetch=refetch, repair=repair) if window is not None else []
    return pd.DataFrame(
        {
            "start": pd.DatetimeIndex([ask.window.start for ask in asks], tz="UTC").as_unit("ns"),
            "end": pd.DatetimeIndex([ask.window.end for ask in asks], tz="UTC").as_unit("ns"),
            "slice": [ask.scope.by or "total" for ask in asks],
            "filters": [ask.scope.shown_filters for ask in asks],
            "why": [ask.why for ask in asks],
        }
    )


def _closed_range(client: Client, start: Instant, end: Instant, tz: str | None) -> Window | None:
    first, last = as_range(start, end, tz)
    last = min(last, last_closed(client._now()))
    return Window(first, last) if first < last else None


def _asks(
    client: Client, want: Wanted, window: Window, archive: Store | None, *, refetch: bool, repair: bool
) -> list[Ask]:
    scopes = [scope for _, scope in want.layers]

    def asks() -> list[Ask]:
        return outstanding(scopes, window, archive, now=client._now(), refetch=refetch, repair=repair)

    return asks() if archive is None else archive.steadily(asks)


class _Run:
    """One plan being carried out: what came of it, and what did not."""

    def __init__(self, client: Client, archive: Store | None, *, repair: bool) -> None:
        self._client, self._archive, self._repair = client, archive, repair
        self._answers: list[tuple[Ask, Rows]] = []
        self._duplicates = 0
        self.failures: list[tuple[Ask, FetchError]] = []

    def go(self, asks: Sequence[Ask], progress: bool | None) -> None:
        """Ask for everything; raise where nothing else would fare better, and note the windows that failed."""
        failures = carry_out(self._client, asks, self._one, progress, kept=self._archive is not None)
        self.failures = sorted(failures, key=lambda failed: (failed[0].window, failed[0].layer))
        if self._duplicates:
            _LOG.warning("%d intervals came more than once in one answer; the larger was kept", self._duplicates)

    async def _one(self, session: Any, ask: Ask) -> None:
        asked_at = self._client._now()

        def keep(rows: Rows) -> None:
            if self._archive is None:
                self._answers.append((ask, rows))
            else:
                self._archive.add(ask.scope, ask.window, rows, asked_at, repair=self._repair)

        rows = await session.answer(ask.scope, ask.window, keep)
        self._duplicates += rows.duplicates

    def layers(self, want: Wanted, window: Window) -> list[Layer]:
        """Return what is held now of what is wanted."""
        if (archive := self._archive) is not None:
            return archive.steadily(
                lambda: [stored_layer(archive, label, scope, window) for label, scope in want.layers]
            )
        layers = [Layer(label) for label, _ in want.layers]
        for ask, rows in sorted(self._answers, key=lambda answer: answer[0].window):
            layers[ask.layer].add([ask.window], rows)
        return layers
