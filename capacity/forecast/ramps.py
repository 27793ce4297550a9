"""The shape of a past launch, to be used for launches to come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from capacity.errors import InsufficientData
from capacity.forecast.history import as_history
from capacity.ground.arguments import as_whole, pick
from capacity.ground.event import Shape
from capacity.ground.holidays import as_days

__all__ = ["ramp_from"]

_BEFORE = 28  # days that tell the level before the launch
_WEEK = 7
_MOST = 1.5  # of the final level


def ramp_from(peaks: pd.DataFrame | pd.Series, start: Any, days: int, *, variant: str | None = None) -> Shape:
    """Return the shape of a past launch: its share of the final level on each day since it began.

    Parameters
    ----------
    peaks : DataFrame or Series
        What `capacity.daily_peaks` returns, or one Series of peaks [calls] by local day.
    start : date
        The day on which the launch began.
    days : int
        How many days it took, from 7 to 365; the last seven of them are taken for its final level.
    variant : str, optional
        Id of the series; by default TOTAL, or the only one.

    Returns
    -------
    tuple of float
        One share a day, from 0 to 1.5, ending at 1: for `Event(ramp=...)`, which takes several as well.

    Raises
    ------
    ConfigError
        `days` outside 7 to 365, a `start` that is no date, or no such variant.
    InsufficientData
        The history does not hold those days, or the level after the launch is not above the one before.

    See Also
    --------
    capacity.Event, capacity.forecast_peaks

    Notes
    -----
    The level is the mean over seven days, which removes the weekly pattern; the mean of the four weeks before the
    launch is subtracted (0 where the series begins with it).

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2026-01-01", periods=60)
    >>> peaks = pd.Series(50.0 + np.clip(np.arange(60) - 29, 0, 10), index=dates)
    >>> shape = cap.ramp_from(peaks, "2026-01-31", 21)
    >>> shape[0], round(shape[4], 2), shape[-1]
    (0.1, 0.5, 1.0)
    """
    days = as_whole(days, "days", least=_WEEK, most=365)
    first = as_days([start], name="start")[0]
    history = as_history(peaks)
    name = pick(history.variants, variant, where="the history", slice_name=history.slice_name)
    own = pd.Series(history.values[:, history.variants.index(name)], index=history.dates)
    own = own[own.first_valid_index() :]
    last = first + pd.Timedelta(days=days)
    if first not in history.dates or last > history.dates[-1] + pd.Timedelta(days=1):
        raise InsufficientData(
            f"a launch from {first:%Y-%m-%d} over {days} days is not within the history, which is from "
            f"{history.dates[0]:%Y-%m-%d} to {history.dates[-1]:%Y-%m-%d}"
        )
    before = own[first - pd.Timedelta(days=_BEFORE) : first - pd.Timedelta(days=1)]
    base = float(before.mean()) if before.notna().any() else 0.0
    # The level at a day is the mean of the week around it, but days before the launch have no part in it.
    launch = own[first : last - pd.Timedelta(days=1)].interpolate(limit_direction="both")
    level = launch.rolling(_WEEK, center=True, min_periods=_WEEK).mean()
    edge = _WEEK // 2
    ends = [launch.iloc[:_WEEK], launch.iloc[-_WEEK:]]
    final = float(ends[1].mean())
    if not final > base:
        raise InsufficientData(
            f"the level after {first:%Y-%m-%d} ({final:g} calls) is not above the one before ({base:g}): no launch"
        )
    shape = np.clip((level.to_numpy() - base) / (final - base), 0.0, _MOST)
    # The first days rise in a straight line to the middle of the first week.
    shape[:edge] = shape[edge] * (np.arange(edge) + 1) / (edge + 1)
    shape[-edge:] = 1.0
    return tuple(round(float(share), 4) for share in shape)
