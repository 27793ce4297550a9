"""A fleet: the same table however it is run, a reason for each failure, and parts that are used again where equal."""

from __future__ import annotations

import functools
import multiprocessing
import os
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.fleet import task
from capacity.fleet.workers import WorkersOfThisMachine

from .fleet_stores import levels, make_plan, make_store


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Path:
    """Six projects in stores of their own, in a folder that no test changes."""
    return make_plan(tmp_path_factory.mktemp("fleet"), 6)


@pytest.fixture(scope="module")
def bare(plan) -> cap.Fleet:
    """The fleet as it is without any other process."""
    return cap.assess_fleet(plan, horizon=90, workers=1)


def equal(a: cap.Fleet, b: cap.Fleet) -> bool:
    """Return whether two fleets hold the same figures."""
    return a.table.equals(b.table) and a.peaks.equals(b.peaks)


def test_a_row_is_what_assess_says(plan, bare):
    """The table would say something else than the project's own report."""
    frame = cap.read_intervals(plan.parent / "store-3")
    alone = cap.assess(frame, 50, tz="UTC", horizon=90, seed=1, backtest=False)
    row = bare.table.loc["p3"]
    assert (row["peak"], row["licences"], row["days"]) == (alone.peak[0], 50, 120)
    assert (row["p_above_30"], row["p_above_90"]) == (alone.headroom.p_above.iloc[29], alone.headroom.p_above.iloc[89])
    assert row["needed_05"] == alone.needed.loc[0.05, 90]
    assert pd.isna(row["p_above_365"])
    assert row["confidence"] == "untested"
    assert bare.peaks["p3"].tolist() == alone.peaks["peak"].tolist()
    assert bare.assessment("p3").sentence() == alone.sentence()


def test_a_tariff_and_a_lead_time_are_for_every_project_without_prices(plan):
    """A row would have no cost, that of another project's own prices, or a day to order that its report has not."""
    told = pd.read_csv(plan, dtype=str).tail(3)
    told["store"] = [str(plan.parent / name) for name in told["store"]]
    told["mean_call_length"] = ["3m", "3m", ""]
    told["licence_price"], told["lost_call_cost"] = ["", "700", ""], ["", "3", ""]
    tariff = cap.Tariff(licence_price=300, lot=10, lost_call_cost=2)
    fleet = cap.assess_fleet(told, horizon=90, workers=1, tariff=tariff, lead_time="3w")
    own = [tariff, cap.Tariff(licence_price=700, lost_call_cost=3)]
    for name, store, rates in zip(told["project"], told["store"], own, strict=False):
        held = int(told.set_index("project").loc[name, "licences"])
        alone = cap.assess(
            cap.read_intervals(store), held, tz="UTC", horizon=90, seed=1, backtest=False,
            mean_call_length="3m", tariff=rates, lead_time=21,
        )  # fmt: skip
        row = fleet.table.loc[name]
        assert (row["best_licences"], row["best_cost"]) == (alone.cost.best, alone.cost.table["total"].min())
        highest = alone.forecast.series().max(axis=1)
        allowed = np.mean(highest > np.sort(highest)[len(highest) - 1 - len(highest) // 20])  # at most 5%
        first = next(day for day, risk in alone.headroom.p_above.items() if risk > allowed)
        assert row["order_by"] == first - pd.Timedelta("21D")
    assert pd.isna(fleet.table.loc[told["project"].iloc[2], "best_cost"])


def test_the_schema_is_what_comes(bare):
    """A reader of the schema would look for a column that is not there, or that holds something else."""
    assert list(bare.table.columns) == list(cap.FLEET_SCHEMA)
    failed = cap.assess_fleet(
        pd.DataFrame({"project": ["x"], "store": ["none"], "licences": [1], "tz": ["UTC"]}), workers=1
    )
    for table in (bare.table, failed.table):
        for name, kind in cap.FLEET_SCHEMA.items():
            assert str(table[name].dtype) in ({"str", "object"} if kind == "str" else {kind}), name


def test_the_riskiest_comes_first(bare):
    """Who has to act would have to look for it."""
    risk = bare.table["p_above_90"]
    assert risk.is_monotonic_decreasing
    assert risk.iloc[0] > risk.iloc[-1]
    assert f"highest {risk.index[0]}" in bare.sentence()


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_table_through_any_executor(plan, bare, workers):
    """A result would depend on who did the work, or on how many."""
    with ThreadPoolExecutor(workers) as pool:
        assert equal(cap.assess_fleet(plan, horizon=90, executor=pool, workers=workers), bare)


def test_a_killed_worker_costs_nothing(plan, bare):
    """A worker that the system ends would end the run, or lose projects; and in a script without a main guard."""
    killed = []

    def kill(_what: str, _done: int, _of: int) -> None:
        if not killed:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    fleet = cap.assess_fleet(plan, horizon=90, workers=2, progress=kill)
    assert killed
    assert equal(fleet, bare)


def deadly(batch, *args):
    """Do the work, but end the worker where a project is deadly."""
    if any(row.project == "p2" for row in batch):
        os.kill(os.getpid(), signal.SIGKILL)
    return task.work(batch, *args)


class _Deadly(WorkersOfThisMachine):
    def submit(self, fn, /, *args):
        return super().submit(deadly, *args)


def test_a_project_that_ends_its_worker_is_a_row(plan, bare, monkeypatch):
    """One project that runs out of memory would take the others with it."""
    module = sys.modules[__name__]
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent))
    monkeypatch.setattr(deadly, "__module__", "tests.test_fleet_run")
    monkeypatch.setitem(sys.modules, "tests.test_fleet_run", module)
    pool = _Deadly(2)
    fleet = cap.assess_fleet(plan, horizon=90, executor=pool, workers=2)
    pool.close()
    assert list(fleet.failed.index) == ["p2"]
    assert "killed, or ran out of memory" in fleet.failed["p2"]
    others = bare.table.drop("p2")
    assert fleet.table.drop("p2").equals(others)


def test_failures_are_rows(plan, tmp_path, bare):
    """A store that is damaged, empty or gone would stop the run, or look like a project without risk."""
    shutil.copytree(plan.parent / "store-0", tmp_path / "damaged")
    file = sorted((tmp_path / "damaged").rglob("*.parquet"))[3]
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    file.write_bytes(raw)
    make_store(tmp_path / "short", levels(20, 1))
    (tmp_path / "empty").mkdir()
    rows = [("p0", plan.parent / "store-0"), *((n, tmp_path / n) for n in ("damaged", "short", "empty", "gone"))]
    table = pd.DataFrame(
        {"project": [n for n, _ in rows], "store": [str(s) for _, s in rows], "licences": 50, "tz": "UTC"}
    )
    typo = pd.DataFrame({"project": ["typo"], "store": ["x"], "licences": ["fifty"], "tz": ["UTC"]})
    table = pd.concat([table.astype({"licences": "object"}), typo])
    fleet = cap.assess_fleet(table, horizon=90, workers=1)
    assert fleet.table.loc["p0"].equals(bare.table.loc["p0"])
    words = {
        "damaged": file.name,
        "short": "56 days",
        "empty": "holds nothing",
        "gone": "does not exist",
        "typo": "'fifty'",
    }
    assert set(fleet.failed.index) == set(words)
    assert all(word in fleet.failed[name] for name, word in words.items())
    assert fleet.table.loc["short", "peak"] > 0  # what was measured is told
    assert fleet.table.index[0] == "p0"
    with pytest.raises(cap.errors.ConfigError, match="'fifty'"):
        fleet.assessment("typo")


def counted(monkeypatch) -> list[str]:
    """Note which projects are assessed, not taken from a part."""
    seen: list[str] = []

    def assessed(row, settings, **how):
        seen.append(row.project)
        return real(row, settings, **how)

    real = task.assessed
    monkeypatch.setattr(task, "assessed", assessed)
    return seen


def test_parts_are_used_again_only_where_all_is_equal(plan, tmp_path, monkeypatch):
    """A second run would do all again, or show what is no longer so."""
    for k in range(4):
        shutil.copytree(plan.parent / f"store-{k}", tmp_path / f"store-{k}")
    lines = plan.read_text().splitlines()[:5]
    own = tmp_path / "plan.csv"
    own.write_text("\n".join(lines))
    seen = counted(monkeypatch)
    run = functools.partial(cap.assess_fleet, own, workers=1, out=tmp_path / "out")
    first = run(horizon=90)
    assert (sorted(seen), len(first.changes)) == (["p0", "p1", "p2", "p3"], 0)
    seen.clear()
    again = run(horizon=90)
    assert (seen, len(again.changes)) == ([], 0)
    assert equal(again, first)

    make_store(tmp_path / "store-1", levels(7, 5, 90), start="2025-05-05")
    own.write_text("\n".join([*lines[:3], lines[3].replace(",50,", ",20,"), lines[4]]))
    parts = {pd.read_parquet(p)["project"].iloc[0]: p for p in (tmp_path / "out" / "parts").glob("*.parquet")}
    parts["p0"].write_bytes(b"damaged")
    third = run(horizon=90)
    assert sorted(seen) == ["p0", "p1", "p2"]  # the damaged part, the new data, the new licences
    assert third.changes["change"].to_dict() == {"p2": "licences", "p1": "chance"}
    assert third.changes.loc["p2", ["licences_before", "licences"]].tolist() == [50, 20]
    seen.clear()
    run(horizon=60)
    assert len(seen) == 4
    written = pd.read_parquet(tmp_path / "out" / "fleet.parquet")
    assert list(written.columns) == ["project", *cap.FLEET_SCHEMA]


def test_ctrl_c_leaves_what_is_done(plan, tmp_path, monkeypatch):
    """An interrupted run would begin again at nothing."""

    def stop(_what: str, done: int, _of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    seen = counted(monkeypatch)
    with pytest.raises(KeyboardInterrupt) as caught:
        cap.assess_fleet(plan, horizon=90, workers=1, out=tmp_path, progress=stop)
    assert "2 of 6 projects are done" in caught.value.__notes__[0]
    assert len(seen) == 2
    cap.assess_fleet(plan, horizon=90, workers=1, out=tmp_path)
    assert sorted(seen) == [f"p{k}" for k in range(6)]


def test_one_store_of_several_projects(tmp_path):
    """The label would not select, or a store of one project would have to bear the label's name."""
    for k in range(2):
        make_store(tmp_path, levels(70, k, 20 + 30 * k), project=f"p{k}")
    table = pd.DataFrame({"project": ["p0", "p1", "p7"], "store": str(tmp_path), "licences": 80, "tz": "UTC"})
    fleet = cap.assess_fleet(table, horizon=30, workers=1)
    assert fleet.table.loc["p0", "peak"] == cap.read_intervals(tmp_path, project="p0")["max_concurrent"].max()
    assert fleet.table.loc["p1", "peak"] == cap.read_intervals(tmp_path, project="p1")["max_concurrent"].max()
    assert "p7" in fleet.failed.index


def test_events_of_a_row_are_in_its_chances(plan, tmp_path, bare):
    """A plan would name a launch, and the chances be those without it."""
    (tmp_path / "events.toml").write_text(
        '[[event]]\nname = "Launch"\ndate = 2025-05-20\ncalls = 100\nreason = "signed"\n'
    )
    row = {"project": ["p0"], "store": [str(plan.parent / "store-0")], "licences": [50], "tz": ["UTC"]}
    with_launch = pd.DataFrame(row | {"events": [str(tmp_path / "events.toml")]})
    found = cap.assess_fleet(with_launch, horizon=90, workers=1, out=tmp_path / "out").table.loc["p0"]
    assert bare.table.loc["p0", "p_above_90"] < 0.2
    assert found["p_above_90"] > 0.95
    assert found["needed_05"] >= bare.table.loc["p0", "needed_05"] + 90
    (tmp_path / "events.toml").write_text("")
    again = cap.assess_fleet(with_launch, horizon=90, workers=1, out=tmp_path / "out").table.loc["p0"]
    assert again["p_above_90"] == bare.table.loc["p0", "p_above_90"]  # the file's contents count, not its name


def test_where_results_cannot_be_kept_nothing_is_assessed(plan, tmp_path, monkeypatch):
    """Minutes of work would be thrown away at the first part, a bucket become a folder, or two runs lose parts."""
    seen = counted(monkeypatch)
    (tmp_path / "file").write_text("x")
    for out, words in (
        (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "below", "cannot be written"),
        ("s3://bucket/out", "results are kept in a folder"),
    ):
        with pytest.raises(cap.errors.CapacityError, match=words):
            cap.assess_fleet(plan, horizon=30, workers=1, out=out)
    assert seen == []

    def again(_what: str, done: int, _of: int) -> None:
        if done == 1:
            with pytest.raises(cap.errors.StoreError, match="another run is at work in"):
                cap.assess_fleet(plan, horizon=30, workers=1, out=tmp_path / "out")

    assert len(cap.assess_fleet(plan, horizon=30, workers=1, out=tmp_path / "out", progress=again).table) == 6
    assert len(seen) == 6


@pytest.mark.parametrize("names", [("a", "b"), ("(none)", "b"), ("#1", "~")])
def test_a_row_of_variants_is_what_the_report_says(tmp_path, names):
    """The row of a project with variants would differ from its own report, as it is made of the total alone."""
    make_store(tmp_path / "s", levels(150, 3, 45), by="variant", names=names)
    plan = pd.DataFrame({"project": ["p"], "store": [str(tmp_path / "s")], "licences": [45], "tz": ["UTC"]})
    fleet = cap.assess_fleet(plan, horizon=90, workers=1)
    whole, row = fleet.assessment("p"), fleet.table.loc["p"]
    assert len(whole.diversity.table) == 2
    assert [row[f"p_above_{d}"] for d in (30, 90)] == [whole.headroom.p_above.iloc[d - 1] for d in (30, 90)]
    assert [row[f"needed_{r:02.0f}"] for r in (1, 5, 10)] == whole.needed[90].loc[[0.01, 0.05, 0.10]].tolist()
    assert (row["peak"], row["peak_time"], row["data_end"]) == (*whole.peak[:2], whole.span[1])
    assert row["warnings"] == " ".join(str(n) for n in whole.notes if n.severity == "warning")
