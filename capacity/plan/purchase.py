"""The purchase schedule: which licences to order, and which to hand back, on which day."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.costing.busy_day import as_shape
from capacity.errors import ConfigError
from capacity.forecast.paths import PeakForecast
from capacity.ground.arguments import as_amount, as_number, check_kind
from capacity.ground.arrays import Floats
from capacity.ground.call_length import CallLength, as_call_length, turnover
from capacity.ground.holidays import as_days
from capacity.ground.licences import LicenceLike, Licences, as_licences
from capacity.ground.result import Result
from capacity.ground.spans import SpanLike, as_span
from capacity.ground.tariff import Tariff
from capacity.ground.text import chance, day
from capacity.plan.period_costs import Costs, Counts, lots
from capacity.plan.solve import Answer, Grid, solve

__all__ = ["PurchaseSchedule", "purchase_schedule"]

_TINY = 0.005  # of the cost: what a plan with more changes has to gain over a simpler one
_TRADE = 0.01  # of a lot's price a year: what a single order or return has to gain
_SOME = 30  # paths whose own best plan is worked out for the regret


@dataclass(frozen=True, eq=False, repr=False)
class PurchaseSchedule(Result):
    """Which licences to order and which to hand back, on which day, with the expected cost.

    Attributes
    ----------
    actions : DataFrame
        One row for each order or return: ``by``, the last day to decide on it; ``in_force``, the first day of the new
        count; ``action``, "order" or "hand back"; ``licences``, how many; ``after``, the count from then on.
    licences : Licences
        The counts that follow, by local day.
    table : DataFrame
        One row for each stretch of days with one count, index ``from``: ``days``; ``licences``; the ``chance`` of
        exceeding them within the stretch; expected ``licence_cost`` [money], ``lost_calls`` and ``lost_cost`` [money].
    cost, cost_today : float
        Expected cost over the horizon of this plan, and of the best constant count ordered today [money].
    constant : int
        That constant count.
    chance, chance_before : float
        Chance of exceeding the licences within the horizon, from the first day on which an order can be there, and
        before that day.
    lead_time, review : int
        Lead time and time between reviews [days].
    tariff : Tariff
        The prices.
    risk : float or None
        The chance of exceeding that was allowed; None where lost calls were weighed by their cost.
    lost_call_cost : float
        Cost of a lost call [money]; 0 where a risk was given.
    notes : tuple of str
        What the plan does not count, in sentences.

    See Also
    --------
    capacity.purchase_schedule, capacity.Tariff

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2026-01-01", periods=90)
    >>> paths = np.tile(np.r_[np.full(45, 80), np.full(45, 95)], (1, 10, 1))
    >>> forecast = cap.PeakForecast(paths, ("*",), dates, pd.DataFrame({"*": []}))
    >>> tariff = cap.Tariff(licence_price=240, lot=10)
    >>> plan = cap.purchase_schedule(forecast, tariff, lead_time="21d", licences=80, review=7)
    >>> print(plan.sentence())
    Order 20 by Wed 21 Jan 2026, to be there on Wed 11 Feb 2026.
    """

    actions: pd.DataFrame
    licences: Licences
    table: pd.DataFrame
    cost: float
    cost_today: float
    constant: int
    chance: float
    chance_before: float
    lead_time: int
    review: int
    tariff: Tariff
    risk: float | None
    lost_call_cost: float
    notes: tuple[str, ...] = ()
    _regret: Any = None

    @property
    def today(self) -> pd.DataFrame:
        """The actions that have to be decided today."""
        first = self.table.index[0] - pd.Timedelta(days=1)
        return self.actions[self.actions["by"] <= first]

    @property
    def order_by(self) -> pd.Timestamp | None:
        """The last day for the first order; None where nothing has to be ordered."""
        orders = self.actions[self.actions["action"] == "order"]
        return None if orders.empty else pd.Timestamp(orders["by"].iloc[0])

    def regret(self) -> pd.Series:
        """Return by path how much more this plan costs than the best plan for that path, known beforehand [money].

        For at most thirty paths, spread evenly. No plan made without knowing the future has a regret of 0 on all paths.
        """
        return pd.Series(self._regret(), name="regret").rename_axis("path")

    def sentence(self) -> str:
        """Return the orders and returns in words."""
        if self.actions.empty:
            return "Order nothing and hand nothing back."
        said = []
        for row in self.actions.itertuples():
            if row.action == "order":
                said.append(f"order {row.licences:,} by {day(row.by)}, to be there on {day(row.in_force)}")
            else:
                said.append(
                    f"give notice of {row.licences:,} by {day(row.by)}, to be rid of them on {day(row.in_force)}"
                )
        text = "; ".join(said)
        return f"{text[0].upper()}{text[1:]}."

    def to_frame(self) -> pd.DataFrame:
        """Return the table by stretch of days."""
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the answer for machines: sentence, actions, order_by, costs and chances; days are ISO dates."""
        iso = {name: self.actions[name].dt.strftime("%Y-%m-%d") for name in ("by", "in_force")}
        return {
            "sentence": self.sentence(),
            "actions": self.actions.assign(**iso).to_dict("records"),
            "order_by": None if self.order_by is None else f"{self.order_by:%Y-%m-%d}",
            "cost": self.cost,
            "cost_today": self.cost_today,
            "constant": self.constant,
            "chance": self.chance,
            "chance_before": self.chance_before,
            "risk": self.risk,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        saved = self.cost_today - self.cost
        beside = f"Expected cost {self.cost:,.0f} over {int(self.table['days'].sum())} days"
        if saved > 0.5:
            beside += f", {saved:,.0f} less than {self.constant:,} licences ordered today and kept"
        parts = [self.sentence(), f"{beside}. Chance of exceeding them: {chance(self.chance)}."]
        if self.chance_before > 0:
            parts.append(f"Before an order can be there: {chance(self.chance_before)}.")
        return "\n".join([" ".join([*parts, *self.notes]), "", self.table.round(2).to_string()])


def purchase_schedule(
    forecast: PeakForecast,
    tariff: Tariff,
    *,
    lead_time: SpanLike,
    risk: float | None = 0.05,
    lost_call_cost: float | None = None,
    review: SpanLike = 30,
    licences: LicenceLike | None = None,
    committed_until: Any = None,
    mean_call_length: CallLength = "3m",
    day_shape: npt.ArrayLike | None = None,
    variant: str | None = None,
) -> PurchaseSchedule:
    """Return which licences to order and which to hand back, on which day, at the least expected cost.

    Parameters
    ----------
    forecast : PeakForecast
        What `capacity.forecast_peaks` returns, with events if there are some. Today is the day before its first day.
    tariff : Tariff
        Prices, lots, commitment and notice.
    lead_time : int, str or timedelta
        Time from an order to the use of the licences: days, or "21d".
    risk : float or None, default 0.05
        The chance of exceeding the licences that is allowed over the whole horizon, from the first day on which an
        order can be there. The plan is then the cheapest that keeps it.
    lost_call_cost : float, optional
        Cost of a call that is turned away [money]: the plan then weighs lost calls against licences, in place of
        `risk`. With ``risk=None`` and no cost here it is that of the tariff.
    review : int, str or timedelta, default 30
        Time between reviews [days]: orders and returns are decided today and at every review.
    licences : int, str, mapping, Series or Licences, optional
        The licences held today, with those already ordered as steps; by default those of the forecast, or none.
    committed_until : date, optional
        The day until which the licences held have to be kept; by default they may be handed back with the notice.
    mean_call_length, day_shape, variant
        As in `capacity.best_licence_count`.

    Returns
    -------
    PurchaseSchedule

    Raises
    ------
    ConfigError
        A risk outside (0, 1); neither a risk nor a cost of lost calls; a length of time that cannot be read, or a lead
        time beyond the forecast.

    Notes
    -----
    One plan is made for all paths, since nobody knows which of them comes, and it is the cheapest such plan: a
    mixed-integer programme over orders and returns at each review, in which a lot is kept for its commitment. Make the
    plan again at the next review, with a new forecast; only what is due before then has to be done now.
    A plan with more changes is taken only where it saves more than half a percent over a simpler one. Costs after the
    horizon do not count: forecast at least a commitment ahead where there is one. Nothing is handed back within a lead
    time and a review of the horizon's end, where what is needed after it cannot be seen.

    See Also
    --------
    capacity.best_licence_count : one count for a year.
    capacity.Tariff, capacity.PurchaseSchedule, capacity.forecast_peaks

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2026-01-01", periods=60)
    >>> forecast = cap.PeakForecast(np.full((1, 10, 60), 95), ("*",), dates, pd.DataFrame({"*": []}))
    >>> plan = cap.purchase_schedule(forecast, cap.Tariff(licence_price=240, lot=10), lead_time=14, licences=80)
    >>> plan.order_by, plan.licences.last
    (Timestamp('2025-12-31 00:00:00'), 100)
    """
    lead, every = as_span(lead_time, "lead_time"), as_span(review, "review")
    check_kind(forecast, PeakForecast, "forecast", made_by="capacity.forecast_peaks")
    length = len(forecast.dates)
    if not isinstance(tariff, Tariff):
        raise ConfigError(f"tariff={tariff!r} must be a cap.Tariff")
    if every < 1 or lead > length:
        raise ConfigError(f"lead_time={lead_time!r} and review={review!r} must fit into the {length} days ahead")
    if lost_call_cost is None and risk is None:
        lost_call_cost = tariff.lost_call_cost
    cost = 0.0 if lost_call_cost is None else as_amount(lost_call_cost, "lost_call_cost")
    allowed = None if lost_call_cost is not None else risk
    if allowed is None and cost == 0:
        raise ConfigError("give risk=0.05, or the cost of a lost call: without either no licence pays")
    if allowed is not None:
        allowed = as_number(allowed, "risk", lambda v: 0 < v < 1, "is not between 0 and 1; write 0.05 for 5%")
    held = as_licences((forecast.licences or 0) if licences is None else licences)
    turn = turnover(as_call_length(mean_call_length))
    costs = Costs.of(forecast, tariff, turn, as_shape(day_shape), variant, cost)
    case = _Case.of(costs, held, forecast.dates, lead, every, committed_until)
    return case.schedule(allowed)


@dataclass(frozen=True, eq=False)
class _Case:
    """One question: the days on which licences may change, and what counts of lots cost between them."""

    costs: Costs
    held: Counts  # of each day, without further orders
    dates: pd.DatetimeIndex
    lead: int
    every: int
    grid: Grid
    bases: list[int]  # licences of each stretch, without further orders
    fewest: int
    most: int

    @classmethod
    def of(
        cls, costs: Costs, licences: Licences, dates: pd.DatetimeIndex, lead: int, every: int, committed_until: Any
    ) -> _Case:
        tariff, length = costs.tariff, len(dates)
        held = licences.on(dates)
        reviews = np.arange(0, length, every)  # days after today, which is the day before the first one ahead
        orders, returns = (np.maximum(reviews + wait - 1, 0) for wait in (lead, tariff.notice))
        orders = orders[orders < length]
        # What goes back so late that it could not be had again within the horizon goes back for the horizon's sake.
        returns = returns[returns + lead + every <= length]
        steps = np.flatnonzero(np.diff(held)) + 1
        cuts = sorted({0, length, *orders.tolist(), *returns.tolist(), *steps.tolist()})
        periods = [slice(a, b) for a, b in pairwise(cuts)]
        bases = [int(held[p.start]) for p in periods]
        free = np.full(len(returns), min(held) // tariff.lot)
        if committed_until is not None:
            last = as_days([committed_until], name="committed_until")[0]
            free[dates[returns] < last] = 0
        most = int(max(lots(costs.year.peaks.max(), base, tariff.lot) for base in bases))
        grid = Grid(orders, returns, periods, free, tariff.commitment)
        return cls(costs, held, dates, lead, every, grid, bases, -int(free.max(initial=0)), max(most, 0))

    # -- the programme ------------------------------------------------------------------------------------------

    def table(self, path: int | None = None) -> Floats:
        """Return the cost of each stretch by lots, shape (periods, lots)."""
        steps = np.arange(self.fewest, self.most + 1) * self.costs.tariff.lot
        rows = []
        for period, base in zip(self.grid.periods, self.bases, strict=True):
            counts = np.maximum(base + steps, 0)
            rows.append(self.costs.total(counts, period, path))
        return np.array(rows)

    def needs(self, path: int | None = None) -> Counts:
        """Return the lots that each path needs in each stretch, shape (paths, periods)."""
        peaks = self.costs.year.peaks if path is None else self.costs.year.peaks[path : path + 1]
        peaks = peaks.astype(np.int64)
        columns = []
        for period, base in zip(self.grid.periods, self.bases, strict=True):
            need = lots(peaks[:, period].max(axis=1), base, self.costs.tariff.lot)
            if period.start < self.grid.orders[0]:
                need = np.minimum(need, 0)  # no order can be there: what is held has to do
            columns.append(np.maximum(need, self.fewest))
        return np.stack(columns, axis=1)

    def best(self, risk: float | None, table: Floats, path: int | None = None) -> Answer | None:
        trade = _TRADE * self.costs.tariff.licence_price * self.costs.tariff.lot
        if risk is None:
            return solve(self.grid, self.fewest, table, trade=trade)
        needs = self.needs(path)
        allowed = int(np.floor(risk * len(needs) + 1e-9))
        # What more paths than are allowed need is needed; only paths that need more than that are told apart.
        sure = np.sort(needs, axis=0)[len(needs) - 1 - allowed]
        kinds, count = np.unique(np.maximum(needs, sure), axis=0, return_counts=True)
        always = (kinds == sure).all(axis=1)
        kinds, weights = np.vstack([kinds[~always], sure]), np.append(count[~always], 0.0)
        ask: dict[str, Any] = {"paths": kinds, "weights": weights / len(needs), "risk": allowed / len(needs) + 1e-9}
        ask["weights"][-1] = 2.0  # nobody may miss what is needed for sure
        return solve(self.grid, self.fewest, table, trade=trade, **ask)

    # -- plain plans --------------------------------------------------------------------------------------------

    def constant(self, lots_more: int) -> Answer:
        """Return the plan that orders so many lots today, or gives notice of them, and changes nothing after."""
        starts = np.array([p.start for p in self.grid.periods])
        ordered = np.zeros(len(self.grid.orders), dtype=np.int64)
        returned = np.zeros(len(self.grid.returns), dtype=np.int64)
        if lots_more > 0:
            ordered[0] = lots_more
            held = np.where(starts >= self.grid.orders[0], lots_more, 0)
        elif lots_more < 0:
            first = int(np.argmax(self.grid.free >= -lots_more))
            returned[first] = -lots_more
            held = np.where(starts >= self.grid.returns[first], lots_more, 0)
        else:
            held = np.zeros(len(starts), dtype=np.int64)
        return Answer(ordered, returned, held, np.nan)

    def plain(self, risk: float | None, table: Floats) -> list[Answer]:
        """Return the plans with at most one change that are allowed, the one without any first."""
        rows = np.arange(len(self.grid.periods))
        found = []
        needs = None if risk is None else self.needs()
        for more in sorted(range(self.fewest, self.most + 1), key=abs):
            if more > 0 and not len(self.grid.orders):
                continue
            plan = self.constant(more)
            if needs is not None and risk is not None and (needs > plan.held).any(axis=1).mean() > risk + 1e-9:
                continue
            cost = float(table[rows, plan.held - self.fewest].sum())
            found.append(Answer(plan.ordered, plan.returned, plan.held, cost))
        return found

    # -- the answer ---------------------------------------------------------------------------------------------

    def schedule(self, risk: float | None) -> PurchaseSchedule:
        table = self.table()
        plain = self.plain(risk, table)
        once = min(plain, key=lambda plan: plan.cost)
        stay = [plan for plan in plain if not plan.ordered.any() and not plan.returned.any()]
        many = self.best(risk, table)
        ways = [*stay, once, *([] if many is None else [many])]
        least = min(way.cost for way in ways)
        chosen = next(way for way in ways if way.cost <= least * (1 + _TINY) + 1e-9)
        return self._result(chosen, once, risk)

    def _result(self, plan: Answer, once: Answer, risk: float | None) -> PurchaseSchedule:
        tariff, periods = self.costs.tariff, self.grid.periods
        counts = np.array(self.bases) + tariff.lot * plan.held
        peaks = self.costs.year.peaks
        above = np.stack([(peaks[:, p] > n).any(axis=1) for p, n in zip(periods, counts, strict=True)], axis=1)
        late = np.array([p.start >= self.grid.orders[0] for p in periods])
        paid = [float(self.costs.licences(np.array([n]), p)[0]) for p, n in zip(periods, counts, strict=True)]
        lost = [float(self.costs.lost(np.array([n]), p)[0]) for p, n in zip(periods, counts, strict=True)]
        table = pd.DataFrame(
            {
                "days": [p.stop - p.start for p in periods],
                "licences": counts,
                "chance": above.mean(axis=0),
                "licence_cost": paid,
                "lost_calls": lost,
                "lost_cost": self.costs.lost_call_cost * np.array(lost),
            },
            index=self.dates[[p.start for p in periods]].rename("from"),
        )
        same = np.concatenate([[False], counts[1:] == counts[:-1]])
        notes = []
        if tariff.commitment > len(self.dates):
            notes.append(
                f"A lot is kept for {tariff.commitment} days, longer than the forecast's {len(self.dates)}: what it "
                "costs after them is not counted."
            )
        return PurchaseSchedule(
            actions=self._actions(plan),
            licences=as_licences(dict(zip(table.index[~same], counts[~same].tolist(), strict=True))),
            table=table,
            cost=plan.cost,
            cost_today=once.cost,
            constant=int(np.max(np.array(self.bases) + tariff.lot * once.held)),
            chance=float(above[:, late].any(axis=1).mean()) if late.any() else 0.0,
            chance_before=float(above[:, ~late].any(axis=1).mean()) if (~late).any() else 0.0,
            lead_time=self.lead,
            review=self.every,
            tariff=tariff,
            risk=risk,
            lost_call_cost=self.costs.lost_call_cost,
            notes=tuple(notes),
            _regret=lambda: self._regret(plan, risk),
        )

    def _actions(self, plan: Answer) -> pd.DataFrame:
        today = self.dates[0] - pd.Timedelta(days=1)
        rows = []
        for kind, amounts, days in (
            ("order", plan.ordered, self.grid.orders),
            ("hand back", plan.returned, self.grid.returns),
        ):
            for review, (lots_moved, at) in enumerate(zip(amounts, days, strict=True)):
                if lots_moved:
                    by = today + pd.Timedelta(days=review * self.every)
                    rows.append((by, self.dates[at], kind, int(lots_moved) * self.costs.tariff.lot, int(at)))
        rows.sort(key=lambda row: (row[0], row[1]))
        columns = ["by", "in_force", "action", "licences", "at"]
        table = pd.DataFrame(rows, columns=columns).astype({"by": "datetime64[ns]", "in_force": "datetime64[ns]"})
        starts = np.array([p.start for p in self.grid.periods])
        place = np.searchsorted(starts, table["at"].to_numpy(dtype=np.int64), side="right") - 1
        after = np.array(self.bases) + self.costs.tariff.lot * plan.held
        return table.drop(columns="at").assign(after=after[place] if len(place) else np.empty(0, dtype=np.int64))

    def _regret(self, plan: Answer, risk: float | None) -> dict[int, float]:
        rows = np.arange(len(self.grid.periods))
        count = len(self.costs.year.peaks)
        out = {}
        for path in range(0, count, max(1, -(-count // _SOME))):
            table = self.table(path)
            known = self.best(None if risk is None else 1e-12, table, path)
            if known is not None:
                out[path] = float(table[rows, plan.held - self.fewest].sum()) - known.cost
        return out
