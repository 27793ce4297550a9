"""Starts and ends of calls as sorted keys: the time, which of the two it is, and the group, in one integer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]

_WORD_BITS = 63
_SECOND = 1_000_000_000  # [ns]
_LAG = 4096


@dataclass(frozen=True)
class Span:
    """The events of the steps [first, first + steps), times [ns] counted from its beginning."""

    first: int
    steps: int
    starts: Ints
    ends: Ints
    start_codes: Ints
    end_codes: Ints


@dataclass(frozen=True)
class Events:
    """Sorted keys: ``(2 t << bits) | group`` of a start at t, ``((2 t - 1) << bits) | group`` of an end.

    At one instant ends come before starts, and an end on the boundary of a step falls into the step before.
    """

    starts: Ints
    ends: Ints
    bits: int
    width: int  # of a step, in the unit of t

    def step(self, keys: Ints) -> Ints:
        """Return the step of each key."""
        return np.asarray(keys // keys.dtype.type(self.width << (self.bits + 1)))

    def is_end(self, keys: Ints) -> Ints:
        """Return 1 for ends and 0 for starts."""
        return np.asarray((keys >> keys.dtype.type(self.bits)) & keys.dtype.type(1))

    def code(self, keys: Ints) -> Ints:
        """Return the group of each key, in the narrowest type."""
        narrow = np.uint8 if self.bits <= 8 else np.uint16 if self.bits <= 16 else np.int64
        return np.asarray((keys & keys.dtype.type((1 << self.bits) - 1)).astype(narrow))

    def edge(self, steps: Sequence[int]) -> Ints:
        """Return the lowest key of each step."""
        return np.array([step * (self.width << (self.bits + 1)) for step in steps], dtype=self.starts.dtype)

    def count(self, keys: Ints, groups: int) -> npt.NDArray[np.int64]:
        """Return how many keys each group has; where groups are not told apart, all stand in the first."""
        if self.bits:
            return np.bincount(self.code(keys), minlength=groups)
        counts = np.zeros(groups, dtype=np.int64)
        counts[0] = len(keys)
        return counts


def spans(
    starts: Ints, ends: Ints, start_codes: Ints, end_codes: Ints, *, steps: int, width: int, bits: int
) -> Iterator[Span]:
    """Cut the range so that each span's times and groups fit into one word; mostly that is the whole."""
    most = ((1 << (_WORD_BITS - bits)) - 1) // (2 * width)
    if steps <= most:
        yield Span(0, steps, starts, ends, start_codes, end_codes)
        return
    span = most * width
    edges = np.arange(-(-steps // most) + 1)
    sides = []
    for times, codes, shift in ((starts, start_codes, 0), (ends, end_codes, 1)):
        where = (times - shift) // span
        order = order_of(where, len(edges) - 1)
        sides.append((times[order], codes[order], np.searchsorted(where[order], edges)))
    (starts, start_codes, ups), (ends, end_codes, downs) = sides
    for k in edges[:-1].tolist():
        up, down = slice(ups[k], ups[k + 1]), slice(downs[k], downs[k + 1])
        yield Span(
            first=k * most,
            steps=min(most, steps - k * most),
            starts=starts[up] - k * span,
            ends=ends[down] - k * span,
            start_codes=start_codes[up],
            end_codes=end_codes[down],
        )


def sorted_events(span: Span, *, bits: int, width: int, pool: Executor) -> Events:
    """Pack and sort the starts and the ends of a span, at once where the pool has two threads."""
    unit = _SECOND if width % _SECOND == 0 and _whole(span.starts) and _whole(span.ends) else 1
    width //= unit
    word = np.uint32 if (2 * width * span.steps).bit_length() + bits <= 32 else np.int64
    half = pool.submit(_packed, span.ends, span.end_codes, 1, bits, unit, word)
    return Events(_packed(span.starts, span.start_codes, 0, bits, unit, word), half.result(), bits, width)


def order_of(codes: Ints, groups: int) -> Ints:
    """Return the stable order by small integers; numpy sorts 8- and 16-bit words by radix."""
    if groups <= 1 << 8:
        return np.argsort(codes.astype(np.uint8, copy=False), kind="stable")
    order = np.argsort(codes.astype(np.uint16), kind="stable")  # the low 16 bits
    if groups <= 1 << 16:
        return order
    return order[order_of((codes >> 16)[order], -(-groups >> 16))]


def _packed(times: Ints, codes: Ints, shift: int, bits: int, unit: int, word: Any) -> Ints:
    key: Ints = (times // unit if unit > 1 else times).astype(word)
    key *= word(2 << bits)
    key -= word(shift << bits)
    if bits:
        key |= codes.astype(word, copy=False)
    if not _ascending(key):
        # Ends of calls in order of start are nearly in order: merging runs is quicker than sorting afresh.
        nearly = len(key) > _LAG and float(np.mean(key[_LAG:] < key[:-_LAG])) < 0.01
        key.sort(kind="stable" if nearly else None)
    return key


def _ascending(key: Ints) -> bool:
    return bool(np.all(key[1:2000] >= key[:1999][: len(key[1:2000])])) and bool(np.all(key[1:] >= key[:-1]))


def _whole(times: Ints) -> bool:
    return not (times[:1000] % _SECOND).any() and not (times % _SECOND).any()
