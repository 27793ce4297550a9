"""Commands that answer: report and headroom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.app import app, progress
from capacity.cli.options import Account, AnyEnv, End, Horizon, Licence, Out, Project, Seed, Start, Store, Zone

if TYPE_CHECKING:
    from capacity.analysis.assessment import Assessment

__all__ = ["headroom", "report"]

Holidays = Annotated[
    str | None, typer.Option("--holidays", help="Country whose public holidays count, such as GB or US-CA.")
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", help="A day that must not teach the forecast; may be repeated.")
]
CallLength = Annotated[
    str | None, typer.Option("--mean-call-length", help="Such as 3m or 180s: adds offered load and lost calls.")
]
LicencePrice = Annotated[float | None, typer.Option("--licence-price", help="Price of one licence a year.", min=0)]
LostCallCost = Annotated[float | None, typer.Option("--lost-call-cost", help="Cost of one call turned away.", min=0)]


@app.command()
def report(
    licences: Licence,
    store: Store,
    tz: Zone = "UTC",
    out: Out = Path("capacity-report"),
    horizon: Horizon = 90,
    seed: Seed = 1,
    start: Start = None,
    end: End = None,
    account: Account = None,
    project: Project = None,
    env: AnyEnv = None,
    holidays: Holidays = None,
    exclude: Exclude = None,
    mean_call_length: CallLength = None,
    licence_price: LicencePrice = None,
    lost_call_cost: LostCallCost = None,
) -> None:
    """Write the PNG report from a store.

    Example: capacity report --store calls --licences 120 --tz Europe/London --out report
    """
    assessment = _assessment(
        {"store": store, "start": start, "end": end, "tz": tz, "account": account, "project": project, "env": env},
        licences,
        tz=tz,
        horizon=horizon,
        seed=seed,
        holidays=holidays,
        exclude=exclude or None,
        mean_call_length=mean_call_length,
        licence_price=licence_price,
        lost_call_cost=lost_call_cost,
    )
    write_report(assessment, out)


@app.command()
def headroom(
    licences: Licence,
    store: Store,
    tz: Zone = "UTC",
    horizon: Horizon = 90,
    seed: Seed = 1,
    start: Start = None,
    end: End = None,
    account: Account = None,
    project: Project = None,
    env: AnyEnv = None,
    holidays: Holidays = None,
    exclude: Exclude = None,
    mean_call_length: CallLength = None,
    licence_price: LicencePrice = None,
    lost_call_cost: LostCallCost = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Say how close to the licence you are, when you run out, and how many channels to buy.

    Example: capacity headroom --store calls --licences 100,2026-03-01:120 --tz Europe/London --json
    """
    assessment = _assessment(
        {"store": store, "start": start, "end": end, "tz": tz, "account": account, "project": project, "env": env},
        licences,
        tz=tz,
        horizon=horizon,
        seed=seed,
        holidays=holidays,
        exclude=exclude or None,
        mean_call_length=mean_call_length,
        licence_price=licence_price,
        lost_call_cost=lost_call_cost,
    )
    if as_json:
        typer.echo(json.dumps(assessment.to_dict(), indent=2))
    else:
        typer.echo(str(assessment))


def _assessment(selection: dict[str, Any], licences: str, **options: Any) -> Assessment:
    """Read what was selected and ask the one question that answers all."""
    import capacity as cap

    frame = cap.read_intervals(**selection)
    with progress("Weighing the history") as step:
        return cap.assess(frame, licences, progress=step, name=selection["project"] or "", **options)


def write_report(assessment: Assessment, out: Path) -> None:
    """Print the verdict, write the pictures, and say where they are."""
    import capacity as cap

    typer.echo(assessment.sentence())
    paths = cap.report.save(assessment, out)
    typer.echo(f"\n{len(paths)} pictures in {out}:")
    for path in paths:
        typer.echo(f"  {path}")
