"""Where a log lies: files, folders, globs; and its bytes, decompressed and in UTF-8."""

from __future__ import annotations

import bz2
import glob
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from capacity.errors import FrameError

Source = str | os.PathLike[str]

_HIDDEN = (".", "_", "~$")
_ENDINGS = (
    *(".csv", ".tsv", ".txt", ".tab", ".log", ".dat", ".cdr", ".json", ".jsonl", ".ndjson", ".parquet", ".pq"),
    *(".xlsx", ".xls", ".xlsb", ".ods", ".xlsm"),
)
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4")


def files_of(source: Source | Iterable[Source]) -> list[Path]:
    """Return the files of a path, a folder, a glob or several of them, sorted within each.

    Raises
    ------
    FrameError
        Nothing is there.
    """
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not sources:
        raise FrameError("no file is named")
    found: list[Path] = []
    for one in sources:
        path = Path(one)
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if p.is_file() and not _is_hidden(p.relative_to(path))]
            logs = [p for p in inside if _is_log(p)]
            if not logs:
                raise FrameError(f"{path} is a folder without a log in it ({len(inside)} other files)")
            found += logs
        elif path.exists():
            found.append(path)
        else:
            matched = sorted(Path(p) for p in glob.glob(str(one), recursive=True))  # noqa: PTH207  the pattern may have a root
            matched = [p for p in matched if p.is_file() and not _is_hidden(Path(p.name))]
            if not matched:
                raise FrameError(f"{one} is not there" + ("" if not glob.has_magic(str(one)) else ": no file matches"))
            found += matched
    return list(dict.fromkeys(found))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(_HIDDEN) for part in path.parts)


def _is_log(path: Path) -> bool:
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in _PACKED:
        endings = endings[:-1] or [".csv"]
    return bool(endings) and endings[-1] in _ENDINGS


def read_buffer(path: Path) -> pa.Buffer:
    """Return the bytes of a file, decompressed by what they are, not by its name."""
    try:
        buffer = pa.memory_map(str(path)).read_buffer() if path.stat().st_size else pa.py_buffer(b"")
        unpacked = _unpacked(path, buffer)
    except FrameError:
        raise
    except _UNREADABLE as exc:
        raise FrameError(f"{path} cannot be read ({exc}); is it whole, and without a password?") from exc
    _refuse_others(path, bytes(unpacked[:512]))
    return unpacked


_UNREADABLE = (
    *(OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, pa.ArrowException),
    *(zipfile.BadZipFile, RuntimeError, NotImplementedError),  # a password; a compression that Python lacks
)


def _unpacked(path: Path, buffer: pa.Buffer, depth: int = 2) -> pa.Buffer:
    head = bytes(buffer[:6])
    if head[:2] == b"\x1f\x8b":
        inner = pa.py_buffer(gzip.decompress(buffer))
    elif head[:3] == b"BZh":
        inner = pa.py_buffer(bz2.decompress(buffer))
    elif head == b"\xfd7zXZ\x00":
        inner = pa.py_buffer(lzma.decompress(buffer))
    elif head[:4] in (b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"):
        codec = "zstd" if head[0] == 0x28 else "lz4"
        inner = pa.CompressedInputStream(pa.BufferReader(buffer), codec).read_buffer()
    elif head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        inner = _unzipped(path, buffer)
    else:
        return buffer
    return inner if inner is buffer or not depth else _unpacked(path, inner, depth - 1)


def _unzipped(path: Path, buffer: pa.Buffer) -> pa.Buffer:
    with zipfile.ZipFile(io.BytesIO(buffer)) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and not _is_hidden(Path(n))]
        if "[Content_Types].xml" in archive.namelist() or "mimetype" in names:
            return buffer  # a workbook
        logs = names if len(names) == 1 else [n for n in names if _is_log(Path(n))]
        if len(logs) != 1:
            raise FrameError(f"{path} holds {len(names)} files; unpack it and give the folder")
        return pa.py_buffer(archive.read(logs[0]))


_OTHERS = (
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it and give the folder"),
    (0, b"Rar!", "a RAR archive; unpack it and give the folder"),
    (257, b"ustar\x00", "a tar archive; unpack it and give the folder"),
    (257, b"ustar  \x00", "a tar archive; unpack it and give the folder"),
    (0, b"%PDF", "a PDF, not a log; export it as CSV, JSON or Excel"),
    (0, b"{\\rtf", "a text document (RTF), not a log; export it as CSV, JSON or Excel"),
    (0, b"SQLite format 3", "an SQLite database; export its table of calls as CSV"),
    (0, b"ARROW1\x00", "Arrow (Feather); write it as Parquet"),
    (0, b"\x89PNG", "a picture, not a log"),
    (0, b"\xff\xd8\xff", "a picture, not a log"),
)


def _refuse_others(path: Path, head: bytes) -> None:
    for at, mark, what in _OTHERS:
        if head[at:].startswith(mark):
            raise FrameError(f"{path} is {what}")


class Text:
    """The text of a file as UTF-8 bytes, and how it was encoded.

    Attributes
    ----------
    buffer : Buffer
    encoding : str
        Such as "utf-8", "utf-16", "cp1252".
    assumed : bool
        Whether nothing in the file says so.
    mark : int or None
        Where the buffer begins in the file, if it is as it stands there.
    """

    def __init__(self, buffer: pa.Buffer, encoding: str, *, assumed: bool = False, mark: int | None = None) -> None:
        self.buffer: pa.Buffer = buffer
        self.encoding: str = encoding
        self.assumed: bool = assumed
        self.mark: int | None = mark


_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_STEP = 1 << 24
_CHECKED = 1 << 26  # [bytes] of which it is told whether they are UTF-8; of what follows, once it is read


def text_of(path: Path, buffer: pa.Buffer, encoding: str | None = None) -> Text:
    """Return the bytes of a text file in UTF-8: by its mark, by what it can be, or as it is said.

    Raises
    ------
    FrameError
        The bytes are not in the encoding that is said.
    """
    head = bytes(buffer[:4096])
    for mark, name in _MARKS:
        if head.startswith(mark) and encoding is None:
            rest = buffer.slice(len(mark))
            if name == "utf-8":
                return Text(rest, name, mark=_mark(path, rest, len(mark)))
            return Text(_recoded(path, rest, name), name)
    if encoding is not None:
        try:
            same = "".encode(encoding) == b"" and encoding.lower().replace("_", "-") in ("utf-8", "utf8", "ascii")
        except LookupError as exc:
            raise FrameError(
                f"{path}: there is no encoding {encoding!r}; there are utf-8, cp1252, utf-16, cp1251, ..."
            ) from exc
        rest = buffer.slice(3) if head.startswith(b"\xef\xbb\xbf") else buffer
        return Text(rest if same and _is_utf8(rest) else _recoded(path, rest, encoding), encoding)
    if b"\x00" in head:
        zeros = [head[k::2].count(0) for k in (0, 1)]
        if max(zeros) * 4 < len(head) or min(zeros) * 8 > max(zeros):
            raise FrameError(f"{path} cannot be read: it is a binary file of an unknown kind")
        name = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        return Text(_recoded(path, buffer, name), name, assumed=True)
    if _is_utf8(buffer[:_CHECKED]):
        return Text(buffer, "utf-8", mark=_mark(path, buffer, 0))
    return in_code_page(path, buffer)


def _mark(path: Path, buffer: pa.Buffer, mark: int) -> int | None:
    return mark if path.stat().st_size == mark + len(buffer) else None


def in_code_page(path: Path, buffer: pa.Buffer) -> Text:
    """Return the text of bytes that are not UTF-8 and do not say what else."""
    try:
        return Text(_recoded(path, buffer, "cp1252"), "cp1252", assumed=True)
    except FrameError:
        return Text(_recoded(path, buffer, "latin-1"), "latin-1", assumed=True)


def _is_utf8(buffer: pa.Buffer) -> bool:
    view = memoryview(buffer)
    begin = 0
    while begin < len(view):
        stop = min(begin + _STEP, len(view))
        while stop < len(view) and stop > begin and view[stop] & 0xC0 == 0x80:
            stop -= 1
        try:
            str(view[begin:stop], "utf-8")
        except UnicodeDecodeError as exc:
            if stop < len(view) or exc.end < len(view) - begin or len(view) < _CHECKED:
                return False  # not just a letter cut in two where the check ends
        begin = stop
    return True


def _recoded(path: Path, buffer: pa.Buffer, encoding: str) -> pa.Buffer:
    try:
        return pa.py_buffer(str(memoryview(buffer), encoding).encode())
    except (UnicodeError, LookupError) as exc:
        raise FrameError(f"{path} is not written in {encoding} ({exc}); give its own encoding") from exc
