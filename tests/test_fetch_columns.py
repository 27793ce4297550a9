"""The quick way to read a long answer says what the ordinary way says, or nothing."""

from __future__ import annotations

import json
import random

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.fetch import columns, payload
from capacity.fetch.windows import Window

START = pd.Timestamp("2024-02-26T00:00Z")
WINDOW = Window(START, START + pd.Timedelta(days=7))
NAMES = ["variant_1", "variant_10", "Ä ö", "日本", "a,b:{c}", "", None]


def rows(rng: random.Random, count: int, form: str) -> list[dict]:
    """Return plain rows: sliced, in a random order, some twice, with texts of many lengths."""
    times = [(START + pd.Timedelta(minutes=5 * rng.randrange(2200) - 60)).strftime(form) for _ in range(count)]
    ids = [f"sat{k}" * rng.choice([1, 3]) for k in range(12)] + ["é", "x" * 40]
    return [
        {
            "variant_id": rng.choice(ids),
            "variant_name": rng.choice(NAMES[:2]),
            "time": t,
            "max_concurrent_conversations": n,
        }
        for t, n in zip(times, rng.choices([0, 7, 12, 345, 2**31 - 1, 999_999_999], k=count), strict=True)
    ]


def body(intervals: list, **dumps) -> bytes:
    """Return an answer, written in one of the ways that servers write."""
    return json.dumps({"account_id": "A", "intervals": intervals, "project_id": "P"}, **dumps).encode()


def outcome(answer: bytes, by: str | None):
    """Return what comes of an answer: rows as tuples, or the kind of error."""
    try:
        got = payload.parse(answer, WINDOW, by)
    except cap.errors.FetchError as exc:
        return type(exc)
    found = list(zip(got.steps.tolist(), [got.ids[c] for c in got.codes], got.values.tolist(), strict=True))
    return found, got.names, got.duplicates, got.outside


@pytest.fixture
def both(monkeypatch):
    """Return a function that reads an answer in both ways and tells whether the quick one did."""
    monkeypatch.setattr(columns, "_FEWEST", 20)
    monkeypatch.setattr(columns, "_ROWS", 64)
    monkeypatch.setattr(columns, "_PIECE", 512)

    def read(answer: bytes, by: str | None = "variant") -> bool:
        taken = []

        def watched(*arguments):
            taken.append(columns.read(*arguments))
            return taken[0]

        with monkeypatch.context() as patch:
            patch.setattr(payload, "read", watched)
            quick = outcome(answer, by)
            patch.setattr(payload, "read", lambda *_: None)
            assert quick == outcome(answer, by)
        return taken[0] is not None

    return read


@pytest.mark.parametrize("by", ["variant", None])
@pytest.mark.parametrize(
    "dumps", [{"separators": (",", ":")}, {}, {"indent": 1}, {"separators": (" ,\t", " :\r\n"), "ensure_ascii": False}]
)
@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z"])
def test_plain_answers_are_read_quickly_and_the_same(both, by, dumps, form):
    """The quick way was not taken, or took a value from the wrong place."""
    intervals = rows(random.Random(1), 400, form)
    if "ensure_ascii" not in dumps:
        intervals = [r for r in intervals if r["variant_id"].isascii()]
    if by is None:
        intervals = [{k: v for k, v in r.items() if not k.startswith("variant")} for r in intervals]
    assert both(body(intervals, **dumps), by)


def _change(rng: random.Random, intervals: list[dict]) -> None:
    """Change one row into something less plain."""
    row = rng.choice(intervals)
    changes = [
        {"variant_id": None},
        {"variant_id": 7},
        {"variant_id": 'a","b":"c'},
        {"variant_id": "back\\slash"},
        {"variant_id": "*"},
        {"variant_id": ""},
        {"variant_name": rng.choice(NAMES)},
        {"variant_name": 5},
        {"variant_name": "{"},
        {"variant_name": "},{"},
        {"variant_name": "\u2028\u0000"},
        {"time": "2024-02-27T05:30:00+05:30"},
        {"time": "2024-02-30T00:00:00Z"},
        {"time": "2024-02-27T00:01:00.000Z"},
        {"time": None},
        {"max_concurrent_conversations": -1},
        {"max_concurrent_conversations": 2**31},
        {"max_concurrent_conversations": 10**25},
        {"max_concurrent_conversations": 1.5},
        {"max_concurrent_conversations": "12"},
        {"max_concurrent_conversations": True},
        {"extra": {"nested": [1, {"deep": None}]}},
        {"extra": "text"},
        {"language": "cy"},
        {"zeros": -1.5e-7},
    ]
    row.update(rng.choice(changes))
    if rng.random() < 0.2:
        row.pop(rng.choice(list(row)))


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_not_plain_comes_out_the_same(both, seed):
    """An escape, a nested value, a wrong type or a missing field meant something else in the quick way."""
    rng = random.Random(seed)
    intervals = rows(rng, 120, "%Y-%m-%dT%H:%M:%S.000Z")
    for _ in range(rng.randrange(4)):
        _change(rng, intervals)
    answer = body(intervals, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (", ", ": ")]))
    if rng.random() < 0.3:
        broken = bytearray(answer)
        at = rng.randrange(len(broken))
        broken[at] = rng.choice(b'{}[]",:0Zx \\\xff')
        answer = bytes(broken)
    both(answer, rng.choice(["variant", None]))


def test_a_string_that_swallows_a_field_is_noticed(both):
    """A row of the same length and the same marks, but with another field where its value seemed to be."""
    plain = '{"variant_id":"abcdefgh","time":"2024-02-27T00:00:00Z","max_concurrent_conversations":1}'
    other = '{"variant_id":"a","b":"","time":"2024-02-27T00:05:00Z","max_concurrent_conversations":1}'
    assert len(plain) == len(other)
    answer = '{"intervals":[' + ",".join([plain] * 30 + [other] + [plain] * 30) + "]}"
    assert not both(answer.encode())


@pytest.mark.parametrize(
    "answer",
    [
        '{"x":[%s]}',
        '{"x":[%s],"intervals":[]}',
        '{"x":[{}],"intervals":[%s]}',
        '{"intervals":[%s],"intervals":[]}',
        '{"intervals":[],"intervals":[%s]}',
        '{"intervals":[%s]} x',
        '{"intervals":[%s,]}',
        '{"intervals":[[%s]]}',
        "[%s]",
        '{"account_id":7,"intervals":[%s]}',
        '{"intervals":[%s],"account_id":7}',
        '{"intervals":[%s]',
        '"intervals":[%s]}',
    ],
)
def test_rows_in_another_place_are_not_the_intervals(both, answer):
    """An array that is not `intervals`, or what stands around it, was overlooked."""
    both((answer % json.dumps(rows(random.Random(3), 100, "%Y-%m-%dT%H:%M:%SZ"))[1:-1]).encode())


def test_a_long_answer_of_many_patterns_is_left_to_the_ordinary_way(both):
    """With as many patterns as rows the quick way took for ever."""
    intervals = rows(random.Random(4), 200, "%Y-%m-%dT%H:%M:%SZ")
    for k, row in enumerate(intervals):
        row["serial"] = k
    assert not both(body(intervals))


def test_a_week_of_fifty_variants_is_read_quickly():
    """The answer that the benchmark decodes is not read in the quick way."""
    times = pd.date_range(START, periods=2016, freq="5min").strftime("%Y-%m-%dT%H:%M:%S.000Z")
    values = np.random.default_rng(1).integers(0, 90, (2016, 50)).tolist()
    intervals = [
        {"variant_id": f"v{k}", "variant_name": f"n {k}", "time": t, "max_concurrent_conversations": n}
        for t, line in zip(times, values, strict=True)
        for k, n in enumerate(line)
    ]
    found = columns.read(body(intervals), "variant_id", payload._ANSWER["variant"].decode)
    assert found is not None
    assert found.counts.tolist() == [n for line in values for n in line]
