"""A server that knows one interval an hour for some weeks, and a client whose clock stands still."""

from __future__ import annotations

import pandas as pd

import capacity as cap

from .faulty_server import STEP_S, FaultyServer, Truth

MONDAY = pd.Timestamp("2026-01-12", tz="UTC")
HOUR = pd.Timedelta(hours=1)
DAY = 24 * HOUR
FIRST = int(MONDAY.timestamp()) // STEP_S


def truth(*hours: int, series: tuple[str, ...] = ("*", "a")) -> Truth:
    """Return a truth with one busy interval at the start of each of these hours after Monday."""
    return Truth({(FIRST + 12 * hour, name): 1 + hour % 7 for hour in hours for name in series})


EVERY_HOUR = truth(*range(-24, 24 * 22))


def set_now(client: cap.Client, now: pd.Timestamp) -> None:
    """Stop the client's clock."""
    client._now = lambda: now


def asked(server: FaultyServer) -> list[str]:
    """Return the windows that were asked for since the last call, in order, without the slice."""
    seen = sorted({f"{r.query['start_time'][5:13]}..{r.query['end_time'][5:13]}" for r in server.requests})
    server.requests.clear()
    return seen


def fetch(client, start, end, store, **more) -> pd.DataFrame:
    """Fetch without a slice: one request a window."""
    return cap.fetch_intervals(client, start, end, store=store, **{"slice_by": None, **more})
