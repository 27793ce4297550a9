"""Commands about call records: intervals, simulate, serve; and how their options read a log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.app import app, say
from capacity.cli.options import Seed, Zone
from capacity.errors import ConfigError
from capacity.ground.extras import extra

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from capacity.calls.account import CallLog

__all__ = ["intervals", "read_log", "serve", "simulate"]

Calls = Annotated[
    Path, typer.Argument(help="Call records: CSV, Parquet, or a folder of Parquet files.", metavar="CALLS")
]
LogZone = Annotated[
    str | None, typer.Option("--tz", help="Zone of times without offset, such as Europe/London.", metavar="ZONE")
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        help="What a column is: start=answered, end=hung_up, duration=secs, variant=flow. May be repeated; "
        "several ends are the stages of a call, the last that happened counts.",
        metavar="WHAT=COLUMN",
    ),
]
TimeFormat = Annotated[
    list[str] | None, typer.Option("--time-format", help="strptime format of times that are not ISO 8601.")
]
DateColumn = Annotated[
    str | None,
    typer.Option("--date", help="Column with the day, where the others hold times of day.", metavar="COLUMN"),
]
DateFormat = Annotated[str | None, typer.Option("--date-format", help="How --date is written, such as %y%m%d.")]
Nothing = Annotated[list[str] | None, typer.Option("--nothing", help="Text that means 'did not happen', as 0:00:00.")]
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", help="Rows that are no calls: outcome=PHANTOM. May be repeated.", metavar="COLUMN=VALUE"),
]
Unfinished = Annotated[str, typer.Option("--unfinished", help="Calls without an end: 'keep' (in progress) or 'drop'.")]


@app.command()
def intervals(
    calls: Calls,
    out: Annotated[Path, typer.Option("--out", help="File to write: .parquet or .csv.")],
    by: Annotated[str, typer.Option("--by", help="Column to slice by; 'none' for the total alone.")] = "variant",
    start: Annotated[str | None, typer.Option("--start", help="From this time on, by default the first call.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Up to this time, by default the last end.")] = None,
    tz: LogZone = None,
    column: Column = None,
    time_format: TimeFormat = None,
    date: DateColumn = None,
    date_format: DateFormat = None,
    nothing: Nothing = None,
    drop: Drop = None,
    unfinished: Unfinished = "keep",
    silences_missing: Annotated[
        bool, typer.Option("--silences-missing", help="A day or more without a call is a hole, not zero calls.")
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Parquet larger than memory, with start and end in UTC or with offset.")
    ] = False,
) -> None:
    """Turn call records into exact 5-minute maxima, and say what was read, what was dropped and why.

    Example: capacity intervals calls.csv --out intervals.parquet --tz Europe/London --column start=answered
    """
    import capacity as cap
    from capacity.ground.export import export, file_kind
    from capacity.ground.times import as_instant

    file_kind(out)  # before the work, not after it
    span: dict[str, Any] = {
        "start": None if start is None else as_instant(start, tz, name="start"),
        "end": None if end is None else as_instant(end, tz, name="end"),
        "by": None if by == "none" else by,
    }
    if stream:
        if column or time_format or date or date_format or nothing or drop or silences_missing or unfinished != "keep":
            raise ConfigError("--stream reads clean Parquet as it is; leave the options that mend a log out")
        frame = _streamed(calls, span)
    else:
        keep = [] if by in ("variant", "none") else [by]
        log = read_log(calls, tz, column, time_format, date, date_format, nothing, drop, unfinished, keep=keep)
        frame = cap.intervals_from_calls(log.calls, **span, gaps=log.silences if silences_missing else None)
    say(str(cap.coverage(frame)) if len(frame) else "No call was in progress at any time.")
    typer.echo(f"{len(frame):,} rows written to {export(frame, out)}")


@app.command()
def simulate(
    out: Annotated[Path, typer.Option("--out", help="File to write: .parquet or .csv.")],
    days: Annotated[int, typer.Option("--days", help="Days of calls.", min=1)] = 400,
    seed: Seed = 1,
    start: Annotated[str, typer.Option("--start", help="The first day.")] = "2025-01-01",
    tz: Zone = "Europe/London",
    scale: Annotated[float, typer.Option("--scale", help="Multiplies the calls of every variant.")] = 1.0,
    licences: Annotated[
        str | None, typer.Option("--licences", help="Turn calls away at this cap.", metavar="N")
    ] = None,
) -> None:
    """Write synthetic call records: four variants of unlike size and rhythm; the same seed, the same calls.

    Example: capacity simulate --out calls.parquet --days 400 --seed 1
    """
    import capacity as cap
    from capacity.ground.export import file_kind

    kind = file_kind(out)
    calls = cap.simulate_calls(start, days=days, tz=tz, scale=scale, licences=licences, seed=seed)
    if kind == ".csv":
        calls.to_csv(out, index=False)
    else:
        calls.to_parquet(out, index=False)
    typer.echo(f"{len(calls):,} calls written to {out}; {int(calls['blocked'].sum()):,} turned away")


@app.command()
def serve(
    calls: Annotated[Path, typer.Option("--calls", help="Call records: CSV, Parquet, or a folder of Parquet files.")],
    account: Annotated[str, typer.Option("--account", help="Account id that exists.")],
    project: Annotated[str, typer.Option("--project", help="Project id that exists.")],
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 for a free one.")] = 8000,
    tz: LogZone = None,
    column: Column = None,
    time_format: TimeFormat = None,
    date: DateColumn = None,
    date_format: DateFormat = None,
    nothing: Nothing = None,
    drop: Drop = None,
    unfinished: Unfinished = "keep",
) -> None:
    """Serve the Concurrent Calls endpoint over call records. The key to ask for is read from CAPACITY_EMULATOR_KEY.

    Example: CAPACITY_EMULATOR_KEY=secret capacity serve --calls calls.parquet --account A --project P
    """
    with extra("emulator", "serving the endpoint"):
        from capacity.calls import emulator

    if not os.environ.get("CAPACITY_EMULATOR_KEY"):
        raise ConfigError("no key to ask for: set CAPACITY_EMULATOR_KEY, so that only who knows it is answered")
    log = read_log(calls, tz, column, time_format, date, date_format, nothing, drop, unfinished)
    emulator.run(log.calls, account=account, project=project, host=host, port=port)


def _streamed(path: Path, span: dict[str, Any]) -> pd.DataFrame:
    from tqdm import tqdm

    from capacity.calls.streaming import stream_intervals

    with tqdm(desc=f"Reading {path.name}", unit=" calls", unit_scale=True, disable=None, leave=False) as bar:
        return stream_intervals(path, **span, progress=lambda calls: bar.update(calls - bar.n))


def read_log(
    path: Path,
    tz: str | None,
    column: list[str] | None = None,
    time_format: list[str] | None = None,
    date: str | None = None,
    date_format: str | None = None,
    nothing: list[str] | None = None,
    drop: list[str] | None = None,
    unfinished: str = "keep",
    *,
    keep: Iterable[str] = (),
) -> CallLog:
    """Read a log as the options say, with a count of rows on a terminal, and tell what was dropped."""
    from tqdm import tqdm

    from capacity.calls.records import read_calls

    columns: dict[str, Any] = {what: names[0] if len(names) == 1 else names for what, names in _pairs(column).items()}
    with tqdm(desc=f"Reading {path.name}", unit=" rows", unit_scale=True, disable=None, leave=False) as bar:
        log = read_calls(
            path,
            columns=columns,
            tz=tz,
            time_format=time_format or (),
            date=date,
            date_format=date_format,
            nothing=nothing or (),
            drop=_pairs(drop),
            unfinished=unfinished,
            keep=tuple(keep),
            progress=lambda rows: bar.update(rows - bar.n),
        )
    say(str(log))
    return log


def _pairs(words: list[str] | None) -> dict[str, list[str]]:
    """Read what=value words; a repeated key collects its values."""
    found: dict[str, list[str]] = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not equals or not key or not value:
            raise ConfigError(f"{word!r} is not of the form NAME=VALUE")
        found.setdefault(key, []).append(value)
    return found
