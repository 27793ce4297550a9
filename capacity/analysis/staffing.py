"""How many agents a load needs, how long callers then wait, and how many channels that takes."""

from __future__ import annotations

import numpy.typing as npt
import pandas as pd

from capacity.ground.call_length import CallLength
from capacity.stats.waiting import staffing_columns


def staffing(
    load: npt.ArrayLike,
    *,
    target: float = 0.8,
    within: CallLength = "20s",
    mean_call_length: CallLength,
    patience: CallLength | None = None,
) -> pd.DataFrame:
    """Return for each load how many agents it needs, how callers then fare, and how many channels that takes.

    Parameters
    ----------
    load : array_like, one-dimensional
        Load A [Erlang] of the calls that are handed to agents: calls per minute times minutes per call.
    target : float, default 0.8
        Share of callers who are to be answered `within` the time.
    within : str, timedelta or Timedelta, default "20s"
        The time in which they are to be answered.
    mean_call_length : str, timedelta or Timedelta
        Mean handling time of an agent, such as "4m".
    patience : str, timedelta or Timedelta, optional
        Mean time after which a caller gives up (Erlang A); by default nobody gives up (Erlang C).

    Returns
    -------
    DataFrame
        Index ``load``; ``agents``, the fewest that reach the target; ``service_level``, the share answered in time;
        ``waits`` and ``gives_up``, shares of the callers; ``occupancy``, the share of the agents' time spent on calls;
        and ``channels``, the lines that calls in hand and waiting calls fill in at most 0.1% of the time.

    Raises
    ------
    ConfigError
        A load that is negative or no number, a target outside (0, 1), or a length of time that cannot be read.

    See Also
    --------
    capacity.agents_for, capacity.service_level, capacity.erlang_c, capacity.erlang_a

    References
    ----------
    O. Garnett, A. Mandelbaum, M. Reiman (2002), Designing a call center with impatient customers, Manufacturing and
    Service Operations Management 4.

    Examples
    --------
    >>> import capacity as cap
    >>> cap.staffing([10], mean_call_length="3m").round(3).to_dict("records")
    [{'agents': 14, 'service_level': 0.888, 'waits': 0.174, 'gives_up': 0.0, 'occupancy': 0.714, 'channels': 30}]
    """
    how = {"within": within, "mean_call_length": mean_call_length, "patience": patience}
    loads, columns = staffing_columns(load, target=target, **how)
    return pd.DataFrame(columns, index=pd.Index(loads, name="load"))
