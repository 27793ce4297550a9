"""Answers of one week laid over each other: of two about one time the later one holds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from capacity.fetch.payload import Rows
from capacity.fetch.weekfile import SETTLE, Piece, Week
from capacity.fetch.windows import Window, subtract


def overlay(
    old: Week | None, old_rows: Rows | None, window: Window, rows: Rows, fetched_at: pd.Timestamp
) -> tuple[list[Piece], Rows]:
    """Lay a new answer over what a file holds."""
    before = old.pieces if old is not None else ()
    empty = len(rows) == 0
    was_empty = not subtract(window, [p.window for p in before if p.empty])
    final = fetched_at >= window.end + SETTLE and (not empty or was_empty)
    return _laid_over(before, old_rows, Piece(window, fetched_at, empty, final), rows, old.names if old else {})


def merged(a: Week, a_rows: Rows, b: Week, b_rows: Rows) -> Week:
    """Return two files of one week as one: of two answers about one time the later one holds."""
    pieces, rows = list(a.pieces), replace(a_rows, names=a.names)
    for piece in b.pieces:
        pieces, rows = _laid_over(pieces, rows, piece, replace(b_rows, names=b.names), rows.names)
    first = b.first | {i: min(step, b.first.get(i, step)) for i, step in a.first.items()}
    size = a.size + b.size
    return replace(a, pieces=tuple(pieces), names=rows.names, first=first, rows=len(rows), held=rows, size=size)


def _laid_over(
    before: Sequence[Piece], old_rows: Rows | None, piece: Piece, rows: Rows, names: dict[str, str]
) -> tuple[list[Piece], Rows]:
    newer = [p.window for p in before if p.fetched_at > piece.fetched_at]  # another process was quicker
    mine = subtract(piece.window, newer)
    pieces = [replace(piece, window=w) for w in mine]
    kept: list[Window] = []
    for other in before:
        for left in subtract(other.window, mine):
            kept.append(left)
            pieces.append(replace(other, window=left))
    both = _within(rows, mine)
    if old_rows is not None:
        both = _joined(_within(old_rows, kept), names, both, rows.names)
    return _coalesced(pieces), both


def _within(rows: Rows, windows: list[Window]) -> Rows:
    inside = np.zeros(len(rows), dtype=bool)
    for window in windows:
        inside[np.searchsorted(rows.steps, window.first) : np.searchsorted(rows.steps, window.last)] = True
    if inside.all():
        return rows
    return Rows(rows.steps[inside], rows.codes[inside], rows.values[inside], rows.ids, rows.names)


def _joined(a: Rows, a_names: dict[str, str], b: Rows, b_names: dict[str, str]) -> Rows:
    ids = tuple(sorted({*a.ids, *b.ids}))
    place = {name: k for k, name in enumerate(ids)}
    codes = np.concatenate(
        [np.array([place[i] for i in r.ids], dtype=np.int32)[r.codes] if len(r) else r.codes for r in (a, b)]
    )
    steps, values = np.concatenate([a.steps, b.steps]), np.concatenate([a.values, b.values])
    order = np.lexsort((codes, steps))
    later = len(b) == 0 or (len(a) > 0 and a.steps[-1] > b.steps[-1])
    names = {**b_names, **a_names} if later else {**a_names, **b_names}
    return Rows(steps[order], codes[order], values[order], ids, names)


def _coalesced(pieces: list[Piece]) -> list[Piece]:
    """Join final pieces that touch; provisional ones are asked for again, each as a whole."""
    joined: list[Piece] = []
    for piece in sorted(pieces, key=lambda p: p.window):
        last = joined[-1] if joined else None
        if last and last.final and piece.final and last.window.end == piece.window.start and last.empty == piece.empty:
            both = Window(last.window.start, piece.window.end)
            joined[-1] = Piece(both, min(last.fetched_at, piece.fetched_at), last.empty, final=True)
        else:
            joined.append(piece)
    return joined
