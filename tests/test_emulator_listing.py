"""The endpoint of conversations: pages, filters, keys; under requests made from its contract."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.calls.emulator import Switches, serve

CONTRACT = Path(__file__).parents[2] / "shared" / "api" / "conversations.yaml"
ACCOUNT, PROJECT = "ACCOUNT-t53y16r3", "PROJECT-f76d75c2"
START = pd.Timestamp("2026-07-01T14:00Z")


def some_calls(count=23):
    """Return calls a minute apart, of 90.5 s, the last without an end."""
    start = pd.DatetimeIndex([START + pd.Timedelta(minutes=k) for k in range(count)])
    end = pd.Series(start + pd.Timedelta(seconds=90.5))
    end.iloc[-1] = pd.NaT
    return pd.DataFrame(
        {
            "start": start,
            "end": end,
            "variant": pd.Categorical(["v1", None, "v2"][k % 3] for k in range(count)),
            "variant_name": pd.Categorical(["One", None, "Two"][k % 3] for k in range(count)),
            "channel": ["chat" if k >= 18 else "voice" for k in range(count)],
            "env": "live",
            "polyai_duration": np.where(np.arange(count) % 4 == 0, 30, 90),
        }
    )


@pytest.fixture(scope="module")
def running():
    """Serve both APIs, with a key each."""
    with serve(some_calls(), account=ACCOUNT, project=PROJECT, key="one", calls_key="three") as server:
        yield server


def ask(running, key="three", path=f"/v3/{ACCOUNT}/{PROJECT}/conversations", **query):
    """Return the response to one request."""
    return httpx.get(running.url + path, params=query, headers={"x-api-key": key} if key else {})


def test_pages_of_five_by_default_and_a_cursor_to_the_end(running):
    """The default page, or a cursor, would differ from the contract's: a client would lose pages."""
    seen, query = [], {}
    while True:
        page = ask(running, **query).json()
        assert len(page["conversations"]) == min(5, 23 - len(seen))
        seen += page["conversations"]
        if "cursor" not in page:
            break
        query = {"cursor": page["cursor"]}
    assert len({row["id"] for row in seen}) == len(seen) == 23
    assert [row["started_at"] for row in seen] == sorted(row["started_at"] for row in seen)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 23),
        ({"in_progress": "true"}, 1),
        ({"in_progress": "false"}, 22),
        ({"variant_id": "v2"}, 7),
        ({"variant_name": "One"}, 8),
        ({"channel": "chat"}, 5),
        ({"channel": ["chat", "voice"]}, 23),
        ({"client_env": "sandbox"}, 0),
        ({"start_time": "2026-07-01T14:05:00Z", "end_time": "2026-07-01T14:10:00Z"}, 5),
        ({"offset": 20}, 3),
    ],
)
def test_filters(running, query, count):
    """A filter would be ignored, or would drop what it should not."""
    assert len(ask(running, limit=1000, **query).json()["conversations"]) == count


def test_a_row_says_whole_seconds_begun_and_nothing_of_calls_in_progress(running):
    """A call in progress would have a length, or an empty text would be null."""
    rows = ask(running, limit=1000).json()["conversations"]
    assert [rows[0][k] for k in ("total_duration", "polyai_duration", "handoff")] == [90, 30, True]
    assert rows[1]["variant_id"] == rows[1]["variant_name"] == ""
    assert rows[-1]["in_progress"] is True
    assert "total_duration" not in rows[-1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 0}, 400),
        ({"limit": 1001}, 400),
        ({"limit": "x"}, 400),
        ({"offset": -1}, 400),
        ({"cursor": "YXQgMQ==", "offset": 1}, 400),
        ({"cursor": "nonsense"}, 400),
        ({"variant_id": "v1", "variant_name": "One"}, 400),
        ({"in_progress": "maybe"}, 400),
        ({"client_env": "moon"}, 400),
        ({"start_time": "yesterday"}, 400),
    ],
)
def test_what_the_contract_does_not_allow_is_refused(running, query, status):
    """A wrong request would be answered as if it were another."""
    response = ask(running, **query)
    assert response.status_code == status
    assert response.json()["error_message"]


def test_each_api_has_its_key(running):
    """The key of one API would open the other."""
    v1 = f"/v1/{ACCOUNT}/{PROJECT}/conversations/concurrency"
    assert ask(running, "one").status_code == ask(running, "three", v1).status_code == 401
    assert ask(running, None).status_code == 401
    assert ask(running, "none of them").status_code == 403
    assert ask(running, "three").status_code == 200
    assert ask(running, path="/v3/x/y/conversations").status_code == 404


def test_both_ways_meet():
    """Maxima counted by the endpoint and records swept by the client would differ."""
    calls = cap.simulate_calls("2026-03-02", days=2, seed=3, tz="UTC", scale=0.2)
    calls["start"], calls["end"] = calls["start"].dt.floor("s"), calls["end"].dt.ceil("s")
    with (
        serve(calls, account="A", project="P", key="k") as server,
        cap.Client("A", "P", api_key="k", base_url=server.url) as client,
    ):
        maxima = cap.fetch_intervals(client, "2026-03-02", "2026-03-03", tz="UTC")
        records = cap.fetch_calls(client, "2026-03-02", "2026-03-03", tz="UTC")
    own = cap.intervals_from_calls(records.frame, start="2026-03-02T00:00Z", end="2026-03-03T00:00Z")
    pd.testing.assert_series_equal(cap.total(own)["max_concurrent"], cap.total(maxima)["max_concurrent"])


def test_what_takes_a_channel_is_a_switch():
    """The switches would not change what is counted: nobody could try out which reading is right."""
    day = {"start_time": "2026-07-01T14:00:00Z", "end_time": "2026-07-01T14:05:00Z"}
    peaks = []
    for switches in (Switches(), Switches(holds="polyai_duration"), Switches(voice_only=True)):
        with serve(
            some_calls(3).assign(channel="chat"), account="A", project="P", key="k", switches=switches
        ) as server:
            answer = ask(server, "k", "/v1/A/P/conversations/concurrency", **day).json()["intervals"]
            peaks.append(max((row["max_concurrent_conversations"] for row in answer), default=0))
    assert peaks == [2, 2, 0]


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not beside the checkout")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_keeps_the_contract_under_a_schema_driven_fuzzer(running, mode):
    """Some request, within or against the schema, would break the emulator or get an answer of another shape."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

    operation = schemathesis.openapi.from_path(CONTRACT)["/v3/{account_id}/{project_id}/conversations"]["GET"]
    seen = Counter()

    @settings(
        deadline=None,
        max_examples=80,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.explicit, Phase.generate],
    )
    @given(
        case=operation.as_strategy(GenerationMode(mode)),
        drop=st.sets(st.sampled_from(["variant_id", "variant_name", "cursor", "offset", "start_time", "end_time"])),
    )
    def fuzz(case, drop):
        case.path_parameters = {"account_id": ACCOUNT, "project_id": PROJECT}
        if mode == "positive":  # few random values go together
            case.query = {k: v for k, v in case.query.items() if k not in drop | {"cursor"}}
        response = case.call(base_url=running.url, headers={"x-api-key": b"three"})
        seen[response.status_code] += 1
        assert response.status_code in {200, 400, 405} | ({401, 403, 404} if mode == "negative" else set())
        if response.status_code != 200:
            assert response.json()["error_message"]
        case.validate_response(
            response, checks=[not_a_server_error, content_type_conformance, response_schema_conformance]
        )

    fuzz()
    assert seen[400] > 5, seen
    assert mode == "negative" or seen[200] > 5, seen
