"""Long answers, column by column: rows that are written alike are cut as a matrix of bytes. Pure.

A week of 50 variants is 100,000 small objects, and making each of them in Python takes longer than all the rest.
But a server writes its rows by one pattern: the first row tells where in its text the values stand, and every row
of the same length whose other bytes are the same has them in the same place. Whatever does not fit (escapes,
nested values, many patterns) is left to the ordinary way: `read` returns None then, so that this is about time
alone and never about what an answer means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.fetch import instants

__all__ = ["Columns", "read"]

_FEWEST = 2_000  # rows from which on it pays
_WIDEST = 1_024  # bytes of a row
_MOST_LAYOUTS = 64
_PIECE = 1 << 19  # bytes looked at together
_ROWS = 1 << 14  # rows cut together

_PAIR = re.compile(rb'\s*"([^"\\]*)"\s*:\s*(?:"([^"\\]*)"|(\d{1,10}(?![\d.eE+-]))|(null|true|false|-?[\d.eE+-]+))\s*')
_ROW = re.compile(rb"\{" + _PAIR.pattern + rb"(?:," + _PAIR.pattern + rb")*\}\s*,\s*")
_COUNT = b"max_concurrent_conversations"


_HEAD = b'{"intervals":['

Bytes = npt.NDArray[np.uint8]


@dataclass
class Columns:
    """The values of an answer, as they came.

    Attributes
    ----------
    seconds, counts : int64, shape (n,)
        Interval starts [s since 1970], and maxima.
    codes : int64, shape (n,)
        Place in `ids`.
    ids : list of str or None
        The series, in no order; None where a row names none.
    name_of : callable
        Row -> its display name, or None.
    """

    seconds: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    ids: Sequence[str | None]
    name_of: Callable[[int], str | None]


@dataclass(frozen=True)
class _Layout:
    """Where the values stand in rows of one pattern: (begin, end) of each, None where there is none."""

    template: Bytes
    fixed: Bytes  # 255 where a byte has to be that of the template, 0 where values or other rows begin
    time: tuple[int, int]
    count: tuple[int, int]
    series: tuple[int, int] | None
    name: tuple[int, int] | None

    @property
    def quotes(self) -> int:
        """How many quotation marks a row has outside its values."""
        return int(np.count_nonzero(self.template[self.fixed == 255] == ord('"')))

    def fits(self, block: Bytes) -> npt.NDArray[np.bool_]:
        """Return which rows of the block, shape (n, a multiple of 8), are written by this pattern."""
        words, want, mask = block.view(np.uint64), self.template.view(np.uint64), self.fixed.view(np.uint64)
        differs = np.zeros(len(block), dtype=np.uint64)
        for k in np.flatnonzero(mask).tolist():
            differs |= (words[:, k] ^ want[k]) & mask[k]
        return np.asarray(differs == 0)


def _layout(text: bytes, width: int, series: bytes | None) -> _Layout | None:
    """Learn where the values of one row stand; None where that is not plain."""
    if not _ROW.fullmatch(text):
        return None
    found = {pair[1]: pair for pair in _PAIR.finditer(text, 1)}  # of a name twice the last counts, as in msgspec
    time, count = found.get(b"time"), found.get(_COUNT)
    if time is None or count is None or time[2] is None or len(time[2]) not in (20, 24) or count[3] is None:
        return None
    texts = [found[name] for name in (series, b"variant_name") if name is not None and name in found]
    if any(pair[2] is None and pair[4] != b"null" for pair in texts):
        return None
    own = found.get(series) if series is not None else None
    name = found.get(b"variant_name") if series == b"variant_id" else None
    spans = [time.span(2), count.span(3)]
    spans += [pair.span(2) for pair in (own, name) if pair is not None and pair[2] is not None]
    template = np.zeros(width, dtype=np.uint8)
    template[: len(text)] = np.frombuffer(text, dtype=np.uint8)
    fixed = np.zeros(width, dtype=np.uint8)
    fixed[: len(text)] = 255
    for begin, end in spans:
        fixed[begin:end] = 0
    return _Layout(
        template,
        fixed,
        time.span(2),
        count.span(3),
        own.span(2) if own is not None and own[2] is not None else None,
        name.span(2) if name is not None and name[2] is not None else None,
    )


def read(body: bytes, series: str | None, decode: Callable[[bytes], Any]) -> Columns | None:
    """Read the body of a 200, or return None where the ordinary way has to.

    Parameters
    ----------
    body : bytes
    series : str or None
        The field that names the series of a row.
    decode : callable
        A body -> an object with ``intervals``: for what stands before the rows, one of each pattern, and the
        last rows with what follows them. Together with the patterns that proves the whole to be JSON.
    """
    if len(body) < _FEWEST * 50 or b"\\" in body:
        return None
    head = body[: body.find(b"[") + 1]
    text = np.frombuffer(body, dtype=np.uint8)[len(head) :]
    begins = _places(text, "{")
    count = int(np.searchsorted(begins, len(text) - _WIDEST))
    if count < _FEWEST or bytes(text[: begins[0]]).strip():
        return None
    try:
        last = decode(_HEAD + text[begins[count] :].tobytes()).intervals
        if decode(head + b"]}").intervals or len(last) != len(begins) - count:
            return None
        table = _Table(text, begins, series, decode)
        if not table.cut(count):
            return None
        table.append(last, count)
        return table.columns()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _places(text: Bytes, mark: str) -> npt.NDArray[np.int64]:
    """Return where a character stands, in pieces that stay in the cache."""
    parts = [np.flatnonzero(text[at : at + _PIECE] == ord(mark)) + at for at in range(0, len(text), _PIECE)]
    return np.concatenate(parts)


class _Table:
    """The columns while they are being filled."""

    def __init__(
        self, text: Bytes, begins: npt.NDArray[np.int64], series: str | None, decode: Callable[[bytes], Any]
    ) -> None:
        self._text, self._begins, self._decode = text, begins, decode
        self._field = series
        self._series = series.encode() if series is not None else None
        self._seconds = np.empty(len(begins), dtype=np.int64)
        self._counts = np.empty(len(begins), dtype=np.int64)
        self._codes = np.zeros(len(begins), dtype=np.int64)
        self._names = np.full((len(begins), 2), -1, dtype=np.int64)  # where a row's display name stands
        self._known: dict[bytes | None, int] = {}
        self._layouts: dict[int, list[_Layout]] = {}
        self._learned = 0
        self._tail: list[Any] = []

    def cut(self, count: int) -> bool:
        """Cut the first `count` rows; False where they are not written alike."""
        if int(np.diff(self._begins[: count + 1]).max()) > _WIDEST:
            return False
        return all(self._piece(begin, min(begin + _ROWS, count)) for begin in range(0, count, _ROWS))

    def _piece(self, begin: int, end: int) -> bool:
        lengths = np.diff(self._begins[begin : end + 1])
        quotes = 0
        for length in np.flatnonzero(np.bincount(lengths)).tolist():
            rows = np.flatnonzero(lengths == length) + begin
            block = self._block(rows, -(-length // 8) * 8)
            known = self._layouts.setdefault(length, [])
            tried = 0
            while len(rows):
                if tried == len(known) and not self._learn(known, block, length):
                    return False
                layout = known[tried]
                tried += 1
                good = layout.fits(block)
                if good.any():
                    if not self._take(layout, block if good.all() else block[good], rows[good]):
                        return False
                    quotes += layout.quotes * int(np.count_nonzero(good))
                    rows, block = rows[~good], block[~good]
        # A mark more than the patterns have would stand within a value: a string that ends before it seems to.
        text = self._text[self._begins[begin] : self._begins[end]]
        return quotes == int(np.count_nonzero(text == ord('"')))

    def _learn(self, known: list[_Layout], block: Bytes, length: int) -> bool:
        row = block[0, :length].tobytes()
        layout = _layout(row, block.shape[1], self._series)
        self._decode(_HEAD + row.rstrip(b", \t\r\n") + b"]}")
        self._learned += 1
        if layout is None or self._learned > _MOST_LAYOUTS:
            return False
        known.append(layout)
        return True

    def _block(self, rows: npt.NDArray[np.int64], width: int) -> Bytes:
        # Every place of the text as the begin of an item of `width` bytes; no copy until rows are picked.
        items: npt.NDArray[Any] = np.ndarray(
            (len(self._text) - width + 1,), dtype=f"V{width}", buffer=self._text.data, strides=(1,)
        )
        return items[self._begins[rows]].view(np.uint8).reshape(len(rows), width)

    def _take(self, layout: _Layout, block: Bytes, rows: npt.NDArray[np.int64]) -> bool:
        begin, end = layout.time
        seconds = instants.from_bytes(np.ascontiguousarray(block[:, begin:end]))
        if seconds is None:
            return False
        self._seconds[rows] = seconds
        begin, end = layout.count
        if end - begin > 1 and (block[:, begin] == ord("0")).any():
            return False  # JSON knows no 007
        counts = np.zeros(len(rows), dtype=np.int64)
        for place in range(begin, end):
            digit = block[:, place] - np.uint8(ord("0"))
            if int(digit.max()) > 9:
                return False
            counts = counts * 10 + digit
        self._counts[rows] = counts
        self._codes[rows] = self._coded(block, layout.series)
        if layout.name is not None:
            self._names[rows, 0] = self._begins[rows] + layout.name[0]
            self._names[rows, 1] = self._begins[rows] + layout.name[1]
        return True

    def _coded(self, block: Bytes, span: tuple[int, int] | None) -> npt.NDArray[np.int64]:
        if span is None or span[0] == span[1]:
            return np.full(len(block), self._code(None if span is None else b""))
        width = span[1] - span[0]
        padded = np.zeros((len(block), -(-width // 8) * 8), dtype=np.uint8)
        padded[:, :width] = block[:, span[0] : span[1]]
        first_word, *others = padded.view(np.uint64).T
        codes = pd.factorize(first_word)[0]
        for word in others:
            more, distinct = pd.factorize(word)
            codes = pd.factorize(codes * len(distinct) + more)[0]
        first = np.zeros(int(codes.max()) + 1, dtype=np.int64)
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        labels = [self._code(padded[at, :width].tobytes()) for at in first.tolist()]
        return np.asarray(np.array(labels, dtype=np.int64)[codes])

    def _code(self, label: bytes | None) -> int:
        return self._known.setdefault(label, len(self._known))

    def append(self, objects: Sequence[Any], begin: int) -> None:
        """Set the last rows, from `begin` on, from objects."""
        size = begin + len(objects)
        self._seconds, self._counts = self._seconds[:size], self._counts[:size]
        self._codes, self._names = self._codes[:size], self._names[:size]
        self._seconds[begin:] = instants.from_texts([o.time for o in objects])
        self._counts[begin:] = [min(o.max_concurrent_conversations, 2**62) for o in objects]
        labels = [getattr(o, self._field) if self._field else None for o in objects]
        self._codes[begin:] = [self._code(None if x is None else x.encode()) for x in labels]
        self._tail = list(objects)

    def columns(self) -> Columns:
        """Return what was read."""
        ids = [None if label is None else label.decode() for label in self._known]
        return Columns(self._seconds, self._counts, self._codes, ids, self._name_of)

    def _name_of(self, row: int) -> str | None:
        at = row - (len(self._seconds) - len(self._tail))
        if at >= 0:
            name = getattr(self._tail[at], "variant_name", None)
            return None if name is None else str(name)
        begin, end = self._names[row].tolist()
        return None if begin < 0 else self._text[begin:end].tobytes().decode()
