"""The plan of a fleet: one reader for CSV and DataFrame, and a reason for each row that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from capacity.errors import ConfigError
from capacity.fleet.plan import read_plan

GOOD = {
    "project": ["hotel", "bank"],
    "store": ["stores/hotel", "s3://bucket/bank"],
    "licences": ["40", "100,2026-03-01:120"],
    "tz": "UTC",
}


def test_csv_and_frame_say_the_same(tmp_path, monkeypatch):
    """A plan would mean one thing as a file and another as a DataFrame."""
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame(
        GOOD
        | {
            "pool": ["east", None],
            "licence_price": [None, 1200.0],
            "lost_call_cost": [None, 0.8],
            "mean_call_length": [None, "3m"],
            "account": [7, 8],
        }
    )
    table.astype({"account": "object"}).to_csv("plan.csv", index=False)
    from_frame, from_file = read_plan(table), read_plan(tmp_path / "plan.csv")
    assert from_frame.failures == from_file.failures == ()
    hotel = from_frame.rows[0]
    assert (hotel.store, hotel.pool, hotel.account) == (str(tmp_path / "stores/hotel"), "east", "7")
    assert from_frame.rows[1].store == "s3://bucket/bank"
    assert [r.licences for r in from_file.rows] == [r.licences for r in from_frame.rows] == ["40", "100,2026-03-01:120"]
    assert float(from_file.rows[1].licence_price) == float(from_frame.rows[1].licence_price) == 1200.0
    assert [(r.store, r.tz, r.pool, r.account) for r in from_file.rows] == [
        (r.store, r.tz, r.pool, r.account) for r in from_frame.rows
    ]


def test_paths_are_relative_to_the_plan(tmp_path, monkeypatch):
    """A plan would read other stores when it is run from another folder."""
    plan = tmp_path / "plans" / "plan.csv"
    plan.parent.mkdir()
    plan.write_text(
        "project,store,licences,tz,events\nhotel,../stores/a:b,40,UTC,launch.toml\nbank,/data/bank,5,UTC,\n"
    )
    monkeypatch.chdir("/")
    hotel, bank = read_plan(plan).rows
    assert Path(hotel.store).resolve() == tmp_path / "stores" / "a:b"
    assert hotel.events == str(tmp_path / "plans" / "launch.toml")
    assert bank.store == "/data/bank"


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("licences", "many", "'many' is no count"),
        ("licences", "", "licences is missing"),
        ("licences", "-3", "'-3' is no count"),
        ("store", "", "store is missing"),
        ("tz", "Mars/Olympus", "'Mars/Olympus' is no IANA time zone"),
        ("tz", "", "tz is missing"),
        ("env", "production", "'production' is no environment"),
        ("holidays", "XX", "'XX' is no calendar"),
        ("mean_call_length", "180", "has no unit"),
        ("licence_price", "12", "give all three"),
        ("key_env", "pk-live-4f9a", "never write a key there"),
        ("project", "hotel", "in the plan twice"),
    ],
)
def test_a_bad_row_is_a_failure_and_the_others_stand(column, value, words):
    """One bad row would cost the whole run, or pass in silence."""
    table = pd.DataFrame(
        GOOD | {c: ["", ""] for c in ("env", "holidays", "mean_call_length", "licence_price", "key_env")}
    )
    table.loc[1, column] = value
    plan = read_plan(table)
    assert [row.project for row in plan.rows] == ["hotel"]
    assert words in plan.failures[0].reason
    assert plan.order == ("hotel", plan.failures[0].project)
    assert "4f9a" not in plan.failures[0].reason


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"licenses": 4}, "do you mean 'licences'"),
        ({"api_key": "k"}, "keys do not belong in a plan"),
        ({"Store": "x"}, "do you mean 'store'"),
    ],
)
def test_a_misspelt_column_is_refused(columns, words):
    """A column would be ignored that its writer counts on."""
    with pytest.raises(ConfigError, match=words):
        read_plan(pd.DataFrame(GOOD | columns))


def test_other_columns_are_noted():
    """A plan with an owner's column could not be used, or nobody would say that it is not read."""
    plan = read_plan(pd.DataFrame(GOOD | {"owner": "Ann"}))
    assert len(plan.rows) == 2
    assert "'owner'" in plan.notes[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("project,store,licences\nhotel,a,4\n", "no column 'tz'"),
        ("project,store,licences,tz\n", "no rows"),
        ("project,store,licences,tz\nhotel,a,100,2026-03-01:120,UTC\n", "in quotes"),
        ("", "has no header"),
        ("\n", "has no header"),
        ('project,store,licences,tz\n"hotel,a,4,UTC\n', "cannot be read as CSV"),
        ("Project,Store,Licences,TZ\nhotel,a,4,UTC\n", "do you mean 'project'"),
        ("project,store,licenses,tz\nhotel,a,4,UTC\n", "do you mean 'licences'"),
    ],
)
def test_a_file_that_is_no_plan(tmp_path, text, words):
    """A traceback of pandas would reach the reader."""
    (tmp_path / "plan.csv").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_plan(tmp_path / "plan.csv")
    with pytest.raises(ConfigError, match="is no file"):
        read_plan(tmp_path / "none.csv")


@pytest.mark.parametrize("part", [";", "\t"])
def test_a_spreadsheets_own_csv_is_read(tmp_path, part):
    """What Excel writes in half of Europe would have no column 'project'."""
    lines = [["project", "store", "licences", "tz"], ["hotel", "a", "100,2026-03-01:120", "UTC"]]
    (tmp_path / "plan.csv").write_text("".join(f"{part.join(line)}\r\n" for line in lines), encoding="utf-8-sig")
    (row,) = read_plan(tmp_path / "plan.csv").rows
    assert (row.project, row.licences) == ("hotel", "100,2026-03-01:120")
    (tmp_path / "plan.csv").write_bytes("project,store,licences,tz\nhôtel,a,4,UTC\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="save it as CSV UTF-8"):
        read_plan(tmp_path / "plan.csv")
