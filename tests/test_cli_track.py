"""The command track: forecasts are kept, scored, and an alarm leaves with 4."""

import json

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.cli import (
    run,
    tracking,  # noqa: F401
)


@pytest.fixture
def growing(monkeypatch):
    """Return a function that makes the store hold so many days: quiet ones, and from day 150 on a third more."""
    times = pd.date_range("2026-01-05", periods=240 * 288, freq="5min", tz="UTC")
    rng = np.random.default_rng(1)
    calls = np.where(times.hour == 10, 40 + rng.poisson(20, len(times)), 3)
    calls = np.where(times >= times[150 * 288], np.rint(calls * 1.33), calls).astype(int)
    whole = pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls})

    def hold(days):
        frame = cap.as_intervals(whole.iloc[: days * 288])
        monkeypatch.setattr(cap, "read_intervals", lambda *_, **__: frame)

    return hold


def test_a_drift_leaves_with_4_and_says_what_broke(growing, tmp_path, capsys):
    """Whoever runs it from a schedule would not be told that the plan no longer holds."""
    told = ["track", "--store", "store", "--ledger", str(tmp_path), "--licences", "200", "--horizon", "60", "--json"]
    growing(150)
    assert run(told) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["by_lead"] == []
    assert not first["alarm"]["raised"]
    growing(175)
    assert run(told) == 4
    answer = json.loads(capsys.readouterr().out)
    assert answer["alarm"]["raised"]
    assert "too low" in answer["alarm"]["broke"]
    assert answer["alarm"]["advice"]
    assert answer["bias"] < -0.1
    assert [row["made_on"] for row in answer["limits"]] == ["2026-06-04", "2026-06-29"]
    assert run([*told[:-1]]) == 4
    assert "ALARM" in capsys.readouterr().out
    assert len(cap.Ledger(tmp_path).entries()) == 2  # the same forecast again is kept once


def test_a_ledger_that_cannot_be_written_is_one_line(growing, tmp_path, capsys):
    """A file in the ledger's place would end in a traceback."""
    growing(90)
    (tmp_path / "ledger").write_text("x")
    assert run(["track", "--store", "s", "--ledger", str(tmp_path / "ledger"), "--licences", "90"]) == 1
    assert "is a file" in capsys.readouterr().err
