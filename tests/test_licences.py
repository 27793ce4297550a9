from __future__ import annotations

import pandas as pd
import pytest

from capacity.errors import ConfigError
from capacity.ground.licences import as_licences

DAYS = pd.DatetimeIndex(["2025-12-31", "2026-02-28", "2026-03-01", "2030-01-01"])


@pytest.mark.parametrize(
    "value",
    [
        "100,2026-03-01:120",
        " 100 , 2026-03-01 : 120",
        {"2026-03-01": 120, "2026-01-01": 100},
        pd.Series([100, 120], index=pd.to_datetime(["2026-01-01", "2026-03-01"])),
    ],
)
def test_steps(value):
    """A licence would be in force on the wrong day; the first also holds before its date."""
    assert as_licences(value).on(DAYS).tolist() == [100, 100, 120, 120]
    assert as_licences(as_licences(value)).last == 120


def test_constant():
    """A plain number would not be taken."""
    assert as_licences(7).on(DAYS).tolist() == [7] * 4
    assert as_licences("7").constant
    assert as_licences(7.0).counts == (7,)


def test_a_step_on_a_skipped_day_begins_after_the_gap():
    """A step dated on Samoa's 30 December 2011, which did not exist, would begin a day or an hour off."""
    times = pd.DatetimeIndex(["2011-12-30T09:55Z", "2011-12-30T10:00Z"])
    assert as_licences({"2011-01-01": 5, "2011-12-30": 9}).at(times, tz="Pacific/Apia").tolist() == [5, 9]


def test_steps_begin_at_local_midnight():
    """A step would take effect at UTC midnight: one interval early or late (London, BST: 23:00 UTC)."""
    times = pd.DatetimeIndex(["2026-06-30T22:55Z", "2026-06-30T23:00Z"])
    assert as_licences("10,2026-07-01:20").at(times, tz="Europe/London").tolist() == [10, 20]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ten",
        -1,
        1.5,
        True,
        {},
        "100,soon:120",
        {"2026-01-01T10:00": 5},
        float("nan"),
        "1e30",
        "100,9999-01-01:120",
        {"2026-01-01": 5, pd.Timestamp("2026-01-01"): 6},
    ],
)
def test_nonsense_is_refused(value):
    """A typing error would become a licence count."""
    with pytest.raises(ConfigError, match="licences"):
        as_licences(value)
