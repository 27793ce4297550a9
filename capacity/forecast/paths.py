"""A forecast as sample paths (simulated futures) of daily peaks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import ConfigError
from capacity.forecast.begun import begun
from capacity.forecast.events import Rhythm, ceilings, event_calls, saturate, weekly_share
from capacity.ground.arguments import pick, some
from capacity.ground.calendar import YEAR
from capacity.ground.event import Event, as_events
from capacity.ground.frame import TOTAL
from capacity.ground.licences import Licences
from capacity.ground.notes import Note
from capacity.ground.result import Result
from capacity.ground.text import day, html_of, plural
from capacity.ground.times import as_date

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PeakForecast"]

_SHOWN = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_RECENT = 28  # days whose highest peak growth is measured from


@dataclass(frozen=True, eq=False, repr=False)
class PeakForecast(Result):
    """A forecast of daily peaks as sample paths: simulated futures of the **demand** for concurrent calls.

    A path is one possible course of the coming days; within a path the days belong together. So the chance that
    something happens in a period ("is 120 exceeded within 90 days?") is the share of paths on which it does.

    Attributes
    ----------
    paths : int array, shape (variants, paths, days)
        Daily peaks [calls], whole and never negative. Read-only. Path k of two variants is not the same future: do not
        add them up.
    variants : tuple of str
        TOTAL comes first where there is one.
    dates : DatetimeIndex
        Naive midnights of the local days ahead, the first one the day after the last day of the history.
    history : DataFrame
        The daily peaks used: index date, one column a variant, float [calls], NaN where a day is missing or was
        left out.
    licences : Licences or None
        The licences under which the history was seen, where they were given: the paths may go beyond them, `carried`
        does not.
    left_out : int
        How many days were left out because they were incomplete or excluded.
    slice_name : str
        What the variants are: "variant", "language", ...
    too_short : tuple of str
        Variants that were not forecast, because they have less than eight weeks of history.
    seed : int
        Seed of the simulation; events are drawn with it as well.
    notes : tuple of Note
        What of the history was not fitted as it came: an absurd day, a level that has jumped, zeros from before the
        first call.
    events : tuple of Event
        The events that `with_events` has added.
    before_events : PeakForecast or None
        The forecast without them.

    See Also
    --------
    capacity.forecast_peaks, capacity.headroom, capacity.licences_needed, capacity.Event

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2026-09-01", periods=2)
    >>> paths = np.array([[[100, 110], [90, 130], [95, 105], [99, 90]]])
    >>> forecast = cap.PeakForecast(paths=paths, variants=("*",), dates=dates, history=pd.DataFrame({"*": []}))
    >>> forecast.max_over()
    array([[110, 130, 105,  99]])
    >>> forecast.quantiles((0.5, 0.95), variant="*").to_numpy().tolist()
    [[95, 100], [105, 130]]
    """

    _chart: ClassVar[str] = "outlook"

    paths: npt.NDArray[np.integer[Any]]
    variants: tuple[str, ...]
    dates: pd.DatetimeIndex
    history: pd.DataFrame
    licences: Licences | None = None
    left_out: int = 0
    slice_name: str = "variant"
    too_short: tuple[str, ...] = ()
    seed: int = 0
    events: tuple[Event, ...] = ()
    before_events: PeakForecast | None = None
    notes: tuple[Note, ...] = ()
    _again: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.integer[Any]]] | None = None

    def __post_init__(self) -> None:
        paths = np.asarray(self.paths)
        if paths.ndim != 3 or 0 in paths.shape:
            raise ConfigError(f"paths have shape {paths.shape}, not (variants, paths, days) with at least one of each")
        if paths.dtype.kind not in "iu" or paths.min() < 0:
            raise ConfigError("paths are peaks of calls: whole numbers, never negative")
        if paths.shape[0] != len(self.variants) or paths.shape[2] != len(self.dates):
            raise ConfigError(
                f"paths have shape {paths.shape} for {len(self.variants)} variants and {len(self.dates)} dates"
            )
        paths = paths.view()
        paths.flags.writeable = False
        object.__setattr__(self, "paths", paths)

    # -- reading ------------------------------------------------------------------------------------------------

    def pick(self, variant: str | None = None) -> str:
        """Return the id of a series of this forecast: `variant`, or by default TOTAL, or the only one.

        Parameters
        ----------
        variant : str, optional
            The id that is wanted.

        Raises
        ------
        ConfigError
            There is no such variant, or there are several, no TOTAL among them, and none was named.
        """
        return pick(self.variants, variant, where="the forecast", slice_name=self.slice_name)

    def series(self, variant: str | None = None) -> npt.NDArray[np.integer[Any]]:
        """Return the paths of one series [calls], shape (paths, days).

        Parameters
        ----------
        variant : str, optional
            Id of the series; by default TOTAL, or the only one.

        Raises
        ------
        ConfigError
            There is no such series.
        """
        return np.asarray(self.paths[self.variants.index(self.pick(variant))])

    @property
    def carried(self) -> npt.NDArray[np.integer[Any]]:
        """Peaks that the licences let through: min(demand, licences) [calls], shape (variants, paths, days)."""
        if self.licences is None:
            return self.paths
        return np.asarray(np.minimum(self.paths, self.licences.on(self.dates)).astype(self.paths.dtype))

    @property
    def mean(self) -> pd.DataFrame:
        """The mean over the paths [calls]: index date, one column a variant. The max of means is below the mean max."""
        columns = pd.Index(self.variants, name=self.slice_name)
        return pd.DataFrame(self.paths.mean(axis=1).T, index=self.dates.rename("date"), columns=columns)

    def quantiles(self, q: float | Sequence[float] = (0.1, 0.5, 0.9), *, variant: str | None = None) -> pd.DataFrame:
        """Return quantiles of each single day's peak [calls], each a value that a path attains.

        They do not hold for periods: a daily 95% quantile is exceeded within 30 independent days with probability
        1 - 0.95^30 = 79%. For periods see `max_over`, `capacity.headroom`, `capacity.licences_needed`.

        Parameters
        ----------
        q : float or sequence of float, default (0.1, 0.5, 0.9)
            Between 0 and 1.
        variant : str, optional
            Id of one series: the index is then the date alone.

        Returns
        -------
        DataFrame
            Index (date, variant), one int64 column for each q.
        """
        qs = np.atleast_1d(np.asarray(q, dtype=np.float64))
        if len(qs) == 0 or not bool(((qs >= 0) & (qs <= 1)).all()):
            raise ConfigError(f"q={q!r} is no probability; quantiles lie between 0 and 1, like 0.95")
        names = self.variants if variant is None else (self.pick(variant),)
        values = np.stack([np.quantile(self.series(v), qs, axis=0, method="inverted_cdf") for v in names])
        columns = pd.Index(qs, name=None)
        if variant is not None:
            return pd.DataFrame(values[0].T.astype(np.int64), index=self.dates.rename("date"), columns=columns)
        rows = values.transpose(2, 0, 1).reshape(-1, len(qs)).astype(np.int64)  # (days x variants, q)
        return pd.DataFrame(rows, index=self._rows(), columns=columns)

    def to_frame(self) -> pd.DataFrame:
        """Return mean and quantiles by day: index (date, variant), columns mean, p5, p10, ... p99 [calls]."""
        table = self.quantiles(_SHOWN)
        table.columns = pd.Index([f"p{round(q * 100)}" for q in _SHOWN])
        table.insert(0, "mean", self.mean.to_numpy().ravel())
        return table

    def max_over(self, days: int | None = None) -> npt.NDArray[np.integer[Any]]:
        """Return each path's highest peak [calls], shape (variants, paths).

        Parameters
        ----------
        days : int, optional
            Within the first so many days; by default within the whole horizon.

        Raises
        ------
        ConfigError
            `days` is not within the horizon.
        """
        days = len(self.dates) if days is None else days
        if not 1 <= days <= len(self.dates):
            raise ConfigError(f"days={days} is not within the horizon of 1 to {len(self.dates)} days; forecast further")
        return np.asarray(self.paths[:, :, :days].max(axis=2))

    # -- what if ------------------------------------------------------------------------------------------------

    def scale(self, factor: float, variant: str | None = None) -> PeakForecast:
        """Return the forecast with every peak multiplied by a factor.

        A change of one variant does not change TOTAL, since maxima do not add up.

        Parameters
        ----------
        factor : float
            At least 0; 1.2 is 20% more.
        variant : str, optional
            Id of the series to change; by default all.

        Raises
        ------
        ConfigError
            `factor` is negative or no number, or there is no such series.

        Examples
        --------
        >>> import capacity as cap
        >>> dates = pd.date_range("2026-09-01", periods=1)
        >>> paths = np.array([[[100], [51]]], dtype=np.int32)
        >>> forecast = cap.PeakForecast(paths, ("*",), dates, pd.DataFrame({"*": []}))
        >>> forecast.scale(1.5).series()[:, 0]
        array([150,  77], dtype=int32)
        """
        if not (np.isfinite(factor) and factor >= 0):
            raise ConfigError(f"factor={factor!r} is no factor of at least 0; write 1.2 for 20% more")
        return self._times(np.full(len(self.dates), float(factor)), variant)

    def growth(self, rate_per_year: float, variant: str | None = None) -> PeakForecast:
        """Return the forecast with growth in addition to that of the paths, compounding by day.

        Parameters
        ----------
        rate_per_year : float
            Above -1; 0.2 is 20% a year. The first day of the forecast is one day ahead.
        variant : str, optional
            Id of the series to change; by default all.

        Raises
        ------
        ConfigError
            `rate_per_year` is not above -1 or no number, or there is no such series.
        """
        if not (np.isfinite(rate_per_year) and rate_per_year > -1):
            raise ConfigError(f"rate_per_year={rate_per_year!r} is no rate above -1; write 0.2 for 20% a year")
        ahead = (np.arange(len(self.dates)) + 1) / YEAR
        return self._times((1 + rate_per_year) ** ahead, variant)

    def add_step(self, date: str | dt.date | pd.Timestamp, calls: int, variant: str | None = None) -> PeakForecast:
        """Return the forecast with more (or fewer) concurrent calls at every day's peak, from a date on.

        The new calls are taken to peak when the others do, which is the worst case.

        Parameters
        ----------
        date : date
            The first local day.
        calls : int
            Calls to add; below 0 for fewer.
        variant : str, optional
            Id of the series; by default TOTAL, or the only one.

        Raises
        ------
        ConfigError
            The date cannot be read or is after the forecast, `calls` is no whole number, or there is no such series.
        """
        first = as_date(date, name="date")
        if first > self.dates[-1]:
            raise ConfigError(
                f"date={date!r} is not before the forecast ends on {day(self.dates[-1])}; forecast further"
            )
        if int(calls) != calls:
            raise ConfigError(f"calls={calls!r} is no whole number of calls")
        place = self.variants.index(self.pick(variant))
        paths = self.paths.astype(np.int64)
        paths[place] = np.maximum(paths[place] + np.where(self.dates >= first, int(calls), 0), 0)
        return replace(self, paths=_narrow(paths), before_events=None, _again=None)

    def with_events(self, events: Iterable[Event] | Event) -> PeakForecast:
        """Return the forecast with events added: each path draws whether an event comes, when, and how large it is.

        An event is added to its variant and to TOTAL, and is taken to peak when the others do (the worst case). Its
        calls keep the week of the series, or their own pattern, and vary from day to day as the path does. Of an event
        that has begun only what its ramp still lacks is added: the rest is in the history, and is not taken for growth.
        With no events the forecast is returned as it is.

        Parameters
        ----------
        events : Event or iterable of Event
            In addition to those that it has.

        Raises
        ------
        ConfigError
            Something that is not an event, two of one name, or one of a variant that is not in the forecast.

        See Also
        --------
        capacity.event_effects : what each event adds to the risk.

        Examples
        --------
        >>> import capacity as cap
        >>> dates = pd.date_range("2026-09-01", periods=3)
        >>> forecast = cap.PeakForecast(np.full((1, 4, 3), 100), ("*",), dates, pd.DataFrame({"*": []}))
        >>> launch = cap.Event("Hotels", "2026-09-02", 40, ramp=2, reason="Signed in May")
        >>> forecast.with_events(launch).series()[0].tolist()
        [100, 120, 140]
        """
        before = self if self.before_events is None else self.before_events
        every = as_events((*self.events, *as_events(events)))
        if not every:
            return self
        before = before._with_begun(every)
        paths = before.paths.astype(np.float64)
        for event in every:
            own = before.variants.index(before.pick(event.variant))
            calls = event_calls(event, before._rhythm(own), before.dates, before.seed)
            for place in {own, before.variants.index(TOTAL) if TOTAL in before.variants else own}:
                paths[place] += calls
        whole = np.floor(np.maximum(paths, 0.0) + 0.5).astype(np.int64)
        return replace(before, paths=_narrow(whole), events=every, before_events=before)

    def with_ceiling(self, calls: float | tuple[float, float, float], variant: str | None = None) -> PeakForecast:
        """Return the forecast with growth that levels off towards a ceiling that you give.

        Peaks up to the highest of the last four weeks stay as they are.

        Parameters
        ----------
        calls : number or (low, mid, high)
            The most concurrent calls that demand may grow to; of three numbers, each path draws its own ceiling from a
            triangular distribution.
        variant : str, optional
            Id of the series; by default TOTAL, or the only one. A variant's ceiling does not change TOTAL.

        Raises
        ------
        ConfigError
            `calls` is no such number, or below the highest peak of the last four weeks; or there is no such series.

        Examples
        --------
        >>> import capacity as cap
        >>> dates = pd.date_range("2026-09-01", periods=2)
        >>> past = pd.DataFrame({"*": [100.0]}, index=dates[:1] - pd.Timedelta(days=1))
        >>> forecast = cap.PeakForecast(np.array([[[90, 400]]]), ("*",), dates, past)
        >>> forecast.with_ceiling(200).series().tolist()
        [[90, 195]]
        """
        place = self.variants.index(self.pick(variant))
        recent = self._past(place)[-_RECENT:]
        reference = float(np.nanmax(recent)) if np.isfinite(recent).any() else 0.0
        drawn = ceilings(calls, reference, self.seed, self.paths.shape[1])
        paths = self.paths.astype(np.int64)
        paths[place] = np.floor(saturate(paths[place].astype(np.float64), reference, drawn) + 0.5)
        return replace(self, paths=_narrow(paths), before_events=None, _again=None)

    def _with_begun(self, events: tuple[Event, ...]) -> PeakForecast:
        """Return the paths as they are if the rise of events that have begun is no growth."""
        if self._again is None:
            return self
        values = self.history.to_numpy(dtype=np.float64)
        dates = pd.DatetimeIndex(self.history.index)
        lacked, still = np.zeros_like(values), np.zeros((len(self.variants), len(self.dates)))
        for event in events:
            own = self.variants.index(self.pick(event.variant))
            found = begun(event, values[:, own], dates)
            if found is None:
                continue
            week = weekly_share(event, values[:, own], dates.append(self.dates))[len(dates) :]
            for place in {own, self.variants.index(TOTAL) if TOTAL in self.variants else own}:
                lacked[:, place] += found.lacked
                still[place] += found.still * week
        if not lacked.any():
            return self
        paths = self._again(lacked) - np.rint(still)[:, None, :].astype(np.int64)
        return replace(self, paths=_narrow(np.maximum(paths, 0)))

    def _past(self, place: int) -> npt.NDArray[np.float64]:
        """Return one variant's history [calls], NaN where missing; empty where none is known."""
        name = self.variants[place]
        return self.history[name].to_numpy(dtype=np.float64) if name in self.history else np.empty(0)

    def _rhythm(self, place: int) -> Rhythm:
        return Rhythm(self._past(place), self.paths[place])

    def _times(self, factors: npt.NDArray[np.float64], variant: str | None) -> PeakForecast:
        which = slice(None) if variant is None else [self.variants.index(self.pick(variant))]
        paths = self.paths.astype(np.int64)
        paths[which] = np.floor(paths[which] * factors + 0.5)
        return replace(self, paths=_narrow(paths), before_events=None, _again=None)

    # -- showing ------------------------------------------------------------------------------------------------

    def summary(self) -> pd.DataFrame:
        """Return by variant the highest peak so far, and median, p90, p95, p99 of the horizon's highest [calls]."""
        top = np.quantile(self.max_over(), (0.5, 0.9, 0.95, 0.99), axis=1, method="inverted_cdf").astype(np.int64)
        table = pd.DataFrame(
            top.T, index=pd.Index(self.variants, name=self.slice_name), columns=["median", "p90", "p95", "p99"]
        )
        table.insert(0, "so far", self.history.max().reindex(self.variants).to_numpy())
        return table

    def _rows(self) -> pd.MultiIndex:
        return pd.MultiIndex.from_product([self.dates, self.variants], names=["date", self.slice_name])

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw history and forecast, with the licences under which the history was seen.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options
            Passed on to `capacity.report.charts.outlook`.
        """
        return super().plot(ax, **{"licences": self.licences, **options})

    def __str__(self) -> str:
        count = len(self.variants)
        days = int(self.history.notna().any(axis=1).sum()) if len(self.history) else 0
        left = f", {self.left_out:,} left out" if self.left_out else ""
        short = f" Without {some(self.too_short)}: less than eight weeks of history." if self.too_short else ""
        cap = f" Of demand; licences capped what was seen: {self.licences}." if self.licences is not None else ""
        told = f" With {plural(len(self.events), 'event')}." if self.events else ""
        return (
            f"Daily peaks of {count:,} series, {len(self.dates)} days from {day(self.dates[0])} to "
            f"{day(self.dates[-1])}, {self.paths.shape[1]:,} paths, from {days:,} days of history{left}.{short}{cap}"
            f"{told}"
        )

    def _table(self) -> str:
        return html_of(str(self)) + html_of("Highest peak [calls], so far and within the horizon:", self.summary())


def _narrow(paths: npt.NDArray[np.int64]) -> npt.NDArray[np.integer[Any]]:
    # 2,000 paths of 100 variants over a year are 73 million numbers: half the memory where they fit.
    return paths.astype(np.int32) if paths.max() <= np.iinfo(np.int32).max else paths
