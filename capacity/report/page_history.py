"""Page 2: how the daily peak went, and how it may go on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.ground.calendar import SAME_WEEKDAYS
from capacity.ground.text import count, percent, plural
from capacity.report import charts_history
from capacity.report.frame import begin, drawn_licences, local, present, variant_of
from capacity.report.panels import Panel, flow, rows_within, table
from capacity.report.sheet import Area, Sheet
from capacity.report.theme import day


def history(assessment: Assessment, pages: int = 6) -> Sheet:
    """Draw the page of the past, with the forecast at its end."""
    area = begin(assessment, 2, sentence(assessment), pages=pages)
    whole, close, days = PANELS
    flow(assessment, area, [(87.0, [(whole, 1.0)]), (70.0, [(close, 150.0), (days, 106.0)])])
    return area.sheet


def sentence(assessment: Assessment) -> str:
    """Return what the page says in a sentence."""
    peak = charts_history.daily(assessment.peaks, variant_of(assessment))["peak"]
    if not peak.notna().any():
        return "No day has data."
    top = f"The highest peak was {count(peak.max())}, on {day(peak.idxmax())}"
    recent, before = peak.iloc[-28:], peak.iloc[-28 - SAME_WEEKDAYS : -SAME_WEEKDAYS]
    if before.notna().sum() < 21 or recent.notna().sum() < 21 or before.max() == 0:
        return f"{top}."
    change = recent.max() / before.max() - 1
    way = "above" if change > 0 else "below"
    words = "level with" if abs(change) < 0.005 else f"{percent(abs(change))} {way}"
    return f"{top}; that of the last four weeks, {count(recent.max())}, is {words} the same weeks of the year before."


def standouts(assessment: Assessment) -> pd.DataFrame:
    """Return the days that stood out, too high ones first: index date; columns as `capacity.anomalies` has them.

    Public holidays are expected to be quiet: those that were are set apart.
    """
    own = _judged(assessment)
    own = own[~_quiet_holidays(own)]
    quiet = (own["score"] < 0).to_numpy()  # after the days that were too high: these decide about licences
    return own.iloc[np.lexsort((-own["score"].abs().to_numpy(), quiet))]


def _judged(assessment: Assessment) -> pd.DataFrame:
    found = present(assessment.anomalies)
    return found[found.index.get_level_values(1) == variant_of(assessment)].droplevel(1)


def _quiet_holidays(found: pd.DataFrame) -> pd.Series:
    return found["special"] & (found["score"] < 0)


def _stood_out(assessment: Assessment) -> str:
    words = "From what weekday and season led to expect; too high ones first"
    apart = int(_quiet_holidays(_judged(assessment)).sum())
    if not apart:
        return words
    return f"{words}. {plural(apart, 'public holiday')} {'was' if apart == 1 else 'were'} quiet, as expected"


def _whole(assessment: Assessment, area: Area) -> None:
    names = None
    if assessment.anomalies is not None:
        dates = pd.DatetimeIndex(standouts(assessment).index[:12])
        names = pd.Series([day(date) for date in dates], index=dates, dtype=object)
    charts_history.history(
        assessment.peaks,
        area.axes(right=15.0, bottom=10.0),
        licences=drawn_licences(assessment),
        forecast=assessment.forecast,
        standouts=names,
        variant=variant_of(assessment),
        tz=assessment.tz,
        until=local(assessment.span[1] - pd.Timedelta(nanoseconds=1), assessment.tz).normalize(),
    )


def _close(assessment: Assessment, area: Area) -> None:
    charts_history.outlook(
        present(assessment.forecast),
        area.axes(right=15.0, bottom=10.0),
        licences=drawn_licences(assessment),
        variant=variant_of(assessment),
        days=35,
        ahead=28,
        tz=assessment.tz,
    )


def _days(assessment: Assessment, area: Area) -> None:
    found = standouts(assessment)
    if len(found) == 0:
        area.sheet.text(area.x, area.y + 4.0, "None did.", 8.5)
        return
    room = rows_within(area.height)
    shown = found.iloc[: room if len(found) <= room else room - 1]
    rows = [
        (
            day(date) + (", holiday" if row.special else ""),
            count(row.peak),
            count(row.expected),
            _change(row.peak, row.expected),
        )
        for date, row in zip(shown.index, shown.itertuples(), strict=True)
    ]
    if len(shown) < len(found):
        rows.append((f"and {plural(len(found) - len(shown), 'more day')}", "", "", ""))
    table(area, ("day", "peak", "expected", "difference"), rows, first=0.40)


def _change(peak: float, expected: float) -> str:
    if expected < 0.5:
        return f"+{count(peak)}"
    share = peak / expected - 1
    return f"{'+' if share >= 0 else '−'}{percent(abs(share))}"


PANELS = (
    Panel(
        "history",
        "Daily peaks, licences and forecast",
        lambda _: "Each local day's highest number of calls in progress at once; hatched where there are no data",
        "peaks",
        _whole,
        (240.0, 104.0),
    ),
    Panel(
        "close-up",
        "The weeks around the end of the data, day by day",
        lambda _: "What happened, and the range in which each single day's peak is expected",
        "forecast",
        _close,
    ),
    Panel("days-that-stood-out", "Days that stood out", _stood_out, "anomalies", _days, (130.0, 104.0)),
)
