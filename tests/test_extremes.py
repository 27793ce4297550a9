"""Extreme-value fits against published ones, and return levels against simulation and the exact law."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import capacity as cap
from capacity.errors import ConfigError, FrameError, InsufficientData
from capacity.stats.extremes import fit_excesses, fit_gev

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"

# Annual maximum sea levels [m] at Port Pirie, 1923 to 1987 (Coles 2001, figure 1.1).
PORT_PIRIE = np.array(
    """4.03 3.83 3.65 3.88 4.01 4.08 4.18 3.80 4.36 3.96 3.98 4.69 3.85 3.96 3.85 3.93 3.75 3.63 3.57 4.25 3.97 4.05
    4.24 4.22 3.73 4.37 4.06 3.71 3.96 4.06 4.55 3.79 3.89 4.11 3.85 3.86 3.86 4.21 4.01 4.11 4.24 3.96 4.21 3.74 3.85
    3.88 3.66 4.11 3.71 4.18 3.90 3.78 3.91 3.72 4.00 3.66 3.62 4.33 4.55 3.75 4.08 3.90 3.88 3.94 4.33""".split(),
    dtype=float,
)


def test_port_pirie_gev_as_published():
    """Estimates, standard errors or likelihood would not be those of the book."""
    fit = fit_gev(PORT_PIRIE)
    assert fit.estimates == pytest.approx([3.87475, 0.19804, -0.05011], abs=2e-5)
    assert fit.se == pytest.approx([0.0279, 0.0202, 0.0983], abs=6e-5)
    assert fit.log_likelihood == pytest.approx(4.3391, abs=5e-5)
    assert fit.return_level(10) == pytest.approx(4.2962, abs=5e-5)
    assert fit.return_level(100) == pytest.approx(4.6884, abs=5e-5)
    assert fit.return_level_limits(10) == pytest.approx((4.205, 4.445), abs=6e-4)
    assert fit.return_level_limits(100) == pytest.approx((4.490, 5.261), abs=6e-4)


def test_scipys_shape_is_minus_xi():
    """The sign of the shape would be scipy's: a heavy tail read as an end point."""
    fit = fit_gev(PORT_PIRIE)
    density = stats.genextreme.logpdf(PORT_PIRIE, c=-fit.xi, loc=fit["mu"], scale=fit["sigma"]).sum()
    assert density == pytest.approx(fit.log_likelihood, abs=1e-9)
    want = stats.genextreme.isf(1 / 50, c=-fit.xi, loc=fit["mu"], scale=fit["sigma"])
    assert fit.return_level(50) == pytest.approx(want, rel=1e-9)


# Annual maximum sea levels [m] at Fremantle, 1897 to 1989 without seven years (Coles 2001, figure 1.3).
FREMANTLE = np.array(
    """1.58 1.71 1.40 1.34 1.43 1.19 1.55 1.34 1.37 1.46 1.92 1.37 1.19 1.40 1.28 1.52 1.52 1.58 1.49 1.65 1.37
    1.49 1.46 1.34 1.74 1.62 1.46 1.71 1.74 1.55 1.43 1.62 1.49 1.58 1.34 1.37 1.62 1.31 1.43 1.49 1.55 1.71
    1.49 1.46 1.52 1.58 1.65 1.49 1.52 1.52 1.49 1.62 1.86 1.58 1.62 1.46 1.43 1.46 1.62 1.68 1.83 1.62 1.46
    1.58 1.77 1.62 1.71 1.46 1.60 1.50 1.60 1.90 1.70 1.40 1.80 1.37 1.46 1.61 1.43 1.67 1.62 1.57 1.56 1.46
    1.70 1.51""".split(),
    dtype=float,
)


def test_no_other_optimiser_finds_a_higher_likelihood():
    """The search would stop short of the maximum: scipy's density and simplex, from another start."""
    fit = fit_gev(FREMANTLE)
    assert fit.log_likelihood == pytest.approx(43.6, abs=0.05)  # Coles 2001, section 6.3

    def cost(p):
        return -stats.genextreme.logpdf(FREMANTLE, c=-p[2], loc=p[0], scale=p[1]).sum()

    start = [1.45, 0.2, 0.0]
    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 5000, "maxfev": 5000}
    found = optimize.minimize(cost, start, method="Nelder-Mead", options=options)
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-6)
    assert [fit["mu"], fit["sigma"], fit.xi] == pytest.approx(found.x[:3], abs=1e-5)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not beside the checkout")
def test_fremantle_is_typed_as_it_stands_in_the_reference():
    """A figure typed wrong would be held against the code."""
    table = pd.read_csv(REFERENCE / "fremantle.csv", encoding="utf-8-sig")
    assert table["SeaLevel"].tolist() == FREMANTLE.tolist()


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not beside the checkout")
def test_daily_rainfall_gpd_as_published():
    """The threshold model would be another."""
    rain = pd.read_csv(REFERENCE / "rain.csv")["Rainfall"]
    over = rain[rain > 30] - 30
    fit = fit_excesses(over, threshold=30.0, rate=len(over) / len(rain))
    assert fit.estimates == pytest.approx([7.4403, 0.18450], abs=6e-5)
    assert fit.se == pytest.approx([0.9585, 0.1012], abs=6e-5)
    assert fit.log_likelihood == pytest.approx(-485.094, abs=6e-4)
    level = fit.return_level(100 * 365.25)
    low, high = fit.return_level_limits(100 * 365.25)
    assert level == pytest.approx(106.3, abs=0.1)
    assert low < level < high
    assert high - level > level - low  # the likelihood is skewed


def test_profile_limits_are_where_the_likelihood_has_dropped():
    """Limits would not be those of the profile: brute force over a grid of the other parameters."""
    fit = fit_gev(PORT_PIRIE)
    low, high = fit.return_level_limits(10, confidence=0.9)
    drop = stats.chi2.ppf(0.9, 1) / 2
    sigma, xi = np.meshgrid(np.linspace(0.13, 0.3, 200), np.linspace(-0.4, 0.4, 201))
    for z in (low, high):
        xi_safe = np.where(xi == 0, 1e-9, xi)
        reach = ((-np.log(1 - 0.1)) ** -xi_safe - 1) / xi_safe
        logs = stats.genextreme.logpdf(PORT_PIRIE[:, None, None], c=-xi_safe, loc=z - sigma * reach, scale=sigma)
        assert logs.sum(axis=0).max() == pytest.approx(fit.log_likelihood - drop, abs=0.01)


def test_a_prior_holds_the_shape_of_a_short_record():
    """Fifteen maxima would claim any tail."""
    few = PORT_PIRIE[:15]
    assert abs(fit_gev(few, shape_prior=(0.0, 0.05)).xi) < min(0.05, abs(fit_gev(few).xi))
    with pytest.raises(ConfigError):
        fit_gev(few, shape_prior=(0.0, 0.0))


def peaks_of(days, seed, growth=0.0):
    """Daily peaks, Poisson around a weekly pattern that grows by `growth` a year, and the levels behind them."""
    dates = pd.date_range("2023-01-02", periods=days)
    week = np.array([1.0, 0.97, 0.95, 0.96, 0.93, 0.45, 0.3])[dates.day_of_week.to_numpy()]
    level = 200 * week * np.exp(growth * (np.arange(days) - days + 1) / 365.25)
    return pd.Series(np.random.default_rng(seed).poisson(level), index=dates)


@pytest.mark.parametrize("growth", [0.0, 0.3])
def test_return_levels_bracket_the_true_ones(growth):
    """A level would be that of another rarity, or of another time than the last day."""
    week = 200 * np.array([1.0, 0.97, 0.95, 0.96, 0.93, 0.45, 0.3])
    z = np.arange(200, 320)
    per_year = 365.25 / 7 * stats.poisson.sf(z - 1, week[:, None]).sum(axis=0)
    inside, errors = [], []
    for seed in range(12):
        got = cap.return_levels(peaks_of(1100, seed, growth), ("1Y", "2Y"))
        for years, label in ((1, "1Y"), (2, "2Y")):
            truth = z[per_year * years >= 1].max()
            for method in ("GEV", "GPD"):
                row = got.table.loc[(method, label)]
                inside.append(row["lower"] - 0.5 <= truth <= row["upper"] + 0.5)
                errors.append(row["level"] - truth)
        if growth:
            assert got.trend == pytest.approx(np.expm1(growth), abs=0.03)
    assert np.mean(inside) > 0.85
    assert abs(np.mean(errors)) < 2.5


def test_clusters_count_once():
    """Runs of high days would be taken for as many rare events."""
    base = peaks_of(730, 3).astype(float)
    base.iloc[100:106] += 120
    one = cap.return_levels(base, ("5Y",))
    assert one.extremal_index < 1
    assert one.table["extrapolated"].all()
    assert "beyond the record" in str(one)
    assert one.to_frame()["channels"].dtype == np.int64
    assert (one.days, one.years) == (730, pytest.approx(730 / 365.25))  # the first day counts as well as the last
    assert not cap.return_levels(base, (1.99,)).table["extrapolated"].any()


def test_the_frame_of_daily_peaks_and_the_series_agree():
    """Incomplete days would be used, or TOTAL missed."""
    series = peaks_of(400, 4)
    index = pd.MultiIndex.from_product([series.index, ["*", "a"]], names=["date", "variant"])
    frame = pd.DataFrame({"peak": np.repeat(series.to_numpy(), 2), "complete": True}, index=index)
    frame.loc[(series.index[50], "*"), ["peak", "complete"]] = [9999, False]
    kept = series.astype(float)
    kept.iloc[50] = np.nan
    pd.testing.assert_frame_equal(cap.return_levels(frame).table, cap.return_levels(kept).table)
    assert cap.return_levels(frame).variant == "*"
    assert cap.return_levels(frame, variant="a").variant == "a"
    with pytest.raises(ConfigError, match="is not in the peaks"):
        cap.return_levels(frame, variant="b")


def test_short_flat_or_wrong_records_say_so():
    """A record too short for an answer would get one."""
    series = peaks_of(400, 5)
    for bad in (series.iloc[:100], series * 0, series * 0 + 7, series.iloc[:0]):
        with pytest.raises(InsufficientData):
            cap.return_levels(bad)
    nothing = pd.DataFrame({"time": pd.DatetimeIndex([], tz="UTC"), "variant": [], "max_concurrent": []})
    with pytest.raises(InsufficientData):
        cap.return_levels(cap.daily_peaks(cap.as_intervals(nothing)))
    with pytest.raises(InsufficientData, match="at least 10"):
        fit_gev([1.0, 2.0, 3.0])
    for call in (
        lambda: cap.return_levels(series, ("soon",)),
        lambda: cap.return_levels(series, ("0Y",)),
        lambda: cap.return_levels(series, threshold=0.1),
        lambda: cap.return_levels(series, shape_prior="none"),
        lambda: fit_gev([1.0, np.nan] * 10),
        lambda: fit_gev(PORT_PIRIE).return_level(1.0),
    ):
        with pytest.raises(ConfigError):
            call()


@pytest.mark.parametrize("ask", [cap.return_levels, partial(cap.forecast_peaks, horizon=7, seed=1)])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: pd.concat([s, s]),
        lambda s: -s,
        lambda s: s.reset_index(drop=True),
        lambda s: pd.Series(np.where(s.index != s.index[9], s, np.inf), s.index),
        lambda s: s.tz_localize("UTC"),
        lambda s: s.set_axis(s.index + pd.Timedelta("5min")),
        lambda s: s.astype(object).where(s.index != s.index[9], "many"),
        lambda s: s.to_frame(),
        lambda s: s.to_numpy(),
        lambda _: None,
    ],
)
def test_peaks_that_are_none_are_refused_in_one_way(ask, spoil):
    """Nonsense would end in an error of the arithmetic, or each analysis would call the same fault by another name."""
    with pytest.raises(FrameError, match="peaks"):
        ask(spoil(peaks_of(400, 5)))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"confidence": 95}, "confidence=95"),
        ({"confidence": 0.0}, "confidence"),
        ({"confidence": "0.9"}, "confidence"),
        ({"block_weeks": 0}, "block_weeks=0"),
        ({"block_weeks": 1.5}, "block_weeks=1.5"),
        ({"periods": ()}, "periods is empty"),
        ({"periods": True}, "period=True"),
        ({"variant": "b"}, "'b' is not in the peaks"),
    ],
)
def test_wrong_arguments_are_named(wrong, match):
    """An error of the arithmetic, an empty table, or the levels of another series would be the answer."""
    with pytest.raises(ConfigError, match=match):
        cap.return_levels(peaks_of(400, 5), **wrong)


def test_one_period_needs_no_list():
    """A "2Y" would be read letter by letter, and 2 not at all."""
    many = cap.return_levels(peaks_of(400, 5), ("2Y",)).table
    for one in ("2Y", 2, 2.0, np.int64(2)):
        pd.testing.assert_frame_equal(cap.return_levels(peaks_of(400, 5), one, variant=cap.TOTAL).table, many)


def test_quiet_weekdays_do_not_make_the_rare_peak():
    """Weekends that scatter by half of themselves, far below any working day, would double the rare level."""
    rng = np.random.default_rng(1)
    days = pd.date_range("2023-01-02", periods=1000)
    quiet = rng.poisson(40 * np.exp(0.5 * rng.standard_normal(1000)))
    peaks = pd.Series(np.where(days.day_of_week < 5, rng.poisson(200, 1000), quiet), index=days)
    exact = stats.poisson.isf(1 / (2 * 365.25 * 5 / 7), 200)
    level = cap.return_levels(peaks, "2Y").table.loc[("GPD", "2Y"), "level"]
    assert level == pytest.approx(exact, rel=0.06)
