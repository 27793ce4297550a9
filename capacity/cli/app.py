"""The typer application, and how it speaks to the user while it works."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

# Exit codes; typer leaves with 2 itself for wrong usage.
EXIT_ERROR, EXIT_INCOMPLETE, EXIT_RISK, EXIT_INTERRUPTED = 1, 3, 4, 130

app: typer.Typer = typer.Typer(
    name="capacity",
    help="How many concurrent-call licences do we need, and when do we run out?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from capacity import __version__

        typer.echo(f"capacity {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def say(text: str = "") -> None:
    """Tell the user something on stderr, so that stdout stays for results."""
    typer.echo(text, err=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show long work as a bar on a terminal; the callback takes (what comes next, steps done, steps in all)."""
    from tqdm import tqdm

    with tqdm(desc=what, bar_format="{desc} |{bar}| {n}/{total}{postfix}", disable=None, leave=False) as bar:

        def step(what: str, done: int, steps: int) -> None:
            bar.total = steps
            bar.set_postfix_str(what, refresh=False)
            bar.update(done - bar.n)
            bar.refresh()

        yield step


def show_requests(verbose: bool) -> None:
    """Log each request (without key or full phone numbers) when the user asks for it."""
    if verbose:
        logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S")
        logging.getLogger("capacity").setLevel(logging.DEBUG)
