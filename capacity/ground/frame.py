"""Interval frame: schema, constructor, validation. 5-minute maxima of concurrent conversations by time and slice.

==================  =============================  ==========================================================
part                dtype                          meaning
==================  =============================  ==========================================================
``time``            datetime64[ns, UTC] (index)    start of the interval, which is [time, time + 5 min)
``variant``         text (index)                   the variant id; ``TOTAL`` ("*") is the unsliced series;
                                                   "(none)" where there is none. The level is named after
                                                   the slice: variant, language, phone_number, ...
``max_concurrent``  int32                          most conversations in progress at once in the interval
``variant_name``    category of text               latest display name; "All variants" for TOTAL
==================  =============================  ==========================================================

A row exists only where its interval was answered for: a missing row is not a zero. Maxima do not add up: the
total is its own series, never a sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError, FrameError
from capacity.ground.frame_columns import check_grid, read_counts, read_texts, read_times

TOTAL = "*"
TOTAL_NAME = "All variants"
NONE = "(none)"

_VALUES = "max_concurrent"
_NAMES = "variant_name"
_TEXT = pd.Series(["x"]).dtype  # object on pandas 2, str on pandas 3
_COLUMNS = [_VALUES, _NAMES]


def as_intervals(df: pd.DataFrame) -> pd.DataFrame:
    """Return an interval frame, the input of every analysis, made from a table: sorted, typed and checked.

    Parameters
    ----------
    df : DataFrame
        ``time`` (start of the interval, with a time zone, on the 5-minute grid), one slice (``variant``, ``language``,
        ``phone_number`` or any other name; "*" is the total of all calls) and ``max_concurrent`` [calls], each as a
        column or as an index level; ``variant_name`` if known. A missing slice value becomes "(none)". The frame may
        be empty.

    Returns
    -------
    DataFrame
        MultiIndex (``time``: datetime64[ns, UTC], slice: text), sorted and unique; columns ``max_concurrent``
        [calls, int32] and ``variant_name`` (category of text: the latest display name, or the id).

    Raises
    ------
    FrameError
        The table breaks a rule of the interval frame: the message says which rule, which value, and how to mend it.

    See Also
    --------
    capacity.validate, capacity.concat, capacity.intervals_from_calls

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.to_datetime(["2026-07-01T14:00Z", "2026-07-01T14:05Z"])
    >>> frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": [3, 5]}))
    >>> frame  # doctest: +NORMALIZE_WHITESPACE
                                       max_concurrent  variant_name
    time                      variant
    2026-07-01 14:00:00+00:00 *                     3  All variants
    2026-07-01 14:05:00+00:00 *                     5  All variants
    """
    if not isinstance(df, pd.DataFrame):
        raise FrameError(
            f"as_intervals takes a DataFrame, not {type(df).__name__}; give one with time and max_concurrent"
        )
    if list(df.index.names) == [None]:
        table = df
    else:
        clash = sorted({str(n) for n in df.index.names} & {str(c) for c in df.columns})
        if clash:
            raise FrameError(f"{clash} stand both in the index and in the columns; keep one of the two")
        table = df.reset_index()
    for need in ("time", _VALUES):
        if need not in table.columns:
            raise FrameError(f"no column or index level {need!r}; there are {[str(c) for c in table.columns]}")
    if twice := sorted({str(c) for c in table.columns[table.columns.duplicated()]}):
        raise FrameError(f"columns {twice} stand twice; keep one of each")
    others = [str(c) for c in table.columns if c not in ("time", *_COLUMNS)]
    if len(others) != 1:
        raise FrameError(
            f"the frame takes one slice beside time, {_VALUES} and {_NAMES}, not {others}; "
            "drop the other columns, or add one, such as df.assign(variant=cap.TOTAL)"
        )
    by = others[0]
    time_codes, times = pd.factorize(read_times(table["time"]), sort=True)
    labels = read_texts(table[by], missing=NONE)
    variant_codes, ids = pd.factorize(labels, sort=True)
    names: dict[str, str] = {}
    if _NAMES in table.columns:
        shown = pd.DataFrame({"id": labels, "name": table[_NAMES].to_numpy(), "time": time_codes}).dropna()
        if not shown.empty:
            shown = shown if table["time"].is_monotonic_increasing else shown.sort_values("time", kind="stable")
            shown = shown.drop_duplicates("id", keep="last")
            names = dict(zip(shown["id"].astype(str), shown["name"].astype(str), strict=True))
    return assemble(
        times=pd.DatetimeIndex(times),
        time_codes=time_codes,
        ids=[str(i) for i in ids],
        id_codes=variant_codes,
        values=read_counts(table[_VALUES], name=_VALUES),
        names=names,
        by=by,
    )


def assemble(
    *,
    times: pd.DatetimeIndex,
    time_codes: npt.NDArray[Any],
    ids: Iterable[str],
    id_codes: npt.NDArray[Any],
    values: npt.NDArray[Any],
    names: Mapping[str, str] | None = None,
    by: str = "variant",
) -> pd.DataFrame:
    """Return the interval frame made from integer codes and their labels; the rules are checked as well.

    Parameters
    ----------
    times : DatetimeIndex, UTC, sorted and unique
        The distinct interval starts.
    ids : iterable of str, sorted and unique
        The distinct slice values.
    time_codes, id_codes, values : arrays, shape (n,)
        Each row's place in `times` and in `ids`, and its maximum; in any order.
    names : mapping of id -> display name, optional
        The id stands in where there is none.
    by : str
        What the second level is called.
    """
    level = pd.Index(list(ids), dtype=_TEXT)
    if len(time_codes) > 1 and not _ascending(time_codes, id_codes):
        # Only now: the keys of a long frame that is in order already would be the most memory it ever takes.
        keys = np.asarray(time_codes, dtype=np.int64) * max(len(level), 1) + np.asarray(id_codes, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        time_codes, id_codes, values = time_codes[order], id_codes[order], values[order]
    index = pd.MultiIndex(
        levels=[times.tz_convert("UTC").as_unit("ns").rename("time"), level.rename(by)],
        codes=[time_codes, id_codes],
        names=["time", by],
        verify_integrity=False,
    )
    shown = [TOTAL_NAME if i == TOTAL else str((names or {}).get(i, i)) for i in level]
    distinct = sorted(set(shown))
    place = {name: k for k, name in enumerate(distinct)}
    to_name = np.array([place[name] for name in shown], dtype=np.min_scalar_type(-max(len(distinct), 1)))
    frame = pd.DataFrame(
        {
            _VALUES: np.asarray(values).astype(np.int32, copy=False),
            _NAMES: pd.Categorical.from_codes(
                to_name[id_codes] if len(to_name) else np.empty(0, np.int64), categories=pd.Index(distinct, dtype=_TEXT)
            ),
        },
        index=index,
        copy=False,
    )
    return validate(frame)


def validate(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame itself if it keeps the rules of the interval frame; raise FrameError if not.

    Fast also for millions of rows: it checks the levels and codes of the index, not each label.

    Parameters
    ----------
    frame : DataFrame
        What should be an interval frame: see `capacity.as_intervals` for its index, columns and dtypes.

    Returns
    -------
    DataFrame
        The same object, unchanged.

    Raises
    ------
    FrameError
        The frame breaks a rule: the message says which rule, which value, and how to mend it.

    See Also
    --------
    capacity.as_intervals, capacity.coverage

    Examples
    --------
    >>> import capacity as cap
    >>> cap.validate(pd.DataFrame({"max_concurrent": [1]}))
    Traceback (most recent call last):
    ...
    capacity.errors.FrameError: the index is not (time, variant); build the frame with cap.as_intervals(df)
    """
    mend = "build the frame with cap.as_intervals(df)"
    if not isinstance(frame, pd.DataFrame):
        raise FrameError(f"the frame is a {type(frame).__name__}, not a DataFrame; {mend}")
    index = frame.index
    if not isinstance(index, pd.MultiIndex) or index.nlevels != 2 or index.names[0] != "time" or not index.names[1]:
        raise FrameError(f"the index is not (time, variant); {mend}")
    if list(frame.columns) != _COLUMNS:
        raise FrameError(f"the columns are {list(frame.columns)}, not {_COLUMNS}; {mend}")
    times, ids = index.levels
    if str(times.dtype) != "datetime64[ns, UTC]":
        raise FrameError(f"time is {times.dtype}, not datetime64[ns, UTC]; {mend}")
    check_grid(times)
    if len(ids) and ids.inferred_type != "string":
        raise FrameError(f"{index.names[1]} is {ids.dtype}, not text; {mend}")
    if frame[_VALUES].dtype != np.int32:
        raise FrameError(f"{_VALUES} is {frame[_VALUES].dtype}, not int32; {mend}")
    names = frame[_NAMES]
    if not isinstance(names.dtype, pd.CategoricalDtype):
        raise FrameError(f"{_NAMES} is {names.dtype}, not a category of text; {mend}")
    if len(frame) == 0:
        return frame
    if not (times.is_monotonic_increasing and times.is_unique and ids.is_monotonic_increasing and ids.is_unique):
        raise FrameError(f"the index levels are not sorted and unique; {mend}")
    time_codes, id_codes = index.codes
    if time_codes.min() < 0 or id_codes.min() < 0:
        raise FrameError(f"the index has missing labels; {mend}")
    if not _ascending(time_codes, id_codes):
        _raise_order(index, mend)
    smallest = int(frame[_VALUES].min())
    if smallest < 0:
        raise FrameError(f"{_VALUES} is {smallest} at {index[int(frame[_VALUES].argmin())]}; a count is never negative")
    if names.cat.codes.min() < 0:
        raise FrameError(f"{_NAMES} has missing values; {mend}")
    return frame


def _ascending(time_codes: npt.NDArray[Any], id_codes: npt.NDArray[Any]) -> bool:
    later = time_codes[1:] > time_codes[:-1]
    if len(id_codes) and id_codes.min() == id_codes.max():
        return bool(later.all())
    return bool((later | ((time_codes[1:] == time_codes[:-1]) & (id_codes[1:] > id_codes[:-1]))).all())


def _raise_order(index: pd.MultiIndex, mend: str) -> None:
    twice = index.duplicated()
    if twice.any():
        time, label = index[int(np.argmax(twice))]
        raise FrameError(
            f"{int(twice.sum())} rows stand twice, the first at {time.isoformat()}, {label!r}; keep one of each"
        )
    raise FrameError(f"the index is not sorted; {mend}")


def slice_name(frame: pd.DataFrame) -> str:
    """Return what the second index level is called: "variant", "language", ..."""
    return str(frame.index.names[1])


def main_series(known: pd.Index | tuple[str, ...], variant: str | None = None) -> str:
    """Return the variant that is asked for; without one TOTAL, or the first where there is none."""
    return variant if variant is not None else TOTAL if TOTAL in known else str(known[0])


def total(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the total of all calls, whose slice value is `capacity.TOTAL` ("*").

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `capacity.as_intervals` makes it.

    Returns
    -------
    DataFrame
        Interval frame with those rows alone; empty where the frame holds no total.

    Raises
    ------
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.variants, capacity.combine

    Examples
    --------
    >>> import capacity as cap
    >>> frame = cap.load_sample()
    >>> len(frame), len(cap.total(frame)), int(cap.total(frame)["max_concurrent"].max())
    (1141781, 209526, 115)
    """
    return _pick(frame, keep_total=True)


def variants(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all series but the total, whose calls are those of the variants once more.

    Parameters
    ----------
    frame : DataFrame
        Interval frame, as `capacity.as_intervals` makes it.

    Returns
    -------
    DataFrame
        Interval frame without the rows of `capacity.TOTAL`.

    Raises
    ------
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.total, capacity.diversity

    Examples
    --------
    >>> import capacity as cap
    >>> cap.variants(cap.load_sample()).index.unique("variant").tolist()
    ['V-bookings', 'V-out-of-hours', 'V-billing', 'V-reservas', 'V-events']
    """
    return _pick(frame, keep_total=False)


def _pick(frame: pd.DataFrame, *, keep_total: bool) -> pd.DataFrame:
    validate(frame)
    ids, codes = frame.index.levels[1], frame.index.codes[1]
    is_total = codes == ids.get_loc(TOTAL) if TOTAL in ids else np.zeros(len(frame), dtype=bool)
    picked = frame[is_total if keep_total else ~is_total]
    return trim(picked)


def trim(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame without the times, ids and names that no row has; what is left stays sorted.

    ``MultiIndex.remove_unused_levels`` puts the labels in the order in which they appear, which breaks the schema.
    """
    levels, codes = [], []
    for level, code in zip(frame.index.levels, frame.index.codes, strict=True):
        used = np.bincount(code, minlength=len(level)) > 0
        levels.append(level[used])
        codes.append(code if used.all() else (np.cumsum(used) - 1)[code])
    index = pd.MultiIndex(levels=levels, codes=codes, names=frame.index.names, verify_integrity=False)
    return frame.set_axis(index, axis=0).assign(variant_name=frame[_NAMES].cat.remove_unused_categories())


def concat(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return several interval frames, whose variants or times differ, as one.

    Parameters
    ----------
    frames : iterable of DataFrame
        Interval frames, as `capacity.as_intervals` makes them, all with the same name of the slice.

    Returns
    -------
    DataFrame
        Interval frame of all rows, sorted; of two display names of a variant the later one holds.

    Raises
    ------
    ConfigError
        There is no frame to join, or one frame was given in place of several.
    FrameError
        A frame breaks the schema; two frames have slices of different names, or hold the same interval of the same
        variant.

    See Also
    --------
    capacity.as_intervals, capacity.combine

    Examples
    --------
    >>> import capacity as cap
    >>> a = pd.DataFrame({"time": pd.to_datetime(["2026-07-01T14:00Z"]), "variant": "a", "max_concurrent": 3})
    >>> b = a.assign(variant="b", max_concurrent=5)
    >>> cap.concat([cap.as_intervals(a), cap.as_intervals(b)])["max_concurrent"]
    time                       variant
    2026-07-01 14:00:00+00:00  a          3
                               b          5
    Name: max_concurrent, dtype: int32
    """
    if not isinstance(frames, Iterable) or isinstance(frames, pd.DataFrame):
        raise ConfigError(f"concat takes several frames, not a {type(frames).__name__}; give a list of them")
    parts = [validate(frame) for frame in frames]
    if not parts:
        raise ConfigError("concat got no frame; give at least one")
    slices = sorted({slice_name(part) for part in parts})
    if len(slices) > 1:
        raise FrameError(f"frames sliced by {slices} do not join; rename the index level, or keep them apart")
    if len(parts) == 1:
        return parts[0]
    times = pd.DatetimeIndex(np.unique(np.concatenate([part.index.levels[0].asi8 for part in parts]))).tz_localize(
        "UTC"
    )
    ids = sorted({str(i) for part in parts for i in part.index.levels[1]})
    place = pd.Index(ids, dtype=_TEXT)
    time_codes = np.concatenate([times.get_indexer(p.index.levels[0])[p.index.codes[0]] for p in parts])
    id_codes = np.concatenate([place.get_indexer(p.index.levels[1])[p.index.codes[1]] for p in parts])
    names: dict[str, str] = {}
    for part in sorted((p for p in parts if len(p)), key=lambda p: p.index.levels[0][p.index.codes[0][-1]]):
        names |= display_names(part)
    values = np.concatenate([part[_VALUES].to_numpy() for part in parts])
    return assemble(
        times=times, time_codes=time_codes, ids=ids, id_codes=id_codes, values=values, names=names, by=slices[0]
    )


def display_names(frame: pd.DataFrame) -> dict[str, str]:
    """Return the display name of each slice value that the frame has rows of: the latest.

    Examples
    --------
    >>> one = pd.DataFrame({"time": pd.to_datetime(["2026-07-01T14:00Z"]), "variant": "a", "max_concurrent": 3})
    >>> display_names(as_intervals(one.assign(variant_name="Bookings")))
    {'a': 'Bookings'}
    """
    ids, shown = frame.index.levels[1], frame[_NAMES].cat
    last = np.full(len(ids), -1, dtype=np.int64)
    last[np.asarray(frame.index.codes[1])] = shown.codes.to_numpy()  # rows ascend in time: the last one stays
    return {str(i): str(shown.categories[k]) for i, k in zip(ids, last, strict=True) if k >= 0}
