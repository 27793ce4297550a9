"""Call records on the command line: fetched into the store of the maxima, and compared with them."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import capacity as cap
from capacity.calls.emulator import Switches, serve
from capacity.cli import run

from .simulated_records import records

ACCOUNT, PROJECT = "ACCOUNT-1", "PROJECT-1"
RANGE = ["--account", ACCOUNT, "--project", PROJECT, "--start", "2026-03-02", "--end", "2026-03-05"]


@pytest.fixture
def both(tmp_path, monkeypatch, capsys):
    """Return the store, after fetching maxima and call records over HTTP, each with its key."""
    monkeypatch.setenv("POLYAI_API_KEY", "one")
    monkeypatch.setenv("POLYAI_V3_API_KEY", "three")
    calls = records(1, days=4, per_day=500)
    switches = Switches(holds="polyai_duration", voice_only=True)
    with serve(calls, account=ACCOUNT, project=PROJECT, key="one", calls_key="three", switches=switches) as server:
        where = [*RANGE, "--base-url", server.url, "--store", str(tmp_path)]
        assert run(["fetch", *where]) == 0
        assert run(["fetch", *where, "--calls", "--dry-run"]) == 0
        assert capsys.readouterr().out.count("not held") == 3
        assert run(["fetch", *where, "--calls"]) == 0
        said = capsys.readouterr()
        assert "calls from [2026-03-02" in said.err
        assert said.out.strip() == str(tmp_path)
        asked = len(server.requests)
        assert run(["fetch", *where, "--calls"]) == 0
        assert len(server.requests) == asked
    capsys.readouterr()
    return tmp_path


def test_reconcile_names_what_the_server_counts(both, capsys):
    """The whole way, over HTTP and through the store, would lose what tells the hypotheses apart."""
    assert run(["reconcile", "--store", str(both)]) == 0
    assert "What takes a channel: polyai_duration, voice." in capsys.readouterr().out
    assert run(["reconcile", "--store", str(both), "--json", "--start", "2026-03-03"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["intervals"] == 2 * 288
    assert found["hypothesis"].startswith("polyai_duration, voice")
    assert found["share_equal"] == 1.0


def test_the_store_says_it_holds_both(both, capsys):
    """`status` would not tell that there are call records, or reading one kind would trip over the other."""
    assert run(["status", "--store", str(both)]) == 0
    assert "calls" in capsys.readouterr().out
    assert len(cap.read_intervals(both)) > 0
    days = cap.read_stored_calls(both).frame["start"].dt.floor("D").value_counts()
    assert set(days.index) == set(pd.date_range("2026-03-02", periods=3, tz="UTC"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["fetch", *RANGE, "--calls", "--language", "en"], "--calls takes no --language"),
        (["fetch", *RANGE, "--channel", "voice"], "give --calls"),
        (["reconcile", "--store", "no-such-store"], "does not exist"),
    ],
)
def test_wrong_options_end_in_one_line(options, words, capsys, monkeypatch, tmp_path):
    """A wrong option would end in a traceback, or in a fetch of something else."""
    monkeypatch.setenv("POLYAI_API_KEY", "k")
    monkeypatch.chdir(tmp_path)
    assert run(options) == 1
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "\n" not in error
