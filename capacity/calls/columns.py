"""Call records as arrays: which column is what, checked once, with the first offending rows in the message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError, FrameError
from capacity.ground.frame import NONE, TOTAL

Ints = npt.NDArray[Any]

_SHOWN = 3
_LONGEST_S = 60 * 366 * 86_400
_TAKEN = ("time", "max_concurrent", "variant_name")


@dataclass(frozen=True)
class CallArrays:
    """Calls that were in progress at some time, as integers.

    Attributes
    ----------
    starts : int64 [ns since 1970 UTC]
    ends : int64 [ns since 1970 UTC]
        Where `open` says so, the call has no end yet and the value means nothing.
    open : bool
        Whether the call is still in progress.
    codes : integers
        The place of each call's group in `ids`.
    ids : list of str
        The groups, sorted; empty where nothing is grouped.
    named : dict of id -> (start, name)
        The latest display names, where the calls carry any, and the start of the call that carried them.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    open: npt.NDArray[np.bool_]
    codes: Ints
    ids: list[str]
    named: dict[str, tuple[int, str]]


def call_arrays(calls: pd.DataFrame, *, by: str | None, columns: Mapping[str, str] | None = None) -> CallArrays:
    """Check call records and return them as arrays; blocked calls are left out: they never were in progress."""
    if columns is not None and not isinstance(columns, Mapping):
        raise ConfigError(f"columns={columns!r} is no mapping; write columns={{'start': 'your column', ...}}")
    if by is not None and not isinstance(by, str):
        raise ConfigError(f"by={by!r} is not the name of a column; give one, or None for the total alone")
    if columns:
        calls = _renamed(calls, columns)
    if "start" not in calls.columns or not ({"end", "duration"} & set(calls.columns)):
        raise FrameError(
            f"calls need 'start' and 'end' (or 'duration'); there are {[str(c) for c in calls.columns]}; "
            "say which is which with columns={'start': 'your column', ...}"
        )
    if by is not None and by in _TAKEN:
        raise ConfigError(f"by={by!r} is a column of the frame itself; group with columns={{'variant': {by!r}}}")
    if by is not None and by not in calls.columns:
        raise FrameError(
            f"calls have no column {by!r} to group by; there are {[str(c) for c in calls.columns]}; "
            "give by=None for the total alone"
        )
    if "blocked" in calls.columns:
        calls = calls[~_flags(calls["blocked"])]
    starts, missing = instants(calls["start"], "start")
    if missing.any():
        raise FrameError(_offence(calls, missing, "have no start; drop them, or repair them"))
    if "end" in calls.columns:
        ends, still = instants(calls["end"], "end")
    else:
        lengths, still = _durations(calls["duration"])
        ends = starts + lengths
    wrong = (ends < starts) & ~still
    if wrong.any():
        raise FrameError(_offence(calls, wrong, "end before they start; drop them, or repair them"))
    if by is None:
        return CallArrays(starts, ends, still, np.zeros(len(starts), np.uint8), [], {})
    codes, ids = group_codes(calls[by])
    if TOTAL in ids:
        raise FrameError(f"{by} has the value {TOTAL!r}, which stands for the total in the frame; rename it")
    named = {}
    if by == "variant" and "variant_name" in calls.columns:
        named = _latest_names(codes, ids, calls["variant_name"], starts)
    return CallArrays(starts, ends, still, codes, ids, named)


def instants(column: pd.Series, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return aware times as ns since 1970 UTC, and where they are missing."""
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype) and dtype.kind == "M":
        column = column.astype(pd.DatetimeTZDtype("ns", "UTC") if "tz=" in str(dtype) else "datetime64[ns]")
    if len(column) == 0 or (not isinstance(column.dtype, pd.DatetimeTZDtype) and bool(column.isna().all())):
        return np.zeros(len(column), np.int64), np.ones(len(column), np.bool_)
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        first = column.dropna().iloc[0]
        raise FrameError(
            f"{name} is {column.dtype} (first value {first!r}), not aware datetimes: {int(column.notna().sum())} rows; "
            f"use pd.to_datetime(calls[{name!r}], utc=True), or .dt.tz_localize('Europe/London') for local times"
        )
    try:
        values = np.asarray(pd.DatetimeIndex(column).as_unit("ns").asi8)
    except pd.errors.OutOfBoundsDatetime as exc:
        raise FrameError(
            f"{name} holds a time outside 1678 to 2262 ({exc}); a missing end is NaT, not a date far away"
        ) from exc
    missing = values == np.iinfo(np.int64).min
    return values, missing


def group_codes(column: pd.Series) -> tuple[Ints, list[str]]:
    """Return each row's place among the sorted distinct texts of the column; a missing value is "(none)"."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, labels = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, labels = pd.factorize(column)
    used = np.bincount(codes.astype(np.int64) + 1, minlength=len(labels) + 1) > 0
    texts = [NONE, *(str(label) for label in labels)]
    ids = sorted({text for text, is_used in zip(texts, used, strict=True) if is_used})
    place = {text: k for k, text in enumerate(ids)}
    small = np.uint8 if len(ids) <= 1 << 8 else np.uint16 if len(ids) <= 1 << 16 else np.uint32
    table = np.array([place.get(text, 0) for text in texts], dtype=small)
    return np.concatenate([table[1:], table[:1]]).take(codes), ids  # code -1, a missing label, is the last


def _renamed(calls: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    absent = [actual for actual in columns.values() if actual not in calls.columns]
    if absent:
        raise FrameError(f"calls have no columns {absent}; there are {[str(c) for c in calls.columns]}")
    covered = [c for c in calls.columns if c not in columns and c not in set(columns.values())]
    return pd.DataFrame({**{c: calls[c] for c in covered}, **{ours: calls[theirs] for ours, theirs in columns.items()}})


def _flags(column: pd.Series) -> npt.NDArray[np.bool_]:
    if column.dtype == bool:
        return np.asarray(column)
    distinct = list(column.dropna().unique())  # whatever holds them, what matters is what they are
    if wrong := [v for v in distinct if not isinstance(v, np.bool_ | Real) or v not in (0, 1)]:
        raise FrameError(f"blocked is {column.dtype} (for example {wrong[0]!r}), not true or false; convert it")
    return np.asarray(column.isin([v for v in distinct if v == 1]), dtype=bool)


def _durations(column: pd.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    missing = np.asarray(column.isna())
    if column.dtype.kind == "m":
        values = column.to_numpy().astype("timedelta64[ns]").astype(np.int64)
    elif pd.api.types.is_numeric_dtype(column.dtype) and column.dtype != bool:
        seconds = column.to_numpy(dtype=np.float64, na_value=np.nan)
        wild = ~missing & ~(np.abs(seconds) < _LONGEST_S)
        if wild.any():
            raise FrameError(
                f"{int(wild.sum()):,} calls have a duration like {seconds[wild][0]} [s]; drop or repair them"
            )
        values = np.rint(np.where(missing, 0, seconds) * 1e9).astype(np.int64)
    else:
        raise FrameError(
            f"duration is {column.dtype}, not seconds or timedelta; capacity.read_calls reads 'mm:ss' and the like"
        )
    values[missing] = 0
    return values, missing


def _latest_names(codes: Ints, ids: list[str], column: pd.Series, starts: Ints) -> dict[str, tuple[int, str]]:
    name_codes, names = pd.factorize(column)
    width = len(names) + 1
    pairs = codes.astype(np.int64) * width + (name_codes + 1)
    # Few pairs of variant and name are told apart by counting, many by sorting.
    few = width * len(ids) <= max(1 << 16, len(pairs))
    distinct = np.flatnonzero(np.bincount(pairs, minlength=1)) if few else np.unique(pairs)
    if few:
        place = np.zeros(width * len(ids) + 1, dtype=np.int64)
        place[distinct] = np.arange(len(distinct))
        pairs = place[pairs]
    else:
        pairs = np.searchsorted(distinct, pairs)
    latest = np.full(len(distinct), np.iinfo(np.int64).min)
    if bool(np.all(starts[1:] >= starts[:-1])):
        latest[pairs] = starts  # in order of start: the last one stays
    else:
        np.maximum.at(latest, pairs, starts)
    found: dict[str, tuple[int, str]] = {}
    for k in np.argsort(latest, kind="stable").tolist():
        code, name = divmod(int(distinct[k]), width)
        if name:
            found[ids[code]] = (int(latest[k]), str(names[name - 1]))
    return found


def _offence(calls: pd.DataFrame, wrong: npt.NDArray[np.bool_], what: str) -> str:
    shown = calls[wrong].head(_SHOWN)
    cells = [c for c in ("start", "end", "duration") if c in calls.columns]
    rows = "; ".join(
        f"row {label}: " + ", ".join(f"{c} {row[c]}" for c in cells)
        for label, row in zip(shown.index, shown.to_dict("records"), strict=True)
    )
    return f"{int(wrong.sum()):,} calls {what} ({rows})"
