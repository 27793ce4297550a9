"""A log of any kind as columns: CSV, JSON, Parquet, a workbook, a DataFrame."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from capacity.calls.formats import formats_of
from capacity.calls.jsons import JsonLog
from capacity.calls.look import SEPARATORS, Sheet, look, look_at_rows
from capacity.calls.sources import Text, in_code_page, read_buffer, text_of
from capacity.errors import FrameError

__all__ = ["Log", "frame_log", "open_log"]

_SAMPLE = 500
_BLOCK = 1 << 22  # [bytes]
_LARGE = 1 << 24  # [bytes] of a file of which times are parsed while it is read, where all can be


class Log(Protocol):
    """A log that can be read by columns.

    Attributes
    ----------
    name : str
        What to call it.
    kind : str
        What it is, in words.
    columns : list of str
    header : bool
        Whether the file names its columns.
    broken : dict of row -> text
        The rows that have more or fewer fields than the others, by number; complete once the log is read.
    doubts : list of str
        What was assumed of the file as a whole.
    written : dict of column -> format
        How times were written that are typed by now.
    """

    name: str
    kind: str
    columns: list[str]
    header: bool
    broken: dict[int, str]
    doubts: list[str]
    written: dict[str, str]

    def sample(self) -> pa.Table:
        """Return all columns of the first rows."""

    def read(self, wanted: Sequence[str], labels: Sequence[str] = (), *, typed: bool = False) -> pa.Table:
        """Return the wanted columns; `labels` are texts of which there are few; times may be `typed`."""


def open_log(
    path: Path,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    skip: int | None = None,
    header: Sequence[str] | None = None,
) -> Log:
    """Open a file as what its bytes say it is.

    Raises
    ------
    FrameError
        It cannot be read, is empty, or is no log.
    """
    buffer = read_buffer(path)
    try:
        return _opened(path, buffer, encoding, separator, skip, header)
    except FrameError as exc:
        raise FrameError(f"{path} {exc}" if not str(exc).startswith(str(path)) else str(exc)) from exc
    except pa.ArrowException as exc:
        raise FrameError(f"{path} cannot be read ({exc}); is it what its name says?") from exc


def _opened(
    path: Path,
    buffer: pa.Buffer,
    encoding: str | None,
    separator: str | None,
    skip: int | None,
    header: Sequence[str] | None,
) -> Log:
    head = bytes(buffer[:64])
    if head[:4] == b"PAR1":
        return _Typed(path.name, "Parquet", pa.parquet.ParquetFile(pa.BufferReader(buffer)))
    if head[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        return _workbook(path, buffer, skip, header)
    if path.suffix.lower() in (".parquet", ".pq"):
        raise FrameError("cannot be read: it is not what its name says")
    text = text_of(path, buffer, encoding)
    start = bytes(text.buffer[:4096]).lstrip()
    if separator is None and re.match(rb"[\[{]\s*[\[{\"\]}]", start):
        return _Json(path.name, text)
    if start[:1] == b"<":
        raise FrameError("is HTML or XML, not a log; export it as CSV, JSON or Excel")
    if b"\x00" in head and not text.encoding.startswith("utf-16"):
        raise FrameError("cannot be read: it is a binary file of an unknown kind")
    return _Csv(path, text, look(text, separator=separator, skip=skip, header=header))


class _Json:
    def __init__(self, name: str, text: Text) -> None:
        self._log = JsonLog(text.buffer)
        self.name, self.kind, self.header = name, self._log.kind, True
        self.columns, self.broken, self.doubts = self._log.columns, {}, []  # type: ignore[var-annotated]
        self.written: dict[str, str] = {}

    def sample(self) -> pa.Table:
        return self._log.table(self.columns, _SAMPLE)

    def read(self, wanted: Sequence[str], labels: Sequence[str] = (), *, typed: bool = False) -> pa.Table:
        table = self._log.table(wanted)
        self.broken = self._log.broken
        return table


class _Typed:
    """Parquet, or a table in memory."""

    def __init__(self, name: str, kind: str, source: pa.parquet.ParquetFile | pa.Table) -> None:
        self.name, self.kind, self.header = name, kind, True
        self._source = source
        self.broken, self.doubts, self.written = {}, [], {}  # type: ignore[var-annotated]
        table = source.schema_arrow.empty_table() if isinstance(source, pa.parquet.ParquetFile) else source
        self.columns = [str(n) for n in _flat(table).column_names]

    def sample(self) -> pa.Table:
        if isinstance(self._source, pa.Table):
            return _flat(self._source.slice(0, _SAMPLE))
        batch = next(self._source.iter_batches(batch_size=_SAMPLE), None)
        return _flat(pa.Table.from_batches([batch] if batch is not None else [], self._source.schema_arrow))

    def read(self, wanted: Sequence[str], labels: Sequence[str] = (), *, typed: bool = False) -> pa.Table:
        if isinstance(self._source, pa.Table):
            return _flat(self._source).select(list(wanted))
        # A struct is read as a whole, by the name before the dot.
        there = self._source.schema_arrow.names
        tops = list(dict.fromkeys(n if n in there else n.split(".")[0] for n in wanted))
        return _flat(self._source.read(columns=tops)).select(list(wanted))


def _flat(table: pa.Table) -> pa.Table:
    while any(pa.types.is_struct(f.type) for f in table.schema):
        table = table.flatten()
    return table.select([f.name for f in table.schema if not pa.types.is_nested(f.type)])


def _workbook(path: Path, buffer: pa.Buffer, skip: int | None, header: Sequence[str] | None) -> Log:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(buffer))
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except Exception as exc:  # the library has errors of several kinds
        raise FrameError(f"cannot be read as a workbook ({exc})") from exc
    sizes = {name: sum(1 for row in rows if any(c != "" for c in row)) for name, rows in sheets.items()}
    first = max(sizes, key=lambda name: sizes[name])
    looks = {}
    for name in [first, *(n for n, size in sizes.items() if size and n != first)]:
        cells = [[_cell(cell) for cell in row] for row in sheets[name]]
        looks[name] = look_at_rows(cells, skip=skip, header=header), cells
    names, named = looks[first][0].names, looks[first][0].header
    taken = [n for n in sheets if n in looks and (looks[n][0].names, looks[n][0].header) == (names, named)]
    data = [(row + [""] * len(names))[: len(names)] for n in taken for row in looks[n][1][looks[n][0].begin :]]
    columns = [pa.array([row[k].strip() for row in data], pa.string()) for k in range(len(names))]
    kind = f"a workbook, sheet{'s' if len(taken) > 1 else ''} {', '.join(map(repr, taken))}"
    log = _Typed(path.name, kind, pa.table(columns, names=names))
    log.header = named
    if others := [n for n in looks if n not in taken]:
        log.doubts.append(f"sheets with other columns are left out: {', '.join(map(repr, others))}")
    return log


_FIRST_OF_WORKBOOKS = dt.datetime(1900, 3, 1)


def _cell(cell: Any) -> str:
    """Write a cell of a workbook as text that our readers know."""
    if isinstance(cell, dt.datetime):
        if cell < _FIRST_OF_WORKBOOKS:  # a length of a day or more, shown as a time of day
            return _cell(cell - dt.datetime(1899, 12, 31))
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        seconds = cell.total_seconds()
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{seconds % 60:06.3f}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


class _Csv:
    def __init__(self, path: Path, text: Text, sheet: Sheet) -> None:
        self._path, self._sheet, self._quote = path, sheet, sheet.quote
        word = SEPARATORS.get(sheet.separator) or repr(sheet.separator)
        self.name, self.header, self.columns = path.name, sheet.header, sheet.names
        self.kind = f"CSV, {text.encoding}{' (assumed)' if text.assumed else ''}, separator {word}"
        self.broken: dict[int, str] = {}
        self.doubts: list[str] = []
        self.written: dict[str, str] = {}
        if sheet.skipped:
            self.doubts.append(f"{sheet.skipped} lines before the {'header' if sheet.header else 'rows'} are left out")
        # A plain file is read again from where its rows begin: a map of all of it would count as memory.
        self._begin = None if text.mark is None else text.mark + sheet.begin
        self._body = text.buffer.slice(sheet.begin) if self._begin is None else None
        self._size = len(text.buffer)
        self._escape = _escapes(bytes(text.buffer[sheet.begin : sheet.begin + (1 << 18)]))

    def sample(self) -> pa.Table:
        rows = [row for row in self._sheet.rows if len(row) == len(self.columns)][:_SAMPLE]
        return pa.table(
            [pa.array([row[k] for row in rows], pa.string()) for k in range(len(self.columns))], names=self.columns
        )

    def read(self, wanted: Sequence[str], labels: Sequence[str] = (), *, typed: bool = False) -> pa.Table:
        wanted = list(dict.fromkeys(wanted))
        large = typed and self._size > _LARGE
        self.written = {n: f for n in wanted if n not in labels and (f := self._iso(n))} if large else {}
        try:
            table, broken = self._parsed(wanted, labels, self._quote)
        except FrameError:
            if not self.written:
                raise
            self.written = {}  # some cell is none: then by shapes
            table, broken = self._parsed(wanted, labels, self._quote)
        swallowed = self._lines() - table.num_rows - len(broken) if self._quote and wanted else 0
        if swallowed > 0:
            swallowed -= self._lines(blank=True)
        if swallowed > 0:
            self.written = {}
            plain, broken_plain = self._parsed(wanted, labels, "")
            if not broken_plain:
                self.doubts.append(f"a quote is opened and never closed: {self._quote} is read as a character")
                table, broken = _unquoted(plain, self._quote), broken_plain
            elif swallowed > len(broken_plain):
                raise FrameError(
                    f"opens a quote that takes up whole rows: {swallowed:,} lines are in cells of other rows; "
                    f"look for a lone {self._quote} in row {_lone(broken_plain, self._quote):,} and mend it"
                )
        self.broken = broken
        return table

    def _parsed(self, wanted: list[str], labels: Sequence[str], quote: str) -> tuple[pa.Table, dict[int, str]]:
        seen: list[str] = []

        def once(row: Any) -> str:
            seen.append(row.text)
            return "skip"

        parse = {
            "delimiter": self._sheet.separator,
            "newlines_in_values": False,
            "quote_char": quote or False,
            "escape_char": "\\" if quote and self._escape else False,
            "double_quote": True,
        }
        table = self._arrow(wanted, labels, parse, once, threads=True)
        if not seen:
            return table, {}
        broken: dict[int, str] = {}

        def numbered(row: Any) -> str:
            broken[(row.number or 0)] = row.text
            return "skip"

        # Only a reader with one thread knows the numbers of rows.
        return self._arrow(wanted, labels, parse, numbered, threads=False), broken

    def _arrow(
        self, wanted: list[str], labels: Sequence[str], parse: dict[str, Any], handler: Any, *, threads: bool
    ) -> pa.Table:
        names = [f"c{k}" for k in range(len(self.columns))]
        ours = dict(zip(self.columns, names, strict=True))
        few = pa.dictionary(pa.int32(), pa.string())
        empty = pa.table({name: pa.array([], pa.string()) for name in wanted})
        if not wanted:
            return empty
        try:
            table = pyarrow.csv.read_csv(
                self._stream(),
                read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=threads, block_size=_BLOCK),
                parse_options=pyarrow.csv.ParseOptions(**parse, invalid_row_handler=handler),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={ours[n]: few if n in labels else self._type(n) for n in self.columns},
                    include_columns=[ours[name] for name in wanted],
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as exc:
            if "Empty CSV" in str(exc):
                return empty
            if "out of sync" in str(exc) and not parse["newlines_in_values"]:
                # A block of the file ended within a cell of several lines.
                return self._arrow(wanted, labels, {**parse, "newlines_in_values": True}, handler, threads=threads)
            if "UTF8" in str(exc) and self._begin is not None:
                self._body = in_code_page(
                    self._path, pa.memory_map(str(self._path)).read_buffer()[self._begin :]
                ).buffer
                self._begin = None
                self.doubts.append("some bytes are not UTF-8: read as cp1252 (assumed)")
                return self._arrow(wanted, labels, parse, handler, threads=threads)
            raise FrameError(f"cannot be read as CSV ({exc})") from exc
        return table.rename_columns(wanted)

    def _iso(self, name: str) -> str:
        """Return the format of a column of which the first cells are ISO 8601, all alike; "" for none."""
        place = self.columns.index(name)
        forms = {formats_of(row[place]).get("", "") for row in self._sheet.rows if len(row) > place and row[place]}
        form = forms.pop() if len(forms) == 1 else ""
        return form if form.startswith(("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")) and "%Z" not in form else ""

    def _type(self, name: str) -> pa.DataType:
        form = self.written.get(name)
        return pa.string() if form is None else pa.timestamp("ns", "UTC" if form.endswith("%z") else None)

    def _stream(self) -> Any:
        if self._body is not None:
            return pa.BufferReader(self._body)
        file = pa.OSFile(str(self._path))
        file.seek(self._begin)
        return file

    def _lines(self, *, blank: bool = False) -> int:
        """Count the lines, or those that are blank; 0 where there is no quote, and so no line within a cell."""
        quoted, count, before = False, 0, b"\n"
        stream = self._stream()
        while part := stream.read(1 << 24):
            quoted = quoted or self._quote.encode() in part
            if b"\r" in part:
                part = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            count += _blank(before + part) if blank else part.count(b"\n")
            before = part[-1:]
        return count + (not blank and before != b"\n") if quoted else 0


def _blank(part: bytes) -> int:
    """Count the ends of lines that follow another one."""
    data = np.frombuffer(part, np.uint8) == 10
    return int(np.count_nonzero(data[1:] & data[:-1]))


def _escapes(head: bytes) -> bool:
    """Tell whether quotes in quotes are written with a backslash."""
    return b'\\"' in head and b'""' not in head.replace(b',""', b"").replace(b';""', b"")


def _unquoted(table: pa.Table, quote: str) -> pa.Table:
    """Take the quotes off cells that are wholly within them."""
    pattern = f"^{re.escape(quote)}(.*){re.escape(quote)}$"
    texts = table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    columns = [pc.replace_substring_regex(texts[name], pattern, r"\1") for name in table.column_names]
    return pa.table(columns, names=table.column_names)


def _lone(broken: dict[int, str], quote: str) -> int:
    return next((number for number, text in broken.items() if text.count(quote) % 2), min(broken))


def frame_log(frame: pd.DataFrame, name: str = "the frame") -> Log:
    """Return a DataFrame as a log; an index with names becomes columns."""
    if any(n is not None for n in frame.index.names):
        frame = frame.reset_index()
    columns = {str(c): _arrow_column(frame[c]) for c in frame.columns}
    if len(columns) < len(frame.columns):
        raise FrameError(f"{name} names a column twice: {[str(c) for c in frame.columns]}")
    return _Typed(name, "a DataFrame", pa.table(columns))


def _arrow_column(column: pd.Series) -> pa.ChunkedArray:
    if column.dtype == object:
        kinds = {type(v) for v in column.dropna().head(10_000)}
        if not kinds <= {str} and not kinds <= {int, float, bool}:
            column = column.map(_cell, na_action="ignore")
    try:
        made = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        made = pa.array([None if v is None or v != v else _cell(v) for v in column], pa.string())
    return made if isinstance(made, pa.ChunkedArray) else pa.chunked_array([made])
