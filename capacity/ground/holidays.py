"""Public holidays as dates: from a country code, or as given."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeAlias

import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.times import as_date

HolidayLike: TypeAlias = str | Iterable[Any] | None


def holiday_dates(holidays: HolidayLike, years: Iterable[int], *, warn: bool = False) -> pd.DatetimeIndex:
    """Return the public holidays of some years as naive midnights.

    Parameters
    ----------
    holidays : str, iterable of dates, or None
        An ISO 3166 country code, with its subdivision after a hyphen where it matters ("GB", "GB-SCT", "US-CA");
        or the dates themselves (date, Timestamp or text; a mapping or Series of date -> name will do, and a Series of
        dates), which are returned whole, whatever `years` says; or None for no holidays at all.
    years : iterable of int
        The calendar years wanted from a country's calendar.
    warn : bool
        Whether to warn of a country whose subdivisions have holidays that its own code does not bring.

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
        wanted = sorted({int(year) for year in years})
        days = _index(list(_country(holidays, wanted)))
        if warn and wanted and (more := _of_parts(holidays, wanted[-1])):
            warnings.warn(f"holidays={holidays!r}: {more}", UserWarning, stacklevel=3)
        return days
    return as_days(holidays, name="holidays")


def holiday_words(holidays: HolidayLike, year: int) -> tuple[str, bool]:
    """Return in words which holidays count in a year, and whether parts of the country have others.

    Examples
    --------
    >>> words, parts_differ = holiday_words("GB", 2025)
    >>> words.partition(" (")[0], parts_differ
    ('GB, 6 days in 2025', True)
    """
    if holidays is None:
        return "none were given", False
    if not isinstance(holidays, str):
        return "as given", False
    found = _country(holidays, [year])
    days = f"{len(found)} day{'' if len(found) == 1 else 's'} in {year}"
    more = _of_parts(holidays, year)
    words = f"{holidays}, {days} ({_listed([found[date] for date in sorted(found)])})"
    return (f"{words}. {more[0].upper()}{more[1:]}" if more else words), bool(more)


def _of_parts(code: str, year: int) -> str:
    """Say which holidays a part of the country has beside those of its code; "" where none has."""
    if "-" in code or "_" in code:
        return ""
    own = _country(code, [year])
    for part in own.subdivisions:
        theirs = _country(f"{code}-{part}", [year])
        if set(theirs) - set(own):
            names = _listed([theirs[date] for date in sorted(set(theirs) - set(own))])
            return (
                f"parts of the country have more, such as {code.strip().upper()}-{part} {names}; "
                "name the part where the calls come from"
            )
    return ""


def _listed(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def as_holidays(holidays: HolidayLike) -> str | list[pd.Timestamp] | None:
    """Return holidays so that they can be read more than once: an iterator is used up by its first reader.

    Raises
    ------
    ConfigError
        A value that is no whole day.

    Examples
    --------
    >>> as_holidays("GB"), as_holidays(day for day in ["2026-12-25"])
    ('GB', [Timestamp('2026-12-25 00:00:00')])
    """
    return holidays if holidays is None or isinstance(holidays, str) else list(as_days(holidays, name="holidays"))


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
    if isinstance(days, str) or not isinstance(days, Iterable):
        days = [days]  # one day, or what `as_date` will refuse
    return _index([as_date(value, name=name) for value in (_dates_of(days) if isinstance(days, pd.Series) else days)])


def _dates_of(days: pd.Series) -> Iterable[Any]:
    """Return the side of a Series that holds the dates: the index of date -> name, or the values."""
    if isinstance(days.index, pd.DatetimeIndex):
        return list(days.index)
    if pd.api.types.is_numeric_dtype(days.index.dtype) or pd.api.types.is_datetime64_any_dtype(days.dtype):
        return list(days)
    return list(days.index)  # text: whether it is dates is looked at one by one


@cache
def _calendar(code: str, years: tuple[int, ...]) -> Any:
    import holidays as calendars  # a large package, needed only where a country is named

    country, _, subdivision = code.strip().replace("_", "-").partition("-")
    with warnings.catch_warnings():
        # The package warns of old subdivision names and of years in which a calendar is provisional.
        warnings.simplefilter("ignore")
        try:
            return calendars.country_holidays(country.upper(), subdiv=subdivision or None, years=years)
        except (NotImplementedError, KeyError, AttributeError, TypeError) as exc:
            raise ConfigError(
                f"holidays={code!r} is no calendar that is known; write a country like 'GB', one with its "
                "subdivision like 'US-CA', or give the dates themselves"
            ) from exc


def _country(code: str, years: Iterable[int]) -> Any:
    """Return a calendar: a mapping of date -> name, with the country's ``subdivisions``."""
    return _calendar(code, tuple(years))


def _index(days: list[Any]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(sorted(set(days)), dtype="datetime64[ns]", freq=None)
