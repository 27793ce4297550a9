"""Results as pictures in a notebook: above their table, unless `show_pictures` leaves the tables alone."""

from __future__ import annotations

import base64
import html
import warnings
from typing import TYPE_CHECKING, Any

from capacity.errors import ConfigError
from capacity.ground.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Height of the sheet, then left, top, right and bottom of the axes in it [mm].
_SHEET = (80.0, 18.0, 12.0, 6.0, 14.0)
_SHEETS = {
    "gaps": (50.0, 38.0, 12.0, 16.0, 14.0),
    "pooling": (40.0, 4.0, 2.0, 66.0, 2.0),
    "return_levels": (60.0, 30.0, 12.0, 6.0, 14.0),
}

_on = True


def show_pictures(on: bool) -> None:
    """Show results in notebooks with their picture above the table, as from the start, or as tables alone.

    Parameters
    ----------
    on : bool
        False for tables alone, from the next result on.

    Examples
    --------
    >>> show_pictures(False)
    >>> show_pictures(True)
    """
    global _on
    _on = on


def register(shell: Any = None) -> None:
    """Do nothing; results show themselves through ``_repr_html_``."""
    warnings.warn(
        "register() does nothing: results show themselves; leave the call out", DeprecationWarning, stacklevel=2
    )


def picture(result: Result) -> bytes:
    """Return the picture of a result as PNG, for a screen.

    Parameters
    ----------
    result : Result
        Such as an Assessment, a Headroom or a PeakForecast.

    Raises
    ------
    ConfigError
        It has no picture.
    """
    from capacity.analysis.assessment import Assessment
    from capacity.report.sheet import Sheet, png
    from capacity.report.theme import style

    chart = _chart_of(result)
    with style():
        if isinstance(result, Assessment):
            from capacity.report.page_verdict import verdict

            return png(_screen(verdict(result).figure))
        height, left, top, right, bottom = _SHEETS.get(chart, _SHEET)
        sheet = Sheet((190.0, height))
        _screen(sheet.figure)  # first: charts measure their room in the dots they will have
        plot(result, sheet.axes(left, top, sheet.width - left - right, height - top - bottom))
        return png(sheet.figure)


def plot(result: Result, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a result with its chart: what ``result.plot`` calls.

    Raises
    ------
    ConfigError
        It has no picture.
    """
    from capacity.report import charts

    chart = _chart_of(result)
    drawn: Axes = getattr(charts, chart)(result, ax, **options)
    return drawn


def with_picture(result: Result) -> str:
    """Return the HTML of a result: its picture, if pictures are shown, and its table."""
    table = result._table()
    if not _on:
        return table
    try:
        data = base64.b64encode(picture(result)).decode("ascii")
    except Exception as exc:  # the figures matter more than their picture
        return f"{table}<p>No picture: {html.escape(f'{type(exc).__name__}: {exc}')}</p>"
    label = html.escape(str(result).split("\n", 1)[0], quote=True)
    return f'<img alt="{label}" style="max-width: 100%" src="data:image/png;base64,{data}"/>{table}'


def _chart_of(result: Result) -> str:
    chart = getattr(result, "_chart", "")
    if not chart:
        raise ConfigError(f"a {type(result).__name__} has no picture; give such as a Headroom or a PeakForecast")
    return str(chart)


def _screen(figure: Figure) -> Figure:
    figure.set_dpi(110)  # a screen, not paper: a notebook keeps every picture
    return figure
