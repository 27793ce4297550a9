"""The typer application, and how errors leave it: one clear line on stderr and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

import click
import typer

from capacity.errors import CapacityError, IncompleteError

__all__ = ["app", "run", "say", "show_requests"]

EXIT_ERROR, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="capacity",
    help="How many concurrent-call licences do we need, and when do we run out?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 an error, told in one line; 2 wrong usage; 3 a fetch that ended incomplete; 130 interrupted.
    """
    try:
        code = typer.main.get_command(app).main(args=arguments, prog_name="capacity", standalone_mode=False)
    except click.exceptions.Abort:
        return _fail("interrupted; what was fetched is kept", EXIT_INTERRUPTED)
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except IncompleteError as exc:
        return _fail(str(exc), EXIT_INCOMPLETE)
    except CapacityError as exc:
        return _fail(str(exc), EXIT_ERROR)
    except KeyboardInterrupt:
        return _fail("interrupted; what was fetched is kept", EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except OSError as exc:
        return _fail(str(exc), EXIT_ERROR)
    return int(code or 0)


def say(text: str = "") -> None:
    """Tell the user something on stderr, so that stdout stays for results."""
    typer.echo(text, err=True)


def show_requests(verbose: bool) -> None:
    """Log each request (without key or full phone numbers) when the user asks for it."""
    if verbose:
        logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S")
        logging.getLogger("capacity").setLevel(logging.DEBUG)


def _fail(message: str, code: int) -> int:
    say(f"capacity: {' '.join(message.split()) if code == EXIT_ERROR else message}")
    return code
