"""The request for a page of conversations as it came over the wire -> what is asked for, or why it is refused. Pure."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass

from capacity.calls.answers import Refusal
from capacity.calls.query import checked_env, ids_in, parameters, time_of

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOST = 1000
_USUAL = 5
_COLUMNS = {"variant_id": "variant", "variant_name": "variant_name"}
_ONCE = ("start_time", "end_time", "client_env", "limit", "cursor", "offset", "in_progress", *_COLUMNS)


@dataclass(frozen=True)
class ListingAsk:
    """One request, understood.

    Attributes
    ----------
    first, last : int or None
        The half-open range of starts [us since 1970]; None where it is open.
    env : str
    limit : int
    at : int or None
        The place in the log to go on from, by a cursor.
    offset : int
        How many matches to skip, without a cursor.
    filters : tuple of (column, value)
    channels : tuple of str
        Any of them; empty for all.
    in_progress : bool or None
    """

    first: int | None
    last: int | None
    env: str
    limit: int
    at: int | None
    offset: int
    filters: tuple[tuple[str, str], ...]
    channels: tuple[str, ...]
    in_progress: bool | None


def parse_calls_path(raw: bytes) -> tuple[str, str]:
    """Return (account, project) of a raw path.

    Raises
    ------
    Refusal
        404 for any other path.

    Examples
    --------
    >>> parse_calls_path(b"/v3/ws-a%2Fb/PROJECT-1/conversations")
    ('ws-a/b', 'PROJECT-1')
    """
    return ids_in(raw, "/v3/{account_id}/{project_id}/conversations")


def parse_listing(raw: bytes) -> ListingAsk:
    """Return what a raw query string asks for.

    Raises
    ------
    Refusal
        400 for malformed or contradictory parameters.

    Examples
    --------
    >>> ask = parse_listing(b"limit=2&channel=voice&channel=chat")
    >>> ask.limit, ask.channels
    (2, ('voice', 'chat'))
    """
    given, channels = parameters(raw, _ONCE, "channel")
    first, last = (
        (time_of(given, name, up=True) - _EPOCH) // dt.timedelta(microseconds=1) if name in given else None
        for name in ("start_time", "end_time")
    )
    if first is not None and last is not None and first >= last:
        raise Refusal(400, "end_time is not after start_time")
    env = checked_env(given, ("variant_id", "variant_name"), ("cursor", "offset"))
    progress = given.get("in_progress")
    if progress not in (None, "true", "false"):
        raise Refusal(400, f"in_progress {progress!r} is neither true nor false")
    return ListingAsk(
        first=first,
        last=last,
        env=env,
        limit=_number(given, "limit", _USUAL, 1, _MOST),
        at=_place(given["cursor"]) if "cursor" in given else None,
        offset=_number(given, "offset", 0, 0, None),
        filters=tuple((column, given[p]) for p, column in _COLUMNS.items() if p in given),
        channels=channels,
        in_progress=None if progress is None else progress == "true",
    )


def cursor_of(place: int) -> str:
    """Return the cursor that goes on from a place in the log."""
    return base64.urlsafe_b64encode(f"at {place}".encode()).decode()


def _place(cursor: str) -> int:
    try:
        word, place = base64.urlsafe_b64decode(cursor.encode("ascii")).decode().split(" ")
        if word == "at" and place.isascii() and place.isdigit() and cursor_of(int(place)) == cursor:
            return int(place)
    except (ValueError, binascii.Error):
        pass
    raise Refusal(400, "the cursor is none of ours; take it from the page before")


def _number(given: dict[str, str], name: str, usual: int, least: int, most: int | None) -> int:
    text = given.get(name, str(usual))
    if text.isascii() and text.isdigit() and len(text) < 18 and least <= int(text) <= (most or int(text)):
        return int(text)
    raise Refusal(400, f"{name} {text[:40]!r} is no whole number {least} to {most or 'any'}")
