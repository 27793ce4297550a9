"""The report as files: its pages, and every chart alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from capacity.errors import ConfigError
from capacity.report.page_verdict import verdict
from capacity.report.sheet import Sheet, png
from capacity.report.theme import style

__all__ = ["page", "save"]

# File name -> the page.
_PAGES: dict[str, Callable[[Any], Sheet]] = {"page-1-verdict": verdict}


def page(assessment: Any, number: int) -> bytes:
    """Return one page of the report as PNG, A4 landscape at 200 dots an inch.

    Parameters
    ----------
    assessment : Assessment
        As `capacity.assess` returns it.
    number : int
        From 1.

    Raises
    ------
    ConfigError
        There is no such page.
    """
    draws = list(_PAGES.values())
    if not 1 <= number <= len(draws):
        raise ConfigError(f"number={number!r} is no page; the report has pages 1 to {len(draws)}")
    with style():
        return png(draws[number - 1](assessment).figure)


def save(assessment: Any, out_dir: str | os.PathLike[str]) -> list[Path]:
    """Write the report's pages, and every chart alone, as PNG files.

    Parameters
    ----------
    assessment : Assessment
        As `capacity.assess` returns it.
    out_dir : path
        Made if it is not there; files of the same names are replaced.

    Returns
    -------
    list of Path
        The pages in order, then the charts.

    Raises
    ------
    ConfigError
        `out_dir` is a file.
    """
    out = Path(out_dir)
    if out.exists() and not out.is_dir():
        raise ConfigError(f"out_dir={str(out)!r} is a file; name a directory")
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    with style():
        for name, draw in _PAGES.items():
            paths.append(out / f"{name}.png")
            png(draw(assessment).figure, paths[-1])
    return paths
