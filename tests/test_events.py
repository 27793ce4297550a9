"""Events on sample paths: what is told is what the paths hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.errors import ConfigError, InsufficientData
from capacity.ground.event import as_events

WEEK = np.array([1.0, 1.0, 1.0, 1.0, 0.8, 0.3, 0.2])


def made(days=90, paths=400, level=100.0, variants=("*",), start="2026-03-02", noise=0.0, seed=3):
    """Build a forecast whose weeks are WEEK times a level, from a Monday on."""
    dates = pd.date_range(start, periods=days)
    rng = np.random.default_rng(seed)
    mean = level * WEEK[dates.day_of_week]
    drawn = np.rint(mean * (1 + noise * rng.standard_normal((len(variants), paths, days)))).astype(int)
    past = pd.date_range(end=dates[0] - pd.Timedelta(days=1), periods=70)
    history = pd.DataFrame(dict.fromkeys(variants, level * WEEK[past.day_of_week]), index=past)
    return cap.PeakForecast(np.maximum(drawn, 0), variants, dates, history, seed=seed)


def event(date="2026-04-06", calls=40, **how):
    """Return an event with a reason."""
    return cap.Event("Hotels", date, calls, **{"reason": "Signed in May"} | how)


def test_a_certain_event_is_added_with_the_week_of_the_series():
    """Forty calls from 6 April on would not be 40 on a Monday and 8 on a Sunday."""
    added = made().with_events(event()).series()[0] - made().series()[0]
    dates = made().dates
    expected = np.where(dates >= "2026-04-06", np.rint(40 * WEEK[dates.day_of_week]), 0)
    assert np.abs(added - expected).max() <= 1


def test_no_event_is_the_default():
    """A forecast without events would be changed, or say that it has some."""
    forecast = made()
    assert forecast.with_events([]) is forecast
    assert forecast.events == ()
    assert cap.event_effects(forecast).empty


def test_chance_day_and_size_are_drawn_as_told():
    """The share of paths on which it comes, its mean day and its mean size would not be those of the event."""
    told = event(("2026-03-16", "2026-04-12"), (20, 40, 60), probability=0.7, pattern="flat")
    forecast = made(paths=4000)
    added = forecast.with_events(told).series().astype(int) - forecast.series()
    came = added[:, -7:].max(axis=1) > 0
    assert came.mean() == pytest.approx(0.7, abs=0.03)
    assert added[came, -1].mean() == pytest.approx(40, abs=0.6)  # the mean of the triangle
    assert added[came, -1].std() == pytest.approx(20 / np.sqrt(6), rel=0.05)
    first = forecast.dates[(added[came] > 0).argmax(axis=1)]
    assert first.min() == pd.Timestamp("2026-03-16")
    assert first.max() == pd.Timestamp("2026-04-12")
    assert (first - pd.Timestamp("2026-03-16")).days.to_numpy().mean() == pytest.approx(13.5, abs=0.5)


def test_ramp_until_and_own_pattern():
    """A ramp of four days would not rise by quarters, or what is over would stay."""
    told = event("2026-03-30", 40, ramp=4, until="2026-04-08", pattern={"Mon": 1, "Tue": 1, "Wed": 1, "Thu": 0.5})
    added = made().with_events(told).series()[0].astype(int) - made().series()[0]
    at = pd.Series(added, index=made().dates)
    assert at["2026-03-29":"2026-04-08"].tolist() == [0, 10, 20, 30, 20, 0, 0, 0, 40, 40, 0]
    assert at["2026-04-08":].sum() == 0


def test_of_what_has_begun_only_the_rest_of_the_ramp_is_added():
    """A launch that the history holds already would be counted twice; one that ends would not be taken off."""
    dates = made().dates
    begun = event(dates[0] - pd.Timedelta(days=2), 40, ramp=4, pattern="flat")  # 20 of 40 are in the history
    added = made().with_events(begun).series()[0].astype(int) - made().series()[0]
    assert added[:4].tolist() == [10, 20, 20, 20]
    done = event("2026-01-05", 40)
    assert (made().with_events(done).paths == made().paths).all()
    campaign = event("2026-02-02", 10, until=dates[7], pattern="flat")
    gone = made().with_events(campaign).series()[0].astype(int) - made().series()[0]
    assert gone[:9].tolist() == [0] * 7 + [-10, -10]


def test_a_variant_carries_its_event_into_the_total():
    """Licences are judged on TOTAL: the launch of a variant would not reach them."""
    forecast = made(variants=("*", "a", "b"))
    after = forecast.with_events(event(variant="a"))
    more = (after.paths - forecast.paths)[:, 0, -1]
    assert more[0] == more[1] > 0
    assert more[2] == 0
    with pytest.raises(ConfigError, match="'nobody' is not in the forecast"):
        forecast.with_events(event(variant="nobody"))


def test_effects_one_by_one():
    """What an event adds would depend on the order, or on other draws than those in the paths."""
    forecast = made(noise=0.05, paths=2000)
    small = cap.Event("Small", "2026-03-20", 10, reason="a")
    large = cap.Event("Large", "2026-03-20", 50, probability=0.5, reason="b")
    both = forecast.with_events([small, large])
    assert (both.paths == forecast.with_events([large]).with_events([small]).paths).all()
    table = cap.event_effects(both, 130)
    alone = forecast.with_events([small])
    assert table.loc["Large", "needed_without"] == cap.licences_needed(alone, 0.05, 90).iloc[0, 0]
    assert table.loc["Large", "chance_without"] == pytest.approx((alone.max_over() > 130).mean())
    assert table.loc["Large", "adds"] > table.loc["Small", "adds"] > 0
    assert table["reason"].tolist() == ["a", "b"]
    with pytest.raises(ConfigError, match="with_events last"):
        cap.event_effects(both.scale(2))


@settings(max_examples=30, deadline=None)
@given(
    calls=st.lists(st.integers(-80, 80), min_size=1, max_size=3).filter(any).map(sorted),
    probability=st.floats(0.05, 1),
    ramp=st.one_of(st.none(), st.integers(0, 60), st.lists(st.floats(0.1, 1), min_size=1, max_size=5)),
    seed=st.integers(0, 100),
)
def test_paths_stay_counts_and_the_seed_decides(calls, probability, ramp, seed):
    """Paths would fall below 0, or two runs would differ."""
    forecast = made(days=30, paths=20, seed=seed, noise=0.1)
    told = event("2026-03-09", tuple(calls), probability=probability, ramp=ramp)
    one, two = (forecast.with_events(told).paths for _ in range(2))
    assert (one == two).all()
    assert one.min() >= 0
    assert (one[:, :, :7] == forecast.paths[:, :, :7]).all()


def test_a_ceiling_saturates_growth_and_leaves_the_rest():
    """Growth would pass the ceiling, or days below what has been reached would change."""
    forecast = made(noise=0.02).growth(2.0)
    held = forecast.with_ceiling((110, 120, 150))
    below = forecast.series() <= 100
    assert (held.series()[below] == forecast.series()[below]).all()
    assert held.series().max() <= 150
    assert (held.series().max(axis=1) > 105).any()
    order = np.diff(np.sort(forecast.with_ceiling(120).series().ravel()))
    assert (order >= 0).all()
    with pytest.raises(ConfigError, match="below the 100 calls"):
        forecast.with_ceiling(90)


def test_ramp_from_finds_the_shape_of_a_launch():
    """A linear launch of 28 days would come back bent, late or at another scale."""
    dates = pd.date_range("2025-06-02", periods=200)
    rise = np.clip((np.arange(200) - 99) / 28, 0, 1)
    peaks = pd.Series(np.rint((200 + 150 * rise) * WEEK[dates.day_of_week]), index=dates)
    shape = np.array(cap.ramp_from(peaks, dates[100], 42))
    assert len(shape) == 42
    assert np.abs(shape - np.clip((np.arange(42) + 1) / 28, 0, 1)).max() < 0.12
    assert shape[-1] == 1
    two = event(ramp=[shape, (0.5, 1.0)])
    assert len(two.ramp) == 2
    with pytest.raises(InsufficientData, match="no launch"):
        cap.ramp_from(peaks, "2025-07-07", 28)
    with pytest.raises(InsufficientData, match="not within the history"):
        cap.ramp_from(peaks, dates[-5], 28)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"reason": " "}, "no reason"),
        ({"date": ("2026-04-02", "2026-04-01")}, "in this order"),
        ({"date": ("2026-04-02",)}, "one date, or"),
        ({"date": "soon"}, "is no date"),
        ({"calls": 0}, "other than 0"),
        ({"calls": (60, 20)}, "calls="),
        ({"calls": "many"}, "calls="),
        ({"calls": True}, "calls="),
        ({"probability": 0}, "above 0 and at most 1"),
        ({"ramp": -3}, "ramp"),
        ({"ramp": "slow"}, "ramp"),
        ({"ramp": [0, 0]}, "ramp"),
        ({"pattern": [1, 2]}, "seven numbers"),
        ({"pattern": {"Monday": 1}}, "seven numbers"),
        ({"until": "2026-04-06"}, "after the latest first day"),
        ({"variant": 3}, "the id of a series"),
    ],
)
def test_what_cannot_be_read_is_refused(how, says):
    """A wrong event would be taken for another one."""
    with pytest.raises(ConfigError, match=says):
        event(**how)


def test_events_have_one_name_each():
    """Two events of one name would share their draws, and their row in the table."""
    with pytest.raises(ConfigError, match="two events are called 'Hotels'"):
        as_events([event(), event()])
    with pytest.raises(ConfigError, match="is not an event"):
        as_events(["Hotels"])
