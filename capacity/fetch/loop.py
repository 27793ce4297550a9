"""A private event loop in a thread of its own, so that a blocking call works anywhere, in Jupyter as well.

A thread pool would wait for a hanging read when the interpreter exits; tasks in a loop can be cancelled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["THREAD_NAME", "PrivateLoop", "to_its_end"]

THREAD_NAME = "capacity-fetch"

T = TypeVar("T")

_TICK_S = 0.1  # how often the waiting thread looks up: for progress, and for Ctrl-C on every platform
_HELPERS = 2
_GRACE_S = 0.8  # how long an interrupted caller waits for its tasks to let go


async def to_its_end(work: Callable[[], T]) -> T:
    """Run `work` in a thread; a cancellation waits until it is done, so that what was answered is kept."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


class PrivateLoop:
    """An event loop that runs in a daemon thread until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # Few threads read answers and write files: more of them would only keep the loop from its turn.
        self._loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(_HELPERS, THREAD_NAME))
        self._thread = threading.Thread(target=self._serve, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

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

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
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

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `last` (closing what lives in the loop), then end the loop and its thread."""
        if not self._thread.is_alive() or self._loop.is_closed():
            return

        async def finish() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            try:
                await asyncio.gather(*others, return_exceptions=True)
                await last()
            finally:
                self._loop.stop()

        asyncio.run_coroutine_threadsafe(finish(), self._loop)
        if threading.current_thread() is not self._thread:  # the last reference may die in the loop itself
            self._thread.join(timeout=2)
