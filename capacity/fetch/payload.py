"""The bytes of an answer -> rows, checked. Pure.

Nothing is taken on trust: not the order, not the form of the times, not whether the interval at the end of the
window is sent, not that each interval comes once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import FetchError, PayloadError, TransportFailure
from capacity.fetch.windows import Window
from capacity.intervals import NONE, TOTAL

__all__ = ["Garbled", "Rows", "error_message", "parse", "retryable"]

T = TypeVar("T")

_INT32_MAX = np.iinfo(np.int32).max
_STEP_S = 300
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()


class Garbled(PayloadError):
    """A 200 whose body is no JSON, so not from the API at all, perhaps. Asking again may help."""


class _Interval(msgspec.Struct, gc=False):
    time: str
    max_concurrent_conversations: int


class _OfVariant(_Interval, gc=False):
    variant_id: str | None = None
    variant_name: str | None = None


class _OfLanguage(_Interval, gc=False):
    language: str | None = None


class _OfNumber(_Interval, gc=False):
    phone_number: str | None = None


class _Answer(msgspec.Struct, Generic[T]):
    intervals: list[T]
    account_id: str | None = None
    project_id: str | None = None


class _Error(msgspec.Struct):
    error_message: str


# What an answer is sliced by -> its decoder. Fields that this slice does not need cost nothing.
_ANSWER: dict[str | None, msgspec.json.Decoder[Any]] = {
    None: msgspec.json.Decoder(_Answer[_Interval]),
    "variant": msgspec.json.Decoder(_Answer[_OfVariant]),
    "language": msgspec.json.Decoder(_Answer[_OfLanguage]),
    "phone_number": msgspec.json.Decoder(_Answer[_OfNumber]),
}
_ERROR = msgspec.json.Decoder(_Error)


@dataclass(frozen=True)
class Rows:
    """Rows in arrays: one for each interval and series, ascending by both.

    Attributes
    ----------
    steps : int32, shape (n,)
        Interval starts, in 5-minute steps since 1970.
    codes : int32, shape (n,)
        Place in `ids`.
    values : int32, shape (n,)
        Maxima.
    ids : tuple of str
        The series, ascending; ("*",) for an unsliced answer.
    names : dict of id -> str
        The latest display name of each series that has one.
    duplicates, outside : int
        Rows that stood twice (the larger one was kept), and rows outside the window (dropped).
    """

    steps: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int32]
    values: npt.NDArray[np.int32]
    ids: tuple[str, ...]
    names: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0
    outside: int = 0

    def __len__(self) -> int:
        return len(self.steps)


def parse(body: bytes, window: Window, by: str | None) -> Rows:
    """Read the body of a 200.

    Parameters
    ----------
    body : bytes
        JSON in UTF-8.
    window : Window
        What was asked for; rows outside [start, end) are dropped.
    by : str or None
        What the answer is sliced by; None for TOTAL, where what the rows say of a variant is ignored.

    Raises
    ------
    PayloadError
        Valid JSON that is not what the schema says.
    TransportFailure
        JSON that ends too early.
    Garbled
        No JSON.
    """
    try:
        intervals = _ANSWER[by].decode(body).intervals
    except msgspec.ValidationError as exc:
        raise PayloadError(f"200, but the body is not what the schema says: {exc}", window=window, status=200) from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        kind = TransportFailure if "truncated" in str(exc) else Garbled
        raise kind(f"200, but the body ({len(body):,} bytes) is no JSON: {exc}", window=window, status=200) from exc
    try:
        return _rows(intervals, window, by)
    except _Unreadable as exc:
        raise PayloadError(f"200, but {exc}", window=window, status=200) from exc


class _Unreadable(ValueError):
    """A value that cannot be what the schema says it is."""


def _rows(intervals: list[Any], window: Window, by: str | None) -> Rows:
    seconds = _seconds([i.time for i in intervals])
    counts = _counts([i.max_concurrent_conversations for i in intervals])
    codes, ids = _series(intervals, by)
    origin = np.arange(len(intervals))
    steps, rest = np.divmod(seconds, _STEP_S)
    inside = (steps >= window.first) & (steps < window.last)
    if rest[inside].any():
        off = int(seconds[inside & (rest != 0)][0])
        raise _Unreadable(f"{pd.Timestamp(off, unit='s', tz='UTC').isoformat()} is not on the 5-minute grid")
    outside = len(steps) - int(np.count_nonzero(inside))
    if outside:
        steps, counts, codes, origin = steps[inside], counts[inside], codes[inside], origin[inside]
    key = (steps - window.first) * len(ids) + codes
    if not bool((key[1:] > key[:-1]).all()):
        order = np.argsort(key, kind="stable")
        key, steps, counts, codes, origin = key[order], steps[order], counts[order], codes[order], origin[order]
    names = _names(intervals, origin, codes, ids) if by == "variant" else {}
    begins = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else key
    duplicates = len(key) - len(begins)
    if duplicates:
        counts = np.maximum.reduceat(counts, begins)
        steps, codes = steps[begins], codes[begins]
    return Rows(
        steps=steps.astype(np.int32),
        codes=codes.astype(np.int32),
        values=counts.astype(np.int32),
        ids=ids,
        names=names,
        duplicates=duplicates,
        outside=outside,
    )


def _series(intervals: list[Any], by: str | None) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return each row's place among the series, and the series, ascending."""
    if by is None:
        return np.zeros(len(intervals), dtype=np.int64), (TOTAL,)
    if by == "variant":
        found = [i.variant_id for i in intervals]
    elif by == "language":
        found = [i.language for i in intervals]
    else:
        found = [i.phone_number for i in intervals]
    # One pass: each row gets the place where its series stood first.
    where: dict[str | None, int] = {}
    first = np.fromiter(map(where.setdefault, found, range(len(found))), dtype=np.int64, count=len(found))
    if TOTAL in where:
        raise _Unreadable(f"a {by} is called {TOTAL!r}, which stands for the total here")
    ids = sorted({NONE if i is None else i for i in where})
    rank = {name: k for k, name in enumerate(ids)}
    code_at = np.zeros(len(found), dtype=np.int64)
    for name, at in where.items():
        code_at[at] = rank[NONE if name is None else name]
    return code_at[first], tuple(ids)


def _names(
    intervals: list[Any], origin: npt.NDArray[np.int64], codes: npt.NDArray[np.int64], ids: tuple[str, ...]
) -> dict[str, str]:
    """Return the display name of each series in its latest row, or in the latest row that has one."""
    last = np.full(len(ids), -1)
    last[codes] = origin  # the rows ascend in time: the last assignment stays
    names = {ids[k]: intervals[at].variant_name for k, at in enumerate(last.tolist()) if at >= 0}
    if None in names.values():
        pairs = zip(codes.tolist(), origin.tolist(), strict=True)
        return {ids[c]: intervals[at].variant_name for c, at in pairs if intervals[at].variant_name is not None}
    return names


def _counts(found: list[int]) -> npt.NDArray[np.int64]:
    try:
        counts = np.fromiter(found, dtype=np.int64, count=len(found))
    except OverflowError as exc:
        raise _Unreadable(f"a maximum does not fit 32 bits: {max(found)}") from exc
    if len(counts) and (counts.min() < 0 or counts.max() > _INT32_MAX):
        wrong = counts.min() if counts.min() < 0 else counts.max()
        raise _Unreadable(f"a maximum is {wrong}; it has to lie between 0 and {_INT32_MAX:,}")
    return counts


def _seconds(times: list[str]) -> npt.NDArray[np.int64]:
    """Read ISO 8601 instants as seconds since 1970; the two forms of the API in one go, others one by one."""
    if not times:
        return np.empty(0, dtype=np.int64)
    for length in (24, 20):
        joined = "".join(times)
        if len(joined) == length * len(times) and joined.isascii():
            fast = _fast(joined.encode(), length)
            if fast is not None:
                return fast
    known = {text: _slow(text) for text in set(times)}
    return np.fromiter(map(known.__getitem__, times), dtype=np.int64, count=len(times))


def _fast(joined: bytes, length: int) -> npt.NDArray[np.int64] | None:
    """Read times of the form 2026-01-05T00:00:00Z (20) or 2026-01-05T00:00:00.000Z (24); None for any other."""
    words = np.frombuffer(joined, dtype=np.uint32).reshape(-1, length // 4)
    # Answers that ascend in time say each time many times in a row: read it once.
    starts = np.concatenate([[True], (words[1:] != words[:-1]).any(axis=1)])
    text = words[starts].view(np.uint8)
    template = np.frombuffer(b"0000-00-00T00:00:00.000Z"[: length - 1] + b"Z", dtype=np.uint8)
    is_digit = template == ord("0")
    if (text[:, ~is_digit] != template[~is_digit]).any():
        return None
    digits = text[:, is_digit] - np.uint8(ord("0"))
    if (digits > 9).any() or digits[:, 14:].any():
        return None
    d = digits.astype(np.int32).T
    hour, minute, second = d[8] * 10 + d[9], d[10] * 10 + d[11], d[12] * 10 + d[13]
    if hour.max() > 23 or minute.max() > 59 or second.max() > 59:
        return None
    year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3]
    codes, dates = pd.factorize(year * 10_000 + d[4] * 1000 + d[5] * 100 + d[6] * 10 + d[7])
    try:
        days = [dt.date(x // 10_000, x // 100 % 100, x % 100).toordinal() - _EPOCH_DAY for x in dates.tolist()]
    except ValueError:
        return None
    seconds = np.array(days, dtype=np.int64)[codes] * 86_400 + (hour * 3600 + minute * 60 + second)
    return np.asarray(seconds[np.cumsum(starts) - 1])


def _slow(text: str) -> int:
    """Read one instant in any form of ISO 8601; without an offset it is UTC, as the schema says."""
    try:
        time = dt.datetime.fromisoformat(text.strip().upper())
    except ValueError as exc:
        raise _Unreadable(f"{text!r} is no ISO 8601 time") from exc
    if time.tzinfo is None:
        time = time.replace(tzinfo=dt.UTC)
    if time.microsecond:
        raise _Unreadable(f"{text!r} is not on the 5-minute grid")
    return int(time.timestamp())


def error_message(body: bytes) -> str | None:
    """Return what the server says went wrong, or None where the body does not say."""
    try:
        return _ERROR.decode(body).error_message
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def retryable(error: FetchError) -> bool:
    """Whether asking again may help: no answer, garbage, 429, 500, 502, 503, 504."""
    return isinstance(error, (TransportFailure, Garbled)) or error.status in (429, 500, 502, 503, 504)
