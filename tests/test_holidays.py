"""Public holidays by country code and by date."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.errors import ConfigError
from capacity.ground.holidays import as_days, holiday_dates, holiday_words


def test_country_and_subdivision():
    """A subdivision that is dropped would plan Cesar Chavez Day (a Californian holiday) as an ordinary day."""
    us = holiday_dates("US", [2026])
    california = holiday_dates("US-CA", [2026])
    assert pd.Timestamp("2026-07-04") in us
    assert pd.Timestamp("2026-03-31") in california
    assert pd.Timestamp("2026-03-31") not in us


def test_observed_days_are_holidays():
    """Saturday 4 July 2026 is taken on Friday the 3rd: leaving it out would plan a full working day."""
    assert pd.Timestamp("2026-07-03") in holiday_dates("US", [2026])


def test_years_bound_a_country_and_not_dates():
    """Given dates outside the years must not vanish; a country's must stay within them."""
    assert set(holiday_dates("GB", [2025, 2026]).year) == {2025, 2026}
    assert holiday_dates(["2031-01-01"], [2026]).tolist() == [pd.Timestamp("2031-01-01")]


@pytest.mark.parametrize(
    "given",
    [
        [dt.date(2026, 12, 26), "2026-12-25", "2026-12-25"],
        pd.DatetimeIndex(["2026-12-26", "2026-12-25"]),
        pd.Series(["Boxing Day", "Christmas"], index=pd.to_datetime(["2026-12-26", "2026-12-25"])),
        {dt.date(2026, 12, 26): "Boxing Day", dt.date(2026, 12, 25): "Christmas"},
        {pd.Timestamp("2026-12-26", tz="Europe/London"), pd.Timestamp("2026-12-25", tz="Europe/London")},
    ],
)
def test_dates_in_every_shape(given):
    """A shape of input that is read otherwise would move or lose holidays in silence."""
    found = holiday_dates(given, [2026])
    assert found.tolist() == [pd.Timestamp("2026-12-25"), pd.Timestamp("2026-12-26")]
    assert found.dtype == "datetime64[ns]"


def test_none_is_no_holidays():
    """None must be an empty index of the usual dtype, so that nobody has to ask."""
    assert holiday_dates(None, [2026]).dtype == "datetime64[ns]"
    assert len(holiday_dates(None, [2026])) == 0


@pytest.mark.parametrize("code", ["XX", "", "GB-NOWHERE", "United Kingdom of Elsewhere"])
def test_unknown_code(code):
    """A misspelt country must not mean a forecast without holidays."""
    with pytest.raises(ConfigError, match="no calendar"):
        holiday_dates(code, [2026])


@pytest.mark.parametrize("value", ["sometime", "2026-12-25T08:00", None])
def test_no_day(value):
    """A value that is no whole day must be named, not rounded."""
    with pytest.raises(ConfigError, match="holidays"):
        holiday_dates([value], [2026])


@pytest.mark.parametrize("kind", ["datetime64[ns]", object, str])
def test_a_series_of_dates_is_read_by_its_values(kind):
    """The row numbers would be taken for days of 1970, and no day would be left out."""
    days = pd.Series(pd.to_datetime(["2026-12-25", "2026-12-24"])).dt.strftime("%Y-%m-%d").astype(kind)
    assert as_days(days, name="exclude").strftime("%d").tolist() == ["24", "25"]
    named = pd.Series(pd.to_datetime(["2026-12-25"]), index=["Christmas"])
    assert as_days(named, name="exclude").strftime("%d").tolist() == ["25"]


def test_a_series_by_date_is_read_by_its_index():
    """The names, or the numbers, that stand beside the dates would be read as dates."""
    for index in (["2026-12-25"], pd.to_datetime(["2026-12-25"])):
        for beside in ("Christmas", 3):
            assert as_days(pd.Series([beside], index=index), name="exclude").strftime("%d").tolist() == ["25"]


@pytest.mark.parametrize("value", [20261225, 3, 0.5, np.int64(3), True])
def test_a_number_is_no_date(value):
    """20261225 would be read as nanoseconds since 1970: a day that is in no history, and nobody would notice."""
    for days in ([value], value):
        with pytest.raises(ConfigError, match="is a number, not a date"):
            as_days(days, name="exclude")


@pytest.mark.parametrize(
    ("code", "brings", "differ"),
    [
        (
            "GB",
            ["6 days in 2025", "Good Friday", "Boxing Day", "such as GB-ENG Easter Monday, Late Summer Bank Holiday"],
            True,
        ),
        ("GB-ENG", ["8 days in 2025", "Easter Monday"], False),
        ("US", ["days in 2025", "Juneteenth", "Parts of the country have more"], True),
        ("JP", ["days in 2025", "Coming of Age Day"], False),
        (["2025-12-25"], ["as given"], False),
        (None, ["none were given"], False),
    ],
)
def test_words_name_the_holidays_that_a_code_brings(code, brings, differ):
    """GB would be taken for the holidays of London, and Easter Monday be planned as an ordinary day."""
    words, more = holiday_words(code, 2025)
    assert all(part in words for part in brings), words
    assert more is differ


def test_a_country_whose_parts_differ_is_warned_of():
    """Who names a country would not learn that the code lacks holidays of the part where the calls come from."""
    peaks = pd.Series(np.arange(70) % 7 + 20, pd.date_range("2026-01-05", periods=70))
    with pytest.warns(UserWarning, match="holidays='GB': parts of the country have more, such as GB-ENG Easter Monday"):
        cap.forecast_peaks(peaks, 7, seed=1, holidays="GB", paths=10)
    cap.forecast_peaks(peaks, 7, seed=1, holidays="GB-ENG", paths=10)


def test_an_assessment_notes_it_in_place_of_a_warning():
    """A report would be read by people who never saw the warning of the program that made it."""
    times = pd.date_range("2026-01-05", periods=60 * 288, freq="5min", tz="UTC")
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": times.hour}))
    found = cap.assess(frame, 30, tz="UTC", seed=1, horizon=7, holidays="GB", backtest=False)
    note = next(note for note in found.notes if note.startswith("Public holidays: GB, 7 days in 2026"))
    assert note.severity == "warning" and "GB-ENG" in note
