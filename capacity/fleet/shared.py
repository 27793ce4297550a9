"""The demand on licences that several members share: exact from call records, between bounds from maxima."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from capacity.analysis.combine import combined_bounds
from capacity.calls.columns import call_arrays
from capacity.calls.concurrency import intervals_from_calls
from capacity.ground.arrays import Ints
from capacity.ground.calls import Calls
from capacity.ground.frame import TOTAL, as_intervals

__all__ = ["as_members", "bounded", "exact", "excess_calls"]

_NAT = np.iinfo(np.int64).min


def bounded(frames: Mapping[str, pd.DataFrame], own: Mapping[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return frames (TOTAL alone) of the lower and the upper bound of the shared demand.

    Parameters
    ----------
    frames : mapping of member -> DataFrame
        Interval frames with TOTAL.
    own : mapping of member -> int
        Licences of its own [calls]: what a member has beyond them falls to the shared ones.

    Notes
    -----
    Members need not peak at the same moment of an interval, so the demand lies between the largest member and the sum
    of the members. Only intervals that all members hold count.
    """
    beyond = {name: _beyond(frame, own.get(name, 0)) for name, frame in frames.items()}
    bounds = combined_bounds(beyond)
    columns = {"time": bounds.index, "variant": TOTAL}
    low, high = (as_intervals(pd.DataFrame(columns | {"max_concurrent": bounds[c].to_numpy()})) for c in bounds)
    return low, high


def exact(calls: Mapping[str, Calls], own: Mapping[str, int]) -> pd.DataFrame:
    """Return the frame (TOTAL alone) of the shared demand, from the call records of each member.

    It covers the time in which every member has records: what each says that it covers, or from its first start to its
    last end.
    """
    covered = {
        name: one.covered or ((one.frame["start"].min(), one.frame["end"].max()),) for name, one in calls.items()
    }
    holes = [
        {"start": before[1], "end": after[0]}
        for stretches in covered.values()
        for before, after in itertools.pairwise(stretches)
    ]
    return intervals_from_calls(
        pd.concat([excess_calls(one.frame, own.get(name, 0)) for name, one in calls.items()], ignore_index=True),
        start=max(stretches[0][0] for stretches in covered.values()).floor("5min"),
        end=min(stretches[-1][1] for stretches in covered.values()).ceil("5min"),
        by=None,
        gaps=pd.DataFrame(holes) if holes else None,
    )


def excess_calls(calls: pd.DataFrame, own: int) -> pd.DataFrame:
    """Return calls whose concurrency is max(0, concurrency of `calls` - own) at every instant.

    Examples
    --------
    >>> at = [pd.Timestamp("2026-07-01T09:00Z") + pd.Timedelta(minutes=m) for m in (0, 1, 2, 3)]
    >>> calls = pd.DataFrame({"start": at[:2], "end": [at[3], at[2]]})
    >>> beyond = excess_calls(calls, 1)
    >>> [(a.minute, b.minute) for a, b in zip(beyond["start"], beyond["end"])]
    [(1, 2)]
    """
    arrays = call_arrays(calls, by=None)
    length = arrays.open | (arrays.ends > arrays.starts)
    starts, ends = np.sort(arrays.starts[length]), np.sort(arrays.ends[length & ~arrays.open])
    if own:
        time = np.concatenate([ends, starts])  # at one instant ends come first: the sort is stable
        move = np.repeat([-1, 1], [len(ends), len(starts)])
        order = np.argsort(time, kind="stable")
        time, move = time[order], move[order]
        after = np.cumsum(move)
        starts, ends = time[(move > 0) & (after > own)], time[(move < 0) & (after >= own)]
    # The k-th end is never before the k-th start; calls still in progress have none.
    return pd.DataFrame(
        {"start": _times(starts), "end": _times(np.append(ends, np.full(len(starts) - len(ends), _NAT)))}
    )


def _times(ns: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(ns.astype(np.int64).view("datetime64[ns]")).tz_localize("UTC")


def _beyond(frame: pd.DataFrame, own: int) -> pd.DataFrame:
    if not own:
        return frame
    return frame.assign(max_concurrent=np.maximum(frame["max_concurrent"].to_numpy() - own, 0).astype(np.int32))


def as_members(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return variants of one frame as members, each a frame with TOTAL alone."""
    found = {}
    for name in names:
        own = frame.xs(name, level=1)
        columns = {"time": own.index, "variant": TOTAL, "max_concurrent": own["max_concurrent"].to_numpy()}
        found[name] = as_intervals(pd.DataFrame(columns))
    return found
