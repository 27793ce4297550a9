"""Call logs as they come: what is read, what is dropped and why."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.calls import csvs, slabs
from capacity.calls.account import silences
from capacity.calls.read import read_calls
from capacity.errors import ConfigError, FrameError
from capacity.ground.times import as_zone

BANK = Path(__file__).parents[2] / "shared" / "reference" / "bank_call_log_1999_01.txt"


@pytest.fixture
def write(tmp_path):
    """Write a log and return its path."""

    def write(text: str, name: str = "log.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode(encoding)) if name.endswith(".gz") else text.encode(encoding))
        return path

    return write


def utc(*texts: str) -> list[pd.Timestamp]:
    """Instants, in short."""
    return [pd.Timestamp(text, tz="UTC") for text in texts]


def test_mixed_formats_and_local_times(write):
    """A time with an offset would be moved to local time, or a local one be taken for UTC."""
    log = read_calls(
        write(
            "start,end,variant\n"
            "2026-07-01T14:01:00Z,2026-07-01T14:02:00.250Z,a\n"
            "2026-07-01 14:01:00,2026-07-01 14:02,\n"
            "2026-07-01T14:01:00+0530,2026-07-01T14:02:00+05:30,b\n"
            '"01/07/2026 14:01","01/07/2026 14:02",b\n'
        ),
        tz="Europe/London",
        time_format="%d/%m/%Y %H:%M",
    )
    assert log.frame["start"].tolist() == utc(
        "2026-07-01 14:01", "2026-07-01 13:01", "2026-07-01 08:31", "2026-07-01 13:01"
    )
    assert log.frame["end"].tolist() == utc(
        "2026-07-01 14:02:00.25", "2026-07-01 13:02", "2026-07-01 08:32", "2026-07-01 13:02"
    )
    assert log.frame["variant"].isna().tolist() == [False, True, False, False]
    assert len(log.account.dropped) == 0
    assert cap.intervals_from_calls(log.frame).index.levels[1].tolist() == ["(none)", "*", "a", "b"]


def test_each_row_is_counted_once_with_its_reason(write):
    """Rows would vanish without a word, or the sum of the account would not be the rows of the file."""
    log = read_calls(
        write(
            "id;begin;finish;kind;blocked\n"
            "1;2026-07-01T14:00Z;2026-07-01T14:05Z;call;no\n"
            "2;;2026-07-01T14:05Z;call;no\n"
            "3;soon;later;call;no\n"
            "4;2026-07-01T14:00Z;13.45;call;no\n"
            "5;2026-07-01T14:00Z;2026-07-01T13:00Z;call;no\n"
            "6;2026-07-01T14:00Z;;call;yes\n"
            "7;2026-07-01T14:00Z;2026-07-01T14:05Z;test;no\n"
            "8;2026-07-01T14:00Z\n"
            "9;2026-07-01T14:00Z;2026-07-01T14:00Z;call;maybe\n"
            "10;2026-07-01T14:00Z;2026-07-04T14:00Z;call;\n"
        ),
        columns={"start": "begin", "end": "finish"},
        drop={"kind": ["test"]},
        unfinished="keep",
    )
    assert log.account.dropped["rows"].to_dict() == {
        "no start": 1,
        "start cannot be read": 1,
        "finish cannot be read": 1,
        "finish lies before begin": 1,
        "kind is 'test'": 1,
        "a line with more or fewer fields than the header": 1,
        "blocked is neither true nor false": 1,
    }
    dropped = log.account.dropped
    assert dropped.loc["finish lies before begin", "first"] == 5
    assert dropped.loc["a line with more or fewer fields than the header", "first"] == 8
    assert log.account.notes["rows"].to_dict() == {
        "turned away (column blocked): never in progress": 1,
        "no end: still in progress": 1,
        "longer than a day": 1,
    }
    assert log.account.read == 10 == len(log.frame) + dropped["rows"].sum()
    assert log.frame["blocked"].tolist() == [False, True, False]
    assert "10 rows read, 3 calls kept, 7 dropped" in str(log)


def test_the_first_row_is_numbered_as_in_the_file(write, monkeypatch):
    """Whoever looks up the first bad row would find a sound one, as many rows off as broken lines came before."""
    good, bad, broken = "2026-07-01T14:00Z,2026-07-01T14:05Z\n", "soon,2026-07-01T14:05Z\n", "2026-07-01T14:00Z\n"
    still = "2026-07-01T14:00Z,\n"
    for block in (1 << 20, 128):
        monkeypatch.setattr(csvs, "_BLOCK", block)
        log = read_calls(write("start,end\n" + broken + good + broken + broken + bad + bad + broken + still + broken))
        assert log.account.dropped[["rows", "first"]].to_dict("index") == {
            "a line with more or fewer fields than the header": {"rows": 5, "first": 1},
            "start cannot be read": {"rows": 2, "first": 5},
        }
        assert log.account.notes.loc["no end: still in progress", ["rows", "first"]].tolist() == [1, 8]
        assert log.account.read == 9
        late = read_calls(write("start,end\n" + bad + good + still + 9 * good + broken))
        assert [*late.account.dropped["first"], *late.account.notes["first"]] == [1, 13, 3]


def test_a_named_column_is_the_one_that_is_read(write):
    """A log with an end as well (of the after-call work, say) would be counted by it, though the duration was named."""
    path = write("start,end,talk,variant,flow\n2026-07-01T14:00Z,2026-07-01T15:00Z,1:30,old,new\n")
    log = read_calls(path, columns={"duration": "talk", "variant": "flow"}, keep=["talk"])
    assert log.frame["end"].tolist() == utc("2026-07-01 14:01:30")
    assert log.frame[["variant", "talk"]].to_numpy().tolist() == [["new", "1:30"]]
    log = read_calls(path, columns={"language": "flow"}, keep=["language", "variant"])
    assert log.frame[["variant", "language"]].to_numpy().tolist() == [["old", "new"]]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"columns": {"end": "end", "duration": "talk"}}, "'end' and 'duration'"),
        ({"columns": {"start": ["start", "end"]}}, r"start=\['start', 'end'\] is not one column"),
        ({"columns": {"variant": ["flow", "talk"]}}, "only 'end' may have several"),
        ({"columns": {"duration": 3}}, "duration=3 is not one column"),
        ({"keep": ["start"]}, r"keep=\['start'\]"),
        ({"keep": ["talk", "end"]}, r"keep=\['end'\]"),
        ({"columns": {"variant": "flow"}, "keep": ["variant"]}, r"keep=\['variant'\]"),
        ({"separator": "::"}, "separator='::' is not one"),
        ({"separator": ""}, "separator='' is not one"),
        ({"separator": "→"}, "separator='→' is not one ASCII"),
        ({"separator": "\n"}, "is not one"),
    ],
)
def test_options_that_contradict_each_other(write, options, match):
    """One of two columns would be ignored without a word, a time be replaced by its text, or a traceback end it all."""
    path = write("start,end,talk,variant,flow\n2026-07-01T14:00Z,2026-07-01T15:00Z,1:30,old,new\n")
    with pytest.raises(ConfigError, match=match):
        read_calls(path, **options)


def test_times_of_day_pass_midnight(write):
    """Calls over midnight would end a day before they begin, and stages that did not happen would end them at 0:00."""
    log = read_calls(
        write(
            "day\tin\tout\tqueue\n"
            "990105\t23:59:15\t0:03:40\t0:00:00\n"
            "990105\t23:59:15\t23:59:50\t0:00:10\n"
            "990105\t10:00:30\t10:00:10\t10:05:00\n"
            "990131\t10:00:30\t0:00:00\t0:00:00\n"
            "990132\t10:00:30\t10:00:40\t0:00:00\n"
        ),
        columns={"start": "in", "end": ["out", "queue"]},
        date="day",
        date_format="%y%m%d",
        tz="Asia/Jerusalem",
        na_values=["0:00:00"],
        unfinished="drop",
    )
    assert log.frame["end"].tolist() == utc("1999-01-05 22:03:40", "1999-01-05 22:00:10")
    assert log.account.dropped["rows"].to_dict() == {"out lies before in": 1, "no end": 1, "start cannot be read": 1}
    assert log.account.notes.loc["end after midnight: on the next day", "rows"] == 2


def test_the_hours_at_which_the_clock_changes(write):
    """An hour too many or too few would stand in the frame on two days a year."""
    log = read_calls(
        write(
            "start,end\n"
            "2026-10-25 00:50,2026-10-25 01:10\n"  # starts before the repeated hour: the first 01:10
            "2026-10-25 01:50,2026-10-25 01:10\n"  # the hour is heard twice: ends in the second
            "2026-10-25 01:50,2026-10-25 02:10\n"
            "2026-03-29 00:50,2026-03-29 02:10\n"
            "2026-03-29 01:30,2026-03-29 02:10\n"  # never was
        ),
        tz="Europe/London",
    )
    lengths = (log.frame["end"] - log.frame["start"]).dt.total_seconds() / 60
    assert lengths.tolist() == [20, 20, 80, 20]
    assert log.account.dropped["rows"].to_dict() == {"start is a local time that the clock skipped": 1}
    assert log.account.notes["rows"].to_dict() == {"start in the hour that the clock repeats: the first is taken": 2}


def test_a_time_of_day_without_seconds(write):
    """Ten to two would be read as a length is: 13 minutes and 50 seconds past midnight."""
    text = (
        "day,start,end\n2026-07-01,13:50,14:02\n2026-07-01,13:50,14:02:30\n2026-07-01, 9:05 ,-:-\n2026-07-01,24:00,\n"
    )
    log = read_calls(write(text), date="day", tz="UTC", na_values=["-:-"])
    assert log.frame["start"].tolist() == utc("2026-07-01 13:50", "2026-07-01 13:50", "2026-07-01 9:05")
    assert log.frame["end"].tolist() == [*utc("2026-07-01 14:02", "2026-07-01 14:02:30"), pd.NaT]
    assert log.account.dropped["first"].to_dict() == {"start cannot be read": 4}
    log = read_calls(write(text.replace("-:-", "0:00")), date="day", tz="UTC", na_values=["0:00"])
    assert log.frame["end"].isna().tolist() == [False, False, True]


def test_times_of_day_over_midnight_when_the_clock_changes(write):
    """A call into the night after a clock change would be dropped: its end reads as a time of the day before."""
    log = read_calls(
        write(
            "day,start,end\n"
            "2026-03-29,23:50,01:30\n"  # 01:30 was skipped on the 29th, not on the 30th
            "2026-03-29,00:50,01:30\n"  # was skipped
            "2026-03-29,13:40,01:30\n"  # more than half a day before: on the next day
            "2026-03-28,23:50,01:30\n"  # the next day is the one that skips it
            "2026-03-28,23:50,02:10\n"
            "2026-10-24,23:50,01:30\n"  # heard twice: the first
            "2026-10-25,23:50,01:30\n"
        ),
        date="day",
        tz="Europe/London",
    )
    hours = (log.frame["end"] - log.frame["start"]).dt.total_seconds() / 3600
    assert hours.tolist() == pytest.approx([1 + 2 / 3, 11 + 5 / 6, 1 + 1 / 3, 1 + 2 / 3, 1 + 2 / 3])
    assert log.account.dropped[["rows", "first"]].to_dict("index") == {
        "end is a local time that the clock skipped": {"rows": 2, "first": 2}
    }
    assert log.account.notes["rows"].to_dict() == {"end after midnight: on the next day": 5}


def test_nothing_is_guessed(write):
    """Naive times, unknown columns, day-first dates: each needs one clear error that says what to give."""
    naive = write("start,end\n2026-07-01 14:00,2026-07-01 14:05\n")
    with pytest.raises(ConfigError, match=r"1 times have no time zone.*tz="):
        read_calls(naive)
    with pytest.raises(ConfigError, match="no IANA time zone"):
        read_calls(naive, tz="Mars/Olympus")
    with pytest.raises(FrameError, match=r"no columns \['begin'\]"):
        read_calls(naive, columns={"start": "begin"}, tz="UTC")
    with pytest.raises(ConfigError, match="keep="):
        read_calls(naive, columns={"queue": "end"}, tz="UTC")
    with pytest.raises(ConfigError, match="unfinished"):
        read_calls(naive, tz="UTC", unfinished="maybe")
    with pytest.raises(FrameError, match="'end' or 'duration'"):
        read_calls(write("start,queue\n", "b.csv"), tz="UTC")
    with pytest.raises(ConfigError, match=r"03/04/2026 10:00 is 3 April 2026.*(?s:.)*time_format="):
        read_calls(write("start,end\n03/04/2026 10:00,03/04/2026 10:05\n", "c.csv"), tz="UTC")


@pytest.mark.parametrize(
    ("text", "name", "match"),
    [
        ("", "a.csv", "is empty"),
        ("start,end\n", "c.parquet", "cannot be read"),
        ("\x1f\x8bstart,end\n", "d.csv.gz", "cannot be read"),
        ("<html>start,end\n", "e.csv", "HTML"),
    ],
)
def test_files_that_are_not_what_they_seem(tmp_path, text, name, match):
    """A damaged file would end in a traceback."""
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(FrameError, match=match):
        read_calls(tmp_path / name, tz="UTC")
    with pytest.raises(FrameError, match="not there"):
        read_calls(tmp_path / "absent.csv")


def test_encodings_compression_quotes_and_an_empty_log(write):
    """Logs from a spreadsheet (a byte order mark, Latin-1), compressed or without a call, could not be read."""
    row = '\n2026-07-01T14:00Z,2026-07-01T14:05Z,"Buchung, Köln\nSüd"\n'
    for path, encoding in [
        (write("\ufeffstart,end,variant" + row, "bom.csv"), "utf-8"),
        (write("start,end,variant" + row, "latin.csv", "latin-1"), "latin-1"),
        (write("start,end,variant" + row, "small.csv.gz"), "utf-8"),
    ]:
        log = read_calls(path, encoding=encoding)
        assert log.frame["variant"].tolist() == ["Buchung, Köln\nSüd"], path
    empty = read_calls(write("start,end,variant\n", "none.csv"))
    assert (empty.account.read, len(empty.frame), len(empty.account.silences)) == (0, 0, 0)
    assert cap.intervals_from_calls(empty.frame).empty


def test_parquet_keeps_its_types_and_batches_join(tmp_path, monkeypatch):
    """Parquet logs, naive or aware, in one file or a folder, would give other calls than they hold."""
    monkeypatch.setattr(slabs, "_SLAB", 1000)
    calls = cap.simulate_calls("2026-10-24", days=2, seed=2)
    folder = tmp_path / "log"
    folder.mkdir()
    calls[:2500].to_parquet(folder / "1.parquet")
    calls[2500:].to_parquet(folder / "2.parquet")
    seen: list[int] = []
    log = read_calls(folder, progress=seen.append)
    pd.testing.assert_frame_equal(log.frame.astype(str), calls.astype(str))
    assert seen[-1] == len(calls)
    assert len(seen) > 3
    local = calls.assign(**{c: calls[c].dt.tz_convert("Asia/Tokyo").dt.tz_localize(None) for c in ("start", "end")})
    local.to_parquet(tmp_path / "local.pq")
    again = read_calls(tmp_path / "local.pq", tz="Asia/Tokyo", keep=["env"])
    assert np.array_equal(again.frame["start"], calls["start"])


def test_silences_are_named_and_get_no_rows(write):
    """A hole in a log would count as two days of zero load, and teach a forecast so."""
    calls = read_calls(
        write(
            "start,end\n2026-07-01T10:00Z,2026-07-01T10:07Z\n2026-07-01T10:01Z,2026-07-01T10:02Z\n"
            "2026-07-02T10:06Z,2026-07-02T10:08Z\n2026-07-04T11:13Z,2026-07-04T11:14Z\n"
        )
    )
    assert calls.account.silences.to_numpy().tolist() == [utc("2026-07-02 10:10", "2026-07-04 11:10")]
    assert "silent: no call from 2026-07-02 10:10" in str(calls)
    frame = cap.intervals_from_calls(calls.frame, by=None, gaps=calls.account.silences)
    whole = cap.intervals_from_calls(calls.frame, by=None)
    assert len(whole) - len(frame) == (48 * 60 + 60) // 5
    assert cap.coverage(frame).gaps[["start", "end"]].to_numpy().tolist() == calls.account.silences.to_numpy().tolist()
    assert frame["max_concurrent"].sum() == whole["max_concurrent"].sum()
    part = pd.DataFrame({"start": utc("2026-07-02 10:14:59.999999999"), "end": utc("2026-07-02 10:20")})
    assert len(whole) - len(cap.intervals_from_calls(calls.frame, by=None, gaps=part)) == 2
    with pytest.raises(FrameError, match="not before it"):
        cap.intervals_from_calls(calls.frame, by=None, gaps=part[["end", "start"]].set_axis(["start", "end"], axis=1))
    assert len(silences(calls.frame.head(1))) == 0


@pytest.mark.skipif(not BANK.exists(), reason="the log is not beside the checkout")
def test_a_real_log():
    """The month of a bank's call centre would not come out as a count of its rows by other means has it."""
    log = read_calls(
        BANK,
        columns={"start": "vru_entry", "end": ["vru_exit", "q_exit", "ser_exit"], "variant": "type"},
        date="date",
        date_format="%y%m%d",
        tz="Asia/Jerusalem",
        na_values=["0:00:00"],
        drop={"outcome": ["PHANTOM"]},
    )
    raw = pd.read_csv(BANK, sep="\t")
    clock = {c: pd.to_timedelta(raw[c]) for c in ("vru_entry", "vru_exit", "q_exit", "ser_exit")}
    phantom = raw["outcome"] == "PHANTOM"
    back = (clock["vru_exit"] < clock["vru_entry"]) & ~phantom
    assert log.account.read == len(raw) == 31_599
    assert log.account.dropped["rows"].tolist() == [phantom.sum(), back.sum()] == [240, 32]
    # Between 15:00 and 15:05 on the 3rd, second by second.
    day = (raw["date"] == 990103) & ~phantom & ~back
    start = clock["vru_entry"][day].dt.total_seconds().to_numpy()
    end = np.max([clock[c][day].dt.total_seconds() for c in ("vru_exit", "q_exit", "ser_exit")], axis=0)
    most = max(int(((start <= s) & (s < end)).sum()) for s in range(15 * 3600, 15 * 3600 + 300))
    frame = cap.intervals_from_calls(log.frame, gaps=log.account.silences)
    assert frame.loc[(pd.Timestamp("1999-01-03T13:00Z"), cap.TOTAL), "max_concurrent"] == most
    # The log is silent on the 11th and 12th, and only there.
    gaps = cap.coverage(cap.total(frame)).gaps
    local = [t.tz_convert(as_zone("Asia/Jerusalem")) for t in gaps[["start", "end"]].to_numpy().ravel()]
    assert [f"{t:%d %H}" for t in local] == ["10 23", "13 03"]


def test_a_large_file_is_read_as_a_small_one(write, monkeypatch):
    """Times that are parsed while a large file is read would differ from those that are read cell by cell."""
    rows = [
        f"2026-02-03 {h:02d}:{m:02d}:07,2026-02-03T{h:02d}:{m:02d}:30Z,v{m % 3}\n" for h in range(24) for m in range(60)
    ]
    for stray in ("", "soon,2026-02-03T10:00:00Z,v1\n", ",2026-02-03T10:00:00Z,v1\n", "2026-02-03 10:00:00,,v2\n"):
        path = write("start,end,variant\n" + "".join([*rows, stray]))
        small = read_calls(path, tz="Asia/Tokyo", unfinished="keep")
        with monkeypatch.context() as patch:
            patch.setattr(csvs, "_LARGE", 0)
            large = read_calls(path, tz="Asia/Tokyo", unfinished="keep")
        pd.testing.assert_frame_equal(small.frame, large.frame)
        assert str(small.account) == str(large.account)
