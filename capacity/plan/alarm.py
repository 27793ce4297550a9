"""The alarm: whether forecasts that were kept still hold, in a way that may be looked at daily."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.ground.arrays import Floats
from capacity.ground.calendar import SHORT_WEEKDAYS, WEEKDAYS
from capacity.ground.licences import as_licences
from capacity.ground.text import day
from capacity.plan.ledger_file import LEVELS, TOGETHER, Entry
from capacity.stats.evalues import innovations, since, wealth

__all__ = ["Alarm", "alarm_of", "day_scores"]

LEVEL = 0.05  # chance of a false alarm
_SPACING = 28  # days between the forecasts of a slow chain: a plan's own lead
_CALM, _STAY = 2.0, 28  # evidence below which, and days for which, an alarm ends
_NEW = 35  # days after a change from which on the history may start there


@dataclass(frozen=True, eq=False)
class Alarm:
    """Whether the forecasts still hold.

    Attributes
    ----------
    raised : bool
        Whether the alarm stands at the last day. It goes up at an evidence of 20, which forecasts that hold reach
        with a chance of at most 5%, and comes down after 28 days in a row with evidence below 2 since.
    since : Timestamp or None
        The day on which it went up last.
    evidence : Series
        By day: how much was won against the forecasts since the start, or since the alarm went up; 1 is nothing.
    broke : str
        What does not hold: "Mondays since Mon 3 Mar 2026: 12% too low"; "" without an alarm.
    advice : str
        What to do about it.
    history : tuple of (Timestamp, Timestamp or None)
        When it went up and came down.

    Examples
    --------
    >>> Alarm(False, None, pd.Series([1.0]), "", "", ()).raised
    False
    """

    raised: bool
    since: pd.Timestamp | None
    evidence: pd.Series
    broke: str
    advice: str
    history: tuple[tuple[pd.Timestamp, pd.Timestamp | None], ...]

    def __str__(self) -> str:
        if self.raised:
            return f"ALARM: {self.broke}. {self.advice}"
        last = f"{self.evidence.iloc[-1]:.2g}" if len(self.evidence) else "none yet"
        return f"No alarm: evidence against the forecasts {last}, 20 raises it."


def day_scores(entries: Sequence[Entry], peaks: pd.Series) -> pd.DataFrame:
    """Return every day that has come, scored by the last forecast made before it and by those before that.

    Returns
    -------
    DataFrame
        One row for each forecast and day: ``entry`` (its place), ``date``, ``lead`` [days], ``peak``, ``median``,
        ``place`` (the transform: where the peak lies in the forecast, from 0 to 1) and ``capped`` (whether the
        licences held it back, so that it is a lower bound).
    """
    parts = []
    for number, entry in enumerate(entries):
        came = peaks.reindex(entry.dates).to_numpy(dtype=np.float64)
        seen = np.isfinite(came)
        if not seen.any():
            continue
        y, q, dates = came[seen, None], entry.quantiles[seen], entry.dates[seen]
        capped = y[:, 0] >= _caps(entry, dates)
        low = (q < y).sum(axis=1) / (len(LEVELS) + 1)
        high = np.where(capped, 1.0, ((q <= y).sum(axis=1) + 1) / (len(LEVELS) + 1))
        parts.append(
            pd.DataFrame(
                {
                    "entry": number,
                    "date": dates,
                    "lead": np.flatnonzero(seen) + 1,
                    "peak": y[:, 0],
                    "median": q[:, len(LEVELS) // 2],
                    "place": low + _chance(entry, dates) * (high - low),
                    "capped": capped,
                }
            )
        )
    columns = ["entry", "date", "lead", "peak", "median", "place", "capped"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _caps(entry: Entry, dates: pd.DatetimeIndex) -> Floats:
    """Return the licences that hold demand back on each day; infinite where they do not."""
    if not entry.cap:
        return np.full(len(dates), np.inf)
    return as_licences(entry.cap | entry.licences).on(dates).astype(np.float64)


def _chance(entry: Entry, dates: pd.DatetimeIndex) -> Floats:
    """Draw where between its neighbours a count lies: the same for the same day, however often one looks."""
    seeds = [zlib.crc32(f"{entry.seed}/{entry.made_on:%Y%m%d}/{date:%Y%m%d}".encode()) for date in dates]
    return np.array(seeds) / 2.0**32


def _chains(entries: Sequence[Entry]) -> list[tuple[float, list[int]]]:
    """Return chains of forecasts, each used until the next begins, with their weights.

    The first takes every forecast: what is new each time. The others take one every four weeks, from different
    starts: a forecast that is renewed each day follows a drift, and would never be far off.
    """
    order = sorted(range(len(entries)), key=lambda k: (entries[k].dates[0], entries[k].made_on, entries[k].number))
    latest = {entries[k].dates[0]: k for k in order}  # of several from the same day the last one
    all_of = list(latest.values())
    if not all_of:
        return []
    starts = [entries[k].dates[0] for k in all_of]
    slow = []
    for offset in [k for k, start in enumerate(starts) if (start - starts[0]).days < _SPACING]:
        chain = [all_of[offset]]
        for k, start in zip(all_of[offset + 1 :], starts[offset + 1 :], strict=True):
            if (start - entries[chain[-1]].dates[0]).days >= _SPACING:
                chain.append(k)
        slow.append(chain)
    slow = slow[:: max(1, len(slow) // 4)][:4]
    if slow[0] == all_of:
        return [(1.0, all_of)]
    return [(0.5, all_of), *((0.5 / len(slow), chain) for chain in slow)]


def _places(entries: Sequence[Entry], chain: list[int], scores: pd.DataFrame) -> pd.DataFrame:
    """Return the days of a chain with their transforms, independent of each other if the forecasts are right."""
    parts = []
    by_entry = dict(tuple(scores.groupby("entry")))
    for k, after in zip(chain, [*chain[1:], None], strict=True):
        if k not in by_entry:
            continue
        rows = by_entry[k]
        until = entries[k].dates[0] + pd.Timedelta(days=TOGETHER)
        if after is not None:
            until = min(until, entries[after].dates[0])
        rows = rows[rows["date"] < until]
        at = rows["lead"].to_numpy() - 1
        new = (
            innovations(rows["place"].to_numpy(), entries[k].correlation[np.ix_(at, at)])
            if len(rows)
            else rows["place"]
        )
        parts.append(rows.assign(new=new))
    return pd.concat(parts, ignore_index=True) if parts else scores.assign(new=scores["place"])


def alarm_of(entries: Sequence[Entry], scores: pd.DataFrame) -> Alarm:
    """Return the alarm of forecasts and the days that have come since."""
    if scores.empty:
        return Alarm(False, None, pd.Series(dtype=np.float64, name="evidence"), "", "", ())
    chains = [(weight, _places(entries, chain, scores)) for weight, chain in _chains(entries)]
    days = pd.DatetimeIndex(sorted(set(scores["date"])))
    evidence, begin = pd.Series(1.0, index=days, name="evidence"), 0
    ups: list[tuple[pd.Timestamp, pd.Timestamp | None]] = []
    broke, told = "", ""
    while begin < len(days):  # over stretches between alarms
        stretch = days[begin:]
        worth, sides = _evidence(chains, stretch)
        passed = np.flatnonzero(worth >= 1 / LEVEL)
        calm = _comes_down(worth, up=bool(ups and ups[-1][1] is None))
        if len(passed) and (calm is None or passed[0] <= calm or not ups or ups[-1][1] is not None):
            at = int(passed[0])
            evidence.iloc[begin : begin + at + 1] = worth[: at + 1]
            if not (ups and ups[-1][1] is None):
                ups.append((stretch[at], None))
            broke, told = _words(chains, sides, stretch[at], days[-1])
            begin += at + 1
            continue
        evidence.iloc[begin:] = worth
        if calm is not None and ups and ups[-1][1] is None:
            ups[-1] = (ups[-1][0], stretch[calm])
            begin += calm + 1
            continue
        break
    raised = bool(ups and ups[-1][1] is None)
    return Alarm(
        raised=raised,
        since=ups[-1][0] if raised else None,
        evidence=evidence,
        broke=broke if raised else "",
        advice=told if raised else "",
        history=tuple(ups),
    )


def _comes_down(worth: Floats, *, up: bool) -> int | None:
    """Return the day on which a standing alarm ends, if it does."""
    if not up:
        return None
    low = pd.Series(worth < _CALM).rolling(_STAY).sum().to_numpy() == _STAY
    return int(np.argmax(low)) if low.any() else None


def _evidence(chains: list[tuple[float, pd.DataFrame]], days: pd.DatetimeIndex) -> tuple[Floats, list[pd.DataFrame]]:
    """Return the mean wealth of the chains by day from the first of `days` on, and who holds it in each."""
    total, sides = np.zeros(len(days)), []
    for weight, rows in chains:
        rows = rows[rows["date"] >= days[0]]
        bets = wealth(rows["new"].to_numpy(), rows["date"].dt.day_of_week.to_numpy())
        worth = pd.Series(bets.total, index=rows["date"]).reindex(days).ffill().fillna(1.0)
        total += weight * worth.to_numpy()
        sides.append(rows.assign(worth=weight * bets.total, group=bets.best[:, 0], side=bets.best[:, 1]))
    return total, sides


def _words(
    chains: list[tuple[float, pd.DataFrame]], sides: list[pd.DataFrame], at: pd.Timestamp, last: pd.Timestamp
) -> tuple[str, str]:
    """Say what broke by a day, and what to do."""
    tops = [rows[rows["date"] <= at] for rows in sides]
    rows = max((rows for rows in tops if len(rows)), key=lambda rows: rows["worth"].iloc[-1])
    group, side = int(rows["group"].iloc[-1]), int(rows["side"].iloc[-1])
    weekday = rows["date"].dt.day_of_week.to_numpy()
    member = np.ones(len(rows), dtype=bool) if group == 0 else weekday == group - 1
    first = since(rows["new"].to_numpy(), member, side)
    own = rows[member & (np.arange(len(rows)) >= first)]
    off = own["peak"].sum() / max(own["median"].sum(), 1.0) - 1
    calls = (own["peak"] - own["median"]).mean()
    which = "All days" if group == 0 else f"{WEEKDAYS[group - 1]}s"
    begun = own["date"].iloc[0]
    broke = f"{which} since {day(begun)}: {abs(100 * off):.0f}% too {'low' if side > 0 else 'high'}"
    more = "more" if calls > 0 else "fewer"
    event = f"tell it as an event from {begun:%Y-%m-%d} on ({abs(calls):.0f} calls {more})"
    if group:
        advice = f"If it stays, {event[:-1]}, pattern {{'{SHORT_WEEKDAYS[group - 1]}': 1}}); else exclude those days."
    elif (last - begun).days >= _NEW:
        advice = f"Start the history at {begun:%Y-%m-%d}, or {event}."
    else:
        advice = f"If the cause is known, {event}; if not, widen: plan for a lower risk until it is."
    return broke, advice
