"""Events and tariffs from TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capacity.errors import ConfigError
from capacity.ground.event import Event, as_events
from capacity.ground.tariff import Burst, Package, Tariff

__all__ = ["read_events", "read_tariff"]

_EVENT = ("name", "date", "calls", "until", "probability", "ramp", "pattern", "variant", "reason")
_TARIFF = ("licence_price", "lot", "billing", "commitment", "notice", "burst", "package", "lost_call_cost")
_BURST = ("channels", "price", "times", "multiple", "per_minute", "measure")
_PACKAGE = ("price", "included", "overage", "of")


def read_events(path: str | Path) -> tuple[Event, ...]:
    """Return the events of a TOML file.

    Parameters
    ----------
    path : str or Path
        Each event is a table ``[[event]]`` with the arguments of `capacity.Event`.

    Raises
    ------
    ConfigError
        The file cannot be read, is not TOML, or holds something else; the message names the file and the event.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... [[event]]
    ... name = "Hotels go live"
    ... date = [2026-03-01, 2026-04-01]   # the earliest and the latest day
    ... calls = [20, 35, 60]              # low, likely, high
    ... ramp = 14                         # days
    ... probability = 0.8
    ... reason = "Letter of intent of 12 January"
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "events.toml"
    ...     _ = path.write_text(text)
    ...     print(read_events(path)[0])
    Hotels go live: 20 to 60 calls more (likely 35) between Sun 1 Mar 2026 and Wed 1 Apr 2026, over 14 days, with a \
chance of 80%. Letter of intent of 12 January
    """
    table = _read(path)
    rows = table.get("event", [])
    if set(table) - {"event"} or not isinstance(rows, list):
        raise ConfigError(f"{path}: every event must be a table of its own that begins with [[event]]")
    events = []
    for number, row in enumerate(rows, 1):
        where = f"{path}: event {number}"
        known = _known(row, _EVENT, where, needed=("name", "date", "calls"))
        try:
            events.append(Event(known.pop("name"), known.pop("date"), known.pop("calls"), **known))
        except ConfigError as exc:
            raise ConfigError(f"{path}: {exc}") from exc
    try:
        return as_events(events)
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc}") from exc


def read_tariff(path: str | Path) -> Tariff:
    """Return the tariff of a TOML file.

    Parameters
    ----------
    path : str or Path
        The arguments of `capacity.Tariff`; ``[burst]`` and ``[package]`` are tables with those of `capacity.Burst`
        and `capacity.Package`.

    Raises
    ------
    ConfigError
        The file cannot be read, is not TOML, or holds something else; the message names the file and the key.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... licence_price = 240     # a year
    ... lot = 10
    ... commitment = "1y"
    ... notice = "30d"
    ... lost_call_cost = 1.5
    ...
    ... [burst]
    ... times = 3               # up to three times the licences,
    ... channels = 300          # at most 300 above them,
    ... multiple = 2            # at double rate
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tariff.toml"
    ...     _ = path.write_text(text)
    ...     print(read_tariff(path))
    Licences at 240 a year in lots of 10, kept for 365 days, notice of 30 days, bursts: up to 3 times the licences, \
at most 300 above them at 2 times the price; a lost call costs 1.5
    """
    known = _known(_read(path), _TARIFF, str(path), needed=("licence_price",))
    try:
        if "burst" in known:
            known["burst"] = Burst(**_known(known["burst"], _BURST, f"{path}: [burst]"))
        if "package" in known:
            known["package"] = Package(**_known(known["package"], _PACKAGE, f"{path}: [package]", needed=_PACKAGE[:3]))
        return Tariff(**known)
    except ConfigError as exc:
        text = str(exc)
        raise ConfigError(text if text.startswith(str(path)) else f"{path}: {text}") from exc


def _read(path: str | Path) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {why}") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path} is not TOML: {exc}") from exc


def _known(row: Any, keys: tuple[str, ...], where: str, *, needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the table, whose keys are all known and hold those that are needed."""
    if not isinstance(row, Mapping):
        raise ConfigError(f"{where} must be a table of keys and values, not {row!r}")
    unknown = sorted(set(row) - set(keys))
    if unknown:
        raise ConfigError(f"{where} has no key {unknown[0]!r}; there are {', '.join(keys)}")
    missing = [key for key in needed if key not in row]
    if missing:
        raise ConfigError(f"{where} lacks {' and '.join(missing)}")
    return dict(row)
