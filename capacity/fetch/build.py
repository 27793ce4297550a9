"""Answers -> the interval frame: filling what an answer left out, and nothing else. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError
from capacity.fetch.payload import Rows
from capacity.fetch.strides import Stride, coarse, has_every_step
from capacity.fetch.windows import STEPS_PER_WEEK, Window
from capacity.ground.frame import TOTAL, as_intervals, assemble
from capacity.ground.times import STEP, utc_times

_LOG = logging.getLogger("capacity.fetch")
_NEVER = np.iinfo(np.int64).max


@dataclass
class Layer:
    """What one scope contributes to a frame.

    Attributes
    ----------
    label : str or None
        What the unsliced series is called in the frame: TOTAL, or the language it was narrowed to; None where
        the rows name their series.
    answered : list of Window
        What was answered for, in order and disjoint.
    rows : list of Rows
        The answers, oldest first.
    seen_before : set of str
        Series that had a row before the range begins.
    names : dict of id -> display name
        The latest ones.
    """

    label: str | None = None
    answered: list[Window] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    seen_before: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, windows: Sequence[Window], rows: Rows) -> None:
        """Add the answer for `windows`; answers come in order."""
        self.answered += windows
        self.rows.append(rows)
        self.names |= rows.names

    @property
    def ids(self) -> set[str]:
        """The series of this layer."""
        if self.label is not None:
            return {self.label} if self.answered else set()
        found: set[str] = set(self.seen_before)
        for rows in self.rows:
            found.update(rows.ids)
        return found


def check_absent(absent: str) -> None:
    """Raise ConfigError for an `absent` that there is not."""
    if absent not in ("zero", "missing"):
        raise ConfigError(f"absent={absent!r} is neither 'zero' nor 'missing'")


def empty_frame(by: str) -> pd.DataFrame:
    """Return the interval frame without a row."""
    return as_intervals(pd.DataFrame({"time": [], by: [], "max_concurrent": []}))


def build(layers: Sequence[Layer], window: Window, *, by: str, absent: str) -> pd.DataFrame:
    """Build the interval frame of the range `window` from layers.

    An interval that was answered is a row, a 0 too. With ``absent="zero"`` one that an answer left out is a 0 as well:
    for TOTAL anywhere, for other series from their first row on. Weeks that have one interval in twelve (or in two,
    three, ...) where others have each (a server that keeps old weeks by the hour) were not answered between. With
    ``"missing"`` the answers stand as they came.
    """
    ids = sorted(set().union(*(layer.ids for layer in layers)))
    if not ids:
        return empty_frame(by)
    place = {name: k for k, name in enumerate(ids)}
    matrix = np.full((window.steps, len(ids)), -1, dtype=np.int32)
    fine = any(has_every_step(layer.rows) for layer in layers)
    for layer in layers:
        columns = _scatter(matrix, layer, window.first, place)
        if absent == "zero":
            strides = coarse(layer.rows)
            _fill(matrix, layer, window, columns, ids, strides if fine else [])
            _say(matrix, layer, window, ids, strides, "missing, not 0" if fine else "taken to be 0")
    names: dict[str, str] = {}
    for layer in layers:
        names |= layer.names
    return _frame(matrix, window, ids, names, by)


def _scatter(matrix: npt.NDArray[np.int32], layer: Layer, first: int, place: dict[str, int]) -> npt.NDArray[np.intp]:
    used: set[int] = set()
    for rows in layer.rows:
        ids = rows.ids if layer.label is None else (layer.label,)
        columns = np.array([place[i] for i in ids], dtype=np.intp)
        begin, end = np.searchsorted(rows.steps, [first, first + len(matrix)])
        part = slice(int(begin), int(end))
        matrix[rows.steps[part] - first, columns[rows.codes[part]]] = rows.values[part]
        used.update(columns.tolist())
    used.update(place[i] for i in layer.ids)
    return np.array(sorted(used), dtype=np.intp)


def _fill(
    matrix: npt.NDArray[np.int32],
    layer: Layer,
    window: Window,
    columns: npt.NDArray[np.intp],
    ids: Sequence[str],
    strides: Sequence[Stride],
) -> None:
    begins = np.full(len(columns), _NEVER, dtype=np.int64)
    for k, column in enumerate(columns.tolist()):
        if ids[column] == TOTAL or ids[column] in layer.seen_before:
            begins[k] = 0
        else:
            there = matrix[:, column] >= 0
            at = int(there.argmax())
            if there[at]:
                begins[k] = at
    for piece in layer.answered:
        lo, hi = max(piece.first - window.first, 0), min(piece.last - window.first, window.steps)
        if lo >= hi:
            continue
        answered = _on_grid(np.arange(lo, hi) + window.first, strides)
        block = matrix[lo:hi, columns]
        block[(block < 0) & answered[:, None] & (np.arange(lo, hi)[:, None] >= begins)] = 0
        matrix[lo:hi, columns] = block


def _on_grid(steps: npt.NDArray[np.int64], strides: Sequence[Stride]) -> npt.NDArray[np.bool_]:
    """Return which steps were answered for."""
    answered = np.ones(len(steps), dtype=bool)
    for s in strides:
        answered &= (steps < s.first) | (steps >= s.last) | (steps % s.every == s.phase)
    return answered


def _say(
    matrix: npt.NDArray[np.int32],
    layer: Layer,
    window: Window,
    ids: Sequence[str],
    strides: Sequence[Stride],
    rest: str,
) -> None:
    """Log what a reader of the frame would not see in it."""
    name = layer.label or "the slice"
    shown = [s for s in strides if s.first < window.last and s.last > window.first]
    if shown:
        _LOG.warning(
            "%s: within %s the answers have only one interval in %d, as where a server keeps old weeks by the hour; "
            "the others are %s",
            name,
            Window.of_steps(shown[0].first, shown[-1].last),
            max(s.every for s in shown),
            rest,
        )
    if layer.label == TOTAL and TOTAL in ids and TOTAL not in layer.seen_before:
        busy = matrix[:, ids.index(TOTAL)] > 0
        at = int(busy.argmax())
        zeros = int(np.count_nonzero(matrix[:at, ids.index(TOTAL)] == 0))
        if busy[at] and zeros >= STEPS_PER_WEEK:
            first = Window.of_steps(window.first + at, window.first + at + 1).start
            _LOG.warning(
                "%s: no call before %s: %d days before it are 0; where that was before the launch, ask from there",
                name,
                f"{first:%Y-%m-%dT%H:%MZ}",
                zeros // (STEPS_PER_WEEK // 7),
            )


def _frame(
    matrix: npt.NDArray[np.int32], window: Window, ids: Iterable[str], names: dict[str, str], by: str
) -> pd.DataFrame:
    ids = list(ids)
    there = matrix >= 0
    used = np.asarray(there.any(axis=0))
    if not used.all():
        matrix, there = matrix[:, used], there[:, used]
        ids = [i for i, keep in zip(ids, used.tolist(), strict=True) if keep]
    if not ids:
        return empty_frame(by)
    counts = np.count_nonzero(there, axis=1)
    present = np.flatnonzero(counts)
    times = utc_times((window.first + present) * STEP.value)
    small = np.min_scalar_type(-len(ids))
    time_codes = np.repeat(np.arange(len(present), dtype=np.int32), counts[present])
    id_codes = np.broadcast_to(np.arange(len(ids), dtype=small), there.shape)[there]
    values = matrix.reshape(-1) if there.all() else matrix[there]
    return assemble(times=times, time_codes=time_codes, ids=ids, id_codes=id_codes, values=values, names=names, by=by)
