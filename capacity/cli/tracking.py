"""The command track: forecasts kept against what came."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.app import EXIT_RISK, app, progress, say
from capacity.cli.options import Account, AnyEnv, Horizon, Licence, Project, Seed, Store, Zone
from capacity.cli.reporting import Events, Exclude, Holidays


@app.command()
def track(
    licences: Licence,
    store: Store,
    ledger: Annotated[Path, typer.Option("--ledger", help="Folder in which forecasts are kept.", metavar="DIR")],
    tz: Zone = "UTC",
    horizon: Horizon = 90,
    seed: Seed = 1,
    made_on: Annotated[
        str | None,
        typer.Option(
            "--made-on", help="Day that the forecast is kept under.", show_default="the day after the last whole one"
        ),
    ] = None,
    account: Account = None,
    project: Project = None,
    env: AnyEnv = None,
    holidays: Holidays = None,
    exclude: Exclude = None,
    events: Events = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Say how the forecasts that were kept have done, and keep today's.

    Run it as often as you like: the alarm is valid however often it is looked at. Exit code 4 while it stands.

    Example: capacity track --store calls --ledger ledger --licences 120 --tz Europe/London
    """
    import capacity as cap
    from capacity.plan.files import read_events

    told = None if events is None else read_events(events)
    frame = cap.read_intervals(store, tz=tz, account=account, project=project, env=env)
    with progress("Weighing the history") as step:
        assessment = cap.assess(
            frame,
            licences,
            tz=tz,
            horizon=horizon,
            seed=seed,
            holidays=holidays,
            exclude=exclude or None,
            events=told,
            backtest=False,
            progress=step,
        )
    book = cap.Ledger(ledger)
    variant = assessment.variant
    day = assessment.forecast.dates[0] if made_on is None and assessment.forecast is not None else made_on
    kept = book.record(assessment, made_on=day)
    score = book.score(assessment.peaks, variant=variant)
    if as_json:
        typer.echo(json.dumps({"kept": str(kept), **score.to_dict()}, indent=2))
    else:
        typer.echo(str(score))
        say(f"Kept {kept}")
    if score.alarm.raised:
        raise typer.Exit(EXIT_RISK)
