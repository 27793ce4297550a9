"""An answer's bytes become rows, whatever the contract leaves open."""

from __future__ import annotations

import datetime as dt
import json
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity as cap
from capacity.fetch.payload import Garbled, error_message, parse, retryable
from capacity.fetch.windows import Window

START = pd.Timestamp("2024-02-29T00:00Z")
WINDOW = Window(START, START + pd.Timedelta(days=1))


def body(*rows: dict, **more) -> bytes:
    """Return an answer of these intervals."""
    return json.dumps({"account_id": "A", "project_id": "P", "intervals": list(rows), **more}).encode()


def row(time: str, value: object = 1, **more) -> dict:
    """Return one interval."""
    return {"time": time, "max_concurrent_conversations": value, **more}


def table(rows) -> list[tuple[str, str, int]]:
    """Return rows as (UTC time, id, value)."""
    times = pd.to_datetime(rows.steps.astype("int64") * 300, unit="s").strftime("%m-%dT%H:%M")
    return list(zip(times, [rows.ids[c] for c in rows.codes], rows.values.tolist(), strict=True))


def test_the_example_of_the_contract():
    """The sliced example of the API's own description is misread: it is grouped by variant and has a language."""
    example = body(
        row("2022-04-01T16:35:00Z", 25, variant_id="satdt", variant_name="variant_1", language="en-GB"),
        row("2022-04-01T16:40:00Z", 20, variant_id="satdt", variant_name="variant_1", language="en-US"),
        row("2022-04-01T16:35:00Z", 5, variant_id="satdc", variant_name="variant_2", language="en-GB"),
    )
    window = Window(pd.Timestamp("2022-04-01T16:35Z"), pd.Timestamp("2022-04-01T16:45Z"))
    rows = parse(example, window, "variant")
    assert table(rows) == [
        ("04-01T16:35", "satdc", 5),
        ("04-01T16:35", "satdt", 25),
        ("04-01T16:40", "satdt", 20),
    ]
    assert rows.names == {"satdt": "variant_1", "satdc": "variant_2"}


FORMS = [
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"),
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
    lambda t: t.strftime("%Y-%m-%dT%H:%MZ"),
    lambda t: t.strftime("%Y-%m-%d %H:%M:%S+00:00"),
    lambda t: t.strftime("%Y-%m-%dt%H:%M:%Sz"),
    lambda t: t.strftime("%Y%m%dT%H%M%SZ"),
    lambda t: t.strftime("%G-W%V-%uT%H:%M:%SZ"),
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%S"),
    lambda t: t.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=45))).isoformat(),
    lambda t: t.astimezone(dt.timezone(-dt.timedelta(hours=9, minutes=30))).isoformat(timespec="milliseconds"),
    lambda t: t.astimezone(dt.timezone(dt.timedelta(hours=14))).strftime("%Y%m%dT%H%M%S%z"),
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%S,000Z"),
]


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_every_form_of_an_instant(form):
    """A form of ISO 8601 was refused, or read as another instant."""
    times = [START.to_pydatetime() + dt.timedelta(minutes=5 * k) for k in range(288)]
    rows = parse(body(*(row(FORMS[form](t), k) for k, t in enumerate(times))), WINDOW, None)
    np.testing.assert_array_equal(rows.steps, START.value // 300_000_000_000 + np.arange(288))
    np.testing.assert_array_equal(rows.values, np.arange(288))


@settings(max_examples=60)
@given(st.data())
def test_mixed_forms_in_any_order(data):
    """Forms that are mixed within one answer, or rows out of order, were misread."""
    steps = data.draw(st.lists(st.integers(0, 287), unique=True, min_size=1, max_size=30))
    forms = [data.draw(st.sampled_from(FORMS)) for _ in steps]
    times = [START.to_pydatetime() + dt.timedelta(minutes=5 * k) for k in steps]
    rows = parse(body(*(row(f(t), k) for f, t, k in zip(forms, times, steps, strict=True))), WINDOW, None)
    assert rows.values.tolist() == sorted(steps)
    np.testing.assert_array_equal(rows.steps - START.value // 300_000_000_000, sorted(steps))


@settings(max_examples=200)
@given(st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30)))
def test_any_date_at_all(naive):
    """A date far away, or before 1970, or in a leap year, was put in the wrong place by our own calendar."""
    naive = naive.replace(minute=naive.minute // 5 * 5, second=0, microsecond=0)
    step = int((naive - dt.datetime(1970, 1, 1)) / dt.timedelta(minutes=5))
    if not pd.Timestamp.min < pd.Timestamp(naive) < pd.Timestamp.max - pd.Timedelta(days=1):
        return
    window = Window.of_steps(step, step + 1)
    for text in (naive.isoformat() + "Z", naive.isoformat() + ".000Z"):
        assert parse(body(row(text)), window, None).steps.tolist() == [step]


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29T00:00:00Z",
        "2024-02-30T00:00:00.000Z",
        "2024-13-01T00:00:00Z",
        "2024-02-29T24:30:00Z",
        "2024-02-29T00:60:00Z",
        "2024-02-29T00:00:60Z",
        "2024-02-29T00:00:01Z",
        "2024-02-29T00:00:00.500Z",
        "2024-02-29T00:01:00Z",
        "2024-02-29T0x:00:00Z",
        "２024-02-29T00:00:00Z",
        "yesterday",
        "",
    ],
)
def test_what_is_no_interval_is_an_error(text):
    """A time that does not exist, or is off the grid, became an interval."""
    with pytest.raises(cap.errors.PayloadError, match=r"time|grid"):
        parse(body(row("2024-02-29T00:05:00Z"), row(text)), WINDOW, None)


def test_rows_outside_the_window_are_dropped():
    """The interval at `end`, which the contract may or may not include, was doubled at the seam."""
    ends = [row("2024-02-28T23:55:00Z"), row("2024-02-29T00:00:00Z", 2), row("2024-03-01T00:00:00Z", 3)]
    rows = parse(body(*ends), WINDOW, None)
    assert table(rows) == [("02-29T00:00", "*", 2)]
    assert rows.outside == 2


def test_of_duplicates_the_larger_stays_and_they_are_counted():
    """The same interval twice was doubled, or the later one won whatever it said."""
    twice = [row("2024-02-29T00:00:00Z", v, variant_id=i) for v, i in [(3, "a"), (7, "a"), (5, "a"), (1, "b")]]
    rows = parse(body(*twice), WINDOW, "variant")
    assert table(rows) == [("02-29T00:00", "a", 7), ("02-29T00:00", "b", 1)]
    assert rows.duplicates == 2


def test_an_unsliced_answer_is_the_total_whatever_its_rows_say():
    """A variant_id in an unsliced answer made a series of its own."""
    rows = parse(body(row("2024-02-29T00:00:00Z", 4, variant_id="a"), row("2024-02-29T00:05:00Z", 5)), WINDOW, None)
    assert table(rows) == [("02-29T00:00", "*", 4), ("02-29T00:05", "*", 5)]


def test_a_row_without_a_variant_is_none():
    """A conversation without a variant got lost, or was a variant called null."""
    nones = [row("2024-02-29T00:00:00Z", 4), row("2024-02-29T00:05:00Z", 5, variant_id=None, variant_name=None)]
    assert {i for _, i, _ in table(parse(body(*nones), WINDOW, "variant"))} == {"(none)"}


def test_the_latest_display_name_is_kept():
    """A variant that was renamed has its old name, or loses it where the last row has none."""
    rows = [
        row("2024-02-29T00:10:00Z", variant_id="a", variant_name="new"),
        row("2024-02-29T00:00:00Z", variant_id="a", variant_name="old"),
        row("2024-02-29T00:15:00Z", variant_id="a"),
        row("2024-02-29T00:15:00Z", variant_id="b"),
    ]
    assert parse(body(*rows), WINDOW, "variant").names == {"a": "new"}


def test_other_slices():
    """slice_by=language or phone_number, should the API learn it, took the variant for the slice."""
    both = row("2024-02-29T00:00:00Z", 4, variant_id="a", language="cy", phone_number="+44")
    assert table(parse(body(both), WINDOW, "language"))[0][1] == "cy"
    assert table(parse(body(both), WINDOW, "phone_number"))[0][1] == "+44"


@pytest.mark.parametrize("by", [None, "variant"])
def test_an_empty_answer(by):
    """An answer without an interval was an error."""
    assert len(parse(body(), WINDOW, by)) == 0


def test_unknown_fields_are_ignored():
    """A new field of the API broke the client."""
    extra = body(row("2024-02-29T00:00:00Z", 4, zone={"a": [1, None]}), next="x", page=[1])
    assert len(parse(extra, WINDOW, "variant")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"intervals": null}',
        b'{"intervals": {}}',
        b'{"intervals": [null]}',
        b'{"intervals": [[]]}',
        b'{"intervals": [], "account_id": 7}',
        body({"time": "2024-02-29T00:00:00Z"}),
        body({"max_concurrent_conversations": 1}),
        body(row("2024-02-29T00:00:00Z", None)),
        body(row("2024-02-29T00:00:00Z", "4")),
        body(row("2024-02-29T00:00:00Z", 4.5)),
        body(row("2024-02-29T00:00:00Z", True)),
        body(row("2024-02-29T00:00:00Z", -1)),
        body(row("2024-02-29T00:00:00Z", 2**31)),
        body(row("2024-02-29T00:00:00Z", 2**70)),
        body(row("2024-02-29T00:00:00Z", variant_id=7)),
        body(row("2024-02-29T00:00:00Z", variant_id="*")),
        body(row("2024-02-29T00:00:00Z", variant_id="a", variant_name=7)),
        body(row(17)),
        body(row(None)),
    ],
)
def test_json_of_the_wrong_shape_is_a_payload_error_that_is_not_tried_again(wrong):
    """A wrong shape was read as something, or tried again and again."""
    with pytest.raises(cap.errors.PayloadError) as caught:
        parse(wrong, WINDOW, "variant")
    assert not isinstance(caught.value, Garbled)
    assert (caught.value.window, caught.value.status) == (WINDOW, 200)


@pytest.mark.parametrize("count", ["25.0", "2.5e1", "250e-1", "25"])
def test_a_whole_number_is_one_however_it_is_written(count):
    """25.0, which JSON Schema counts as an integer, was refused with "ask again"."""
    text = b'{"intervals": [{"time": "2024-02-29T00:00:00Z", "max_concurrent_conversations": %s}]}' % count.encode()
    assert parse(text, WINDOW, None).values.tolist() == [25]


def test_a_byte_order_mark_is_read_over():
    """JSON with a byte order mark was asked for ten times and given up."""
    assert len(parse(b"\xef\xbb\xbf" + body(row("2024-02-29T00:00:00Z", 4)), WINDOW, "variant")) == 1


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b" ",
        b"[1, 2",
        b'{"intervals": {',
        b'{"intervals": 7',
        b"<html></html>",
        b"null x",
        b"nul",
        b"\xef\xbb\xbf[1,",
    ],
)
def test_what_is_not_whole_json_is_worth_asking_again(broken):
    """A body that was cut where its shape was wrong already was taken for whole JSON of the wrong shape."""
    with pytest.raises(cap.errors.FetchError) as caught:
        parse(broken, WINDOW, "variant")
    assert retryable(caught.value)


def test_json_that_nests_too_deeply_is_of_the_wrong_shape():
    """Deep nesting ended in a RecursionError."""
    with pytest.raises(cap.errors.PayloadError) as caught:
        parse(b"[" * 100_000 + b"]" * 100_000, WINDOW, "variant")
    assert not retryable(caught.value)


def test_any_cut_is_noticed():
    """An answer that was cut off was read as far as it went."""
    sound = body(*(row(f"2024-02-29T00:{m:02d}:00Z", variant_id="ä") for m in range(0, 60, 5)))
    for length in random.Random(1).sample(range(len(sound)), 80):
        with pytest.raises((Garbled, cap.errors.TransportFailure)):
            parse(sound[:length], WINDOW, "variant")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b'{"error_message": "no"}', "no"),
        (b'{"error_message": "no", "code": 7}', "no"),
        (b'{"error": "no"}', None),
        (b'{"error_message": null}', None),
        (b'{"error_message": "no', None),
        (b"<html>", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_what_an_error_says(said, message):
    """An error that is HTML, empty or cut off ended in another error."""
    assert error_message(said) == message
