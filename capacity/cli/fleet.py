"""The command about many projects: fleet."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.app import EXIT_INCOMPLETE, EXIT_INTERRUPTED, app, progress, say
from capacity.cli.options import End, LeadTime, Out, Seed, Start, TariffFile, as_folder
from capacity.errors import CapacityError, ConfigError

if TYPE_CHECKING:
    from capacity.fleet.plan import Plan
    from capacity.fleet.result import Fleet


_PAGES = ("fleet.html", "fleet.pdf", "fleet.png")


@app.command()
def fleet(
    plan: Annotated[
        Path,
        typer.Argument(
            help="CSV: project, store, licences, tz; optional: account, env, pool, holidays, mean_call_length, "
            "licence_price, lost_call_cost, events, key_env.",
            metavar="PLAN",
        ),
    ],
    out: Out = Path("capacity-fleet"),
    workers: Annotated[int | None, typer.Option("--workers", help="Processes; by default one a core.", min=1)] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Work on this Dask cluster instead.", metavar="ADDRESS")
    ] = None,
    horizon: Annotated[int, typer.Option("--horizon", help="Days to look ahead.", min=1, max=365)] = 365,
    seed: Seed = 1,
    backtest: Annotated[bool, typer.Option("--backtest", help="Back-test each forecast: three times as long.")] = False,
    tariff: TariffFile = None,
    lead_time: LeadTime = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch --start to --end into the stores first.")] = False,
    start: Start = None,
    end: End = None,
    region: Annotated[str, typer.Option("--region", help="us-1, uk-1 or euw-1, for --fetch.")] = "us-1",
    base_url: Annotated[str | None, typer.Option("--base-url", help="In place of --region: another server.")] = None,
    report: Annotated[
        list[str] | None, typer.Option("--report", help="Write this project's own report too; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Assess every project of a plan, the riskiest first, and the licences that projects share.

    Results are kept in --out: fleet.parquet, pooled.parquet, changes.parquet, the page as fleet.html, fleet.pdf and
    fleet.png, and parts that a later run uses again where nothing changed. Exit code 3: some projects have no verdict,
    and their rows say why.

    Example: capacity fleet plan.csv --out fleet --workers 4
    """
    import capacity as cap
    from capacity.plan.files import read_tariff

    if workers is not None and scheduler is not None:
        raise ConfigError("--workers and --scheduler were both given; give one: the cluster has workers of its own")
    if fetch != (start is not None and end is not None):
        raise ConfigError("--fetch takes --start and --end; give all three, or none of them")
    as_folder(out)
    todo: Path | Plan = plan
    if fetch:
        from capacity.fleet.fetching import fetch_fleet

        with progress("Fetching") as step:
            todo = fetch_fleet(plan, str(start), str(end), region=region, base_url=base_url, progress=step)
    client = None if scheduler is None else _dask(scheduler)
    try:
        with progress("Assessing") as step:
            found = cap.assess_fleet(
                todo, horizon=horizon, seed=seed, executor=client, workers=workers, out=out, backtest=backtest,
                tariff=None if tariff is None else read_tariff(tariff), lead_time=lead_time, progress=step,
            )  # fmt: skip
    except KeyboardInterrupt as stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C, while the processes end
        say(f"Interrupted: {' '.join(getattr(stop, '__notes__', [])) or 'nothing is done yet'}.")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    finally:
        if client is not None:
            client.close()
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        typer.echo(str(found))
    asked = [_own_report(found, name, out / "reports" / name) for name in report or ()]
    for page in _PAGES:  # after the reports, to which the HTML file has links
        cap.report.save_fleet(found, out / page)
    if not as_json:
        typer.echo(f"\nWritten to {out}: {', '.join(('fleet.parquet', 'pooled.parquet', 'changes.parquet', *_PAGES))}")
    if len(found.failed) or not all(asked):
        raise typer.Exit(EXIT_INCOMPLETE)


def _own_report(found: Fleet, name: str, out: Path) -> bool:
    """Write the report on one project; where there is none, say why, so that the others are still written."""
    import capacity as cap

    try:
        if out.parent.name != "reports" or out.name in (".", "..", ""):
            raise ConfigError(f"{name!r} is no name that a folder can have; assess that project alone")
        assessment = found.assessment(name)
    except CapacityError as exc:
        say(f"--report {name}: {exc}")
        return False
    cap.report.save(assessment, out)
    cap.report.save_pdf(assessment, out / "report.pdf")
    say(f"The report on {name}: {cap.report.save_html(assessment, out / 'report.html')}")
    return True


def _dask(address: str) -> Any:
    """Return a client of a Dask cluster."""
    try:
        from distributed import Client as Cluster
    except ImportError:
        raise ConfigError("--scheduler needs Dask; install call-capacity[fleet]") from None
    try:
        return Cluster(address, timeout="10s")  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as exc:
        raise ConfigError(f"--scheduler {address}: no Dask scheduler answers there ({exc}); check the address") from exc
