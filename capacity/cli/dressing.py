"""Commands that share options: a function shows typer the parameters of others beside its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any


def parameters_of(function: Callable[..., Any], *but: str) -> list[inspect.Parameter]:
    """Return the parameters of a function, their hints evaluated, without those named."""
    later = {"Assessment": object}  # loaded with the first analysis, not with the command line
    return [
        p for p in inspect.signature(function, eval_str=True, locals=later).parameters.values() if p.name not in but
    ]


def dressed(
    run: Callable[..., None], command: Callable[..., None], parameters: Iterable[inspect.Parameter]
) -> Callable[..., None]:
    """Return `run` as typer is to see it: with the name and the words of `command`, and these parameters."""
    every = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in every}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run
