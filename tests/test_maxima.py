"""The distribution of a 5-minute maximum against published figures, dense matrix exponentials and simulation."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import expm
from scipy.stats import poisson

from capacity.errors import ConfigError
from capacity.ground.call_length import as_call_length, turnover
from capacity.stats.maxima import law_of_maximum, log_poisson_cdf, variance_inflation


@dataclass
class Law:
    """The law of a maximum, with what is asked of it."""

    p: np.ndarray  # (loads, values)

    @property
    def mean(self):
        """Return the mean by load."""
        return self.p @ np.arange(self.p.shape[1])

    def cdf(self, value):
        """Return P(max <= value) by load."""
        return self.p[:, : value + 1].sum(axis=1)

    def quantile(self, q):
        """Return the smallest value that is not exceeded with probability q."""
        return (self.p.cumsum(axis=1) < q).sum(axis=1)


def interval_maximum(load, length, licences=None):
    """Return the law of a 5-minute maximum."""
    return Law(law_of_maximum(np.atleast_1d(np.asarray(load, dtype=float)), turnover(as_call_length(length)), licences))


def dense_below(load: float, turn: float, c: int, cap: int | None = None) -> float:
    """P(max < c) by the killed generator as a dense matrix."""
    n = np.arange(c)
    q = np.diag(-(load + n)) + np.diag(np.full(c - 1, load), 1) + np.diag(n[1:].astype(float), -1)
    start = poisson.pmf(n, load) / (1.0 if cap is None else poisson.cdf(cap, load))
    return float(start @ expm(q * turn) @ np.ones(c))


def test_published_means_and_quantiles():
    """A maximum would be read as a load, or the other way round."""
    got = interval_maximum([10, 50, 200], "3m")
    assert got.mean == pytest.approx([13.76, 58.80, 217.92], abs=0.005)
    assert got.quantile(0.99).tolist() == [21, 74, 247]


@pytest.mark.parametrize(("cap", "touched"), [(64, 0.202), (55, 0.681)])
def test_published_share_of_intervals_at_the_cap(cap, touched):
    """The share of intervals that touch the cap would be off."""
    got = interval_maximum(50, "3m", licences=cap)
    assert 1 - got.cdf(cap - 1)[0] == pytest.approx(touched, abs=5e-4)
    assert got.cdf(cap)[0] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("load", [0.01, 1.0, 7.5, 30.0])
@pytest.mark.parametrize("length", ["20s", "3m", "12m", "2h"])
@pytest.mark.parametrize("cap", [None, 12])
def test_against_the_dense_exponential(load, length, cap):
    """The elimination on the contour would not be the matrix exponential it stands for."""
    got = interval_maximum(load, length, licences=cap)
    turn = 300 / as_call_length(length).total_seconds()
    for c in (1, 2, 5, 12):
        assert got.cdf(c - 1)[0] == pytest.approx(dense_below(load, turn, c, cap), abs=1e-11)


def test_many_loads_are_each_on_its_own():
    """Loads in one call would lean on each other."""
    many = interval_maximum([0.0, 3.0, 400.0], "4m")
    for k, load in enumerate((0.0, 3.0, 400.0)):
        assert many.mean[k] == pytest.approx(interval_maximum(load, "4m").mean[0], rel=1e-10)
    assert many.quantile(0.5)[0] == 0
    assert many.p.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-10)


def test_consecutive_maxima_are_correlated_as_published():
    """Intervals would be taken as independent, and limits come out too narrow (rho_1 = 0.37 and 0.58)."""
    rng = np.random.default_rng(3)
    load, hours = 20.0, 40_000
    for length, rho in ((3.0, 0.37), (6.0, 0.58)):
        starts = np.sort(rng.uniform(0, hours * 5, rng.poisson(load / length * hours * 5)))
        ends = starts + rng.exponential(length, len(starts))
        when = np.concatenate([starts, ends])
        order = np.argsort(when)
        change = np.where(np.arange(len(when)) < len(starts), 1, -1)[order]
        level = np.cumsum(change)
        slot = (when[order] // 5).astype(int)
        maxima = np.full(slot.max() + 1, -1)
        np.maximum.at(maxima, slot, level)
        first = np.searchsorted(slot, np.arange(len(maxima)))  # what was in progress as the slot began counts too
        carried = np.where(first > 0, level[np.maximum(first - 1, 0)], 0)
        m = np.maximum(maxima, carried)[50 : hours - 50].astype(float)
        assert np.corrcoef(m[:-1], m[1:])[0, 1] == pytest.approx(rho, abs=0.015)
        assert m.mean() == pytest.approx(interval_maximum(load, f"{length}m").mean[0], abs=0.06)
        blocks = m[: len(m) // 100 * 100].reshape(-1, 100).mean(axis=1)
        want = variance_inflation(np.array([load]), 5 / length)[0]
        assert blocks.var() * 100 / m.var() == pytest.approx(want, rel=0.15)


def test_lower_tail_of_poisson_where_it_underflows():
    """Loads far above the cap would give NaN in the likelihood."""
    assert log_poisson_cdf(10, np.array([5000.0]))[0] == pytest.approx(
        poisson.logpmf(10, 5000) + np.log(1 / (1 - 10 / 5000)), rel=1e-6
    )
    assert log_poisson_cdf(10, np.array([12.0]))[0] == pytest.approx(poisson.logcdf(10, 12), rel=1e-12)


@pytest.mark.parametrize("text", ["3m", "180s", "3min", "0h3m", dt.timedelta(minutes=3), pd.Timedelta(minutes=3)])
def test_call_lengths_read(text):
    """A length of a call would be read in another unit."""
    assert as_call_length(text).total_seconds() == 180


@pytest.mark.parametrize("wrong", ["180", "3.0", 180, None, "", "-3m", "0s", "3 apples", "2 days", pd.NaT])
def test_call_lengths_refused(wrong):
    """A number without a unit would be taken as nanoseconds."""
    with pytest.raises(ConfigError):
        as_call_length(wrong)


def test_what_other_call_lengths_do_to_the_mean():
    """The notes would name the wrong side: calls of equal length make the maximum larger, as a simulation says."""
    rng, load, length, intervals = np.random.default_rng(1), 50.0, 180.0, 8_000
    count = rng.poisson(load / length * (intervals * 300 + 7_200))
    start = rng.random(count) * (intervals * 300 + 7_200) - 7_200  # two hours to fill up
    seen = {}
    for name, lengths in (("equal", np.full(count, length)), ("exponential", rng.exponential(length, count))):
        times = np.concatenate([start, start + lengths])
        order = np.argsort(times)
        level = np.cumsum(np.repeat([1, -1], count)[order])
        place = (times[order] // 300).astype(int)
        inside = (place >= 0) & (place < intervals)
        highest = np.zeros(intervals)
        np.maximum.at(highest, place[inside], level[inside])
        seen[name] = highest.mean()
    assert seen["exponential"] == pytest.approx(interval_maximum(load, "3m").mean[0], abs=0.35)
    assert seen["equal"] - seen["exponential"] == pytest.approx(0.8, abs=0.3)
