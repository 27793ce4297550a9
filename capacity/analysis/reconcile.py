"""Call records against the API's own maxima: what takes a channel, and whether the records are complete."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from capacity.analysis.records.differences import (
    by_day,
    largest,
    missing_stretches,
    observed_on,
    renamed,
)
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
from capacity.analysis.verdict.machine import plain, records
from capacity.calls.columns import instants
from capacity.calls.holding import held_until, is_voice
from capacity.errors import FrameError, InsufficientData
from capacity.ground.calls import Calls
from capacity.ground.frame import TOTAL, validate
from capacity.ground.result import Result
from capacity.ground.text import columns_of, count, listed, moment, percent, plural
from capacity.ground.times import STEP, as_zone

__all__ = ["Reconciliation", "reconcile"]

_UNDECIDED = "undecided"
_FIGURES = (
    "hypothesis",
    "candidates",
    "why",
    "share_equal",
    "share_within",
    "bias",
    "rounding",
    "intervals",
    "missing_share",
    "too_many",
    "tz",
    "notes",
)
_TABLES = ("missing", "table", "days", "largest")
# Of the calls that the API counts: a hypothesis under which more than this is too many, or is missing while records
# go on, explains nothing.
_MOST_OVER = 0.02
_MOST_SHORT = 0.3


@dataclass(frozen=True, eq=False, repr=False)
class Reconciliation(Result):
    """Call records beside the API's maxima, interval by interval.

    Attributes
    ----------
    hypothesis : str
        What takes a channel, such as "total_duration, voice"; "undecided" where the data cannot tell. Channels are
        named where the records have more than one kind, a rounding of times where the data tell it.
    candidates : tuple of str
        The hypotheses that the data cannot tell apart; one where it is decided.
    why : str
        Why it is undecided; "" where it is decided.
    share_equal : float
        The share of intervals in which the records give exactly what the API says, under the best hypothesis.
    share_within : float
        The same where times may be a second off.
    bias : float
        The mean of records less API [calls].
    rounding : str
        How times were rounded for the comparison, within a second, where that fits better; "" for as recorded.
    intervals : int
        How many were compared.
    missing : DataFrame
        Stretches in which the API counts calls that the records lack: ``start``, ``end`` [UTC, half-open], ``calls``
        (at once, at the least), ``api``, ``records``, ``share``.
    missing_share : float
        The share of the API's calls in progress that the records lack.
    too_many : int
        Intervals in which the records have more calls than the API, by more than a second explains.
    table : DataFrame
        One row a hypothesis: ``share_equal``, ``bias``, ``more``, ``less`` (intervals in which the records have more
        or fewer calls), ``error`` (mean absolute, calls).
    days : DataFrame
        One row a local day: ``intervals``, ``share_equal``, ``api``, ``records`` (peaks), ``missing``, ``too_many``.
    largest : DataFrame
        The ten largest differences, with their times.
    series : DataFrame
        By interval (UTC): ``api`` and ``records``.
    tz : str
    notes : tuple of str
        Variants that go by other names, environments that are mixed.

    Examples
    --------
    >>> import capacity as cap
    >>> calls = cap.simulate_calls("2026-03-02", days=2, seed=1, tz="UTC")
    >>> calls["polyai_duration"] = 60  # the rest of each call is with a colleague
    >>> reconcile(cap.intervals_from_calls(calls), calls).hypothesis
    'total_duration'
    """

    hypothesis: str
    candidates: tuple[str, ...]
    why: str
    share_equal: float
    share_within: float
    bias: float
    rounding: str
    intervals: int
    missing: pd.DataFrame
    missing_share: float
    too_many: int
    table: pd.DataFrame
    days: pd.DataFrame
    largest: pd.DataFrame
    series: pd.DataFrame
    tz: str
    notes: tuple[str, ...] = ()
    _chart: ClassVar[str] = "reconciliation"

    def sentence(self) -> str:
        """Say in plain words what takes a channel, how far both agree, and what is missing where."""
        if self.hypothesis == _UNDECIDED:
            head = f"Undecided what takes a channel: {self.why}."
            under = f" under {self.candidates[0]}"
        else:
            head, under = f"What takes a channel: {self.hypothesis}.", ""
        if self.rounding and self.rounding not in self.hypothesis:
            under += f" with {self.rounding}"
        if self.share_equal == 1.0:
            agree = f"Records and API are equal in all {self.intervals:,} intervals{under}."
        else:
            unequal = self.intervals - round(self.share_equal * self.intervals)
            agree = (
                f"Records and API are equal in {percent(self.share_equal)} of {self.intervals:,} intervals{under}, "
                f"{unequal:,} differ"
            )
            agree += ", all by what a second explains." if self.share_within == 1.0 else "."
        return " ".join(part for part in (head, agree, self._lacking(), self._surplus()) if part)

    def _lacking(self) -> str:
        if not len(self.missing):
            return ""
        worst = self.missing.loc[self.missing["calls"].idxmax()]
        days = int((self.days["missing"] > 0).sum())
        return (
            f"Records are missing: at least {plural(int(self.missing['calls'].sum()), 'call')} in "
            f"{plural(len(self.missing), 'period')} on {plural(days, 'day')}, "
            f"about {percent(self.missing_share)} of the calls in progress; most at "
            f"{moment(worst['start'].tz_convert(self.tz))} (API {worst['api']:,}, records {worst['records']:,})."
        )

    def _surplus(self) -> str:
        if not self.too_many:
            return ""
        return (
            f"The records have more calls than the API in {plural(self.too_many, 'interval')}: some may be of another "
            "project or environment."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for machines: everything JSON can hold."""
        return {
            "sentence": self.sentence(),
            **{name: plain(getattr(self, name)) for name in _FIGURES},
            **{name: records(getattr(self, name)) for name in _TABLES},
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the hypotheses as a table, the best first."""
        return self.table.copy()

    def __str__(self) -> str:
        shown = pd.DataFrame(
            {
                "equal": [percent(share) for share in self.table["share_equal"]],
                "bias": [f"{bias:+.2f}" for bias in self.table["bias"]],
                "more": [count(n) for n in self.table["more"]],
                "less": [count(n) for n in self.table["less"]],
            },
            index=self.table.index,
        )
        notes = "\n".join(f"- {note}" for note in self.notes)
        return "\n\n".join(part for part in (self.sentence(), columns_of(shown), notes) if part)


def reconcile(intervals: pd.DataFrame, calls: Calls | pd.DataFrame, *, tz: str | dt.tzinfo = "UTC") -> Reconciliation:
    """Return how call records compare with the API's maxima, and which part of a call takes a channel.

    The records are swept under each hypothesis: the whole call or the part with the agent, on all channels or by
    voice alone, with starts and ends rounded within a second. The total's maxima decide.

    Parameters
    ----------
    intervals : DataFrame
        The API's maxima with TOTAL, as `capacity.fetch_intervals` returns them; with variants, their names are
        compared as well.
    calls : Calls or DataFrame
        ``start`` and ``end`` [UTC], and where there are some ``polyai_duration`` [s], ``channel``, ``variant``,
        ``env``; as `capacity.fetch_calls` returns them.
    tz : str or tzinfo
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

    See Also
    --------
    capacity.fetch_calls, capacity.fetch_intervals

    Notes
    -----
    A hypothesis is named where less counts against it than against each other one in more hours than chance allows
    (sign test at 0.001), and where it explains nearly all: at most 2% of the API's calls in progress too many, and at
    most 30% missing while records go on. Missing are calls of the API that the records do not give even where each
    starts a second earlier and ends a second later.

    Examples
    --------
    >>> import capacity as cap
    >>> calls = cap.simulate_calls("2026-03-02", days=2, seed=1, tz="UTC")
    >>> maxima = cap.intervals_from_calls(calls)
    >>> found = reconcile(maxima, calls.drop(index=calls.index[2000:2003]))
    >>> found.missing["calls"].sum() >= 1, found.share_equal < 1
    (np.True_, True)
    """
    frame = calls.frame if isinstance(calls, Calls) else calls
    zone = as_zone(tz)
    if TOTAL not in validate(intervals).index.levels[1]:
        raise FrameError("the intervals have no TOTAL, on which records are compared; fetch them with total=True")
    if "blocked" in frame:
        frame = frame[~frame["blocked"].fillna(False).astype(bool)]
    observed = _range(intervals, frame, calls.covered if isinstance(calls, Calls) else None)
    frame, notes = _one_environment(frame, observed)
    tried = sorted((taken(frame, main, observed) for main in main_hypotheses(frame)), key=lambda each: each.loss)
    kinds = not bool(is_voice(frame).all())
    rivals, why = _rivals(tried, observed, channels=kinds)
    best, told = _rounding(tried[0], observed)
    hypothesis = _UNDECIDED if why else best.hypothesis.name(channels=kinds, rounding=told)
    short, over = beyond_a_second(best.starts, best.ends, best.maxima, observed)
    missing = missing_stretches(short, best, observed)
    there = observed.there
    ending = frame.assign(end=held_until(frame, best.hypothesis.duration))
    ending = ending[is_voice(ending)] if best.hypothesis.voice_only else ending
    return Reconciliation(
        hypothesis=hypothesis,
        candidates=tuple(_names([best, *rivals], channels=kinds)),
        why=why,
        share_equal=best.share_equal,
        share_within=float(((short == 0) & (over == 0))[there].mean()),
        bias=float(best.error.mean()),
        rounding=best.hypothesis.rounding,
        intervals=int(there.sum()),
        missing=missing,
        missing_share=_missing_share(best, observed) if len(missing) else 0.0,
        too_many=int((over > 0).sum()),
        table=_table([best, *tried[1:]], channels=kinds),
        days=by_day(best, observed, short, over, zone),
        largest=largest(best, observed),
        series=_series(best, observed),
        tz=str(tz),
        notes=(*notes, *renamed(intervals, ending, observed)),
    )


def _missing_share(best: Tried, observed: Observed) -> float:
    return max(0.0, float(-best.error.sum() / max(int(observed.values[observed.there].sum()), 1)))


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
    times = pd.DatetimeIndex((observed.first + np.arange(len(observed.values))) * STEP.value).tz_localize("UTC")
    there = observed.there
    return pd.DataFrame(
        {"api": observed.values[there], "records": best.maxima[there]}, index=times[there].rename("time")
    )
