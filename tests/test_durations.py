"""Lengths of time: what is certain is read, all else is refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import ConfigError
from capacity.ground.durations import as_length


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90s", 90),
        ("3m", 180),
        (" 3 min ", 180),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("2 days 3 hours", 183_600),
        ("1w", 604_800),
        ("500ms", 0.5),
        ("2:30", 150),
        ("75:00", 4500),
        ("01:02:03", 3723),
        ("00:00:02.5", 2.5),
        ("PT3M", 180),
        ("P1DT12H", 129_600),
        ("PT2,5S", 2.5),
        ("P2W", 1_209_600),
        (dt.timedelta(minutes=3), 180),
        (pd.Timedelta("3min"), 180),
        (np.timedelta64(3, "m"), 180),
    ],
)
def test_lengths_are_read(value, seconds):
    """A length was read as another one (by hand)."""
    assert as_length(value, name="x") == pd.Timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        *("180", "600,5", "1,5h", "3M", "3 M", "30m1h", "3m3m", "1h 30", "1:60", "1:2:3", "1:75:00", "-3m", "P1M"),
        *("P1Y", "P", "PT", "", "soon", "1e3s", "３m", "3months", "9" * 20 + "w"),
        *(180, 2.5, None, pd.NaT, pd.Timedelta(-1)),
    ],
)
def test_what_is_not_certain_is_refused(value):
    """A length was guessed: a unit, a decimal comma, a month."""
    with pytest.raises(ConfigError, match="lead_time="):
        as_length(value, name="lead_time")


def test_the_limit_is_kept():
    """A length beyond its limit was taken."""
    day = pd.Timedelta(days=1)
    assert as_length("24h", name="x", most=day) == day
    with pytest.raises(ConfigError, match="at most 1 days"):
        as_length("25h", name="x", most=day)


@given(st.integers(0, 10**6))
def test_every_spelling_of_one_length_is_the_same(total):
    """Two ways to write one length were read as two lengths."""
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    spelled = [f"{total}s", f"{hours}h{minutes}m{seconds}s", f"{hours:02d}:{minutes:02d}:{seconds:02d}"]
    spelled += [f"PT{hours}H{minutes}M{seconds}S", f"{total // 60}:{seconds:02d}"]
    assert {as_length(text, name="x") for text in spelled} == {pd.Timedelta(seconds=total)}
