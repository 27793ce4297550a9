"""One request: what goes out, what comes back, what is tried again, and what nobody may ever see."""

from __future__ import annotations

import gc
import json
import logging
import pickle
import socket
import threading

import httpx
import pandas as pd
import pytest

import capacity as cap
from capacity.fetch.client import Client

from .faulty_server import FaultyServer, Reply, Truth, error, hasty
from .three_intervals import FIRST, KEY, TRUTH, fetch

NUMBER = "+447856838428"


@pytest.fixture
def server():
    """Serve three intervals."""
    with FaultyServer(TRUTH) as running:
        yield running


@pytest.fixture
def client(server):
    """Connect to that server."""
    with Client("ACCOUNT-1", "PROJECT-1", api_key=KEY, base_url=server.url) as made:
        made._patience = hasty()
        yield made


# What goes out


def test_the_raw_query_is_what_the_contract_asks_for(server, client):
    """A space went out as +, a plus as a plus (which servers read as a space), or a parameter was missing."""
    fetch(client, variant_name="variant 1/b&c", phone_number=NUMBER)
    assert server.requests[0].target == (
        "/v1/ACCOUNT-1/PROJECT-1/conversations/concurrency"
        "?start_time=2026-01-12T00%3A00%3A00.000Z&end_time=2026-01-12T00%3A15%3A00.000Z&client_env=live"
        "&phone_number=%2B447856838428&variant_name=variant%201%2Fb%26c&slice_by=variant"
    )


def test_the_key_is_a_header_and_ids_are_one_segment_each(server):
    """An id with a slash or a space asked for another path, or the key did not arrive."""
    with Client("ws 1/ä", "P?x", api_key=f" {KEY}\n", base_url=server.url + "/prefix/") as client:
        fetch(client)
    request = server.requests[0]
    assert request.target.startswith("/prefix/v1/ws%201%2F%C3%A4/P%3Fx/conversations/concurrency?")
    assert request.headers["x-api-key"] == KEY
    assert KEY not in request.target


def test_total_is_a_request_of_its_own(server, client):
    """The total was taken from the sliced answer, or not asked for without a slice."""
    fetch(client, total=True)
    assert sorted("slice_by" in r.query for r in server.requests) == [False, True]


def test_connections_are_reused_and_no_more_requests_fly_than_were_allowed(server):
    """Every window opened a connection, or max_workers was not kept."""
    server.latency = 0.005
    with Client("A", "P", api_key=KEY, base_url=server.url, max_workers=3) as client:
        cap.fetch_intervals(client, "2025-01-01", "2025-06-01", tz="UTC")
        cap.fetch_intervals(client, "2025-01-01", "2025-02-01", tz="UTC")
    assert len(server.requests) > 50
    assert server.connections == server.most_in_flight == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"api_key": None}, "POLYAI_API_KEY"),
        ({"api_key": "  "}, "POLYAI_API_KEY"),
        ({"region": "mars-1"}, "us-1, uk-1, euw-1"),
        ({"base_url": "http://api.example.com"}, "https"),
        ({"base_url": "http://127.0.0.1.example.com"}, "https"),
        ({"base_url": "ftp://127.0.0.1"}, "http"),
        ({"base_url": "https://user:pw@example.com"}, "user"),
        ({"base_url": "https://example.com?x=1"}, "query"),
        ({"base_url": "https://example.com:99999"}, "URL"),
        ({"base_url": ""}, "URL"),
        ({"account_id": " "}, "account_id"),
        ({"project_id": ".."}, "project_id"),
        ({"project_id": "\ud800"}, "project_id"),
        ({"max_workers": 0}, "max_workers"),
        ({"max_workers": True}, "max_workers"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
    ],
)
def test_a_client_that_cannot_work_says_why(monkeypatch, arguments, says):
    """A wrong client was made, and failed at the first request or sent its key in the clear."""
    monkeypatch.delenv("POLYAI_API_KEY", raising=False)
    given = {"account_id": "A", "project_id": "P", "api_key": KEY, **arguments}
    with pytest.raises(cap.errors.ConfigError, match=says):
        Client(given.pop("account_id"), given.pop("project_id"), **given)


def test_plain_http_is_for_loopback_in_all_its_forms():
    """A test server on ::1 or localhost was refused."""
    for url in ("http://localhost:1", "http://127.8.9.1", "http://[::1]:8000"):
        assert Client("A", "P", api_key="k", base_url=url).base_url == url


def test_the_key_comes_from_the_environment(monkeypatch, server):
    """POLYAI_API_KEY was not read."""
    monkeypatch.setenv("POLYAI_API_KEY", "from-the-environment")
    with Client("A", "P", base_url=server.url) as client:
        fetch(client)
    assert server.requests[0].headers["x-api-key"] == "from-the-environment"


def test_a_loopback_server_is_reached_past_a_proxy(monkeypatch, server):
    """A proxy of the environment was asked for this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with Client("A", "P", api_key=KEY, base_url=server.url) as client:
        assert len(fetch(client)) == 3


# What nobody may see


def everything_said(exc: BaseException | None) -> str:
    """Return all that an exception and its causes could show to a log or a debugger."""
    said = []
    while exc is not None:
        said += [str(exc), repr(exc), repr(vars(exc))]
        request = getattr(exc, "_request", None)
        if request is not None:
            said.append(repr(request.headers))
        exc = exc.__cause__ or exc.__context__
    return "\n".join(said)


def test_no_key_and_no_phone_number_in_any_log_repr_or_error(server, client, caplog, tmp_path):
    """The key, or a phone number in full, reached a log line, a repr, an exception or a file of the store."""
    caplog.set_level(1)
    replies = {
        1: Reply(fault="reset"),
        2: error(503, f"bad {NUMBER} or %2B447856838428 with {KEY}"),
        3: Reply(200, b"{", {"x": "y"}),
    }
    server.script = lambda request, n: replies.get(n)
    fetch(client, phone_number=NUMBER, store=tmp_path)
    server.script = lambda request, n: error(400, f"phone_number={NUMBER} is no number, {KEY}")
    with pytest.raises(cap.errors.BadRequest) as caught:
        fetch(client, phone_number=NUMBER, store=tmp_path, refetch=True)
    server.script = lambda request, n: Reply(fault="reset")
    with pytest.raises(cap.errors.IncompleteError) as incomplete:
        fetch(client, phone_numbers=[NUMBER], store=tmp_path, refetch=True)
    logged = [caplog.text, *(repr(vars(record)) for record in caplog.records)]
    assert "phone_number=***28" in caplog.text
    assert any(record.name == "httpx" for record in caplog.records)
    names = "\n".join(str(path) for path in tmp_path.rglob("*"))
    files = "".join(path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file())
    shown = [*logged, repr(client), str(client), names, everything_said(caught.value)]
    shown += [everything_said(failure) for failure in (incomplete.value, *incomplete.value.failures)]
    shown += [repr(client._key), repr(vars(client)), files]
    for text in shown:
        assert KEY not in text
        assert NUMBER not in text
        assert NUMBER[1:] not in text


def test_a_key_that_no_header_can_carry_is_not_shown(server):
    """The error about a broken key had the key in it."""
    with pytest.raises(cap.errors.ConfigError) as caught:
        Client("A", "P", api_key="sk-\n-secret", base_url=server.url)
    assert "secret" not in everything_said(caught.value)


def test_a_client_is_not_pickled():
    """A key travelled in a pickle."""
    with pytest.raises(TypeError, match="key"):
        pickle.dumps(Client("A", "P", api_key=KEY))


def test_redirects_are_not_followed(server, client):
    """The key travelled to another host."""
    with FaultyServer(TRUTH) as other:
        server.script = lambda request, n: Reply(302, b"", {"location": f"{other.url}/v1?phone_number=%2B447856838428"})
        with pytest.raises(cap.errors.FetchError, match=r"redirect to 127\.0\.0\.1") as caught:
            fetch(client)
        assert other.requests == []
    assert caught.value.status == 302
    assert len(server.requests) == 1


# What comes back


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, cap.errors.BadRequest),
        (401, cap.errors.Unauthorized),
        (403, cap.errors.Unauthorized),
        (404, cap.errors.NotFound),
        (501, cap.errors.NotSupported),
    ],
)
def test_a_hopeless_status_stops_at_once_and_is_raised_as_itself(server, client, status, kind):
    """A wrong key was tried window after window, or was hidden in an IncompleteError."""
    server.script = lambda request, n: error(status, "the reason")
    for errors in ("raise", "partial"):
        with pytest.raises(kind, match="the reason") as caught:
            fetch(client, errors=errors)
        assert (caught.value.status, caught.value.error_message, caught.value.attempts) == (status, "the reason", 1)
        assert str(caught.value.window) == "[2026-01-12T00:00Z, 2026-01-12T00:15Z)"
    assert len(server.requests) == 2


def test_slicing_by_language_says_the_way_out(server, client):
    """501 for slice_by=language did not say that languages=[...] does it."""
    server.script = lambda request, n: error(501, "not implemented")
    with pytest.raises(cap.errors.NotSupported, match=r"languages=\[...\]"):
        fetch(client, slice_by="language")


@pytest.mark.parametrize(
    ("reply", "kind", "status", "tries"),
    [
        (error(429), cap.errors.RateLimited, 429, 5),
        (error(500), cap.errors.ServerError, 500, 5),
        (error(502), cap.errors.ServerError, 502, 5),
        (error(503), cap.errors.ServerError, 503, 5),
        (error(504), cap.errors.ServerError, 504, 5),
        (error(505), cap.errors.ServerError, 505, 1),
        (error(418), cap.errors.FetchError, 418, 1),
        (Reply(204, b""), cap.errors.FetchError, 204, 1),
        (Reply(500, b"<html>Bad</html>"), cap.errors.ServerError, 500, 5),
        (Reply(500, b'{"error_message": 7}'), cap.errors.ServerError, 500, 5),
        (Reply(500, b'{"error_message": "cut'), cap.errors.ServerError, 500, 5),
        (Reply(fault="reset"), cap.errors.TransportFailure, None, 5),
        (Reply(body=b'{"intervals": []}', fault="cut"), cap.errors.TransportFailure, None, 5),
        (Reply(body=b'{"intervals": []}', fault="cut chunk"), cap.errors.TransportFailure, None, 5),
        (Reply(body=b'{"intervals": ['), cap.errors.TransportFailure, 200, 5),
        (Reply(body=b""), cap.errors.TransportFailure, 200, 5),
        (Reply(body=b"<html>hello</html>"), cap.errors.PayloadError, 200, 5),
        (Reply(body=b"\xff\xfe\x00"), cap.errors.PayloadError, 200, 5),
        (Reply(body=b"this is no gzip", headers={"content-encoding": "gzip"}), cap.errors.TransportFailure, None, 5),
        (Reply(body=b"[]"), cap.errors.PayloadError, 200, 1),
        (Reply(body=b'{"intervals": [{"time": 5}]}'), cap.errors.PayloadError, 200, 1),
    ],
    ids=str,
)
def test_each_failure_ends_in_its_error_after_the_right_number_of_tries(server, client, reply, kind, status, tries):
    """A failure was tried too often or not often enough, or ended in the wrong error."""
    server.script = lambda request, n: reply
    with pytest.raises(cap.errors.IncompleteError) as caught:
        fetch(client)
    (failure,) = caught.value.failures
    assert isinstance(failure, kind)
    assert (failure.status, failure.attempts, len(server.requests)) == (status, tries, tries)
    assert str(failure.window) == "[2026-01-12T00:00Z, 2026-01-12T00:15Z)"
    assert str(failure.window) in str(caught.value)
    assert len(caught.value.frame) == 0
    again = pickle.loads(pickle.dumps(failure))
    assert (str(again), type(again)) == (str(failure), type(failure))


def test_partial_returns_the_rest_and_coverage_tells(server, client):
    """errors="partial" lost the windows that were answered, or hid the one that was not."""
    late = FIRST + 2016
    server.truth = Truth({**TRUTH.values, (late, "a"): 1, (late, "*"): 1})
    server.script = lambda request, n: error(500) if request.query["start_time"].startswith("2026-01-12") else None
    arguments = ("2026-01-12T00:00Z", "2026-01-19T00:05Z")
    frame = cap.fetch_intervals(client, *arguments, errors="partial")
    assert cap.coverage(frame, *arguments).gaps["intervals"].tolist() == [2016, 2016]  # of TOTAL and of "a"
    with pytest.raises(cap.errors.IncompleteError, match="2 of 4 windows") as caught:
        cap.fetch_intervals(client, *arguments)
    pd.testing.assert_frame_equal(caught.value.frame, frame)


def test_a_hanging_server_is_a_timeout(server):
    """A server that accepts and never answers kept the caller for ever."""
    server.script = lambda request, n: Reply(fault="hang")
    with Client("A", "P", api_key=KEY, base_url=server.url, timeout=0.05) as client:
        client._patience = hasty(attempts=2)
        with pytest.raises(cap.errors.IncompleteError, match="ReadTimeout") as caught:
            fetch(client)
    assert caught.value.failures[0].attempts == 2


def test_a_trickling_server_ends_with_the_budget(server):
    """A server that sends a byte now and then, so that no read times out, kept the caller for ever."""
    server.script = lambda request, n: Reply(fault="hang")
    with Client("A", "P", api_key=KEY, base_url=server.url, timeout=30) as client:
        client._patience = hasty(budget=0.1)
        with pytest.raises(cap.errors.IncompleteError, match=r"no answer within 0\.1 s in all") as caught:
            fetch(client)
    assert isinstance(caught.value.failures[0], cap.errors.TransportFailure)


def test_nobody_there():
    """A refused connection ended in anything but TransportFailure."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Client("A", "P", api_key=KEY, base_url=f"http://127.0.0.1:{port}") as client:
        client._patience = hasty(attempts=2)
        with pytest.raises(cap.errors.IncompleteError, match="ConnectError") as caught:
            fetch(client)
    assert isinstance(caught.value.failures[0], cap.errors.TransportFailure)


def test_tls_that_is_none():
    """A TLS error ended in anything but TransportFailure."""

    def speak_plainly(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 400 this is plain http\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=speak_plainly, args=(listener,), daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with Client("A", "P", api_key=KEY, base_url=url) as client:
            client._patience = hasty(attempts=2)
            with pytest.raises(cap.errors.IncompleteError, match="SSL") as caught:
                fetch(client)
        thread.join(5)
    assert isinstance(caught.value.failures[0], cap.errors.TransportFailure)


# Living with it


def test_a_transport_of_ones_own_is_used():
    """Tests that inject a transport reached for the network."""
    answer = {"account_id": "A", "project_id": "P", "intervals": []}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=json.dumps(answer)))
    with Client("A", "P", api_key=KEY, transport=transport) as client:
        assert len(fetch(client)) == 0


def test_a_client_works_again_after_it_was_closed(server, client):
    """close() left a client that hangs."""
    assert len(fetch(client)) == 3
    client.close()
    client.close()
    assert len(fetch(client)) == 3


def test_no_thread_and_no_socket_is_left_behind(server):
    """A client that was closed, or only forgotten, left its thread or its connections."""
    for forget in (False, True):
        client = Client("A", "P", api_key=KEY, base_url=server.url)
        fetch(client)
        if not forget:
            client.close()
        del client
        gc.collect()
        for thread in [t for t in threading.enumerate() if t.name == "capacity-fetch"]:
            thread.join(timeout=30)  # it ends by itself; a busy machine may let it wait
            assert not thread.is_alive()


def test_it_works_inside_a_running_event_loop(server, client):
    """In Jupyter, where a loop is running already, a fetch failed."""
    import asyncio

    async def cell():
        return fetch(client)

    assert len(asyncio.run(cell())) == 3


def test_stamina_is_not_heard_twice(server, client, caplog):
    """Each retry printed a warning to stderr, through stamina's own logger."""
    server.script = lambda request, n: error(500) if n == 1 else None
    with caplog.at_level(logging.DEBUG):
        fetch(client)
    assert [r for r in caplog.records if r.name == "stamina"] == []
    assert any("500" in r.message and "asking again" in r.message for r in caplog.records)
