"""Commands about the store: fetch, status, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from capacity.cli.app import EXIT_INTERRUPTED, app, say, show_requests
from capacity.cli.options import Absent, Account, AnyEnv, End, Env, Project, Start, Store, Verbose, Zone
from capacity.errors import ConfigError


@app.command()
def fetch(
    account: Annotated[str, typer.Option("--account", help="Account id.")],
    project: Annotated[str, typer.Option("--project", help="Project id.")],
    start: Annotated[str, typer.Option("--start", help="From this time on (a date is midnight in --tz).")],
    end: Annotated[str, typer.Option("--end", help="Up to this time, exclusive (a date is midnight in --tz).")],
    store: Store,
    tz: Zone = "UTC",
    region: Annotated[str, typer.Option("--region", help="us-1, uk-1 or euw-1.")] = "us-1",
    base_url: Annotated[str | None, typer.Option("--base-url", help="In place of --region: another server.")] = None,
    env: Env = "live",
    variant_id: Annotated[str | None, typer.Option("--variant-id", help="Only this variant.")] = None,
    variant_name: Annotated[str | None, typer.Option("--variant-name", help="Only the variant of this name.")] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="One request each; may be repeated.")] = None,
    phone_number: Annotated[
        list[str] | None, typer.Option("--phone-number", help="One request each; may be repeated.")
    ] = None,
    calls: Annotated[
        bool, typer.Option("--calls", help="Fetch call records (Conversations API v3) in place of the maxima.")
    ] = False,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", help="With --calls: only this channel; may be repeated.")
    ] = None,
    max_workers: Annotated[int, typer.Option("--workers", help="Requests at once.", min=1, max=32)] = 4,
    wait: Annotated[
        str | None, typer.Option("--wait", help="Wait out pauses that the server asks for, up to this long: 1h, 90m.")
    ] = None,
    refetch: Annotated[bool, typer.Option("--refetch", help="Ask for everything again, also what is final.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Fetch again the weeks whose files are damaged.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the windows that would be asked for.")] = False,
    verbose: Verbose = False,
) -> None:
    """Fetch a date range into a store, with a progress bar; only what is not held yet is asked for.

    The API key is read from POLYAI_API_KEY; with --calls from POLYAI_V3_API_KEY, where that is set. Exit code 3: some
    windows are missing; run the same command again.

    Example: capacity fetch --account A --project P --start 2026-01-01 --end 2026-07-01 --tz Europe/London --store calls
    """
    import capacity as cap
    from capacity.fetch.call_plan import plan_calls
    from capacity.fetch.fetcher import plan

    show_requests(verbose)
    if calls and (language or phone_number):
        raise ConfigError("--calls takes no --language and no --phone-number: records of all of them come; slice those")
    if channel and not calls:
        raise ConfigError("--channel is for call records; give --calls with it")
    own = (
        {"channel": channel or None}
        if calls
        else {"languages": language or None, "phone_numbers": phone_number or None}
    )
    wanted: dict[str, Any] = {
        "tz": tz,
        "env": env,
        "variant_id": variant_id,
        "variant_name": variant_name,
        "store": store,
        "refetch": refetch,
        "repair": repair,
        **own,
    }
    with cap.Client(account, project, region=region, base_url=base_url, max_workers=max_workers, wait=wait) as client:
        if dry_run:
            windows = (plan_calls if calls else plan)(client, start, end, **wanted)
            typer.echo(windows.to_string(index=False) if len(windows) else "Nothing: all of it is held and final.")
            return
        try:
            if calls:
                say(str(cap.fetch_calls(client, start, end, **wanted)))
                typer.echo(store)
                return
            frame = cap.fetch_intervals(client, start, end, **wanted)
        except KeyboardInterrupt:
            say(f"Interrupted. What was fetched is kept in {store}; the same command goes on from there.")
            raise typer.Exit(EXIT_INTERRUPTED) from None
    say(
        str(cap.coverage(frame))
        if len(frame)
        else "No interval yet: the range lies in the future, or no call was made."
    )
    typer.echo(store)


@app.command()
def status(store: Store) -> None:
    """Say what a store holds: scopes, ranges, what is final, gaps, size.

    Example: capacity status --store calls
    """
    from capacity.fetch.call_status import calls_held
    from capacity.fetch.status import status as survey

    found = survey(store)
    lines, damaged = calls_held(store)
    typer.echo("\n".join([str(found), *lines, *(f"  damaged: {message}" for message in damaged)]))
    if found.damaged or damaged:
        say("Mend it with: capacity fetch ... --repair")


@app.command()
def export(
    store: Store,
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv or .parquet.")],
    start: Start = None,
    end: End = None,
    tz: Zone = "UTC",
    account: Account = None,
    project: Project = None,
    env: AnyEnv = None,
    absent: Absent = "zero",
) -> None:
    """Write what a store holds as one CSV or Parquet file.

    Example: capacity export --store calls --out calls.parquet
    """
    import capacity as cap
    from capacity.ground.export import export as write
    from capacity.ground.export import file_kind

    file_kind(out)  # before the work, not after it
    frame = cap.read_intervals(store, start, end, tz=tz, account=account, project=project, env=env, absent=absent)
    typer.echo(f"{len(frame):,} rows written to {write(frame, out)}")
