"""Call logs as they come -> clean call records, and an account of what was read, dropped and why."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import union_categoricals

from capacity.calls.account import CallLog, Tally
from capacity.calls.logfile import open_log
from capacity.calls.stamps import Stamps, read_lengths, read_times
from capacity.errors import ConfigError, FrameError
from capacity.ground.arrays import Bools
from capacity.ground.times import as_zone

__all__ = ["CallLog", "read_calls"]

_OPTIONAL = ("variant", "variant_name", "language", "phone_number", "env", "blocked")
_HALF_DAY = 43_200_000_000_000  # [ns]
_DAY = pd.Timedelta(days=1)
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0", "")


@dataclass(frozen=True)
class _Reading:
    """How to read a log; what `read_calls` was told."""

    start: str
    ends: tuple[str, ...]
    duration: str | None
    others: Mapping[str, str]
    zone: dt.tzinfo | None
    formats: tuple[str, ...]
    date: str | None
    date_format: str | None
    nothing: tuple[str, ...]
    drop: Mapping[str, Collection[Any]]
    unfinished: str


def read_calls(
    path: str | Path,
    *,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    tz: str | dt.tzinfo | None = None,
    time_format: str | Sequence[str] = (),
    date: str | None = None,
    date_format: str | None = None,
    nothing: Sequence[str] = (),
    drop: Mapping[str, Collection[Any]] | None = None,
    unfinished: str = "keep",
    keep: Sequence[str] = (),
    separator: str | None = None,
    encoding: str = "utf-8",
    progress: Callable[[int], object] | None = None,
) -> CallLog:
    r"""Read a call log from CSV or Parquet, and say what was dropped and why.

    Parameters
    ----------
    path : path
        A CSV file (also .gz; comma, semicolon, tab or bar), a Parquet file, or a folder of Parquet files.
    columns : mapping, optional
        Which column is what: ``{"start": "answered", "end": "hung_up", "variant": "flow"}``. Several columns for
        ``end`` are stages of a call: it ends with the last that happened. ``duration`` may stand for the end:
        seconds, "mm:ss" or "h:mm:ss".
    tz : str or tzinfo, optional
        Where times without an offset are local.
    time_format : str or sequence of str
        strptime formats of times that are not ISO 8601; "03/04/2026" is not guessed at. Numbers are seconds,
        milliseconds, microseconds or nanoseconds since 1970, by size.
    date, date_format : str, optional
        The column that holds the day where the other columns hold times of day, and how it is written ("%y%m%d").
        Times of day are "h:mm:ss" or "h:mm"; one more than 12 hours before the start of its call is on the next day.
    nothing : sequence of str
        Texts that mean "did not happen", such as "0:00:00".
    drop : mapping of column -> values, optional
        Rows that are no calls: ``{"outcome": ["PHANTOM"]}``.
    unfinished : {"keep", "drop"}
        Calls without an end: still in progress, or dropped.
    keep : sequence of str
        Further columns to keep, to group by.
    separator, encoding : str
        Of CSV; the separator is seen from the header where it is not given.
    progress : callable, optional
        Called with the number of rows read so far.

    Returns
    -------
    CallLog
        Its ``calls`` are what `capacity.intervals_from_calls` takes; its ``str`` is the account.

    Raises
    ------
    FrameError
        Columns that are not there; a file that is no CSV or Parquet; no row of which start and end can be read.
    ConfigError
        Times without offset and no `tz`; an unknown option; columns that contradict each other; a separator that is
        not one character.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = file.write_text("start,duration\n2026-07-01 14:01,2:30\n2026-07-01 14:03,\nnever,1:00\n")
    >>> print(read_calls(file, tz="Europe/London"))
    3 rows read, 2 calls kept, 1 dropped
      dropped: 1 start cannot be read (first: row 3)
      kept: 1 no end: still in progress (first: row 2)
    """
    if unfinished not in ("keep", "drop"):
        raise ConfigError(f"unfinished={unfinished!r} is neither 'keep' nor 'drop'")
    log = open_log(Path(path), separator=separator, encoding=encoding)
    reading = _reading(log.columns, dict(columns or {}), keep, drop or {})
    reading = dataclasses.replace(
        reading,
        zone=as_zone(tz) if tz is not None else None,
        formats=(time_format,) if isinstance(time_format, str) else tuple(time_format),
        date=date,
        date_format=date_format,
        nothing=tuple(nothing),
        unfinished=unfinished,
    )
    wanted = {reading.start, *reading.ends, *reading.others.values(), *reading.drop}
    wanted |= {c for c in (reading.duration, date) if c is not None}
    if absent := sorted(wanted - set(log.columns)):
        raise FrameError(f"the log has no columns {absent}; there are {log.columns}")
    tally = Tally()
    parts = []
    for rows in log.batches(sorted(wanted)):
        parts.append(_clean(rows, reading, tally))
        tally.read += len(rows)
        if progress is not None:
            progress(tally.read)
    tally.add_broken(log.broken)
    calls = _joined(parts, [*reading.others])
    if len(calls) == 0 and tally.unreadable:
        raise FrameError(
            f"not one of {tally.read:,} rows has a start and an end that can be read (for example {tally.unreadable}); "
            "say how times are written with time_format=, such as '%d/%m/%Y %H:%M'"
        )
    return tally.closed(calls)


def _reading(
    there: Sequence[str], columns: dict[str, Any], keep: Sequence[str], drop: Mapping[str, Collection[Any]]
) -> _Reading:
    known = {"start", "end", "duration", *_OPTIONAL}
    if strange := sorted(set(columns) - known):
        raise ConfigError(f"columns={strange}: a call has {sorted(known)}; name further columns in keep=")
    if several := sorted(key for key, value in columns.items() if key != "end" and not isinstance(value, str)):
        raise ConfigError(
            f"columns: {several[0]}={columns[several[0]]!r} is not one column; only 'end' may have several"
        )
    if "end" in columns and "duration" in columns:
        raise ConfigError("columns names 'end' and 'duration'; a call ends by one of them: leave the other out")
    mapped = {key for key in set(_OPTIONAL) & set(columns) if columns[key] != key and key in there}
    if taken := sorted(set(keep) & ({"start", "end"} | mapped)):
        raise ConfigError(f"keep={taken}: the calls have something else by that name; rename the column of the log")
    ends = columns.get("end", "end" if "end" in there and "duration" not in columns else ())
    ends = (ends,) if isinstance(ends, str) else tuple(ends)
    duration = columns.get("duration", "duration" if "duration" in there and not ends else None)
    if not ends and duration is None:
        raise FrameError(f"the log has no column 'end' or 'duration'; say which it is with columns=; there are {there}")
    others = {name: columns.get(name, name) for name in _OPTIONAL if name in columns or name in there}
    others |= {name: name for name in keep if name not in others}
    return _Reading(columns.get("start", "start"), ends, duration, others, None, (), None, None, (), dict(drop), "keep")


def _clean(rows: pd.DataFrame, how: _Reading, tally: Tally) -> pd.DataFrame:
    """Return the calls of one batch and count what was dropped; each row is counted once."""
    good = np.ones(len(rows), dtype=bool)

    def lose(reason: str, which: Bools) -> None:
        which = which & good
        tally.count(tally.lost, reason, which)
        good[which] = False

    for column, values in how.drop.items():
        text = rows[column].astype("string")
        for value in values:
            lose(f"{column} is {str(value)!r}", np.asarray((text == str(value)).fillna(False).astype(bool)))
    start = _times(rows, how.start, how)
    lose("no start", start.missing)
    if (start.unreadable & good).any() and not tally.unreadable:
        tally.unreadable = repr(rows[how.start][start.unreadable & good].iloc[0])
    lose("start cannot be read", start.unreadable)
    lose("start is a local time that the clock skipped", start.never)
    ends, still, long_after = _ends(rows, how, start, lose)
    if how.unfinished == "drop":
        lose("no end", still)
    blocked = None
    if "blocked" in how.others:
        blocked, unclear = _flags(rows[how.others["blocked"]])
        lose("blocked is neither true nor false", unclear)
    tally.count(tally.kept, "no end: still in progress", still & good)
    tally.count(tally.kept, "end after midnight: on the next day", long_after & good)
    tally.count(tally.kept, "start in the hour that the clock repeats: the first is taken", start.twice & good)
    tally.count(tally.kept, "of no length: never in progress", (ends == start.values) & ~still & good)
    tally.count(tally.kept, "longer than a day", (ends - start.values > 2 * _HALF_DAY) & ~still & good)
    out = pd.DataFrame(
        {
            "start": pd.DatetimeIndex(start.values[good]).tz_localize("UTC"),
            "end": pd.DatetimeIndex(np.where(still, pd.NaT.value, ends)[good]).tz_localize("UTC"),
        }
    )
    for name, column in how.others.items():
        if name == "blocked" and blocked is not None:
            out[name] = blocked[good]
        else:
            out[name] = _category(rows[column][good])
    return out


def _times(rows: pd.DataFrame, column: str, how: _Reading, shift: pd.Timedelta | None = None) -> Stamps:
    day = None
    if how.date is not None:
        text = rows[how.date]
        if text.dtype.kind != "M":
            text = pd.to_datetime(
                text.astype("string").str.strip(), format=how.date_format or "ISO8601", errors="coerce"
            )
        day = text if shift is None else text + shift
    return read_times(rows[column], tz=how.zone, formats=how.formats, nothing=how.nothing, day=day)


def _ends(
    rows: pd.DataFrame, how: _Reading, start: Stamps, lose: Callable[[str, Bools], None]
) -> tuple[npt.NDArray[np.int64], Bools, Bools]:
    """Return the end of each call [ns], where there is none, and where it lies on the day after the start's."""
    if how.duration is not None and not how.ends:
        lengths, still, bad = read_lengths(rows[how.duration], how.nothing)
        lose("duration cannot be read", bad)
        lose("duration is negative", lengths < 0)
        return start.values + lengths, still, np.zeros(len(rows), dtype=bool)
    last = np.full(len(rows), np.iinfo(np.int64).min)
    still, rolled = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    for column in how.ends:
        found = _times(rows, column, how)
        if how.date is not None:
            found, over = _over_midnight(found, start, partial(_times, rows, column, how, _DAY))
            rolled |= over
        lose(f"{column} cannot be read", found.unreadable)
        lose(f"{column} is a local time that the clock skipped", found.never)
        # Of a local hour that happens twice the first is taken, unless the call would end before it began.
        values = np.where(found.twice & (found.values < start.values), found.second, found.values)
        lose(f"{column} lies before {how.start}", found.known & (values < start.values))
        last = np.where(found.known, np.maximum(last, values), last)
        still &= ~found.known
    return np.where(still, start.values, last), still, rolled


def _over_midnight(found: Stamps, start: Stamps, read_next: Callable[[], Stamps]) -> tuple[Stamps, Bools]:
    """Return the times of day with those moved to the next day that belong there, and which these are.

    A time of day that the clock skips on the day of the start may well be there on the next.
    """
    over = found.known & (found.values < start.values - _HALF_DAY)
    if not (over | found.never).any():
        return found, over
    next_day = read_next()
    over |= found.never & next_day.known & (next_day.values - start.values < _HALF_DAY)
    return found.replaced(over, next_day), over


def _flags(column: pd.Series) -> tuple[Bools, Bools]:
    if column.dtype == bool:
        return column.to_numpy(), np.zeros(len(column), dtype=bool)
    text = column.astype("string").fillna("").str.strip().str.lower()
    yes, no = np.asarray(text.isin(_TRUE).astype(bool)), np.asarray(text.isin(_FALSE).astype(bool))
    return yes, ~(yes | no)


def _category(column: pd.Series) -> pd.Categorical:
    text = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("string").replace("", pd.NA)
    codes, labels = pd.factorize(text)
    return pd.Categorical.from_codes(codes, [str(label) for label in labels])


def _joined(parts: list[pd.DataFrame], others: list[str]) -> pd.DataFrame:
    if not parts:
        none = pd.DatetimeIndex([], tz="UTC").as_unit("ns")
        return pd.DataFrame({"start": none, "end": none, **{name: pd.Categorical([]) for name in others}})
    joined: dict[str, Any] = {c: pd.concat([p[c] for p in parts], ignore_index=True) for c in ("start", "end")}
    for name in others:
        columns = [part[name] for part in parts]
        if isinstance(columns[0].dtype, pd.CategoricalDtype):
            joined[name] = union_categoricals(columns, sort_categories=True)
        else:
            joined[name] = np.concatenate([c.to_numpy() for c in columns])
    return pd.DataFrame(joined)
