"""The alarm of a ledger: whether its forecasts still fit what comes; it may be looked at daily."""

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
from capacity.stats.evalues import innovations, scores_of, since, wealth
from capacity.stats.level_moves import level_moves

__all__ = ["Alarm", "alarm_of", "day_scores"]

LEVEL = 0.05  # chance of a false alarm
_SPACING, _APART = 56, 14  # days between the forecasts of a slow chain, and between the beginnings of such chains
_FRESH = 0.12  # weight of the chain of all forecasts
_SETTLES = pd.Timedelta(days=42)  # after an event: its own size and ramp are still being learned
_PAST = 364  # days of history that tell how far the level has moved
_FULL = 0.02  # share of days held back by the licences from which on a history says too little of that
_USUAL = 8.0  # days of its weekday that a day's own offset is shrunk by
_CALM, _STAY = 2.0, 28  # evidence below which, and days for which, an alarm ends
_NEW = 35  # days after a change from which on the history may start there


@dataclass(frozen=True, eq=False)
class Alarm:
    """Whether the forecasts of a ledger still fit what comes, since when not, and what to do.

    Attributes
    ----------
    raised : bool
        Whether the alarm is raised on the last day. It is raised at an evidence of 20, which forecasts that are right
        reach with a chance of at most 5%, and ends after 28 days in a row with evidence below 2.
    since : Timestamp or None
        The day on which it was raised last.
    evidence : Series
        By day: the evidence against the forecasts (an e-value) since the start, or since the alarm was raised; 1 is no
        evidence.
    broke : str
        What no longer fits: "Mondays since Mon 3 Mar 2026: 12% too low"; "" without an alarm.
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

    The first takes every forecast: what is new each time. The others take one every eight weeks, from different
    starts: a forecast that is renewed each day follows a drift, and would never be far off.
    """
    order = sorted(range(len(entries)), key=lambda k: (entries[k].dates[0], entries[k].made_on, entries[k].number))
    latest = {entries[k].dates[0]: k for k in order}  # of several from the same day the last one
    all_of = list(latest.values())
    if not all_of:
        return []
    starts = np.array([(entries[k].dates[0] - entries[all_of[0]].dates[0]).days for k in all_of])
    spacing = min(_SPACING, *(len(entries[k].dates) for k in all_of))
    slow: list[list[int]] = []
    for begin in range(0, spacing, _APART):
        at, chain = begin, []
        while (late := starts >= at).any():
            chain.append(int(np.argmax(late)))
            at = starts[chain[-1]] + spacing
        if chain and not any(chain[0] in other for other in slow):
            slow.append(chain)
    if slow[0] == list(range(len(all_of))):
        return [(1.0, all_of)]
    return [(_FRESH, all_of), *(((1 - _FRESH) / len(slow), [all_of[k] for k in chain]) for chain in slow)]


def _covariance(entry: Entry, peaks: pd.Series) -> Floats:
    """Return the covariance of the scores of a forecast's first days, if nothing changes.

    That of the forecast itself or, where the history's own moves are smaller, theirs: a forecast has to allow for
    more than was ever seen, and would hide a change that is out of the ordinary for this series.
    """
    own, days = entry.correlation, len(entry.correlation)
    last = entry.dates[0] - pd.Timedelta(days=1)
    past = peaks.reindex(pd.date_range(end=last, periods=_PAST))[peaks.index[0] :]
    full = past.to_numpy() >= _caps(entry, pd.DatetimeIndex(past.index))
    moves = level_moves(past.to_numpy(dtype=np.float64)) if len(past) and full.mean() <= _FULL else None
    if moves is None:
        return own
    low, high = (np.log(entry.quantiles[:days, k] + 0.5) for k in np.searchsorted(LEVELS, (0.16, 0.84)))
    spread = (high - low) / 2
    if not (spread > 0).any():
        return own
    spread = np.where(spread > 0, spread, np.median(spread[spread > 0]))  # a day that is shut has none
    seen = moves.covariance(days) / np.outer(spread, spread)
    return seen if seen.sum() < own.sum() else own


def _offsets(rows: pd.DataFrame, until: pd.Timestamp) -> tuple[Floats, Floats]:
    """Return by how much the scores of each weekday lay off the others until a day, and the spread with it taken out.

    What forecasts get wrong about a weekday all the time is no change. Both of shape (7,): an offset that was learned
    from few days adds to the spread.
    """
    known = (rows["date"] < until).to_numpy()
    if not known.any():
        return np.zeros(7), np.ones(7)
    score, weekday = rows["score"].to_numpy()[known], rows["date"].dt.day_of_week.to_numpy()[known]
    off, days = np.bincount(weekday, score - score.mean(), minlength=7), np.bincount(weekday, minlength=7)
    return off / (days + _USUAL), np.sqrt(1.0 + days / (days + _USUAL) ** 2)


def _used(entries: Sequence[Entry], chain: list[int], scores: pd.DataFrame) -> pd.DataFrame:
    """Return the days of a chain, each as the forecast that was used for it scored it."""
    parts = []
    by_entry = dict(tuple(scores.groupby("entry")))
    for k, after in zip(chain, [*chain[1:], None], strict=True):
        until = entries[k].dates[0] + pd.Timedelta(days=TOGETHER)
        if after is not None:
            until = min(until, entries[after].dates[0])
        if k in by_entry:
            parts.append(by_entry[k][by_entry[k]["date"] < until])
    return pd.concat(parts, ignore_index=True) if parts else scores.iloc[:0]


def _judged(entries: Sequence[Entry], scores: pd.DataFrame, peaks: pd.Series) -> list[tuple[float, pd.DataFrame]]:
    """Return the chains with the days on which they are judged, and ``new``: scores that are independent of others.

    Days on which an event began, or settled, are not judged: its size and ramp were not known.
    """
    chains = _chains(entries)
    scores = scores.assign(score=scores_of(scores["place"].to_numpy(dtype=np.float64)))
    all_days = _used(entries, chains[0][1], scores)
    spans = {span for entry in entries for span in entry.spans}
    usual: dict[int, tuple[Floats, Floats, Floats]] = {}
    judged = []
    for weight, chain in chains:
        parts = [scores.iloc[:0].assign(new=0.0)]
        for k, rows in _used(entries, chain, scores).groupby("entry"):
            if k not in usual:
                usual[k] = *_offsets(all_days, entries[k].dates[0]), _covariance(entries[k], peaks)
            offsets, spread, covariance = usual[k]
            at = rows["lead"].to_numpy() - 1
            weekday = rows["date"].dt.day_of_week.to_numpy()
            own = (rows["score"].to_numpy() - offsets[weekday]) / spread[weekday]
            parts.append(rows.assign(new=innovations(own, covariance[np.ix_(at, at)])))
        rows = pd.concat(parts[1:] or parts, ignore_index=True)
        muted = np.zeros(len(rows), dtype=bool)
        for first, last in spans:
            muted |= rows["date"].between(first, last + _SETTLES).to_numpy()
        judged.append((weight, rows[~muted].reset_index(drop=True)))
    return judged


def alarm_of(entries: Sequence[Entry], scores: pd.DataFrame, peaks: pd.Series) -> Alarm:
    """Return the alarm of forecasts and the days that have come since.

    Parameters
    ----------
    entries : sequence of Entry
    scores : DataFrame
        As `day_scores` returns it.
    peaks : Series
        Peaks by day [calls]; those before a forecast tell how far the level has moved in its own past.
    """
    if scores.empty:
        return Alarm(False, None, pd.Series(dtype=np.float64, name="evidence"), "", "", ())
    chains = _judged(entries, scores, peaks)
    days = pd.DatetimeIndex(sorted(set(scores["date"])))
    evidence, begin = pd.Series(1.0, index=days, name="evidence"), 0
    ups: list[tuple[pd.Timestamp, pd.Timestamp | None]] = []
    broke, told = "", ""
    while begin < len(days):  # over stretches between alarms
        stretch, up = days[begin:], bool(ups and ups[-1][1] is None)
        worth, sides = _evidence(chains, stretch)
        passed = np.flatnonzero(worth >= 1 / LEVEL)
        calm = _comes_down(worth, up=up)
        if len(passed) and (calm is None or passed[0] <= calm or not up):
            at = int(passed[0])
            evidence.iloc[begin : begin + at + 1] = worth[: at + 1]
            if not up:
                ups.append((stretch[at], None))
                broke, told = _words(sides, stretch[at], days[-1])
            begin += at + 1
            continue
        evidence.iloc[begin:] = worth
        if calm is not None and up:
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


def _words(sides: list[pd.DataFrame], at: pd.Timestamp, last: pd.Timestamp) -> tuple[str, str]:
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
