"""The pieces of the forecast, each held against arithmetic by hand or brute force."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from capacity.analysis.forecasting.calendar import SPECIAL, make_calendar
from capacity.analysis.forecasting.effects import learn_effects
from capacity.analysis.forecasting.errors import ErrorPool, _drift, make_error_pool
from capacity.analysis.forecasting.history import as_history
from capacity.analysis.forecasting.levels import roll
from capacity.analysis.forecasting.link import Link, choose_link
from capacity.analysis.forecasting.mixture import PRIOR, learn_weights
from capacity.analysis.forecasting.pools import Past, draw_weeks, draw_years, week_atoms, year_atoms, year_lags
from capacity.analysis.forecasting.season import seasonal_change
from capacity.analysis.forecasting.smooth import running_mean

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
    assert choose_link(level * np.exp(0.1 * noise)).shift == pytest.approx(141, rel=0.3)
    assert choose_link(level + 5 * noise).shift == 0


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
    beta = learn_effects(z, calendar.X, calendar.prior).beta[-1]
    np.testing.assert_allclose(beta[:7] - beta[:5].mean(), truth, atol=4)
    assert beta[7] == pytest.approx(-80, abs=12)


def test_effects_know_only_their_past():
    """What is learned up to a week must not change with what comes after: else past forecasts were never made."""
    rng = np.random.default_rng(3)
    calendar = calendar_of("2022-01-01", 700)
    z = 100 + 10 * (calendar.weekday == 2) + rng.normal(0, 3, 700)
    other = z.copy()
    other[630:] += 3 * rng.standard_normal(70)
    one, two = (learn_effects(v, calendar.X, calendar.prior) for v in (z, other))
    origin = np.array([600])
    np.testing.assert_allclose(one.at(origin), two.at(origin), atol=0.3)


def test_outlying_innovations_are_clipped():
    """A tenfold day must not make its weekday special."""
    calendar = calendar_of("2022-01-03", 700)
    z = 100 + np.random.default_rng(4).normal(0, 3, 700)
    z[650] = 1000
    found = learn_effects(z, calendar.X, calendar.prior)
    assert np.abs(found.beta[-1][:7]).max() < 3
    assert found.clean[650] < 130


# -- levels -------------------------------------------------------------------------------------------------------


def test_forecasts_of_a_pattern_without_noise_are_right():
    """Weekdays on a constant level: every past origin's forecast is what came, at every lead."""
    calendar = calendar_of("2022-01-03", 730)
    z = 100 + 30.0 * (calendar.weekday[:700] < 5)
    rolling = roll(z, learn_effects(z, calendar.X[:700], calendar.prior), calendar.X, 30)
    late = rolling.origins > 200
    assert np.nanmax(np.abs(rolling.errors[late])) < 1.5
    np.testing.assert_allclose(rolling.forecast[-1], 100 + 30.0 * (calendar.weekday[700:] < 5), atol=1)


def test_origins_end_with_the_history():
    """The last origin is now, its errors are unknown; there are at most 260."""
    calendar = calendar_of("2020-01-01", 1461 + 7)
    z = np.full(1461, 5.0)
    rolling = roll(z, learn_effects(z, calendar.X[:1461], calendar.prior), calendar.X, 7)
    assert rolling.origins[-1] == 1461
    assert np.isnan(rolling.errors[-1]).all()
    assert len(rolling.origins) <= 261
    assert np.isfinite(rolling.errors[rolling.origins <= 1454]).all()


# -- season -------------------------------------------------------------------------------------------------------


def test_a_part_of_last_years_change_comes_again():
    """A line that rises by 2 a day rose by 2 h over h days a year ago too: .3 of that is expected again."""
    found = seasonal_change(2.0 * np.arange(800), np.array([300, 379, 800]), 365)
    lead = np.arange(1, 366)
    np.testing.assert_allclose(found[2], 0.6 * lead)
    np.testing.assert_allclose(found[1, :350], 0.6 * lead[:350])  # four weeks around its day a year before are there
    assert (found[1, 350:] == 0).all()  # and of two years before nothing is
    assert (found[0] == 0).all()


def test_what_is_not_there_tells_no_season():
    """Within fourteen months, and where the weeks a year ago are missing, no change is expected."""
    plain = 2.0 * np.arange(800)
    assert (seasonal_change(plain[:424], np.array([424]), 28) == 0).all()
    plain[460:500] = np.nan
    found = seasonal_change(plain, np.array([800]), 90)
    assert (found[0, 38:50] == 0).all()
    far = [*range(10), *range(80, 90)]  # the gap is no part of their four weeks
    np.testing.assert_allclose(found[0, far], 0.6 * np.array(far) + 0.6)


def test_weekdays_shut_do_not_hide_the_season():
    """Two years of Monday to Friday: a level that stepped up by 50 a year ago, 30 days ahead of now, is seen."""
    plain = np.where(np.arange(730) < 730 - 364 + 30, 100.0, 150.0)
    plain[np.arange(730) % 7 >= 5] = np.nan
    found = seasonal_change(plain, np.array([730]), 60)
    np.testing.assert_allclose(found[0, [5, 55]], [0, 15], atol=1e-9)


def test_the_season_is_known_from_the_past_alone():
    """Whatever comes after an origin must not move what was expected there, at any horizon."""
    plain = np.random.default_rng(6).standard_normal(1200).cumsum()
    for origin in (450, 800, 1100):
        other = plain.copy()
        other[origin:] = 1e6
        one, two = (seasonal_change(p, np.array([origin]), 365) for p in (plain, other))
        np.testing.assert_allclose(one, two, atol=1e-6)
        assert (one[0, :300] != 0).any()


def test_forecasts_follow_the_season():
    """A level that rises at this time of every year by 40: in three years of it the forecast rises, too."""
    calendar = calendar_of("2022-01-03", 1092 + 60)
    day = np.arange(1092)
    z = 100 + np.clip(day % 364 - 10, 0, 40.0) - np.clip(day % 364 - 180, 0, 40.0)
    rolling = roll(z, learn_effects(z, calendar.X[:1092], calendar.prior), calendar.X, 60)
    assert rolling.forecast[-1, 55] - rolling.forecast[-1, 0] == pytest.approx(0.3 * 40, abs=3)


# -- errors -------------------------------------------------------------------------------------------------------


def pool_of(scaled, days=1000, spread=1.0):
    """Return a pool of equally likely errors without drift."""
    count, horizon = scaled.shape
    return ErrorPool(scaled, np.zeros(horizon), np.full(8, spread), np.ones(count), days)


def test_whole_vectors_keep_their_days_together():
    """Errors of one origin that all lie on one side must come together: independent days make maxima too low."""
    signs = np.where(np.arange(100) % 2, 1.0, -1.0)[:, None] * np.ones((1, 28))
    found = pool_of(signs).draw(np.random.default_rng(1), 500, np.zeros(28, int))
    assert (np.abs(np.sign(found).sum(axis=1)) == 28).all()


def test_spread_is_that_of_the_kind_of_day():
    """Half the spread on a Sunday must come back as half."""
    scaled = np.random.default_rng(1).standard_normal((200, 14))
    pool = ErrorPool(scaled, np.zeros(14), np.array([2.0] * 6 + [1.0, 5.0]), np.ones(200), 2000)
    found = pool.draw(np.random.default_rng(2), 4000, np.arange(14) % 7)
    assert found[:, [0, 7]].std() / found[:, [6, 13]].std() == pytest.approx(2, rel=0.15)


def test_vectors_that_end_are_chained_on():
    """Where no origin has seen the whole horizon the paths still reach it, and do not fall back to no error."""
    scaled = np.cumsum(np.random.default_rng(1).standard_normal((60, 90)), axis=1)
    for row in range(60):
        scaled[row, 60 - row :] = np.nan
    found = pool_of(scaled, days=88).draw(np.random.default_rng(2), 2000, np.zeros(90, int))
    assert np.isfinite(found).all()
    assert found[:, 85].std() > found[:, 5].std()


def test_a_chained_vector_goes_on_from_where_the_last_one_stood():
    """An error of the level would end at the seam: 1 a day, and from there on 1 more on 0.8 of the week before."""
    scaled = np.ones((5, 28))
    scaled[:, 14:] = np.nan
    found = pool_of(scaled)._chained(np.random.default_rng(1), 3)
    np.testing.assert_allclose(found, np.tile([1.0] * 14 + [1.8] * 14, (3, 1)))


def test_few_stretches_make_wide_limits():
    """The same errors out of a short history are given heavier tails than out of a long one."""
    scaled = np.repeat(np.random.default_rng(1).standard_normal((100, 1)), 28, axis=1)
    kind = np.zeros(28, int)
    short, long = (
        np.quantile(pool_of(scaled, days=d).draw(np.random.default_rng(2), 4000, kind)[:, 0], 0.99) for d in (60, 1400)
    )
    assert short > 1.5 * long


@pytest.mark.parametrize(
    ("days", "horizon", "wide"),
    [(850, 90, 1.15), (425, 90, 1.15), (170, 90, 1.15 + 0.3 * 0.6), (170, 180, 1.15 + 0.3 * 0.6), (170, 9, 1.168)],
)
def test_a_season_never_seen_makes_wide_limits(days, horizon, wide):
    """Within the first year the licences for a small risk would be passed more often than they say."""
    pool = ErrorPool(np.ones((1, horizon)), np.zeros(horizon), np.ones(8), np.ones(1), days)
    drawn = np.abs(pool.draw(np.random.default_rng(3), 20_000, np.zeros(horizon, dtype=np.int64))[:, 0])
    freedom = days / horizon
    assert np.median(drawn) == pytest.approx(wide * np.sqrt(freedom / chi2.ppf(0.5, freedom)), rel=0.02)


def test_drift_needs_evidence():
    """A steady error of every origin goes on; a mean that is mostly chance does not; in the first year neither does."""
    rng = np.random.default_rng(1)
    steady = 1.0 + 0.1 * rng.standard_normal((260, 28))
    assert _drift(steady, 1461)[1] == pytest.approx(np.ones(28), abs=0.05)
    chance = 0.1 + np.repeat(rng.standard_normal((260, 1)), 28, axis=1)
    assert (_drift(chance, 1461)[1] == 0).all()
    slope = 1.0 + 0.8 * np.repeat(rng.standard_normal((60, 1)), 28, axis=1)
    assert (_drift(slope, 120)[1] == 0).all()


def test_special_days_have_a_spread_of_their_own():
    """Holidays that are hit and miss must not borrow the small spread of their weekday."""
    holidays = pd.date_range("2020-01-08", periods=30, freq="42D")
    calendar = calendar_of("2020-01-01", 1228, holidays)
    rng = np.random.default_rng(1)
    z = 100 + rng.normal(0, 1, 1200) + 20 * rng.standard_normal(1200) * (calendar.kind[:1200] == SPECIAL)
    rolling = roll(z, learn_effects(z, calendar.X[:1200], calendar.prior), calendar.X, 28)
    spread = make_error_pool(rolling, calendar.kind).spread
    assert spread[SPECIAL] > 3 * spread[:7].mean()


# -- pools --------------------------------------------------------------------------------------------------------


def past_of(plain, horizon, slope=0.0, level=None):
    """Return a past without special days."""
    return Past(plain, np.zeros(len(plain) + horizon), np.zeros(len(plain)) if level is None else level, slope)


def test_weeks_keep_weekday_and_order():
    """Each path is made of whole weeks of the last 26: the weekday of a day ahead is that of the day it was."""
    plain = np.arange(400.0)
    found = draw_weeks(past_of(plain, 28), 28, np.random.default_rng(1), 300)
    assert (found % 7 == (400 + np.arange(28)) % 7).all()
    assert (np.diff(found.reshape(300, 4, 7), axis=2) == 1).all()
    assert found.min() >= 400 - 26 * 7


def test_recent_weeks_are_likelier_for_what_is_near():
    """Next week is drawn from later weeks than the week in a quarter is."""
    found = draw_weeks(past_of(np.arange(400.0), 91), 91, np.random.default_rng(1), 3000)
    assert found[:, 0].mean() > found[:, 84].mean() + 7


def test_drift_moves_the_weeks():
    """With 1 call a day of drift that goes on, a rising line is continued by the weeks exactly."""
    found = draw_weeks(past_of(np.arange(400.0), 28, slope=1.0), 28, np.random.default_rng(1), 50)
    np.testing.assert_allclose(found, np.broadcast_to(400.0 + np.arange(28), (50, 28)))


def test_special_days_are_exchanged():
    """What a holiday ahead costs is taken off the day that is drawn for it."""
    past = Past(np.full(100, 50.0), np.concatenate([np.zeros(103), [-30.0], np.zeros(3)]), np.zeros(100), 0.0)
    assert draw_weeks(past, 7, np.random.default_rng(1), 2).tolist() == [[50, 50, 50, 20, 50, 50, 50]] * 2


def test_years_are_whole_weeks_back_and_moved_by_the_level():
    """A year back on a level that has risen by 10 since: .6 of it is carried over; weekdays stay."""
    level = np.where(np.arange(500) < 250, 0.0, 10.0)
    found = draw_years(past_of(np.arange(500.0) % 7, 28, level=level), 28, np.random.default_rng(1), 40)
    np.testing.assert_allclose(found, np.broadcast_to((500 + np.arange(28)) % 7 + 6.0, (40, 28)))
    assert year_lags(424).size == 0


def test_last_years_same_week_is_the_likeliest():
    """A week of shift is .6 as likely, another one .6 of that; two years ago are half as likely as one."""
    values, weights = year_atoms(past_of(np.arange(1200.0), 28), np.array([1200]), np.array([1]))
    near = np.array([0.216, 0.36, 0.6, 1.0, 0.6, 0.36, 0.216])
    np.testing.assert_allclose(weights[0], np.concatenate([near, near / 2]) / (1.5 * near.sum()))
    assert values[0, weights[0].argmax()] == 1200 - 364


@pytest.mark.parametrize("horizon", [28, 365])
def test_years_never_look_ahead(horizon):
    """At any horizon what is drawn must have happened: an index past the end would wrap around in silence."""
    plain = np.arange(1000.0)
    found = draw_years(past_of(plain, horizon), horizon, np.random.default_rng(1), 200)
    assert np.nanmax(found) < 1000
    assert (found % 7 == (1000 + np.arange(horizon)) % 7)[np.isfinite(found)].all()


def test_atoms_are_what_is_drawn():
    """The pools are weighed by their atoms: these must be the distribution that the draws have."""
    rng = np.random.default_rng(1)
    past = past_of(rng.standard_normal(900).cumsum(), 90, level=rng.standard_normal(900))
    now = np.full(3, 900)
    lead = np.array([1, 30, 90])
    for draw, atoms in ((draw_weeks, week_atoms), (draw_years, year_atoms)):
        drawn = draw(past, 90, np.random.default_rng(2), 20000)[:, lead - 1]
        values, weights = atoms(past, now, lead)
        np.testing.assert_allclose(weights.sum(axis=1), 1)
        np.testing.assert_allclose((values * weights).sum(axis=1), drawn.mean(axis=0), atol=0.15)


def test_atoms_know_only_their_past():
    """What was held at a past origin must not contain a day after it."""
    plain = np.arange(1200.0)
    origin, lead = np.array([500, 600, 1000]), np.array([3, 60, 27])
    for atoms in (week_atoms, year_atoms):
        values, weights = atoms(past_of(plain, 90), origin, lead)
        assert (values[weights > 0] < np.repeat(origin, (weights > 0).sum(axis=1))).all()


# -- mixture ------------------------------------------------------------------------------------------------------


def atoms_of(centre, cells=300, seed=0):
    """Return cells of forty equally likely values around a centre."""
    rng = np.random.default_rng(seed)
    return centre + rng.standard_normal((cells, 40)), np.full((cells, 40), 1 / 40)


def test_the_pool_that_was_right_gains():
    """The pool that held what came must have most of the weight, whichever it is."""
    truth = np.random.default_rng(9).standard_normal(300)
    for right in range(3):
        pools = [atoms_of(0.0 if pool == right else 6.0, seed=pool) for pool in range(3)]
        assert learn_weights(truth, pools, evidence=30.0)[right] > 0.6


def test_without_evidence_the_prior_stays():
    """Four past origins of one month are no reason to leave what holds in general."""
    truth = np.random.default_rng(9).standard_normal(300)
    pools = [atoms_of(6.0), atoms_of(0.0, seed=1), atoms_of(6.0, seed=2)]
    np.testing.assert_allclose(learn_weights(truth, pools, evidence=0.0), PRIOR, atol=0.05)


def test_a_pool_with_nothing_to_show_keeps_its_share():
    """Years that no past origin had are neither punished nor praised for it."""
    truth = np.random.default_rng(9).standard_normal(300)
    nothing = (np.zeros((300, 14)), np.zeros((300, 14)))
    weights = learn_weights(truth, [atoms_of(0.0), atoms_of(6.0, seed=1), nothing], evidence=30.0)
    assert weights[0] > PRIOR[0]
    assert weights[2] == pytest.approx(PRIOR[2], abs=0.2)


# -- history ------------------------------------------------------------------------------------------------------


def test_history_fills_no_day():
    """Absent days stand as NaN between the first and the last day that was used."""
    peaks = pd.Series(5.0, pd.date_range("2026-01-01", periods=90)).drop([pd.Timestamp("2026-02-01")])
    history = as_history(peaks)
    assert len(history.dates) == 90
    assert np.flatnonzero(np.isnan(history.values[:, 0])).tolist() == [31]
    assert history.too_short == ()
