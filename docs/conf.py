"""Sphinx: ``sphinx-build -W docs docs/_build/html`` builds the documentation without a network."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import capacity

HERE = Path(__file__).parent

project = "capacity"
author = "The capacity developers"
release = version = capacity.__version__

extensions = [
    "myst_nb",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"capacity {release}"
html_static_path: list[str] = []

nb_execution_mode = "off"  # the notebooks are stored with their outputs, which tests hold
myst_heading_anchors = 3
autosummary_generate = True
numpydoc_show_class_members = False


def schema() -> list[tuple[str, str, str]]:
    """Return name, dtype and meaning (the comment beside it) of each column of `capacity.FLEET_SCHEMA`."""
    source = (HERE.parent / "capacity" / "fleet" / "table.py").read_text(encoding="utf-8")
    meaning = dict(re.findall(r'^ +"(\w+)": "[^"]+",(?:  # (.*))?$', source, re.MULTILINE))
    return [(name, kind, meaning[name]) for name, kind in capacity.FLEET_SCHEMA.items()]


autosummary_context = {"schema": schema()}  # for _templates/autosummary/data.rst
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 110)]

# Notebooks and the pictures of the README live outside this folder: built from copies.
for name, pattern in (("notebooks", "*.ipynb"), ("data", "*.png")):
    copies = HERE / "_copies" / name
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir(parents=True)
    for file in sorted((HERE.parent / name).glob(pattern)):
        shutil.copy(file, copies)
