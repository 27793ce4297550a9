"""Results that show themselves as pictures in a notebook.

The analyses know nothing of matplotlib, so their results show themselves as tables; `enable` puts the picture above.
"""

from __future__ import annotations

import base64
import html
from typing import Any

from matplotlib.figure import Figure

from capacity.errors import ConfigError
from capacity.report import charts
from capacity.report.sheet import Sheet, png
from capacity.report.theme import style

__all__ = ["enable", "picture"]

_SHOWN = {
    ("capacity.analysis.forecasting.paths", "PeakForecast"): "outlook",
    ("capacity.analysis.headroom", "Headroom"): "exhaustion",
    ("capacity.analysis.cost", "CostCurve"): "cost",
    ("capacity.analysis.diversity", "Diversity"): "pooling",
    ("capacity.analysis.assessment", "Assessment"): "page",
}


def enable(ip: Any = None) -> None:
    """Let forecasts, headroom, cost curves, diversity and assessments show themselves as pictures above their tables.

    Parameters
    ----------
    ip : IPython shell, optional
        By default the one that runs.

    Raises
    ------
    ConfigError
        There is no IPython shell.
    """
    if ip is None:
        try:
            from IPython import get_ipython
        except ImportError as exc:
            raise ConfigError("IPython is not installed; pictures show themselves in notebooks only") from exc
        ip = get_ipython()
    if ip is None:
        raise ConfigError("no IPython shell runs; call capacity.report.notebook.enable() in a notebook")
    # In the HTML, not as image/png beside it: of the two, notebooks show the HTML alone.
    formatter = ip.display_formatter.formatters["text/html"]
    for module, name in _SHOWN:
        formatter.for_type_by_name(module, name, _with_picture)


def picture(result: Any) -> bytes:
    """Return the picture of a result as PNG, for a screen.

    Parameters
    ----------
    result : PeakForecast, Headroom, CostCurve, Diversity or Assessment

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
    with style():
        if chart == "page":
            from capacity.report.page_verdict import verdict

            return png(_screen(verdict(result).figure))
        height = 40.0 if chart == "pooling" else 80.0
        sheet = Sheet((190.0, height))
        _screen(sheet.figure)  # first: charts measure their room in the dots they will have
        if chart == "pooling":
            charts.pooling(result, sheet.axes(4.0, 2.0, 120.0, height - 4.0))
        else:
            held = {"licences": result.licences} if chart == "outlook" else {}
            getattr(charts, chart)(result, sheet.axes(18.0, 12.0, 166.0, height - 26.0), **held)
        return png(sheet.figure)


def _with_picture(result: Any) -> str:
    data = base64.b64encode(picture(result)).decode("ascii")
    words = html.escape(str(result).split("\n", 1)[0], quote=True)
    own = result._repr_html_() if hasattr(result, "_repr_html_") else f"<p>{words}</p>"
    return f'<img alt="{words}" style="max-width: 100%" src="data:image/png;base64,{data}"/>{own}'


def _screen(figure: Figure) -> Figure:
    figure.set_dpi(110)  # a screen, not paper: a notebook keeps every picture
    return figure
