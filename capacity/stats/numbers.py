"""Numbers, or arrays of them, as the formulas take them: checked, broadcast, and given back in the shape they came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from capacity.errors import ConfigError
from capacity.ground.arrays import Bools, Floats


def as_arrays(**named: npt.ArrayLike) -> list[Floats]:
    """Return the arguments as arrays of one shape; ConfigError for what is no finite number of at least 0."""
    out = []
    for name, value in named.items():
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as exc:
            raise ConfigError(f"{name}={value!r} is no number") from exc
        bad = ~np.isfinite(array) | (array < 0) | ((array == 0) & (name == "peakedness"))
        if bool(bad.any()):
            least = "above 0" if name == "peakedness" else "of at least 0"
            raise ConfigError(f"{name}={array[bad].flat[0]} is out of range; give a finite number {least}")
        out.append(array)
    try:
        return [np.array(one) for one in np.broadcast_arrays(*out)]
    except ValueError as exc:
        shapes = {name: np.shape(value) for name, value in named.items()}
        raise ConfigError(f"shapes do not fit together: {shapes}") from exc


def unwrapped(values: npt.NDArray[Any]) -> Any:
    """Return an array as it is, and one without a dimension as its number."""
    return values[()].item() if values.ndim == 0 else values


def fewest(enough: Callable[[Floats], Bools], few: Floats, many: Floats) -> Floats:
    """Return the least whole numbers that are enough, by bisection for all at once.

    `few` are too few, `many` may be enough or not; both are whole numbers of one shape.
    """
    while not (fit := enough(many)).all():
        few, many = np.where(fit, few, many), np.where(fit, many, 2.0 * many + 16.0)
    while bool((many - few > 1.0).any()):
        middle = np.where(many - few > 1.0, np.floor((few + many) / 2), many)
        fit = enough(middle)
        few, many = np.where(fit, few, middle), np.where(fit, middle, many)
    return many
