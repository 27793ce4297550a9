"""How likely a 5-minute maximum is under each load: one table, read by everything that estimates a load.

The load is written as x = sqrt(A), on which a maximum tells about equally much at every load (the information is
near 4 at one moment), so that one even grid and a parabola through three of its points serve from the quietest
night to ten thousand calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from capacity.ground.arrays import Floats
from capacity.stats.maxima import log_poisson_cdf, ratio

NO_CAP = -1  # the maximum is what it is
AT_LEAST = -2  # the demand's maximum was this or more

_STEP = 0.15  # in sqrt(Erlang); one maximum alone has a standard error of about 0.4
_FLAT = -1e-6  # the least curvature that is believed, so that Newton's steps go uphill
_BEYOND = 4.0  # the load is looked for up to this many times the cap


@dataclass(frozen=True, eq=False)
class Table:
    """Log-likelihood of x = sqrt(load) for each kind of observation.

    Attributes
    ----------
    grid : ndarray, shape (points,)
        x, evenly spaced.
    rows : ndarray, shape (kinds, points)
        log P(observation | x).
    """

    grid: Floats
    rows: Floats

    def look(self, kind: npt.NDArray[np.int64], x: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the log-likelihood of each observation at its x, its slope and its curvature (below 0)."""
        step = self.grid[1] - self.grid[0]
        place = np.clip(np.rint((x - self.grid[0]) / step).astype(np.int64), 1, len(self.grid) - 2)
        flat = self.rows.ravel()
        at = kind * len(self.grid) + place
        low, here, high = flat.take(at - 1), flat.take(at), flat.take(at + 1)
        slope, bend = (high - low) / (2 * step), (high - 2 * here + low) / step**2
        off = x - self.grid.take(place)
        bend = np.minimum(bend, _FLAT)
        return here + off * (slope + 0.5 * off * bend), slope + off * bend, bend

    @property
    def best(self) -> tuple[Floats, Floats]:
        """Each kind's own most likely x and its standard error; infinite where the likelihood only rises."""
        top = self.rows.argmax(axis=1)
        kind = np.arange(len(self.rows))
        _, slope, bend = self.look(kind, self.grid[top])
        x = np.maximum(self.grid[top] - slope / bend, 0.0)
        rises = self.rows[:, -1] >= self.rows.max(axis=1) - 1e-9
        return np.where(rises, np.inf, x), np.where(rises, np.inf, 1.0 / np.sqrt(-bend))


@dataclass(frozen=True, eq=False)
class Evidence:
    """Observations as kinds of the table.

    Attributes
    ----------
    table : Table
        The likelihood of each kind.
    kind : int array, shape (n,)
        Which row of the table each observation is.
    at_cap : bool array, shape (n,)
        Whether it says no more than "at least".
    turn : float
        Interval over mean call length.
    highest : int
        The largest maximum [calls].
    """

    table: Table
    kind: npt.NDArray[np.int64]
    at_cap: npt.NDArray[np.bool_]
    turn: float
    highest: int


def evidence(maxima: npt.NDArray[Any], cap: npt.NDArray[Any], turn: float) -> Evidence:
    """Sort maxima into kinds and work out each kind's likelihood.

    Parameters
    ----------
    maxima : int array, shape (n,)
        5-minute maxima [calls], at least 0.
    cap : int array, shape (n,)
        Licences at that time, or NO_CAP, or AT_LEAST where the maximum is a lower bound. A maximum at or above
        its cap says only that the cap was reached.
    turn : float
        Interval over mean call length.
    """
    m = np.where(cap > 0, np.minimum(maxima, cap), maxima).astype(np.int64)
    kinds, kind = np.unique(np.stack([m, np.asarray(cap, dtype=np.int64)]), axis=1, return_inverse=True)
    counts, caps = kinds
    at_cap = (caps == AT_LEAST) | (counts == caps)
    top = int(counts.max())
    highest = float(np.sqrt(top)) + 2.0
    if bool(at_cap.any()):
        highest = max(highest, float(np.sqrt(_BEYOND * int(counts[at_cap].max()) + 10.0)))
    grid = np.arange(1, int(highest / _STEP) + 2, dtype=np.float64) * _STEP
    loads: Floats = np.square(grid)
    size = top + int(4.0 * np.sqrt(top)) + 20
    value, known = ratio(loads, turn, size)
    law = stats.poisson.logpmf(np.arange(size), loads[:, None])
    with np.errstate(divide="ignore"):
        log_p = np.where(known, np.log(value), np.nan) + law  # (points, size), NaN where the digits are lost
    rows = np.empty((len(counts), len(grid)))
    rows[~at_cap] = log_p.T[counts[~at_cap]]
    for limit in np.unique(caps[caps > 0]):  # over licence counts, of which there are few
        mine = (caps == limit) & ~at_cap
        rows[mine] -= log_poisson_cdf(int(limit), loads)
    for k in np.flatnonzero(at_cap):
        rows[k] = _log_reached(int(counts[k]), loads, log_p, law, capped=bool(caps[k] > 0))
    kind = kind.reshape(-1).astype(np.int64)
    return Evidence(Table(grid, _continued(rows)), kind, at_cap.take(kind), turn, top)


def _log_reached(count: int, loads: Floats, log_p: Floats, law: Floats, *, capped: bool) -> Floats:
    """Return log P(max >= count), with a cap at `count` if `capped`, for each load."""
    if count == 0:
        return np.zeros(len(loads))
    below = np.exp(np.nan_to_num(log_p[:, :count], nan=-np.inf)).sum(axis=1)
    above = np.exp(np.nan_to_num(log_p[:, count:], nan=-np.inf)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if not capped:
            return np.asarray(np.where(below < 0.5, np.log1p(-np.minimum(below, 0.5)), np.log(above)))
        start = log_poisson_cdf(count, loads)
        share = np.exp(np.log(below) - start)  # of intervals that stay under the cap
        rest = np.exp(law[:, count + 1 :]).sum(axis=1)  # starts that the cap rules out
        tail = np.log(np.maximum(above - rest, 0.0)) - start
        return np.asarray(np.where(share < 0.5, np.log1p(-np.minimum(share, 0.5)), tail))


def _continued(rows: Floats) -> Floats:
    """Carry each row on as a parabola where it is not finite: on the right beyond its last points, or its first."""
    finite = np.isfinite(rows)
    points = rows.shape[1]
    last = points - 1 - finite[:, ::-1].argmax(axis=1)
    first = finite.argmax(axis=1)
    place = np.arange(points)
    kind = np.arange(len(rows))
    out = rows.copy()
    for edge, inward, side in ((last, -1, place > last[:, None]), (first, 1, place < first[:, None])):
        a, b, c = (rows[kind, np.clip(edge + k * inward, 0, points - 1)] for k in (0, 1, 2))
        bend = np.minimum(a - 2 * b + c, 0.0)
        slope = (a - b) + 0.5 * bend  # outward, at the edge
        far = np.abs(place - edge[:, None])
        out = np.where(side, a[:, None] + far * slope[:, None] + 0.5 * far**2 * bend[:, None], out)
    return out
