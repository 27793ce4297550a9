"""Any range, any slice, any form of the arguments: what is asked for, and what stands in the frame."""

from __future__ import annotations

import datetime as dt
import io
import sys

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.fetch.patience import Patience
from capacity.fetch.progress import Progress

from .faulty_server import STEP_S, FaultyServer, Manners, Reply, Truth, error

NOW = pd.Timestamp("2027-01-01", tz="UTC")


@pytest.fixture
def server():
    """Serve whatever truth a test sets."""
    with FaultyServer() as running:
        yield running


@pytest.fixture
def client(server):
    """Connect to that server, at a time after all of it."""
    with cap.Client("A", "P", api_key="k", base_url=server.url) as made:
        made._patience = Patience(attempts=2, first_wait=0.0, longest_wait=0.0, jitter=0.0)
        made._now = lambda: NOW
        yield made


def step(text: str) -> int:
    """Return the step of a time in UTC."""
    return int(pd.Timestamp(text).timestamp()) // STEP_S


def constant(start: str, end: str, *series: str, value: int = 3) -> Truth:
    """Return a truth that is the same all the time."""
    return Truth({(s, name): value for s in range(step(start), step(end)) for name in series})


def by_series(frame: pd.DataFrame) -> dict[str, list[int]]:
    """Return each series' maxima."""
    return {name: part["max_concurrent"].tolist() for name, part in frame.groupby(level=1)}


@pytest.mark.parametrize(
    ("start", "end", "tz", "first", "last", "intervals"),
    [
        ("2026-03-29", "2026-03-30", "Europe/London", "2026-03-29T00:00Z", "2026-03-29T22:55Z", 276),
        ("2026-10-25", "2026-10-26", "Europe/London", "2026-10-24T23:00Z", "2026-10-25T23:55Z", 300),
        ("2026-10-04", "2026-10-05", "Australia/Lord_Howe", "2026-10-03T13:30Z", "2026-10-04T12:55Z", 282),
        ("2024-02-29", "2024-03-01", "UTC", "2024-02-29T00:00Z", "2024-02-29T23:55Z", 288),
        ("2026-07-01T14:00Z", "2026-07-01T14:05Z", None, "2026-07-01T14:00Z", "2026-07-01T14:00Z", 1),
        ("2026-07-01T14:01:30Z", "2026-07-01T14:01:31Z", None, "2026-07-01T14:00Z", "2026-07-01T14:00Z", 1),
        (dt.date(2026, 7, 1), dt.date(2026, 7, 2), "Asia/Kolkata", "2026-06-30T18:30Z", "2026-07-01T18:25Z", 288),
        (
            dt.datetime(2026, 7, 1, 12),
            dt.datetime(2026, 7, 1, 13, tzinfo=dt.UTC),
            "Europe/Paris",
            "2026-07-01T10:00Z",
            "2026-07-01T12:55Z",
            36,
        ),
        (
            pd.Timestamp("2026-07-01T10:00", tz="Asia/Tokyo"),
            pd.Timestamp("2026-07-01T11:00", tz="Asia/Tokyo").to_pydatetime(),
            None,
            "2026-07-01T01:00Z",
            "2026-07-01T01:55Z",
            12,
        ),
    ],
)
def test_any_range_has_each_of_its_intervals_once(server, client, start, end, tz, first, last, intervals):
    """A range of a clock-change day, a leap day, one interval, or of another type lost or gained an interval."""
    server.truth = constant("2024-02-28T00:00Z", "2024-03-02T00:00Z", "*", "a")
    server.truth.values.update(constant(first, last, "*", "a").values)
    server.truth.values.update({(step(last), name): 3 for name in ("*", "a")})
    server.manners = Manners(end_inclusive=True)
    frame = cap.fetch_intervals(client, start, end, tz=tz)
    times = cap.total(frame).index.get_level_values("time")
    assert (times[0], times[-1]) == (pd.Timestamp(first), pd.Timestamp(last))
    assert len(times) == len(cap.variants(frame)) == intervals
    assert (frame["max_concurrent"] == 3).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"start": "2026-07-02", "end": "2026-07-01", "tz": "UTC"}, "not before"),
        ({"start": "2026-07-01", "end": "2026-07-01", "tz": "UTC"}, "not before"),
        ({}, "no time zone"),
        ({"tz": "Europe/Atlantis"}, "Atlantis"),
        ({"tz": "UTC", "start": "soon"}, "soon"),
        ({"tz": "UTC", "env": "prod"}, "live, sandbox, pre-release"),
        ({"tz": "UTC", "variant_id": "a", "variant_name": "b"}, "one or the other"),
        ({"tz": "UTC", "variant_id": ""}, "variant_id"),
        ({"tz": "UTC", "phone_number": 447856838428}, "phone_number"),
        ({"tz": "UTC", "slice_by": "day"}, "slice_by"),
        ({"tz": "UTC", "slice_by": None, "total": False}, "nothing to ask for"),
        ({"tz": "UTC", "languages": ["en"], "phone_numbers": ["+44"]}, "one slice"),
        ({"tz": "UTC", "languages": "en"}, "list"),
        ({"tz": "UTC", "languages": []}, "at least one"),
        ({"tz": "UTC", "languages": ["en", 5]}, "language=5"),
        ({"tz": "UTC", "languages": ["en"], "language": "cy"}, "leave language= out"),
        ({"tz": "UTC", "absent": "nan"}, "zero"),
        ({"tz": "UTC", "errors": "ignore"}, "partial"),
    ],
)
def test_a_wrong_call_asks_nothing(server, client, arguments, says):
    """A call that cannot be meant so went out all the same."""
    with pytest.raises(cap.errors.ConfigError, match=says) as caught:
        cap.fetch_intervals(client, **{"start": "2026-07-01", "end": "2026-07-02", **arguments})
    assert server.requests == []
    assert "447856838428" not in str(caught.value)


def test_a_range_that_has_not_begun_is_empty(server, client, tmp_path):
    """The future was asked for, or an empty range was an error, or the frame was not the interval frame."""
    frame = cap.fetch_intervals(client, "2027-01-01", "2027-02-01", tz="UTC", store=tmp_path, languages=["en"])
    assert len(cap.validate(frame)) == 0
    assert frame.index.names == ["time", "language"]
    assert server.requests == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sends_zeros", [False, True])
@pytest.mark.parametrize("store", [False, True])
def test_an_answered_interval_is_a_row_and_what_is_left_out_is_zero_from_the_first_row_on(
    server, client, tmp_path, sends_zeros, store
):
    """A zero that was sent was dropped, or one that was left out was not filled in: by hand, in 6 intervals."""
    at = step("2026-07-01T00:00Z")
    values = {"*": [0, 2, 0, 0, 1, 0], "a": [0, 2, 0, 0, 0, 0], "b": [0, 0, 0, 0, 1, 0], "never": [0] * 6}
    server.truth = Truth({(at + k, name): v for name, column in values.items() for k, v in enumerate(column)})
    server.manners = Manners(sends_zeros=sends_zeros)
    arguments = {"start": "2026-07-01T00:00Z", "end": "2026-07-01T00:30Z", "store": tmp_path if store else None}
    frame = cap.fetch_intervals(client, **arguments)
    if sends_zeros:
        assert by_series(frame) == values
    else:
        assert by_series(frame) == {"*": [0, 2, 0, 0, 1, 0], "a": [2, 0, 0, 0, 0], "b": [1, 0]}
        raw = cap.fetch_intervals(client, absent="missing", **arguments)
        assert raw["max_concurrent"].tolist() == [2, 2, 1, 1]


def test_a_variant_seen_earlier_in_the_store_is_zero_from_the_start(server, client, tmp_path):
    """A variant that was busy last month and silent since has no row, or has rows from before it existed."""
    server.truth = Truth({(step("2026-06-30T23:00Z"), "a"): 1, (step("2026-07-01T00:10Z"), "*"): 1})
    july = ("2026-07-01T00:00Z", "2026-07-01T00:15Z")
    assert set(cap.fetch_intervals(client, *july, store=tmp_path).index.levels[1]) == {"*"}
    cap.fetch_intervals(client, "2026-06-29T00:00Z", "2026-07-01T00:00Z", store=tmp_path)
    frame = cap.fetch_intervals(client, *july, store=tmp_path)
    assert cap.variants(frame)["max_concurrent"].tolist() == [0, 0, 0]
    assert cap.variants(frame)["variant_name"].tolist() == ["name of a"] * 3


def test_a_failed_window_is_not_filled(server, client):
    """An interval that was never answered for became a 0."""
    server.truth = constant("2026-07-05T23:00Z", "2026-07-06T01:00Z", "*", "a")
    server.script = lambda r, n: None if r.query["start_time"].startswith("2026-07-05") else error(500)
    frame = cap.fetch_intervals(client, "2026-07-05T23:00Z", "2026-07-06T01:00Z", errors="partial")
    assert frame.index.get_level_values("time").max() == pd.Timestamp("2026-07-05T23:55Z")
    assert len(frame) == 24


# Slicing beyond the API


def by_language(server: FaultyServer) -> None:
    """Let the server answer filters: en has 2 calls, cy has 1, all have 3."""
    truths = {None: 3, "en": 2, "cy": 1, "+447856838428": 2, "+441": 1}

    def script(request, n):
        wish = request.query.get("language") or request.query.get("phone_number")
        own = FaultyServer(constant("2026-07-01T00:00Z", "2026-07-01T00:10Z", "*", value=truths[wish]))
        return Reply(200, own.body(request))

    server.script = script


ARGUMENTS = ("2026-07-01T00:00Z", "2026-07-01T00:10Z")


@pytest.mark.parametrize("store", [False, True])
def test_languages_are_one_filtered_request_each(server, client, tmp_path, store):
    """languages=[...] lost one, mixed them up, or gave another frame than slicing would."""
    by_language(server)
    frame = cap.fetch_intervals(client, *ARGUMENTS, languages=["en", "cy", "en"], store=tmp_path if store else None)
    assert frame.index.names == ["time", "language"]
    assert by_series(frame) == {"*": [3, 3], "cy": [1, 1], "en": [2, 2]}
    assert len(server.requests) == 3
    assert all("slice_by" not in r.query for r in server.requests)
    if store:
        for more in ({}, {"slice_by": "language"}, {"languages": ["cy", "en"]}):
            pd.testing.assert_frame_equal(cap.read_intervals(tmp_path, **more), frame)
        only = cap.read_intervals(tmp_path, languages=["cy"], total=False)
        assert only.index.levels[1].tolist() == ["cy"]
        with pytest.raises(cap.errors.ConfigError, match="fr"):
            cap.read_intervals(tmp_path, languages=["fr"])


def test_phone_numbers_are_labels_in_the_frame_and_hashes_in_the_store(server, client, tmp_path):
    """phone_numbers=[...] wrote a number to disk, or a store that was read could not name them again."""
    by_language(server)
    numbers = ["+447856838428", "+441"]
    frame = cap.fetch_intervals(client, *ARGUMENTS, phone_numbers=numbers, store=tmp_path)
    assert frame.index.names == ["time", "phone_number"]
    assert by_series(frame) == {"*": [3, 3], "+441": [1, 1], "+447856838428": [2, 2]}
    for path in tmp_path.rglob("*"):
        assert "7856838428" not in str(path)
        assert path.is_dir() or b"7856838428" not in path.read_bytes()
    pd.testing.assert_frame_equal(cap.read_intervals(tmp_path, phone_numbers=numbers), frame)
    unnamed = cap.read_intervals(tmp_path)
    assert sorted(unnamed["max_concurrent"]) == sorted(frame["max_concurrent"])
    assert all(label == "*" or label.startswith("#") for label in unnamed.index.levels[1])
    with pytest.raises(cap.errors.ConfigError) as caught:
        cap.read_intervals(tmp_path, phone_numbers=["+447777777777"])
    assert "+447777777777" not in str(caught.value)


def test_a_list_and_a_filter_share_what_is_held(server, client, tmp_path):
    """language="en" was asked for again after languages=["en", ...]."""
    by_language(server)
    cap.fetch_intervals(client, *ARGUMENTS, languages=["en", "cy"], store=tmp_path)
    server.requests.clear()
    cap.fetch_intervals(client, *ARGUMENTS, language="en", slice_by=None, store=tmp_path)
    assert server.requests == []


# Reading what is there


def test_a_store_of_many_things_needs_to_be_told_which(server, client, tmp_path):
    """A store with two environments, projects or filters was read as one of them, or mixed."""
    server.truth = constant(*ARGUMENTS, "*", "a")
    for more in ({}, {"env": "sandbox"}, {"variant_id": "a"}, {"phone_number": "+447856838428"}):
        cap.fetch_intervals(client, *ARGUMENTS, store=tmp_path, **more)
    with pytest.raises(cap.errors.ConfigError) as caught:
        cap.read_intervals(tmp_path)
    listed = str(caught.value)
    for part in ("A/P live by variant", "A/P live total", "A/P sandbox total", "where variant_id=a", "phone_number=#"):
        assert part in listed
    assert "7856838428" not in listed
    assert len(cap.read_intervals(tmp_path, env="sandbox")) == 4
    with pytest.raises(cap.errors.ConfigError, match="unfiltered"):
        cap.read_intervals(tmp_path, env="live")
    for more in ({"unfiltered": True}, {"variant_id": "a"}, {"phone_number": "+447856838428"}):
        assert len(cap.read_intervals(tmp_path, env="live", **more)) == 4
    assert cap.read_intervals(tmp_path, env="sandbox", total=False).index.levels[1].tolist() == ["a"]
    for wrong in (
        {"env": "pre-release"},
        {"account": "B"},
        {"env": "live", "language": "en"},
        {"slice_by": "language"},
    ):
        with pytest.raises(cap.errors.ConfigError, match="The store holds"):
            cap.read_intervals(tmp_path, **wrong)


def test_reading_a_part_and_beyond(server, client, tmp_path):
    """A part of what is held was cut wrongly, or a range beyond it was an error or was filled."""
    server.truth = constant("2026-07-05T23:00Z", "2026-07-06T01:00Z", "*")
    cap.fetch_intervals(client, "2026-07-05T23:00Z", "2026-07-06T01:00Z", store=tmp_path, slice_by=None)
    for start, end, intervals in [
        ("2026-07-05T23:50Z", "2026-07-06T00:10Z", 4),
        ("1900-01-01T00:00Z", "2026-07-05T23:01Z", 1),
        ("2026-07-06T00:00Z", None, 12),
        (None, "2026-07-06T00:00Z", 12),
        (None, "2200-01-01T00:00Z", 24),
        ("2026-07-07T00:00Z", None, 0),
        ("2026-01-01T00:00Z", "2026-02-01T00:00Z", 0),
    ]:
        assert len(cap.read_intervals(tmp_path, start, end)) == intervals, (start, end)
    assert len(cap.read_intervals(tmp_path, "2026-07-06", tz="Europe/London")) == 24
    with pytest.raises(cap.errors.ConfigError, match="not before"):
        cap.read_intervals(tmp_path, "2026-07-06T00:00Z", "2026-07-06T00:00Z")
    with pytest.raises(cap.errors.ConfigError, match="time zone"):
        cap.read_intervals(tmp_path, "2026-07-06")


def test_a_store_that_holds_nothing(tmp_path):
    """An empty folder was read as an empty frame, so that a wrong path went unnoticed."""
    with pytest.raises(cap.errors.ConfigError, match="holds nothing"):
        cap.read_intervals(tmp_path)


def test_two_hundred_variants_that_come_and_go(server, client):
    """With many variants a row went to the wrong one."""
    rng = np.random.default_rng(1)
    at = step("2026-07-01T00:00Z")
    values = {(at + k, f"v{i}"): int(rng.integers(1, 99)) for i in range(200) for k in range(i % 7, 12)}
    server.truth = Truth(values)
    server.manners = Manners(shuffled=True)
    frame = cap.fetch_intervals(client, "2026-07-01T00:00Z", "2026-07-01T01:00Z", total=False)
    got = {(int(t.timestamp()) // STEP_S, v): n for (t, v), n in frame["max_concurrent"].items()}
    assert got == values


# Progress


class Terminal(io.StringIO):
    """A stderr that somebody looks at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("terminal", "total", "shown", "drawn"),
    [
        (True, 5, None, True),
        (True, 1, None, False),
        (False, 5, None, False),
        (True, 5, False, False),
        (False, 1, True, True),
        (False, 0, True, False),
    ],
)
def test_a_bar_is_drawn_where_somebody_looks(monkeypatch, terminal, total, shown, drawn):
    """A bar filled a log file, or a terminal stood still for minutes."""
    stderr = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with Progress(total, shown) as bar:
        bar.show(total, 30.0)
    assert ("fetching" in stderr.getvalue()) == drawn
    assert ("rate limited, 30 s" in stderr.getvalue()) == drawn


def test_the_bar_counts_windows(server, client, monkeypatch):
    """The bar did not reach its end."""
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    server.truth = constant(*ARGUMENTS, "*")
    cap.fetch_intervals(client, "2026-06-01", "2026-07-01", tz="UTC", slice_by=None, progress=True)
    assert "5/5" in stderr.getvalue()


@pytest.mark.parametrize("name", ["languages", "phone_numbers"])
def test_lists_of_any_kind_but_never_the_total(name):
    """An array would be a traceback; a language called '*' would overwrite the total; a text would be letters."""
    from capacity.fetch.plan import fan

    chosen = {"languages": None, "phone_numbers": None}
    assert fan(**chosen) is None
    assert fan(**chosen | {name: pd.Index(["b", "a", "b"])}) == (name[:-1], ["b", "a"])
    for wrong in (["a", "*"], [], "en-GB"):
        with pytest.raises(cap.errors.ConfigError, match=name):
            fan(**chosen | {name: wrong})
    with pytest.raises(cap.errors.ConfigError, match="both"):
        fan(["en"], ["+44"])
