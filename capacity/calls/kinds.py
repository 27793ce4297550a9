"""What the cells of a column are: times, dates, clocks, lengths, numbers, text."""

from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa

from capacity.calls.formats import formats_of


def kinds_of(sample: pa.Table) -> dict[str, str]:
    """Tell what the cells of each column are: stamp, date, clock, length, number, epoch, text, empty or unknown."""
    return {name: _kind(sample[name]) if sample.num_rows else "unknown" for name in sample.column_names}


def _kind(column: pa.ChunkedArray) -> str:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return "stamp"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_time(kind):
        return "clock"
    if pa.types.is_duration(kind):
        return "length"
    if pa.types.is_boolean(kind):
        return "text"
    cells = [str(c).strip() for c in column.to_pylist() if c is not None and str(c).strip() not in ("", "0", "-")]
    if not cells:
        return "empty"
    cells = cells[:: max(1, len(cells) // 200)]
    if all(re.fullmatch(r"[345]\d{4}[.,]\d{3,}", cell) for cell in cells):
        return "stamp"  # days of a workbook
    best, count = Counter(map(_cell_kind, cells)).most_common(1)[0]
    return best if count * 2 >= len(cells) else "text"


def _cell_kind(cell: str) -> str:
    if re.fullmatch(r"-?\d+([.,]\d+)?([eE][+-]?\d+)?", cell):
        whole = re.split(r"[.,eE]", cell)[0]
        if len(whole) in (10, 13, 16, 19) and whole[0] in "12":
            return "epoch"
        if cell.isdigit() and len(cell) in (8, 12, 14) and _is_date(cell[:8]):
            return "date" if len(cell) == 8 else "stamp"
        return "number"
    forms = formats_of(cell)
    if not forms:
        return (
            "length"
            if re.fullmatch(
                r"(\d+([.,]\d+)?\s*[a-zA-Z]{1,8}\.?,?\s*)+|P[T\d].*|\d+(?:[. d]| days?,?)+\d+:\d\d:\d\d\S*|\d{3,}:\d\d",
                cell,
            )
            else "text"
        )
    form = next(iter(forms.values()))
    if "clock" in forms:
        return "clock"
    return "stamp" if any(d in form for d in ("%H", "%I", "epoch", "excel")) else "date"


def _is_date(digits: str) -> bool:
    """Tell whether eight digits are a day of 1971 to 2199, in some order."""
    parts = [
        (digits[:4], digits[4:6], digits[6:]),
        (digits[4:], digits[2:4], digits[:2]),
        (digits[4:], digits[:2], digits[2:4]),
    ]
    return any(1971 <= int(y) < 2200 and 1 <= int(m) <= 12 and 1 <= int(d) <= 31 for y, m, d in parts)
