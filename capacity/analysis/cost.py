"""The cheapest count of licences: the price of licences against the cost of calls turned away.

One more licence pays while it saves more in lost calls than its price. All amounts are **per year**, in the currency
of the prices. Lost calls follow from a forecast of daily peaks under these assumptions:

- each day runs like `day_shape` (by default ten hours that rise and fall like half a sine);
- its peak tells the load of its busiest interval, and Erlang's formula the calls lost in every interval;
- calls that are turned away do not come back.

Retries, dialler batches and peaky arrivals lose more than that: the text of `capacity.analysis.traffic` says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.costing.busy_day import as_shape
from capacity.analysis.costing.year import LoadYear, PathYear, Year, loads_of
from capacity.errors import ConfigError
from capacity.forecast.paths import PeakForecast
from capacity.ground.arguments import as_amount
from capacity.ground.arrays import Floats
from capacity.ground.call_length import CallLength, as_call_length, turnover
from capacity.ground.floats import usual_float_errors
from capacity.ground.result import Result
from capacity.ground.tariff import MONTHS, Burst, Rule, Tariff
from capacity.ground.text import html_of

_MOST = 400  # counts that are worked out at once; between them the best is looked for in two rounds
_LIMITS = (0.05, 0.95)


@dataclass(frozen=True, eq=False, repr=False)
class CostCurve(Result):
    """The expected yearly cost of each count of licences, and the cheapest count.

    Attributes
    ----------
    table : DataFrame
        Index ``licences``; columns ``licence_cost`` [money a year]; ``burst_calls`` [calls a year] carried above the
        licences and ``burst_cost``; ``lost_calls`` [calls a year] with ``lost_lower`` and ``lost_upper`` (the 5 and 95%
        quantiles over the paths; NaN where there are no paths) and ``lost_cost``; ``package_cost`` where the tariff has
        a package; and ``total`` [money a year].
    best : int
        The count with the least total; the smaller one where two cost the same.
    one_more, one_less : float
        What one lot more, or one lot less, than `best` would add to the total [money a year]; NaN at the end of the
        table.
    service_level : float
        Probability that the highest peak of the horizon stays within the best count; NaN where there are no paths.
    implied_shortage_cost : float
        The newsvendor rule buys the (b - c) / b quantile of the highest peak, with c the price of a licence and b the
        yearly cost of each channel that the highest peak lacks. This is the b at which it buys the same count,
        c / (1 - service level) [money a year].
    convex : bool
        Whether every lot saves less than the one before, so that "buy while a lot saves more than its price" leads to
        the same count.
    licence_price, lost_call_cost : float
        Price of a licence [money a year], and cost of a call turned away [money].
    lot : int
        Licences are sold in lots of this size.
    burst : Burst or None
        The price of calls above the licences.
    billing : str
        The billing rule: see `Tariff`.
    mean_call_length : Timedelta
        Mean length of a call.
    highest : ndarray
        The highest peak of the horizon on each path [calls], ascending; empty where there are no paths.
    basis : str
        The demand behind it, in words.
    tariff : Tariff
        All prices.

    See Also
    --------
    capacity.best_licence_count

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
    tariff: Tariff

    def newsvendor(self, shortage_cost: float) -> int:
        """Return the count that the newsvendor rule buys: the quantile (b - c) / b of the horizon's highest peak.

        It is the cheapest count where only the highest peak matters.

        Parameters
        ----------
        shortage_cost : float
            b, the cost of each channel that the highest peak lacks [money a year]; c is `licence_price`.

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


@usual_float_errors
def best_licence_count(
    demand: PeakForecast | pd.DataFrame | pd.Series,
    *,
    licence_price: float | None = None,
    lost_call_cost: float | None = None,
    lot: int = 1,
    burst: Burst | tuple[int, float] | None = None,
    billing: Rule = "licences",
    tariff: Tariff | None = None,
    mean_call_length: CallLength = "3m",
    day_shape: npt.ArrayLike | None = None,
    variant: str | None = None,
) -> CostCurve:
    """Return the expected yearly cost of every count of licences, and the cheapest count.

    Parameters
    ----------
    demand : PeakForecast, DataFrame or Series
        Sample paths of daily peaks; or a load [Erlang] for each 5-minute interval: what `cap.offered_load` returns with
        ``by=None``, or a Series such as ``Blocking.offered_load``. Loads that are NaN are left out.
    licence_price, lost_call_cost, lot, burst, billing
        As in `Tariff`. The two prices are needed where no `tariff` is given.
    tariff : Tariff, optional
        In place of those five. Billing by month, bursts paid by the month's level and packages need a forecast of at
        least 30 days: whole months of 30 days are counted. Commitment and notice have no effect on the yearly cost of a
        constant count; `purchase_schedule` plans with them.
    mean_call_length : str, timedelta or Timedelta, default "3m"
        Mean length of a call.
    day_shape : array_like, optional
        Load of each 5-minute interval of a day relative to the busiest, 288 numbers; by default half a sine over ten
        hours.
    variant : str, optional
        Id of the forecast's series; by default TOTAL, or the only one.

    Returns
    -------
    CostCurve

    Raises
    ------
    ConfigError
        A price that is missing, negative or no number, a lot below 1, an unknown billing rule, a rule by month with a
        load or a horizon of less than 30 days, or a tariff beside prices of their own.
    InsufficientData
        There is no load.

    See Also
    --------
    capacity.licences_needed, capacity.purchase_schedule, capacity.CostCurve

    Notes
    -----
    total(L) = price * L + cost * E[lost calls a year], over sample paths. A day's peak gives the load A of its busiest
    interval, and `day_shape` that of the others; chance within the day is first taken out of the spread of the peaks
    over the paths, since Erlang's formula contains it. Lost calls are the sum over intervals of A (tau / h) B(L, A),
    with tau = 5 minutes, h the mean call length and B Erlang's formula.

    References
    ----------
    K. J. Arrow, T. Harris, J. Marschak (1951), Optimal inventory policy, Econometrica 19: the newsvendor rule.

    Examples
    --------
    >>> import capacity as cap
    >>> load = pd.Series(np.full(288, 20.0))
    >>> curve = cap.best_licence_count(load, licence_price=100, lost_call_cost=0.01)
    >>> curve.best
    31
    """
    rates = _rates(tariff, licence_price, lost_call_cost, lot, burst, billing)
    length = as_call_length(mean_call_length)
    if isinstance(demand, PeakForecast):
        year: Year = PathYear(demand, turnover(length), as_shape(day_shape), variant)
    else:
        year = LoadYear(loads_of(demand, variant), turnover(length))
    return _curve(_search(year, rates, length), year, rates, length)


def _rates(
    tariff: Tariff | None, price: float | None, cost: float | None, lot: int, burst: Any, billing: Rule
) -> Tariff:
    """Return the tariff, or the one that the single arguments make."""
    if tariff is None:
        if price is None or cost is None:
            raise ConfigError("the cost needs licence_price and lost_call_cost, or a tariff")
        return Tariff(licence_price=price, lost_call_cost=cost, lot=lot, burst=burst, billing=billing)
    if not isinstance(tariff, Tariff):
        raise ConfigError(f"tariff={tariff!r} must be a cap.Tariff")
    if (price, cost, lot, burst, billing) != (None, None, 1, None, "licences"):
        raise ConfigError("the tariff says the prices, the lot, the burst and the billing: give it alone, or them")
    return tariff


def _search(year: Year, tariff: Tariff, length: pd.Timedelta) -> pd.DataFrame:
    """Return the table of counts: every lot, or where there are very many, coarse ones and all near the best."""
    lot = tariff.lot
    every = max(1, -(-year.top // (lot * _MOST)))
    counts = np.arange(0, -(-year.top // (lot * every)) + 2) * lot * every
    table = _table(year, counts, tariff, length)
    if every == 1:
        return table
    best = int(table["total"].idxmin())
    near = np.arange(max(best - lot * every, 0), best + lot * every + 1, lot)
    both = pd.concat([table, _table(year, near, tariff, length)])
    return both[~both.index.duplicated()].sort_index()


def _table(year: Year, counts: npt.NDArray[np.int64], tariff: Tariff, length: pd.Timedelta) -> pd.DataFrame:
    above = np.minimum(tariff.carried_above(counts), year.top)  # more than there ever are change nothing
    lost = year.lost(counts + above)
    over = year.lost(counts).mean(axis=1) - lost.mean(axis=1) if tariff.burst is not None else np.zeros(len(counts))
    limits = np.quantile(lost, _LIMITS, axis=1) if lost.shape[1] > 1 else np.full((2, len(counts)), np.nan)
    table = pd.DataFrame(
        {
            "licence_cost": _paid(year, counts, tariff),
            "burst_calls": over,
            "burst_cost": _burst_cost(year, counts, above, over, tariff),
            "lost_calls": lost.mean(axis=1),
            "lost_lower": limits[0],
            "lost_upper": limits[1],
            "lost_cost": tariff.lost_call_cost * lost.mean(axis=1),
        },
        index=pd.Index(counts, name="licences"),
    )
    total = table["licence_cost"] + table["burst_cost"] + table["lost_cost"]
    if tariff.package is not None:
        table["package_cost"] = _package_cost(year, counts, lost, tariff, length)
        total += table["package_cost"]
    return table.assign(total=total)


def _paid(year: Year, counts: npt.NDArray[np.int64], tariff: Tariff) -> Floats:
    """Return a year's price of licences, on average over months and paths, shape (counts,)."""
    if tariff.billing == "licences":
        return np.asarray(tariff.licence_price * counts)
    levels = year.levels(tariff.billing).ravel()
    return np.array([MONTHS * tariff.month_paid(count, levels).mean() for count in counts])


def _burst_cost(
    year: Year, counts: npt.NDArray[np.int64], above: npt.NDArray[np.int64], calls: Floats, tariff: Tariff
) -> Floats:
    """Return a year's price of calls above the licences, shape (counts,)."""
    burst = tariff.burst
    if burst is None:
        return np.zeros(len(counts))
    minutes = year.minutes_above(counts, counts + above) if burst.per_minute else np.zeros(len(counts))
    levels = year.levels(burst.measure).ravel() if burst.multiple else np.zeros(1)
    return np.array(
        [
            MONTHS * tariff.month_burst(count, levels, minutes=m / MONTHS, calls=c / MONTHS).mean()
            for count, m, c in zip(counts, minutes, calls, strict=True)
        ]
    )


def _package_cost(
    year: Year, counts: npt.NDArray[np.int64], lost: Floats, tariff: Tariff, length: pd.Timedelta
) -> Floats:
    """Return a year's price of packages, shape (counts,); minutes are of the calls that are carried."""
    package = tariff.package
    assert package is not None
    if package.of == "channels":
        levels = year.levels("maximum" if tariff.billing == "licences" else tariff.billing).ravel()
        return np.array([MONTHS * package.cost(np.minimum(levels, count)).mean() for count in counts])
    minutes = year.month_minutes()  # (paths, months)
    offered = minutes.mean(axis=1) * MONTHS
    turned_away = np.minimum(lost * (length / pd.Timedelta(minutes=1)) / np.maximum(offered, 1e-12), 1.0)
    return np.array([MONTHS * package.cost(minutes * (1 - share)[:, None]).mean() for share in turned_away])


def _curve(table: pd.DataFrame, year: Year, tariff: Tariff, length: pd.Timedelta) -> CostCurve:
    total, lot, price = table["total"], tariff.lot, tariff.licence_price
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
        lost_call_cost=tariff.lost_call_cost,
        lot=lot,
        burst=tariff.burst,
        billing=tariff.billing,
        mean_call_length=length,
        highest=year.highest,
        basis=year.basis,
        tariff=tariff,
    )


def _money(amount: float) -> str:
    return f"{amount:,.0f}" if abs(amount) >= 10 else f"{amount:,.2f}"
