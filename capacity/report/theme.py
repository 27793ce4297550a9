"""The look of the report: colours, type, and the words in which numbers and dates are written.

Nothing here touches matplotlib's global state at import, and `pyplot` is never imported: figures are made with
``Figure`` and drawn by Agg, so that a report can be made in any thread and on a machine without a screen.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties, fontManager, get_font

from capacity.ground.floats import usual_errstate
from capacity.ground.text import day as in_words

# One colour, one meaning, on every page. Told apart by lightness too: they survive a grey printer and colour-blindness.
INK = "#17212B"  # words and figures
MUTED = "#5A6672"  # words that explain
RULE = "#D5DBE1"  # hairlines
VOID = "#E9EDF0"  # where there is no data
TINT = "#F3F6F8"  # the ground of a table row
DEMAND = "#143D66"  # what was measured
FORECAST = "#3F8FC9"  # what is expected
LICENCE = "#C8501E"  # what was bought
STANDOUT = "#8A5A9E"  # days out of the ordinary
BANDS = ("#D7E8F5", "#A9CDE9", "#72AEDC")  # central 95, 80 and 50% of the forecast

CAPTION = 7.0  # [pt], the smallest type on a page

_FAMILY = "DejaVu Sans"  # comes with matplotlib: the same page on every machine
# Fonts that may be there and know signs which DejaVu does not; used for those signs alone.
_OTHERS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "Yu Gothic",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Zen Hei",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
)
_SPACE = re.compile(r"\s+")
_UNKNOWN = "\N{WHITE SQUARE}"
_HEBREW_OR_ARABIC = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff"
_RIGHT_TO_LEFT = re.compile(f"[{_HEBREW_OR_ARABIC}](?:[^A-Za-z]*[{_HEBREW_OR_ARABIC}])?")
_SHAPES = tuple(int(n) for n in mpl.__version__.split(".")[:2]) >= (3, 11)  # older ones draw signs in a row
_DPI = 200


@lru_cache(maxsize=1)
def _families() -> tuple[str, ...]:
    installed = {entry.name for entry in fontManager.ttflist}
    return (_FAMILY, *(name for name in _OTHERS if name in installed))


@lru_cache(maxsize=1)
def _signs() -> frozenset[int]:
    known: set[int] = set()
    for family in _families():
        path = fontManager.findfont(FontProperties(family=[family]), fallback_to_default=True)
        known.update(get_font(path).get_charmap())
    return frozenset(known)


def _rc() -> dict[str, Any]:
    """Return the settings of ``report.mplstyle``, with the fonts that are here."""
    path = str(Path(__file__).with_name("report.mplstyle"))
    settings: Any = mpl.rc_params_from_file(path, use_default_template=False)
    return {**settings, "font.family": list(_families())}


_LOCK = threading.RLock()
_KEEP = ("backend", "backend_fallback", "interactive", "toolbar", "webagg.", "savefig.directory", "tk.")
_depth = 0


@contextmanager
def style() -> Iterator[None]:
    """Draw in the look of the report, whatever the caller's settings, and leave these as they were.

    matplotlib's settings belong to the process: a lock keeps two reports in two threads apart.

    Examples
    --------
    >>> import matplotlib
    >>> before = matplotlib.rcParams["font.size"]
    >>> with style():
    ...     inside = matplotlib.rcParams["font.size"]
    >>> inside, matplotlib.rcParams["font.size"] == before
    (8.0, True)
    """
    global _depth
    with _LOCK:
        if _depth:
            yield
            return
        with mpl.rc_context(), usual_errstate():
            settings: Any = mpl.rcParams
            settings.update({k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith(_KEEP)} | _rc())
            _depth += 1
            try:
                yield
            finally:
                _depth -= 1


def on_shade(colour: tuple[float, ...]) -> str:
    """Return the ink that is read best on a colour (red, green, blue of 0 to 1): its contrast is at least 4.5.

    Source: relative luminance and contrast ratio of WCAG 2.2.

    Examples
    --------
    >>> on_shade((1.0, 1.0, 1.0)), on_shade((0.1, 0.2, 0.4))
    ('black', 'white')
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


# Words -------------------------------------------------------------------------------------------------------------


def day(date: Any, *, year: bool = True) -> str:
    """Return a date without its weekday: charts have little room."""
    return in_words(pd.Timestamp(date), weekday=False, year=year)


def readable(text: str) -> bool:
    """Say whether at least half of the signs of `text` can be drawn.

    Examples
    --------
    >>> readable("Reservas"), readable("\U000f0000\U000f0001")
    (True, False)
    """
    drawn = plain(text).replace(" ", "")
    return len(drawn) > 0 and 2 * drawn.count(_UNKNOWN) <= len(drawn)


def plain(text: object) -> str:
    r"""Return text that can be drawn: one line, pictograms left out, a white square for each other unknown sign.

    Words that run from right to left are isolated, so that dates and numbers beside them stay in their order.

    Examples
    --------
    >>> plain("Sales\nEMEA"), plain("$5_off"), plain("party \N{PARTY POPPER}")
    ('Sales EMEA', '$5_off', 'party')
    """
    signs = _signs()
    line = unicodedata.normalize("NFC", _SPACE.sub(" ", str(text)).strip())
    kept = [c for c in line if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Mn")]
    shown = [c if ord(c) in signs else _UNKNOWN for c in kept if ord(c) in signs or unicodedata.category(c) != "So"]
    return _isolated("".join(shown).strip())


def _isolated(line: str) -> str:
    if not _SHAPES or not _RIGHT_TO_LEFT.search(line):
        return line
    return "\N{LEFT-TO-RIGHT MARK}" + _RIGHT_TO_LEFT.sub(
        lambda run: f"\N{FIRST STRONG ISOLATE}{run[0]}\N{POP DIRECTIONAL ISOLATE}", line
    )


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: str = "normal", dpi: float = _DPI) -> float:
    """Return the width of a line of text [pt] at `size` [pt]; hinting makes letters wider on coarse grids."""
    if not text:
        return 0.0
    properties = FontProperties(family=list(_families()), size=size, weight=weight)
    # Both arguments by position: their names differ between versions of matplotlib.
    renderer: Any = RendererAgg
    width, _, _ = renderer(1, 1, dpi).get_text_width_height_descent(text, properties, False)
    return float(width) * 72.0 / dpi


def shorten(text: str, width: float, size: float, weight: str = "normal") -> str:
    """Cut text to `width` [pt], in its middle, so that names with the same beginning stay apart.

    Examples
    --------
    >>> shorten("Reservations", 200, 8)
    'Reservations'
    >>> short = shorten("Reservations, northern region, second line", 100, 8)
    >>> short[:8], "…" in short, short[-4:]
    ('Reservat', True, 'line')
    """
    if text_width(text, size, weight) <= width:
        return text
    lo, hi = 0, len(text)
    while lo < hi:
        keep = (lo + hi + 1) // 2
        if text_width(_cut(text, keep), size, weight) <= width:
            lo = keep
        else:
            hi = keep - 1
    return _cut(text, lo)


def _cut(text: str, keep: int) -> str:
    head = (keep + 1) // 2
    return f"{text[:head].rstrip()}…{text[len(text) - (keep - head) :].lstrip()}"


def wrap(text: str, width: float, size: float, weight: str = "normal", lines: int | None = None) -> list[str]:
    """Break text into lines of at most `width` [pt]; with `lines` given, cut what does not fit in so many.

    Examples
    --------
    >>> wrap("Licences are passed within 90 days", 90, 8)
    ['Licences are passed', 'within 90 days']
    """
    out: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):  # not at a no-break space
            trial = f"{line} {word}" if line else word
            if line and text_width(trial, size, weight) > width:
                out.append(line)
                line = word
            else:
                line = trial
        out.append(line)
    out = [shorten(line, width, size, weight) for line in out]
    if lines is not None and len(out) > lines:
        rest = f"{out[lines - 1]} …"
        while text_width(rest, size, weight) > width and " " in rest[:-2]:
            rest = rest[:-2].rsplit(" ", 1)[0] + " …"
        out = [*out[: lines - 1], rest]
    return out


def number_of(day_index: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return naive or aware times as days since 1970, matplotlib's date numbers."""
    index = pd.DatetimeIndex(day_index)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return np.where(index.isna(), np.nan, index.as_unit("ns").asi8 / 86_400e9)
