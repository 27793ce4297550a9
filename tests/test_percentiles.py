from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.analysis.percentile_limits import stationary_weights
from capacity.analysis.percentiles import load_duration
from capacity.errors import ConfigError, InsufficientData
from capacity.stats import order_statistics as ranks
from capacity.stats.order_statistics import group_quantiles, rank_of

from .made_frames import CLOCK_DAYS, ZONES, every, of, plain, ragged

Q = (50, 90, 95, 99, 99.9, 100)
KEYS = {
    "hour": lambda local: local.dt.hour,
    "weekday": lambda local: local.dt.day_of_week,
    "hour_of_week": lambda local: local.dt.day_of_week * 24 + local.dt.hour,
    "month": lambda local: local.dt.normalize() - pd.to_timedelta(local.dt.day - 1, unit="D"),
    "day": lambda local: local.dt.normalize(),
    "week": lambda local: local.dt.normalize() - pd.to_timedelta(local.dt.day_of_week, unit="D"),
}


def inverted(values: object, q: float) -> int:
    """Take a percentile as numpy does."""
    return int(np.quantile(np.asarray(values), q / 100, method="inverted_cdf"))


def assert_same(found: pd.DataFrame, groups: pd.core.groupby.SeriesGroupBy) -> None:
    """Hold a table by (group, q) to the values of each group."""
    expected = {(*np.atleast_1d(np.array(key, object)), q): inverted(v, q) for key, v in groups for q in Q}
    sizes = {(*np.atleast_1d(np.array(key, object)), q): len(v) for key, v in groups for q in Q}
    assert found["value"].to_dict() == expected
    assert found["intervals"].to_dict() == sizes


def test_all_intervals():
    """A percentile would not be the one that numpy takes of the same values, or rest on other intervals."""
    frame = ragged(1)
    assert_same(cap.percentiles(frame), frame.groupby(level="variant")["max_concurrent"])


@pytest.mark.parametrize("tz", ZONES)
@pytest.mark.parametrize("by", list(KEYS))
def test_by_local_time(by, tz):
    """An interval would be counted with another hour, day or week than that of its local time."""
    frame = ragged(2, "2026-03-24", "2026-04-07")
    table = plain(frame, tz)
    found = cap.percentiles(frame, by=by, tz=tz)
    assert found.index.names == ["variant", by, "q"]
    assert found.index.is_monotonic_increasing
    assert_same(found, table.groupby(["variant", KEYS[by](table["local"])])["max_concurrent"])


def test_agrees_with_polars():
    """The percentiles would not be what another library says of the same rows."""
    pl = pytest.importorskip("polars")
    frame = ragged(3)
    table = pl.DataFrame({"variant": list(frame.index.get_level_values(1)), "x": frame["max_concurrent"].to_numpy()})
    found = cap.percentiles(frame, (50, 95, 99))["value"]
    for q in (50, 95, 99):
        # Of n values polars takes number ceil(q (n - 1)), counting from 0: the same but where q n is whole.
        answer = dict(table.group_by("variant").agg(pl.col("x").quantile(q / 100, "higher")).iter_rows())
        sizes = dict(table.group_by("variant").agg(pl.len()).iter_rows())
        for variant in answer:
            if sizes[variant] * q % 100:
                assert found[(variant, float(q))] == answer[variant]


def test_the_percentile_is_the_decimal_that_is_written():
    """In binary 99.9 / 100 * 1000 is not 999 everywhere: the 99.9th of 1 to 1000 would be 1000."""
    times = pd.date_range("2026-01-01", periods=1000, freq="5min", tz="UTC")
    found = cap.percentiles(of({cap.TOTAL: (times, range(1, 1001))}), (0, 1.1, 1.11, 28.9, 57.3, 99.9, 99.91))
    assert found["value"].tolist() == [1, 11, 12, 289, 573, 999, 1000]
    assert rank_of(33.33333333333333, np.array([10**15])).tolist() == [333333333333334]  # exact beyond int64


def test_opening_hours():
    """Closed hours would dilute, or hours after midnight be lost."""
    frame, tz = ragged(4), "Europe/London"
    table = plain(frame, tz)
    minute = table["local"].dt.hour * 60 + table["local"].dt.minute
    found = cap.percentiles(frame, hours=("08:00", "20:00"), tz=tz)
    assert_same(found, table[(minute >= 480) & (minute < 1200)].groupby("variant")["max_concurrent"])
    day = table["local"].dt.day_of_week
    night = ((day == 4) & (minute >= 1320)) | ((day == 5) & (minute < 120)) | ((day == 6) & (minute >= 600))
    found = cap.percentiles(frame, hours={"Fri": ("22:00", "02:00"), "Sun": ("10:00", "24:00")}, tz=tz, by="weekday")
    assert_same(found, table[night].groupby(["variant", day])["max_concurrent"])


@pytest.mark.parametrize(("tz", "date", "intervals"), CLOCK_DAYS)
def test_days_on_which_the_clock_moves(tz, date, intervals):
    """The hour that is skipped or that happens twice would be counted as any other."""
    begin = pd.Timestamp(date, tz=tz).tz_convert("UTC")
    frame = of({cap.TOTAL: (pd.date_range(begin, periods=intervals, freq="5min"), range(intervals))})
    found = cap.percentiles(frame, 100, by="day", tz=tz)
    assert found.index.get_level_values("day").tolist() == [pd.Timestamp(date)]
    assert found["intervals"].tolist() == [intervals]
    assert found["value"].tolist() == [intervals - 1]
    hours = cap.percentiles(frame, 100, by="hour", tz=tz)["intervals"]
    moved = intervals - 288
    odd = hours[hours != 12]
    assert odd.sum() == (0 if moved in (0, -12) else 12 + moved)
    assert len(hours) == (23 if moved == -12 else 24)


@pytest.mark.parametrize("block", [1, 700, 1 << 20])
@pytest.mark.parametrize("top", [0, 6, 2**31 - 1])
def test_counting_and_sorting_agree_with_numpy(monkeypatch, top, block):
    """Small numbers are counted and large ones sorted, in blocks: one way, or a seam, would give another answer."""
    monkeypatch.setattr(ranks, "BLOCK", block)
    rng = np.random.default_rng(6)
    for rows, columns, groups in [(0, 1, 2), (1, 1, 1), (9, 3, 4), (400, 4, 3), (400, 1, 60)]:
        values = rng.integers(-1, top, size=(rows, columns), endpoint=True).astype(np.int32)
        group = rng.integers(-1, groups, size=rows)
        found = group_quantiles(values, group, groups, (0, *Q))
        for g in range(groups):
            for c in range(columns):
                held = values[group == g, c]
                held = held[held >= 0]
                expected = [inverted(held, q) for q in (0, *Q)] if len(held) else [-1] * 7
                assert found.quantiles[:, g, c].tolist() == expected
                assert found.counts[g, c] == len(held)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([None, *KEYS]))
def test_does_not_depend_on_rows_or_labels(seed, by):
    """Shuffled rows, a frame split and rejoined, or other names would give other percentiles."""
    frame = ragged(seed, "2026-03-25", "2026-04-03")
    whole = cap.percentiles(frame, by=by, tz="Europe/London")
    cut = seed % len(frame)
    rejoined = cap.concat([frame.iloc[cut:], frame.iloc[:cut]])
    pd.testing.assert_frame_equal(cap.percentiles(rejoined, by=by, tz="Europe/London"), whole)
    names = {cap.TOTAL: cap.TOTAL, "busy": "z", "idle": "y", "late": "x"}
    other = frame.reset_index().sample(frac=1, random_state=seed)
    other["variant"] = other["variant"].map(names)
    renamed = cap.percentiles(cap.as_intervals(other), by=by, tz="Europe/London")
    for old, new in names.items():
        pd.testing.assert_frame_equal(renamed.loc[new], whole.loc[old])


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"q": 101}, "between 0 and 100"),
        ({"q": (50, -1)}, "between 0 and 100"),
        ({"q": (50, 50)}, "each once"),
        ({"q": ()}, "between 0 and 100"),
        ({"q": float("nan")}, "between 0 and 100"),
        ({"q": "high"}, "between 0 and 100"),
        ({"by": "year"}, "hour_of_week"),
        ({"tz": "Mars/Olympus"}, "Mars"),
        ({"ci": 90}, "between 0 and 1"),
        ({"ci": "high"}, "between 0 and 1"),
        ({"ci": float("nan")}, "between 0 and 1"),
        ({"ci": 0.9, "by": "day"}, "whole weeks"),
    ],
)
def test_wrong_arguments(how, words):
    """A slip would be answered with a number, or a traceback from within."""
    with pytest.raises(ConfigError, match=words):
        cap.percentiles(ragged(1, "2026-03-01", "2026-03-03"), **how)


def test_too_little():
    """An empty frame, or closed hours alone, would give a number."""
    frame = of({cap.TOTAL: (every("2026-03-02", "2026-03-03"), 3)})
    with pytest.raises(InsufficientData, match="at least one interval"):
        cap.percentiles(frame.iloc[:0])
    with pytest.raises(InsufficientData, match="Sun"):
        cap.percentiles(frame, hours={"Sun": ("08:00", "20:00")})
    with pytest.raises(InsufficientData, match="4 whole weeks"):
        cap.percentiles(frame, ci=0.9)


def test_groups_without_intervals_are_not_there():
    """An hour that has no interval would have a percentile."""
    frame = of(
        {
            "a": (every("2026-03-02T08:00", "2026-03-02T10:00"), 3),
            "b": (every("2026-03-02T09:00", "2026-03-02T12:00"), 4),
        }
    )
    found = cap.percentiles(frame, 50, by="hour")
    assert [key[:2] for key in found.index] == [("a", 8), ("a", 9), ("b", 9), ("b", 10), ("b", 11)]


def test_ci_brackets_and_repeats():
    """Confidence limits would not hold the percentile, change from run to run, or depend on the other variants."""
    frame = ragged(8, "2026-01-05", "2026-04-20")
    found = cap.percentiles(frame, (50, 95, 99), ci=0.9, seed=3)
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()
    pd.testing.assert_frame_equal(cap.percentiles(frame, (50, 95, 99), ci=0.9, seed=3), found)
    alone = cap.percentiles(cap.total(frame), (50, 95, 99), ci=0.9, seed=3)
    pd.testing.assert_frame_equal(alone, found.loc[[cap.TOTAL]])
    wider = cap.percentiles(frame, (50, 95, 99), ci=0.99, seed=3)
    assert (wider["low"] <= found["low"]).all()
    assert (wider["high"] >= found["high"]).all()


def by_drawing(frame: pd.DataFrame, q: float, ci: float, seed: int, hour: int | None = None) -> tuple[float, float]:
    """Take the limits by laying the drawn weeks end to end; the first day begins the first week."""
    values = frame["max_concurrent"].to_numpy()
    weeks = [values[k * 2016 : (k + 1) * 2016] for k in range(len(values) // 2016)]
    over = values[len(weeks) * 2016 :]
    if hour is not None:
        pick = np.arange(2016) // 12 % 24 == hour
        weeks, over = [week[pick] for week in weeks], over[pick[: len(over)]]
    weights = stationary_weights(len(weeks), replicates=1000, seed=seed)
    drawn = np.sort(
        [
            inverted(np.concatenate([np.repeat(week, n) for week, n in zip(weeks, row, strict=True)] + [over]), q)
            for row in weights
        ]
    )
    cut = round((1 - ci) / 2 * 1000)
    return drawn[cut - 1], drawn[-cut]


def test_ci_is_that_of_weeks_laid_end_to_end():
    """Counting by weight would not be the same as drawing the weeks; days over would be lost."""
    times, rng = every("2026-01-05", "2026-02-18"), np.random.default_rng(9)
    level = np.repeat(rng.gamma(4, 3, size=7), 2016)[: len(times)]
    frame = of({cap.TOTAL: (times, rng.poisson(level))})
    found = cap.percentiles(frame, (50, 95), ci=0.9, seed=4)
    for q in (50, 95):
        assert tuple(found.loc[(cap.TOTAL, q), ["low", "high"]]) == by_drawing(frame, q, 0.9, 4)
    found = cap.percentiles(frame, 90, by="hour", ci=0.9, seed=4)
    for hour in (0, 17):
        assert tuple(found.loc[(cap.TOTAL, hour, 90.0), ["low", "high"]]) == by_drawing(frame, 90, 0.9, 4, hour)


def test_ci_of_weeks_that_do_not_differ_is_the_percentile():
    """Limits would have a width where every week is the same."""
    times = every("2026-01-05", "2026-03-02")
    found = cap.percentiles(of({cap.TOTAL: (times, np.arange(len(times)) % 2016)}), (10, 99), ci=0.95)
    assert (found["low"] == found["value"]).all()
    assert (found["high"] == found["value"]).all()


def test_ci_of_a_variant_that_is_too_young():
    """One new variant would take the limits of all others away, or get limits from two weeks."""
    times = every("2026-01-05", "2026-03-02")
    frame = of({cap.TOTAL: (times, np.arange(len(times)) % 50), "new": (times[-4000:], 3)})
    found = cap.percentiles(frame, 99, ci=0.9)
    assert found.loc[cap.TOTAL, ["low", "high"]].notna().all(axis=None)
    assert found.loc["new", ["low", "high"]].isna().all(axis=None)
    assert found.loc["new", "value"].tolist() == [3]


def test_stationary_weights():
    """Weeks would be drawn unevenly, in runs of another length than said, or not as many as there are."""
    weights = stationary_weights(27, replicates=4000, seed=1)  # runs of 3 weeks on average
    assert (weights.sum(axis=1) == 27).all()
    assert np.abs(weights.mean(axis=0) - 1).max() < 0.1
    # Politis and Romano (1994), lemma 1: the variance of a resample's mean, where weeks k apart are drawn together
    # with probability (1 - p)^k. The series is high in its first half: runs make the mean vary more.
    series = np.where(np.arange(27) < 14, 1.0, -1.0)
    centred = series - series.mean()
    p, n = 1 / 3, 27
    covariances = [np.dot(centred, np.roll(centred, -k)) / n for k in range(n)]
    weight = [(1 - k / n) * (1 - p) ** k + k / n * (1 - p) ** (n - k) for k in range(n)]
    expected = (covariances[0] + sum(w * c for w, c in zip(weight[1:], covariances[1:], strict=True))) / n
    assert np.var(weights @ series / n) == pytest.approx(expected, rel=0.08)


def test_load_duration():
    """The hours a year at or above a level would be those above it, or of another year."""
    frame = ragged(10)
    found = load_duration(frame)
    for variant, values in frame.groupby(level="variant")["max_concurrent"]:
        table = found.loc[variant]
        assert table.index.tolist() == sorted(set(values))
        assert table["intervals"].tolist() == [int((values >= level).sum()) for level in table.index]
        assert table["share"].tolist() == pytest.approx([(values >= level).mean() for level in table.index])
        assert table["hours_a_year"].tolist() == pytest.approx(
            [8760 * (values >= level).mean() for level in table.index]
        )


def test_load_duration_within_opening_hours():
    """A year of half-day opening would have as many hours as one of whole days."""
    frame = of({cap.TOTAL: (every("2026-03-02", "2026-03-09"), [1] * 1008 + [2] * 1008)})
    found = load_duration(frame, hours=("06:00", "18:00"))
    assert found["hours_a_year"].tolist() == [4380.0, 2190.0]
    assert found["intervals"].tolist() == [1008, 504]
    with pytest.raises(InsufficientData, match="at least one interval"):
        load_duration(frame.iloc[:0])
    with pytest.raises(ConfigError, match="Mars"):
        load_duration(frame, tz="Mars/Olympus")


@pytest.mark.parametrize(("q", "write"), [(0.95, "95"), ((0.5, 0.999), "50"), ((50, 0.999), "99.9")])
def test_a_quantile_is_no_percentile(q, write):
    """`percentiles(frame, 0.95)` would return the lowest maxima, nearly always 0, without a word."""
    with pytest.raises(ConfigError, match=rf"between 0 and 100; write {write}$"):
        cap.percentiles(ragged(1), q)
