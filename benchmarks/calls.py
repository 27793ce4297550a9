"""A million conversations, page by page, from a server that takes 200 ms to answer, with 4 requests at once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time

import pandas as pd

import capacity as cap
from benchmarks.table import Row, median_time
from capacity.fetch.conversations import parse_page
from capacity.fetch.windows import Window

DAYS, PAGES, LIMIT = 40, 25, 1000
LATENCY_S, WORKERS = 0.2, 4
FIRST = pd.Timestamp("2026-01-05", tz="UTC")
_SAID = "I would like to book a table for two, please, on Friday at eight. "


def page(turns: int) -> bytes:
    """Return a page of conversations with a transcript of some turns; day and place stand as @@@@-@@-@@ and ####."""
    rows = [
        {
            "id": f"conversation-@@@@-@@-@@-####-{k:04d}",
            "started_at": f"@@@@-@@-@@T{k % 24:02d}:{k % 60:02d}:{k % 59:02d}.{k % 1000:03d}Z",
            "channel": "voice",
            "in_progress": False,
            "variant_id": f"V-{k % 4}",
            "variant_name": f"Variant {k % 4}",
            "from_number": f"+447700{k:06d}",
            "to_number": "+442079460000",
            "total_duration": 180,
            "polyai_duration": 150,
            "handoff": True,
            "turns": [{"user_input": _SAID, "agent_response": _SAID * 2} for _ in range(turns)],
        }
        for k in range(LIMIT)
    ]
    return json.dumps({"conversations": rows, "cursor": "~~~~"}).encode()


class _Slow:
    """A server in a process of its own: it is not what is measured."""

    def __init__(self, turns: int) -> None:
        self._page, self._requests = page(turns), 0

    async def serve(self) -> None:
        """Serve until stdin ends; print the URL first, and the number of requests last."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.close()
        print(self._requests, flush=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self._requests += 1
                begun = asyncio.get_running_loop().time()
                day = head.split(b"start_time=")[1][:10]
                day = max(day, f"{FIRST:%Y-%m-%d}".encode())  # the first day's question reaches back
                place = int(head.split(b"cursor=")[1][:4]) if b"cursor=" in head else 0
                following = b"%04d" % (place + 1) if place + 1 < PAGES else b""
                body = self._page.replace(b"@@@@-@@-@@", day).replace(b"####", b"%04d" % place)
                body = body.replace(b"~~~~", following)
                await asyncio.sleep(LATENCY_S - (asyncio.get_running_loop().time() - begun))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def run() -> list[Row]:
    """Time a whole fetch into a store and again from it, and the decoding of pages that are mostly transcript."""
    return [*_fetched(), *(_decoded(turns) for turns in (2, 10))]


def _fetched() -> list[Row]:
    floor = DAYS * PAGES * LATENCY_S / WORKERS
    command = [sys.executable, "-m", "benchmarks.calls", "1"]
    pipe = subprocess.PIPE
    span = (FIRST, FIRST + pd.Timedelta(days=DAYS))
    with (
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server,
        tempfile.TemporaryDirectory() as store,
    ):
        assert server.stdin is not None and server.stdout is not None
        url = server.stdout.readline().strip()
        with cap.Client("A", "P", api_key="k", base_url=url, max_workers=WORKERS) as client:
            start = time.perf_counter()
            calls = cap.fetch_calls(client, *span, store=store)
            took = time.perf_counter() - start
            start = time.perf_counter()
            cap.fetch_calls(client, *span, store=store)
            again = time.perf_counter() - start
        server.stdin.close()
        requests = int(server.stdout.readline())
        server.wait()
    assert len(calls) == DAYS * PAGES * LIMIT and requests == DAYS * PAGES, (len(calls), requests)
    case = f"{len(calls):,} conversations, {requests:,} pages of {LIMIT:,}"
    return [
        Row(
            f"fetch {case}", took, floor_s=floor, floor="pages x latency / workers", note=f"{took / floor:.2f} x floor"
        ),
        Row(f"the same again, from the store, {case}", again, note="0 requests"),
    ]


def _decoded(turns: int) -> Row:
    body = page(turns).replace(b"@@@@-@@-@@", b"2026-01-05")
    window, now = Window(FIRST, FIRST + pd.Timedelta(days=1)), FIRST.to_pydatetime()
    took = median_time(lambda: parse_page(body, window, asked_at=now, env="live"))
    speed = f"{len(body) / 1e6 / took:,.0f} MB/s"
    return Row(f"decode a page of {LIMIT:,}, {len(body) / 1e6:.1f} MB, {turns} turns each", took, note=speed)


if __name__ == "__main__":
    asyncio.run(_Slow(int(sys.argv[1])).serve())
