"""The HTML report in a real browser: slider, sorting, copying, keyboard, accessibility, and nothing leaves the page.

``pytest -m browser`` runs these with the system's Chromium (extra ``browser``).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import capacity as cap
from capacity.ground.text import chance

from . import made_assessments, made_fleets

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the ordinary assessment."""
    return cap.report.save_html(made_assessments.ordinary(), tmp_path_factory.mktemp("html") / "report.html")


@pytest.fixture
def page(browser: Any, report: Path) -> Iterator[Any]:
    """The page, opened; afterwards nothing was asked for and nothing complained."""
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    opened = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(report.as_uri())
    yield opened
    context.close()
    assert asked == [report.as_uri()]
    assert said == []


def test_slider_says_what_headroom_says(page: Any) -> None:
    """The slider's chance would differ from `headroom`'s, or its sentence would not move with the keyboard."""
    slider, said = page.locator("#count"), page.locator("#said")
    before = said.inner_text()
    assert "as many as today" in before
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "3 more than today" in said.inner_text()
    forecast = made_assessments.ordinary().forecast
    count = 85 + 3
    assert f"With {count} licences" in said.inner_text()
    share = chance(float(cap.headroom(forecast, count).p_above.iloc[-1]))
    assert f"{share} within 30 days" in said.inner_text()
    assert slider.get_attribute("aria-valuetext") == said.inner_text()


def test_tables_sort_by_number(page: Any) -> None:
    """A click on a column's head would sort 9 behind 85, or not at all."""
    page.locator("details summary").click()
    cells = page.locator("#curve-table tbody tr th")
    head = page.locator("#curve-table thead button").first
    up = [int(text.replace(",", "")) for text in cells.all_inner_texts()]
    assert up == sorted(up)
    head.click()
    head.press("Enter")
    down = [int(text.replace(",", "")) for text in cells.all_inner_texts()]
    assert down == sorted(up, reverse=True)
    assert page.locator("#curve-table thead th").first.get_attribute("aria-sort") == "descending"


def test_table_is_copied_as_csv(page: Any) -> None:
    """What lands in a spreadsheet would not be the table."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#decision .copy").click()
    page.locator("#decision .copy", has_text="Copied").wait_for()
    pasted = page.evaluate("navigator.clipboard.readText()")
    heads = page.locator("#decision thead th").all_inner_texts()
    assert pasted.splitlines()[0].split(",")[: len(heads)] == [h if "," not in h else f'"{h}"' for h in heads]
    assert len(pasted.splitlines()) == 1 + page.locator("#decision tbody tr").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(page: Any, scheme: str) -> None:
    """A heading, a label, an alternative text or enough contrast would be missing."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.emulate_media(color_scheme=scheme)
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_phone_shows_it_without_scrolling_sideways(page: Any) -> None:
    """On a narrow screen the page would run out at the right."""
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_the_verdict_and_the_curve_are_there(browser: Any, report: Path) -> None:
    """A mail program that runs no scripts would show a page without an answer."""
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(report.as_uri())
    assert opened.locator("h1").inner_text()
    assert opened.locator("#decision tbody tr").count() >= 3
    assert not opened.locator("#try").is_visible()
    context.close()


def test_a_hostile_name_is_text(browser: Any, tmp_path: Path) -> None:
    """A variant called <script> would run."""
    from dataclasses import replace

    name = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
    made = replace(made_assessments.ordinary(), name=name)
    path = cap.report.save_html(made, tmp_path / "x.html")
    opened = browser.new_page()
    opened.goto(path.as_uri())
    assert name in opened.locator(".whose").inner_text()
    assert opened.title() != "owned"
    assert opened.locator("header img").count() == 0
    opened.close()


def test_a_fleets_table_sorts_days_and_names(browser: Any, tmp_path: Path) -> None:
    """Days would be sorted by their first digit, and project-10 come before project-9."""
    path = cap.report.save_fleet(made_fleets.made_fleet(120, failed=3, before=True), tmp_path / "fleet.html")
    opened = browser.new_page(viewport={"width": 360, "height": 740})
    opened.goto(path.as_uri())
    table = opened.locator("table", has=opened.locator("thead", has_text="By"))
    table.locator("thead button", has_text="By").click()
    days = [time.strptime(text, "%d %b %Y") for text in table.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert days == sorted(days)
    assert len(days) > 3
    names = opened.locator("#table-1 tbody th")
    opened.locator("#table-1 thead button").first.click()
    assert names.all_inner_texts() == [f"project-{k:04d}" for k in range(120)]
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(opened)
    assert found.violations_count == 0, found.generate_report()
