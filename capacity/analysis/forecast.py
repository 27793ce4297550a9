"""Daily peaks -> sample paths of the peaks to come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.censoring import uncensor
from capacity.analysis.forecasting.engine import sample_paths
from capacity.analysis.forecasting.history import History, as_history
from capacity.analysis.holidays import HolidayLike, holiday_dates
from capacity.analysis.paths import PeakForecast
from capacity.errors import ConfigError
from capacity.licences import LicenceLike, Licences, as_licences

__all__ = ["PeakForecast", "forecast_peaks"]

_MAX_HORIZON = 365
_WORLDS = 4  # draws of the demand behind the cap, each with its share of the paths

Floats: TypeAlias = npt.NDArray[np.float64]


def forecast_peaks(
    peaks: pd.DataFrame | pd.Series,
    horizon: int,
    *,
    seed: int,
    holidays: HolidayLike = None,
    licences: LicenceLike | None = None,
    exclude: Iterable[Any] | None = None,
    paths: int = 2000,
) -> PeakForecast:
    """Forecast daily peaks as sample paths, for TOTAL and every variant.

    Parameters
    ----------
    peaks : DataFrame or Series
        What `capacity.daily_peaks` returns; or one Series of peaks [calls] with a daily DatetimeIndex (naive local
        midnights), which becomes TOTAL. Incomplete days are left out and counted; missing days stay missing.
    horizon : int
        Days ahead, 1 to 365, after the last row (a last day that is incomplete is not over: it is the first one ahead).
    seed : int
        The paths are drawn at random; the same seed gives the same paths.
    holidays : str or iterable of dates, optional
        A country code ("GB", "US-CA"), or the dates, those ahead included.
    licences : int, str, mapping or Series of date -> count, optional
        The cap under which the history was seen. Peaks at the cap are then censored, and the forecast is of demand.
    exclude : iterable of dates, optional
        Days that must not teach (incidents).
    paths : int
        How many sample paths.

    Returns
    -------
    PeakForecast
        `.paths` has shape (variants, paths, days) and holds whole numbers [calls]. `.left_out` counts incomplete and
        excluded days, `.too_short` names variants with less than eight weeks of history.

    Raises
    ------
    ConfigError
        A horizon outside 1 to 365, fewer than 1 path, or holidays, licences or days that cannot be read.
    FrameError
        Peaks that are no daily peaks.
    InsufficientData
        Less than eight weeks of history; or fewer than 14 days below the licences.

    Notes
    -----
    Each path is one of three kinds, mixed by what would have lost least (pinball loss) at past dates:

    1. calendar effects (weekday, holiday, bridge day, Christmas week) plus levels that fade at their own pace, plus the
       whole error vector of a past forecast, so that the days of a path belong together; the slow part of the error is
       widened by Student's t, since a short history has seen few stretches as long as the horizon;
    2. weeks of the last half year as they were, their special days exchanged for those ahead;
    3. from fourteen months on, the weeks around one and two years ago, moved by the change of level since.

    Weekdays without any call in eight weeks stay at 0. A growth that past forecasts missed time and again goes on; one
    that may as well be a season does not. Within the first year nothing is known of the season: limits are wide, and
    still too narrow where it is strong. An outlier does not move the level, but it was a peak, and may come again:
    name it in `exclude` if it was none. With `licences` the demand behind the cap is drawn four times.

    References
    ----------
    R. J. Hyndman and S. Fan, "Density forecasting for long-term peak electricity demand", IEEE Transactions on Power
    Systems 25 (2010): paths from bootstrapped errors. J. Tobin, "Estimation of relationships for limited dependent
    variables", Econometrica 26 (1958): censoring.

    Examples
    --------
    >>> days = pd.date_range("2026-01-01", periods=120)
    >>> peaks = pd.Series(np.where(days.day_of_week < 5, 100, 20), index=days)
    >>> forecast = forecast_peaks(peaks, 7, seed=1)
    >>> forecast.quantiles(0.5).xs("*", level=1)[0.5].tolist()
    [100, 20, 20, 100, 100, 100, 100]
    """
    if isinstance(horizon, bool) or int(horizon) != horizon or not 1 <= horizon <= _MAX_HORIZON:
        raise ConfigError(f"horizon={horizon!r} is no whole number of days from 1 to {_MAX_HORIZON}")
    if isinstance(paths, bool) or int(paths) != paths or paths < 1:
        raise ConfigError(f"paths={paths!r} is no whole number of at least 1")
    history = as_history(peaks, exclude=exclude)
    first = history.dates[-1] + pd.Timedelta(days=1)
    dates = pd.date_range(first, periods=int(horizon), freq="D", unit="ns")
    days_off = holiday_dates(holidays, range(history.dates[0].year - 1, dates[-1].year + 2))
    cap = None if licences is None else as_licences(licences)

    def ahead(values: Floats, seed: int, count: int) -> npt.NDArray[np.int32]:
        return sample_paths(values, history.dates, int(horizon), holidays=days_off, seed=seed, paths=count)

    if cap is None or not _reached(history, cap).any():
        drawn = ahead(history.values, seed, int(paths))
    else:
        shares = np.diff(np.linspace(0, int(paths), min(_WORLDS, int(paths)) + 1).astype(int))
        parts = [ahead(_demand(history, cap, seed + k), seed + k, int(share)) for k, share in enumerate(shares)]
        drawn = np.concatenate(parts, axis=1)
    return PeakForecast(
        paths=drawn,
        variants=history.variants,
        dates=dates,
        history=history.to_frame(),
        licences=cap,
        left_out=history.left_out,
        slice_name=history.slice_name,
        too_short=history.too_short,
    )


def _reached(history: History, licences: Licences) -> npt.NDArray[np.bool_]:
    """Return which days of which variant reached the cap, shape (days, variants)."""
    return np.asarray(history.values >= licences.on(history.dates)[:, None])


def _demand(history: History, licences: Licences, seed: int) -> Floats:
    """Return the history with the days at the cap replaced by what the demand may have been: one possible world."""
    values = history.values.copy()
    caps = licences.on(history.dates).astype(np.float64)
    for place in np.flatnonzero(_reached(history, licences).any(axis=0)):
        first = int(np.isfinite(values[:, place]).argmax())
        values[first:, place] = uncensor(values[first:, place], caps[first:], seed=seed)
    return values
