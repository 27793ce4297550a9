"""How much each event of a forecast adds to the risk."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from capacity.analysis.headroom import licences_needed
from capacity.errors import ConfigError
from capacity.forecast.paths import PeakForecast
from capacity.ground.licences import LicenceLike, as_licences


def event_effects(
    forecast: PeakForecast, licences: LicenceLike | None = None, *, risk: float = 0.05, variant: str | None = None
) -> pd.DataFrame:
    """Return how much each event adds to the risk: the forecast with all events beside the one without it.

    Parameters
    ----------
    forecast : PeakForecast
        What `PeakForecast.with_events` returns.
    licences : int, str, mapping, Series or Licences, optional
        Licences [calls] whose chance of being exceeded is returned; by default only the licences needed are.
    risk : float, default 0.05
        Chance of exceeding, within the whole horizon, for which the licences needed are returned.
    variant : str, optional
        Id of the series; by default TOTAL, or the only one.

    Returns
    -------
    DataFrame
        By ``event``: ``needed`` and ``needed_without`` licences and their difference ``adds`` [calls]; with licences
        ``chance`` and ``chance_without`` of exceeding them within the horizon; ``when``, ``calls`` and ``reason`` in
        words. Effects do not add up: of two events each may decide alone whether the licences are exceeded. Empty
        without events.

    Raises
    ------
    ConfigError
        The paths were changed after the events were added, so that they cannot be taken out: add events last. Or a
        risk, licences or variant that cannot be used.

    See Also
    --------
    capacity.Event, capacity.headroom
    capacity.PeakForecast : its method `with_events` adds them.

    Examples
    --------
    >>> import capacity as cap
    >>> dates = pd.date_range("2026-09-01", periods=3)
    >>> forecast = cap.PeakForecast(np.full((1, 4, 3), 100), ("*",), dates, pd.DataFrame({"*": []}))
    >>> launch = cap.Event("Hotels", "2026-09-02", 40, reason="Signed in May")
    >>> cap.event_effects(forecast.with_events(launch), 120)[["needed", "needed_without", "adds"]].to_numpy().tolist()
    [[140, 100, 40]]
    """
    base = forecast.before_events
    if forecast.events and base is None:
        raise ConfigError("the paths were changed after the events were added; call with_events last")
    held = None if licences is None else as_licences(licences).on(forecast.dates)

    def tell(one: PeakForecast) -> tuple[int, float]:
        needed = int(licences_needed(one, risk, len(one.dates), variant=variant).iloc[0, 0])
        peaks = one.series(variant)
        return needed, np.nan if held is None else float((peaks > held).any(axis=1).mean())

    rows, (needed, passed) = {}, tell(forecast)
    for event in forecast.events:
        assert base is not None
        others = [other for other in forecast.events if other.name != event.name]
        needed_without, passed_without = tell(base.with_events(others))
        row: dict[str, Any] = {"needed": needed, "needed_without": needed_without, "adds": needed - needed_without}
        if held is not None:
            row |= {"chance": passed, "chance_without": passed_without}
        rows[event.name] = row | {"when": event.when(), "calls": event.size(), "reason": event.reason}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("event")
