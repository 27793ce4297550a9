"""Docstrings of the public names, read by somebody who knows pandas and not this library."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import doctest
import inspect
import re
from typing import Any

import pytest

import capacity as cap

GIVEN = {"np", "pd", "cap", *dir(builtins)}  # what an example may use without importing it


def public() -> dict[str, Any]:
    """Return every public function, class and method by name, with those of `report` and `errors`."""
    found = {name: getattr(cap, name) for name in cap.__all__}
    for module in ("errors", "report"):
        inner = found.pop(module)
        found |= {f"{module}.{name}": getattr(inner, name) for name in inner.__all__}
    found = {name: thing for name, thing in found.items() if callable(thing)}
    for name, thing in list(found.items()):
        if inspect.isclass(thing):
            own = {key: value for key, value in vars(thing).items() if inspect.isfunction(value)}
            found |= {f"{name}.{key}": value for key, value in own.items() if not key.startswith("_")}
    return found


PUBLIC = public()


def documented(doc: str, *sections: str) -> set[str]:
    """Return the names that the sections of a docstring describe."""
    names: set[str] = set()
    for section in sections:
        body = re.search(rf"^{section}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", doc, re.MULTILINE | re.DOTALL)
        for line in (body[1] if body else "").splitlines():
            if line and not line[0].isspace():
                names |= {name.strip(" *") for name in line.partition(" : ")[0].split(",")}
    return names


def loads_and_stores(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a piece of code reads, and those that it makes."""
    read, made = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.arg):
            made.add(node.arg)
    return read, made


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_can_be_pasted(name: str) -> None:
    """A reader who pastes an example would get a NameError: it uses what only the module of the function has."""
    known = set(GIVEN)
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(PUBLIC[name]) or ""):
        read, made = loads_and_stores(example.source)
        assert read <= known | made, f"{name}: {read - known - made}"
        known |= made


@pytest.mark.parametrize("name", PUBLIC)
def test_every_argument_and_field_is_described(name: str) -> None:
    """A reader would meet an argument or a field without a word on it, or read of one that is gone."""
    thing, doc = PUBLIC[name], inspect.getdoc(PUBLIC[name]) or ""
    assert doc, name
    if not inspect.isclass(thing):
        assert documented(doc, "Parameters") == {p for p in inspect.signature(thing).parameters if p != "self"}
        return
    if dataclasses.is_dataclass(thing):
        fields = {field.name for field in dataclasses.fields(thing) if not field.name.startswith("_")}
        assert fields <= documented(doc, "Attributes", "Parameters")


@pytest.mark.parametrize("name", [name for name in PUBLIC if inspect.isfunction(PUBLIC[name]) and "." not in name])
def test_functions_say_what_comes_back_and_what_is_raised(name: str) -> None:
    """A reader would not know the columns of a table, or would catch the wrong error."""
    doc = inspect.getdoc(PUBLIC[name]) or ""
    first = doc.partition("\n")[0]
    assert first.startswith("Return ") or ", and return " in first, f"{name} begins with {first!r}"
    for section in ("Parameters", "Returns", "Raises", "See Also", "Examples"):
        assert f"\n{section}\n---" in doc or (section == "Parameters" and name == "load_sample"), f"{name}: {section}"
