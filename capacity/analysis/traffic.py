"""From observed maxima to offered load, and to the calls that were turned away.

**Assumptions.** `offered_load` and `blocking` take calls to arrive as a Poisson process whose rate moves slowly against
a call length, to last `mean_call_length` on average, and to stay away once turned away.

- *Retries*: callers who ring again at once are counted again and again. The load found is that of attempts, and
  fewer people were turned away than calls.
- *Dialler batches*: an outbound campaign starts many calls at one moment. The maximum then tells the size of the
  batch, not the load; the load comes out too high, and calls are lost in heaps that Erlang's formula does not see.
- *Peaky arrivals* (an advert, an outage): more is lost than estimated, and the limits are too narrow.
- *Calls of much the same length* make the maxima a little larger than those of exponential ones. The load is read 1
  to 2% too high; above 100 Erlang that is a quarter of the lost calls.
- *A wrong call length* moves the number of calls in proportion, and the load itself much less.
- *All licences taken for hours*: the maxima then only say "at least", and the answer rests on the days around.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.observed import Series, all_series
from capacity.errors import ConfigError
from capacity.ground.arrays import Floats
from capacity.ground.call_length import CallLength, as_call_length, turnover
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import slice_name
from capacity.ground.licences import LicenceLike
from capacity.ground.localtime import hour_of_week, local_times
from capacity.ground.times import HOUR_NS, utc_times
from capacity.stats.load_likelihood import Evidence, evidence
from capacity.stats.maxima import variance_inflation

By: TypeAlias = Literal["hour", "hour_of_week"]

_NEWTON_STEPS = 40
_CLOSE = 1e-4  # of sqrt(load)


@usual_float_errors
def offered_load(
    frame: pd.DataFrame,
    mean_call_length: CallLength,
    *,
    by: By | None = None,
    licences: LicenceLike | None = None,
    tz: str | dt.tzinfo = "UTC",
) -> pd.DataFrame:
    """Return the offered load [Erlang] behind 5-minute maxima, by maximum likelihood.

    The offered load is the mean number of calls that would be in progress at once if none were turned away.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    mean_call_length : str, timedelta or Timedelta
        Mean length of a call, such as "3m".
    by : {"hour", "hour_of_week"}, optional
        Which intervals share one load: each clock hour, or each of the week's 168 hours. By default each interval has a
        load of its own.
    licences : int, str, mapping, Series or Licences, optional
        The licences under which the maxima were seen. Intervals of TOTAL that reach them count as "at least so many"
        (censored); in the same intervals the variants' maxima are lower bounds.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose hours are meant, and whose midnights begin licence steps.

    Returns
    -------
    DataFrame
        Index (time, variant), time being the UTC start of the interval or hour; or (hour_of_week, variant), hour
        0 beginning on Monday at 00:00 local time. Columns:

        ``offered_load``
            A [Erlang]. NaN where every interval was at the licences: then nothing bounds the load from above.
        ``se``
            Its standard error [Erlang], widened for the correlation of consecutive maxima. It holds for one steady
            load: where the load moves within the group, the spread of the load itself is not in it.
        ``intervals``, ``at_cap``
            How many intervals it rests on, and how many of them were at the licences.

    Raises
    ------
    ConfigError
        An unknown `by`, a call length without unit, or licences with several series and no TOTAL among them.

    See Also
    --------
    capacity.blocking, capacity.erlang_b

    Notes
    -----
    P(max < c) = pi[0..c-1] . exp(Q_c tau) . 1, with pi = Poisson(A) and Q_c the birth-death generator killed at c.
    The mean of the maxima lies above A (at 3 minutes a call by 38% at 10 Erlang, 9% at 200), and must not be read as a
    load. Assumed are calls that arrive as a Poisson process whose rate moves slowly against a call length, and that
    stay away once turned away. Callers who try again, outbound batches and peaky arrivals break this: see the text of
    `capacity.analysis.traffic`.

    References
    ----------
    J. Keilson (1979), Markov Chain Models: Rarity and Exponentiality. L. N. Trefethen, J. A. C. Weideman, T. Schmelzer
    (2006), Talbot quadratures and rational approximations, BIT 46.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01T14:00Z", periods=12, freq="5min")
    >>> peaks = [60, 57, 59, 62, 58, 55, 61, 59, 58, 60, 57, 59]
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": peaks}))
    >>> cap.offered_load(frame, "3m", by="hour").round(1).iloc[0].to_dict()
    {'offered_load': 50.2, 'se': 2.3, 'intervals': 12.0, 'at_cap': 0.0}
    """
    if by not in (None, "hour", "hour_of_week"):
        raise ConfigError(f'by={by!r} is not known; give "hour", "hour_of_week" or None')
    turn = turnover(as_call_length(mean_call_length))
    parts = [_load_of(one, turn, by, tz) for one in all_series(frame, licences, tz)]
    level = slice_name(frame)
    head = "hour_of_week" if by == "hour_of_week" else "time"
    names = ["offered_load", "se", "intervals", "at_cap"]
    if not parts:
        index = pd.MultiIndex.from_arrays([pd.DatetimeIndex([], tz="UTC"), pd.Index([], dtype=object)])
        return pd.DataFrame({name: np.empty(0) for name in names}, index=index.set_names([head, level]))
    out = pd.concat(parts, ignore_index=True).set_index(["key", "id"]).sort_index()
    return out[names].rename_axis([head, level])


def _load_of(one: Series, turn: float, by: By | None, tz: str | dt.tzinfo) -> pd.DataFrame:
    """Return the load of each group of one series' intervals."""
    seen = evidence(one.values, one.cap, turn)
    key: Any
    if by is None:
        x, se = (part.take(seen.kind) for part in seen.table.best)
        key, group, count = one.times, np.arange(len(one.values)), np.ones(len(one.values), dtype=np.int64)
    else:
        key, group = _groups(one.times, by, tz)
        count = np.bincount(group)
        x, se = _steady(seen, group, count)
    at_cap = np.bincount(group, seen.at_cap).astype(np.int64)
    bounded = at_cap < count
    load = np.where(bounded, x, np.nan) ** 2
    # At 0 calls the likelihood falls like exp(-A (1 + tau / h)) for each maximum: no parabola, but a scale.
    floor = 1.0 / (count * (1.0 + turn))
    error = np.where(bounded, np.maximum(2.0 * np.where(bounded, x * se, 0.0), floor), np.nan)
    return pd.DataFrame(
        {"key": key, "id": one.id, "offered_load": load, "se": error, "intervals": count, "at_cap": at_cap}
    )


def _groups(times: pd.DatetimeIndex, by: By, tz: str | dt.tzinfo) -> tuple[Any, npt.NDArray[np.int64]]:
    """Return the keys, ascending, and each time's place among them."""
    if by == "hour_of_week":
        hours, place = np.unique(hour_of_week(times, tz), return_inverse=True)
        return hours, place.reshape(-1)
    # Whole hours of local time, told by their UTC start: the hour that happens twice stays two hours.
    local = local_times(times, tz).asi8
    start = times.asi8 - local % HOUR_NS
    starts, place = np.unique(start, return_inverse=True)
    return utc_times(starts), place.reshape(-1)


def _steady(seen: Evidence, group: npt.NDArray[np.int64], count: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the most likely x = sqrt(load) of each group and its standard error, by Newton for all at once."""
    own = seen.table.best[0].take(seen.kind)
    own = np.where(np.isfinite(own), own, np.sqrt(seen.highest))
    x = np.bincount(group, own) / count
    for _ in range(_NEWTON_STEPS):
        _, slope, bend = seen.table.look(seen.kind, x.take(group))
        move = -np.bincount(group, slope) / np.bincount(group, bend)
        moved = np.clip(x + np.clip(move, -1.0, 1.0), 0.0, seen.table.grid[-1])
        done = float(np.abs(moved - x).max()) < _CLOSE
        x = moved
        if done:
            break
    _, _, bend = seen.table.look(seen.kind, x.take(group))
    information = -np.bincount(group, bend)
    # A few intervals are too few for the correlation of many to build up in full.
    inflation = np.minimum(variance_inflation(x**2, seen.turn), count)
    return x, np.sqrt(inflation / information)
