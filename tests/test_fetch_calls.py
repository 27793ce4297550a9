"""Call records from a server that takes every liberty the contract leaves: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading

import pandas as pd
import pytest

import capacity as cap
from capacity.fetch import callstore
from capacity.fetch.call_plan import plan_calls

from .faulty_server import Reply, error, hasty
from .hostile_conversations import (
    CALLER,
    DAY_S,
    FIRST,
    KEY,
    MONDAY,
    SECRETS,
    SPAN,
    Call,
    ConversationsServer,
    Liberties,
    client_of,
    drawn_calls,
    expected,
    got,
    quiet_calls,
)


@pytest.mark.parametrize("seed", range(40))
def test_nothing_lost_nothing_doubled(seed, tmp_path):
    """Some liberty of a server lost a call, or counted one twice; or what is stored was asked for again."""
    rng = random.Random(seed)
    calls = drawn_calls(rng, FIRST - DAY_S, days=6, count=rng.choice([0, 5, 80]))
    start = FIRST + rng.choice([0, 0, 5 * 3600 + 120])
    end = FIRST + 3 * DAY_S + rng.choice([0, 0, 7 * 3600 + 60])
    span = [pd.Timestamp(t, unit="s", tz="UTC") for t in (start, end)]
    store = tmp_path if rng.random() < 0.6 else None
    liberties = Liberties.drawn(rng)
    with ConversationsServer(calls, liberties, seed=seed) as server, client_of(server) as client:
        if rng.random() < 0.5:  # a part of the range first
            cap.fetch_calls(client, MONDAY + pd.Timedelta(days=1), span[1], store=store)
        found = cap.fetch_calls(client, *span, store=store)
        assert got(found) == expected(calls, start, end), liberties
        if store is not None:
            assert got(cap.read_stored_calls(store, *span)) == got(found)
            asked = len(server.requests)
            assert got(cap.fetch_calls(client, *span, store=store)) == got(found)
            assert len(server.requests) == asked


def test_a_call_in_progress_is_asked_for_again_until_it_has_ended(tmp_path):
    """A call that was in progress kept its missing end for ever, or was there twice after it had ended."""
    calls = [*quiet_calls(), Call("long", FIRST + DAY_S - 600, 7200, 7200, "v1")]
    for select in ("start", "end", "overlap"):
        store = tmp_path / select
        with ConversationsServer(calls, Liberties(select=select, page=4)) as server, client_of(server) as client:
            server.clock = FIRST + DAY_S + 600
            client._now = lambda: pd.Timestamp(FIRST + DAY_S + 600, unit="s", tz="UTC")
            early = cap.fetch_calls(client, MONDAY, SPAN[1], store=store)
            assert early.frame["end"].isna().sum() == (select != "end")
            client._now = lambda: pd.Timestamp("2026-02-01", tz="UTC")
            # The API still says so weeks later: the day stays provisional.
            still = cap.fetch_calls(client, MONDAY, MONDAY + pd.Timedelta(days=1), store=store)
            assert still.frame["end"].isna().sum() == 1
            server.clock = float("inf")
            late = cap.fetch_calls(client, *SPAN, store=store)
            assert got(late) == expected(calls, FIRST, FIRST + 3 * DAY_S)
            server.requests.clear()
            assert got(cap.fetch_calls(client, *SPAN, store=store)) == got(late)
            assert server.requests == []


def test_a_later_answer_wins_within_one_listing():
    """Of a page that moved the older copy of a row was kept."""
    row = {"id": "x", "started_at": "2026-01-05T10:00:00Z", "in_progress": True}
    pages = [
        {"conversations": [row], "cursor": "a"},
        {"conversations": [{**row, "in_progress": False, "total_duration": 60}]},
    ]

    def script(request, n):
        return Reply(body=json.dumps(pages["cursor" in request.query]).encode())

    with ConversationsServer([]) as server, client_of(server) as client:
        server.script = script
        found = cap.fetch_calls(client, MONDAY, MONDAY + pd.Timedelta(days=1))
    assert found.frame["end"].tolist() == [pd.Timestamp("2026-01-05T10:01Z")]


ROW = {"id": "x", "started_at": "2026-01-05T10:00:00Z", "total_duration": 60}


@pytest.mark.parametrize(
    ("page_of", "words"),
    [
        (lambda n: {"conversations": [{**ROW, "id": str(n)}], "cursor": "same"}, "came before"),
        (lambda n: {"conversations": [{**ROW, "id": str(n)}], "cursor": "ab"[n % 2]}, "came before"),
        (lambda n: {"conversations": [ROW], "cursor": str(n)}, "no conversation that was new"),
        (lambda n: {"conversations": [{**ROW, "id": str(n)}], "next_offset": 7}, "came before"),
        (lambda n: {"conversations": [ROW], "next_offset": n}, "no conversation that was new"),
        (lambda n: {"conversations": [{**ROW, "started_at": "yesterday"}]}, "started_at of row 0"),
        (lambda n: {"conversations": [{**ROW, "started_at": "2026-01-05"}]}, "started_at of row 0"),
        (lambda n: {"conversations": [{**ROW, "id": ""}]}, "id of row 0"),
        (lambda n: {"conversations": [{"id": "x"}]}, "started_at"),
        (lambda n: {"conversations": [{**ROW, "total_duration": -1}]}, "total_duration of row 0"),
        (lambda n: {"conversations": [{**ROW, "total_duration": 60.5}]}, "total_duration of row 0"),
        (lambda n: {"conversations": [{**ROW, "total_duration": "60"}]}, "total_duration"),
        (lambda n: {"conversations": None}, "conversations"),
        (lambda n: {"items": []}, "conversations"),
        (lambda n: [ROW], "array"),
    ],
)
def test_pages_without_end_and_rows_without_sense_are_payload_errors(page_of, words):
    """A server that turns in circles was followed for ever, or a row that cannot be was taken."""
    with ConversationsServer([]) as server, client_of(server) as client:
        server.script = lambda request, n: Reply(body=json.dumps(page_of(n)).encode())
        with pytest.raises(cap.errors.IncompleteError, match=words) as caught:
            cap.fetch_calls(client, MONDAY, MONDAY + pd.Timedelta(days=1))
        assert [type(failure) for failure in caught.value.failures] == [cap.errors.PayloadError]
        assert len(server.requests) < 30


def test_odd_rows_are_read_for_what_they_say():
    """A missing length was taken for a call in progress for ever, or a fraction of a second was lost."""
    rows = [
        {"id": "1", "started_at": "2026-01-05T10:00:00.250+01:00", "total_duration": 60.0, "polyai_duration": 0},
        {"id": "2", "started_at": "2026-01-05T10:00:00", "in_progress": False, "polyai_duration": 30},
        {
            "id": "3",
            "started_at": "20260105T100000Z",
            "in_progress": False,
            "handoff": None,
            "channel": None,
            "language": "cy-GB",
            "variant_id": "v",
            "variant_name": "Bookings",
        },
        {"id": "4", "started_at": "2026-01-05t11:00:00z"},
        {"id": "5", "started_at": "2026-01-05T12:00:00Z", "in_progress": True, "total_duration": 5, "language": 7},
    ]
    with ConversationsServer([]) as server, client_of(server) as client:
        server.script = lambda request, n: Reply(body=json.dumps({"conversations": rows, "next_offset": None}).encode())
        calls = cap.fetch_calls(client, MONDAY, MONDAY + pd.Timedelta(days=1))
    seconds = (calls.frame["end"] - calls.frame["start"]).dt.total_seconds().sort_values().tolist()
    assert seconds[:3] == [0, 30, 60]
    assert calls.frame["end"].isna().sum() == 2
    assert calls.frame["start"].min() == pd.Timestamp("2026-01-05T09:00:00.250Z")
    assert "2 in progress" in str(calls)
    assert "2 without a total duration" in str(calls)
    known = calls.frame.set_index("start").sort_index()
    assert known["language"].dropna().to_dict() == {pd.Timestamp("2026-01-05T10:00Z"): "cy-GB"}  # 7 is no language
    assert known["variant"].dropna().tolist() == ["v"] and known["variant_name"].dropna().tolist() == ["Bookings"]


@pytest.mark.parametrize("mode", ["cursor", "offset", "both"])
def test_the_cursor_is_followed_and_the_offset_only_where_there_is_none(mode):
    """An offset, which drifts while calls are written, was used beside a cursor."""
    with ConversationsServer(quiet_calls(), Liberties(page=4)) as server, client_of(server) as client:

        def script(request, n):
            body = server.body(request)
            if mode == "cursor":
                return Reply(body=body)
            page = json.loads(body)
            at = int(request.query.get("offset", 0)) + 4
            cursor = page.pop("cursor", None) if mode == "offset" else page.get("cursor")
            page["next_offset"] = at if cursor or mode == "both" else None
            return Reply(body=json.dumps(page).encode())

        server.script = script
        assert got(cap.fetch_calls(client, *SPAN)) == expected(quiet_calls(), FIRST, FIRST + 3 * DAY_S)
        offsets = [r for r in server.requests if "offset" in r.query]
        assert bool(offsets) == (mode == "offset")
        assert all(r.query["limit"] == "1000" for r in server.requests)


def test_windows_are_utc_days_and_the_edges_reach_out(tmp_path):
    """A call in progress at either edge was missed under some reading of start_time and end_time."""
    with ConversationsServer(quiet_calls()) as server, client_of(server) as client:
        cap.fetch_calls(client, *SPAN, store=tmp_path)
        asked = sorted((r.query["start_time"][:10], r.query["end_time"][:10]) for r in server.requests)
        assert asked == [("2026-01-04", "2026-01-06"), ("2026-01-06", "2026-01-07"), ("2026-01-07", "2026-01-09")]
        server.requests.clear()
        cap.fetch_calls(client, MONDAY, SPAN[1] + pd.Timedelta(days=1), store=tmp_path)
        assert [(r.query["start_time"][:10], r.query["end_time"][:10]) for r in server.requests] == [
            ("2026-01-08", "2026-01-10")
        ]
        server.requests.clear()
        inner = (MONDAY + pd.Timedelta(hours=30), MONDAY + pd.Timedelta(hours=40))
        assert got(cap.fetch_calls(client, *inner, store=tmp_path)) == expected(
            quiet_calls(), inner[0].timestamp(), inner[1].timestamp()
        )
        assert server.requests == []


def test_filters_and_environment_reach_the_server_and_stay_apart_in_the_store(tmp_path):
    """A filter was forgotten, or filtered and unfiltered calls were mixed in one store."""
    calls = [Call(f"c{k}", FIRST + 60 * k, 30, 30, "v1", ["voice", "chat", "sms"][k % 3]) for k in range(30)]
    with ConversationsServer(calls) as server, client_of(server) as client:
        day = (MONDAY, MONDAY + pd.Timedelta(days=1))
        every = cap.fetch_calls(client, *day, store=tmp_path, env="sandbox")
        some = cap.fetch_calls(client, *day, store=tmp_path, env="sandbox", channel=["chat", "voice"], variant_id="v 1")
        assert (len(every), len(some)) == (30, 20)
        assert "channel=chat&channel=voice&variant_id=v%201" in server.requests[-1].raw_query
        assert "client_env=sandbox" in server.requests[-1].raw_query
    with pytest.raises(cap.errors.ConfigError, match="not clear"):
        cap.read_stored_calls(tmp_path)
    assert len(cap.read_stored_calls(tmp_path, unfiltered=True)) == 30
    assert len(cap.read_stored_calls(tmp_path, channel=["voice", "chat"], variant_id="v 1")) == 20
    with pytest.raises(cap.errors.ConfigError, match="one or the other"):
        cap.fetch_calls(client, *day, variant_id="a", variant_name="b")


def test_the_key_of_call_records(monkeypatch):
    """The wrong key was sent, or an error named the wrong variable."""
    monkeypatch.setenv("POLYAI_API_KEY", "key-of-maxima")
    with ConversationsServer(quiet_calls()) as server:
        for value, sent in (("key-of-calls", "key-of-calls"), ("", "key-of-maxima")):
            monkeypatch.setenv("POLYAI_V3_API_KEY", value)
            with cap.Client("A", "P", base_url=server.url) as client:
                cap.fetch_calls(client, *SPAN)
                assert {r.headers["x-api-key"] for r in server.requests} == {sent}
                server.requests.clear()
        for status in (401, 403):
            server.script = lambda request, n, status=status: error(status, f"not key-of-maxima, caller {CALLER}")
            with cap.Client("A", "P", base_url=server.url) as client:
                with pytest.raises(cap.errors.Unauthorized, match="POLYAI_V3_API_KEY") as caught:
                    cap.fetch_calls(client, *SPAN, errors="partial")
                assert "key-of" not in str(caught.value)
                assert CALLER not in str(caught.value)
        monkeypatch.delenv("POLYAI_API_KEY")
        monkeypatch.setenv("POLYAI_V3_API_KEY", "only-calls")
        with (
            cap.Client("A", "P", base_url=server.url) as client,
            pytest.raises(cap.errors.ConfigError, match="POLYAI_API"),
        ):
            cap.fetch_intervals(client, *SPAN)


def test_days_that_fail_are_named_and_the_rest_is_there(tmp_path):
    """One day that is never answered cost the others, or came back as a day without calls unsaid."""
    with ConversationsServer(quiet_calls()) as server, client_of(server, _patience=hasty(attempts=2)) as client:
        server.script = lambda r, n: error(500) if r.query["start_time"].startswith("2026-01-06") else None
        with pytest.raises(cap.errors.IncompleteError, match=r"1 of 3 days[\s\S]*\[2026-01-06") as caught:
            cap.fetch_calls(client, *SPAN, store=tmp_path)
        assert 15 < len(caught.value.frame) < 30
        assert len(cap.fetch_calls(client, *SPAN, errors="partial")) == 20
        server.script = None
        server.requests.clear()
        assert len(cap.fetch_calls(client, *SPAN, store=tmp_path)) == 30
        assert len(server.requests) == 1


PROGRAM = """
import sys
import pandas as pd
import capacity as cap
with cap.Client("A", "P", api_key="k", base_url=sys.argv[1], max_workers=2, timeout=60) as client:
    client._now = lambda: pd.Timestamp("2026-02-01", tz="UTC")
    cap.fetch_calls(client, "2026-01-05", "2026-01-15", tz="UTC", store=sys.argv[2])
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_kill_9_at_any_moment_loses_and_doubles_nothing(tmp_path):
    """A killed fetch left half a day that counts as whole, or a resumed one doubled what was there."""
    calls = drawn_calls(random.Random(7), FIRST - DAY_S, days=12, count=400)
    with ConversationsServer(calls, Liberties(select="end", page=9)) as server:
        for count in (12, 40):
            reached, limit = threading.Event(), len(server.requests) + count

            def script(request, n, limit=limit, reached=reached):
                if n <= limit:
                    return None
                reached.set()
                return Reply(fault="hang")

            server.script = script
            process = subprocess.Popen([sys.executable, "-c", PROGRAM, server.url, str(tmp_path)])
            assert reached.wait(60)
            process.kill()
            assert process.wait(60) == -signal.SIGKILL
        server.script = None
        with client_of(server) as client:
            found = cap.fetch_calls(client, "2026-01-05", "2026-01-15", tz="UTC", store=tmp_path)
            assert got(found) == expected(calls, FIRST, FIRST + 10 * DAY_S)
            server.requests.clear()
            cap.fetch_calls(client, "2026-01-05", "2026-01-15", tz="UTC", store=tmp_path)
            assert server.requests == []


def test_no_transcript_no_caller_and_no_key_in_store_logs_errors_or_reprs(tmp_path, caplog):
    """Personal data, or the key, was kept or shown somewhere."""
    caplog.set_level(logging.DEBUG)
    line = "+442079460958"
    calls = [Call(f"c{k}", FIRST + 60 * k, 30, 30, "v1", to_number=line) for k in range(50)]
    texts = []
    with ConversationsServer(calls, Liberties(page=9)) as server, client_of(server) as client:
        found = cap.fetch_calls(client, *SPAN, store=tmp_path)
        texts += [repr(client), repr(vars(client)), repr(found), str(found), found.frame.to_csv(), str(found.callers)]
        for reply in (
            error(400, f"{SECRETS[0][:0]}conversation of {CALLER} with {KEY}"),
            Reply(body=b'{"conversations": [{"id": "1", "started_at": "' + CALLER.encode() + b'"}]}'),
            Reply(body=b'{"conversations": [{"id": "1", "turns": "' + SECRETS[0].encode()),
            Reply(body=SECRETS[0].encode()),
            Reply(body=b"\xff" + SECRETS[0].encode()),
        ):
            server.script = lambda request, n, reply=reply: reply
            client._patience = hasty(attempts=2)
            with pytest.raises(cap.errors.CapacityError) as caught:
                cap.fetch_calls(client, *SPAN)
            for each in (caught.value, *getattr(caught.value, "failures", ())):
                while each is not None:
                    texts += [str(each), repr(each), repr(vars(each))]
                    each = each.__cause__ or each.__context__
    assert line not in caplog.text
    stored = b"".join(path.read_bytes() + str(path).encode() for path in tmp_path.rglob("*") if path.is_file())
    table = pd.concat(pd.read_parquet(path) for path in tmp_path.rglob("*.parquet"))
    texts += [caplog.text, table.to_csv(), " ".join(table.columns)]
    for secret in (*SECRETS, CALLER[1:], KEY):
        assert secret.encode() not in stored
        assert not any(secret in text for text in texts), secret
    assert "cursor=***" in caplog.text
    assert line.encode() not in b"".join(str(path).encode() for path in tmp_path.rglob("*"))


def test_callers_who_try_again_are_counted_by_hour(tmp_path):
    """Callers who ring again were not counted, or a withheld number counted as one caller."""
    hour = 3600
    calls = [
        Call("1", FIRST + 10, 60, 60, caller="+1"),
        Call("2", FIRST + 200, 60, 60, caller="+1"),  # again
        Call("3", FIRST + hour - 5, 60, 60, caller="+1"),  # long after
        Call("4", FIRST + hour + 100, 60, 60, caller="+1"),  # again, in the next hour
        Call("5", FIRST + 20, 60, 60, caller=""),
        Call("6", FIRST + 90, 60, 60, caller=""),
    ]
    with ConversationsServer(calls, Liberties(page=2, repeats=0.5)) as server, client_of(server) as client:
        for _ in range(2):
            counts = cap.fetch_calls(client, MONDAY, MONDAY + pd.Timedelta(days=1), store=tmp_path).callers
            assert counts.values.tolist() == [[3, 1], [1, 1]]
            assert counts.index.tolist() == [MONDAY, MONDAY + pd.Timedelta(hours=1)]


def test_a_damaged_day_is_named_and_mended(tmp_path):
    """A flipped bit went unnoticed, or could not be mended."""
    with ConversationsServer(quiet_calls()) as server, client_of(server) as client:
        cap.fetch_calls(client, *SPAN, store=tmp_path)
        path = sorted(tmp_path.rglob("*.parquet"))[1]
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 4] ^= 1
        path.write_bytes(raw)
        with pytest.raises(cap.errors.StoreError, match="damaged"):
            cap.fetch_calls(client, *SPAN, store=tmp_path)
        server.requests.clear()
        assert len(cap.fetch_calls(client, *SPAN, store=tmp_path, repair=True)) == 30
        assert len(server.requests) == 1


def test_both_kinds_live_in_one_store(tmp_path):
    """Call records broke what reads the maxima of the same store, or the other way round."""
    with ConversationsServer(quiet_calls()) as server, client_of(server) as client:
        cap.fetch_calls(client, *SPAN, store=tmp_path)
        with pytest.raises(cap.errors.ConfigError, match="holds nothing yet"):
            cap.read_intervals(tmp_path)
    assert len(cap.read_stored_calls(tmp_path)) == 30


def test_a_call_from_the_day_before_that_is_still_in_progress_is_asked_for_again(tmp_path):
    """A call in progress at the start of a range kept its missing end for ever: its own day is not in the range."""
    calls = [*quiet_calls(), Call("long", FIRST - 600, 7 * 3600, 60, "v1")]
    with ConversationsServer(calls) as server, client_of(server) as client:
        server.clock = FIRST + 6 * 3600
        day = (MONDAY, MONDAY + pd.Timedelta(days=1))
        assert cap.fetch_calls(client, *day, store=tmp_path).frame["end"].isna().sum() == 1
        server.clock = float("inf")
        assert got(cap.fetch_calls(client, *day, store=tmp_path)) == expected(calls, FIRST, FIRST + DAY_S)
        server.requests.clear()
        cap.fetch_calls(client, *day, store=tmp_path)
        assert server.requests == []


def test_a_day_counts_as_answered_only_when_all_its_rows_are_kept(tmp_path, monkeypatch):
    """A disk that fills up between two files left a day that is final and lacks calls of the day before."""
    calls = [*quiet_calls(), Call("over midnight", FIRST - 600, 7200, 60, "v1")]
    written = []

    def full(path, *rest):
        if written:
            raise cap.errors.StoreError("full")
        written.append(path)
        callstore.real(path, *rest)

    with ConversationsServer(calls) as server, client_of(server) as client:
        day = (MONDAY, MONDAY + pd.Timedelta(days=1))
        with monkeypatch.context() as patch:
            patch.setattr(callstore, "real", callstore.write, raising=False)
            patch.setattr(callstore, "write", full)
            with pytest.raises(cap.errors.StoreError, match="full"):
                cap.fetch_calls(client, *day, store=tmp_path)
        assert got(cap.fetch_calls(client, *day, store=tmp_path)) == expected(calls, FIRST, FIRST + DAY_S)


def test_what_would_be_asked_for_is_listed_by_day():
    """A dry run would list other days than a fetch asks for, days to come, or not the longest call before the first."""
    with cap.Client("A", "P", api_key=KEY) as client:
        client._now = lambda: pd.Timestamp("2026-01-10T09:03", tz="UTC")
        table = plan_calls(client, "2026-01-08", "2026-01-12", tz="Asia/Kolkata", longest_call="2h")
        later = plan_calls(client, "2026-01-11", "2026-01-12", tz="Asia/Kolkata")
    days = pd.to_datetime(
        ["2026-01-07", "2026-01-08", "2026-01-09", "2026-01-10", "2026-01-10T09:00"], utc=True, format="ISO8601"
    )
    assert table["start"].tolist() == days[:-1].tolist()
    assert table["end"].tolist() == table["asked_to"].tolist() == days[1:].tolist()
    assert table["asked_from"].tolist() == [days[0] - pd.Timedelta(hours=2), *days[1:-1]]
    assert set(table["why"]) == {"not held"}
    assert later.empty and list(later) == list(table)
