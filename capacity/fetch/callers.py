"""Callers who try again: which calls follow another call of the same number closely. Arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

AGAIN_S = 600  # [s] after the end of a call, in which another one of the same number counts as a new try


def calls_again(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], callers: npt.NDArray[np.uint64]
) -> npt.NDArray[np.bool_]:
    """Return where a call begins within ten minutes of the end of the same caller's call before it.

    Parameters
    ----------
    starts, ends : int64, shape (n,) [s]
        In any order.
    callers : uint64, shape (n,)
        Hash of the caller; 0 where it is not known, which is not counted as calling again.

    Examples
    --------
    >>> starts, ends = np.array([0, 300, 2000]), np.array([100, 400, 2100])
    >>> calls_again(starts, ends, np.array([7, 7, 7], dtype=np.uint64)).tolist()
    [False, True, False]
    """
    order = np.lexsort((starts, callers))
    same = callers[order][1:] == callers[order][:-1]
    soon = starts[order][1:] - ends[order][:-1] <= AGAIN_S
    again = np.zeros(len(starts), dtype=bool)
    again[order[1:]] = same & soon
    return np.asarray(again & (callers != 0))
