"""The page of a ledger: what it says is what was kept and what came, and nothing runs into another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import capacity as cap
from capacity.analysis.assessment import Assessment
from capacity.forecast.paths import PeakForecast
from capacity.report import page_ledger
from capacity.report.panels import single
from capacity.report.theme import style

from .made_assessments import extreme, ordinary
from .test_report_pages import assert_clean, written

LONG = "Seasonal hotel reservations, northern region, second line, overflow, told by the customer in May"


def forecast(start: pd.Timestamp, off: float = 1.0, days: int = 60) -> PeakForecast:
    """Return a forecast of the ordinary assessment's own level, times `off`."""
    rng = np.random.default_rng(start.day_of_year)
    own = ordinary().peaks.xs(cap.TOTAL, level=1)["peak"]
    dates = pd.date_range(start, periods=days)
    usual = own.groupby(own.index.day_of_week).median().to_numpy()[dates.day_of_week]
    paths = np.rint(off * usual * (1 + 0.1 * rng.standard_normal((200, days)))).astype(int)
    past = own[: start - pd.Timedelta(days=1)].astype(float)
    return PeakForecast(np.maximum(paths, 0)[None], (cap.TOTAL,), dates, pd.DataFrame({cap.TOTAL: past}), seed=1)


def ledger(folder: Path, every: int, off: float = 1.0, *, events: bool = False) -> cap.Ledger:
    """Return a ledger of forecasts within the ordinary assessment's days."""
    book = cap.Ledger(folder)
    for start in pd.date_range("2026-02-02", "2026-03-16", freq=f"{every}D"):
        made = forecast(start, off)
        if events:
            told = [cap.Event(f"{LONG} {k}", "2026-03-20", 4, reason="Signed") for k in range(start.month)]
            made = made.with_events(told)
        book.record(replace(ordinary(), forecast=made), made_on=start)
    return book


SITUATIONS = {
    "empty": lambda folder: cap.Ledger(folder / "none"),
    "monthly": lambda folder: ledger(folder, 28),
    "daily": lambda folder: ledger(folder, 3),
    "alarm": lambda folder: ledger(folder, 7, 0.6, events=True),
}


def drawn(book: cap.Ledger, assessment: Assessment) -> str:
    """Return what is written on the page, having looked that it is clean, each chart alone too."""
    found = page_ledger.kept(book, assessment)
    with style():
        figure: Figure = page_ledger.draw(assessment, found).figure
        assert_clean(figure)
        for panel in page_ledger.panels(found):
            if panel.stands_alone(assessment):
                assert_clean(single(panel, assessment).figure)
        return " ".join(text.replace("\n", " ") for text, _ in written(figure))


@pytest.mark.parametrize("name", SITUATIONS)
def test_page_is_clean_and_says_how_it_stands(name: str, tmp_path: Path) -> None:
    """Words would run into each other, or the page claim that forecasts held which did not."""
    book = SITUATIONS[name](tmp_path)
    assessment = replace(ordinary(), name=LONG)
    page = drawn(book, assessment)
    if name == "empty":
        assert "No forecast has been kept yet" in page
        return
    score = book.score(assessment.peaks)
    assert score.alarm.raised == (name == "alarm")
    assert ("no longer hold" in page) == score.alarm.raised
    assert score.alarm.broke in page
    assert f"in {int(score.limits['kept'].sum())} of {len(score.limits)} forecasts" in page
    changes = book.changes_to(assessment)
    assert f"{changes.loc['after', 'needed']:,}" in page
    for lead in score.table.index:
        assert f"{lead} days ahead" in page


def test_what_changed_adds_up_in_licences_and_in_chance(tmp_path: Path) -> None:
    """The page's parts would leave a rest, or tell more licences as fewer calls."""
    book = cap.Ledger(tmp_path)
    old, new = forecast(pd.Timestamp("2026-02-02")), forecast(pd.Timestamp("2026-03-02"), 1.1, days=45)
    new = new.with_events([cap.Event("Hotels", "2026-03-10", 5, pattern="flat", reason="Signed")])
    book.record(replace(ordinary(), forecast=old, licences=cap.Licences(old.dates[:1], (70,))), made_on=old.dates[0])
    found = replace(ordinary(), forecast=new, licences=cap.Licences(old.dates[:1], (80,)))
    table = book.changes_to(found)
    causes = ["data", "events", "settings", "licences"]
    for column in ("needed", "held", "chance"):
        sums = table.loc["before", column] + table.loc[causes, column].sum()
        assert sums == pytest.approx(table.loc["after", column], abs=1e-12), column
    top = new.max_over()[0]
    assert table.loc["after", "chance"] == pytest.approx((top > 80).mean(), abs=0.01)
    assert table.loc["licences", "chance"] == pytest.approx((top > 80).mean() - (top > 70).mean(), abs=0.01)
    alone = new.before_events.max_over()[0]
    assert table.loc["events", "chance"] == pytest.approx((top > 70).mean() - (alone > 70).mean(), abs=0.01)
    assert table.loc["events", "why"] == "new: Hotels"
    assert table.loc["licences", "why"] == "70 to 80"
    book.record(found, made_on=new.dates[0])
    pd.testing.assert_frame_equal(book.changes_to(found), table)  # kept or not: the last other one


def test_what_is_drawn_is_what_was_kept(tmp_path: Path) -> None:
    """A band would be that of another forecast, or a day be drawn twice."""
    book = ledger(tmp_path, 7)
    score = book.score(ordinary().peaks)
    ax = Figure(figsize=(8, 3)).subplots()
    cap.report.charts.kept_forecasts(score, ax)
    (came,) = [line for line in ax.get_lines() if line.get_label() == "what came"]
    own = ordinary().peaks.xs(cap.TOTAL, level=1)
    own = own.loc[own["complete"], "peak"]
    entries = book.entries()
    begins = entries[(len(entries) - 1) % 4].dates[0]  # every fourth of weekly ones, counted from the last
    expected = own[(own.index >= begins) & (own.index <= entries[-1].dates[-1])]
    assert np.asarray(came.get_ydata()).tolist() == expected.tolist()


def test_report_with_a_ledger_has_the_page(tmp_path: Path) -> None:
    """HTML or PDF would leave the page out (the PNG: tests/test_cli_order.py), or a path pass for a ledger."""
    held = extreme("one week, peaks of 3")
    book = ledger(tmp_path / "ledger", 28)
    text = cap.report.save_html(held, tmp_path / "a.html", ledger=book).read_text(encoding="utf-8")
    assert page_ledger.TITLE in text
    pdf = cap.report.save_pdf(held, tmp_path / "c.pdf", ledger=book).read_bytes()
    assert pdf.count(b"/Type /Page ") == 7
    with pytest.raises(cap.errors.ConfigError, match="ledger must be a"):
        cap.report.save(held, tmp_path / "x", ledger=str(tmp_path))  # type: ignore[arg-type]
