"""Each option reaches what it names, and the defaults are those that are told: with stand-ins for the library."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import capacity as cap
from capacity.calls import emulator, read, simulate
from capacity.calls.words import Words
from capacity.cli import demo, run
from capacity.errors import CapacityError

Spy = Callable[..., list[tuple[tuple[Any, ...], dict[str, Any]]]]
TIMES = pd.date_range("2026-01-05", periods=600, freq="5min", tz="UTC")
FRAME = cap.as_intervals(pd.DataFrame({"time": TIMES, "variant": cap.TOTAL, "max_concurrent": np.arange(600) % 9}))
CALLS = pd.DataFrame({"start": TIMES[:3], "end": TIMES[1:4], "variant": ["a", "b", "a"]})


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """Return a function that puts a stand-in in a function's place; it keeps what it is called with, then stops."""

    def put(owner: Any, name: str, answer: Any = None) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        said: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

        def stand_in(*args: Any, **options: Any) -> Any:
            said.append((args, options))
            if answer is None:
                raise CapacityError("stopped here")
            return answer

        monkeypatch.setattr(owner, name, stand_in)
        return said

    return put


def options_of(said: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> dict[str, Any]:
    """Return the options of the only call, without the progress, which has to be there."""
    ((_, options),) = said
    return {name: value for name, value in options.items() if name != "progress"}


def of_store(call: tuple[tuple[Any, ...], dict[str, Any]]) -> dict[str, Any]:
    """Return what a read from a store was asked for by name, however it was passed."""
    args, options = call
    return dict(zip(("store", "start", "end"), args, strict=False)) | options


JUDGED = [
    *"--tz Asia/Kolkata --horizon 41 --seed 7 --holidays GB-ENG --exclude 2026-01-05 --exclude 2026-01-06".split(),
    *"--mean-call-length 4m --licence-price 300 --lost-call-cost 2 --lead-time 3w --project P --account A".split(),
    *"--env sandbox --start 2026-01-05 --end 2026-01-07 --store s --licences 12".split(),
]


@pytest.mark.parametrize("command", ["report", "headroom"])
def test_report_and_headroom_judge_what_was_asked(command: str, spy: Spy, tmp_path: Path) -> None:
    """An option would be read and dropped on its way to the assessment or to the store."""
    events, tariff = tmp_path / "events.toml", tmp_path / "tariff.toml"
    events.write_text('[[event]]\nname = "Hotels"\ndate = 2026-03-01\ncalls = 40\nreason = "Signed"\n')
    tariff.write_text("licence_price = 240\nlot = 10\n")
    frames, assessed = spy(cap, "read_intervals", FRAME), spy(cap, "assess")
    stored = spy(cap, "read_stored_calls", cap.read_calls(CALLS))
    assert run([command, *JUDGED, "--events", str(events), "--tariff", str(tariff)]) == 1
    wanted = {"start": "2026-01-05", "end": "2026-01-07", "tz": "Asia/Kolkata"}
    scope = {"account": "A", "project": "P", "env": "sandbox"}
    assert of_store(frames[0]) == {"store": "s", **wanted, **scope}
    assert of_store(stored[0]) == {"store": "s", **wanted, **scope}
    asked = options_of(assessed)
    assert assessed[0][0][0] is FRAME and assessed[0][0][1] == "12"
    assert callable(assessed[0][1]["progress"])
    assert len(asked.pop("calls")) == 3
    assert [event.name for event in asked.pop("events")] == ["Hotels"]
    assert (asked["tariff"].licence_price, asked.pop("tariff").lot) == (240, 10)
    assert asked == {
        "tz": "Asia/Kolkata", "horizon": 41, "seed": 7, "holidays": "GB-ENG", "exclude": ["2026-01-05", "2026-01-06"],
        "mean_call_length": "4m", "licence_price": 300, "lost_call_cost": 2, "lead_time": "3w", "name": "P",
        "end": pd.Timestamp("2026-01-06T18:30Z"),
    }  # fmt: skip


@pytest.mark.parametrize("command", ["report", "headroom"])
def test_the_defaults_are_those_that_are_told(command: str, spy: Spy) -> None:
    """Whoever says nothing would get another horizon, seed or zone than the help tells."""
    frames, assessed = spy(cap, "read_intervals", FRAME), spy(cap, "assess")
    assert run([command, "--store", "s", "--licences", "12"]) == 1
    nothing = dict.fromkeys(["account", "project", "env", "start", "end"])
    assert of_store(frames[0]) == {"store": "s", "tz": "UTC", **nothing}
    assert {k: v for k, v in options_of(assessed).items() if v is not None} == {
        "tz": "UTC", "horizon": 90, "seed": 1, "name": "",
    }  # fmt: skip


def test_the_end_of_the_data_is_never_in_the_future(spy: Spy) -> None:
    """Days that have not come would be told as missing."""
    spy(cap, "read_intervals", FRAME)
    assessed = spy(cap, "assess")
    run(["headroom", "--store", "s", "--licences", "12", "--end", "2250-01-01"])
    assert assessed[0][1]["end"] <= pd.Timestamp.now("UTC")


@pytest.mark.parametrize("length", ["0", "366"])
def test_a_horizon_outside_a_year_is_refused_as_usage(length: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A horizon that nothing can be forecast for would be found out after the work."""
    assert run(["headroom", "--store", "s", "--licences", "12", "--horizon", length]) == 2
    assert "--horizon" in capsys.readouterr().err


def test_which_files_a_report_writes(spy: Spy, capsys: pytest.CaptureFixture[str]) -> None:
    """--no-html would leave the PDF out, or neither; or what is told would not be what was written."""
    spy(cap, "read_intervals", FRAME)
    pictures = [Path("out/page-1.png"), Path("out/page-2.png")]
    spy(cap.report, "save", pictures)
    written = {name: spy(cap.report, f"save_{name}", f"the {name}") for name in ("html", "pdf")}
    words = ["report", "--store", "s", "--licences", "12", "--out", "out"]
    for more, kinds in (
        ([], ["html", "pdf"]),
        (["--no-html"], ["pdf"]),
        (["--no-pdf"], ["html"]),
        (["--no-html", "--no-pdf"], []),
    ):
        assert run([*words, *more]) == 0
        told = capsys.readouterr().out
        assert [name for name, said in written.items() if said] == kinds
        assert [name for name in written if f"the {name}" in told] == kinds
        assert "2 pictures in out:" in told and str(pictures[1]) in told
        for name, said in written.items():
            assert [args[1] for args, _ in said] == [Path(f"out/report.{name}")] * len(said)
            said.clear()


def test_track_keeps_what_was_asked(spy: Spy, tmp_path: Path) -> None:
    """The forecast that is kept would be another than the one that was asked for."""
    events = tmp_path / "events.toml"
    events.write_text('[[event]]\nname = "Hotels"\ndate = 2026-03-01\ncalls = 40\nreason = "Signed"\n')
    frames, assessed = spy(cap, "read_intervals", FRAME), spy(cap, "assess")
    words = "--tz Asia/Kolkata --horizon 41 --seed 7 --holidays GB-ENG --exclude 2026-01-05 --account A --project P"
    run(["track", *words.split(), "--env", "sandbox", "--store", "s", "--ledger", "l", "--licences", "12",
         "--events", str(events)])  # fmt: skip
    assert of_store(frames[0]) == {
        "store": "s", "tz": "Asia/Kolkata", "account": "A", "project": "P", "env": "sandbox",
    }  # fmt: skip
    asked = options_of(assessed)
    assert [event.name for event in asked.pop("events")] == ["Hotels"]
    assert asked == {
        "tz": "Asia/Kolkata", "horizon": 41, "seed": 7, "holidays": "GB-ENG", "exclude": ["2026-01-05"],
        "backtest": False,
    }  # fmt: skip
    run(["track", "--store", "s", "--ledger", "l", "--licences", "12"])
    assert (assessed[1][1]["horizon"], assessed[1][1]["seed"], assessed[1][1]["tz"]) == (90, 1, "UTC")
    assert (assessed[1][1]["events"], assessed[1][1]["exclude"]) == (None, None)


def test_demo_simulates_and_judges_what_was_asked(spy: Spy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another seed, zone, horizon or set of holidays would be shown than was asked for."""
    monkeypatch.setattr(demo, "_fetch", lambda *_: FRAME)
    monkeypatch.setattr(demo, "LAST_DAY", pd.Timestamp("2026-01-08"))
    handed = spy(simulate, "handed_off", CALLS)
    simulated, assessed = spy(cap, "simulate_calls", CALLS), spy(cap, "assess")
    run(["demo", "--out", str(tmp_path / "a" / "b"), "--days", "3", "--seed", "7", "--tz", "Asia/Kolkata"])
    assert simulated == [
        ((dt.date(2026, 1, 5), dt.date(2026, 1, 8)), {"tz": "Asia/Kolkata", "seed": 7, "holidays": "GB-ENG"})
    ]
    assert handed[0][1] == {"seed": 7}
    assert assessed[0][0] == (FRAME, "9")  # a little above the peak of 8
    assert options_of(assessed) == {"tz": "Asia/Kolkata", "horizon": 90, "seed": 7, "holidays": "GB-ENG"}
    assert callable(assessed[0][1]["progress"])
    run(["demo", "--out", str(tmp_path / "a" / "b"), "--horizon", "41", "--licences", "14"])
    assert simulated[1][1] == {"tz": "Europe/London", "seed": 1, "holidays": "GB-ENG"}
    assert simulated[1][0][0] == dt.date(2024, 12, 4)  # 400 days before
    assert assessed[1][0] == (FRAME, "14") and assessed[1][1]["horizon"] == 41


@pytest.mark.parametrize(("peak", "licences"), [(0, 1), (8, 9), (75, 77), (100, 110), (148, 160), (1234, 1300)])
def test_a_little_above_is_the_next_round_number(peak: int, licences: int) -> None:
    """The demo's licences would lie below the peak, or far above it."""
    assert demo._a_little_above(peak) == licences


def test_demo_of_a_log_takes_whole_local_days(spy: Spy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The first and the last day of a log would be cut by the zone, or holidays of another country count."""
    log = tmp_path / "log.csv"
    CALLS.assign(start=lambda t: t["start"] + pd.Timedelta("20h"), end=lambda t: t["end"] + pd.Timedelta("20h")).to_csv(
        log, index=False
    )
    fetched: list[Any] = []
    monkeypatch.setattr(demo, "_fetch", lambda *args: fetched.append(args) or FRAME)
    assessed = spy(cap, "assess")
    run(["demo", "--calls", str(log), "--tz", "Asia/Kolkata", "--out", str(tmp_path)])
    ((calls, project, span, store, zone),) = fetched
    assert (len(calls), zone, store) == (3, "Asia/Kolkata", tmp_path / "store")
    assert project.startswith("PROJECT-log-")
    assert span == (dt.date(2026, 1, 6), dt.date(2026, 1, 7))  # 20:00 in UTC is 01:30 on the day after
    assert assessed[0][1]["holidays"] is None
    run(["demo", "--calls", str(log), "--out", str(tmp_path)])
    assert (fetched[1][2], fetched[1][4]) == ((dt.date(2026, 1, 5), dt.date(2026, 1, 6)), "UTC")


FETCHED = [
    *"--account A --project P --start 2026-01-05 --end 2026-01-07 --store s --tz Asia/Kolkata --region uk-1".split(),
    *"--base-url https://x.test --env sandbox --variant-id v --variant-name n --workers 3 --wait 1h".split(),
    *"--refetch --repair".split(),
]


class _Client:
    """What a fetch opens; it keeps how."""

    opened: tuple[Any, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        type(self).opened = (args, options)

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("dry", [False, True])
@pytest.mark.parametrize("of_calls", [False, True])
def test_fetch_asks_for_what_was_said(dry: bool, of_calls: bool, spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter would be dropped and everything fetched, or maxima in place of call records."""
    from capacity.fetch import call_plan, fetcher

    monkeypatch.setattr(cap, "Client", _Client)
    spies = {
        (False, False): spy(cap, "fetch_intervals"), (False, True): spy(cap, "fetch_calls"),
        (True, False): spy(fetcher, "plan"), (True, True): spy(call_plan, "plan_calls"),
    }  # fmt: skip
    own = ["--calls", "--channel", "voice"] if of_calls else ["--language", "en", "--phone-number", "1"]
    assert run(["fetch", *FETCHED, *own, *(["--dry-run"] if dry else [])]) == 1
    ((client, *span), wanted) = spies.pop((dry, of_calls))[0]
    assert not any(spies.values())
    assert isinstance(client, _Client) and span == ["2026-01-05", "2026-01-07"]
    assert _Client.opened == (
        ("A", "P"),
        {"region": "uk-1", "base_url": "https://x.test", "max_workers": 3, "wait": "1h"},
    )
    both = {
        "tz": "Asia/Kolkata", "env": "sandbox", "variant_id": "v", "variant_name": "n", "store": "s", "refetch": True,
        "repair": True,
    }  # fmt: skip
    assert wanted == both | ({"channel": ["voice"]} if of_calls else {"languages": ["en"], "phone_numbers": ["1"]})


def test_fetch_by_default(spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says nothing would refetch everything, or ask another region."""
    monkeypatch.setattr(cap, "Client", _Client)
    said = spy(cap, "fetch_intervals")
    run("fetch --account A --project P --start 2026-01-05 --end 2026-01-07 --store s".split())
    nothing = dict.fromkeys(["variant_id", "variant_name", "languages", "phone_numbers"])
    assert options_of(said) == {"tz": "UTC", "env": "live", "store": "s", "refetch": False, "repair": False, **nothing}
    assert _Client.opened[1] == {"region": "us-1", "base_url": None, "max_workers": 4, "wait": None}


@pytest.mark.parametrize(
    "more", [["--channel", "voice"], ["--calls", "--language", "en"], ["--calls", "--phone-number", "1"]]
)
def test_fetch_refuses_filters_of_the_other_kind(more: list[str], spy: Spy, capsys: pytest.CaptureFixture[str]) -> None:
    """A filter that has no meaning would be ignored in silence."""
    opened = spy(cap, "Client")
    assert run(["fetch", *FETCHED, *more]) == 1
    assert "--calls" in capsys.readouterr().err and not opened


def test_fleet_assesses_what_was_asked(spy: Spy, tmp_path: Path) -> None:
    """Another horizon, seed or number of workers would be used, or old data be taken for new."""
    from capacity.fleet import fetching

    fetched, assessed = spy(fetching, "fetch_fleet", "the plan"), spy(cap, "assess_fleet")
    words = ["fleet", "plan.csv", "--out", str(tmp_path), "--workers", "3", "--horizon", "41", "--seed", "7"]
    span = "--fetch --start 2026-01-05 --end 2026-01-07 --region uk-1 --base-url https://x.test".split()
    paid = tmp_path / "tariff.toml"
    paid.write_text("licence_price = 300\nlost_call_cost = 2\n")
    run([*words, "--backtest", "--tariff", str(paid), "--lead-time", "21d", *span])
    assert (fetched[0][0], options_of(fetched)) == (
        (Path("plan.csv"), "2026-01-05", "2026-01-07"), {"region": "uk-1", "base_url": "https://x.test"},
    )  # fmt: skip
    asked = {"horizon": 41, "seed": 7, "executor": None, "workers": 3, "out": tmp_path, "backtest": True}
    asked |= {"tariff": cap.Tariff(licence_price=300, lost_call_cost=2), "lead_time": "21d"}
    assert (assessed[0][0], options_of(assessed)) == (("the plan",), asked)
    run(["fleet", "plan.csv"])
    plain = {"horizon": 365, "seed": 1, "executor": None, "workers": None, "backtest": False}
    plain |= {"tariff": None, "lead_time": None}
    assert assessed[1][0] == (Path("plan.csv"),) and len(fetched) == 1
    assert options_of(assessed[1:]) == {**plain, "out": Path("capacity-fleet")}


def test_intervals_count_what_was_asked(spy: Spy, tmp_path: Path) -> None:
    """The range, the slice or the ids of a store would be others than were said."""
    log = tmp_path / "log.csv"
    CALLS.assign(queue="q").to_csv(log, index=False)
    stored, counted = spy(cap, "intervals_to_store"), spy(cap, "intervals_from_calls")
    span = "--start 2026-01-05 --end 2026-01-07 --tz Asia/Kolkata".split()
    bounds = {"start": pd.Timestamp("2026-01-04T18:30Z"), "end": pd.Timestamp("2026-01-06T18:30Z")}
    run(["intervals", str(log), "--store", "s", *span, "--account", "A", "--project", "P", "--by", "queue"])
    ((source, store), options) = stored[0]
    assert (store, source["queue"].tolist()) == ("s", ["q"] * 3)
    assert {k: v for k, v in options.items() if k != "progress"} == {
        **bounds, "by": "queue", "gaps": None, "account": "A", "project": "P",
    }  # fmt: skip
    run(["intervals", str(log), "--store", "s"])
    assert (stored[1][1]["account"], stored[1][1]["project"], stored[1][1]["by"]) == ("calls", "calls", "variant")
    run(["intervals", str(log), "--out", str(tmp_path / "x.csv"), "--by", "none"])
    assert options_of(counted) == {"start": None, "end": None, "by": None, "gaps": None}


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_simulate_writes_what_was_asked(ending: str, spy: Spy, tmp_path: Path) -> None:
    """Other days, zones, sizes or seeds would be simulated, or a file be of another kind or hold a column too many."""
    said = spy(cap, "simulate_calls", CALLS.assign(blocked=[True, False, True]).set_axis([4, 5, 6]))
    out = tmp_path / f"calls{ending}"
    words = "--days 3 --seed 7 --start 2026-01-05 --tz Asia/Kolkata --scale 0.5 --licences 12".split()
    assert run(["simulate", "--out", str(out), *words]) == 0
    asked = {"days": 3, "tz": "Asia/Kolkata", "scale": 0.5, "licences": "12", "seed": 7}
    assert said == [(("2026-01-05",), asked)]
    columns = list(pd.read_csv(out)) if ending == ".csv" else pq.read_table(out).column_names
    assert columns == ["start", "end", "variant", "blocked"]
    assert run(["simulate", "--out", str(out)]) == 0
    plain = {"days": 400, "tz": "Europe/London", "scale": 1.0, "licences": None, "seed": 1}
    assert said[1] == (("2025-01-01",), plain)


def test_serve_listens_where_it_was_told(spy: Spy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The endpoint would be served elsewhere, or to another account; or without a key."""
    log = tmp_path / "log.csv"
    CALLS.to_csv(log, index=False)
    said = spy(emulator, "run")
    words = ["serve", "--calls", str(log), "--account", "A", "--project", "P"]
    monkeypatch.delenv("CAPACITY_EMULATOR_KEY", raising=False)
    assert run(words) == 1 and not said
    monkeypatch.setenv("CAPACITY_EMULATOR_KEY", "a-key-for-loopback-only")
    run([*words, "--host", "127.0.0.9", "--port", "0"])
    assert said[0][1] == {"account": "A", "project": "P", "host": "127.0.0.9", "port": 0}
    run(words)
    assert (said[1][1]["host"], said[1][1]["port"]) == ("127.0.0.1", 8000)


def test_export_and_reconcile_read_what_was_asked(spy: Spy, tmp_path: Path) -> None:
    """Another range, zone or project would be written out or compared."""
    read_frame, read_own = spy(cap, "read_intervals", FRAME), spy(cap, "read_stored_calls", cap.read_calls(CALLS))
    compared = spy(cap, "reconcile")
    words = "--store s --start 2026-01-05 --end 2026-01-07 --tz Asia/Kolkata --account A --project P --env live".split()
    asked = {"store": "s", "start": "2026-01-05", "end": "2026-01-07", "tz": "Asia/Kolkata"}
    asked |= {"account": "A", "project": "P", "env": "live"}
    assert run(["export", *words, "--absent", "missing", "--out", str(tmp_path / "x.csv")]) == 0
    assert of_store(read_frame[0]) == {**asked, "absent": "missing"}
    run(["reconcile", *words])
    assert of_store(read_frame[1]) == of_store(read_own[0]) == asked
    assert compared[0][1] == {"tz": "Asia/Kolkata"}
    assert run(["export", "--store", "s", "--out", str(tmp_path / "x.csv")]) == 0
    assert (read_frame[2][1]["absent"], read_frame[2][1]["tz"]) == ("zero", "UTC")


def test_words_about_a_log_reach_its_reader(spy: Spy, tmp_path: Path) -> None:
    """A word that was said about a log would not be heard, or be taken for another."""
    said = spy(read, "read_with")
    words = {
        "--column": ["start=answered", "end=hung_up", "end=wrapped"], "--like": ["3cx"], "--header": ["a, b"],
        "--skip": ["2"], "--encoding": ["cp1252"], "--separator": ["semicolon"], "--time-format": ["%H:%M"],
        "--date": ["day"], "--date-format": ["%d.%m.%y"], "--unit": ["ms"], "--only": ["status=ok", "status=fine"],
        "--drop": ["kind=ghost"], "--call-id": ["id"], "--wait": ["ring"], "--nothing": ["0:00:00"],
        "--unfinished": ["keep"],
    }  # fmt: skip
    told = [word for option, values in words.items() for value in values for word in (option, value)]
    run(["intervals", "log.csv", "--tz", "Asia/Kolkata", "--by", "queue", "--store", "s", *told])
    (sources, heard), _ = said[0]
    assert sources == ["log.csv"]
    assert replace(heard, rest=()) == Words(
        columns={"start": ("answered",), "end": ("hung_up", "wrapped")}, like="3cx", header=("a", "b"), skip=2,
        encoding="cp1252", separator=";", time_format=("%H:%M",), date="day", date_format="%d.%m.%y", unit="ms",
        only={"status": ("ok", "fine")}, drop={"kind": ("ghost",)}, call_id="id", wait="ring",
        na_values=("0:00:00",), unfinished="keep", keep=("queue",), tz="Asia/Kolkata", sources=("log.csv",),
    )  # fmt: skip
    assert sorted(heard.rest) == sorted(["--by", "queue", "--store", "s"])
    run(["intervals", "log.csv", "--drop", "none", "--explain"])
    assert (said[1][0][1].drop, said[1][0][1].rest) == ({}, ("--out", "intervals.parquet"))
    run(["headroom", "--calls", "log.csv", "--licences", "12"])
    assert (said[2][0][1].drop, said[2][0][1].rest) == (None, ("--out", "intervals.parquet"))


@pytest.mark.parametrize("word", ["status", "=ok", "status="])
def test_a_pair_needs_both_sides(word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rule about no column or no value would hold for nothing, in silence."""
    assert run(["intervals", str(tmp_path / "log.csv"), "--out", str(tmp_path / "x.csv"), "--only", word]) == 1
    assert f"{word!r} is not of the form NAME=VALUE" in capsys.readouterr().err


def test_json_is_printed_where_it_is_asked_for(spy: Spy, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine would be told in sentences, or a reader in JSON."""
    spy(cap, "read_intervals", FRAME)
    words = ["headroom", "--store", "s", "--licences", "12"]
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["horizon"] == 90
    assert run(words) == 0
    with pytest.raises(json.JSONDecodeError):
        json.loads(capsys.readouterr().out)
