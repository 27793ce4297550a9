"""ISO 8601 instants -> seconds since 1970. The two forms of the API are read all at once, others one by one. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Unreadable", "from_bytes", "from_texts"]

_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_TEMPLATE = {24: b"0000-00-00T00:00:00.000Z", 20: b"0000-00-00T00:00:00Z"}


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
    joined = "".join(times)
    for length in _TEMPLATE:
        if times and len(joined) == length * len(times) and joined.isascii():
            fast = from_bytes(np.frombuffer(joined.encode(), dtype=np.uint8).reshape(-1, length))
            if fast is not None:
                return fast
    known = {text: _one(text) for text in set(times)}
    return np.fromiter(map(known.__getitem__, times), dtype=np.int64, count=len(times))


def from_bytes(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64] | None:
    """Read instants of the form 2026-01-05T00:00:00Z or 2026-01-05T00:00:00.000Z.

    Parameters
    ----------
    text : uint8, shape (n, 20) or (n, 24), C-contiguous

    Returns
    -------
    int64, shape (n,), or None
        Seconds since 1970; None where a single one is in another form, or no such time exists.
    """
    template = np.frombuffer(_TEMPLATE[text.shape[1]], dtype=np.uint8)
    words = text.view(np.uint64 if text.shape[1] % 8 == 0 else np.uint32)
    # Answers that ascend in time say each time many times in a row: read it once.
    begins = np.zeros(len(text), dtype=bool)
    begins[0] = True
    for word in words.T:
        begins[1:] |= word[1:] != word[:-1]
    once = text[begins]
    is_digit = template == ord("0")
    digits = once[:, is_digit] - np.uint8(ord("0"))
    if (once[:, ~is_digit] != template[~is_digit]).any() or (digits > 9).any() or digits[:, 14:].any():
        return None
    seconds = _from_digits(digits.astype(np.int32).T)
    return None if seconds is None else np.asarray(seconds[np.cumsum(begins) - 1])


def _from_digits(d: npt.NDArray[Any]) -> npt.NDArray[np.int64] | None:
    hour, minute, second = d[8] * 10 + d[9], d[10] * 10 + d[11], d[12] * 10 + d[13]
    if hour.max() > 23 or minute.max() > 59 or second.max() > 59:
        return None
    year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3]
    codes, dates = pd.factorize(year * 10_000 + d[4] * 1000 + d[5] * 100 + d[6] * 10 + d[7])
    try:
        days = [dt.date(x // 10_000, x // 100 % 100, x % 100).toordinal() - _EPOCH_DAY for x in dates.tolist()]
    except ValueError:
        return None
    return np.asarray(np.array(days, dtype=np.int64)[codes] * 86_400 + (hour * 3600 + minute * 60 + second))


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
