"""The assessment: everything that the report shows, with the verdict in words, as a table and as JSON."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from capacity.analysis.verdict import machine, steps
from capacity.analysis.verdict.answers import Verdict
from capacity.analysis.verdict.basis import rests_on
from capacity.analysis.verdict.found import Found
from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arguments import as_horizon, as_seed, check_kind
from capacity.ground.calls import Calls
from capacity.ground.event import Event, as_events
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import TOTAL, validate
from capacity.ground.holidays import HolidayLike, as_days, as_holidays, holiday_dates
from capacity.ground.licences import LicenceLike, as_licences
from capacity.ground.once import sharing
from capacity.ground.spans import SpanLike, as_span
from capacity.ground.tariff import Tariff
from capacity.ground.text import chance, columns_of, day, held_from, html_of, moment, percent, plural
from capacity.ground.times import STEP, as_instant, as_zone

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Assessment(Verdict):
    """The results of all analyses of a frame, and the verdict that follows from them.

    ``print`` of it has the verdict, the decision table, the figures and the notes; `headline`, `confidence` and
    `decisions` are the verdict as objects. A field is None where its analysis had too little data: `notes` says why.

    Attributes
    ----------
    name : str
        Name of the project or customer, for the head of the report; "" where none was given.
    tz : str
        The zone whose days and hours are meant.
    licences : Licences
        The counts that were asked about.
    horizon : int
        Days ahead that were forecast.
    seed : int
        Seed of the simulations.
    span : tuple of Timestamp
        (start, end) of the data, UTC, half-open.
    coverage : Coverage
        What the frame holds of that span.
    variant : str
        Id of the series that the verdict is about: TOTAL, the only one, or "" where there are several and no TOTAL.
    total_only : bool
        Whether the frame holds nothing but TOTAL.
    peak : tuple
        (calls, UTC start of the first interval that reached it, variant) of the highest peak.
    days_at_licences, days_above_licences, days : int
        Days on which the peak was at the licences of the day or above, on which it was above them, and days in all.
    peaks : DataFrame
        Daily peaks, as `capacity.daily_peaks` returns them.
    forecast : PeakForecast or None
        The forecast of daily peaks; of demand, where the licences capped what was seen.
    headroom : Headroom or None
        When and how often the forecast exceeds the licences.
    needed : DataFrame or None
        Licences [calls] by risk and horizon [days], the last one the whole horizon: see `capacity.licences_needed`.
    backtest : Backtest or None
        How the forecast did on past dates.
    percentiles : DataFrame or None
        Percentiles of 5-minute maxima, by variant.
    load_duration : DataFrame or None
        Hours a year at or above each level, by variant.
    busy_hours : BusyHours or None
        The busy hour of each variant.
    profile : DataFrame or None
        The typical week, by variant and hour of the week: see `capacity.weekly_profile`.
    diversity : Diversity or None
        The variants' peaks beside the total's; None where there are no variants to compare.
    utilisation : Utilisation or None
        How much of the time 80, 90 and 100% of the licences were in use.
    anomalies : DataFrame or None
        Days far from what was expected: see `capacity.anomalies`.
    traffic : Blocking or None
        Calls turned away; only with a mean call length.
    cost : CostCurve or None
        The yearly cost of each count; only with prices.
    return_levels : ReturnLevels or None
        The peaks of one, two and five years.
    call_traffic : CallTraffic or None
        How long calls last and how unevenly they come; only with call records.
    reconciliation : Reconciliation or None
        Call records of the API beside its maxima; only with both.
    notes : tuple of Note
        What the results rest on, and what was left out and why; each names its field.
    lead_time : int or None
        Days from the order of licences to their use, where it was given.
    bounded : bool
        Whether the total is the upper bound of combined projects.
    losses : CostCurve or None
        Calls lost under each count of licences, where the mean call length is known.

    See Also
    --------
    capacity.assess, capacity.report.save

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    >>> assessment = cap.assess(frame, 10, tz="UTC", seed=1)
    >>> assessment.peak[0], assessment.headroom is None
    (7, True)
    """

    _chart: ClassVar[str] = "page"

    # -- words --------------------------------------------------------------------------------------------------

    def sentence(self) -> str:
        """Return the headline, what else a decision has to know, and the confidence where it is not "tested"."""
        doubt = [] if self.confidence.level == "tested" else [str(self.confidence)]
        return " ".join([str(self.headline), *doubt])

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the chance of exceeding the licences, day by day, as ``headroom.plot`` does.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options
            Passed on to `Headroom.plot`.

        Raises
        ------
        ConfigError
            There is no forecast, and so no headroom to draw.
        """
        if self.headroom is None:
            raise ConfigError("the assessment has no headroom to draw; its notes say why")
        return self.headroom.plot(ax, **options)

    def verdict(self) -> str:
        """Return headline, confidence and decision table as text."""
        table = self.decision_table()
        confidence = f"Confidence: {self.confidence.level}. {self.confidence.reason}"
        return "\n\n".join([str(self.headline), confidence, *([] if table is None else [columns_of(table)])])

    def __str__(self) -> str:
        facts = self.to_frame()["value"]
        width = max(len(what) for what in facts.index)
        rows = "\n".join(f"  {what:<{width}}  {value}" for what, value in facts.items())
        notes = "\n".join(f"- {'Warning: ' if note.severity == 'warning' else ''}{note}" for note in self.notes)
        return "\n\n".join(part for part in (self.verdict(), rows, notes) if part)

    def _table(self) -> str:
        table = self.decision_table()
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        choices = "" if table is None else table.to_html()
        return f"{html_of(self.sentence())}{choices}{self.to_frame().to_html(header=False)}<ul>{notes}</ul>"

    # -- tables -------------------------------------------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """Return what was found as a table of words: index what, column value."""
        value, time, whose = self.peak
        what = "Peak so far" if self.variant else f"Peak so far of {self.display_name(whose)}"
        rows = {
            "Licences": held_from(self.licences, self.ahead[0]),
            what: f"{value:,} on {moment(time.tz_convert(self.tz))}",
        }
        if self.variant:
            rows["Days at the licences"] = f"{self.days_at_licences:,} of {self.days:,}"
            rows["Days above them"] = f"{self.days_above_licences:,}"
        elif self.diversity is not None:
            low, high = self.diversity.pooled
            rows["Peak so far of the total"] = f"at least {low:,}, at most {high:,}"
        if self.headroom is not None:
            reached = chance(float(self.headroom.p_at_or_above.iloc[-1]))
            rows[f"Chance of all licences in use within {plural(self.horizon, 'day')}"] = reached
            for q, date in self.headroom.dates_given.items():
                if date is not None and 1 - self.headroom.beyond >= 0.01:  # a handful of paths would say nothing
                    rows[f"If exceeded, in {percent(q)} of cases by"] = day(date)
        if self.needed is not None:
            for risk, row in self.needed.iterrows():
                enough = [f"{count:,} for {plural(int(days), 'day')}" for days, count in row.items()]
                rows[f"Licences for {percent(float(risk))} risk"] = ", ".join(enough)
        if self.call_traffic is not None:
            rows["Mean call length, measured"] = self.call_traffic.mean_in_words()
        return pd.DataFrame({"value": pd.Series(rows)}).rename_axis("what")

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as a dict for JSON, always with the same keys in the same order.

        ``verdict``, ``headline`` (kind, action, number, reason, besides), ``confidence`` (level, reason), ``decisions``
        (one row a choice), ``name``, ``tz``, ``seed``, ``horizon`` [days], ``variant``, ``span`` (start, end),
        ``licences`` (from, count), ``peak`` (calls, time, variant), ``days``, ``days_at_licences``,
        ``days_above_licences``, ``coverage`` (expected, present, missing intervals by variant), ``headroom`` (p_above,
        p_at_or_above within the horizon, beyond, dates_given, by_day, per_month, k_in_30), ``licences_needed`` (risk,
        horizon, licences), ``forecast`` (days of history, left_out, paths, by_day), ``backtest`` (origins, horizon,
        breach, scores), ``percentiles``, ``busy_hours``, ``utilisation``, ``diversity``, ``anomalies``, ``traffic``,
        ``cost``, ``return_levels``, ``call_traffic``, ``reconciliation``, ``notes``. A part that is not there is None.
        Times are ISO 8601 in UTC, days are dates in `tz`.
        """
        return {
            "verdict": self.sentence(),
            "headline": machine.headline(self.headline),
            "confidence": {"level": self.confidence.level, "reason": self.confidence.reason},
            "decisions": None if self.decisions is None else machine.records(self.decisions),
            "name": self.name,
            "tz": self.tz,
            "seed": self.seed,
            "horizon": self.horizon,
            "variant": self.variant,
            "span": {"start": machine.plain(self.span[0]), "end": machine.plain(self.span[1])},
            "licences": machine.licences(self.licences),
            "peak": {"calls": int(self.peak[0]), "time": machine.plain(self.peak[1]), "variant": self.peak[2]},
            "days": self.days,
            "days_at_licences": self.days_at_licences,
            "days_above_licences": self.days_above_licences,
            "coverage": machine.records(self.coverage.table[["expected", "present", "missing", "share"]]),
            "headroom": None if self.headroom is None else machine.headroom(self.headroom),
            "licences_needed": None if self.needed is None else machine.needed(self.needed),
            "forecast": None if self.forecast is None else machine.forecast(self.forecast, self.variant),
            "backtest": None if self.backtest is None else machine.backtest(self.backtest),
            "percentiles": machine.plain(self.percentiles),
            "busy_hours": machine.table(self.busy_hours),
            "utilisation": machine.table(self.utilisation),
            "diversity": machine.table(self.diversity),
            "anomalies": machine.plain(self.anomalies),
            "traffic": machine.table(self.traffic),
            "cost": machine.table(self.cost),
            "return_levels": machine.table(self.return_levels),
            "call_traffic": machine.table(self.call_traffic),
            "reconciliation": None if self.reconciliation is None else self.reconciliation.to_dict(),
            "notes": [str(note) for note in self.notes],
        }


@usual_float_errors
def assess(
    frame: pd.DataFrame,
    licences: LicenceLike,
    *,
    tz: str | dt.tzinfo = "UTC",
    horizon: int = 90,
    seed: int,
    name: str = "",
    holidays: HolidayLike = None,
    exclude: Iterable[Any] | None = None,
    calls: Calls | None = None,
    mean_call_length: Any = None,
    licence_price: float | None = None,
    lost_call_cost: float | None = None,
    lead_time: SpanLike | None = None,
    events: Iterable[Event] | None = None,
    tariff: Tariff | None = None,
    end: Any = None,
    backtest: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> Assessment:
    """Return all analyses of a frame, and the verdict: how many licences to hold, and how sure that is.

    An analysis that has too little data is None in the result and gets a note. With less than eight weeks of days
    there is no forecast, and so no headroom, no licences needed, no cost and no back-test; the analyses of the past
    are there all the same.

    The licences are taken for a cap on what was seen: a day at them counts as "at least so many", and the forecast is
    of demand. Where more days were above the licences than at them, they are taken for a plan instead, and a note says
    so.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `capacity.as_intervals` makes it. The verdict is about TOTAL, or the only series.
    licences : int, str, mapping, Series or Licences
        Licences held [calls], past and planned: one count, or steps by local date ("80,2025-03-01:115").
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose days and hours are meant.
    horizon : int, default 90
        Days to forecast, 1 to 365.
    seed : int
        Seed of the simulations: the same seed gives the same assessment.
    name : str, optional
        Name of the project or customer, for the head of the report.
    holidays : str or iterable of dates, optional
        A country code ("GB", "US-CA"), or the dates. By default no day is a holiday.
    exclude : iterable of dates, optional
        Dates excluded from fitting, such as incidents.
    calls : Calls, optional
        Call records of the same project: the mean call length is measured on them, and whether calls come as Erlang's
        formulas assume. Those of the API (`capacity.fetch_calls`) are compared with the frame as well.
    mean_call_length : str or timedelta, optional
        Such as "3m": with it, the calls that were turned away are estimated. By default as measured on `calls`.
    licence_price, lost_call_cost : float, optional
        A year's price of one licence and the cost of one lost call, in one currency; needs `mean_call_length`.
    lead_time : int, str or timedelta, optional
        From the order of licences to their use: days, or text such as "3w". Adds the date to order by.
    events : iterable of Event, optional
        Launches, campaigns and clients who leave, with their uncertainty; by default none. They are part of every
        answer from the forecast, and a note says what each adds.
    tariff : Tariff, optional
        Prices of licences, bursts and packages, in place of the two prices; needs `mean_call_length` or `calls`.
    end : date or datetime, optional
        Up to when there should be data (exclusive; a date is midnight in `tz`), where that is later than the last
        interval: the days that are missing at the end are then counted.
    backtest : bool, default True
        Whether to try the forecast on past dates, which takes most of the time; without it the verdict is "untested".
    progress : callable, optional
        Called with (name of the next step, steps done, steps in all).

    Returns
    -------
    Assessment

    Raises
    ------
    InsufficientData
        The frame is empty.
    ConfigError
        Licences, time zone, horizon, holidays, days, events or prices that cannot be read, or prices without a mean
        call length.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.Assessment, capacity.forecast_peaks, capacity.headroom, capacity.assess_fleet, capacity.report.save

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    >>> cap.assess(frame, 10, tz="UTC", seed=1).headline.action
    'Keep 10 for now'
    """
    horizon, seed = as_horizon(horizon), as_seed(seed)
    if calls is not None:
        check_kind(calls, Calls, "calls", made_by="capacity.read_calls or fetch_calls")
    prices = (licence_price, lost_call_cost, calls if mean_call_length is None else mean_call_length)
    if (licence_price is not None or lost_call_cost is not None) and None in prices:
        raise ConfigError(
            "the cost needs licence_price, lost_call_cost and mean_call_length: give all three, or no price"
        )
    if tariff is not None and (licence_price is not None or lost_call_cost is not None):
        raise ConfigError("the tariff says the prices: give it alone, or licence_price and lost_call_cost")
    if tariff is not None and mean_call_length is None and calls is None:
        raise ConfigError("the cost needs mean_call_length, or call records, beside the tariff, such as '3m'")
    if len(validate(frame)) == 0:
        raise InsufficientData("the frame has no interval; there is nothing to assess")
    last = frame.index[-1][0] + STEP
    due = last if end is None else max(last, as_instant(end, name="end", tz=str(tz)))
    named = as_holidays(holidays)
    with sharing(frame):
        ask = steps.Ask.of(
            frame,
            as_licences(licences),
            as_zone(tz),
            tz=str(tz),
            horizon=horizon,
            seed=seed,
            holidays=None if named is None else holiday_dates(named, range(frame.index[0][0].year - 1, due.year + 3)),
            named_holidays=named,
            exclude=None if exclude is None else list(as_days(exclude, name="exclude")),
            events=as_events(events),
            end=due,
        )
        found, failed = steps.run([] if calls is None else steps.records(ask, calls), Found())
        if mean_call_length is None and found.call_traffic is not None:
            mean_call_length = found.call_traffic.mean_call_length
        rates = tariff
        if tariff is None and licence_price is not None and lost_call_cost is not None:
            rates = Tariff(licence_price=licence_price, lost_call_cost=lost_call_cost)
        todo = [*steps.measures(ask), *steps.outlook(ask, backtest), *steps.money(ask, mean_call_length, rates)]
        found, others = steps.run(todo, found, progress)
    assert found.coverage is not None
    return Assessment(
        name=name,
        tz=ask.tz,
        licences=ask.licences,
        horizon=ask.horizon,
        seed=seed,
        span=(found.coverage.start, found.coverage.end),
        variant=ask.variant,
        total_only=ask.ids == [TOTAL],
        peak=ask.peak(),
        days_at_licences=ask.at,
        days_above_licences=ask.above,
        days=ask.days,
        peaks=ask.peaks,
        notes=(*failed, *others, *rests_on(ask, found)),
        bounded=ask.bounded,
        lead_time=None if lead_time is None else as_span(lead_time, "lead_time"),
        **vars(found),
    )
