"""The request as it came over the wire -> what is asked for, or why it is refused. Pure."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection
from fractions import Fraction
from urllib.parse import unquote_to_bytes

from capacity.calls.answers import FILTERS, Ask, Refusal
from capacity.ground.times import STEP, WEEK

_STEP = STEP.to_pytimedelta()
_WEEK = WEEK.to_pytimedelta()
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ENVS = ("sandbox", "pre-release", "live")
_KNOWN = ("start_time", "end_time", "client_env", "slice_by", *FILTERS)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)


def parse_path(raw: bytes) -> tuple[str, str]:
    """Return (account, project) of a raw path; a percent-encoded slash is part of an id.

    Raises
    ------
    Refusal
        404 for any other path.

    Examples
    --------
    >>> parse_path(b"/v1/ws-a%2Fb/PROJECT-1/conversations/concurrency")
    ('ws-a/b', 'PROJECT-1')
    """
    return ids_in(raw, "/v1/{account_id}/{project_id}/conversations/concurrency")


def ids_in(raw: bytes, pattern: str) -> tuple[str, str]:
    """Return (account, project) of a raw path that is like `pattern`; 404 for any other."""
    parts, wanted = raw.split(b"/"), pattern.encode().split(b"/")
    account, project = [*parts[2:4], b"", b""][:2]
    if not (account and project) or [*parts[:2], *parts[4:]] != [*wanted[:2], *wanted[4:]]:
        raise Refusal(404, f"no such path; there is {pattern}")
    try:
        return decoded(account), decoded(project)
    except UnicodeDecodeError as exc:
        raise Refusal(404, "no such account or project: the path is not UTF-8") from exc


def parse_query(raw: bytes) -> Ask:
    """Return what a raw query string asks for. A plus sign is a plus sign: spaces are encoded as %20.

    Raises
    ------
    Refusal
        400 for missing, malformed or contradictory parameters, 501 for slices that are not implemented.

    Examples
    --------
    >>> ask = parse_query(b"start_time=2021-07-01T14:02:00Z&end_time=2021-07-01T14:06:00Z")
    >>> ask.last - ask.first
    2
    """
    given, _ = parameters(raw, _KNOWN)
    start, end = time_of(given, "start_time", up=False), time_of(given, "end_time", up=True)
    if end <= start:
        raise Refusal(400, f"end_time {end.isoformat()} is not after start_time {start.isoformat()}")
    if end - start > _WEEK:
        raise Refusal(400, f"start_time and end_time are {end - start} apart; no more than 1 week is allowed")
    env = checked_env(given, ("variant_id", "variant_name"))
    slice_by = given.get("slice_by")
    if slice_by in ("language", "phone_number"):
        raise Refusal(501, f"slice_by={slice_by} is not implemented")
    if slice_by not in (None, "variant"):
        raise Refusal(400, f"slice_by {slice_by!r} is none of variant, language, phone_number")
    return Ask(
        first=(start - _EPOCH) // _STEP,
        last=-((_EPOCH - end) // _STEP),
        env=env,
        filters=tuple((name, given[name]) for name in FILTERS if name in given),
        sliced=slice_by is not None,
    )


def parameters(raw: bytes, once: Collection[str], often: str = "") -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the parameters that may be given once, and the values of the one that may be given often."""
    given: dict[str, str] = {}
    values: list[str] = []
    for part in raw.split(b"&"):
        name, _, value = part.partition(b"=")
        try:
            key, text = decoded(name), decoded(value)
        except UnicodeDecodeError as exc:
            raise Refusal(400, "the query is not percent-encoded UTF-8") from exc
        if often and key == often:
            values.append(text)
        elif key in once:
            if key in given or not text:
                raise Refusal(400, f"{key} is {'given twice' if key in given else 'empty'}")
            given[key] = text
    return given, tuple(values)


def checked_env(given: dict[str, str], *apart: tuple[str, str]) -> str:
    """Return the environment; 400 for an unknown one, and for parameters that exclude each other."""
    env = given.get("client_env", "live")
    if env not in _ENVS:
        raise Refusal(400, f"client_env {env!r} is none of {', '.join(_ENVS)}")
    for one, other in apart:
        if one in given and other in given:
            raise Refusal(400, f"{one} and {other} exclude each other; give one of them")
    return env


def decoded(raw: bytes) -> str:
    """Return percent-encoded UTF-8 as text."""
    return unquote_to_bytes(raw).decode("utf-8")


def time_of(given: dict[str, str], name: str, *, up: bool) -> dt.datetime:
    """Return a parameter that is a time, to the microsecond, rounded up or down; Refusal where it is none."""
    if name not in given:
        raise Refusal(400, f"{name} is missing")
    text = given[name]
    match = _RFC3339.fullmatch(text)
    problem = f"{name} {text[:40]!r} is no ISO 8601 time with an offset, such as 2021-07-01T14:15:00.000Z"
    if match is None:
        raise Refusal(400, problem)
    day, minute, second, fraction, offset = match.groups()
    try:
        whole = dt.datetime.fromisoformat(f"{day}T{minute}{second or ':00'}{offset.upper()}")
        # A fraction below a microsecond still lies after the whole one: it counts when rounding up.
        micros = Fraction(int((fraction or "0")[:18].ljust(18, "0")), 10**12)
        whole += dt.timedelta(microseconds=math.ceil(micros) if up else math.floor(micros))
        time = whole.astimezone(dt.UTC)
        time + _STEP  # rounding up has to stay within the calendar
    except (ValueError, OverflowError) as exc:
        raise Refusal(400, problem) from exc
    return time
