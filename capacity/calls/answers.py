"""What the endpoint answers, from call records: the series of one filter, and a window of it as JSON. No server."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.columns import call_arrays
from capacity.calls.concurrency import intervals_from_calls, span_of
from capacity.ground.dense import dense
from capacity.ground.frame import NONE, TOTAL, display_names
from capacity.ground.times import STEP

_STEP_NS = STEP.value
_STEP_S = STEP // pd.Timedelta(seconds=1)
_HELD = 64  # filters whose series are kept
_UNLIKE = 2  # how many times the shortest head the longest may be, to be filled with spaces
_CHUNK = 200_000  # rows rendered at once: bounds the memory of an answer with thousands of variants
# The filters of a request, and the column of the calls that each looks at.
FILTERS = {
    "variant_id": "variant",
    "variant_name": "variant_name",
    "language": "language",
    "phone_number": "phone_number",
}


class Refusal(Exception):
    """An error that the endpoint answers with: a status and its ``error_message``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Ask:
    """One request, understood.

    Attributes
    ----------
    first, last : int
        The half-open window, in whole 5-minute steps since 1970.
    env : str
    filters : tuple of (parameter, value)
        Sorted.
    sliced : bool
        By variant.
    """

    first: int
    last: int
    env: str = "live"
    filters: tuple[tuple[str, str], ...] = ()
    sliced: bool = False


@dataclass(frozen=True)
class _Series:
    """Maxima by step and column, shape (steps, columns); -1 before a variant first appears; the JSON before `time`."""

    values: npt.NDArray[np.int32]
    heads: npt.NDArray[np.bytes_]


class Answers:
    """Answers computed once for each environment and filter, and cut into windows on request.

    Parameters
    ----------
    calls : DataFrame
        As `capacity.intervals_from_calls` takes them. Calls without ``env`` are live.
    account, project : str
        The ids that stand in the answer.
    zeros : bool
        Whether intervals without a conversation are sent.
    """

    def __init__(self, calls: pd.DataFrame, *, account: str, project: str, zeros: bool = True) -> None:
        arrays = call_arrays(calls, by=None)
        span = span_of(arrays, None, None) or (0, _STEP_NS)
        self._range = tuple(pd.Timestamp(t, tz="UTC") for t in span)
        self._origin = span[0] // _STEP_NS
        self._columns = {c: _categories(calls[c]) for c in ("env", *FILTERS.values()) if c in calls.columns}
        self._calls = calls[
            [c for c in ("start", "end", "duration", "variant", "variant_name", "blocked") if c in calls]
        ]
        if "variant" not in self._calls:
            self._calls = self._calls.assign(variant=pd.Categorical.from_codes(np.full(len(calls), -1), ["?"]))
        self._zeros = zeros
        self._head = b'{"account_id":' + msgspec.json.encode(account) + b',"project_id":' + msgspec.json.encode(project)
        self._held: OrderedDict[tuple[Any, ...], _Series] = OrderedDict()
        self._lock = threading.Lock()

    def body(self, ask: Ask) -> bytes:
        """Return the JSON body for one request."""
        series = self._series(ask)
        steps = np.arange(ask.first, ask.last)
        place = steps - self._origin
        inside = (place >= 0) & (place < len(series.values))
        window = np.zeros((len(steps), len(series.heads)), dtype=np.int32)
        window[inside] = series.values[place[inside]]
        if ask.sliced:
            window[place < 0] = -1
        at, column = np.nonzero(window >= 0 if self._zeros else window > 0)
        return self._head + b',"intervals":[' + _rows(steps, series.heads, window, at, column) + b"]}"

    def _series(self, ask: Ask) -> _Series:
        key = (ask.env, ask.filters, ask.sliced)
        with self._lock:  # one computes, the others wait for it
            if key not in self._held:
                self._held[key] = self._compute(ask)
                if len(self._held) > _HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]

    def _compute(self, ask: Ask) -> _Series:
        keep = self._matches("env", ask.env, missing="live")
        for parameter, value in ask.filters:
            keep &= self._matches(FILTERS[parameter], value)
        start, end = self._range
        calls = self._calls[keep]
        by = "variant" if ask.sliced else None
        frame = intervals_from_calls(calls, start=start, end=end, by=by, total=not ask.sliced)
        matrix = dense(frame)
        values = np.full((int((end - start) / STEP), len(matrix.ids)), -1, dtype=np.int32)
        if len(matrix.times):
            values[matrix.times.asi8 // _STEP_NS - self._origin] = matrix.values
        names = display_names(frame)
        return _Series(values=values, heads=_row_heads([(i, names[i]) for i in matrix.ids]))

    def _matches(self, column: str, value: str, *, missing: str | None = None) -> npt.NDArray[np.bool_]:
        """Where the column has the value; an absent column, like an absent value, is `missing`."""
        if column not in self._columns:
            return np.full(len(self._calls), value == missing)
        codes, labels = self._columns[column]
        wanted = [code for code, label in enumerate(labels) if label == value]
        return np.isin(codes, [*wanted, -1] if value == missing else wanted)


def _categories(column: pd.Series) -> tuple[npt.NDArray[Any], list[str]]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), [str(label) for label in column.cat.categories]
    codes, labels = pd.factorize(column)
    return codes, [str(label) for label in labels]


def _row_heads(variants: list[tuple[str, str]]) -> npt.NDArray[np.bytes_]:
    """Return the JSON of each variant's rows up to the time; a row without a variant has no field for it.

    They are made equally long with spaces, which JSON allows between fields, so that rows can be laid out as records.
    Where lengths are too unlike, they stay as they are.
    """
    fields = [
        b"{"
        if variant in (TOTAL, NONE)
        else msgspec.json.encode({"variant_id": variant, "variant_name": name})[:-1] + b","
        for variant, name in variants
    ]
    sizes = [len(field) for field in fields] or [0]
    if max(sizes) <= _UNLIKE * min(sizes):
        fields = [field.ljust(max(sizes)) for field in fields]
    return np.array([field + b'"time":"' for field in fields], dtype=np.bytes_)


def _rows(
    steps: npt.NDArray[np.int64],
    heads: npt.NDArray[np.bytes_],
    window: npt.NDArray[np.int32],
    at: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
) -> bytes:
    """Return the rows, comma separated, laid out as records; NUL, which JSON never holds, fills what is too short."""
    if len(at) == 0:
        return b""
    times = np.datetime_as_string((steps * _STEP_S).astype("datetime64[s]")).astype("S19")
    most = int(window.max())
    counts = np.array([b"%*d" % (len(str(most)), n) for n in range(most + 1)], dtype=np.bytes_)
    even = bool((np.char.str_len(heads) == heads.dtype.itemsize).all())
    middle, tail = b'.000Z","max_concurrent_conversations":', b"},"
    row = np.dtype(
        [
            ("head", heads.dtype),
            ("time", times.dtype),
            ("middle", f"S{len(middle)}"),
            ("count", counts.dtype),
            ("tail", "S2"),
        ]
    )
    parts = []
    for begin in range(0, len(at), _CHUNK):
        t, c = at[begin : begin + _CHUNK], column[begin : begin + _CHUNK]
        rows = np.empty(len(t), dtype=row)
        rows["head"], rows["time"], rows["count"] = heads[c], times[t], counts[window[t, c]]
        rows["middle"], rows["tail"] = middle, tail
        parts.append(rows.tobytes() if even else rows.tobytes().translate(None, b"\0"))
    return b"".join(parts)[:-1]
