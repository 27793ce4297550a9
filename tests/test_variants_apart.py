from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.analysis.percentiles import load_duration
from capacity.analysis.profile import weekly_profile

from .made_frames import every, of, ragged

TZ = "Europe/London"

TABLES = {
    "daily_peaks": lambda frame: cap.daily_peaks(frame, tz=TZ).swaplevel().sort_index(),
    "top_peaks": lambda frame: cap.top_peaks(frame, 4, tz=TZ),
    "busy_hours": lambda frame: cap.busy_hours(frame, tz=TZ).table,
    "daily busy hours": lambda frame: cap.busy_hours(frame, tz=TZ).daily.swaplevel().sort_index(),
    "percentiles": lambda frame: cap.percentiles(frame, hours=("08:00", "20:00"), by="weekday", tz=TZ),
    "percentiles with limits": lambda frame: cap.percentiles(frame, (50, 99), ci=0.9, tz=TZ),
    "load_duration": lambda frame: load_duration(frame, tz=TZ),
    "weekly_profile": lambda frame: weekly_profile(frame, tz=TZ),
    "utilisation": lambda frame: cap.utilisation(frame, {"2026-01-01": 9, "2026-03-29": 12}, tz=TZ).table,
    "utilisation by month": lambda frame: cap.utilisation(frame, 9, tz=TZ).months,
}


def only(frame: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Return one variant of a frame, built anew."""
    rows = frame[frame.index.get_level_values("variant") == variant]
    return cap.as_intervals(rows.reset_index())


@functools.cache
def many() -> pd.DataFrame:
    """Return four days of 200 variants."""
    times, rng = every("2026-03-27", "2026-03-31"), np.random.default_rng(22)
    return of({f"v{k:03d}": (times, rng.poisson(1 + k / 5, len(times))) for k in range(200)})


@pytest.mark.parametrize("name", list(TABLES))
def test_a_variant_alone_gives_what_it_gives_among_others(name):
    """A variant's numbers would depend on the company that it is in: on gaps, starts or sizes of the others."""
    frame = ragged(21, "2026-02-28", "2026-04-08")
    together = TABLES[name](frame)
    # "busy" has no day without a hole; the weeks of confidence limits begin with the frame, and "late" does not.
    third = "late" if "busy" in name else "busy"
    for variant in (cap.TOTAL, "idle", third):
        found, alone = together.loc[variant], TABLES[name](only(frame, variant)).loc[variant]
        if isinstance(found, pd.Series):
            found, alone = found.to_frame(), alone.to_frame()
        pd.testing.assert_frame_equal(found, alone, check_index_type=False, check_freq=False)


@pytest.mark.parametrize("name", [name for name in TABLES if name != "percentiles with limits"])
def test_two_hundred_variants(name):
    """With many variants the blocks become small: a seam would show."""
    frame = many()
    together = TABLES[name](frame)
    assert together.index.get_level_values("variant").nunique() == 200
    for variant in ("v000", "v101", "v199"):
        found, alone = together.loc[variant], TABLES[name](only(frame, variant)).loc[variant]
        if isinstance(found, pd.Series):
            found, alone = found.to_frame(), alone.to_frame()
        pd.testing.assert_frame_equal(found, alone, check_index_type=False, check_freq=False)


@pytest.mark.parametrize("name", list(TABLES))
def test_the_frame_is_left_as_it_was(name):
    """An analysis would change what it was given."""
    frame = ragged(23, "2026-03-01", "2026-04-02")
    before = frame.copy(deep=True)
    TABLES[name](frame)
    pd.testing.assert_frame_equal(frame, before)
