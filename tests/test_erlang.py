"""Erlang B and its inverses against published tables, the defining sum in exact arithmetic, and each other."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from capacity.errors import ConfigError
from capacity.stats.erlang import channels_for, erlang_b, load_for


def exact(channels: int, load: Fraction) -> Fraction:
    """Erlang's recursion in whole fractions: no rounding at all."""
    b = Fraction(1)
    for n in range(1, channels + 1):
        b = load * b / (n + load * b)
    return b


@pytest.mark.parametrize(
    ("channels", "load", "published"),
    [(10, 5, 0.0183846), (15, 10, 0.0364970), (2, 1, 0.2), (3, 2, 4 / 19), (100, 90, 0.0269574)],
)
def test_published_blocking(channels, load, published):
    """The formula would not be Erlang's."""
    assert erlang_b(channels, load) == pytest.approx(published, abs=1e-7)


@pytest.mark.parametrize(
    ("channels", "load"), [(10, 4.4612), (30, 20.3373), (50, 37.9014), (100, 84.0642), (200, 179.738)]
)
def test_published_load_at_one_per_cent(channels, load):
    """Loads would not be those of the printed tables."""
    assert load_for(channels, 0.01) == pytest.approx(load, rel=1.2e-5)


@pytest.mark.parametrize("channels", [1, 7, 10, 11, 60, 300])
@pytest.mark.parametrize(
    "share", [Fraction(1, 1000), Fraction(1, 2), Fraction(99, 100), Fraction(1), Fraction(3, 2), Fraction(900)]
)
def test_against_exact_fractions(channels, share):
    """Digits would be lost between few and many channels, or far from the load."""
    load = share * channels
    want = exact(channels, load)
    if want > Fraction(1, 10**280):
        assert erlang_b(channels, float(load)) == pytest.approx(float(want), rel=2e-12)


def test_many_pairs_are_what_each_is_alone():
    """An array, in which few channels go another way than many, would be answered in another order or precision."""
    rng = np.random.default_rng(4)
    channels = np.where(rng.random(5_000) < 0.9, rng.integers(0, 140, 5_000), rng.uniform(0, 140, 5_000))
    load = np.where(rng.random(5_000) < 0.05, 0.0, channels * rng.uniform(0.0, 3.0, 5_000))
    together = erlang_b(channels.reshape(50, 100), load.reshape(50, 100)).ravel()
    alone = [erlang_b(n, a) for n, a in zip(channels, load, strict=True)]
    assert together == pytest.approx(alone, rel=2e-12, abs=1e-290)
    for n in (1, 42, 100):
        want = float(exact(n, Fraction(30)))
        assert erlang_b(np.full(2_000, n), 30.0) == pytest.approx(np.full(2_000, want), rel=1e-14)
        assert np.isfinite(erlang_b(np.full(2_000, n), 1e-300)).all()
        assert erlang_b(np.full(2_000, n), 1e300) == pytest.approx(np.ones(2_000))


@pytest.mark.parametrize("peakedness", [1.0, 0.5, 1.7, 4.0])
def test_the_fewest_channels_for_many_loads_at_once(peakedness):
    """A root near a whole number would be rounded to the wrong side of it."""
    rng = np.random.default_rng(6)
    load, blocking = 10 ** rng.uniform(-2, 4, 20_000), 10 ** rng.uniform(-6, -0.01, 20_000)
    n = channels_for(load, blocking, peakedness=peakedness)
    assert (erlang_b(n, load, peakedness=peakedness) <= blocking * (1 + 1e-12)).all()
    fewer = erlang_b(np.maximum(n - 1, 0), load, peakedness=peakedness)
    assert ((fewer > blocking) | (n == 0)).all()


def test_a_hundred_thousand_channels():
    """Large numbers of channels would overflow or drift from the recursion."""
    load, b = 99_000.0, 1.0
    for n in range(1, 100_001):
        b = load * b / (n + load * b)
    assert erlang_b(100_000, load) == pytest.approx(b, rel=1e-10)
    assert erlang_b(100_000, 1e9) == pytest.approx(1 - 1e-4, rel=1e-9)
    assert erlang_b(100_000, 1.0) == 0.0


@pytest.mark.parametrize(("n", "a"), [(2.5, 1.7), (0.3, 4.0), (40.25, 35.0)])
def test_real_channels_are_jagermans_integral(n, a):
    """Between whole channels the formula would not be the continuation that Hayward's method needs."""
    integral, _ = integrate.quad(lambda t: a * np.exp(-a * t) * (1 + t) ** n, 0, np.inf)
    assert erlang_b(n, a) == pytest.approx(1 / integral, rel=1e-7)


def test_peakedness_divides_both():
    """Hayward's approximation would scale only one of channels and load."""
    assert erlang_b(30, 20, peakedness=2.0) == pytest.approx(float(exact(15, Fraction(10))), rel=1e-12)
    assert load_for(30, erlang_b(30, 20, peakedness=2.0), peakedness=2.0) == pytest.approx(20, rel=1e-9)
    n = channels_for(40.0, 0.01, peakedness=1.7)
    assert erlang_b(n, 40.0, peakedness=1.7) <= 0.01 < erlang_b(n - 1, 40.0, peakedness=1.7)


@given(load=st.floats(1e-3, 2e4), blocking=st.floats(1e-9, 0.99))
@settings(deadline=None, max_examples=100)
def test_channels_are_the_fewest(load, blocking):
    """One channel fewer would do, or one more would be needed."""
    n = channels_for(load, blocking)
    assert erlang_b(n, load) <= blocking
    assert erlang_b(n - 1, load) > blocking


@given(channels=st.floats(0.1, 1e5), blocking=st.floats(1e-9, 0.999))
@settings(deadline=None, max_examples=100)
def test_load_is_the_inverse(channels, blocking):
    """The load found would not lose the share asked for."""
    assert erlang_b(channels, load_for(channels, blocking)) == pytest.approx(blocking, rel=1e-8)


def test_edges():
    """Nobody calling, no channel, or everything lost would be an error or NaN."""
    assert erlang_b(0, 5) == 1.0
    assert erlang_b(5, 0) == 0.0
    assert channels_for(0, 0.01) == 0
    assert channels_for(1e-9, 0.5) == 1
    assert channels_for(5, 1) == 0
    assert load_for(0, 0.1) == 0.0
    assert erlang_b([], []).shape == (0,)
    assert erlang_b(np.arange(3)[:, None], np.ones(4)).shape == (3, 4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: erlang_b(-1, 2),
        lambda: erlang_b(2, np.nan),
        lambda: erlang_b("many", 2),
        lambda: erlang_b([1, 2], [1, 2, 3]),
        lambda: erlang_b(2, 2, peakedness=0),
        lambda: channels_for(10, 0),
        lambda: channels_for(10, 1.5),
        lambda: load_for(10, 1),
    ],
)
def test_values_out_of_range_are_named(call):
    """A wrong argument would come back as NaN."""
    with pytest.raises(ConfigError):
        call()
