"""The ledger: forecasts kept as they were made, and scored as the days come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from capacity.errors import ConfigError, InsufficientData
from capacity.forecast.paths import PeakForecast
from capacity.forecast.scores import QUANTILES, pinball
from capacity.ground.arguments import pick
from capacity.ground.files import sweep
from capacity.ground.holidays import as_days
from capacity.ground.peaks import wide_peaks
from capacity.ground.result import Result
from capacity.ground.text import percent, plural
from capacity.plan.alarm import Alarm, alarm_of, day_scores
from capacity.plan.changes import changes_between
from capacity.plan.ledger_file import LEVELS, Entry, digest_of, entry_of, read, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.analysis.assessment import Assessment

__all__ = ["Ledger", "LedgerScore"]

_LEADS = ((1, 7), (8, 28), (29, 90), (91, 365))  # days
_SHOWN = (5, 10, 25, 50, 75, 90, 95)  # quantiles of the forecasts, in per cent
_RISK = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class LedgerScore(Result):
    """How well the forecasts of a ledger fit the days that have come, and whether an alarm is raised.

    Attributes
    ----------
    table : DataFrame
        By ``lead`` (days ahead, "1-7", ...): ``days`` scored, ``bias`` (share by which the medians were too high, below
        0 too low), ``coverage_80`` and ``coverage_95`` (share of days within the central 80 and 95%), and the
        ``pinball`` loss [calls].
    limits : DataFrame
        One row for each forecast, index ``made_on``: the licences ``needed`` for 5% risk over its horizon [calls], the
        ``highest`` peak so far [calls], how many ``days`` of its ``horizon`` have come, and whether the licences were
        ``kept``, that is not exceeded.
    alarm : Alarm
        ``raised``, ``since`` when, what ``broke`` and ``advice``; ``str`` of it is a sentence.
    days : DataFrame
        One row for each forecast and day that has come: ``entry``, ``date``, ``lead`` [days], ``peak`` and ``median``
        [calls], ``place`` of the peak in its forecast (0 to 1), and whether it was ``capped`` by the licences.
    forecasts : DataFrame
        Index (number, date), the forecasts in the order in which they were made: columns ``p5``, ``p10``, ``p25``,
        ``p50``, ``p75``, ``p90``, ``p95`` and ``actual`` (NaN for a day that has not come) [calls].
    variant : str
        Id of the series.

    See Also
    --------
    capacity.Ledger

    Examples
    --------
    >>> import capacity as cap
    >>> import tempfile
    >>> dates = pd.date_range("2026-03-01", periods=28)
    >>> paths = np.tile(np.arange(90, 111)[:, None], (1, 1, 28))
    >>> forecast = cap.PeakForecast(paths, ("*",), dates, pd.DataFrame({"*": []}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ledger = cap.Ledger(folder)
    ...     _ = ledger.record(forecast, made_on="2026-03-01")
    ...     score = ledger.score(pd.Series(95, index=dates[:14]))
    >>> score.table[["days", "bias"]].round(2).to_dict("index")
    {'1-7': {'days': 7, 'bias': 0.05}, '8-28': {'days': 7, 'bias': 0.05}}
    """

    table: pd.DataFrame
    limits: pd.DataFrame
    alarm: Alarm
    days: pd.DataFrame
    forecasts: pd.DataFrame
    variant: str
    _chart: ClassVar[str] = "kept_forecasts"

    @classmethod
    def empty(cls, variant: str) -> LedgerScore:
        """Return the score of a series that no forecast was kept for."""
        return _score([], pd.Series(dtype=np.float64), variant)

    @property
    def bias(self) -> float:
        """Share by which the medians were too high over all days; below 0 too low."""
        came = float(self.days["peak"].sum())
        return float(self.days["median"].sum() - came) / came if came else np.nan

    @property
    def coverage(self) -> float:
        """Share of days within the central 80%; 0.8 if the forecasts are right."""
        return float(self.days["place"].between(0.1, 0.9).mean()) if len(self.days) else np.nan

    def to_frame(self) -> pd.DataFrame:
        """Return the table by lead."""
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a dict for JSON: alarm, bias, coverage_80, by_lead and limits; days are ISO dates."""
        alarm = self.alarm
        limits = self.limits.reset_index().assign(made_on=lambda t: t["made_on"].dt.strftime("%Y-%m-%d"))
        return {
            "variant": self.variant,
            "alarm": {
                "raised": alarm.raised,
                "since": None if alarm.since is None else f"{alarm.since:%Y-%m-%d}",
                "evidence": float(alarm.evidence.iloc[-1]) if len(alarm.evidence) else None,
                "broke": alarm.broke,
                "advice": alarm.advice,
            },
            "bias": None if self.days.empty else self.bias,
            "coverage_80": None if self.days.empty else self.coverage,
            "by_lead": json.loads(self.table.reset_index().to_json(orient="records")),
            "limits": json.loads(limits.to_json(orient="records")),
        }

    def __str__(self) -> str:
        if self.days.empty:
            return "No day has come yet that a forecast of the ledger was made for."
        word = "high" if self.bias > 0 else "low"
        kept = self.limits[self.limits["days"] > 0]
        enough = f"{int(kept['kept'].sum())} of {plural(len(kept), 'forecast')}"
        head = (
            f"{self.alarm} Medians {percent(abs(self.bias))} too {word}; {percent(self.coverage)} of days within the "
            f"central 80%; the licences for 5% risk were enough in {enough} so far."
        )
        return f"{head}\n\n{self.table.round(3).to_string()}"


class Ledger:
    """A folder of forecasts as they were made, to be compared with the days that come: `record`, then `score`.

    Each forecast is a file of its own that is never changed. A file is written whole or not at all, so that a killed
    process or a full disk costs no forecast that was there. Recording the same forecast again changes nothing.

    Parameters
    ----------
    path : str or Path
        The folder; it is made when something is recorded.

    Raises
    ------
    ConfigError
        `path` is a file.

    See Also
    --------
    capacity.LedgerScore, capacity.backtest

    Examples
    --------
    >>> import capacity as cap
    >>> import tempfile
    >>> dates = pd.date_range("2026-03-01", periods=60)
    >>> rng = np.random.default_rng(1)
    >>> history = pd.DataFrame({"*": rng.poisson(100, 90)}, index=pd.date_range(end="2026-02-28", periods=90))
    >>> forecast = cap.PeakForecast(rng.poisson(100, (1, 500, 60)), ("*",), dates, history)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ledger = cap.Ledger(folder)
    ...     _ = ledger.record(forecast, made_on="2026-03-01")
    ...     score = ledger.score(pd.Series(rng.poisson(100, 30), index=dates[:30]))
    >>> score.alarm.raised, len(score.days), bool(score.limits["kept"].all())
    (False, 30, True)
    """

    def __init__(self, path: str | Path) -> None:
        self.path: Path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ConfigError(f"ledger {str(path)!r} is a file; give a folder")

    def __repr__(self) -> str:
        count = len(list(self.path.glob("*.parquet"))) if self.path.is_dir() else 0
        return f"<Ledger: {plural(count, 'forecast')} in {self.path}>"

    def record(self, assessment: Assessment | PeakForecast, *, made_on: Any, variant: str | None = None) -> Path:
        """Keep a forecast in the ledger, and return the path of its file.

        Parameters
        ----------
        assessment : Assessment or PeakForecast
            The forecast; of an assessment its licences and settings are kept as well.
        made_on : date
            The local day on which it was made; it is not read from the clock.
        variant : str, optional
            Id of the series; by default the one that the verdict is about, TOTAL or the only one.

        Raises
        ------
        ConfigError
            A day before the last one of the forecast's history, or no such variant.
        InsufficientData
            The assessment has no forecast.
        StoreError
            The disk is full or cannot be written; what was recorded before is untouched.
        """
        entry = _entry(assessment, made_on, variant)
        if self.path.is_dir():
            sweep(self.path)
        return write(self.path, entry)

    def entries(self, variant: str | None = None) -> list[Entry]:
        """Return the recorded forecasts, by the day on which they were made.

        Parameters
        ----------
        variant : str, optional
            Id of the series; by default all.

        Raises
        ------
        StoreError
            A file is damaged or of another version; the message names it.
        """
        paths = sorted(self.path.glob("*.parquet")) if self.path.is_dir() else []
        found = [read(path) for path in paths]
        if variant is not None:
            found = [entry for entry in found if entry.variant == variant]
        return sorted(found, key=lambda entry: (entry.made_on, entry.number))

    def _of(self, variant: str | None) -> list[Entry]:
        """Return the forecasts of one variant, by default of the only one."""
        entries = self.entries()
        names = list(dict.fromkeys(entry.variant for entry in entries))
        name = pick(names, variant, where="the ledger") if names else ""
        return [entry for entry in entries if entry.variant == name]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each forecast: made_on, variant, from, horizon [days], needed (for 5% risk), events."""
        rows = [
            {
                "made_on": entry.made_on,
                "variant": entry.variant,
                "from": entry.dates[0],
                "horizon": len(entry.dates),
                "needed": entry.needed(_RISK),
                "events": "; ".join(entry.events),
            }
            for entry in self.entries()
        ]
        return pd.DataFrame(rows, columns=["made_on", "variant", "from", "horizon", "needed", "events"])

    def changes(self, *, variant: str | None = None) -> pd.DataFrame:
        """Return what changed between the last two forecasts, and why; the parts add up.

        Parameters
        ----------
        variant : str, optional
            Id of the series; by default the only one that was recorded.

        Returns
        -------
        DataFrame
            Index ``cause``: "before", "data" (new days, and the horizon that moved on with them), "events", "settings"
            (a longer or shorter horizon), "licences", "after". Columns ``needed`` (licences for 5% risk), ``held``
            (licences on the first day ahead) [calls], ``chance`` of exceeding these throughout the horizon, and
            ``why`` in words; the causes are differences.

        Raises
        ------
        InsufficientData
            Fewer than two forecasts were recorded.

        Examples
        --------
        See `Ledger`.
        """
        own = self._of(variant)
        if len(own) < 2:
            raise InsufficientData(f"a change needs two forecasts in the ledger and has {len(own)}; record another one")
        return changes_between(own[-2], own[-1])

    def changes_to(self, assessment: Assessment | PeakForecast, *, variant: str | None = None) -> pd.DataFrame | None:
        """Return what changed from the last other forecast in the ledger to this one, which need not be recorded.

        Parameters
        ----------
        assessment : Assessment or PeakForecast
        variant : str, optional
            As in `record`.

        Returns
        -------
        DataFrame or None
            As `changes` returns it; None where there is no other forecast, or the assessment has none.
        """
        forecast = assessment if isinstance(assessment, PeakForecast) else assessment.forecast
        if forecast is None:
            return None
        new = _entry(assessment, forecast.dates[0], variant)
        old = [e for e in self.entries(new.variant) if digest_of(e) != digest_of(new) and e.dates[0] <= new.dates[0]]
        return changes_between(old[-1], new) if old else None

    def score(self, peaks: pd.DataFrame | pd.Series, *, variant: str | None = None) -> LedgerScore:
        """Return how well the forecasts fit the days that have come since, and whether an alarm is raised.

        The alarm may be looked at every day: it is valid however often it is looked at.

        Parameters
        ----------
        peaks : DataFrame or Series
            What `capacity.daily_peaks` returns, or one Series of peaks [calls] by local day. Incomplete days do not
            count.
        variant : str, optional
            Id of the series; by default the only one that was recorded.

        Raises
        ------
        ConfigError
            Several variants were recorded and none was named; or the peaks have no such variant.
        StoreError
            A file of the ledger is damaged.
        """
        entries = self._of(variant)
        name = entries[0].variant if entries else (variant or "")
        came = _came(peaks, name) if entries else pd.Series(dtype=np.float64)
        return _score(entries, came, name)


def _entry(assessment: Assessment | PeakForecast, made_on: Any, variant: str | None) -> Entry:
    """Return a forecast with what it rests on, as it is kept."""
    forecast = assessment if isinstance(assessment, PeakForecast) else assessment.forecast
    if forecast is None:
        raise InsufficientData("the assessment has no forecast, which a ledger keeps; it needs eight weeks of days")
    made, last = as_days([made_on], name="made_on")[0], forecast.dates[0] - pd.Timedelta(days=1)
    if made < last:
        raise ConfigError(
            f"made_on={made:%Y-%m-%d} is before {last:%Y-%m-%d}, the last day of the forecast's history; give "
            "the day on which it was made"
        )
    settings = {"horizon": str(len(forecast.dates)), "seed": str(forecast.seed)}
    licences = forecast.licences
    if not isinstance(assessment, PeakForecast):
        licences = assessment.licences
        variant = variant or assessment.variant or None
        settings |= {"tz": assessment.tz, "name": assessment.name}
    steps = {} if licences is None else dict(zip(licences.dates, licences.counts, strict=True))
    return entry_of(
        forecast,
        made_on=made,
        variant=forecast.pick(variant),
        licences={f"{date:%Y-%m-%d}": count for date, count in steps.items()},
        settings=settings,
    )


def _score(entries: Sequence[Entry], came: pd.Series, variant: str) -> LedgerScore:
    days = day_scores(entries, came)
    return LedgerScore(
        table=_by_lead(entries, days),
        limits=_limits(entries, days),
        alarm=alarm_of(entries, days, came),
        days=days,
        forecasts=_forecasts(entries, came),
        variant=variant,
    )


def _forecasts(entries: Sequence[Entry], came: pd.Series) -> pd.DataFrame:
    at = np.searchsorted(LEVELS, np.array(_SHOWN) / 100 - 1e-9)
    columns = [f"p{level}" for level in _SHOWN]
    fans = [
        pd.DataFrame(entry.quantiles[:, at], index=entry.dates, columns=columns).assign(
            actual=came.reindex(entry.dates)
        )
        for entry in entries
    ]
    if not fans:
        none = pd.MultiIndex.from_arrays([[], pd.DatetimeIndex([])], names=["number", "date"])
        return pd.DataFrame(index=none, columns=[*columns, "actual"], dtype=np.float64)
    return pd.concat(dict(enumerate(fans)), names=["number", "date"])


def _by_lead(entries: Sequence[Entry], days: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    at = np.searchsorted(LEVELS, QUANTILES - 1e-9)
    for first, last in _LEADS:
        own = days[days["lead"].between(first, last)]
        if own.empty:
            continue
        known = np.stack([entries[e].quantiles[lead - 1] for e, lead in zip(own["entry"], own["lead"], strict=True)])
        came = own["peak"].to_numpy(dtype=np.float64)
        rows[f"{first}-{last}"] = {
            "days": len(own),
            "bias": float(own["median"].sum() / max(came.sum(), 1e-9) - 1),
            "coverage_80": float(own["place"].between(0.1, 0.9).mean()),
            "coverage_95": float(own["place"].between(0.025, 0.975).mean()),
            "pinball": float(pinball(came[:, None], known[:, at].astype(np.float64), QUANTILES[None, :]).mean()),
        }
    columns = ["days", "bias", "coverage_80", "coverage_95", "pinball"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("lead")


def _limits(entries: Sequence[Entry], days: pd.DataFrame) -> pd.DataFrame:
    top = days.groupby("entry")["peak"].agg(["max", "size"])
    rows = []
    for number, entry in enumerate(entries):
        seen = number in top.index
        highest = float(top.loc[number, "max"]) if seen else np.nan
        needed = entry.needed(_RISK)
        rows.append(
            {
                "made_on": entry.made_on,
                "needed": needed,
                "highest": highest,
                "days": int(top.loc[number, "size"]) if seen else 0,
                "horizon": len(entry.dates),
                "kept": not highest > needed,
            }
        )
    columns = ["made_on", "needed", "highest", "days", "horizon", "kept"]
    return pd.DataFrame(rows, columns=columns).set_index("made_on")


def _came(peaks: pd.DataFrame | pd.Series, name: str) -> pd.Series:
    """Return the peaks of complete days of the series that was forecast."""
    wide, complete, slice_name = wide_peaks(peaks)
    used = wide.where(complete)
    column = (
        used.columns[0]
        if isinstance(peaks, pd.Series)
        else pick(list(used), name, where="peaks", slice_name=slice_name)
    )
    return used[column].dropna()
