from __future__ import annotations

import datetime as dt
import time
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from capacity.errors import ConfigError
from capacity.ground.holidays import as_days
from capacity.ground.licences import as_licences
from capacity.ground.times import as_date, as_instant, as_range, as_zone


@pytest.mark.parametrize(
    ("value", "tz", "expected"),
    [
        ("2026-01-15", "Europe/London", "2026-01-15T00:00Z"),
        ("2026-07-15", "Europe/London", "2026-07-14T23:00Z"),
        (dt.date(2024, 2, 29), "America/New_York", "2024-02-29T05:00Z"),
        ("20260715", "Asia/Kolkata", "2026-07-14T18:30Z"),
        ("2026-07-15T10:00", "Australia/Lord_Howe", "2026-07-14T23:30Z"),
        (dt.datetime(2026, 7, 15, 10, tzinfo=dt.UTC), None, "2026-07-15T10:00Z"),
        ("2026-07-15T10:00+05:30", "Europe/London", "2026-07-15T04:30Z"),
        (pd.Timestamp("2026-07-15T10:00", tz="US/Pacific"), None, "2026-07-15T17:00Z"),
        # The clock skips midnight in Cairo on 26 April 2024: the day begins at 01:00.
        ("2024-04-26", "Africa/Cairo", "2024-04-25T22:00Z"),
        # Midnight happens twice in Havana on 3 November 2024: the day begins at the first.
        ("2024-11-03", "America/Havana", "2024-11-03T04:00Z"),
        # Samoa went from the end of the 29th at -10:00 to the 31st at +14:00, Kiritimati likewise: no such day.
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00Z"),
        ("2011-12-31", "Pacific/Apia", "2011-12-30T10:00Z"),
        ("1994-12-31", "Pacific/Kiritimati", "1994-12-31T10:00Z"),
        # The clock went from 23:30 to 00:30 at 04:30Z: what is left of the day begins then.
        ("1919-03-31", "America/Toronto", "1919-03-31T04:30Z"),
    ],
)
def test_instants(value, tz, expected):
    """A range would begin an hour off (offsets from the IANA tables, by hand)."""
    assert as_instant(value, tz) == pd.Timestamp(expected)


@pytest.mark.parametrize(
    ("value", "tz", "says"),
    [
        ("2026-01-15", None, "tz="),
        ("2026-01-15T10:00", None, "tz="),
        ("2026-03-29T01:30", "Europe/London", "twice or never"),
        ("2025-10-26T01:30", "Europe/London", "twice or never"),
        ("yesterday-ish", "UTC", "no time"),
        (None, "UTC", "no time"),
        ("2026-01-15", "Mars/Olympus", "IANA"),
        ("01/02/2026", "Europe/London", "ISO 8601"),
        ("13/02/2026", "Europe/London", "ISO 8601"),
        ("02-01-2026", "UTC", "ISO 8601"),
        ("1 Feb 2026", "UTC", "ISO 8601"),
        ("2026", "UTC", "ISO 8601"),
        ("2026-02", "UTC", "ISO 8601"),
        ("1770000000", "UTC", "ISO 8601"),
        (20260201, "UTC", "number"),
        (1.5, "UTC", "number"),
        ("10:00", "UTC", "ISO 8601"),
        ("T10:00", "UTC", "ISO 8601"),
        (dt.time(10), "UTC", "ISO 8601"),
        ("２026-01-15", "UTC", "ISO 8601"),
        ("2026-13-01", "UTC", "ISO 8601"),
        ("2026-02-30", "UTC", "ISO 8601"),
        ("tomorrow", "UTC", "ISO 8601"),
        ("today", None, "tz="),
    ],
)
def test_what_is_unclear_is_refused(value, tz, says):
    """An ambiguous time would be guessed."""
    with pytest.raises(ConfigError, match=says):
        as_instant(value, tz)


@pytest.mark.parametrize(
    "value", ["01/03/2026", "1 Mar 2026", "2026-03", 20260301, "20:00", "2026-03-01T10:00", None, "now", dt.time(1)]
)
def test_days_are_iso_dates_wherever_they_are_given(value):
    """A holiday, an excluded day, a licence step or an origin was guessed from text that is two dates."""
    for read in (
        lambda: as_date(value, name="x"),
        lambda: as_days([value], name="exclude"),
        lambda: as_licences({"2026-01-01": 1, value: 2}),
        lambda: (
            as_licences(f"1,{value}:2") if isinstance(value, str) and ":" not in value else as_days(value, name="x")
        ),
    ):
        with pytest.raises(ConfigError, match=r"is no date|ISO 8601|no whole day"):
            read()
    assert as_date("2026-03-01", name="x") == as_date(dt.date(2026, 3, 1), name="x") == pd.Timestamp("2026-03-01")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="no tzset there")
def test_now_and_today_are_meant_in_the_given_zone(monkeypatch):
    """Now was the wall clock of the machine, taken for that of the project; today was not midnight."""
    try:
        for machine in ("America/Los_Angeles", "Asia/Kolkata"):
            monkeypatch.setenv("TZ", machine)
            time.tzset()
            before = dt.datetime.now(dt.UTC)
            now, today = as_instant("now", "Asia/Tokyo"), as_instant(" Today ", "Asia/Tokyo")
            assert abs(now - before) < dt.timedelta(minutes=1)
            midnight = before.astimezone(ZoneInfo("Asia/Tokyo")).replace(hour=0, minute=0, second=0, microsecond=0)
            assert today - midnight in (dt.timedelta(0), dt.timedelta(days=1))  # a day may begin in between
    finally:
        monkeypatch.undo()
        time.tzset()


def test_range_grows_to_whole_steps():
    """A range would lose its first or last interval to rounding."""
    start, end = as_range("2026-01-01T00:04:59Z", "2026-01-01T00:05:01Z")
    assert (start, end) == (pd.Timestamp("2026-01-01T00:00Z"), pd.Timestamp("2026-01-01T00:10Z"))
    with pytest.raises(ConfigError, match="not before"):
        as_range("2026-01-02", "2026-01-01", "UTC")


def test_zone_objects_pass():
    """A tzinfo that the caller holds already would be refused."""
    assert as_zone(dt.UTC) is dt.UTC
