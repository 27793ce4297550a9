"""The documentation's pages: examples print what they show, every public name has its place, the drawing is true."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import capacity as cap

DOCS = Path(__file__).parents[1] / "docs"


def module(name: str) -> ModuleType:
    """Load a script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


outputs = module("outputs")


@pytest.mark.parametrize("path", outputs.pages(), ids=lambda path: path.stem)
def test_examples_print_what_they_show(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who pastes an example would get an error, or other figures than the page has."""
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert outputs.refreshed(text).split() == text.split()


def test_every_public_name_is_in_the_reference() -> None:
    """A public name would have no page, or a page would be of a name that is gone."""
    listed = re.findall(r"^   capacity\.(\w+)$", (DOCS / "reference" / "index.rst").read_text(encoding="utf-8"), re.M)
    assert sorted(listed) == sorted(cap.__all__)
    assert len(listed) == len(set(listed))


def test_drawing_is_of_the_imports_as_they_are() -> None:
    """The architecture page would show arrows that are not there, or hide some: run ``python docs/architecture.py``."""
    drawing = module("architecture")
    assert drawing.DRAWING.read_text(encoding="utf-8") == drawing.svg()


def test_pages_link_to_pages_that_exist() -> None:
    """A link of the documentation would lead nowhere on the repository's own pages."""
    for path in DOCS.rglob("*.md"):
        if "_build" in path.parts or "_copies" in path.parts:
            continue
        for link in re.findall(r"\]\(((?!https?:|#)[^)#]+)", path.read_text(encoding="utf-8")):
            assert link.startswith("_copies/") or (path.parent / link).exists(), f"{path.name}: {link}"


def test_each_question_links_to_the_reference() -> None:
    """A reader of a question's page would not find the functions that it speaks of, or follow a link to nothing."""
    for path in sorted((DOCS / "questions").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"\{\w+\}`capacity\.(\w+)`", text)
        assert path.stem == "index" or named, f"{path.name} has no line of references"
        assert set(named) <= set(cap.__all__), f"{path.name}: {set(named) - set(cap.__all__)}"


# What a newcomer types into the search of the documentation, and the page that answers it. An entry of the index whose
# text is what was typed comes before titles and text.
SEARCHED = {
    "Retry-After": "fetching.md",
    "DST": "local_days.md",
    "daylight saving time": "local_days.md",
    "add an analysis": "add_an_analysis.md",
    "add a chart": "add_an_analysis.md",
    "store file schema": "store.md",
    "Parquet": "store.md",
    "how sure is the verdict": "questions/trust.md",
}


@pytest.mark.parametrize("words", SEARCHED)
def test_search_leads_to_the_page_that_answers(words: str) -> None:
    """A newcomer who searches the documentation would find pages with the words, and not the one that answers."""
    entry = f"```{{index}} ! single: {words}\n```"
    assert [str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md") if entry in p.read_text("utf-8")] == [SEARCHED[words]]
