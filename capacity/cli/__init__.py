"""The command line: ``capacity``, also ``python -m capacity``. Errors leave it in one line and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from capacity.cli import demo, fetching, fleet, reconciling, records, reporting, tracking  # noqa: F401  each registers its commands
from capacity.cli.app import EXIT_ERROR, EXIT_INCOMPLETE, app, say
from capacity.cli.spoken import spoken
from capacity.errors import CapacityError, IncompleteError


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 an error, told in one line; 2 wrong usage; 3 a fetch that ended incomplete, or a
    fleet with projects that have no verdict; 130 an interrupted one.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # a code page need not know every letter of a name
    try:
        app(arguments, prog_name="capacity")
    except SystemExit as exc:  # typer tells wrong usage itself
        return exc.code if isinstance(exc.code, int) else EXIT_ERROR
    except IncompleteError as exc:
        return _fail(str(exc), EXIT_INCOMPLETE)
    except CapacityError as exc:
        return _fail(spoken(" ".join(str(exc).split()), sys.argv[1:] if arguments is None else arguments), EXIT_ERROR)
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except OSError as exc:
        where = f"{exc.filename} cannot be used ({exc.strerror})" if exc.filename else str(exc)
        return _fail(f"{where}; name a place that is there and that you may use", EXIT_ERROR)
    return 0


def _fail(message: str, code: int) -> int:
    say(f"capacity: {message}")
    return code
