"""The options that describe a call log: the same words on every command that reads one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.app import say
from capacity.cli.dressing import dressed, parameters_of
from capacity.errors import ConfigError

if TYPE_CHECKING:
    from capacity.calls.words import Words
    from capacity.ground.calls import Calls


_WORDS: dict[str, Any] = {
    "column": Annotated[
        list[str] | None,
        typer.Option(
            help="What a column is: start=answered, end=hung_up, duration=secs, talk=billsec, variant=flow. May be "
            "repeated; several ends are the stages of a call, the last that happened counts.",
            metavar="WHAT=COLUMN",
        ),
    ],
    "like": Annotated[
        str | None,
        typer.Option(help="The export it is, such as asterisk or 3cx; an unknown name lists them.", metavar="NAME"),
    ],
    "header": Annotated[
        str | None, typer.Option(help="Names of the columns, where the file has none.", metavar="NAMES")
    ],
    "skip": Annotated[int | None, typer.Option(help="Lines before the header.", min=0, metavar="N")],
    "encoding": Annotated[str | None, typer.Option(help="Such as cp1252 or utf-16.", metavar="E")],
    "separator": Annotated[
        str | None, typer.Option(help="Between fields: comma, semicolon, tab, bar, or the character.", metavar="C")
    ],
    "time_format": Annotated[
        list[str] | None,
        typer.Option(help="strptime format of times, or epoch-s, epoch-ms; may be repeated.", metavar="F"),
    ],
    "date": Annotated[
        str | None, typer.Option(help="Column with the day, where the others hold times of day.", metavar="COLUMN")
    ],
    "date_format": Annotated[str | None, typer.Option(help="How --date is written, such as %y%m%d.", metavar="F")],
    "unit": Annotated[
        str | None,
        typer.Option(help="Of lengths: s, ms, min, hour or day; of 0:03, that of its last part.", metavar="UNIT"),
    ],
    "only": Annotated[
        list[str] | None,
        typer.Option(help="Rows that are calls: status=Answered. May be repeated.", metavar="COLUMN=VALUE"),
    ],
    "drop": Annotated[
        list[str] | None,
        typer.Option(
            help="Rows that are no calls: outcome=PHANTOM. May be repeated; 'none' drops none.", metavar="COLUMN=VALUE"
        ),
    ],
    "call_id": Annotated[
        str | None,
        typer.Option(
            help="Rows that share it are one call, from first start to last end; 'none': each row is a call.",
            metavar="COLUMN",
        ),
    ],
    "wait": Annotated[str | None, typer.Option(help="Length of the wait (ringing) before the talk.", metavar="COLUMN")],
    "nothing": Annotated[
        list[str] | None, typer.Option(help="Text that means 'did not happen', as 0:00:00.", metavar="TEXT")
    ],
    "unfinished": Annotated[
        str | None,
        typer.Option(
            help="Calls without an end: 'recent' (in progress, where begun in the log's last 24 hours), 'keep' "
            "(all in progress) or 'drop'.",
            metavar="HOW",
        ),
    ],
}
_PANEL = "How the call log is written"


def describes_log(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that describe a log; it is called with `words`, a mapping of what was said."""

    def run(context: typer.Context, **given: Any) -> None:
        words = {name: given.pop(name) for name in _WORDS}
        command(**given, words={**words, "rest": _rest(context), "given": _given(context)})

    added = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for name, hint in _WORDS.items():
        option = hint.__metadata__[0]
        option.param_decls = ("--" + name.replace("_", "-"),)
        option.rich_help_panel = _PANEL
        added.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint))
    return dressed(run, command, [*parameters_of(command, "words"), *added])


def _given(context: typer.Context) -> frozenset[str]:
    """Return the options that were said."""
    sources = {str(p.name): context.get_parameter_source(str(p.name)) for p in context.command.params}
    return frozenset(name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE")


def check_source(words: dict[str, Any] | None, *, log: bool, file: bool) -> None:
    """Raise ConfigError for options that say nothing about what is read: a log, a file of intervals, or a store."""
    given = (words or {}).get("given", frozenset())
    if not log and (idle := [name for name in _WORDS if name in given]):
        raise ConfigError(
            f"--{idle[0].replace('_', '-')} describes a call log; give the log with --calls, or leave it out"
        )
    if (log or file) and (idle := [name for name in ("store", "account", "env") if name in given]):
        raise ConfigError(
            f"--{idle[0]} is for a store, and {'--calls' if log else '--intervals'} was given; leave one out"
        )


def read_log(
    sources: Sequence[str],
    tz: str | None,
    words: dict[str, Any] | None = None,
    *,
    keep: Sequence[str] = (),
    explain: bool = False,
) -> Calls:
    """Read a log as the options say, with a count of rows on a terminal, and tell how it was read.

    Where it can be read in several ways, print the commands to choose from and leave with exit code 1.
    """
    from tqdm import tqdm

    from capacity.calls.decide import Undecided
    from capacity.calls.read import read_with
    from capacity.calls.words import command_line

    with command_line(), tqdm(desc="Reading", unit=" rows", unit_scale=True, disable=None, leave=False) as bar:
        try:
            calls = read_with(
                [*sources], _said(sources, tz, words or {}, keep), progress=lambda rows: bar.update(rows - bar.n)
            )
        except Undecided as exc:
            say(f"capacity: {exc}")
            raise typer.Exit(1) from exc
        say(str(calls.account))
    if explain:
        say(calls.command)
    return calls


def _said(sources: Sequence[str], tz: str | None, words: dict[str, Any], keep: Sequence[str]) -> Words:
    from capacity.calls.words import words_from

    columns = {
        what: names[0] if len(names) == 1 else names for what, names in _pairs("column", words.get("column")).items()
    }
    drop = words.get("drop")
    return words_from(
        columns=columns,
        header=words.get("header"),
        separator=words.get("separator"),
        time_format=words.get("time_format") or (),
        only=_pairs("only", words.get("only")),
        drop={} if drop == ["none"] else _pairs("drop", drop) if drop else None,
        na_values=words.get("nothing") or (),
        unfinished=words.get("unfinished"),
        keep=keep,
        unit=words.get("unit"),
        date_format=words.get("date_format"),
        tz=tz,
        **{name: words.get(name) for name in ("like", "skip", "encoding", "date", "call_id", "wait")},
        sources=tuple(str(s) for s in sources),
        rest=tuple(words.get("rest") or ("--out", "intervals.parquet")),
    )


def _rest(context: typer.Context) -> tuple[str, ...]:
    """Return the other options of `intervals` that were said; of another command, where to write."""
    write = ("--out", "intervals.parquet")
    if context.info_name != "intervals":
        return write
    found: list[str] = []
    for parameter in context.command.params:
        name, source = str(parameter.name), context.get_parameter_source(str(parameter.name))
        said = source is not None and source.name == "COMMANDLINE" and parameter.param_type_name == "option"
        if not said or name in _WORDS or name in ("tz", "explain"):
            continue
        flag, value = parameter.opts[0], context.params[name]
        for one in value if isinstance(value, list | tuple) else [value]:
            found += [flag] if isinstance(one, bool) else [flag, str(one)]
    return tuple(found) if {"--out", "--store"} & set(found) else (*write, *found)


def _pairs(flag: str, words: Sequence[str] | None) -> dict[str, list[str]]:
    """Read what=value words; a repeated key collects its values."""
    found: dict[str, list[str]] = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not equals or not key or not value:
            raise ConfigError(f"--{flag} {word!r} is not of the form NAME=VALUE")
        found.setdefault(key, []).append(value)
    return found
