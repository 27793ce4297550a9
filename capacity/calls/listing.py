"""What the endpoint of conversations answers, from call records: filters, pages, and a page as JSON. No server."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.answers import Refusal
from capacity.calls.columns import instants
from capacity.calls.listing_query import ListingAsk, cursor_of

_TEXTS = {
    "channel": "channel",
    "variant_id": "variant",
    "variant_name": "variant_name",
    "from_number": "from_number",
    "to_number": "phone_number",
    "language": "language",
    "environment": "env",
}
_DEFAULTS = {"channel": "voice", "env": "live"}


class Listing:
    """Conversations by start, a page at a time.

    Parameters
    ----------
    calls : DataFrame
        As `capacity.intervals_from_calls` takes them; blocked calls never were conversations. ``total_duration``
        and ``polyai_duration`` [s], ``handoff``, ``channel`` and ``from_number`` are told where there are such
        columns; else a call lasts from start to end, in whole seconds begun, with the agent throughout, on "voice".
    account, project : str
        The ids that stand in the answer.
    """

    def __init__(self, calls: pd.DataFrame, *, account: str, project: str) -> None:
        self._calls, self._ids = calls, {"account_id": account, "project_id": project}
        self._lock = threading.Lock()
        self._ready = False

    def body(self, ask: ListingAsk) -> bytes:
        """Return the JSON body for one request."""
        with self._lock:  # one prepares, the others wait for it
            if not self._ready:
                self._prepare()
        lo = 0 if ask.first is None else int(np.searchsorted(self._start, ask.first))
        hi = len(self._start) if ask.last is None else int(np.searchsorted(self._start, ask.last))
        lo = max(lo, ask.at or 0)
        found = lo + np.flatnonzero(self._matches(ask, slice(lo, max(lo, hi))))
        page, rest = found[ask.offset : ask.offset + ask.limit], found[ask.offset + ask.limit :]
        answer: dict[str, Any] = {"conversations": [self._row(k) for k in page.tolist()]}
        if len(rest):
            answer["cursor"] = cursor_of(int(rest[0]))
        return msgspec.json.encode(answer)

    def _prepare(self) -> None:
        calls = self._calls
        if "blocked" in calls:
            calls = calls[~calls["blocked"].astype(bool)]
        start, missing = instants(calls["start"], "start")
        if missing.any():
            raise Refusal(500, "some calls have no start")
        end, still = instants(calls["end"], "end") if "end" in calls else (start + _ns(calls["duration"]), start < 0)
        order = np.argsort(start, kind="stable")
        calls = calls.iloc[order]
        self._start, self._still = start[order] // 1000, still[order]
        total = _seconds(calls, "total_duration", (end - start)[order] // 1_000_000_000)
        agent = _seconds(calls, "polyai_duration", total)
        self._texts = {name: _texts(calls, column) for name, column in _TEXTS.items() if column in {*calls, *_DEFAULTS}}
        self._total, self._agent = total.tolist(), agent.tolist()
        handoff = calls["handoff"].fillna(False).astype(bool).to_numpy() if "handoff" in calls else agent < total
        self._handoff = handoff.tolist()
        self._ready = True

    def _matches(self, ask: ListingAsk, part: slice) -> npt.NDArray[np.bool_]:
        keep = np.ones(max(0, part.stop - part.start), dtype=bool)
        wanted: list[tuple[str, tuple[str, ...]]] = [
            ("environment", (ask.env,)),
            *((_FIELDS[c], (value,)) for c, value in ask.filters),
        ]
        wanted += [("channel", ask.channels)] if ask.channels else []
        for name, values in wanted:
            codes, labels = self._texts.get(name, (None, []))
            if codes is None:  # no such column
                return np.zeros(len(keep), dtype=bool)
            keep &= np.isin(codes[part], [k for k, label in enumerate(labels) if label in values])
        if ask.in_progress is not None:
            keep &= self._still[part] == ask.in_progress
        return keep

    def _row(self, k: int) -> dict[str, Any]:
        still = bool(self._still[k])
        row: dict[str, Any] = {
            "id": f"CONVERSATION-{k}",
            **self._ids,
            "started_at": f"{np.datetime64(int(self._start[k]), 'us')}Z",
            "in_progress": still,
            "handoff": self._handoff[k] and not still,
        }
        for name, (codes, labels) in self._texts.items():
            row[name] = labels[codes[k]]
        if not still:
            row |= {"total_duration": self._total[k], "polyai_duration": self._agent[k]}
        return row


_FIELDS = {column: name for name, column in _TEXTS.items()}


def _ns(column: pd.Series) -> npt.NDArray[np.int64]:
    seconds = column.dt.total_seconds() if column.dtype.kind == "m" else column
    return np.asarray(np.rint(seconds.to_numpy(dtype=np.float64) * 1e9), dtype=np.int64)


def _seconds(calls: pd.DataFrame, column: str, otherwise: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if column not in calls:
        return otherwise
    known = calls[column].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(known), known, otherwise).astype(np.int64)


def _texts(calls: pd.DataFrame, column: str) -> tuple[npt.NDArray[Any], list[str]]:
    """Return codes and labels; what is missing is the default, or empty."""
    default = _DEFAULTS.get(column, "")
    if column not in calls:
        return np.zeros(len(calls), dtype=np.int8), [default]
    codes, labels = pd.factorize(calls[column])
    return codes, [*(str(label) for label in labels), default]  # code -1, a missing label, is the last
