"""What a variant's callers are like: how many, when in the week and the year, for how long. And campaigns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.arrays import Floats
from capacity.ground.calendar import HOUR_STEPS, YEAR
from capacity.ground.holidays import HolidayLike, holiday_dates
from capacity.ground.times import Instant, as_instant


@dataclass(frozen=True)
class Profile:
    """How the callers of one variant behave.

    Attributes
    ----------
    id, name : str
        The variant and its display name.
    calls_per_day : float
        On average over a week of the first year, before growth.
    hours : 24 numbers
        The shape of the day: the relative rate at the middle of each local hour.
    weekdays : 7 numbers
        Monday to Sunday, relative.
    mean_length : float [s]
        Of a call; lengths are log-normal.
    spread : float
        The standard deviation of log length.
    languages : (language, share) pairs
    numbers : str
        The numbers called, in equal shares.
    swing : float
        The yearly swing, as a share of the mean.
    swing_day : int
        The day of the year on which the swing is highest.
    holiday : float
        The rate on a public holiday, as a share of that of an ordinary day.
    begins : int
        On which day of the range the variant goes live.
    """

    id: str
    name: str
    calls_per_day: float
    hours: tuple[float, ...]
    weekdays: tuple[float, ...] = (1.0,) * 7
    mean_length: float = 300.0
    spread: float = 0.8
    languages: tuple[tuple[str, float], ...] = (("en-GB", 1.0),)
    numbers: tuple[str, ...] = ("+441632960000",)
    swing: float = 0.0
    swing_day: int = 1
    holiday: float = 0.4
    begins: int = 0

    def __post_init__(self) -> None:
        sane = (
            len(self.hours) == 24
            and len(self.weekdays) == 7
            and min(*self.hours, *self.weekdays, self.calls_per_day, self.holiday) >= 0
            and sum(self.hours) > 0
            and sum(self.weekdays) > 0
            and self.mean_length > 0
            and self.spread >= 0
            and 0 <= self.swing <= 1
            and self.languages
            and sum(share for _, share in self.languages) > 0
            and self.numbers
        )
        if not sane:
            raise ConfigError(f"{self!r} is no profile: 24 hours, 7 weekdays, no negative number, 0 <= swing <= 1")


@dataclass(frozen=True)
class Campaign:
    """A message goes out and people call: the rate jumps and decays.

    Attributes
    ----------
    start : Instant
        When it goes out; naive times are local to the simulation.
    lift : float
        By which share the rate rises at that moment.
    hours : float [h]
        The time in which the lift falls to 1/e.
    variant : str or None
        Whose callers; None for all.
    """

    start: Instant
    lift: float
    hours: float = 3.0
    variant: str | None = None


# The shape of the day, hour by hour from midnight.
_SHAPES = {
    "office": "0 0 0 0 0 0 .05 .3 .85 1.25 1.3 1.2 1 1 1.1 1.05 .9 .6 .25 .1 .05 0 0 0",
    "long": ".05 .02 .02 .02 .02 .05 .15 .4 .8 1.1 1.2 1.15 1 .95 1 1.05 1.15 1.2 1.1 .9 .6 .35 .2 .1",
    "night": ".6 .5 .4 .35 .35 .4 .6 .8 .4 .3 .3 .3 .35 .35 .35 .4 .5 1 1.4 1.5 1.4 1.2 1 .8",
    "meals": "0 0 0 0 0 0 0 0 .1 .35 .7 1.2 1.5 1.1 .6 .6 1 1.7 1.9 1.4 .7 .3 .1 0",
}
_OFFICE, _LONG, _NIGHT, _MEALS = (tuple(float(x) for x in shape.split()) for shape in _SHAPES.values())

VARIANTS = (
    Profile(
        "V-bookings",
        "Bookings",
        1500,
        _LONG,
        weekdays=(1.15, 1.05, 1.0, 1.0, 1.05, 0.85, 0.6),
        mean_length=440,
        languages=(("en-GB", 0.9), ("cy-GB", 0.04), ("pl-PL", 0.06)),
        numbers=("+442079460101", "+441632960101"),
        swing=0.18,
        swing_day=200,
        holiday=0.6,
    ),
    Profile(
        "V-billing",
        "Billing",
        1050,
        _OFFICE,
        weekdays=(1.5, 1.2, 1.1, 1.0, 0.95, 0.25, 0.05),
        mean_length=540,
        spread=0.7,
        languages=(("en-GB", 1.0),),
        numbers=("+448081570102",),
        swing=0.12,
        swing_day=15,
        holiday=0.08,
    ),
    Profile(
        "V-out-of-hours",
        "Out of hours",
        340,
        _NIGHT,
        weekdays=(0.8, 0.8, 0.8, 0.85, 1.0, 1.5, 1.4),
        mean_length=300,
        spread=0.9,
        languages=(("en-GB", 0.97), ("cy-GB", 0.03)),
        numbers=("+441632960103",),
        swing=0.1,
        swing_day=355,
        holiday=1.5,
    ),
    Profile(
        "V-reservas",
        "Reservas",
        150,
        _MEALS,
        weekdays=(0.5, 0.6, 0.8, 1.0, 1.5, 1.6, 1.0),
        mean_length=180,
        spread=0.6,
        languages=(("es-ES", 0.85), ("en-GB", 0.15)),
        numbers=("+447700900104", "+447700900105"),
        swing=0.25,
        swing_day=220,
        holiday=1.2,
    ),
)


def rates(
    times: pd.DatetimeIndex,
    profiles: Sequence[Profile],
    *,
    growth: float,
    holidays: HolidayLike,
    campaigns: Sequence[Campaign],
    tz: dt.tzinfo,
) -> Floats:
    """Return the expected calls in each 5-minute interval, shape (len(times), len(profiles)).

    Parameters
    ----------
    times : DatetimeIndex, UTC
        Interval starts.
    growth : float
        The share by which the rate grows in a year, compounding.
    """
    local = times.tz_convert(tz)
    clock = local.hour.to_numpy() + local.minute.to_numpy() / 60
    weekday, year_day = local.day_of_week.to_numpy(), local.day_of_year.to_numpy()
    passed = (times - times[0]) / pd.Timedelta(days=1)
    grown = (1 + growth) ** (passed.to_numpy() / YEAR)
    midnights = local.tz_localize(None).normalize()
    closed = np.asarray(midnights.isin(holiday_dates(holidays, range(local[0].year, local[-1].year + 1))))
    out = np.empty((len(times), len(profiles)))
    for k, profile in enumerate(profiles):
        shape = np.interp(clock, np.arange(-1, 25) + 0.5, np.take(profile.hours, range(-1, 25), mode="wrap"))
        days = np.array(profile.weekdays) / np.mean(profile.weekdays)
        rate = profile.calls_per_day * days[weekday] * shape / (np.sum(profile.hours) * HOUR_STEPS) * grown
        rate *= 1 + profile.swing * np.cos(2 * np.pi * (year_day - profile.swing_day) / YEAR)
        rate[closed] *= profile.holiday
        rate[passed < profile.begins] = 0
        out[:, k] = rate
    ids = [p.id for p in profiles]
    for campaign in campaigns:
        if campaign.variant is not None and campaign.variant not in ids:
            raise ConfigError(f"campaign for {campaign.variant!r}, which is none of the variants {ids}")
        hours = (times - as_instant(campaign.start, tz, name="campaign start")) / pd.Timedelta(hours=1)
        lift = np.where(hours >= 0, campaign.lift * np.exp(-np.maximum(hours, 0) / campaign.hours), 0)
        out[:, slice(None) if campaign.variant is None else [ids.index(campaign.variant)]] *= 1 + lift[:, None]
    return out
