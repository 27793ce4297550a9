"""The cost of each month of a history under a tariff."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.analysis.costing.billing import billed_levels
from capacity.analysis.observed import one_series
from capacity.errors import ConfigError
from capacity.ground.licences import LicenceLike, as_licences
from capacity.ground.localtime import local_times
from capacity.ground.result import Result
from capacity.ground.tariff import Rule, Tariff

_MINUTES = 5.0  # of an interval
_SHORTEST = 1.0  # minutes that a maximum is taken to last at least


@dataclass(frozen=True, eq=False, repr=False)
class Bills(Result):
    """The cost of each month of a history under a tariff.

    Attributes
    ----------
    table : DataFrame
        Index ``month`` (Period); ``days`` of data in it [days]; ``licences`` held at its end [calls]; ``level``, the
        most that it can be billed by, and ``level_least``, the least [calls]; ``licence_cost``, ``burst_cost``,
        ``package_cost`` and ``total`` for that ``level``, and ``total_least`` for the least [money].
    tariff : Tariff
        The prices.
    variant : str
        Id of the series.

    See Also
    --------
    capacity.monthly_bills

    Examples
    --------
    >>> import capacity as cap
    >>> bills = cap.monthly_bills(cap.load_sample(), cap.Tariff(licence_price=120), 100, tz="Europe/London")
    >>> bills.table.loc["2024-08", ["days", "licences", "total"]].to_dict()
    {'days': 31.0, 'licences': 100.0, 'total': 1000.0}
    """

    table: pd.DataFrame
    tariff: Tariff
    variant: str

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def __str__(self) -> str:
        most, least = self.table["total"].sum(), self.table["total_least"].sum()
        least_too = "" if np.isclose(most, least) else f", at least {least:,.2f} where maxima are short"
        head = f"{len(self.table)} months cost {most:,.2f}{least_too}. {self.tariff}."
        return f"{head}\n\n{self.table.round(2).to_string()}"


def monthly_bills(
    frame: pd.DataFrame, tariff: Tariff, licences: LicenceLike, *, tz: str | dt.tzinfo, variant: str | None = None
) -> Bills:
    """Return the cost of each month of a history under a tariff.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `cap.as_intervals` makes it.
    tariff : Tariff
        The prices of licences, bursts and packages.
    licences : int, str, mapping, Series or Licences
        The licences held, one count or steps by local date; a month is billed by those at its end.
    tz : str or tzinfo
        IANA name of the zone whose months are meant.
    variant : str, optional
        Id of the series; by default TOTAL, or the only one.

    Returns
    -------
    Bills

    Raises
    ------
    ConfigError
        A burst that is billed by the call, since the number of calls is not in 5-minute maxima; no such variant, or
        licences or a time zone that cannot be read.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.Tariff, capacity.Bills
    capacity.best_licence_count : the same rules on a forecast.

    Notes
    -----
    A 5-minute maximum says that a level was reached within the interval, and not for how long, up to 5 minutes. What
    depends on a duration (the rule "used", prices by the minute) is therefore given twice: ``level`` and ``total`` take
    every maximum to last its whole interval, which is the most that can be billed; ``level_least`` and ``total_least``
    take it to last one minute.

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.date_range("2026-07-01T09:00Z", periods=9, freq="5min")
    >>> calls = [503, 503, *[500] * 7]
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))
    >>> tariff = cap.Tariff(licence_price=120, billing="used")
    >>> cap.monthly_bills(frame, tariff, 1000, tz="UTC").table[["level", "licence_cost"]].to_numpy().tolist()
    [[500.0, 5000.0]]
    """
    if tariff.burst is not None and tariff.burst.price:
        raise ConfigError("a burst paid by the call needs the number of calls, which maxima do not tell")
    one = one_series(frame, as_licences(licences), tz, variant)
    month = local_times(one.times, tz).to_period("M").rename("month")
    by_month = pd.Series(one.values, index=month).groupby(level=0)
    table = pd.DataFrame({"days": by_month.size() / (24 * 60 / _MINUTES)})
    held = as_licences(licences).on(table.index.to_timestamp(how="end").normalize())
    table["licences"] = held

    def level(rule: Rule, lasting: float) -> pd.Series:
        return billed_levels(frame, rule, tz=tz, variant=variant, lasting=lasting).reindex(table.index)

    by_level = "maximum" if tariff.billing == "licences" else tariff.billing
    least = pd.Series(0.0, index=table.index)
    for lasting in (_SHORTEST, _MINUTES):
        billed = level(by_level, lasting)
        at = held[table.index.get_indexer(month)]
        over = np.clip(one.values - at, 0, tariff.carried_above(at))
        minutes = lasting * pd.Series(over, index=month).groupby(level=0).sum()
        table["level" if lasting == _MINUTES else "level_least"] = billed
        table["licence_cost"] = tariff.month_paid(held, billed)
        burst = billed if tariff.burst is None else level(tariff.burst.measure, lasting)
        table["burst_cost"] = tariff.month_burst(held, burst, minutes=minutes)
        table["package_cost"] = 0.0
        if tariff.package is not None:
            used = billed if tariff.package.of == "channels" else lasting * by_month.sum()
            table["package_cost"] = tariff.package.cost(used)
        total = table["licence_cost"] + table["burst_cost"] + table["package_cost"]
        if lasting == _SHORTEST:
            least = total
    columns = ["days", "licences", "level", "level_least", "licence_cost", "burst_cost", "package_cost", "total"]
    table = table.assign(total=total)[columns].assign(total_least=least)
    return Bills(table=table, tariff=tariff, variant=one.id)
