"""Interval frame as one CSV or Parquet file."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

import numpy as np
import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.frame import slice_name, validate

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PHONE = re.compile(r"\+[0-9]{6,15}")


def file_kind(path: str | os.PathLike[str]) -> str:
    """Return ".csv" or ".parquet", what a file is by its name; ConfigError for any other ending."""
    kind = Path(path).suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise ConfigError(f"{os.fspath(path)!r} ends neither in .csv nor in .parquet")
    return kind


def defused(column: pd.Series) -> pd.Series:
    """Return text so that no spreadsheet takes a cell for a formula: an apostrophe before = + - @.

    A phone number stays as it is: to a spreadsheet it is a number.

    Examples
    --------
    >>> defused(pd.Series(["=1+1", "a", "+447856838428"])).tolist()
    ["'=1+1", 'a', '+447856838428']
    """
    codes, labels = pd.factorize(column)
    shown = [f"'{t}" if t.startswith(_FORMULA) and not _PHONE.fullmatch(t) else t for t in map(str, labels)]
    return pd.Series(np.array(shown, dtype=object)[codes], column.index)


def export(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a frame as CSV or Parquet, by the ending of the file name; in one step.

    Parameters
    ----------
    frame : DataFrame
        Interval frame.
    path : path
        Ends in ``.csv`` (times in ISO 8601 with offset; text that a spreadsheet would take for a formula begins
        with an apostrophe) or ``.parquet``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigError
        Another ending, or the file cannot be written.

    Examples
    --------
    >>> from capacity.ground.frame import as_intervals
    >>> export(as_intervals(pd.DataFrame(columns=["time", "variant", "max_concurrent"])), "frame.xlsx")
    Traceback (most recent call last):
    ...
    capacity.errors.ConfigError: 'frame.xlsx' ends neither in .csv nor in .parquet
    """
    path = Path(path)
    kind = file_kind(path)
    table = validate(frame).reset_index()[["time", slice_name(frame), "max_concurrent", "variant_name"]]
    fresh = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.tmp")
    try:
        if kind == ".csv":
            for column in table.columns[[1, 3]]:
                table[column] = defused(table[column])
            table.to_csv(fresh, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
        else:
            table.to_parquet(fresh, index=False, engine="pyarrow")
        fresh.replace(path)
    except OSError as exc:
        raise ConfigError(f"{str(path)!r} cannot be written ({exc.strerror or exc}); give another file") from exc
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    return path
