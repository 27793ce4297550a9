"""Commands about call records: intervals, simulate, serve; and how their options read a log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.app import app, progress, say
from capacity.cli.logwords import describes_log, read_log
from capacity.cli.options import Seed, Zone
from capacity.errors import ConfigError
from capacity.ground.extras import extra

if TYPE_CHECKING:
    import pandas as pd


LogZone = Annotated[
    str | None, typer.Option("--tz", help="Zone of times without offset, such as Europe/London.", metavar="ZONE")
]


@app.command()
@describes_log
def intervals(
    calls: Annotated[
        list[str],
        typer.Argument(
            help="Call records: files, a folder or a glob; CSV, JSON, Parquet or Excel, compressed or not.",
            metavar="CALLS...",
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="File to write: .parquet or .csv.")] = None,
    store: Annotated[
        str | None, typer.Option("--store", help="Store to write to instead, for calls of any number.", metavar="DIR")
    ] = None,
    account: Annotated[str, typer.Option("--account", help="Account id to store under.")] = "calls",
    project: Annotated[str, typer.Option("--project", help="Project id to store under.")] = "calls",
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how the log would be read, and write nothing.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", help="Column to slice by, 'none' for the total alone; by default the variant, where there is one."
        ),
    ] = None,
    start: Annotated[str | None, typer.Option("--start", help="From this time on, by default the first call.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Up to this time, by default the last end.")] = None,
    tz: LogZone = None,
    silences_missing: Annotated[
        bool, typer.Option("--silences-missing", help="A day or more without a call is a hole, not zero calls.")
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Parquet larger than memory, with start and end in UTC or with offset.")
    ] = False,
    words: dict[str, Any] | None = None,
) -> None:
    """Turn call records into exact 5-minute maxima, and say what was read, what was dropped and why.

    Example: capacity intervals calls.csv --out intervals.parquet --tz Europe/London
    """
    import capacity as cap
    from capacity.calls.account import silences
    from capacity.ground.export import export, file_kind
    from capacity.ground.times import as_instant

    if (out is None) == (store is None) and not explain:
        raise ConfigError("give --out FILE or --store DIR, one of the two, or --explain to see how the log is read")
    if out is not None:
        file_kind(out)  # before the work, not after it
    span: dict[str, Any] = {
        "start": None if start is None else as_instant(start, tz, name="start"),
        "end": None if end is None else as_instant(end, tz, name="end"),
    }
    total_alone = by is not None and by.lower() == "none"
    if stream:
        if (
            silences_missing
            or explain
            or len(calls) > 1
            or any(v for k, v in (words or {}).items() if k not in ("rest", "given"))
        ):
            raise ConfigError("--stream reads clean Parquet as it is; leave the options that describe a log out")
        source: Any = Path(calls[0])
        span["by"] = None if total_alone else by or "variant"
    else:
        keep = [by] if by is not None and not total_alone and by != "variant" else []
        log = read_log(calls, tz, words, keep=keep, explain=explain)
        if explain:
            return
        source = log.frame
        span["by"] = None if total_alone else by or ("variant" if "variant" in log.frame else None)
        span["gaps"] = silences(log.frame) if silences_missing else None
    if store is not None:
        with progress("Counting") as step:
            stored = cap.intervals_to_store(source, store, **span, account=account, project=project, progress=step)
        typer.echo(str(stored))
        return
    assert out is not None
    frame = _streamed(source, span) if stream else cap.intervals_from_calls(source, **span)
    if frame.empty:
        raise ConfigError("no call was in progress at any time; nothing is written")
    say(str(cap.coverage(frame)))
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
    """Write synthetic call records of four variants; the same seed gives the same calls.

    Example: capacity simulate --out calls.parquet --days 400 --seed 1
    """
    import capacity as cap
    from capacity.ground.export import file_kind

    kind = file_kind(out)
    if not out.parent.is_dir():
        raise ConfigError(
            f"--out {str(out)!r} cannot be written: there is no folder {str(out.parent)!r}; make it first"
        )
    calls = cap.simulate_calls(start, days=days, tz=tz, scale=scale, licences=licences, seed=seed)
    if kind == ".csv":
        calls.to_csv(out, index=False)
    else:
        calls.to_parquet(out, index=False)
    typer.echo(f"{len(calls):,} calls written to {out}; {int(calls['blocked'].sum()):,} turned away")


@app.command()
@describes_log
def serve(
    calls: Annotated[list[str], typer.Option("--calls", help="Call records, as `capacity intervals` takes them.")],
    account: Annotated[str, typer.Option("--account", help="Account id that exists.")],
    project: Annotated[str, typer.Option("--project", help="Project id that exists.")],
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 for a free one.")] = 8000,
    tz: LogZone = None,
    words: dict[str, Any] | None = None,
) -> None:
    """Serve the Concurrent Calls endpoint over call records. The key to ask for is read from CAPACITY_EMULATOR_KEY.

    Example: CAPACITY_EMULATOR_KEY=secret capacity serve --calls calls.parquet --account A --project P
    """
    if not os.environ.get("CAPACITY_EMULATOR_KEY"):
        raise ConfigError("no key to ask for: set CAPACITY_EMULATOR_KEY, so that only who knows it is answered")
    with extra("emulator", "serving the endpoint"):
        from capacity.calls import emulator
    log = read_log(calls, tz, words)
    emulator.run(log.frame, account=account, project=project, host=host, port=port)


def _streamed(path: Path, span: dict[str, Any]) -> pd.DataFrame:
    from capacity.fleet.ingest import stream_intervals

    with progress("Counting") as step:
        return stream_intervals(path, **span, progress=step)
