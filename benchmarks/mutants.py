"""Mutation run: put small faults into the code, one at a time, and count those that a test finds.

``python -m benchmarks.mutants map`` runs the suite once under coverage and keeps which test reaches which line in
``.mutants/``; ``python -m benchmarks.mutants run [--number 400] [--seed 1]`` draws mutants, the same number from each
room, runs the tests that reach the changed line, and prints those that survive. Tests that only compare printed text or
pictures (README, doctests, reference images) do not count.

Needs ``pytest-cov``. Tests that walk through everything (`SLOW`) are left out of the map.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".mutants"
# Stratum -> the files that belong to it.
STRATA = {
    "analysis": ["analysis/**/*.py", "stats/*.py"],
    "forecast": ["forecast/*.py"],
    "fetch": ["fetch/*.py"],
    "cli": ["cli/*.py"],
    "pages": ["report/page_*.py", "report/pages.py", "report/panels.py", "analysis/verdict/*.py"],
}
PRINTED = ("test_readme", "test_report_images", "test_pages", "capacity/", "test_notebooks")
SLOW = (
    "test_readme",
    "test_pages",
    "test_notebooks",
    "test_walks",
    "test_fleet",
    "test_docs_fleet",
    "test_emulator_fuzzed",
)
LONGEST_S = 120
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


def mutated(tree: ast.Module, number: int) -> tuple[int, str, ast.Module]:
    """Return line, what was changed, and the changed tree, for the place of that number."""
    node, what, change = next(place for k, place in enumerate(_places(tree)) if k == number)
    changed = copy.deepcopy(tree)
    change(_twin(tree, changed, node))
    return node.lineno, what, ast.fix_missing_locations(changed)


def _twin(tree: ast.AST, other: ast.AST, node: ast.AST) -> Any:
    return next(b for a, b in zip(ast.walk(tree), ast.walk(other), strict=True) if a is node)


def _places(tree: ast.Module) -> Iterator[tuple[Any, str, Any]]:
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            skipped |= {id(inner) for inner in ast.walk(node)}
        for name in ("annotation", "returns"):
            if getattr(node, name, None) is not None:
                skipped |= {id(inner) for inner in ast.walk(getattr(node, name))}
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            skipped |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.Raise):  # the wording of an error is printed output
            skipped |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                skipped |= {id(inner) for inner in ast.walk(decorator)}
    for node in ast.walk(tree):
        if id(node) not in skipped:
            yield from _changes(node)


def _changes(node: ast.AST) -> Iterator[tuple[Any, str, Any]]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        swap = SWAPPED[type(node.ops[0])]
        yield node, f"{type(node.ops[0]).__name__} -> {swap.__name__}", lambda n: n.ops.__setitem__(0, swap())
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPPED:
        swap = SWAPPED[type(node.op)]
        if not (isinstance(node, ast.BinOp) and any(isinstance(s, ast.JoinedStr) for s in (node.left, node.right))):
            yield node, f"{type(node.op).__name__} -> {swap.__name__}", lambda n: setattr(n, "op", swap())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, "not removed", lambda n: setattr(n, "op", ast.UAdd()) or setattr(n, "operand", _truth(n.operand))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, f"{node.value} flipped", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield node, f"{node.value} + 1", lambda n: setattr(n, "value", n.value + 1)
    elif isinstance(node, ast.Call) and any(k.arg for k in node.keywords):
        for at, keyword in enumerate(node.keywords):
            if keyword.arg and keyword.arg not in ("name", "dtype", "copy", "strict", "stacklevel", "help"):
                yield node, f"{keyword.arg}= dropped", lambda n, at=at: n.keywords.pop(at)
    elif isinstance(node, ast.If | ast.IfExp):
        yield node, "condition false", lambda n: setattr(n, "test", ast.Constant(False))


def _truth(operand: ast.expr) -> ast.expr:
    return ast.Call(func=ast.Name("bool", ast.Load()), args=[operand], keywords=[])


def reached() -> dict[tuple[str, int], list[str]]:
    """Return the tests that reach a line, by file (relative to the package) and line."""
    found: dict[tuple[str, int], list[str]] = {}
    with sqlite3.connect(KEPT / "coverage") as db:
        from coverage.numbits import numbits_to_nums

        paths = dict(db.execute("select id, path from file"))
        contexts = dict(db.execute("select id, context from context"))
        for file, context, bits in db.execute("select file_id, context_id, numbits from line_bits"):
            test = contexts[context].rpartition("|")[0]
            if not test or test.startswith(PRINTED) or any(p in test for p in PRINTED):
                continue
            name = str(Path(paths[file]).relative_to(ROOT / "capacity"))
            for line in numbits_to_nums(bits):
                found.setdefault((name, line), []).append(test)
    return found


def map_tests(jobs: int) -> None:
    """Run the suite once, and keep which test reaches which line."""
    KEPT.mkdir(exist_ok=True)
    (KEPT / "rc").write_text(f"[run]\nsource = {ROOT / 'capacity'}\ndata_file = {KEPT / 'coverage'}\n")
    words = [
        "-q",
        "-n",
        str(jobs),
        "-p",
        "no:cacheprovider",
        "--cov",
        f"--cov-config={KEPT / 'rc'}",
        "--cov-context=test",
    ]
    words += ["--cov-report=", "--durations=0", "--durations-min=0.05", "-vv", "tests"]
    words += [f"--ignore-glob=tests/{name}*" for name in SLOW]
    out = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    took = {}
    for line in out.stdout.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1] == "call" and parts[0].endswith("s"):
            took[parts[2]] = float(parts[0][:-1])
    (KEPT / "durations.json").write_text(json.dumps(took))
    print("\n".join(out.stdout.splitlines()[-3:]))


def draw(number: int, seed: int) -> list[tuple[str, str, int, str, str]]:
    """Draw mutants: (stratum, file, line, what, source), as many from each stratum."""
    rng = random.Random(seed)
    drawn = []
    for stratum, patterns in STRATA.items():
        files = sorted({p for pattern in patterns for p in (ROOT / "capacity").glob(pattern)})
        places = []
        for path in files:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            name = str(path.relative_to(ROOT / "capacity"))
            places += [(name, k) for k, _ in enumerate(_places(tree))]
        for name, k in rng.sample(places, min(len(places), number // len(STRATA))):
            tree = ast.parse((ROOT / "capacity" / name).read_text(encoding="utf-8"))
            line, what, changed = mutated(tree, k)
            drawn.append((stratum, name, line, what, ast.unparse(changed)))
    return drawn


def known_tests(name: str, line: int, tests: dict[tuple[str, int], list[str]]) -> set[str]:
    """Return the tests that reach a line: coverage keeps a statement's first line, and a module's own code has none."""
    tree = ast.parse((ROOT / "capacity" / name).read_text(encoding="utf-8"))
    around = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or line)]
    for node in sorted(around, key=lambda n: (n.end_lineno or 0) - n.lineno):
        if found := tests.get((name, node.lineno)):
            return set(found)
    return {test for (file, _), some in tests.items() if file == name for test in some}


class Swapped(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Import one module from a changed source."""

    def __init__(self, module: str, path: str, source: str) -> None:
        self.module, self.path, self.source = module, path, source

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Answer for the one module."""
        if name != self.module:
            return None
        package = self.path.endswith("__init__.py")
        return importlib.util.spec_from_file_location(
            name, self.path, loader=self, submodule_search_locations=[str(Path(self.path).parent)] if package else None
        )

    def get_filename(self, fullname: str) -> str:
        """Return the path of the file that is replaced."""
        return self.path

    def get_data(self, path: Any) -> bytes:
        """Return the changed source."""
        return self.source.encode()


def outcome(name: str, source: str, tests: list[str]) -> str:
    """Return "killed", "survived" or "not viable" for one mutant, tried in a process of its own."""
    child = os.fork()
    if child == 0:
        os.setsid()
        with open(os.environ.get("MUTANTS_LOG", os.devnull), "a") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        module = "capacity." + name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        sys.meta_path.insert(0, Swapped(module, str(ROOT / "capacity" / name), source))
        try:
            importlib.import_module(module)
        except BaseException:
            os._exit(99)
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", *tests])))
    began = time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return {0: "survived", 1: "killed", 99: "not viable"}.get(code, "not run")
        if time.monotonic() - began > LONGEST_S:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "out of time"
        time.sleep(0.02)


def attempt(number: int, seed: int, most: int) -> None:
    """Try the mutants and print what survived."""
    os.chdir(ROOT)
    tests = reached()
    took = json.loads((KEPT / "durations.json").read_text())
    for name in ("numpy", "pandas", "scipy.stats", "scipy.optimize", "pyarrow.parquet", "matplotlib.figure", "httpx"):
        importlib.import_module(name)
    for name in ("starlette.applications", "uvicorn", "msgspec", "typer", "holidays"):
        importlib.import_module(name)
    control = "analysis/headroom.py"  # unchanged code has to survive, or the run says nothing
    known = sorted({test for (file, _), some in tests.items() if file == control for test in some})[:most]
    if outcome(control, (ROOT / "capacity" / control).read_text(encoding="utf-8"), known) != "survived":
        sys.exit("the tests fail on unchanged code; nothing was tried")
    counts: dict[str, dict[str, int]] = {}
    for stratum, name, line, what, source in draw(number, seed):
        known = sorted(known_tests(name, line, tests), key=lambda test: took.get(test, 0.0))[:most]
        found = "unreached" if not known else outcome(name, source, known)
        of = counts.setdefault(stratum, {})
        of[found] = of.get(found, 0) + 1
        if found in ("survived", "unreached"):
            print(f"{found}: capacity/{name}:{line}: {what}", flush=True)
    for stratum, of in counts.items():
        viable = sum(of.values()) - of.get("not viable", 0)
        print(f"{stratum}: {of.get('killed', 0)} of {viable} killed ({100 * of.get('killed', 0) / viable:.0f}%) {of}")


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("what", choices=["map", "run"])
    asked.add_argument("--number", type=int, default=400)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--most", type=int, default=150, help="tests to try against one mutant, the quickest first")
    asked.add_argument("--jobs", type=int, default=2, help="processes that map the tests")
    given = asked.parse_args()
    map_tests(given.jobs) if given.what == "map" else attempt(given.number, given.seed, given.most)
