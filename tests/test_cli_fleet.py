"""The command `capacity fleet` as a user meets it: exit codes, files, what a second run says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pytest

import capacity as cap
from capacity.calls import emulator
from capacity.cli import run
from capacity.report import html, pages, pdf

from .fleet_stores import make_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Three projects, two of which share licences."""
    path = make_plan(tmp_path_factory.mktemp("cli"), 3)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},pool", f"{lines[1]},east", f"{lines[2]},east", f"{lines[3]},"]))
    return path


def test_table_page_and_files(plan, tmp_path, capsys):
    """The command would print another order than the risk's, or leave no page."""
    assert run(["fleet", str(plan), "--out", str(tmp_path), "--workers", "1", "--horizon", "90"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("3 projects: ")
    assert "east (50 licences)" in out
    assert (tmp_path / "fleet.png").read_bytes()[1:4] == b"PNG"
    assert (tmp_path / "fleet.pdf").read_bytes()[1:4] == b"PDF"
    assert "east" in (tmp_path / "fleet.html").read_text()
    table = pd.read_parquet(tmp_path / "fleet.parquet")
    assert [out.index(f"\n{name} ") for name in table["project"]] == sorted(out.index(f"\np{k} ") for k in range(3))
    assert list(pd.read_parquet(tmp_path / "pooled.parquet")["pool"]) == ["east"]


def test_json_failures_and_own_reports(plan, tmp_path, capsys, monkeypatch):
    """A machine would miss the projects that failed, a script take the run for whole, or a report be of another."""
    reports = []
    monkeypatch.setattr(pages, "save", lambda assessment, out: reports.append((assessment.name, out)) or [])
    for module in (html, pdf):
        monkeypatch.setattr(module, f"save_{module.__name__.rpartition('.')[2]}", _touched)
    bad = plan.with_name("bad.csv")
    bad.write_text(f"{plan.read_text()}\np9,gone,50,UTC,\n")
    words = ["fleet", str(bad), "--out", str(tmp_path), "--workers", "1", "--horizon", "30", "--json"]
    assert run([*words, "--report", "p0", "--report", "p9", "--report", "../p1"]) == 3
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert "--report p9: store=" in said.err
    assert "--report ../p1: '../p1' is no name" in said.err
    assert "reports/p0/report.html" in (tmp_path / "fleet.html").read_text()
    assert [p["project"] for p in found["projects"]][-1] == "p9"
    assert "does not exist" in found["projects"][-1]["reason"]
    assert set(found["projects"][0]) == {"project", *cap.FLEET_SCHEMA}
    assert reports == [("p0", tmp_path / "reports" / "p0")]


def _touched(_assessment, path):
    """Stand for the writing of a report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "give one"),
        (["--fetch"], "--fetch takes --start and --end"),
        (["--start", "2026-01-01", "--end", "2026-02-01"], "--fetch takes --start and --end"),
    ],
)
def test_options_that_contradict(plan, tmp_path, capsys, words, told):
    """An option would be ignored in silence."""
    assert run(["fleet", str(plan), "--out", str(tmp_path), *words]) == 1
    assert told in capsys.readouterr().err


def test_fetch_first_with_the_key_of_each_project(tmp_path, monkeypatch, capsys):
    """A project would be fetched with another's key, or a verdict on old data pass for a new one."""
    calls = cap.simulate_calls("2026-01-01", "2026-03-20", tz="UTC", scale=0.1, seed=3)
    plan = tmp_path / "plan.csv"
    plan.write_text(
        "project,account,store,licences,tz,key_env\nP1,A,one,40,UTC,KEY_ONE\nP2,A,two,40,UTC,KEY_TWO\nP1x,,x,40,UTC,\n"
    )
    monkeypatch.setenv("KEY_ONE", "the-key-of-project-one")
    monkeypatch.delenv("KEY_TWO", raising=False)
    with emulator.serve(calls, account="A", project="P1", key="the-key-of-project-one") as server:
        words = ["fleet", str(plan), "--out", str(tmp_path / "out"), "--workers", "1", "--horizon", "30"]
        span = ["--fetch", "--start", "2026-01-01", "--end", "2026-03-20", "--base-url", server.url]
        assert run([*words, *span]) == 3
    table = pd.read_parquet(tmp_path / "out" / "fleet.parquet").set_index("project")
    truth = cap.intervals_from_calls(calls, by=None, start="2026-01-01T00:00Z", end="2026-03-20T00:00Z")
    assert table.loc["P1", "reason"] == ""
    assert table.loc["P1", "peak"] == truth["max_concurrent"].max()
    assert "KEY_TWO holds no API key" in table.loc["P2", "reason"]
    assert "account is missing" in table.loc["P1x", "reason"]
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"the-key-of-project-one" not in kept + capsys.readouterr().out.encode()


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
def test_ctrl_c_twice_is_one_line(plan, tmp_path):
    """An impatient user would get a traceback, no word of what is kept, or processes that go on."""
    lines = [f"q{k},{plan.parent / 'store-0'},50,UTC" for k in range(12)]
    (tmp_path / "many.csv").write_text("\n".join(["project,store,licences,tz", *lines]))
    words = ["fleet", str(tmp_path / "many.csv"), "--out", str(tmp_path / "out"), "--workers", "2"]
    heeds = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"  # where tests run without it
    script = f"{heeds}; from capacity.cli import run; sys.exit(run(sys.argv[1:]))"
    run = subprocess.Popen(
        [sys.executable, "-c", script, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list(tmp_path.glob("out/parts/*.parquet")) and run.poll() is None:
        pass
    run.send_signal(signal.SIGINT)
    said = ""
    while "Interrupted: " not in said and (line := run.stderr.readline()):
        said += line
    run.send_signal(signal.SIGINT)
    out, rest = run.communicate(timeout=60)
    assert run.returncode == 130
    assert " of 12 projects are done and kept in " in said
    assert "Traceback" not in said + rest
    assert out == ""
