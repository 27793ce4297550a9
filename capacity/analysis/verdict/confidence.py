"""What the back-test and the data say of the verdict itself: tested, weak or untested, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from capacity.ground.text import percent, plural

if TYPE_CHECKING:
    from capacity.analysis.backtest import Backtest

__all__ = ["Confidence", "Evidence", "confidence", "evidence"]

_TARGET = 0.95  # share of periods in which the licences for 5% risk should be enough
_FAR = 0.65  # mean place of past days in their forecast from which it is called too low; mirrored for too high
_WINDOWS = 3  # separate periods that make a test
_YEAR = 358  # days: a year, but for a day or two that may be incomplete
_MUCH = 0.4  # share of days at the licences from which demand is little known


@dataclass(frozen=True)
class Confidence:
    """How far the verdict has been tested.

    Attributes
    ----------
    level : {"tested", "weak", "untested"}
        "tested": past forecasts were held against enough separate periods, and were right about as often as they
        should be. "weak": they were not, or the data leave doubts. "untested": nothing can be said.
    reason : str
        Why, in words.

    Examples
    --------
    >>> print(Confidence("untested", "No back-test was made."))
    Untested: No back-test was made.
    """

    level: Literal["tested", "weak", "untested"]
    reason: str

    def __str__(self) -> str:
        return f"{self.level.capitalize()}: {self.reason}"


@dataclass(frozen=True)
class Evidence:
    """What a back-test proves, its overlapping tries counted as what they are.

    Attributes
    ----------
    tries : int
        Past dates that a forecast was made from.
    kept : int
        In how many of them the licences for 5% risk were enough.
    windows : int
        Periods among them that have no day in common.
    within : float
        Share of days within the central 80% range.
    place : float
        Mean place of the days in their forecast: 0.5 if it is unbiased, towards 1 where it was too low.
    horizon : int
        Days of each period.
    """

    tries: int
    kept: int
    windows: int
    within: float
    place: float
    horizon: int

    @property
    def too_low(self) -> bool:
        """Whether the licences for 5% risk were enough much less often than they should have been."""
        # As many separate misses as the share of the tries: one day that many tries share is one miss.
        missed = self.windows * (1 - self.kept / self.tries)
        return missed >= 1 and missed > 3 * (1 - _TARGET) * self.windows

    @property
    def leaning(self) -> str:
        """Return "too low", "too high" or "" for how the past days lay in their forecasts."""
        return "too low" if self.place > _FAR else "too high" if self.place < 1 - _FAR else ""


def evidence(found: Backtest) -> Evidence:
    """Return what a back-test proves."""
    ours, places = found.scores.iloc[0], np.asarray(found.pit, dtype=np.float64)
    windows, free = 0, None
    for origin in found.origins:
        if free is None or origin >= free:
            windows, free = windows + 1, origin + np.timedelta64(found.horizon, "D")
    return Evidence(
        tries=len(found.origins),
        kept=round(float(ours["kept_95"]) * len(found.origins)),
        windows=windows,
        within=float(ours["coverage_80"]),
        place=float(np.nanmean(places)) if len(places) else 0.5,
        horizon=found.horizon,
    )


def confidence(
    proof: Evidence | None,
    *,
    forecast: bool,
    total: bool,
    days: int,
    capped: float = 0.0,
    missing: int = 0,
    soft: bool = False,
) -> Confidence:
    """Judge a verdict.

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
    soft : bool
        Whether the peaks pile up just above the licences.

    Examples
    --------
    >>> confidence(Evidence(20, 19, 8, 0.8, 0.5, 90), forecast=True, total=True, days=700).level
    'tested'
    """
    if not forecast:
        return Confidence("untested", f"There is no forecast: {plural(days, 'day')} of history are too few.")
    if not total:
        return Confidence("untested", "Without a total no forecast of it can be tried on the past.")
    if capped > _MUCH or soft:
        pile = "the peaks were capped" if not soft else "the peaks pile up just above the licences, as at a cap"
        return Confidence("untested", f"It cannot be tested: {pile} on {percent(capped)} of the days.")
    if proof is None:
        return Confidence("untested", "The forecast was not tried on the past.")
    doubts = [*_doubts(proof)]
    if missing:
        doubts.append(f"The last {plural(missing, 'day')} have no data.")
    if days < _YEAR:
        doubts.append(f"The history covers {plural(days, 'day')}, less than a year: seasons in it are not known.")
    if doubts:
        return Confidence("weak", " ".join(doubts))
    return Confidence("tested", f"{tried(proof)} {percent(proof.within)} of days fell within the central 80% range.")


def tried(proof: Evidence) -> str:
    """Return in a sentence how often past licences for 5% risk were enough."""
    shared = f" ({plural(proof.windows, 'separate period')})" if proof.windows < proof.tries else ""
    return (
        f"The licences for 5% risk were enough in {proof.kept:,} of {plural(proof.tries, 'past forecast')}"
        f"{shared}, {plural(proof.horizon, 'day')} ahead."
    )


def _doubts(proof: Evidence) -> list[str]:
    doubts = []
    if proof.too_low:
        doubts.append(f"Past forecasts were too low. {tried(proof)}")
    elif proof.windows < _WINDOWS:
        doubts.append(f"Little was tested. {tried(proof)}")
    if proof.leaning and not (proof.too_low and proof.leaning == "too low"):
        doubts.append(f"Most past days lay {'above' if proof.leaning == 'too low' else 'below'} the middle of their "
                      f"forecast: it was {proof.leaning}.")  # fmt: skip
    elif proof.within < 0.6:
        doubts.append(f"Only {percent(proof.within)} of past days fell within the central 80% range.")
    return doubts
