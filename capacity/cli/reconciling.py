"""The command that compares call records with the API's maxima."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from capacity.cli.app import app, say
from capacity.cli.options import Account, AnyEnv, End, Project, Start, Store, Zone


@app.command()
def reconcile(
    store: Store,
    start: Start = None,
    end: End = None,
    tz: Zone = "UTC",
    account: Account = None,
    project: Project = None,
    env: AnyEnv = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare the call records of a store with its maxima: what takes a channel, and what is missing.

    Fetch both first: capacity fetch ..., and the same with --calls.

    Example: capacity reconcile --store calls --tz Europe/London
    """
    import capacity as cap

    chosen: dict[str, Any] = {"tz": tz, "account": account, "project": project, "env": env}
    maxima = cap.read_intervals(store, start, end, **chosen)
    found = cap.reconcile(maxima, cap.read_stored_calls(store, start, end, **chosen), tz=tz)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    typer.echo(str(found))
    if len(found.missing):
        say("Where records are missing:")
        say(found.missing.to_string(index=False))
