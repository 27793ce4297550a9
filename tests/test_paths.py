"""Sample paths: reading them, and what-if."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capacity.errors import ConfigError
from capacity.forecast.paths import PeakForecast
from capacity.ground.licences import as_licences


def build(paths, variants=("*",), start="2026-09-01", licences=None) -> PeakForecast:
    """Build a forecast by hand from paths, shape (variants, paths, days)."""
    paths = np.asarray(paths)
    return PeakForecast(
        paths=paths,
        variants=variants,
        dates=pd.date_range(start, periods=paths.shape[2]),
        history=pd.DataFrame({v: [5.0, np.nan, 7.0] for v in variants}, index=pd.date_range("2026-08-29", periods=3)),
        licences=licences,
    )


def random_paths(*shape, seed=0, high=300):
    """Return paths of whole numbers."""
    return np.random.default_rng(seed).integers(0, high, shape)


def test_quantiles_are_attained_values():
    """A quantile that no path attains is no number of calls; checked value by value by counting."""
    forecast = build(random_paths(2, 37, 5), ("*", "a"))
    table = forecast.quantiles((0.1, 0.5, 0.95))
    for v, name in enumerate(("*", "a")):
        for d, date in enumerate(forecast.dates):
            values = np.sort(forecast.paths[v, :, d])
            for q in (0.1, 0.5, 0.95):
                smallest = next(x for x in values if (values <= x).mean() >= q)
                assert table.loc[(date, name), q] == smallest


def test_one_variant_reads_like_its_row_of_all():
    """Asking for one variant would give another's figures."""
    forecast = build(random_paths(3, 20, 4), ("*", "a", "b"))
    pd.testing.assert_frame_equal(
        forecast.quantiles(0.9, variant="b"), forecast.quantiles(0.9).xs("b", level=1), check_freq=False
    )


def test_to_frame_has_a_row_for_each_day_and_variant():
    """Mean and quantiles would be put beside the wrong variant."""
    forecast = build(random_paths(2, 50, 3), ("*", "a"))
    table = forecast.to_frame()
    assert list(table.columns) == ["mean", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99"]
    assert table.index.names == ["date", "variant"]
    assert table.loc[(forecast.dates[1], "a"), "mean"] == pytest.approx(forecast.paths[1, :, 1].mean())
    assert table.loc[(forecast.dates[2], "*"), "p50"] == np.sort(forecast.paths[0, :, 2])[24]


def test_max_over_is_of_each_path():
    """The maximum of a period would be taken over the mean instead of on each path."""
    forecast = build([[[1, 9, 3], [4, 2, 8]]])
    assert forecast.max_over().tolist() == [[9, 8]]
    assert forecast.max_over(1).tolist() == [[1, 4]]
    with pytest.raises(ConfigError, match="days=4"):
        forecast.max_over(4)


def test_carried_is_demand_up_to_the_licences_of_the_day():
    """Carried calls would pass a licence, or a step would hold on the wrong day."""
    forecast = build([[[120, 120, 90]]], licences=as_licences("100,2026-09-02:110"))
    assert forecast.carried.tolist() == [[[100, 110, 90]]]
    free = build([[[120]]])
    assert free.carried is free.paths


def test_scale_rounds_half_up_and_leaves_the_original():
    """A what-if would change the forecast it started from, or round to even."""
    forecast = build([[[1, 3, 100]], [[1, 3, 100]]], ("*", "a"))
    assert forecast.scale(1.5).paths.tolist() == [[[2, 5, 150]], [[2, 5, 150]]]
    assert forecast.scale(1.5, variant="a").paths.tolist() == [[[1, 3, 100]], [[2, 5, 150]]]
    assert forecast.paths.tolist() == [[[1, 3, 100]], [[1, 3, 100]]]
    assert forecast.scale(0).paths.max() == 0


def test_add_step_begins_on_its_date_and_stops_at_zero():
    """A launch would count too early, for every variant, or make negative peaks."""
    forecast = build([[[10, 10, 10]], [[10, 10, 10]]], ("*", "a"))
    assert forecast.add_step("2026-09-02", 5).paths.tolist() == [[[10, 15, 15]], [[10, 10, 10]]]
    assert forecast.add_step("2026-01-01", -12, variant="a").paths.tolist() == [[[10, 10, 10]], [[0, 0, 0]]]
    with pytest.raises(ConfigError, match="ends on"):
        forecast.add_step("2026-09-04", 5)


def test_growth_compounds_by_day():
    """20 % a year would come at once, or in a straight line."""
    forecast = build(np.full((1, 1, 365), 10_000))
    grown = forecast.growth(0.2).series()[0]
    assert grown[364] == round(10_000 * 1.2 ** (365 / 365.25))
    assert grown[0] == round(10_000 * 1.2 ** (1 / 365.25))
    assert grown[181] == pytest.approx(10_000 * np.sqrt(1.2), rel=1e-3)


def test_large_counts_do_not_overflow():
    """A what-if on 32-bit paths would wrap round to negative."""
    forecast = build(np.array([[[2_000_000_000]]], dtype=np.int32))
    assert forecast.scale(3).series()[0, 0] == 6_000_000_000
    assert forecast.add_step("2026-09-01", 2_000_000_000).series()[0, 0] == 4_000_000_000


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda f: f.scale(-1), "factor=-1"),
        (lambda f: f.scale(float("nan")), "factor=nan"),
        (lambda f: f.growth(-1), "rate_per_year=-1"),
        (lambda f: f.add_step("never", 1), "'never' is no date"),
        (lambda f: f.add_step("2026-09-01", 1.5), "1.5 is no whole number"),
        (lambda f: f.quantiles(95), "q=95"),
        (lambda f: f.quantiles(()), "q="),
        (lambda f: f.series("c"), "'c' is not in the forecast"),
        (lambda f: f.series(), "no variant was named"),
        (lambda f: f.add_step("2026-09-01", 1), "no variant was named"),
    ],
)
def test_wrong_calls_say_what_is_wrong(call, match):
    """A wrong argument would go on into the figures."""
    with pytest.raises(ConfigError, match=match):
        call(build(random_paths(2, 3, 2), ("a", "b")))


@pytest.mark.parametrize(
    "paths", [np.zeros((1, 0, 3), int), np.zeros((1, 3)), [[[1.5]]], [[[-1]]], np.ones((2, 1, 1), int)]
)
def test_paths_keep_their_rules(paths):
    """Fractions, negative peaks or a wrong shape would pass for a forecast."""
    with pytest.raises(ConfigError, match="paths"):
        PeakForecast(np.asarray(paths), ("*",), pd.date_range("2026-09-01", periods=1), pd.DataFrame({"*": []}))


def test_paths_are_read_only():
    """One what-if could change another's paths behind its back."""
    forecast = build(random_paths(1, 3, 2))
    with pytest.raises(ValueError, match="read-only"):
        forecast.paths[0, 0, 0] = 1


def test_it_shows_itself():
    """A notebook would show an array of numbers instead of what they are."""
    forecast = build(random_paths(1, 20, 3), licences=as_licences(100))
    text = str(forecast)
    assert text.startswith(
        "Daily peaks of 1 series, 3 days from Tue 1 Sep 2026 to Thu 3 Sep 2026, 20 paths, from 2 days"
    )
    assert "licences capped what was seen: 100." in text
    assert "<table" in forecast._repr_html_()
    assert forecast.summary().loc["*", "so far"] == 7
