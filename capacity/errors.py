"""The errors that this library raises, one tree under `CapacityError`.

::

    CapacityError
    ├── ConfigError              the call itself is wrong: no key, unknown region, naive time, start >= end
    ├── FetchError               one request went wrong: carries window, status, error_message, attempts
    │   ├── BadRequest           400
    │   ├── Unauthorized         401, 403
    │   ├── NotFound             404
    │   ├── NotSupported         501
    │   ├── RateLimited          429
    │   ├── ServerError          5xx
    │   ├── TransportFailure     connection, timeout, cut-off body
    │   └── PayloadError         200, but not what the schema says
    ├── IncompleteError          retries ran out on some windows: names them, carries .frame with the rest
    ├── FrameError               a frame that breaks the schema
    ├── InsufficientData         an analysis needs more history than it got
    └── StoreError               a store file that is damaged or of another version
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "BadRequest",
    "CapacityError",
    "ConfigError",
    "FetchError",
    "FrameError",
    "IncompleteError",
    "InsufficientData",
    "NotFound",
    "NotSupported",
    "PayloadError",
    "RateLimited",
    "ServerError",
    "StoreError",
    "TransportFailure",
    "Unauthorized",
]


class CapacityError(Exception):
    """Base class of every error that this library raises on purpose."""


class ConfigError(CapacityError, ValueError):
    """The call is wrong and no request was made: no key, unknown region, naive time without tz, start >= end."""


class FetchError(CapacityError):
    """One request ended without an answer that can be used.

    Parameters
    ----------
    message : str
        What happened, for people.
    window : object, optional
        The half-open window [start, end) that was asked for.
    status : int, optional
        The HTTP status, None where no response arrived.
    error_message : str, optional
        What the server said, as it said it.
    attempts : int
        How often the request was tried.
    """

    def __init__(
        self,
        message: str,
        *,
        window: Any = None,
        status: int | None = None,
        error_message: str | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.window = window
        self.status = status
        self.error_message = error_message
        self.attempts = attempts

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only arguments: the default reduce would lose them on the way through a process pool.
        return _rebuild, (
            type(self),
            self.message,
            self.window,
            self.status,
            self.error_message,
            self.attempts,
        )

    def __str__(self) -> str:
        parts = [self.message]
        if self.window is not None:
            parts.append(f"window {self.window}")
        if self.attempts > 1:
            parts.append(f"after {self.attempts} attempts")
        return "; ".join(parts)


def _rebuild(
    kind: type[FetchError],
    message: str,
    window: Any,
    status: int | None,
    error_message: str | None,
    attempts: int,
) -> FetchError:
    return kind(message, window=window, status=status, error_message=error_message, attempts=attempts)


class BadRequest(FetchError):
    """400: the server did not accept the parameters."""


class Unauthorized(FetchError):
    """401 or 403: the key is missing, wrong, or not for this account."""


class NotFound(FetchError):
    """404: no such account or project in this region."""


class NotSupported(FetchError):
    """501: the API does not do this (slicing by language or phone number)."""


class RateLimited(FetchError):
    """Raised when the server still answers 429 after the last retry."""


class ServerError(FetchError):
    """Raised when the server still answers 5xx after the last retry."""


class TransportFailure(FetchError):
    """No complete response: connection, TLS, timeout or a body that was cut off."""


class PayloadError(FetchError):
    """200, but the body is not what the schema says."""


class IncompleteError(CapacityError):
    """Raised when some windows failed after the last retry; every other window was fetched.

    Parameters
    ----------
    message : str
        Names the windows that are missing.
    frame : pandas.DataFrame
        The frame of all windows that were answered.
    failures : sequence of FetchError
        One for each window that is missing, in order of time.
    """

    def __init__(self, message: str, *, frame: Any = None, failures: Sequence[FetchError] = ()) -> None:
        super().__init__(message)
        self.frame = frame
        self.failures: tuple[FetchError, ...] = tuple(failures)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_incomplete, (str(self), self.frame, self.failures)


def _rebuild_incomplete(message: str, frame: Any, failures: Sequence[FetchError]) -> IncompleteError:
    return IncompleteError(message, frame=frame, failures=failures)


class FrameError(CapacityError, ValueError):
    """A frame breaks the schema; the message says which rule, which value, and how to mend it."""


class InsufficientData(CapacityError, ValueError):
    """An analysis needs more history than it got; the message says how much it needs and has."""


class StoreError(CapacityError):
    """A store file is damaged, cannot be written, or is of another version.

    Parameters
    ----------
    message : str
        What is wrong and how to mend it.
    path : pathlib.Path or address, optional
        The file; in an object store what its ``str`` is the address of.
    """

    def __init__(self, message: str, *, path: Any = None) -> None:
        super().__init__(message)
        self.path = path
