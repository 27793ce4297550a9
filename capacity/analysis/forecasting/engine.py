"""Sample paths of many series: the pieces put together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["sample_paths"]


def sample_paths(
    values: npt.NDArray[np.float64],
    dates: pd.DatetimeIndex,
    horizon: int,
    *,
    holidays: pd.DatetimeIndex,
    seed: int,
    paths: int,
) -> npt.NDArray[np.int32]:
    """Return sample paths [calls], shape (variants, paths, horizon), of series with shape (days, variants)."""
    rng = np.random.default_rng(seed)
    out = np.empty((values.shape[1], paths, horizon), dtype=np.int32)
    for place in range(values.shape[1]):
        out[place] = _whole_weeks(values[:, place], horizon, rng, paths)
    return out


def _whole_weeks(
    y: npt.NDArray[np.float64], horizon: int, rng: np.random.Generator, paths: int
) -> npt.NDArray[np.int32]:
    """Draw each week ahead from the last half year, recent weeks likelier."""
    weeks_ahead = -(-horizon // 7)
    weeks = min(26, len(y) // 7)
    recent = y[-7 * weeks :].reshape(weeks, 7)
    column = np.nanmedian(recent, axis=0)
    filled = np.where(np.isfinite(recent), recent, np.where(np.isfinite(column), column, 0.0))
    weight = 0.5 ** (np.arange(weeks)[::-1] / 6)
    drawn = rng.choice(weeks, size=(paths, weeks_ahead), p=weight / weight.sum())
    return np.rint(filled[drawn].reshape(paths, -1)[:, :horizon]).astype(np.int32)
