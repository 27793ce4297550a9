"""What takes a channel: every hypothesis swept, compared with the maxima, and the one named that the data can tell.

Records may be missing, but none are there that the API did not count: an interval with too many calls speaks against
a hypothesis more than one with too few (five times). Errors are summed by hour, as neighbouring intervals share their
calls: a hypothesis is better than another where its error is smaller in more hours than chance allows (sign test,
p <= 0.001). What a second explains, at the start or the end of a call, is no error.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.columns import instants
from capacity.calls.holding import DURATIONS, held_until, is_voice
from capacity.calls.sweep import sweep
from capacity.ground.arrays import Ints
from capacity.ground.times import STEP, utc_times

_S = 1_000_000_000
_STEP_NS = STEP.value
_BLOCK = 12  # intervals
_P = 0.001
_FEW = 3  # hours
_TOO_MANY = 5  # times as bad as too few
_STARTS = ("as recorded", "rounded down")
_ENDS = ("as recorded", "rounded down", "rounded up", "a second later")


@dataclass(frozen=True, eq=False)
class Observed:
    """The API's maxima on a range without a break.

    Attributes
    ----------
    first : int
        The first interval, in whole 5-minute steps since 1970.
    values : int64
        -1 where the API was not asked.
    """

    first: int
    values: Ints

    @property
    def times(self) -> pd.DatetimeIndex:
        """The starts of the intervals, UTC."""
        return utc_times((self.first + np.arange(len(self.values))) * _STEP_NS)

    @property
    def there(self) -> npt.NDArray[np.bool_]:
        """Which intervals the API answered for."""
        return np.asarray(self.values >= 0)


@dataclass(frozen=True)
class Hypothesis:
    """Which part of a conversation takes a channel, on which kinds, and how its times are rounded."""

    duration: str
    voice_only: bool
    start: str = "as recorded"
    end: str = "as recorded"

    @property
    def rounding(self) -> str:
        """The rounding in words; "" for none."""
        parts = [f"{what} {how}" for what, how in (("starts", self.start), ("ends", self.end)) if how != "as recorded"]
        return ", ".join(parts)

    def name(self, *, channels: bool, rounding: bool = True) -> str:
        """Return what it is called; channels are left out where there is but one kind."""
        kinds = ["voice" if self.voice_only else "all channels"] if channels else []
        return ", ".join([self.duration, *kinds, *([self.rounding] if rounding and self.rounding else [])])


@dataclass(frozen=True, eq=False)
class Tried:
    """A hypothesis and the maxima that the records give under it.

    Attributes
    ----------
    hypothesis : Hypothesis
    starts, ends : int64 [ns]
        Of the calls that take a channel.
    maxima : int64
        By interval.
    error : int64
        Records less API, in the intervals that the API answered for.
    cost : int64
        What counts against the hypothesis in each of these intervals.
    """

    hypothesis: Hypothesis
    starts: Ints
    ends: Ints
    maxima: Ints
    error: Ints
    cost: Ints

    @property
    def loss(self) -> int:
        """The sum of what counts against it."""
        return int(self.cost.sum())

    @property
    def share_equal(self) -> float:
        """The share of intervals in which the records give what the API says."""
        return float((self.error == 0).mean())


def main_hypotheses(calls: pd.DataFrame) -> list[Hypothesis]:
    """Return the hypotheses without roundings: each duration, all channels or voice alone."""
    durations = [d for d in DURATIONS if d == "total_duration" or d in calls]
    return [Hypothesis(d, voice) for d, voice in itertools.product(durations, (False, True))]


def taken(calls: pd.DataFrame, hypothesis: Hypothesis, observed: Observed) -> Tried:
    """Return the maxima of the records under a hypothesis; a second more or less costs nothing."""
    taking = calls[is_voice(calls)] if hypothesis.voice_only else calls
    starts, _ = instants(taking["start"], "start")
    ends, still = instants(held_until(taking, hypothesis.duration), "end")
    ends = np.where(still, (observed.first + len(observed.values)) * _STEP_NS, ends)
    maxima = swept(starts, ends, observed)
    short, over = beyond_a_second(starts, ends, maxima, observed)
    there = observed.there
    return Tried(hypothesis, starts, ends, maxima, (maxima - observed.values)[there], (short + _TOO_MANY * over)[there])


def beyond_a_second(starts: Ints, ends: Ints, maxima: Ints, observed: Observed) -> tuple[Ints, Ints]:
    """Return by interval how many calls are too few, and how many too many, whatever a second explains."""
    most, least = swept(starts - _S, ends + _S, observed), swept(starts + _S, ends - _S, observed)
    differ = observed.there & (observed.values != maxima)
    short = np.where(differ, np.maximum(observed.values - most, 0), 0)
    over = np.where(differ, np.maximum(least - observed.values, 0), 0)
    return short, over


def rounded(plain: Tried, observed: Observed) -> list[Tried]:
    """Return the same with each way to round times, the closest first; of equals the plainest. Errors cost."""
    tried: list[Tried] = []
    for start, end in itertools.product(_STARTS, _ENDS):
        first = plain.starts if start == "as recorded" else plain.starts // _S * _S
        last = plain.ends + _S if end == "a second later" else plain.ends
        if end.startswith("rounded"):
            last = (plain.ends // _S if end == "rounded down" else -(-plain.ends // _S)) * _S
        if any(np.array_equal(first, t.starts) and np.array_equal(last, t.ends) for t in tried):
            continue
        maxima = swept(first, last, observed)
        error = (maxima - observed.values)[observed.there]
        how = replace(plain.hypothesis, start=start, end=end)
        tried.append(Tried(how, first, last, maxima, error, np.abs(error)))
    return sorted(tried, key=lambda each: each.loss)


def swept(starts: Ints, ends: Ints, observed: Observed) -> Ints:
    """Return the most calls in progress at once within each interval of the range."""
    begin, steps = observed.first * _STEP_NS, len(observed.values)
    starts, ends = (np.clip(t - begin, 0, steps * _STEP_NS) for t in (starts, ends))
    inside = ends > starts
    codes = np.zeros(int(inside.sum()), dtype=np.uint8)
    pieces = sweep(
        starts[inside], ends[inside], codes, codes, groups=1, steps=steps, width=_STEP_NS, total=True, sliced=False
    )
    maxima = np.zeros(steps, dtype=np.int64)
    for piece in pieces:
        if piece.total is not None:
            maxima[piece.first : piece.first + piece.steps] = piece.total.dense(1)[0]
    return maxima


def better(one: Tried, other: Tried, *, few: int = _FEW) -> bool:
    """Whether less counts against one than against the other, in more hours than chance would have it.

    One against which nothing counts needs no more than a `few` hours in which something does against the other.
    """
    if one.loss == 0:
        return int((_by_hour(other.cost - one.cost) > 0).sum()) >= few
    return _closer(other.cost - one.cost)


def steadier(one: Tried, other: Tried, observed: Observed) -> bool:
    """Whether one differs from the API more evenly than the other, where a share of the records is missing.

    Missing records lower the maxima of every hypothesis alike, so that one that counts too much may come close. What
    is left when each day's mean share is taken out tells them apart.
    """
    return one.loss == 0 or _closer(_unevenness(other, observed) - _unevenness(one, observed))


def _unevenness(tried: Tried, observed: Observed) -> npt.NDArray[np.float64]:
    api = observed.values[observed.there]
    day = np.flatnonzero(observed.there) // (24 * _BLOCK)
    calls, error = np.bincount(day, api), np.bincount(day, tried.error)
    share = error / np.maximum(calls, 1)
    return np.asarray((tried.error - share[day] * api) ** 2)


def _closer(gain: npt.NDArray[Any]) -> bool:
    from scipy.special import bdtrc

    by_hour = _by_hour(gain)
    closer, farther = int((by_hour > 0).sum()), int((by_hour < 0).sum())
    return closer > farther and float(bdtrc(closer - 1, closer + farther, 0.5)) <= _P


def _by_hour(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.add.reduceat(values, np.arange(0, len(values), _BLOCK))
