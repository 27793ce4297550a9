"""The README's code blocks run, and print what the README says they print."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

import capacity as cap
from capacity.calls import emulator
from capacity.cli import run
from capacity.fetch import endpoint

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ACCOUNT, PROJECT = "ACCOUNT-t53y16r3", "PROJECT-f76d75c2"  # as the README has them


def blocks() -> list[tuple[str, str]]:
    """Every fenced block: its language and its text."""
    return BLOCK.findall(README.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def calls() -> pd.DataFrame:
    """Half a year of few calls."""
    return cap.simulate_calls("2026-01-01", "2026-07-01", scale=0.1, seed=5)


@pytest.fixture
def reader(calls, tmp_path, monkeypatch):
    """A reader in an empty folder, with a key, whom the API answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYAI_API_KEY", "k")
    calls.head(20_000).to_csv("calls.csv", index=False)
    Path("plan.csv").write_text("project,store,licences,tz\nHotels,calls,120,Europe/London\n", encoding="utf-8")
    with emulator.serve(calls, account=ACCOUNT, project=PROJECT, key="k") as server:
        monkeypatch.setitem(endpoint.REGIONS, "us-1", server.url)
        yield


def test_opens_with_the_two_commands():
    """A newcomer would not find the demo and the tests where they are promised: one line each, first."""
    (first, demo), (second, tests), *_ = blocks()
    assert first == second == "sh"
    assert demo.count("\n") == tests.count("\n") == 1
    assert "capacity demo" in demo
    assert "pytest" in tests


def test_every_link_leads_somewhere():
    """The page would open with a broken image, or send a reader nowhere."""
    for link in re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / link).exists(), link


def test_commands_run(reader, capsys):
    """A command of the README would be wrong for who types it."""
    lines = [line for language, text in blocks()[2:] if language == "sh" for line in text.splitlines()]
    assert len(lines) >= 6
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "capacity"
        assert run(words) == 0, line


def test_python_runs_and_prints_what_it_says(reader):
    """An example would not run, or would not give what stands beneath it."""
    space: dict[str, object] = {}
    told = ""
    for language, text in blocks():
        if language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(text, "README.md", "exec"), space)
            told = out.getvalue()
        elif language == "text":
            assert told.split() == text.split()
