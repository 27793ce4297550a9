"""The page of a fleet as picture, PDF and HTML file: nothing found is lost, and nothing more is claimed."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

import capacity as cap
from capacity.report import fleet_lists
from capacity.report.page_fleet import figure, further
from capacity.report.theme import style

from .made_fleets import LONG, made_fleet
from .test_report_pages import assert_clean

FLEETS = {
    "one": {"projects": 1},
    "three": {"projects": 3, "pools": 1},
    "forty, some failed": {"projects": 40, "failed": 3, "pools": 3, "before": True},
    "a thousand": {"projects": 1000, "failed": 30, "pools": 12, "before": True},
    "long names, 60 days": {"projects": 30, "failed": 9, "pools": 1, "long": True, "before": True, "horizon": 60},
    "ten days": {"projects": 5, "horizon": 10},
    "none with a verdict": {"projects": 2, "failed": 2},
}


@pytest.mark.parametrize("name", FLEETS)
def test_pages_are_clean(name):
    """Words would run into each other or off the paper with many projects, long names or failures."""
    fleet = made_fleet(**FLEETS[name])
    with style():
        assert_clean(figure(fleet))
        for number, page in enumerate(further(fleet)):
            if number % 20 == 0:
                assert_clean(page)


def words(path: Path) -> str:
    """Return the text of an HTML file, its blanks folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", path.read_text("utf-8"))).split())


def test_html_holds_every_row_and_every_reason(tmp_path):
    """A project, a change or a reason would be missing from the file that is sent, or a name be markup."""
    fleet = made_fleet(30, failed=4, pools=2, long=True, before=True)
    warned = fleet.table.copy()
    warned.iloc[0, warned.columns.get_loc("warnings")] = "Demand has been censored on 12 days."
    fleet = replace(fleet, table=warned)
    path = cap.report.save_fleet(fleet, tmp_path / "fleet.html")
    text = words(path)
    assert fleet.sentence() in text
    assert "Demand has been censored on 12 days." in text
    for name, why in fleet.failed.items():
        assert f"{name} {why}" in text
    for listing in (fleet_lists.ranking(fleet), fleet_lists.needs(fleet), fleet_lists.changes(fleet)):
        assert listing.rows
        for row in listing.rows:
            assert " ".join(" ".join(row).split()) in text
    raw = path.read_text("utf-8")
    assert LONG not in raw
    assert not re.findall(r"https?:|//[a-z]|url\((?!#)|<link|<iframe|@import", raw)
    assert "not back-tested" in text


def test_pdf_goes_on_with_what_the_page_has_no_room_for(tmp_path):
    """On paper the projects below the first dozen would not exist, or the text be pictures."""
    fleet = made_fleet(70, failed=5, before=True)
    path = cap.report.save_fleet(fleet, tmp_path / "fleet.pdf")
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(path).pages]
    assert fleet.sentence() in pages[0]
    assert all(any(name in page for page in pages[1:]) for name in fleet.table.index)
    assert all(f"{name} {why}" in pages[-1] for name, why in fleet.failed.items())
    assert path.read_bytes() == cap.report.save_fleet(fleet, tmp_path / "again.pdf").read_bytes()
    small = cap.report.save_fleet(made_fleet(3), tmp_path / "small.pdf")
    assert len(PdfReader(small).pages) == 1


def test_a_short_horizon_claims_no_more(tmp_path):
    """The page would speak of 90 days where the forecast has 60, or call a chance that nobody knows under 1%."""
    text = words(cap.report.save_fleet(made_fleet(4, horizon=60), tmp_path / "a.html"))
    assert "exceeding their licences within 30 days" in text
    assert "90 days" not in text
    text = words(cap.report.save_fleet(made_fleet(4, horizon=10), tmp_path / "b.html"))
    assert "too short for a chance within 30 days" in text
    assert "under 1%" not in text


def test_a_change_is_told_by_what_changed():
    """A change of the licences would be told by chances that did not move."""
    fleet = made_fleet(6)
    before = fleet.table.copy()
    before.iloc[1, before.columns.get_loc("licences")] = 7
    from capacity.fleet.table import changes

    changed = replace(fleet, changes=changes(before, fleet.table))
    name, now = str(fleet.table.index[1]), fleet.table["licences"].iloc[1]
    assert fleet_lists.changes(changed).rows == [[name, "licences", f"7 to {now:,}"]]


def test_reports_of_their_own_are_linked(tmp_path):
    """A reader would not find the report that was asked for, or a link lead nowhere."""
    fleet = made_fleet(3)
    own = tmp_path / "reports" / "project-0001"
    own.mkdir(parents=True)
    (own / "report.html").write_text("x")
    raw = cap.report.save_fleet(fleet, tmp_path / "fleet.html").read_text("utf-8")
    assert re.findall(r'href="(reports[^"]*)"', raw) == ["reports/project-0001/report.html"]


@pytest.mark.parametrize(("path", "says"), [("fleet.txt", "ends in .txt"), ("fleet", "ends in nothing")])
def test_other_endings_are_refused(tmp_path, path, says):
    """A file would hold something else than its name says."""
    with pytest.raises(cap.errors.ConfigError, match=says):
        cap.report.save_fleet(made_fleet(1), tmp_path / path)
    with pytest.raises(cap.errors.ConfigError, match="assess_fleet"):
        cap.report.save_fleet(made_fleet(1).table, tmp_path / "fleet.png")
