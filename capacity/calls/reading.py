"""One way to read a log: which columns say when a call holds a channel."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from capacity.calls.words import PARTS, Words


@dataclass(frozen=True)
class Reading:
    """Which columns say when a call holds a channel.

    Attributes
    ----------
    title : str
        What this counts, such as "whole call, from ringing".
    start, wait, end, duration, talk, date : column names
        A channel is held from `start` (+ `wait`) to the last `end`, or for `duration`; `talk` is the last part.
    like, why : str
        The known export, and why these of its times.
    guess : bool
        Whether no name tells: it is never taken without being asked for.
    """

    title: str
    start: str
    end: tuple[str, ...] = ()
    duration: str | None = None
    talk: str | None = None
    wait: str | None = None
    date: str | None = None
    call_id: str | None = None
    variant: str | None = None
    unit: str | None = None
    order: str = ""
    nothing: tuple[str, ...] = ()
    drop: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    like: str = ""
    why: str = ""
    guess: bool = False

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that times and lengths are read from."""
        names = (self.start, *self.end, self.duration, self.talk, self.wait, self.date)
        return tuple(dict.fromkeys(n for n in names if n))

    def said(self, words: Words) -> Words:
        """Return the words that say this reading, so that it can be pasted."""
        columns = {k: v for k, v in words.columns.items() if k not in PARTS}
        parts = {"start": (self.start,), "end": self.end, "duration": (self.duration,), "talk": (self.talk,)}
        columns |= {k: tuple(n for n in v if n) for k, v in parts.items() if any(v)}
        return replace(words, columns=columns, wait=self.wait or words.wait, date=self.date or words.date)


def key(name: str) -> str:
    """Return a name without case, accents, spaces and punctuation.

    Examples
    --------
    >>> key("Start Time"), key("startedAt"), key("Início"), key("Duration (s)")
    ('starttime', 'startedat', 'inicio', 'durations')
    """
    split = unicodedata.normalize("NFKD", name)
    return "".join(c for c in split if c.isalnum() and not unicodedata.combining(c)).lower()


def short(name: str) -> str:
    """Return the key of a name without what stands in brackets, and without "call" before it."""
    return key(re.sub(r"[(\[].*?[)\]]", "", name)) or key(name)
