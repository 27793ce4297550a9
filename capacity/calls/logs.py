"""A log of any kind as columns: CSV, JSON, Parquet, a workbook, a DataFrame."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from capacity.calls.csvs import CsvLog
from capacity.calls.jsons import JsonLog
from capacity.calls.look import SAMPLE, look, look_at_rows
from capacity.calls.sources import read_buffer, text_of
from capacity.errors import FrameError


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
        return JsonLog(path.name, text.buffer)
    if start[:1] == b"<":
        raise FrameError("is HTML or XML, not a log; export it as CSV, JSON or Excel")
    if b"\x00" in head and not text.encoding.startswith("utf-16"):
        raise FrameError("cannot be read: it is a binary file of an unknown kind")
    return CsvLog(path, text, look(text, separator=separator, skip=skip, header=header))


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
            return _flat(self._source.slice(0, SAMPLE))
        batch = next(self._source.iter_batches(batch_size=SAMPLE), None)
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


def first_rows(log: Log, sample: pa.Table) -> Log:
    """Return the first rows of a log as a log of their own."""
    found = _Typed(log.name, log.kind, sample)
    found.header, found.doubts = log.header, log.doubts
    return found


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
