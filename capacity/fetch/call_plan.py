"""Which call records are asked for: the selection, the range and its days that are not held. No request."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from capacity.errors import ConfigError
from capacity.fetch.call_windows import DayAsk, outstanding_days
from capacity.fetch.callstore import CallStore
from capacity.fetch.client import Client
from capacity.fetch.endpoint import Scope
from capacity.fetch.windows import Window
from capacity.ground.times import Instant, as_instant, check_range, floor_step


@dataclass(frozen=True)
class Plan:
    """The days to be asked for, and all days whose calls are kept: those, and what is held."""

    asks: list[DayAsk]
    answering: set[pd.Timestamp]


def plan(
    client: Client,
    scope: Scope,
    window: Window,
    archive: CallStore | None,
    longest_call: str | pd.Timedelta,
    *,
    refetch: bool,
    repair: bool,
) -> Plan:
    """Return what to ask for.

    Raises
    ------
    ConfigError
        `longest_call` is no length of time.
    StoreError
        A file is damaged (without `repair`), or of another version.
    """
    try:
        longest = pd.Timedelta(longest_call).as_unit("ns")
    except (ValueError, TypeError) as exc:
        raise ConfigError(f"longest_call={longest_call!r} is no length of time; write it like '24h'") from exc
    if not longest >= pd.Timedelta(0):
        raise ConfigError(f"longest_call={longest_call!r} is negative; write it like '24h'")
    days, broken = archive.days(scope, repair=repair) if archive is not None else ([], [])
    held = {day.day: day.piece for day in days if day.piece is not None}
    asks = outstanding_days(
        scope,
        window,
        held,
        still=frozenset(day.day for day in days if day.still),
        broken=frozenset(broken),
        now=client._now(),
        longest=longest,
        refetch=refetch,
    )
    return Plan(asks, {*held, *(ask.window.start for ask in asks)})


def call_scope(
    client: Client, env: str, variant_id: str | None, variant_name: str | None, channel: str | Iterable[str] | None
) -> Scope:
    """Return the scope of a selection; ConfigError where it makes no sense."""
    return Scope(client.account_id, client.project_id, env, call_filters(variant_id, variant_name, channel))


def call_filters(
    variant_id: str | None, variant_name: str | None, channel: str | Iterable[str] | None
) -> tuple[tuple[str, str], ...]:
    """Return the filters of a selection, sorted by name; several channels are one value, comma-separated."""
    channels = None if channel is None else [channel] if isinstance(channel, str) else sorted(set(channel))
    if channels is not None and (not channels or any("," in each for each in channels)):
        raise ConfigError(f"channel={channel!r} names no channel; give one, or a list, without commas")
    given = {
        "variant_id": variant_id,
        "variant_name": variant_name,
        "channel": None if channels is None else ",".join(channels),
    }
    return tuple(sorted((name, value) for name, value in given.items() if value is not None))


def closed_range(client: Client, start: Instant, end: Instant, tz: str | None) -> Window | None:
    """Return the part of [start, end) that is not in the future, in UTC; None where there is none."""
    first, last = as_instant(start, tz, name="start"), as_instant(end, tz, name="end")
    check_range(first, last)
    last = min(last, floor_step(client._now()))
    return Window(first, last) if first < last else None


def plan_calls(
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
    refetch: bool = False,
    repair: bool = False,
    longest_call: str | pd.Timedelta = "24h",
) -> pd.DataFrame:
    """List the days that `fetch_calls` would ask for, and ask for none; each is one page or many.

    Parameters and errors are those of `fetch_calls`.

    Returns
    -------
    DataFrame
        One row a day: ``start``, ``end`` (half-open, UTC), ``asked_from``, ``asked_to`` and ``why``.

    Examples
    --------
    >>> with Client("ws-1", "PROJECT-1", api_key="secret") as client:
    ...     plan_calls(client, "2026-01-09", "2026-01-12", tz="UTC")["why"].tolist()
    ['not held', 'not held', 'not held']
    """
    scope = call_scope(client, env, variant_id, variant_name, channel)
    window = closed_range(client, start, end, tz)
    archive = CallStore(store) if store is not None else None
    asks: list[DayAsk] = []
    if window is not None:
        asks = plan(client, scope, window, archive, longest_call, refetch=refetch, repair=repair).asks
    times = [(ask.window.start, ask.window.end, ask.asked.start, ask.asked.end) for ask in asks]
    table = pd.DataFrame(times, columns=["start", "end", "asked_from", "asked_to"])
    return table.assign(why=[ask.why for ask in asks])
