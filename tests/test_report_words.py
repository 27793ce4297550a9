"""What the pages say: of whom, of how many, and nothing that was not found."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis.assessment import Assessment
from capacity.forecast.paths import PeakForecast
from capacity.ground.licences import as_licences
from capacity.report import page_verdict, pages
from capacity.report.alone import PANELS as ALONE
from capacity.report.frame import PAGES, span_of, variant_name, whose
from capacity.report.page_exhaustion import sentence as exhaustion
from capacity.report.page_history import _stood_out, standouts
from capacity.report.page_rhythm import sentence as rhythm
from capacity.report.page_trust import _score
from capacity.report.page_variants import _rest
from capacity.report.page_variants import sentence as variants
from capacity.report.page_verdict import _number
from capacity.report.panels import place
from capacity.report.sheet import Area, Sheet
from capacity.report.theme import style, text_width

from .made_assessments import extreme, frame, ordinary
from .test_report_pages import written

ONE_DAY = pd.Timedelta(days=1)


def said(assessment: Assessment, number: int) -> str:
    """Return everything that is written on a page."""
    draw = list(pages._PAGES.values())[number - 1].draw
    with style():
        texts = [text for text, _ in written(draw(assessment).figure)]
    return " ".join(texts).replace("\n", " ")


@pytest.fixture(scope="module")
def with_holidays() -> Assessment:
    """Sixteen weeks with two quiet holidays, one busy one, and one quiet day that is none."""
    whole = frame(112, 0, 60, start="2026-01-05")
    day = whole.index.get_level_values("time").normalize().tz_localize(None)
    factor = pd.Series(1.0, index=whole.index)
    for date, times in {"2026-02-10": 0.2, "2026-03-10": 0.2, "2026-03-18": 2.0, "2026-04-08": 0.2}.items():
        factor[day == date] = times
    made = whole.assign(max_concurrent=np.rint(whole["max_concurrent"] * factor).astype(np.int32))
    off = ["2026-02-10", "2026-03-10", "2026-03-18"]
    return cap.assess(made, 200, tz="UTC", seed=1, holidays=off, backtest=False)


def test_quiet_holidays_do_not_stand_out(with_holidays: Assessment) -> None:
    """If every bank holiday is listed as a surprise, the days that are one drown."""
    assert with_holidays.anomalies is not None
    assert len(with_holidays.anomalies) == 4
    assert standouts(with_holidays).index.strftime("%m-%d").tolist() == ["03-18", "04-08"]
    assert _stood_out(with_holidays).endswith("first. 2 public holidays were quiet, as expected")
    page = said(with_holidays, 2)
    assert "18 Mar 2026, holiday" in page
    assert "8 Apr 2026" in page
    assert "10 Mar 2026" not in page


def test_days_that_find_no_room_are_counted(with_holidays: Assessment) -> None:
    """If the list ends where the page does, it looks whole."""
    found = with_holidays.anomalies
    assert found is not None
    dates = pd.date_range("2026-01-06", periods=15)
    index = pd.MultiIndex.from_product([dates, [cap.TOTAL]], names=found.index.names)
    many = pd.DataFrame(
        {"peak": 90, "expected": 50.0, "excess": 40.0, "score": np.arange(15.0) + 5, "special": False}, index
    )
    page = said(replace(with_holidays, anomalies=many), 2)
    listed, rest = page.rsplit("difference", 1)[1].split("and ")[:2]
    assert len(re.findall(r"\d+ Jan 2026", listed)) + int(rest.split(" more days")[0]) == 15


def test_less_than_one_path_in_a_hundred_gives_no_date() -> None:
    """If a handful of simulations dates the day, the date is the largest figure on the page and means nothing."""
    held = ordinary()
    assert held.forecast is not None
    tops = np.sort(held.forecast.max_over()[0])
    found = cap.headroom(held.forecast, int(tops[-3]))  # one path or two of 2,000
    few = replace(held, headroom=found, licences=found.licences)
    assert 0 < found.p_above.iloc[-1] < 0.01
    assert _number(few)[0] == "Licences for 5% risk within 30 days"
    assert "half of the cases" not in exhaustion(few)


def test_too_little_history_is_the_reason_for_no_back_test() -> None:
    """If the page only says that something is missing, nobody knows how to mend it."""
    page = said(extreme("one week, peaks of 3"), 6)
    assert "A forecast needs 56 days of daily peaks" in page
    assert "Not part of this assessment" not in page


def test_without_a_total_the_pages_say_whose_figures_they_are() -> None:
    """If one variant's peaks stand there without its name, they pass for those of all calls."""
    held = extreme("no total")
    assert not held.variant
    for number in range(1, 7):
        assert "alone, there is no total" in said(held, number)
    assert exhaustion(held).endswith("there is no forecast.")
    assert exhaustion(replace(ordinary(), variant="", headroom=None)).endswith("there is no total to judge them on.")
    assert not any("all in use" in line for line in span_of(held))
    assert "alone" not in whose(ordinary(), 1000.0, 8)


def test_each_page_bears_its_title_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page would bear the title or the number of another, or a sentence that another page says."""
    for number, title in enumerate(PAGES, start=1):
        page = said(ordinary(), number)
        assert title in page
        assert [f"{k} / " in page for k in range(1, 7)] == [k == number for k in range(1, 7)]
        monkeypatch.setattr(pages, "png", lambda figure: figure)
        assert f"{number} / 6" in [text for text, _ in written(pages.page(ordinary(), number))]


@pytest.mark.parametrize(
    ("variant", "of_one", "what", "head"),
    [
        (cap.TOTAL, True, "The last days", "The last days"),
        ("v001", True, "The last days", "{name}: the last days"),
        ("v001", True, "", "{name}"),
        ("v001", False, "The last days", "{name}: the last days"),
        ("", True, "The last days", "{name}: the last days"),
        ("", False, "The last days", "The last days"),
    ],
)
def test_what_is_of_one_series_says_so(variant: str, of_one: bool, what: str, head: str) -> None:
    """What is drawn of one variant would pass for all calls, or its words lose a letter."""
    held = replace(ordinary(), variant=variant)
    panel = replace(page_verdict.PANELS[0], what=lambda _: what, draw=lambda *_: None, of_one=of_one)
    sheet = Sheet()
    with style():
        place(panel, held, Area(sheet, 10, 10, 200, 80))
        texts = [text for text, _ in written(sheet.figure)]
    assert head.format(name=variant_name(held)) in texts


@pytest.mark.parametrize(("more", "words"), [(-3, "3 fewer than"), (0, "as many as"), (1, "1 more than")])
def test_the_number_to_hold_is_told_against_what_is_held(more: int, words: str) -> None:
    """Licences to order would be told as licences too many."""
    base = ordinary()
    needed = int(base.needed.loc[0.05].iloc[-1])
    held = replace(base, licences=as_licences(needed - more), headroom=cap.headroom(base.forecast, needed - more))
    label, value, note, _ = _number(held)
    assert (label, value) == ("Licences for 5% risk within 30 days", f"{needed:,}")
    assert note == f"{words} are held"


def test_licences_to_hold_stand_from_the_largest_risk_down() -> None:
    """The rows would stand in whatever order they came, and a number be read beside another risk."""
    held = replace(ordinary(), needed=ordinary().needed.iloc[[1, 2, 0]])
    (panel,) = [panel for panel in page_verdict.PANELS if panel.name == "licences-needed"]
    sheet = Sheet()
    with style():
        place(panel, held, Area(sheet, 10, 10, 130, 62))
        found = written(sheet.figure)
    rows = {text: box[1] for text, box in found if text.endswith(" risk")}
    assert sorted(rows, key=rows.__getitem__, reverse=True) == ["10% risk", "5% risk", "1% risk"]
    for risk, words in ((0.1, "10% risk"), (0.01, "1% risk")):  # each number on the line of its risk
        beside = [text for text, box in found if abs(box[1] - rows[words]) < 3 and text != words]
        assert sorted(beside) == sorted(f"{count:,}" for count in held.needed.loc[risk])


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ([34], "The busiest hour of the typical week is Tuesday, 10:00 to 11:00."),
        ([34, 36], "The busiest hours of the typical week are Tuesday between 10:00 and 13:00."),
        (
            [10, 34, 58],
            "The busiest hours of the typical week, 3 alike, are Monday to Wednesday between 10:00 and",
        ),
        ([10, 34, 83], "The busiest hours of the typical week, 3 alike, are Monday, Tuesday and Thursday between"),
        ([10, 35], "The busiest hours of the typical week, 2 alike, are Monday and Tuesday between 10:00 and 12:00."),
        ([], "When calls come, and how long each level is held."),
    ],
)
def test_the_busiest_hours_are_named(hours: list[int], words: str) -> None:
    """Another day or hour would be told, or days in a row where others lie between."""
    profile = ordinary().profile.copy()
    own = profile.index.get_level_values(0) == cap.TOTAL
    profile.loc[own, "q90"] = np.where(np.isin(np.arange(168), hours), 9.0, 3.0 if hours else 0.0)
    assert rhythm(replace(ordinary(), profile=profile)).startswith(words)


def test_head_cuts_the_name_and_nothing_else() -> None:
    """If the name of the project pushes the dates out, a page cannot be told from last month's."""
    line = whose(replace(ordinary(), name="N" * 300), 400.0, 8)
    assert line.endswith("N  ·  5 Jan 2026 to 19 Mar 2026, Europe/London")
    assert text_width(line, 8) <= 400


def test_one_other_variant_is_one() -> None:
    """If "the 1 others" are spoken of, the sentence was made by counting."""
    held = cap.assess(frame(2, 13, 50, every="1h"), 90, tz="UTC", seed=1)
    low = held.peaks["peak"].groupby(level=1).max().drop(cap.TOTAL).min()
    assert _rest(held).endswith(f"The one other has a peak of {low}")


def test_total_alone_has_no_chart_of_variants() -> None:
    """If there are no variants, a chart and a legend of them are an empty frame."""
    held = cap.assess(frame(2, 0, 50, every="1h"), 90, tz="UTC", seed=1)
    assert _rest(held) == ""
    (panel,) = [panel for panel in pages.panels() if panel.name == "variants"]
    assert not panel.stands_alone(held)


def test_one_variant_drives_nothing() -> None:
    """If the only variant is called the driver with 100%, the page tells what everybody knew."""
    held = cap.assess(frame(2, 1, 50, every="1h"), 90, tz="UTC", seed=1)
    assert variants(held) == "All calls are those of $5_off & $10_off."


def test_scores_have_no_exponents() -> None:
    """If 0.00003 is written 2.98e-05, most readers take it for three."""
    assert [_score(value, 3) for value in (0.0, 2.98e-5, 0.00353, 1660.0)] == ["0.000", "<0.001", "0.004", "1,660.000"]


@pytest.mark.parametrize("panel", ALONE, ids=lambda panel: panel.name)
def test_charts_that_are_files_only_are_written_if_there_is_something(panel: Any) -> None:
    """If a file holds nothing but an excuse, it is sent on as if it were a chart."""
    assert panel.stands_alone(ordinary())
    bare = replace(ordinary(), utilisation=None, headroom=None, diversity=None)
    assert not panel.stands_alone(bare)


def test_no_correlation_makes_no_file() -> None:
    """If one variant is written as a table of correlations, it is empty."""
    held = cap.assess(frame(15, 1, 50), 90, tz="UTC", seed=1)
    (panel,) = [panel for panel in ALONE if panel.name == "correlation"]
    assert held.diversity is not None
    assert not panel.stands_alone(held)


def test_rare_peaks_take_the_place_of_costs_that_nobody_asked_for() -> None:
    """If the page has an empty place while the rare peaks have none, half of what was found is not shown."""
    days = pd.date_range("2024-01-01", periods=730)
    levels = cap.return_levels(pd.Series(np.random.default_rng(0).poisson(50, 730), index=days))
    held = replace(ordinary(), return_levels=levels, cost=None)
    assert "What is reached once in years" in said(held, 5)
    assert "What it costs" in said(replace(ordinary(), return_levels=levels), 5)


def test_one_is_singular() -> None:
    """If "1 days" and "1 licences" are written, nobody looked at the page."""
    dates = pd.date_range("2026-03-20", periods=1, name="date")
    paths = np.array([[[1], [2], [3]]])
    forecast = PeakForecast(paths, (cap.TOTAL,), dates, pd.DataFrame({cap.TOTAL: [1.0]}, index=dates - ONE_DAY))
    small = cap.assess(frame(3, 2, 0.3, every="1h"), 1, tz="UTC", seed=1)
    held = replace(
        small,
        horizon=1,
        forecast=forecast,
        headroom=cap.headroom(forecast, 1),
        needed=cap.licences_needed(forecast, horizons=1),
    )
    text = " ".join(said(held, number) for number in (1, 2, 3, 4, 5))
    assert re.findall(r"\b1 (?:days|licences|minutes|calls|others|gaps)\b", text) == []
    assert "within 1 day" in text
    assert "1 licence" in text


def test_a_lean_that_is_drawn_is_said() -> None:
    """The panel would say "neither" above bars that rise from the lowest tenth to the highest."""
    made = ordinary()
    rising = np.repeat(np.arange(0.05, 1, 0.1), np.arange(1, 11))  # mean 0.7: forecasts were too low
    backtest = replace(made.backtest, pit=rising, by_origin=made.backtest.by_origin.iloc[:1])
    assert "Rather too low" in said(replace(made, backtest=backtest), 6)
    level = replace(made.backtest, pit=np.arange(0.05, 1, 0.1), by_origin=made.backtest.by_origin.iloc[:1])
    assert "Neither" in said(replace(made, backtest=level), 6)
