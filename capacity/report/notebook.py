"""Results that show themselves as pictures in a notebook.

The analyses know nothing of matplotlib, so their results show themselves as tables. Where an IPython shell runs,
``import capacity`` puts the picture above the table; ``capacity.report.notebook.show_pictures(False)`` leaves the
table alone.
"""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

from capacity.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["picture", "register", "show_pictures"]

# Module and name of a result, with its chart: "page" for that of the verdict.
_SHOWN = {
    ("capacity.analysis.assessment", "Assessment"): "page",
    ("capacity.analysis.backtest", "Backtest"): "coverage_of",
    ("capacity.analysis.cost", "CostCurve"): "cost",
    ("capacity.analysis.diversity", "Diversity"): "pooling",
    ("capacity.analysis.extremes", "ReturnLevels"): "return_levels",
    ("capacity.forecast.paths", "PeakForecast"): "outlook",
    ("capacity.analysis.headroom", "Headroom"): "exhaustion",
    ("capacity.analysis.peaks", "BusyHours"): "busy_hours",
    ("capacity.analysis.utilisation", "Utilisation"): "utilisation",
    ("capacity.ground.coverage", "Coverage"): "gaps",
}
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
    """Let a shell show results as pictures; ``import capacity`` does it for the one that runs.

    The classes are named, not imported, and matplotlib is loaded with the first picture.

    Parameters
    ----------
    shell : IPython shell, optional
        By default the one that runs; nothing happens where none does.
    """
    if shell is None:
        from IPython import get_ipython

        shell = get_ipython()
    if shell is None:
        return
    # In the HTML, not as image/png beside it: of the two, notebooks show the HTML alone. A terminal asks for neither.
    formatter = shell.display_formatter.formatters["text/html"]
    for module, name in _SHOWN:
        formatter.for_type_by_name(module, name, _with_picture)


def picture(result: Any) -> bytes:
    """Return the picture of a result as PNG, for a screen.

    Parameters
    ----------
    result
        An Assessment, Backtest, BusyHours, CostCurve, Coverage, Diversity, Headroom, PeakForecast, ReturnLevels or
        Utilisation.

    Raises
    ------
    ConfigError
        Something else, which has no picture.
    """
    kind = type(result)
    chart = _SHOWN.get((kind.__module__, kind.__qualname__))
    if chart is None:
        known = ", ".join(name for _, name in _SHOWN)
        raise ConfigError(f"a {kind.__qualname__} has no picture; these have: {known}")
    from capacity.report import charts
    from capacity.report.sheet import Sheet, png
    from capacity.report.theme import style

    with style():
        if chart == "page":
            from capacity.report.page_verdict import verdict

            return png(_screen(verdict(result).figure))
        height, left, top, right, bottom = _SHEETS.get(chart, _SHEET)
        sheet = Sheet((190.0, height))
        _screen(sheet.figure)  # first: charts measure their room in the dots they will have
        ax = sheet.axes(left, top, sheet.width - left - right, height - top - bottom)
        held = {"licences": result.licences} if chart == "outlook" else {}
        getattr(charts, chart)(result, ax, **held)
        return png(sheet.figure)


def _with_picture(result: Any) -> str | None:
    """Return the HTML of a result; None where it has none, so that its text is shown."""
    own: str | None = result._repr_html_() if hasattr(result, "_repr_html_") else None
    if not _on:
        return own
    words = str(result)
    table = f"<pre>{html.escape(words)}</pre>" if own is None else own
    try:
        data = base64.b64encode(picture(result)).decode("ascii")
    except Exception as exc:  # the figures matter more than their picture
        return f"{table}<p>No picture: {html.escape(f'{type(exc).__name__}: {exc}')}</p>"
    label = html.escape(words.split("\n", 1)[0], quote=True)
    return f'<img alt="{label}" style="max-width: 100%" src="data:image/png;base64,{data}"/>{table}'


def _screen(figure: Figure) -> Figure:
    figure.set_dpi(110)  # a screen, not paper: a notebook keeps every picture
    return figure
