from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import capacity as cap
from capacity.errors import ConfigError, FrameError
from capacity.ground.dense import dense
from capacity.ground.frame import NONE, assemble

T0 = pd.Timestamp("2026-07-01T14:00Z")


def rows(*items: tuple[int, str, int], by: str = "variant") -> pd.DataFrame:
    """Rows of (5-minute step after T0, slice value, maximum)."""
    return pd.DataFrame(
        {
            "time": pd.DatetimeIndex([T0 + step * pd.Timedelta(minutes=5) for step, _, _ in items], tz="UTC"),
            by: [label for _, label, _ in items],
            "max_concurrent": [value for _, _, value in items],
        }
    )


def test_constructor_sorts_and_sets_dtypes():
    """The frame would not be what DESIGN promises: index names, order, dtypes."""
    frame = cap.as_intervals(rows((1, "b", 2), (0, "b", 1), (0, "*", 7)))
    assert list(frame.index.names) == ["time", "variant"]
    assert frame.index.tolist() == [(T0, "*"), (T0, "b"), (T0 + pd.Timedelta(minutes=5), "b")]
    assert str(frame.index.levels[0].dtype) == "datetime64[ns, UTC]"
    assert frame["max_concurrent"].dtype == np.int32
    assert frame["max_concurrent"].tolist() == [7, 1, 2]
    assert frame["variant_name"].tolist() == ["All variants", "b", "b"]
    assert frame["variant_name"].dtype == "category"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_every_datetime_unit_is_normalised(unit):
    """A pandas 3 frame in microseconds would be taken for another instant, or rejected."""
    df = rows((0, "a", 1))
    df["time"] = df["time"].dt.as_unit(unit)
    assert cap.as_intervals(df).index[0] == (T0, "a")


def test_offsets_become_utc():
    """A frame in local time would be off by its offset."""
    df = rows((0, "a", 1))
    df["time"] = df["time"].dt.tz_convert("Asia/Kolkata")
    assert cap.as_intervals(df).index[0][0] == T0
    assert str(cap.as_intervals(df).index[0][0].tz) == "UTC"


def test_index_or_columns_make_the_same_frame():
    """A round trip through reset_index would change the frame."""
    frame = cap.as_intervals(rows((0, "a", 1), (1, "a", 2), (1, "*", 2)))
    pd.testing.assert_frame_equal(cap.as_intervals(frame), frame)
    pd.testing.assert_frame_equal(cap.as_intervals(frame.reset_index()), frame)


def test_empty_frame_has_the_schema():
    """An empty answer would break whoever reads its dtypes."""
    frame = cap.as_intervals(pd.DataFrame(columns=["time", "variant", "max_concurrent"]))
    assert len(frame) == 0
    assert frame["max_concurrent"].dtype == np.int32
    assert str(frame.index.levels[0].dtype) == "datetime64[ns, UTC]"
    assert cap.validate(frame) is frame
    assert len(cap.total(frame)) == len(cap.variants(frame)) == 0


def test_other_slices_name_the_second_level():
    """`language` frames would come out as `variant` ones."""
    assert list(cap.as_intervals(rows((0, "en-GB", 1), by="language")).index.names) == ["time", "language"]
    assert list(cap.as_intervals(rows((0, "q1", 1), by="queue")).index.names) == ["time", "queue"]


def test_missing_slice_value_is_none():
    """A call without a variant would vanish, or be called 'nan'."""
    df = rows((0, "a", 1), (1, "a", 2))
    df.loc[1, "variant"] = None
    assert cap.as_intervals(df).index.get_level_values(1).tolist() == ["a", NONE]


def test_latest_name_wins():
    """A renamed variant would keep its old name, or have two."""
    df = rows((1, "a", 2), (0, "a", 1)).assign(variant_name=["New", "Old"])
    assert cap.as_intervals(df)["variant_name"].unique().tolist() == ["New"]
    df = rows((0, "a", 1), (1, "a", 2), (2, "a", 2)).assign(variant_name=["New", "Old", "New"])
    assert cap.as_intervals(df)["variant_name"].unique().tolist() == ["New"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.assign(max_concurrent=[-1, 1]), "-1"),
        (lambda d: d.assign(max_concurrent=[0.5, 1]), "0.5"),
        (lambda d: d.assign(max_concurrent=[np.nan, 1]), "missing row"),
        (lambda d: d.assign(max_concurrent=[2**31, 1]), "2147483648"),
        (lambda d: d.assign(max_concurrent=["3", "1"]), "not whole numbers"),
        (lambda d: d.assign(max_concurrent=[True, False]), "not whole numbers"),
        (lambda d: d.assign(time=d["time"].dt.tz_localize(None)), "tz_localize"),
        (lambda d: d.assign(time=d["time"] + pd.Timedelta(seconds=1)), "5-minute grid"),
        (lambda d: d.assign(time=[T0, pd.NaT]), "no time"),
        (lambda d: d.assign(time=[T0, T0]), "twice"),
        (lambda d: d.drop(columns="max_concurrent"), "max_concurrent"),
        (lambda d: d.drop(columns="variant"), "one slice"),
        (lambda d: d.assign(language="en"), "one slice"),
        (lambda d: d.assign(time=["2026-07-01", "2026-07-02"]), "aware datetime"),
    ],
)
def test_what_breaks_the_rules_is_rejected(change, says):
    """A frame with a wrong value would reach the analyses and give a wrong number."""
    with pytest.raises(FrameError, match=says):
        cap.as_intervals(change(rows((0, "a", 1), (1, "a", 2))))


def test_validate_finds_what_was_done_to_a_frame_later():
    """An analysis would take a frame that someone sorted, cast or cut by hand."""
    good = cap.as_intervals(rows((0, "a", 1), (1, "a", 2)))
    with pytest.raises(FrameError, match="not sorted"):
        cap.validate(good.iloc[::-1])
    with pytest.raises(FrameError, match="twice"):
        cap.validate(pd.concat([good, good]).sort_index())
    with pytest.raises(FrameError, match="int32"):
        cap.validate(good.astype({"max_concurrent": "int64"}))
    with pytest.raises(FrameError, match="columns"):
        cap.validate(good.assign(more=1))
    with pytest.raises(FrameError, match="never negative"):
        cap.validate(good.assign(max_concurrent=np.array([1, -2], dtype=np.int32)))
    with pytest.raises(FrameError, match="as_intervals"):
        cap.validate(good.reset_index())


def test_total_and_variants_part_the_frame():
    """Someone would count the total twice."""
    frame = cap.as_intervals(rows((0, "a", 1), (0, "*", 2), (1, "b", 3)))
    assert cap.total(frame).index.get_level_values(1).unique().tolist() == ["*"]
    assert cap.variants(frame).index.get_level_values(1).tolist() == ["a", "b"]
    assert cap.variants(frame).index.levels[1].tolist() == ["a", "b"]
    cap.validate(cap.variants(frame))


def test_concat_joins_and_refuses_doubles():
    """Joined frames would lose a row, a name, or hide a conflict."""
    a = cap.as_intervals(rows((0, "a", 1), (2, "a", 1)).assign(variant_name="Alpha"))
    b = cap.as_intervals(rows((1, "b", 5)))
    both = cap.concat([b, a])
    assert both["max_concurrent"].tolist() == [1, 5, 1]
    assert both["variant_name"].tolist() == ["Alpha", "b", "Alpha"]
    with pytest.raises(FrameError, match="twice"):
        cap.concat([a, a])
    with pytest.raises(FrameError, match="language"):
        cap.concat([a, cap.as_intervals(rows((0, "en", 1), by="language"))])
    with pytest.raises(ConfigError):
        cap.concat([])


@given(
    st.dictionaries(st.tuples(st.integers(0, 30), st.sampled_from("abc*")), st.integers(0, 99), min_size=1),
    st.randoms(),
)
def test_any_order_of_rows_makes_the_same_frame(cells, random):
    """The result would depend on the order in which a server sends rows."""
    items = [(step, label, value) for (step, label), value in cells.items()]
    shuffled = random.sample(items, len(items))
    frame = cap.as_intervals(rows(*shuffled))
    assert frame["max_concurrent"].tolist() == [v for _, _, v in sorted(items)]
    pd.testing.assert_frame_equal(frame, cap.as_intervals(rows(*items)))


@given(st.dictionaries(st.tuples(st.integers(0, 12), st.sampled_from("abc*")), st.integers(0, 99), min_size=1))
def test_dense_holds_every_row_once(cells):
    """The matrix that the analyses count on would misplace a value or invent one."""
    frame = cap.as_intervals(rows(*((s, label, v) for (s, label), v in cells.items())))
    matrix = dense(frame)
    found = {
        (int((t - T0) / pd.Timedelta(minutes=5)), label): int(matrix.values[i, j])
        for i, t in enumerate(matrix.times)
        for j, label in enumerate(matrix.ids)
        if matrix.values[i, j] >= 0
    }
    assert found == cells


def test_dense_is_filled_in_blocks(monkeypatch):
    """A row at the seam of two blocks would be lost, or stand at another time."""
    frame = cap.as_intervals(rows((0, "a", 1), (0, "b", 2), (2, "b", 3), (3, "a", 4), (3, "b", 5)))
    for block in (1, 2, 3, 5):
        monkeypatch.setattr("capacity.ground.dense._BLOCK", block)
        assert dense(frame).values.tolist() == [[1, 2], [-1, 3], [4, 5]]


def test_dense_of_a_cut_frame_forgets_what_was_cut():
    """Unused levels of a filtered frame would come back as empty rows."""
    frame = cap.as_intervals(rows((0, "a", 1), (0, "b", 2), (5, "b", 3)))
    cut = frame[frame.index.get_level_values(1) == "b"]
    assert dense(cut).ids == ["b"]
    assert dense(cut).values.tolist() == [[2], [3]]


def test_assemble_checks_what_it_is_given():
    """The fast door would let in what the slow one stops."""
    times = pd.DatetimeIndex([T0])
    with pytest.raises(FrameError, match="twice"):
        assemble(
            times=times, time_codes=np.array([0, 0]), ids=["a"], id_codes=np.array([0, 0]), values=np.array([1, 2])
        )


def test_picking_keeps_the_schema_where_variants_appear_out_of_order():
    """The variants of a frame in which "b" appears before "a" would be refused as a frame by every analysis."""
    times = pd.to_datetime(["2026-07-01T14:00Z", "2026-07-01T14:05Z", "2026-07-01T14:05Z", "2026-07-01T14:00Z"])
    table = pd.DataFrame({"time": times, "variant": ["b", "a", "b", cap.TOTAL], "max_concurrent": [1, 2, 3, 4]})
    frame = cap.as_intervals(table)
    picked = cap.validate(cap.variants(frame))
    assert picked.index.levels[1].tolist() == ["a", "b"]
    assert picked["max_concurrent"].droplevel(0).to_dict() == {"a": 2, "b": 3}
    assert picked["variant_name"].tolist() == ["b", "a", "b"]
    assert cap.validate(cap.total(frame))["max_concurrent"].tolist() == [4]
    assert cap.total(frame).index.levels[0].tolist() == [times[0]]


def test_concat_takes_the_name_of_the_latest_row():
    """A renamed variant would get its old name back from the longer of two frames."""
    old = cap.as_intervals(rows(*((k, "a", 1) for k in range(19))).assign(variant_name="old"))
    new = cap.as_intervals(rows((19, "a", 1)).assign(variant_name="new"))
    for parts in ([old, new], [new, old]):
        assert cap.concat(parts)["variant_name"].unique().tolist() == ["new"]
