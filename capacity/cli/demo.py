"""The main job, end to end, on an embedded default: calls, endpoint, fetch, analysis, report."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import pandas as pd
import typer

from capacity.cli.app import app, progress, say, show_requests
from capacity.cli.logwords import check_source, describes_log, read_log
from capacity.cli.options import Horizon, Seed, Verbose, as_folder
from capacity.cli.reporting import write_report
from capacity.errors import ConfigError
from capacity.ground.extras import extra
from capacity.ground.times import as_zone

if TYPE_CHECKING:
    from capacity.fetch.client import Client


# The simulated calls end here, so that the same seed tells the same story on every day it is told.
LAST_DAY = pd.Timestamp("2026-10-01")
HOLIDAYS = "GB-ENG"  # of the London hotels that are simulated: "GB" has those of the whole kingdom only
HANDED_OFF = 0.2  # of the simulated calls, to colleagues
ACCOUNT, KEY = "ACCOUNT-demo", "a-key-for-loopback-only"


@app.command()
@describes_log
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the store and the pictures.")] = Path("capacity-demo"),
    days: Annotated[int, typer.Option("--days", help="Days of simulated calls.", min=1)] = 400,
    seed: Seed = 1,
    calls: Annotated[
        list[str] | None,
        typer.Option(
            "--calls",
            help="Call records in place of simulated ones: a file, folder or glob; may be repeated.",
            metavar="FILE",
        ),
    ] = None,
    tz: Annotated[
        str | None, typer.Option("--tz", help="Time zone of days and of naive times in --calls.", show_default=False)
    ] = None,
    licences: Annotated[
        str | None, typer.Option("--licences", help="Licensed channels; by default a little above the peak.")
    ] = None,
    horizon: Horizon = 90,
    verbose: Verbose = False,
    words: dict[str, Any] | None = None,
) -> None:
    """Simulate calls, serve them on loopback, fetch them over HTTP, analyse, and write the report (HTML, PDF, PNG).

    Example: capacity demo --out demo. On your own records: capacity demo --calls calls.csv --tz Europe/London
    """
    import capacity as cap

    show_requests(verbose)
    as_folder(out)
    check_source(words, log=bool(calls), file=False)
    zone = tz or ("UTC" if calls else "Europe/London")
    records, project, span = _simulated(zone, days, seed) if not calls else _recorded(calls, tz, zone, words)
    out.mkdir(parents=True, exist_ok=True)
    say(f"Serving {len(records):,} calls on loopback, and fetching them week by week over HTTP ...")
    if not calls:
        from capacity.calls.simulate import handed_off

        records = handed_off(records, HANDED_OFF, seed=seed)
    frame = _fetch(records, project, span, out / "store", zone)
    say(str(cap.coverage(cap.total(frame))))
    if licences is None:
        peak = int(cap.total(frame)["max_concurrent"].max())
        licences = str(_a_little_above(peak))
        say(f"No licence count given: taking {licences}, a little above the peak of {peak}.")
    with progress("Weighing the history") as step:
        assessment = cap.assess(
            frame, licences, tz=zone, horizon=horizon, seed=seed, holidays=None if calls else HOLIDAYS, progress=step
        )
    say()
    write_report(assessment, out)


_Records: TypeAlias = tuple[pd.DataFrame, str, tuple[dt.date, dt.date]]


def _simulated(tz: str, days: int, seed: int) -> _Records:
    """Return the calls, a project id that says which they are, and the local days they cover."""
    import capacity as cap

    last = min(LAST_DAY, pd.Timestamp.now(as_zone(tz)).tz_localize(None).normalize())
    first = last - pd.Timedelta(days=days)
    say(f"Simulating {days} days of calls on four variants (seed {seed}) ...")
    calls = cap.simulate_calls(first.date(), last.date(), tz=tz, seed=seed, holidays=HOLIDAYS)
    return calls, _project("demo", calls), (first.date(), last.date())


def _recorded(sources: Sequence[str], tz: str | None, zone: str, words: dict[str, Any] | None) -> _Records:
    """Return the calls of a log in the same way."""
    calls = read_log(sources, tz, words).frame
    if calls.empty:
        raise ConfigError(f"{sources[0]} holds no call; there is nothing to show")
    first, last = (t.tz_convert(as_zone(zone)) for t in (calls["start"].min(), calls[["start", "end"]].max().max()))
    # Whole local days, so that each day's peak counts.
    return calls, _project(Path(sources[0]).stem, calls), (first.date(), last.date() + dt.timedelta(days=1))


def _project(name: str, calls: pd.DataFrame) -> str:
    """Return an id that the calls themselves are in, so that a store never mixes two logs of one name."""
    return f"PROJECT-{name}-{int(pd.util.hash_pandas_object(calls, index=False).sum()):016x}"


def _fetch(records: pd.DataFrame, project: str, span: tuple[dt.date, dt.date], store: Path, tz: str) -> pd.DataFrame:
    import capacity as cap

    with extra("emulator", "serving the endpoint"):
        from capacity.calls import emulator

    with emulator.serve(records, account=ACCOUNT, project=project, key=KEY) as server:
        client: Client
        with cap.Client(ACCOUNT, project, api_key=KEY, base_url=server.url) as client:
            frame = cap.fetch_intervals(client, *span, tz=tz, store=store)
            week = max(span[0], span[1] - dt.timedelta(days=7))
            own = cap.fetch_calls(client, week, span[1], tz=tz, store=store)
        say(f"{len(server.requests)} requests answered; what is final is kept in {store} and not asked for again.")
    if len(own):
        say(f"The records of {len(own):,} calls since {week}, fetched as well, beside these maxima:")
        say(cap.reconcile(frame, own, tz=tz).sentence())
    return frame


def _a_little_above(peak: int) -> int:
    """Round up to what a contract would say: 113 -> 120, 9 -> 10, 1040 -> 1100."""
    step = int(10 ** max(0, math.floor(math.log10(max(peak, 1))) - 1))
    return int(math.floor(peak * 1.02 / step) + 1) * step
