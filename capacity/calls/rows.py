"""The rows of one or several logs with the same columns, and where each row stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from capacity.calls.logs import Log
from capacity.errors import FrameError

_RUN = 100  # rows that are picked one behind the other


class Rows:
    """The rows of logs that have the same columns.

    Attributes
    ----------
    logs : list of Log
    names : list of str
        The columns.
    columns : dict of name -> ChunkedArray
        Those that were read.
    size : int
    written : dict of column -> format
        How times were written that are typed by now.
    """

    def __init__(self, logs: Sequence[Log], names: Sequence[str] | None = None) -> None:
        self.logs: list[Log] = list(logs)
        self.names: list[str] = list(names if names is not None else logs[0].columns)
        self.columns: dict[str, pa.ChunkedArray] = {}
        self.size: int = 0
        self.written: dict[str, str] = {}
        self._starts = np.zeros(1, np.int64)

    def sample(self) -> pa.Table:
        """Return the first rows of the first log that has any, all columns."""
        for log in self.logs:
            table = log.sample()
            if table.num_rows:
                break
        return table.rename_columns(self.names)

    def load(self, wanted: Sequence[str], labels: Sequence[str] = (), *, typed: bool = False) -> None:
        """Read the wanted columns of all logs; `labels` are texts of which there are few; times may be `typed`."""
        wanted = [name for name in dict.fromkeys(wanted) if name not in self.columns]
        if not wanted:
            return
        place = dict(zip(self.names, self.logs[0].columns, strict=True))
        tables = []
        for log in self.logs:
            try:
                tables.append(
                    log.read([place[n] for n in wanted], [place[n] for n in labels], typed=typed).rename_columns(wanted)
                )
            except pa.ArrowException as exc:
                raise FrameError(f"{log.name} cannot be read ({exc}); is it what its name says?") from exc
            except FrameError as exc:
                raise FrameError(f"{log.name} {exc}") from exc
        sizes = [table.num_rows for table in tables]
        self._starts = np.cumsum([0, *sizes])
        self.size = int(self._starts[-1])
        for name in wanted:
            parts = [table[name] for table in tables]
            kinds = {part.type for part in parts if not pa.types.is_null(part.type) and len(part)}
            kind = kinds.pop() if len(kinds) == 1 else pa.string()
            if forms := [log.written[place[name]] for log in self.logs if place[name] in log.written]:
                self.written[name] = forms[0]
            chunks = [chunk for part in parts for chunk in part.cast(kind).chunks]
            self.columns[name] = pa.chunked_array(chunks, type=kind)

    @property
    def broken(self) -> list[tuple[int, str, str]]:
        """The rows that never came: the number of each in its file, where it stands, and its text."""
        return [(n, self._place(log, n), text) for log in self.logs for n, text in sorted(log.broken.items())]

    def where(self, index: int) -> str:
        """Return where a row stands, such as "row 5" or "b.csv row 5"; broken rows are counted."""
        return self._place(self.logs[self._file(index)], self.number(index))

    def number(self, index: int) -> int:
        """Return the number of a row in its file: the first row of data is 1, broken rows are counted."""
        k = self._file(index)
        number = index - int(self._starts[k]) + 1
        numbers = np.sort(np.fromiter(self.logs[k].broken, dtype=np.int64))
        before = numbers - np.arange(len(numbers))
        return number + int(np.searchsorted(before, number, side="right"))

    def _file(self, index: int) -> int:
        return min(int(np.searchsorted(self._starts, index, side="right")) - 1, len(self.logs) - 1)

    def cell(self, name: str, index: int) -> object:
        """Return one cell."""
        return self.columns[name][index].as_py()

    def picked(self, name: str, most: int = 100_000) -> pa.ChunkedArray:
        """Return cells spread over the whole column."""
        column = self.columns[name]
        if len(column) <= most:
            return column
        places = np.linspace(0, len(column) - _RUN, most // _RUN).astype(int)
        return pa.chunked_array([c for at in places for c in column.slice(int(at), _RUN).chunks], type=column.type)

    def _place(self, log: Log, number: int) -> str:
        return f"row {number:,}" if len(self.logs) == 1 else f"{log.name} row {number:,}"
