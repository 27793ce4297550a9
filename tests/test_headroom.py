"""Headroom: answers counted on whole paths, checked by counting them one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.analysis.headroom import headroom, licences_needed
from capacity.errors import ConfigError
from capacity.forecast.paths import PeakForecast
from capacity.ground.licences import as_licences


def build(paths, start="2026-09-01", variants=("*",)) -> PeakForecast:
    """Build a forecast by hand from paths, shape (paths, days) or (variants, paths, days)."""
    paths = np.asarray(paths)
    paths = paths[None] if paths.ndim == 2 else paths
    dates = pd.date_range(start, periods=paths.shape[2])
    return PeakForecast(paths, variants, dates, pd.DataFrame({v: [50.0] for v in variants}))


def independent(paths=20_000, days=30, seed=3) -> PeakForecast:
    """Return days that are independent and uniform on 1..100."""
    return build(np.random.default_rng(seed).integers(1, 101, (paths, days)))


def test_a_daily_95_percent_limit_is_passed_within_a_month_with_79_percent():
    """The quantile of single days would be taken for that of the period: 5% instead of 1 - 0.95^30 = 78.5%."""
    result = headroom(independent(), 95)
    assert result.daily["above"].mean() == pytest.approx(0.05, abs=0.002)
    assert result.p_above.iloc[-1] == pytest.approx(1 - 0.95**30, abs=0.01)
    assert result.p_above.iloc[9] == pytest.approx(1 - 0.95**10, abs=0.015)


def test_licences_for_a_period_are_the_quantile_of_its_maximum():
    """Licences for 5% risk in 30 days would be those of one day: 95 instead of 100 x 0.95^(1/30) = 99.8."""
    needed = licences_needed(independent(), 0.05)
    assert needed.columns.tolist() == [30]
    assert needed.iloc[0, 0] == 100
    assert licences_needed(independent(), 0.5).iloc[0, 0] == np.ceil(100 * 0.5 ** (1 / 30))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 12), min_size=4, max_size=4), min_size=1, max_size=25),
    st.floats(0.01, 0.99),
    st.integers(1, 4),
)
def test_licences_needed_is_the_smallest_that_keeps_the_risk(paths, risk, span):
    """One licence too many or too few; checked by trying every number."""
    highest = np.array(paths)[:, :span].max(axis=1)
    brute = next(L for L in range(13) if (highest > L).mean() <= risk + 1e-12)
    assert licences_needed(build(paths), risk, span).iloc[0, 0] == brute


def test_first_touch_above_and_at_or_above_by_brute_force():
    """First days, their dates or the mass beyond would be read off something else than whole paths."""
    paths = np.random.default_rng(8).integers(60, 103, (300, 45))
    result = headroom(build(paths), 100)
    for series, hit in ((result.p_above, paths > 100), (result.p_at_or_above, paths >= 100)):
        for d in (0, 7, 44):
            assert series.iloc[d] == sum(any(row[: d + 1]) for row in hit) / 300
    first = sorted(next(d for d in range(45) if row[d]) for row in (paths > 100) if row.any())
    assert result.beyond == 1 - len(first) / 300
    for q, date in result.dates_given.items():
        wanted = next(d for d in first if sum(x <= d for x in first) >= q * len(first) - 1e-9)
        assert date == result.dates[wanted]


def test_k_days_in_thirty_by_brute_force():
    """The k-th day above would be counted over the horizon instead of 30 days."""
    paths = np.random.default_rng(9).integers(90, 103, (50, 50))
    result = headroom(build(paths), 100)
    hit = paths > 100
    for k, first, anywhere in result.k_in_30.itertuples(index=False):
        assert first == sum(row[:30].sum() >= k for row in hit) / 50
        assert anywhere == sum(max(row[d : d + 30].sum() for d in range(21)) >= k for row in hit) / 50


def test_k_in_thirty_of_independent_days_is_binomial():
    """At least two of 30 days at 5% each: 1 - 0.95^30 - 30 x 0.05 x 0.95^29 = 44.6%."""
    row = headroom(independent(), 95).k_in_30.set_index("k").loc[2]
    assert row["probability"] == pytest.approx(1 - 0.95**30 - 30 * 0.05 * 0.95**29, abs=0.012)
    assert row["any_30"] == row["probability"]


def test_short_horizon_counts_its_own_days():
    """A horizon below 30 days would fail, or ask for 30 days above out of 5."""
    table = headroom(build([[101] * 5, [99] * 5]), 100).k_in_30
    assert table["k"].tolist() == [1, 2, 3, 5]
    assert table["probability"].tolist() == [0.5] * 4


def test_steps_hold_from_their_dates():
    """A licence bought for later would already count today, or never."""
    paths = [[90, 105, 105, 125], [90, 90, 110, 110]]
    result = headroom(build(paths), {"2026-01-01": 100, "2026-09-03": 110, "2026-09-04": 120})
    assert result.daily["licences"].tolist() == [100, 100, 110, 120]
    assert result.p_above.tolist() == [0, 0.5, 0.5, 0.5]
    assert result.p_at_or_above.tolist() == [0, 0.5, 1, 1]
    assert result.sentence().startswith(
        "Licences: 100, from Thu 3 Sep 2026: 110, from Fri 4 Sep 2026: 120. Chance of exceeding them within 4 days: 50%"
    )
    past = headroom(build(paths), {"2026-01-01": 100, "2026-08-03": 110})
    assert past.sentence().startswith("Licences: 110. Chance of exceeding 110 within 4 days: 50%")


def test_days_above_add_up_by_month():
    """Expected days would be put into the wrong month."""
    paths = np.zeros((4, 40), int)
    paths[:, 5] = 101  # 30 September
    paths[:2, 6] = 101  # 1 October, on half the paths
    paths[0, 39] = 100  # 3 November
    result = headroom(build(paths, start="2026-09-25"), 100)
    assert [str(m) for m in result.per_month.index] == ["2026-09", "2026-10", "2026-11"]
    assert result.per_month["days"].tolist() == [6, 31, 3]
    assert result.per_month["above"].tolist() == [1.0, 0.5, 0.0]
    assert result.per_month["at_or_above"].tolist() == [1.0, 0.5, 0.25]


def test_never_passed_has_no_dates_and_no_false_certainty():
    """No path above would read as a chance of exactly 0%, and as a date."""
    result = headroom(build(np.full((100, 90), 80)), 100)
    assert result.beyond == 1.0
    assert list(result.dates_given.values()) == [None] * 3
    assert result.sentence() == (
        "Licences: 100. Chance of exceeding 100 within 90 days: under 1%; of reaching 100: under 1%."
    )


def test_a_single_path_gives_no_date_in_words():
    """One path of a thousand would be told as a date to plan by."""
    paths = np.full((1000, 5), 80)
    paths[0, 2] = 101
    result = headroom(build(paths), 100)
    assert result.sentence().endswith("under 1%; of reaching 100: under 1%.")
    assert result.dates_given[0.5] == pd.Timestamp("2026-09-03")


def test_always_passed_is_over_99_percent():
    """Every path above would read as certainty."""
    result = headroom(build(np.full((100, 1), 180)), 100)
    assert "within 1 day: over 99%" in result.sentence()
    assert result.dates_given[0.9] == pd.Timestamp("2026-09-01")
    assert result.beyond == 0.0


def test_zero_licences_and_zero_demand():
    """An all-zero forecast would be above a licence of 0; at it, it is."""
    result = headroom(build(np.zeros((3, 4), int)), 0)
    assert result.p_above.max() == 0 and result.p_at_or_above.min() == 1
    assert licences_needed(build(np.zeros((3, 4), int))).to_numpy().tolist() == [[0], [0], [0]]


def test_horizons_are_those_that_fit():
    """A year's licences would be told from a forecast of 100 days."""
    days = build(np.ones((2, 100), int))
    assert licences_needed(days).columns.tolist() == [30, 90]
    assert licences_needed(build(np.ones((2, 12), int))).columns.tolist() == [12]
    assert licences_needed(days, horizons=(1, 100)).columns.tolist() == [1, 100]
    with pytest.raises(ConfigError, match="365 days is not within"):
        licences_needed(days, horizons=365)
    for wrong in (7.9, "7", 0, True):
        with pytest.raises(ConfigError, match="horizon"):
            licences_needed(days, horizons=wrong)
    with pytest.raises(ConfigError, match=r"risk=\(5,\)"):
        licences_needed(days, (5,))


def test_variants_are_asked_one_by_one():
    """TOTAL's licences would be judged on another series."""
    paths = np.array([[[10, 20]], [[100, 200]]])
    forecast = build(paths, variants=("*", "a"))
    assert headroom(forecast, 50).p_above.tolist() == [0, 0]
    assert headroom(forecast, 150, variant="a").p_above.tolist() == [0, 1]
    assert licences_needed(forecast, 0.1, variant="a").iloc[0, 0] == 200
    assert headroom(forecast, 150, variant="a").sentence().startswith("Licences for a: 150.")
    with pytest.raises(ConfigError, match="no variant was named"):
        headroom(build(paths, variants=("a", "b")), 50)


def test_more_licences_never_raise_the_chance_to_pass_them():
    """Buying would look harmful."""
    forecast = independent(500)
    chances = [headroom(forecast, n).p_above.to_numpy() for n in (60, 80, 100)]
    assert (chances[0] >= chances[1]).all() and (chances[1] >= chances[2]).all()


def test_leap_day_is_a_day():
    """29 February would be skipped or fail."""
    result = headroom(build([[1, 101, 1]], start="2028-02-28"), as_licences(100))
    assert result.dates_given[0.5] == pd.Timestamp("2028-02-29")


def test_frame_and_html():
    """A table of the result would lack one of the two questions."""
    result = headroom(independent(200), 95)
    table = result.to_frame()
    assert list(table.columns) == ["licences", "p_above", "p_at_or_above", "day_above", "day_at_or_above"]
    assert (table["p_at_or_above"] >= table["p_above"]).all()
    assert table["p_above"].is_monotonic_increasing
    assert "<table" in result._repr_html_()
