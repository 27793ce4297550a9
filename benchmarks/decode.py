"""One week of 50 variants: the bytes of an answer -> the interval frame."""

from __future__ import annotations

import json

import msgspec
import pandas as pd

from benchmarks._data import answer, weeks
from benchmarks.table import Row, median_time
from capacity.fetch.build import Layer, build
from capacity.fetch.payload import parse

VARIANTS = 50


class _Interval(msgspec.Struct, gc=False):
    time: str
    max_concurrent_conversations: int
    variant_id: str
    variant_name: str


class _Answer(msgspec.Struct):
    intervals: list[_Interval]


def run() -> list[Row]:
    """Time ours beside the usual way with pandas, and beside msgspec alone, which makes no frame."""
    (window,) = weeks(1)
    body = answer(window, VARIANTS)
    decoder = msgspec.json.Decoder(_Answer)

    def ours() -> pd.DataFrame:
        layer = Layer()
        layer.add([window], parse(body, window, "variant"))
        return build([layer], window, by="variant", absent="zero")

    def usual() -> pd.DataFrame:
        frame = pd.DataFrame(json.loads(body)["intervals"])
        frame["time"] = pd.to_datetime(frame["time"])
        return frame.set_index(["time", "variant_id"]).sort_index()

    mine, theirs = ours(), usual()
    assert mine["max_concurrent"].tolist() == theirs["max_concurrent_conversations"].tolist()
    return [
        Row(
            f"decode: a week x {VARIANTS} variants ({len(body) / 1e6:.0f} MB)",
            median_time(ours, 15),
            peer_s=median_time(usual, 5),
            peer="json + pandas",
            floor_s=median_time(lambda: decoder.decode(body), 15),
            floor="msgspec alone",
            note=f"{len(mine):,} rows",
        )
    ]
