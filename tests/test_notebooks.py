"""The notebooks: stored with their outputs, free of traces of a machine, and true when they are run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# A path that says on whose machine it was run.
TRACES = re.compile(r"(?<![\w.])(/home/|/root/|/tmp/|/Users/|/work/|/var/folders/|[A-Z]:\\)")

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[Any]:
    """Return the cells that are run."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def shown(cell: Any) -> str:
    """Return the text of all outputs; pictures aside."""
    parts = []
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        parts += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "", "\n".join(parts))


def test_all_are_there() -> None:
    """If a notebook is missing, the README points to nothing."""
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{k:02d}" for k in range(1, len(NOTEBOOKS) + 1)]
    assert len(NOTEBOOKS) >= 7


@each
def test_notebook_is_stored_with_outputs(path: Path) -> None:
    """If outputs were cleared or are of another order, people read a notebook without answers."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) >= len(cells) // 2
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert path.stat().st_size < 1_000_000


@each
def test_notebook_opens_with_its_question_and_ends_with_checks(path: Path) -> None:
    """If nothing is asked at the start or checked at the end, it is a demonstration of nothing."""
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    title = first.source.splitlines()[0]
    assert title.startswith("# ")
    assert title.endswith("?")
    assert "assert " in code_cells(path)[-1].source


@each
def test_outputs_do_not_tell_where_they_were_made(path: Path) -> None:
    """If a path of the machine stands in an output, each run on another one changes the file."""
    for cell in code_cells(path):
        found = TRACES.search(shown(cell))
        assert found is None, shown(cell)[max(found.start() - 60, 0) :][:200]


@pytest.mark.notebooks
@pytest.mark.filterwarnings("default")  # of the kernel's machinery; within the notebook its own rules hold
@each
def test_notebook_runs(path: Path) -> None:
    """If a notebook's asserts fail, or a name has moved, what people learn from is wrong."""
    client = pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    runner = client.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    runner.execute()
    for stored, run in zip(code_cells(path), (c for c in notebook.cells if c.cell_type == "code"), strict=True):
        assert bool(stored.outputs) == bool(run.outputs)
