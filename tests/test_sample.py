"""The sample: what is written about it is true of it, and its generator makes it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.errors import StoreError
from capacity.ground import sample

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Load the sample once."""
    return cap.load_sample()


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """Load data/make_sample.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("make_sample", DATA / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def remade(generator: ModuleType) -> pd.DataFrame:
    """Make the sample anew."""
    made: pd.DataFrame = generator.make()
    return made


def test_the_generator_makes_the_sample(frame: pd.DataFrame, remade: pd.DataFrame) -> None:
    """If the simulation drifts, the sample in the repository is no longer what its generator makes."""
    for mine, made in zip(frame.index.codes, remade.index.codes, strict=True):
        assert np.array_equal(mine, made)
    for mine, made in zip(frame.index.levels, remade.index.levels, strict=True):
        assert mine.equals(made)
    assert np.array_equal(frame["max_concurrent"], remade["max_concurrent"])
    assert frame["variant_name"].cat.categories.equals(remade["variant_name"].cat.categories)
    assert np.array_equal(frame["variant_name"].cat.codes, remade["variant_name"].cat.codes)


def test_the_generator_writes_the_same_bytes_twice(generator: ModuleType, remade: pd.DataFrame, tmp_path: Path) -> None:
    """If anything of the clock or the machine got into the file, it would change without a cause."""
    day = remade[remade.index.get_level_values("time") < "2024-07-02"]
    for name in ("a", "b"):
        generator.write(day, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_answers_are_of_the_sample(generator: ModuleType, remade: pd.DataFrame) -> None:
    """If the stored answers are not what the generator makes, one of them is out of date."""
    for name, body in generator.answers(remade).items():
        assert json.loads((DATA / "answers" / f"{name}.json").read_text(encoding="utf-8")) == body


def test_sample_is_small() -> None:
    """If the file grows, so does every wheel and every checkout."""
    assert (DATA / "sample.parquet").stat().st_size < 3_000_000


def test_what_is_written_about_the_sample(frame: pd.DataFrame) -> None:
    """If one of these fails, data/README.md and the docstring tell a story that the sample does not."""
    assert len(frame) == 1_141_781
    names = frame.groupby(level="variant", observed=True)["variant_name"].first().astype(str).to_dict()
    assert names == {
        "*": "All variants",
        "V-billing": "Billing",
        "V-bookings": "Bookings",
        "V-events": "Group events",
        "V-out-of-hours": "Out of hours",
        "V-reservas": "Reservas",
    }
    gaps = cap.coverage(frame).gaps
    assert set(gaps["start"]) == {pd.Timestamp("2025-10-21T22:00Z")}
    assert set(gaps["end"]) == {pd.Timestamp("2025-10-24T09:30Z")}
    total = cap.total(frame)["max_concurrent"].droplevel("variant")
    local = total.tz_convert("Europe/London")
    assert local.index[0] == pd.Timestamp("2024-07-01", tz="Europe/London")
    assert local.index[-1] == pd.Timestamp("2026-06-30 23:55", tz="Europe/London")
    assert local[:"2025-02-28"].max() == 80
    assert local["2025-03-01":].max() == 115
    campaign = local["2026-03-10 10:00":"2026-03-10 10:55"].mean()
    week_before = local["2026-03-03 10:00":"2026-03-03 10:55"].mean()
    assert campaign > 1.15 * week_before
    events = frame.xs("V-events", level="variant").tz_convert("Europe/London")
    assert events.index[0].normalize() == pd.Timestamp("2025-08-05", tz="Europe/London")


def test_maxima_bound_each_other(frame: pd.DataFrame) -> None:
    """If the total is below a variant or above the sum of all, it was not counted but made up."""
    parts = cap.variants(frame)["max_concurrent"].groupby(level="time").agg(["max", "sum"])
    whole = cap.total(frame)["max_concurrent"].droplevel("variant")
    assert parts.index.equals(whole.index)
    assert (parts["max"] <= whole).all()
    assert (whole <= parts["sum"]).all()


def test_missing_file_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """If the file is gone, the user reads a traceback of pyarrow instead of what to do."""
    monkeypatch.setattr(sample, "_PLACES", (tmp_path / "sample.parquet",))
    with pytest.raises(StoreError, match="install the library anew"):
        cap.load_sample()
