"""Diversity: the variants' peaks beside the total's, and what sharing licences saves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.analysis.combine import PROJECT
from capacity.analysis.peaks import daily_peaks
from capacity.errors import InsufficientData
from capacity.ground.arguments import as_whole
from capacity.ground.arrays import Ints
from capacity.ground.dense import Dense, dense
from capacity.ground.floats import usual_float_errors
from capacity.ground.frame import TOTAL, display_names, slice_name
from capacity.ground.result import Result
from capacity.ground.text import html_of

_LEAST_DAYS = 14  # below two weeks a correlation of daily peaks is one of weekdays, if of anything
_BLOCK = 4096  # rows of the matrix at a time: a block stays in the cache


@dataclass(frozen=True, eq=False, repr=False)
class Diversity(Result):
    """How far the variants peak at the same time, and what sharing licences saves.

    All figures are of 5-minute maxima of concurrent calls.

    Attributes
    ----------
    table : DataFrame
        By variant, highest peak first: ``name``; ``peak`` [calls] and ``time``, the UTC start of the first interval
        that reached it; ``at_total_peak`` [calls], its own maximum in the total's highest interval; ``share_at_top``,
        its share of all variants' maxima in the total's `top` highest intervals: who drives the peak.
    separate : int
        Sum of the variants' peaks [calls]: licences, if each variant had its own.
    pooled : tuple of int
        Lowest and highest value that the peak of all together can have [calls]; the same twice where the frame holds
        TOTAL. Licences, if all share them.
    peak_time : Timestamp, UTC
        Start of the first interval with the highest total; without TOTAL, with the highest upper bound.
    bounds : DataFrame
        By time: ``lower`` (the largest variant), ``total`` (where there is one), ``upper`` (the sum of the variants).
    below, above : int
        Number of intervals in which the total lies below the lower, or above the upper bound; 0 in exact data.
    intervals : int
        How many intervals these figures rest on: those that hold all variants (each from its first row on) and TOTAL.
    left_out : int
        How many others the frame has.
    top : int
        How many highest intervals ``share_at_top`` looks at.
    correlation : DataFrame, shape (variants, variants)
        Pearson correlation of the daily peaks, over complete local days; NaN under 14 of them, or where one of the two
        never changes.
    exact : bool
        Whether the frame holds the true total: TOTAL, but not that of `combine`, which is an upper bound. Otherwise the
        figures on the pool are bounds.
    slice_name : str
        What the variants are: "variant", "language", "project", ...

    See Also
    --------
    capacity.diversity

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.to_datetime(["2026-07-01T09:00Z", "2026-07-01T09:05Z"] * 2)
    >>> calls = {"time": times, "variant": ["a", "a", "b", "b"], "max_concurrent": [5, 1, 2, 4]}
    >>> found = cap.diversity(cap.as_intervals(pd.DataFrame(calls)))
    >>> found.separate, found.pooled
    (9, (5, 7))
    """

    _chart: ClassVar[str] = "pooling"

    table: pd.DataFrame
    separate: int
    pooled: tuple[int, int]
    peak_time: pd.Timestamp
    bounds: pd.DataFrame
    below: int
    above: int
    intervals: int
    left_out: int
    top: int
    correlation: pd.DataFrame
    exact: bool
    slice_name: str

    @property
    def factor_bounds(self) -> tuple[float, float]:
        """Lowest and highest diversity factor that the data allow; the same twice where the frame holds TOTAL."""
        return self.separate / self.pooled[1], self.separate / self.pooled[0]

    @property
    def factor(self) -> float:
        """Diversity factor D, sum of the variants' peaks / peak of the total, at least 1; NaN without TOTAL."""
        return self.factor_bounds[0] if self.exact else float("nan")

    @property
    def coincidence(self) -> float:
        """Coincidence 1 / D, at most 1: 1 where all peak at once; NaN without TOTAL."""
        return 1 / self.factor

    @property
    def saving(self) -> tuple[int, int]:
        """Lowest and highest number of licences that one pool saves [calls]."""
        return self.separate - self.pooled[1], self.separate - self.pooled[0]

    def to_frame(self) -> pd.DataFrame:
        """Return the table by variant."""
        return self.table.copy()

    def sentence(self) -> str:
        """Say what a pool of licences saves, who drives the peak, and what is wrong with the data, if anything is."""
        parts = [self._pool(), self._driver()]
        if self.below or self.above:
            parts.append(
                f"In {self.below + self.above:,} of {self.intervals:,} intervals the total is not between the largest "
                f"{self.slice_name} and their sum, as it would be in exact data."
            )
        if self.left_out:
            parts.append(f"{self.left_out:,} intervals were left out, because not every series has them.")
        return " ".join(parts)

    __str__ = sentence

    def _table(self) -> str:
        return html_of(self.sentence(), self.table)

    def _pool(self) -> str:
        one = f"Separate licences for each {self.slice_name}: {self.separate:,}; pooled: "
        if not self.exact:
            low, high = self.pooled
            return (
                f"{one}between {low:,} and {high:,}. These are bounds: the frame does not hold the true total, and "
                f"maxima do not add up. Pooling saves {self.saving[0]:,} to {self.saving[1]:,}."
            )
        saved = self.saving[0]
        if saved < 0:
            return f"{one}{self.pooled[0]:,}, which is more: the total holds calls that no {self.slice_name} has."
        part = 100 * saved / self.separate
        return f"{one}{self.pooled[0]:,}. Pooling saves {saved:,} ({part:.0f}%; factor {self.factor:.2f})."

    def _driver(self) -> str:
        first = self.table.iloc[int(self.table["share_at_top"].to_numpy().argmax())]
        whose = "the total's" if self.exact else "the sum's"
        highest = "highest interval" if self.top == 1 else f"{self.top:,} highest intervals"
        return f"In {whose} {highest} {first['name']} had {100 * first['share_at_top']:.0f}% of the calls."


@usual_float_errors
def diversity(frame: pd.DataFrame, *, tz: str | dt.tzinfo = "UTC", top: int = 100) -> Diversity:
    """Return how far the variants' peaks fall together: what sharing licences saves, and who drives the peak.

    For every interval, max over variants <= total <= sum over variants, because the variants' maxima need not fall on
    the same moment. The diversity factor is D = sum_i max_t M_i / max_t M_total >= 1, the coincidence 1 / D.

    Parameters
    ----------
    frame : DataFrame
        Interval frame. Without TOTAL the pool's peak is known between bounds only, and the result says so.
    tz : str or tzinfo, default "UTC"
        IANA name of the zone whose daily peaks are correlated.
    top : int, default 100
        Number of the total's highest intervals over which each variant's share is taken; ties with the last are
        included.

    Returns
    -------
    Diversity
        Its ``sentence()`` says the answer.

    Raises
    ------
    InsufficientData
        There is no variant beside TOTAL, the frame is empty, or no interval is there for every series.
    ConfigError
        No such time zone.
    FrameError
        The frame breaks the schema.

    See Also
    --------
    capacity.combine, capacity.Diversity

    References
    ----------
    Diversity and coincidence factors: IEC 60050-691-10 (International Electrotechnical Vocabulary).

    Examples
    --------
    >>> import capacity as cap
    >>> times = pd.to_datetime(["2026-07-01T14:00Z", "2026-07-01T14:05Z"])
    >>> calls = {"sales": [90, 50], "support": [40, 74], cap.TOTAL: [128, 124]}
    >>> rows = [(t, who, n) for who, ns in calls.items() for t, n in zip(times, ns)]
    >>> frame = cap.as_intervals(pd.DataFrame(rows, columns=["time", "variant", "max_concurrent"]))
    >>> print(cap.diversity(frame, top=1))
    Separate licences for each variant: 164; pooled: 128. Pooling saves 36 (22%; factor 1.28). In the total's \
highest interval sales had 69% of the calls.
    """
    cells = dense(frame)
    by = slice_name(frame)
    exact = TOTAL in cells.ids and by != PROJECT  # the total of combined projects is a bound itself
    columns = [k for k, label in enumerate(cells.ids) if label != TOTAL]
    if not columns or len(frame) == 0:
        raise InsufficientData(f"diversity compares one {by} with another; the frame has only TOTAL or is empty")
    rows = np.ones(len(cells.times), bool) if len(frame) == cells.values.size else _rows_of_all(cells.values, columns)
    if not rows.any():
        raise InsufficientData(
            f"diversity compares intervals that every series has; none of {len(rows):,} is such: fetch all of them "
            f"over the same range, and read with absent='zero', or drop the {by} with the gaps"
        )
    kept = cells if rows.all() else Dense(cells.times[rows], cells.ids, cells.values[rows])
    lower, upper = _bounds(kept.values, columns)
    whole = kept.values[:, cells.ids.index(TOTAL)].astype(np.int64) if exact else upper
    if upper.max() == 0 or whole.max() == 0:
        raise InsufficientData(f"diversity compares peaks; no {by} has a conversation in the intervals that all have")
    highest = _top(whole, as_whole(top, "top", least=1, of="intervals"))
    table = _table(frame, kept, columns, whole, highest)
    bounds = {"lower": lower, "total": whole, "upper": upper}
    return Diversity(
        table=table,
        separate=int(table["peak"].sum()),
        pooled=(int(whole.max()),) * 2 if exact else (int(lower.max()), int(upper.max())),
        peak_time=kept.times[int(whole.argmax())],
        bounds=pd.DataFrame(
            {k: v for k, v in bounds.items() if exact or k != "total"}, index=kept.times.rename("time")
        ),
        below=int((whole < lower).sum()),
        above=int((whole > upper).sum()),
        intervals=len(whole),
        left_out=int((~rows).sum()),
        top=len(highest),
        correlation=_correlation(frame, tz),
        exact=exact,
        slice_name=by,
    )


def _rows_of_all(values: npt.NDArray[np.int32], columns: list[int]) -> npt.NDArray[np.bool_]:
    """Return the intervals that every series has; a variant counts from its first row on: before, it was not there."""
    first = np.zeros(values.shape[1], dtype=np.int64)
    first[columns] = (values >= 0).argmax(axis=0)[columns]
    rows = np.empty(len(values), dtype=bool)
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        not_yet = np.arange(start, start + len(block))[:, None] < first
        rows[start : start + _BLOCK] = ((block >= 0) | not_yet).all(axis=1)
    return rows


def _bounds(values: npt.NDArray[np.int32], columns: list[int]) -> tuple[Ints, Ints]:
    """Return the largest variant and the sum of the variants in each interval; one that is not yet there counts 0."""
    lower, upper = np.zeros((2, len(values)), dtype=np.int64)
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK, columns].clip(min=0)
        lower[start : start + _BLOCK] = block.max(axis=1)
        upper[start : start + _BLOCK] = block.sum(axis=1, dtype=np.int64)
    return lower, upper


def _peaks(values: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], Ints]:
    """Return each series' peak and the row that first reached it."""
    peak, at = np.zeros(values.shape[1], np.int32), np.zeros(values.shape[1], np.int64)
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK]
        here = block.max(axis=0)
        higher = np.flatnonzero(here > peak) if start else np.arange(len(peak))
        peak[higher] = here[higher].clip(min=0)
        at[higher] = start + block[:, higher].argmax(axis=0)
    return peak, at


def _top(whole: Ints, top: int) -> Ints:
    """Return the places of the highest intervals, with ties of the last; none in which nobody called."""
    n = min(top, len(whole))
    least = max(int(np.partition(whole, len(whole) - n)[len(whole) - n]), 1)
    return np.flatnonzero(whole >= least)


def _table(frame: pd.DataFrame, kept: Dense, columns: list[int], whole: Ints, highest: Ints) -> pd.DataFrame:
    values = kept.values
    peak, at = _peaks(values)
    at_top = values[highest][:, columns].clip(min=0).sum(axis=0, dtype=np.int64)
    names = display_names(frame)
    labels = [kept.ids[k] for k in columns]
    table = pd.DataFrame(
        {
            "name": [names[label] for label in labels],
            "peak": peak[columns],
            "time": kept.times[at[columns]],
            "at_total_peak": values[int(whole.argmax()), columns].clip(min=0),
            "share_at_top": at_top / max(int(at_top.sum()), 1),
        },
        index=pd.Index(labels, dtype=frame.index.levels[1].dtype, name=slice_name(frame)),
    )
    return table.iloc[np.argsort(-peak[columns], kind="stable")]  # by position: a slice may be called "peak"


def _correlation(frame: pd.DataFrame, tz: str | dt.tzinfo) -> pd.DataFrame:
    peaks = daily_peaks(frame, tz=tz)
    by_day = peaks["peak"].where(peaks["complete"]).unstack(level=1).drop(columns=TOTAL, errors="ignore")  # noqa: PD010
    return by_day.astype(float).corr(min_periods=_LEAST_DAYS).rename_axis(index=slice_name(frame))
