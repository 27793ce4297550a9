"""The account of a call log: what was read, assumed, dropped and why, what is doubtful, and where the log is silent."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.concurrency import intervals_from_calls
from capacity.calls.decide import Decision
from capacity.calls.lengths import UNIT_NAMES
from capacity.calls.others import other_columns
from capacity.calls.plan import Outcome, Reason
from capacity.calls.rows import Rows
from capacity.calls.words import option, shown
from capacity.ground.result import Result
from capacity.ground.times import STEP, utc_times

_SILENCE = pd.Timedelta(hours=24)
_SHOWN = 5
_MINUTE = 60 * 10**9  # [ns]
_BROKEN = "a line with more or fewer fields than the header"
_NO_JSON = "a line that is no whole JSON"


@dataclass(frozen=True, eq=False, repr=False)
class CallLogAccount(Result):
    """What was read of a call log.

    Attributes
    ----------
    read, kept : int
        The rows of the log, and the calls they gave.
    assumed : tuple of str
        How the log was read.
    dropped, notes : DataFrame
        By reason: ``rows``, the ``first`` of them (the first row of data is 1), its ``text`` and the ``remedy``; of
        rows that were dropped, and of rows that were kept but about which something was decided.
    facts : dict
        ``first_day``, ``last_day`` [UTC], ``calls_a_day``, ``median_length`` and ``longest_length`` [s], and shares of
        calls: ``share_without_end``, ``share_equal`` (a row equals another in start and end), ``share_whole_minutes``.
    doubts : tuple of str
        What cannot well be true.
    silences : DataFrame
        Stretches of 24 hours or more without a call: ``start``, ``end`` [UTC, half-open]. Either nobody called or the
        log has a hole. `capacity.intervals_from_calls` takes them as ``gaps=``; else they count as zero.
    others : tuple of (command, what it counts)
        Other readings of a known export.
    """

    read: int
    kept: int
    assumed: tuple[str, ...]
    dropped: pd.DataFrame
    notes: pd.DataFrame
    facts: dict[str, Any]
    doubts: tuple[str, ...]
    silences: pd.DataFrame
    others: tuple[tuple[str, str], ...] = field(default=())

    def to_frame(self) -> pd.DataFrame:
        """Return the reasons: ``what`` ("dropped" or "kept"), reason, rows, first, text, remedy."""
        both = {"dropped": self.dropped, "kept": self.notes}
        return pd.concat([t.reset_index().assign(what=k) for k, t in both.items()], ignore_index=True)

    def __str__(self) -> str:
        gone = "dropped or joined" if any("share" in str(r) for r in self.notes.index) else "dropped"
        lines = [f"{self.read:,} rows read, {self.kept:,} calls kept, {self.read - self.kept:,} {gone}"]
        lines += [f"  {text}" for text in self.assumed]
        for title, table in (("dropped", self.dropped), ("kept", self.notes)):
            for reason, rows, _, where, text, remedy in table.itertuples():
                first = f"first: {where}" + (f", {text}" if text else "")
                lines.append(f"  {title}: {rows:,} {reason} ({first})" + (f"; {remedy}" if remedy else ""))
        if self.kept:
            lines.append(f"  {_in_words(self.facts)}")
        lines += [f"  doubtful: {doubt}" for doubt in self.doubts]
        for row in self.silences.head(_SHOWN).itertuples():
            lines.append(
                f"  silent: no call from {row.start:%Y-%m-%d %H:%M} to {row.end:%Y-%m-%d %H:%M} UTC; "
                "if the log has a hole there, give gaps= to intervals_from_calls (--silences-missing)"
            )
        if len(self.silences) > _SHOWN:
            lines.append(f"  silent: {len(self.silences) - _SHOWN:,} more such stretches")
        for command, what in self.others:
            lines += [f"# not taken: {what}", command]
        return "\n".join(lines)


def _in_words(facts: dict[str, Any]) -> str:
    median, longest = (_span(facts[k]) for k in ("median_length", "longest_length"))
    days = f"{facts['first_day']}" + ("" if facts["first_day"] == facts["last_day"] else f" to {facts['last_day']}")
    shares = {
        "share_without_end": "without end",
        "share_equal": "alike in start and end",
        "share_whole_minutes": "start on a whole minute",
    }
    more = [f"{facts[name]:.0%} {text}" for name, text in shares.items() if facts[name] >= 0.005]
    lengths = f"median length {median}, longest {longest}"
    return "; ".join([f"{days} (UTC), {facts['calls_a_day']:,.0f} calls a day, {lengths}", *more])


def _span(seconds: float) -> str:
    if not np.isfinite(seconds):
        return "unknown"
    return f"{seconds * 1000:.0f} ms" if 0 < seconds < 1 else str(dt.timedelta(seconds=round(seconds)))


def account_of(decision: Decision, rows: Rows, calls: pd.DataFrame) -> CallLogAccount:
    """Return the account of what was decided and what it gave."""
    outcome = decision.outcome
    tally = outcome.tally
    lost = dict(tally.lost)
    broken = rows.broken
    facts = _facts(outcome)
    table = _table(lost, rows)
    if broken:
        first, where, text = broken[0]
        row = pd.DataFrame(
            {"rows": [len(broken)], "first": [first], "where": [where], "text": [shown(text)], "remedy": [""]},
            index=pd.Index([_NO_JSON if "JSON" in rows.logs[0].kind else _BROKEN], name="reason", dtype=object),
        )
        table = pd.concat([table, row]).sort_values("rows", ascending=False, kind="stable")
    doubts = [*_doubts(facts, outcome, rows.size + len(broken), sum(r.rows for r in lost.values()))]
    doubts += other_columns(decision.choice.plan, rows, local=_is_local(decision, rows))
    if len(tally.old):
        doubts.append(_with_the_old(tally.old, calls, decision.choice.plan.unfinished))
    return CallLogAccount(
        rows.size + len(broken),
        len(outcome.starts),
        _assumed(decision, rows),
        table,
        _table(tally.kept, rows),
        facts,
        tuple(doubts),
        silences(calls),
        tuple(decision.others),
    )


def _assumed(decision: Decision, rows: Rows) -> tuple[str, ...]:
    """Say how the log was read, each part once."""
    plan, log = decision.choice.plan, rows.logs[0]
    reading = plan.reading
    several = f"{len(rows.logs):,} files; the first: " if len(rows.logs) > 1 else ""
    lines = [f"{several}{log.name}: {log.kind}{'' if log.header else ', no header'}", *log.doubts]
    if reading.like:
        lines.append(f"like {reading.like}: {reading.title}; {reading.why}")
    zone = f", local times in {plan.zone}" if _is_local(decision, rows) else ""
    day = f", the day in {reading.date}" if reading.date else ""
    wait = f" + {reading.wait}" if reading.wait else ""
    lines.append(f"start: column {reading.start}{wait}{day}{_form(decision, reading.start)}{zone}")
    unit = UNIT_NAMES[plan.unit]
    if reading.end:
        what = "column " if len(reading.end) == 1 else "the last of columns "
        lines.append(f"end: {what}{', '.join(reading.end)}{_form(decision, reading.end[0])}")
    else:
        lines.append(f"end: start + column {reading.duration} ({unit})")
    if reading.talk:
        lines.append(f"start of the talk: end - column {reading.talk} ({unit})")
    kept = [ours if ours == theirs else f"{ours} from {theirs}" for ours, theirs in plan.kept.items()]
    if kept:
        lines.append(f"kept: {', '.join(kept)}")
    return (*lines, *decision.choice.why)


def _is_local(decision: Decision, rows: Rows) -> bool:
    if decision.choice.plan.zone is None:
        return False
    forms = {f for name in decision.choice.plan.reading.used for f in decision.outcome.formats.get(name, {})}
    return any("%z" not in f and "%Z" not in f and not f.startswith("epoch") for f in forms)


def _form(decision: Decision, name: str) -> str:
    forms = [f for f, cells in decision.outcome.formats.get(name, {}).items() if cells]
    return f", written {' and '.join(forms[:3])}" if forms and forms != ["datetime"] else ""


def _facts(outcome: Outcome) -> dict[str, Any]:
    starts, ends, still = outcome.starts, outcome.ends, outcome.still
    if len(starts) == 0:
        return {}
    lengths = (ends - starts)[~still] / 1e9
    first, last = (pd.Timestamp(int(t)).date() for t in (starts.min(), starts.max()))
    part = slice(0, 200_000)  # enough to know a share
    keys = pd.MultiIndex.from_arrays([starts[part], np.where(still, -1, ends)[part]])
    return {
        "first_day": first,
        "last_day": last,
        "calls_a_day": len(starts) / ((last - first).days + 1),
        "median_length": _median(lengths),
        "longest_length": float(lengths.max()) if len(lengths) else np.nan,
        "share_without_end": float(still.mean()),
        "share_equal": float(keys.duplicated().mean()),
        "share_whole_minutes": float((starts[part] % _MINUTE == 0).mean()),
    }


def _median(lengths: npt.NDArray[np.float64]) -> float:
    """Return the median of the lengths that there are; of millions, of every so many."""
    some = lengths[:: max(1, len(lengths) // 1_000_000)]
    return float(np.median(some[some > 0])) if (some > 0).any() else 0.0 if len(some) else np.nan


def _doubts(facts: dict[str, Any], outcome: Outcome, read: int, lost: int) -> list[str]:
    found = []
    if facts and np.isfinite(facts["median_length"]):
        median = facts["median_length"]
        if 0 < median < 1 or median > 4 * 3600:
            found.append(f"the median call lasts {_span(median)}; is the unit of lengths right? {option('unit')}")
        if median == 0.0:
            found.append("no call has a length")
    if facts and (facts["last_day"] - facts["first_day"]).days > 3 * 366:
        found.append(f"the log spans {(facts['last_day'] - facts['first_day']).days / 365.25:.0f} years")
    if facts and facts["share_whole_minutes"] > 0.9 and len(outcome.starts) > 20:
        found.append("times are to the minute: calls of one minute begin together, and peaks are a little too high")
    if read and lost / read > 0.5:
        found.append(f"more than half of the rows are dropped ({lost:,} of {read:,})")
    return found


def _with_the_old(old: npt.NDArray[np.int64], calls: pd.DataFrame, unfinished: str) -> str:
    """Say the peak with the calls that never ended, and without; until 0.1.0 they counted."""
    starts = utc_times(np.sort(old))
    more = pd.DataFrame({"start": starts, "end": pd.DatetimeIndex([pd.NaT] * len(old), tz="UTC").as_unit("ns")})
    both = pd.concat([calls[["start", "end"]], more], ignore_index=True)
    peaks = [_peak(both), _peak(calls[["start", "end"]])]
    return (
        f"{len(old):,} calls without an end began more than 24 hours before the log's latest time and are left out: "
        f"the peak is {peaks[1]:,}; with them in progress, as release 0.1.0 counted, it would be {peaks[0]:,} "
        f"({option('unfinished', 'keep')})"
    )


def _peak(calls: pd.DataFrame) -> int:
    frame = intervals_from_calls(calls, by=None)
    return int(frame["max_concurrent"].max()) if len(frame) else 0


def silences(calls: pd.DataFrame) -> pd.DataFrame:
    """Return the stretches of 24 hours or more without a call, between the first and the last, in whole intervals."""
    starts = np.asarray(pd.DatetimeIndex(calls["start"]).as_unit("ns").asi8)
    ends = np.asarray(pd.DatetimeIndex(calls["end"]).as_unit("ns").asi8)
    if len(starts) and not bool(np.all(starts[1:] >= starts[:-1])):
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], ends[order]
    if len(starts) < 2 or int(np.max(starts[1:] - starts[:-1])) < _SILENCE.value:
        starts, ends = starts[:0], ends[:0]  # as nearly always: no two starts are that far apart
    until = np.maximum.accumulate(np.maximum(starts, ends)) if len(starts) else ends
    quiet = np.flatnonzero(starts[1:] - until[:-1] >= _SILENCE.value)
    return pd.DataFrame({"start": utc_times(until[quiet]).ceil(STEP), "end": utc_times(starts[quiet + 1]).floor(STEP)})


def _table(book: dict[str, Reason], rows: Rows) -> pd.DataFrame:
    found = sorted(book.items(), key=lambda item: -item[1].rows)
    index = pd.Index([reason for reason, _ in found], name="reason", dtype=object)
    columns = {
        "rows": np.array([r.rows for _, r in found], dtype=np.int64),
        "first": np.array([rows.number(r.first) for _, r in found], dtype=np.int64),
        "where": [rows.where(r.first) for _, r in found],
        "text": [r.text for _, r in found],
        "remedy": [r.remedy for _, r in found],
    }
    return pd.DataFrame(columns, index=index)
