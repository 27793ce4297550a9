"""What can be said of a call log, and how it is said: on the command line and in Python."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from capacity.calls.formats import check_format
from capacity.calls.lengths import check_unit
from capacity.calls.look import SEPARATORS, separator_of
from capacity.errors import ConfigError

PARTS = ("start", "end", "duration", "talk")
KEPT = ("variant", "variant_name", "language", "phone_number", "env", "blocked")
_SINGLE = ("tz", "like", "skip", "encoding", "date", "date_format", "unit", "call_id", "wait")
_TEXTS = ("like", "encoding", "date", "call_id", "wait")
_UNFINISHED = ("recent", "keep", "drop")
_ON_COMMAND_LINE: ContextVar[bool] = ContextVar("on_command_line", default=False)
_OPTIONS = {"na_values": "--nothing", "columns": "--column"}


@contextlib.contextmanager
def command_line() -> Iterator[None]:
    """Let messages speak the words of the command line."""
    token = _ON_COMMAND_LINE.set(True)
    try:
        yield
    finally:
        _ON_COMMAND_LINE.reset(token)


def option(name: str, value: str = "") -> str:
    """Name an option as the reader has it: "--time-format F" on the command line, "time_format=F" in Python.

    Examples
    --------
    >>> option("time_format"), option("unit", "ms")
    ('time_format=', "unit='ms'")
    """
    if _ON_COMMAND_LINE.get():
        flag = _OPTIONS.get(name, "--" + name.replace("_", "-"))
        return f"{flag} {quoted(value)}" if value else flag
    return f"{name}={value!r}" if value else f"{name}="


def quoted(word: str) -> str:
    r"""Quote a word for the shell; one with control characters by their escapes.

    Examples
    --------
    >>> print(quoted("a b"), quoted("a\x1b[2J"))
    'a b' $'a\x1b[2J'
    """
    if word.isprintable():
        return shlex.quote(word)
    plain = "".join(
        ("\\" + c if c in "\\'" else c)
        if c.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))
        for c in word
    )
    return f"$'{plain}'"


def shown(cell: object, *, most: int = 40) -> str:
    """Write a cell for a message: short, control characters escaped, the digits of numbers to call masked.

    Examples
    --------
    >>> print(shown("+44 20 7946 0958"), shown("soon"), shown("2026-02-31 10:00"))
    '+44 20 7### ####' 'soon' '2026-02-31 10:00'
    """
    text = str(cell)
    text = text if len(text) <= most else text[: most - 3] + "..."
    return repr(re.sub(r"\+?\d[\d ()./-]{5,}\d(?![\d:])", _masked, text))


def _masked(found: re.Match[str]) -> str:
    text = found[0]
    digits = re.sub(r"\D", "", text)
    if re.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", text) or (
        len(digits) in (8, 12, 13, 14) and digits[:2] in ("19", "20", "17", "18")
    ):
        return text
    seen = 0
    made = []
    for character in text:
        seen += character.isdigit()
        made.append("#" if character.isdigit() and seen > 5 else character)
    return "".join(made)


@dataclass(frozen=True)
class Words:
    """All that may be said of a log; what is not said is found out, or asked for.

    Attributes
    ----------
    columns : mapping of part -> names
        start, end (several: the last that happened), duration, talk, and the columns to keep.
    drop : mapping of column -> values, or None
        An empty one says that nothing is dropped.
    keep : tuple of str
        Further columns to keep.
    sources : tuple of str
        The files as they were named.
    rest : tuple of str
        What else stood on the command line.
    verb : str
        The command.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tz: str | dt.tzinfo | None = None
    like: str | None = None
    header: tuple[str, ...] | None = None
    skip: int | None = None
    encoding: str | None = None
    separator: str | None = None
    time_format: tuple[str, ...] = ()
    date: str | None = None
    date_format: str | None = None
    unit: str | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drop: Mapping[str, tuple[str, ...]] | None = None
    call_id: str | None = None
    wait: str | None = None
    na_values: tuple[str, ...] = ()
    unfinished: str = "recent"
    keep: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    verb: str = "intervals"

    def command(self) -> str:
        """Return the command line that says all this."""
        words = ["capacity", self.verb, *self.sources, *self.rest]
        for flag, value in self._pairs():
            words += [flag, value]
        return " ".join(quoted(w) for w in words)

    def call(self) -> str:
        """Return the call in Python that says all this."""
        said: dict[str, Any] = {}
        for name in (*_SINGLE, "separator"):
            if getattr(self, name) is not None:
                said[name] = str(self.tz) if name == "tz" else getattr(self, name)
        for name in ("header", "time_format", "na_values", "keep"):
            if getattr(self, name):
                said[name] = list(getattr(self, name))
        if self.columns:
            said["columns"] = {k: v[0] if len(v) == 1 else list(v) for k, v in self.columns.items()}
        for name in ("only", "drop"):
            if getattr(self, name) or (name == "drop" and self.drop is not None):
                said[name] = {k: list(v) for k, v in getattr(self, name).items()}
        if self.unfinished != "recent":
            said["unfinished"] = self.unfinished
        source = (
            repr(self.sources[0]) if len(self.sources) == 1 else repr(list(self.sources)) if self.sources else "calls"
        )
        return f"cap.read_calls({', '.join([source, *(f'{k}={v!r}' for k, v in said.items())])})"

    def spoken(self) -> str:
        """Return the command, or the call in Python, as the reader has it."""
        return self.command() if _ON_COMMAND_LINE.get() else self.call()

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for name in _SINGLE:
            value = getattr(self, name)
            if value is not None:
                yield "--" + name.replace("_", "-"), str(value)
        if self.separator is not None:
            yield "--separator", SEPARATORS.get(self.separator) or self.separator
        if self.header is not None:
            yield "--header", ",".join(self.header)
        for part, names in self.columns.items():
            for name in names:
                yield "--column", f"{part}={name}"
        for form in self.time_format:
            yield "--time-format", form
        if self.drop is not None and not self.drop:
            yield "--drop", "none"
        for flag, pairs in (("--only", self.only), ("--drop", self.drop or {})):
            for column, values in pairs.items():
                for value in values:
                    yield flag, f"{column}={value}"
        for text in self.na_values:
            yield "--nothing", text
        if self.unfinished != "recent":
            yield "--unfinished", self.unfinished


def words_from(
    *,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    header: str | Sequence[str] | None = None,
    separator: str | None = None,
    time_format: str | Sequence[str] = (),
    only: Mapping[str, Any] | None = None,
    drop: Mapping[str, Any] | None = None,
    na_values: Sequence[str] = (),
    unfinished: str | None = None,
    keep: Sequence[str] = (),
    unit: str | None = None,
    date_format: str | None = None,
    **rest: Any,
) -> Words:
    """Check what was said, once.

    Raises
    ------
    ConfigError
        An option that means nothing, or two that contradict each other.
    """
    for name, pairs in (("columns", columns), ("only", only), ("drop", drop)):
        if pairs is not None and not isinstance(pairs, Mapping):
            raise ConfigError(f"{name}={pairs!r} is no mapping; write {name}={{'start': 'your column'}} or the like")
    for name, text in {"separator": separator, "unit": unit, "date_format": date_format, **rest}.items():
        if text is not None and not isinstance(text, str) and name in (*_TEXTS, *("separator", "unit", "date_format")):
            raise ConfigError(f"{name}={text!r} is no text; leave it out, or write a text")
    for name, texts in {"header": header, "time_format": time_format, "na_values": na_values, "keep": keep}.items():
        if texts is not None and (not isinstance(texts, Collection) or not all(isinstance(t, str) for t in texts)):
            raise ConfigError(f"{name}={texts!r} is no text and no sequence of texts")
    if (skip := rest.get("skip")) is not None and (isinstance(skip, bool) or not isinstance(skip, int) or skip < 0):
        raise ConfigError(f"skip={skip!r} is no whole number of lines from 0 on")
    keep = (keep,) if isinstance(keep, str) else tuple(keep or ())
    time_format, na_values = time_format or (), na_values or ()
    said = {part: (names,) if isinstance(names, str) else names for part, names in (columns or {}).items()}
    for part, names in said.items():
        if not isinstance(names, Sequence) or not names or (part != "end" and len(names) > 1):
            shape = list(names) if isinstance(names, tuple) else names
            raise ConfigError(f"columns: {part}={shape!r} is not one column; only 'end' may have several")
    if strange := sorted(set(said) - {*PARTS, *KEPT}):
        raise ConfigError(
            f"{option('columns')}: {strange[0]!r} is no part of a call; there are {', '.join((*PARTS, *KEPT))}; "
            f"further columns are named with {option('by') if _ON_COMMAND_LINE.get() else 'keep='}"
        )
    if "end" in said and "duration" in said:
        raise ConfigError("'end' and 'duration' are both named; a call ends by one of them: leave the other out")
    if taken := sorted(set(keep) & {"start", "end"}):
        raise ConfigError(f"keep={taken}: the calls have something else by that name; rename the column of the log")
    unfinished = unfinished or "recent"
    if unfinished not in _UNFINISHED:
        raise ConfigError(f"{option('unfinished')} {unfinished!r} is none of {', '.join(_UNFINISHED)}")
    check_unit(unit)
    formats = (time_format,) if isinstance(time_format, str) else tuple(time_format)
    for form in (*formats, *([date_format] if date_format else [])):
        check_format(form)
    if isinstance(header, str):
        header = [name.strip() for name in header.split(",")]
    return Words(
        columns={part: tuple(names) for part, names in said.items()},
        header=None if header is None else tuple(header),
        separator=separator_of(separator),
        time_format=formats,
        date_format=date_format,
        only=_values(only),
        drop=None if drop is None else _values(drop),
        na_values=(na_values,) if isinstance(na_values, str) else tuple(na_values),
        unfinished=unfinished,
        keep=keep,
        unit=unit,
        **rest,
    )


def _values(pairs: Mapping[str, str | Collection[Any]] | None) -> dict[str, tuple[str, ...]]:
    return {
        column: tuple(str(v) for v in values)
        if isinstance(values, Collection) and not isinstance(values, str)
        else (str(values),)
        for column, values in (pairs or {}).items()
    }


def names_of(source: Any) -> tuple[str, ...]:
    """Return the files as they were named, for the command; none for a frame."""
    if isinstance(source, str | os.PathLike):
        return (os.fspath(source),)
    if isinstance(source, list | tuple):
        if odd := [one for one in source if not isinstance(one, str | os.PathLike)]:
            raise ConfigError(f"{odd[0]!r} is no path; give a path, several, a folder, a glob or a DataFrame")
        return tuple(os.fspath(one) for one in source)
    if source is None or isinstance(source, bytes | int | float):
        raise ConfigError(f"{source!r} is no log; give a path, several, a folder, a glob or a DataFrame")
    return ()
