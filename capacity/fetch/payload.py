"""The bytes of an answer -> rows, checked. Pure.

Nothing is taken on trust: not the order, not the form of the times, not whether the interval at the end of the
window is sent, not that each interval comes once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import FetchError, PayloadError, TransportFailure
from capacity.fetch.instants import Unreadable, from_texts
from capacity.fetch.windows import Window
from capacity.ground.frame import NONE, TOTAL
from capacity.ground.frame_columns import MOST_AT_ONCE

T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"
_STEP_S = 300


class Garbled(PayloadError):
    """A 200 whose body is no JSON, so not from the API at all, perhaps. Asking again may help."""


class _Interval(msgspec.Struct, gc=False):
    time: str
    max_concurrent_conversations: int | float  # 25.0 is a whole number to JSON Schema


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
_FIELD: dict[str | None, str | None] = {
    None: None,
    "variant": "variant_id",
    "language": "language",
    "phone_number": "phone_number",
}
_ERROR = msgspec.json.Decoder(_Error)


@dataclass(frozen=True)
class Rows:
    """Rows in arrays: one for each interval and series, ascending by both.

    Attributes
    ----------
    steps : int32, shape (n,)
        Interval starts, in 5-minute steps since 1970.
    codes : int16 or int32, shape (n,)
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
    codes: npt.NDArray[np.signedinteger[Any]]
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
    intervals = decode(_ANSWER[by], body, window).intervals
    try:
        return _rows(_columns(intervals, by), window, by)
    except Unreadable as exc:
        raise PayloadError(f"200, but {exc}", window=window, status=200) from exc


def decode(decoder: msgspec.json.Decoder[T], body: bytes, window: Window) -> T:
    """Return what the body of a 200 holds; a byte order mark in front is read over.

    Raises
    ------
    PayloadError
        Whole JSON that is not what the schema says.
    TransportFailure
        JSON that ends too early.
    Garbled
        No JSON.
    """
    body = body.removeprefix(_BOM)
    problem: FetchError
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        broken = _broken(body)
        if broken is None:
            text = f"200, but the body is not what the schema says: {exc}"
            problem = PayloadError(text, window=window, status=200)
        else:
            kind = TransportFailure if "truncated" in broken else Garbled
            text = f"200, but the body ({len(body):,} bytes) is no JSON: {broken}"
            problem = kind(text, window=window, status=200)
    raise problem  # outside the handler: what it caught may hold the body


def _broken(body: bytes) -> str | None:
    """Return why a body is not whole JSON, of whatever shape; None where it is.

    The decoder of a schema stops at the first value that is not of its shape, and has not seen what comes after.
    """
    try:
        msgspec.json.decode(body)
    except RecursionError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        return str(exc)
    return None


@dataclass
class _Columns:
    """The values of an answer, as they came.

    Attributes
    ----------
    seconds, counts : int64, shape (n,)
        Interval starts [s since 1970], and maxima.
    codes : int64, shape (n,)
        Place in `ids`.
    ids : list of str or None
        The series, in no order; None where a row names none.
    name_of : callable
        Row -> its display name, or None.
    """

    seconds: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    ids: Sequence[str | None]
    name_of: Callable[[int], str | None]


def _columns(intervals: list[Any], by: str | None) -> _Columns:
    seconds = from_texts([i.time for i in intervals])
    counts = _counts([i.max_concurrent_conversations for i in intervals])
    if by is None:
        return _Columns(seconds, counts, np.zeros(len(counts), dtype=np.int64), [None], lambda row: None)
    series = list(map(operator.attrgetter(str(_FIELD[by])), intervals))
    known: dict[str | None, int] = {label: k for k, label in enumerate(dict.fromkeys(series))}
    codes = np.fromiter(map(known.__getitem__, series), dtype=np.int64, count=len(series))
    return _Columns(seconds, counts, codes, list(known), lambda row: getattr(intervals[row], "variant_name", None))


def _counts(found: list[int | float]) -> npt.NDArray[np.int64]:
    try:
        counts = np.fromiter(found, dtype=np.float64, count=len(found))
    except OverflowError:
        counts = np.array([max(found, key=abs)], dtype=object).clip(-1, 2.0**63).astype(np.float64)
    wrong = (counts < 0) | (counts > MOST_AT_ONCE) | (counts != np.floor(counts))
    if wrong.any():
        first = counts[wrong][0]
        raise Unreadable(f"a maximum is {first:.15g}; it has to be a whole number from 0 to {MOST_AT_ONCE:,}")
    return counts.astype(np.int64)


def _rows(columns: _Columns, window: Window, by: str | None) -> Rows:
    counts = columns.counts
    codes, ids = _ranked(columns, by)
    steps, rest = np.divmod(columns.seconds, _STEP_S)
    inside = (steps >= window.first) & (steps < window.last)
    if rest.any() and rest[inside].any():
        off = int(columns.seconds[inside & (rest != 0)][0])
        raise Unreadable(f"{pd.Timestamp(off, unit='s', tz='UTC').isoformat()} is not on the 5-minute grid")
    origin = np.arange(len(steps))
    outside = len(steps) - int(np.count_nonzero(inside))
    if outside:
        steps, counts, codes, origin = steps[inside], counts[inside], codes[inside], origin[inside]
    key = (steps - window.first) * len(ids) + codes
    if not bool((key[1:] > key[:-1]).all()):
        order = np.argsort(key, kind="stable")
        key, steps, counts, codes, origin = key[order], steps[order], counts[order], codes[order], origin[order]
    names = _names(columns, origin, codes, ids) if by == "variant" else {}
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


def _ranked(columns: _Columns, by: str | None) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return each row's place among the series, and the series, ascending."""
    if by is None:
        return columns.codes, (TOTAL,)
    if TOTAL in columns.ids:
        raise Unreadable(f"a {by} is called {TOTAL!r}, which stands for the total here")
    shown = [NONE if label is None else label for label in columns.ids]
    ids = sorted(set(shown))
    rank = {label: k for k, label in enumerate(ids)}
    return np.array([rank[label] for label in shown], dtype=np.int64)[columns.codes], tuple(ids)


def _names(
    columns: _Columns, origin: npt.NDArray[np.int64], codes: npt.NDArray[np.int64], ids: tuple[str, ...]
) -> dict[str, str]:
    """Return the display name of each series in its latest row, or in the latest row that has one."""
    last = np.full(len(ids), -1)
    last[codes] = origin  # the rows ascend in time: the last assignment stays
    names = {ids[k]: columns.name_of(at) for k, at in enumerate(last.tolist()) if at >= 0}
    if None in names.values():
        bare = np.isin(codes, [k for k, label in enumerate(ids) if names.get(label, "") is None])
        pairs = zip(codes[bare].tolist(), origin[bare].tolist(), strict=True)
        names |= {ids[c]: name for c, at in pairs if (name := columns.name_of(at)) is not None}
    return {label: name for label, name in names.items() if name is not None}


def error_message(body: bytes) -> str | None:
    """Return what the server says went wrong, or None where the body does not say."""
    try:
        return _ERROR.decode(body).error_message
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def retryable(error: FetchError) -> bool:
    """Whether asking again may help: no answer, garbage, 408, 425, 429, 500, 502, 503, 504."""
    return isinstance(error, (TransportFailure, Garbled)) or error.status in (408, 425, 429, 500, 502, 503, 504)
