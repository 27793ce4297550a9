"""The endpoint over call records, by real HTTP on loopback."""

from __future__ import annotations

import concurrent.futures
import json
import socket

import httpx
import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.calls import answers as answers_module
from capacity.calls import concurrency
from capacity.calls.answers import Answers, Ask
from capacity.calls.emulator import Switches, run, serve
from capacity.errors import ConfigError

ACCOUNT, PROJECT, KEY = "ws/a b", "PROJECT-é+%", "sesame-ключ"
PATH = "/v1/ws%2Fa%20b/PROJECT-%C3%A9%2B%25/conversations/concurrency"
HOUR = "start_time=2026-07-01T14:00:00Z&end_time=2026-07-01T15:00:00Z"


def some_calls() -> pd.DataFrame:
    """Five calls, by hand: two bookings at once, one in billing, one without a variant, one in the sandbox."""
    rows = [
        ("14:01", "14:04", "b", "Bookings", "en-GB", "+441632960001", "live"),
        ("14:03", "14:12", "b", "Bookings & more", "cy-GB", "+441632960002", None),
        ("14:09", "14:11", 'q"\\', "Café, \n", "en-GB", "+441632960001", "live"),
        ("14:20", "14:21", None, None, "en-GB", None, "live"),
        ("14:02", "14:50", "b", "Bookings", "en-GB", "+441632960001", "sandbox"),
    ]
    names = ["start", "end", "variant", "variant_name", "language", "phone_number", "env"]
    calls = pd.DataFrame(rows, columns=names)
    for column in ("start", "end"):
        calls[column] = pd.to_datetime("2026-07-01T" + calls[column] + "Z")
    return calls


@pytest.fixture(scope="module")
def server():
    """Run one emulator for most of the tests."""
    with serve(some_calls(), account=ACCOUNT, project=PROJECT, key=KEY) as running:
        yield running


@pytest.fixture(scope="module")
def get(server):
    """Ask the emulator, with the key; the query goes out byte for byte."""
    with httpx.Client(headers={"x-api-key": KEY.encode()}) as client:
        yield lambda query, path=PATH, method="GET": client.request(method, f"{server.url}{path}?{query}")


def rows_of(response: httpx.Response) -> list[tuple]:
    """Return (hour and minute, variant, name, maximum) of an answer."""
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["account_id"], body["project_id"]) == (ACCOUNT, PROJECT)
    return [
        (r["time"][11:16], r.get("variant_id"), r.get("variant_name"), r["max_concurrent_conversations"])
        for r in body["intervals"]
    ]


def test_total_is_what_a_hand_counts(get):
    """Someone trying the endpoint would see other maxima than the calls have, or a gap."""
    response = get(HOUR)
    found = rows_of(response)
    assert [t for t, *_ in found] == [f"14:{m:02d}" for m in range(0, 60, 5)]
    assert {t: n for t, *_, n in found if n} == {"14:00": 2, "14:05": 2, "14:10": 2, "14:20": 1}
    assert response.json()["intervals"][0] == {"time": "2026-07-01T14:00:00.000Z", "max_concurrent_conversations": 2}


def test_sliced_rows_are_chronological_with_zeros_from_the_first_appearance(get):
    """A client's handling of absent intervals would be tried against answers the API does not give."""
    found = rows_of(get(HOUR + "&slice_by=variant"))
    assert found[:5] == [
        ("14:00", "b", "Bookings & more", 2),
        ("14:05", "b", "Bookings & more", 1),
        ("14:05", 'q"\\', "Café, \n", 1),
        ("14:10", "b", "Bookings & more", 1),
        ("14:10", 'q"\\', "Café, \n", 1),
    ]
    assert [row for row in found if row[1] is None] == [("14:20", None, None, 1)] + [
        (f"14:{m}", None, None, 0) for m in range(25, 60, 5)
    ]
    assert len(found) == 12 + 11 + 8


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("variant_id=b", {"14:00": 2, "14:05": 1, "14:10": 1}),
        ("variant_name=Bookings%20%26%20more", {"14:00": 1, "14:05": 1, "14:10": 1}),
        ("language=cy-GB", {"14:00": 1, "14:05": 1, "14:10": 1}),
        ("phone_number=%2B441632960001", {"14:00": 1, "14:05": 1, "14:10": 1}),
        ("phone_number=+441632960001", {"14:00": 1, "14:05": 1, "14:10": 1}),
        ("language=en-GB&variant_id=b", {"14:00": 1}),
        ("client_env=sandbox", {f"14:{m:02d}": 1 for m in range(0, 50, 5)}),
        ("client_env=pre-release", {}),
        ("client_env=live&variant_id=nobody", {}),
        ("variant_name=Bookings+%26+more", {}),
        ("something=else&something=more", {"14:00": 2, "14:05": 2, "14:10": 2, "14:20": 1}),
    ],
)
def test_filters(get, query, expected):
    """A filter would let other calls through; calls without env would not be live; a plus would become a space."""
    found = rows_of(get(f"{HOUR}&{query}"))
    assert len(found) == 12
    assert {t: n for t, *_, n in found if n} == expected


@pytest.mark.parametrize(
    ("start", "end", "times"),
    [
        ("2026-07-01T14:02:59.999Z", "2026-07-01T14:05:00.0000000001Z", ["14:00", "14:05"]),
        ("2026-07-01T14:04:59.9999999999Z", "2026-07-01T14:05:00Z", ["14:00"]),
        ("2026-07-01T16:00:00%2B02:00", "2026-07-01T16:05:00+02:00", ["14:00"]),
        ("2026-07-01t14:00z", "2026-07-01 14:01:00+0000", ["14:00"]),
        ("1912-04-15T02:20:00Z", "1912-04-15T02:25:00Z", ["02:20"]),
        ("2300-01-01T00:00:00Z", "2300-01-01T00:04:00Z", ["00:00"]),
    ],
)
def test_times_round_outwards(get, start, end, times):
    """Start would not round down or end not round up to 5 minutes, or an offset be ignored."""
    assert [t for t, *_ in rows_of(get(f"start_time={start}&end_time={end}"))] == times


def test_a_week_is_the_most(get):
    """A client that asks for more than the API gives would pass its tests here."""
    assert len(rows_of(get("start_time=2026-06-29T00:00:00Z&end_time=2026-07-06T00:00:00Z"))) == 2016
    assert get("start_time=2026-06-29T00:00:00Z&end_time=2026-07-06T00:00:00.001Z").status_code == 400


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 400, "start_time is missing"),
        ("start_time=2026-07-01T14:00:00Z", 400, "end_time is missing"),
        ("start_time=&end_time=2026-07-01T14:00:00Z", 400, "start_time is empty"),
        ("start_time=yesterday&end_time=2026-07-01T14:00:00Z", 400, "'yesterday'"),
        ("start_time=2026-07-01T14:00:00&end_time=2026-07-01T15:00:00Z", 400, "offset"),
        ("start_time=2026-02-30T14:00:00Z&end_time=2026-07-01T15:00:00Z", 400, "2026-02-30"),
        ("start_time=9999-12-31T23:58:00Z&end_time=9999-12-31T23:59:00Z", 400, "9999"),
        ("start_time=0001-01-01T00:00:00%2B09:00&end_time=0001-01-01T00:00:00Z", 400, "0001"),
        ("start_time=2026-07-01T15:00:00Z&end_time=2026-07-01T14:00:00Z", 400, "not after"),
        (HOUR + "&start_time=2026-07-01T14:00:00Z", 400, "twice"),
        (HOUR + "&client_env=LIVE", 400, "client_env"),
        (HOUR + "&variant_id=b&variant_name=Bookings", 400, "exclude"),
        (HOUR + "&slice_by=colour", 400, "slice_by"),
        (HOUR + "&language=%FF", 400, "UTF-8"),
        (HOUR + "&slice_by=language", 501, "not implemented"),
        (HOUR + "&slice_by=phone_number", 501, "not implemented"),
    ],
)
def test_refusals_say_why(get, query, status, says):
    """A wrong request would be answered, or refused without an error_message."""
    response = get(query)
    assert response.status_code == status
    assert says in response.json()["error_message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (PATH.replace("ws%2Fa", "ws%2fa"), 200),
        (PATH.replace("ws%2Fa", "ws/a"), 404),
        (PATH.replace("ws%2F", "other"), 404),
        (PATH.replace("PROJECT", "project"), 404),
        (PATH + "/", 404),
        ("/", 404),
        ("/v1/%FF/x/conversations/concurrency", 404),
        ("/v1//x/conversations/concurrency", 404),
        ("/docs", 404),
    ],
)
def test_ids_are_opaque_and_other_paths_are_not_found(get, path, status):
    """An id with a slash would not be found, or another id would be let in, or a 404 come without its message."""
    response = get(HOUR, path)
    assert response.status_code == status
    assert status == 200 or response.json()["error_message"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_get(get, method):
    """405 would come without its message or without saying what is allowed."""
    response = get(HOUR, method=method)
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert method in response.json()["error_message"]


def test_key(server, monkeypatch):
    """A request without the key, or with another, would be answered; 404 would tell strangers which ids exist."""
    for headers, status in [({}, 401), ({"x-api-key": "guess"}, 403), ({"x-api-key": "é".encode()}, 403)]:
        for path in (PATH, "/v1/x/y/conversations/concurrency"):
            response = httpx.get(f"{server.url}{path}?{HOUR}", headers=headers)
            assert response.status_code == status
            assert KEY not in response.json()["error_message"]
    monkeypatch.delenv("CAPACITY_EMULATOR_KEY", raising=False)
    with pytest.raises(ConfigError, match="CAPACITY_EMULATOR_KEY"), serve(some_calls(), account="a", project="p"):
        pass


def test_key_from_the_environment(monkeypatch):
    """The command line, which takes no key, could not start the emulator."""
    monkeypatch.setenv("CAPACITY_EMULATOR_KEY", "from-env")
    with serve(some_calls(), account="a", project="p") as running:
        response = httpx.get(
            f"{running.url}/v1/a/p/conversations/concurrency?{HOUR}", headers={"x-api-key": "from-env"}
        )
        assert response.status_code == 200
        assert running.requests == [HOUR]
        assert running.statuses == [200]


def ask_all(switches: Switches, queries: list[str]) -> list[httpx.Response]:
    """Put some queries, one after the other, to an emulator that misbehaves."""
    with (
        serve(some_calls(), account="a", project="p", key="k", switches=switches) as running,
        httpx.Client(base_url=running.url, headers={"x-api-key": "k"}) as client,
    ):
        return [client.get(f"/v1/a/p/conversations/concurrency?{query}") for query in queries]


def test_zeros_left_out_and_inclusive_end():
    """Clients could not be tried against the two readings of the API that are possible."""
    switches = Switches(zeros=False, inclusive_end=True)
    total, sliced = ask_all(
        switches,
        [
            "start_time=2026-07-01T14:05:00Z&end_time=2026-07-01T14:20:00Z",
            "start_time=2026-07-01T14:15:00Z&end_time=2026-07-01T14:20:00Z&slice_by=variant",
        ],
    )
    assert [r["time"][11:16] for r in total.json()["intervals"]] == ["14:05", "14:10", "14:20"]
    assert sliced.json()["intervals"] == [{"time": "2026-07-01T14:20:00.000Z", "max_concurrent_conversations": 1}]


def test_failures_are_seeded_and_do_not_depend_on_order():
    """A test of a client with failures would pass one day and fail the next."""
    queries = [f"start_time=2026-07-01T14:{m:02d}:00Z&end_time=2026-07-01T15:00:00Z" for m in range(40)]
    switches = Switches(failures=0.2, failure_status=500, too_many=0.2, retry_after=7, cut=0.2, seed=3)
    there, back = ask_all(switches, queries), ask_all(switches, queries[::-1])[::-1]
    seen = [(r.status_code, r.content) for r in there]
    assert seen == [(r.status_code, r.content) for r in back]
    by_status = {s: [r for r in there if r.status_code == s] for s in (200, 429, 500)}
    assert all(len(found) >= 3 for found in by_status.values())
    assert {r.headers["retry-after"] for r in by_status[429]} == {"7"}
    assert all(r.json()["error_message"] for r in by_status[429] + by_status[500])
    broken = 0
    for response in by_status[200]:
        try:
            json.loads(response.content)
        except json.JSONDecodeError:
            broken += 1
    assert 3 <= broken < len(by_status[200])


def test_four_clients_at_once_get_what_one_gets():
    """Answers computed at the same time would mix, or a slow answer would hold up the others."""
    calls = cap.simulate_calls("2026-06-01", days=14, seed=4)
    frame = cap.intervals_from_calls(calls[calls["env"] == "live"])
    queries = [
        f"start_time=2026-06-0{d}T00:00:00Z&end_time=2026-06-0{d + 1}T00:00:00Z{s}"
        for d in range(1, 9)
        for s in ("", "&slice_by=variant")
    ]
    with (
        serve(calls, account="a", project="p", key="k") as running,
        httpx.Client(base_url=running.url, headers={"x-api-key": "k"}) as client,
        concurrent.futures.ThreadPoolExecutor(4) as pool,
    ):
        answers = list(pool.map(lambda q: client.get(f"/v1/a/p/conversations/concurrency?{q}").json(), queries))
    rows = [
        (r["time"], r.get("variant_id", cap.TOTAL), r["max_concurrent_conversations"])
        for answer in answers
        for r in answer["intervals"]
    ]
    found = pd.DataFrame(rows, columns=["time", "variant", "n"])
    found["time"] = pd.to_datetime(found["time"])
    found = found.set_index(["time", "variant"])["n"].sort_index()
    expected = frame["max_concurrent"].loc[
        found.index.get_level_values(0).min() : found.index.get_level_values(0).max()
    ]
    common = found.index.intersection(expected.index)
    assert len(common) == len(expected) > 8 * 288 * 4
    assert np.array_equal(found.loc[common], expected.loc[common])


def test_listening_elsewhere_is_said_loudly_and_loopback_is_not():
    """Someone would open call records to the network without noticing."""
    from capacity.calls.emulator import _warn

    said: list[str] = []
    for host in ("127.0.0.1", "::1", "localhost"):
        _warn(host, said.append)
    assert said == []
    _warn("0.0.0.0", said.append)
    assert "NOT ONLY THIS MACHINE" in said[0]


def test_a_port_that_is_taken_is_one_clear_error():
    """The user would see a traceback of the server's."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigError, match="choose another port"):
            run(some_calls(), account="a", project="p", key="k", port=other.getsockname()[1], say=lambda _: None)


def test_no_calls_at_all():
    """An empty log could not be served."""
    with (
        serve(some_calls().head(0), account="a", project="p", key="k") as running,
        httpx.Client(base_url=running.url, headers={"x-api-key": "k"}) as client,
    ):
        total = client.get(f"/v1/a/p/conversations/concurrency?{HOUR}").json()["intervals"]
        sliced = client.get(f"/v1/a/p/conversations/concurrency?{HOUR}&slice_by=variant").json()["intervals"]
    assert [r["max_concurrent_conversations"] for r in total] == [0] * 12
    assert sliced == []


@pytest.mark.parametrize("named", [True, False])
def test_calls_are_read_once_for_a_series_by_variant(monkeypatch, named):
    """Every first request by variant would read the calls twice, only for names that the frame has already."""
    calls = some_calls()
    answers = Answers(calls if named else calls.drop(columns="variant_name"), account="a", project="p")
    read: list[int] = []
    for module in (concurrency, answers_module):
        real = module.call_arrays
        monkeypatch.setattr(
            module, "call_arrays", lambda calls, real=real, **o: [read.append(len(calls)), real(calls, **o)][1]
        )
    hour = pd.Timestamp("2026-07-01T14:00Z").value // 300_000_000_000
    rows = json.loads(answers.body(Ask(hour, hour + 12, sliced=True)))["intervals"]
    names = {(r.get("variant_id"), r.get("variant_name")) for r in rows}
    shown = {"b": "Bookings & more", 'q"\\': "Café, \n"} if named else {"b": "b", 'q"\\': 'q"\\'}
    assert names == {*shown.items(), (None, None)}
    assert read == [4]


@pytest.mark.parametrize("longest", [3, 30, 3000])
def test_names_of_any_length(longest):
    """Rows are laid out as records: a long name beside a short one would break the JSON or change a name."""
    calls = some_calls().dropna(subset="variant").assign(variant_name=["x" * 2, "y" * longest, "z", "x"])
    with (
        serve(calls, account="a", project="p", key="k") as running,
        httpx.Client(base_url=running.url, headers={"x-api-key": "k"}) as client,
    ):
        rows = client.get(f"/v1/a/p/conversations/concurrency?{HOUR}&slice_by=variant").json()["intervals"]
    assert {(r["variant_id"], r["variant_name"]) for r in rows} == {("b", "y" * longest), ('q"\\', "z")}
    assert sum(r["max_concurrent_conversations"] for r in rows) == 6
