"""The offered load as it moves from one 5-minute interval to the next, seen through maxima.

x = sqrt(load) is a profile over the week (or the day) plus a walk of its own; both are walks whose kind and variance
are chosen by likelihood. The amplitude of the walk is in proportion to the profile: a busy day, a campaign or a year of
growth adds a share of the calls, many at noon and few at night. Each maximum is evidence about x at its time, weakened
by the correlation of consecutive maxima. Where all licences are in use the evidence only says "at least": there the
neighbours and the same time on other days say how far above. The most likely path and its spread come from banded
systems (Laplace's approximation), profile and walk in turn, so that a year takes seconds.

Source: for the method, J. Durbin, S. J. Koopman, "Time Series Analysis by State Space Methods" (2012), ch. 10-11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.linalg import cholesky_banded, lapack, solveh_banded

from capacity.ground.arrays import Floats
from capacity.stats.load_likelihood import Evidence, Table
from capacity.stats.maxima import variance_inflation

Places: TypeAlias = npt.NDArray[np.int64]
Walk: TypeAlias = tuple[int, float]  # its order, and its variance per interval

_ROUNDS = 3  # of profile and walk in turn
_NEWTON_STEPS = 40
_CLOSE = 1e-3  # of x; its standard error is a hundred times that
_WALKS = {1: (1e-5, 0.5), 2: (1e-8, 0.1)}  # order of the walk: variances of x per interval to choose between
_MOST = 0.5
_NEAR = 5.0  # how far the variance is looked for from the one of the round before
_DEFAULT_WALK = 0.01  # a load of 100 moves by about 2 in five minutes, 7 in an hour
_FEWEST = 50  # maxima from which a walk can be told
_REPEAT = 1.6  # call lengths after which a chance excursion has faded to a fifth
_FARTHEST = 2016  # intervals: after a week's gap the past says no less than that
_QUIET = 0.5  # of the mean of x: the least height that the amplitude is in proportion to, since quiet hours vary too
_LEAST = 0.01  # of x, where there is hardly a call
_TAILS = 3.0  # degrees of freedom of the walk's steps
_LOOSE = 1e-6  # precision of a path without any observation


@dataclass(frozen=True, eq=False)
class LoadPath:
    """The most likely path of x = sqrt(load) and its spread.

    Attributes
    ----------
    x : ndarray, shape (times,)
        Square root of the offered load [Erlang].
    factor : ndarray, shape (2 or 3, times)
        Upper Cholesky factor of the precision of the walk, in banded form.
    slot : int array, shape (times,)
        Where each time stands in the profile.
    slot_factor : ndarray, shape (2 or 3, slots)
        Upper Cholesky factor of the precision of the profile.
    relative_amplitude : ndarray, shape (times,)
        Factor on the walk at each time, 1 on average.
    """

    x: Floats
    factor: Floats
    slot: Places
    slot_factor: Floats
    relative_amplitude: Floats

    @property
    def load(self) -> Floats:
        """The most likely offered load [Erlang]."""
        return np.asarray(self.x**2)

    def draws(self, count: int, rng: np.random.Generator) -> Floats:
        """Return paths of the load [Erlang] that the maxima leave possible, shape (times, count).

        The uncertainties of profile and walk are added, which slightly overstates their sum.
        """
        own = self.relative_amplitude[:, None] * _noise(self.factor, count, rng)
        moved = self.x[:, None] + own + _noise(self.slot_factor, count, rng)[self.slot]
        return np.asarray(moved**2)


def load_path(seen: Evidence, steps: Places, slot: Places) -> LoadPath:
    """Return the most likely path of the load.

    Parameters
    ----------
    seen : Evidence
        One observation for each interval, in order of time.
    steps : int array, shape (n,)
        When: the number of each interval on the 5-minute grid, ascending; gaps are bridged.
    slot : int array, shape (n,)
        Which intervals are alike (the same time of the week, or of the day), counted from 0 in 5-minute steps.
    """
    x = _start(seen, steps)
    used, group = np.unique(slot, return_inverse=True)
    group = group.reshape(-1).astype(np.int64)
    profile = np.bincount(group, x) / np.bincount(group)
    ones = amplitude = np.ones(len(x))
    own = np.zeros(len(x))
    common, walk = None, None  # of the profile, of the rest
    for _ in range(_ROUNDS):
        common, profile, slot_factor = _path(seen, x, amplitude * own, ones, profile, used, group, common)
        shared = profile.take(group)
        before, amplitude = amplitude, _relative_amplitude(shared)
        walk, own, factor = _path(seen, x, shared, amplitude, own * before / amplitude, steps, None, walk)
        x = shared + amplitude * own
    return LoadPath(x=x, factor=factor, slot=group, slot_factor=slot_factor, relative_amplitude=amplitude)


def _relative_amplitude(shared: Floats) -> Floats:
    """Return the amplitude of the walk at each time, 1 on average: in proportion to the profile, bounded below."""
    height = np.maximum(shared, max(_QUIET * float(shared.mean()), _LEAST))
    return np.asarray(height / np.sqrt(np.mean(height**2)))


def _start(seen: Evidence, steps: Places) -> Floats:
    """Return each interval's own most likely x, bridged where it has none, averaged over half an hour."""
    x = seen.table.best[0].take(seen.kind)
    known = np.isfinite(x)
    if not bool(known.any()):
        return np.full(len(x), float(seen.table.grid[len(seen.table.grid) // 2]))
    x = np.interp(steps, steps[known], x[known])
    padded = np.concatenate([[0.0], np.pad(x, 3, mode="edge").cumsum()])
    return np.asarray((padded[7:] - padded[:-7]) / 7.0)


def _path(
    seen: Evidence,
    x: Floats,
    base: Floats,
    amplitude: Floats,
    y: Floats,
    places: Places,
    group: Places | None,
    known: Walk | None,
) -> tuple[Walk, Floats, Floats]:
    """Fit x = base + amplitude y[group], y a walk over `places`: its order, variance, most likely course and factor."""
    weight = 1.0 / variance_inflation(x**2, seen.turn)
    walk = _walk(seen, base, amplitude, y, places, group, known)
    y, factor, _ = _fit(seen.table, seen.kind, weight, base, amplitude, y, _Steps.over(places, *walk), group)
    return walk, y, factor


def _walk(
    seen: Evidence, base: Floats, amplitude: Floats, y: Floats, places: Places, group: Places | None, known: Walk | None
) -> Walk:
    """Return the order of the walk and its variance, chosen on every few places, so few that they hardly repeat.

    Chance holds on for about a call length; on all intervals it would be taken for a load that moves. Once the
    order is `known`, only the variance is looked for, near the one before.
    """
    every = 1 + int(np.ceil(_REPEAT / seen.turn))
    if group is None:
        kind, base, amplitude, sub = seen.kind[::every], base[::every], amplitude[::every], None
    else:
        kept = group % every == 0
        kind, base, amplitude, sub = seen.kind[kept], base[kept], amplitude[kept], group[kept] // every
    places = places[::every]
    if len(places) < _FEWEST:
        return 1, _DEFAULT_WALK
    weight, found = np.ones(len(kind)), []
    choices = _WALKS if known is None else {known[0]: (known[1] / _NEAR, min(known[1] * _NEAR, _MOST))}
    for order, bounds in choices.items():
        state = {"y": y[::every]}

        def cost(log_walk: float, order: int = order, state: dict[str, Floats] = state) -> float:
            prior = _Steps.over(places, order, float(np.exp(log_walk)))
            fit, _, score = _fit(seen.table, kind, weight, base, amplitude, state["y"], prior, sub)
            state["y"] = fit
            return -score

        best = optimize.minimize_scalar(cost, bounds=np.log(bounds), method="bounded", options={"xatol": 0.3})
        found.append((float(best.fun), order, float(np.exp(best.x))))
    _, order, variance = min(found)
    return order, variance


def _fit(
    table: Table,
    kind: Places,
    weight: Floats,
    base: Floats,
    amplitude: Floats,
    y: Floats,
    prior: _Steps,
    group: Places | None,
) -> tuple[Floats, Floats, float]:
    """Return the mode of y, the factor of its precision, and Laplace's log-likelihood of the walk."""
    for _ in range(_NEWTON_STEPS):
        _, slope, bend = table.look(kind, base + amplitude * (y if group is None else y.take(group)))
        pull = prior.pull(y)
        gradient = _gather(weight * amplitude * slope, group, len(y)) - prior.transposed(pull * prior.steps(y))
        precision = prior.precision(pull, -_gather(weight * amplitude**2 * bend, group, len(y)))
        move = np.clip(solveh_banded(precision, gradient, check_finite=False), -1.0, 1.0)
        y = y + move
        if float(np.abs(move).max()) < _CLOSE:
            break
    height, _, bend = table.look(kind, base + amplitude * (y if group is None else y.take(group)))
    precision = prior.precision(prior.pull(y), -_gather(weight * amplitude**2 * bend, group, len(y)))
    factor = np.asarray(cholesky_banded(precision, check_finite=False))
    return y, factor, float(weight @ height) + prior.log_density(y) - float(np.log(factor[-1]).sum())


@dataclass(frozen=True, eq=False)
class _Steps:
    """A random walk (order 1), or one whose slope walks (order 2), with Student's steps: a load that jumps may jump.

    The steps are D y, with the rows of D in `left`, `mid`, `right` (order 1 has no `right`).
    """

    left: Floats
    mid: Floats
    right: Floats | None
    scale: Floats  # squared scale of each step

    @classmethod
    def over(cls, places: Places, order: int, variance: float) -> _Steps:
        apart = np.minimum(np.diff(places), _FARTHEST).astype(np.float64)
        if order == 1:
            return cls(np.full(len(apart), -1.0), np.ones(len(apart)), None, variance * apart)
        before, after = 1.0 / apart[:-1], 1.0 / apart[1:]
        return cls(before, -(before + after), after, variance * 0.5 * (apart[:-1] + apart[1:]))

    def steps(self, y: Floats) -> Floats:
        count = len(self.left)
        out = self.left * y[:count] + self.mid * y[1 : count + 1]
        return out if self.right is None else out + self.right * y[2:]

    def transposed(self, v: Floats) -> Floats:
        width = 1 if self.right is None else 2
        out = np.zeros(len(v) + width)
        out[: len(v)] += self.left * v
        out[1 : len(v) + 1] += self.mid * v
        if self.right is not None:
            out[2:] += self.right * v
        return out

    def pull(self, y: Floats) -> Floats:
        return np.asarray((_TAILS + 1.0) / (_TAILS * self.scale + self.steps(y) ** 2))

    def precision(self, pull: Floats, data: Floats) -> Floats:
        """Return D' pull D + data in upper banded form."""
        width, count = (1, len(pull)) if self.right is None else (2, len(pull))
        out = np.zeros((width + 1, len(data)))
        out[-1] = data + _LOOSE
        out[-1, :count] += pull * self.left**2
        out[-1, 1 : count + 1] += pull * self.mid**2
        out[-2, 1 : count + 1] += pull * self.left * self.mid
        if self.right is not None:
            out[-1, 2:] += pull * self.right**2
            out[-2, 2:] += pull * self.mid * self.right
            out[-3, 2:] += pull * self.left * self.right
        return out

    def log_density(self, y: Floats) -> float:
        far = np.log1p(self.steps(y) ** 2 / (_TAILS * self.scale))
        return -0.5 * float(((_TAILS + 1.0) * far + np.log(self.scale)).sum())


def _gather(values: Floats, group: Places | None, count: int) -> Floats:
    return np.array(values if group is None else np.bincount(group, values, minlength=count), dtype=np.float64)


def _noise(factor: Floats, count: int, rng: np.random.Generator) -> Floats:
    moved, _ = lapack.dtbtrs(factor, rng.standard_normal((factor.shape[1], count)), uplo="U")
    return np.asarray(moved)
