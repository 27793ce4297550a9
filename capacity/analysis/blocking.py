"""Calls that were turned away: how many in each month, and how many under other licence counts.

The share of intervals that touch the cap is far above the share of calls lost (at 50 Erlang, 3-minute calls and 64
licences: 20% and 0.84%). Retries, outbound batches and peaky arrivals break what is estimated here: the text of
`capacity.analysis.traffic` says how.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.observed import Series, one_series
from capacity.errors import InsufficientData
from capacity.ground.arguments import as_seed
from capacity.ground.arrays import Floats
from capacity.ground.call_length import CallLength, as_call_length, turnover
from capacity.ground.floats import usual_float_errors
from capacity.ground.licences import LicenceLike, Licences, as_licences
from capacity.ground.localtime import local_times, slot_of_day, slot_of_week
from capacity.ground.result import Result
from capacity.ground.text import html_of
from capacity.ground.times import DAY, STEP
from capacity.stats.erlang import log_erlang_b
from capacity.stats.load_likelihood import evidence
from capacity.stats.load_path import load_path
from capacity.stats.lost_calls import BIN, Lost, draw_lost

_FEWEST = 864  # intervals: three days, from which a profile of the day can be told from chance
_FREE = 0.05  # share of intervals that has to lie below the cap
_WEEKS_FOR_PROFILE = 3
_LIMITS = (0.05, 0.95)
_CURVE = 60  # licence counts in the curve
_FAR = 0.25  # of the logarithm of how many times fewer (or more) calls are lost: the error of the curve
_NONE = 1e-3  # calls: fewer are none


@dataclass(frozen=True, eq=False, repr=False)
class Blocking(Result):
    """How many calls were turned away, month by month, with 90% limits.

    Attributes
    ----------
    monthly : DataFrame
        By local month (Period): ``offered`` calls; ``turned_away`` calls with ``lower`` and ``upper`` (90% limits);
        their ``share`` of the offered calls with ``share_lower`` and ``share_upper``; how many ``intervals`` the frame
        holds, and how many were ``at_cap``, at or above the licences. Missing intervals are not estimated.
    whole : Series
        The same for the whole range.
    curve : DataFrame
        By licence count: ``turned_away`` calls in the whole range with ``lower`` and ``upper``, and ``share``, had
        there been that many licences throughout. At the licences that were held it agrees with `whole`. Away from them
        it is an extrapolation, whose limits widen with the logarithm of how many times fewer (or more) calls are lost,
        since how high the rarest hours were cannot be seen above the licences.
    licences : Licences
        The licences that were held.
    mean_call_length : Timedelta
        Mean length of a call.
    variant : str
        Id of the series.
    offered_load : Series
        The estimated offered load [Erlang], by time [UTC].

    See Also
    --------
    capacity.blocking

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=2016, freq="5min", tz="UTC")
    >>> calls = (20 - 12 * np.cos(2 * np.pi * np.arange(2016) / 288)).astype(int)
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    >>> lost = cap.blocking(frame, "3m", 40, seed=1)
    >>> int(lost.whole["at_cap"]), lost.monthly.index.astype(str).tolist()
    (0, ['2026-07'])
    """

    _chart: ClassVar[str] = "turned_away"

    monthly: pd.DataFrame
    whole: pd.Series
    curve: pd.DataFrame
    licences: Licences
    mean_call_length: pd.Timedelta
    variant: str
    offered_load: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """Return the months."""
        return self.monthly.copy()

    def __str__(self) -> str:
        w = self.whole
        return (
            f"About {w.turned_away:,.0f} calls ({w.lower:,.0f} to {w.upper:,.0f}, 90%) of {w.offered:,.0f} were "
            f"turned away: {w.share:.2%} ({w.share_lower:.2%} to {w.share_upper:.2%}). {int(w.at_cap):,} of "
            f"{int(w.intervals):,} intervals were at the cap ({self.licences} licences). It takes calls of "
            f"{self.mean_call_length.total_seconds():g} s on average that arrive singly, by chance, and do not come "
            "back: retries and dialler batches break it."
        )

    def _table(self) -> str:
        return html_of(str(self), self.monthly, float_format="{:,.4g}".format)


@usual_float_errors
def blocking(
    frame: pd.DataFrame,
    mean_call_length: CallLength,
    licences: LicenceLike,
    *,
    tz: str | dt.tzinfo = "UTC",
    variant: str | None = None,
    seed: int = 0,
) -> Blocking:
    """Return an estimate of how many calls found every licence in use and were turned away.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    mean_call_length : str, timedelta or Timedelta
        Mean length of a call, such as "3m"; `capacity.call_traffic` measures it on call records.
    licences : int, str, mapping, Series or Licences
        The licences held [calls], one count or steps by local date. Intervals under 0 licences are left out, since
        nothing says how many calls there were.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose months are meant, and whose midnights begin licence steps.
    variant : str, optional
        Id of the series; by default TOTAL, or the only one.
    seed : int, default 0
        Seed of the simulation behind the limits.

    Returns
    -------
    Blocking

    Raises
    ------
    ConfigError
        No such variant, or several and no TOTAL among them; a call length without unit; licences that cannot be read.
    InsufficientData
        Fewer than 864 intervals (three days): a load that jumps could not be told from chance. Or fewer than 5% of the
        intervals below the licences: then nothing says how far above them the load is.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.offered_load, capacity.utilisation, capacity.erlang_b, capacity.call_traffic, capacity.Blocking

    Notes
    -----
    The load follows a path (`load_path`): a weekly profile plus a walk, given the maxima, those at the cap being
    "at least". Calls can only be lost in intervals that reached the licences, and their number K is known. So

        turned away = K * sum of A (tau / h) B(L, A) / sum of P(max >= L | A)

    over each month's intervals, with B Erlang's formula. The limits contain the uncertainty of the path; the chance in
    the count itself, since lost calls come in bursts (`overflow_dispersion`), less the part that K explains; and 8% for
    call lengths that are not exponential, an error that a longer history does not average out.
    The share of intervals at the licences is far above the share of calls lost.

    How often the limits hold, in simulation (``python -m benchmarks.blocking_limits 6``; log-normal lengths of 90 s to
    8 minutes, .05 to 3% of the calls lost): over eight settings they held the truth in 45 of 48 runs and 86 of 90
    months, and those of the curve, at .85 to 1.25 times the licences, in 240 of 253 cases. In a ninth, a campaign
    fills an office within minutes: the few full intervals do not say how far the load rose, and the limits
    held in 2 of 6.

    **Retries, outbound batches and peaky arrivals break it**: see the text of `capacity.analysis.traffic`.

    References
    ----------
    P. Coolen-Schrijner, E. A. van Doorn (2002), The deviation matrix of a continuous-time Markov chain, Probability in
    the Engineering and Informational Sciences 16.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-03-02T00:00Z", periods=864, freq="5min")
    >>> peaks = np.minimum(np.random.default_rng(1).poisson(24, 864), 30)
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": peaks}))
    >>> lost = cap.blocking(frame, "3m", 30)
    >>> print(f"{lost.whole.at_cap:.0f} of {lost.whole.intervals:.0f} at the cap; under 2%: {lost.whole.share < 0.02}")
    101 of 864 at the cap; under 2%: True
    """
    given = as_licences(licences)
    seed = as_seed(seed)
    length = as_call_length(mean_call_length)
    one = one_series(frame, given, tz, variant)
    open_ = one.cap > 0  # where there was no licence at all every call was turned away, and none says how many
    one = Series(one.id, one.times[open_], one.values[open_], one.cap[open_])
    if len(one.values) < _FEWEST:
        shut = f", not counting {int((~open_).sum()):,} under 0 licences" if not open_.all() else ""
        raise InsufficientData(
            f"blocking needs at least three days ({_FEWEST} intervals) of maxima and has {len(one.values)}{shut}"
        )
    turn = turnover(length)
    free = int((one.values < one.cap).sum())
    if free < _FREE * len(one.values):
        raise InsufficientData(
            f"blocking needs {_FREE:.0%} of the intervals below the cap and has {free:,} of {len(one.values):,}: with "
            "all licences taken nearly always, the maxima do not say how many more calls there were"
        )
    seen = evidence(one.values, one.cap, turn)
    path = load_path(seen, one.times.asi8 // STEP.value, _profile_slots(one.times, tz))
    month = local_times(one.times, tz).to_period("M")
    codes, months = pd.factorize(month)
    rng = np.random.default_rng(seed)
    drawn = draw_lost(seen, path, one.cap, codes, len(months), rng)
    lost, offered = drawn.lost, drawn.offered
    at_cap = one.values >= one.cap
    monthly = _table(lost, offered, np.bincount(codes), np.bincount(codes, at_cap, minlength=len(months)))
    monthly.index = pd.PeriodIndex(months, name="month")
    counted = np.array([len(codes)]), np.array([at_cap.sum()])
    whole = _table(lost.sum(axis=0, keepdims=True), offered.sum(axis=0, keepdims=True), *counted).iloc[0].rename(None)
    load = pd.Series(path.load, index=one.times, name="offered_load")
    return Blocking(monthly, whole, _curve(drawn, turn, given, rng), given, length, one.id, load)


def _profile_slots(times: pd.DatetimeIndex, tz: str | dt.tzinfo) -> npt.NDArray[np.int64]:
    """Return which intervals share a profile: those of one time of the week, or (in a short history) of the day."""
    long = (times[-1] - times[0]) / DAY >= 7 * _WEEKS_FOR_PROFILE
    return slot_of_week(times, tz) if long else slot_of_day(times, tz)


def _table(lost: Floats, offered: Floats, intervals: npt.NDArray[Any], at_cap: npt.NDArray[Any]) -> pd.DataFrame:
    low, high = np.quantile(lost, _LIMITS, axis=1)
    share_low, share_high = np.quantile(lost / np.maximum(offered, 1e-12), _LIMITS, axis=1)
    calls, mean = offered.mean(axis=1), lost.mean(axis=1)
    return pd.DataFrame(
        {
            "offered": calls,
            "turned_away": mean,
            "lower": low,
            "upper": high,
            "share": mean / np.maximum(calls, 1e-12),
            "share_lower": share_low,
            "share_upper": share_high,
            "intervals": intervals.astype(np.int64),
            "at_cap": at_cap.astype(np.int64),
        }
    )


def _curve(drawn: Lost, turn: float, licences: Licences, rng: np.random.Generator) -> pd.DataFrame:
    """Return the calls that other licence counts would have lost, on average, had they been there all along."""
    counts = drawn.counts
    loads: Floats = np.square((np.arange(len(counts)) + 0.5) * BIN)
    used = np.flatnonzero(counts.any(axis=1))
    top = float(loads[used[-1]])
    highest = max(int(top + 5.0 * np.sqrt(top)) + 5, max(licences.counts) + 5)
    held = np.array([count for count in licences.counts if count > 0], dtype=np.int64)
    lowest = max(min(int(0.5 * top), int(held.min())), 1)
    some = np.linspace(lowest, highest, min(_CURVE, highest - lowest + 1)).round().astype(np.int64)
    channels = np.unique(np.concatenate([some, held]))
    b = np.exp(log_erlang_b(channels[:, None].astype(np.float64), loads[None, used]))
    lost = (b * loads[used] * turn) @ counts[used] * drawn.factor
    offered = float(((loads[used] * turn) @ counts[used]).mean())
    # The further from what was held, the less the run under it says; on a scale on which each call lost counts alike.
    mean = np.log(np.maximum(lost.mean(axis=1), _NONE))
    away = np.abs(mean - mean[np.searchsorted(channels, held)].max())
    lost *= np.exp(_FAR * away[:, None] * rng.standard_normal(lost.shape[1]))
    low, high = np.quantile(lost, _LIMITS, axis=1)
    middle = np.median(lost, axis=1)
    return pd.DataFrame(
        {"turned_away": middle, "lower": low, "upper": high, "share": middle / max(offered, 1e-12)},
        index=pd.Index(channels, name="licences"),
    )
