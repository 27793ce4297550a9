"""The tail of daily peaks: the highest of whole weeks, and separate exceedances of a high threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

from capacity.errors import ConfigError, InsufficientData
from capacity.ground.arrays import Floats, Ints
from capacity.ground.calendar import YEAR
from capacity.stats.extremes import Fit, Prior, fit_excesses, fit_gev
from capacity.stats.peak_scale import PeakScale, weekday_of

_FEWEST_MAXIMA = 20


_ENOUGH_MAXIMA = 30


_THRESHOLDS = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7)


_MANY = 100  # maxima from which the data speak for themselves about the shape


_SHORT_PRIOR: Prior = (0.0, 0.15)  # peaks of calls are nearly Gumbel: Poisson's maxima are


_RUN = 2  # days below the threshold that end a cluster


_BUSY = 0.8  # weekdays at this share of the busiest or above make the rare peaks


class ExtremeFit(Fit):
    """A fitted distribution, with its parameters as a table; attributes as `capacity.stats.extremes.Fit`."""

    def to_frame(self) -> pd.DataFrame:
        """Return estimates and standard errors by parameter."""
        return pd.DataFrame({"estimate": self.estimates, "se": self.se}, index=pd.Index(self.names, name="parameter"))


def fit_blocks(
    y: Floats, day: Ints, scale: PeakScale, block_weeks: int | None, shape_prior: Prior | str | None
) -> tuple[Fit, int]:
    """Fit the GEV to the highest peak of whole weeks, counted back from the last day."""
    middle = scale.middle(day)
    today = scale.base * scale.weekday[weekday_of(day)]
    flat = today + (y - middle) * (today / middle) ** scale.power
    back = day[-1] - day
    usual = max(1, int(np.median(np.bincount(back // 7)[: max(int(back.max()) // 7, 1)])))
    options = (4, 2, 1) if block_weeks is None else (block_weeks,)
    for weeks in options:
        block = back // (7 * weeks)
        count = np.bincount(block)
        full = np.flatnonzero(count >= 0.8 * usual * weeks)
        if len(full) >= {4: 40, 2: 26}.get(weeks, 0) or weeks == options[-1]:
            break
    if len(full) < _FEWEST_MAXIMA:
        raise InsufficientData(
            f"return levels need at least {_FEWEST_MAXIMA} whole blocks of {weeks} weeks and have {len(full)}"
        )
    highest = np.full(len(count), -np.inf)
    np.maximum.at(highest, block, flat)
    maxima = np.asarray(highest[full], dtype=np.float64)
    return fit_gev(maxima, shape_prior=_prior(shape_prior, len(maxima))), weeks


@dataclass(frozen=True, eq=False)
class Tail:
    """The GPD of separate exceedances, and how often they come."""

    fit: Fit
    clusters_per_year: float
    extremal_index: float
    scale: PeakScale

    @classmethod
    def of(
        cls, y: Floats, day: Ints, scale: PeakScale, quantile: float, fewest: int, shape_prior: Prior | str | None
    ) -> Tail:
        """Fit the exceedances of a quantile; InsufficientData with less than `fewest` separate ones."""
        # Quiet weekdays do not reach the level of the busy ones, and scatter more in proportion: they are left out.
        busy = scale.weekday[weekday_of(day)] >= _BUSY
        y, day = y[busy], day[busy]
        middle = scale.middle(day)
        unit = (middle / scale.base) ** scale.power
        u = float(np.quantile(scale.base + (y - middle) / unit, quantile))
        # Counts: each day exceeds from half a call below the first whole number at or above its own threshold.
        start = np.ceil(middle + (u - scale.base) * unit - 1e-9) - 0.5
        over = np.flatnonzero(y > start)
        excess = (y[over] - start[over]) / unit[over]
        day = day - day[0]
        cluster = np.concatenate([[0], np.cumsum(np.diff(day[over]) > _RUN)])
        order = np.lexsort((-excess, cluster))
        first = order[np.unique(cluster[order], return_index=True)[1]]
        if len(first) < fewest:
            raise InsufficientData(
                f"return levels need at least {fewest} exceedances that are {_RUN + 1} days apart and have {len(first)}"
            )
        peaks = excess[first]
        fit = fit_excesses(peaks, threshold=u, rate=len(first) / len(y), shape_prior=_prior(shape_prior, len(first)))
        per_year = len(first) / len(y) * (len(y) / (day[-1] + 1)) * YEAR
        return cls(fit, per_year, len(first) / len(over), scale)

    def observations(self, years: float) -> float:
        """Return how many observations the period holds, weekdays below the busiest counting for less.

        What is rare on a quieter weekday is still below what is rare on the busiest.
        """
        expected = self.clusters_per_year * years

        base, power = self.scale.base, self.scale.power
        weekday = self.scale.weekday[self.scale.weekday >= _BUSY]

        def short(z: float) -> float:
            """Return by how much the clusters expected at or above z fall short of one."""
            alike = base + (z - base * weekday) / weekday**power
            return 1.0 - expected * float(np.mean([self._share_above(r) for r in alike]))

        u = self.fit.threshold
        top = self.fit.return_level(max(expected, 1.001) / self.fit.rate)
        if short(u) >= 0:
            return 1.001 / self.fit.rate
        z = top if short(top) <= 0 else float(optimize.brentq(short, u, top))
        return 1.0 / (self.fit.rate * max(self._share_above(z), 1e-12))

    def _share_above(self, z: float) -> float:
        """Return P(a cluster's peak >= z)."""
        y = max(z - self.fit.threshold, 0.0) / self.fit["sigma"]
        if abs(self.fit.xi) < 1e-7:
            return float(np.exp(-y))
        return float(max(1.0 + self.fit.xi * y, 0.0) ** (-1.0 / self.fit.xi))


def fit_tail(y: Floats, day: Ints, scale: PeakScale, threshold: float | None, shape_prior: Prior | str | None) -> Tail:
    """Fit the exceedances of a threshold; without one, of the highest that is exceeded often enough."""
    if threshold is not None:
        return Tail.of(y, day, scale, threshold, _FEWEST_MAXIMA, shape_prior)
    for quantile in _THRESHOLDS[:-1]:
        try:
            return Tail.of(y, day, scale, quantile, _ENOUGH_MAXIMA, shape_prior)
        except InsufficientData:
            continue
    return Tail.of(y, day, scale, _THRESHOLDS[-1], _FEWEST_MAXIMA, shape_prior)


def _prior(shape_prior: Prior | str | None, maxima: int) -> Prior | None:
    if isinstance(shape_prior, str):
        if shape_prior != "auto":
            raise ConfigError(
                f'shape_prior={shape_prior!r} is not known; give "auto", None or (mean, standard deviation)'
            )
        return _SHORT_PRIOR if maxima < _MANY else None
    return shape_prior
