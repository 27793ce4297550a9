"""A log file in batches of rows: CSV as text, Parquet as it is typed."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset

from capacity.errors import ConfigError, FrameError

__all__ = ["LogFile", "is_parquet", "open_log"]

_SEPARATORS = ",;\t|"
_NO_SEPARATORS = '"\r\n'
_BLOCK = 16 << 20  # [bytes]
_BATCH = 1 << 18  # rows
_PARQUET = (".parquet", ".pq")


@dataclass
class LogFile:
    """A log that can be read in batches.

    Attributes
    ----------
    path : Path
    columns : list of str
        In the order of the file.
    broken : list of int
        The numbers of lines that do not have as many fields as the header; complete once all batches are read.
    """

    path: Path
    columns: list[str]
    separator: str | None = None
    encoding: str = "utf-8"
    broken: list[int] = field(default_factory=list)

    def batches(self, wanted: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Yield the wanted columns, some hundred thousand rows at a time."""
        try:
            for batch in self._csv(wanted) if self.separator is not None else self._parquet(wanted):
                yield batch.to_pandas()
        except pa.ArrowException as exc:
            raise FrameError(f"{self.path} cannot be read ({exc}); is it what its name says?") from exc

    def _csv(self, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        def skip(row: Any) -> str:
            self.broken.append(row.number - 1 if row.number is not None else 0)
            return "skip"

        with pyarrow.csv.open_csv(
            self.path,
            read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK, encoding=self.encoding, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self.separator, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(self.columns, pa.string()), include_columns=list(wanted)
            ),
        ) as reader:
            yield from reader

    def _parquet(self, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        dataset = pyarrow.dataset.dataset(self.path, format="parquet")
        # Without read-ahead and buffering of whole files: memory must not grow with the file.
        yield from dataset.to_batches(
            columns=list(wanted),
            batch_size=_BATCH,
            batch_readahead=1,
            fragment_readahead=1,
            use_threads=False,
            fragment_scan_options=pyarrow.dataset.ParquetFragmentScanOptions(
                use_buffered_stream=True, pre_buffer=False
            ),
        )


def is_parquet(path: Path) -> bool:
    """Whether the path is a Parquet file, by its name, or a folder."""
    return path.is_dir() or path.suffix.lower() in _PARQUET


def open_log(path: Path, *, separator: str | None = None, encoding: str = "utf-8") -> LogFile:
    """Open a log and read its header.

    Raises
    ------
    FrameError
        There is no such file, or it is empty, or not of its kind.
    ConfigError
        The separator is not one character.
    """
    if separator is not None and (len(separator) != 1 or not separator.isascii() or separator in _NO_SEPARATORS):
        raise ConfigError(f"separator={separator!r} is not one ASCII character between fields, such as ',' or '\\t'")
    if not path.exists():
        raise FrameError(f"{path} is not there")
    try:
        if is_parquet(path):
            return LogFile(path, [str(n) for n in pyarrow.dataset.dataset(path, format="parquet").schema.names])
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            header = file.readline().decode(encoding).lstrip("\ufeff").rstrip("\r\n")
    except (OSError, pa.ArrowException, UnicodeError, LookupError) as exc:
        raise FrameError(f"{path} cannot be read ({exc}); give encoding=, or check the file") from exc
    if not header:
        raise FrameError(f"{path} is empty; the first line names the columns")
    separator = separator or max(_SEPARATORS, key=header.count)
    columns = next(csv.reader([header], delimiter=separator))
    if len(set(columns)) < len(columns):
        raise FrameError(f"{path} names a column twice: {columns}")
    return LogFile(path, columns, separator, encoding)
