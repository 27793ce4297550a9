from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from capacity.errors import ConfigError
from capacity.ground.times import as_instant, as_range, as_zone


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
    ],
)
def test_what_is_unclear_is_refused(value, tz, says):
    """An ambiguous time would be guessed."""
    with pytest.raises(ConfigError, match=says):
        as_instant(value, tz)


def test_range_grows_to_whole_steps():
    """A range would lose its first or last interval to rounding."""
    start, end = as_range("2026-01-01T00:04:59Z", "2026-01-01T00:05:01Z")
    assert (start, end) == (pd.Timestamp("2026-01-01T00:00Z"), pd.Timestamp("2026-01-01T00:10Z"))
    with pytest.raises(ConfigError, match="not before"):
        as_range("2026-01-02", "2026-01-01", "UTC")


def test_zone_objects_pass():
    """A tzinfo that the caller holds already would be refused."""
    assert as_zone(dt.UTC) is dt.UTC
