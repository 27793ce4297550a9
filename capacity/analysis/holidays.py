"""Public holidays as dates: from a country code, or as given."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable
from typing import Any, TypeAlias

import pandas as pd

from capacity.errors import ConfigError

__all__ = ["HolidayLike", "as_days", "holiday_dates"]

HolidayLike: TypeAlias = str | Iterable[Any] | None


def holiday_dates(holidays: HolidayLike, years: Iterable[int]) -> pd.DatetimeIndex:
    """Return the public holidays of some years as naive midnights.

    Parameters
    ----------
    holidays : str, iterable of dates, or None
        An ISO 3166 country code, with its subdivision after a hyphen where it matters ("GB", "GB-SCT", "US-CA");
        or the dates themselves (date, Timestamp or text; a mapping or Series of date -> name will do), which are
        returned whole, whatever `years` says; or None for no holidays at all.
    years : iterable of int
        The calendar years wanted from a country's calendar.

    Returns
    -------
    DatetimeIndex
        Naive midnights [ns], ascending, without repeats. Days off in lieu ("observed") are among them.

    Raises
    ------
    ConfigError
        A code that no calendar is known for, or a value that is no whole day.

    References
    ----------
    Country calendars: the `holidays` package, https://holidays.readthedocs.io

    Examples
    --------
    >>> holiday_dates("GB-ENG", [2026])[:3].strftime("%a %d %b").tolist()
    ['Thu 01 Jan', 'Fri 03 Apr', 'Mon 06 Apr']
    >>> holiday_dates(["2026-12-25", "2026-12-24"], [])
    DatetimeIndex(['2026-12-24', '2026-12-25'], dtype='datetime64[ns]', freq=None)
    """
    if holidays is None:
        return pd.DatetimeIndex([], dtype="datetime64[ns]")
    if isinstance(holidays, str):
        return _index(_country(holidays, sorted({int(year) for year in years})))
    return as_days(holidays, name="holidays")


def as_days(days: Iterable[Any], *, name: str) -> pd.DatetimeIndex:
    """Return given days as naive midnights [ns], ascending and without repeats; `name` is for the error message.

    Raises
    ------
    ConfigError
        A value that is no whole day.

    Examples
    --------
    >>> as_days({"2026-11-02": "double booking"}, name="exclude").strftime("%d %b").tolist()
    ['02 Nov']
    """
    if isinstance(days, (str, dt.date)):
        days = [days]
    index = getattr(days, "index", None)  # a Series of date -> name; on a list `index` is a method
    return _index([_day(value, name) for value in (index if isinstance(index, pd.Index) else days)])


def _country(code: str, years: list[int]) -> list[Any]:
    import holidays as calendars  # a large package, needed only where a country is named

    country, _, subdivision = code.strip().replace("_", "-").partition("-")
    with warnings.catch_warnings():
        # The package warns of old subdivision names and of years in which a calendar is provisional.
        warnings.simplefilter("ignore")
        try:
            found = calendars.country_holidays(country.upper(), subdiv=subdivision or None, years=years)
        except (NotImplementedError, KeyError, AttributeError, TypeError) as exc:
            raise ConfigError(
                f"holidays={code!r} is no calendar that is known; write a country like 'GB', one with its "
                "subdivision like 'US-CA', or give the dates themselves"
            ) from exc
    return list(found)


def _day(value: Any, name: str) -> pd.Timestamp:
    try:
        stamp = pd.Timestamp(value)
    except (ValueError, TypeError) as exc:
        raise ConfigError(f"{name}: {value!r} is no date; write local days like '2026-12-25'") from exc
    if stamp is pd.NaT or stamp.tz_localize(None) != stamp.tz_localize(None).normalize():
        raise ConfigError(f"{name}: {value!r} is no whole day; give local days like '2026-12-25'")
    return stamp.tz_localize(None)


def _index(days: list[Any]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(sorted(set(days)), dtype="datetime64[ns]", freq=None)
