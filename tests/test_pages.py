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
