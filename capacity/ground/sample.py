"""The sample that comes with the library: two invented years of a hotel group's voice agents."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from capacity.errors import StoreError
from capacity.ground.frame import as_intervals

TZ = "Europe/London"
SPAN = ("2024-07-01", "2026-07-01")
LICENCES = "80,2025-03-01:115"

# In a wheel the file lies beside the code; in a checkout it lies in data/, once.
_PLACES = (
    Path(__file__).parents[1] / "_data" / "sample.parquet",
    Path(__file__).parents[2] / "data" / "sample.parquet",
)


def load_sample() -> pd.DataFrame:
    """Return the sample: two years of 5-minute maxima of five variants and TOTAL, 1 July 2024 to 30 June 2026.

    The callers are in Europe/London (`capacity.ground.sample.TZ`). There were 80 licences, and 115 from 1 March 2025 on
    (`capacity.ground.sample.LICENCES`); calls above them were turned away and are not in the data. "V-events" goes live
    on 5 August 2025; a campaign goes out at 10:00 on 10 March 2026; from 22:00 UTC on 21 October 2025 to 09:30 UTC on
    24 October 2025 there are no rows. ``data/make_sample.py`` makes it.

    Returns
    -------
    DataFrame
        Interval frame: MultiIndex (time, variant), columns ``max_concurrent`` [calls] and ``variant_name``.

    Raises
    ------
    StoreError
        The file is not where it was installed.

    See Also
    --------
    capacity.simulate_calls, capacity.read_intervals

    Examples
    --------
    >>> import capacity as cap
    >>> frame = cap.load_sample()
    >>> sorted(frame.index.unique("variant"))
    ['*', 'V-billing', 'V-bookings', 'V-events', 'V-out-of-hours', 'V-reservas']
    >>> int(frame["max_concurrent"].max())
    115
    """
    path = next((place for place in _PLACES if place.is_file()), None)
    if path is None:
        raise StoreError(f"the sample is not at {_PLACES[0]}; install the library anew", path=_PLACES[0])
    return as_intervals(pq.read_table(path).to_pandas())
