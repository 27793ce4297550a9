"""The exports that are known, by their columns; the table is ``exports.toml``."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import pyarrow as pa

from capacity.calls.kinds import kinds_of
from capacity.calls.reading import Reading, key, short
from capacity.calls.words import Words, option
from capacity.errors import ConfigError, FrameError


@functools.cache
def tables() -> dict[str, Any]:
    """Return what ``exports.toml`` says."""
    return tomllib.loads(resources.files("capacity.calls").joinpath("exports.toml").read_text("utf-8"))


def exports() -> list[str]:
    """Return the names of the exports that are known."""
    return [export["name"] for export in tables()["export"]]


def known_readings(names: Sequence[str], words: Words) -> list[Reading]:
    """Return the readings of the export that is said or whose columns these are."""
    if words.like == "none":
        return []
    there_are = {export["name"]: export for export in tables()["export"]}
    if words.like is not None and words.like not in there_are:
        raise ConfigError(f"{option('like')} {words.like!r} is not known; there are {', '.join(there_are)}, none")
    there = {key(n): n for n in reversed(names)} | {short(n): n for n in reversed(names)}
    there |= {key(n): n for n in reversed(names)}
    fitting = [
        e
        for e in ([there_are[words.like]] if words.like else there_are.values())
        if all(n in there for n in e["needs"]) and (not e.get("any") or any(n in there for n in e["any"]))
    ]
    if not fitting:
        if words.like:
            missing = [n for n in there_are[words.like]["needs"] if n not in there]
            raise FrameError(f"the log is not like {words.like}: it has no {missing}; there are {list(names)}")
        return []
    export = max(fitting, key=lambda e: len(e["needs"]))
    ids = export.get("call_id", [])
    found = []
    for reading in export["reading"]:
        others = {p: there.get(reading.get(p, "")) for p in ("duration", "talk", "wait", "date")}
        wanted = [
            reading["start"],
            *reading.get("end", []),
            *(reading[p] for p in ("duration", "talk", "wait", "date") if p in reading),
        ]
        if not all(n in there for n in wanted):
            continue
        found.append(
            Reading(
                reading["title"],
                there[reading["start"]],
                tuple(there[n] for n in reading.get("end", [])),
                duration=others["duration"],
                talk=others["talk"],
                wait=others["wait"],
                date=others["date"],
                call_id=next((there[n] for n in ([ids] if isinstance(ids, str) else ids) if n in there), None),
                variant=there.get(export.get("variant", "")),
                unit=export.get("unit"),
                order=export.get("order", ""),
                nothing=tuple(export.get("nothing", ())),
                drop={there[c]: tuple(v) for c, v in export.get("drop", {}).items() if c in there},
                like=export["name"],
                why=export["why"],
            )
        )
    return found


def header_of(names: Sequence[str], sample: pa.Table, like: str | None) -> tuple[str, list[str]] | None:
    """Return the known export that writes such rows without a header, and the names of its columns."""
    kinds = list(kinds_of(sample).values())
    for export in tables()["export"]:
        header, few = export.get("header"), export.get("few", 0)
        if header is None or like not in (None, export["name"]) or not few <= len(names) <= len(header):
            continue
        first, last = export["stamps"]
        stamps = kinds[first - 1] == "stamp" and kinds[last - 1] == "stamp"
        clocks = all(kinds[k - 1] == "clock" for k in export.get("clocks", []))
        numbers = all(
            kinds[k - 1] in ("number", "empty") for k in range(export["numbers"][0], export["numbers"][1] + 1)
        )
        if like == export["name"] or (stamps and clocks and numbers):
            return export["name"], header[: len(names)]
    return None
