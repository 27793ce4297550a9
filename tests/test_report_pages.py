"""The report as files: nothing cut off, nothing on top of another, the same bytes, a reason where something lacks."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

import capacity as cap
from capacity.analysis.assessment import Assessment
from capacity.errors import ConfigError
from capacity.ground.notes import Note
from capacity.report import pages
from capacity.report.frame import span_of
from capacity.report.panels import Panel, single
from capacity.report.theme import style

from .made_assessments import EXTREMES, extreme, ordinary

PANELS: list[Panel] = pages.panels()


def written(figure: Figure) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Return every text that is seen, and its box (x0, y0, x1, y1) [dots]."""
    figure.draw_without_rendering()
    unseen = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for tick in axis.get_major_ticks():
                if not ax.axison or not low - slack <= tick.get_loc() <= high + slack:
                    unseen |= {tick.label1, tick.label2}
            if not ax.axison:
                unseen.add(axis.label)
    found = []
    for text in figure.findobj(Text):
        if text in unseen or not text.get_visible() or not text.get_text().strip():
            continue
        box = text.get_window_extent()
        if box.width >= 1:
            found.append((text.get_text(), (box.x0, box.y0, box.x1, box.y1)))
    return found


def assert_clean(figure: Figure) -> None:
    """No text reaches beyond the paper or over another one."""
    width, height = figure.get_size_inches() * figure.dpi
    boxes = written(figure)
    for text, (x0, y0, x1, y1) in boxes:
        assert min(x0, y0) >= 0, f"{text!r} is cut off"
        assert x1 <= width, f"{text!r} is cut off"
        assert y1 <= height, f"{text!r} is cut off"
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across, up = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        assert across <= 2 or up <= 4, f"{one!r} and {other!r} overlap"


@pytest.mark.parametrize("name", list(pages._PAGES))
def test_pages_are_clean(name: str) -> None:
    """If words run into each other or off the paper, nobody reads the page."""
    draw = pages._PAGES[name].draw
    with style():
        assert_clean(draw(ordinary()).figure)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
def test_charts_alone_are_clean(panel: Panel) -> None:
    """If a chart is fine on its page only, it cannot be sent by itself."""
    with style():
        assert_clean(single(panel, ordinary()).figure)


@pytest.mark.parametrize(("name", "numbers"), EXTREMES.items())
def test_pages_are_clean_at_the_ends(name: str, numbers: str) -> None:
    """If one interval, 200 variants or five years break the layout, the first unusual customer finds out."""
    with style():
        for number, (draw, *_) in enumerate(pages._PAGES.values(), start=1):
            if str(number) in numbers:
                assert_clean(draw(extreme(name)).figure)


@pytest.mark.parametrize(("name", "number"), [("200 variants, peaks of 30,000", 4), ("one interval", 2)])
def test_extremes_are_drawn(name: str, number: int) -> None:
    """If a sign without a picture, an empty axis or a nought warns while drawing, the warning is an error here."""
    assert cap.report.page(extreme(name), number).startswith(b"\x89PNG")


def test_save_writes_pages_and_charts(tmp_path: Path) -> None:
    """If a file is missing or of another size, the report is not what the manual says."""
    held = extreme("one week, peaks of 3")
    paths = cap.report.save(held, tmp_path / "new" / "folder")
    names = [path.name for path in paths]
    assert names[:6] == [f"{name}.png" for name in pages._PAGES]
    assert names[6:] == [f"chart-{p.name}.png" for p in PANELS if p.stands_alone(held)]
    with Image.open(paths[0]) as first:
        assert first.size == (2338, 1653)  # A4 at 200 dots an inch, whole dots
        assert first.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert set(first.info) == {"dpi"}  # no date and no name of the software


def test_same_assessment_makes_the_same_bytes() -> None:
    """If a setting, a thread or a second call changes the bytes, a changed picture means nothing."""
    first = cap.report.page(ordinary(), 5)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9, "text.parse_math": True}):
        assert cap.report.page(ordinary(), 5) == first
    made: list[bytes] = []
    threads = [threading.Thread(target=lambda: made.append(cap.report.page(ordinary(), 5))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [first, first]


def test_missing_parts_say_why() -> None:
    """If a part is missing in silence, the reader takes it for nothing to see."""
    fields = ["forecast", "headroom", "needed", "backtest", "percentiles", "load_duration", "busy_hours", "profile"]
    fields += ["diversity", "utilisation", "anomalies", "cost"]
    notes = (
        Note("Forecast, busy hours, anomalies.", field="peaks"),
        Note("Forecast: a forecast needs 56 days.", field="forecast"),
        Note("Back-test: there are 3 days.", field="backtest"),
        Note("Busy hours: no whole day.", field="busy_hours"),
        Note("Anomalies: 28 days are needed.", field="anomalies"),
    )
    bare: Assessment = replace(ordinary(), notes=notes, **dict.fromkeys(fields))
    seen = []
    with style():
        for draw, *_ in pages._PAGES.values():
            figure = draw(bare).figure
            assert_clean(figure)
            seen += [text.replace("\n", " ") for text, _ in written(figure)]
    assert seen.count(notes[0]) == 1  # its words name other parts: no panel takes it for its reason
    assert set(notes) <= set(seen)
    assert f"Not shown: Days that stood out. {notes[4]}" in seen
    assert any(text.startswith("Not shown: The weeks around") and text.endswith(notes[1]) for text in seen)
    assert any(notes[3] in text and "Busy hours: no" not in text.replace(notes[3], "") for text in seen)


def test_calls_turned_away_are_told() -> None:
    """If the estimate is computed and not shown, nobody knows what the licences cost in calls."""
    whole = pd.Series({"turned_away": 1234.4, "lower": 900.0, "upper": 1500.0, "share": 0.0004})
    traffic = SimpleNamespace(whole=whole, mean_call_length=pd.Timedelta("3m"))
    lines = span_of(replace(ordinary(), traffic=traffic))
    assert lines[-1].startswith("About 1,234 calls (900 to 1,500, 90%) were turned away, <0.1% of those offered")


def test_page_numbers_begin_at_one() -> None:
    """If page 0 were taken from the end, a wrong page would be sent."""
    with pytest.raises(ConfigError, match="pages 1 to 6"):
        cap.report.page(ordinary(), 0)


def test_out_dir_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """If a file stands where the directory should be, the user gets an error of the system."""
    (tmp_path / "report").write_text("mine")
    with pytest.raises(ConfigError, match="name a directory"):
        cap.report.save(ordinary(), tmp_path / "report")


def test_report_needs_no_pyplot_and_costs_nothing_before() -> None:
    """If pyplot comes along, a window system is looked for and figures leak; if matplotlib does, the import is slow."""
    code = (
        "import sys, capacity as cap; cap.report.save; assert 'matplotlib.pyplot' not in sys.modules; "
        "print('matplotlib' in sys.modules)"
    )
    lazy = "import sys, capacity as cap; cap.report; print('matplotlib' in sys.modules)"
    answers = [
        subprocess.run([sys.executable, "-c", c], capture_output=True, text=True, check=True).stdout
        for c in (code, lazy)
    ]
    assert [answer.strip() for answer in answers] == ["True", "False"]
