"""The cheapest count of licences: what licences cost against what turned-away calls cost.

One more licence pays while it saves more in lost calls than its price. Everything is **per year**, in the money that
the prices are given in. How lost calls follow from a forecast of daily peaks is an assumption, and is stated:

- each day runs like `day_shape` (by default ten hours that rise and fall like half a sine);
- its peak tells the load of its busiest interval, and Erlang's formula the calls lost in every interval;
- calls that are turned away do not come back.

Retries, dialler batches and peaky arrivals lose more than that: the text of `capacity.analysis.traffic` says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.costing.billing import Rule, as_rule
from capacity.analysis.costing.busy_day import as_shape
from capacity.analysis.costing.year import LoadYear, PathYear, Year, loads_of
from capacity.errors import ConfigError
from capacity.forecast.paths import PeakForecast
from capacity.ground.arguments import as_amount, as_whole
from capacity.ground.call_length import CallLength, as_call_length
from capacity.ground.result import Result
from capacity.ground.text import html_of
from capacity.stats.maxima import turnover

__all__ = ["Burst", "CostCurve", "best_licence_count"]

_MOST = 400  # counts that are worked out at once; between them the best is looked for in two rounds
_LIMITS = (0.05, 0.95)


@dataclass(frozen=True)
class Burst:
    """A burst tariff: up to `channels` calls beyond the licences are carried, at `price` a call.

    Examples
    --------
    >>> Burst(channels=10, price=0.5).price
    0.5
    """

    channels: int
    price: float


@dataclass(frozen=True, eq=False, repr=False)
class CostCurve(Result):
    """What each count of licences costs in a year, and the cheapest.

    Attributes
    ----------
    table : DataFrame
        By ``licences``: ``licence_cost``, ``burst_calls``, ``burst_cost``, ``lost_calls`` with ``lost_lower`` and
        ``lost_upper`` (5 and 95 % of the paths; NaN where there are none), ``lost_cost`` and ``total``: calls and
        money a year.
    best : int
        The count with the least total; the smaller one where two cost the same.
    one_more, one_less : float
        What a lot more, or less, would add to the total; NaN at the end of the table.
    service_level : float
        P(the highest peak of the horizon stays within the best count); NaN where there are no paths.
    implied_shortage_cost : float
        The yearly cost b of each channel by which the highest peak passes the licences at which the newsvendor
        rule, quantile (b - c) / b of the highest peak, buys the same count: c / (1 - service level).
    convex : bool
        Whether every lot saves less than the one before, so that "buy while it saves more than its price" leads to the
        same count.
    licence_price, lost_call_cost : float
        A licence a year, a call turned away.
    lot : int
        Licences come in lots of so many.
    burst : Burst or None
        The burst tariff.
    billing : str
        The billing rule.
    mean_call_length : Timedelta
        Mean hold time.
    highest : ndarray
        Each path's highest peak of the horizon, ascending; empty where there are no paths.
    basis : str
        What was worked on, in words.

    Examples
    --------
    >>> import capacity as cap
    >>> curve = cap.best_licence_count(pd.Series(np.full(288, 20.0)), licence_price=100, lost_call_cost=0.01)
    >>> curve.table.loc[31, ["licence_cost", "total"]].round().tolist()
    [3100.0, 3290.0]
    """

    _chart: ClassVar[str] = "cost"

    table: pd.DataFrame
    best: int
    one_more: float
    one_less: float
    service_level: float
    implied_shortage_cost: float
    convex: bool
    licence_price: float
    lost_call_cost: float
    lot: int
    burst: Burst | None
    billing: str
    mean_call_length: pd.Timedelta
    highest: npt.NDArray[np.int64]
    basis: str

    def newsvendor(self, shortage_cost: float) -> int:
        """Return the count that the newsvendor rule buys: the quantile (b - c) / b of the horizon's highest peak.

        It is the answer where only the highest peak matters: each channel that it lacks costs `shortage_cost` (b) a
        year, each licence c = `licence_price`.

        Raises
        ------
        ConfigError
            b is not above c (then no licence pays), or there are no paths.
        """
        if not as_amount(shortage_cost, "shortage_cost") > self.licence_price:
            raise ConfigError(f"shortage_cost={shortage_cost} is not above the licence price {self.licence_price}")
        if len(self.highest) == 0:
            raise ConfigError("the newsvendor rule needs a forecast; this curve is of one load")
        q = (shortage_cost - self.licence_price) / shortage_cost
        count = int(np.quantile(self.highest, q, method="inverted_cdf"))
        return -(-count // self.lot) * self.lot

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def __str__(self) -> str:
        row = self.table.loc[self.best]
        steps = ((f"{self.lot} more", self.one_more), (f"{self.lot} fewer", self.one_less))
        beside = " and ".join(f"{name} would add {_money(change)}" for name, change in steps if np.isfinite(change))
        return (
            f"{self.best:,} licences are the cheapest: {row['total']:,.0f} a year, of which {row['lost_cost']:,.0f} for"
            f" {row['lost_calls']:,.0f} calls turned away. {beside}. Licences at "
            f"{self.licence_price:,g} a year, lost calls at {self.lost_call_cost:,g}, calls of "
            f"{self.mean_call_length.total_seconds():g} s on average; {self.basis}."
        )

    def _table(self) -> str:
        near = self.table.loc[self.best - 5 * self.lot : self.best + 5 * self.lot]
        return html_of(str(self), near, float_format="{:,.1f}".format)


def best_licence_count(
    demand: PeakForecast | pd.DataFrame | pd.Series,
    *,
    licence_price: float,
    lost_call_cost: float,
    lot: int = 1,
    burst: Burst | tuple[int, float] | None = None,
    billing: Rule = "licences",
    mean_call_length: CallLength = "3m",
    day_shape: npt.ArrayLike | None = None,
    variant: str | None = None,
) -> CostCurve:
    """Return the expected yearly cost of every count of licences, and the cheapest.

    Parameters
    ----------
    demand : PeakForecast, DataFrame or Series
        Sample paths of daily peaks; or a load [Erlang] for each 5-minute interval: what `cap.offered_load` returns with
        ``by=None``, or a Series such as ``Blocking.offered_load``. Loads that are NaN are left out.
    licence_price : float
        Money for one licence (or one billed channel) a year.
    lost_call_cost : float
        Money lost with a call that is turned away.
    lot : int
        Licences come in lots of so many.
    burst : Burst or (channels, price), optional
        So many calls beyond the licences are carried at a price a call.
    billing : "licences", "maximum", "held" or "p95"
        What is paid for: the licences; or, month by month, the level that calls reached: the highest 5-minute maximum,
        the level held for 30 minutes, the 95th percentile of the 5-minute maxima (nights included). The licences are
        then a cap alone. Needs a forecast of at least 30 days: months of 30 days are counted, and only whole ones.
    mean_call_length : str, timedelta or Timedelta
        Mean hold time.
    day_shape : array_like, optional
        Load of each 5-minute interval of a day relative to the busiest; by default half a sine over ten hours.
    variant : str, optional
        Of the forecast; by default TOTAL, or the only series there is.

    Returns
    -------
    CostCurve

    Raises
    ------
    ConfigError
        A price that is negative or no number, a lot below 1, an unknown billing rule, or one by month that a load or a
        horizon of less than 30 days cannot answer.
    InsufficientData
        There is no load.

    Notes
    -----
    total(L) = price * L + cost * E[lost calls a year], over sample paths. A day's peak is turned into the load of its
    busiest interval (`busy_day`); the part of the peaks' spread over paths that is chance within the day is taken
    out first, for Erlang's formula counts it. Lost: sum over intervals of A (tau / h) B(L, A).

    Examples
    --------
    >>> load = pd.Series(np.full(288, 20.0))
    >>> curve = best_licence_count(load, licence_price=100, lost_call_cost=0.01)
    >>> curve.best
    31
    """
    price, cost = as_amount(licence_price, "licence_price"), as_amount(lost_call_cost, "lost_call_cost")
    lot = as_whole(lot, "lot", least=1, of="licences")
    tariff = _burst(burst)
    rule = as_rule(billing)
    length = as_call_length(mean_call_length)
    if isinstance(demand, PeakForecast):
        year: Year = PathYear(demand, turnover(length), as_shape(day_shape), variant, rule)
    elif rule != "licences":
        raise ConfigError(f"billing={rule!r} needs a forecast of daily peaks; of loads alone give 'licences'")
    else:
        year = LoadYear(loads_of(demand, variant), turnover(length))
    extra = 0 if tariff is None else tariff.channels
    table = _search(year, price, cost, lot, tariff, extra)
    return _curve(table, year, price, cost, lot, tariff, rule, length)


def _search(year: Year, price: float, cost: float, lot: int, tariff: Burst | None, extra: int) -> pd.DataFrame:
    """Return the table of counts: every lot, or where there are very many, coarse ones and all near the best."""
    every = max(1, -(-year.top // (lot * _MOST)))
    counts = np.arange(0, -(-year.top // (lot * every)) + 2) * lot * every
    table = _table(year, counts, price, cost, tariff, extra)
    if every == 1:
        return table
    best = int(table["total"].idxmin())
    near = np.arange(max(best - lot * every, 0), best + lot * every + 1, lot)
    both = pd.concat([table, _table(year, near, price, cost, tariff, extra)])
    return both[~both.index.duplicated()].sort_index()


def _table(
    year: Year, counts: npt.NDArray[np.int64], price: float, cost: float, tariff: Burst | None, extra: int
) -> pd.DataFrame:
    lost = year.lost(counts + extra)
    over = np.zeros(len(counts)) if tariff is None else (year.lost(counts).mean(axis=1) - lost.mean(axis=1))
    limits = np.quantile(lost, _LIMITS, axis=1) if lost.shape[1] > 1 else np.full((2, len(counts)), np.nan)
    table = pd.DataFrame(
        {
            "licence_cost": price * year.billed(counts),
            "burst_calls": over,
            "burst_cost": over * (0.0 if tariff is None else tariff.price),
            "lost_calls": lost.mean(axis=1),
            "lost_lower": limits[0],
            "lost_upper": limits[1],
            "lost_cost": cost * lost.mean(axis=1),
        },
        index=pd.Index(counts, name="licences"),
    )
    return table.assign(total=table["licence_cost"] + table["burst_cost"] + table["lost_cost"])


def _curve(
    table: pd.DataFrame,
    year: Year,
    price: float,
    cost: float,
    lot: int,
    tariff: Burst | None,
    rule: Rule,
    length: pd.Timedelta,
) -> CostCurve:
    total = table["total"]
    best = int(total.idxmin())
    level = float((year.highest <= best).mean()) if len(year.highest) else np.nan
    steps = np.diff(total.to_numpy()) / np.diff(table.index.to_numpy())
    return CostCurve(
        table=table,
        best=best,
        one_more=float(total.get(best + lot, np.nan) - total[best]),
        one_less=float(total.get(best - lot, np.nan) - total[best]),
        service_level=level,
        implied_shortage_cost=price / (1.0 - level) if level < 1 else (np.inf if level == 1 else np.nan),
        convex=bool((np.diff(steps) >= -1e-6 * max(price, 1e-9)).all()),
        licence_price=price,
        lost_call_cost=cost,
        lot=lot,
        burst=tariff,
        billing=rule,
        mean_call_length=length,
        highest=year.highest,
        basis=year.basis,
    )


def _money(amount: float) -> str:
    return f"{amount:,.0f}" if abs(amount) >= 10 else f"{amount:,.2f}"


def _burst(burst: Burst | tuple[int, float] | None) -> Burst | None:
    if burst is None:
        return None
    channels, price = (burst.channels, burst.price) if isinstance(burst, Burst) else burst
    return Burst(as_whole(channels, "burst channels", least=0), as_amount(price, "burst price"))
