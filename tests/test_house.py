"""The house itself: who imports whom, the public names, what an import costs."""

from __future__ import annotations

import ast
import graphlib
import inspect
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

import capacity as cap

ROOT = Path(cap.__file__).parent
# Room -> the rooms it may import besides itself. `emulator.py` shares the windows' grid with the client.
ROOMS = {
    "errors": set(),
    "ground": {"errors"},
    "stats": {"ground", "errors"},
    "forecast": {"stats", "ground", "errors"},
    "fetch": {"ground", "errors"},
    "calls": {"ground", "errors"},
    "analysis": {"calls", "forecast", "stats", "ground", "errors"},
    "plan": {"analysis", "calls", "forecast", "stats", "ground", "errors"},
    "fleet": {"plan", "analysis", "calls", "forecast", "stats", "fetch", "ground", "errors"},
    "report": {"plan", "fleet", "analysis", "forecast", "stats", "ground", "errors"},
}
# Inside a room data flows one way too: what stands later may import what stands earlier, never the other way round.
# A name stands for the modules that begin with it; those that are not named only have to be free of cycles.
INSIDE = {
    "ground": [
        "arrays",
        "calendar",
        "floats",
        "notes",
        "times",
        "localtime",
        "licences",
        "text",
        "frame",
        "once",
        "dense",
    ],
    "stats": ["robust", "order_statistics", "erlang", "maxima", "load_likelihood", "load_path", "lost_calls"],
    "forecast": ["smooth", "link", "calendar", "effects", "levels", "errors", "mixture", "engine", "paths"],
    "fetch": ["windows", "patience", "endpoint", "client", "weekfile", "store", "plan", "reader", "fetcher", "status"],
    "calls": ["keys", "sweep", "concurrency", "streaming", "profiles", "simulate", "answers", "emulator"],
    "analysis": ["observed", "peaks", "forecast", "headroom", "costing", "cost", "backtest", "verdict", "assessment"],
    "report": [
        "theme",
        "axes",
        "canvas",
        "charts_",
        "charts",
        "sheet",
        "frame",
        "panels",
        "page_",
        "pages",
        "pdf",
        "html",
    ],
    "cli": ["app", "options", "records", "reporting", "demo"],
}
MODULES = sorted(p.relative_to(ROOT) for p in ROOT.rglob("*.py"))

PUBLIC = Path(__file__).with_name("public_names.txt").read_text(encoding="utf-8").split()
DEFAULTS = Path(__file__).with_name("public_defaults.txt")


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever; not those for type checking, nor those that show a result."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        or (isinstance(node, ast.FunctionDef) and node.name in ("plot", "_repr_html_"))
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def ours(path: Path) -> set[str]:
    """Name the rooms (first two parts below capacity) that a file imports."""
    parts = [name.split(".")[1:] for name in imported(path) if name.startswith("capacity.")]
    names = {str(p.with_suffix("")).replace("/", ".") for p in MODULES}
    return {".".join(p[:k]) for p in parts for k in (1, 2, 3) if ".".join(p[:k]) in names}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_layers(path):
    """A room would reach back: data no longer flows one way."""
    room = path.parts[0] if len(path.parts) > 1 else path.stem
    for used in ours(path):
        top = used.split(".")[0]
        if room in ROOMS:
            shared = {"fetch"} if used == "fetch.windows" and path.name == "emulator.py" else set()
            assert top in ROOMS[room] | {room} | shared, f"{path} imports {used}"
        assert top != "cli" or room in ("cli", "__main__"), f"{path} imports the command line"


def inside(room: str) -> dict[str, set[str]]:
    """Return the modules of a room, each with those of the room that it imports."""
    names = {".".join(p.with_suffix("").parts[1:]): p for p in MODULES if p.parts[0] == room and p.stem != "__init__"}
    graph = {}
    for name, path in names.items():
        needs = [f"{one}." for one in imported(path) if one.startswith(f"capacity.{room}.")]
        graph[name] = {
            used for used in names if used != name and any(n.startswith(f"capacity.{room}.{used}.") for n in needs)
        }
    return graph


def place(name: str, order: list[str]) -> int | None:
    """Return where a module stands in the order of its room: by its own name, or by how it begins."""
    head = name.split(".")[0]
    found = [k for k, one in enumerate(order) if one == head or (one.endswith("_") and head.startswith(one))]
    return found[0] if found else None


@pytest.mark.parametrize("room", sorted({p.parts[0] for p in MODULES if len(p.parts) > 1}))
def test_inside_a_room_data_flows_one_way(room):
    """Two modules would lean on each other, or a piece reach back for the whole that is made of it."""
    graph = inside(room)
    list(graphlib.TopologicalSorter(graph).static_order())  # raises where there is a cycle, and names it
    order = INSIDE.get(room, [])

    for name, used in graph.items():
        for other in used:
            at, below = place(name, order), place(other, order)
            assert at is None or below is None or below <= at, f"{room}: {name} imports {other}, which stands after it"


def test_statistics_are_of_arrays():
    """The arithmetic would come to know frames, and could be tried on nothing else."""
    for path in MODULES:
        if path.parts[0] == "stats":
            known = {name.split(".")[0] for name in imported(path)}
            assert "pandas" not in known, path
            assert not {"capacity.ground.frame", "capacity.ground.dense"} & imported(path), path


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("matplotlib", "report/"),
        ("httpx", "fetch/client.py"),
        ("starlette", "calls/emulator.py"),
        ("uvicorn", "calls/emulator.py"),
        ("typer", "cli"),
        ("fsspec", "ground/cloud.py"),
    ],
)
def test_libraries_live_in_one_place(library, home):
    """A second file would come to know a library that is behind one door."""
    users = [p.as_posix() for p in MODULES if any(name.split(".")[0] == library for name in imported(p))]
    assert [u for u in users if not u.startswith(home)] == []


def test_public_names():
    """A name that users rely on would be gone, or one would be public by accident."""
    assert cap.__all__ == sorted(PUBLIC)
    for name in cap.__all__:
        assert getattr(cap, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_it"):
        cap.nothing_like_it  # noqa: B018


def test_public_defaults():
    """Whoever says nothing would get another zone, horizon or risk than before."""
    for line in DEFAULTS.read_text(encoding="utf-8").splitlines():
        what, _, default = line.partition(" = ")
        name, _, parameter = what.partition(".")
        assert repr(inspect.signature(getattr(cap, name)).parameters[parameter].default) == default, (
            f"{what}: where that is meant, write it to {DEFAULTS.name} as well"
        )


def test_public_functions_are_documented():
    """help() would be empty or without an example."""
    for name in cap.__all__:
        thing = getattr(cap, name)
        if callable(thing):
            assert thing.__doc__, name
            assert ">>>" in thing.__doc__, f"{name} has no example"


SOURCED = (
    "anomalies agents_for backtest best_licence_count blocking busy_hours channels_for decompose diversity erlang_a "
    "erlang_b erlang_c forecast_peaks load_for offered_load percentiles return_levels seasonal_strength service_level "
    "staffing weekly_profile"
)


@pytest.mark.parametrize("name", [name for name in cap.__all__ if callable(getattr(cap, name))])
def test_public_names_lead_on(name):
    """A reader would stand at one function without knowing of its neighbours, or of the source of a formula."""
    doc = getattr(cap, name).__doc__
    assert "\n    See Also\n    --------\n" in doc
    if name in SOURCED.split():
        assert "\n    References\n    ----------\n" in doc
    after = doc.split("    See Also\n    --------\n", 1)[1].split("\n\n", 1)[0]
    named = re.findall(r"capacity\.([\w.]+)", after)
    for other in named:
        assert attrgetter(other)(cap) is not None
    assert named or ":" in after or "`" in after


def test_import_is_light():
    """`import capacity` would load httpx, scipy or matplotlib for someone who wants a frame."""
    code = (
        "import sys, capacity; "
        "heavy = 'httpx scipy matplotlib starlette pyarrow.parquet holidays'.split(); "
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_pickled_errors_keep_what_they_know():
    """An error from a process pool would lose its window and status."""
    import pickle

    error = cap.errors.RateLimited("slow down", window="w", status=429, error_message="no", attempts=5)
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), back.window, back.status, back.error_message, back.attempts) == (
        cap.errors.RateLimited,
        "w",
        429,
        "no",
        5,
    )
    lost = pickle.loads(pickle.dumps(cap.errors.IncompleteError("two", frame=None, failures=[error])))
    assert lost.failures[0].status == 429


def test_results_compare_by_identity():
    """`a == b` would raise: numpy and pandas compare cell by cell, and what they return is not true or false."""
    import dataclasses
    import importlib
    import re

    cells = re.compile(r"DataFrame|Series|ndarray|NDArray|Index|Floats|Ints|Flags|Array")
    for path in MODULES:
        if path.parts[0] not in ("analysis", "forecast", "ground", "stats") or path.stem == "__init__":
            continue
        module = importlib.import_module(f"capacity.{'.'.join(path.with_suffix('').parts)}")
        for kind in vars(module).values():
            if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == module.__name__:
                held = [f.name for f in dataclasses.fields(kind) if cells.search(str(f.type))]
                assert not held or kind.__eq__ is object.__eq__, f"{path}: {kind.__name__} holds {held}"
