"""Words beside points of a chart, where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes

from capacity.ground.arrays import Floats
from capacity.report.axes import STRONG, halo, height_of, width_of, write
from capacity.report.theme import CAPTION, INK, text_width

FAR = 4.0  # times what was seen: licences beyond are named at the edge, not drawn, or nothing else could be read
_SIZE = CAPTION + 0.5  # [pt]
_LOOK = STRONG | {"color": INK, "zorder": 7}
# To which side of a point its words may stand, and how much higher [pt]; the first free place is taken.
_PLACES = [
    (1, -7.0),
    (-1, 7.0),
    (1, -17.0),
    (-1, 17.0),
    (1, -27.0),
    (-1, 27.0),
    *((1, up) for up in (14.0, 26.0, 38.0, 50.0)),
]

_Box: TypeAlias = tuple[float, float, float]  # left, right and middle of a line of words [pt]


def leader(ax: Axes, x: float, y: float, words: str, *, drop: float = 0.0) -> None:
    """Write words beside a point, on the side where there is room, `drop` [pt] lower."""
    left, right = ax.get_xlim()
    share = (x - left) / (right - left) if right > left else 0.5
    need = (text_width(words, _SIZE, "bold") + 8) / max(width_of(ax), 1.0)
    on_right = share + need <= 1.0
    drop = min(drop, float(_points(ax, np.array([[left, y]]))[0, 1]) - _SIZE) if on_right else -abs(drop) / 2
    by, side = (6 if on_right else -6, -drop), "left" if on_right else "right"
    write(ax, x, y, words, by=by, ha=side, path_effects=halo(), **_LOOK)


def leaders(ax: Axes, notes: Sequence[tuple[float, float, str]], line: Floats) -> None:
    """Write words beside points (x, y, words): none over another, nor over a line of shape (points, 2)."""
    taken: list[_Box] = []
    path = _points(ax, line)
    for x, y, words in notes:
        at = _points(ax, np.array([[x, y]]))[0]
        need = text_width(words, _SIZE, "bold") + 2
        places = [(side, rise, _box(at, side, rise, need)) for side, rise in _PLACES]
        inside = [p for p in places if _inside(ax, p[2])] or places[:1]
        apart = [p for p in inside if not any(_meet(p[2], other) for other in taken)] or inside
        side, rise, box = next((p for p in apart if not _crossed(p[2], path)), apart[0])
        taken.append(box)
        ha = "left" if side > 0 else "right"
        write(ax, x, y, words, by=(6 * side, rise), ha=ha, path_effects=halo(), **_LOOK)


def _points(ax: Axes, data: Floats) -> Floats:
    """Return places in the axes [pt], from its lower left corner."""
    frame = ax.get_window_extent()
    dots = np.asarray(ax.transData.transform(data), dtype=np.float64) - (frame.x0, frame.y0)
    return np.asarray(dots * 72.0 / float(ax.figure.dpi))


def _box(at: Floats, side: int, rise: float, need: float) -> _Box:
    left = float(at[0]) + (6 if side > 0 else -6 - need)
    return left, left + need, float(at[1]) + rise


def _inside(ax: Axes, box: _Box) -> bool:
    return box[0] >= 0 and box[1] <= width_of(ax) and _SIZE - 0.5 <= box[2] <= height_of(ax) - _SIZE / 2


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and abs(one[2] - other[2]) < _SIZE + 2


def _crossed(box: _Box, path: Floats) -> bool:
    near = (path[:, 0] > box[0]) & (path[:, 0] < box[1])
    return bool((np.abs(path[near, 1] - box[2]) < _SIZE / 2 + 1).any())
