"""Questions carried out side by side: what stops them all, and which failed alone."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio
import pandas as pd

from capacity.errors import (
    BadRequest,
    CapacityError,
    ConfigError,
    FetchError,
    IncompleteError,
    NotFound,
    NotSupported,
    Unauthorized,
)
from capacity.fetch.endpoint import Scope
from capacity.fetch.progress import Progress

if TYPE_CHECKING:
    from capacity.fetch.client import Client


class _Scoped(Protocol):
    @property
    def scope(self) -> Scope: ...


Ask = TypeVar("Ask", bound=_Scoped)

_LOG = logging.getLogger("capacity.fetch")
_NAMED = 20  # windows that an error message names before it counts
_HOPELESS = (BadRequest, Unauthorized, NotFound, NotSupported)


def check_errors(errors: str) -> None:
    """Raise ConfigError for an `errors` that there is not."""
    if errors not in ("raise", "partial"):
        raise ConfigError(f"errors={errors!r} is neither 'raise' nor 'partial'")


def incomplete(
    failures: Sequence[tuple[Ask, FetchError]],
    asked: str,
    frame: pd.DataFrame,
    *,
    kept: bool,
    name: Callable[[Scope], str] = str,
) -> IncompleteError:
    """Return the error that names what was not answered; `asked` says of how many, such as "of 3 windows"."""
    lines = [f"  {name(ask.scope)}: {exc}" for ask, exc in failures[:_NAMED]]
    if len(failures) > _NAMED:
        lines.append(f"  and {len(failures) - _NAMED} more")
    remedy = "ask again, only these are asked for then" if kept else "ask again; with store= only these would be"
    head = f"{len(failures)} {asked} were not answered; {remedy}:"
    return IncompleteError("\n".join([head, *lines]), frame=frame, failures=[exc for _, exc in failures])


def carry_out(
    client: Client,
    asks: Sequence[Ask],
    one: Callable[[Any, Ask], Awaitable[None]],
    progress: bool | None,
    *,
    kept: bool,
) -> list[tuple[Ask, FetchError]]:
    """Carry out every question, and return those that failed with what went wrong.

    Parameters
    ----------
    client : Client
    asks : sequence
        In the order in which they are begun.
    one : callable
        ``await one(session, ask)`` carries out one, all its requests.
    progress : bool or None
        Whether to draw a bar.
    kept : bool
        Whether what is done stays in a store: an interrupted user is told.

    Raises
    ------
    CapacityError
        What no other question would fare better with: a key that is not accepted, a store that cannot be written.
    """
    failures: list[tuple[Ask, FetchError]] = []
    done = 0
    session = client._open()

    async def run_one(ask: Ask) -> None:
        nonlocal done
        try:
            await one(session, ask)
        except FetchError as exc:
            if isinstance(exc, _HOPELESS) or (exc.status is not None and 300 <= exc.status < 400):
                raise
            _LOG.info("%s: %s", ask.scope, exc)
            failures.append((ask, exc))
        done += 1

    async def run_all() -> None:
        left = list(reversed(asks))
        # More are under way than requests in flight (the session counts those): while one answer is read, another
        # is asked for. The last few all begin at once, so that none of them, page after page, is left alone at the end.
        breadth, tail = 2 * client.max_workers, client.max_workers

        async with anyio.create_task_group() as group:

            async def worker() -> None:
                while left:
                    ask = left.pop()
                    while 0 < len(left) <= tail:
                        group.start_soon(run_one, left.pop())
                    await run_one(ask)

            for _ in range(min(breadth, len(asks))):
                group.start_soon(worker)

    with Progress(len(asks), progress) as bar:
        try:
            session.run(run_all(), lambda: bar.show(done, session.pause_left))
        except BaseExceptionGroup as group:
            raise _first(group) from None
        except KeyboardInterrupt as stop:
            where = "kept in the store" if kept else "lost, as there is no store"
            stop.add_note(f"{done} of {len(asks)} windows were fetched and are {where}")
            raise
        bar.show(done, 0.0)
    return failures


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error to raise for several that happened at once: one of ours, if there is one."""
    leaves: list[BaseException] = []
    for exc in group.exceptions:
        leaves.append(_first(exc) if isinstance(exc, BaseExceptionGroup) else exc)
    return next((exc for exc in leaves if isinstance(exc, CapacityError)), leaves[0])
