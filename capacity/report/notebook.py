"""Results that show themselves as pictures in a notebook.

The analyses know nothing of matplotlib, so their results show themselves as tables; `enable` adds the pictures.
"""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from capacity.errors import ConfigError
from capacity.report import charts
from capacity.report.sheet import Sheet, png
from capacity.report.theme import style

__all__ = ["enable"]

_SHOWN = {
    ("capacity.analysis.paths", "PeakForecast"): "outlook",
    ("capacity.analysis.headroom", "Headroom"): "exhaustion",
}


def enable(ip: Any = None) -> None:
    """Let PeakForecast, Headroom and Assessment show themselves as pictures, beside their tables.

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
    formatter = ip.display_formatter.formatters["image/png"]
    for (module, name), chart in _SHOWN.items():
        formatter.for_type_by_name(module, name, _drawer(chart))
    formatter.for_type_by_name("capacity.analysis.assessment", "Assessment", _first_page)


def _drawer(chart: str) -> Any:
    def draw(result: Any) -> bytes:
        with style():
            sheet = Sheet((190.0, 80.0))
            getattr(charts, chart)(result, sheet.axes(14.0, 12.0, 170.0, 56.0))
            return png(_screen(sheet.figure))

    return draw


def _first_page(assessment: Any) -> bytes:
    from capacity.report.page_verdict import verdict

    with style():
        return png(_screen(verdict(assessment).figure))


def _screen(figure: Figure) -> Figure:
    figure.set_dpi(110)  # a screen, not paper: a notebook keeps every picture
    return figure
