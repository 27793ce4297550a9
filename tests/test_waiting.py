"""Agents who are waited for: published tables, and the stationary queue worked out state by state."""

import numpy as np
import pytest
from scipy import integrate

import capacity as cap
from capacity.errors import ConfigError


@pytest.mark.parametrize(("agents", "waits"), [(11, 0.6821), (12, 0.4494), (13, 0.2853), (14, 0.1741), (15, 0.1020)])
def test_erlang_c_of_ten_erlang(agents, waits):
    """The table that every handbook prints for 200 calls an hour of three minutes would not come out."""
    assert cap.erlang_c(agents, 10) == pytest.approx(waits, abs=6e-5)


def test_service_levels_of_the_same_handbook():
    """200 calls an hour of three minutes: 14 agents answer 88.8% within 20 seconds, 13 no more than 79.6%."""
    levels = cap.service_level([13, 14], 10, within="20s", mean_call_length="3m")
    assert levels == pytest.approx([0.7956, 0.8884], abs=6e-5)
    assert cap.agents_for(10, mean_call_length="3m") == 14
    assert cap.service_level(10, 10, mean_call_length="3m") == 0
    assert cap.erlang_c(5, 10) == 1


def test_the_example_of_mandelbaum_and_zeltyn():
    """48 calls a minute of one minute, 50 agents, patience of two minutes: 3.1% give up; nine in ten wait < 12.5 s."""
    how = {"mean_call_length": "1m", "patience": "2m"}
    assert cap.erlang_a(50, 48, **how) == pytest.approx(0.031, abs=5e-4)
    # Little: mean queue = load x share that gives up x patience: 48 x 0.031 x 2 = 3.0; wait = 3.0 / 48 min = 3.7 s.
    assert 60 * cap.erlang_a(50, 48, **how) * 2 == pytest.approx(3.7, abs=0.05)


def queue(agents, load, ratio, states=3000):
    """Return the stationary law of the queue by its balance equations: the shares that wait, and that give up."""
    k = np.arange(1, states)
    leave = np.minimum(k, agents) + np.maximum(k - agents, 0) / ratio
    log_p = np.r_[0, np.cumsum(np.log(load) - np.log(leave))]
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    n = np.arange(states)
    return p[n >= agents].sum(), (p * np.maximum(n - agents, 0)).sum() / ratio / load, p


@pytest.mark.parametrize(
    ("agents", "load", "ratio"),
    [(50, 48, 2.0), (10, 30, 0.5), (10, 3, 4.0), (200, 150, 1.0), (1, 0.5, 1.0), (30, 30, 10)],
)
def test_erlang_a_is_the_balance_of_its_states(agents, load, ratio):
    """The closed form would leave the law of the queue, on either side of a full house."""
    waits, gives_up, _ = queue(agents, load, ratio)
    minutes = {"mean_call_length": "4m", "patience": f"{round(240 * ratio)}s"}
    assert cap.erlang_a(agents, load, **minutes) == pytest.approx(gives_up, rel=1e-8)
    all_day = cap.service_level(agents, load, within="20h", **minutes)
    assert all_day == pytest.approx(1 - gives_up, rel=1e-8)
    at_once = cap.service_level(agents, load, within="1ms", **minutes)
    assert at_once == pytest.approx(1 - waits, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("n", "load", "ratio", "time"), [(8, 8.5, 1.5, 0.2), (60, 50, 0.4, 0.05), (5, 20, 3.0, 1.0)])
def test_answered_in_time_is_the_integral_over_waits(n, load, ratio, time):
    """The share answered within a time would not be that of the waiting time's density (Zeltyn's integrals)."""

    def density(u):
        return load * np.exp(load * ratio * (1 - np.exp(-u / ratio)) - n * u)

    whole = integrate.quad(density, 0, 80 * ratio, limit=800, points=[ratio])[0]
    idle = 1 / cap.erlang_b(n - 1, load)
    soon = integrate.quad(lambda u: density(u) * np.exp(-u / ratio), 0, time)[0]
    level = cap.service_level(n, load, within=f"{60 * time:g}s", mean_call_length="1m", patience=f"{60 * ratio:g}s")
    assert level == pytest.approx((idle + soon) / (idle + whole), rel=1e-6)


def test_agents_for_a_target_is_the_fewest():
    """One agent fewer would still be enough, or the number found not be."""
    loads = np.array([0.0, 0.3, 5, 60, 400])
    for patience in (None, "2m"):
        how = {"within": "30s", "mean_call_length": "5m", "patience": patience}
        agents = cap.agents_for(loads, target=0.9, **how)
        assert agents[0] == 0
        assert (cap.service_level(agents, loads, **how) >= 0.9).all()
        assert (cap.service_level(agents[1:] - 1, loads[1:], **how) < 0.9).all()
    assert (
        cap.agents_for(loads, mean_call_length="5m", patience="1m") <= cap.agents_for(loads, mean_call_length="5m")
    ).all()


def test_staffing_says_the_channels():
    """Lines for those who wait would be forgotten beside the agents."""
    table = cap.staffing([10, 40], mean_call_length="3m", patience="1m")
    for load, row in table.iterrows():
        _, gives_up, p = queue(int(row["agents"]), load, 1 / 3)
        assert row["gives_up"] == pytest.approx(gives_up, rel=1e-6)
        channels = int(row["channels"])
        assert p[channels:].sum() <= 0.001 < p[channels - 1 :].sum()
        assert row["occupancy"] == pytest.approx(load * (1 - gives_up) / row["agents"])
    assert (table["channels"] > table["agents"]).all()


def test_what_cannot_be_read_is_refused():
    """A wrong number would be taken for a staffing plan."""
    with pytest.raises(ConfigError, match="load=-1"):
        cap.erlang_c(3, -1)
    with pytest.raises(ConfigError, match="target=1"):
        cap.agents_for(3, target=1, mean_call_length="3m")
    with pytest.raises(ConfigError, match="patience='2'"):
        cap.erlang_a(3, 2, mean_call_length="3m", patience="2")
    with pytest.raises(ConfigError, match="within="):
        cap.service_level(3, 2, within="soon", mean_call_length="3m")
    with pytest.raises(ConfigError, match="shapes"):
        cap.erlang_c([1, 2], [1, 2, 3])
