"""What call records measure: lengths with limits, bursts, new tries; and their way into the verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.ground.calls import Calls

DAY_S = 86_400


def poisson_calls(seed, *, days=14, rate=400, mean=180.0, batch=1, per_day_shift=0.0) -> pd.DataFrame:
    """Return calls of exponential length that come in batches of a size, at an even rate."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(days * rate / batch)
    start = np.repeat(rng.uniform(0, days * DAY_S, n), batch)
    length = (
        rng.exponential(mean, len(start))
        * np.exp(per_day_shift * rng.standard_normal(days))[(start // DAY_S).astype(int)]
    )
    first = pd.Timestamp("2026-03-02", tz="UTC")
    times = first + pd.to_timedelta(np.round(start * 1000), unit="ms")
    return pd.DataFrame({"start": times, "end": times + pd.to_timedelta(np.round(length * 1000), unit="ms")}).assign(
        variant=np.where(rng.random(len(start)) < 0.25, "a", "b")
    )


def test_limits_hold_the_true_mean_19_times_in_20():
    """Limits too narrow: days differ in their mean length, and calls of one day are no independent draws."""
    held = 0
    for seed in range(60):
        found = cap.call_traffic(poisson_calls(seed, days=28, rate=150, per_day_shift=0.3))
        truth = 180 * np.exp(0.3**2 / 2)
        low, high = (limit.total_seconds() for limit in found.length_limits)
        held += low <= truth <= high
    assert 52 <= held <= 60


def test_lengths_by_variant_and_hour_are_plain_means():
    """A mean would be of the wrong hour or variant."""
    calls = poisson_calls(1)
    found = cap.call_traffic(calls, tz="Asia/Kolkata")
    local = calls["start"].dt.tz_convert("Asia/Kolkata").dt.hour
    seconds = (calls["end"] - calls["start"]).dt.total_seconds()
    for variant, hour in (("a", 3), ("b", 23)):
        mine = seconds[(calls["variant"] == variant) & (local == hour)]
        row = found.lengths.loc[(variant, hour)]
        assert row["calls"] == len(mine)
        assert row["mean"] == pytest.approx(mine.mean())
        assert row["sd"] == pytest.approx(mine.std(ddof=0))
    assert found.by_variant.loc["*", "mean"] == pytest.approx(seconds.mean())
    days = (
        pd.DataFrame({"sum": seconds, "count": 1.0}).groupby(calls["start"].dt.tz_convert("Asia/Kolkata").dt.date).sum()
    )
    rest, n = days["sum"] - seconds.mean() * days["count"], len(days)
    error = 1.96 * np.sqrt(n / (n - 1) * (rest**2).sum()) / len(calls)
    limits = found.by_variant.loc["*", ["lower", "upper"]].tolist()
    assert limits == pytest.approx([seconds.mean() - error, seconds.mean() + error])
    one = calls[
        calls["start"] < calls["start"].min().normalize() + pd.Timedelta(days=1)
    ]  # a day has no days to compare
    own = (one["end"] - one["start"]).dt.total_seconds()
    error = 1.96 * own.std(ddof=0) / np.sqrt(len(own))
    limits = cap.call_traffic(one).by_variant.loc["*", ["lower", "upper"]].tolist()
    assert limits == pytest.approx([own.mean() - error, own.mean() + error])


def test_which_calls_and_which_part_of_them_count():
    """Calls of all channels count unless only voice is asked for; open and blocked ones never; in any order."""
    calls = poisson_calls(3, days=3).sample(frac=1, random_state=1)
    kind = np.arange(len(calls)) % 4
    calls = calls.assign(
        channel=np.where(kind == 0, "chat", "voice"),
        blocked=pd.array(np.where(kind == 1, True, np.nan), dtype="boolean"),
        end=calls["end"].where(kind != 2),
        polyai_duration=np.where(kind == 0, 10.0, 20.0),
    )
    seconds = (calls["end"] - calls["start"]).dt.total_seconds()
    everything, voice = cap.call_traffic(calls), cap.call_traffic(calls, voice_only=True)
    assert everything.by_variant.loc["*", ["calls", "mean"]].tolist() == pytest.approx(
        [(kind % 3 == 0).sum(), seconds[kind % 3 == 0].mean()]
    )
    assert voice.by_variant.loc["*", ["calls", "mean"]].tolist() == pytest.approx(
        [(kind == 3).sum(), seconds[kind == 3].mean()]
    )
    agent = cap.call_traffic(calls, duration="polyai_duration").by_variant.loc["*", "mean"]
    assert agent == pytest.approx(np.where(kind == 0, 10.0, 20.0)[kind % 3 == 0].mean())


@pytest.mark.parametrize(("batch", "expected"), [(1, 1.0), (2, 2.0), (4, 4.0)])
def test_batches_show_as_bursts(batch, expected):
    """Calls that come in twos vary twice as much as Poisson's: the dispersion of a compound Poisson process."""
    found = cap.call_traffic(poisson_calls(2, rate=1200, batch=batch))
    low, high = found.burst_limits
    assert low - 0.15 < expected < high + 0.15
    assert found.burstiness == pytest.approx(expected, rel=0.12)
    assert any("bursts" in note for note in found.notes()) == (batch > 1)


def test_the_rhythm_of_the_day_is_no_burst():
    """A busy noon would pass for burstiness."""
    found = cap.call_traffic(cap.simulate_calls("2026-03-02", days=28, seed=1))
    assert 0.9 < found.burstiness < 1.15


def test_new_tries_are_a_share_of_calls_with_a_number():
    """Callers who try again would not be told, or be told by the wrong hour."""
    hours = pd.date_range("2026-03-02", periods=48, freq="h", tz="UTC", name="hour")
    counts = pd.DataFrame({"calls": 10, "again": [1] * 24 + [0] * 24}, index=hours)
    found = cap.call_traffic(Calls(poisson_calls(3), callers=counts), tz="Europe/Madrid")
    assert found.again == 24 / 480
    assert found.again_by_hour["calls"].tolist() == [20] * 24
    assert "5%" in found.sentence()
    assert cap.call_traffic(poisson_calls(3)).again is None


def test_too_few_calls_and_an_unknown_duration():
    """A mean of a handful of calls would be told with limits."""
    with pytest.raises(cap.errors.InsufficientData, match="30 are needed"):
        cap.call_traffic(poisson_calls(4).head(29))
    with pytest.raises(cap.errors.ConfigError, match="duration='talk'"):
        cap.call_traffic(poisson_calls(4), duration="talk")


def test_assess_measures_the_mean_call_length_in_place_of_asking():
    """The verdict would still want a mean call length that the records tell, or not say what they show."""
    records = cap.simulate_calls("2026-01-05", days=21, seed=5, tz="UTC", scale=0.1)
    frame = cap.intervals_from_calls(records)
    span = (records["start"].min().floor("D"), records["start"].max().floor("D"))
    seconds = (records["end"] - records["start"]).dt.total_seconds().mean()
    own = cap.assess(frame, 20, seed=1, backtest=False, horizon=30, calls=Calls(records, covered=(span,)))
    assert own.call_traffic.mean_call_length.total_seconds() == pytest.approx(seconds, abs=0.01)
    assert own.traffic.mean_call_length == own.call_traffic.mean_call_length
    assert own.reconciliation.share_equal == 1.0
    assert "Mean call length, measured" in own.to_frame().index
    assert any(note.field == "reconciliation" for note in own.notes)
    assert own.to_dict()["reconciliation"]["intervals"] == own.reconciliation.intervals
    log = cap.assess(frame, 20, seed=1, backtest=False, horizon=30, calls=Calls(records), mean_call_length="2m")
    assert log.reconciliation is None  # the frame was made of this log: there is nothing to compare
    assert log.traffic.mean_call_length == pd.Timedelta(minutes=2)


def test_combined_records_give_the_exact_total():
    """Several projects would be judged on the sum of their peaks though their records tell the total."""
    one, two = (cap.simulate_calls("2026-03-02", days=2, seed=seed, tz="UTC", scale=0.2) for seed in (6, 7))
    both = cap.combine({"hotel": Calls(one), "bank": Calls(two)})
    start, end = both.index.levels[0][0], both.index.levels[0][-1] + pd.Timedelta(minutes=5)
    truth = cap.intervals_from_calls(pd.concat([one, two]), start=start, end=end, by=None)
    assert cap.total(both)["max_concurrent"].tolist() == truth["max_concurrent"].tolist()
    assert set(both.index.levels[1]) == {"*", "bank", "hotel"}
    bounds = cap.combine({"hotel": cap.intervals_from_calls(one), "bank": cap.intervals_from_calls(two)})
    assert cap.total(both)["max_concurrent"].max() < cap.total(bounds)["max_concurrent"].max()
    with pytest.raises(cap.errors.ConfigError, match="'bank'"):
        cap.combine({"hotel": Calls(one), "bank": cap.intervals_from_calls(two)})
    apart = Calls(two.assign(start=two["start"] + pd.Timedelta(days=30), end=two["end"] + pd.Timedelta(days=30)))
    with pytest.raises(cap.errors.InsufficientData, match="share no time"):
        cap.combine({"hotel": Calls(one), "bank": apart})


def test_slices_by_line_and_language_come_from_records():
    """Where the API answers 501, records would not help either."""
    records = cap.simulate_calls("2026-03-02", days=1, seed=8, tz="UTC", scale=0.2)
    for by in ("phone_number", "language"):
        sliced = cap.intervals_from_calls(Calls(records), by=by)
        assert set(cap.variants(sliced).index.unique(1)) == set(records[by].astype(str))
