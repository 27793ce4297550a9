"""Every constant of the forecast, with what set it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ForecastSettings"]


@dataclass(frozen=True, kw_only=True)
class ForecastSettings:
    """Constants of the forecast.

    The defaults were set on real series (``benchmarks/forecast.py``: "real") and on simulated ones
    (``benchmarks/growth.py``: "growth"); "theory" stands where a formula or a convention gives the value. All lengths
    are in days unless said otherwise.

    Attributes
    ----------
    memory : int
        Days of history that are used: four years. [real]
    month : int
        Four weeks: the shortest horizon that is drawn, the least history of a past date, the blocks by which the scale
        is judged, the spans on either side of a jump. [theory: whole weeks]
    first_year : int
        Days of history from which a year ago is looked at: 14 months. [real]
    open_weeks : int
        A weekday is shut where its last so many days seen had no call; that long is the least history. [theory]
    calendar_prior : tuple of float
        Expected size of the effects of the 13 features of `capacity.forecast.calendar`, in standard deviations of the
        series. [real]
    effect_half_life, effect_memory : float
        How fast the level may move under the effects, and half-life of today's level; half-life of what is learned of
        them. [real]
    outlier : float
        Robust standard deviations beyond which a day is clipped before levels and effects are learned, and a level is
        taken to have left its long-run mean. [real]
    quiet : float
        Of a series' own spread, or of its level: the least noise that is assumed. [theory: the ridge would vanish]
    fresh : float
        A weekday whose level is new may differ by so many times the expected size. [growth: a weekday opened]
    half_lives : tuple of float
        Of the levels. [real]
    fade : float
        The excess of a level over the next slower one fades with `fade` times its half-life. [real]
    origins : int
        Most past dates from which forecasts are made. [real: more change nothing]
    log_slope : float
        Logarithms where spread and weekly swing grow with the level by more than this power. [growth, real]
    log_doubt : float
        Observation noise against the expected variance of that power: shrinks it. [growth: stationary Poisson]
    record_factor : float
        No path exceeds so many times the highest peak seen (as carried to today's level). [growth]
    walk, walk_memory, season, trend : tuples
        The grid of the growth model, in shares of the level: standard deviations a year of a walk and the days in which
        it forgets, every pair of them; of the yearly season; (standard deviation a year, memory in days) of the slope.
        [growth: roll-outs, steady growth]
    growth_doubt : float
        A slope is shrunk by 1 - doubt (sd / slope)^2, and is 0 where that is negative. [real: .5 leaves flat series]
    season_share : float
        Of last year's change of level at this time of the year that comes again. [real]
    recent : float
        Half-life of the chance that a past date's errors are drawn. [real]
    slow : int
        The moving mean of an error over so many days is an error of the level; a path begins with at least as many, and
        outliers are held against as many around them. [real]
    carry : float
        Share of an error that goes on where another is chained on. [real]
    dip : float
        Mean errors beyond which a single day's error is its own, and none of the level. [real]
    far : float
        Errors of the level were made with the effects of the whole history known, and are too small: wider by `far`
        from 90 days ahead on, by less before. [real]
    unseen : float
        Wider by that share for a season never seen, in full from 90 days ahead on. [real: under a year]
    heaviest : float
        Most that Student's t widens an error of the level. [real]
    centre_ends : tuple of int
        Ends of the stretches of leads whose mean error is taken off. [real]
    kind_prior : float
        Weeks at the common spread that a weekday's own is pooled with, and the upper spread of special days with that
        of ordinary ones. [real, the demo's Christmas]
    pool_weeks : int
        Weeks back that whole weeks are drawn from. [real]
    halving, halving_by_lead : float
        Weeks back after which a week is half as likely; more for each week ahead. [real]
    year_near, year_older, year_change : float
        A week of shift, and a year more, make a draw from a year ago that much less likely; share of the change of
        level since that is carried over. [real]
    year_weeks : int
        Most weeks of shift. [real]
    pool_prior : tuple of float
        Expected weights of past errors, past weeks and past years. [real]
    pool_origins, pool_leads : int
        Past dates, and leads at each, by which the weights are learned, for each stretch of `pool_ends`. [real]
    pool_sharp, pool_prior_sharp : float
        How strongly a lower loss, and how strongly the prior, pulls the weights. [real]
    pool_steps : int
        Of the grid of weights from 0 to 1. [real: more change nothing]
    pool_ends : tuple of int
        Ends of the stretches of leads with weights of their own. [growth: the near term of long forecasts]
    smoothing, neighbours : float, int
        Noise of a value drawn again, in distances to so many neighbours in size on either side. [the risk curve of the
        sample and the demo, real: values that pile up at a capacity]
    jitter : float
        By how much the size of a path's daily errors differs from the next path's, as a share. [real: limits kept]
    absurd, absurd_days : float, int
        One day in so many, alone, above so many times the next highest is not fitted, and counted as the rarity that it
        is. [growth: a single absurd interval]
    jump : float
        The level has moved for good where it changed by at least this factor within a week. [growth]
    jump_usual : float
        And by so many times what it mostly changes by. [growth, real]
    jump_share : float
        Share of a jump that must have come within the week, and of which what is left must not fall short. [growth]
    jump_prior : float
        Weeks for which the shape of the week and the noise before a jump count against those since. [growth]

    See Also
    --------
    capacity.forecast_peaks, capacity.backtest

    Examples
    --------
    >>> import capacity as cap
    >>> cap.ForecastSettings(growth_doubt=1.0).growth_doubt, cap.ForecastSettings().growth_doubt
    (1.0, 0.5)
    """

    memory: int = 1461
    month: int = 28
    first_year: int = 425
    open_weeks: int = 8
    calendar_prior: tuple[float, ...] = (*[1.0] * 7, 0.3, 0.15, 0.2, 0.2, 0.1, 0.1)
    effect_half_life: float = 12.0
    effect_memory: float = 300.0
    outlier: float = 3.5
    quiet: float = 0.01
    fresh: float = 10.0
    half_lives: tuple[float, ...] = (2.0, 5.0, 12.0, 40.0, 120.0, 400.0)
    fade: float = 40.0
    origins: int = 260
    log_slope: float = 0.5
    log_doubt: float = 3.0
    record_factor: float = 5.0
    walk: tuple[float, ...] = (0.1, 0.3, 1.0)
    walk_memory: tuple[float, ...] = (3000.0, 30.0)
    season: tuple[float, ...] = (0.03, 0.3)
    trend: tuple[tuple[float, float], ...] = ((0.1, 3000.0), (0.6, 3000.0), (3.0, 365.0))
    growth_doubt: float = 0.5
    season_share: float = 0.3
    recent: float = 200.0
    slow: int = 14
    carry: float = 0.8
    dip: float = 2.5
    far: float = 0.6
    unseen: float = 0.3
    heaviest: float = 4.0
    centre_ends: tuple[int, ...] = (7, 14, 28, 56, 90, 182)
    kind_prior: float = 20.0
    pool_weeks: int = 26
    halving: float = 6.0
    halving_by_lead: float = 0.7
    year_near: float = 0.6
    year_older: float = 0.5
    year_change: float = 0.6
    year_weeks: int = 3
    pool_prior: tuple[float, float, float] = (0.5, 0.3, 0.2)
    pool_origins: int = 40
    pool_leads: int = 8
    pool_sharp: float = 3.0
    pool_prior_sharp: float = 20.0
    pool_steps: int = 5
    pool_ends: tuple[int, ...] = (28, 90, 365)
    smoothing: float = 1.2
    neighbours: int = 4
    jitter: float = 0.2
    absurd: float = 4.0
    absurd_days: int = 300
    jump: float = 1.3
    jump_usual: float = 4.0
    jump_share: float = 0.75
    jump_prior: float = 2.0
