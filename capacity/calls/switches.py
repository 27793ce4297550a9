"""How the emulator misbehaves, and what takes a channel in what it counts."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from capacity.calls.holding import DURATIONS, held_until, is_voice
from capacity.errors import ConfigError


@dataclass(frozen=True)
class Switches:
    """How the emulator misbehaves, to try out a client.

    Which request fails depends on the seed, its query and how often it came before: not on the order in which
    several clients ask.

    Attributes
    ----------
    latency : float [s]
        Each answer waits so long.
    failures : float
        The share of requests that get `failure_status`.
    failure_status : int
    too_many : float
        The share of requests that get 429 with ``Retry-After: retry_after``.
    retry_after : int [s]
    cut : float
        The share of answers whose JSON is cut in half.
    zeros : bool
        Whether intervals without a conversation are sent.
    inclusive_end : bool
        Whether the interval that begins at end_time is sent as well.
    seed : int
    holds : {"total_duration", "polyai_duration"}
        How long a conversation takes a channel, in the maxima.
    voice_only : bool
        Whether conversations on other channels than voice take none.
    """

    latency: float = 0.0
    failures: float = 0.0
    failure_status: int = 503
    too_many: float = 0.0
    retry_after: int = 1
    cut: float = 0.0
    zeros: bool = True
    inclusive_end: bool = False
    seed: int = 0
    holds: str = "total_duration"
    voice_only: bool = False


def taking(calls: pd.DataFrame, switches: Switches) -> pd.DataFrame:
    """Return the calls as they take channels."""
    if switches.holds not in DURATIONS:
        raise ConfigError(f"holds={switches.holds!r} is none of {', '.join(DURATIONS)}")
    if switches.holds in calls and "end" in calls:
        calls = calls.assign(end=held_until(calls, switches.holds))
    return calls[is_voice(calls)] if switches.voice_only else calls
