"""The pieces of the forecast, each held against arithmetic by hand or brute force."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from capacity.forecast.calendar import SPECIAL, make_calendar
from capacity.forecast.effects import learn_effects
from capacity.forecast.levels import roll
from capacity.forecast.link import Link, choose_link
from capacity.forecast.season import seasonal_change
from capacity.forecast.settings import ForecastSettings
from capacity.forecast.smooth import running_mean

S = ForecastSettings()
NO_HOLIDAYS = pd.DatetimeIndex([], dtype="datetime64[ns]")


def calendar_of(start, days, holidays=NO_HOLIDAYS):
    """Return the calendar of so many days."""
    return make_calendar(pd.date_range(start, periods=days), pd.DatetimeIndex(holidays))


# -- link ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.0, 40.0])
def test_link_and_back(shift):
    """A link that does not lead back moves every forecast."""
    link = Link(shift, top=1e6)
    y = np.array([0.0, 1.0, 17.0, 900.0])
    np.testing.assert_allclose(link.to_y(link.to_z(y)), y, atol=1e-9)


def test_link_is_bounded():
    """A sum of unlucky errors on the log scale must not become a forecast of millions of calls."""
    assert Link(40.0, top=500.0).to_y(np.array([-1e9, 1e9])).tolist() == [0.0, 500.0]


def test_link_is_chosen_by_the_spread():
    """Spread in step with the level wants logarithms, constant spread does not."""
    rng = np.random.default_rng(1)
    level = np.repeat([50.0, 100, 200, 400], 200)
    noise = rng.standard_normal(800)
    assert choose_link(level * np.exp(0.1 * noise), S).shift == pytest.approx(141, rel=0.3)
    assert choose_link(level + 5 * noise, S).shift == 0


def test_stationary_counts_are_taken_as_they_are():
    """Logarithms chosen by chance would give tails of five times the record to counts that never moved."""
    rng = np.random.default_rng(2)
    chosen = [choose_link(rng.poisson(12.0, 400).astype(float), S).shift > 0 for _ in range(60)]
    assert np.mean(chosen) < 0.15


def test_link_is_chosen_by_the_swing_of_the_week():
    """Weekends that fall behind in proportion while counts grow want logarithms, though the spread grows as a root."""
    rng = np.random.default_rng(3)
    day = np.arange(900)
    mean = 60 * 2.0 ** (day / 365) * np.where(day % 7 < 5, 1.0, 0.4)
    assert choose_link(rng.poisson(mean).astype(float), S).shift > 0


# -- calendar -----------------------------------------------------------------------------------------------------


def test_calendar_of_a_bridge():
    """Thursday 14 May 2026 off: Friday is a bridge, Wednesday the day before; nothing else is touched."""
    calendar = calendar_of("2026-05-11", 7, ["2026-05-14"])
    assert calendar.weekday.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert calendar.kind.tolist() == [0, 1, 2, SPECIAL, SPECIAL, 5, 6]
    holiday, _, bridge, christmas, before, after = calendar.X[:, 7:].T
    assert holiday.tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert bridge.tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert before.tolist() == [0, 0, 1, 0, 0, 0, 0]
    assert after.tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert christmas.sum() == 0


def test_calendar_knows_what_lies_beyond_its_ends():
    """Monday is a bridge although the Tuesday that is off comes after the last day that was asked for."""
    assert calendar_of("2026-12-07", 1, ["2026-12-08"]).X[0, 9] == 1
    friday = calendar_of("2026-05-15", 1, ["2026-05-14"])  # the day after a Thursday before the first
    assert friday.X[0, 9] == 1 and friday.X[0, 12] == 1
    assert calendar_of("2026-05-13", 1, ["2026-05-14"]).X[0, 11] == 1


def test_holidays_at_the_weekend_are_another_matter():
    """Saturday 15 August: closed anyway, in most places; it must not count as a working day that was lost."""
    assert calendar_of("2026-08-15", 1, ["2026-08-15"]).X[0, 7:9].tolist() == [0, 1]


def test_leap_day_and_new_year():
    """Days are counted, not dates: no day is lost or doubled at 29 February and at New Year."""
    calendar = calendar_of("2024-02-28", 310)
    assert (np.diff(calendar.weekday) % 7 == 1).all()


# -- smooth -------------------------------------------------------------------------------------------------------


def test_running_mean_by_hand():
    """Half-life 1: weights 1, 1/2, 1/4 into the past, a missing day not among them."""
    found = running_mean(np.array([[8.0], [0.0], [2.0]]), np.array([1.0, 0.0, 1.0]), 1.0)[:, 0]
    np.testing.assert_allclose(found, [8, 8, (2 + 8 / 4) / 1.25])


def test_running_mean_before_the_first_day():
    """Days before the first that was seen hold its value, not 0."""
    assert running_mean(np.array([[0.0], [6.0]]), np.array([0.0, 1.0]), 5.0)[:, 0].tolist() == [6, 6]


# -- effects ------------------------------------------------------------------------------------------------------


def test_effects_are_found_under_a_moving_level():
    """A level that wanders far must not be taken for weekdays; holidays are found with their size."""
    rng = np.random.default_rng(2)
    holidays = pd.date_range("2022-02-02", periods=24, freq="52D")
    calendar = calendar_of("2022-01-01", 1200, holidays)
    truth = np.array([0.0, 0, 0, 0, 0, -40, -60])
    z = 200 + np.cumsum(rng.normal(0, 2, 1200)) + truth[calendar.weekday] + rng.normal(0, 3, 1200)
    working = calendar.X[:, 7] > 0
    z -= 80 * working
    beta = learn_effects(z, calendar.X, S).beta[-1]
    np.testing.assert_allclose(beta[:7] - beta[:5].mean(), truth, atol=4)
    assert beta[7] == pytest.approx(-80, abs=12)


def test_effects_know_only_their_past():
    """What is learned up to a week must not change with what comes after: else past forecasts were never made."""
    rng = np.random.default_rng(3)
    calendar = calendar_of("2022-01-01", 700)
    z = 100 + 10 * (calendar.weekday == 2) + rng.normal(0, 3, 700)
    other = z.copy()
    other[630:] += 3 * rng.standard_normal(70)
    one, two = (learn_effects(v, calendar.X, S) for v in (z, other))
    origin = np.array([600])
    np.testing.assert_allclose(one.at(origin), two.at(origin), atol=0.3)


def test_outlying_innovations_are_clipped():
    """A tenfold day must not make its weekday special."""
    calendar = calendar_of("2022-01-03", 700)
    z = 100 + np.random.default_rng(4).normal(0, 3, 700)
    z[650] = 1000
    found = learn_effects(z, calendar.X, S)
    assert np.abs(found.beta[-1][:7]).max() < 3
    assert found.clean[650] < 130


# -- levels -------------------------------------------------------------------------------------------------------


def test_forecasts_of_a_pattern_without_noise_are_right():
    """Weekdays on a constant level: every past origin's forecast is what came, at every lead."""
    calendar = calendar_of("2022-01-03", 730)
    z = 100 + 30.0 * (calendar.weekday[:700] < 5)
    rolling = roll(z, learn_effects(z, calendar.X[:700], S), calendar.X, 30, 100.0, S)
    late = rolling.origins > 200
    assert np.nanmax(np.abs(rolling.errors[late])) < 1.5
    np.testing.assert_allclose(rolling.forecast[-1], 100 + 30.0 * (calendar.weekday[700:] < 5), atol=1)


def test_a_level_fades_at_forty_times_its_half_life():
    """What was lately would be forgotten within weeks, or never."""
    days, horizon = 300, 120
    z = np.where(np.arange(days) < 240, 20.0, 30.0)  # a step: the shorter the half-life, the more of it a level has
    none = np.zeros((days + horizon, 13))
    effects = learn_effects(z, none[:days], S)
    quiet = replace(S, season_share=0.0)
    rolling = roll(z, effects, none, horizon, 1e9, quiet)
    age = days - 1 - np.arange(days)
    levels = [np.average(effects.clean, weights=0.5 ** (age / half)) for half in S.half_lives]
    lead = np.arange(1, horizon + 1)
    want = levels[-1] + sum(
        (one - slower) * np.exp(-lead / (40 * half))
        for one, slower, half in zip(levels, levels[1:], S.half_lives, strict=False)
    )
    found = rolling.forecast[-1] - rolling.growth.ahead(lead)[-1]
    assert want[0] - want[-1] > 0.5
    np.testing.assert_allclose(found, want, atol=0.05)


def test_origins_end_with_the_history():
    """The last origin is now, its errors are unknown; there are at most 260."""
    calendar = calendar_of("2020-01-01", 1461 + 7)
    z = np.full(1461, 5.0)
    rolling = roll(z, learn_effects(z, calendar.X[:1461], S), calendar.X, 7, 100.0, S)
    assert rolling.origins[-1] == 1461
    assert np.isnan(rolling.errors[-1]).all()
    assert len(rolling.origins) <= 261
    assert np.isfinite(rolling.errors[rolling.origins <= 1454]).all()


# -- season -------------------------------------------------------------------------------------------------------


def test_a_part_of_last_years_change_comes_again():
    """A line that rises by 2 a day rose by 2 h over h days a year ago too: .3 of all but growth is expected again."""
    found = seasonal_change(2.0 * np.arange(800), np.array([300, 379, 800]), 365, np.zeros(3), S)
    lead = np.arange(1, 366)
    np.testing.assert_allclose(found[2], 0.6 * lead)
    np.testing.assert_allclose(found[1, :350], 0.6 * lead[:350])  # four weeks around its day a year before are there
    assert (found[1, 350:] == 0).all()  # and of two years before nothing is
    assert (found[0] == 0).all()
    grown = seasonal_change(2.0 * np.arange(800), np.array([800]), 365, np.array([1.5]), S)
    np.testing.assert_allclose(grown[0], 0.3 * 0.5 * lead)


def test_what_is_not_there_tells_no_season():
    """Within fourteen months, and where the weeks a year ago are missing, no change is expected."""
    plain = 2.0 * np.arange(800)
    assert (seasonal_change(plain[:424], np.array([424]), 28, np.zeros(1), S) == 0).all()
    plain[460:500] = np.nan
    found = seasonal_change(plain, np.array([800]), 90, np.zeros(1), S)
    assert (found[0, 38:50] == 0).all()
    far = [*range(10), *range(80, 90)]  # the gap is no part of their four weeks
    np.testing.assert_allclose(found[0, far], 0.6 * np.array(far) + 0.6)


def test_weekdays_shut_do_not_hide_the_season():
    """Two years of Monday to Friday: a level that stepped up by 50 a year ago, 30 days ahead of now, is seen."""
    plain = np.where(np.arange(730) < 730 - 364 + 30, 100.0, 150.0)
    plain[np.arange(730) % 7 >= 5] = np.nan
    found = seasonal_change(plain, np.array([730]), 60, np.zeros(1), S)
    np.testing.assert_allclose(found[0, [5, 55]], [0, 15], atol=1e-9)


def test_the_season_is_known_from_the_past_alone():
    """Whatever comes after an origin must not move what was expected there, at any horizon."""
    plain = np.random.default_rng(6).standard_normal(1200).cumsum()
    for origin in (450, 800, 1100):
        other = plain.copy()
        other[origin:] = 1e6
        one, two = (seasonal_change(p, np.array([origin]), 365, np.zeros(1), S) for p in (plain, other))
        np.testing.assert_allclose(one, two, atol=1e-6)
        assert (one[0, :300] != 0).any()


def test_forecasts_follow_the_season():
    """A level that rises at this time of every year by 40: in three years of it the forecast rises, too."""
    calendar = calendar_of("2022-01-03", 1092 + 60)
    day = np.arange(1092)
    z = 100 + np.clip(day % 364 - 10, 0, 40.0) - np.clip(day % 364 - 180, 0, 40.0)
    rolling = roll(z, learn_effects(z, calendar.X[:1092], S), calendar.X, 60, 100.0, S)
    assert rolling.forecast[-1, 55] - rolling.forecast[-1, 0] == pytest.approx(0.3 * 40, abs=3)
