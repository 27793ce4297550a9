"""Both APIs on your own machine, maxima and conversations, served from call records: for the demo and for tests."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import os
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import msgspec
import pandas as pd
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from capacity.calls.answers import Answers, Refusal
from capacity.calls.listener import bind, url_of
from capacity.calls.listener import warn as _warn
from capacity.calls.listing import Listing
from capacity.calls.listing_query import parse_calls_path, parse_listing
from capacity.calls.query import parse_path, parse_query
from capacity.calls.switches import Switches, taking
from capacity.errors import ConfigError

KEY_VARIABLE = "CAPACITY_EMULATOR_KEY"
CALLS_KEY_VARIABLE = "CAPACITY_EMULATOR_V3_KEY"  # of conversations; the same key where it is not set

_PART = 1 << 18  # [bytes]
_log = logging.getLogger("capacity.emulator")


@dataclass
class Server:
    """A running emulator.

    Attributes
    ----------
    url : str
        The base URL, without a slash at its end.
    requests : list of str
        The raw query string of each request that was answered, with whatever status.
    statuses : list of int
        Their statuses.
    """

    url: str
    requests: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


class Emulator:
    """The ASGI application.

    Parameters
    ----------
    calls : DataFrame
        As `capacity.intervals_from_calls` takes them.
    account, project : str
        The ids that exist.
    keys : tuple of str
        The API keys that are let in, to the maxima and to the conversations.
    switches : Switches
    server : Server, optional
        Where answered requests are written down.
    """

    def __init__(
        self,
        calls: pd.DataFrame,
        *,
        account: str,
        project: str,
        keys: tuple[str, str],
        switches: Switches | None = None,
        server: Server | None = None,
    ) -> None:
        self._switches = switches or Switches()
        counted = taking(calls, self._switches)
        self._answers = Answers(counted, account=account, project=project, zeros=self._switches.zeros)
        self._listing = Listing(calls, account=account, project=project)
        self._ids = (account, project)
        self._keys = [key.encode() for key in keys]
        self._server = server or Server(url="")
        self._seen: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: one door for all paths and methods, for a router would decode %2F before it matches."""
        query = scope["query_string"].decode("latin-1")
        try:
            response = await self._answer(Request(scope, receive), query)
        except Refusal as refusal:
            response = _error(refusal.status, refusal.message)
        except Exception:
            _log.exception("the emulator failed to answer")
            response = _error(500, "the emulator failed to answer; its log says why")
        self._server.requests.append(query)
        self._server.statuses.append(response.status_code)
        await response(scope, receive, send)

    async def _answer(self, request: Request, query: str) -> Response:
        raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
        path = raw_path.partition(b"?")[0]
        listing = path.startswith(b"/v3/")
        ids = (parse_calls_path if listing else parse_path)(path)
        if request.method != "GET":
            return _error(405, f"{request.method} is not allowed; GET is", Allow="GET")
        self._let_in(request, listing=listing)
        if ids != self._ids:
            raise Refusal(404, "no such account or project")
        if self._switches.latency:
            await asyncio.sleep(self._switches.latency)
        luck = self._luck(query)
        if luck < self._switches.too_many:
            return _error(429, "too many requests", **{"Retry-After": str(self._switches.retry_after)})
        luck -= self._switches.too_many
        if 0 <= luck < self._switches.failures:
            return _error(self._switches.failure_status, "failing on purpose")
        luck -= self._switches.failures
        raw = query.encode("latin-1")
        body = await run_in_threadpool(
            lambda: self._listing.body(parse_listing(raw)) if listing else self._counted(raw)
        )
        if 0 <= luck < self._switches.cut:
            body = body[: len(body) // 2]
        return _Body(body, media_type="application/json")

    def _counted(self, query: bytes) -> bytes:
        ask = parse_query(query)
        if self._switches.inclusive_end:
            ask = replace(ask, last=ask.last + 1)
        return self._answers.body(ask)

    def _let_in(self, request: Request, *, listing: bool) -> None:
        given = request.headers.get("x-api-key")
        if given is None:
            raise Refusal(401, "no API key; send it in the header x-api-key")
        own, other = (hmac.compare_digest(given.encode("latin-1"), self._keys[k]) for k in (listing, not listing))
        if not own and other:
            raise Refusal(401, "this API key is for the other API")
        if not own:
            raise Refusal(403, "this API key is not let in")

    def _luck(self, query: str) -> float:
        """Return a number in [0, 1) of the seed, the query and how often it came before."""
        attempt = self._seen[query]
        self._seen[query] += 1
        text = f"{self._switches.seed}|{attempt}|{query}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big") / 2**56


class _Body(Response):
    """A response that is handed over in parts: one of many megabytes would be copied with every packet."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        parts = [self.body[k : k + _PART] for k in range(0, len(self.body), _PART)] or [b""]
        for k, part in enumerate(parts, start=1):
            await send({"type": "http.response.body", "body": part, "more_body": k < len(parts)})


@contextlib.contextmanager
def serve(
    calls: pd.DataFrame,
    *,
    account: str,
    project: str,
    key: str | None = None,
    calls_key: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    switches: Switches | None = None,
) -> Iterator[Server]:
    """Serve the endpoint from a thread of this process while the context lasts.

    Parameters
    ----------
    calls : DataFrame
        As `capacity.intervals_from_calls` takes them; those without ``env`` are live.
    account, project : str
        The ids that exist; they may hold any character.
    key : str, optional
        The API key that is let in; by default the environment's ``CAPACITY_EMULATOR_KEY``.
    calls_key : str, optional
        The key of conversations, where it is another; by default the environment's ``CAPACITY_EMULATOR_V3_KEY``.
    host, port : str, int
        Port 0 takes a free one.
    switches : Switches, optional
        How to misbehave.

    Yields
    ------
    Server
        Its ``url`` is the base URL, its ``requests`` are the raw queries that were answered.

    Raises
    ------
    ConfigError
        No key, or the port is taken.

    Examples
    --------
    >>> from capacity.calls.simulate import simulate_calls
    >>> calls = simulate_calls("2026-03-02", days=1, seed=1)
    >>> with serve(calls, account="ACCOUNT-1", project="PROJECT-1", key="secret") as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """
    with contextlib.closing(bind(host, port)) as listener:
        server = Server(url=url_of(listener))
        app = Emulator(
            calls, account=account, project=project, keys=_keys(key, calls_key), switches=switches, server=server
        )
        _warn(host, sys.stderr.write)
        worker = _Worker(_config(app))
        thread = threading.Thread(target=worker.run, args=([listener],), name="capacity-emulator", daemon=True)
        thread.start()
        try:
            if not worker.ready.wait(timeout=30):
                raise ConfigError(f"the emulator did not start on {server.url}")
            yield server
        finally:
            worker.should_exit = True
            thread.join(timeout=30)


def run(
    calls: pd.DataFrame,
    *,
    account: str,
    project: str,
    key: str | None = None,
    calls_key: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    switches: Switches | None = None,
    say: Callable[[str], object] = sys.stderr.write,
) -> None:
    """Serve the endpoint until interrupted; the arguments are those of `serve`."""
    with contextlib.closing(bind(host, port)) as listener:
        app = Emulator(calls, account=account, project=project, keys=_keys(key, calls_key), switches=switches)
        _warn(host, say)
        say(f"Serving {len(calls):,} calls on {url_of(listener)} (Ctrl-C ends it)\n")
        uvicorn.Server(_config(app)).run([listener])


class _Worker(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _config(app: Emulator) -> uvicorn.Config:
    # No access log: queries hold phone numbers.
    return uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5)


def _keys(key: str | None, calls_key: str | None) -> tuple[str, str]:
    found = key or os.environ.get(KEY_VARIABLE)
    if not found:
        raise ConfigError(f"the emulator needs a key to ask for; set {KEY_VARIABLE}, or give key=")
    return found, calls_key or os.environ.get(CALLS_KEY_VARIABLE) or found


def _error(status: int, message: str, **headers: str) -> Response:
    return Response(
        msgspec.json.encode({"error_message": message}), status, media_type="application/json", headers=headers
    )
