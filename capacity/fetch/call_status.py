"""What a store holds of call records."""

from __future__ import annotations

import itertools
import os

from capacity.errors import StoreError
from capacity.fetch.call_reader import shown
from capacity.fetch.callfile import Day
from capacity.fetch.callstore import CallStore
from capacity.fetch.endpoint import Scope
from capacity.fetch.windows import join


def calls_held(store: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Say in lines what a store holds of call records, and one message a file that cannot be read.

    Examples
    --------
    >>> calls_held("no-such-folder")
    ([], [])
    """
    archive = CallStore(store)
    by_scope: dict[Scope, list[Day]] = {}
    damaged: list[str] = []
    for folder in archive.folders():
        for paths in archive.by_day(folder):
            try:
                day = archive.day(paths)
                archive.table(day)
                by_scope.setdefault(day.scope, []).append(day)
            except StoreError as exc:
                damaged.append(str(exc))
    return [line for scope, days in by_scope.items() for line in _lines(scope, days)], damaged


def _lines(scope: Scope, days: list[Day]) -> list[str]:
    pieces = [day.piece for day in days if day.piece is not None]
    lines = [f"  {shown(scope)}"]
    if pieces:
        held = join(piece.window for piece in pieces)
        final = sum(piece.final for piece in pieces)
        still = sum(day.still for day in days)
        lines.append(
            f"    {held[0].start:%Y-%m-%d %H:%M} to {held[-1].end:%Y-%m-%d %H:%M} UTC, {sum(d.rows for d in days):,} "
            f"calls, {still:,} in progress, {final / len(pieces):.1%} of the days final"
        )
        for before, after in itertools.pairwise(held):
            lines.append(f"    gap {before.end:%Y-%m-%d %H:%M} to {after.start:%Y-%m-%d %H:%M}")
    return lines
