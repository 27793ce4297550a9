"""Days whose peak is far from what their trend and weekday suggest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.peaks import daily_peaks
from capacity.analysis.week_grid import special_days, week_grid
from capacity.errors import InsufficientData
from capacity.ground.arguments import as_amount, as_number
from capacity.ground.arrays import Floats
from capacity.ground.floats import usual_float_errors
from capacity.ground.holidays import HolidayLike
from capacity.stats.cycles import fit_cycles
from capacity.stats.robust import TO_SD

_ANSCOMBE = 3 / 8
_LEAST_DAYS = 28  # four weeks: an odd day must be outvoted by its own weekday
# On sqrt(calls + 3/8). Peaks of a steady line stray by about this much; less is rounding.
_LEAST_SPREAD = 0.15


@usual_float_errors
def anomalies(
    frame: pd.DataFrame,
    *,
    tz: str | dt.tzinfo = "UTC",
    holidays: HolidayLike = None,
    threshold: float = 4.0,
    min_calls: int = 3,
) -> pd.DataFrame:
    """Return the days whose peak is far from what their trend and weekday suggest, with the distance and the time.

    The expected peak of a day follows from its trend (a local line, 29 days wide) and its weekday (over the nearest
    25 weeks or so), fitted robustly to sqrt(peak + 3/8). ``score`` is the distance from it in robust standard
    deviations, taken from the typical distance of days on the same side, since peaks deviate farther upwards than
    downwards. With normal deviations 1 day in 16,000 goes beyond 4; peaks have a longer tail: expect about one a year.

    Parameters
    ----------
    frame : DataFrame
        Interval frame.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose days are meant.
    holidays : str or iterable of dates, optional
        A country code ("GB", "US-CA") or local dates. These days are not fitted; they are listed like the others,
        marked ``special``.
    threshold : float, default 4.0
        The least score that is listed, above or below.
    min_calls : int, default 3
        The least distance from the expected peak [calls], so that a single call on an idle line is not listed.

    Returns
    -------
    DataFrame
        MultiIndex (date: naive local midnight, variant), sorted; one row for each such day:

        ``peak``
            int32 [calls], and ``time``, the UTC start of the first interval that reached it.
        ``expected``
            float [calls], what trend and weekday make of the day.
        ``excess``
            float [calls], peak - expected; negative where the day was too quiet (an outage, a forgotten holiday).
        ``score``
            float, the distance in robust standard deviations; negative where too quiet.
        ``special``
            whether the day is one of the holidays.
        ``complete``
            whether all of the day's intervals are there. A day with gaps can be found too high, never too low.

        ``attrs["left_out"]`` names the variants with less than 28 complete ordinary days.

    Raises
    ------
    InsufficientData
        No series has 28 complete days that are not special.
    ConfigError
        No such time zone or country code, or a threshold that is not above 0.

    See Also
    --------
    capacity.daily_peaks, capacity.decompose

    References
    ----------
    Iglewicz, Hoaglin (1993), How to Detect and Handle Outliers, ASQC.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-06-01", periods=42 * 288, freq="5min", tz="UTC")
    >>> calls = np.where((times.hour >= 8) & (times.hour < 18), 40, 2)
    >>> calls[20 * 288 + 130] = 90
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    >>> found = cap.anomalies(frame).reset_index()[["date", "time", "peak", "expected", "excess"]]
    >>> print(found.to_string(index=False, float_format="{:.1f}".format))
          date                      time  peak  expected  excess
    2026-06-21 2026-06-21 10:50:00+00:00    90      40.0    50.0
    """
    threshold = as_number(threshold, "threshold", lambda score: score > 0, "is not above 0; 4 is usual")
    least = as_amount(min_calls, "min_calls")
    peaks = daily_peaks(frame, tz=tz)
    fitted = pd.concat(list(_fitted(peaks, holidays))) if len(peaks) else None
    labels = [str(label) for label in peaks.index.unique(level=1)]
    if fitted is None or not fitted["score"].notna().any():
        some = ", ".join(repr(label) for label in labels[:3]) + (", ..." if len(labels) > 3 else "")
        have = f"none of {some} has them" if labels else "the frame is empty"
        raise InsufficientData(
            f"anomalies needs {_LEAST_DAYS} complete local days with two of every weekday, not counting special days; "
            f"{have}: give a longer range"
        )
    judged = fitted["score"].notna().groupby(level=1).any()
    far = (fitted["score"].abs() >= threshold) & (fitted["excess"].abs() >= least)
    found = fitted[far & (fitted["complete"] | (fitted["excess"] > 0))].sort_index()
    found.attrs["left_out"] = tuple(str(label) for label in judged.index[~judged])
    return found


def _fitted(peaks: pd.DataFrame, holidays: HolidayLike) -> Iterator[pd.DataFrame]:
    """Yield each series with what was expected of its days; NaN where it is too short to expect anything."""
    apart = special_days(holidays, peaks.index.levels[0])
    for _, series in peaks.groupby(level=1, sort=False):
        complete = series["complete"].to_numpy()
        grid = week_grid(pd.DatetimeIndex(series.index.get_level_values(0)), 1, apart)
        teaching = replace(grid, special=grid.special | ~complete)
        z = np.sqrt(series["peak"].to_numpy() + _ANSCOMBE)
        level, score = np.full(len(z), np.nan), np.full(len(z), np.nan)
        if (~teaching.special).sum() >= _LEAST_DAYS and teaching.of_each_weekday(at_least=1) >= 2:
            cycles = fit_cycles(teaching.spread(z), teaching.weight())
            level = teaching.gather(cycles.trend + cycles.weekly)
            score = _score(z - level, ~teaching.special)
        expected = np.maximum(level, 0) ** 2 - _ANSCOMBE
        expected = np.where(np.isnan(expected), expected, np.maximum(expected, 0))
        yield pd.DataFrame(
            {
                "peak": series["peak"],
                "time": series["time"],
                "expected": expected,
                "excess": series["peak"].to_numpy() - expected,
                "score": score,
                "special": grid.special,
                "complete": complete,
            },
            index=series.index,
        )


def _score(remainder: Floats, teaches: npt.NDArray[np.bool_]) -> Floats:
    """Divide by the typical size of the remainders above, or below, their median."""
    known = remainder[teaches]
    centre = float(np.median(known))
    up = TO_SD * float(np.median(known[known >= centre] - centre))
    down = TO_SD * float(np.median(centre - known[known <= centre]))
    away = remainder - centre
    return np.asarray(away / np.maximum(np.where(away > 0, up, down), _LEAST_SPREAD))
