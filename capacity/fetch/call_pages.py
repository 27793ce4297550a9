"""One day of conversations, page by page: the address of each page, and where a bad one is told from the last."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from capacity.errors import PayloadError
from capacity.fetch.call_windows import DayAsk
from capacity.fetch.conversations import SCHEMA, Page, parse_page
from capacity.fetch.endpoint import Scope, calls_url, iso
from capacity.fetch.keys import CALLS_KEY_VARIABLE
from capacity.fetch.windows import Window

LIMIT = 1000  # conversations a page: the most that the API gives
_BARREN = 20  # pages in a row without a new id; a server may cut pages down to a single row, and send rows twice


class Session(Protocol):
    """What is needed of the client's session."""

    @property
    def base(self) -> str:
        """The base URL."""

    async def get(self, url: str, scope: Scope, window: Window, read: Callable[[bytes], Page], *, key: str) -> Page:
        """Ask for one URL until it is answered."""


def page_url(base: str, scope: Scope, asked: Window, *, cursor: str = "", offset: int | None = None) -> str:
    """Return the whole URL of one page, every part percent-encoded.

    Examples
    --------
    >>> day = Window(pd.Timestamp("2026-01-05", tz="UTC"), pd.Timestamp("2026-01-06", tz="UTC"))
    >>> page_url("https://host", Scope("A", "P"), day, cursor="a+b").split("&")[2:]
    ['client_env=live', 'limit=1000', 'cursor=a%2Bb']
    """
    items = [("start_time", iso(asked.start)), ("end_time", iso(asked.end))]
    items += [("client_env", scope.env), ("limit", str(LIMIT))]
    for name, value in scope.filters:
        items += [(name, each) for each in (value.split(",") if name == "channel" else [value])]
    items += [("cursor", cursor)] if cursor else [("offset", str(offset))] if offset is not None else []
    return calls_url(base, scope, items)


async def all_pages(
    session: Session, ask: DayAsk, now: Callable[[], pd.Timestamp]
) -> tuple[pa.Table, npt.NDArray[np.uint64]]:
    """Return the rows of all pages, as they came, and who called in each row (see `Page`).

    Raises
    ------
    FetchError
        A page that was not answered after all retries, as the client raises it.
    PayloadError
        A cursor or an offset that came before, or page after page without a conversation that is new.
    """
    pages: list[Page] = []
    ids: set[int] = set()
    been: set[str | int] = set()
    cursor, offset, barren = "", None, 0
    while True:
        read = partial(parse_page, window=ask.window, asked_at=now().to_pydatetime(warn=False), env=ask.scope.env)
        url = page_url(session.base, ask.scope, ask.asked, cursor=cursor, offset=offset)
        page = await session.get(url, ask.scope, ask.window, read, key=CALLS_KEY_VARIABLE)
        if not len(page):
            break
        pages.append(page)
        known = len(ids)
        ids.update(page.ids.tolist())
        barren = 0 if len(ids) > known else barren + 1
        if barren >= _BARREN:
            raise _endless(f"{barren} pages in a row held no conversation that was new", ask.window)
        # An offset drifts while conversations are written: only where there never was a cursor.
        following = page.cursor or (page.next_offset if not cursor else None)
        if following is None or following == "":
            break
        if following in been or following == offset:
            what = "cursor" if page.cursor else "offset"
            raise _endless(f"page {len(pages)} leads back to a {what} that came before", ask.window)
        been.add(following)
        cursor, offset = (following, None) if isinstance(following, str) else ("", following)
    rows = pa.concat_tables([SCHEMA.empty_table(), *(page.rows for page in pages)])
    callers = np.concatenate([np.empty(0, np.uint64), *(page.callers for page in pages)])
    return rows, callers


def _endless(what: str, window: Window) -> PayloadError:
    return PayloadError(f"200, but {what}: the pages have no end", window=window, status=200)
