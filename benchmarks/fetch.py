"""Three years of weeks from a server that takes 200 ms to answer, with 4 requests at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time

import pandas as pd

import capacity as cap
from benchmarks._data import answer, weeks
from benchmarks.table import Row

WINDOWS, LATENCY_S, WORKERS = 157, 0.2, 4


class _Slow:
    """A server that answers every window after 200 ms, in a process of its own: it is not what is measured."""

    def __init__(self, variants: int) -> None:
        self._bodies = {w.start: answer(w, variants) for w in weeks(WINDOWS)}
        self._requests = self._connections = 0

    async def serve(self) -> None:
        """Serve until stdin ends; print the URL first, and what was counted last."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.close()
        print(self._requests, self._connections, flush=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self._requests += 1
                start = head.split(b"start_time=")[1].split(b"&")[0].decode().replace("%3A", ":")
                body = self._bodies[pd.Timestamp(start)]
                await asyncio.sleep(LATENCY_S)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def run() -> list[Row]:
    """Time whole fetches into a store; the floor is windows x latency / workers."""
    return [_timed(0), _timed(10)]


def _timed(variants: int) -> Row:
    windows = weeks(WINDOWS)
    floor = WINDOWS * LATENCY_S / WORKERS
    command = [sys.executable, "-m", "benchmarks.fetch", str(variants)]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryDirectory() as store,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server,
    ):
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        with cap.Client("ACCOUNT-1", "PROJECT-1", api_key="k", base_url=url, max_workers=WORKERS) as client:
            began = time.perf_counter()
            what = {"total": False} if variants else {"slice_by": None}
            frame = cap.fetch_intervals(client, windows[0].start, windows[-1].end, store=store, **what)
            taken = time.perf_counter() - began
        counted, _ = server.communicate()
    requests, connections = map(int, counted.split())
    assert len(frame) == WINDOWS * 2016 * max(variants, 1)
    assert requests == WINDOWS
    note = f"{floor / taken:.0%} of the ideal; {connections} connections for {requests} requests"
    size = f"{variants} variants (2.4 MB an answer)" if variants else "the total (0.1 MB an answer)"
    case = f"fetch: {WINDOWS} windows of {size}, {LATENCY_S * 1000:.0f} ms latency, {WORKERS} workers"
    return Row(case, taken, floor_s=floor, floor="latency alone", note=note)


if __name__ == "__main__":
    asyncio.run(_Slow(int(sys.argv[1])).serve())
