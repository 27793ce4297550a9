"""Agents for a load, what callers then meet, and the channels they need."""

from __future__ import annotations

import numpy.typing as npt
import pandas as pd

from capacity.ground.call_length import CallLength
from capacity.stats.waiting import staffing_columns

__all__ = ["staffing"]


def staffing(
    load: npt.ArrayLike,
    *,
    target: float = 0.8,
    within: CallLength = "20s",
    mean_call_length: CallLength,
    patience: CallLength | None = None,
) -> pd.DataFrame:
    """Return for each load the agents for a target, what callers then meet, and the channels they need.

    Parameters
    ----------
    load : array_like, one-dimensional
        A [Erlang] of calls that are handed to agents.
    target, within, mean_call_length, patience
        As in `agents_for`.

    Returns
    -------
    DataFrame
        By ``load``: ``agents``, ``service_level`` (share answered in time), ``waits`` and ``gives_up`` (shares),
        ``occupancy`` (share of the agents' time), and ``channels``: lines for calls in hand and calls that wait, all
        in use in 0.1% of the time.

    Raises
    ------
    ConfigError
        As `agents_for`.

    See Also
    --------
    capacity.agents_for, capacity.service_level

    References
    ----------
    O. Garnett, A. Mandelbaum, M. Reiman (2002), Designing a call center with impatient customers, Manufacturing and
    Service Operations Management 4.

    Examples
    --------
    >>> staffing([10], mean_call_length="3m").round(3).to_dict("records")
    [{'agents': 14, 'service_level': 0.888, 'waits': 0.174, 'gives_up': 0.0, 'occupancy': 0.714, 'channels': 30}]
    """
    how = {"within": within, "mean_call_length": mean_call_length, "patience": patience}
    loads, columns = staffing_columns(load, target=target, **how)
    return pd.DataFrame(columns, index=pd.Index(loads, name="load"))
