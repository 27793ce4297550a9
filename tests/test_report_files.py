"""The report as one PDF and one HTML file: what is said is in both, word for word, and nothing leads out of them."""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader

import capacity as cap
from capacity.errors import ConfigError
from capacity.ground.text import chance

from . import made_assessments


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The HTML file of the ordinary assessment."""
    path = cap.report.save_html(made_assessments.ordinary(), tmp_path_factory.mktemp("html") / "report.html")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PDF of the ordinary assessment."""
    return cap.report.save_pdf(made_assessments.ordinary(), tmp_path_factory.mktemp("pdf") / "report.pdf")


def words(text: str) -> str:
    """The text of a page, its blanks folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_html_says_the_verdict_first_and_every_note_word_for_word(page: str) -> None:
    """A warning would be missing from the file that is sent, or come after the charts."""
    made, said = made_assessments.ordinary(), words(page)
    assert str(made.headline) in said
    assert made.confidence.reason in said
    for note in made.notes:
        assert " ".join(str(note).split()) in said
    body = page[page.index("<body") :]
    assert body.index("<h1>") < body.index("<svg")
    for note in made.notes:
        if note.severity == "warning":
            assert html.escape(str(note), quote=False) in html.unescape(body[: body.index("<svg")]).replace(
                "&", "&amp;"
            )


def test_html_leads_nowhere(page: str) -> None:
    """A file that was sent would call home, or depend on a network."""
    assert not re.findall(r"https?:|//[a-z]|url\((?!#)|<link|<iframe|@import", page)
    assert "default-src 'none'" in html.unescape(page)
    assert len(page) < 3_000_000


def test_html_runs_its_own_script_alone(page: str) -> None:
    """The policy would forbid the slider, or allow what somebody put into a name."""
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    import base64

    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.unescape(page)
    assert len(script) < 20_000


def test_slider_has_headrooms_numbers(page: str) -> None:
    """The slider would say another chance than `headroom` does."""
    data = json.loads(re.search(r'id="curve-data">(.*?)</script>', page, re.DOTALL)[1])
    forecast = made_assessments.ordinary().forecast
    highest = forecast.series(cap.TOTAL).max(axis=1)
    assert data["now"] in data["counts"]
    for at in (0, data["counts"].index(data["now"]), len(data["counts"]) - 1):
        count = data["counts"][at]
        assert data["chances"][-1][at] == chance(float(np.mean(highest > count)))
        assert data["chances"][-1][at] == chance(float(cap.headroom(forecast, count).p_above.iloc[-1]))


def test_names_are_text(tmp_path: Path) -> None:
    """A variant called <script> would be a script."""
    name = "</script><script>alert(1)</script>"
    path = cap.report.save_html(replace(made_assessments.ordinary(), name=name), tmp_path / "x.html")
    text = path.read_text(encoding="utf-8")
    assert name not in text
    assert text.count("<script") == 2
    assert html.escape(name) in text


@pytest.mark.parametrize("name", ["one interval", "no total", "nobody called"])
def test_html_without_a_forecast_or_a_total(name: str, tmp_path: Path) -> None:
    """Where something is not known the file would fail, or claim it."""
    made = made_assessments.extreme(name)
    text = words(cap.report.save_html(made, tmp_path / "x.html").read_text(encoding="utf-8"))
    assert str(made.headline) in text
    assert ("Try a licence count" in text) == (made.headroom is not None)


def test_pdf_is_small_and_can_be_searched(pdf: Path) -> None:
    """The PDF would be pictures of text, or too large for an e-mail."""
    assert pdf.stat().st_size < 500_000
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(pdf).pages]
    assert len(pages) >= 6
    made = made_assessments.ordinary()
    assert made.headline.text in pages[0]
    assert f"{made.peak[0]:,}" in pages[0]


def test_same_assessment_same_bytes(pdf: Path, page: str, tmp_path: Path) -> None:
    """Two runs on the same data would differ, and nobody could tell what changed."""
    made = made_assessments.ordinary()
    assert cap.report.save_pdf(made, tmp_path / "again.pdf").read_bytes() == pdf.read_bytes()
    assert cap.report.save_html(made, tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_refuses_what_is_no_assessment_and_no_file(tmp_path: Path) -> None:
    """A frame given by mistake would end in a traceback, a folder's name in a lost folder."""
    with pytest.raises(ConfigError, match="assess"):
        cap.report.save_html(made_assessments.ordinary().peaks, tmp_path / "x.html")
    with pytest.raises(ConfigError, match="folder"):
        cap.report.save_pdf(made_assessments.ordinary(), tmp_path)
    assert list(tmp_path.iterdir()) == []
