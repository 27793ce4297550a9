"""Pools: the demand on shared licences, exact from records and between bounds from maxima, and what-ifs."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import capacity as cap
from capacity.calls import emulator
from capacity.fleet.pool import pools_table
from capacity.fleet.shared import bounded, exact
from capacity.fleet.table import failed_row

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


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A plan of two projects whose call records were fetched over HTTP; and the calls as they were served."""
    folder = tmp_path_factory.mktemp("recorded")
    calls = {}
    for k, project in enumerate(("P1", "P2")):
        calls[project] = cap.simulate_calls("2026-01-05", days=63, tz="UTC", scale=0.04, seed=k)
        with (
            emulator.serve(calls[project], account="A", project=project, key="the-key", calls_key="the-key") as server,
            cap.Client("A", project, api_key="the-key", base_url=server.url) as client,
        ):
            cap.fetch_calls(client, "2026-01-05", "2026-03-09", tz="UTC", store=folder / project, progress=False)
    plan = pd.DataFrame({"project": list(calls), "licences": [13, 13], "tz": "UTC", "pool": "east"})
    served = {name: one[one["env"] == "live"] for name, one in calls.items()}
    return plan.assign(store=[str(folder / p) for p in calls]), served


def test_a_pool_of_fetched_records_is_exact(recorded, tmp_path):
    """Records that were fetched would be taken for maxima, or the pool not be the calls of both at the same instant."""
    plan, calls = recorded
    found = cap.assess_fleet(plan, horizon=30, workers=1, out=tmp_path)
    assert list(found.failed.index) == []  # a store of records alone is enough
    span = {"start": "2026-01-05T00:00Z", "end": "2026-03-09T00:00Z"}
    for project, own in calls.items():
        assert (
            found.table.loc[project, "peak"] == cap.intervals_from_calls(own, by=None, **span)["max_concurrent"].max()
        )
    both = cap.intervals_from_calls(pd.concat(list(calls.values())), by=None, **span)
    alone = cap.assess(both, 13, tz="UTC", horizon=30, seed=1, backtest=False)
    row = found.pooled.loc["east"]
    assert row["method"] == "exact"
    for side in ("lower", "upper"):
        assert row[f"peak_{side}"] == both["max_concurrent"].max()
        assert row[f"p_above_30_{side}"] == alone.headroom.p_above.iloc[29]
        assert row[f"needed_05_{side}"] == alone.needed.loc[0.05, 30]
    held = found.guarantee("east", {"P1": 3}).table.loc["east"]
    assert held["peak_lower"] == held["peak_upper"] <= row["peak_upper"]
    assert found.split("east", {"P1": 6}).table["method"].tolist() == ["exact", "exact"]
    saved = found.diversity.loc["east"]
    assert saved["saved_lower"] == saved["saved_upper"] == saved["needed_alone"] - row["needed_05_upper"]


def test_new_records_are_assessed_again(recorded, tmp_path):
    """A row made of call records would stand though the records have changed."""
    plan, _ = recorded
    store = tmp_path / "P1"
    shutil.copytree(plan["store"][0], store)
    own = plan[:1].assign(store=str(store), pool="")
    first = cap.assess_fleet(own, horizon=30, workers=1, out=tmp_path / "out").table.loc["P1"]
    for path in sorted(store.rglob("2026-03-0*.parquet")):
        path.unlink()
    again = cap.assess_fleet(own, horizon=30, workers=1, out=tmp_path / "out").table.loc["P1"]
    assert again["data_end"] < first["data_end"]


def test_of_a_pool_without_a_verdict_nothing_is_known():
    """The chance that some pool is exceeded would leave out the pool that could not be forecast."""
    rows = {"east": failed_row("", "x"), "west": {"p_above_30_lower": 0.2, "p_above_30_upper": 0.3, "reason": ""}}
    assert cap.Pools(pools_table(rows), 30).any_exceeded == (0.2, 1.0)
    assert cap.Pools(pools_table({"west": rows["west"]}), 30).any_exceeded == (0.2, 0.3)
    assert cap.Pools(pools_table({"east": rows["east"]}), 30).any_exceeded == (0.0, 1.0)
