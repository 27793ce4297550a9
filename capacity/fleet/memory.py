"""The memory of a worker while it works."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator

__all__ = ["kept_memory"]

_TOLD = "MALLOC_TRIM_THRESHOLD_"
_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
_KEPT, _USUAL = 1 << 26, 1 << 17  # bytes


@contextlib.contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory while a task runs, where the process was told to hand it back at once; hand it back at the end.

    Dask tells its workers so. Memory that was handed back comes again page by page, each of them emptied by the system:
    calls into a store took 1.7 times the processor time.
    """
    told = os.environ.get(_TOLD, "")
    libc = ctypes.CDLL(None) if told.isdecimal() and os.name == "posix" else None
    if libc is None or not hasattr(libc, "mallopt"):
        yield
        return
    libc.mallopt(_MMAP, _KEPT)
    libc.mallopt(_TRIM, 4 * _KEPT)
    try:
        yield
    finally:
        libc.mallopt(_MMAP, _USUAL)
        libc.mallopt(_TRIM, min(int(told), 2**31 - 1))
        libc.malloc_trim(0)
