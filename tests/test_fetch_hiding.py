"""Phone numbers in a store: hashed under its key, and those of stores from before still found."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import capacity as cap
from capacity.fetch import hiding

from .faulty_server import FaultyServer
from .three_intervals import END, KEY, START, TRUTH, fetch

NUMBER, OTHER = "+447856838428", "+447856838429"


@pytest.fixture
def client():
    """Connect to a server of three intervals."""
    with (
        FaultyServer(TRUTH) as server,
        cap.Client("A", "P", api_key=KEY, base_url=server.url) as made,
    ):
        made.server = server
        yield made


def everything(store: Path) -> str:
    """Return all names and all bytes of a store, but for its key."""
    files = [p for p in store.rglob("*") if p.is_file() and not p.name.startswith(".key")]
    return "\n".join([*map(str, store.rglob("*")), *(p.read_bytes().decode("latin-1") for p in files)])


def fetched(client, store) -> None:
    """Fetch with one number, with two beside each other, and with a filter that is none."""
    fetch(client, store=store, phone_number=NUMBER)
    cap.fetch_intervals(client, START, END, phone_numbers=[NUMBER, OTHER], language="cy", total=False, store=store)
    fetch(client, store=store, language="en-GB")


def read(store) -> list[int]:
    """Return how many rows each selection has."""
    frames = [
        cap.read_intervals(store, phone_number=NUMBER),
        cap.read_intervals(store, phone_numbers=[OTHER, NUMBER], language="cy"),
        cap.read_intervals(store, language="en-GB", slice_by="variant"),
    ]
    assert set(frames[1].index.levels[1]) == {NUMBER, OTHER}
    return [len(frame) for frame in frames]


def test_a_number_cannot_be_guessed_from_paths_and_metadata(client, tmp_path):
    """A phone number was found by hashing all there are and looking at a path."""
    for name in ("one", "two"):
        fetched(client, tmp_path / name)
        assert read(tmp_path / name) == [3, 6, 3]
    guess = hashlib.sha256(NUMBER.encode()).hexdigest()[:16]
    old = hashlib.sha256(f"phone_number=#{guess}".encode()).hexdigest()[:16]
    english = hashlib.sha256(b"language=en-GB").hexdigest()[:16]
    for said in (guess, old, english, NUMBER, NUMBER[1:]):
        assert said not in everything(tmp_path / "one")
    names = [{p.name for p in (tmp_path / store).rglob("filters=*")} for store in ("one", "two")]
    assert len(names[0]) == 4
    assert not names[0] & names[1]
    client.server.requests.clear()
    fetched(client, tmp_path / "one")
    assert client.server.requests == []


def test_a_store_without_a_key_is_read_and_written_on(client, tmp_path, monkeypatch):
    """What 0.1.0 stored for a phone number was not found again, or asked for again."""
    with monkeypatch.context() as patch:
        patch.setattr("capacity.fetch.store.new_hider", lambda root: hiding.OLD)
        fetched(client, tmp_path)
    guess = hashlib.sha256(NUMBER.encode()).hexdigest()[:16]
    assert guess in everything(tmp_path)
    folders = {p.name for p in tmp_path.rglob("filters=*")}
    client.server.requests.clear()
    fetched(client, tmp_path)
    assert client.server.requests == []
    assert read(tmp_path) == [3, 6, 3]
    fetch(client, store=tmp_path, phone_number=NUMBER, refetch=True)
    assert {p.name for p in tmp_path.rglob("filters=*")} == folders
    fetch(client, store=tmp_path, phone_number="+15550100")  # a number that is new here gets the better hash
    assert len(list(tmp_path.glob(".key.*"))) == 1
    assert read(tmp_path)[0] == 3


def test_two_keys_in_one_store_are_both_tried(client, tmp_path):
    """Two writers that each gave a store a key lost what was written under the other's."""
    fetch(client, store=tmp_path, phone_number=NUMBER)
    (key,) = tmp_path.glob(".key.*")
    key.rename(key.with_name(".key.zz"))
    hiding.new_hider(tmp_path)
    client.server.requests.clear()
    assert len(fetch(client, store=tmp_path, phone_number=NUMBER)) == 3
    assert client.server.requests == []
    assert len(cap.read_intervals(tmp_path, phone_number=NUMBER)) == 3
