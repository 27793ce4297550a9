"""Measured on call records: how long calls last, how unevenly they come, and how many callers try again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.columns import group_codes, instants
from capacity.calls.holding import DURATIONS, calls_of, held_until, is_voice
from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arrays import Floats, Ints
from capacity.ground.calls import Calls
from capacity.ground.frame import TOTAL
from capacity.ground.localtime import local_times
from capacity.ground.notes import Note
from capacity.ground.result import Result
from capacity.ground.text import columns_of, count, percent
from capacity.ground.times import DAY_NS, utc_times

_Z = 1.96
_FEW = 30  # calls, or days with calls, that a figure needs
_BIN_S = 300
_BINS = 12  # an hour
_BURSTY = 1.2
_RETRIES = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class CallTraffic(Result):
    """How long calls last, how unevenly they come and how many callers try again, measured on call records.

    All limits are 95% limits, from the differences between days.

    Attributes
    ----------
    calls : int
        Number of calls that ended, on which the lengths rest.
    mean_call_length : Timedelta
        Mean length of a call.
    length_limits : tuple of Timedelta
        Lower and upper limit of the mean.
    lengths : DataFrame
        By variant and local hour of the day (TOTAL for all variants): ``calls``, ``mean`` with ``lower`` and
        ``upper``, and the standard deviation ``sd`` [s]. Limits are NaN where there are under 30 calls.
    by_variant : DataFrame
        The same by variant.
    burstiness : float
        Variance of the number of calls that begin in 5 minutes over that of Poisson arrivals of the same rate: 1 for
        what Erlang's formulas assume. From differences of neighbouring intervals, so that the course of the day is not
        in it.
    burst_limits : tuple of float
        Lower and upper limit of `burstiness`; NaN for a single day.
    again : float or None
        The share of calls from a number whose previous call ended at most ten minutes earlier; None where numbers were
        not counted.
    again_by_hour : DataFrame or None
        By local hour of the day: ``calls`` with a number, how many came ``again``, and their ``share``.
    tz : str
        The zone of the hours.

    See Also
    --------
    capacity.call_traffic

    Examples
    --------
    >>> import capacity as cap
    >>> found = cap.call_traffic(cap.simulate_calls("2026-03-02", days=7, seed=1))
    >>> round(found.mean_call_length.total_seconds()), round(found.burstiness, 1)
    (452, 1.1)
    """

    calls: int
    mean_call_length: pd.Timedelta
    length_limits: tuple[pd.Timedelta, pd.Timedelta]
    lengths: pd.DataFrame
    by_variant: pd.DataFrame
    burstiness: float
    burst_limits: tuple[float, float]
    again: float | None
    again_by_hour: pd.DataFrame | None
    tz: str

    def mean_in_words(self) -> str:
        """Return the mean length with its limits."""
        mean, low, high = (each.total_seconds() for each in (self.mean_call_length, *self.length_limits))
        return f"{mean:,.0f} s ({low:,.0f} to {high:,.0f} s)"

    def sentence(self) -> str:
        """Say the mean length, how unevenly calls come, and how many are new tries."""
        text = f"A call lasts {self.mean_in_words()} on average, measured on {self.calls:,} calls."
        text += (
            f" Calls come {self.burstiness:.1f} times as unevenly as Erlang's formulas assume "
            f"({self.burst_limits[0]:.1f} to {self.burst_limits[1]:.1f})."
        )
        if self.again is not None:
            text += f" {percent(self.again)} come from a number that called within ten minutes before."
        return text

    def notes(self) -> list[Note]:
        """Return which of Erlang's assumptions the records break, and what that means for calls turned away."""
        found = []
        if self.burst_limits[0] > _BURSTY:
            text = (
                f"Calls turned away: calls come in bursts, {self.burstiness:.1f} times as unevenly as Erlang's formula "
                "assumes; more are turned away than it says."
            )
            found.append(Note(text, field="traffic", severity="warning"))
        if self.again is not None and self.again > _RETRIES:
            text = (
                f"Calls turned away: {percent(self.again)} of calls come from a number that called within ten minutes "
                "before; where callers try again, fewer people than calls are turned away."
            )
            found.append(Note(text, field="traffic", severity="warning"))
        return found

    def to_frame(self) -> pd.DataFrame:
        """Return the lengths by variant."""
        return self.by_variant.copy()

    def __str__(self) -> str:
        shown = pd.DataFrame(
            {
                "calls": [count(n) for n in self.by_variant["calls"]],
                "mean [s]": [count(mean) for mean in self.by_variant["mean"]],
                "95% limits": [
                    "" if np.isnan(low) else f"{low:,.0f} to {high:,.0f}"
                    for low, high in zip(self.by_variant["lower"], self.by_variant["upper"], strict=True)
                ],
                "sd [s]": [count(sd) for sd in self.by_variant["sd"]],
            },
            index=self.by_variant.index,
        )
        return f"{self.sentence()}\n\n{columns_of(shown)}"


def call_traffic(
    calls: Calls | pd.DataFrame,
    *,
    tz: str | dt.tzinfo = "UTC",
    duration: str = "total_duration",
    voice_only: bool = False,
) -> CallTraffic:
    """Return how long calls last and how unevenly they come, from call records.

    Parameters
    ----------
    calls : Calls or DataFrame
        Call records with ``start`` and ``end`` [UTC], and if known ``polyai_duration`` [s], ``channel`` and
        ``variant``.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose hours are meant.
    duration : {"total_duration", "polyai_duration"}, default "total_duration"
        Which part of a call takes a channel: the whole, or the part with the agent. `capacity.reconcile` finds out
        which.
    voice_only : bool, default False
        Whether calls on other channels than voice are left out.

    Returns
    -------
    CallTraffic

    Raises
    ------
    InsufficientData
        Fewer than 30 calls have ended.
    ConfigError
        An unknown `duration`, or no such time zone.
    FrameError
        ``start`` or ``end`` is missing, or is no time.

    See Also
    --------
    capacity.read_calls, capacity.fetch_calls, capacity.reconcile, capacity.blocking, capacity.CallTraffic

    Notes
    -----
    The mean is sum of lengths / calls. Its standard error treats days as the units that were drawn:
    sqrt(D / (D - 1) sum (S_d - mean n_d)^2) / n, with S_d and n_d the sum and number of day d (Cochran 1977, ratio
    estimates). Burstiness is sum (x_t+1 - x_t)^2 / 2 over sum of the means, within each hour (the index of
    dispersion after von Neumann's differences); its limits are by the jackknife over days.

    Examples
    --------
    >>> import capacity as cap
    >>> calls = cap.simulate_calls("2026-03-02", days=7, seed=1)
    >>> print(cap.call_traffic(calls).sentence())
    A call lasts 452 s (433 to 471 s) on average, measured on 20,846 calls. Calls come 1.1 times as unevenly as \
Erlang's formulas assume (1.0 to 1.1).
    """
    if duration not in DURATIONS:
        raise ConfigError(f"duration={duration!r} is none of {', '.join(DURATIONS)}")
    frame = calls_of(calls)
    frame = frame[is_voice(frame)] if voice_only else frame
    frame = frame[frame["end"].notna()].sort_values("start", kind="stable")
    if len(frame) < _FEW:
        raise InsufficientData(f"the records have {len(frame)} calls that ended; {_FEW} are needed")
    starts, _ = instants(frame["start"], "start")
    ends, _ = instants(held_until(frame, duration), "end")
    local = local_times(utc_times(starts), tz)
    day, hour = local.normalize().asi8 // DAY_NS, local.hour.to_numpy().astype(np.int64)
    length = (ends - starts) / 1e9
    codes, ids = group_codes(frame["variant"]) if "variant" in frame else (np.zeros(len(frame), np.int64), [])
    mean, low, high, _ = _mean(length, day)
    bursts, burst_limits = _burstiness(local.asi8 // 1_000_000_000, day)
    again, by_hour = _again(calls.callers if isinstance(calls, Calls) else None, tz)
    return CallTraffic(
        calls=len(frame),
        mean_call_length=pd.Timedelta(seconds=round(mean, 3)),
        length_limits=(pd.Timedelta(seconds=round(max(low, 0), 3)), pd.Timedelta(seconds=round(high, 3))),
        lengths=_table(length, day, codes, ids, hour),
        by_variant=_table(length, day, codes, ids, None),
        burstiness=bursts,
        burst_limits=burst_limits,
        again=again,
        again_by_hour=by_hour,
        tz=str(tz),
    )


def _mean(length: Floats, day: Ints) -> tuple[float, float, float, float]:
    """Return mean, limits and standard deviation [s]; the limits are NaN where there are too few."""
    mean, sd = float(length.mean()), float(length.std())
    if len(length) < _FEW:
        return mean, np.nan, np.nan, sd
    days, place = np.unique(day, return_inverse=True)
    rest = np.bincount(place, length - mean)
    clusters = len(days)
    spread = float((rest**2).sum()) * clusters / (clusters - 1) if clusters > 1 else float(sd**2 * len(length))
    error = _Z * np.sqrt(spread) / len(length)
    return mean, mean - error, mean + error, sd


def _table(
    length: Floats, day: Ints, codes: npt.NDArray[np.integer], ids: list[str], hour: Ints | None
) -> pd.DataFrame:
    """Return the lengths by variant (TOTAL first), and by hour of the day where one is given."""
    rows, labels = [], []
    groups = [(TOTAL, np.ones(len(length), dtype=bool)), *((name, codes == k) for k, name in enumerate(ids))]
    for name, mine in groups:
        hours = [None] if hour is None else list(range(24))
        for each in hours:
            chosen = mine if each is None else mine & (hour == each)
            if chosen.any():
                rows.append((int(chosen.sum()), *_mean(length[chosen], day[chosen])))
                labels.append(name if each is None else (name, each))
    both = hour is not None
    index = pd.MultiIndex.from_tuples(labels, names=["variant", "hour"]) if both else pd.Index(labels, name="variant")
    return pd.DataFrame(rows, index=index, columns=["calls", "mean", "lower", "upper", "sd"])


def _burstiness(local_s: Ints, day: Ints) -> tuple[float, tuple[float, float]]:
    """Return the index of dispersion of arrivals in 5 minutes within hours, and its limits."""
    first = int(day.min())
    days = int(day.max()) - first + 1
    cell = local_s // _BIN_S - first * 86_400 // _BIN_S
    counts = np.bincount(cell, minlength=days * 288).reshape(days, -1, _BINS).astype(np.float64)
    noise = (np.diff(counts, axis=2) ** 2).sum(axis=(1, 2)) / 2 / (_BINS - 1)
    mean = counts.mean(axis=2).sum(axis=1)
    whole = float(noise.sum() / mean.sum())
    if days < 2:
        return whole, (np.nan, np.nan)
    busy = mean.sum() - mean > 0
    without = (noise.sum() - noise)[busy] / (mean.sum() - mean)[busy]
    error = _Z * np.sqrt((days - 1) / days * ((without - without.mean()) ** 2).sum())
    return whole, (whole - float(error), whole + float(error))


def _again(callers: pd.DataFrame | None, tz: str | dt.tzinfo) -> tuple[float | None, pd.DataFrame | None]:
    if callers is None or not len(callers) or not callers["calls"].sum():
        return None, None
    hour = local_times(pd.DatetimeIndex(callers.index), tz).hour
    table = callers.groupby(pd.Index(hour, name="hour"))[["calls", "again"]].sum()
    share = table["again"] / table["calls"].where(table["calls"] > 0)
    return float(table["again"].sum() / table["calls"].sum()), table.assign(share=share)
