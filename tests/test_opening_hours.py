from __future__ import annotations

import pytest

from capacity.analysis.opening_hours import open_slots
from capacity.errors import ConfigError


def at(hours, day: int, clock: str) -> bool:
    """Tell whether the 5-minute slot of a weekday (Monday 0) is open."""
    hour, minute = clock.split(":")
    return bool(open_slots(hours)[day * 288 + int(hour) * 12 + int(minute) // 5])


def test_every_day():
    """The first or the last slot of the opening hours would be lost or won."""
    hours = ("08:00", "20:00")
    assert open_slots(hours).sum() == 7 * 12 * 12
    assert [at(hours, day, clock) for day in (0, 6) for clock in ("07:55", "08:00", "19:55", "20:00")] == [
        False,
        True,
        True,
        False,
    ] * 2


def test_over_midnight():
    """Hours that end after midnight would be taken for none, or for those of the wrong day; Sunday runs into Monday."""
    hours = {"Sat": ("22:00", "02:00"), "Sun": ("23:00", "00:05")}
    assert open_slots(hours).sum() == 4 * 12 + 13
    assert [at(hours, 5, "21:55"), at(hours, 5, "22:00"), at(hours, 6, "01:55"), at(hours, 6, "02:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert [at(hours, 5, "00:00"), at(hours, 0, "00:00"), at(hours, 0, "00:05")] == [False, True, False]


@pytest.mark.parametrize(
    ("hours", "open_hours"),
    [
        (None, 168),
        (("00:00", "24:00"), 168),
        (["09:00", "17:30"], 59.5),
        ({"Mon-Fri": ("08:00", "20:00")}, 60),
        ({"fri-mon": ("08:00", "09:00")}, 4),
        ({0: ("08:00", "12:00"), "tuesday": [("08:00", "12:00"), ("13:00", "17:00")], "Wed": None}, 12),
        ({"Mon": [["08:00", "10:00"], ["09:00", "11:00"]]}, 3),
    ],
)
def test_open_hours_of_a_week(hours, open_hours):
    """A way to write opening hours would mean something else."""
    assert open_slots(hours).sum() / 12 == open_hours


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (("08:00", "08:00"), "opens and closes at 08:00"),
        (("08:02", "20:00"), "08:02"),
        (("08:00", "24:05"), "24:05"),
        (("8am", "20:00"), "8am"),
        (("08:00", "12:00", "13:00"), "no pair"),
        ("08:00", "no pair"),
        ({"Mon": "08:00"}, "no pair"),
        ({"Moonday": ("08:00", "20:00")}, "Moonday"),
        ({"T": ("08:00", "20:00")}, "no weekday"),
        ({7: ("08:00", "20:00")}, "no weekday"),
        ({"Mon-Wed": ("08:00", "20:00"), "Tue": ("09:00", "10:00")}, "second time"),
        ({"Mon": None}, "never open"),
        ({}, "never open"),
        (8, "no pair"),
        ({"Mon": 8}, "no pair"),
    ],
)
def test_what_cannot_be_read(hours, words):
    """A slip in the opening hours would be taken for other hours, or end in a traceback."""
    with pytest.raises(ConfigError, match=words):
        open_slots(hours)
