"""THE frame as one file, for whoever reads it next."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import pandas as pd

from capacity.errors import ConfigError
from capacity.ground.frame import slice_name, validate

__all__ = ["export", "file_kind"]


def file_kind(path: str | os.PathLike[str]) -> str:
    """Return ".csv" or ".parquet", what a file is by its name; ConfigError for any other ending."""
    kind = Path(path).suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise ConfigError(f"{os.fspath(path)!r} ends neither in .csv nor in .parquet")
    return kind


def export(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a frame as CSV or Parquet, by the ending of the file name; in one step.

    Parameters
    ----------
    frame : DataFrame
        THE frame.
    path : path
        Ends in ``.csv`` (times in ISO 8601 with offset) or ``.parquet``.

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
