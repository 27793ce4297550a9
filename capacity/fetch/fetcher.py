"""A date range -> THE frame: plan, concurrent requests, store, frame."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import pandas as pd

from capacity.errors import (
    BadRequest,
    ConfigError,
    FetchError,
    IncompleteError,
    NotFound,
    NotSupported,
    Unauthorized,
)
from capacity.fetch.build import Layer, build, empty_frame
from capacity.fetch.client import Client
from capacity.fetch.payload import Rows
from capacity.fetch.plan import Ask, Wanted, outstanding, wanted
from capacity.fetch.store import Store
from capacity.fetch.windows import Window, last_closed
from capacity.times import Instant, as_range

__all__ = ["fetch_intervals", "read_intervals"]

StorePath: TypeAlias = str | os.PathLike[str]

_HOPELESS = (BadRequest, Unauthorized, NotFound, NotSupported)


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
    store: StorePath | None = None,
    absent: str = "zero",
    errors: str = "raise",
    progress: bool | None = None,
    refetch: bool = False,
    repair: bool = False,
) -> pd.DataFrame:
    """Fetch."""
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
    first, last = as_range(start, end, tz)
    last = min(last, last_closed(client._now()))
    if first >= last:
        return empty_frame(want.by)
    window = Window(first, last)
    archive = Store(store) if store is not None else None
    asks = outstanding([scope for _, scope in want.layers], first, last, archive, refetch=refetch)
    answers, failures = _ask(client, asks, archive)
    if archive is not None:
        layers = [_stored(archive, want, k, window) for k in range(len(want.layers))]
    else:
        layers = [Layer(label) for label, _ in want.layers]
        for ask, rows in sorted(answers, key=lambda a: a[0].window):
            layers[ask.layer].add(ask.window, rows)
    frame = build(layers, window, by=want.by, absent=absent)
    if failures and errors == "raise":
        raise IncompleteError("; ".join(str(f) for f in failures), frame=frame, failures=failures)
    return frame


def _ask(client: Client, asks: list[Ask], archive: Store | None) -> tuple[list[tuple[Ask, Rows]], list[FetchError]]:
    session = client._open()
    answers: list[tuple[Ask, Rows]] = []
    failures: list[FetchError] = []
    queue: Iterator[Ask] = iter(asks)

    async def worker() -> None:
        for ask in queue:
            try:
                rows = await session.answer(ask.scope, ask.window)
            except _HOPELESS:
                raise
            except FetchError as exc:
                failures.append(exc)
                continue
            if archive is None:
                answers.append((ask, rows))
            else:
                await asyncio.to_thread(archive.add, ask.scope, ask.window, rows, client._now())

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(2 * client.max_workers):
                group.create_task(worker())

    try:
        session.run(all_of_them())
    except* FetchError as group:
        raise group.exceptions[0] from None
    return answers, failures


def _stored(archive: Store, want: Wanted, k: int, window: Window) -> Layer:
    label, scope = want.layers[k]
    layer = Layer(label)
    for week in archive.weeks(scope):
        layer.seen_before |= {i for i, step in week.first.items() if step < window.first}
        pieces = [p.window for p in week.pieces if p.window.start < window.end and p.window.end > window.start]
        if pieces:
            layer.answered += pieces
            layer.rows.append(archive.rows(week))
        layer.names |= week.names
    if label is not None and layer.seen_before:
        layer.seen_before = {label}
    return layer


def read_intervals(
    store: StorePath,
    start: Instant | None = None,
    end: Instant | None = None,
    *,
    tz: str | None = None,
    account: str | None = None,
    project: str | None = None,
    env: str | None = None,
    absent: str = "zero",
) -> pd.DataFrame:
    """Read."""
    raise ConfigError("not yet")
