"""Licences that several projects or variants share: the chance of exceeding each pool, and what-ifs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pandas as pd

from capacity.analysis.assessment import assess
from capacity.calls.concurrency import intervals_from_calls
from capacity.errors import CapacityError, ConfigError
from capacity.fleet.shared import as_members, bounded, exact
from capacity.fleet.table import FLEET_SCHEMA, as_table, failed_row, row_of
from capacity.ground.arguments import as_horizon, as_seed, as_whole, some
from capacity.ground.calendar import HORIZONS
from capacity.ground.calls import Calls
from capacity.ground.frame import TOTAL, total
from capacity.ground.holidays import HolidayLike
from capacity.ground.licences import LicenceLike, Licences, as_licences
from capacity.ground.result import Result
from capacity.ground.text import chance, plural

__all__ = ["BOUNDED", "Pool", "Pools", "assess_pools", "pool_row", "pools_table"]

Demand: TypeAlias = Callable[[], tuple[str, Sequence[pd.DataFrame]]]

BOUNDED = ("peak", "p_above_30", "p_above_90", "p_above_365", "needed_01", "needed_05", "needed_10")
_KINDS = {"projects": "Int64", "licences": "Int64", "guaranteed": "Int64", "method": "str"}


@dataclass(frozen=True)
class Pool:
    """Licences that several projects or variants share.

    Attributes
    ----------
    name : str
        Name of the pool in tables.
    licences : int, str, mapping, Series or Licences
        All licences of the pool [calls], a count or steps by local date, with those guaranteed to a member.
    members : sequence of str
        Names of the projects, or ids of the variants.
    guaranteed : mapping of str -> int
        How many of the licences a member has to itself. Its calls use these first, and the shared ones only beyond
        them; other members may not use them. By default none.

    Raises
    ------
    ConfigError
        No name or no members, a guarantee to a member that is not in the pool, or more guarantees than licences.

    See Also
    --------
    capacity.Pools, capacity.assess_pools

    Examples
    --------
    >>> import capacity as cap
    >>> pool = cap.Pool("east", 100, ["hotel", "bank"], guaranteed={"hotel": 40})
    >>> print(pool.shared)
    60
    """

    name: str
    licences: LicenceLike
    members: Sequence[str]
    guaranteed: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ConfigError(f"name={self.name!r} is no name of a pool; give text")
        members = tuple(self.members)
        if not members or isinstance(self.members, str) or len(set(members)) < len(members):
            raise ConfigError(f"pool {self.name!r}: members={self.members!r}; name at least one member, each once")
        if strange := [name for name in self.guaranteed if name not in members]:
            raise ConfigError(
                f"pool {self.name!r}: {some(strange)} has a guarantee and is no member; there is {some(members)}"
            )
        own = {m: as_whole(n, f"guaranteed[{m!r}]", least=0, of="licences") for m, n in self.guaranteed.items()}
        held = as_licences(self.licences)
        if sum(own.values()) > min(held.counts):
            raise ConfigError(
                f"pool {self.name!r}: {sum(own.values()):,} licences are guaranteed, and it has {min(held.counts):,}; "
                "guarantee fewer"
            )
        for name, value in (("members", members), ("guaranteed", own), ("licences", held)):
            object.__setattr__(self, name, value)

    @property
    def shared(self) -> Licences:
        """The licences that are not guaranteed to a member."""
        held, own = as_licences(self.licences), sum(self.guaranteed.values())
        return Licences(held.dates, tuple(count - own for count in held.counts))


@dataclass(frozen=True, eq=False, repr=False)
class Pools(Result):
    """The chance of exceeding the licences of each of several pools, within bounds where it is not known exactly.

    Attributes
    ----------
    table : DataFrame
        One row a pool: ``projects`` (members), ``licences``, ``guaranteed``, ``method`` ("exact" from call records or
        a total that was counted as one, "bounds" from maxima); ``peak``, ``p_above_30``, ``p_above_90``,
        ``p_above_365``, ``needed_01``, ``needed_05`` and ``needed_10`` with ``_lower`` and ``_upper``: the same twice
        where exact. Chances are those of exceeding the shared licences, and what is needed includes the guaranteed
        ones; ``reason`` where there is no verdict.
    horizon : int
        Days ahead.

    See Also
    --------
    capacity.assess_pools : makes it.

    Examples
    --------
    >>> import capacity as cap
    >>> frame = cap.load_sample().loc["2026-01-01":]
    >>> both = cap.Pool("desk", 110, ["V-billing", "V-bookings"])
    >>> pools = cap.assess_pools(frame, [both], tz="Europe/London", horizon=30)
    >>> print(pools.sentence())
    1 pool; chance of exceeding within 30 days: desk (110 licences) between under 1% and 28%.
    """

    table: pd.DataFrame
    horizon: int

    @property
    def any_exceeded(self) -> tuple[float, float]:
        """Bounds of the chance that at least one of the pools is exceeded within the horizon.

        Each pool is forecast as one series, and pools are forecast apart: how far their bad days coincide is not
        known. So the chance is at least that of the likeliest pool, and at most the sum of all; of a pool without a
        verdict nothing is known.
        """
        column = f"p_above_{max((d for d in HORIZONS if d <= self.horizon), default=30)}"
        low, high = self.table[f"{column}_lower"].max(), self.table[f"{column}_upper"].fillna(1.0).sum()
        return (float(low) if low == low else 0.0), float(min(high, 1.0))

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def sentence(self) -> str:
        """Say the chance of exceeding each pool in words."""
        days = max((d for d in HORIZONS if d <= self.horizon), default=30)
        sound = self.table[self.table["reason"] == ""]
        sides = [f"p_above_{days}_{side}" for side in ("lower", "upper")]
        told = [
            f"{name} ({count:,} licences) {_between(low, high)}"
            for name, count, low, high in sound[["licences", *sides]].dropna().itertuples(name=None)
        ]
        head = plural(len(self.table), "pool")
        text = f"{head}; chance of exceeding within {days} days: {', '.join(told)}." if told else f"{head}."
        failed = len(self.table) - len(sound)
        return text + (f" Without a verdict: {failed:,}." if failed else "")

    def words(self) -> pd.DataFrame:
        """Return the table in words, each pair of bounds in one cell: index pool."""
        sound = self.table[self.table["reason"] == ""]
        shown = sound[["projects", "licences", "method"]].copy()
        for name in ("peak", "p_above_30", "p_above_90", "p_above_365", "needed_05"):
            say = chance if name.startswith("p_") else "{:,}".format
            low, high = (sound[f"{name}_{side}"] for side in ("lower", "upper"))
            shown[name] = [
                "" if pd.isna(a) else say(a) if say(a) == say(b) else f"{say(a)} to {say(b)}"
                for a, b in zip(low, high, strict=True)
            ]
        return shown

    def __str__(self) -> str:
        shown = self.words()
        failed = [f"- {name}: {why}" for name, why in self.table["reason"].items() if why]
        return "\n\n".join([self.sentence(), *([shown.to_string()] if len(shown) else []), *failed])


def assess_pools(
    members: pd.DataFrame | Mapping[str, Any],
    pools: Iterable[Pool],
    *,
    tz: str | dt.tzinfo,
    horizon: int = 365,
    seed: int = 1,
    holidays: HolidayLike = None,
) -> Pools:
    """Return the chance of exceeding licences that several projects or variants share, for each pool.

    A pool is forecast as one series, the calls of its members at the same instants: days on which several members peak
    together do so in every simulated future.

    Parameters
    ----------
    members : mapping of str -> DataFrame or Calls; or DataFrame
        An interval frame with TOTAL, or call records (``start``, ``end``), for each project; or one interval frame,
        whose variants are the members.
    pools : iterable of Pool
        Who shares which licences. To merge or split pools, write others of the same members.
    tz : str or tzinfo
        IANA name of the zone whose days are meant.
    horizon, seed, holidays
        As in `capacity.assess`.

    Returns
    -------
    Pools
        Exact where all members of a pool are call records, or where the members are all variants of a frame that holds
        TOTAL and nothing is guaranteed. Otherwise between bounds: from maxima the sum is known no better. A pool that
        cannot be forecast has a ``reason``.

    Raises
    ------
    ConfigError
        A pool names a member that there is not, or an argument is out of range.

    See Also
    --------
    capacity.assess_fleet, capacity.combine

    Examples
    --------
    >>> import capacity as cap
    >>> frame = cap.load_sample()
    >>> names = [v for v in frame.index.unique("variant") if v != cap.TOTAL]
    >>> pools = [cap.Pool("all", 100, names), cap.Pool("two", 60, names[:2])]
    >>> cap.assess_pools(frame, pools, tz="Europe/London", horizon=30).table["method"].tolist()
    ['exact', 'bounds']
    """
    horizon, seed = as_horizon(horizon), as_seed(seed)
    ask: dict[str, Any] = {"tz": tz, "horizon": horizon, "seed": seed, "holidays": holidays}
    names = _names(members)
    rows = {}
    for pool in pools:
        if strange := [name for name in pool.members if name not in names]:
            raise ConfigError(f"pool {pool.name!r}: {some(strange)} is not among the members; there is {some(names)}")
        rows[pool.name] = pool_row(pool, _demand(members, pool, names), **ask)
    return Pools(pools_table(rows), horizon)


def pool_row(pool: Pool, demand: Demand, **ask: Any) -> dict[str, Any]:
    """Return the row of one pool; `demand` gives the method and the frames of the lower and the upper bound."""
    row: dict[str, Any] = {
        "projects": len(pool.members),
        "guaranteed": sum(pool.guaranteed.values()),
    }
    try:
        method, frames = demand()
        found = [
            row_of(assess(frame, pool.shared, name=pool.name, backtest=False, **ask), pool="", backtest=False)
            for frame in frames
        ]
    except CapacityError as exc:
        return row | failed_row("", str(exc))
    row |= {"method": method, "licences": found[0]["licences"] + row["guaranteed"]}
    for name in BOUNDED:
        more = row["guaranteed"] if name.startswith("needed") else 0
        for side, one in (("lower", found[0]), ("upper", found[-1])):
            row[f"{name}_{side}"] = None if one.get(name) is None else one[name] + more
    return row | {"reason": " ".join(dict.fromkeys(one["reason"] for one in found if one["reason"]))}


def pools_table(rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of pools as a table, index pool."""
    kinds = _KINDS | {f"{name}_{side}": FLEET_SCHEMA[name] for name in BOUNDED for side in ("lower", "upper")}
    return as_table(rows, kinds | {"reason": "str"}, index="pool")


def _names(members: Any) -> list[str]:
    if isinstance(members, pd.DataFrame):
        return [str(v) for v in members.index.unique(1) if v != TOTAL]
    return list(members)


def _demand(members: Any, pool: Pool, names: Sequence[str]) -> Demand:
    """Return what works out the demand on the shared licences of a pool."""

    def of_frame() -> tuple[str, Sequence[pd.DataFrame]]:
        if set(pool.members) == set(names) and not pool.guaranteed and TOTAL in members.index.unique(1):
            return "exact", [total(members)]
        return "bounds", bounded(as_members(members, pool.members), pool.guaranteed)

    def of_mapping() -> tuple[str, Sequence[pd.DataFrame]]:
        own = {name: _as_calls(members[name]) for name in pool.members}
        calls = {name: one for name, one in own.items() if isinstance(one, Calls)}
        if len(calls) == len(own):
            return "exact", [exact(calls, pool.guaranteed)]
        frames = {
            name: intervals_from_calls(one.frame, by=None) if isinstance(one, Calls) else one
            for name, one in own.items()
        }
        return "bounds", bounded(frames, pool.guaranteed)

    return of_frame if isinstance(members, pd.DataFrame) else of_mapping


def _as_calls(member: pd.DataFrame | Calls) -> pd.DataFrame | Calls:
    """Return call records as Calls; an interval frame stays one."""
    return Calls(member) if isinstance(member, pd.DataFrame) and "start" in member.columns else member


def _between(low: float, high: float) -> str:
    return chance(low) if chance(low) == chance(high) else f"between {chance(low)} and {chance(high)}"
