"""Call records in CSV: cells as text, times parsed while a large file is read, broken rows and lone quotes told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from capacity.calls.formats import formats_of
from capacity.calls.look import SAMPLE, SEPARATORS, Sheet
from capacity.calls.sources import Text, in_code_page
from capacity.errors import FrameError

_BLOCK = 1 << 22  # [bytes]


_LARGE = 1 << 24  # [bytes] of a file of which times are parsed while it is read, where all can be


class CsvLog:
    """A CSV file as its first lines show it, read by columns; see `capacity.calls.logs.Log`."""

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
        """Return all columns of the first rows."""
        rows = [row for row in self._sheet.rows if len(row) == len(self.columns)][:SAMPLE]
        return pa.table(
            [pa.array([row[k] for row in rows], pa.string()) for k in range(len(self.columns))], names=self.columns
        )

    def read(self, wanted: Sequence[str], labels: Sequence[str] = (), *, typed: bool = False) -> pa.Table:
        """Return the wanted columns; `labels` are texts of which there are few; times may be `typed`."""
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
