"""The report as one PDF: the pages as vectors, with text that can be searched."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from capacity.analysis.assessment import Assessment
from capacity.ground.arguments import check_kind
from capacity.ground.files import replaced
from capacity.plan.ledger import Ledger
from capacity.report import page_ledger
from capacity.report.pages import sheets
from capacity.report.theme import style


def save_pdf(assessment: Assessment, path: str | os.PathLike[str], *, ledger: Ledger | None = None) -> Path:
    """Write the report's pages into one PDF, and return its path.

    The pages are those of `save`, as vectors; text can be searched and copied. The same assessment gives the same
    bytes.

    Parameters
    ----------
    assessment : Assessment
        As `capacity.assess` returns it.
    path : path
        File to write; one of the same name is replaced, whole or not at all.
    ledger : Ledger, optional
        Adds the page of its forecasts, as in `save`.

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        `path` is a folder, or `assessment` is something else.

    See Also
    --------
    capacity.report.save : the pages and every chart as PNG.
    capacity.report.save_html : one HTML file for e-mail.
    capacity.assess

    Examples
    --------
    >>> import capacity as cap, pandas as pd, tempfile
    >>> times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = cap.report.save_pdf(cap.assess(frame, 10, tz="UTC", seed=1), f"{folder}/report.pdf")
    ...     path.read_bytes()[:5]
    b'%PDF-'
    """
    check_kind(assessment, Assessment, "assessment", made_by="capacity.assess")
    found = page_ledger.kept(ledger, assessment)
    write(Path(path), f"Licences: {assessment.name}".rstrip(": "), (s.figure for s in sheets(assessment, found)))
    return Path(path)


def write(path: Path, title: str, figures: Iterable[Figure]) -> None:
    """Write figures into one PDF, whole or not at all; the same figures give the same bytes."""
    about = {"Title": title, "Creator": "capacity", "CreationDate": None}
    with replaced(path) as held, style(), mpl.rc_context({"pdf.fonttype": 42}), PdfPages(held, metadata=about) as pdf:
        for figure in figures:
            pdf.savefig(figure)
