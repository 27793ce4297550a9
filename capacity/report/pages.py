"""The report as files: its pages, and every chart alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from capacity.analysis.assessment import Assessment
from capacity.errors import ConfigError
from capacity.ground.arguments import check_kind
from capacity.report import alone, page_exhaustion, page_history, page_rhythm, page_trust, page_variants, page_verdict
from capacity.report.frame import PAGES
from capacity.report.panels import Panel, single
from capacity.report.sheet import Sheet, png
from capacity.report.theme import style

__all__ = ["page", "panels", "parts", "save", "sheets"]

# File name -> the page, and the panels of which it is made.
_PAGES: dict[str, tuple[Callable[[Assessment], Sheet], Sequence[Panel]]] = {
    "page-1-verdict": (page_verdict.verdict, page_verdict.PANELS),
    "page-2-history": (page_history.history, page_history.PANELS),
    "page-3-rhythm": (page_rhythm.rhythm, page_rhythm.PANELS),
    "page-4-variants": (page_variants.variants, page_variants.PANELS),
    "page-5-exhaustion": (page_exhaustion.exhaustion, page_exhaustion.PANELS),
    "page-6-trust": (page_trust.trust, page_trust.PANELS),
}


def page(assessment: Assessment, number: int) -> bytes:
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
        There is no such page, or `assessment` is none.

    Examples
    --------
    >>> import capacity as cap, pandas as pd
    >>> times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    >>> page(cap.assess(frame, 10, tz="UTC", seed=1), 1)[1:4]
    b'PNG'
    """
    check_kind(assessment, Assessment, "assessment", made_by="capacity.assess")
    draws = [draw for draw, _ in _PAGES.values()]
    if not isinstance(number, int) or not 1 <= number <= len(draws):
        raise ConfigError(f"number={number!r} is no page; the report has pages 1 to {len(draws)}")
    with style():
        return png(draws[number - 1](assessment).figure)


def save(assessment: Assessment, out_dir: str | os.PathLike[str]) -> list[Path]:
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
        The pages in order, then the charts; of these only the ones that there is something to draw for.

    Raises
    ------
    ConfigError
        `out_dir` is a file, or `assessment` is none.
    """
    check_kind(assessment, Assessment, "assessment", made_by="capacity.assess")
    out = Path(out_dir)
    if out.exists() and not out.is_dir():
        raise ConfigError(f"out_dir={str(out)!r} is a file; name a directory")
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    with style():
        for name, sheet in zip(_PAGES, sheets(assessment), strict=True):
            paths.append(out / f"{name}.png")
            png(sheet.figure, paths[-1])
        for panel in panels():
            if not panel.stands_alone(assessment):
                continue
            paths.append(out / f"chart-{panel.name}.png")
            png(single(panel, assessment).figure, paths[-1])
    return paths


def sheets(assessment: Assessment) -> Iterator[Sheet]:
    """Yield the pages, drawn one after the other; within `style`."""
    for draw, _ in _PAGES.values():
        yield draw(assessment)


def panels() -> list[Panel]:
    """Return every panel: those of the pages in order, then those that are files only."""
    return [*(panel for _, drawn in _PAGES.values() for panel in drawn), *alone.PANELS]


def parts(assessment: Assessment) -> Iterator[tuple[str, str, Sequence[Panel]]]:
    """Yield for each page its name, what it says in a sentence, and its panels."""
    for name, (_, drawn) in zip(PAGES, _PAGES.values(), strict=True):
        yield name, "", drawn
