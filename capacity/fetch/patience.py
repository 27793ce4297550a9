"""Limits of retrying a window, the Retry-After header, and the pause that all workers share."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Patience:
    """The limits of retrying one window.

    Attributes
    ----------
    budget : float
        Wall clock [s] from the first attempt to the end of the last.
    pauses : float
        How much longer [s] that may take where a server asks for a pause (Retry-After).
    attempts : int
        Maximum number of attempts per window.
    first_wait, longest_wait, jitter : float
        Exponential backoff between attempts [s].
    sleep, clock : callable
        Replaced in tests.
    """

    budget: float = 60.0
    pauses: float = 0.0
    attempts: int = 10
    first_wait: float = 0.25
    longest_wait: float = 8.0
    jitter: float = 0.5
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic

    @property
    def longest_pause(self) -> float:
        """The longest pause [s] that is waited for."""
        return self.budget + self.pauses

    @property
    def stamina(self) -> dict[str, Any]:
        """The same for `stamina.retry_context`, which does not know of pauses: the time is watched by its caller."""
        return {
            "attempts": self.attempts,
            "timeout": None,
            "wait_initial": self.first_wait,
            "wait_max": self.longest_wait,
            "wait_jitter": self.jitter,
        }


class Pause:
    """One pause for all workers, since a server that answers 429 to one of them means all."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._until = float("-inf")

    @property
    def left(self) -> float:
        """How much of the pause is left [s]; 0 where there is none."""
        return max(0.0, self._until - self._patience.clock())

    def extend(self, seconds: float) -> None:
        """Make all workers wait for at least this long from now [s]."""
        self._until = max(self._until, self._patience.clock() + seconds)

    async def over(self) -> float:
        """Wait until the pause is over, also where it grows meanwhile; return how long that took [s]."""
        began = self._patience.clock()
        while (left := self.left) > 0:
            await self._patience.sleep(left)
        return self._patience.clock() - began


class Slot:
    """One of the requests that may be in flight at once; it can be taken and given back repeatedly."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._taken = False

    async def take(self) -> None:
        """Wait for a slot, unless this one has it."""
        if not self._taken:
            await self._slots.acquire()
            self._taken = True

    def give(self) -> None:
        """Let another request go."""
        if self._taken:
            self._taken = False
            self._slots.release()


def retry_after(value: str | None, date: str | None = None, *, now: float | None = None) -> float | None:
    """Return how long a Retry-After header asks to wait [s], or None where it cannot be read.

    Parameters
    ----------
    value : str or None
        Seconds, or an HTTP date.
    date : str or None
        The Date header of the same answer: an HTTP date is taken relative to it, as clocks differ.
    now : float, optional
        Seconds since 1970, where there is no Date header.

    Examples
    --------
    >>> retry_after("7")
    7.0
    >>> retry_after("Thu, 01 Jan 2026 00:00:30 GMT", "Thu, 01 Jan 2026 00:00:00 GMT")
    30.0
    """
    if value is None:
        return None
    text = value.strip()
    if text.replace(".", "", 1).isdigit() and text.isascii():
        return float(text)
    until, begin = _http_date(text), _http_date(date)
    if until is None:
        return None
    if begin is None:
        begin = time.time() if now is None else now
    return max(0.0, until - begin)


def _http_date(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
