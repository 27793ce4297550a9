"""What the forecast draws from, and how much of each: held against arithmetic by hand or brute force."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from capacity.forecast.calendar import SPECIAL
from capacity.forecast.effects import learn_effects
from capacity.forecast.errors import ErrorPool, error_atoms, make_error_pool
from capacity.forecast.growth import Growth
from capacity.forecast.history import as_history
from capacity.forecast.levels import roll
from capacity.forecast.mixture import learn_weights
from capacity.forecast.pools import Past, draw_weeks, draw_years, neighbour_gaps, week_atoms, year_atoms, year_lags
from capacity.forecast.settings import ForecastSettings

from .test_forecast_pieces import calendar_of

S = ForecastSettings()
PRIOR = np.array(S.pool_prior)

# -- errors -------------------------------------------------------------------------------------------------------


def pool_of(scaled, days=1000, spread=1.0):
    """Return a pool of equally likely errors; one spread for all kinds of day, or one for each."""
    count, horizon = scaled.shape
    spreads = np.broadcast_to(spread, 8)
    return ErrorPool(scaled, spreads, spreads, np.ones(horizon), np.ones(count), days, S)


def test_whole_vectors_keep_their_days_together():
    """Errors of one origin that all lie on one side must come together: independent days make maxima too low."""
    signs = np.where(np.arange(100) % 2, 1.0, -1.0)[:, None] * np.ones((1, 28))
    found = pool_of(signs).draw(np.random.default_rng(1), 500, np.zeros(28, int))
    assert (np.abs(np.sign(found).sum(axis=1)) == 28).all()


def test_an_error_of_the_level_is_as_likely_to_lie_on_the_other_side():
    """Growth that was once underrated would be taken to be underrated always: every path too high."""
    found = pool_of(np.ones((50, 28))).draw(np.random.default_rng(1), 2000, np.zeros(28, int))
    assert (found.mean(axis=1) < 0).mean() == pytest.approx(0.5, abs=0.04)


def test_errors_of_days_that_had_not_come_have_no_weight():
    """The pools would be weighed by errors that nobody knew at the origin."""
    rng = np.random.default_rng(1)
    calendar = calendar_of("2022-01-03", 428)
    z = rng.standard_normal(400) + 50
    rolling = roll(z, learn_effects(z, calendar.X[:400], S), calendar.X, 28, 100.0, S)
    pool = make_error_pool(rolling, calendar.kind, S)
    row, lead = np.array([60, 90, 120]), np.array([1, 14, 28])
    _, weights = error_atoms(pool, rolling, row, lead, np.zeros(3, int), most=10**6)
    came = rolling.origins[:-1] + lead[:, None] <= rolling.origins[row][:, None]
    assert (weights[~came] == 0).all()
    assert (weights[came & np.isfinite(pool.scaled[:, lead - 1].T)] > 0).all()
    assert came.any(axis=1).all() and not came.all(axis=1).any()


def test_spread_is_that_of_the_kind_of_day():
    """Half the spread on a Sunday must come back as half."""
    scaled = np.random.default_rng(1).standard_normal((200, 14))
    pool = pool_of(scaled, days=2000, spread=np.array([2.0] * 6 + [1.0, 5.0]))
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


@pytest.mark.parametrize(("days", "lead", "wide"), [(850, 90, 1.6), (425, 90, 1.6), (170, 90, 1.6 + 0.3 * 0.6)])
def test_a_season_never_seen_makes_wide_limits(days, lead, wide):
    """Within the first year the licences for a small risk would be passed more often than they say."""
    pool = pool_of(np.ones((1, lead)), days=days)
    drawn = np.abs(pool.draw(np.random.default_rng(3), 20_000, np.zeros(lead, dtype=np.int64))[:, -1])
    freedom = days / lead  # the approximation of chi^2 must hold where there are few
    assert np.median(drawn) == pytest.approx(wide * np.sqrt(freedom / chi2.ppf(0.5, freedom)), rel=0.03)


@pytest.mark.parametrize("days", [100, 400, 1400])
def test_the_near_term_does_not_depend_on_the_horizon(days):
    """The first four weeks of a year's forecast would be wider than a forecast of four weeks."""
    scaled = np.repeat(np.random.default_rng(1).standard_normal((100, 1)), 365, axis=1)
    kind = np.zeros(365, int)
    wide = [
        pool_of(scaled[:, :h], days=days).draw(np.random.default_rng(2), 3000, kind[:h])[:, 20].std() for h in (28, 365)
    ]
    assert wide[1] == pytest.approx(wide[0], rel=1e-9)


def test_special_days_have_a_spread_of_their_own():
    """Holidays that are hit and miss must not borrow the small spread of their weekday."""
    holidays = pd.date_range("2020-01-08", periods=30, freq="42D")
    calendar = calendar_of("2020-01-01", 1228, holidays)
    rng = np.random.default_rng(1)
    z = 100 + rng.normal(0, 1, 1200) + 20 * rng.standard_normal(1200) * (calendar.kind[:1200] == SPECIAL)
    rolling = roll(z, learn_effects(z, calendar.X[:1200], S), calendar.X, 28, 100.0, S)
    pool = make_error_pool(rolling, calendar.kind, S)
    assert pool.below[SPECIAL] > 3 * pool.below[:7].mean()
    assert pool.above[SPECIAL] > 2 * pool.above[:7].mean()


def test_quiet_holidays_are_no_reason_for_high_ones():
    """One Christmas that was quiet would be drawn as high as it was low: the risk of a year would hang on it."""
    holidays = pd.DatetimeIndex([f"{year}-12-{day}" for year in (2020, 2021) for day in range(24, 32)])
    calendar = calendar_of("2020-03-01", 428, holidays)
    rng = np.random.default_rng(1)
    z = 100 + rng.normal(0, 3, 400) - rng.uniform(20, 70, 400) * (calendar.kind[:400] == SPECIAL)
    pool = make_error_pool(roll(z, learn_effects(z, calendar.X[:400], S), calendar.X, 28, 100.0, S), calendar.kind, S)
    assert pool.below[SPECIAL] > 1.5 * pool.below[:7].mean()
    assert pool.above[SPECIAL] < 1.2 * pool.above[:7].mean()
    high = pool.draw(np.random.default_rng(2), 2000, np.where(np.arange(28) == 10, SPECIAL, 0))
    assert np.quantile(high[:, 10], 0.99) < 1.2 * np.quantile(high[:, 9], 0.99)


# -- pools --------------------------------------------------------------------------------------------------------


def past_of(plain, horizon, slope=0.0, level=None):
    """Return a past without special days, that was known to grow by `slope` a day at every origin."""
    origins = np.arange(len(plain) + 1)
    growth = Growth(np.full((len(origins), 1), slope), np.array([1e9]))
    zero = np.zeros(len(plain))
    return Past(plain, zero, np.zeros(len(plain) + horizon), zero if level is None else level, growth, origins, S)


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


def test_growth_moves_the_weeks():
    """With 1 call a day of growth, a rising line is continued by the weeks exactly."""
    found = draw_weeks(past_of(np.arange(400.0), 28, slope=1.0), 28, np.random.default_rng(1), 50)
    np.testing.assert_allclose(found, np.broadcast_to(400.0 + np.arange(28), (50, 28)))


def test_special_days_are_exchanged():
    """What a holiday ahead costs is taken off the day that is drawn for it."""
    past = replace(past_of(np.full(100, 50.0), 7), special=np.concatenate([np.zeros(103), [-30.0], np.zeros(3)]))
    assert draw_weeks(past, 7, np.random.default_rng(1), 2).tolist() == [[50, 50, 50, 20, 50, 50, 50]] * 2


def test_growth_moves_the_years():
    """A rising line is continued by last year's weeks as well, and their atoms say the same."""
    line = past_of(np.arange(900.0), 28, slope=1.0, level=np.arange(900.0))
    found = draw_years(line, 28, np.random.default_rng(1), 50)
    np.testing.assert_allclose(found, np.broadcast_to(900.0 + np.arange(28), (50, 28)))
    for atoms in (week_atoms, year_atoms):
        values, weights = atoms(line, np.array([700]), np.array([20]))
        np.testing.assert_allclose(values[weights > 0], 719.0)


def test_a_missing_day_is_taken_from_another_week():
    """A weekday that is missing in most weeks would be drawn without any spread."""
    plain = np.arange(364.0) % 7
    plain[5::7] = np.nan
    plain[[-2, -9]] = [70.0, 80.0]
    found = draw_weeks(past_of(plain, 28), 28, np.random.default_rng(1), 300)
    assert set(np.unique(found[:, 5])) == {70.0, 80.0}


def test_years_are_whole_weeks_back_and_moved_by_the_level():
    """A year back on a level that has risen by 10 since: .6 of it is carried over; weekdays stay."""
    level = np.where(np.arange(500) < 250, 0.0, 10.0)
    found = draw_years(past_of(np.arange(500.0) % 7, 28, level=level), 28, np.random.default_rng(1), 40)
    np.testing.assert_allclose(found, np.broadcast_to((500 + np.arange(28)) % 7 + 6.0, (40, 28)))
    assert year_lags(424, S).size == 0


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


def test_a_copied_day_gets_the_noise_of_its_own_kind():
    """One high Monday copied into many paths put a third of the probability on exactly one count."""
    plain = np.tile(np.r_[100.0, np.full(6, 50.0)], 40) + np.tile(np.arange(20).repeat(7) % 13, 2)
    plain[-7] = 130.0
    gap = neighbour_gaps(plain, S)
    assert gap[-7] > 5 and gap[-7] > 3 * np.median(gap[:-7:7])
    full = np.minimum(plain, 106.0)  # a capacity: the values pile up there
    assert neighbour_gaps(full, S)[-7] < 0.5
    past = replace(past_of(plain, 28), gap=gap)
    drawn = draw_weeks(past, 28, np.random.default_rng(1), 4000).max(axis=1)
    assert np.unique(np.rint(drawn), return_counts=True)[1].max() < 0.2 * 4000


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
        assert learn_weights(truth, pools, evidence=30.0, s=S)[right] > 0.6


def test_without_evidence_the_prior_stays():
    """Four past origins of one month are no reason to leave what holds in general."""
    truth = np.random.default_rng(9).standard_normal(300)
    pools = [atoms_of(6.0), atoms_of(0.0, seed=1), atoms_of(6.0, seed=2)]
    np.testing.assert_allclose(learn_weights(truth, pools, evidence=0.0, s=S), PRIOR, atol=0.05)


def test_a_pool_with_nothing_to_show_keeps_its_share():
    """Years that no past origin had are neither punished nor praised for it."""
    truth = np.random.default_rng(9).standard_normal(300)
    nothing = (np.zeros((300, 14)), np.zeros((300, 14)))
    weights = learn_weights(truth, [atoms_of(0.0), atoms_of(6.0, seed=1), nothing], evidence=30.0, s=S)
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
