"""The cheapest orders and returns under lead time, notice and commitment: a small mixed-integer programme.

With s_i lots ordered and r_j handed back at each review, the lots held in stretch p of days between two changes are

    n_p = (orders that have arrived by p) - (returns that are in force by p).

A lot may go back once its commitment has ended: returns in force by a day are at most the lots that are free by then,
the oldest first. All these constraints are differences of running sums, so that with convex costs the linear programme
has whole numbers for its answer; costs that are not convex (bills by the month's level) are told apart by binaries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from capacity.ground.arrays import Floats

__all__ = ["Answer", "Grid", "solve"]

_SECONDS = 20.0
_GAP = 1e-6
_WHOLE = 1e-6
_WAIT = 1e-3  # of a trade: of two orders that cost the same the later one, for more is known by then


@dataclass(frozen=True, eq=False)
class Grid:
    """The days on which licences may change.

    Attributes
    ----------
    orders, returns : ndarray of int64
        Days from today on which orders, and returns, decided at each review come into force.
    periods : list of slice
        Stretches of days between them.
    free : ndarray of int64, shape (returns,)
        How many lots that are held today may have gone by the day of each return.
    commitment : int
        Days for which a lot that was ordered is kept.
    """

    orders: npt.NDArray[np.int64]
    returns: npt.NDArray[np.int64]
    periods: list[slice]
    free: npt.NDArray[np.int64]
    commitment: int


@dataclass(frozen=True, eq=False)
class Answer:
    """Lots ordered and handed back at each review, lots held in each stretch, and what it costs."""

    ordered: npt.NDArray[np.int64]
    returned: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]
    cost: float


def solve(
    grid: Grid,
    fewest: int,
    costs: Floats,
    *,
    trade: float = 0.0,
    paths: npt.NDArray[np.int64] | None = None,
    weights: Floats | None = None,
    risk: float = 0.0,
) -> Answer | None:
    """Return the cheapest plan, or None where the solver found none in time.

    Parameters
    ----------
    grid : Grid
    fewest : int
        The lots of the first column of `costs` (below 0 where licences that are held today may go).
    costs : ndarray, shape (periods, lots)
        What each stretch costs with `fewest`, `fewest` + 1, ... lots.
    trade : float
        What an order or a return of one lot has to gain at least.
    paths : ndarray of int64, shape (kinds, periods), optional
        The lots that kinds of paths need in each stretch; with `weights`, the share of paths of each kind, and `risk`,
        the share whose need may be missed.
    """
    periods, layers = costs.shape[0], costs.shape[1] - 1
    n_orders, n_returns = len(grid.orders), len(grid.returns)
    kinds = 0 if paths is None else len(paths)
    at_returns, at_layers = n_orders, n_orders + n_returns
    at_kinds = at_layers + periods * layers
    size = at_kinds + kinds
    starts = np.array([p.start for p in grid.periods])
    price = np.zeros(size)
    price[:at_layers] = trade
    price[:n_orders] *= 1.0 + _WAIT * np.arange(n_orders, 0, -1)
    price[at_layers:at_kinds] = np.diff(costs, axis=1).ravel()
    rows: list[sparse.csr_array] = []
    low: list[Floats] = []
    high: list[Floats] = []

    def add(matrix: sparse.csr_array, least: Floats | float, most: Floats | float) -> None:
        rows.append(sparse.csr_array(matrix))
        low.append(np.broadcast_to(np.asarray(least, dtype=np.float64), matrix.shape[0]))
        high.append(np.broadcast_to(np.asarray(most, dtype=np.float64), matrix.shape[0]))

    # Lots held: orders less returns less layers = fewest, in each stretch.
    arrived = (grid.orders[None, :] <= starts[:, None]).astype(np.float64)
    gone = (grid.returns[None, :] <= starts[:, None]).astype(np.float64)
    layer = sparse.kron(sparse.eye_array(periods), np.ones((1, max(layers, 1)))[:, :layers])
    add(
        sparse.hstack([arrived, -gone, -layer, sparse.csr_array((periods, kinds))], format="csr"),
        float(fewest),
        float(fewest),
    )
    # Returns by a day are at most what is free by then.
    if n_returns:
        over = (grid.orders[None, :] + grid.commitment <= grid.returns[:, None]).astype(np.float64)
        so_far = np.tri(n_returns)
        add(
            sparse.hstack([-over, so_far, sparse.csr_array((n_returns, periods * layers + kinds))], format="csr"),
            -np.inf,
            grid.free.astype(np.float64),
        )
    if layers > 1:  # a layer is filled after the one below it
        step = sparse.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(layers - 1, layers))
        block = sparse.kron(sparse.eye_array(periods), step)
        add(
            sparse.hstack(
                [sparse.csr_array((block.shape[0], at_layers)), block, sparse.csr_array((block.shape[0], kinds))],
                format="csr",
            ),
            -np.inf,
            0.0,
        )
    lower = np.zeros(size)
    if paths is not None and weights is not None:
        p, k = np.nonzero((paths > fewest).T)  # stretch, kind
        column = at_layers + p * layers + (paths[k, p] - fewest - 1)
        need = sparse.csr_array(
            (np.ones(2 * len(p)), (np.tile(np.arange(len(p)), 2), np.concatenate([column, at_kinds + k]))),
            shape=(len(p), size),
        )
        add(need, 1.0, np.inf)
        share = np.zeros((1, size))
        share[0, at_kinds:] = weights
        add(sparse.csr_array(share), -np.inf, risk)
    upper = np.full(size, np.inf)
    upper[at_layers:] = 1.0
    matrix = sparse.vstack(rows, format="csc")
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)  # for scipy 1.13
    limits = optimize.LinearConstraint(matrix, np.concatenate(low), np.concatenate(high))
    bounds = optimize.Bounds(lower, upper)
    values = None
    for whole in (0, 1):  # mostly the linear programme has whole numbers for its answer
        found = optimize.milp(
            price,
            integrality=np.full(size, whole),
            bounds=bounds,
            constraints=limits,
            options={"time_limit": _SECONDS, "mip_rel_gap": _GAP},
        )
        if found.x is not None and (whole or float(np.abs(found.x - np.rint(found.x)).max()) < _WHOLE):
            values = np.rint(found.x).astype(np.int64)
            break
    if values is None:
        return None
    ordered, returned = values[:n_orders], values[at_returns:at_layers]
    held = np.asarray(arrived @ ordered - gone @ returned, dtype=np.int64)
    return Answer(ordered, returned, held, float(costs[np.arange(periods), held - fewest].sum()))
