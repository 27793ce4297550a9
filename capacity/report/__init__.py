"""Results to pictures: the report's pages as HTML, PDF and PNG, and every chart alone.

`save` writes the pages and charts of an assessment as PNG, `save_html` one HTML file, `save_pdf` one PDF, `save_fleet`
the page of a fleet; `page` returns one page. `capacity.report.charts` has every chart as a function of a result and an
optional ``ax``; `capacity.report.notebook.show_pictures` turns pictures in notebooks off.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capacity.report import charts as charts
    from capacity.report import notebook as notebook
    from capacity.report.fleet_files import save_fleet as save_fleet
    from capacity.report.html import save_html as save_html
    from capacity.report.pages import page as page
    from capacity.report.pages import save as save
    from capacity.report.pdf import save_pdf as save_pdf

# matplotlib is loaded with the first picture, not with the library.
_HOME = {
    "page": "capacity.report.pages",
    "save": "capacity.report.pages",
    "save_fleet": "capacity.report.fleet_files",
    "save_html": "capacity.report.html",
    "save_pdf": "capacity.report.pdf",
}
_MODULES = ("charts", "notebook")

__all__ = ["charts", "notebook", "page", "save", "save_fleet", "save_html", "save_pdf"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"capacity.report.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'capacity.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
