"""The headline: for each situation the action, the number and the reason, in words that are true."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.analysis.verdict.growth import Growth
from capacity.analysis.verdict.headline import headline
from capacity.analysis.verdict.situation import Situation

NEEDED = {0.01: (110, 110), 0.05: (102, 102), 0.1: (98, 98)}
TIGHT = Situation(94, 90, 400, (97, 97), needed=NEEDED, risk=(0.18, 0.18), unchanged=(0.18, 0.18))
JUNE = dt.date(2026, 6, 15)
BOUNDS = {0.01: (60, 190), 0.05: (45, 165), 0.1: (40, 150)}
NO_TOTAL = replace(TIGHT, parts=3, peak=(40, 120), needed=BOUNDS, risk=(0.01, 1.0))
PROJECTS = replace(TIGHT, parts=2, combined=True, licences=110, peak=(90, 130), needed=BOUNDS, risk=(0.001, 0.4))
SHORT = Situation(60, 90, 20, (58, 58))

CASES: dict[str, tuple[Situation, str, str]] = {
    "tight": (TIGHT, "tight", "Hold 102 (8 more) to keep the 90-day risk at 5%; with today's 94 it is 18%."),
    "too few": (
        replace(TIGHT, licences=60, risk=(0.97, 0.97), likely_by=JUNE),
        "too few",
        "Hold 102 (42 more) to keep the 90-day risk at 5%; with today's 60 it is 97%, likelier than not by "
        "15 Jun 2026.",
    ),
    "ample": (
        replace(TIGHT, licences=105, risk=(0.03, 0.03)),
        "ample",
        "Keep 105; the 90-day risk is 3%, and 102 would keep it at 5%.",
    ),
    "just enough": (
        replace(TIGHT, licences=102, risk=(0.048, 0.048)),
        "ample",
        "Keep 102; the 90-day risk is just below 5%, and with one fewer it would be above 5%.",
    ),
    "just too few": (
        replace(TIGHT, licences=101, risk=(0.0515, 0.0515)),
        "tight",
        "Hold 102 (1 more) to keep the 90-day risk at 5%; with today's 101 it is just above 5%.",
    ),
    "far too many": (
        replace(TIGHT, licences=950, needed={0.01: (93, 93), 0.05: (90, 90)}, risk=(0.0, 0.0)),
        "far too many",
        "950 licences are 857 more than the 90-day 1% level; 93 would keep that risk at 1%.",
    ),
    "about to be cut": (
        replace(TIGHT, licences=105, changes=((JUNE, 90),), unchanged=(0.02, 0.02), risk=(0.61, 0.61)),
        "about to be cut",
        "The planned cut to 90 on 15 Jun 2026 raises the 90-day risk from 2% to 61%; hold 102 (3 fewer) throughout "
        "to keep it at 5%.",
    ),
    "a cut that does no harm": (
        replace(TIGHT, licences=130, changes=((JUNE, 110),), unchanged=(0.001, 0.001), risk=(0.009, 0.009)),
        "about to be cut",
        "The planned cut to 110 on 15 Jun 2026 leaves the 90-day risk at under 1%; 102 throughout would keep it at 5%.",
    ),
    "about to rise": (
        replace(TIGHT, changes=((JUNE, 120), (JUNE, 130)), risk=(0.06, 0.06)),
        "about to rise",
        "The planned rise to 120 on 15 Jun 2026 (and 1 later change) lowers the 90-day risk from 18% to 6%; hold 102 "
        "(8 more) throughout to keep it at 5%.",
    ),
    "capped": (
        replace(TIGHT, licences=60, capping="hard", days_at=200, days=300, risk=(1.0, 1.0)),
        "capped",
        "Hold at least 102 (42 more) to keep the 90-day risk at 5%; all licences were in use on 200 of 300 days, and "
        "with today's 60 it is over 99%.",
    ),
    "soft-capped": (
        replace(TIGHT, licences=60, capping="soft", days_at=100, days=300, risk=(1.0, 1.0)),
        "soft-capped",
        "Hold at least 102 (42 more) to keep the 90-day risk at 5%; peaks pile up within a tenth above the licences "
        "on 100 of 300 days, as at a cap, and with today's 60 it is over 99%.",
    ),
    "capped so long that nothing is known": (
        replace(SHORT, days=300, days_at=295, capping="hard", peak=(60, 60)),
        "capped",
        "Hold more than 60; all licences were in use on 295 of 300 days: what demand was cannot be told.",
    ),
    "short history": (
        SHORT,
        "short history",
        "Keep 60 for now; the highest peak so far is 58, and 20 days of history are too few for a forecast, 56 are "
        "needed.",
    ),
    "short history above the licences": (
        replace(SHORT, peak=(70, 70), capping="plan", days=1),
        "short history",
        "Hold at least 70 (10 more), the highest peak so far; 1 day of history is too few for a forecast, 56 are "
        "needed.",
    ),
    "short history, far too many": (
        replace(SHORT, licences=950, peak=(93, 93)),
        "short history",
        "950 licences are 857 more than the highest peak so far; it was 93, and 20 days of history are too few for a "
        "forecast, 56 are needed.",
    ),
    "no total": (
        NO_TOTAL,
        "no total",
        "Fetch the total to know whether 94 are enough; without a total, what keeps the 90-day risk at 5% is known "
        "only within bounds: at least 45, at most 165.",
    ),
    "no total, too few": (
        replace(NO_TOTAL, licences=30),
        "no total",
        "Hold at least 45 (15 more); without a total, what keeps the 90-day risk at 5% is known only within bounds: "
        "at least 45, at most 165.",
    ),
    "several projects": (
        PROJECTS,
        "tight",
        "Hold at most 165 (55 more) to keep the 90-day risk at 5%; with today's 110 it is at most 40%.",
    ),
    "several projects, enough": (
        replace(PROJECTS, licences=170, risk=(0.0, 0.03)),
        "ample",
        "Keep 170; the 90-day risk is at most 3%, and 165 would keep it at 5%.",
    ),
    "past forecasts were too low": (
        replace(TIGHT, kept=(1, 20)),
        "too low",
        "Past forecasts were too low: their licences for 5% risk were enough in 1 of 20. Hold more than 102 (8 more): "
        "the 90-day risk of 18% with today's 94 is likely too low too.",
    ),
    "one licence": (
        Situation(1, 1, 400, (1, 1), needed={0.01: (2, 2), 0.05: (2, 2)}, risk=(0.3, 0.3)),
        "tight",
        "Hold 2 (1 more) to keep the 1-day risk at 5%; with today's 1 it is 30%.",
    ),
    "one variant": (
        replace(TIGHT, about="Reservations"),
        "tight",
        "Reservations: hold 102 (8 more) to keep the 90-day risk at 5%; with today's 94 it is 18%.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_situation_has_its_headline(name: str) -> None:
    """A reader would be told to do something else than the numbers say."""
    facts, kind, text = CASES[name]
    found = headline(facts)
    assert (found.kind, found.text) == (kind, text)
    assert str(found).startswith(found.text)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"growth": Growth(1.38, 364)}, "Demand is growing: the mean daily peak rose by 38% within a year."),
        (
            {"growth": Growth(5.1, 84)},
            "Demand is growing: the mean daily peak became 5.1 times as high within 12 weeks.",
        ),
        ({"missing": 7}, "The last 7 days have no data."),
        ({"missing": 1}, "The last day has no data."),
        ({"cheapest": (96, 0.31)}, "Cheapest at the prices given: 96, at a 90-day risk of 31%."),
        (
            {"licences": 120, "risk": (0.0, 0.0), "capping": "hard", "days_at": 40},
            "All licences were in use on 40 of 400 days; the demand behind them is estimated.",
        ),
    ],
)
def test_what_else_a_decision_has_to_know(facts: dict[str, Any], said: str) -> None:
    """What changes the decision would stand on a later page only."""
    assert said in headline(replace(TIGHT, **facts)).besides


@given(
    licences=st.integers(0, 2000),
    need=st.integers(0, 1000),
    spread=st.integers(0, 300),
    days=st.integers(1, 1000),
    horizon=st.integers(1, 365),
    capping=st.sampled_from(["none", "hard", "soft", "plan"]),
    share=st.floats(0, 1),
)
def test_headlines_never_contradict_the_facts(
    licences: int, need: int, spread: int, days: int, horizon: int, capping: Any, share: float
) -> None:
    """A headline would advise fewer licences than are needed, or write "1 days" and "0 more"."""
    needed = {0.01: (need + spread, need + spread), 0.05: (need, need)}
    risk = (1 - 0.95 * min(licences / need, 1)) if need and licences < need else 0.04
    at = 0 if capping == "none" else max(1, round(share * days))
    found = headline(
        Situation(licences, horizon, days, (need, need), needed=needed, risk=(risk, risk), unchanged=(risk, risk),
                  capping=capping, days_at=at)
    )  # fmt: skip
    assert found.number is not None and found.number >= need
    if licences >= need:
        assert found.kind in ("ample", "far too many")
    else:
        assert f"({need - licences:,} more)" in found.text
    assert not re.search(r"\b1 (days|licences are)\b|\b0 (more|fewer)\b|None|nan", str(found))
