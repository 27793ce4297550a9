"""Where a chart is drawn: it looks at what it is given, finds or makes axes, and styles inside a context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
from matplotlib.axes import Axes

from capacity.errors import ConfigError
from capacity.report.theme import style

_SIZE = (7.5, 3.2)  # inches, of a figure that a chart makes for itself


@contextmanager
def drawing(
    thing: object, kind: type, made_by: str, ax: Axes | None, *, columns: tuple[str, ...] = ()
) -> Iterator[Axes]:
    """Give the axes to draw on, in the report's look; without `ax` those of a new figure.

    Parameters
    ----------
    thing : object
        What is to be drawn.
    kind : type
        What it must be.
    made_by : str
        The function that returns such a thing, for the message.
    ax : Axes or None
        Where to draw.
    columns : tuple of str
        What a table must have.

    Raises
    ------
    ConfigError
        `thing` is something else, or `ax` is no Axes.

    Examples
    --------
    >>> with drawing(3, pd.DataFrame, "capacity.percentiles", None):
    ...     pass
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: this chart draws a DataFrame, not int; give what capacity.percentiles returns
    """
    if not isinstance(thing, kind):
        raise ConfigError(
            f"this chart draws a {kind.__name__}, not {type(thing).__name__}; give what {made_by} returns"
        )
    lacking = [name for name in columns if isinstance(thing, pd.DataFrame) and name not in thing.columns]
    if lacking:
        raise ConfigError(f"the table to draw has no column {lacking[0]!r}; give what {made_by} returns")
    if ax is not None and not isinstance(ax, Axes):
        raise ConfigError(f"ax={ax!r} is no matplotlib Axes; give one, or leave it out for a new figure")
    with style():
        if ax is None:
            from matplotlib import pyplot  # it looks for a screen: only where a figure of its own is wanted

            ax = pyplot.subplots(figsize=_SIZE, layout="constrained")[1]
        yield ax
