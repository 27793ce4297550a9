"""The default executor: processes of this machine, each with one thread of linear algebra."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

__all__ = ["HasResult", "InProcess", "Lost", "SubmitsWork", "WorkersOfThisMachine"]

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class HasResult(Protocol[T_co]):
    """What `submit` returns."""

    def result(self) -> T_co:
        """Wait for the result, or raise what the task raised."""


class SubmitsWork(Protocol):
    """All that is asked of an executor: concurrent.futures, dask.distributed.Client and mpi4py's pool have it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> HasResult[T]:
        """Start a task."""


class InProcess:
    """An executor of one worker, which works where it stands, and not before it is asked for the result."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> HasResult[T]:
        """Note a task."""
        return _Later(partial(fn, *args, **kwargs))


class _Later(Generic[T]):
    def __init__(self, task: Callable[[], T]) -> None:
        self._task = task

    def result(self) -> T:
        return self._task()


class Lost:
    """The result of a task that an executor did not take."""

    def __init__(self, why: Exception) -> None:
        self._why = why

    def result(self) -> Any:
        """Raise the reason."""
        raise self._why


class _Awaited(Generic[T]):
    """A future that nobody cancels: a pool whose processes end fails, with a traceback, over one that was cancelled."""

    def __init__(self, future: Future[T]) -> None:
        self._future = future

    def result(self) -> T:
        return self._future.result()


class WorkersOfThisMachine:
    """A process pool that can be made anew when a worker was killed."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._started: list[SpawnProcess] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> HasResult[T]:
        """Start a task in one of the processes."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=_Context(self._started), initializer=_begin)
        return _Awaited(self._pool.submit(fn, *args, **kwargs))

    def renew(self) -> None:
        """Leave the processes; the next task starts others."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in self._started:
                with contextlib.suppress(ValueError):  # closed already
                    process.terminate()
            self._started.clear()
            self._pool = None

    def close(self) -> None:
        """Wait for the processes to end."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


class _Context(SpawnContext):
    """Fresh processes that do not import the caller's script: a script needs no ``if __name__ == "__main__"``."""

    def __init__(self, started: list[SpawnProcess]) -> None:
        super().__init__()
        self._started = started

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override] # noqa: N802
        process = _Process(*args, **kwargs)
        self._started.append(process)
        return process


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - its name in multiprocessing
        with _without_main():
            return SpawnProcess._Popen(process_obj)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Start a process that knows nothing of our main module, with one thread of linear algebra."""
    main, held = sys.modules["__main__"], {name: os.environ.get(name) for name in _THREADS}
    sys.modules["__main__"] = ModuleType("__main__")
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # read when a library is loaded
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in held.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin() -> None:
    """Leave Ctrl-C to the parent, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
