from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import ConfigError
from capacity.ground.localtime import (
    hour_of_day,
    hour_of_week,
    local_days,
    local_times,
    slot_of_day,
    slot_of_week,
)

from .made_frames import CLOCK_DAYS, ZONES, every

# Beside the usual ones: back over midnight, a day that was skipped, a clock that skips midnight, off the 5-minute grid.
ODD_ZONES = ["America/St_Johns", "Pacific/Apia", "America/Sao_Paulo", "Africa/Monrovia", "Asia/Kathmandu"]


def slowly(times: pd.DatetimeIndex, tz: str) -> pd.DatetimeIndex:
    """Convert one time after the other."""
    zone = ZoneInfo(tz)
    return pd.DatetimeIndex([time.tz_convert(zone).tz_localize(None) for time in times]).as_unit("ns")


@pytest.mark.parametrize("tz", ZONES + ODD_ZONES)
def test_agrees_with_one_conversion_at_a_time(tz):
    """An interval would be counted in another hour, day or week than the clock on the wall showed."""
    times = (
        every("2010-03-10", "2010-04-08")
        .union(every("2010-10-01", "2010-11-10"))[::7]
        .union(every("2011-12-28", "2012"))
    )
    local = slowly(times, tz)
    assert local_times(times, tz).equals(local)
    found = local_days(times, tz)
    assert found.days[found.day_of].equals(local.normalize())
    assert (slot_of_day(times, tz) == (local.hour * 60 + local.minute) // 5).all()
    assert (hour_of_day(times, tz) == local.hour).all()
    assert (hour_of_week(times, tz) == local.day_of_week * 24 + local.hour).all()
    assert (slot_of_week(times, tz) == local.day_of_week * 288 + (local.hour * 60 + local.minute) // 5).all()


@pytest.mark.parametrize(("tz", "date", "intervals"), CLOCK_DAYS)
def test_days_on_which_the_clock_moves(tz, date, intervals):
    """Such a day would be taken for one with gaps, or one with gaps for a whole one."""
    noon = pd.DatetimeIndex([pd.Timestamp(f"{date} 12:00", tz=tz).tz_convert("UTC")])
    found = local_days(noon, tz)
    assert found.days.tolist() == [pd.Timestamp(date)]
    assert found.expected.tolist() == [intervals]


def test_expected_counts_all_that_could_be_there():
    """What a day should hold would depend on what it holds."""
    times = every("2009-12-01", "2012-02-01")
    for tz in ZONES + ODD_ZONES:
        local = local_times(times, tz).normalize()
        counted = pd.Series(1, index=local).groupby(level=0).sum().iloc[1:-1]
        found = local_days(times[::5], tz)  # four in five missing
        expected = pd.Series(found.expected, index=found.days)
        assert expected.loc[counted.index].tolist() == counted.tolist(), tz


def test_nothing_and_no_zone():
    """An empty frame would crash, or a misspelt zone pass where there is no data."""
    none = pd.DatetimeIndex([], tz="UTC")
    assert len(local_days(none, "Europe/London").days) == 0
    with pytest.raises(ConfigError, match="Mars"):
        local_days(none, "Mars/Olympus")


@given(st.integers(0, 2**31 // 300), st.sampled_from(ZONES + ODD_ZONES))
def test_any_single_time(step, tz):
    """Some instant between 1970 and 2038 would be given another local time than the zone database says."""
    times = pd.DatetimeIndex([pd.Timestamp(step * 300, unit="s", tz="UTC")])
    assert local_times(times, tz)[0] == slowly(times, tz)[0]


def test_far_apart_times_are_cheap_and_right():
    """Two rows decades apart would cost what decades of rows cost, or take the offset of the other."""
    times = pd.DatetimeIndex(["1975-07-01T12:00Z", "2035-07-01T12:00Z"])
    assert local_times(times, "Europe/London").equals(slowly(times, "Europe/London"))
    assert np.array_equal(local_days(times, "Europe/London").expected, [288, 288])
