"""Call logs in containers and workbooks, in JSON of every shape, and files that are no logs."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import capacity as cap
from capacity.errors import FrameError

# Three calls, of which two overlap: the peak is 2, and four intervals have a call in them.
CALLS = [("2026-02-03T09:01:00Z", 300), ("2026-02-03T09:04:00Z", 601), ("2026-02-03T10:00:00Z", 59)]
CSV = ("start,duration\n" + "".join(f"{start},{length}\n" for start, length in CALLS)).encode()
_RECORDS = [{"start": start, "duration": length} for start, length in CALLS]


def _lengths(path: Path, **words: object) -> list[float]:
    """Read a log and return the lengths of its calls [s]; the starts are checked."""
    frame = cap.read_calls(path, tz="UTC", **words).frame  # type: ignore[arg-type]
    assert [t.isoformat()[:19] for t in frame["start"]] == [start[:19] for start, _ in CALLS][: len(frame)]
    return [float(v) for v in (frame["end"] - frame["start"]).dt.total_seconds()]


def _zip(**files: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return held.getvalue()


def _tar() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        entry = tarfile.TarInfo("calls.csv")
        entry.size = len(CSV)
        archive.addfile(entry, io.BytesIO(CSV))
    return held.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(CSV),
        gzip.compress(CSV[:40]) + gzip.compress(CSV[40:]),
        bz2.compress(CSV),
        lzma.compress(CSV),
        _zip(calls_dot_csv=CSV),
        _zip(a__calls_dot_csv=CSV, a___dot_DS_Store=b"\0\1junk", notes_dot_pdf=b"%PDF-1.7"),
        _zip(calls_dot_csv_dot_gz=gzip.compress(CSV)),
    ],
    ids=["gz", "gz in two parts", "bz2", "xz", "zip", "zip of a Mac", "gz in a zip"],
)
def test_containers(tmp_path: Path, data: bytes) -> None:
    """Else a compressed log would be read in part, or as text of another encoding."""
    (tmp_path / "log").write_bytes(data)
    assert _lengths(tmp_path / "log") == [300, 601, 59]


def _marked(data: bytes, offset: int, value: int) -> bytes:
    """Return a zip with a field of its only entry changed, in both of its headers."""
    held = bytearray(data)
    held[6 + offset] = held[held.find(b"PK\1\2") + 8 + offset] = value
    return bytes(held)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_marked(_zip(c_dot_csv=CSV), 0, 1), "without a password"),
        (_marked(_zip(c_dot_csv=CSV), 2, 9), "compression"),
        (gzip.compress(CSV)[:-20], "is it whole"),
        (gzip.compress(CSV)[:20] + b"\xff" * 40, "is it whole"),
        (_zip(a_dot_csv=CSV, b_dot_csv=CSV), "holds 2 files; unpack it and give the folder"),
        (_zip(), "holds 0 files"),
        (_tar(), "is a tar archive; unpack it"),
        (b"7z\xbc\xaf\x27\x1c\0\4" + b"\x80\0\x13" * 99, "is a 7-Zip archive; unpack it"),
        (b"SQLite format 3\0" + b"\x10\0\1" * 99, "is an SQLite database; export"),
        (b"%PDF-1.7\nstart,end", "is a PDF, not a log; export"),
        (bytes(range(256)) * 9, "binary file of an unknown kind"),
        (b"[]", "holds no records"),
        (b'["start"]', "no column 'start'|holds no records"),
        (b'[{"start": 1770109260', "no JSON that can be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # compressed bytes hold the time of day
)
def test_no_logs(tmp_path: Path, data: bytes, words: str) -> None:
    """Else a file that is no log would end in a traceback, or in talk of UTF-16."""
    (tmp_path / "log").write_bytes(data)
    with pytest.raises(FrameError, match=words) as caught:
        cap.read_calls(tmp_path / "log", tz="UTC")
    assert "utf-16" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({f"id{k}": record for k, record in enumerate(_RECORDS)}),
        json.dumps([["start", "duration"], *CALLS]),
        json.dumps({"columns": ["start", "duration"], "index": [0, 1, 2], "data": CALLS}),
        json.dumps({name: {str(k): r[name] for k, r in enumerate(_RECORDS)} for name in ("start", "duration")}),
        "".join(json.dumps(record) for record in _RECORDS),
        "\n".join(json.dumps(record, indent=2) for record in _RECORDS),
        json.dumps({"start": [s for s, _ in CALLS], "duration": [n for _, n in CALLS]}),
    ],
    ids=["by id", "rows", "split", "columns by row", "one after another", "pretty, one after another", "columns"],
)
def test_shapes_of_json(tmp_path: Path, text: str) -> None:
    """Else JSON of a usual shape would be refused, or its ids be taken for columns."""
    (tmp_path / "log.json").write_text(text)
    assert _lengths(tmp_path / "log.json") == [300, 601, 59]


def test_a_line_of_json_that_is_cut(tmp_path: Path) -> None:
    """Else the last line of a log that is still written would cost all others, or be lost without a word."""
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(r) for r in _RECORDS)[:-9])
    calls = cap.read_calls(tmp_path / "log.jsonl", tz="UTC")
    assert len(calls.frame) == 2
    assert calls.account.dropped["rows"].to_dict() == {"a line that is no whole JSON": 1}
    assert calls.account.dropped["first"].tolist() == [3]


def test_a_nested_column_beside(tmp_path: Path) -> None:
    """Else a column of lists or maps that is called like a slice would end in a traceback."""
    table = pa.table(
        {
            "start": pa.array([pd.Timestamp(s) for s, _ in CALLS]),
            "duration": [n for _, n in CALLS],
            "variant": pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int64())),
        }
    )
    pa.parquet.write_table(table, tmp_path / "log.parquet")
    assert _lengths(tmp_path / "log.parquet") == [300, 601, 59]


def test_an_end_that_is_never_filled(tmp_path: Path) -> None:
    """Else all calls would be in progress though each has a length."""
    (tmp_path / "log.csv").write_text("start,end,duration\n" + "".join(f"{s},,{n}\n" for s, n in CALLS))
    assert _lengths(tmp_path / "log.csv") == [300, 601, 59]


@pytest.mark.parametrize("kind", ["float", "excel-days", "json"])
def test_times_that_are_floats(tmp_path: Path, kind: str) -> None:
    """Else whole numbers since 1970 could not be read once a table had made them floats."""
    seconds = [pd.Timestamp(s).timestamp() for s, _ in CALLS]
    starts = [s / 86_400 + 25_569 for s in seconds] if kind == "excel-days" else seconds
    ends = [s + n / (86_400 if kind == "excel-days" else 1) for s, (_, n) in zip(starts, CALLS, strict=True)]
    path = tmp_path / "log"
    if kind == "json":
        path.write_text(json.dumps([{"start": s, "end": e} for s, e in zip(starts, ends, strict=True)]))
    else:
        pa.parquet.write_table(pa.table({"Start": starts, "End": ends}), path)
    assert _lengths(path) == [300, 601, 59]


_STYLES = """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="4">
<xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="21"/><xf numFmtId="46"/></cellXfs></styleSheet>"""


def _workbook(path: Path, style: int = 0, **sheets: list[list[object]]) -> Path:
    """Write a workbook; datetimes are dates, lengths of time have the style (0 number, 2 h:mm:ss, 3 [h]:mm:ss)."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value: object) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, dt.datetime):
            return f'<c s="1"><v>{(value - dt.datetime(1899, 12, 30)) / dt.timedelta(1)!r}</v></c>'
        if isinstance(value, dt.timedelta):
            return f'<c s="{style}"><v>{value / dt.timedelta(1)!r}</v></c>'
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    with zipfile.ZipFile(path, "w") as book:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="{kind}.sheet.main+xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            "</Types>",
        )
        top = f'<Relationship Id="r" Type="{links}/officeDocument" Target="xl/workbook.xml"/>'
        book.writestr("_rels/.rels", f'<Relationships xmlns="{package}/relationships">{top}</Relationships>')
        named = "".join(f'<sheet name="{n}" sheetId="{k}" r:id="r{k}"/>' for k, n in enumerate(sheets, 1))
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets>{named}</sheets></workbook>'
        )
        rels = [
            f'<Relationship Id="r{k}" Type="{links}/worksheet" Target="s{k}.xml"/>' for k in range(1, len(sheets) + 1)
        ]
        rels.append(f'<Relationship Id="st" Type="{links}/styles" Target="styles.xml"/>')
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{"".join(rels)}</Relationships>',
        )
        book.writestr("xl/styles.xml", _STYLES)
        for k, rows in enumerate(sheets.values(), 1):
            body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            book.writestr(f"xl/s{k}.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>')
    return path


_STARTS = [dt.datetime.fromisoformat(s[:19]) for s, _ in CALLS]
_SPANS = [dt.timedelta(seconds=n) for _, n in CALLS]


@pytest.mark.parametrize("style", [0, 2, 3], ids=["fractions of a day", "h:mm:ss", "[h]:mm:ss"])
def test_lengths_in_a_workbook(tmp_path: Path, style: int) -> None:
    """Else a length that a workbook holds as a part of a day would be read as seconds, hours or a date."""
    rows = [["Start", "Duration"], *([a, b] for a, b in zip(_STARTS, _SPANS, strict=True))]
    assert _lengths(_workbook(tmp_path / "a.xlsx", style, Calls=rows)) == [300, 601, 59]
    rows[2][1] = dt.timedelta(hours=33, minutes=11, seconds=5)
    if style:
        assert _lengths(_workbook(tmp_path / "b.xlsx", style, Calls=rows))[1] == 33 * 3600 + 665


def test_days_as_numbers_in_a_workbook(tmp_path: Path) -> None:
    """Else the end of a call would be taken for its length, in hours."""
    days = [(start - dt.datetime(1899, 12, 30)) / dt.timedelta(1) for start in _STARTS]
    rows = [["Start", "End"], *([d, d + span / dt.timedelta(1)] for d, span in zip(days, _SPANS, strict=True))]
    assert _lengths(_workbook(tmp_path / "a.xlsx", 0, Calls=rows)) == [300, 601, 59]


def test_a_sheet_a_day(tmp_path: Path) -> None:
    """Else all sheets but the longest would be left out without a word."""
    rows = [[a, a + b] for a, b in zip(_STARTS, _SPANS, strict=True)]
    head: list[object] = ["Start", "End"]
    path = _workbook(tmp_path / "a.xlsx", 0, Sums=[["Calls", 3]], Mon=[head, *rows[:1]], Tue=[head, *rows[1:]])
    calls = cap.read_calls(path, tz="UTC")
    assert len(calls.frame) == 3
    assert "sheets 'Mon', 'Tue'" in str(calls.account)
    assert "sheets with other columns are left out: 'Sums'" in str(calls.account)


def test_a_title_above_and_totals_below(tmp_path: Path) -> None:
    """Else "2026-02" in a title would be taken for a time, and the header for a row of data."""
    rows = [[a, a + b] for a, b in zip(_STARTS, _SPANS, strict=True)]
    table = [["Call report", None], [None, None], ["Period", "2026-02"], ["Start", "End"], *rows, ["Total", 3]]
    assert _lengths(_workbook(tmp_path / "a.xlsx", 0, Calls=table)) == [300, 601, 59]


def test_zones_that_a_column_names(tmp_path: Path) -> None:
    """Else local times of other places would be read in the zone that was given, without a word."""
    (tmp_path / "a.csv").write_text("start,duration,time zone\n2026-02-03 09:01:00,300,Asia/Tokyo\n")
    assert "column time zone says 'Asia/Tokyo'" in str(cap.read_calls(tmp_path / "a.csv", tz="UTC").account)
    quiet = cap.read_calls(tmp_path / "a.csv", tz="Asia/Tokyo")
    assert "doubtful" not in str(quiet.account)
    (tmp_path / "b.csv").write_text("start,duration,time zone\n2026-02-03 09:01:00Z,300,Asia/Tokyo\n")
    assert "doubtful" not in str(cap.read_calls(tmp_path / "b.csv", tz="UTC").account)


def test_a_longer_length_beside(tmp_path: Path) -> None:
    """Else a part of the call would be taken for the whole, without a word."""
    rows = "".join(f"2026-02-03 09:0{k}:00,0:02:0{k},0:01:0{k}\n" for k in range(5))
    (tmp_path / "a.csv").write_text("Started,In The Line,Handle Time\n" + rows)
    doubts = cap.read_calls(tmp_path / "a.csv", tz="UTC").account.doubts
    assert any("column In The Line is longer than Handle Time in 100% of the first rows" in d for d in doubts)


@pytest.mark.parametrize(
    "lengths",
    [
        ("000500", "001001", "000059"),
        ("0 days 00:05:00", "0 days 00:10:01", "0 days 00:00:59"),
        ("5m 0s", "601s", "59s"),
    ],
    ids=["hhmmss", "as pandas writes it", "words"],
)
def test_lengths_as_they_are_written(tmp_path: Path, lengths: tuple[str, ...]) -> None:
    """Else "001001" would be a thousand seconds, and the lengths of pandas no lengths at all."""
    rows = "".join(f"{start},{length}\n" for (start, _), length in zip(CALLS, lengths, strict=True))
    (tmp_path / "a.csv").write_text("Start,Duration\n" + rows)
    assert _lengths(tmp_path / "a.csv") == [300, 601, 59]
    assert ("hhmmss" in str(cap.read_calls(tmp_path / "a.csv").account)) == (lengths[0] == "000500")


@pytest.mark.parametrize(
    ("form", "separator"),
    [
        ("February %d{}, 2026 %H:%M:%S", ";"),
        ("%d. Februar 2026, %H:%M:%S Uhr", ";"),
        ("%d/%m/%Y à %H:%M:%S", ","),
        ("%d.%m.%Y um %H:%M:%S", ";"),
    ],
)
def test_times_as_people_write_them(tmp_path: Path, form: str, separator: str) -> None:
    """Else "4th" would be none where "3rd" was first, and a comma within times would part the fields."""
    starts = [dt.datetime(2026, 2, day, 9, day, day) for day in (1, 2, 3, 4, 11, 22)]
    ordinal = {1: "st", 2: "nd", 3: "rd", 22: "nd"}
    texts = [f'"{s.strftime(form).format(ordinal.get(s.day, "th"))}"'.replace(" 0", " ") for s in starts]
    lines = [f"Begin{separator}Duration", *(f"{t if separator == ',' else t[1:-1]}{separator}0:05:00" for t in texts)]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    frame = cap.read_calls(tmp_path / "a.csv", tz="UTC").frame
    assert [t.replace(tzinfo=None) for t in frame["start"]] == starts


def test_ticks_of_other_clocks_are_no_nanoseconds(tmp_path: Path) -> None:
    """Else calls counted from 1601 or from year 1 would lie in 1974 or 1990 and last milliseconds."""
    seconds = [int(pd.Timestamp(s).timestamp()) for s, _ in CALLS]
    for epoch in (11_644_473_600, 62_135_596_800):
        rows = "".join(f"{(s + epoch) * 10**7},{(s + 300 + epoch) * 10**7}\n" for s in seconds)
        (tmp_path / "a.csv").write_text("start,end\n" + rows)
        with pytest.raises(FrameError, match="start cannot be read"):
            cap.read_calls(tmp_path / "a.csv", tz="UTC")


def test_a_download_that_came_twice(tmp_path: Path) -> None:
    """Else every call would count double."""
    (tmp_path / "calls.csv").write_bytes(CSV)
    (tmp_path / "calls (1).csv").write_bytes(CSV)
    calls = cap.read_calls(tmp_path, tz="UTC")
    assert len(calls.frame) == 3
    assert "calls.csv is a copy of calls (1).csv" in str(calls.account)


def test_a_file_of_a_folder_that_is_no_log(tmp_path: Path) -> None:
    """Else nothing would say which of a thousand files is no log."""
    (tmp_path / "calls.csv").write_bytes(CSV)
    (tmp_path / "notes.txt").write_text("What was exported\nand why\n")
    with pytest.raises(FrameError, match=r"notes\.txt: .*naming the others"):
        cap.read_calls(tmp_path, tz="UTC")
