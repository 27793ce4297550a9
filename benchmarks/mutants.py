"""Mutation run: put small faults into the code, one at a time, and count those that a test finds.

``python -m benchmarks.mutants map`` keeps in ``.mutants/`` which test reaches which line.
``python -m benchmarks.mutants run [--number 400] [--seed 1]`` draws mutants, the same number from each stratum, runs
the tests that reach the changed line, and prints those that survive. Both go on where they stopped (``--minutes`` stops
them); ``run --again`` tries anew those that survived. Tests that only compare printed text or pictures (README,
doctests, reference images) do not count, nor do those that see only a copy of the code (processes of their own). Needs
``coverage``.

The tests are collected once. Each mutant is tried in a fork of that process, in which the changed function gets its new
code; a change outside functions (a constant, a default) is tried in a process that imports the package anew. A test
that finds a fault has to pass on unchanged code.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import gc
import hashlib
import importlib
import importlib.abc
import importlib.util
import json
import os
import pkgutil
import re
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "capacity"
KEPT = ROOT / ".mutants"
OWN = KEPT / str(os.getpid())  # of this run alone
FAILED = OWN / "failed"
# Stratum -> the files that belong to it.
STRATA = {
    "analysis": ["analysis/*.py", "analysis/costing/*.py", "analysis/records/*.py", "stats/*.py"],
    "forecast": ["forecast/*.py"],
    "fetch": ["fetch/*.py"],
    "cli": ["cli/*.py"],
    "pages": ["report/page_*.py", "report/pages.py", "report/panels.py", "analysis/verdict/*.py"],
}
# Printed output; copies of the code; and tests that take too long to be tried often.
LEFT_OUT = ["readme", "report_images", "pages", "notebooks", "docs_fleet", "walks", "fleet_cluster", "fetch_killed",
            "emulator_fuzzed", "browser", "house"]  # fmt: skip
ALWAYS = ["tests/test_house.py::test_public_defaults"]  # for a change outside functions
PYTEST = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain", f"--basetemp={OWN / 'tmp'}"]
SHARES = re.compile(r'scope="module"|\bcache\b|lru_cache|made_assessments|made_frames')
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
# Keywords whose loss changes no result but its looks, and calls of places on a page [mm]: the text is what counts.
UNSAID = ("name", "dtype", "copy", "strict", "stacklevel", "help", "metavar", "show_default", "indent")
LAID_OUT = ("Area", "axes", "rule")
Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Place:
    """One possible fault: where it is, what it is, and how it is put in."""

    file: str
    line: int
    what: str
    key: str = field(repr=False)
    node: Any = field(repr=False)
    change: Change = field(repr=False)


@cache
def tree_of(file: str) -> ast.Module:
    """Return the parsed file (relative to the package)."""
    return ast.parse((HOME / file).read_text(encoding="utf-8"))


@cache
def functions(file: str) -> dict[str, ast.AST]:
    """Return the functions of a file by qualified name."""
    found: dict[str, ast.AST] = {}

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                if not isinstance(child, ast.ClassDef):
                    found[prefix + child.name] = child
                walk(child, f"{prefix}{child.name}.")
            else:
                walk(child, prefix)

    walk(tree_of(file), "")
    return found


def owner(file: str, line: int) -> tuple[str, int]:
    """Return the innermost function around a line ("" outside of them), and the line counted from its start."""
    around = [(n.lineno, q) for q, n in functions(file).items() if n.lineno <= line <= n.end_lineno]  # type: ignore[attr-defined]
    start, name = max(around, default=(0, ""))
    return name, line - start


def places(file: str) -> Iterator[Place]:
    """Yield every fault that can be put into a file; its key stays the same when other lines change."""
    skipped, seen = set(), Counter[str]()
    for node in ast.walk(tree_of(file)):
        told: list[Any] = [getattr(node, name, None) for name in ("annotation", "returns")]
        if (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)) or isinstance(node, ast.Raise):
            told.append(node)  # the wording of an error is printed output
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            told.append(node)
        told += getattr(node, "decorator_list", [])
        if isinstance(node, ast.Call):
            told += [keyword.value for keyword in node.keywords if keyword.arg in UNSAID]
            told += (
                [node] if ast.unparse(node.func).rpartition(".")[2] in LAID_OUT and file.startswith("report") else []
            )
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and file.startswith("report"):
            told.append(node)
        skipped |= {id(inner) for some in told if some is not None for inner in ast.walk(some)}
    for node in ast.walk(tree_of(file)):
        for what, change in _changes(node) if id(node) not in skipped else ():
            key = f"{file}::{owner(file, node.lineno)[0]}::{what}::{ast.unparse(node).splitlines()[0]}"  # type: ignore[attr-defined]
            seen[key] += 1
            yield Place(file, node.lineno, what, f"{key}::{seen[key]}", node, change)  # type: ignore[attr-defined]


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        swap = SWAPPED[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} -> {swap.__name__}", lambda n: n.ops.__setitem__(0, swap())
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPPED:
        swap = SWAPPED[type(node.op)]
        if not (isinstance(node, ast.BinOp) and any(isinstance(s, ast.JoinedStr) for s in (node.left, node.right))):
            yield f"{type(node.op).__name__} -> {swap.__name__}", lambda n: setattr(n, "op", swap())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not removed", lambda n: setattr(n, "op", ast.UAdd()) or setattr(n, "operand", _truth(n.operand))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} flipped", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield f"{node.value} + 1", lambda n: setattr(n, "value", n.value + 1)
    elif isinstance(node, ast.Call):
        for at, keyword in enumerate(node.keywords):
            if keyword.arg and keyword.arg not in UNSAID:
                yield f"{keyword.arg}= dropped", lambda n, at=at: n.keywords.pop(at)
    elif isinstance(node, ast.If | ast.IfExp):
        yield "condition false", lambda n: setattr(n, "test", ast.Constant(False))


def _truth(operand: ast.expr) -> ast.expr:
    return ast.Call(func=ast.Name("bool", ast.Load()), args=[operand], keywords=[])


def draw(number: int, seed: int) -> list[tuple[str, Place]]:
    """Draw mutants, as many from each stratum; one that is drawn stays drawn when other code changes."""

    def lot(place: Place) -> str:
        return hashlib.sha256(f"{seed} {place.key}".encode()).hexdigest()

    drawn = []
    for stratum, patterns in STRATA.items():
        files = {str(p.relative_to(HOME)) for pattern in patterns for p in HOME.glob(pattern)}
        found = sorted((place for file in files for place in places(file)), key=lot)
        drawn.append([(stratum, place) for place in found[: number // len(STRATA)]])
    return [one for row in zip(*drawn, strict=True) for one in row]  # what was tried is fair at any time


def changed(place: Place) -> CodeType:
    """Return the code of the file with the fault in it."""
    tree = tree_of(place.file)
    twin = copy.deepcopy(tree)
    place.change(next(b for a, b in zip(ast.walk(tree), ast.walk(twin), strict=True) if a is place.node))
    return compile(ast.fix_missing_locations(twin), str(HOME / place.file), "exec")


def _inside(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    yield (code.co_qualname, code.co_firstlineno), code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _inside(inner)


def _own(code: CodeType) -> tuple[Any, ...]:
    told = tuple(c.co_qualname if isinstance(c, CodeType) else (type(c), repr(c)) for c in code.co_consts)
    return code.co_code, told, code.co_names, code.co_varnames, code.co_freevars


def functions_changed(place: Place) -> dict[tuple[str, int], CodeType] | None:
    """Return the new code of the functions that a fault changes; None where it changes more than functions."""
    old = dict(_inside(compile(tree_of(place.file), str(HOME / place.file), "exec")))
    new = dict(_inside(changed(place)))
    both = old.keys() & new.keys()  # a comprehension may have gone
    if any(_own(new[k]) != _own(old[k]) and not old[k].co_flags & 1 for k in both):  # a module's or a class's own code
        return None
    return {k: new[k] for k in both if new[k] != old[k] and new[k].co_flags & 1}


def live_functions() -> dict[tuple[str, str, int], list[FunctionType]]:
    """Import all of the package, and return its functions."""
    for module in pkgutil.walk_packages([str(HOME)], "capacity."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(str(HOME)):
            code = one.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(one)
    gc.freeze()  # the forks share it
    return found


class Swapped(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Import one module with changed code."""

    def __init__(self, file: str, code: CodeType) -> None:
        self.module = "capacity." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.path, self.code = str(HOME / file), code

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Answer for the one module."""
        within = [str(Path(self.path).parent)] if self.path.endswith("__init__.py") else None
        if name == self.module:
            return importlib.util.spec_from_file_location(
                name, self.path, loader=self, submodule_search_locations=within
            )
        return None

    def get_code(self, fullname: str) -> CodeType:
        """Return the changed code."""
        return self.code

    def get_source(self, fullname: str) -> str:
        """Return the source as it was."""
        return Path(self.path).read_text(encoding="utf-8")


def in_child(work: Callable[[], int], longest: float) -> int | None:
    """Return the exit code of a piece of work done in a child of this process; None if it took too long."""
    child = os.fork()
    if child == 0:
        os.setsid()
        try:
            os._exit(work())
        except BaseException:
            traceback.print_exc()
            os._exit(98)
    ends = time.monotonic() + longest
    code = None
    while code is None and time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if done else None
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # with whatever it began
    if code is None:
        os.waitpid(child, 0)
    return code


class Collected:
    """A plugin of pytest: collect once, then hand the tests to some work instead of running them."""

    def __init__(self, work: Callable[[dict[str, Any]], Any]) -> None:
        self.work = work

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Let hypothesis stop at the first failure."""
        import hypothesis

        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("mutants", hypothesis.settings(), phases=phases)
        hypothesis.settings.load_profile("mutants")

    def pytest_runtestloop(self, session: Any) -> bool:
        """Do the work."""
        self.work({item.nodeid: item for item in session.items})
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:
        """End the child that runs the tests at the first that fails."""
        if report.failed:
            FAILED.write_text(report.nodeid)
            os._exit(1)


def run_items(items: list[Any]) -> int:
    """Run collected tests; the process ends with 1 at the first that fails."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
    return 0


def test_files() -> list[str]:
    """Return the test files that count."""
    return [
        f"tests/{p.name}"
        for p in sorted((ROOT / "tests").glob("test_*.py"))
        if p.stem.removeprefix("test_") not in LEFT_OUT
    ]


def _digest(file: str) -> str:
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:16]


def map_of(file: str) -> Path:
    """Return where the map of one test file is kept."""
    return KEPT / "map" / f"{Path(file).stem}.json"


def unmapped() -> list[str]:
    """Return the test files that changed since they were mapped."""
    there = {f: json.loads(map_of(f).read_text())["digest"] for f in test_files() if map_of(f).exists()}
    return [file for file in test_files() if there.get(file) != _digest(file)]


def map_file(file: str, items: list[Any]) -> int:
    """Run the tests of one file and keep what each reaches, by function and line within it, and what it takes."""
    import coverage

    passed, took, failed = {}, {}, set()
    measured = coverage.Coverage(data_file=None, config_file=False, include=[str(HOME / "*")])
    Collected.pytest_runtest_logreport = lambda self, report: failed.add(report.nodeid) if report.failed else None
    measured.start()
    for item, following in zip(items, [*items[1:], None], strict=True):
        measured.switch_context(item.nodeid)
        began = time.monotonic()
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        took[item.nodeid] = round(time.monotonic() - began, 3)
    measured.stop()
    data = measured.get_data()
    reached: dict[str, list[str]] = {}
    for path in data.measured_files():
        name = str(Path(path).relative_to(HOME))
        for line, contexts in data.contexts_by_lineno(path).items():
            function, offset = owner(name, line)
            reached[f"{name}::{function}+{offset}"] = [test for test in contexts if test]
    passed = {test: secs for test, secs in took.items() if test not in failed}
    map_of(file).write_text(json.dumps({"digest": _digest(file), "took": passed, "reached": reached}))
    return 0


class Map:
    """Which tests reach a line, and what they take."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}
        self.tests: dict[str, set[str]] = defaultdict(set)
        self.breadth = Counter[str]()
        self.siblings: dict[str, list[str]] = {}
        self.shared_s: dict[str, float] = {}  # what the first test of a file does for the others
        for file in test_files():
            if map_of(file).exists():
                kept = json.loads(map_of(file).read_text())
                self.took |= kept["took"]
                shares = SHARES.search((ROOT / file).read_text(encoding="utf-8"))
                self.siblings[file] = list(kept["took"]) if shares else []
                self.shared_s[file] = max(kept["took"].values(), default=0.0) if shares else 0.0
                for where, tests in kept["reached"].items():
                    known = [test for test in tests if test in kept["took"]]
                    self.tests[where].update(known)
                    self.breadth.update(known)

    def of(self, place: Place, longest: float) -> list[str]:
        """Return the tests of a place within a time (s), quick and specific first, then those that share its work."""
        function, offset = owner(place.file, place.line)
        around = [n for n in ast.walk(tree_of(place.file)) if isinstance(n, ast.stmt) and n.lineno <= place.line]
        first = max((n.lineno for n in around if (n.end_lineno or 0) >= place.line), default=place.line)
        inside = function and first > place.line - offset  # not a default of its parameters
        if inside:
            lines = range(offset - (place.line - first), offset + 1)
            direct = set().union(*(self.tests.get(f"{place.file}::{function}+{k}", ()) for k in lines))
        else:
            direct = self._users(place)
        beside = {test for file in {t.partition("::")[0] for t in direct} for test in self.siblings.get(file, ())}
        found = [*self._within(direct, longest), *self._within(beside - direct, longest / 2)]
        return found if inside else [*ALWAYS, *found]

    def _within(self, tests: set[str], longest: float) -> list[str]:
        def cost(test: str) -> float:
            return self.took[test] + self.shared_s.get(test.partition("::")[0], 0.0)

        chosen, files, sum_s = [], set[str](), 0.0
        for test in sorted(tests, key=lambda t: ((cost(t) + 0.02) * self.breadth[t], t)):
            file = test.partition("::")[0]
            more = self.took[test] if file in files else cost(test)
            if sum_s + more <= longest or not chosen:
                chosen.append(test)
                files.add(file)
                sum_s += more
        return chosen

    def _users(self, place: Place) -> set[str]:
        """Return the tests of the functions that name what a statement outside functions defines."""
        around = [n for n in ast.walk(tree_of(place.file)) if isinstance(n, ast.stmt | ast.arguments)]
        names = {
            part
            for n in around
            if isinstance(n, ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.AsyncFunctionDef)
            and n.lineno <= place.line <= (n.end_lineno or 0)
            for target in getattr(n, "targets", [getattr(n, "target", None) or ast.Name(getattr(n, "name", ""))])
            for part in [ast.unparse(target).rpartition(".")[2]]
        }
        word = re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b") if names else re.compile(r"(?!)")
        found: set[str] = set()
        for file in {where.partition("::")[0] for where in self.tests}:
            text = (HOME / file).read_text(encoding="utf-8").splitlines()
            hit = {owner(file, k) for k, line in enumerate(text, start=1) if word.search(line)}
            functions_hit = {name for name, offset in hit if name}
            for name in functions_hit:
                start = functions(file)[name]
                span = range(start.end_lineno - start.lineno + 1)  # type: ignore[attr-defined]
                found |= set().union(*(self.tests.get(f"{file}::{name}+{k}", ()) for k in span))
        return found


ANEW = "to be tried with a new import"
OUTCOMES = {0: "survived", 1: "killed", 2: "killed", 99: "not viable", None: "killed (out of time)"}


def try_in_place(place: Place, codes: dict[Any, CodeType], live: Any, items: list[Any], longest: float) -> str | None:
    """Return what became of a fault within functions; None if its functions cannot be given their code."""
    path = str(HOME / place.file)

    def work() -> int:
        done = 0
        for (name, line), code in codes.items():
            for function in live.get((path, name, line), ()):
                try:
                    function.__code__ = code
                except ValueError:  # another number of closed-over names
                    return 97
                done += 1
        return run_items(items) if done else 97

    code = in_child(work, longest)
    return None if code == 97 else OUTCOMES.get(code, f"not run ({code})")


def try_anew(file: str, code: CodeType, tests: list[str], longest: float) -> str:
    """Return what becomes of the tests when the package is imported anew with other code for a file."""

    def work() -> int:
        swapped = Swapped(file, code)
        sys.meta_path.insert(0, swapped)
        try:
            importlib.import_module(swapped.module)
        except BaseException:
            return 99
        return int(pytest.main([*PYTEST, *tests], plugins=[Collected(lambda items: run_items([*items.values()]))]))

    FAILED.write_text("")
    ended = in_child(work, 4 * longest + 30)
    return OUTCOMES.get(ended, f"not run ({ended})")


def attempt(number: int, seed: int, longest: float, again: bool, ends: float, only: str, told: Any) -> None:
    """Try the mutants that have not been tried, keep what became of each, and print what survived."""
    record = KEPT / f"results-{seed}.jsonl"

    def read() -> dict[str, str]:
        return dict(json.loads(line) for line in record.read_text().splitlines()) if record.exists() else {}

    results, drawn, known = read(), draw(number, seed), Map()
    rest = [
        (place, known.of(place, longest))
        for _, place in drawn
        if only in place.file
        and (results.get(place.key, ANEW) == ANEW or (again and not results[place.key].startswith("killed")))
    ]

    def keep(place: Place, found: str) -> None:
        with record.open("a") as out:
            out.write(json.dumps([place.key, found]) + "\n")
        if not found.startswith("killed"):
            print(f"{found}: capacity/{place.file}:{place.line}: {place.what}", file=told, flush=True)

    for place in [place for place, tests in rest if not tests]:
        keep(place, "unreached")
    within = {
        place.key: None if results.get(place.key) == ANEW else functions_changed(place)
        for place, tests in rest
        if tests
    }
    for name in (
        "pandas",
        "scipy.stats",
        "scipy.optimize",
        "pyarrow.parquet",
        "matplotlib.figure",
        "matplotlib.pyplot",
    ):
        importlib.import_module(name)
    for name in ("httpx", "starlette.applications", "uvicorn", "msgspec", "typer", "holidays", "hypothesis", "stamina"):
        importlib.import_module(name)

    def work(items: dict[str, Any]) -> None:
        live, trusted = live_functions(), set[str]()
        for place, tests in rest:
            if not tests or (codes := within[place.key]) is None or time.monotonic() > ends:
                continue
            chosen = [items[test] for test in tests if test in items]
            found = try_in_place(place, codes, live, chosen, 4 * longest + 20) or ANEW
            by = FAILED.read_text() if found == "killed" else ""
            if by and by not in trusted:  # the same tests have to pass on unchanged code
                until = chosen[: [item.nodeid for item in chosen].index(by) + 1]
                if in_child(partial(run_items, until), 4 * longest + 20) != 0:
                    found, by = f"not run: {by} fails on unchanged code", ""
                trusted.add(by)
            keep(place, f"{found} {by}".strip())

    files = {test.partition("::")[0] for p, t in rest if t and within[p.key] is not None for test in t}
    if files and time.monotonic() < ends:  # in a child: what comes after needs a process without the package
        in_child(lambda: int(pytest.main([*PYTEST, *sorted(files)], plugins=[Collected(work)])), 1e6)
    for place, tests in [(p, t) for p, t in rest if t and (within[p.key] is None or read().get(p.key) == ANEW)]:
        if time.monotonic() < ends:
            found = try_anew(place.file, changed(place), tests, longest)
            by = FAILED.read_text() if found == "killed" else ""
            if by in tests:
                unchanged = compile(tree_of(place.file), str(HOME / place.file), "exec")
                if try_anew(place.file, unchanged, tests[: tests.index(by) + 1], longest) != "survived":
                    found, by = f"not run: {by} fails on unchanged code", ""
            keep(place, f"{found} {by}".strip())
    results = read()
    for stratum in STRATA:
        of = Counter(results.get(place.key, "not tried").partition(" tests/")[0] for s, place in drawn if s == stratum)
        viable = sum(of.values()) - of["not viable"] - of["not tried"]
        killed = of["killed"] + of["killed (out of time)"]
        print(
            f"{stratum}: {killed} of {viable} killed ({killed / max(viable, 1):.0%}) {dict(of)}", file=told, flush=True
        )


def map_tests(only: str, ends: float, told: Any) -> None:
    """Map the test files that changed since they were mapped."""
    map_of("").parent.mkdir(parents=True, exist_ok=True)

    def work(items: dict[str, Any]) -> None:
        by_file = defaultdict(list)
        for test, item in items.items():
            by_file[test.partition("::")[0]].append(item)
        for file, some in by_file.items():
            if time.monotonic() < ends:
                began = time.monotonic()
                code = in_child(lambda file=file, some=some: map_file(file, some), 400)
                print(f"{file}: {len(some)} tests, {time.monotonic() - began:.1f} s, {code}", file=told, flush=True)

    if files := [file for file in unmapped() if only in file]:
        pytest.main([*PYTEST, *files], plugins=[Collected(work)])
    print(f"{len(unmapped())} test files are left to map", file=told)


def main() -> None:
    """Read the words of the command line, and do what they ask."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("what", choices=["map", "run"])
    asked.add_argument("--number", type=int, default=400)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--longest", type=float, default=30, help="seconds of tests to try against one mutant")
    asked.add_argument("--again", action="store_true", help="try those anew that survived")
    asked.add_argument("--only", default="", help="part of a file's name")
    asked.add_argument("--minutes", type=float, default=1e6, help="stop after so many")
    given = asked.parse_args()
    os.chdir(ROOT)
    OWN.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + 60 * given.minutes
    told = os.fdopen(os.dup(1), "w")
    log = os.open(OWN / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1), os.dup2(log, 2)
    if given.what == "map":
        map_tests(given.only, ends, told)
        told.flush()
        os.dup2(told.fileno(), 1)
    else:
        attempt(given.number, given.seed, given.longest, given.again, ends, given.only, told)


if __name__ == "__main__":
    main()
