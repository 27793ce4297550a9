"""The commands report and headroom with a tariff, a lead time and a ledger."""

import json

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.cli import (
    reporting,  # noqa: F401
    run,
)


@pytest.fixture
def store(monkeypatch):
    """Let every store hold ninety days whose peak grows from 60 calls."""
    times = pd.date_range("2026-01-05", periods=90 * 288, freq="5min", tz="UTC")
    rng = np.random.default_rng(1)
    calls = np.where(times.hour == 10, 40 + rng.poisson(20, len(times)), 3)
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    monkeypatch.setattr(cap, "read_intervals", lambda *_, **__: frame)


@pytest.fixture
def tariff(tmp_path):
    """Return the file of a tariff in lots of ten."""
    path = tmp_path / "tariff.toml"
    path.write_text("licence_price = 300\nlot = 10\nlost_call_cost = 2\n")
    return str(path)


ASKED = ["--store", "s", "--licences", "60", "--horizon", "60", "--lead-time", "21d", "--mean-call-length", "3m"]


def test_headroom_says_what_to_order_by_when(store, tariff, capsys):
    """A tariff and a lead time would change the table, and nobody be told what to order."""
    assert run(["headroom", *ASKED, "--tariff", tariff, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    action = answer["order"]["actions"][0]
    assert action["action"] == "order"
    assert action["licences"] % 10 == 0
    assert answer["order"]["order_by"] == action["by"] == "2026-04-04"  # today: it is short already
    assert action["in_force"] == "2026-04-25"
    assert run(["headroom", *ASKED, "--tariff", tariff]) == 0
    out = capsys.readouterr().out
    assert "What to order, and when" in out
    assert answer["order"]["sentence"] in out


def test_headroom_without_a_tariff_says_no_order(store, capsys):
    """Prices would be made up."""
    assert run(["headroom", *ASKED, "--json"]) == 0
    assert "order" not in json.loads(capsys.readouterr().out)


def test_report_keeps_its_forecast(store, tmp_path, capsys):
    """The page would never fill, because no report kept what it said."""
    book = tmp_path / "ledger"
    how = ["report", "--store", "s", "--horizon", "30", "--licences", "90", "--out", str(tmp_path / "r")]
    assert run([*how, "--no-html", "--no-pdf", "--ledger", str(book)]) == 0
    (entry,) = cap.Ledger(book).entries()
    assert list(entry.licences.values()) == [90]
    assert (tmp_path / "r" / "page-7-ledger.png").exists()
    (tmp_path / "file").write_text("x")
    assert run([*how, "--ledger", str(tmp_path / "file")]) == 1
    assert "is a file" in capsys.readouterr().err
