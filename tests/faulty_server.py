"""A Concurrent Calls endpoint over real loopback HTTP that keeps the contract and does everything else wrong.

It speaks HTTP by hand, so that it can cut bodies, hang and reset connections. What it answers comes from a
`Truth`; how it answers (order, zeros, forms of time, faults) from a `Manners`.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from capacity.fetch.patience import Patience

STEP_S = 300
FAULTS = ("500", "502", "503", "504", "429", "cut", "cut chunk", "garbage", "half", "empty", "reset", "html 500")


@dataclass(frozen=True)
class Truth:
    """What really happened: (5-minute step since 1970, series) -> maximum; "*" is the total."""

    values: dict[tuple[int, str], int]

    @classmethod
    def drawn(cls, seed: int, first: int, last: int, series: int = 2, zeros: float = 0.4) -> Truth:
        """Draw a truth for the steps [first, last); the total is never 0, so that no answer is empty."""
        rng = random.Random(seed)
        values = {}
        for step in range(first, last):
            own = [0 if rng.random() < zeros else rng.randint(1, 9) for _ in range(series)]
            if not any(own):
                own[rng.randrange(series)] = 1
            values |= {(step, f"v{k}"): value for k, value in enumerate(own)}
            values[step, "*"] = rng.randint(max(own), max(sum(own), 1))
        return cls(values)


@dataclass
class Manners:
    """How the server answers, within the contract, and how often it fails."""

    sends_zeros: bool = False
    end_inclusive: bool = False
    shuffled: bool = False
    duplicates: bool = False
    extra_fields: bool = False
    times: tuple[str, ...] = ("millis",)
    faults: tuple[str, ...] = ()
    fault_rate: float = 0.0

    @classmethod
    def drawn(cls, rng: random.Random) -> Manners:
        """Draw the manners of one run."""
        return cls(
            sends_zeros=rng.random() < 0.5,
            end_inclusive=rng.random() < 0.5,
            shuffled=rng.random() < 0.5,
            duplicates=rng.random() < 0.3,
            extra_fields=rng.random() < 0.3,
            times=rng.choice([("millis",), ("seconds",), ("offset",), ("millis", "seconds", "offset", "basic")]),
            faults=FAULTS,
            fault_rate=rng.choice([0.0, 0.1, 0.3, 0.6]),
        )


@dataclass
class Request:
    """One request as it came in."""

    target: str
    headers: dict[str, str]

    @property
    def raw_query(self) -> str:
        """The query string, as its bytes came."""
        return urlsplit(self.target).query

    @property
    def query(self) -> dict[str, str]:
        """The parameters."""
        return {name: values[0] for name, values in parse_qs(self.raw_query).items()}


@dataclass
class Reply:
    """A response to send; `fault` breaks it on the way out."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    delay: float = 0.0


def error(status: int, message: str = "on purpose", **headers: str) -> Reply:
    """Return an error of the API."""
    body = json.dumps({"error_message": message}).encode()
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class FaultyServer:
    """Serve a truth on loopback; a context manager.

    Attributes
    ----------
    requests : list of Request
        Every request that was read.
    answered : list of str
        The raw query of every request that got a whole, valid 200.
    connections : int
    script : callable or None
        ``script(request, n)`` for the n-th request, before anything else; None from it means: go on as usual.
    """

    def __init__(self, truth: Truth | None = None, manners: Manners | None = None, *, seed: int = 0) -> None:
        self.truth = truth or Truth({})
        self.manners = manners or Manners()
        self.latency = 0.0
        self.script: Callable[[Request, int], Reply | None] | None = None
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Begin to count anew."""
        self.rng = random.Random(seed)
        self.requests: list[Request] = []
        self.answered: list[str] = []
        self.connections = 0
        self.in_flight = self.most_in_flight = 0

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> FaultyServer:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop, self._open = asyncio.get_running_loop(), asyncio.Event(), set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._open.add(task)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        request = Request(head[0].split(" ")[1], headers)
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            reply = (self.script(request, len(self.requests)) if self.script else None) or self._usual(request)
            await asyncio.sleep(self.latency + reply.delay)
            return await self._send(reply, request, writer)
        finally:
            self.in_flight -= 1

    def _usual(self, request: Request) -> Reply:
        if self.rng.random() < self.manners.fault_rate:
            fault = self.rng.choice(self.manners.faults)
            if fault.isdigit():
                return error(int(fault), retry_after="0") if fault == "429" else error(int(fault))
            if fault == "html 500":
                return Reply(500, b"<html><body>Bad day</body></html>", {"content-type": "text/html"})
            return Reply(200, self.body(request), fault=fault)
        return Reply(200, self.body(request))

    def body(self, request: Request) -> bytes:
        """Return the right answer, in the manner that was set."""
        query, manners, rng = request.query, self.manners, self.rng
        first, last = (int(pd.Timestamp(query[k]).timestamp()) // STEP_S for k in ("start_time", "end_time"))
        assert 0 < last - first <= 2016, "a window is longer than a week"
        sliced = query.get("slice_by")
        rows = []
        for (step, series), value in self.truth.values.items():
            if not first <= step < last + manners.end_inclusive or (series == "*") == bool(sliced):
                continue
            if value == 0 and not manners.sends_zeros:
                continue
            row = {"time": _iso(step, rng.choice(manners.times)), "max_concurrent_conversations": value}
            if sliced:
                row |= {"variant_id": series, "variant_name": f"name of {series}"}
            if manners.extra_fields:
                row |= {"language": "en-GB", "zone": {"a": [1]}}
            rows.append(row)
            if manners.duplicates and rng.random() < 0.2:
                rows.append({**row, "max_concurrent_conversations": rng.randint(0, value)})
        if manners.shuffled:
            rng.shuffle(rows)
        account, project = (unquote(part) for part in urlsplit(request.target).path.split("/")[2:4])
        return json.dumps({"account_id": account, "project_id": project, "intervals": rows}).encode()

    async def _send(self, reply: Reply, request: Request, writer: asyncio.StreamWriter) -> bool:
        if reply.fault == "hang":
            await asyncio.sleep(3600)
        if reply.fault == "reset":
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        body = {
            "garbage": b"<html>welcome to the wifi</html>",
            "half": reply.body[: len(reply.body) // 2],
            "empty": b"",
        }.get(reply.fault, reply.body)
        headers = {"content-type": "application/json", **reply.headers}
        chunked = reply.fault == "cut chunk"
        headers["transfer-encoding" if chunked else "content-length"] = "chunked" if chunked else str(len(body))
        head = f"HTTP/1.1 {reply.status} x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        writer.write(head.encode("latin-1"))
        if reply.fault in ("cut", "cut chunk"):
            writer.write(b"%x\r\n" % len(body) + body[:-7] if chunked else body[:-7])
            await writer.drain()
            return False
        writer.write(body)
        if reply.status == 200 and not reply.fault:
            self.answered.append(request.raw_query)
        await writer.drain()
        return True


def _iso(step: int, form: str) -> str:
    time = pd.Timestamp(step * STEP_S, unit="s", tz="UTC")
    if form == "offset":
        return time.tz_convert("Asia/Kolkata").isoformat()
    return time.strftime(
        {"millis": "%Y-%m-%dT%H:%M:%S.000Z", "seconds": "%Y-%m-%dT%H:%M:%SZ", "basic": "%Y%m%dT%H%M%SZ"}[form]
    )


def hasty(**changes) -> Patience:
    """Return a patience that never sleeps."""
    return Patience(**{"attempts": 5, "first_wait": 0.0, "longest_wait": 0.0, "jitter": 0.0, **changes})
