"""What the calendar has of fixed lengths: horizons, years, days in intervals, and the days of the week."""

from __future__ import annotations

from typing import Final

HORIZONS: Final = (30, 90, 365)  # days ahead that are asked about
LONGEST: Final = 365  # days of the longest horizon, and of a year of days
YEAR: Final = 365.25  # days of the mean year: what rates a year are of
SAME_WEEKDAYS: Final = 364  # days of a year of whole weeks: a Monday is compared with a Monday
DAY_STEPS: Final = 288  # 5-minute intervals of a day on which no clock moves
HOUR_STEPS: Final = 12
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT_WEEKDAYS: Final = tuple(name[:3] for name in WEEKDAYS)

MONDAY: Final = 3  # days from a Monday to day 0, 1 January 1970, which was a Thursday


def horizons_within(days: int) -> list[int]:
    """Return the horizons [days] that a forecast of `days` covers; the whole of it where it is shorter.

    Examples
    --------
    >>> horizons_within(100), horizons_within(14)
    ([30, 90], [14])
    """
    return [h for h in HORIZONS if h <= days] or [days]


def horizons_up_to(days: int) -> list[int]:
    """Return the horizons [days] below `days`, and `days` itself.

    Examples
    --------
    >>> horizons_up_to(100), horizons_up_to(90)
    ([30, 90, 100], [30, 90])
    """
    return [*(h for h in HORIZONS if h < days), days]
