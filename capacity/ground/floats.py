"""Floating-point errors inside the library are handled as numpy does by default, whatever the caller has set."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def usual_errstate() -> np.errstate:
    """Return a context in which numpy's defaults hold."""
    return np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")


def usual_float_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function so that it runs under numpy's defaults.

    Where a caller hunts for NaN with ``np.seterr(all="raise")``, the harmless underflow of exp(-1000) would end in a
    FloatingPointError. The caller's own setting holds again when the function returns.

    Examples
    --------
    >>> @usual_float_errors
    ... def tail(x):
    ...     return float(np.exp(-x))
    >>> with np.errstate(all="raise"):
    ...     tail(np.float64(1000.0))
    0.0
    """

    @wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with usual_errstate():
            return function(*args, **kwargs)

    return inner
