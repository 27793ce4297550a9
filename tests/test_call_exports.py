"""Small made-up samples of exports of phone systems and voice agents, in call_exports: the first command is right."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import capacity as cap
from capacity.calls.decide import Undecided
from capacity.calls.known import exports

FILES = Path(__file__).with_name("call_exports")
T = "2026-02-03T"
TWO = [(T + "09:00:10Z", 110), (T + "09:01:30Z", 200)]
# file -> (the known export, the calls as start and seconds, UTC)
SAMPLES: dict[str, tuple[str, list[tuple[str, int]]]] = {
    "polyai.json": ("polyai", TWO),
    "vapi.json": ("vapi", TWO),
    "retell.jsonl": ("retell", TWO),
    "elevenlabs.json": ("elevenlabs", TWO),
    "genesys.json": ("genesys", TWO),
    "twilio.json": ("twilio", TWO),
    "connect.jsonl": ("amazon-connect", TWO),
    "ringcentral.json": ("ringcentral-api", TWO),
    "zoom.json": ("zoom", TWO),
    "aircall.json": ("aircall-api", TWO),
    "aircall.csv": ("aircall", [*TWO, (T + "09:01:41Z", 0)]),
    "five9.csv": ("five9", TWO),
    "callrail.csv": ("callrail", TWO),
    "callrail.json": ("callrail", TWO),
    "3cx.csv": ("3cx", TWO),
    "3cx-report.csv": ("3cx-report", [*TWO, (T + "09:01:51Z", 0)]),
    "asterisk.csv": ("asterisk", TWO),
    "freepbx.csv": ("freepbx", TWO),
    "freeswitch.csv": ("freeswitch", TWO),
    "fusionpbx.csv": ("fusionpbx", TWO),
    "freeswitch.jsonl": ("freeswitch-json", TWO),
    "cucm.csv": ("cucm", TWO),
    "avaya.csv": ("avaya", [*TWO, (T + "09:01:41Z", 0)]),
    "fritzbox.csv": ("fritzbox", [(T + "09:00:00Z", 120), (T + "09:01:00Z", 240), (T + "09:01:00Z", 0)]),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_first_reading_is_right(name):
    """An export that many people have would not be known, or the wrong ones of its times be taken."""
    like, wanted = SAMPLES[name]
    calls = cap.read_calls(FILES / name, tz="UTC")
    assert f"like {like}:" in str(calls.account)
    found = sorted(zip(calls.frame["start"], calls.frame["end"], strict=True))
    assert found == sorted((pd.Timestamp(s), pd.Timestamp(s) + pd.Timedelta(seconds=n)) for s, n in wanted)


def test_every_known_export_has_a_sample():
    """An export would be in the table that nobody ever tried."""
    without = {"technion-bank", "ringcentral", "fritzbox-en"}  # tried elsewhere: the log itself, and a case of its own
    assert set(exports()) == {like for like, _ in SAMPLES.values()} | without


def test_columns_by_nearly_our_names(tmp_path):
    """A log of columns with other names, in other tongues, would need every column to be said."""
    for start, end, length in (
        ("Call Start Time", "Call End Time", None),
        ("callStartedAt", "call_ended_at", None),
        ("Beginn", None, "Dauer (s)"),
        ("Início", None, "Duração (s)"),
        ("Heure de début", None, "Durée (secondes)"),
        ("Fecha y hora", None, "Duración (segundos)"),
        ("START_TIME_UTC", None, "DURATION_SECS"),
    ):
        path = Path(tmp_path) / "log.csv"
        path.write_text(
            f"who;{start};{end or length}\nA;2026-02-03 09:00:10;{'2026-02-03 09:02:00' if end else '110'}\n", "utf-8"
        )
        calls = cap.read_calls(path, tz="UTC")
        assert str(calls.frame["end"][0] - calls.frame["start"][0]) == "0 days 00:01:50", start


def test_unknown_columns_are_asked_about(tmp_path):
    """A column that nobody named would be taken for the end of calls."""
    path = tmp_path / "log.csv"
    path.write_text(
        "a,b,c\n2026-02-03 09:00:10,2026-02-03 09:02:00,7\n2026-02-03 09:01:30,2026-02-03 09:04:50,8\n", "utf-8"
    )
    with pytest.raises(Undecided) as caught:
        cap.read_calls(path, tz="UTC")
    calls = eval(caught.value.choices[0][0], {"cap": cap})
    assert (calls.frame["end"] - calls.frame["start"]).dt.total_seconds().tolist() == [110, 200]
