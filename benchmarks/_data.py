"""What the fetch benchmarks share: answers of a known size."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pandas as pd

from capacity.fetch.endpoint import Scope
from capacity.fetch.payload import Rows
from capacity.fetch.store import Store
from capacity.fetch.windows import Window, split
from capacity.ground.frame import TOTAL

__all__ = ["answer", "filled", "weeks"]


def weeks(count: int) -> list[Window]:
    """Return so many whole UTC weeks, the first from Monday 2023-01-02 on."""
    start = pd.Timestamp("2023-01-02", tz="UTC").as_unit("ns")
    return split(start, start + pd.Timedelta(weeks=count))


def answer(window: Window, variants: int, *, seed: int = 1) -> bytes:
    """Return the body of an answer in the form of the API's own example; 0 variants for an unsliced one."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(window.start, window.end, freq="5min", inclusive="left")
    texts = times.strftime("%Y-%m-%dT%H:%M:%S.000Z").tolist()
    rows: Iterable[dict[str, object]]
    if variants:
        values = rng.integers(0, 90, (len(texts), variants)).tolist()
        rows = [
            {
                "variant_id": f"sat{v:02d}",
                "variant_name": f"variant_{v}",
                "time": text,
                "max_concurrent_conversations": values[t][v],
            }
            for t, text in enumerate(texts)
            for v in range(variants)
        ]
    else:
        values = rng.integers(0, 300, len(texts)).tolist()
        rows = [{"time": text, "max_concurrent_conversations": values[t]} for t, text in enumerate(texts)]
    document = {"account_id": "ACCOUNT-1", "project_id": "PROJECT-1", "intervals": list(rows)}
    return json.dumps(document, separators=(",", ":")).encode()


def filled(root: str, windows: Iterable[Window], variants: int) -> None:
    """Fill a store with so many variants and the total, without a request."""
    store = Store(root)
    rng = np.random.default_rng(1)
    ids = tuple(f"sat{v:02d}" for v in range(variants))
    names = {i: f"variant_{v}" for v, i in enumerate(ids)}
    for window in windows:
        steps = np.arange(window.first, window.last, dtype=np.int32)
        whole = rng.integers(0, 300, len(steps), dtype=np.int32)
        late = window.end + pd.Timedelta(days=30)
        store.add(Scope("ACCOUNT-1", "PROJECT-1"), window, Rows(steps, np.zeros_like(steps), whole, (TOTAL,)), late)
        codes = np.tile(np.arange(variants, dtype=np.int32), len(steps))
        values = rng.integers(0, 90, len(codes), dtype=np.int32)
        rows = Rows(np.repeat(steps, variants), codes, values, ids, names)
        store.add(Scope("ACCOUNT-1", "PROJECT-1", by="variant"), window, rows, late)
