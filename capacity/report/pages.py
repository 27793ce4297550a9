"""The report as files: its pages, and every chart alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from capacity.analysis.assessment import Assessment
from capacity.errors import ConfigError
from capacity.ground.arguments import check_kind
from capacity.report import alone, page_exhaustion, page_history, page_rhythm, page_trust, page_variants, page_verdict
from capacity.report.frame import PAGES
from capacity.report.panels import Panel, single
from capacity.report.sheet import Sheet, png
from capacity.report.theme import style

__all__ = ["page", "panels", "parts", "save", "sheets"]


class _Page(NamedTuple):
    draw: Callable[..., Sheet]
    says: Callable[[Assessment], str]
    panels: Sequence[Panel]


# By file name.
_PAGES = {
    "page-1-verdict": _Page(page_verdict.verdict, page_verdict.sentence, page_verdict.PANELS),
    "page-2-history": _Page(page_history.history, page_history.sentence, page_history.PANELS),
    "page-3-rhythm": _Page(page_rhythm.rhythm, page_rhythm.sentence, page_rhythm.PANELS),
    "page-4-variants": _Page(page_variants.variants, page_variants.sentence, page_variants.PANELS),
    "page-5-exhaustion": _Page(page_exhaustion.exhaustion, page_exhaustion.sentence, page_exhaustion.PANELS),
    "page-6-trust": _Page(page_trust.trust, page_trust.sentence, page_trust.PANELS),
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
    names = list(_PAGES)
    if not isinstance(number, int) or not 1 <= number <= len(names):
        raise ConfigError(f"number={number!r} is no page; the report has pages 1 to {len(names)}")
    with style():
        return png(_PAGES[names[number - 1]].draw(assessment, _count(assessment)).figure)


def sheets(assessment: Assessment) -> Iterator[Sheet]:
    """Yield the pages, drawn one after the other; within `style`. A seventh holds notes that find no room before."""
    count = _count(assessment)
    for made in _PAGES.values():
        yield made.draw(assessment, count)
    if count > len(_PAGES):
        yield page_trust.more_notes(assessment, count)


def _count(assessment: Assessment) -> int:
    return len(_PAGES) + bool(page_trust.overflow(assessment))


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
        The pages in order (a seventh where the notes need it), then the charts that there is something to draw for.

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
        for name, sheet in zip([*_PAGES, "page-7-notes"], sheets(assessment), strict=False):
            paths.append(out / f"{name}.png")
            png(sheet.figure, paths[-1])
        for panel in panels():
            if not panel.stands_alone(assessment):
                continue
            paths.append(out / f"chart-{panel.name}.png")
            png(single(panel, assessment).figure, paths[-1])
    return paths


def panels() -> list[Panel]:
    """Return every panel: those of the pages in order, then those that are files only."""
    return [*(panel for made in _PAGES.values() for panel in made.panels), *alone.PANELS]


def parts(assessment: Assessment) -> Iterator[tuple[str, str, Sequence[Panel]]]:
    """Yield for each page its name, what it says in a sentence, and its panels."""
    for name, made in zip(PAGES, _PAGES.values(), strict=True):
        yield name, made.says(assessment), made.panels
