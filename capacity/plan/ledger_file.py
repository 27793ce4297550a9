"""One file of the ledger: a forecast as it was made, as Parquet with what it rests on inside.

==============  ======================================================================
column          meaning
==============  ======================================================================
``date``        the local day that was forecast
``quantiles``   its peak [calls] at the probabilities 0.005, 0.010, ... 0.995
``highest``     the highest peak from the first day until this one, at the same
==============  ======================================================================
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from capacity.errors import StoreError
from capacity.forecast.paths import PeakForecast
from capacity.ground.arrays import Floats
from capacity.ground.event import Event
from capacity.ground.files import put
from capacity.ground.licences import as_licences

__all__ = ["LEVELS", "TOGETHER", "Entry", "digest_of", "entry_of", "read", "write"]

VERSION = 1
LEVELS = np.arange(1, 200) / 200.0
TOGETHER = 63  # days whose correlation is kept
_META = b"capacity.ledger"
_MEND = "delete it, or put it back from a copy; the other forecasts can be read without it"


class _Meta(msgspec.Struct):
    version: int
    made_on: str
    number: int
    variant: str
    paths: int
    seed: int
    licences: dict[str, int]
    cap: dict[str, int]
    events: list[str]
    spans: list[tuple[str, str]]
    without: list[int] | None
    settings: dict[str, str]
    data: dict[str, str]
    correlation: str
    check: int


@dataclass(frozen=True, eq=False)
class Entry:
    """A forecast as it was made.

    Attributes
    ----------
    made_on : Timestamp
        The day on which it was recorded.
    number : int
        How many were recorded before it on the same day.
    variant : str
    dates : DatetimeIndex
        The days that were forecast.
    quantiles, highest : ndarray of int32, shape (days, 199)
        See the module.
    paths, seed : int
    licences : dict of date -> int
        The licences that were planned.
    cap : dict of date -> int
        Those under which the history was seen, where they held demand back; empty otherwise.
    events : tuple of str
        In words.
    spans : tuple of (Timestamp, Timestamp)
        In which an event begins, its ramp included, or ends: from the earliest day to the latest.
    without : ndarray of int32, shape (199,), or None
        The highest peak over the horizon without the events, as the last of `highest`; None where there are none.
    settings, data : dict of str -> str
        What the forecast was made with; and first day, last day, days and hash of its history.
    correlation : ndarray, shape (days, days)
        Of the normal scores of the first 63 days over the paths.
    """

    made_on: pd.Timestamp
    number: int
    variant: str
    dates: pd.DatetimeIndex
    quantiles: npt.NDArray[np.int32]
    highest: npt.NDArray[np.int32]
    paths: int
    seed: int
    licences: dict[str, int]
    cap: dict[str, int]
    events: tuple[str, ...]
    spans: tuple[tuple[pd.Timestamp, pd.Timestamp], ...]
    without: npt.NDArray[np.int32] | None
    settings: dict[str, str]
    data: dict[str, str]
    correlation: Floats

    def needed(self, risk: float = 0.05, days: int | None = None, *, events: bool = True) -> int:
        """Return the licences for a risk over the first `days`, by default all of them, with or without events."""
        row = self._top(days, events)
        return int(row[min(int(np.ceil((1 - risk) * 200 - 1e-9)) - 1, len(row) - 1)])

    def chance(self, licences: int, days: int | None = None, *, events: bool = True) -> float:
        """Return the chance of exceeding a constant count over the first `days`, with or without events."""
        return float((self._top(days, events) > licences).mean())

    def held(self) -> int:
        """Return the licences of the first day that was forecast; 0 where none were given."""
        return int(as_licences(self.licences).on(self.dates[:1])[0]) if self.licences else 0

    def _top(self, days: int | None, events: bool) -> npt.NDArray[np.int32]:
        """Return the quantiles of the highest peak; without events those of the whole horizon alone are known."""
        if not events and self.without is not None:
            return self.without
        return np.asarray(self.highest[-1 if days is None else days - 1])


def entry_of(
    forecast: PeakForecast,
    *,
    made_on: pd.Timestamp,
    variant: str,
    licences: dict[str, int],
    settings: dict[str, str],
) -> Entry:
    """Return the entry of a forecast."""
    paths = forecast.series(variant)
    history = forecast.history[variant].dropna() if variant in forecast.history else pd.Series(dtype=np.float64)
    stamp = zlib.crc32(history.to_numpy(dtype=np.float64).tobytes())
    data = {"days": str(len(history)), "crc32": f"{stamp:08x}"}
    if len(history):
        data |= {"first": f"{history.index[0]:%Y-%m-%d}", "last": f"{history.index[-1]:%Y-%m-%d}"}
    running = np.maximum.accumulate(paths, axis=1)
    before = forecast.before_events
    without = None if before is None else _quantiles(before.series(variant).max(axis=1, keepdims=True))[0]
    cap = forecast.licences
    return Entry(
        made_on=made_on,
        number=0,
        variant=variant,
        dates=forecast.dates,
        quantiles=_quantiles(paths),
        highest=_quantiles(running),
        paths=len(paths),
        seed=forecast.seed,
        licences=licences,
        cap={} if cap is None else {f"{d:%Y-%m-%d}": n for d, n in zip(cap.dates, cap.counts, strict=True)},
        events=tuple(str(event) for event in forecast.events),
        spans=tuple(span for event in forecast.events for span in _spans(event)),
        without=without,
        settings=settings,
        data=data,
        correlation=_correlation(paths[:, :TOGETHER]),
    )


def _spans(event: Event) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    ramp = pd.Timedelta(days=max((len(shape) for shape in event.ramp), default=1) - 1)
    begins, ends = (event.date[0], event.date[1] + ramp), event.until
    return [begins] if ends is None else [begins, (ends[0], ends[1])]


def _quantiles(paths: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int32]:
    return np.asarray(np.quantile(paths, LEVELS, axis=0, method="inverted_cdf").T.astype(np.int32))


def _correlation(paths: npt.NDArray[np.integer[Any]]) -> Floats:
    """Return the correlation of the days' ranks over the paths, shape (days, days), safely positive definite."""
    from scipy import special, stats

    ranks = stats.rankdata(paths, axis=0)
    scores = special.ndtri(ranks / (len(paths) + 1.0))
    spread = scores.std(axis=0)
    scores = (scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    found = scores.T @ scores / len(paths)
    found = 0.98 * found
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


# -- the file ------------------------------------------------------------------------------------------------------


def write(folder: Path, entry: Entry) -> Path:
    """Write an entry and return its path; one that is there already, word for word, is left alone.

    Raises
    ------
    StoreError
        The disk is full or cannot be written; what was there before stays as it was.
    """
    digest = digest_of(entry)
    there = sorted(folder.glob(f"{entry.made_on:%Y-%m-%d}.*.parquet"))
    for path in there:
        if path.stem.endswith(digest):
            return path
    size = len(entry.correlation)
    packed = entry.correlation[np.tril_indices(size)].astype(np.float16).tobytes()
    meta = _Meta(
        version=VERSION,
        made_on=f"{entry.made_on:%Y-%m-%d}",
        number=len(there),
        variant=entry.variant,
        paths=entry.paths,
        seed=entry.seed,
        licences=entry.licences,
        cap=entry.cap,
        events=list(entry.events),
        spans=[(f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}") for first, last in entry.spans],
        without=None if entry.without is None else entry.without.tolist(),
        settings=entry.settings,
        data=entry.data,
        correlation=base64.b64encode(zlib.compress(packed)).decode(),
        check=_check(entry),
    )
    table = pa.table(
        {
            "date": pa.array(entry.dates.date, type=pa.date32()),
            "quantiles": pa.array(list(entry.quantiles), type=pa.list_(pa.int32())),
            "highest": pa.array(list(entry.highest), type=pa.list_(pa.int32())),
        }
    ).replace_schema_metadata({_META: msgspec.json.encode(meta)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    path = folder / f"{entry.made_on:%Y-%m-%d}.{len(there):03d}.{digest}.parquet"
    put(path, sink.getvalue())
    return path


def read(path: Path) -> Entry:
    """Read an entry.

    Raises
    ------
    StoreError
        The file is damaged, of another version, or not of a ledger.
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        raw = (table.schema.metadata or {}).get(_META)
        version = None if raw is None else msgspec.json.decode(raw).get("version")
        entry = None
        if raw is not None and version == VERSION:
            entry = _entry(table, msgspec.json.decode(raw, type=_Meta))
    except (OSError, pa.ArrowException, msgspec.MsgspecError, KeyError, ValueError, zlib.error) as exc:
        raise StoreError(f"{path} is damaged ({type(exc).__name__}: {exc}); {_MEND}", path=path) from exc
    if version is None:
        raise StoreError(f"{path} is not of a ledger; keep other files out of its folder", path=path)
    if entry is None:
        raise StoreError(
            f"{path} is of version {version}, this library reads {VERSION}; use the capacity that wrote it", path=path
        )
    return entry


def _entry(table: pa.Table, meta: _Meta) -> Entry:
    packed = np.frombuffer(zlib.decompress(base64.b64decode(meta.correlation)), dtype=np.float16).astype(np.float64)
    size = int((np.sqrt(8 * len(packed) + 1) - 1) / 2)
    correlation = np.zeros((size, size))
    correlation[np.tril_indices(size)] = packed
    correlation = correlation + np.tril(correlation, -1).T
    quantiles, highest = (
        np.stack(table[name].to_numpy()).astype(np.int32).reshape(len(table), -1) for name in ("quantiles", "highest")
    )
    entry = Entry(
        made_on=pd.Timestamp(meta.made_on),
        number=meta.number,
        variant=meta.variant,
        dates=pd.DatetimeIndex(pd.to_datetime(table["date"].to_pylist())).as_unit("ns"),
        quantiles=quantiles,
        highest=highest,
        paths=meta.paths,
        seed=meta.seed,
        licences=meta.licences,
        cap=meta.cap,
        events=tuple(meta.events),
        spans=tuple((pd.Timestamp(first), pd.Timestamp(last)) for first, last in meta.spans),
        without=None if meta.without is None else np.array(meta.without, dtype=np.int32),
        settings=meta.settings,
        data=meta.data,
        correlation=correlation,
    )
    if _check(entry) != meta.check:
        raise ValueError("its content is not what was written")
    return entry


def _check(entry: Entry) -> int:
    parts = [entry.quantiles, entry.highest, *([] if entry.without is None else [entry.without])]
    return zlib.crc32(b"".join(part.astype("<i4").tobytes() for part in parts))


def digest_of(entry: Entry) -> str:
    """Return ten letters that tell a forecast, with all that it rests on, from every other."""
    said = repr((entry.variant, entry.licences, entry.cap, entry.events, entry.settings, entry.data, entry.dates[0]))
    return hashlib.sha256(f"{said}{_check(entry)}".encode()).hexdigest()[:10]
