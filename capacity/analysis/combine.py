"""Several projects that share licences as one frame: from maxima their total is known within bounds only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.concurrency import intervals_from_calls
from capacity.errors import ConfigError, FrameError, InsufficientData
from capacity.ground.calls import Calls
from capacity.ground.frame import TOTAL, assemble, total
from capacity.ground.text import percent
from capacity.ground.times import STEP, ceil_step, floor_step, utc_times

PROJECT = "project"  # the second level of a combined frame: what tells it from all others
UPPER_BOUND = "All projects (upper bound)"

_STEP_NS = STEP.value
_INT32_MAX = np.iinfo(np.int32).max


def combine(frames: Mapping[str, pd.DataFrame | Calls]) -> pd.DataFrame:
    """Return several projects that share licences as one interval frame, sliced by project, with a total.

    A project's series is its own TOTAL. The total of all projects is **not known** from 5-minute maxima, since the
    projects need not peak at the same moment. In each interval it lies between the largest project and the sum of
    the projects. The TOTAL of the combined frame is the **upper bound**, the sum, and is named so: its
    ``variant_name`` is "All projects (upper bound)". It has a row only where every project has one.

    Where the call records of every project are given instead, the total is known: TOTAL is their exact sweep over the
    time that all records cover, and no bound.

    Daily peaks, forecast and headroom of this TOTAL are conservative: the licences they ask for are enough, and may be
    too many. `capacity.headroom` and `capacity.assess` say in a note by how many at most.

    Parameters
    ----------
    frames : mapping of project -> DataFrame or Calls
        Interval frame of each project, with TOTAL, best over the same range; other series are not used. Or the call
        records of each.

    Returns
    -------
    DataFrame
        Interval frame, MultiIndex (time, project).

    Raises
    ------
    ConfigError
        No project, a project without a name or named like TOTAL, one without a TOTAL series, or call records of some
        projects only.
    InsufficientData
        No interval is held by all projects, a project has no call, or its call records have a gap.
    FrameError
        A frame breaks the schema, or the sum is too large for one.

    See Also
    --------
    capacity.concat, capacity.diversity, capacity.assess_pools

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.to_datetime(["2026-07-01T14:00Z", "2026-07-01T14:05Z"])
    >>> def calls(*n):
    ...     return cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": n}))
    >>> both = cap.combine({"hotel": calls(90, 50), "bank": calls(40, 74)})
    >>> print(cap.total(both).reset_index().to_string(index=False))
                         time project  max_concurrent               variant_name
    2026-07-01 14:00:00+00:00       *             130 All projects (upper bound)
    2026-07-01 14:05:00+00:00       *             124 All projects (upper bound)
    """
    _check(frames)
    records = {name: calls for name, calls in frames.items() if isinstance(calls, Calls)}
    if records:
        return _exact(frames, records)
    series = _totals({name: frame for name, frame in frames.items() if not isinstance(frame, Calls)})
    bounds = _bounds(series)
    if len(bounds) and int(bounds["upper"].max()) > _INT32_MAX:
        raise FrameError(f"the sum of the projects is {int(bounds['upper'].max()):,}; a frame holds {_INT32_MAX:,}")
    ids = sorted([TOTAL, *series])
    steps = {name: _steps(one) for name, one in series.items()} | {TOTAL: _steps(bounds)}
    values = {name: one["max_concurrent"].to_numpy() for name, one in series.items()} | {
        TOTAL: bounds["upper"].to_numpy()
    }
    at, time_codes = np.unique(np.concatenate([steps[k] for k in ids]), return_inverse=True)
    combined = assemble(
        times=utc_times(at * _STEP_NS),
        time_codes=time_codes.reshape(-1),
        ids=ids,
        id_codes=np.repeat(np.arange(len(ids)), [len(steps[k]) for k in ids]),
        values=np.concatenate([values[k] for k in ids]),
        by=PROJECT,
    )
    shown = np.array([UPPER_BOUND if name == TOTAL else name for name in ids], dtype=object)
    return combined.assign(variant_name=pd.Categorical(shown[combined.index.codes[1]]))


def _exact(frames: Mapping[str, object], records: Mapping[str, Calls]) -> pd.DataFrame:
    """Return the frame of projects of which all calls are known."""
    if len(records) < len(frames):
        lacking = ", ".join(repr(name) for name in frames if name not in records)
        raise ConfigError(
            f"call records of some projects and maxima of others ({lacking}) give no total; give one kind"
        )
    spans = {name: _span(name, calls) for name, calls in records.items()}
    start, end = max(span[0] for span in spans.values()), min(span[1] for span in spans.values())
    start, end = ceil_step(start), floor_step(end)
    if start >= end:
        raise InsufficientData("the call records of the projects share no time; fetch them for the same range")
    columns = ["start", "end", "blocked"]
    parts = [
        calls.frame[[c for c in columns if c in calls.frame]].assign(**{PROJECT: name})
        for name, calls in records.items()
    ]
    return intervals_from_calls(pd.concat(parts, ignore_index=True), start=start, end=end, by=PROJECT)


def _span(name: str, calls: Calls) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the range that the records of a project cover; without a word on it from the first call to the last."""
    if calls.covered:
        if len(calls.covered) > 1:
            gap = f"{calls.covered[0][1]:%Y-%m-%d %H:%M} to {calls.covered[1][0]:%Y-%m-%d %H:%M}"
            raise InsufficientData(f"the call records of {name!r} lack {gap} UTC; fetch them, or give a range without")
        return calls.covered[0]
    if not len(calls):
        raise InsufficientData(f"project {name!r} has no call")
    return calls.frame["start"].min(), calls.frame[["start", "end"]].max().max()


def combined_bounds(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what the maxima of several projects say of their total: the bounds of each interval.

    Parameters
    ----------
    frames : mapping of project -> DataFrame
        As `combine` takes them.

    Returns
    -------
    DataFrame
        By time [UTC], for the intervals that all projects hold: ``lower``, the largest project's maximum, and
        ``upper``, the sum of the maxima [calls, int64]. The true total's maximum is between them, both included. So
        the peak of a period is between the highest ``lower`` and the highest ``upper`` of it.

    Raises
    ------
    ConfigError, InsufficientData
        As `combine`.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.to_datetime(["2026-07-01T14:00Z", "2026-07-01T14:05Z"])
    >>> def calls(*n):
    ...     return cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": n}))
    >>> combined_bounds({"hotel": calls(90, 50), "bank": calls(40, 74)}).max().to_dict()
    {'lower': 90, 'upper': 130}
    """
    return _bounds(_totals(frames))


def bound_note(peaks: pd.DataFrame) -> str:
    """Say that the TOTAL of combined projects is an upper bound, and by how many licences it may be too high.

    Parameters
    ----------
    peaks : DataFrame
        `cap.daily_peaks` of a combined frame; or the ``history`` of a forecast of it: index date, one column a project.

    Returns
    -------
    str
        Empty for peaks that are not of combined projects, so that it can be asked of any.

    Examples
    --------
    >>> history = pd.DataFrame({"*": [130, 124], "hotel": [90, 50], "bank": [40, 74]}).rename_axis(columns="project")
    >>> print(bound_note(history))
    The total of the 2 projects is an upper bound, the sum of their 5-minute maxima, so the answer is conservative: \
over the days held it peaked at 130, and the true peak lies between 90 and 130; up to 40 licences (31%) \
may be too many.
    """
    wide = peaks["peak"].unstack(level=1) if isinstance(peaks.index, pd.MultiIndex) else peaks  # noqa: PD010
    if wide.columns.name != PROJECT or TOTAL not in wide.columns:
        return ""
    known = wide[wide[TOTAL].notna()]
    projects = known.drop(columns=TOTAL)
    high, low = known[TOTAL].max(), projects.max().max()
    if not (high > 0 and low > 0):
        return ""
    low = min(low, high)
    return (
        f"The total of the {projects.shape[1]} projects is an upper bound, the sum of their 5-minute maxima, so the "
        f"answer is conservative: over the days held it peaked at {high:,.0f}, and the true peak lies between "
        f"{low:,.0f} and {high:,.0f}; up to {high - low:,.0f} licences ({percent((high - low) / high)}) "
        "may be too many."
    )


def _check(frames: object) -> None:
    if not isinstance(frames, Mapping) or not frames:
        raise ConfigError("combine got no project; give a mapping such as {'hotel': frame, 'bank': frame}")
    for name in frames:
        if not isinstance(name, str) or not name.strip() or name == TOTAL:
            raise ConfigError(f"{name!r} is no name of a project; give text other than {TOTAL!r}")


def _totals(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    _check(frames)
    series = {}
    for name, frame in frames.items():
        series[name] = total(frame)
        if len(series[name]) == 0:
            raise ConfigError(
                f"project {name!r} has no TOTAL series, and its total is not known from its parts; fetch it with "
                "total=True"
            )
    return series


def _steps(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    return np.asarray(frame.index.get_level_values("time").asi8 // _STEP_NS, dtype=np.int64)


def _bounds(series: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    steps = [_steps(one) for one in series.values()]
    common = steps[0]
    for other in steps[1:]:
        common = np.intersect1d(common, other, assume_unique=True)
    if len(common) == 0:
        raise InsufficientData(
            "combine needs intervals that all projects hold, and there is none; fetch them over the same range"
        )
    lower, upper = np.zeros((2, len(common)), dtype=np.int64)
    for at, one in zip(steps, series.values(), strict=True):
        values = one["max_concurrent"].to_numpy()[np.searchsorted(at, common)]
        lower, upper = np.maximum(lower, values), upper + values
    times = utc_times(common * _STEP_NS)
    return pd.DataFrame({"lower": lower, "upper": upper}, index=times.rename("time"))
