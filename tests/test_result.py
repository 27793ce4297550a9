"""What every result can do: a short repr, HTML, a table, and a picture where there is one."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

import capacity as cap

from .made_assessments import ordinary

WITH_PICTURE = ("forecast", "headroom", "diversity", "cost", "busy_hours", "backtest", "coverage", "utilisation")
PUBLIC = sorted(
    name
    for name in cap.__all__
    if isinstance(getattr(cap, name), type) and issubclass(getattr(cap, name), cap.Result) and name != "Result"
)


@pytest.mark.parametrize("field", ["", *WITH_PICTURE])
def test_repr_is_short_and_html_has_the_figures(field: str) -> None:
    """A result would show itself as a dataclass dump of thousands of characters, or without its figures."""
    result = getattr(ordinary(), field) if field else ordinary()
    assert isinstance(result, cap.Result)
    name = type(result).__name__
    assert repr(result).startswith(f"<{name}: ") and repr(result).endswith(">")
    assert "\n" not in repr(result) and len(repr(result)) <= 200 + len(name) + 4
    assert "<table" in result._repr_html_()
    assert isinstance(result.to_frame(), pd.DataFrame)


@pytest.mark.parametrize("field", ["", *WITH_PICTURE])
def test_plot_draws_where_it_is_told_or_on_axes_of_its_own(field: str) -> None:
    """`result.plot()` would draw nothing, draw elsewhere, or leave the look of other figures changed."""
    result = getattr(ordinary(), field) if field else ordinary()
    before = dict(matplotlib.rcParams)
    _, given = pyplot.subplots()
    assert result.plot(given) is given
    own = result.plot()
    assert isinstance(own, Axes) and own is not given and own.get_children()
    pyplot.close("all")
    assert dict(matplotlib.rcParams) == before


def test_results_without_a_picture_say_so() -> None:
    """A result without a picture would end in an AttributeError."""
    with pytest.raises(cap.errors.ConfigError, match="a Licences has no picture"):
        ordinary().licences.plot()


@pytest.mark.parametrize("name", PUBLIC)
def test_every_result_class_defines_its_table(name: str) -> None:
    """`to_frame()` would raise NotImplementedError for one of the public results."""
    assert getattr(cap, name).to_frame is not cap.Result.to_frame
    assert getattr(cap, name).__str__ is not object.__str__
