"""From a call log to the pages: `report` and `headroom` on a log and on intervals; what the commands say."""

from __future__ import annotations

import gzip
import json
import shlex

import pandas as pd
import pytest

import capacity as cap
from capacity.cli import run
from capacity.cli.frames import read_both


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Ten weeks of calls as a semicolon file with local times, compressed."""
    calls = cap.simulate_calls("2026-01-05", days=70, tz="Europe/London", scale=0.2, seed=1)
    local = {c: calls[c].dt.tz_convert("Europe/London").dt.strftime("%d.%m.%Y %H:%M:%S") for c in ("start", "end")}
    table = pd.DataFrame({"Beginn": local["start"], "Ende": local["end"], "Variant": calls["variant"]})
    path = tmp_path_factory.mktemp("log") / "anrufe.csv.gz"
    path.write_bytes(gzip.compress(table.to_csv(index=False, sep=";").encode()))
    return path


def test_headroom_of_a_log_and_of_its_intervals(log, tmp_path, capsys):
    """The verdict on a log would not be that on the intervals that were made of it."""
    out = tmp_path / "x.csv"
    assert run(["intervals", str(log), "--out", str(out), "--tz", "Europe/London"]) == 0
    capsys.readouterr()
    words = ["--licences", "40", "--tz", "Europe/London", "--horizon", "7", "--json"]
    assert run(["headroom", "--calls", str(log), *words]) == 0
    of_log = json.loads(capsys.readouterr().out)
    assert run(["headroom", "--intervals", str(out), *words]) == 0
    of_intervals = json.loads(capsys.readouterr().out)
    assert of_log["licences"] == of_intervals["licences"]
    assert of_log["peak"] == of_intervals["peak"]


def test_intervals_from_a_file_within_a_range(log, tmp_path):
    """A file of intervals without a slice, or with the times as index, would not be read; or the range be ignored."""
    common = {"store": tmp_path, "calls": None, "words": None, "tz": "UTC"}
    frame = cap.intervals_from_calls(cap.read_calls(log, tz="Europe/London"), by=None)
    total = frame["max_concurrent"].droplevel(1).rename_axis("time")
    total.to_frame().to_parquet(tmp_path / "plain.parquet")
    total.reset_index().to_csv(tmp_path / "plain.csv", index=False)
    for name in ("plain.parquet", "plain.csv"):
        found, _ = read_both(**common, intervals=tmp_path / name, start="2026-02-01", end="2026-02-03")
        assert found["max_concurrent"].tolist() == total.loc["2026-02-01":"2026-02-02"].tolist()
        assert found.index.levels[1].tolist() == [cap.TOTAL]


def test_a_store_of_a_log(log, tmp_path, capsys):
    """What is read back from the store would not be what the log holds, or lie under another name."""
    words = ["--store", str(tmp_path / "store"), "--project", "desk", "--tz", "Europe/London"]
    assert run(["intervals", str(log), *words]) == 0
    kept = cap.read_intervals(tmp_path / "store", project="desk")
    own = cap.intervals_from_calls(cap.read_calls(log, tz="Europe/London"))
    assert kept["max_concurrent"].equals(own["max_concurrent"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("intervals {log}", "--out FILE or --store DIR"),
        ("intervals nowhere.csv --out x.csv", "nowhere.csv is not there"),
        ("intervals {log} --out x.csv --tz UTC --column begin=Beginn", "'begin' is no part of a call"),
        (
            "intervals {log} --out x.csv --tz UTC --unfinished maybe",
            "--unfinished 'maybe' is none of recent, keep, drop",
        ),
        ("headroom --licences 3 --intervals {log}", "a call log is given with --calls"),
        ("headroom --licences 3 --intervals {log} --calls {log}", "leave one out"),
    ],
)
def test_errors_speak_the_words_of_the_command_line(words, said, log, capsys):
    """An error would name arguments of Python, or end in a traceback."""
    assert run(shlex.split(words.format(log=log))) == 1
    assert said in capsys.readouterr().err


def test_explain_writes_nothing(log, tmp_path, capsys, monkeypatch):
    """Whoever asks how a log is read would find a file written."""
    monkeypatch.chdir(tmp_path)
    assert run(["intervals", str(log), "--explain", "--tz", "Europe/London"]) == 0
    said = capsys.readouterr().err
    assert "start: column Beginn, written %d.%m.%Y %H:%M:%S, local times in Europe/London" in said
    assert f"capacity intervals {log} --out intervals.parquet --tz Europe/London" in said
    assert list(tmp_path.iterdir()) == []


def test_names_from_strangers_are_escaped(tmp_path, capsys):
    """A column's name would write control characters to the terminal, or run a command when pasted."""
    path = tmp_path / "a log;$(touch x)\x1b[2J.csv"
    name = "Start;\x1b[31m$(touch y)"
    path.write_text(f'"{name}",Länge\n2026-02-03 09:00:10,30\n2026-02-03 09:01:30,40\n', "utf-8")
    assert run(["intervals", str(path), "--out", str(tmp_path / "x.csv"), "--tz", "UTC"]) == 1
    said = capsys.readouterr().err
    assert "\x1b" not in said
    command = next(line for line in said.splitlines() if line.startswith("capacity intervals"))
    assert "$'" in command
    assert "\\x1b" in command
