"""Results in a notebook: the picture above the table, without a call, and never in the table's place."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from capacity.errors import ConfigError
from capacity.report import charts, notebook

from .made_assessments import NAMES, ordinary

RESULTS = ("forecast", "headroom", "diversity", "cost", "busy_hours", "backtest", "coverage", "utilisation")


@pytest.fixture
def formatter() -> Iterator[Any]:
    """The display of a shell, as notebooks have it."""
    formatters = pytest.importorskip("IPython.core.formatters")
    yield formatters.DisplayFormatter()
    notebook.show_pictures(True)


def html_of(formatter: Any, result: Any) -> str:
    """Return what a notebook is given to show."""
    return str(formatter.format(result)[0].get("text/html", ""))


@pytest.mark.parametrize("field", ["", *RESULTS])
def test_results_show_their_picture_above_their_table(field: str, formatter: Any) -> None:
    """If a result shows no picture, or no figures with it, the notebook tells half."""
    shown = html_of(formatter, getattr(ordinary(), field) if field else ordinary())
    image, table = shown.split("base64,", 1)[1].split("/>", 1)
    with Image.open(io.BytesIO(base64.b64decode(image.rstrip('"')))) as picture:
        assert picture.width > 700
    assert "<table" in table or "<p>" in table or "<pre>" in table


def test_frames_stay_tables(formatter: Any) -> None:
    """If a frame were drawn as something, frames would not stay plain frames."""
    assert "<img" not in html_of(formatter, pd.DataFrame({"a": [1]}))
    with pytest.raises(ConfigError, match="DataFrame has no picture"):
        notebook.picture(pd.DataFrame({"a": [1]}))


def test_pictures_can_be_left_off(formatter: Any) -> None:
    """If pictures cannot be switched off, a notebook with a hundred results is too large to send."""
    notebook.show_pictures(False)
    for field in RESULTS:
        shown = html_of(formatter, getattr(ordinary(), field))
        assert "<img" not in shown and "<table" in shown, field
    notebook.show_pictures(True)
    assert "<img" in html_of(formatter, ordinary().headroom)


@pytest.mark.parametrize("field", ["headroom", "coverage"])
def test_failure_to_draw_leaves_the_table(field: str, formatter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a font or a chart fails, the figures would be gone with the picture."""

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("no <font>")

    for name in charts.__all__:
        monkeypatch.setattr(charts, name, fails)
    result = getattr(ordinary(), field)
    shown = html_of(formatter, result)
    assert shown.endswith("<p>No picture: RuntimeError: no &lt;font&gt;</p>")
    assert shown.startswith("<p>Licences: " if field == "headroom" else "<p>2026-01-05 00:00 to ")
    assert "<table" in shown


def test_names_are_text(formatter: Any) -> None:
    """If a variant's name were markup, it could take the notebook over."""
    table = pd.DataFrame(
        {"expected": 1, "present": 1, "missing": 0, "share": 1.0}, index=pd.Index(["<b>", *NAMES], name="variant")
    )
    hole = {"start": pd.Timestamp("2026-01-05", tz="UTC"), "end": pd.Timestamp("2026-01-06", tz="UTC")}
    gaps = pd.DataFrame([{"variant": "<b>", **hole, "intervals": 288}])
    found = type(ordinary().coverage)(hole["start"], hole["end"], table, gaps)
    assert "&lt;b&gt;" in html_of(formatter, found)
    assert "<b>" not in html_of(formatter, found)


def test_import_registers_nothing_and_results_show_themselves(tmp_path: Path) -> None:
    """If an import changed the shell of whoever imports, or loaded matplotlib, it would do more than it was asked."""
    pytest.importorskip("IPython.core.interactiveshell")
    code = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(history_load_length=0)
shell.history_manager.enabled = False
html = shell.display_formatter.formatters["text/html"]
before = (dict(html.type_printers), dict(html.deferred_printers))
import capacity as cap, pandas as pd
times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
found = cap.coverage(frame)
print("matplotlib" in sys.modules, (dict(html.type_printers), dict(html.deferred_printers)) == before)
print(shell.display_formatter.format(found)[0]["text/html"].startswith("<img"))
"""
    own = os.environ | {"IPYTHONDIR": str(tmp_path)}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=own)
    assert out.stdout.split() == ["False", "True", "True"]


def test_register_does_nothing_and_says_so() -> None:
    """If the call of 0.1.0 were gone, notebooks that make it would end in an error."""
    with pytest.warns(DeprecationWarning, match="show themselves"):
        notebook.register()


def test_import_beside_ipython_without_a_shell() -> None:
    """If a program that has IPython but no shell cannot import, or loads it for nothing, the library is no library."""
    pytest.importorskip("IPython")
    for code in (
        "import IPython, capacity",
        "import sys, capacity; assert 'IPython' not in sys.modules",
        "import sys; sys.modules['IPython'] = None; import capacity",  # put out of reach
    ):
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.filterwarnings("default")  # of the kernel's machinery
def test_kernel_shows_pictures_without_a_call() -> None:
    """If a real kernel hands over something else than a bare shell, notebooks show tables alone."""
    client, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = (
        "import sys, capacity as cap, pandas as pd\n'matplotlib' in sys.modules",
        "times = pd.date_range('2026-07-01', periods=288, freq='5min', tz='UTC')\n"
        "frame = cap.as_intervals(pd.DataFrame({'time': times, 'variant': cap.TOTAL, 'max_concurrent': 7}))\n"
        "cap.busy_hours(frame)",
        "cap.report.notebook.show_pictures(False)\ncap.busy_hours(frame)",
    )
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client.NotebookClient(made, timeout=120, kernel_name="python3").execute()
    first, drawn, bare = (cell.outputs[0]["data"] for cell in made.cells)
    assert first["text/plain"] == "False"
    assert drawn["text/html"].startswith("<img alt=")
    assert "<img" not in bare.get("text/html", "")
    assert "busy hour from" in bare["text/plain"]
