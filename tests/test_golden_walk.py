"""From call records over HTTP to the pages: every figure that a stage hands on, against arithmetic of another kind.

The records are made so that each mix-up changes a figure: the zone is thirteen hours from UTC and leaves summer time
within them, the highest calls of a day come just before or after local midnight, licences change on a local midnight
within the data and on the very day on which they end, which in UTC is another, and a variant is renamed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from typer.testing import CliRunner

import capacity as cap
from capacity.analysis.assessment import Assessment
from capacity.cli import app
from capacity.ground.text import chance
from capacity.report import pages
from capacity.report.frame import licences_now
from capacity.report.theme import style
from capacity.stats.censoring import uncensor

emulator = pytest.importorskip("capacity.calls.emulator")

ZONE = "Pacific/Auckland"
FIRST, DAYS = pd.Timestamp("2025-01-06"), 210  # a Monday; summer time ends on 6 April
END = pd.Timestamp("2025-08-04T07:15", tz=ZONE)  # in UTC still the third
LICENCES = "14,2025-03-03:12,2025-08-04:15"
HORIZON, SEED = 40, 3
STEPS = {pd.Timestamp("2025-03-03"): 12, pd.Timestamp("2025-08-04"): 15}
QUIET = pd.Timestamp("2025-06-11")  # a Wednesday with one call
BURSTS = ("00:02", "07:33", "18:11", "23:46")  # local times of the highest calls of a day


def held(date: pd.Timestamp) -> int:
    """Return the licences of a local day."""
    return [14, *(count for start, count in STEPS.items() if start <= date)][-1]


@cache
def records() -> pd.DataFrame:
    """Return calls of 210 local days and a morning: one burst a day, cut off at the licences, and a quiet office."""
    rng = np.random.default_rng(11)
    rows = []
    for date in pd.date_range(FIRST, periods=DAYS + 1):
        demand = int((11, 10, 10, 11, 12, 7, 6)[date.day_of_week] + rng.integers(-3, 5))
        at = pd.Timestamp(f"{date:%Y-%m-%d} {BURSTS[rng.integers(4)]}", tz=ZONE)
        demand = 1 if date == QUIET else demand
        name = "Bookings" if date < pd.Timestamp("2025-05-01") else "Bookings South"
        for k in range(min(demand, held(date))):
            variant = ("V-book", name) if k % 3 else ("V-bill", "Billing")
            rows.append((at + pd.Timedelta(seconds=3 * k), at + pd.Timedelta(seconds=200 + k), *variant))
        for hour in range(9, 17) if date != QUIET else ():
            for _ in range(3 if (date.day_of_week, hour) == (2, 14) else 1):
                start = pd.Timestamp(f"{date:%Y-%m-%d} {hour:02d}:00", tz=ZONE)
                rows.append((start, start + pd.Timedelta(minutes=60), "V-bill", "Billing"))
    calls = pd.DataFrame(rows, columns=["start", "end", "variant", "variant_name"])
    return calls[calls["start"] < END].assign(
        start=lambda t: t["start"].dt.tz_convert("UTC"), end=lambda t: t["end"].dt.tz_convert("UTC")
    )


@dataclass(frozen=True)
class Walk:
    """What the stages returned."""

    frame: pd.DataFrame
    found: Assessment
    store: Path


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Walk once: serve the records, fetch them into a store, read the store, assess."""
    store = tmp_path_factory.mktemp("walk") / "store"
    first = FIRST.tz_localize(ZONE)
    with (
        emulator.serve(records(), account="A", project="P", key="k") as server,
        cap.Client("A", "P", api_key="k", base_url=server.url) as client,
    ):
        fetched = cap.fetch_intervals(client, first, END, store=store)
    frame = cap.read_intervals(store)
    pd.testing.assert_frame_equal(frame, fetched)
    found = cap.assess(frame, LICENCES, tz=ZONE, horizon=HORIZON, seed=SEED, name="Walk", mean_call_length="3m")
    return Walk(frame, found, store)


@cache
def counted(variant: str) -> pd.Series:
    """Return the 5-minute maxima of a series, by local time: a running sum over starts and ends."""
    own = records() if variant == "*" else records()[records()["variant"] == variant]
    steps = pd.concat([pd.Series(1, own["start"]), pd.Series(-1, own["end"])]).groupby(level=0).sum().cumsum()
    times = pd.date_range(FIRST.tz_localize(ZONE), END, freq="5min", inclusive="left").tz_convert("UTC")
    every = steps.reindex(steps.index.union(times)).ffill().fillna(0)
    every = every[(every.index >= times[0]) & (every.index < END)]
    return every.groupby(every.index.floor("5min")).max().astype(int).tz_convert(ZONE)


@cache
def peaks() -> pd.DataFrame:
    """Return each local day's peak of all calls, with whether the day is whole."""
    own = counted("*")
    by_day = own.groupby(own.index.tz_localize(None).normalize())
    table = by_day.agg(["max", "count"])
    due = [(pd.Timestamp(d + pd.Timedelta(days=1)).tz_localize(ZONE) - d.tz_localize(ZONE)) for d in table.index]
    table["complete"] = table["count"] == np.array([span / pd.Timedelta("5min") for span in due]).astype(int)
    index = pd.MultiIndex.from_product([table.index.as_unit("ns"), ["*"]], names=["date", "variant"])
    return pd.DataFrame({"peak": table["max"].to_numpy(), "complete": table["complete"].to_numpy()}, index=index)


def test_fetched_intervals_are_those_of_the_records(walk: Walk) -> None:
    """An interval, a zero or a name would be lost between the records and the frame."""
    for variant in ("*", "V-book", "V-bill"):
        own = walk.frame["max_concurrent"].xs(variant, level=1)
        want = counted(variant)
        want = want[want.index >= own.index[0]]  # a variant is there from its first call on
        assert own.index.equals(want.index.tz_convert("UTC").as_unit("ns")), variant
        assert own.to_numpy().tolist() == want.tolist(), variant
    assert walk.frame["variant_name"].groupby(level=1).unique().map(list).to_dict() == {
        "*": ["All variants"],
        "V-bill": ["Billing"],
        "V-book": ["Bookings South"],
    }
    coverage = walk.found.coverage.table.loc["*"]
    assert coverage["expected"] == coverage["present"] == len(counted("*")) == 210 * 288 + 12 + 87


def test_daily_peaks_are_of_local_days(walk: Walk) -> None:
    """A peak at two minutes past midnight would be that of the day before, or the long day be incomplete."""
    own = walk.found.peaks.xs("*", level=1)
    assert own["peak"].tolist() == peaks()["peak"].tolist()
    assert own["complete"].tolist() == peaks()["complete"].tolist() == [True] * 210 + [False]
    assert own.loc["2025-04-06", "intervals"] == 300
    series = counted("*")
    firsts = series.groupby(series.index.tz_localize(None).normalize()).idxmax()
    assert own["time"].tolist() == firsts.dt.tz_convert("UTC").tolist()
    best = peaks()["peak"].droplevel(1)
    assert walk.found.peak[:2] == (best.max(), firsts[best.idxmax()].tz_convert("UTC"))
    limits = np.array([held(date) for date in best.index])
    assert walk.found.days_at_licences == (best >= limits).sum() > 20
    assert (walk.found.days_above_licences, walk.found.days) == (0, 211)


def test_busy_hours_and_the_typical_week_are_local(walk: Walk) -> None:
    """The busy hour would be that of UTC, or be measured on days that lack an hour or have one twice."""
    series = counted("*")
    whole = [day for _, day in series.groupby(series.index.tz_localize(None).normalize()) if len(day) == 288]
    hours = np.array([pd.Series(day.to_numpy()).rolling(12).mean().to_numpy()[11:] for day in whole])
    row = walk.found.busy_hours.table.loc["*"]  # type: ignore[union-attr]
    start = int(hours.mean(axis=0).argmax())
    assert row["start"] == f"{start // 12:02d}:{start % 12 * 5:02d}"
    assert row["time_consistent"] == pytest.approx(hours.mean(axis=0).max())
    assert row["bouncing"] == pytest.approx(hours.max(axis=1).mean())
    assert (row["days"], row["left_out"]) == (209, 2)
    slots = series.groupby(series.index.day_of_week * 24 + series.index.hour)
    want = slots.agg(lambda cell: np.quantile(cell, 0.9, method="inverted_cdf"))
    assert walk.found.profile.loc["*", "q90"].tolist() == want.tolist()  # type: ignore[union-attr]
    assert want.idxmax() == 2 * 24 + 14


def test_utilisation_and_lost_calls_change_with_the_licences_at_local_midnight(walk: Walk) -> None:
    """Calls just after midnight would be measured against the licences of the day before."""
    series = counted("*")
    limit = np.array([held(day) for day in series.index.tz_localize(None).normalize()])
    table = walk.found.utilisation.table.loc["*"]  # type: ignore[union-attr]
    for level in (80, 90, 100):
        full = series >= np.ceil(limit * level / 100 - 1e-9)
        assert table.loc[level, "intervals"] == full.sum()
        assert table.loc[level, "hours"] == pytest.approx(full.sum() / 12)
        assert table.loc[level, "days"] == full[full].index.tz_localize(None).normalize().nunique()
    months = walk.found.traffic.monthly  # type: ignore[union-attr]
    full = series >= limit
    want = full.groupby(series.index.tz_localize(None).to_period("M")).sum()
    assert months["at_cap"].astype(int).tolist() == want.tolist()
    assert months.index.astype(str).tolist() == want.index.astype(str).tolist()


def test_variants_and_days_that_stand_out_are_of_local_days(walk: Walk) -> None:
    """Correlation of daily peaks, or the date of a surprise, would follow the days of UTC."""
    daily = {
        v: (lambda s: s.groupby(s.index.tz_localize(None).normalize()).max())(counted(v)) for v in ("V-bill", "V-book")
    }
    found = walk.found.diversity
    assert found is not None
    whole = peaks()["complete"].droplevel(1)
    table = pd.DataFrame(daily)[whole.to_numpy()]
    book = counted("V-book")
    begins = book[book > 0].index[0].tz_localize(None).normalize()
    table.loc[table.index <= begins, "V-book"] = np.nan if book[book > 0].index[0].hour else table["V-book"]
    assert found.correlation.loc["V-bill", "V-book"] == pytest.approx(table.corr().iloc[0, 1])
    assert found.separate == counted("V-bill").max() + counted("V-book").max()
    assert walk.found.anomalies is not None
    surprises = walk.found.anomalies.xs("*", level=1)
    assert surprises.index.tolist() == [QUIET] and surprises["peak"].tolist() == [1]


def test_forecast_headroom_and_licences_needed(walk: Walk) -> None:
    """The forecast would begin on another day, see the cap as demand, or be counted against other licences."""
    found = walk.found
    ahead = cap.forecast_peaks(peaks(), HORIZON, seed=SEED, licences=LICENCES)
    assert found.forecast is not None and found.headroom is not None and found.needed is not None
    paths = found.forecast.series("*")
    assert paths.tolist() == ahead.series().tolist()
    assert found.forecast.dates[0] == pd.Timestamp("2025-08-04")  # the day that is not over
    above, reached = (paths > 15).any(axis=1).mean(), (paths >= 15).any(axis=1).mean()
    assert 0.05 < above < reached
    assert found.headroom.p_above.iloc[-1] == above
    assert found.headroom.p_at_or_above.iloc[-1] == reached
    for days in (30, HORIZON):
        highest = np.sort(paths[:, :days].max(axis=1))
        for risk in (0.01, 0.05, 0.1):
            enough = next(n for n in range(100) if (highest > n).mean() <= risk)
            assert found.needed.loc[risk, days] == enough
    tried = cap.backtest(peaks(), HORIZON, seed=SEED, licences=LICENCES)
    pd.testing.assert_frame_equal(found.backtest.scores, tried.scores)  # type: ignore[union-attr]


def test_return_levels_are_of_demand(walk: Walk) -> None:
    """Days at the cap would pass for demand, and what is reached once a year be no more than was carried."""
    whole = peaks()[peaks()["complete"]]["peak"].droplevel(1).astype(float).asfreq("D")
    limits = np.array([float(held(date)) for date in whole.index])
    demand = pd.Series(uncensor(whole.to_numpy(), limits, seed=SEED), whole.index)
    level = walk.found.return_levels.table["level"]  # type: ignore[union-attr]
    assert level.tolist() == cap.return_levels(demand).table["level"].tolist()
    assert (level > cap.return_levels(whole).table["level"] + 0.5).all()


def test_machines_read_the_same(walk: Walk) -> None:
    """JSON would hold the first day's chance, another zone's days, or differ between the library and the command."""
    found, paths = walk.found, walk.found.forecast.series("*")  # type: ignore[union-attr]
    told = json.loads(json.dumps(found.to_dict()))
    first, last = (paths[:, :1] > 15).any(axis=1).mean(), (paths > 15).any(axis=1).mean()
    assert told["headroom"]["p_above"] == last > first
    assert told["headroom"]["by_day"][0]["p_above"] == first
    assert told["headroom"]["by_day"][0]["date"] == "2025-08-04"
    assert told["peak"]["calls"] == counted("*").max()
    assert told["span"]["end"] == "2025-08-03T19:15:00+00:00"
    order = [(row["risk"], row["horizon"]) for row in told["licences_needed"]]
    assert order == [(risk, days) for risk in (0.01, 0.05, 0.1) for days in (30, 40)]
    args = ["headroom", "--store", str(walk.store), "--licences", LICENCES, "--tz", ZONE, "--horizon", str(HORIZON)]
    out = CliRunner().invoke(app, [*args, "--seed", str(SEED), "--json"])
    assert out.exit_code == 0, out.output
    printed = json.loads(out.stdout)
    for part in ("headroom", "licences_needed", "busy_hours", "utilisation", "return_levels", "peak", "diversity"):
        assert printed[part] == told[part], part


def test_each_page_says_its_figures(walk: Walk) -> None:
    """A page would show the chance of reaching for that of exceeding, other licences, or the hour after the busiest."""
    found, paths = walk.found, walk.found.forecast.series("*")  # type: ignore[union-attr]
    with style():
        drawn = [sheet.figure.findobj(Text) for sheet in pages.sheets(found)]
    said = {k: " ".join(text.get_text().replace("\n", " ") for text in texts) for k, texts in enumerate(drawn, start=1)}
    above, reached = (chance((paths > 15).any(axis=1).mean()), chance((paths >= 15).any(axis=1).mean()))
    assert above != reached
    best = peaks()["peak"].droplevel(1)
    value, day = best.max(), best.idxmax()
    assert above in said[1] and above in said[5]
    bold = {text.get_text() for text in drawn[0] if text.get_fontweight() == "bold"}
    assert {"15", f"{value}", above} <= bold and reached not in bold
    assert licences_now(found) == 15
    when = counted("*").idxmax()
    assert f"{when.day} {when:%b %Y %H:%M} {ZONE}" in said[1]
    risks = [said[1].index(f"{risk}% risk") for risk in (10, 5, 1)]
    assert risks == sorted(risks)
    assert f"{value}, on {day.day} {day:%b %Y}" in said[2] or f"{value}, on {day:%a} {day.day} {day:%b %Y}" in said[2]
    assert "Wednesday, 14:00 to 15:00" in said[3]
    assert "Bookings South" in said[4]
    share = found.diversity.table["share_at_top"].max()  # type: ignore[union-attr]
    assert f"{100 * share:.0f}%" in said[4]
    ours = found.backtest.scores.iloc[0]  # type: ignore[union-attr]
    shares = {chance(ours[f"coverage_{level}"]) for level in (50, 80)}
    assert shares <= {text.get_text() for text in drawn[5]}
    assert found.confidence.reason in said[6]
