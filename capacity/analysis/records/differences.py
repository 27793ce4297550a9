"""Where call records and the API's maxima differ: stretches, days, the largest, and variants that go by other names."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from capacity.analysis.records.hypotheses import Observed, Tried
from capacity.calls.concurrency import intervals_from_calls
from capacity.ground.arrays import Ints
from capacity.ground.dense import dense
from capacity.ground.frame import TOTAL, total
from capacity.ground.localtime import local_times
from capacity.ground.times import STEP

_QUIET = 72  # intervals: a night
_MOST = 10
_ALIKE = 0.9


def missing_stretches(short: Ints, best: Tried, observed: Observed) -> pd.DataFrame:
    """Return the stretches in which the API counts calls that the records lack.

    Intervals that touch are one stretch; so are those at most six hours apart without a record between them.

    Returns
    -------
    DataFrame
        ``start``, ``end`` [UTC, half-open], ``calls`` (missing at once, at the least), ``api``, ``records`` (the
        highest maxima within), ``share`` (of the API's calls that are missing).
    """
    at = np.flatnonzero(short)
    columns = ["start", "end", "calls", "api", "records", "share"]
    if len(at) == 0:
        return pd.DataFrame([], columns=columns)
    busy = np.append(0, np.cumsum(best.maxima > 0))
    apart = np.diff(at) > 1
    silent = (busy[at[1:]] == busy[at[:-1] + 1]) & (np.diff(at) <= _QUIET)
    begins = at[np.append(True, apart & ~silent)]
    ends = at[np.append(apart & ~silent, True)] + 1
    rows = []
    for lo, hi in zip(begins.tolist(), ends.tolist(), strict=True):
        api = np.maximum(observed.values[lo:hi], 0)
        share = short[lo:hi].sum() / max(api.sum(), 1)
        peaks = (short[lo:hi].max(), api.max(), best.maxima[lo:hi].max())
        rows.append((_time(lo, observed), _time(hi, observed), *peaks, share))
    return pd.DataFrame(rows, columns=columns).astype({"calls": np.int64, "api": np.int64, "records": np.int64})


def by_day(best: Tried, observed: Observed, short: Ints, over: Ints, tz: dt.tzinfo) -> pd.DataFrame:
    """Return one row a local day: intervals compared, share equal, both peaks, calls missing and too many."""
    table = pd.DataFrame(
        {
            "date": local_times(observed.times, tz).normalize(),
            "intervals": 1,
            "share_equal": (best.maxima == observed.values).astype(float),
            "api": observed.values,
            "records": best.maxima,
            "missing": short,
            "too_many": over,
        }
    )[observed.there]
    how = {"intervals": "sum", "share_equal": "mean"}
    return table.groupby("date").agg(how | dict.fromkeys(["api", "records", "missing", "too_many"], "max"))


def largest(best: Tried, observed: Observed) -> pd.DataFrame:
    """Return the ten largest differences: time, api, records, difference (records less API)."""
    error = np.where(observed.there, best.maxima - observed.values, 0)
    order = np.argsort(-np.abs(error), kind="stable")[:_MOST]
    order = order[error[order] != 0]
    return pd.DataFrame(
        {
            "time": observed.times[order],
            "api": observed.values[order],
            "records": best.maxima[order],
            "difference": error[order],
        }
    )


def renamed(intervals: pd.DataFrame, calls: pd.DataFrame, observed: Observed) -> list[str]:
    """Return in sentences which variants go by another id or name in the records than in the API.

    Parameters
    ----------
    intervals : DataFrame
        With the variants.
    calls : DataFrame
        With ends by the hypothesis that fits best.
    """
    if "variant" not in calls or intervals.index.names[1] != "variant":
        return []
    start, end = _time(0, observed), _time(len(observed.values), observed)
    times = intervals.index.get_level_values(0)
    theirs = intervals[(times >= start) & (times < end)]
    ours = intervals_from_calls(calls, start=start, end=end)
    found = []
    a, b = _names(theirs), _names(ours)
    for label in sorted(a.keys() & b.keys()):
        if a[label] != b[label] and label not in (a[label], b[label]):
            found.append(f"Variant {label!r} is called {a[label]!r} by the API and {b[label]!r} in the records.")
    matrix_a, matrix_b = (_matrix(frame, observed) for frame in (theirs, ours))
    alone_a, alone_b = sorted(a.keys() - b.keys()), sorted(b.keys() - a.keys())
    for label in alone_b:
        same = {other: _alike(matrix_a[other], matrix_b[label]) for other in alone_a}
        twin = max(same, key=lambda other: same[other], default=None)
        if twin is not None and same[twin] >= _ALIKE:
            alone_a.remove(twin)
            found.append(f"Variant {label!r} of the records is {twin!r} of the API: renamed.")
        else:
            found.append(f"Variant {label!r} is in the records alone.")
    return found + [f"Variant {label!r} is in the API alone." for label in alone_a if matrix_a[label].any()]


def _names(frame: pd.DataFrame) -> dict[str, str]:
    last = frame["variant_name"].astype(str).groupby(level=1).last()
    return {str(label): str(name) for label, name in last.items() if label != TOTAL}


def _matrix(frame: pd.DataFrame, observed: Observed) -> dict[str, Ints]:
    """Return each series on the range of `observed`, 0 where it has no row."""
    found = dense(frame)
    place = found.times.asi8 // STEP.value - observed.first
    out = {}
    for k, label in enumerate(found.ids):
        values = np.zeros(len(observed.values), dtype=np.int64)
        values[place] = np.maximum(found.values[:, k], 0)
        out[str(label)] = np.where(observed.there, values, 0)
    return out


def _alike(one: Ints, other: Ints) -> float:
    busy = (one > 0) | (other > 0)
    return float((one == other)[busy].mean()) if busy.any() else 0.0


def _time(place: int, observed: Observed) -> pd.Timestamp:
    return pd.Timestamp((observed.first + place) * STEP.value, tz="UTC")


def observed_on(intervals: pd.DataFrame, spans: list[tuple[int, int]]) -> Observed:
    """Return the total's maxima on ranges of steps [first, last), cut to what the frame has."""
    found = dense(total(intervals))
    steps = found.times.asi8 // STEP.value
    within = np.zeros(len(steps), dtype=bool)
    for first, last in spans:
        within |= (steps >= first) & (steps < last)
    if not within.any():
        return Observed(0, np.empty(0, dtype=np.int64))
    steps = steps[within]
    values = np.full(int(steps[-1] - steps[0]) + 1, -1, dtype=np.int64)
    values[steps - steps[0]] = found.values[within, 0]
    return Observed(int(steps[0]), values)
