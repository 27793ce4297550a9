"""Errors of the command line speak of its options, and options that have no effect are refused."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from capacity.cli import run

WORDS = re.compile(r"\b(tz|start|end|store|account|project|env|unit|columns|keep|out_dir|api_key)=|[a-z]_[a-z]|pd\.")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with 20 days of intervals and a log of one call."""
    monkeypatch.chdir(tmp_path)
    times = pd.date_range("2026-01-01", periods=20 * 288, freq="5min", tz="UTC")
    pd.DataFrame({"time": times, "variant": "*", "max_concurrent": 3}).to_parquet("i.parquet")
    (tmp_path / "log.csv").write_text("start,duration\n2026-01-01T10:00Z,0:05:00\n")
    (tmp_path / "store").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("headroom --intervals i.parquet --licences 5 --tz Europe/Londn", "--tz 'Europe/Londn' is no IANA time zone"),
        ("headroom --intervals i.parquet --licences 5,2026-13-01:6", "--licences: '2026-13-01' is no date"),
        ("headroom --store absent --licences 5", "--store 'absent' does not exist"),
        ("headroom --intervals i.parquet --licences 5 --mean-call-length 3", "--mean-call-length '3' has no unit"),
        (
            "headroom --intervals i.parquet --licences 5 --licence-price 9",
            "--licence-price, --lost-call-cost and --mean",
        ),
        ("headroom --intervals i.parquet --licences 5 --lead-time 3", "--lead-time '3' must be a whole number of days"),
        ("headroom --intervals i.parquet --licences 5 --exclude 1.2.26", "--exclude: '1.2.26' is no date"),
        (
            "headroom --intervals i.parquet --licences 5 --start 2026-02-01 --end 2026-01-01",
            "not before --end '2026-01",
        ),
        ("headroom --intervals i.parquet --licences 5 --start 2027-01-01", "there are intervals from 2026-01-01 00:00"),
        ("headroom --intervals i.parquet --licences 5 --store store", "--store is for a store, and --intervals was"),
        ("headroom --calls log.csv --licences 5 --account A", "--account is for a store, and --calls was given"),
        ("headroom --intervals i.parquet --licences 5 --like 3cx", "--like describes a call log; give the log with"),
        ("demo --days 3 --time-format %Y", "--time-format describes a call log"),
        ("report --intervals i.parquet --licences 5 --out i.parquet", "--out 'i.parquet': 'i.parquet' is a file; name"),
        ("report --intervals i.parquet --licences 5 --out i.parquet/x", "'i.parquet' is a file; name a folder"),
        ("fleet plan.csv --out log.csv", "'log.csv' is a file; name a folder"),
        ("demo --out log.csv", "'log.csv' is a file; name a folder"),
        ("intervals log.csv --out x.csv --unit weeks", "--unit 'weeks' is none of"),
        ("intervals log.csv --out x.csv --column start", "--column 'start' is not of the form NAME=VALUE"),
        ("intervals log.csv --out x.csv --start 2026-01-01", "give --tz 'Europe/London' (say)"),
        ("fetch --account A --project P --start 2026-01-01 --end 2026-01-02", "set POLYAI_API_KEY"),
        ("fetch --account A --project P --start 2026-01-01 --end 2026-01-02 --region x", "or give --base-url"),
        ("simulate --out absent/x.csv --days 1", "there is no folder 'absent'; make it first"),
    ],
)
def test_errors_speak_of_options(here, monkeypatch, capsys, line, says):
    """Else a user would read of Python's arguments, or of nothing where an option had no effect."""
    monkeypatch.delenv("POLYAI_API_KEY", raising=False)
    code = run(line.split())
    told = capsys.readouterr().err
    assert code == 1
    assert says in told
    assert not WORDS.search(told.replace("POLYAI_API_KEY", ""))
    assert told.count("\n") == 1


def test_a_place_that_cannot_be_used(here, capsys):
    """Else an error of the system would come without a remedy."""
    assert run("demo --out /proc/x --days 1".split()) == 1
    assert "name a place that is there and that you may use" in capsys.readouterr().err
