"""One request to the Concurrent Calls API: where it goes, what it asks, and what of it may be shown. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit

import pandas as pd

from capacity.errors import ConfigError
from capacity.fetch.windows import Window

REGIONS = {
    "us-1": "https://api.us-1.platform.polyai.app",
    "uk-1": "https://api.uk-1.platform.polyai.app",
    "euw-1": "https://api.euw-1.platform.polyai.app",
}
ENVIRONMENTS = ("live", "sandbox", "pre-release")
FILTERS = ("variant_id", "variant_name", "language", "phone_number")
SLICES = ("variant", "language", "phone_number")

_PHONE = re.compile(r"((?:phone|to|from)_number=)([^&\s\"'<>]+)")
_CURSOR = re.compile(r"(cursor=)([^&\s\"'<>]+)")  # opaque: it may hold anything
_NUMBER = re.compile(r"(?<![\w])(?!\d{4}-\d\d-\d\d)\+?\d(?:[ ().-]?\d){6,}")


@dataclass(frozen=True)
class Scope:
    """What a series of windows is asked for: account, project, environment, filters and slice.

    Attributes
    ----------
    account, project : str
        Opaque ids.
    env : str
        "live", "sandbox" or "pre-release".
    filters : tuple of (name, value)
        Sorted by name; every one narrows what is counted. In a scope that was read from a store the value of a
        phone number is its hash, "#..." (see `private`).
    by : str or None
        What the answer is sliced by; None for the unsliced series, TOTAL.
    """

    account: str
    project: str
    env: str = "live"
    filters: tuple[tuple[str, str], ...] = ()
    by: str | None = None

    def __post_init__(self) -> None:
        for what, value in (("account_id", self.account), ("project_id", self.project)):
            if not isinstance(value, str) or not value.strip() or value in (".", "..") or not _is_text(value):
                raise ConfigError(f"{what}={value!r} is no id; copy it from the URL of the project")
        if self.env not in ENVIRONMENTS:
            raise ConfigError(f"env={self.env!r} is no environment; it is one of {', '.join(ENVIRONMENTS)}")
        if self.by is not None and self.by not in SLICES:
            raise ConfigError(f"slice_by={self.by!r} is no slice; it is one of {', '.join(SLICES)}, or None")
        names = [name for name, _ in self.filters]
        if "variant_id" in names and "variant_name" in names:
            raise ConfigError("variant_id and variant_name were both given; the API takes one or the other")
        for name, value in self.filters:
            if not isinstance(value, str) or not value or not _is_text(value):
                shown = "..." if name == "phone_number" else repr(value)
                raise ConfigError(f"{name}={shown} is no filter value; give text, or leave it out")

    def narrowed(self, name: str, value: str) -> Scope:
        """Return the unsliced scope with one more filter."""
        filters = tuple(sorted([*self.filters, (name, value)]))
        return Scope(self.account, self.project, self.env, filters, None)

    @property
    def private(self) -> Scope:
        """The same scope without a phone number in it: a hash stands in. What is shown is this."""
        return self.hidden(hashed)

    def hidden(self, hide: Callable[[str], str]) -> Scope:
        """Return the same scope with what stands for each phone number. What a store writes is this."""
        return replace(self, filters=tuple((n, hide(v) if n == "phone_number" else v) for n, v in self.filters))

    @property
    def shown_filters(self) -> str:
        """The filters as text, "" where there are none; a phone number is its hash."""
        return ", ".join(f"{name}={value}" for name, value in self.private.filters)

    def __str__(self) -> str:
        sliced = f"by {self.by}" if self.by else "total"
        where = f" where {self.shown_filters}" if self.filters else ""
        return f"{self.account}/{self.project} {self.env} {sliced}{where}"

    def __repr__(self) -> str:
        return f"<Scope {self}>"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def hashed(number: str) -> str:
    """Return what stands for a phone number in the store."""
    if number.startswith("#"):
        return number
    return "#" + hashlib.sha256(number.encode()).hexdigest()[:16]


def base_of(region: str, base_url: str | None) -> str:
    """Return the base URL of a region, or the given one if it may carry a key.

    Raises
    ------
    ConfigError
        An unknown region, or a URL that is no http(s) URL, carries a user, a query or a fragment, or is plain
        http to another machine.

    Examples
    --------
    >>> base_of("uk-1", None)
    'https://api.uk-1.platform.polyai.app'
    """
    if base_url is None:
        if region not in REGIONS:
            raise ConfigError(f"region={region!r} is unknown; it is one of {', '.join(REGIONS)}, or give base_url=")
        return REGIONS[region]
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except (ValueError, AttributeError, TypeError) as exc:
        raise ConfigError(f"base_url={base_url!r} is no URL; write it like {REGIONS['us-1']}") from exc
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(f"base_url={base_url!r} is no http or https URL; write it like {REGIONS['us-1']}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("base_url carries a user, a query or a fragment; give scheme, host, port and path alone")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(f"base_url={base_url!r} would send the key unencrypted; use https (http is for loopback)")
    return base_url.rstrip("/")


def host_of(location: str) -> str:
    """Return the host of a URL, "" where it has none or is none."""
    try:
        return urlsplit(location).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url(base: str, scope: Scope, window: Window) -> str:
    """Return the whole URL of one request, every part percent-encoded (a space is %20, a plus %2B).

    Examples
    --------
    >>> january = Window(pd.Timestamp("2026-01-05", tz="UTC"), pd.Timestamp("2026-01-12", tz="UTC"))
    >>> url("https://host", Scope("ws-1", "P 2"), january).split("?")[0]
    'https://host/v1/ws-1/P%202/conversations/concurrency'
    """
    return f"{base}/v1/{_ids(scope)}/conversations/concurrency?{query(scope, window)}"


def query(scope: Scope, window: Window) -> str:
    """Return the raw query string.

    Examples
    --------
    >>> hour = Window(pd.Timestamp("2026-01-05T10:00Z"), pd.Timestamp("2026-01-05T11:00Z"))
    >>> query(Scope("A", "P", filters=(("variant_name", "v 1"),)), hour).split("&")[2:]
    ['client_env=live', 'variant_name=v%201']
    """
    items = [("start_time", iso(window.start)), ("end_time", iso(window.end)), ("client_env", scope.env)]
    items += scope.filters
    if scope.by is not None:
        items.append(("slice_by", scope.by))
    return encoded(items)


def _ids(scope: Scope) -> str:
    return f"{quote(scope.account, safe='')}/{quote(scope.project, safe='')}"


def encoded(items: Iterable[tuple[str, str]]) -> str:
    """Return names and values as a query string."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in items)


def calls_url(base: str, scope: Scope, items: Iterable[tuple[str, str]]) -> str:
    """Return the URL of a page of conversations, every part percent-encoded."""
    return f"{base}/v3/{_ids(scope)}/conversations?{encoded(items)}"


def iso(time: pd.Timestamp) -> str:
    """Return an instant of UTC as the service writes it."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.000Z"


def mask(text: str) -> str:
    """Return the text with every phone number of a query string cut down to its last two digits, and no cursor.

    Examples
    --------
    >>> mask("GET /v1?phone_number=%2B447856838428&client_env=live")
    'GET /v1?phone_number=***28&client_env=live'
    """
    return _CURSOR.sub(r"\1***", _PHONE.sub(lambda found: found[1] + masked_number(unquote(found[2])), text))


def without_numbers(text: str) -> str:
    """Return the text with everything that looks like a phone number cut down to its last two digits.

    Examples
    --------
    >>> without_numbers("no conversation of +44 7856 838428 on 2026-01-05T10:00:00Z")
    'no conversation of ***28 on 2026-01-05T10:00:00Z'
    """
    return _NUMBER.sub(lambda found: masked_number(found[0]), text)


def masked_number(number: str) -> str:
    """Return a phone number with only its last two digits left.

    Examples
    --------
    >>> masked_number("+447856838428")
    '***28'
    """
    if number.startswith("***"):
        return number
    return "***" + (number[-2:] if len(number) > 4 else "")
