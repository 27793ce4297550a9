"""The command line as a user meets it: exit codes, one clear line on stderr, results on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

import capacity as cap
from capacity.calls import emulator
from capacity.cli import demo, run

ACCOUNT, PROJECT, KEY = "ACCOUNT-t", "PROJECT t/1", "a-secret-key-of-length"
SPAN = ["--start", "2026-01-01", "--end", "2026-04-01", "--tz", "Europe/London"]


@pytest.fixture(scope="module")
def calls() -> pd.DataFrame:
    """Three months of few calls."""
    return cap.simulate_calls("2026-01-01", "2026-04-01", tz="Europe/London", scale=0.2, seed=3)


@pytest.fixture(scope="module")
def server(calls):
    """The endpoint over them."""
    with emulator.serve(calls, account=ACCOUNT, project=PROJECT, key=KEY) as running:
        yield running


@pytest.fixture
def fetch(server, monkeypatch, tmp_path):
    """The words of a fetch into a fresh store."""
    monkeypatch.setenv("POLYAI_API_KEY", KEY)
    ids = ["--account", ACCOUNT, "--project", PROJECT, "--base-url", server.url]
    return ["fetch", *ids, *SPAN, "--store", str(tmp_path / "store")]


@pytest.fixture(scope="module")
def store(server, tmp_path_factory) -> str:
    """A store that holds all of them."""
    path = tmp_path_factory.mktemp("held") / "store"
    with cap.Client(ACCOUNT, PROJECT, api_key=KEY, base_url=server.url) as client:
        cap.fetch_intervals(client, "2026-01-01", "2026-04-01", tz="Europe/London", store=path)
    return str(path)


def test_fetch_then_status_then_export(fetch, calls, tmp_path, capsys):
    """What was fetched, told and written out would not be what the calls say."""
    assert run(fetch) == 0
    assert run(["status", "--store", str(tmp_path / "store")]) == 0
    told = capsys.readouterr().out
    assert "2026-01-01 00:00 to 2026-03-31 23:00 UTC" in told
    for name in ("frame.csv", "frame.parquet"):
        assert run(["export", "--store", str(tmp_path / "store"), "--out", str(tmp_path / name)]) == 0
    truth = cap.intervals_from_calls(
        calls[calls["env"] == "live"], start="2026-01-01T00:00Z", end="2026-03-31T23:00Z"
    ).reset_index()
    for written in (
        pd.read_parquet(tmp_path / "frame.parquet"),
        pd.read_csv(tmp_path / "frame.csv", parse_dates=["time"]),
    ):
        assert written["max_concurrent"].tolist() == truth["max_concurrent"].tolist()
        assert written["variant"].tolist() == truth["variant"].tolist()
        assert (pd.DatetimeIndex(written["time"]) == pd.DatetimeIndex(truth["time"])).all()


def test_a_fetch_that_ends_incomplete_leaves_with_3(calls, monkeypatch, tmp_path, capsys):
    """A script could not tell a fetch that lacks windows from wrong arguments, nor one that lacks none."""
    client = import_module("capacity.fetch.client")
    hasty = partial(client.Patience, attempts=2, first_wait=0.0, longest_wait=0.0, jitter=0.0)
    monkeypatch.setattr(client, "Patience", lambda **_: hasty())
    monkeypatch.setenv("POLYAI_API_KEY", KEY)
    switches = emulator.Switches(failures=1.0)
    with emulator.serve(calls, account=ACCOUNT, project=PROJECT, key=KEY, switches=switches) as broken:
        words = ["fetch", "--account", ACCOUNT, "--project", PROJECT, "--base-url", broken.url, *SPAN]
        assert run([*words, "--store", str(tmp_path / "store")]) == 3
    told = capsys.readouterr().err
    assert "Traceback" not in told and "2026-01-" in told


def test_second_fetch_asks_for_nothing_final(fetch, server):
    """The server would be asked again for what is held and final."""
    assert run(fetch) == 0
    before = len(server.requests)
    assert run(fetch) == 0
    assert len(server.requests) == before
    assert run([*fetch, "--refetch"]) == 0
    assert len(server.requests) > before


def test_dry_run_asks_nothing(fetch, server, capsys):
    """A dry run would make requests, or not say which it would make."""
    before = len(server.requests)
    assert run([*fetch, "--dry-run"]) == 0
    assert len(server.requests) == before
    assert capsys.readouterr().out.count("not held") == 2 * 14  # weeks from Monday 29 December on, both series


def test_headroom_as_sentence_and_json(store, capsys):
    """The verdict would not be there for people, or not be JSON for machines."""
    words = ["headroom", "--store", store, "--licences", "30", "--tz", "Europe/London", "--horizon", "28"]
    assert run(words) == 0
    assert capsys.readouterr().out.startswith("Keep 30; the 28-day risk is under 1%")
    assert run([*words, "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    peak = cap.total(cap.read_intervals(store))["max_concurrent"].max()
    assert verdict["peak"]["calls"] == peak


def test_a_risk_that_is_too_high_leaves_with_4(store, capsys):
    """A job that watches the licences would not notice that they no longer suffice, or would stop at those that do."""
    words = ["headroom", "--store", store, "--tz", "Europe/London", "--horizon", "28", "--licences"]
    assert run([*words, "30", "--max-risk", "5%"]) == 0
    assert run([*words, "15", "--max-risk", "5%"]) == 4
    told = capsys.readouterr()
    assert "The chance of exceeding the licences within 28 days is" in told.err
    assert "above --max-risk 5%." in told.err
    assert "now" in told.out
    assert run([*words, "15", "--max-risk", "much"]) == 1
    assert "'much' is no risk; write 5% or 0.05" in capsys.readouterr().err


def test_printed_and_json_verdict_agree(store, capsys):
    """The table for people would say another number than the one for machines, or drop lost calls, costs and dates."""
    words = ["headroom", "--store", store, "--licences", "20", "--tz", "Europe/London", "--horizon", "40"]
    words += ["--mean-call-length", "3m", "--licence-price", "300", "--lost-call-cost", "2", "--lead-time", "2w"]
    assert run(words) == 0
    text = capsys.readouterr().out
    assert run([*words, "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert [row["choice"] for row in read["decisions"]] == ["now", "cheapest", "10% risk", "5% risk", "1% risk"]
    for row in read["decisions"]:
        (line,) = [line for line in text.splitlines() if line.split("  ")[1:2] == [row["choice"]]]
        assert f" {row['licences']:,} " in line
        assert f" {row['cost']:,.0f}" in line
        assert set(row) >= {"difference", "chance_30", "chance_40", "days_above", "lost_calls", "order_by"}
    assert text.startswith(read["headline"]["text"])
    assert f"Confidence: {read['confidence']['level']}. {read['confidence']['reason']}" in text
    assert all(note in text for note in read["notes"])


def test_report_writes_pictures(store, tmp_path, capsys):
    """`capacity report` would leave no pictures, or not say where they are."""
    out = tmp_path / "report"
    assert run(["report", "--store", store, "--licences", "30", "--horizon", "28", "--out", str(out)]) == 0
    listed = [Path(line.strip()) for line in capsys.readouterr().out.splitlines() if line.endswith(".png")]
    assert len(listed) >= 6
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in listed)


def test_slices_one_request_each(fetch, tmp_path):
    """`--language` twice would not make a frame by language."""
    assert run([*fetch, "--language", "en-GB", "--language", "es-ES"]) == 0
    frame = cap.read_intervals(tmp_path / "store")
    assert frame.index.names[1] == "language"
    assert set(frame.index.get_level_values(1)) <= {"en-GB", "es-ES", "*"}


def test_intervals_from_memory_and_streamed(calls, tmp_path, capsys):
    """A log that is streamed would give other maxima than one that is read whole, or a silence be zero in silence."""
    quiet = calls[(calls["start"] < "2026-02-01T00:00Z") | (calls["start"] >= "2026-02-04T00:00Z")]
    quiet.to_parquet(tmp_path / "calls.parquet", index=False)
    words = ["intervals", str(tmp_path / "calls.parquet")]
    assert run([*words, "--out", str(tmp_path / "whole.parquet")]) == 0
    assert "--silences-missing" in capsys.readouterr().err
    assert run([*words, "--out", str(tmp_path / "streamed.parquet"), "--stream"]) == 0
    whole, streamed = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("whole", "streamed"))
    pd.testing.assert_frame_equal(whole, streamed)
    assert run([*words, "--out", str(tmp_path / "holes.parquet"), "--silences-missing"]) == 0
    holes = pd.read_parquet(tmp_path / "holes.parquet")
    lost = set(whole["time"]) - set(holes["time"])
    assert len(lost) >= 2 * 288
    assert whole[whole["time"].isin(lost)]["max_concurrent"].max() <= 2  # the ends of the calls on either side
    assert run([*words, "--out", str(tmp_path / "no.parquet"), "--stream", "--tz", "UTC", "--date", "day"]) == 1


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (["--start", "2026-05-01"], 1, "not before"),
        (["--tz", "Mars/Base"], 1, "IANA"),
        (["--env", "prod"], 1, "env"),
        (["--base-url", "http://example.org"], 1, "http"),
        (["--project", "PROJECT-other"], 1, "404"),
        (["--workers", "0"], 2, "workers"),
        (["--no-such-option"], 2, "no-such-option"),
    ],
)
def test_wrong_words_end_in_one_line(fetch, change, code, says, capsys):
    """A typing error would end in a traceback, or in the wrong exit code."""
    assert run([*fetch, *change]) == code
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told
    assert KEY not in told
    if code == 1:
        assert told.strip().count("\n") == 0


def test_without_a_key(fetch, monkeypatch, capsys):
    """Who forgot the key would not be told which variable to set."""
    monkeypatch.delenv("POLYAI_API_KEY")
    assert run(fetch) == 1
    assert "POLYAI_API_KEY" in capsys.readouterr().err


def test_missing_store_is_told(tmp_path, capsys):
    """A wrong path would be a traceback, or an empty report."""
    for command in (["status"], ["headroom", "--licences", "5"], ["export", "--out", str(tmp_path / "x.csv")]):
        assert run([*command, "--store", str(tmp_path / "nowhere")]) == 1
        assert "nowhere" in capsys.readouterr().err


def test_demo_in_small(tmp_path, capsys):
    """The main job would not run end to end, or would ask again for what is final."""
    words = ["demo", "--out", str(tmp_path / "demo"), "--days", "100"]
    assert run(words) == 0
    first = capsys.readouterr()
    assert first.out.startswith("Hold 84 (7 more) to keep the 90-day risk at 5%")
    assert len(list((tmp_path / "demo").glob("page-*.png"))) == 6
    assert run(words) == 0
    second = capsys.readouterr()
    assert "\n0 requests answered" in second.err
    assert second.out == first.out


def test_a_demo_of_other_calls_is_another_project():
    """A store would mix two sets of calls, and show a history that neither had."""
    calls = cap.simulate_calls(days=2, seed=1)
    assert demo._project("demo", calls) == demo._project("demo", calls.copy())
    later = calls.assign(end=calls["end"] + pd.Timedelta(seconds=1))
    assert demo._project("demo", calls) != demo._project("demo", later)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["demo", "--tz", "Nowhere/X"], "--tz 'Nowhere/X' is no IANA"),
        (["demo", "--calls", "empty.csv"], "empty.csv"),
        (["simulate", "--out", "calls.xlsx"], "neither in .csv"),
        (["intervals", "absent.csv", "--out", "frame.xlsx"], "neither in .csv"),
        (["export", "--out", "x.csv", "--store", ".", "--start", "May"], "--store '.' holds nothing yet"),
        (["simulate", "--out", "x.csv", "--start", "May"], "--start 'May' is no time"),
        (["intervals", "absent.csv", "--explain", "--start", "2026-05-01T10:00"], "give --tz 'Europe/London' (say)"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(words, says, tmp_path, monkeypatch, capsys):
    """A typing error would be a traceback, or be told after minutes of reading."""
    monkeypatch.chdir(tmp_path)
    Path("empty.csv").write_text("start,end\n")
    assert run(words) == 1
    assert says in capsys.readouterr().err


def test_help_and_usage():
    """`capacity --help` would fail, or a command would stand there without a word of help."""
    run_it = [sys.executable, "-m", "capacity"]
    env = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    top = subprocess.run([*run_it, "--help"], capture_output=True, text=True, check=True, env=env).stdout
    for command in "demo fetch report headroom status export intervals simulate serve".split():
        assert command in top
    assert subprocess.run([*run_it, "nonsense"], capture_output=True, env=env, check=False).returncode == 2
