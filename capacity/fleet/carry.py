"""Batches carried out by an executor, and what is tried when a worker is lost."""

from __future__ import annotations

import contextlib
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from capacity.fleet.workers import HasResult, InProcess, Lost, SubmitsWork, WorkersOfThisMachine

__all__ = ["Carrier", "open_executor"]

Item = TypeVar("Item")
Got = TypeVar("Got")

_MOST = 8  # items in a batch: some seconds of work, so that the last batch keeps nobody waiting
_ROUNDS = 4  # batches a worker, at least, for the same reason


@contextlib.contextmanager
def open_executor(given: SubmitsWork | None, workers: int) -> Iterator[SubmitsWork]:
    """Yield the executor that was given, or one of this machine that is closed at the end."""
    if given is not None:
        yield given
    elif workers <= 1:
        yield InProcess()
    else:
        pool = WorkersOfThisMachine(workers)
        try:
            yield pool
        except BaseException:
            pool.renew()  # do not wait for what nobody will read
            raise
        pool.close()


class Carrier(Generic[Item, Got]):
    """One kind of task, carried out for many items.

    A batch that is lost with its worker is tried again item by item, and what is lost again alone, with nothing else
    under way: an item that is lost then has ended the worker itself.

    Parameters
    ----------
    executor : object with ``submit``
    task : callable
        ``task(batch, *arguments(batch), mark)`` returns one result an item. `mark` is unlike for every submission,
        since some executors return the old result for equal arguments.
    arguments : callable
        From a batch to what else its task is given.
    keep : callable
        Takes the results of each batch, in order.
    lost : callable
        From an item and the reason in words to the result that stands for it.
    most : int
        Items in a batch.
    """

    def __init__(
        self,
        executor: SubmitsWork,
        task: Callable[..., list[Got]],
        *,
        arguments: Callable[[Sequence[Item]], tuple[Any, ...]],
        keep: Callable[[Sequence[Got]], None],
        lost: Callable[[Item, str], Got],
        most: int = _MOST,
    ) -> None:
        self._executor, self._task = executor, task
        self._arguments, self._keep, self._lost, self._most = arguments, keep, lost, most

    def go(self, items: Sequence[Item], workers: int) -> None:
        """Carry out the task for all items, in batches small enough to keep all workers busy to the end."""
        size = max(1, min(self._most, -(-len(items) // (_ROUNDS * workers))))
        lost = self._round([items[k : k + size] for k in range(0, len(items), size)])
        lost = self._round([[item] for item, _ in lost])
        for item, _ in lost:
            for again, why in self._round([[item]]):
                self._keep([self._lost(again, _reason(why))])

    def _round(self, batches: Sequence[Sequence[Item]]) -> list[tuple[Item, Exception]]:
        """Carry out batches; return the items of those that were lost, with the error."""
        lost: list[tuple[Item, Exception]] = []
        waiting = deque((batch, self._submit(batch)) for batch in batches)
        try:
            while waiting:
                batch, future = waiting.popleft()
                try:
                    found = future.result()
                except Exception as exc:  # a task raises nothing: its worker is gone
                    lost += [(item, exc) for item in batch]
                    continue
                self._keep(found)
        finally:
            for _, future in waiting:
                if hasattr(future, "cancel"):
                    future.cancel()
        if lost and isinstance(self._executor, WorkersOfThisMachine):
            self._executor.renew()
        return lost

    def _submit(self, batch: Sequence[Item]) -> HasResult[list[Got]]:
        try:
            return self._executor.submit(self._task, tuple(batch), *self._arguments(batch), secrets.token_hex(8))
        except Exception as exc:  # a pool whose worker was killed takes no more
            return Lost(exc)


def _reason(why: Exception) -> str:
    said = f"{type(why).__name__}: {str(why).strip()}".rstrip(": ")
    return (
        f"the worker ended three times while it was at this, the last time with nothing else under way ({said}); it "
        "was killed, or ran out of memory: give workers more memory, or assess this alone"
    )
