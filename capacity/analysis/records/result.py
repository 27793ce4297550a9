"""What a comparison of call records with the API's maxima found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from capacity.analysis.verdict.machine import plain, records
from capacity.ground.result import Result
from capacity.ground.text import columns_of, count, moment, percent, plural

UNDECIDED = "undecided"
_FIGURES = (
    "hypothesis",
    "candidates",
    "why",
    "share_equal",
    "share_within",
    "bias",
    "duration",
    "voice_only",
    "rounding",
    "intervals",
    "missing_share",
    "too_many",
    "tz",
    "notes",
)
_TABLES = ("missing", "table", "days", "largest")


@dataclass(frozen=True, eq=False, repr=False)
class Reconciliation(Result):
    """Call records beside the API's maxima, interval by interval.

    Attributes
    ----------
    hypothesis : str
        What takes a channel, such as "total_duration, voice"; "undecided" where the data cannot tell. Channels are
        named where the records have more than one kind, a rounding of times where the data tell it.
    candidates : tuple of str
        The hypotheses that the data cannot tell apart; one where it is decided.
    why : str
        Why it is undecided; "" where it is decided.
    share_equal : float
        The share of intervals in which the records give exactly what the API says, under the best hypothesis.
    share_within : float
        The same where times may be a second off.
    bias : float
        The mean of (records - API) [calls].
    duration : {"total_duration", "polyai_duration"}
        Which part of a call takes a channel under the best hypothesis.
    voice_only : bool
        Whether only voice calls take a channel under the best hypothesis.
    rounding : str
        How times were rounded for the comparison, within a second, where that fits better; "" for as recorded.
    intervals : int
        Number of intervals compared.
    missing : DataFrame
        Stretches in which the API counts calls that the records lack: ``start``, ``end`` [UTC, half-open], ``calls``
        (the least number missing at once), ``api`` and ``records`` (the highest maximum of each within the stretch)
        [calls], and the ``share`` of the API's calls that is missing.
    missing_share : float
        The share of the API's calls in progress that the records lack.
    too_many : int
        Number of intervals in which the records have more calls than the API, and a second's rounding does not explain
        it.
    table : DataFrame
        One row a hypothesis: ``share_equal``, ``bias``, ``more``, ``less`` (intervals in which the records have more
        or fewer calls), ``error`` (mean absolute, calls).
    days : DataFrame
        One row a local day: ``intervals``, ``share_equal``, ``api``, ``records`` (peaks), ``missing``, ``too_many``.
    largest : DataFrame
        The ten largest differences, with their times.
    series : DataFrame
        By interval (UTC): ``api`` and ``records``.
    tz : str
        The zone of the days.
    notes : tuple of str
        Variants that have other names in the API, and environments that are mixed.

    See Also
    --------
    capacity.reconcile

    Examples
    --------
    >>> import capacity as cap
    >>> calls = cap.simulate_calls("2026-03-02", days=2, seed=1, tz="UTC")
    >>> calls["polyai_duration"] = 60  # the rest of each call is with a colleague
    >>> cap.reconcile(cap.intervals_from_calls(calls), calls).hypothesis
    'total_duration'
    """

    hypothesis: str
    candidates: tuple[str, ...]
    why: str
    share_equal: float
    share_within: float
    bias: float
    duration: str
    voice_only: bool
    rounding: str
    intervals: int
    missing: pd.DataFrame
    missing_share: float
    too_many: int
    table: pd.DataFrame
    days: pd.DataFrame
    largest: pd.DataFrame
    series: pd.DataFrame
    tz: str
    notes: tuple[str, ...] = ()
    _chart: ClassVar[str] = "reconciliation"

    def sentence(self) -> str:
        """Return in words what takes a channel, how far both agree, and what is missing when."""
        if self.hypothesis == UNDECIDED:
            head = f"Undecided what takes a channel: {self.why}."
            under = f" under {self.candidates[0]}"
        else:
            head, under = f"What takes a channel: {self.hypothesis}.", ""
        if self.rounding and self.rounding not in self.hypothesis:
            under += f" with {self.rounding}"
        if self.share_equal == 1.0:
            agree = f"Records and API are equal in all {self.intervals:,} intervals{under}."
        else:
            unequal = self.intervals - round(self.share_equal * self.intervals)
            agree = (
                f"Records and API are equal in {percent(self.share_equal)} of {self.intervals:,} intervals{under}, "
                f"{unequal:,} differ"
            )
            agree += ", all by what a second explains." if self.share_within == 1.0 else "."
        return " ".join(part for part in (head, agree, self._lacking(), self._surplus()) if part)

    def _lacking(self) -> str:
        if not len(self.missing):
            return ""
        stretch = self.missing.loc[self.missing["calls"].idxmax()]
        within = self.series[(self.series.index >= stretch["start"]) & (self.series.index < stretch["end"])]
        time = (within["records"] - within["api"]).idxmin()
        api, kept = within.loc[time, ["api", "records"]]
        days = int((self.days["missing"] > 0).sum())
        return (
            f"Records are missing: at least {plural(int(self.missing['calls'].sum()), 'call')} in "
            f"{plural(len(self.missing), 'period')} on {plural(days, 'day')}, "
            f"about {percent(self.missing_share)} of the calls in progress; most at "
            f"{moment(time.tz_convert(self.tz))} (API {api:,}, records {kept:,})."
        )

    def _surplus(self) -> str:
        if not self.too_many:
            return ""
        return (
            f"The records have more calls than the API in {plural(self.too_many, 'interval')}: some may be of another "
            "project or environment."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as a dict for JSON."""
        return {
            "sentence": self.sentence(),
            **{name: plain(getattr(self, name)) for name in _FIGURES},
            **{name: records(getattr(self, name)) for name in _TABLES},
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the hypotheses as a table, the best first."""
        return self.table.copy()

    def __str__(self) -> str:
        shown = pd.DataFrame(
            {
                "equal": [percent(share) for share in self.table["share_equal"]],
                "bias": [f"{bias:+.2f}" for bias in self.table["bias"]],
                "more": [count(n) for n in self.table["more"]],
                "less": [count(n) for n in self.table["less"]],
            },
            index=self.table.index,
        )
        notes = "\n".join(f"- {note}" for note in self.notes)
        return "\n\n".join(part for part in (self.sentence(), columns_of(shown), notes) if part)
