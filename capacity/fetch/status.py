"""What a store holds: scopes, ranges, gaps, size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from capacity.errors import ConfigError, StoreError
from capacity.fetch.endpoint import Scope
from capacity.fetch.store import Store
from capacity.fetch.weekfile import Week
from capacity.fetch.windows import Window, join, subtract
from capacity.ground.address import Place, StoreAddress
from capacity.ground.coverage import Coverage
from capacity.ground.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class StoreStatus(Result):
    """What a store of 5-minute maxima holds; the command ``capacity status --store DIR`` prints it.

    In Python ``capacity.fetch.status.status(store)`` returns it.

    Attributes
    ----------
    root : Path or Remote
        The folder, or the address in an object store.
    scopes : DataFrame
        One row for each scope: ``account``, ``project``, ``env``, ``filters``, ``slice``; ``start`` and ``end`` of what
        is held [UTC], half-open; the number of ``windows`` held without a break, of ``intervals`` answered, of ``rows``
        and of ``series``; ``final``, the share of the intervals that is final, and ``final_until``, up to where all is
        final [UTC]; ``files`` and ``bytes``.
    gaps : DataFrame
        One row for each gap between ``start`` and ``end`` of a scope: ``scope``, ``start``, ``end`` [UTC],
        ``intervals``.
    damaged : tuple of str
        One message for each file that cannot be read.

    See Also
    --------
    capacity.fetch_intervals, capacity.read_intervals, capacity.coverage

    Examples
    --------
    >>> import tempfile
    >>> import capacity as cap
    >>> from capacity.fetch.status import status
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stored = cap.intervals_to_store(cap.simulate_calls("2026-03-02", days=7, seed=1), folder, workers=1)
    ...     held = status(folder)
    >>> print(held.scopes[["slice", "intervals", "rows", "series"]].to_string(index=False))
      slice  intervals  rows  series
      total       2016  2016       1
    variant       2016  5196       4
    """

    root: Place
    scopes: pd.DataFrame
    gaps: pd.DataFrame
    damaged: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of scopes."""
        return self.scopes.copy()

    @property
    def coverage(self) -> Coverage:
        """What the scopes hold of the range from the first interval of any to the last."""
        rows, holes = {}, []
        for place, row in self.scopes.iterrows():
            where = f" where {row['filters']}" if row["filters"] else ""
            name = f"{row['account']}/{row['project']} {row['env']} {row['slice']}{where}"
            own = self.gaps[self.gaps["scope"] == place].drop(columns="scope")
            ends = [Window(row["end"], self.scopes["end"].max())] if row["end"] < self.scopes["end"].max() else []
            own = [*own.itertuples(index=False, name=None), *((w.start, w.end, w.steps) for w in ends)]
            expected = int(row["intervals"]) + sum(intervals for _, _, intervals in own)
            share = int(row["intervals"]) / expected
            rows[name] = (expected, int(row["intervals"]), expected - int(row["intervals"]), share)
            holes += [(name, *hole) for hole in own]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["expected", "present", "missing", "share"])
        gaps = pd.DataFrame(holes, columns=["scope", "start", "end", "intervals"])
        return Coverage(self.scopes["start"].min(), self.scopes["end"].max(), table.rename_axis("scope"), gaps)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw each scope as a bar over time, broken where intervals are missing, as ``coverage.plot`` does.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options
            Passed on to `Coverage.plot`.

        Raises
        ------
        ConfigError
            The store holds nothing.
        """
        if not len(self.scopes):
            raise ConfigError(f"{self.root} holds nothing to draw; fetch into it first")
        return self.coverage.plot(ax, **options)

    def __str__(self) -> str:
        size = int(self.scopes["bytes"].sum()) if len(self.scopes) else 0
        lines = [f"{self.root}: {len(self.scopes)} scopes, {size / 1e6:,.1f} MB"]
        for row in self.scopes.itertuples():
            where = f" where {row.filters}" if row.filters else ""
            lines.append(f"  {row.account}/{row.project} {row.env} {row.slice}{where}")
            lines.append(
                f"    {row.start:%Y-%m-%d %H:%M} to {row.end:%Y-%m-%d %H:%M} UTC, {row.intervals:,} intervals, "
                f"{row.series} series, {row.rows:,} rows, {row.final:.1%} final"
            )
            mine = self.gaps[self.gaps["scope"] == row.Index]
            lines += [
                f"    gap {gap.start:%Y-%m-%d %H:%M} to {gap.end:%Y-%m-%d %H:%M} ({gap.intervals:,} intervals)"
                for gap in mine.itertuples()
            ]
        return "\n".join([*lines, *(f"  damaged: {message}" for message in self.damaged)])


def status(store: StoreAddress) -> StoreStatus:
    """Return what a store holds: scopes, ranges, what is final, gaps and size.

    Parameters
    ----------
    store : path or address
        The folder, or the address in an object store.

    Returns
    -------
    StoreStatus
        Damaged files are listed, not raised.

    Raises
    ------
    ConfigError
        There is no such store.

    Examples
    --------
    >>> status("no-such-folder")
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: store='no-such-folder' does not exist; fetch into it first
    """
    archive = Store(store).held()
    by_scope: dict[Scope, list[Week]] = {}
    damaged: list[str] = []
    for folder in archive.folders():
        for paths in archive.by_week(folder):
            try:
                week = archive.week(paths, archive.header(paths[0]).scope)
                archive.rows(week)
                by_scope.setdefault(week.scope, []).append(week)
            except StoreError as exc:
                damaged.append(str(exc))
    rows = [_row(scope, weeks) for scope, weeks in by_scope.items()]
    gaps = [
        {"scope": k, "start": gap.start, "end": gap.end, "intervals": gap.steps}
        for k, weeks in enumerate(by_scope.values())
        for gap in _gaps(weeks)
    ]
    return StoreStatus(
        archive.root,
        pd.DataFrame(rows, columns=_COLUMNS),
        pd.DataFrame(gaps, columns=["scope", "start", "end", "intervals"]),
        tuple(damaged),
    )


_COLUMNS = [
    "account",
    "project",
    "env",
    "filters",
    "slice",
    "start",
    "end",
    "windows",
    "intervals",
    "rows",
    "series",
    "final",
    "final_until",
    "files",
    "bytes",
]


def _row(scope: Scope, weeks: Sequence[Week]) -> dict[str, object]:
    pieces = [piece for week in weeks for piece in week.pieces]
    held = join(piece.window for piece in pieces)
    final = join(piece.window for piece in pieces if piece.final)
    intervals = sum(window.steps for window in held)
    return {
        "account": scope.account,
        "project": scope.project,
        "env": scope.env,
        "filters": scope.shown_filters,
        "slice": scope.by or "total",
        "start": held[0].start,
        "end": held[-1].end,
        "windows": len(held),
        "intervals": intervals,
        "rows": sum(week.rows for week in weeks),
        "series": len({i for week in weeks for i in week.first}) if scope.by else 1,
        "final": sum(window.steps for window in final) / intervals,
        "final_until": final[0].end if final and final[0].start == held[0].start else held[0].start,
        "files": len(weeks),
        "bytes": sum(week.size for week in weeks),
    }


def _gaps(weeks: Sequence[Week]) -> list[Window]:
    held = join(piece.window for week in weeks for piece in week.pieces)
    return subtract(Window(held[0].start, held[-1].end), held)
