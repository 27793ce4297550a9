"""The purchase schedule against every plan there is, on cases small enough to try them all."""

import itertools

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.errors import ConfigError
from capacity.plan.period_costs import lots
from capacity.plan.solve import Grid, solve

from .test_cost import forecast_of


def paths_of(rng, count, days, level, drift, noise):
    """Return peaks that drift apart: shape (paths, days)."""
    slope = rng.normal(drift, abs(drift) / 2 + 0.05, (count, 1))
    peaks = level + slope * np.arange(days) + noise * rng.standard_normal((count, days))
    return np.maximum(np.rint(peaks), 0).astype(int)


def every_plan(grid, most, fewest):
    """Yield every sequence of orders and returns within the rules, by walking the reviews one by one."""
    choices = range(most - fewest + 1)
    for ordered in itertools.product(choices, repeat=len(grid.orders)):
        for returned in itertools.product(choices, repeat=len(grid.returns)):
            ok = True
            for day, free in zip(grid.returns, grid.free, strict=True):
                gone = sum(n for n, at in zip(returned, grid.returns, strict=True) if at <= day)
                done = sum(n for n, at in zip(ordered, grid.orders, strict=True) if at + grid.commitment <= day)
                ok &= gone <= free + done
            held = [
                sum(n for n, at in zip(ordered, grid.orders, strict=True) if at <= p.start)
                - sum(n for n, at in zip(returned, grid.returns, strict=True) if at <= p.start)
                for p in grid.periods
            ]
            if ok and all(fewest <= n <= most for n in held):
                yield np.array(held)


@pytest.mark.parametrize("seed", range(8))
def test_no_plan_is_cheaper_with_any_costs(seed):
    """The programme would miss a plan that trying them all finds: convex costs or not, long commitments or short."""
    rng = np.random.default_rng(seed)
    cuts = [0, 3, 6, 9, 12]
    grid = Grid(
        orders=np.array([3, 6, 9]),
        returns=np.array([6, 9]),
        periods=[slice(a, b) for a, b in itertools.pairwise(cuts)],
        free=np.full(2, 1),
        commitment=int(rng.choice([0, 3, 6, 20])),
    )
    costs = rng.random((4, 4)).cumsum(axis=1) if seed % 2 else rng.random((4, 4))
    found = solve(grid, -1, costs)
    brute = min(costs[np.arange(4), held + 1].sum() for held in every_plan(grid, 2, -1))
    assert found.cost == pytest.approx(brute, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_no_plan_keeps_the_risk_for_less(seed):
    """Some plan would keep the allowed chance over the whole horizon and cost less."""
    rng = np.random.default_rng(seed)
    cuts = [0, 3, 6, 9, 12]
    grid = Grid(
        orders=np.array([3, 6, 9]),
        returns=np.array([6, 9]),
        periods=[slice(a, b) for a, b in itertools.pairwise(cuts)],
        free=np.zeros(2, dtype=int),
        commitment=3,
    )
    needs = np.column_stack([np.zeros(40, dtype=int), rng.integers(0, 4, (40, 3))])
    costs = np.arange(4)[None, :] * rng.uniform(1, 2, (4, 1))
    found = solve(grid, 0, costs, paths=needs, weights=np.full(40, 1 / 40), risk=0.2)
    brute = min(
        costs[np.arange(4), held].sum()
        for held in every_plan(grid, 3, 0)
        if (needs > held).any(axis=1).mean() <= 0.2 + 1e-9
    )
    assert found.cost == pytest.approx(brute, abs=1e-6)


@pytest.mark.parametrize("drift", [-0.2, 0.05, 0.3])
@pytest.mark.parametrize("commitment", [None, "90d"])
def test_no_constant_plan_is_cheaper(drift, commitment):
    """Buying one count today and keeping it would cost less than the schedule, or be refused in its favour."""
    rng = np.random.default_rng(1)
    forecast = forecast_of(paths_of(rng, 150, 120, 90, drift, 4.0))
    tariff = cap.Tariff(licence_price=240, lot=10, commitment=commitment, notice="30d", lost_call_cost=0.5)
    for how in ({"risk": 0.05}, {"risk": None}):
        plan = cap.purchase_schedule(forecast, tariff, lead_time=14, licences=100, **how)
        assert plan.cost <= plan.cost_today * 1.005 + 1e-9
        for count in range(60, 160, 10):
            held = np.where(np.arange(120) >= 13, max(count, 100), 100)
            if count < 100:
                held = np.where(np.arange(120) >= 29, count, 100)
            cost = 240 / 365.25 * held.sum()
            kept = (forecast.series()[:, 13:] > held[13:]).any(axis=1).mean() <= 0.05
            if how["risk"] is not None and kept:
                assert plan.cost <= cost * 1.006 + 1e-9


def test_the_chance_is_kept_over_the_whole_horizon():
    """The schedule would pass its licences more often than was allowed."""
    rng = np.random.default_rng(2)
    forecast = forecast_of(paths_of(rng, 400, 150, 80, 0.25, 5.0))
    plan = cap.purchase_schedule(forecast, cap.Tariff(licence_price=240, lot=5), lead_time="21d", licences=90, risk=0.1)
    held = plan.licences.on(forecast.dates)
    above = forecast.series() > held
    assert above[:, 20:].any(axis=1).mean() == plan.chance <= 0.1
    assert above[:, :20].any(axis=1).mean() == plan.chance_before
    assert (held % 5 == 0).all()
    assert len(plan.actions) > 1
    assert plan.cost < plan.cost_today
    assert plan.cost == pytest.approx(240 / 365.25 * held.sum())
    top = np.sort(forecast.series()[:, 20:].max(axis=1))[399 - 40]  # may be passed on 40 of the 400 paths
    assert plan.constant == -(-top // 5) * 5
    assert f", {plan.cost_today - plan.cost:,.0f} less than {plan.constant:,} licences ordered today" in str(plan)


def test_the_day_on_which_an_order_can_be_there_counts_as_in_reach():
    """The chance of that day would be told as one that no order can change."""
    peaks = np.full((100, 60), 80)
    peaks[:7, 19], peaks[:3, 20] = 95, 95  # the last day out of reach, the first day in reach
    plan = cap.purchase_schedule(forecast_of(peaks), cap.Tariff(licence_price=240), lead_time=21, licences=90)
    assert (plan.chance, plan.chance_before) == (0.03, 0.07)
    assert "Before an order can be there: 7%." in str(plan)


def test_days_are_those_of_lead_time_notice_and_commitment():
    """Licences would be there before their lead time, or go back before the commitment or the notice allows."""
    need = np.r_[np.full(40, 50), np.full(40, 90), np.full(100, 50)]
    forecast = forecast_of(np.tile(need, (20, 1)), start="2026-01-01")
    tariff = cap.Tariff(licence_price=240, lot=10, commitment="60d", notice="30d")
    plan = cap.purchase_schedule(forecast, tariff, lead_time="21d", licences=50, review=5, committed_until="2027-01-01")
    order, back = plan.actions.iloc[0], plan.actions.iloc[1]
    assert order[["action", "licences", "after"]].tolist() == ["order", 40, 90]
    assert order["in_force"] - order["by"] == pd.Timedelta(days=21)
    assert pd.Timestamp("2026-02-05") < order["in_force"] <= pd.Timestamp("2026-02-10")
    assert plan.order_by == order["by"]
    assert plan.today.empty  # the first decision is due on the day before the first one ahead
    now = cap.purchase_schedule(forecast, cap.Tariff(licence_price=240, lot=10), lead_time=41, licences=50)
    assert now.today["by"].tolist() == [pd.Timestamp("2025-12-31")]
    assert back[["action", "licences", "after"]].tolist() == ["hand back", 40, 50]
    assert back["in_force"] - back["by"] == pd.Timedelta(days=30)
    assert back["in_force"] - order["in_force"] >= pd.Timedelta(days=60)
    assert back["in_force"] - order["in_force"] < pd.Timedelta(days=65)
    assert "order 40 by" in plan.sentence().lower()
    kept = cap.purchase_schedule(
        forecast, cap.Tariff(licence_price=240, lot=10), lead_time=21, licences=90, committed_until="2026-04-15"
    )
    assert kept.actions["in_force"].min() >= pd.Timestamp("2026-04-15")


def test_nothing_goes_back_for_the_horizons_sake():
    """Licences would be given back for the last days that are seen, as if nobody called after them."""
    rng = np.random.default_rng(5)
    peaks = rng.poisson(95, (200, 180))
    peaks[:, -3:] = 40  # a long weekend, at which the forecast happens to end
    tariff = cap.Tariff(licence_price=240, lot=10, lost_call_cost=1)
    for how in ({"risk": 0.05}, {"risk": None}):
        plan = cap.purchase_schedule(forecast_of(peaks), tariff, lead_time=21, licences=130, **how)
        last = forecast_of(peaks).dates[-1]
        assert (last - plan.actions["in_force"] >= pd.Timedelta(days=50)).all()


def test_orders_placed_already_count():
    """Licences that are on their way would be ordered again."""
    forecast = forecast_of(np.full((20, 90), 95), start="2026-01-01")
    plan = cap.purchase_schedule(
        forecast, cap.Tariff(licence_price=240, lot=10), lead_time=30, licences={"2025-01-01": 80, "2026-01-20": 100}
    )
    assert plan.actions.empty
    assert plan.order_by is None
    assert plan.sentence() == "Order nothing and hand nothing back."


def test_lost_calls_are_weighed_as_by_the_yearly_count():
    """With steady demand and no rules the schedule would buy another count than `best_licence_count`."""
    rng = np.random.default_rng(3)
    forecast = forecast_of(rng.poisson(80, (200, 365)))
    tariff = cap.Tariff(licence_price=150, lost_call_cost=2)
    best = cap.best_licence_count(forecast, tariff=tariff).best
    plan = cap.purchase_schedule(forecast, tariff, lead_time=1, risk=None, licences=0)
    assert plan.licences.last == pytest.approx(best, abs=1)
    assert plan.lost_call_cost == 2


def test_regret_is_what_knowing_would_have_saved():
    """A plan for all paths would cost less on a path than the best plan for that path."""
    rng = np.random.default_rng(4)
    forecast = forecast_of(paths_of(rng, 60, 90, 80, 0.3, 3.0))
    tariff = cap.Tariff(licence_price=240, lot=10, lost_call_cost=1)
    regret = cap.purchase_schedule(forecast, tariff, lead_time=14, licences=80, risk=None).regret()
    assert len(regret) == 30
    assert regret.min() >= -0.01 * 240 * 10  # what single orders have to gain at least
    assert regret.mean() > 0


def test_tiny_gains_go_to_the_simpler_plan():
    """Licences would be moved every month for a gain that nobody would sign for."""
    days = np.arange(240)
    wave = np.rint(400 + np.sin(days / 20)).astype(int)
    forecast = forecast_of(np.tile(wave, (10, 1)))
    plan = cap.purchase_schedule(forecast, cap.Tariff(licence_price=240), lead_time=7, licences=401)
    assert plan.actions.empty


def test_lots_are_whole():
    """A need would be rounded down, or to another lot."""
    assert lots([0, 89, 90, 91, 111], 90, 10).tolist() == [-9, 0, 0, 1, 3]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"lead_time": "soon"}, "lead_time"),
        ({"lead_time": 91}, "must fit into the 90 days"),
        ({"risk": 2}, "risk=2"),
        ({"risk": None}, "without either"),
        ({"review": 0}, "review"),
        ({"lost_call_cost": -1}, "lost_call_cost"),
        ({"tariff": 240}, r"cap\.Tariff"),
    ],
)
def test_what_cannot_be_read_is_refused(how, says):
    """A wrong question would get an answer."""
    forecast = forecast_of(np.full((20, 90), 95))
    args = {"tariff": cap.Tariff(licence_price=240), "lead_time": 7} | how
    with pytest.raises(ConfigError, match=says):
        cap.purchase_schedule(forecast, args.pop("tariff"), **args)
