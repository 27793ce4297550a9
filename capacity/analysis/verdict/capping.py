"""Whether the licences capped the peaks that were seen: a pile-up of days at them, or just above."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Capping: TypeAlias = Literal["none", "hard", "soft", "plan"]

MUCH = 0.4  # share of days at the licences from which on demand is little known
_NEAR = 1.1  # times the licences: so high a few calls outside them (another environment) lift the peaks
_FEW = 5  # days that are no pile-up
_BEYOND = 0.05  # share of the pile that may lie above it


def capping(peak: npt.ArrayLike, held: npt.ArrayLike) -> Capping:
    """Return what the licences were to the daily peaks.

    "none": no day reached them. "hard": more days stand at them than above, and hardly any lies a tenth higher, as
    where they turn calls away. "soft":
    days pile up within a tenth above them, at least as many as within a tenth below, and hardly any lies higher, as
    where the licences turn calls away and a few calls do not count against them. "plan": peaks exceed them freely.

    Parameters
    ----------
    peak : array, shape (days,)
        Daily peaks [calls]; NaN where a day is missing.
    held : array, shape (days,)
        The licences [calls] of each day.

    Examples
    --------
    >>> capping([50, 60, 60], [60, 60, 60]), capping([50, 60, 90], [40, 40, 40])
    ('hard', 'plan')
    >>> capping([50, *range(61, 66), *range(61, 66)], [60] * 11)
    'soft'
    >>> capping([50, 60, 60], [0, 0, 0])
    'plan'
    """
    y, licences = np.asarray(peak, dtype=np.float64), np.asarray(held, dtype=np.float64)
    y, licences = y[licences > 0], licences[licences > 0]  # none that had not begun: they capped nothing
    if not len(y) and bool((np.asarray(peak) > 0).any()):
        return "plan"
    above = int((y > licences).sum())
    at = int((y == licences).sum())
    if not at + above:
        return "none"
    beyond = int((y > _NEAR * licences).sum())
    if at >= above:
        return "hard" if beyond <= _BEYOND * (at + above) else "plan"
    pile = at + above - beyond
    below = int(((y >= (2 - _NEAR) * licences) & (y < licences)).sum())
    return "soft" if pile >= max(_FEW, below) and beyond <= _BEYOND * pile else "plan"
