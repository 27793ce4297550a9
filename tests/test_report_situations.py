"""The pages in each situation: the right headline, every warning word for word, figures that agree, nothing cut off."""

from __future__ import annotations

import json
import re

import pytest

from capacity.ground.frame import TOTAL
from capacity.ground.text import chance, day
from capacity.report import pages
from capacity.report.frame import names_of
from capacity.report.theme import plain, style

from .made_assessments import SITUATIONS, situation
from .test_report_pages import assert_clean, written

# The pages beside the first one on which a situation shows.
PAGES = {
    "growing": (6,),
    "no total": (2, 5),
    "gap at the end": (2, 6),
    "two or three calls": (2, 5),
    "far too many": (5,),
    "soft-capped": (5, 6),
    "short history": (3, 4, 5, 6),
    "names": (4,),
    "priced": (5,),
}


def said(name: str, number: int) -> str:
    """Return all that is written on a page, in the order in which it was put there, and look that it is clean."""
    with style():
        figure = list(pages._PAGES.values())[number - 1].draw(situation(name)).figure
        assert_clean(figure)
        return " ".join(text.replace("\n", " ") for text, _ in written(figure))


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_first_page_says_what_to_do(name: str) -> None:
    """The page that is read if only one is would be cut off, drop a warning, or say another number than the rest."""
    found = situation(name)
    page = said(name, 1)
    assert found.headline.kind == SITUATIONS[name]
    assert plain(found.headline.text) in page
    for text in (*found.headline.besides, found.confidence.reason):
        assert plain(text) in page
    assert f"Confidence: {found.confidence.level}." in page
    for note in found.notes:
        assert note.severity != "warning" or f"Warning: {plain(note)}" in page, note
    table = found.decision_table()
    if table is not None:
        for choice, row in table.iterrows():
            assert " ".join([str(choice), *(cell for cell in row if cell)]) in page
    likelier = found.headroom is not None and float(found.headroom.p_above.iloc[-1]) > 0.5
    assert ("Likelier than not by" in page) == (likelier and not found.situation.combined)


@pytest.mark.parametrize(("name", "number"), [(n, k) for n, numbers in PAGES.items() for k in numbers])
def test_the_other_pages_agree(name: str, number: int) -> None:
    """A later page would contradict the first, or give the confidence of another verdict."""
    found = situation(name)
    page = said(name, number)
    assert plain(f"Confidence: {found.confidence.level}. {found.confidence.reason}") in page
    if number == 5 and found.headroom is not None and found.decisions is not None:
        share = float(found.headroom.p_above.iloc[-1])
        risk = found.decisions.iloc[0][f"chance_{found.horizon}"]
        assert share == risk == (found.situation.risk or (None,))[0]
        assert chance(share) in page or "In none of 2,000 simulations" in page
        marked = dict(re.findall(r"(\d[\d,]*) for (\d+)%", page))
        needed = {f"{n:,}": f"{100 * risk:.0f}" for risk, n in found.needed.iloc[:, -1].items()}  # type: ignore[union-attr]
        assert set(needed) <= set(marked) | {"4"}
    if number == 6 and found.evidence is not None:
        assert f"{found.evidence.kept} of {found.evidence.tries}" in page


@pytest.mark.parametrize("name", ["tight", "growing", "no total", "several projects", "priced"])
def test_print_json_and_pages_agree(name: str) -> None:
    """A colleague who reads the JSON would decide otherwise than one who reads the page."""
    found = situation(name)
    text, read = str(found), json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert text.startswith(read["headline"]["text"])
    assert read["verdict"].startswith(read["headline"]["text"])
    assert read["confidence"]["reason"] in text
    assert all(note in text for note in read["notes"])
    if found.decisions is not None:
        assert [row["licences"] for row in read["decisions"]] == found.decisions["licences"].tolist()
        assert read["headroom"]["p_above"] == read["decisions"][0][f"chance_{found.horizon}"]
        five = next(row for row in read["decisions"] if row["choice"] == "5% risk")
        needed = {row["licences"] for row in read["licences_needed"]
                  if row["risk"] == 0.05 and row["horizon"] == found.horizon}  # fmt: skip
        assert {five["licences"]} == needed
        assert found.headline_at(five["licences"]).kind in ("ample", "far too many", "too low")


def test_without_a_total_bounds_are_said_and_no_share() -> None:
    """One variant's peak would stand there as a share of all licences."""
    page = said("no total", 1)
    low, high = situation("no total").situation.peak
    assert f"{low} to {high}" in page
    assert "licences of that day" not in page
    assert "hotel: the last days" in page


def test_a_missing_week_is_said() -> None:
    """A forecast from data a week old would pass for one of today."""
    assert situation("gap at the end").missing_days == 7
    assert "The last 7 days have no data. Intervals that are there" in said("gap at the end", 6)


def test_growth_and_small_counts_have_no_return_levels() -> None:
    """What is reached once in years would contradict a record, or a forecast that grows."""
    for name, why in (("growing", "demand is growing"), ("two or three calls", "peaks of 3 at most are too few")):
        found = situation(name)
        assert found.return_levels is None
        assert any(why in note for note in found.notes)


def test_names_keep_their_place_beside_dates() -> None:
    """A project called in Arabic would turn the dates around it, and a pictogram be a box."""
    found = situation("names")
    page = said("names", 4)
    assert f"6 Jan 2025 to {day(found.span[1], weekday=False)}"[:12] in page
    assert "party" in page
    assert "party \N{WHITE SQUARE}" not in page
    assert plain(found.name).startswith("\N{LEFT-TO-RIGHT MARK}") or plain(found.name) == found.name
    assert TOTAL not in names_of(found)


def test_below_a_third_none_drives_the_peak() -> None:
    """The largest of many would be said to drive the peak, with 13% of the calls."""
    assert "No variant drives the peak: $5_off & $10_off has most" in said("names", 4)
