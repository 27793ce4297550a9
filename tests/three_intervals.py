"""Three intervals of the total and of one variant, and how to fetch them."""

from __future__ import annotations

import pandas as pd

import capacity as cap

from .faulty_server import Truth

KEY = "sk-0123456789-secret"
START, END = "2026-01-12T00:00Z", "2026-01-12T00:15Z"
FIRST = int(pd.Timestamp(START).timestamp()) // 300
TRUTH = Truth({(FIRST + k, series): 2 + k for k in range(3) for series in ("*", "a")})


def fetch(client, **changes):
    """Fetch those three intervals."""
    return cap.fetch_intervals(client, START, END, **{"total": False, **changes})
