"""Call records in JSON: a list, lines, or a list under some key; nested fields are named with dots."""

from __future__ import annotations

import itertools
import json
import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from capacity.calls.look import SAMPLE
from capacity.errors import FrameError

_BLOCK = 1 << 26  # [bytes] of lines that are decoded at once
_DEPTH = 5


class JsonLog:
    """Records in JSON, read by columns: the scalar fields of the first records; see `capacity.calls.logs.Log`."""

    def __init__(self, name: str, buffer: pa.Buffer) -> None:
        self.name: str = name
        self.header: bool = True
        self.view: memoryview = memoryview(buffer)
        self.rows: list[msgspec.Raw] | None = None
        self.broken: dict[int, str] = {}
        self.doubts: list[str] = []
        self.written: dict[str, str] = {}
        self.kind: str
        try:
            if _is_lines(self.view):
                self.kind = "JSON lines"
                sample = [r for r in _decoded_lines(_first_lines(self.view))[0] if isinstance(r, dict)]
            else:
                try:
                    self.rows, where = _records(self.view)
                except msgspec.DecodeError as exc:
                    if "trailing characters" not in str(exc):
                        raise
                    self.rows, where = _one_after_another(self.view), ""
                self.kind = f"JSON, records under {where!r}" if where else "JSON"
                sample = [msgspec.json.decode(row) for row in self.rows[:SAMPLE]]
        except (msgspec.DecodeError, RecursionError) as exc:
            raise FrameError(f"is no JSON that can be read ({exc})") from exc
        self.columns: list[str] = []
        if not sample:
            if self.rows:
                raise FrameError('is JSON without records such as {"start": ..., "end": ...}')
            return
        self.paths: dict[str, tuple[str, ...]] = {".".join(path): path for record in sample for path in _leaves(record)}
        self.columns = list(self.paths)

    def sample(self) -> pa.Table:
        """Return all columns of the first records."""
        return self._table(self.columns, SAMPLE)

    def read(self, wanted: Sequence[str], labels: Sequence[str] = (), *, typed: bool = False) -> pa.Table:
        """Return the wanted columns."""
        return self._table(wanted)

    def _table(self, wanted: Sequence[str], rows: int | None = None) -> pa.Table:
        paths = [self.paths[name] for name in wanted]
        if not paths:
            return pa.table({})
        try:
            parts = [_columns(block, paths) for block in self._decoded(paths, rows)]
        except (msgspec.DecodeError, RecursionError) as exc:
            raise FrameError(f"is no JSON that can be read ({exc})") from exc
        columns = {}
        for k, name in enumerate(wanted):
            chunks = [part[k] for part in parts]
            kinds = {c.type for c in chunks if not pa.types.is_null(c.type)}
            kind = kinds.pop() if len(kinds) == 1 else pa.string()
            columns[name] = pa.chunked_array([c.cast(kind) for c in chunks], type=kind)
        return pa.table(columns)

    def _decoded(self, paths: list[tuple[str, ...]], rows: int | None) -> Iterator[list[Any]]:
        shape = _struct(paths)
        strict, loose = msgspec.json.Decoder(shape), msgspec.json.Decoder()
        if self.rows is not None:
            for begin in range(0, len(self.rows[:rows]), 100_000):
                block = self.rows[begin : min(begin + 100_000, rows or len(self.rows))]
                try:
                    yield [strict.decode(row) for row in block]
                except msgspec.ValidationError:
                    yield [_as_struct(loose.decode(row), shape) for row in block]
            return
        source = [_first_lines(self.view)] if rows is not None else _blocks(self.view)
        self.broken, before = {}, 0
        for block_ in source:
            try:
                records = strict.decode_lines(block_)
            except msgspec.DecodeError:
                found, broken = _decoded_lines(block_)
                records = [_as_struct(record, shape) for record in found]
                self.broken |= {before + number: text for number, text in broken.items()}
                before += len(broken)
            before += len(records)
            yield records


def _is_lines(view: memoryview) -> bool:
    head = bytes(view[: 1 << 20]).lstrip()
    if not head.startswith(b"{"):
        return False
    line = head.split(b"\n", 1)[0]
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return len(line) < len(head.rstrip())


def _decoded_lines(lines: bytes | memoryview) -> tuple[list[Any], dict[int, str]]:
    """Return what lines hold, and by number those that are no JSON, such as a last one that is cut."""
    decoder = msgspec.json.Decoder()
    try:
        return decoder.decode_lines(lines), {}
    except msgspec.DecodeError:
        pass
    found, broken = [], {}
    for number, line in enumerate((line for line in bytes(lines).split(b"\n") if line.strip()), start=1):
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError:
            broken[number] = line.decode("utf-8", "replace")
    return found, broken


def _one_after_another(view: memoryview) -> list[msgspec.Raw]:
    """Return the objects of a document that has several, on as many lines as it likes."""
    text, at, found = bytes(view).decode("utf-8", "replace"), 0, []
    decoder, space = json.JSONDecoder(), re.compile(r"[\s,]*")
    while (at := space.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        try:
            record, at = decoder.raw_decode(text, at)
        except ValueError as exc:
            raise FrameError(f"is no JSON that can be read ({exc})") from exc
        found += record if isinstance(record, list) else [record]
    return _raw(record for record in found if isinstance(record, dict))


def _first_lines(view: memoryview) -> bytes:
    head = bytes(view[: 1 << 20])
    lines = head.split(b"\n")
    return b"\n".join(lines[: min(SAMPLE, len(lines) - (len(view) > len(head)))])


def _blocks(view: memoryview) -> Iterator[memoryview]:
    begin = 0
    while begin < len(view):
        stop = min(begin + _BLOCK, len(view))
        if stop < len(view):
            stop = bytes(view[begin:stop]).rfind(b"\n") + begin + 1 or stop
        yield view[begin:stop]
        begin = stop


def _records(view: memoryview) -> tuple[list[msgspec.Raw], str]:
    """Return the longest list of objects in the document, and the keys that lead to it."""
    found: list[tuple[int, str, list[msgspec.Raw]]] = []

    def search(raw: msgspec.Raw | memoryview, path: str, depth: int) -> None:
        first = _first(raw)
        if first == b"[":
            rows = msgspec.json.decode(raw, type=list[msgspec.Raw])
            if rows and _first(rows[0]) == b"{":
                found.append((len(rows), path, rows))
        elif first == b"{" and depth < _DEPTH:
            for key, value in msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).items():
                search(value, f"{path}.{key}" if path else key, depth + 1)

    search(view, "", 0)
    if found:
        _, path, rows = max(found, key=lambda item: item[0])
        return rows, path
    first = _first(view)
    if first == b"{":
        whole = msgspec.json.decode(view)
        if rows := _turned(whole):
            return rows, ""
        return [msgspec.Raw(bytes(view))], ""
    if first == b"[":
        return _rows_of(msgspec.json.decode(view)), ""
    raise FrameError("is JSON without records")


def _turned(whole: dict[str, Any]) -> list[msgspec.Raw]:
    """Return the records of a document that holds a list (or an object by row) a column, or an object by id."""
    if isinstance(whole.get("columns"), list) and isinstance(whole.get("data"), list):
        return _rows_of([whole["columns"], *whole["data"]])
    records = list(whole.values())
    if len(records) > 1 and all(isinstance(r, dict) and not all(map(str.isdigit, r)) for r in records):
        return _raw(records)
    columns = {k: list(v.values()) if isinstance(v, dict) else v for k, v in whole.items()}
    lengths = {len(v) if isinstance(v, list) else -1 for v in columns.values()}
    if len(lengths) != 1 or lengths == {-1} or len(columns) < 2:
        return []
    return _raw(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _rows_of(rows: list[Any]) -> list[msgspec.Raw]:
    """Return the records of a list of rows, the first of which are the names."""
    if not rows or not all(isinstance(row, list) for row in rows) or not all(isinstance(n, str) for n in rows[0]):
        return []
    return _raw(dict(itertools.zip_longest(rows[0], row[: len(rows[0])])) for row in rows[1:])


def _raw(records: Iterable[dict[str, Any]]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(record)) for record in records]


def _first(raw: msgspec.Raw | memoryview) -> bytes:
    found = re.match(rb"[\s\xef\xbb\xbf]*(.)", bytes(memoryview(raw)[:64]))
    return found[1] if found else b""


def _leaves(record: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in record.items() if isinstance(record, dict) else ():
        if isinstance(value, dict) and len(path) < _DEPTH:
            yield from _leaves(value, (*path, key))
        elif not isinstance(value, list | dict):
            yield (*path, key)


def _struct(paths: list[tuple[str, ...]]) -> Any:
    """Return a type that decodes just these fields."""
    inner: dict[str, list[tuple[str, ...]]] = {}
    for path in paths:
        inner.setdefault(path[0], []).append(path[1:])
    fields, names = [], {}
    for k, (key, rests) in enumerate(inner.items()):
        names[f"f{k}"] = key
        deeper = [rest for rest in rests if rest]
        leaf = any(not rest for rest in rests)
        fields.append((f"f{k}", Any if leaf or not deeper else _struct(deeper) | None, None))
    return msgspec.defstruct("Record", fields, rename=names, gc=False)


def _as_struct(record: Any, shape: Any) -> Any:
    """Return the record as the type, with what does not fit left out."""
    values = {}
    for info in msgspec.structs.fields(shape):
        value = record.get(info.encode_name) if isinstance(record, dict) else None
        if info.type is not Any and value is not None:
            value = _as_struct(value, info.type.__args__[0]) if isinstance(value, dict) else None
        values[info.name] = value
    return shape(**values)


def _columns(records: list[Any], paths: list[tuple[str, ...]]) -> list[pa.Array]:
    made = []
    for path in paths:
        values = records
        for key in path:
            values = _field(values, key)
        made.append(_array(values))
    return made


def _field(values: list[Any], key: str) -> list[Any]:
    kind = type(next((v for v in values if v is not None), None))
    if not issubclass(kind, msgspec.Struct):
        return [v.get(key) if isinstance(v, dict) else None for v in values]
    name = next(info.name for info in msgspec.structs.fields(kind) if info.encode_name == key)
    get = operator.attrgetter(name)
    return [None if v is None else get(v) for v in values] if None in values else list(map(get, values))


def _array(values: list[Any]) -> pa.Array:
    kinds = {type(v) for v in values} - {type(None)}
    if kinds <= {int, float} and kinds:
        try:
            return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
        except (pa.ArrowException, OverflowError):
            pass
    if kinds == {str} or not kinds:
        return pa.array(values, pa.string())
    return pa.array([_word(v) for v in values], pa.string())


def _word(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else msgspec.json.encode(value).decode()
