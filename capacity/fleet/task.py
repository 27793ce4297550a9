"""What a worker does: a batch of projects by store address, to a row and the daily peaks of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity import __version__
from capacity.analysis.assessment import Assessment, assess
from capacity.errors import CapacityError
from capacity.fetch.call_reader import read_stored_calls
from capacity.fetch.callstore import CallStore
from capacity.fetch.reader import read_intervals
from capacity.fetch.store import Store
from capacity.fleet.memory import kept_memory
from capacity.fleet.plan import PlanRow
from capacity.fleet.shared import exact
from capacity.fleet.table import FLEET_SCHEMA, failed_row, peaks_of, row_of
from capacity.ground.calls import Calls
from capacity.ground.files import mark_of, read
from capacity.ground.frame import TOTAL, total
from capacity.ground.tariff import Tariff
from capacity.ground.times import DAY
from capacity.plan.files import read_events

__all__ = ["Outcome", "Settings", "assessed", "calls_of", "frame_of", "one_thread", "work"]


@dataclass(frozen=True)
class Settings:
    """What is asked of every project alike."""

    horizon: int
    seed: int
    backtest: bool
    tariff: Tariff | None = None
    lead_time: int | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one project.

    Attributes
    ----------
    project : str
    fingerprint : str
        Of the plan row, the store's contents, the settings and the version; "" where the store cannot be read.
    row : dict or None
        By column of `FLEET_SCHEMA`; None where the fingerprint is the one that is known, so that the old row stands.
    days, peaks : int arrays
        Days since 1970 and the daily peaks [calls] of the judged series, complete days only.
    """

    project: str
    fingerprint: str
    row: dict[str, Any] | None
    days: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    peaks: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))


def work(batch: Sequence[PlanRow], settings: Settings, known: Mapping[str, str] | None, mark: str) -> list[Outcome]:
    """Assess a batch of projects.

    Parameters
    ----------
    batch : sequence of PlanRow
    settings : Settings
    known : mapping of project -> fingerprint, or None
        What is at hand already; None where nothing is kept, so that no fingerprint is needed.
    mark : str
        Unlike for every submission: some executors return the old result for equal arguments.
    """
    with one_thread(), kept_memory():
        return [_outcome(row, settings, known) for row in batch]


def _outcome(row: PlanRow, settings: Settings, known: Mapping[str, str] | None) -> Outcome:
    mark = ""
    try:
        if known is not None:
            mark = fingerprint(row, settings)
            if mark == known.get(row.project):
                return Outcome(row.project, mark, None)
        assessment = assessed(row, settings, alone=True)
    except (CapacityError, OSError) as exc:
        return Outcome(row.project, mark, failed_row(row.pool, str(exc)))
    except Exception as exc:
        return Outcome(row.project, mark, failed_row(row.pool, f"unexpected {type(exc).__name__}: {exc}"))
    peaks = peaks_of(assessment)
    peaks = peaks[peaks["complete"]]
    return Outcome(
        row.project,
        mark,
        row_of(assessment, pool=row.pool, backtest=settings.backtest),
        (pd.DatetimeIndex(peaks.index).as_unit("ns").asi8 // DAY.value).astype(np.int32),
        peaks["peak"].to_numpy(dtype=np.int32),
    )


def assessed(row: PlanRow, settings: Settings, *, alone: bool = False) -> Assessment:
    """Return the assessment of one project, or of its total `alone`, which is all that its row tells of."""
    frame = frame_of(row)
    priced = bool(row.licence_price and row.lost_call_cost)
    return assess(
        _total_of(frame) if alone else frame,
        row.licences,
        tz=row.tz,
        horizon=settings.horizon,
        seed=settings.seed,
        name=row.project,
        holidays=row.holidays or None,
        mean_call_length=row.mean_call_length or None,
        licence_price=float(row.licence_price) if row.licence_price else None,
        lost_call_cost=float(row.lost_call_cost) if row.lost_call_cost else None,
        tariff=settings.tariff if row.mean_call_length and not priced else None,
        lead_time=settings.lead_time,
        events=read_events(row.events) if row.events else None,
        backtest=settings.backtest,
    )


def frame_of(row: PlanRow) -> pd.DataFrame:
    """Read a project's frame; the label selects where the store knows a project of that name.

    Where the store holds call records alone, their concurrency is counted.
    """
    archive = _archive(row)
    if isinstance(archive, CallStore):
        return exact({row.project: read_stored_calls(row.store, **_selection(row, archive))}, {})
    return read_intervals(row.store, **_selection(row, archive))


def _total_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return TOTAL alone, half the work, where its figures are to the last digit those beside its variants."""
    ids = frame.index.unique(1)
    if len(ids) < 2 or min(map(str, ids)) != TOTAL:  # each series draws from a stream of its own, by its place
        return frame
    alone, times = total(frame), frame.index.get_level_values(0)
    own = alone.index.get_level_values(0)
    return alone if (own[0], own[-1]) == (times[0], times[-1]) else frame


def calls_of(row: PlanRow) -> Calls | None:
    """Read the call records of a project's store; None where it holds none."""
    archive = _records(row)
    return None if archive is None else read_stored_calls(row.store, **_selection(row, archive))


def _archive(row: PlanRow) -> Store:
    """Return the maxima of a row's store, or its call records where it holds nothing else."""
    maxima = Store(row.store)
    return maxima if maxima.folders(**_selection(row, maxima)) else _records(row) or maxima


def _records(row: PlanRow) -> CallStore | None:
    archive = CallStore(row.store)
    return archive if archive.folders(**_selection(row, archive)) else None


def _selection(row: PlanRow, archive: Store) -> dict[str, Any]:
    """Return what of a store the row selects, by the names of its folders alone."""
    wanted = {"account": row.account or None, "env": row.env or None}
    return wanted | ({"project": row.project} if archive.folders(project=row.project, **wanted) else {})


def fingerprint(row: PlanRow, settings: Settings) -> str:
    """Return what tells whether a result still holds: plan row, store contents, settings, version, columns."""
    plan = asdict(row) | {"key_env": ""}
    told = [__version__, plan, asdict(settings), list(FLEET_SCHEMA)]
    digest = hashlib.blake2b(json.dumps(told, sort_keys=True, default=str).encode(), digest_size=16)
    archive = _archive(row)
    files = [file for folder in archive.folders(**_selection(row, archive)) for file in archive.files(folder)]
    if row.events:
        files.append(Path(row.events))
    for file in files:
        # An object store tells versions apart; on a disk only the bytes do.
        content = read(file) if isinstance(file, Path) else repr(mark_of(file)).encode()
        digest.update(file.name.encode() + b"\0" + content)
    return digest.hexdigest()


def one_thread() -> AbstractContextManager[Any]:
    """Hold linear algebra to one thread, where threadpoolctl is there: workers side by side are quicker so."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits
