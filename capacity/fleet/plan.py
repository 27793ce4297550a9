"""The plan of a fleet: one row a project, from a CSV file or a DataFrame. A row that cannot be read is a failure."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from capacity.errors import CapacityError, ConfigError
from capacity.ground.address import as_place
from capacity.ground.arguments import as_amount, some
from capacity.ground.call_length import as_call_length
from capacity.ground.holidays import holiday_dates
from capacity.ground.licences import as_licences
from capacity.ground.notes import Note
from capacity.ground.times import as_zone

__all__ = ["Failure", "Plan", "PlanLike", "PlanRow", "read_plan"]

PlanLike: TypeAlias = str | os.PathLike[str] | pd.DataFrame

_NEEDED = ("project", "store", "licences", "tz")
_SECRETS = ("key", "api_key", "apikey", "token", "secret", "password")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_ENVIRONMENTS = ("live", "sandbox", "pre-release")


@dataclass(frozen=True)
class PlanRow:
    """One project of a plan, as text that has been checked; "" where nothing was given.

    Attributes
    ----------
    project : str
        The label; it selects only where the store holds several projects.
    store : str
        A folder, made absolute, or an address such as ``s3://bucket/prefix``.
    licences : str
        A count, or steps: "100,2026-03-01:120".
    tz : str
        IANA name.
    account, env, pool, holidays, mean_call_length : str
    licence_price, lost_call_cost : str
        Money a year, money a call.
    events : str
        A file of events, made absolute.
    key_env : str
        The environment variable that holds the API key.
    """

    project: str
    store: str
    licences: str
    tz: str
    account: str = ""
    env: str = ""
    pool: str = ""
    holidays: str = ""
    mean_call_length: str = ""
    licence_price: str = ""
    lost_call_cost: str = ""
    events: str = ""
    key_env: str = ""


@dataclass(frozen=True)
class Failure:
    """A project without a verdict, and why."""

    project: str
    reason: str
    pool: str = ""


@dataclass(frozen=True)
class Plan:
    """The rows of a plan that can be worked on, those that cannot, and the order they came in."""

    rows: tuple[PlanRow, ...]
    failures: tuple[Failure, ...]
    order: tuple[str, ...]
    notes: tuple[Note, ...] = ()


COLUMNS = tuple(field.name for field in fields(PlanRow))


def read_plan(plan: PlanLike | Plan) -> Plan:
    """Read and check a plan.

    Parameters
    ----------
    plan : path, DataFrame or Plan
        A CSV file with a header (semicolons and tabs are read too), or the same columns as a DataFrame; a plan that
        was read stays as it is. Needed: ``project``, ``store``, ``licences``, ``tz``. Optional: ``account``, ``env``,
        ``pool``, ``holidays``, ``mean_call_length``, ``licence_price``, ``lost_call_cost``, ``events`` (a path),
        ``key_env``. A relative path is relative to the plan's folder, or to the working directory where the plan is a
        DataFrame.

    Raises
    ------
    ConfigError
        There is no such file, it is no CSV or empty, a needed column is missing, or a column is misspelt or would
        hold a key.

    Examples
    --------
    >>> table = pd.DataFrame({"project": ["hotel", "bank"], "store": "/data", "licences": [40, "many"], "tz": "UTC"})
    >>> plan = read_plan(table)
    >>> [row.project for row in plan.rows], plan.failures[0].reason.partition(";")[0]
    (['hotel'], "licences: 'many' is no count of channels")
    """
    if isinstance(plan, Plan):
        return plan
    table, folder = _table(plan)
    notes = _check_columns(list(table.columns))
    known = [c for c in COLUMNS if c in table.columns]
    rows: dict[str, PlanRow] = {}
    failures, order = [], []
    for number, values in enumerate(table[known].itertuples(index=False, name=None), start=1):
        cells = dict(zip(known, values, strict=True))
        project = _text(cells["project"])
        label = project or f"row {number}"
        try:
            if label in order:
                label = f"{project} (row {number})"
                raise ConfigError(f"project {project!r} is in the plan twice; give each project one row")
            rows[label] = _row(cells, folder)
        except CapacityError as exc:
            failures.append(Failure(label, str(exc), _text(cells.get("pool"))))
        order.append(label)
    return Plan(tuple(rows.values()), tuple(failures), tuple(order), notes)


def _table(plan: PlanLike) -> tuple[pd.DataFrame, Path]:
    if isinstance(plan, pd.DataFrame):
        table, folder, what = plan, Path.cwd(), "the plan"
    else:
        path = Path(plan).expanduser()
        what = str(path)
        if not path.is_file():
            raise ConfigError(f"{path} is no file; a plan is a CSV file with the columns {', '.join(_NEEDED)}")
        table = _csv(path)
        folder = path.resolve().parent
        if not isinstance(table.index, pd.RangeIndex):  # pandas takes surplus cells for an index
            raise ConfigError(f"{path} has rows longer than its header; put a cell that holds a comma in quotes")
    table = table.rename(columns=lambda name: str(name).strip())
    if table.columns.has_duplicates:
        raise ConfigError(f"{what} names the column {table.columns[table.columns.duplicated()][0]!r} twice")
    if table.index.name == "project" and "project" not in table.columns:
        table = table.reset_index()
    _check_columns(list(table.columns))  # a misspelt column is not a missing one
    if missing := [c for c in _NEEDED if c not in table.columns]:
        raise ConfigError(f"{what} has no column {some(missing)}; a plan needs {', '.join(_NEEDED)}")
    if not len(table):
        raise ConfigError(f"{what} has no rows; give one row a project")
    return table, folder


def _csv(path: Path) -> pd.DataFrame:
    """Return a file's cells as text; whether commas, semicolons or tabs part them, its header says."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
        if not header.strip():
            raise ConfigError(f"{path} has no header; its first line names the columns {', '.join(_NEEDED)}")
        parts = max(",;\t", key=header.count)
        return pd.read_csv(
            path, sep=parts, dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True
        )
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path} is no UTF-8 ({exc.reason}); save it as CSV UTF-8") from exc
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"{path} cannot be read as CSV ({str(exc).strip()}); put a cell that holds a comma, such as licences in "
            "steps, in quotes"
        ) from exc


def _check_columns(names: list[str]) -> tuple[Note, ...]:
    """Refuse columns that are meant for ours, or hold a key; note those that are not read."""
    others = [name for name in names if name not in COLUMNS]
    for name in others:
        if name.lower() in _SECRETS:
            raise ConfigError(
                f"the plan has a column {name!r}; keys do not belong in a plan: name in key_env the environment "
                "variable that holds the key"
            )
        if near := difflib.get_close_matches(name.lower(), COLUMNS, n=1, cutoff=0.8):
            raise ConfigError(f"the plan has a column {name!r}, which is not read; do you mean {near[0]!r}?")
    return (Note(f"Plan: columns not read: {some(others)}.", field="plan"),) if others else ()


def _row(cells: Mapping[str, Any], folder: Path) -> PlanRow:
    """Return a row as checked text."""
    text = {name: _text(value) for name, value in cells.items() if name != "licences"}
    text["licences"] = _steps(cells["licences"])
    for name in _NEEDED:
        if not text[name]:
            raise ConfigError(f"{name} is missing; a plan needs it in every row")
    for name, check in _CHECKS.items():
        if text.get(name):
            check(text[name])
    prices = [name for name in ("licence_price", "lost_call_cost") if text.get(name)]
    if prices and not (len(prices) == 2 and text.get("mean_call_length")):
        raise ConfigError(
            "the cost needs licence_price, lost_call_cost and mean_call_length: give all three, or no price"
        )
    text["store"] = _address(text["store"], folder, "store")
    if text.get("events"):
        text["events"] = _address(text["events"], folder, "events")
    return PlanRow(**text)


def _missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _text(value: Any) -> str:
    """Return a cell as text; a whole number that pandas made a float stays one."""
    if _missing(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _steps(value: Any) -> str:
    """Return licences as the text that says the same."""
    if _missing(value) or (isinstance(value, str) and not value.strip()):
        return ""
    licences = as_licences(value.strip() if isinstance(value, str) else value)
    first, *later = licences.counts
    return ",".join([str(first), *(f"{d:%Y-%m-%d}:{n}" for d, n in zip(licences.dates[1:], later, strict=True))])


def _amount(name: str) -> Callable[[str], object]:
    def check(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ConfigError(f"{name}={text!r} is no number; write it like 1200 or 0.8") from None
        return as_amount(number, name)

    return check


def _environment(text: str) -> None:
    if text not in _ENVIRONMENTS:
        raise ConfigError(f"env={text!r} is no environment; it is one of {', '.join(_ENVIRONMENTS)}")


def _variable(text: str) -> None:
    if not _VARIABLE.fullmatch(text):  # it may be a key: it is not repeated
        raise ConfigError(
            "key_env is no name of an environment variable (capitals, digits, _); never write a key there"
        )


_CHECKS: dict[str, Callable[[str], object]] = {
    "tz": as_zone,
    "env": _environment,
    "holidays": lambda text: holiday_dates(text, [2026]),
    "mean_call_length": as_call_length,
    "licence_price": _amount("licence_price"),
    "lost_call_cost": _amount("lost_call_cost"),
    "key_env": _variable,
}


def _address(text: str, folder: Path, name: str) -> str:
    """Return a path made absolute; an address stays as it is."""
    place = as_place(text, name=name)
    return str((folder / place).absolute()) if isinstance(place, Path) else text
