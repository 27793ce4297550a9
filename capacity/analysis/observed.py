"""One series of a frame at a time, each maximum beside the cap that held it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.arguments import pick, whole_of
from capacity.ground.dense import dense
from capacity.ground.frame import TOTAL, slice_name
from capacity.ground.licences import LicenceLike, as_licences
from capacity.stats.load_likelihood import AT_LEAST, NO_CAP


class Series(NamedTuple):
    """The maxima of one series where it has any.

    Attributes
    ----------
    id : str
        The slice value.
    times : DatetimeIndex, UTC
        Interval starts, ascending.
    values : int array
        Maxima [calls].
    cap : int array
        Licences at that time; NO_CAP; or AT_LEAST where the maximum is a lower bound.
    """

    id: str
    times: pd.DatetimeIndex
    values: npt.NDArray[np.int64]
    cap: npt.NDArray[np.int64]


def all_series(frame: pd.DataFrame, licences: LicenceLike | None, tz: str | dt.tzinfo) -> Iterator[Series]:
    """Yield every series that has rows.

    Licences hold for TOTAL (or for the only series); while TOTAL is at the cap, what the variants show is a lower
    bound.

    Raises
    ------
    ConfigError
        Licences, several series, and no TOTAL among them: which of them the cap holds back is not known.
    """
    cells = dense(frame)
    caps = np.full(len(cells.times), NO_CAP, dtype=np.int64)
    name = whole_of(cells.ids)
    whole = None if name is None else cells.ids.index(name)
    full = np.zeros(len(cells.times), dtype=bool)
    if licences is not None and cells.ids:
        if whole is None:
            raise ConfigError(
                f"licences hold for all calls together, and the frame has {len(cells.ids)} series but no TOTAL; "
                "fetch with total=True, or pass one series"
            )
        caps = as_licences(licences).at(cells.times, tz=tz)
        full = cells.values[:, whole] >= caps
    for k, label in enumerate(cells.ids):
        values = cells.values[:, k]
        cap = caps if k == whole or licences is None else np.where(full, AT_LEAST, NO_CAP)
        held = values >= 0
        if bool(held.any()):
            yield Series(label, cells.times[held], values[held].astype(np.int64), cap[held].astype(np.int64))


def one_series(frame: pd.DataFrame, licences: LicenceLike, tz: str | dt.tzinfo, variant: str | None) -> Series:
    """Return the series named, or TOTAL, or the only one, with the licences as its cap.

    Raises
    ------
    ConfigError
        No such series, or several, none named, and no TOTAL among them.
    """
    cells = dense(frame)
    if variant is None and not cells.ids:
        return Series(TOTAL, cells.times, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    place = cells.ids.index(pick(cells.ids, variant, where="the frame", slice_name=slice_name(frame)))
    held = cells.values[:, place] >= 0
    times = cells.times[held]
    values = cells.values[held, place].astype(np.int64)
    return Series(cells.ids[place], times, values, as_licences(licences).at(times, tz=tz))
