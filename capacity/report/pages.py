"""The report as files: its pages, and every chart alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from capacity.analysis.assessment import Assessment
from capacity.errors import ConfigError
from capacity.ground.arguments import check_kind
from capacity.plan.ledger import Ledger
from capacity.report import (
    alone,
    page_exhaustion,
    page_history,
    page_ledger,
    page_rhythm,
    page_trust,
    page_variants,
    page_verdict,
)
from capacity.report.frame import PAGES
from capacity.report.page_ledger import Kept
from capacity.report.panels import Panel, single
from capacity.report.sheet import Sheet, png
from capacity.report.theme import style


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
    >>> cap.report.page(cap.assess(frame, 10, tz="UTC", seed=1), 1)[1:4]
    b'PNG'
    """
    check_kind(assessment, Assessment, "assessment", made_by="capacity.assess")
    names = list(_PAGES)
    if not isinstance(number, int) or not 1 <= number <= len(names):
        raise ConfigError(f"number={number!r} is no page; the report has pages 1 to {len(names)}")
    with style():
        return png(_PAGES[names[number - 1]].draw(assessment, _count(assessment)).figure)


def sheets(assessment: Assessment, found: Kept | None = None) -> Iterator[Sheet]:
    """Yield the pages, drawn one after the other; within `style`.

    After the six comes that of a ledger, where there is one, and one of notes that find no room before.
    """
    count = _count(assessment) + (found is not None)
    for made in _PAGES.values():
        yield made.draw(assessment, count)
    if found is not None:
        yield page_ledger.draw(assessment, found, count)
    if page_trust.overflow(assessment):
        yield page_trust.more_notes(assessment, count)


def _count(assessment: Assessment) -> int:
    return len(_PAGES) + bool(page_trust.overflow(assessment))


def save(assessment: Assessment, out_dir: str | os.PathLike[str], *, ledger: Ledger | None = None) -> list[Path]:
    """Write the report's pages, and every chart alone, as PNG files, and return their paths.

    Parameters
    ----------
    assessment : Assessment
        As `capacity.assess` returns it.
    out_dir : path
        Made if it is not there; files of the same names are replaced.
    ledger : Ledger, optional
        Adds a page: the forecasts that were kept in it beside what came, and what changed since the last one. It is
        only read; `capacity.Ledger.record` keeps this one.

    Returns
    -------
    list of Path
        The pages in order (with that of the ledger, and one more where the notes need it), then the charts that there
        is something to draw for.

    Raises
    ------
    ConfigError
        `out_dir` is a file, or `assessment` is none.
    StoreError
        A file of the ledger is damaged.

    See Also
    --------
    capacity.report.save_html : one HTML file for e-mail.
    capacity.report.save_pdf : one PDF.
    capacity.assess
    """
    check_kind(assessment, Assessment, "assessment", made_by="capacity.assess")
    found = page_ledger.kept(ledger, assessment)
    out = Path(out_dir)
    if out.exists() and not out.is_dir():
        raise ConfigError(f"out_dir={str(out)!r} is a file; name a directory")
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    names = [*_PAGES, *([] if found is None else [page_ledger.NAME])]
    with style():
        for name, sheet in zip([*names, f"page-{len(names) + 1}-notes"], sheets(assessment, found), strict=False):
            paths.append(out / f"{name}.png")
            png(sheet.figure, paths[-1])
        for panel in [*panels(), *([] if found is None else page_ledger.panels(found))]:
            if not panel.stands_alone(assessment):
                continue
            paths.append(out / f"chart-{panel.name}.png")
            png(single(panel, assessment).figure, paths[-1])
    return paths


def panels() -> list[Panel]:
    """Return every panel: those of the pages in order, then those that are files only."""
    return [*(panel for made in _PAGES.values() for panel in made.panels), *alone.PANELS]


def parts(assessment: Assessment, found: Kept | None = None) -> Iterator[tuple[str, str, Sequence[Panel]]]:
    """Yield for each page its name, what it says in a sentence, and its panels."""
    for name, made in zip(PAGES, _PAGES.values(), strict=True):
        yield name, made.says(assessment), made.panels
    if found is not None:
        yield page_ledger.TITLE, page_ledger.sentence(found), page_ledger.panels(found)
