"""What a text file is: its separator, its header or none, the lines that are no calls. The first lines tell."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from capacity.calls.formats import formats_of
from capacity.calls.sources import Text
from capacity.errors import ConfigError, FrameError

SEPARATORS = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "bar",
    "^": "caret",
    "~": "tilde",
    "\x1f": "",
    "\x01": "",
}
SAMPLE = 500  # rows that a log shows of itself
_HEAD = 1 << 18  # [bytes]
_LINES = 400
_LINE = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Sheet:
    """A CSV file as its first lines show it.

    Attributes
    ----------
    separator, quote : str
        `quote` is "" where quotes are but characters.
    begin : int
        The byte at which the rows of data begin.
    skipped : int
        The lines before the header, or before the data where there is none.
    names : list of str
        The columns; "column 1" and so on where there is no header.
    header : bool
        Whether the file names them.
    rows : list of list of str
        The first rows.
    """

    separator: str
    quote: str
    begin: int
    skipped: int
    names: list[str]
    header: bool
    rows: list[list[str]]


def separator_of(word: str | None) -> str | None:
    r"""Return the separator that a word names: "tab", "semicolon", or the character itself.

    Examples
    --------
    >>> separator_of("tab"), separator_of(";")
    ('\t', ';')
    """
    if word is None:
        return None
    for character, name in SEPARATORS.items():
        if (name and word.lower() == name) or (word == "\\t" and character == "\t"):
            return character
    if len(word) != 1 or not word.isascii() or word in '"\r\n':
        raise ConfigError(f"separator={word!r} is not one ASCII character between fields, such as ',', ';' or 'tab'")
    return word


def look(
    text: Text, *, separator: str | None = None, skip: int | None = None, header: Sequence[str] | None = None
) -> Sheet:
    """Tell how a CSV file is written, from its first lines.

    Raises
    ------
    FrameError
        The file is empty.
    """
    head = bytes(text.buffer[:_HEAD]).decode("utf-8", "replace")
    ends = [m.end() for m in _LINE.finditer(head)]
    whole = len(text.buffer) <= _HEAD
    stops = [*ends, len(head)] if whole and (not ends or ends[-1] < len(head)) else ends or [len(head)]
    stops = stops[:_LINES]
    lines = [head[a:b] for a, b in zip([0, *stops], stops, strict=False)]
    if not any(line.strip() for line in lines):
        raise FrameError("is empty")
    said = re.fullmatch(r'"?sep=(.)"?\s*', lines[0]) if skip is None else None
    first = 1 if said else skip or 0
    if separator is None:
        separator = said[1] if said else _separator(lines[first:])
    quote = _quote(lines[first:], separator)
    table = _rows(lines, first, separator, quote)
    return _sheet(table, separator, quote, header=header, looking=skip is None, lines=lines)


def look_at_rows(rows: list[list[str]], *, skip: int | None = None, header: Sequence[str] | None = None) -> Sheet:
    """Tell the same of rows of cells; `begin` is the row at which the data begin."""
    table = [(k, 1, [cell.strip() for cell in row]) for k, row in enumerate(rows[: (skip or 0) + _LINES])]
    table = [entry for entry in table[skip or 0 :] if any(entry[2])]
    return _sheet(table, "", "", header=header, looking=skip is None)


def _sheet(
    table: list[tuple[int, int, list[str]]],
    separator: str,
    quote: str,
    *,
    header: Sequence[str] | None,
    looking: bool,
    lines: list[str] | None = None,
) -> Sheet:
    if not table:
        raise FrameError("is empty")
    width = _width([len(row) for _, _, row in table])
    at, found = _header(table, width, looking=looking)
    if header is not None:
        found = found and [_key(n) for n in header] == [_key(n) for n in table[at][2]]
    names = list(header) if header is not None else table[at][2] if found else []
    rows = [row for _, _, row in table[at + found :]]
    begin = table[at][0] + table[at][1] if found else table[at][0]
    return Sheet(
        separator,
        quote,
        begin if lines is None else len("".join(lines[:begin]).encode()),
        table[at][0],
        _names(names, rows, width),
        found,
        rows,
    )


def _key(name: str) -> str:
    return re.sub(r"\W", "", name).lower()


def _rows(lines: list[str], first: int, separator: str, quote: str) -> list[tuple[int, int, list[str]]]:
    """Return (first line, number of lines, cells) of each row that is not blank."""
    quoting = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(lines[first:], delimiter=separator, **quoting)
    found, before = [], 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((first + before, reader.line_num - before, [cell.strip() for cell in row]))
            before = reader.line_num
    except csv.Error:
        pass
    return found


def _separator(lines: list[str]) -> str:
    best: tuple[float, ...] = (-1.0,)
    chosen = ","
    for candidate in SEPARATORS:
        if not any(candidate in line for line in lines):
            continue
        widths = [len(row) for _, _, row in _rows(lines, 0, candidate, '"')]
        if not widths:
            continue
        width = _width(widths)
        share = sum(w == width for w in widths) / len(widths)
        rows = [row for _, _, row in _rows(lines[:60], 0, candidate, '"')]
        times = sum(1 for row in rows for cell in row if len(cell) > 5 and formats_of(cell))
        header = max((i for i, row in enumerate(rows[:8]) if len(row) == width), default=-1) >= 0
        whole = len(rows[0]) == width  # "3. Februar 2026, 9:00;..." has its commas within cells
        value = (
            *(float(width > 1), round(min(share, 0.9), 1), float(times > 0 and header)),
            *(float(times), float(whole), float(width)),
        )
        if value > best:
            best, chosen = value, candidate
    return chosen


def _width(widths: list[int]) -> int:
    """Return the number of fields that most rows have; of two that are as common, the larger."""
    return max(set(widths), key=lambda w: (widths.count(w) * (w > 1), w))


def _quote(lines: list[str], separator: str) -> str:
    text = "".join(lines)
    single = len(re.findall(rf"'{re.escape(separator)}'", text))
    return "'" if single >= len(lines) and '"' not in text else '"'


_TYPES = re.compile(
    r"(?:big|small|tiny|unsigned )?int(?:eger)?\d*|(?:n?var)?char|text|string|uuid|bool(?:ean)?|date(?:time)?\d*|"
    r"timestamp(?:tz)?|double|float|numeric|decimal|real",
    re.IGNORECASE,
)


def _header(table: list[tuple[int, int, list[str]]], width: int, *, looking: bool) -> tuple[int, bool]:
    """Return the row at which header or data begin, and whether it is a header.

    The header is the last row of names before the data; a row of types, such as "INTEGER", is none.
    """
    named = None
    for at, (_, _, row) in enumerate(table):
        filled = [cell for cell in row if cell]
        wide = len(row) >= width - 1 and len(filled) >= max(2, (width + 1) // 2)
        if width <= 1 or (not looking and at == 0):
            return at, not any(_is_data(cell) for cell in filled)
        if any(len(cell) > 5 and formats_of(cell) for cell in filled) and (wide or len(row) == width):
            return (at, False) if named is None else (named, True)
        if wide and not any(_is_data(cell) for cell in filled) and len(set(filled)) == len(filled):
            types = all(_TYPES.fullmatch(re.sub(r"\(.*\)", "", cell).strip()) for cell in filled)
            named = named if types and named is not None else at
        elif wide and named is None and not any(_is_data(cell) for cell in filled):
            named = at
        elif wide and named is not None:
            return named, True
    if named is not None:
        return named, True
    return 0, not any(_is_data(cell) for cell in table[0][2])


def _is_data(cell: str) -> bool:
    """Tell whether a cell is a value, not a name: a time, a number."""
    return bool(re.fullmatch(r"[-+]?[\d.,:]*\d[\d.,:]*", cell)) or bool(len(cell) > 5 and formats_of(cell))


def _names(names: list[str], rows: list[list[str]], width: int) -> list[str]:
    """Return the names of all columns: those that are given, made where there are none, and each once."""
    if rows:
        width = _width([len(row) for row in rows])
        if len(names) == width + 1 and not names[-1]:
            names = names[:-1]
    names = [*names, *[""] * (width - len(names))]
    seen: dict[str, int] = {}
    made = []
    for k, name in enumerate(names, start=1):
        name = name.replace("\ufeff", "").strip() or f"column {k}"
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return made
