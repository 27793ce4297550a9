"""Call logs in random dialects, for the fuzz: what a log says, and how it is written."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

# strptime format of a start, and its coarsest step [s]
STAMPS = {
    "%Y-%m-%d %H:%M:%S": 1,
    "%Y-%m-%dT%H:%M:%S": 1,
    "%Y/%m/%d %H:%M:%S": 1,
    "%Y-%m-%d %H:%M": 60,
    "%d/%m/%Y %H:%M:%S": 1,
    "%d/%m/%Y %H:%M": 60,
    "%m/%d/%Y %H:%M:%S": 1,
    "%m/%d/%Y %I:%M:%S %p": 1,
    "%d/%m/%Y %I:%M %p": 60,
    "%m/%d/%y %I:%M %p": 60,
    "%d/%m/%y %H:%M:%S": 1,
    "%m/%d/%y %H:%M:%S": 1,
    "%y/%m/%d %H:%M:%S": 1,
    "%y-%m-%d %H:%M": 60,
    "%d.%m.%Y %H:%M:%S": 1,
    "%d.%m.%y %H:%M": 60,
    "%d-%m-%Y %H:%M:%S": 1,
    "%m-%d-%Y %H:%M:%S": 1,
    "%d-%b-%Y %H:%M:%S": 1,
    "%d %B %Y %H:%M:%S": 1,
    "%b %d, %Y %I:%M:%S %p": 1,
    "%a %b %d %H:%M:%S %Y": 1,
    "%a, %d %b %Y %H:%M:%S": 1,
    "%H:%M:%S %d/%m/%Y": 1,
    "%Y%m%d%H%M%S": 1,
    "%Y%m%d%H%M": 60,
    "%d%m%Y%H%M%S": 1,
    "%Y%m%d %H%M%S": 1,
    "%Y%m%dT%H%M%S": 1,
    "%d.%m.%Y %H.%M.%S": 1,
    "%Y-%m-%d %H:%M:%S.%f": 1,
    "epoch": 1,
    "epoch.f": 1,
    "epoch-ms": 1,
    "epoch-us": 1,
}
OFFSETS = ("", "", "", "Z", "+00:00", " +0000", "+00", "+05:30", "-0800", " UTC", " GMT", " EST")
LENGTHS = (
    "s",
    "s",
    "s.0",
    "s,0",
    "ms",
    "min.",
    "h:mm:ss",
    "hh:mm:ss",
    "m:ss",
    "h:mm",
    "words",
    "iso",
    "day",
    "s.thousands",
)
NAMES = (
    ("start", "end", "duration"),
    ("Start Time", "End Time", "Duration"),
    ("startedAt", "endedAt", "callDuration"),
    ("call_start", "call_end", "length"),
    ("Call Start", "Hangup", "Call Duration"),
    ("Beginn", "Ende", "Dauer"),
    ("Date", "Finished", "Total Time"),
    ("timestamp", "end_timestamp", "duration"),
    ("foo", "bar", "baz"),
)
ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1")


@dataclass
class Written:
    """A log as bytes, and the calls it holds: (start, end) in seconds since 1970."""

    data: bytes
    calls: list[tuple[float, float]]
    tz: str
    how: str


def _stamp(moment: int, form: str, offset: str, zone: ZoneInfo) -> str:
    if form.startswith("epoch"):
        return {
            "epoch": f"{moment}",
            "epoch.f": f"{moment}.000",
            "epoch-ms": f"{moment}000",
            "epoch-us": f"{moment}000000",
        }[form]
    minutes = {"+05:30": 330, "-0800": -480, " EST": -300}.get(offset, 0)
    local = dt.datetime.fromtimestamp(moment, zone if offset == "" else dt.timezone(dt.timedelta(minutes=minutes)))
    return local.strftime(form) + offset


def _length(seconds: int, style: str) -> str:
    h, m, s = seconds // 3600, seconds // 60 % 60, seconds % 60
    return {
        "s": str(seconds),
        "s.0": f"{seconds}.0",
        "s,0": f"{seconds},0",
        "ms": f"{seconds}000",
        "min.": f"{seconds / 60:.9f}",
        "h:mm:ss": f"{h}:{m:02d}:{s:02d}",
        "hh:mm:ss": f"{h:02d}:{m:02d}:{s:02d}",
        "m:ss": f"{seconds // 60}:{s:02d}",
        "h:mm": f"{h}:{m:02d}",
        "words": f"{seconds // 60}m {s}s",
        "iso": f"PT{seconds // 60}M{s}S",
        "day": f"{seconds / 86400:.12f}",
        "s.thousands": f"{seconds:,}",
    }[style]


@st.composite
def logs(draw: st.DrawFn) -> Written:
    """Draw a log."""
    form = draw(st.sampled_from(sorted(STAMPS)))
    step = STAMPS[form]
    offset = "" if form.startswith("epoch") else draw(st.sampled_from(OFFSETS))
    tz = draw(st.sampled_from(("UTC", "UTC", "Asia/Tokyo", "America/Bogota", "Europe/London")))
    zone = ZoneInfo(tz)
    style = draw(st.sampled_from(LENGTHS))
    by_end = draw(st.booleans())
    both = draw(st.booleans()) and not by_end
    n = draw(st.integers(1, 25))
    first = dt.datetime(
        draw(st.integers(2002, 2032)),
        draw(st.sampled_from((1, 2, 5, 6, 7, 8, 12))),
        draw(st.integers(1, 28)),
        draw(st.integers(0, 23)),
        draw(st.integers(0, 59)),
        draw(st.integers(0, 59)),
        tzinfo=dt.UTC,
    )
    base = int(first.timestamp()) // step * step
    scale = draw(st.sampled_from((60, 600, 7200, 86_400, 5 * 86_400)))
    typical = draw(st.sampled_from((20, 60, 240, 1200)))
    calls = []
    for _ in range(n):
        base += draw(st.integers(0, scale)) // step * step
        spread = draw(st.integers(1, 40))
        seconds = max(1, typical * spread // 12)
        if style == "h:mm" and not by_end:
            seconds = max(60, seconds // 60 * 60)
        if by_end or both:
            seconds = max(step, seconds // step * step)
        if (dt.datetime.fromtimestamp(base, zone).utcoffset()) != dt.datetime.fromtimestamp(
            base - 90_000, zone
        ).utcoffset():
            base += 10 * 86_400  # local times are not to be ambiguous here
        calls.append((base, base + seconds))
    names = draw(st.sampled_from(NAMES))
    separator = draw(st.sampled_from((",", ";", "\t", "|")))
    columns: list[tuple[str, list[str]]] = [(names[0], [_stamp(s, form, offset, zone) for s, _ in calls])]
    if by_end or both:
        columns.append((names[1], [_stamp(e, form, offset, zone) for _, e in calls]))
    if not by_end:
        columns.append((names[2], [_length(e - s, style) for s, e in calls]))
    extra = draw(st.lists(st.sampled_from(("name", "phone", "id", "cost", "queue", "quoted")), unique=True, max_size=3))
    words = {
        "name": [f"Zoë {k}" for k in range(n)],
        "phone": [f"+4420794600{k:02d}" for k in range(n)],
        "id": [f"c-{k:05d}" for k in range(n)],
        "cost": [f"0.{k:02d}" for k in range(n)],
        "queue": ["Sales" if k % 2 else "Support" for k in range(n)],
        "quoted": ['he said "no", twice' if k % 3 else "" for k in range(n)],
    }
    for name in extra:
        columns.insert(draw(st.integers(0, len(columns))), (name, words[name]))
    header = draw(st.sampled_from((True, True, True, True, False)))
    end_of_line = draw(st.sampled_from(("\n", "\r\n", "\r")))
    quoting = draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end_of_line)
    junk = draw(st.sampled_from(("", "", "", "title", "blank", "sep", "key")))
    if junk == "title":
        text.write(f"Call report{end_of_line}From 01/02/2026 to 03/02/2026{end_of_line}{end_of_line}")
    elif junk == "blank":
        text.write(end_of_line)
    elif junk == "sep":
        text.write(f"sep={separator}{end_of_line}")
    elif junk == "key":
        writer.writerow(["Account", "Acme"])
        text.write(end_of_line)
    if header:
        writer.writerow([name for name, _ in columns])
    for row in zip(*(cells for _, cells in columns), strict=True):
        writer.writerow(row)
    tail = draw(st.sampled_from(("", "", "", "total", "blank")))
    if tail == "total":
        writer.writerow(["Total", str(n), *[""] * (len(columns) - 2)])
    elif tail == "blank":
        text.write(end_of_line * 2)
    encoding = draw(st.sampled_from(ENCODINGS))
    ends = "end" if by_end else f"both {style}" if both else style
    how = f"{form}{offset} {tz} {ends} {names[0]} {separator!r} {header=} {junk} {tail} {encoding}"
    return Written(text.getvalue().encode(encoding, "replace"), [(float(s), float(e)) for s, e in calls], tz, how)
