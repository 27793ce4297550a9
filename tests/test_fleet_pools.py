"""Pools: the demand on shared licences, exact from records and between bounds from maxima, and what-ifs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import capacity as cap
from capacity.fleet.shared import bounded, exact

from .fleet_stores import levels, make_store

MINUTES = 60
START = pd.Timestamp("2026-07-01T09:00Z")


def at(minutes) -> pd.DatetimeIndex:
    """Return instants so many minutes after the start."""
    return pd.DatetimeIndex([START + pd.Timedelta(minutes=int(m)) for m in minutes])


def counted(calls: list[tuple[int, int]]) -> np.ndarray:
    """Return how many calls are in progress in each minute, by looking at every minute."""
    return np.array([sum(a <= m < b for a, b in calls) for m in range(MINUTES)])


spans = st.tuples(st.integers(1, MINUTES - 2), st.integers(0, 25)).map(lambda c: (c[0], min(c[0] + c[1], MINUTES - 1)))


@given(
    st.lists(st.lists(spans, max_size=8), min_size=1, max_size=3), st.lists(st.integers(0, 3), min_size=3, max_size=3)
)
def test_shared_demand_is_exact_from_records_and_within_bounds_from_maxima(members, own):
    """A pool would be told to hold what it does not, or a guarantee to help where it does not."""
    whole = [[(0, MINUTES), *calls] for calls in members]  # each is recorded for the whole hour
    guaranteed = {str(k): own[k] for k in range(len(members))}
    records = {
        str(k): pd.DataFrame({"start": at([a for a, _ in calls]), "end": at([b for _, b in calls])})
        for k, calls in enumerate(whole)
    }
    beyond = sum(np.maximum(counted(calls) - own[k], 0) for k, calls in enumerate(whole))
    truth = beyond.reshape(-1, 5).max(axis=1)
    found = cap.total(exact({name: cap.Calls(one) for name, one in records.items()}, guaranteed))[
        "max_concurrent"
    ].to_numpy()
    assert found.tolist() == truth.tolist()
    frames = {name: cap.intervals_from_calls(calls, by=None) for name, calls in records.items()}
    low, high = (frame["max_concurrent"].to_numpy() for frame in bounded(frames, guaranteed))
    assert (low <= truth).all()
    assert (truth <= high).all()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A plan of two pools: three projects on 130 licences; two on licences of their own, which add up."""
    folder = tmp_path_factory.mktemp("pools")
    rows = [("a", 130, "east"), ("b", 130, "east"), ("c", 130, "east"), ("d", 40, "west"), ("e", 50, "west")]
    for k, (name, _, _) in enumerate(rows):
        make_store(folder / name, levels(100, k, 40))
    table = pd.DataFrame(rows, columns=["project", "licences", "pool"]).assign(tz="UTC")
    return table.assign(store=[str(folder / name) for name in table["project"]])


@pytest.fixture(scope="module")
def fleet(shared):
    """The fleet of that plan."""
    return cap.assess_fleet(shared, horizon=90, workers=1)


def test_pools_of_a_plan(fleet, shared):
    """Licences that are shared would be judged project by project, or counted several times."""
    pooled = fleet.pooled
    assert pooled["licences"].to_dict() == {"east": 130, "west": 90}
    assert pooled["projects"].to_dict() == {"east": 3, "west": 2}
    assert set(pooled["method"]) == {"bounds"}
    totals = [cap.total(cap.read_intervals(store))["max_concurrent"] for store in shared["store"][:3]]
    assert pooled.loc["east", "peak_lower"] == max(int(t.max()) for t in totals)
    assert pooled.loc["east", "peak_upper"] == int(np.sum([t.to_numpy() for t in totals], axis=0).max())
    assert (pooled["p_above_90_lower"] <= pooled["p_above_90_upper"]).all()
    saved = fleet.diversity
    assert saved.loc["east", "peaks_alone"] == fleet.table.loc[["a", "b", "c"], "peak"].sum()
    assert (saved["saved_lower"] <= saved["saved_upper"]).all()
    assert "east (130 licences)" in str(fleet)


def test_what_ifs(fleet):
    """The answer to a guarantee, a split or a merger would not be that of the pool it makes."""
    upper = fleet.pooled["p_above_90_upper"]
    held = fleet.guarantee("east", {"a": 60}).table.loc["east"]
    assert held["guaranteed"] == 60
    assert held["p_above_90_upper"] >= upper["east"]  # others cannot use what the guaranteed project leaves idle
    assert held["needed_05_lower"] >= 60
    none = fleet.guarantee("east", {"a": 0}).table.loc["east"]
    assert none.drop("reason").equals(fleet.pooled.loc["east"].drop("reason"))
    split = fleet.split("east", {"a": 50}).table
    assert split["licences"].to_dict() == {"a": 50, "east, the rest": 80}
    assert split.loc["a", "p_above_90_lower"] == split.loc["a", "p_above_90_upper"]
    merged = fleet.merge("east", "west")
    assert merged.table["licences"].tolist() == [220]
    low, high = merged.any_exceeded
    assert 0 <= low <= high <= 1
    with pytest.raises(cap.errors.ConfigError, match="the plan has 'east', 'west'"):
        fleet.merge("north", "west")


def test_a_pool_that_lacks_a_project_has_no_verdict(shared):
    """A pool would look safe because one of its projects could not be read."""
    broken = shared.copy()
    broken.loc[0, "store"] = "gone"
    typo = broken.assign(licences=broken["licences"].astype("object"))
    typo.loc[4, "licences"] = "fifty"
    pooled = cap.assess_fleet(typo, horizon=30, workers=1).pooled
    assert "gone" in pooled.loc["east", "reason"]
    assert "'e' cannot be read" in pooled.loc["west", "reason"]
    assert pooled["p_above_30_upper"].isna().all()


def test_pools_of_variants_and_of_records():
    """What is known exactly would be given as bounds, or bounds as exact."""
    calls = cap.simulate_calls("2026-01-05", days=70, scale=0.05, seed=1)
    groups = dict(tuple(calls.groupby("variant", observed=True)))
    names = sorted(groups)
    pools = [cap.Pool("all", 30, names), cap.Pool("two", 20, names[:2])]
    frame = cap.intervals_from_calls(calls)
    by_frame = cap.assess_pools(frame, pools, tz="Europe/London", horizon=30).table
    by_records = cap.assess_pools(groups, pools, tz="Europe/London", horizon=30).table
    assert by_frame["method"].tolist() == ["exact", "bounds"]
    assert by_records["method"].tolist() == ["exact", "exact"]
    peak = cap.total(frame)["max_concurrent"].max()
    assert by_frame.loc["all", "peak_lower"] == by_records.loc["all", "peak_upper"] == peak
    two = by_records.loc["two", "peak_lower"]
    assert by_frame.loc["two", "peak_lower"] <= two <= by_frame.loc["two", "peak_upper"]


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        ({"members": []}, "at least one member"),
        ({"members": ["a", "a"]}, "each once"),
        ({"guaranteed": {"z": 3}}, "'z' has a guarantee and is no member"),
        ({"guaranteed": {"a": 60, "b": 60}}, "120 licences are guaranteed, and it has 100"),
        ({"licences": "many"}, "'many' is no count"),
    ],
)
def test_a_pool_that_makes_no_sense_is_refused(pool, words):
    """A what-if would be answered that nobody can have meant."""
    with pytest.raises(cap.errors.ConfigError, match=words):
        cap.Pool(**({"name": "east", "licences": 100, "members": ["a", "b"]} | pool))
