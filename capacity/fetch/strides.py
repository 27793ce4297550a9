"""Answers that are coarser than 5 minutes: a server may keep old weeks by the hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from capacity.fetch.payload import Rows
from capacity.fetch.windows import STEPS_PER_WEEK
from capacity.ground.calendar import DAY_STEPS, HOUR_STEPS

_MONDAY = 4 * DAY_STEPS  # the first Monday of 1970, in steps
_BITS = 40  # that 5-minute rows fall on a coarser grid by chance is less likely than 2 to the minus this


class Stride(NamedTuple):
    """Within the steps [first, last) all rows have ``step % every == phase``."""

    first: int
    last: int
    every: int
    phase: int


def coarse(answers: Sequence[Rows]) -> list[Stride]:
    """Return where answers lie on a grid that is coarser than 5 minutes: whole weeks, or days of other weeks.

    A row stands for 5 minutes: where zeros are left out, rows lie anywhere. That many of them lie on every second step
    (or third, or twelfth) by chance alone is so unlikely that it is taken for the server's doing.

    Examples
    --------
    >>> hours = np.arange(12 * 1_000, 12 * 1_024, 12, dtype=np.int32)
    >>> [(s.every, s.phase) for s in coarse([Rows(hours, hours * 0, hours * 0 + 1, ("*",))])]
    [(12, 0)]
    """
    found: list[Stride] = []
    for rows in answers:
        steps = np.unique(rows.steps).astype(np.int64)
        for week in _parts(steps, STEPS_PER_WEEK):
            whole = _stride(week, STEPS_PER_WEEK)
            found += [whole] if whole else [s for day in _parts(week, DAY_STEPS) if (s := _stride(day, DAY_STEPS))]
    return found


def has_every_step(answers: Sequence[Rows]) -> bool:
    """Whether any two intervals in a row were sent: the server knows 5 minutes then, at least of some weeks."""
    return any(bool((np.diff(rows.steps) == 1).any()) for rows in answers)


def _parts(steps: npt.NDArray[np.int64], length: int) -> list[npt.NDArray[np.int64]]:
    """Cut ascending steps by UTC weeks (or days)."""
    part = (steps - _MONDAY) // length
    return np.split(steps, np.flatnonzero(np.diff(part)) + 1) if len(steps) else []


def _stride(steps: npt.NDArray[np.int64], length: int) -> Stride | None:
    apart = np.diff(steps)
    if len(apart) == 0 or int(apart.min()) == 1:
        return None
    # Up to an hour: a job that calls once a day makes no server that keeps days alone.
    every = int(np.gcd.reduce(np.append(apart, HOUR_STEPS)))
    if every == 1 or len(apart) * np.log2(every) < _BITS:
        return None
    first = int((steps[0] - _MONDAY) // length * length + _MONDAY)
    return Stride(first, first + length, every, int(steps[0] % every))
