"""The page of a fleet as a file: a picture, a PDF, or one HTML file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

from capacity.errors import ConfigError
from capacity.fleet.result import Fleet
from capacity.ground.arguments import check_kind
from capacity.ground.files import replaced
from capacity.report import pdf
from capacity.report.html_fleet import page
from capacity.report.page_fleet import figure, further
from capacity.report.sheet import png


def save_fleet(fleet: Fleet, path: str | os.PathLike[str]) -> Path:
    """Write the page of a fleet as a picture, a PDF or one HTML file, and return its path.

    Parameters
    ----------
    fleet : Fleet
        As `capacity.assess_fleet` returns it.
    path : path
        The file, which one of that name is replaced by, whole or not at all. Its ending says what it is: ``.png``, one
        page, A4 landscape at 200 dots an inch; ``.pdf``, the same page, followed by what it has no room for and by the
        reason of every project without a verdict; ``.html``, all of it, with tables that can be sorted and copied, to
        be read in a browser without a network.

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        Another ending, `path` is a folder, or `fleet` is something else.

    See Also
    --------
    save : The report on one project.

    Examples
    --------
    >>> import capacity as cap, pandas as pd, tempfile
    >>> plan = pd.DataFrame({"project": ["hotel"], "store": ["no-such-folder"], "licences": [40], "tz": ["UTC"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = cap.report.save_fleet(cap.assess_fleet(plan, workers=1), f"{folder}/fleet.html")
    ...     "hotel" in path.read_text(encoding="utf-8")
    True
    """
    check_kind(fleet, Fleet, "fleet", made_by="capacity.assess_fleet")
    kind = Path(path).suffix.lower()
    if kind not in _KINDS:
        raise ConfigError(f"path={str(path)!r} ends in {kind or 'nothing'}; it is one of {', '.join(_KINDS)}")
    _KINDS[kind](fleet, Path(path))
    return Path(path)


def _png(fleet: Fleet, path: Path) -> None:
    with replaced(path) as held:
        held.write(png(figure(fleet)))


def _pdf(fleet: Fleet, path: Path) -> None:
    pdf.write(path, "Fleet", itertools.chain([figure(fleet)], further(fleet)))


def _html(fleet: Fleet, path: Path) -> None:
    text = page(fleet, path.parent / "reports")
    with replaced(path) as held:
        held.write(text.encode())


_KINDS: dict[str, Callable[[Fleet, Path], None]] = {".png": _png, ".pdf": _pdf, ".html": _html}
