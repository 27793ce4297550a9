"""The chart of call records beside the API's maxima."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from capacity.analysis.records.result import Reconciliation
from capacity.ground.localtime import local_times
from capacity.report.axes import count_axis, date_axis, key
from capacity.report.canvas import drawing
from capacity.report.theme import BANDS, DEMAND, LICENCE, number_of

_HOURS_UP_TO = 62  # days shown by hour; more are shown by day


def reconciliation(result: Reconciliation, ax: Axes | None = None) -> Axes:
    """Draw the API's maxima, those of the call records on top, and where the two differ.

    The highest of each hour, or of each day where more than two months are shown. Bars at the foot mark the hours
    (or days) in which some interval differs.

    Parameters
    ----------
    result : Reconciliation
        As `capacity.reconcile` returns it.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        Something else was given to draw, or `ax` is no Axes.
    """
    with drawing(result, Reconciliation, "capacity.reconcile", ax) as ax:
        times = local_times(pd.DatetimeIndex(result.series.index), result.tz)
        width = pd.Timedelta(hours=1 if times[-1] - times[0] <= pd.Timedelta(days=_HOURS_UP_TO) else 24)
        bins = times.floor(width)
        table = result.series.assign(differs=(result.series["api"] != result.series["records"]).to_numpy())
        highest = table.groupby(bins).max()
        every = pd.date_range(highest.index[0], highest.index[-1], freq=width)
        highest = highest.reindex(every)
        edges = number_of(every.append(every[-1:] + width))
        top = float(np.nanmax(highest[["api", "records"]].to_numpy(dtype=float)))
        count_axis(ax, top, f"calls at once, highest of the {'hour' if width < pd.Timedelta(days=1) else 'day'}")
        date_axis(ax, every[0], every[-1], tz=result.tz)
        differs = highest["differs"].eq(True).to_numpy()
        width_each = np.diff(edges)[differs]
        ax.bar(edges[:-1][differs], top * 0.03, width=width_each, align="edge", color=LICENCE, lw=0, zorder=3)
        for name, colour, thickness in (("api", BANDS[1], 2.4), ("records", DEMAND, 0.9)):
            values = highest[name].to_numpy(dtype=float)
            ax.step(edges, np.append(values, values[-1]), where="post", color=colour, lw=thickness, label=name)
        key(ax, [("line", BANDS[1], "API"), ("line", DEMAND, "call records"), ("area", LICENCE, "some differ")])
    return ax
