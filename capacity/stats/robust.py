"""Robust spread: little affected by a few extreme values."""

from __future__ import annotations

from typing import Final

import numpy as np

from capacity.ground.arrays import Floats

TO_SD: Final = 1.4826  # a normal standard deviation over its median absolute deviation, 1 / 0.6745


def robust_sd(values: Floats, centre: float | None = None) -> float:
    """Return the standard deviation of normal values that deviate as much in the median.

    Parameters
    ----------
    values : array, shape (n,)
    centre : float, optional
        What the deviations are from; by default the median.

    References
    ----------
    Hampel (1974), The influence curve and its role in robust estimation, JASA 69.

    Examples
    --------
    >>> round(robust_sd(np.array([1.0, 2.0, 3.0, 4.0, 500.0])), 4)
    1.4826
    """
    middle = float(np.median(values)) if centre is None else centre
    return TO_SD * float(np.median(np.abs(values - middle)))
