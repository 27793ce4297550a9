"""From call logs of any kind to call records, with an account of how they were read."""

from __future__ import annotations

import datetime as dt
import filecmp
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from capacity.calls.account import CallLogAccount, account_of, silences
from capacity.calls.decide import Decision, Undecided, decide
from capacity.calls.kinds import kinds_of
from capacity.calls.known import header_of
from capacity.calls.logs import Log, first_rows, frame_log, open_log
from capacity.calls.rows import Rows
from capacity.calls.sources import files_of
from capacity.calls.words import Words, names_of, option, shown, words_from
from capacity.errors import FrameError
from capacity.ground.calls import Calls
from capacity.ground.result import Result

_WRITE = ("--out", "intervals.parquet")  # where a command that is printed writes

LogSource: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | pd.DataFrame


def read_calls(
    source: LogSource,
    *,
    tz: str | dt.tzinfo | None = None,
    like: str | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    header: str | Sequence[str] | None = None,
    skip: int | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    time_format: str | Sequence[str] = (),
    date: str | None = None,
    date_format: str | None = None,
    unit: str | None = None,
    only: Mapping[str, str | Collection[Any]] | None = None,
    drop: Mapping[str, str | Collection[Any]] | None = None,
    call_id: str | None = None,
    wait: str | None = None,
    na_values: Sequence[str] = (),
    unfinished: str | None = None,
    keep: Sequence[str] = (),
    progress: Callable[[int], object] | None = None,
) -> Calls:
    r"""Return the calls of a log (CSV, JSON, Parquet, Excel), with an account of what was read, dropped and assumed.

    Exports of common phone systems and voice agents are known by their columns; in others, columns are found by
    their names, and times and lengths by how all cells of a column are written. Where that leaves more than one
    reading, an error lists them.

    Parameters
    ----------
    source : path, several paths, folder, glob or DataFrame
        CSV of any dialect, JSON (a list, lines, or a list under some key), Parquet, or a workbook; compressed or not.
    tz : str or tzinfo, optional
        IANA name of the zone in which times without an offset are local, such as "Europe/London".
    like : str, optional
        The export it is, such as "asterisk" or "3cx" (an unknown name lists them); "none" for none of them.
    columns : mapping, optional
        Which column is what: ``{"start": "answered", "end": "hung_up", "variant": "flow"}``. Several columns for
        ``end`` are stages of a call: it ends with the last that happened. ``duration`` may stand for the end;
        ``talk`` is the length of the last part of the call, which alone then counts.
    header : sequence of str, optional
        The names of the columns, where the file has none.
    skip : int, optional
        Number of lines before the header; by default it is found.
    encoding, separator : str, optional
        Encoding and separator of CSV; by default they are found.
    time_format : str or sequence of str, optional
        strptime formats of times, or "epoch-s", "epoch-ms", "epoch-us", "epoch-ns" and "excel-days"; by default they
        are found.
    date, date_format : str, optional
        The column that holds the day where the others hold times of day, and how it is written.
        A time of day more than 12 hours before the start of its call is on the next day.
    unit : {"s", "ms", "min", "hour", "day"}, optional
        The unit of lengths that are numbers, and of the last part of those of two parts: "0:03" is 3 s, or 3 min.
    only, drop : mapping of column -> values, optional
        Keep only rows, or drop rows, with one of these values: ``{"status": ["Answered"]}``.
    call_id : str, optional
        Rows that share it are legs of one call, from its first start to its last end; "none": each row is a call.
    wait : str, optional
        The column with the wait (ringing) before the talk; the call counts from its start plus the wait.
    na_values : sequence of str, optional
        Texts that mean that a time or length is missing, such as "0:00:00" for a call that was not answered.
    unfinished : {"recent", "keep", "drop"}, optional
        What to do with calls without an end: "recent" (the default) keeps, as in progress, those that began within 24
        hours of the log's latest time, "keep" keeps all of them, and "drop" none.
    keep : sequence of str, optional
        Further columns to keep, to group by.
    progress : callable, optional
        Called with the number of rows read so far.

    Returns
    -------
    Calls
        Its ``frame`` is what `capacity.intervals_from_calls` takes; its ``account`` says what was done.

    Raises
    ------
    ConfigError
        The log can be read in several ways and nothing decides: the message lists them, the likeliest first. Times
        without an offset and no `tz`; options that contradict each other.
    FrameError
        Columns that are not there; a file that is no log; not one row that can be read.

    See Also
    --------
    capacity.look_at_calls : what a log seems to be, without reading all of it.
    capacity.intervals_from_calls : calls to 5-minute maxima.
    capacity.Calls

    Examples
    --------
    >>> import capacity as cap
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = file.write_text("Start Time,Duration\n2026-07-01 14:01:07,2:30\n2026-07-01 14:03:10,\n,1:00\n")
    >>> calls = cap.read_calls(file, tz="Europe/London", unit="s")
    >>> calls
    <Calls: 3 rows read, 2 calls kept, 1 dropped>
    >>> print(calls.account)
    3 rows read, 2 calls kept, 1 dropped
      log.csv: CSV, utf-8, separator comma
      start: column Start Time, written %Y-%m-%d %H:%M:%S, local times in Europe/London
      end: start + column Duration (seconds)
      dropped: 1 no start (first: row 3)
      kept: 1 no end: still in progress (first: row 2); unfinished='drop'
      2026-07-01 (UTC), 2 calls a day, median length 0:02:30, longest 0:02:30; 50% without end
    """
    words = words_from(
        columns=columns,
        header=header,
        separator=separator,
        time_format=time_format,
        only=only,
        drop=drop,
        na_values=na_values,
        unfinished=unfinished,
        keep=keep,
        unit=unit,
        date_format=date_format,
        tz=tz,
        like=like,
        skip=skip,
        encoding=encoding,
        date=date,
        call_id=call_id,
        wait=wait,
        sources=names_of(source),
    )
    return read_with(source, words, progress=progress)


def read_with(source: LogSource, words: Words, *, progress: Callable[[int], object] | None = None) -> Calls:
    """Return the calls of a log as the options in `words` say."""
    groups = _opened(source, words)
    parts = [(rows, _decided(rows, words, progress, alone=len(groups) == 1)) for rows in groups]
    frames, accounts = [], []
    for rows, decision in parts:
        frame = decision.outcome.frame()
        account = account_of(decision, rows, frame)
        if account.read and not account.kept:
            raise FrameError(_nothing(account, rows, decision))
        frames.append(frame)
        accounts.append(account)
        rows.columns.clear()
    frame, account = _together(frames, accounts)
    said = words if words.rest else replace(words, rest=_WRITE)
    return Calls(frame, account, said.command() if words.sources else "")


def _decided(rows: Rows, words: Words, progress: Callable[[int], object] | None, *, alone: bool) -> Decision:
    try:
        return decide(rows, words, progress)
    except FrameError as exc:
        name = rows.logs[0].name
        if alone or name in str(exc):
            raise
        raise FrameError(f"{name}: {exc}; a file that is no log is left out by naming the others") from exc


def _once(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """Return the files without copies, and a line for each copy: a download that came twice is no second log."""
    kept: dict[int, list[Path]] = {}
    copies: dict[Path, str] = {}
    for path in paths:
        others = kept.setdefault(path.stat().st_size, [])
        same = next((k for k in others if filecmp.cmp(k, path, shallow=False)), None)
        if same is None:
            others.append(path)
        else:
            copies[path] = f"{path.name} is a copy of {same.name}, and is read once"
    return [path for path in paths if path not in copies], list(copies.values())


def _opened(source: LogSource, words: Words) -> list[Rows]:
    """Open all files; those with the same columns are read together."""
    if isinstance(source, pd.DataFrame):
        return [Rows([frame_log(source)])]
    paths, copies = _once(files_of(source))
    logs = [
        open_log(path, encoding=words.encoding, separator=words.separator, skip=words.skip, header=words.header)
        for path in paths
    ]
    logs[0].doubts += copies
    found: dict[tuple[str, ...], list[Log]] = {}
    for log in logs:
        names = tuple(log.columns)
        if not log.header and words.header is None and names:
            known = header_of(names, log.sample(), words.like)
            names = tuple(known[1]) if known else names
        found.setdefault(names, []).append(log)
    filled = {names: group for names, group in found.items() if names}
    return [Rows(group, names) for names, group in (filled or found).items()]


def _nothing(account: CallLogAccount, rows: Rows, decision: Decision) -> str:
    reasons = [
        f"{row['rows']:,} {reason}" + (f" (first: {row['where']}, {row['text']})" if row["text"] else "")
        for reason, row in account.dropped.iterrows()
    ]
    remedy = next((r for r in account.dropped["remedy"] if r), option("columns") + " says which column is what")
    return f"{rows.logs[0].name}: of {account.read:,} rows not one is a call: {'; '.join(reasons)}; {remedy}"


def _together(frames: list[pd.DataFrame], accounts: list[CallLogAccount]) -> tuple[pd.DataFrame, CallLogAccount]:
    if len(frames) == 1:
        return frames[0], accounts[0]
    names = [n for n in dict.fromkeys(c for f in frames for c in f.columns) if all(n in f for f in frames)]
    joined: dict[str, Any] = {}
    for name in names:
        parts = [f[name] for f in frames]
        if isinstance(parts[0].dtype, pd.CategoricalDtype):
            joined[name] = union_categoricals(parts, sort_categories=True)
        else:
            joined[name] = pd.concat(parts, ignore_index=True)
    frame = pd.DataFrame(joined)
    return frame, CallLogAccount(
        sum(a.read for a in accounts),
        sum(a.kept for a in accounts),
        tuple(dict.fromkeys(line for a in accounts for line in a.assumed)),
        pd.concat([a.dropped for a in accounts]),
        pd.concat([a.notes for a in accounts]),
        _facts_together(accounts),
        tuple(dict.fromkeys(d for a in accounts for d in a.doubts)),
        silences(frame),
        tuple(dict.fromkeys(o for a in accounts for o in a.others)),
    )


def _facts_together(accounts: list[CallLogAccount]) -> dict[str, Any]:
    known = [a for a in accounts if a.facts]
    if not known:
        return {}
    weights = np.array([a.kept for a in known], dtype=float)
    first, last = min(a.facts["first_day"] for a in known), max(a.facts["last_day"] for a in known)
    shares = {
        k: float(np.average([a.facts[k] for a in known], weights=weights))
        for k in known[0].facts
        if k.startswith("share")
    }
    return {
        "first_day": first,
        "last_day": last,
        "calls_a_day": float(weights.sum()) / ((last - first).days + 1),
        "median_length": float(np.median([a.facts["median_length"] for a in known])),
        "longest_length": float(max(a.facts["longest_length"] for a in known)),
        **shares,
    }


@dataclass(frozen=True, eq=False, repr=False)
class CallLogLook(Result):
    """What a call log seems to be: its columns, and how it would be read.

    Attributes
    ----------
    name, kind : str
        The file, and what it is: encoding, separator, header.
    columns : DataFrame
        By column: what its cells are (``kind``) and an ``example``.
    account : CallLogAccount or None
        How its first rows are read, where that is decided.
    choices : tuple of (command, what it counts)
        Where it is not: the readings there are, the likeliest first.
    problem : str
        What has to be given before it can be read; "" where nothing has.
    command : str
        The command that reads it.
    """

    name: str
    kind: str
    columns: pd.DataFrame
    account: CallLogAccount | None
    choices: tuple[tuple[str, str], ...] = field(default=())
    problem: str = ""
    command: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return the columns: what their cells are, and an example each."""
        return self.columns

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.kind}", self.columns.to_string()]
        if self.account is not None:
            lines += ["as its first rows are read:", str(self.account)]
        if self.problem:
            lines.append(self.problem)
        lines += [line for command, what in self.choices for line in (f"# {what}", command)]
        return "\n".join([*lines, *([self.command] if self.command and not self.choices else [])])


def look_at_calls(source: LogSource, *, tz: str | dt.tzinfo | None = None) -> CallLogLook:
    r"""Return what a log seems to be, from its first rows: its columns, how it would be read, and what is ambiguous.

    Parameters
    ----------
    source : path, several paths, folder, glob or DataFrame
        As in `capacity.read_calls`; of several files the first is looked at.
    tz : str or tzinfo, optional
        IANA name of the zone in which times without an offset are local.

    Returns
    -------
    CallLogLook
        ``print`` of it shows all. ``columns``: by column, the ``kind`` of its cells and an ``example``; ``account``:
        how its first rows are read; ``command``: the command line that reads it; ``choices``: where it can be read in
        several ways, (command, what it counts) for each, the likeliest first.

    Raises
    ------
    FrameError
        There is no such file, or it is no log of calls.

    See Also
    --------
    capacity.read_calls : read all of it.

    Examples
    --------
    >>> import capacity as cap
    >>> look = cap.look_at_calls(pd.DataFrame({"begin": ["03/02/2026 10:00:00"], "seconds": [65]}), tz="Europe/London")
    >>> look.columns["kind"].to_dict()
    {'begin': 'stamp', 'seconds': 'number'}
    >>> for command, what in look.choices:
    ...     print(what)
    03/02/2026 10:00:00 is 3 February 2026: peak 1, 1 call
    03/02/2026 10:00:00 is 2 March 2026: peak 1, 1 call
    """
    words = words_from(tz=tz, sources=names_of(source), rest=_WRITE)
    rows = _opened(source, words)[0]
    sample = rows.sample()
    kinds = kinds_of(sample)
    examples = [_example(sample[name].to_pylist()) for name in sample.column_names]
    columns = pd.DataFrame(
        {"kind": list(kinds.values()), "example": examples},
        index=pd.Index(sample.column_names, name="column", dtype=object),
    )
    log = rows.logs[0]
    seen = Rows([first_rows(log, sample)], rows.names)
    kind = f"{log.kind}{'' if log.header else ', no header'}"
    try:
        decision = decide(seen, words)
    except Undecided as exc:
        return CallLogLook(log.name, kind, columns, None, tuple(exc.choices), exc.message, exc.choices[0][0])
    except FrameError as exc:
        return CallLogLook(log.name, kind, columns, None, (), str(exc))
    frame = decision.outcome.frame()
    return CallLogLook(log.name, kind, columns, account_of(decision, seen, frame), command=words.spoken())


def _example(cells: Iterable[object]) -> str:
    return next((shown(c) for c in cells if c is not None and str(c).strip()), "")
