"""Computations that several analyses of one frame share, done once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import pandas as pd

P = ParamSpec("P")
R = TypeVar("R")

_Held = tuple[pd.DataFrame, dict[Hashable, Any]]
_held: ContextVar[_Held | None] = ContextVar("held", default=None)


@contextmanager
def sharing(frame: pd.DataFrame) -> Iterator[None]:
    """Within this context the functions marked with `once` compute their result for `frame` only once.

    The frame is known by identity and must not be changed within the context. Other frames are computed as usual, and
    the next context starts empty.
    """
    token = _held.set((frame, {}))
    try:
        yield
    finally:
        _held.reset(token)


def once(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function of a frame so that it computes once for the frame that is shared.

    Examples
    --------
    >>> @once
    ... def rows(frame, *, times=1):
    ...     print("counted")
    ...     return times * len(frame)
    >>> frame = pd.DataFrame({"a": [1, 2]})
    >>> with sharing(frame):
    ...     rows(frame), rows(frame), rows(frame, times=2)
    counted
    counted
    (2, 2, 4)
    """

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        held = _held.get()
        if held is None or not args or held[0] is not args[0]:
            return function(*args, **kwargs)
        key = (function, args[1:], tuple(sorted(kwargs.items())))
        if key not in held[1]:
            held[1][key] = function(*args, **kwargs)
        found: R = held[1][key]
        return found

    return inner
