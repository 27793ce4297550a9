"""Synthetic call records: a seeded Poisson stream with the rhythms of real callers, and a cap that turns them away."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.calls.profiles import VARIANTS, Campaign, Profile, rates
from capacity.errors import ConfigError
from capacity.ground.arguments import as_amount, as_number
from capacity.ground.arrays import Floats
from capacity.ground.calendar import DAY_STEPS
from capacity.ground.floats import usual_float_errors
from capacity.ground.holidays import HolidayLike
from capacity.ground.licences import LicenceLike, as_licences
from capacity.ground.times import STEP, Instant, as_instant, as_range, as_zone, utc_times

Ints = npt.NDArray[Any]

_MS = 1_000_000  # [ns]: calls begin and end on whole milliseconds, as logs have them
_STEP_MS = STEP.value // _MS
_ENVS = ("live", "pre-release", "sandbox")
_ENV_SHARES = (0.99, 0.004, 0.006)
_SHORTEST_MS = 1_000
_MOST_SCALE = 1_000_000
_SCALE_RULE = f"must be finite, not negative, and at most {_MOST_SCALE:,}; 1 is usual"
_MOST_DAYS = 22_000  # some sixty years: more is a mistake
_CAMPAIGN_EVERY = 45  # [days], on average


@usual_float_errors
def simulate_calls(
    start: Instant = "2025-01-01",
    end: Instant | None = None,
    *,
    days: int = 400,
    tz: str | dt.tzinfo = "Europe/London",
    variants: Sequence[Profile] = VARIANTS,
    growth: float = 0.25,
    holidays: HolidayLike = "GB",
    campaigns: Sequence[Campaign] | None = None,
    day_noise: float = 0.04,
    licences: LicenceLike | None = None,
    scale: float = 1.0,
    handoffs: float = 0.0,
    seed: int,
) -> pd.DataFrame:
    """Return synthetic call records, as the log of a voice agent would have them; the same seed gives the same calls.

    Within a day arrivals are a Poisson process: the rate follows the hour of the local week, the season, growth,
    public holidays, campaigns and a random factor for each day. Lengths are log-normal.

    Parameters
    ----------
    start, end : str, date, datetime or Timestamp
        The half-open range [start, end) in which calls begin; dates are local midnights in `tz`. By default from
        2025-01-01, for `days` days.
    days : int, default 400
        The length of the range where `end` is not given [local days].
    tz : str or tzinfo, default "Europe/London"
        IANA name of the zone of the callers.
    variants : sequence of Profile, optional
        As `capacity.calls.profiles` defines them. By default four that differ in size and weekly pattern, together some
        3,000 calls a day and 100 at once.
    growth : float, default 0.25
        Growth of the rate [share a year], compounding.
    holidays : str or iterable of dates, or None, default "GB"
        A country code ("GB", "US-CA"), or dates.
    campaigns : sequence of Campaign, optional
        As `capacity.calls.profiles` defines them. By default drawn by the seed, about eight a year; ``()`` for none.
    day_noise : float, default 0.04
        Standard deviation of the logarithm of each day's random factor, the same for all variants.
    licences : int, str, mapping, Series or Licences, optional
        A cap [calls]: a live call that finds as many live calls in progress is ``blocked``. Calls in progress are not
        cut off where the cap falls. By default no call is blocked.
    scale : float, default 1.0
        Factor on the calls of every variant.
    handoffs : float, default 0.0
        Share of calls that are handed to a colleague midway; above 0 the calls have ``polyai_duration`` [s] and
        ``handoff`` as well.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    DataFrame, one row a call, by start
        ``start``, ``end`` [UTC, whole milliseconds], ``variant``, ``variant_name``, ``language``, ``phone_number``
        (the number called, from ranges reserved for fiction), ``env``, ``blocked``. A blocked call has the end it
        would have had, so that dropping the column ``blocked`` gives the demand behind a capped series.

    Raises
    ------
    ConfigError
        start >= end, no variants, two of the same id; `scale`, `day_noise` or `seed` negative, `growth` <= -1, or one
        of them not finite; `days` not from 1 to 22,000.

    See Also
    --------
    capacity.intervals_from_calls, capacity.load_sample

    Examples
    --------
    >>> import capacity as cap
    >>> calls = cap.simulate_calls("2026-03-02", days=7, seed=1)
    >>> calls.columns.tolist()
    ['start', 'end', 'variant', 'variant_name', 'language', 'phone_number', 'env', 'blocked']
    >>> len(calls), calls["variant"].unique().tolist()
    (20846, ['V-out-of-hours', 'V-bookings', 'V-billing', 'V-reservas'])
    """
    zone = as_zone(tz)
    profiles = tuple(variants)
    ids = [p.id for p in profiles]
    if not ids or len(set(ids)) < len(ids):
        raise ConfigError(f"variants={ids}: give at least one, each id once")
    scale = as_number(scale, "scale", lambda v: 0 <= v <= _MOST_SCALE, _SCALE_RULE)
    growth = as_number(growth, "growth", lambda v: -1 < v < np.inf, "must be finite and above -1; 0.2 is 20% a year")
    day_noise = as_amount(day_noise, "day_noise")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ConfigError(f"seed={seed!r} is no whole number from 0 on")
    first, last = as_range(start, end if end is not None else _days_after(start, days, zone), zone)
    times = pd.date_range(first, last, freq=STEP, inclusive="left", unit="ns")
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)]
    if campaigns is None:
        campaigns = _campaigns(times, ids, zone, streams[0])
    expected = rates(times, profiles, growth=growth, holidays=holidays, campaigns=campaigns, tz=zone) * scale
    expected *= _day_factors(times, zone, day_noise, streams[1])[:, None]
    at, variant = _arrivals(expected, streams[2])
    until = at + _lengths(variant, profiles, streams[3])
    live = _draw(np.zeros(len(at), np.int64), [_ENV_SHARES], streams[4])
    calls = _table(first, at, until, variant, profiles, live, streams[4])
    if licences is not None:
        caps = as_licences(licences).at(times, tz=zone)[at // _STEP_MS]
        judged = np.flatnonzero(live == 0)
        blocked = np.zeros(len(at), dtype=bool)
        blocked[judged] = turn_away(at[judged], until[judged], caps[judged])
        calls["blocked"] = blocked
    return handed_off(calls, handoffs, seed=seed) if handoffs else calls


def handed_off(calls: pd.DataFrame, share: float, *, seed: int) -> pd.DataFrame:
    """Return the calls with ``polyai_duration`` [s] and ``handoff``: a share goes to a colleague midway.

    Raises
    ------
    ConfigError
        `share` is no share.

    Examples
    --------
    >>> calls = handed_off(simulate_calls("2026-03-02", days=1, seed=1), 0.2, seed=1)
    >>> bool((calls["polyai_duration"] < (calls["end"] - calls["start"]).dt.total_seconds())[calls["handoff"]].all())
    True
    """
    as_number(share, "handoffs", lambda v: 0 <= v <= 1, "is no share from 0 to 1")
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(6)[5])
    total = (calls["end"] - calls["start"]).to_numpy().astype("timedelta64[s]").astype(np.int64)
    handed = rng.random(len(calls)) < share
    agent = np.where(handed, total * rng.uniform(0.2, 0.9, len(calls)), total).astype(np.int64)
    return calls.assign(polyai_duration=agent, handoff=handed)


def turn_away(starts: Ints, ends: Ints, caps: Ints) -> npt.NDArray[np.bool_]:
    """Say which calls find `caps` others in progress and are turned away. Exact.

    Whether one call is turned away depends on all before it. But without any cap there are at least as many in
    progress, so only a call that would find that many then is in doubt; and what it finds is that number less those
    turned away before who would still be talking. The loop runs over the doubtful alone.

    Parameters
    ----------
    starts, ends : int, shape (n,)
        In order of start; equal starts are judged in the order given. A call is in progress on [start, end).
    caps : int, shape (n,)
        The licences at the start of each call.

    Examples
    --------
    >>> turn_away(np.array([0, 1, 2, 5]), np.array([4, 3, 6, 7]), np.array([2, 2, 2, 2]))
    array([False, False,  True, False])
    """
    blocked = np.zeros(len(starts), dtype=bool)
    found = np.arange(len(starts)) - np.searchsorted(np.sort(ends), starts, side="right")
    doubtful = np.flatnonzero(found >= caps)
    away: list[int] = []
    turned: list[int] = []
    columns = (doubtful, starts[doubtful], ends[doubtful], (found - caps)[doubtful])
    for place, begin, end, excess in zip(*(c.tolist() for c in columns), strict=True):
        while away and away[0] <= begin:
            heapq.heappop(away)
        if excess >= len(away):
            heapq.heappush(away, end)
            turned.append(place)
    blocked[turned] = True
    return blocked


def _days_after(start: Instant, days: int, tz: dt.tzinfo) -> Instant:
    """Return the same local time so many days later; after a whole day the date, whose midnight the clock may skip."""
    if not isinstance(days, int | np.integer) or not 1 <= days <= _MOST_DAYS:
        raise ConfigError(f"days={days}: give a whole number, at least 1 and at most {_MOST_DAYS:,}")
    first = as_instant(start, tz, name="start")
    local = first.tz_convert(tz)
    if first == as_instant(local.date(), tz):
        return local.date() + dt.timedelta(days=int(days))
    later = local.tz_localize(None).to_pydatetime(warn=False) + dt.timedelta(days=int(days))
    return pd.Timestamp(later).tz_localize(tz, ambiguous=True, nonexistent="shift_forward")


def _campaigns(times: pd.DatetimeIndex, ids: list[str], tz: dt.tzinfo, rng: np.random.Generator) -> list[Campaign]:
    """Draw weekday mornings on which a message goes out to the callers of one variant."""
    mornings = pd.date_range(times[0].tz_convert(tz).tz_localize(None).normalize(), periods=len(times) // DAY_STEPS)
    mornings = mornings[mornings.day_of_week < 5]
    chosen = mornings[rng.random(len(mornings)) < 1.4 / _CAMPAIGN_EVERY]
    hours, lifts, decay = rng.integers(9, 12, len(chosen)), rng.uniform(0.2, 0.6, len(chosen)), rng.uniform(1.5, 4)
    whose = rng.integers(0, len(ids), len(chosen))
    return [
        Campaign(day + pd.Timedelta(hours=int(h)), float(lift), float(decay), ids[w])
        for day, h, lift, w in zip(chosen, hours, lifts, whose, strict=True)
    ]


def _day_factors(times: pd.DatetimeIndex, tz: dt.tzinfo, noise: float, rng: np.random.Generator) -> Floats:
    day, days = pd.factorize(times.tz_convert(tz).tz_localize(None).normalize())
    return np.asarray(np.exp(rng.normal(-(noise**2) / 2, noise, len(days)))[day])


def _arrivals(expected: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return (ms since the first interval, place of the variant), in order of time."""
    counts = rng.poisson(expected)
    steps, n = np.arange(expected.shape[0], dtype=np.int64), int(counts.sum())
    at = np.repeat(steps * _STEP_MS, counts.sum(axis=1)) + rng.integers(0, _STEP_MS, n)
    variant = np.repeat(np.tile(np.arange(expected.shape[1]), len(steps)), counts.ravel())
    bits = max(expected.shape[1] - 1, 1).bit_length()
    key = np.sort((at << bits) | variant)
    return key >> bits, key & ((1 << bits) - 1)


def _lengths(variant: Ints, profiles: Sequence[Profile], rng: np.random.Generator) -> Ints:
    """Return log-normal lengths [ms]; the mean of exp(mu + sigma z) is exp(mu + sigma^2 / 2)."""
    spread = np.array([p.spread for p in profiles])
    middle = np.log([p.mean_length * 1000 for p in profiles]) - spread**2 / 2
    drawn = np.exp(middle[variant] + spread[variant] * rng.standard_normal(len(variant)))
    return np.maximum(np.rint(drawn), _SHORTEST_MS).astype(np.int64)


def _draw(kind: Ints, shares: Sequence[Sequence[float]], rng: np.random.Generator) -> Ints:
    """Draw one of the shares of its kind for each; places count on from kind to kind."""
    ladders = [np.cumsum(s) / np.sum(s) for s in shares]
    rungs = np.concatenate([k + ladder for k, ladder in enumerate(ladders)])
    return np.searchsorted(rungs, kind + rng.random(len(kind)), side="right")


def _table(
    first: pd.Timestamp,
    at: Ints,
    until: Ints,
    variant: Ints,
    profiles: Sequence[Profile],
    env: Ints,
    rng: np.random.Generator,
) -> pd.DataFrame:
    language = _draw(variant, [[share for _, share in p.languages] for p in profiles], rng)
    number = _draw(variant, [[1.0] * len(p.numbers) for p in profiles], rng)
    return pd.DataFrame(
        {
            "start": _instants(first, at),
            "end": _instants(first, until),
            "variant": _category(variant, [p.id for p in profiles]),
            "variant_name": _category(variant, [p.name for p in profiles]),
            "language": _category(language, [name for p in profiles for name, _ in p.languages]),
            "phone_number": _category(number, [n for p in profiles for n in p.numbers]),
            "env": _category(env, list(_ENVS)),
            "blocked": np.zeros(len(at), dtype=bool),
        }
    )


def _instants(first: pd.Timestamp, ms: Ints) -> pd.DatetimeIndex:
    return utc_times(first.value + ms * _MS)


def _category(codes: Ints, labels: list[str]) -> pd.Categorical:
    """Name the codes; a label that stands twice is one category."""
    distinct = sorted(set(labels))
    place = {label: k for k, label in enumerate(distinct)}
    small = np.int8 if len(distinct) < 128 else np.int32
    return pd.Categorical.from_codes(np.array([place[label] for label in labels], dtype=small)[codes], distinct)
