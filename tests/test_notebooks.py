"""The notebooks: stored with their outputs, free of traces of a machine, and true when they are run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CHECKS = Path(__file__).parent / "notebook_checks"  # what must hold after the last cell, one file a notebook
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
    """If a notebook is missing, the README points to nothing; if its checks are, nobody knows whether it is true."""
    numbers = [path.stem[:2] for path in NOTEBOOKS]
    assert numbers == [f"{k:02d}" for k in range(1, len(numbers) + 1)]
    assert [path.name[:2] for path in sorted(CHECKS.glob("*.txt"))] == numbers


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
def test_notebook_opens_with_its_question_and_ends_with_its_answer(path: Path) -> None:
    """If nothing is asked at the start or concluded at the end, it is a demonstration of nothing."""
    first, *_, last = nbformat.read(path, as_version=4).cells
    assert first.cell_type == "markdown"
    title = first.source.splitlines()[0]
    assert title.startswith("# ")
    assert title.endswith("?")
    assert last.cell_type == "markdown"
    assert "## Conclusion" in last.source


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
    """If its checks fail, or a name has moved, what people learn from is wrong."""
    client = pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    checks = next(CHECKS.glob(f"{path.stem[:2]}*")).read_text(encoding="utf-8")
    notebook.cells.append(nbformat.v4.new_code_cell(checks))
    runner = client.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    runner.execute()
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"][:-1]
    for stored, run in zip(code_cells(path), ran, strict=True):
        assert bool(stored.outputs) == bool(run.outputs)
