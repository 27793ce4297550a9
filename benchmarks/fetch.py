"""Three years of windows from a server that takes 200 ms to answer, with 4 requests at once."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from types import TracebackType

import pandas as pd

import capacity as cap
from benchmarks._data import answer, weeks
from benchmarks.table import Row

WINDOWS, LATENCY_S, WORKERS, VARIANTS = 157, 0.2, 4, 10


class _Slow:
    """A server in a thread that answers every window of 10 variants after 200 ms."""

    def __init__(self, windows: int) -> None:
        self._bodies = {w.start: answer(w, VARIANTS) for w in weeks(windows)}
        self.requests = self.connections = 0

    def __enter__(self) -> _Slow:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await self._stop.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                start = head.split(b"start_time=")[1].split(b"&")[0].decode().replace("%3A", ":")
                body = self._bodies[pd.Timestamp(start)]
                await asyncio.sleep(LATENCY_S)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def run() -> list[Row]:
    """Time one whole fetch into a store; the floor is windows x latency / workers."""
    windows = weeks(WINDOWS)
    floor = WINDOWS * LATENCY_S / WORKERS
    with _Slow(WINDOWS) as server, tempfile.TemporaryDirectory() as store:
        with cap.Client("ACCOUNT-1", "PROJECT-1", api_key="k", base_url=server.url, max_workers=WORKERS) as client:
            began = time.perf_counter()
            frame = cap.fetch_intervals(client, windows[0].start, windows[-1].end, total=False, store=store)
            taken = time.perf_counter() - began
        assert len(frame) == WINDOWS * 2016 * VARIANTS
        assert server.requests == WINDOWS
        note = f"{floor / taken:.0%} of the ideal; {server.connections} connections for {server.requests} requests"
    case = f"fetch: {WINDOWS} windows x {VARIANTS} variants, {LATENCY_S * 1000:.0f} ms latency, {WORKERS} workers"
    return [Row(case, taken, floor_s=floor, floor="latency alone", note=note)]
