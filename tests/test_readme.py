"""The README's code blocks run, and print what the README says they print."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Every fenced block: its language and its text."""
    return BLOCK.findall(README.read_text(encoding="utf-8"))


def test_opens_with_the_two_commands():
    """A newcomer would not find the demo and the tests where they are promised: one line each, first."""
    (first, demo), (second, tests), *_ = blocks()
    assert first == second == "sh"
    assert demo.count("\n") == tests.count("\n") == 1
    assert "capacity demo" in demo
    assert "pytest" in tests


def test_every_picture_is_there():
    """The page would open with a broken image."""
    for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / link).is_file(), link
