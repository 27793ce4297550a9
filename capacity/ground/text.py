"""How probabilities, days and counts are put into sentences for people who sign contracts."""

from __future__ import annotations

import datetime as dt
import html
from typing import Any

import pandas as pd

from capacity.ground.licences import Licences

__all__ = ["chance", "day", "held_from", "html_of", "moment", "plural"]


def chance(p: float) -> str:
    """Say a probability without false zeros: a share of sample paths is never certainty.

    Examples
    --------
    >>> [chance(p) for p in (0.0, 0.004, 0.376, 0.996, 1.0)]
    ['under 1 %', 'under 1 %', '38 %', 'over 99 %', 'over 99 %']
    """
    if p < 0.01:
        return "under 1 %"
    return "over 99 %" if p > 0.99 else f"{100 * p:.0f} %"


def day(date: dt.date) -> str:
    """Say a day.

    Examples
    --------
    >>> day(pd.Timestamp("2026-09-18"))
    'Fri 18 Sep 2026'
    """
    return f"{date:%a} {date.day} {date:%b %Y}"


def held_from(licences: Licences, date: pd.Timestamp) -> str:
    """Say which licences hold on a local day, and the steps after it.

    Examples
    --------
    >>> from capacity.ground.licences import as_licences
    >>> held_from(as_licences("80,2025-03-01:115,2026-08-01:150"), pd.Timestamp("2026-07-01"))
    '115, from Sat 1 Aug 2026: 150'
    """
    now = int(licences.on(pd.DatetimeIndex([date]))[0])
    steps = zip(licences.dates, licences.counts, strict=True)
    return ", ".join([f"{now:,}", *(f"from {day(start)}: {count:,}" for start, count in steps if start > date)])


def html_of(sentence: str, table: pd.DataFrame | None = None, **how: Any) -> str:
    """Return a sentence, and the table beneath it, as HTML; names in them are text, whatever they look like.

    Parameters
    ----------
    how
        Of ``DataFrame.to_html``.

    Examples
    --------
    >>> html_of("Licences for <b>: 5")
    '<p>Licences for &lt;b&gt;: 5</p>'
    """
    return f"<p>{html.escape(sentence)}</p>{'' if table is None else table.to_html(**how)}"


def moment(time: pd.Timestamp) -> str:
    """Say a local time to the minute.

    Examples
    --------
    >>> moment(pd.Timestamp("2026-09-18T10:35Z").tz_convert("Europe/London"))
    'Fri 18 Sep 2026 11:35'
    """
    return f"{day(time)} {time:%H:%M}"


def plural(n: int, noun: str) -> str:
    """Say a count with its noun.

    Examples
    --------
    >>> plural(1, "day"), plural(1200, "day")
    ('1 day', '1,200 days')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
