"""ISO 8601 instants -> seconds since 1970; each distinct text is read once. Pure."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt


class Unreadable(ValueError):
    """A value that cannot be what the schema says it is."""


def from_texts(times: list[str]) -> npt.NDArray[np.int64]:
    """Read instants in any form of ISO 8601, mixed or not.

    Raises
    ------
    Unreadable
        A text that is no instant, or one that is not on a whole second.

    Examples
    --------
    >>> from_texts(["1970-01-01T00:05:00Z", "1970-01-01T01:05:00.000+01:00"]).tolist()
    [300, 300]
    """
    known = {text: _one(text) for text in set(times)}
    return np.fromiter(map(known.__getitem__, times), dtype=np.int64, count=len(times))


def _one(text: str) -> int:
    try:
        time = dt.datetime.fromisoformat(text.strip().upper())
    except ValueError as exc:
        raise Unreadable(f"{text!r} is no ISO 8601 time") from exc
    if time.tzinfo is None:
        time = time.replace(tzinfo=dt.UTC)  # the schema says UTC
    if time.microsecond:
        raise Unreadable(f"{text!r} is not on the 5-minute grid")
    return int(time.timestamp())
