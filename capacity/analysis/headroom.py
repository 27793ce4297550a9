"""When and how often a forecast exceeds the licences, and how many licences are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.combine import bound_note
from capacity.errors import ConfigError
from capacity.forecast.paths import PeakForecast
from capacity.ground.arguments import as_whole, check_kind
from capacity.ground.calendar import horizons_within
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import TOTAL
from capacity.ground.licences import LicenceLike, Licences, as_licences
from capacity.ground.result import Result
from capacity.ground.text import chance, day, held_from, html_of, plural

_WINDOW = 30  # days
_KS = (1, 2, 3, 5, 10, 15, 20, 25, 30)
_DATES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, eq=False, repr=False)
class Headroom(Result):
    """When, how often and with what chance demand exceeds the licences within the horizon.

    "Above" means that a peak is higher than the licences, so that calls are turned away. "At or above" means that
    the last licence is in use. Both are counted on whole sample paths (simulated futures), not taken from quantiles of
    single days.

    Attributes
    ----------
    licences : Licences
        The counts asked about; steps hold from their dates on.
    variant : str
        Id of the series, TOTAL ("*") by default.
    dates : DatetimeIndex
        The days ahead, naive midnights of local days.
    p_above : Series
        By date: the probability that a first day above has come by the end of that day.
    p_at_or_above : Series
        The same for a first day at or above.
    dates_given : mapping of float -> Timestamp or None
        The dates by which the first day above has come in 10, 50 and 90% of the paths on which it comes within the
        horizon; None where it comes on no path.
    beyond : float
        The probability that no day above comes within the horizon.
    per_month : DataFrame
        By calendar month (Period): ``days`` of it within the horizon, and the expected number of days ``above`` and
        ``at_or_above``.
    k_in_30 : DataFrame
        ``k``, the ``probability`` that at least k of the first 30 days are above, and ``any_30``, that at least k of
        some 30 days in a row within the horizon are. A horizon below 30 days is taken in place of the 30 days.
    daily : DataFrame
        By date: the ``licences``, and the probability that this very day is ``above`` or ``at_or_above``.
    note : str
        For the total of combined projects: that it is an upper bound, and by how much it may be too high; "" otherwise.

    See Also
    --------
    capacity.headroom, capacity.licences_needed

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2026-09-01", periods=2)
    >>> paths = np.array([[[100, 110], [90, 130], [95, 105], [99, 90]]])
    >>> forecast = cap.PeakForecast(paths, ("*",), dates, pd.DataFrame({"*": []}))
    >>> cap.headroom(forecast, 105).p_above.tolist()
    [0.0, 0.5]
    """

    _chart: ClassVar[str] = "exhaustion"

    licences: Licences
    variant: str
    dates: pd.DatetimeIndex
    p_above: pd.Series
    p_at_or_above: pd.Series
    dates_given: Mapping[float, pd.Timestamp | None]
    beyond: float
    per_month: pd.DataFrame
    k_in_30: pd.DataFrame
    daily: pd.DataFrame
    note: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return by date: licences, p_above, p_at_or_above (by that day), day_above, day_at_or_above (on that day)."""
        return pd.DataFrame(
            {
                "licences": self.daily["licences"],
                "p_above": self.p_above,
                "p_at_or_above": self.p_at_or_above,
                "day_above": self.daily["above"],
                "day_at_or_above": self.daily["at_or_above"],
            }
        )

    def sentence(self) -> str:
        """Return the licences, the chances of exceeding and reaching them, and the likely date, in words."""
        passed, touched = 1 - self.beyond, float(self.p_at_or_above.iloc[-1])
        counts = set(self.daily["licences"])
        many = f"{counts.pop():,}" if len(counts) == 1 else "them"
        whose = "" if self.variant == TOTAL else f" for {self.variant}"
        text = (
            f"Licences{whose}: {held_from(self.licences, self.dates[0])}. Chance of exceeding {many} within "
            f"{plural(len(self.dates), 'day')}: {chance(passed)}; of reaching {many}: {chance(touched)}."
        )
        middle = self.dates_given[0.5]
        if middle is not None and passed >= 0.01:
            text += f" If they are exceeded, in half of the cases by {day(middle)}."
        return f"{text} {self.note}".rstrip()

    __str__ = sentence

    def _table(self) -> str:
        return html_of(self.sentence(), self.per_month.round(1))


@usual_float_errors
def headroom(forecast: PeakForecast, licences: LicenceLike, *, variant: str | None = None) -> Headroom:
    """Return when, how often and with what chance a forecast exceeds the licences.

    Parameters
    ----------
    forecast : PeakForecast
        What `capacity.forecast_peaks` returns.
    licences : int, str, mapping, Series or Licences
        Licences [calls]: one count, or steps by local date ("115,2026-09-01:130"), which hold from their dates on.
    variant : str, optional
        Id of the series; by default TOTAL, or the only one.

    Returns
    -------
    Headroom

    Raises
    ------
    ConfigError
        `forecast` is no PeakForecast, the licences cannot be read, or there is no such variant.

    See Also
    --------
    capacity.forecast_peaks, capacity.licences_needed, capacity.Headroom

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2026-09-01", periods=3)
    >>> paths = np.array([[[90, 100, 105], [101, 90, 90], [90, 90, 90], [90, 90, 100]]])
    >>> result = cap.headroom(cap.PeakForecast(paths, ("*",), dates, pd.DataFrame({"*": []})), 100)
    >>> result.p_above.tolist(), result.p_at_or_above.tolist(), result.beyond
    ([0.25, 0.25, 0.5], [0.25, 0.5, 0.75], 0.5)
    >>> print(result.sentence().partition(" If")[0])
    Licences: 100. Chance of exceeding 100 within 3 days: 50%; of reaching 100: 75%.
    """
    check_kind(forecast, PeakForecast, "forecast", made_by="capacity.forecast_peaks")
    steps = as_licences(licences)
    name = forecast.pick(variant)
    dates = forecast.dates.rename("date")
    held = steps.on(dates)
    peaks = forecast.series(name)
    above, reached = peaks > held, peaks >= held  # (paths, days)
    first = np.where(above.any(axis=1), above.argmax(axis=1), len(dates))
    return Headroom(
        licences=steps,
        variant=name,
        dates=dates,
        p_above=_by_day(above, dates, "p_above"),
        p_at_or_above=_by_day(reached, dates, "p_at_or_above"),
        dates_given=_dates_given(first, dates),
        beyond=float((first == len(dates)).mean()),
        per_month=_per_month(above, reached, dates),
        k_in_30=_k_in_30(above),
        daily=pd.DataFrame(
            {"licences": held, "above": above.mean(axis=0), "at_or_above": reached.mean(axis=0)}, index=dates
        ),
        note=bound_note(forecast.history) if name == TOTAL else "",
    )


@usual_float_errors
def licences_needed(
    forecast: PeakForecast,
    risk: float | Sequence[float] = (0.01, 0.05, 0.1),
    horizons: int | Sequence[int] | None = None,
    *,
    variant: str | None = None,
) -> pd.DataFrame:
    """Return the fewest licences that are exceeded within a horizon with at most a given risk.

    The smallest whole number L with P(max over the horizon > L) <= risk: the (1 - risk) quantile over paths of the
    path's maximum, never of single days. For a risk below the share of a single path it is the highest path.

    Parameters
    ----------
    forecast : PeakForecast
        What `capacity.forecast_peaks` returns.
    risk : float or sequence of float, default (0.01, 0.05, 0.1)
        Chances of exceeding, between 0 and 1.
    horizons : int or sequence of int, optional
        Days ahead; by default those of 30, 90 and 365 that the forecast covers, or all of it if none.
    variant : str, optional
        Id of the series; by default TOTAL, or the only one.

    Returns
    -------
    DataFrame
        Licences [calls, int64]: index ``risk``, one column for each horizon [days].

    Raises
    ------
    ConfigError
        `forecast` is no PeakForecast, a risk outside (0, 1), a horizon that the forecast does not cover, or no such
        variant.

    See Also
    --------
    capacity.headroom, capacity.best_licence_count

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2026-09-01", periods=1)
    >>> one_to_hundred = np.arange(1, 101).reshape(1, 100, 1)
    >>> forecast = cap.PeakForecast(one_to_hundred, ("*",), dates, pd.DataFrame({"*": []}))
    >>> cap.licences_needed(forecast, (0.01, 0.05)).to_numpy().ravel()
    array([99, 95])
    """
    check_kind(forecast, PeakForecast, "forecast", made_by="capacity.forecast_peaks")
    try:
        risks = np.atleast_1d(np.asarray(risk, dtype=np.float64))
    except (TypeError, ValueError):
        risks = np.zeros(0)
    if len(risks) == 0 or not bool(((risks > 0) & (risks < 1)).all()):
        raise ConfigError(f"risk={risk!r} is not between 0 and 1; write 0.05 for 5%")
    length = len(forecast.dates)
    if horizons is None:
        spans = horizons_within(length)
    else:
        spans = [as_whole(h, "horizon", least=1, of="days") for h in np.atleast_1d(np.asarray(horizons))]
    peaks = forecast.series(variant)
    table = {}
    for span in spans:
        if span > length:
            raise ConfigError(f"a horizon of {span} days is not within the forecast's {length}; forecast further")
        table[span] = highest_within(peaks[:, :span], risks)
    return pd.DataFrame(
        table, index=pd.Index(risks, name="risk"), columns=pd.Index(spans, name="horizon"), dtype=np.int64
    )


def highest_within(paths: npt.NDArray[np.integer[Any]], risk: Any) -> npt.NDArray[np.int64]:
    """Return the fewest licences that at most a share `risk` of the paths (or each of several shares) exceeds."""
    highest = np.sort(paths.max(axis=1))
    # So many paths may exceed L: rounding must not take one of 0.05 x 2,000 = 100 away.
    allowed = np.floor(risk * len(highest) + 1e-9).astype(np.int64)
    return np.asarray(highest[len(highest) - 1 - allowed], dtype=np.int64)


def _by_day(hit: npt.NDArray[np.bool_], dates: pd.DatetimeIndex, name: str) -> pd.Series:
    by_then = np.logical_or.accumulate(hit, axis=1).mean(axis=0)
    return pd.Series(by_then, index=dates, name=name)


def _dates_given(first: npt.NDArray[Any], dates: pd.DatetimeIndex) -> dict[float, pd.Timestamp | None]:
    came = first[first < len(dates)]
    if len(came) == 0:
        return dict.fromkeys(_DATES)
    place = np.quantile(came, _DATES, method="inverted_cdf").astype(np.int64)
    return {q: dates[k] for q, k in zip(_DATES, place, strict=True)}


def _per_month(above: npt.NDArray[np.bool_], reached: npt.NDArray[np.bool_], dates: pd.DatetimeIndex) -> pd.DataFrame:
    table = pd.DataFrame({"days": 1, "above": above.mean(axis=0), "at_or_above": reached.mean(axis=0)}, index=dates)
    return table.groupby(dates.to_period("M").rename("month")).sum()


def _k_in_30(above: npt.NDArray[np.bool_]) -> pd.DataFrame:
    window = min(_WINDOW, above.shape[1])
    count = np.cumsum(above, axis=1, dtype=np.int32)
    count = np.concatenate([np.zeros((len(above), 1), np.int32), count], axis=1)
    rolling = count[:, window:] - count[:, :-window]  # days above in every window
    ks = np.array([k for k in _KS if k <= window])
    return pd.DataFrame(
        {
            "k": ks,
            "probability": (rolling[:, :1] >= ks).mean(axis=0),
            "any_30": (rolling.max(axis=1, keepdims=True) >= ks).mean(axis=0),
        }
    )
