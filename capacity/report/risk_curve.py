"""The risk curve of the HTML file: for every licence count the chance of exceeding it, ready to be drawn and told."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.analysis.assessment import Assessment
from capacity.ground.arrays import Floats, Ints
from capacity.ground.text import chance, plural
from capacity.report.frame import licences_now

_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 706.0, 16.0, 208.0  # of the drawing [px]
_MOST = 200  # counts on the slider
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


def risk_curve(assessment: Assessment) -> Curve | None:
    """Return the curve over licence counts held throughout, and the headline at each; None without headroom."""
    chances = assessment.risk_curve()
    if chances is None:
        return None
    now = licences_now(assessment)
    shown = chances.reindex(_counts(chances, now), fill_value=0.0)
    counts, words = shown.index.to_numpy(), [plural(int(days), "day") for days in shown]
    told = {days: [chance(float(p)) for p in share] for days, share in shown.items()}
    headlines = [assessment.headline_at(int(count)).text for count in counts]
    scale = (_RIGHT - _LEFT) / max(int(counts[-1] - counts[0]), 1)
    x = _LEFT + scale * (counts - counts[0])
    looks = list(_DASHES)[: len(words)][::-1]
    last = shown.columns[-1]
    at = int(np.searchsorted(counts, now))
    rows = np.unique([0, at, len(counts) - 1, *np.linspace(0, len(counts) - 1, 24).astype(int)])
    data = {
        "counts": counts.tolist(),
        "now": now,
        "horizons": words,
        "chances": list(told.values()),
        "headlines": headlines,
        "left": _LEFT,
        "scale": scale,
    }
    return Curve(
        counts=counts.tolist(),
        at=at,
        now=f"{now:,}",
        now_x=round(float(x[at]), 1),
        lines=[
            Line(_steps(x, shown[days].to_numpy()), look, _DASHES[look], name)
            for days, look, name in zip(shown, looks, words, strict=True)
        ],
        rungs=[(_height(p), f"{100 * p:.0f}%") for p in (0.0, 0.25, 0.5, 0.75, 1.0)],
        ticks=[(round(float(x[k]), 1), f"{counts[k]:,}") for k in _spread(len(counts), 7)],
        dots=[
            {
                "x": round(float(x[k]), 1),
                "y": _height(float(shown[last].iloc[k])),
                "said": f"{plural(int(counts[k]), 'licence')}: {told[last][k]} within {words[-1]}",
            }
            for k in _spread(len(counts), 60)
        ],
        said=_said(headlines[at], now, words, [share[at] for share in told.values()]),
        alt=f"Chance of exceeding a licence count within {words[-1]}: "
        f"{told[last][at]} at today's {plural(now, 'licence')}; it falls as licences are added.",
        json=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        table=Table(
            ["Licences", *(f"within {name}" for name in words)],
            [[f"{counts[k]:,}", *(share[k] for share in told.values())] for k in rows],
        ),
    )


def _said(headline: str, now: int, words: list[str], chances: list[str]) -> str:
    """Return the sentence for today's count; report.js says the same of the others."""
    *some, last = [f"{share} within {days}" for share, days in zip(chances, words, strict=True)]
    whole = f"{', '.join(some)} and {last}" if some else last
    return f"{headline} With {plural(now, 'licence')} (as many as today) the chance of exceeding them is {whole}."


def _counts(chances: pd.DataFrame, now: int) -> Ints:
    """Return the counts on the slider: from where exceeding is sure to where it never happens, today's among them."""
    last = chances.iloc[:, -1]
    low, high = min(int((last >= 1).sum()), now), max(int((last > 0).sum()), now) + 1
    step = max(1, -(-(high - low) // _MOST))
    first = now - step * ((now - max(low - 1, 0)) // step)
    return np.arange(first, high + step, step)


def _spread(length: int, most: int) -> Ints:
    return np.unique(np.linspace(0, length - 1, most).astype(int))


def _steps(x: Floats, share: Floats) -> str:
    points = [f"M{x[0]:.1f} {_height(float(share[0]))}"]
    points += [f"H{a:.1f}V{_height(float(p))}" for a, p in zip(x[1:], share[1:], strict=True)]
    return "".join(points)


def _height(p: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * p, 1)
