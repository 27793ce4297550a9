"""An event loop in a thread of its own (anyio's portal), so that a blocking call works anywhere, in Jupyter as well.

A thread pool would wait for a hanging read when the interpreter exits; tasks in a loop can be cancelled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import anyio
from anyio.from_thread import start_blocking_portal

THREAD_NAME = "capacity-fetch"

T = TypeVar("T")

_TICK_S = 0.1  # how often the waiting thread looks up: for progress, and for Ctrl-C on every platform
_HELPERS = 2
_GRACE_S = 0.8  # how long an interrupted caller waits for its tasks to let go


async def to_its_end(work: Callable[[], T]) -> T:
    """Run `work` in a thread; a cancellation waits until it is done, so that what was answered is kept."""
    with anyio.CancelScope(shield=True):
        # Not anyio's own threads: those are no daemons, and keep a process from ending whose client was not closed.
        return await asyncio.to_thread(work)
    raise AssertionError("a shielded scope is never cancelled")


class PrivateLoop:
    """An event loop that runs in a daemon thread until it is closed."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._running = start_blocking_portal(name=THREAD_NAME)
        self._portal = self._running.__enter__()
        self._portal.call(_few_helpers)
        self._under_way: set[concurrent.futures.Future[Any]] = set()

    def run(self, work: Coroutine[Any, Any, T], tick: Callable[[], None] | None = None) -> T:
        """Run `work` in the loop and wait for it; `tick` is called now and then in the calling thread.

        Whatever interrupts the wait (Ctrl-C, an error in `tick`) cancels the work and goes on to the caller
        within a second, whether or not the work has let go by then.
        """
        over = threading.Event()

        async def watched() -> T:
            try:
                return await work
            finally:
                over.set()

        future = self._portal.start_task_soon(watched)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        try:
            while not concurrent.futures.wait([future], timeout=_TICK_S).done:
                if tick is not None:
                    tick()
        except BaseException:
            future.cancel()
            over.wait(_GRACE_S)
            raise
        try:
            return future.result()
        except concurrent.futures.CancelledError as exc:
            raise RuntimeError("the client was closed while it was fetching") from exc

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """Cancel what is under way, run `last` (closing what lives in the loop), then end the loop and its thread."""
        if os.getpid() != self._pid:  # a fork has no such thread
            return

        def finish() -> None:
            for future in list(self._under_way):
                future.cancel()
            self._portal.call(last)
            self._running.__exit__(None, None, None)

        if threading.current_thread().name.startswith(THREAD_NAME):  # the last reference may die in the loop itself
            threading.Thread(target=finish, daemon=True).start()
        else:
            finish()


async def _few_helpers() -> None:
    # Few threads read answers and write files: more of them would only keep the loop from its turn.
    executor = concurrent.futures.ThreadPoolExecutor(_HELPERS, f"{THREAD_NAME}-helper")
    asyncio.get_running_loop().set_default_executor(executor)
