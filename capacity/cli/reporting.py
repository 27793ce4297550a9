"""Commands that answer: report and headroom."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from capacity.cli.app import EXIT_RISK, app, progress, say
from capacity.cli.dressing import dressed, parameters_of
from capacity.cli.frames import Intervals, LogFiles, OwnZone, read_both
from capacity.cli.logwords import describes_log
from capacity.cli.options import (
    Account,
    AnyEnv,
    End,
    Horizon,
    LeadTime,
    Licence,
    Out,
    Project,
    Seed,
    Start,
    Store,
    TariffFile,
    as_folder,
)
from capacity.errors import ConfigError, InsufficientData
from capacity.ground.text import chance, percent, plural
from capacity.ground.times import as_instant

if TYPE_CHECKING:
    from capacity.analysis.assessment import Assessment
    from capacity.plan.purchase import PurchaseSchedule


Holidays = Annotated[
    str | None, typer.Option("--holidays", help="Country whose public holidays count, such as GB-ENG or US-CA.")
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", help="A day that is not fitted, such as an incident; may be repeated.")
]
CallLength = Annotated[
    str | None, typer.Option("--mean-call-length", help="Such as 3m or 180s: adds offered load and lost calls.")
]
LicencePrice = Annotated[float | None, typer.Option("--licence-price", help="Price of one licence a year.", min=0)]
LostCallCost = Annotated[float | None, typer.Option("--lost-call-cost", help="Cost of one call turned away.", min=0)]
Events = Annotated[
    Path | None,
    typer.Option(
        "--events", help="TOML file of launches and other events to come, each a table [[event]].", metavar="FILE"
    ),
]
LedgerDir = Annotated[
    Path | None,
    typer.Option(
        "--ledger",
        help="Folder in which forecasts are kept: adds a page on how they have done, and keeps this one.",
        metavar="DIR",
    ),
]
MaxRisk = Annotated[
    str | None,
    typer.Option(
        "--max-risk",
        help="Such as 5%: exit code 4 where the chance of exceeding the licences within the horizon is above it.",
    ),
]
AsHtml = Annotated[bool, typer.Option("--html/--no-html", help="One HTML file, to read and to send.")]
AsPdf = Annotated[bool, typer.Option("--pdf/--no-pdf", help="The pages as one PDF, to print.")]


@contextmanager
def _assessed(
    licences: Licence,
    store: Store,
    intervals: Intervals = None,
    calls: LogFiles = None,
    tz: OwnZone = None,
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
    lead_time: LeadTime = None,
    events: Events = None,
    tariff: TariffFile = None,
    max_risk: MaxRisk = None,
    words: dict[str, Any] | None = None,
) -> Iterator[Assessment]:
    """Read what was selected and ask the one question that answers all; after it hold the risk against its limit."""
    import capacity as cap
    from capacity.plan.files import read_events, read_tariff

    limit, zone = _share(max_risk), tz or "UTC"
    told = None if events is None else read_events(events)  # before the work, not after it
    rates = None if tariff is None else read_tariff(tariff)
    scope = {"start": start, "end": end, "account": account, "project": project, "env": env}
    frame, records = read_both(store=store, intervals=intervals, calls=calls, words=words, tz=tz, **scope)
    # Data that are not there yet are not missing.
    due = None if end is None else min(as_instant(end, zone, name="end"), pd.Timestamp.now("UTC").as_unit("ns"))
    with progress("Weighing the history") as step:
        assessment = cap.assess(
            frame, licences, tz=zone, horizon=horizon, seed=seed, name=project or "", holidays=holidays,
            exclude=exclude or None, calls=records, mean_call_length=mean_call_length, licence_price=licence_price,
            lost_call_cost=lost_call_cost, lead_time=lead_time, events=told, tariff=rates, end=due, progress=step,
        )  # fmt: skip
    yield assessment
    _hold_against(assessment, limit)


def _answers(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of an assessment; it is called with the `assessment` in their place."""
    own = parameters_of(command, "assessment")

    @describes_log
    @partial(dressed, command=command, parameters=[*parameters_of(_assessed), *own])
    def run(**given: Any) -> None:
        mine = {p.name: given.pop(p.name) for p in own}
        if "out" in mine:
            as_folder(mine["out"])  # before the work, not after it
        with _assessed(**given) as assessment:
            command(assessment, **mine)

    return run


@app.command()
@_answers
def report(
    assessment: Assessment,
    out: Out = Path("capacity-report"),
    ledger: LedgerDir = None,
    html: AsHtml = True,
    pdf: AsPdf = True,
) -> None:
    """Write the report from a store, intervals or a call log: one HTML file, one PDF, the pages and charts as PNG.

    Example: capacity report --store calls --licences 120 --tz Europe/London --out report
    """
    write_report(assessment, out, html=html, pdf=pdf, ledger=ledger, order=_order(assessment))


@app.command()
@_answers
def headroom(
    assessment: Assessment, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False
) -> None:
    """Say how close to the licence you are, when you run out, and how many channels to buy.

    Example: capacity headroom --store calls --licences 100,2026-03-01:120 --tz Europe/London --json
    """
    order = _order(assessment)
    if as_json:
        more = {} if order is None else {"order": order.to_dict()}
        typer.echo(json.dumps({**assessment.to_dict(), **more}, indent=2))
        return
    typer.echo(str(assessment))
    if order is not None:
        typer.echo(f"\nWhat to order, and when\n\n{order}")


def _order(assessment: Assessment) -> PurchaseSchedule | None:
    """Return what to order when, where the tariff and the lead time are known."""
    import capacity as cap

    forecast, cost = assessment.forecast, assessment.cost
    if forecast is None or cost is None or assessment.lead_time is None:
        return None
    return cap.purchase_schedule(
        forecast,
        cost.tariff,
        lead_time=assessment.lead_time,
        lost_call_cost=cost.lost_call_cost or None,
        licences=assessment.licences,
        mean_call_length=cost.mean_call_length,
        variant=assessment.variant or None,
    )


def _share(text: str | None) -> float | None:
    """Read a risk: 5%, 5 % or 0.05."""
    if text is None:
        return None
    words = text.strip()
    try:
        share = float(words.removesuffix("%")) / (100 if words.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise ConfigError(f"--max-risk {text!r} is no risk; write 5% or 0.05, at least 0 and below 100%")
    return share


def _hold_against(assessment: Assessment, limit: float | None) -> None:
    """Leave with exit code 4 where the risk is above what was allowed; an unknown one is an error."""
    if limit is None:
        return
    risk = assessment.situation.risk
    if risk is None or (assessment.headroom is None and risk[0] <= limit):
        raise InsufficientData(f"--max-risk cannot be judged: {assessment.confidence.reason}")
    worst = risk[0] if assessment.headroom is None else risk[1]
    if worst > limit:
        span = plural(assessment.horizon, "day")
        say(
            f"The chance of exceeding the licences within {span} is {chance(worst)}, above --max-risk {percent(limit)}."
        )
        raise typer.Exit(EXIT_RISK)


def write_report(
    assessment: Assessment,
    out: Path,
    *,
    html: bool = True,
    pdf: bool = True,
    ledger: Path | None = None,
    order: PurchaseSchedule | None = None,
) -> None:
    """Print the verdict, write the report as HTML, PDF and pictures, and say where they are."""
    import capacity as cap

    book = None if ledger is None else cap.Ledger(ledger)
    typer.echo(assessment.verdict())
    if order is not None:
        typer.echo(f"\n{order.sentence()}")
    pictures = cap.report.save(assessment, out, ledger=book)
    typer.echo()
    if html:
        typer.echo(
            f"{cap.report.save_html(assessment, out / 'report.html', ledger=book)}  to read in a browser and to send"
        )
    if pdf:
        typer.echo(f"{cap.report.save_pdf(assessment, out / 'report.pdf', ledger=book)}  to print")
    typer.echo(f"{len(pictures)} pictures in {out}:")
    for path in pictures:
        typer.echo(f"  {path}")
    if book is not None and assessment.forecast is not None:
        say(f"Kept {book.record(assessment, made_on=assessment.forecast.dates[0])}")
