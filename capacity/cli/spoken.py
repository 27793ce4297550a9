"""Messages in the words of the command line: options in place of Python's arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import typer.main

from capacity.cli.app import app

# What an argument is called on the command line, where that is not its own name.
_ALIASES = {
    "account": ("account_id",),
    "project": ("project_id",),
    "out": ("out_dir",),
    "column": ("columns",),
    "nothing": ("na_values",),
    "language": ("languages",),
    "phone-number": ("phone_numbers",),
    "workers": ("max_workers",),
}
_PYTHON = (
    ("keep=[", "--by ["),
    (" or pd.Timedelta(minutes=3)", ""),
    (", or give api_key=", ""),
    ("such as 21, '21d'", "such as '21d'"),
    ("fetch them with fetch_calls first", "fetch them first: capacity fetch --calls"),
)


def spoken(message: str, arguments: Sequence[str]) -> str:
    """Return an error in the words of the command that was given.

    Examples
    --------
    >>> spoken("tz='Mars' is no IANA time zone; give account= or lead_time", ["headroom", "--tz", "Mars"])
    "--tz 'Mars' is no IANA time zone; give --account or --lead-time"
    """
    for name, flag in _flags(arguments).items():
        bare = rf"(?<![\w'.\-]){name}"
        message = re.sub(rf"{bare}=(?=['\"\d-]|nan\b|-?inf\b|None\b)", f"{flag} ", message)
        message = re.sub(rf"{bare}=(?![\w'\[{{(])", flag, message)
        message = re.sub(rf"^{name}: ", f"{flag}: ", message)
        if "_" in name:
            message = re.sub(rf"{bare}\b(?![=\w'])", flag, message)
    for python, ours in _PYTHON:
        message = message.replace(python, ours)
    return message


def _flags(arguments: Sequence[str]) -> Mapping[str, str]:
    """Return the options of the command by the names that Python has for them."""
    commands = getattr(typer.main.get_command(app), "commands", {})
    name = next((a for a in arguments if a in commands), None)
    options = [p.opts[0] for p in commands[name].params if p.opts[0].startswith("--")] if name else []
    return {python: option for option in options for python in _names(option.removeprefix("--"))}


def _names(option: str) -> tuple[str, ...]:
    return (*_ALIASES.get(option, ()), option.replace("-", "_"))
