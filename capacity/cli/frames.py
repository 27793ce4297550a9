"""Where a command takes its intervals from: a store, a file of intervals, or a call log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from capacity.calls.words import quoted
from capacity.cli.logwords import check_source, read_log
from capacity.errors import ConfigError, FrameError, InsufficientData
from capacity.ground.calls import Calls
from capacity.ground.frame import trim
from capacity.ground.times import as_instant, as_zone, midnight

Intervals = Annotated[
    Path | None,
    typer.Option(
        "--intervals",
        help="A file that `capacity intervals` wrote (CSV or Parquet), in place of --store.",
        metavar="FILE",
    ),
]
LogFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--calls", help="A call log in place of --store: a file, folder or glob; may be repeated.", metavar="LOG"
    ),
]
OwnZone = Annotated[
    str | None,
    typer.Option(
        "--tz",
        help="Time zone of days and hours, and of times without offset in --calls, such as Europe/London.",
        metavar="ZONE",
        show_default="UTC",
    ),
]


def read_both(
    *,
    store: str,
    intervals: Path | None,
    calls: list[str] | None,
    words: dict[str, Any] | None,
    tz: str | None,
    start: str | None,
    end: str | None,
    **scope: Any,
) -> tuple[pd.DataFrame, Calls | None]:
    """Return the intervals that a command was told to take, within [start, end), and the call records beside them."""
    import capacity as cap

    zone = tz or "UTC"
    if intervals is not None and calls:
        raise ConfigError("--intervals and --calls are both given; leave one out")
    check_source(words, log=bool(calls), file=intervals is not None)
    if intervals is None and not calls:
        scope |= {"start": start, "end": end, "tz": zone}
        frame = cap.read_intervals(store, **scope)
        if frame.empty:
            raise InsufficientData(
                f"{store} holds nothing {_span(start, end)}; capacity status --store {quoted(store)} says what it holds"
            )
        return frame, _stored(store, **scope)
    if intervals is not None:
        return _within(_from_file(intervals), start, end, zone), None
    log = read_log(calls or [], tz, words)
    first, last = log.frame["start"].min(), log.frame[["start", "end"]].max().max()
    # Whole local days, so that each day's peak counts.
    span = [
        midnight(t.tz_convert(zone).tz_localize(None).normalize() + pd.Timedelta(days=k), as_zone(zone))
        for t, k in ((first, 0), (last, 1))
    ]
    frame = cap.intervals_from_calls(log, start=span[0], end=span[1], by="variant" if "variant" in log.frame else None)
    return _within(frame, start, end, zone), log


def _stored(store: str, **selection: Any) -> Calls | None:
    """Return the call records of the same project and range, if the store has just those."""
    import capacity as cap

    try:
        calls = cap.read_stored_calls(store, **selection)
    except ConfigError:
        return None
    return calls if len(calls) else None


def _from_file(path: Path) -> pd.DataFrame:
    import capacity as cap

    try:
        with path.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
        table = pd.read_parquet(path) if parquet else pd.read_csv(path, dtype={"variant": str}, keep_default_na=False)
    except (OSError, ValueError) as exc:
        raise FrameError(f"{path} cannot be read as intervals ({exc})") from exc
    index = [n for n in table.index.names if n is not None]
    table = table.reset_index() if index else table
    if not {"time", "max_concurrent"} <= set(table.columns):
        raise FrameError(
            f"{path} holds no intervals: it needs columns time, a slice such as variant, and max_concurrent; there are "
            f"{[str(c) for c in table.columns]}; a call log is given with --calls"
        )
    if len([c for c in table.columns if c not in ("time", "max_concurrent", "variant_name")]) == 0:
        table = table.assign(variant=cap.TOTAL)
    if not parquet:
        table = table.assign(time=pd.to_datetime(table["time"], utc=True, format="ISO8601"))
    return cap.as_intervals(table)


def _within(frame: pd.DataFrame, start: str | None, end: str | None, tz: str) -> pd.DataFrame:
    times = frame.index.get_level_values(0)
    keep = np.ones(len(frame), dtype=bool)
    since = None if start is None else as_instant(start, tz, name="start")
    until = None if end is None else as_instant(end, tz, name="end")
    if since is not None and until is not None and since >= until:
        raise ConfigError(f"start={start!r} is not before end={end!r}; ranges are [start, end)")
    if since is not None:
        keep &= times >= since
    if until is not None:
        keep &= times < until
    if len(frame) and not keep.any():
        span = f"{times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M}"
        raise InsufficientData(f"there is no interval {_span(start, end)}; there are intervals from {span} UTC")
    return frame if bool(keep.all()) else trim(frame[keep])


def _span(start: str | None, end: str | None) -> str:
    """Say a range that was asked for."""
    ends = [f"{word} {text}" for word, text in (("from", start), ("to", end)) if text is not None]
    return " ".join(ends) or "yet"
