"""What a store says of itself, and taking a frame out of it."""

from __future__ import annotations

import errno

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import capacity as cap
from capacity.fetch.endpoint import Scope
from capacity.fetch.payload import Rows
from capacity.fetch.status import status
from capacity.fetch.store import Store
from capacity.fetch.windows import split
from capacity.ground.export import export

MONDAY = pd.Timestamp("2026-01-12", tz="UTC")
DAY = pd.Timedelta(days=1)


def fill(root, scope: Scope, start: pd.Timestamp, end: pd.Timestamp, fetched_at: pd.Timestamp) -> None:
    """Write a constant answer for a range."""
    for window in split(start, end):
        steps = np.arange(window.first, window.last, dtype=np.int32)
        ids = ("a",) if scope.by else ("*",)
        Store(root).add(scope, window, Rows(steps, steps * 0, steps * 0 + 3, ids, {"a": 'Ä, "b"'}), fetched_at)


def test_status_tells_scopes_ranges_gaps_and_what_is_final(tmp_path):
    """A gap, a provisional week or a damaged file was not told."""
    scope = Scope("A", "P", filters=(("phone_number", "+447856838428"),))
    fill(tmp_path, Scope("A", "P", by="variant"), MONDAY, MONDAY + 14 * DAY, MONDAY + 15 * DAY)
    fill(tmp_path, scope, MONDAY, MONDAY + 2 * DAY, MONDAY + 30 * DAY)
    fill(tmp_path, scope, MONDAY + 3 * DAY, MONDAY + 4 * DAY, MONDAY + 30 * DAY)
    found = status(tmp_path)
    total, sliced = found.to_frame().sort_values("slice").to_dict("records")
    assert (sliced["slice"], sliced["start"], sliced["end"]) == ("variant", MONDAY, MONDAY + 14 * DAY)
    assert (sliced["intervals"], sliced["rows"], sliced["series"], sliced["files"]) == (4032, 4032, 1, 2)
    assert (sliced["final"], sliced["final_until"]) == (0.5, MONDAY + 7 * DAY)
    assert (total["windows"], total["intervals"], total["final"]) == (2, 3 * 288, 1.0)
    assert total["final_until"] == MONDAY + 2 * DAY
    assert found.gaps[["start", "end", "intervals"]].to_numpy().tolist() == [[MONDAY + 2 * DAY, MONDAY + 3 * DAY, 288]]
    assert sliced["bytes"] == sum(p.stat().st_size for p in tmp_path.rglob("slice=variant/*.parquet"))
    text = str(found)
    assert "gap 2026-01-14 00:00 to 2026-01-15 00:00 (288 intervals)" in text
    assert "7856838428" not in text
    assert "50.0% final" in text

    held = found.coverage
    assert held.table["missing"].tolist() == [11 * 288, 0]  # a day between, and all that the other scope has behind it
    assert held.gaps["intervals"].tolist() == [288, 10 * 288]
    assert [str(text.get_text())[:3] for text in found.plot().get_yticklabels()] == ["A/P", "A/P"]
    pyplot.close("all")

    path = min(tmp_path.rglob("slice=variant/*.parquet"))
    path.write_bytes(path.read_bytes()[:-9])
    assert [str(path) in message for message in status(tmp_path).damaged] == [True]


def test_status_of_an_empty_folder(tmp_path):
    """An empty store was an error."""
    assert len(status(tmp_path).to_frame()) == 0
    assert "0 scopes" in str(status(tmp_path))
    with pytest.raises(cap.errors.ConfigError, match="holds nothing to draw"):
        status(tmp_path).plot()


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".CSV"])
def test_an_export_is_read_back_as_it_was(tmp_path, ending):
    """An exported frame cannot be read as the frame it was: times, names with commas, or series."""
    fill(tmp_path / "store", Scope("A", "P", by="variant"), MONDAY, MONDAY + DAY, MONDAY + 30 * DAY)
    fill(tmp_path / "store", Scope("A", "P"), MONDAY, MONDAY + DAY, MONDAY + 30 * DAY)
    frame = cap.read_intervals(tmp_path / "store")
    path = export(frame, tmp_path / f"out{ending}")
    if ending == ".parquet":
        table = pd.read_parquet(path)
    else:
        assert path.read_text().splitlines()[1] == "2026-01-12T00:00:00Z,*,3,All variants"
        table = pd.read_csv(path, parse_dates=["time"])
    pd.testing.assert_frame_equal(cap.as_intervals(table), frame)


def test_an_export_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    """A full disk destroyed the file that was there, or ended in a traceback."""
    fill(tmp_path / "store", Scope("A", "P"), MONDAY, MONDAY + DAY, MONDAY + 30 * DAY)
    frame = cap.read_intervals(tmp_path / "store")
    out = tmp_path / "out.csv"
    out.write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(cap.errors.ConfigError, match="No space left"):
        export(frame, out)
    assert out.read_text() == "old"
    with pytest.raises(cap.errors.ConfigError, match="cannot be written"):
        export(frame, tmp_path / "no" / "such" / "out.parquet")
