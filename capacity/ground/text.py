"""Chances, shares, days and counts in words, for pages, printed text and errors."""

from __future__ import annotations

import datetime as dt
import html
import textwrap
from typing import Any

import pandas as pd

from capacity.ground.calendar import SHORT_WEEKDAYS
from capacity.ground.licences import Licences

# Not strftime's: these do not change with the reader's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def chance(p: float) -> str:
    """Return a probability in words; a share of sample paths is never called impossible or certain.

    Examples
    --------
    >>> [chance(p) for p in (0.0, 0.004, 0.376, 0.996, 1.0)]
    ['under 1%', 'under 1%', '38%', 'over 99%', 'over 99%']
    """
    if p < 0.01:
        return "under 1%"
    return "over 99%" if p > 0.99 else f"{100 * p:.0f}%"


def percent(share: float) -> str:
    """Return a measured share of 0 to 1 in per cent; a small one is not written 0%, nor a large one 100%.

    Examples
    --------
    >>> [percent(p) for p in (0, 0.0004, 0.004, 0.034, 0.5, 0.9996, 1, 1.25)]
    ['0%', '<0.1%', '0.4%', '3%', '50%', '>99.9%', '100%', '125%']
    """
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    digits = 1 if 0 < share < 0.0095 or 0.9905 < share < 1 else 0
    return f"{100 * share:.{digits}f}%"


def count(value: float, digits: int = 0) -> str:
    """Return a number with its thousands kept apart.

    Examples
    --------
    >>> count(30000), count(2.345, 1)
    ('30,000', '2.3')
    """
    return f"{value:,.{digits}f}"


def day(date: dt.date, *, weekday: bool = True, year: bool = True) -> str:
    """Return a day in words, the same in every locale.

    Examples
    --------
    >>> day(pd.Timestamp("2026-09-18")), day(pd.Timestamp("2026-09-18"), weekday=False)
    ('Fri 18 Sep 2026', '18 Sep 2026')
    """
    parts = [SHORT_WEEKDAYS[date.weekday()]] if weekday else []
    parts += [str(date.day), _MONTHS[date.month - 1], *([str(date.year)] if year else [])]
    return " ".join(parts)


def columns_of(table: pd.DataFrame) -> str:
    """Return a table of words as text: the index at the left, long column names over several lines.

    Examples
    --------
    >>> print(columns_of(pd.DataFrame({"days above a month": ["0.3"]}, index=["now"])))
           days above
              a month
      now         0.3
    """
    heads = [textwrap.wrap(str(name), 11, break_long_words=False) or [""] for name in table.columns]
    height = max(len(head) for head in heads)
    body = [[str(v) for v in table[name]] for name in table.columns]
    columns = [[""] * (height - len(head)) + head + cells for head, cells in zip(heads, body, strict=True)]
    first = [""] * height + [str(i) for i in table.index]
    wide = [max(map(len, column)) for column in columns]
    left = max(map(len, first))
    rows = zip(first, *columns, strict=True)
    return "\n".join(
        "  ".join([f"  {name:<{left}}", *(f"{cell:>{w}}" for cell, w in zip(cells, wide, strict=True))]).rstrip()
        for name, *cells in rows
    )


def held_from(licences: Licences, date: pd.Timestamp) -> str:
    """Return which licences hold on a local day, and the steps after it.

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
    """Return a sentence, and the table beneath it, as HTML; names in them are escaped.

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


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def moment(time: pd.Timestamp, *, weekday: bool = True) -> str:
    """Return a local time to the minute.

    Examples
    --------
    >>> moment(pd.Timestamp("2026-09-18T10:35Z").tz_convert("Europe/London"))
    'Fri 18 Sep 2026 11:35'
    """
    return f"{day(time, weekday=weekday)} {time:%H:%M}"


def plural(n: int, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "day"), plural(1200, "day")
    ('1 day', '1,200 days')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
