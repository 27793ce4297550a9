"""Exponentially weighted means over days, gaps left out."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from capacity.ground.arrays import Floats

__all__ = ["running_mean"]


def running_mean(columns: Floats, weight: Floats, half_life: float) -> Floats:
    """Return for each day the exponentially weighted mean of the days up to and with it.

    Parameters
    ----------
    columns : array, shape (days, columns)
        Values; those of weight 0 are not looked at, but must be finite.
    weight : array, shape (days,)
        0 for a missing day.
    half_life : float
        Days.

    Returns
    -------
    array, shape (days, columns)
        Days before the first that is seen hold that first one's values.
    """
    decay = 0.5 ** (1.0 / half_life)
    both = np.concatenate([columns * weight[:, None], weight[:, None]], axis=1)
    sums = lfilter([1.0], [1.0, -decay], both, axis=0)
    mass = sums[:, -1:]
    mean = sums[:, :-1] / np.where(mass > 0, mass, 1.0)
    seen = weight > 0
    if not seen[0]:
        first = int(seen.argmax())
        mean[:first] = columns[first]
    return np.asarray(mean)
