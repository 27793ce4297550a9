"""How far a verdict was tested: "tested", "weak" or "untested", with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd
from scipy.stats import binom

from capacity.analysis.verdict.capping import MUCH
from capacity.forecast.history import MIN_DAYS
from capacity.ground.text import day, percent, plural

if TYPE_CHECKING:
    from capacity.analysis.backtest import Backtest


_RISK = 0.05  # of the licences that are tested
_FAR = 0.65  # mean place of a period's days in their forecast from which it is called too low; mirrored for too high
_SELDOM = 0.8  # share of forecasts whose licences for 5% risk were enough, below which it is too seldom
_WITHIN = 0.6  # share of days that the central 80% range should hold at least
_WINDOWS = 3  # separate periods that make a test
_YEAR = 358  # days: a year, but for a day or two that may be incomplete


@dataclass(frozen=True)
class Confidence:
    """How far the verdict of an assessment was tested, and why it is called so.

    Attributes
    ----------
    level : {"tested", "weak", "untested"}
        "tested": past forecasts were compared with at least three periods without overlap, were right about as often as
        they should be, and the history covers a year. "weak": one of these does not hold, forecasts leaned to one side,
        or the data end early. "untested": there is no forecast, no total or no back-test, or the licences capped too
        many days.
    reason : str
        The reason, in sentences.

    See Also
    --------
    capacity.Assessment, capacity.Backtest

    Examples
    --------
    >>> import capacity as cap
    >>> print(cap.Confidence("untested", "No back-test was made."))
    Untested: No back-test was made.
    """

    level: Literal["tested", "weak", "untested"]
    reason: str

    def __str__(self) -> str:
        return f"{self.level.capitalize()}: {self.reason}"


@dataclass(frozen=True)
class Evidence:
    """What a back-test shows, with forecasts whose days overlap counted as one period.

    Attributes
    ----------
    tries, kept : int
        Past forecasts, and in how many of them the licences for 5% risk were enough.
    windows, missed : int
        Periods among them that have no day in common, and in how many of these the licences were not enough.
    missed_days, missed_weeks : int
        Distinct days above the licences of a forecast made before them, and the weeks in which they lie.
    horizon : int
        Length of each period [days].
    within : float
        Share of days within the central 80% range.
    testable : bool
        Whether any forecast could have failed.
    lean : str
        Whether the forecasts were too low or too high, or why they cannot be tested, in a sentence; "" if neither.
    """

    tries: int
    kept: int
    windows: int
    missed: int
    missed_days: int
    missed_weeks: int
    horizon: int
    within: float
    testable: bool = True
    lean: str = ""

    @property
    def too_low(self) -> bool:
        """Whether the licences for 5% risk were enough much less often than they should have been.

        Either so many of the separate periods failed by chance in less than one of twenty cases, or more than a
        fifth of the forecasts failed, on days of three weeks or more. One day that many forecasts share is one failure.
        """
        chance = float(binom.sf(self.missed - 1, self.windows, _RISK)) if self.missed else 1.0
        return self.testable and (chance < 0.05 or (self.kept < _SELDOM * self.tries and self.missed_weeks >= _WINDOWS))

    def sentence(self) -> str:
        """Say how often past licences for 5% risk were enough."""
        shared = f", {plural(self.windows, 'separate period')}" if self.windows < self.tries else ""
        days = f"; {plural(self.missed_days, 'different day')} exceeded them" if self.missed_days else ""
        return (
            f"The licences for 5% risk were enough in {self.kept:,} of {plural(self.tries, 'past forecast')} "
            f"({plural(self.horizon, 'day')} ahead{shared}{days})."
        )


def evidence(found: Backtest) -> Evidence:
    """Return the evidence of a back-test."""
    table, ours = found.by_origin, found.scores.iloc[0]
    missed, free = 0, pd.Timestamp.min
    for origin, kept in table["kept"].items():
        if origin >= free:
            missed, free = missed + (not kept), origin + pd.Timedelta(days=found.horizon)
    days = found.missed_days
    return Evidence(
        tries=len(found.origins),
        kept=round(float(ours["kept_95"]) * len(found.origins)),
        windows=found.windows,
        missed=missed,
        missed_days=len(days),
        missed_weeks=len(days.to_period("W").unique()),
        horizon=found.horizon,
        within=float(ours["coverage_80"]),
        testable=found.testable,
        lean=_lean(found),
    )


def _lean(found: Backtest) -> str:
    """Return on which side the forecasts erred: all of them, or the latest ones, and since when."""
    for note in found.notes:
        return str(note)
    if "pit" not in found.by_origin:
        return ""
    place = found.by_origin["pit"].astype(float)
    for off, side in ((place > _FAR, "low"), (place < 1 - _FAR, "high")):
        run = int(off[::-1].cummin().sum())  # of the latest forecasts
        if run >= max(_WINDOWS, len(off) // 4):
            since = place.index[-run]
            return f"Forecasts made since {day(since, weekday=False)} were too {side}."
    return ""


def confidence(
    proof: Evidence | None,
    *,
    forecast: bool,
    total: bool,
    days: int,
    capped: float = 0.0,
    missing: int = 0,
    soft: bool = False,
    ahead: int = 0,
) -> Confidence:
    """Return how far a verdict was tested.

    Parameters
    ----------
    proof : Evidence or None
        Of the back-test, where one was made.
    forecast, total : bool
        Whether there is a forecast, and a series that the licences are judged on.
    days : int
        Days of history.
    capped : float
        Share of the days that stood at the licences.
    missing : int
        Days without data at the end.
    ahead : int
        Days ahead that the verdict is about.
    soft : bool
        Whether the peaks pile up just above the licences.

    Examples
    --------
    >>> confidence(Evidence(20, 19, 8, 0, 1, 1, 90, 0.8), forecast=True, total=True, days=700).level
    'tested'
    """
    if not forecast:
        few = f"{plural(days, 'day')} of history {'is' if days == 1 else 'are'} too few"
        if days >= MIN_DAYS:
            few = "too few of the days can be used"
            if capped:
                few = f"the peaks were capped on {percent(capped)} of the days"
        return Confidence("untested", f"There is no forecast: {few}.")
    if not total:
        return Confidence("untested", "Without a total no forecast of it can be tried on the past.")
    if capped > MUCH or soft:
        pile = "the peaks pile up just above the licences, as at a cap," if soft else "the peaks were capped"
        return Confidence("untested", f"The verdict cannot be tested: {pile} on {percent(capped)} of the days.")
    if proof is None:
        return Confidence("untested", "The forecast was not tried on the past.")
    if not proof.testable:
        return Confidence("untested", proof.lean)
    doubts = _doubts(proof)
    if proof.horizon < ahead:
        doubts.append(f"{plural(proof.horizon, 'day')} ahead could be tested, not {ahead:,}.")
    if missing:
        doubts.append(f"The forecast rests on data that end {plural(missing, 'day')} early.")
    if days < _YEAR:
        doubts.append(f"The history covers {plural(days, 'day')}, less than a year: a season may not have been seen.")
    if doubts:
        return Confidence("weak", " ".join(doubts))
    return Confidence(
        "tested", f"{proof.sentence()} {percent(proof.within)} of days fell within the central 80% range."
    )


def no_data(days: int) -> str:
    """Say that the end of the data is missing.

    Examples
    --------
    >>> no_data(1), no_data(7)
    ('The last day has no data.', 'The last 7 days have no data.')
    """
    return "The last day has no data." if days == 1 else f"The last {days:,} days have no data."


def _doubts(proof: Evidence) -> list[str]:
    doubts = []
    if proof.too_low:
        doubts.append(f"Past forecasts were too low. {proof.sentence()}")
    elif proof.windows < _WINDOWS:
        doubts.append(f"Little was tested. {proof.sentence()}")
    if proof.lean:
        doubts.append(proof.lean)
    elif proof.within < _WITHIN:
        doubts.append(f"Only {percent(proof.within)} of past days fell within the central 80% range.")
    return doubts
