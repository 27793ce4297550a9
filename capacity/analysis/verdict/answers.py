"""The verdict of an assessment: headline, confidence, decision table and risk curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capacity.analysis.verdict.capping import Capping, capping
from capacity.analysis.verdict.confidence import Confidence, Evidence, confidence, evidence
from capacity.analysis.verdict.decisions import decisions, in_words
from capacity.analysis.verdict.found import Found
from capacity.analysis.verdict.headline import Headline, headline
from capacity.analysis.verdict.situation import Situation, situation
from capacity.ground.result import Result

if TYPE_CHECKING:
    from capacity.ground.coverage import Coverage
    from capacity.ground.licences import Licences
    from capacity.ground.notes import Note


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Verdict(Found, Result):
    """The answers of an `Assessment`, from what its analyses found."""

    name: str
    tz: str
    licences: Licences
    horizon: int
    seed: int
    span: tuple[pd.Timestamp, pd.Timestamp]
    coverage: Coverage
    variant: str
    total_only: bool
    peak: tuple[int, pd.Timestamp, str]
    days_at_licences: int
    days_above_licences: int
    days: int
    peaks: pd.DataFrame
    notes: tuple[Note, ...] = ()
    lead_time: int | None = None
    bounded: bool = False

    @cached_property
    def situation(self) -> Situation:
        """The facts that the headline follows from."""
        return situation(self)

    @cached_property
    def headline(self) -> Headline:
        """What to do, with which number, and why."""
        return headline(self.situation)

    def headline_at(self, licences: int) -> Headline:
        """Return the headline for another count of licences [calls], held throughout."""
        return headline(situation(self, licences))

    @cached_property
    def confidence(self) -> Confidence:
        """How far the verdict was tested ("tested", "weak" or "untested"), and why."""
        return confidence(
            self.evidence,
            forecast=self.forecast is not None,
            total=bool(self.variant),
            days=self.days if self.forecast is None else len(self.forecast.history),
            capped=self.days_at_licences / max(self.days, 1) if self.capping in ("hard", "soft") else 0.0,
            soft=self.capping == "soft",
            missing=self.missing_days,
            ahead=self.horizon,
        )

    @cached_property
    def evidence(self) -> Evidence | None:
        """What the back-test shows; None without one."""
        return None if self.backtest is None else evidence(self.backtest)

    @cached_property
    def decisions(self) -> pd.DataFrame | None:
        """The choices side by side: now, the cheapest, and the licences for 10, 5 and 1% risk; None without headroom.

        Index ``choice``; columns ``licences``, ``difference``, ``chance_30``, ``chance_90``, ... (those within the
        horizon, and all of it), ``days_above`` (expected in a month of 30 days), ``lost_calls`` and ``cost`` (a year),
        ``order_by``.
        """
        if self.headroom is None or self.forecast is None or self.needed is None:
            return None
        lead = None if self.lead_time is None else pd.Timedelta(days=self.lead_time)
        return decisions(
            self.forecast.series(self.variant),
            self.ahead,
            self.licences.on(self.ahead),
            self.needed.iloc[:, -1],
            [int(span) for span in self.needed.columns],
            losses=self.losses if self.losses is not None else self.cost,
            priced=self.cost is not None,
            lead_time=lead,
        )

    def decision_table(self) -> pd.DataFrame | None:
        """Return `decisions` in words, as it is printed and drawn; None where there is none."""
        if self.decisions is None:
            return None
        return in_words(self.decisions, self.situation)

    def risk_curve(self) -> pd.DataFrame | None:
        """Return the chance of exceeding each count of licences, held throughout; None without headroom.

        Index ``licences``, every count from 0 to the highest path (and to the licences held); a column for each
        horizon of `decisions` [days].
        """
        if self.headroom is None or self.forecast is None or self.needed is None:
            return None
        tops = {int(span): np.sort(self.forecast.series(self.variant)[:, :span].max(axis=1)) for span in self.needed}
        most = max(int(tops[max(tops)][-1]), *self.licences.on(self.ahead))
        counts = np.arange(most + 1)
        chances = {span: 1 - np.searchsorted(top, counts, side="right") / len(top) for span, top in tops.items()}
        return pd.DataFrame(chances, index=pd.Index(counts, name="licences"))

    # -- facts --------------------------------------------------------------------------------------------------

    @property
    def ahead(self) -> pd.DatetimeIndex:
        """The days ahead, naive local midnights: of the forecast, or from the end of the data on."""
        if self.forecast is not None:
            return self.forecast.dates
        first = self.span[1].tz_convert(self.tz).tz_localize(None).normalize()
        return pd.date_range(first, periods=self.horizon, freq="D")

    @cached_property
    def capping(self) -> Capping:
        """How the licences limited the peaks: "none", "hard" (a cap), "soft" (a cap with calls above) or "plan"."""
        own = self.daily(self.variant).dropna()
        return capping(own, self.licences.on(pd.DatetimeIndex(own.index)))

    @cached_property
    def missing_days(self) -> int:
        """Number of days at the end of the data that have no interval, or less than half of the usual number."""
        own = self.peaks.xs(self.variant, level=1) if self.variant else self.peaks.groupby(level=0).max()
        enough = own.index[own["intervals"] >= own["intervals"].median() / 2]
        end = self.span[1].tz_convert(self.tz).tz_localize(None).normalize()
        return max(int((end - enough[-1]).days) - 1, 0)

    def daily(self, variant: str = "") -> pd.Series:
        """Return the daily peaks [calls] of a series on every day of the data, NaN where there is none.

        Without `variant`, each day's highest of any series.
        """
        own = self.peaks.xs(variant, level=1)["peak"] if variant else self.peaks["peak"].groupby(level=0).max()
        end = self.span[1].tz_convert(self.tz).tz_localize(None) - pd.Timedelta(nanoseconds=1)
        return own.astype(np.float64).reindex(
            pd.date_range(own.index[0], max(own.index[-1], end.normalize()), name="date")
        )

    def display_name(self, variant: str) -> str:
        """Return the display name of a series; its id where no name is known."""
        if self.diversity is not None and variant in self.diversity.table.index:
            return str(self.diversity.table.loc[variant, "name"])
        return variant
