"""Call records beside the API's own maxima: which part of a call takes a channel, and which records are missing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from capacity.analysis.records.differences import by_day, largest, missing_stretches, observed_on, renamed
from capacity.analysis.records.hypotheses import (
    Observed,
    Tried,
    better,
    beyond_a_second,
    main_hypotheses,
    rounded,
    steadier,
    taken,
)
from capacity.analysis.records.result import UNDECIDED, Reconciliation
from capacity.calls.columns import instants
from capacity.calls.holding import calls_of, is_voice
from capacity.errors import FrameError, InsufficientData
from capacity.ground.calls import Calls
from capacity.ground.frame import TOTAL, validate
from capacity.ground.text import listed, percent
from capacity.ground.times import STEP, as_zone

# Of the calls that the API counts: a hypothesis under which more than this is too many, or is missing while records
# go on, explains nothing.
_MOST_OVER = 0.02
_MOST_SHORT = 0.3


def reconcile(intervals: pd.DataFrame, calls: Calls | pd.DataFrame, *, tz: str | dt.tzinfo = "UTC") -> Reconciliation:
    """Return how call records compare with the API's maxima, and which part of a call takes a channel.

    The 5-minute maxima of the records are computed under each hypothesis (the whole call or the part with the agent, on
    all channels or voice alone, with starts and ends rounded within a second) and compared with those of the total.

    Parameters
    ----------
    intervals : DataFrame
        The API's maxima with TOTAL, as `capacity.fetch_intervals` returns them; with variants, their names are
        compared as well.
    calls : Calls or DataFrame
        Call records with ``start`` and ``end`` [UTC], and if known ``polyai_duration`` [s], ``channel``, ``variant``,
        ``env``; as `capacity.fetch_calls` returns them.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose days are meant.

    Returns
    -------
    Reconciliation

    Raises
    ------
    FrameError
        The intervals have no TOTAL, or the frames break their rules.
    InsufficientData
        No interval lies in the range of the records.
    ConfigError
        No such time zone.

    See Also
    --------
    capacity.fetch_calls, capacity.fetch_intervals, capacity.call_traffic, capacity.Reconciliation

    Notes
    -----
    A hypothesis is named where it fits better than each other one in more hours than chance allows (sign test at
    0.001), and where it explains nearly all: at most 2% of the API's calls in progress too many, and at most 30%
    missing while there are records. Missing are calls of the API that the records lack even where each record starts a
    second earlier and ends a second later.

    Examples
    --------
    >>> import capacity as cap
    >>> calls = cap.simulate_calls("2026-03-02", days=2, seed=1, tz="UTC")
    >>> maxima = cap.intervals_from_calls(calls)
    >>> found = cap.reconcile(maxima, calls.drop(index=calls.index[2000:2060]))
    >>> print(found.sentence())
    What takes a channel: total_duration. Records and API are equal in 99% of 577 intervals, 7 differ. Records are \
missing: at least 29 calls in 1 period on 1 day, about 0.4% of the calls in progress; most at Mon 2 Mar 2026 13:15 \
(API 44, records 15).
    """
    frame = calls_of(calls)
    zone = as_zone(tz)
    if TOTAL not in validate(intervals).index.levels[1]:
        raise FrameError("the intervals have no TOTAL, on which records are compared; fetch them with total=True")
    observed = _range(intervals, frame, calls.covered if isinstance(calls, Calls) else None)
    frame, notes = _one_environment(frame, observed)
    tried = sorted((taken(frame, main, observed) for main in main_hypotheses(frame)), key=lambda each: each.loss)
    kinds = not bool(is_voice(frame).all())
    rivals, why = _rivals(tried, observed, channels=kinds)
    best, told = _rounding(tried[0], observed)
    hypothesis = UNDECIDED if why else best.hypothesis.name(channels=kinds, rounding=told)
    short, over = beyond_a_second(best.starts, best.ends, best.maxima, observed)
    missing = missing_stretches(short, best, observed)
    there = observed.there
    taking = frame[is_voice(frame)] if best.hypothesis.voice_only else frame
    return Reconciliation(
        hypothesis=hypothesis,
        candidates=tuple(_names([best, *rivals], channels=kinds)),
        why=why,
        share_equal=best.share_equal,
        share_within=float(((short == 0) & (over == 0))[there].mean()),
        bias=float(best.error.mean()),
        duration=best.hypothesis.duration,
        voice_only=best.hypothesis.voice_only,
        rounding=best.hypothesis.rounding,
        intervals=int(there.sum()),
        missing=missing,
        missing_share=max(0.0, float(-best.error.sum() / max(observed.values[there].sum(), 1)))
        if len(missing)
        else 0.0,
        too_many=int((over > 0).sum()),
        table=_table([best, *tried[1:]], channels=kinds),
        days=by_day(best, observed, short, over, zone),
        largest=largest(best, observed),
        series=_series(best, observed),
        tz=str(tz),
        notes=(*notes, *renamed(intervals, taking, observed)),
    )


def _range(
    intervals: pd.DataFrame, calls: pd.DataFrame, covered: tuple[tuple[pd.Timestamp, pd.Timestamp], ...] | None
) -> Observed:
    """Return the maxima on the range that both cover; without a word on it records cover from the first to the last."""
    if covered is not None:
        spans = [(-(-start.value // STEP.value), end.value // STEP.value) for start, end in covered]
    elif len(calls):
        starts, _ = instants(calls["start"], "start")
        ends, still = instants(calls["end"], "end")
        spans = [(int(starts.min()) // STEP.value, -(-int(np.where(still, starts, ends).max()) // STEP.value))]
    else:
        spans = []
    observed = observed_on(intervals, spans) if spans else Observed(0, np.empty(0, dtype=np.int64))
    if not observed.there.any():
        raise InsufficientData(
            "no interval lies in the range of the records; fetch both for the same days to compare them"
        )
    return observed


def _one_environment(calls: pd.DataFrame, observed: Observed) -> tuple[pd.DataFrame, list[str]]:
    """Return the calls of the environment that the maxima are of, where several are mixed."""
    if "env" not in calls or calls["env"].nunique() < 2:
        return calls, []
    counts = calls["env"].value_counts()
    options = {"all": calls, **{str(env): calls[calls["env"] == env] for env in counts.index if counts[env]}}
    losses = {
        name: min(taken(part, main, observed).loss for main in main_hypotheses(part)) for name, part in options.items()
    }
    mixed = ", ".join(f"{env} ({n:,})" for env, n in counts.items() if n)
    chosen = min(losses, key=lambda name: losses[name])
    if chosen == "all":
        return calls, [f"The records are of several environments, {mixed}; together they fit the maxima best."]
    return options[chosen], [f"The records mix environments, {mixed}; the maxima are those of {chosen} alone."]


def _rivals(tried: list[Tried], observed: Observed, *, channels: bool) -> tuple[list[Tried], str]:
    """Return the hypotheses that the data cannot tell from the best, and why none is named; "" where one is."""
    best = tried[0]
    asked = [other for other in tried[1:] if channels or other.hypothesis.duration != best.hypothesis.duration]
    rivals = [other for other in asked if not (better(best, other) and steadier(best, other, observed))]
    calls = int(observed.values[observed.there].sum())
    if not calls:
        return rivals, "the API saw no call"
    short, over = (part[observed.there] for part in beyond_a_second(best.starts, best.ends, best.maxima, observed))
    going = best.maxima[observed.there] > 0  # while no record is there at all, none can speak for or against
    off = max(int(over.sum()) / calls / _MOST_OVER, int(short[going].sum()) / calls / _MOST_SHORT)
    if off > 1:
        name = _names([best], channels=channels)[0]
        return rivals, (
            f"no hypothesis fits. Under the best, {name}, the records lack {percent(int(short.sum()) / calls)} of the "
            f"API's calls in progress and have {percent(int(over.sum()) / calls)} that it does not count"
        )
    if rivals:
        return rivals, f"{listed(_names([best, *rivals], channels=channels))} fit about as well"
    return [], ""


def _rounding(plain: Tried, observed: Observed) -> tuple[Tried, bool]:
    """Return the hypothesis with times rounded as the API seems to, and whether the data tell just this rounding.

    Only where a second explains every difference: longer calls would make up for missing ones as well.
    """
    if plain.loss:
        return plain, False
    tried = rounded(plain, observed)
    recorded = next(each for each in tried if not each.hypothesis.rounding)
    best = tried[0]
    if best is recorded or not better(best, recorded, few=1):
        return recorded, False
    return best, all(better(best, other, few=1) for other in tried[1:])


def _names(tried: list[Tried], *, channels: bool) -> list[str]:
    return list(dict.fromkeys(each.hypothesis.name(channels=channels, rounding=False) for each in tried))


def _table(tried: list[Tried], *, channels: bool) -> pd.DataFrame:
    unlike: dict[str, Tried] = {}
    for each in tried:
        unlike.setdefault(each.hypothesis.name(channels=channels, rounding=False), each)
    return pd.DataFrame(
        {
            "share_equal": [each.share_equal for each in unlike.values()],
            "bias": [float(each.error.mean()) for each in unlike.values()],
            "more": [int((each.error > 0).sum()) for each in unlike.values()],
            "less": [int((each.error < 0).sum()) for each in unlike.values()],
            "error": [float(np.abs(each.error).mean()) for each in unlike.values()],
        },
        index=pd.Index(list(unlike), name="hypothesis"),
    )


def _series(best: Tried, observed: Observed) -> pd.DataFrame:
    there = observed.there
    return pd.DataFrame(
        {"api": observed.values[there], "records": best.maxima[there]}, index=observed.times[there].rename("time")
    )
