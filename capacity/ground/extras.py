"""Extras: packages that only some of this library needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from capacity.errors import ConfigError


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Turn a missing package within the block into a ConfigError with the command that installs it.

    Parameters
    ----------
    name : str
        The extra, as in ``pip install 'call-capacity[name]'``.
    what : str
        What needs it, for the message.

    Raises
    ------
    ConfigError
        A package is not installed.

    Examples
    --------
    >>> with extra("fleet", "a Dask scheduler"):
    ...     import no_such_package
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: a Dask scheduler needs no_such_package, which is not installed; \
pip install 'call-capacity[fleet]'
    """
    try:
        yield
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] == "capacity":
            raise
        raise ConfigError(
            f"{what} needs {exc.name}, which is not installed; pip install 'call-capacity[{name}]'"
        ) from exc
