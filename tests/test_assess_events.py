"""Events and tariffs in an assessment and on the command line: every answer carries them."""

import json

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.cli import run
from capacity.errors import ConfigError


@pytest.fixture(scope="module")
def frame():
    """Return 200 days of TOTAL with a peak of about 60 at ten in the morning."""
    times = pd.date_range("2026-01-05", periods=200 * 288, freq="5min", tz="UTC")
    rng = np.random.default_rng(1)
    hour = (times.hour == 10) & (times.day_of_week < 5)
    calls = np.where(hour, rng.poisson(55, len(times)), 3)
    return cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": calls}))


LAUNCH = cap.Event("Hotels", ("2026-08-03", "2026-08-24"), (20, 30, 45), reason="Signed in May")


def test_every_answer_carries_the_events(frame):
    """Headroom, licences needed or the notes would be those without the launch."""
    how = {"tz": "UTC", "seed": 1, "horizon": 60, "backtest": False}
    plain = cap.assess(frame, 100, **how)
    told = cap.assess(frame, 100, events=[LAUNCH], **how)
    assert told.needed.loc[0.05].iloc[-1] >= plain.needed.loc[0.05].iloc[-1] + 20
    assert told.headroom.beyond < plain.headroom.beyond
    (note,) = [note for note in told.notes if note.field == "events"]
    adds = cap.event_effects(told.forecast, 100).loc["Hotels", "adds"]
    assert f"{adds:+,} licences at 5% risk" in note
    assert "Signed in May" in note
    assert told.forecast.events == (LAUNCH,)


def test_an_event_whose_days_are_over_is_scored(frame):
    """A launch that never came would go on as a promise."""
    past = cap.Event("Never", "2026-05-04", 40, reason="Said so")
    told = cap.assess(frame, 100, events=[past], tz="UTC", seed=1, horizon=30, backtest=False)
    (note,) = [note for note in told.notes if note.field == "events"]
    assert "Its days are over: not seen" in note


def test_a_tariff_in_place_of_prices(frame):
    """The cost would be of other rules than the tariff's, or two prices be given."""
    tariff = cap.Tariff(licence_price=240, lot=10, lost_call_cost=2)
    how = {"tz": "UTC", "seed": 1, "horizon": 30, "backtest": False}
    found = cap.assess(frame, 100, tariff=tariff, mean_call_length="3m", **how)
    assert found.cost.best % 10 == 0
    with pytest.raises(ConfigError, match="give it alone"):
        cap.assess(frame, 100, tariff=tariff, licence_price=2, lost_call_cost=1, mean_call_length="3m", **how)
    with pytest.raises(ConfigError, match="mean_call_length"):
        cap.assess(frame, 100, tariff=tariff, **how)


def test_files_on_the_command_line(frame, tmp_path, capsys):
    """Events and tariffs would not reach the verdict from files, or a wrong file end in a traceback."""
    frame.reset_index().to_parquet(tmp_path / "intervals.parquet")
    events, tariff = tmp_path / "events.toml", tmp_path / "tariff.toml"
    events.write_text('[[event]]\nname = "Hotels"\ndate = 2026-08-03\ncalls = 30\nreason = "Signed"\n')
    tariff.write_text("licence_price = 240\nlot = 10\nlost_call_cost = 2\n")
    told = ["headroom", "--intervals", str(tmp_path / "intervals.parquet"), "--licences", "100", "--tz", "UTC"]
    told += ["--horizon", "30", "--json", "--mean-call-length", "3m"]
    assert run([*told, "--events", str(events), "--tariff", str(tariff)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert any("Hotels" in note for note in answer["notes"])
    events.write_text("[[event]]\n")
    assert run([*told, "--events", str(events)]) == 1
    assert "event 1 lacks name and date and calls" in capsys.readouterr().err
