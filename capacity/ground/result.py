"""Base class of results: a short repr, HTML for notebooks, a table and, where there is one, a picture."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_SHORT = 200  # characters of a repr
_ROWS = 60  # of a table in HTML; the rest is summarised, as pandas does


class Result:
    """Base class of results: text by ``print``, a table by `to_frame`, a picture by `plot` where there is one.

    In a notebook a result is shown as its picture and its table. To write a result class, derive a frozen dataclass
    with ``eq=False, repr=False``, define ``__str__`` (a sentence, then the table) and `to_frame`, and name the chart
    in ``_chart``.

    Attributes
    ----------
    _chart : str
        The function of `capacity.report.charts` that draws it, "" for none.

    See Also
    --------
    capacity.report.notebook.show_pictures

    Examples
    --------
    >>> import capacity as cap
    >>> class Answer(cap.Result):
    ...     def to_frame(self):
    ...         return pd.DataFrame({"calls": [42]})
    ...
    ...     def __str__(self):
    ...         return "42 calls."
    >>> Answer()
    <Answer: 42 calls.>
    """

    _chart: ClassVar[str] = ""

    def to_frame(self) -> pd.DataFrame:
        """Return the result as a table."""
        raise NotImplementedError(f"{type(self).__name__} defines no table")

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the result.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options
            Passed on to the chart in `capacity.report.charts`.

        Returns
        -------
        Axes

        Raises
        ------
        ConfigError
            This kind of result has no picture.
        """
        from capacity.report.notebook import plot

        return plot(self, ax, **options)

    def _table(self) -> str:
        """Return the sentence and the table as HTML, without the picture; names in them are escaped."""
        table = self.to_frame().to_html(max_rows=_ROWS, show_dimensions=True)
        return f"<p>{html.escape(str(self).splitlines()[0])}</p>{table}"

    def __repr__(self) -> str:
        first = (str(self).splitlines() or [""])[0]
        return f"<{type(self).__name__}: {first if len(first) <= _SHORT else first[: _SHORT - 3] + '...'}>"

    def _repr_html_(self) -> str:
        if not self._chart:
            return self._table()
        from capacity.report.notebook import with_picture

        return with_picture(self)
