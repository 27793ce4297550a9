"""The ledger: what was recorded stays, scores are those of arithmetic, and the alarm keeps its promise."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.errors import ConfigError, InsufficientData, StoreError
from capacity.forecast.event_scores import score_events
from capacity.plan.alarm import alarm_of, day_scores
from capacity.plan.ledger_file import entry_of, read, write
from capacity.stats.evalues import innovations, wealth
from capacity.stats.level_moves import level_moves


def ideal(rng, start, days=42, level=100.0, paths=200, shared=0.03, noise=0.06):
    """Return a forecast of a known law: a level that all days share, and noise."""
    dates = pd.date_range(start, periods=days)
    common = 1 + shared * rng.standard_normal((paths, 1))
    drawn = np.rint(level * common * (1 + noise * rng.standard_normal((paths, days)))).astype(int)
    past = pd.date_range(end=dates[0] - pd.Timedelta(days=1), periods=60)
    history = pd.DataFrame({"*": np.full(60, level)}, index=past)
    return cap.PeakForecast(np.maximum(drawn, 0)[None], ("*",), dates, history, seed=7)


def year(rng, every=7, drift=0.0, at=150, shared=0.03, noise=0.06, weekday=None):
    """Return forecasts every few days, and the days that come by the same law; from `at` on they drift."""
    entries, came = [], []
    for day in range(0, 364, every):
        start = pd.Timestamp("2026-01-05") + pd.Timedelta(days=day)
        forecast = ideal(rng, start, days=every, shared=shared, noise=noise)
        entries.append(entry_of(forecast, made_on=start, variant="*", licences={}, settings={}))
        level = 100 * (1 + shared * rng.standard_normal())
        came.append(np.rint(level * (1 + noise * rng.standard_normal(every))))
    dates = pd.date_range("2026-01-05", periods=364)
    off = (np.arange(364) >= at) & ((dates.day_of_week == weekday) if weekday is not None else True)
    return entries, pd.Series(np.rint(np.concatenate(came) * np.where(off, 1 + drift, 1)), index=dates)


def alarm(entries, peaks):
    """Return the alarm of entries and days."""
    return alarm_of(entries, day_scores(entries, peaks), peaks)


def test_what_was_recorded_is_read_again(tmp_path):
    """A forecast would come back with other numbers, or twice after it was recorded twice."""
    ledger = cap.Ledger(tmp_path)
    forecast = ideal(np.random.default_rng(1), "2026-03-02")
    told = forecast.with_events(cap.Event("Hotels", "2026-03-10", 20, reason="Signed"))
    paths = {ledger.record(told, made_on="2026-03-02") for _ in range(2)}
    assert len(paths) == 1
    (entry,) = ledger.entries()
    assert (entry.dates == forecast.dates).all()
    assert entry.quantiles[5, 99] == np.quantile(told.series()[:, 5], 0.5, method="inverted_cdf")
    assert entry.needed(0.05) == cap.licences_needed(told, 0.05, 42).iloc[0, 0]
    assert entry.needed(0.05, events=False) == cap.licences_needed(forecast, 0.05, 42).iloc[0, 0]
    assert entry.events == (str(told.events[0]),)
    assert entry.chance(entry.needed(0.05)) <= 0.05
    other = ledger.record(forecast, made_on="2026-03-02")
    assert [e.number for e in ledger.entries()] == [0, 1]
    assert read(other).events == ()
    assert len(ledger.to_frame()) == 2
    assert "2 forecasts" in repr(ledger)


def test_scores_by_lead_against_arithmetic(tmp_path):
    """Bias, coverage or the licences kept would be those of other days."""
    rng = np.random.default_rng(2)
    ledger = cap.Ledger(tmp_path)
    forecast = ideal(rng, "2026-03-02", days=40)
    ledger.record(forecast, made_on="2026-03-01")
    came = pd.Series(rng.poisson(104, 20).astype(float), index=forecast.dates[:20])
    came.iloc[3] = np.nan
    score = ledger.score(came)
    seen = came.notna().to_numpy()
    median = np.quantile(forecast.series(), 0.5, axis=0, method="inverted_cdf")[:20][seen]
    assert score.bias == pytest.approx(median.sum() / came.sum() - 1)
    assert score.table.loc["1-7", "days"] == 6
    assert score.table.loc["8-28", "days"] == 13
    low, high = np.quantile(forecast.series(), (0.1, 0.9), axis=0, method="inverted_cdf")
    inside = ((came > low[:20]) & (came < high[:20]))[seen].mean()
    edge = ((came >= low[:20]) & (came <= high[:20]))[seen].mean()
    assert inside <= score.coverage <= edge
    row = score.limits.iloc[0]
    assert (row["days"], row["horizon"], row["highest"]) == (19, 40, came.max())
    assert row["kept"] == (came.max() <= row["needed"])
    q = np.array([0.5, 0.8, 0.9, 0.95, 0.99])
    at = np.quantile(forecast.series(), q, axis=0, method="inverted_cdf")[:, :7][:, seen[:7]]
    gap = came.to_numpy()[:7][seen[:7]] - at
    assert score.table.loc["1-7", "pinball"] == pytest.approx(
        np.maximum(q[:, None] * gap, (q[:, None] - 1) * gap).mean()
    )
    assert str(score).startswith("No alarm")


def test_what_changed_adds_up(tmp_path):
    """The causes of a change would leave a rest, or an event be told as news in the data."""
    rng = np.random.default_rng(3)
    ledger = cap.Ledger(tmp_path)
    first, second = ideal(rng, "2026-03-02", days=42), ideal(rng, "2026-03-09", days=35, level=110.0)
    ledger.record(first, made_on="2026-03-02")
    with pytest.raises(InsufficientData, match="has 1"):
        ledger.changes()
    event = cap.Event("Hotels", "2026-03-12", 20, pattern="flat", reason="Signed")
    ledger.record(second.with_events(event), made_on="2026-03-09")
    table = ledger.changes()["needed"]
    assert table["before"] + table[["data", "events", "settings", "licences"]].sum() == table["after"]
    assert table["events"] == pytest.approx(20, abs=4)
    assert table["data"] == pytest.approx(11, abs=4)
    assert table["settings"] <= 0  # fewer days ahead


def test_licences_are_those_of_the_first_day_ahead_and_hold_up_to_their_count(tmp_path):
    """A change would be told of licences that come later, or a peak that stood just at the number count as above it."""
    rng = np.random.default_rng(3)
    for start, held in (
        ("2026-03-09", {"2026-01-01": 130}),
        ("2026-03-02", {"2026-01-01": 120, "2026-03-20": 150}),
    ):
        forecast = ideal(rng, start, days=42)
        write(tmp_path, entry_of(forecast, made_on=pd.Timestamp(start), variant="*", licences=held, settings={}))
    ledger = cap.Ledger(tmp_path)
    assert [entry.made_on.day for entry in ledger.entries()] == [2, 9]  # by day, not in the order of writing
    assert ledger.changes()["held"].to_dict() == {
        "before": 120, "data": 0, "events": 0, "settings": 0, "licences": 10, "after": 130,
    }  # fmt: skip
    needed = ledger.entries()[1].needed(0.05)
    came = pd.Series(90.0, index=pd.date_range("2026-03-09", periods=20))
    for highest, kept in ((needed, True), (needed + 1, False)):
        came.iloc[7] = highest
        assert bool(ledger.score(came).limits["kept"].iloc[1]) is kept


def test_before_any_day_has_come(tmp_path):
    """An empty ledger, or one of the future, would raise or claim something."""
    ledger = cap.Ledger(tmp_path / "none")
    assert "No day has come" in str(ledger.score(pd.Series([1.0], index=pd.DatetimeIndex(["2026-01-01"]))))
    ledger.record(ideal(np.random.default_rng(1), "2026-03-02"), made_on="2026-03-01")
    score = ledger.score(pd.Series([1.0], index=pd.DatetimeIndex(["2026-01-01"])))
    assert not score.alarm.raised
    assert score.limits["kept"].all()


def test_what_cannot_be_recorded_is_refused(tmp_path):
    """A forecast would count as made before its own data."""
    ledger = cap.Ledger(tmp_path)
    with pytest.raises(ConfigError, match="made_on=2026-02-20 is before 2026-03-01"):
        ledger.record(ideal(np.random.default_rng(1), "2026-03-02"), made_on="2026-02-20")
    times = pd.date_range("2026-07-01", periods=288, freq="5min", tz="UTC")
    frame = cap.as_intervals(pd.DataFrame({"time": times, "variant": cap.TOTAL, "max_concurrent": 7}))
    with pytest.raises(InsufficientData, match="no forecast"):
        ledger.record(cap.assess(frame, 10, tz="UTC", seed=1), made_on="2026-07-02")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="is a file"):
        cap.Ledger(tmp_path / "file")


def test_an_assessment_is_kept_with_its_licences(tmp_path):
    """The licences that were asked about would be lost."""
    days = pd.date_range("2026-01-01", periods=100, freq="D")
    times = (days + pd.Timedelta(hours=10)).tz_localize("UTC")
    rng = np.random.default_rng(1)
    grid = pd.date_range(days[0], periods=100 * 288, freq="5min", tz="UTC")
    calls = pd.Series(1, index=grid)
    calls[times] = rng.poisson(50, 100)
    frame = cap.as_intervals(pd.DataFrame({"time": grid, "variant": cap.TOTAL, "max_concurrent": calls.to_numpy()}))
    found = cap.assess(frame, {"2026-01-01": 90, "2026-05-01": 95}, tz="UTC", seed=3, horizon=28, backtest=False)
    cap.Ledger(tmp_path).record(found, made_on="2026-04-11")
    (entry,) = cap.Ledger(tmp_path).entries()
    assert entry.licences == {"2026-01-01": 90, "2026-05-01": 95}
    assert entry.settings["seed"] == "3"
    assert entry.data["days"] == "100"
    assert entry.dates[0] == pd.Timestamp("2026-04-11")


@pytest.mark.parametrize("damage", ["cut", "flip", "other"])
def test_damage_is_named_and_nothing_else_is_lost(tmp_path, damage):
    """A damaged file would be read as a forecast, or hide which one it is."""
    ledger = cap.Ledger(tmp_path)
    path = ledger.record(ideal(np.random.default_rng(1), "2026-03-02"), made_on="2026-03-02")
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "flip":
        middle = len(whole) // 3
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    else:
        pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(StoreError, match="not of a ledger" if damage == "other" else "is damaged") as caught:
        ledger.entries()
    assert caught.value.path == path


RECORDS = """
import sys, numpy as np, pandas as pd, capacity as cap
sys.path.insert(0, sys.argv[2])
from tests.test_ledger import ideal
ledger, rng = cap.Ledger(sys.argv[1]), np.random.default_rng(1)
forecast = ideal(rng, "2026-03-02")
for day in range(400):
    ledger.record(forecast, made_on=pd.Timestamp("2026-03-02") + pd.Timedelta(days=day))
    print(day, flush=True)
"""
ROOT = str(Path(__file__).parent.parent)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_kill_9_costs_no_forecast_that_was_there(tmp_path):
    """A process that is killed while it writes would leave a ledger that cannot be read."""
    process = subprocess.Popen([sys.executable, "-c", RECORDS, str(tmp_path), ROOT], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) >= 5:
            break
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    process.stdout.close()
    kept = len(cap.Ledger(tmp_path).entries())
    assert kept >= 6
    old = time.time() - 7200
    for left in tmp_path.glob(".*.tmp"):
        os.utime(left, (old, old))
    cap.Ledger(tmp_path).record(ideal(np.random.default_rng(1), "2026-03-02"), made_on="2028-01-01")
    assert len(cap.Ledger(tmp_path).entries()) == kept + 1
    assert list(tmp_path.glob(".*.tmp")) == []


FULL = """
import resource, signal, sys, numpy as np, capacity as cap
sys.path.insert(0, sys.argv[2])
from tests.test_ledger import ideal
forecast = ideal(np.random.default_rng(2), "2026-03-03")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    cap.Ledger(sys.argv[1]).record(forecast, made_on="2026-03-03")
except cap.errors.StoreError as exc:
    print(exc)
"""


@pytest.mark.skipif(os.name == "nt", reason="no limits there")
def test_a_full_disk_costs_no_forecast_that_was_there(tmp_path):
    """A disk that fills while a forecast is written would leave half a file, or end in a traceback."""
    ledger = cap.Ledger(tmp_path)
    ledger.record(ideal(np.random.default_rng(1), "2026-03-02"), made_on="2026-03-02")
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path), ROOT], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert len(ledger.entries()) == 1
    assert len(list(tmp_path.iterdir())) == 1


# -- the alarm ------------------------------------------------------------------------------------------------------


def test_wealth_is_a_supermartingale():
    """More than one year in twenty would see a false alarm, were the forecasts right, or a little too narrow."""
    rng = np.random.default_rng(3)
    weekday = np.arange(365) % 7
    for spread in (1.0, 1.1**0.5):
        tops = [wealth(spread * rng.standard_normal(365), weekday).total.max() for _ in range(100)]
        assert np.mean(np.array(tops) >= 20) <= 0.05
    ends = [wealth(1.1**0.5 * rng.standard_normal(30), weekday[:30]).total[-1] for _ in range(1000)]
    assert np.mean(ends) == pytest.approx(1, abs=0.08)


def test_innovations_are_independent_where_days_share_a_level():
    """Days of one forecast hang together: a level that is off once would count as evidence again each day."""
    rng = np.random.default_rng(4)
    shared = 0.8
    correlation = np.full((10, 10), shared) + (1 - shared) * np.eye(10)
    z = np.sqrt(shared) * rng.standard_normal((3000, 1)) + np.sqrt(1 - shared) * rng.standard_normal((3000, 10))
    new = np.array([innovations(row, correlation) for row in z])
    assert np.abs(np.corrcoef(new.T) - np.eye(10)).max() < 0.08
    assert new.mean() == pytest.approx(0, abs=0.03)
    assert new.var() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("every", [7, 28])
def test_forecasts_that_hold_raise_no_alarm(every):
    """The alarm would go up although the forecasts are right: in none of six years here, and a chance of 5% a year."""
    rng = np.random.default_rng(5)
    raised = [bool(alarm(*year(rng, every=every)).history) for _ in range(6)]
    assert not any(raised)


@pytest.mark.parametrize("drift", [0.1, -0.1])
def test_a_drift_is_found_and_named(drift):
    """Ten percent more, or fewer, would go unseen for six weeks more often than not, or be said of another time."""
    rng = np.random.default_rng(6)
    waits, words = [], []
    for _ in range(5):
        entries, peaks = year(rng, drift=drift, shared=0.015)
        found = alarm(entries, peaks)
        first = found.history[0][0] if found.history else pd.Timestamp("2027-01-01")
        waits.append((first - peaks.index[150]).days)
        upto = alarm(entries, peaks[:first])
        words.append(upto)
    assert np.median(waits) < 42
    assert min(waits) >= 0
    told = [w for w in words if w.raised]
    assert np.mean([("low" if drift > 0 else "high") in w.broke for w in told]) > 0.9
    assert all("event" in w.advice for w in told)


def test_one_weekday_is_named():
    """Mondays that are off would be said of all days."""
    entries, peaks = year(np.random.default_rng(8), drift=0.3, weekday=0, shared=0.01)
    found = alarm(entries, peaks)
    assert found.history
    first = alarm(entries, peaks[: found.history[0][0]])
    assert first.broke.startswith("Mondays since")
    assert "too low" in first.broke
    assert "'Mon': 1" in first.advice


def test_an_alarm_does_not_flap():
    """It would go up and down from day to day around its threshold."""
    rng = np.random.default_rng(9)
    entries, peaks = year(rng, drift=0.12, at=100, shared=0.015)
    peaks.iloc[200:] = np.rint(peaks.iloc[200:] / 1.12)  # the drift is over
    found = alarm(entries, peaks)
    (up, down), *more = found.history
    assert not found.raised
    assert more == []
    assert (down - up).days >= 28
    assert up < peaks.index[160]


def test_looking_daily_says_what_looking_once_says():
    """The alarm's day would depend on how often one looks."""
    entries, peaks = year(np.random.default_rng(10), drift=0.15, at=60, shared=0.015)
    whole = alarm(entries, peaks)
    day = whole.history[0][0]
    assert not alarm(entries, peaks[: day - pd.Timedelta(days=1)]).raised
    assert alarm(entries, peaks[:day]).raised
    assert alarm(entries, peaks[:day]).since == day


def steady(rng, noise=0.08):
    """Return 19 months of peaks without a change, and 32 forecasts of the last by one who gets Saturdays wrong."""
    dates = pd.date_range("2024-12-30", periods=595)
    level = np.where(dates.day_of_week == 5, 50, 100)
    peaks = pd.Series(np.rint(level * (1 + noise * rng.standard_normal(595))), index=dates)
    entries = []
    for day in range(371, 595, 7):
        ahead = pd.date_range(dates[0] + pd.Timedelta(days=day), periods=63)
        drawn = (1 + 0.05 * rng.standard_normal((100, 1))) * (1 + noise * rng.standard_normal((100, 63)))
        drawn = np.rint(np.where(ahead.day_of_week == 5, 55, 100) * drawn).astype(int)
        history = pd.DataFrame({"*": peaks[: ahead[0] - pd.Timedelta(days=1)]})
        forecast = cap.PeakForecast(drawn[None], ("*",), ahead, history, seed=1)
        entries.append(entry_of(forecast, made_on=ahead[0], variant="*", licences={}, settings={}))
    return entries, peaks


def test_a_drift_is_told_from_what_is_always_a_little_wrong():
    """Saturdays a tenth too high all year would be told as a change; one that no past had seen, be allowed for."""
    rng, waits = np.random.default_rng(13), []
    for _ in range(3):
        entries, peaks = steady(rng)
        assert not alarm(entries, peaks).history
        moved = peaks.where(np.arange(595) < 500, np.rint(peaks * 1.1))
        found = alarm(entries, moved).history
        waits.append((found[0][0] - peaks.index[500]).days if found else 999)
    assert min(waits) >= 0
    assert np.median(waits) < 42


def test_moves_of_a_level_are_those_it_was_made_of():
    """A drift would be held against moves that the series never made, or shut Sundays pass for calm days."""
    rng = np.random.default_rng(16)
    found = []
    for _ in range(20):
        level = np.repeat(np.cumsum(rng.normal(0, 0.03, 52)), 7) + 0.004 * np.arange(364) / 7
        peaks = 100 * np.exp(level + 0.1 * rng.standard_normal(364))
        peaks[6::7] = 0
        peaks[40:44] = np.nan
        found.append(level_moves(peaks))
    assert np.mean([f.noise for f in found]) == pytest.approx(0.1**2, rel=0.1)
    assert np.mean([f.walk for f in found]) == pytest.approx(0.03**2, rel=0.4)
    assert level_moves(peaks[:180]) is None
    assert level_moves(np.zeros(364)) is None
    cov = found[0].covariance(63)
    assert np.linalg.eigvalsh(cov).min() > 0
    assert cov[62, 62] > cov[0, 0]


def test_days_around_an_event_are_not_judged():
    """A launch within its ranges would raise the alarm, because its size was not known beforehand."""
    rng = np.random.default_rng(15)
    entries, peaks = year(rng, drift=0.3, at=150)
    start = peaks.index[150]
    event = cap.Event("Hotels", (start - pd.Timedelta(days=3), start), (5, 30), ramp=7, reason="Signed")
    told = ideal(rng, peaks.index[0], days=7).with_events(event)
    first = entry_of(told, made_on=peaks.index[0], variant="*", licences={}, settings={})
    settled = start + pd.Timedelta(days=6 + 42)
    assert alarm(entries, peaks[:settled]).history
    assert not alarm([first, *entries[1:]], peaks[:settled]).history


def test_days_at_the_licences_are_lower_bounds():
    """Days that the licences held back would count as forecasts that were too high."""
    rng = np.random.default_rng(11)
    dates = pd.date_range("2026-03-02", periods=60)
    paths = np.rint(100 * (1 + 0.06 * rng.standard_normal((1, 500, 60)))).astype(int)
    history = pd.DataFrame({"*": np.full(60, 100.0)}, index=dates - pd.Timedelta(days=60))
    forecast = cap.PeakForecast(paths, ("*",), dates, history, licences=cap.Licences((dates[0],), (100,)))
    entry = entry_of(forecast, made_on=dates[0], variant="*", licences={"2026-01-01": 100}, settings={})
    came = pd.Series(np.minimum(np.rint(100 * (1 + 0.06 * rng.standard_normal(60))), 100), index=dates)
    scores = day_scores([entry], came)
    assert scores["capped"].mean() == pytest.approx(0.5, abs=0.2)
    assert scores["place"].mean() == pytest.approx(0.5, abs=0.1)
    assert not alarm_of([entry], scores, came).raised


def test_events_that_have_come_are_scored():
    """What came of a launch would not be seen, or be seen where nothing came."""
    rng = np.random.default_rng(12)
    dates = pd.date_range("2026-01-05", periods=120)
    week = np.array([1, 1, 1, 1, 0.9, 0.4, 0.3])[dates.day_of_week]
    peaks = pd.Series(np.rint((100 + 40 * (np.arange(120) >= 60)) * week + 2 * rng.standard_normal(120)), index=dates)
    start = dates[60]
    how = {"reason": "Signed"}
    span = (start - pd.Timedelta(days=10), start + pd.Timedelta(days=10))
    told = [
        cap.Event("right", span, (30, 40, 50), **how),
        cap.Event("small", span, (10, 20), **how),
        cap.Event("none", (dates[30], dates[35]), 40, **how),
        cap.Event("ahead", "2026-05-01", 40, **how),
    ]
    table = score_events(told, peaks)
    assert table["verdict"].to_dict() == {"right": "as told", "small": "more than told", "none": "not seen"}
    assert table.loc["right", "came"] == pytest.approx(40, abs=2)
    assert abs((table.loc["right", "came_on"] - start).days) <= 1
