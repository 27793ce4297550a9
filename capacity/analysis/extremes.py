"""Return levels: the daily peak that is reached once a year, or once in five, at the level that calls have now.

Two methods side by side: where they disagree the record is too short. The GEV of the highest peak of whole weeks
(so that weekdays need no model), and the GPD of what exceeds a threshold after the weekday is scaled out. Trend is
scaled out first in both, and put back as it stands on the last day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from capacity.analysis.tails import ExtremeFit, fit_blocks, fit_tail
from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arguments import as_number, as_whole, pick
from capacity.ground.calendar import SHORT_WEEKDAYS, YEAR
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import TOTAL
from capacity.ground.peaks import wide_peaks
from capacity.ground.result import Result
from capacity.ground.times import DAY_NS
from capacity.stats.extremes import Prior
from capacity.stats.peak_scale import PeakScale, weekday_of

_FEWEST_DAYS = 180


@dataclass(frozen=True, eq=False, repr=False)
class ReturnLevels(Result):
    """Daily peaks that are reached once in a period on average, by two methods, at the level of the last day.

    Attributes
    ----------
    table : DataFrame
        By ``method`` (GEV, GPD) and ``period``: ``level`` [calls]; its limits ``lower`` and ``upper`` [calls] (profile
        likelihood); ``channels``, the level rounded up; and ``extrapolated``, whether the period is longer than the
        record.
    gev, gpd : ExtremeFit
        The fitted distributions, on scaled peaks.
    confidence : float
        Confidence level of the limits.
    days, years : int, float
        Days used, and the length of the record [years].
    block_weeks : int
        Weeks in a block of the GEV.
    threshold : float
        Threshold u of the GPD [calls, on the scale of the busiest weekday on the last day].
    clusters_per_year : float
        Number of separate exceedances of the threshold in a year.
    extremal_index : float
        1 where exceedances come singly; 1 / (mean number in a cluster) where they come together.
    trend : float
        Growth per year that was scaled out: 0.2 is 20%. NaN where it was not.
    weekday : Series
        Each weekday's level relative to the busiest; NaN where it is closed.
    variant : str
        Id of the series.

    See Also
    --------
    capacity.return_levels

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2025-01-06", periods=400, freq="D")
    >>> peaks = pd.Series(60 + np.arange(400) % 7 + np.arange(400) % 5, dates)
    >>> levels = cap.return_levels(peaks)
    >>> list(levels.table.index.unique("period"))
    ['1Y', '2Y', '5Y']
    """

    _chart: ClassVar[str] = "return_levels"

    table: pd.DataFrame
    gev: ExtremeFit
    gpd: ExtremeFit
    confidence: float
    days: int
    years: float
    block_weeks: int
    threshold: float
    clusters_per_year: float
    extremal_index: float
    trend: float
    weekday: pd.Series
    variant: str

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def __repr__(self) -> str:
        levels = self.table["level"].groupby(level="period", sort=False).max().head(3)
        words = ", ".join(f"{level:,.0f} calls once in {period}" for period, level in levels.items())
        return f"<ReturnLevels: at most {words}; from {self.days:,} days>"

    def __str__(self) -> str:
        lines = [f"From {self.days:,} days ({self.years:.1f} years), at the level of the last day:"]
        for (method, period), row in self.table.iterrows():
            far = ", beyond the record" if row["extrapolated"] else ""
            upper = f"{row['upper']:,.0f}" if np.isfinite(row["upper"]) else "no bound"
            lines.append(
                f"  once in {period} ({method}): {row['level']:,.0f} calls "
                f"({row['lower']:,.0f} to {upper}, {self.confidence:.0%}){far}"
            )
        return "\n".join(lines)


@usual_float_errors
def return_levels(
    peaks: pd.DataFrame | pd.Series,
    periods: str | float | Sequence[str | float] = ("1Y", "2Y", "5Y"),
    *,
    variant: str | None = None,
    block_weeks: int | None = None,
    threshold: float | None = None,
    trend: bool | None = None,
    shape_prior: Prior | str | None = "auto",
    confidence: float = 0.95,
) -> ReturnLevels:
    """Return the daily peaks that are reached once in one, two and five years on average (return levels).

    Parameters
    ----------
    peaks : DataFrame or Series
        As `cap.daily_peaks` returns it (days that are not complete are left out), or one Series of daily peaks
        [calls] with a daily DatetimeIndex; NaN is a missing day.
    periods : str or float, or a sequence of them, default ("1Y", "2Y", "5Y")
        "1Y", "2Y", or years as a number.
    variant : str, optional
        Id of the series; by default TOTAL, or the only one.
    block_weeks : int, optional
        Weeks in a block of the GEV. By default 4, 2 or 1: the longest that leaves 40, 26 or enough blocks.
    threshold : float, optional
        Share of the scaled peaks that lie below the GPD's threshold. By default the highest of 0.95, 0.9, ... 0.7
        that leaves 30 separate exceedances.
    trend : bool, optional
        Whether growth is scaled out. By default from a year and a half of days on: in less, it cannot be told from
        the season.
    shape_prior : (mean, standard deviation), None or "auto"
        Normal prior on the shape xi. "auto" (the default): (0, 0.15) with fewer than 100 maxima, none from 100 on.
        None: no prior.
    confidence : float, default 0.95
        Confidence level of the limits, between 0 and 1.

    Returns
    -------
    ReturnLevels

    Raises
    ------
    InsufficientData
        Fewer than 180 days, fewer than 20 block maxima or separate exceedances, or peaks that do not vary.
    FrameError
        Peaks that are not what `capacity.daily_peaks` returns, nor a Series of whole days; one that is negative,
        infinite or no number.
    ConfigError
        A period that cannot be read, a variant that is not there, a threshold outside (0.5, 1), a confidence outside
        (0, 1), or blocks that are no whole weeks.

    See Also
    --------
    capacity.daily_peaks, capacity.licences_needed, capacity.ReturnLevels

    Notes
    -----
    GEV: z_p = mu - (sigma / xi) [1 - (-ln(1 - p))^-xi] with p the share of blocks; GPD:
    u + (sigma / xi) [(N zeta)^xi - 1] with N zeta the clusters expected in the period. Peaks are whole numbers:
    on each day the excess is counted from half a call below the first number at or above the threshold. Exceedances
    less than 3 days apart are one cluster, and its highest counts. Trend and weekdays are fitted robustly to log
    peaks (Huber); the distance of a peak from its fitted value is scaled by a power of the level, from 1/2 (Poisson
    noise) to 1. The limits are those of the profile likelihood, widened by the trend's standard error. Future growth is
    **not** in them. With less than a year of data a season may lie outside what was seen, and without a trend scaled
    out the levels are those of the middle of the record. On days when all licences were in use the peak is not the
    demand: give peaks of demand, or read the levels as those of calls carried.

    References
    ----------
    S. Coles (2001), An Introduction to Statistical Modeling of Extreme Values, chapters 3 to 6.

    Examples
    --------
    >>> import capacity as cap
    >>> rng = np.random.default_rng(0)
    >>> days = pd.date_range("2024-01-01", periods=730)
    >>> levels = cap.return_levels(pd.Series(rng.poisson(100, 730), index=days), ("1Y",))
    >>> levels.table["level"].round(-1).tolist()
    [130.0, 130.0]
    """
    asked = list(periods) if isinstance(periods, Iterable) and not isinstance(periods, str) else [periods]
    years = [_years(period) for period in asked]
    if not years:
        raise ConfigError("periods is empty; give at least one, like '1Y'")
    if not isinstance(confidence, (float, np.floating)) or not 0 < confidence < 1:
        raise ConfigError(f"confidence={confidence!r} is not between 0 and 1; write 0.95 for 95%")
    if block_weeks is not None:
        block_weeks = as_whole(block_weeks, "block_weeks", least=1, most=520, of="weeks")
    if threshold is not None:
        threshold = as_number(threshold, "threshold", lambda share: 0.5 < share < 1, "must be in (0.5, 1), such as 0.9")
    name, daily = _daily(peaks, variant)
    if len(daily) < _FEWEST_DAYS:
        raise InsufficientData(f"return levels need at least {_FEWEST_DAYS} complete days and have {len(daily)}")
    y, day = daily.to_numpy(), pd.DatetimeIndex(daily.index).as_unit("ns").asi8 // DAY_NS
    scale = PeakScale.of(y, day, trend)
    opened = ~np.isnan(scale.weekday[weekday_of(day)])
    y, day = y[opened], day[opened]
    span = (int(day[-1] - day[0]) + 1) / YEAR
    gev, weeks = fit_blocks(y, day, scale, block_weeks, shape_prior)
    tail = fit_tail(y, day, scale, threshold, shape_prior)
    rows = {}
    for year in years:
        for method, fit, period in (
            ("GEV", gev, year * YEAR / (7.0 * weeks)),
            ("GPD", tail.fit, tail.observations(year)),
        ):
            level = fit.return_level(period)
            low, high = fit.return_level_limits(period, confidence=confidence)
            trend_part = stats.norm.ppf(0.5 + confidence / 2) * scale.trend_se * level
            low, high = level - np.hypot(level - low, trend_part), level + np.hypot(high - level, trend_part)
            rows[method, f"{year:g}Y"] = (level, low, high, year)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["level", "lower", "upper", "extrapolated"])
    table.index = pd.MultiIndex.from_tuples(rows, names=["method", "period"])
    table = table.sort_index(level="method", sort_remaining=False)
    table["extrapolated"] = table["extrapolated"] > span
    table.insert(3, "channels", np.ceil(table["level"]).astype(np.int64))
    weekday = pd.Series(scale.weekday, index=pd.Index(SHORT_WEEKDAYS), name="relative")
    return ReturnLevels(
        table,
        ExtremeFit(**vars(gev)),
        ExtremeFit(**vars(tail.fit)),
        confidence,
        len(day),
        span,
        weeks,
        tail.fit.threshold,
        tail.clusters_per_year,
        tail.extremal_index,
        scale.growth,
        weekday,
        name,
    )


def _daily(peaks: pd.DataFrame | pd.Series, variant: str | None) -> tuple[str, pd.Series]:
    """Return the name and the daily peaks of one series, complete days only, ascending."""
    wide, complete, slice_name = wide_peaks(peaks)
    if isinstance(peaks, pd.Series) and peaks.name not in (None, "peak"):
        wide, complete = (table.set_axis([str(peaks.name)], axis=1) for table in (wide, complete))
    name = pick(list(wide.columns), variant, where="the peaks", slice_name=slice_name) if len(wide.columns) else TOTAL
    series = wide[name].where(complete[name]).dropna() if name in wide else pd.Series(dtype=np.float64)
    return name, series.set_axis(pd.DatetimeIndex(series.index))


def _years(period: str | float) -> float:
    text = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*[Yy]?\s*", str(period))
    if text is None or isinstance(period, bool) or not 0 < float(text[1]) <= 1000:
        raise ConfigError(f"period={period!r} is no number of years; write it like '1Y' or 2")
    return float(text[1])
