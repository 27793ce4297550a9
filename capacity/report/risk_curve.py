"""The risk curve of the HTML file: for every licence count the chance of exceeding it, ready to be drawn and told."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from capacity.analysis.assessment import Assessment
from capacity.ground.text import chance, plural
from capacity.report.frame import licences_now

__all__ = ["Curve", "Line", "Table", "risk_curve"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 706.0, 16.0, 208.0  # of the drawing [px]
_MOST = 600  # counts on the slider
_DASHES = {"solid": "", "dashed": "7 4", "dotted": "2 4"}


@dataclass(frozen=True)
class Table:
    """Words in rows: the first cell of a row names it."""

    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Line:
    """One horizon of the curve: its SVG path, how it is dashed, in words and for SVG, and its length in words."""

    path: str
    look: str
    dash: str
    days: str


@dataclass(frozen=True)
class Curve:
    """What the template writes of the curve.

    Attributes
    ----------
    counts : list of int
        Licence counts on the slider; `at` is the place of today's among them, `now` that count in words.
    lines, rungs, ticks, dots : list
        The drawing: curves, level lines, labels of counts, and points with a sentence each.
    said, alt, json : str
        The sentence for today's count, the alternative text, and the data for the script.
    table : Table
    """

    counts: list[int]
    at: int
    now: str
    now_x: float
    lines: list[Line]
    rungs: list[tuple[float, str]]
    ticks: list[tuple[float, str]]
    dots: list[dict[str, float | str]]
    said: str
    alt: str
    json: str
    table: Table


def risk_curve(assessment: Assessment, horizons: list[int], bound: str = "") -> Curve | None:
    """Return the curve over licence counts, from the paths that `headroom` counts; None without a forecast.

    Parameters
    ----------
    assessment : Assessment
    horizons : list of int
        Days ahead, the forecast's whole horizon last.
    bound : str
        Said after each chance where it is a bound.
    """
    forecast, headroom = assessment.forecast, assessment.headroom
    if forecast is None or headroom is None:
        return None
    highest = {days: np.sort(_maxima(assessment, days)) for days in horizons}
    now = licences_now(assessment)
    counts = _counts(highest[horizons[-1]], now)
    shares = {days: 1 - np.searchsorted(held, counts, side="right") / len(held) for days, held in highest.items()}
    x = _LEFT + (_RIGHT - _LEFT) * (counts - counts[0]) / max(int(counts[-1] - counts[0]), 1)
    looks = list(_DASHES)[: len(horizons)][::-1] if len(horizons) <= len(_DASHES) else ["solid"] * len(horizons)
    words = [plural(days, "day") for days in horizons]
    at = int(np.searchsorted(counts, now))
    told = {days: [chance(float(p)) for p in share] for days, share in shares.items()}
    last = horizons[-1]
    some = np.unique(np.linspace(0, len(counts) - 1, 60).astype(int))
    rows = np.unique([0, at, len(counts) - 1, *np.linspace(0, len(counts) - 1, 24).astype(int)])
    data = {
        "counts": counts.tolist(),
        "now": now,
        "horizons": words,
        "chances": [told[days] for days in horizons],
        "bound": bound,
        "left": _LEFT,
        "scale": (_RIGHT - _LEFT) / max(int(counts[-1] - counts[0]), 1),
    }
    return Curve(
        counts=counts.tolist(),
        at=at,
        now=f"{now:,}",
        now_x=round(float(x[at]), 1),
        lines=[
            Line(_steps(x, shares[days]), look, _DASHES[look], name)
            for days, look, name in zip(horizons, looks, words, strict=True)
        ],
        rungs=[(_height(p), f"{100 * p:.0f}%") for p in (0.0, 0.25, 0.5, 0.75, 1.0)],
        ticks=[(round(float(x[k]), 1), f"{counts[k]:,}") for k in np.linspace(0, len(counts) - 1, 7).astype(int)],
        dots=[
            {
                "x": round(float(x[k]), 1),
                "y": _height(float(shares[last][k])),
                "said": f"{plural(int(counts[k]), 'licence')}: {told[last][k]} within {words[-1]}{bound}",
            }
            for k in some
        ],
        said=_said(now, words, [told[days][at] for days in horizons], bound),
        alt=f"Chance of exceeding a licence count within {words[-1]}: "
        f"{told[last][at]} at today's {plural(now, 'licence')}; it falls as licences are added.",
        json=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        table=Table(
            ["Licences", *(f"within {name}" for name in words)],
            [[f"{counts[k]:,}", *(told[days][k] for days in horizons)] for k in rows],
        ),
    )


def _said(now: int, words: list[str], chances: list[str], bound: str) -> str:
    """Return the sentence for today's count; report.js says the same of the others."""
    *some, last = [f"{share} within {days}" for share, days in zip(chances, words, strict=True)]
    whole = f"{', '.join(some)} and {last}" if some else last
    return f"With {plural(now, 'licence')} (as many as today) the chance of exceeding them is {whole}{bound}."


def _maxima(assessment: Assessment, days: int) -> np.ndarray:
    """Return the highest peak of the first `days` on each path of the series that the verdict is about."""
    assert assessment.forecast is not None
    return np.asarray(assessment.forecast.series(assessment.variant or None)[:, :days].max(axis=1))


def _counts(highest: np.ndarray, now: int) -> np.ndarray:
    """Return the counts on the slider: from where exceeding is sure to where it never happens, today's among them."""
    low, high = min(int(highest[0]) - 1, now), max(int(highest[-1]), now) + 1
    step = max(1, -(-(high - low) // _MOST))
    low = max(now - step * -(-(now - max(low, 0)) // step), now % step)
    return np.arange(low, high + step, step)


def _steps(x: np.ndarray, share: np.ndarray) -> str:
    points = [f"M{x[0]:.1f} {_height(float(share[0]))}"]
    points += [f"H{a:.1f}V{_height(float(p))}" for a, p in zip(x[1:], share[1:], strict=True)]
    return "".join(points)


def _height(p: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * p, 1)
