"""What is billed: the licences themselves, or a level that the calls of each month reached."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from capacity.analysis.observed import one_series
from capacity.errors import ConfigError
from capacity.ground.localtime import local_times
from capacity.ground.tariff import Rule, as_rule
from capacity.ground.times import STEP

_HELD = 6  # intervals: half an hour
_STEP_MINUTES, _HALF_HOUR = 5.0, 30.0
_SHARE = 0.95
_NO_CAP = 2**31 - 1


def billed_levels(
    frame: pd.DataFrame,
    rule: Rule = "maximum",
    *,
    tz: str | dt.tzinfo = "UTC",
    variant: str | None = None,
    lasting: float = 5.0,
) -> pd.Series:
    """Return the level that each month is billed by [calls].

    Parameters
    ----------
    frame : DataFrame
        Interval frame.
    rule : "maximum", "used", "held" or "p95"
        The highest 5-minute maximum; the level that the calls were at for 30 minutes of the month, not in a row; the
        highest level that six maxima in a row (30 minutes) all reached; the 95th percentile of the 5-minute maxima,
        an attained value.
    tz : str or tzinfo
        IANA name of the zone whose months are meant.
    variant : str, optional
        By default TOTAL, or the only series there is.
    lasting : float
        For "used": how many minutes of its interval a maximum lasts, above 0 and at most 5. A maximum says that a
        level was reached, not for how long: 5 gives the highest level that can be billed, 1 that of maxima which
        last a minute each.

    Returns
    -------
    Series
        By month (Period). Half an hour belongs to the month in which it ends; one with a gap in it does not count.

    Raises
    ------
    ConfigError
        An unknown rule, "licences", which no month changes, or `lasting` outside (0, 5].

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01T14:00Z", periods=8, freq="5min")
    >>> peaks = [3, 9, 5, 5, 6, 7, 5, 4]
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": peaks}))
    >>> [int(billed_levels(frame, rule).iloc[0]) for rule in ("maximum", "used", "held", "p95")]
    [9, 5, 5, 9]
    """
    if as_rule(rule) == "licences":
        raise ConfigError('billing by "licences" depends on no month; give "maximum", "used", "held" or "p95"')
    one = one_series(frame, _NO_CAP, tz, variant)
    month = local_times(one.times, tz).to_period("M")
    values = pd.Series(one.values, index=month.rename("month"), name="billed")
    if rule == "maximum":
        return values.groupby(level=0).max()
    if rule == "used":
        return values.groupby(level=0).agg(lambda v: used_level(v.to_numpy(), lasting))
    if rule == "p95":
        return values.groupby(level=0).agg(lambda v: int(np.quantile(v, _SHARE, method="inverted_cdf")))
    steps = one.times.asi8 // STEP.value
    held = np.zeros(len(values), dtype=np.int64)
    if len(held) >= _HELD:
        whole = steps[_HELD - 1 :] - steps[: -_HELD + 1] == _HELD - 1
        held[_HELD - 1 :] = np.where(whole, sliding_window_view(one.values, _HELD).min(axis=1), 0)
    return pd.Series(held, index=values.index, name="billed").groupby(level=0).max()


def used_level(maxima: npt.NDArray[np.int64], lasting: float = 5.0) -> int:
    """Return the level that maxima of `lasting` minutes each keep for 30 minutes in all; 0 where there are too few.

    Raises
    ------
    ConfigError
        `lasting` outside (0, 5].

    Examples
    --------
    >>> used_level(np.array([503, 503, 500, 500, 500, 500, 500, 20]))
    500
    """
    if not 0 < lasting <= _STEP_MINUTES:
        raise ConfigError(f"lasting={lasting!r} must be above 0 and at most 5 minutes, the length of an interval")
    rank = int(np.ceil(_HALF_HOUR / lasting - 1e-9))
    return int(np.partition(maxima, -rank)[-rank]) if len(maxima) >= rank else 0


def held_level(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the highest level that half an hour of each row keeps, shape (rows,) from (rows, intervals)."""
    if levels.shape[-1] < _HELD:
        return np.asarray(levels.min(axis=-1))
    return np.asarray(sliding_window_view(levels, _HELD, axis=-1).min(axis=-1).max(axis=-1))
