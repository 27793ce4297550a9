"""Tariffs against bills worked out by hand, to the cent, and the same rules on a forecast."""

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis.costing.billing import billed_levels
from capacity.analysis.costing.busy_day import BusyDay, as_shape, calls_above
from capacity.analysis.costing.year import PathYear
from capacity.errors import ConfigError
from capacity.plan.files import read_events, read_tariff
from capacity.stats.erlang import erlang_b

from .test_cost import forecast_of


def month_of(values, start="2026-07-01", tz="UTC"):
    """Build a frame of TOTAL whose first intervals hold the values, and the rest of the month 1."""
    first = pd.Timestamp(start, tz=tz)
    times = pd.date_range(first, first + pd.offsets.MonthEnd(0) + pd.Timedelta(days=1), freq="5min", inclusive="left")
    calls = np.ones(len(times), dtype=int)
    calls[: len(values)] = values
    return cap.as_intervals(
        pd.DataFrame({"time": times.tz_convert("UTC"), "variant": cap.TOTAL, "max_concurrent": calls})
    )


def bill(values, licences, **tariff):
    """Return the bill of one month as a row."""
    return cap.monthly_bills(month_of(values), cap.Tariff(**tariff), licences, tz="UTC").table.iloc[0]


def test_used_is_half_an_hour_of_the_month_not_in_a_row():
    """Genesys' own example: 500 for 31 minutes and 503 for 6 minutes bill 500."""
    apart = [503, 1, 1, 503, *[1, 500] * 6]  # 503 in two intervals, 500 in six more, none beside another
    row = bill(apart, 1000, licence_price=12 * 40, billing="used")
    assert row["level"] == 500
    assert row["licence_cost"] == 20_000.00
    assert billed_levels(month_of(apart), "held").iloc[0] == 1
    five = [500] * 5  # 25 minutes at most
    assert bill(five, 1000, licence_price=120, billing="used")["level"] == 1


def test_used_bills_more_than_half_an_hour_in_a_row_on_the_sample():
    """The two rules would be one: on the sample half an hour in a row bills about a tenth less."""
    used, held = (billed_levels(cap.load_sample(), rule, tz="Europe/London") for rule in ("used", "held"))
    assert (used >= held).all()
    assert 1 - held.sum() / used.sum() == pytest.approx(0.11, abs=0.03)


def test_bounds_of_a_duration_are_told():
    """A maximum says that a level was reached, not for how long; a bill would be told as certain."""
    values = [90] * 6 + [50] * 24
    row = bill(values, 100, licence_price=120, billing="used")
    assert (row["level"], row["level_least"]) == (90, 50)  # six of 5 minutes; thirty of one minute
    assert (row["total"], row["total_least"]) == (900.00, 500.00)


def test_flat_licences_and_lots_by_hand():
    """100 licences at 180 a year would not be 1,500 a month, whatever was used."""
    assert bill([30], 100, licence_price=180)["total"] == 1_500.00
    curve = cap.best_licence_count(
        pd.Series(np.full(288, 20.0)), tariff=cap.Tariff(licence_price=100, lot=10, lost_call_cost=0.01)
    )
    assert (curve.table.index % 10 == 0).all()
    assert curve.best == 30


def test_monthly_maximum_and_95th_percentile_by_hand():
    """A month of 31 days has 8,928 intervals: its 95th percentile is the 8,482nd, with 446 above."""
    values = [70] * 446 + [60]
    assert bill(values, 1000, licence_price=12, billing="p95")["total"] == 60.00
    assert bill([70] * 447, 1000, licence_price=12, billing="p95")["total"] == 70.00
    assert bill(values, 1000, licence_price=12, billing="maximum")["total"] == 70.00
    assert bill(values, 65, licence_price=12, billing="maximum")["total"] == 65.00  # the licences are a cap


def test_burst_at_double_rate_up_to_three_times_at_most_300_more():
    """100 licences, a month that reached 180: 100 at 12.50, and 80 at 25."""
    burst = cap.Burst(times=3, channels=300, multiple=2)
    rates = {"licence_price": 150, "burst": burst}
    assert bill([180], 100, **rates)["total"] == 100 * 12.50 + 80 * 25.00
    assert bill([350], 100, **rates)["total"] == 100 * 12.50 + 200 * 25.00  # three times is 300
    assert bill([900], 200, **rates)["total"] == 200 * 12.50 + 300 * 25.00  # at most 300 more
    half_hour = cap.Burst(multiple=2, measure="used")
    assert bill([180] * 5 + [120] * 2, 100, licence_price=150, burst=half_hour)["total"] == 1250.00 + 20 * 25.00


def test_surcharge_by_the_minute_by_hand():
    """Three intervals with 10 above and one with 4 above are at most 170 call minutes, at 10 cents."""
    row = bill([110, 110, 110, 104], 100, licence_price=120, burst=cap.Burst(per_minute=0.10))
    assert row["total"] == pytest.approx(1_000 + 17.00, abs=0.001)
    assert row["total_least"] == pytest.approx(1_000 + 3.40, abs=0.001)


def test_packages_with_overage_by_hand():
    """100 intervals of 20 calls and 8,828 of one are 54,140 minutes at most: 4,140 beyond the package, at 6 cents."""
    package = cap.Package(price=500, included=50_000, overage=0.06)
    row = bill([20] * 100, 200, licence_price=0, package=package)
    assert row["total"] == pytest.approx(748.40, abs=0.001)
    assert row["total_least"] == 500.00
    seats = cap.Package(price=1_000, included=50, overage=30, of="channels")
    assert bill([53], 200, licence_price=0, package=seats)["total"] == 1_090.00
    assert bill([44], 200, licence_price=0, package=seats)["total"] == 1_000.00


def test_months_are_local_and_licences_those_at_their_end():
    """A step on 15 July would be billed from August on, or July's first hours belong to June."""
    frame = month_of([9], tz="America/New_York")
    steps = {"2026-01-01": 10, "2026-07-15": 20}
    table = cap.monthly_bills(frame, cap.Tariff(licence_price=12), steps, tz="America/New_York").table
    assert table["total"].tolist() == [20.0]
    assert table["days"].tolist() == [31.0]
    with pytest.raises(ConfigError, match="the number of calls"):
        cap.monthly_bills(frame, cap.Tariff(licence_price=12, burst=(5, 0.1)), 10, tz="UTC")


def test_used_level_of_a_forecast_is_that_of_simulated_months():
    """The level that a forecast is billed by would not be that of months of independent intervals."""
    shape = as_shape(None)
    day = BusyDay.up_to(90.0, 5 / 3, shape)
    load = 50.0
    peaks = np.full((40, 30), float(np.interp(np.sqrt(load), day.grid, day.peak)))
    forecast = forecast_of(np.rint(peaks).astype(int))
    rates = cap.Tariff(licence_price=1, billing="used")
    billed = cap.best_licence_count(forecast, tariff=rates).table["licence_cost"].iloc[-1]
    rng = np.random.default_rng(5)
    own = float(day.load(np.array([np.rint(peaks[0, 0])]))[0])
    place = np.rint(np.sqrt(own * shape) / (day.grid[1] - day.grid[0])).astype(int)
    cdf = 1 - day.interval_above[place]
    months = [(rng.random((30, len(place)))[:, :, None] > cdf[None]).sum(axis=2) for _ in range(200)]
    sixth = np.mean([np.sort(m.ravel())[-6] for m in months])
    assert billed == pytest.approx(sixth, abs=0.8)


def test_95th_percentile_of_a_forecast_counts_the_night_too():
    """Five per cent of a month would be taken of the ten busy hours alone, or of another month's days."""
    forecast = forecast_of(np.full((3, 60), 60))
    year = PathYear(forecast, 5 / 3, as_shape(None), None)
    levels = np.interp(np.sqrt(year.loads[0, 0] * as_shape(None)), year.day.grid, year.day.interval_peak)
    month = np.sort(np.tile(levels, 30))[::-1]
    assert year.levels("p95") == pytest.approx(np.full((3, 2), month[30 * 288 // 20]))
    held = min(np.sort(levels)[::-1][:6])  # half an hour in a row at the top of the day
    assert year.levels("held") == pytest.approx(np.full((3, 2), held))
    assert (year.levels("maximum") == 60).all()
    assert cap.best_licence_count(forecast, tariff=cap.Tariff(licence_price=1, billing="p95")).best >= 0


def test_calls_above_the_licences_are_those_of_a_cut_poisson():
    """The minutes of a surcharge would come from another law than the calls in progress have."""
    p = np.array([20.0**n / np.prod(np.arange(1.0, n + 1)) for n in range(31)])
    expected = ((np.arange(31) - 22).clip(0) * p).sum() / p.sum()
    assert calls_above(np.array(20.0), np.array(22), np.array(30)) == pytest.approx(expected, rel=1e-9)


def test_a_burst_by_the_minute_on_a_steady_load():
    """A year's surcharge would not be the minutes above times the price."""
    load = pd.Series(np.full(288, 20.0))
    burst = cap.Burst(channels=8, per_minute=0.5)
    table = cap.best_licence_count(load, tariff=cap.Tariff(licence_price=100, burst=burst, lost_call_cost=1)).table
    minutes = 365.25 * 24 * 60 * float(calls_above(np.array(20.0), np.array(22), np.array(30)))
    assert table.loc[22, "burst_cost"] == pytest.approx(0.5 * minutes, rel=1e-3)
    lost = erlang_b(30, 20) * 20 * 365.25 * 24 * 60 / 3
    assert table.loc[22, "lost_calls"] == pytest.approx(lost, rel=0.01)


def test_burst_and_package_on_a_forecast():
    """Known peaks, month by month: the burst's and the package's cost would not be those of the bills."""
    peaks = np.tile(np.r_[np.full(15, 100), np.full(15, 140)], (50, 2))
    rates = cap.Tariff(licence_price=12, burst=cap.Burst(channels=30, multiple=2))
    table = cap.best_licence_count(forecast_of(peaks), tariff=rates).table
    assert table.loc[120, "burst_cost"] == pytest.approx(12 * 2 * 20)
    assert table.loc[100, "burst_cost"] == pytest.approx(12 * 2 * 30)  # 40 above, of which 30 are carried
    assert table.loc[140, "burst_cost"] == 0
    seats = cap.Tariff(licence_price=0, package=cap.Package(1000, 100, 5, of="channels"))
    packed = cap.best_licence_count(forecast_of(peaks), tariff=seats).table
    assert packed.loc[150, "package_cost"] == pytest.approx(12 * (1000 + 5 * 40))
    minutes = cap.Tariff(licence_price=0, package=cap.Package(10, 0, 0.01))
    full = cap.best_licence_count(forecast_of(peaks), tariff=minutes).table["package_cost"]
    assert full.loc[0] == pytest.approx(120)  # all calls are lost
    assert full.iloc[-1] > full.loc[50] > full.loc[0]


def test_tariff_and_single_prices_exclude_each_other():
    """Two prices would be given, and one of them be ignored in silence."""
    load = pd.Series(np.full(288, 20.0))
    with pytest.raises(ConfigError, match="give it alone"):
        cap.best_licence_count(load, tariff=cap.Tariff(licence_price=1), licence_price=2)
    with pytest.raises(ConfigError, match="or a tariff"):
        cap.best_licence_count(load, licence_price=2)
    with pytest.raises(ConfigError, match=r"must be a cap\.Tariff"):
        cap.best_licence_count(load, tariff={"licence_price": 2})


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"licence_price": -1}, "licence_price"),
        ({"lot": 0}, "lot"),
        ({"billing": "weekly"}, "billing"),
        ({"commitment": "soon"}, "commitment"),
        ({"notice": 1.5}, "notice"),
        ({"burst": "double"}, "burst"),
        ({"package": 500}, "package"),
        ({"lost_call_cost": "2"}, "lost_call_cost"),
    ],
)
def test_what_cannot_be_read_is_refused(how, says):
    """A wrong tariff would be taken for another one."""
    with pytest.raises(ConfigError, match=says):
        cap.Tariff(**{"licence_price": 100} | how)
    with pytest.raises(ConfigError, match="times"):
        cap.Burst(times=0.5)
    with pytest.raises(ConfigError, match="measure"):
        cap.Burst(measure="licences")
    with pytest.raises(ConfigError, match="minutes"):
        cap.Package(1, 2, 3, of="hours")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[event]]\nname = 'a'\ndate = 2026-03-01\n", "event 1 lacks calls"),
        ("[[event]]\nname = 'a'\ndate = 2026-03-01\ncalls = 5\n", "has no reason"),
        ("[[event]]\nnome = 'a'\n", "has no key 'nome'"),
        ("event = 5\n", r"\[\[event\]\]"),
        ("[event]\nname = 'a'\n", r"\[\[event\]\]"),
        ("[[event]\n", "is not TOML"),
        ("[[event]]\nname='a'\ndate=2026-03-01T10:00:00\ncalls=5\nreason='b'\n", "no whole day"),
    ],
)
def test_event_files_that_cannot_be_read(tmp_path, text, says):
    """A message would name neither the file nor what is wrong in it."""
    path = tmp_path / "events.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        read_events(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lot = 10\n", "lacks licence_price"),
        ("licence_price = 10\nburst = 5\n", "must be a table"),
        ("licence_price = 10\n[burst]\nfactor = 2\n", r"\[burst\] has no key 'factor'"),
        ("licence_price = 10\n[package]\nprice = 2\n", "lacks included and overage"),
        ("licence_price = 'ten'\n", "licence_price"),
    ],
)
def test_tariff_files_that_cannot_be_read(tmp_path, text, says):
    """A message would name neither the file nor what is wrong in it."""
    path = tmp_path / "tariff.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        read_tariff(path)
    assert str(caught.value).count(str(path)) == 1
    with pytest.raises(ConfigError, match="cannot be read"):
        read_tariff(tmp_path / "nothing.toml")
