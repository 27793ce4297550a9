"""Offered load and turned-away calls against simulated switches, in which the truth is known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import capacity as cap
from capacity.calls.profiles import Profile
from capacity.errors import ConfigError, InsufficientData
from capacity.stats import load_path as paths
from capacity.stats.erlang import erlang_b
from capacity.stats.load_likelihood import Table, evidence
from capacity.stats.lost_calls import _regime, draw_lost, overflow_dispersion
from capacity.stats.maxima import law_of_maximum


def switch(load, call_minutes, licences, runs, seed):
    """Many runs of one switch at once, event by event: 5-minute maxima, lost and offered calls, (runs, intervals).

    `load` [Erlang] is given for each interval; calls are exponential; a call that finds all licences taken is lost.
    """
    rng = np.random.default_rng(seed)
    arrivals = load / call_minutes
    rate = arrivals.max() + licences / call_minutes
    n = np.minimum(rng.poisson(load[0], runs), licences)
    maxima, lost, offered = np.zeros((3, runs, len(load)), dtype=np.int64)
    for s, arrive in enumerate(arrivals):
        events = rng.poisson(rate * 5, runs)
        draw = rng.random((events.max(), runs)) * rate
        maxima[:, s] = n
        for k, u in enumerate(draw):
            live = k < events
            comes = (u < arrive) & live
            goes = (u >= arrivals.max()) & (u < arrivals.max() + n / call_minutes) & live
            full = comes & (n >= licences)
            n = n + (comes & ~full) - goes
            lost[:, s] += full
            offered[:, s] += comes
            np.maximum(maxima[:, s], n, out=maxima[:, s])
    return maxima, lost, offered


def frame_of(maxima, start="2026-03-02T00:00Z", variant=cap.TOTAL):
    """Build the interval frame of one series."""
    times = pd.date_range(start, periods=len(maxima), freq="5min")
    return cap.as_intervals(pd.DataFrame({"time": times, "variant": variant, "max_concurrent": maxima}))


@pytest.mark.parametrize(("length", "minutes"), [("3m", 3.0), ("6m", 6.0)])
def test_offered_load_of_steady_hours(length, minutes):
    """The load would be biased, or its standard error too narrow for maxima that repeat each other."""
    maxima, _, _ = switch(np.full(12, 30.0), minutes, 1000, 400, seed=1)
    hours = np.arange(400)
    table = cap.offered_load(frame_of(maxima.ravel()), length, by="hour")
    z = (table["offered_load"].to_numpy() - 30.0) / table["se"].to_numpy()
    assert len(table) == len(hours)
    assert abs(table["offered_load"].mean() - 30.0) < 0.35
    assert 0.85 < z.std() < 1.15
    assert maxima.mean() > 34.5  # read as a load, the maxima would over-buy


def test_hours_at_the_cap_are_censored():
    """Load that the licences hide would be taken as not there."""
    maxima, _, offered = switch(np.full(12, 24.0), 3.0, 26, 300, seed=2)
    frame = frame_of(maxima.ravel())
    seen = cap.offered_load(frame, "3m", by="hour_of_week", licences=26).groupby(level=0).mean()["offered_load"].mean()
    blind = cap.offered_load(frame, "3m", by="hour_of_week")["offered_load"].mean()
    assert seen == pytest.approx(offered.sum() * 3 / (300 * 60), rel=0.03)
    assert blind < 21


def test_single_intervals_are_the_table_of_single_maxima():
    """One interval's load would not be the one under which its maximum is likeliest."""
    got = cap.offered_load(frame_of([0, 5, 59, 10]), "3m", licences=59)
    assert got["offered_load"].iloc[0] == 0
    assert got["se"].iloc[0] == pytest.approx(1 / (1 + 5 / 3))  # P(max = 0) = exp(-A (1 + tau / h))
    assert np.isnan(got["offered_load"].iloc[2])
    assert np.isnan(got["se"].iloc[2])
    assert got["at_cap"].tolist() == [0, 0, 1, 0]
    grid = np.arange(0.05, 30, 0.05)
    likely = law_of_maximum(grid, 5 / 3)[:, 10]
    assert cap.offered_load(frame_of([10]), "3m")["offered_load"].iloc[0] == pytest.approx(
        grid[likely.argmax()], abs=0.06
    )


def test_hours_are_local_and_the_double_hour_is_two():
    """A half-hour zone, or the night on which the clock goes back, would mix two hours into one."""
    kolkata = cap.offered_load(frame_of(np.full(24, 5), "2026-03-02T00:00Z"), "3m", by="hour", tz="Asia/Kolkata")
    assert [str(t.time()) for t in kolkata.index.get_level_values("time")] == ["23:30:00", "00:30:00", "01:30:00"]
    assert kolkata["intervals"].tolist() == [6, 12, 6]
    back = cap.offered_load(frame_of(np.full(36, 5), "2026-10-25T00:00Z"), "3m", by="hour", tz="Europe/London")
    assert back["intervals"].tolist() == [12, 12, 12]
    week = cap.offered_load(frame_of(np.full(36, 5), "2026-10-25T00:00Z"), "3m", by="hour_of_week", tz="Europe/London")
    assert week.index.get_level_values("hour_of_week").tolist() == [145, 146]
    assert week["intervals"].tolist() == [24, 12]


def test_variants_are_lower_bounds_while_the_total_is_full():
    """A variant's load would be read from intervals in which the cap held it back."""
    both = cap.concat([frame_of([20, 30, 30, 20]), frame_of([10, 11, 12, 9], variant="a")])
    got = cap.offered_load(both, "3m", licences=30)
    assert got.xs("a", level="variant")["at_cap"].tolist() == [0, 1, 1, 0]
    language = both.rename_axis(index={"variant": "language"})
    assert cap.offered_load(language, "3m", by="hour").index.names == ["time", "language"]
    with pytest.raises(ConfigError, match="no TOTAL"):
        cap.offered_load(
            cap.concat([frame_of([3]), frame_of([3], variant="a")])
            .drop("*", level=1)
            .pipe(lambda f: cap.concat([f, frame_of([3], variant="b")])),
            "3m",
            licences=30,
        )


def test_a_table_is_read_between_its_points():
    """The likelihood of a load between two points would be that of a point, or its slope point elsewhere."""
    grid = np.arange(1.0, 5.0, 0.1)
    table = Table(grid, np.stack([-((grid - 3) ** 2), -2 * (grid - 2) ** 2 + grid]))
    kind, x = np.array([0, 1, 1, 0]), np.array([1.93, 2.52, 4.9, 3.0])
    height, slope, bend = table.look(kind, x)
    assert height == pytest.approx([-((x[0] - 3) ** 2), *(-2 * (x[1:3] - 2) ** 2 + x[1:3]), 0])
    assert slope == pytest.approx([-2 * (x[0] - 3), *(-4 * (x[1:3] - 2) + 1), 0])
    assert bend == pytest.approx([-2, -4, -4, -2])


def test_truth_is_inside_the_limits_nine_times_in_ten():
    """The limits on turned-away calls would promise what they do not keep."""
    hour = np.arange(3 * 288) % 288 / 12
    hump = 0.5 + 16 * np.clip(np.sin((hour - 7) / 13 * np.pi), 0, None)
    double = 0.3 + 16 * np.exp(-((hour - 10.5) ** 2) / 3) + 14 * np.exp(-((hour - 15) ** 2) / 3)
    inside, ratio = [], []
    for loads, minutes, licences in ((hump, 4.0, 18), (double, 3.0, 17), (np.full(864, 12.0), 6.0, 15)):
        maxima, lost, _ = switch(loads, minutes, licences, 14, seed=7)
        for run in range(14):
            got = cap.blocking(frame_of(maxima[run]), f"{minutes:g}m", licences).whole
            inside.append(got.lower <= lost[run].sum() <= got.upper)
            ratio.append(got.turned_away / lost[run].sum())
    assert 0.8 <= np.mean(inside) <= 1.0
    assert 0.95 <= np.mean(ratio) <= 1.12


def test_simulated_call_records_under_a_licence():
    """Calls that are not exponential, days that differ and four variants would break what holds for a bare switch."""
    calls = cap.simulate_calls("2026-03-02", days=28, seed=3, scale=0.4, licences=27)
    live = calls[calls["env"] == "live"]
    carried = live[~live["blocked"]]
    mean = (carried["end"] - carried["start"]).mean()
    got = cap.blocking(cap.intervals_from_calls(carried), mean, 27, tz="Europe/London").whole
    assert live["blocked"].sum() > 30
    assert got.lower <= live["blocked"].sum() <= got.upper
    assert got.offered == pytest.approx(len(live), rel=0.03)


def test_days_that_differ_as_a_whole():
    """Busy days, on which every hour is busier, would be drawn to the ordinary ones, and loss be missed."""
    hours = (0.5, *[0.35] * 15, 0.6, 1.0, 1.6, 1.8, 1.6, 1.3, 1.0, 0.7)
    evening = Profile("a", "A", 3000, hours, mean_length=240, spread=1.0)
    ratio, beside = [], []
    for seed in range(4):
        calls = cap.simulate_calls("2025-02-03", days=21, variants=[evening], day_noise=0.2, licences=28, seed=seed)
        live = calls[calls["env"] == "live"]
        carried = live[~live["blocked"]]
        mean = (carried["end"] - carried["start"]).mean()
        got = cap.blocking(cap.intervals_from_calls(carried), mean, 28, tz="Europe/London")
        ratio.append(got.whole.turned_away / live["blocked"].sum())
        beside.append(got.curve.loc[28, "turned_away"] / got.whole.turned_away)
    assert 0.9 < np.mean(ratio) < 1.1
    assert 0.8 < np.mean(beside) < 1.2


def test_overflow_dispersion_is_that_of_the_dense_process():
    """Lost calls come in heaps; taken as independent, the limits would be too narrow."""
    load, licences = 7.0, 9
    n = np.arange(licences + 1)
    q = np.diag(np.full(licences, load), 1) + np.diag(n[1:].astype(float), -1)
    q -= np.diag(q.sum(axis=1))
    p = np.cumprod(np.concatenate([[1.0], load / n[1:]]))
    p /= p.sum()
    deviation = np.linalg.inv(np.outer(np.ones(licences + 1), p) - q) - np.outer(np.ones(licences + 1), p)
    assert p[-1] == pytest.approx(erlang_b(licences, load))
    assert overflow_dispersion(licences, np.array([load]))[0] == pytest.approx(1 + 2 * load * deviation[-1, -1])


def test_share_at_the_cap_is_not_the_share_lost():
    """The two questions would be confused: many intervals touch the cap, few calls are lost."""
    maxima, lost, offered = switch(np.full(864, 20.0), 3.0, 30, 1, seed=3)
    got = cap.blocking(frame_of(maxima[0]), "3m", 30)
    assert got.whole.at_cap / got.whole.intervals > 0.1
    assert got.whole.share == pytest.approx(lost.sum() / offered.sum(), abs=0.003)
    assert got.whole.share == pytest.approx(erlang_b(30, 20), abs=0.004)
    assert got.whole.offered == pytest.approx(offered.sum(), rel=0.02)
    at = got.curve.loc[30]
    assert at.lower < got.whole.turned_away < at.upper * 1.2
    assert (np.diff(got.curve["turned_away"]) <= 0).all()
    assert "retries and dialler batches break it" in str(got)
    pd.testing.assert_frame_equal(got.to_frame(), cap.blocking(frame_of(maxima[0]), "3m", 30).monthly)


def test_months_are_local_and_licences_step():
    """A month's calls would fall into its neighbour, or a new licence count be overlooked."""
    maxima, _, _ = switch(np.full(900, 10.0), 3.0, 12, 1, seed=4)
    raised = np.where(np.arange(900) >= 300, maxima[0], np.minimum(maxima[0], 12))
    frame = frame_of(raised, "2026-03-30T22:00Z")
    got = cap.blocking(frame, "3m", {"2026-01-01": 12, "2026-04-01": 30}, tz="Europe/London")
    assert [str(m) for m in got.monthly.index] == ["2026-03", "2026-04"]
    assert got.monthly["intervals"].tolist() == [300, 600]
    assert got.monthly["at_cap"].iloc[0] > 0
    assert got.monthly["turned_away"].iloc[1] == 0


def test_quiet_gappy_and_empty_frames():
    """Nights of zeros, holes and days that never reach the cap would break or invent lost calls."""
    zeros = cap.blocking(frame_of(np.zeros(900, dtype=int)), "3m", 5)
    assert zeros.whole.turned_away == 0
    assert zeros.whole.upper == 0
    holes = frame_of(np.tile([3, 4, 2, 5], 400)).drop(
        pd.date_range("2026-03-03T00:00Z", periods=400, freq="5min"), level=0
    )
    got = cap.blocking(cap.as_intervals(holes), "3m", 100)
    assert got.whole.intervals == 1200
    assert got.whole.turned_away == 0
    with pytest.raises(InsufficientData, match="below the cap"):
        cap.blocking(frame_of(np.full(900, 9)), "3m", 9)
    often = cap.blocking(frame_of(np.where(np.arange(900) % 4 == 0, 8, 9)), "3m", 9)
    assert 0 < often.whole.share < 1
    empty = frame_of([3]).iloc[:0]
    assert len(cap.offered_load(empty, "3m")) == 0
    with pytest.raises(InsufficientData, match="at least three days"):
        cap.blocking(empty, "3m", 9)


def test_the_frame_is_left_alone():
    """An analysis would change what came in."""
    frame = frame_of(np.tile([3, 4, 9, 5], 250))
    before = frame.copy()
    cap.blocking(frame, "3m", 9)
    cap.offered_load(frame, "3m", by="hour", licences=9)
    pd.testing.assert_frame_equal(frame, before)


def test_wrong_arguments_are_named():
    """A typing error would be answered with a number."""
    frame = frame_of(np.tile([3, 4, 9, 5], 250))
    for call in (
        lambda: cap.offered_load(frame, "3m", by="day"),
        lambda: cap.offered_load(frame, 180),
        lambda: cap.blocking(frame, "3m", 9, seed=-1),
        lambda: cap.blocking(frame, "3m", 9, variant="b"),
        lambda: cap.blocking(frame, "3m", 9, tz="Mars/Base"),
    ):
        with pytest.raises(ConfigError):
            call()


def test_a_time_without_licences_is_left_out():
    """A step of 0 licences would refuse the months that can be answered, or be counted as all calls lost."""
    maxima = switch(np.full(864 * 2, 20.0), 3, 24, 1, seed=3)[0][0]
    before = frame_of(np.concatenate([np.zeros(288, dtype=int), maxima]), start="2026-03-01T00:00Z")
    steps = {"2026-01-01": 0, "2026-03-02": 24}
    found, alone = cap.blocking(before, "3m", steps), cap.blocking(frame_of(maxima), "3m", 24)
    pd.testing.assert_frame_equal(found.monthly, alone.monthly)
    assert found.curve.index.min() > 0
    with pytest.raises(InsufficientData, match="has 0, not counting 1,728 under 0 licences"):
        cap.blocking(frame_of(maxima * 0), "3m", 0)


def test_lost_calls_spread_as_in_simulation_once_the_full_intervals_are_counted():
    """The heaps in which calls are lost would be left out of the limits, or counted twice with the full intervals."""
    load, licences, intervals = 20.0, 24, 288
    maxima, lost, _ = switch(np.full(intervals, load), 3.0, licences, 500, seed=5)
    full, calls = (maxima >= licences).sum(axis=1), lost.sum(axis=1)
    left = np.var(calls - np.polyval(np.polyfit(full, calls, 1), full))
    caps = np.full(intervals, licences, dtype=np.int64)
    seen = evidence(maxima[0], caps, 5 / 3)
    regime = _regime(seen, SimpleNamespace(x=np.full(intervals, np.sqrt(load))), caps, licences)
    assert left > 2 * calls.mean()  # as single calls they would spread by the root of their number
    assert intervals * np.interp(np.sqrt(load), regime.grid, regime.tables[2]) == pytest.approx(left, rel=0.2)


def test_an_hour_of_one_interval_is_as_uncertain_as_the_interval():
    """Long calls tie many intervals together; one interval would be given the uncertainty of a whole row of them."""
    one = frame_of([40])
    alone = cap.offered_load(one, "30m")["se"].iloc[0]
    assert cap.offered_load(one, "30m", by="hour")["se"].iloc[0] == pytest.approx(alone, rel=1e-3)


@pytest.mark.parametrize(("licences", "seed"), [(3020, 1), (3150, 1)])
def test_three_thousand_at_once(licences, seed):
    """Large centres would get no answer, or one that is off: the table's far corners hold noise."""
    flat = Profile("a", "A", 144_000, (1.0,) * 24, weekdays=(1.0,) * 7, mean_length=1800, swing=0.0, holiday=1.0)
    steady = {"growth": 0.0, "holidays": None, "campaigns": (), "day_noise": 0.0}
    calls = cap.simulate_calls("2026-03-02", days=5, variants=[flat], licences=licences, tz="UTC", seed=seed, **steady)
    live = calls[calls["env"] == "live"]
    start = pd.Timestamp("2026-03-03T00:00Z")  # the first day fills an empty house
    frame = cap.total(cap.intervals_from_calls(live[~live["blocked"]], start=start, end=start + pd.Timedelta(days=4)))
    found = cap.blocking(frame, "30m", licences).whole
    lost = int(live.loc[live["start"] >= start, "blocked"].sum())
    assert found.lower <= lost <= found.upper
    assert found.upper < 3 * found.lower + 200


def test_quiet_nights_of_a_large_centre():
    """A maximum of a hundred beside one of three thousand would be no number, and stop the whole estimate."""
    hour = np.arange(864) % 288 / 12
    maxima = np.random.default_rng(1).poisson(60 + 2940 * np.exp(-0.5 * ((hour - 13) / 4) ** 2))
    rows = evidence(maxima, np.full(864, 2950), 5 / 3).table.rows
    assert np.isfinite(rows).all()
    lost = cap.blocking(frame_of(np.minimum(maxima, 2950)), "3m", 2950).whole
    assert 0 < lost.turned_away < 0.01 * lost.offered


def test_the_curve_holds_the_same_calls_run_again():
    """More licences would look as if they turned nobody away, within limits that nothing warrants."""
    options = {"start": "2025-02-03", "days": 28, "scale": 0.5, "seed": 8}

    def live(licences):
        calls = cap.simulate_calls(**options, licences=licences)
        return calls[calls["env"] == "live"]

    carried = live(33)[lambda calls: ~calls["blocked"]]
    mean = (carried["end"] - carried["start"]).mean()
    found = cap.blocking(cap.intervals_from_calls(carried), mean, 33, tz="Europe/London")
    assert found.curve.loc[33, "turned_away"] == pytest.approx(found.whole.turned_away, rel=0.15)
    for licences in (29, 31, 33, 36, 38):
        at = found.curve.loc[licences]
        assert at.lower <= live(licences)["blocked"].sum() <= at.upper, licences
        assert at.upper < 12 * at.lower


def drawn_at(load: float, licences: int, intervals: int) -> tuple[np.ndarray, float]:
    """Return draws of the calls lost under a load that is known and steady, and the mean by Erlang's formula."""
    turn = 5 / 3
    caps = np.full(intervals, licences)
    values = np.minimum(np.random.default_rng(4).poisson(load * 1.25, intervals), licences)
    seen = evidence(values, caps, turn)
    path = SimpleNamespace(x=np.full(intervals, np.sqrt(load)), draws=lambda n, _: np.full((intervals, n), load))
    lost = draw_lost(seen, path, caps, np.zeros(intervals, dtype=np.int64), 1, np.random.default_rng(9)).lost[0]
    share = np.exp(np.interp(np.sqrt(load), seen.table.grid, seen.table.rows[seen.kind[seen.at_cap.argmax()]]))
    return lost, seen.at_cap.sum() * load * turn * float(erlang_b(licences, load)) / share


def test_limits_are_as_wide_as_heaps_of_lost_calls():
    """Lost calls taken for independent ones: limits too narrow by a factor of two to three, and nobody would see it."""
    lost, mean = drawn_at(20.0, 28, 500)
    assert lost.mean() == pytest.approx(mean, rel=0.15)
    heaps = overflow_dispersion(28, np.array([20.0]))[0]
    own = lost.var() - (0.08 * mean) ** 2  # less the error of the model
    assert heaps > 3
    assert 0.4 * heaps < own / mean < 1.3 * heaps


def test_limits_keep_the_error_of_the_model_in_a_long_history():
    """A long history would average out what calls that are not exponentially long do to the estimate."""
    lost, mean = drawn_at(20.0, 22, 20_000)
    assert lost.mean() == pytest.approx(mean, rel=0.02)
    assert lost.std() / mean == pytest.approx(0.08, rel=0.15)


def test_the_curve_widens_away_from_the_licences_that_were_there():
    """Licences that were never tried would be told as surely as those that were."""
    maxima, _, _ = switch(np.full(864, 20.0), 3.0, 30, 1, seed=3)
    curve = cap.blocking(frame_of(maxima[0]), "3m", 30).curve
    width = np.log(curve["upper"] / curve["lower"])
    away = np.abs(np.log(curve["turned_away"] / curve.loc[30, "turned_away"]))
    for licences in (24, 36):
        extra = np.sqrt(width[licences] ** 2 - width[30] ** 2)
        assert extra == pytest.approx(2 * 1.645 * 0.25 * away[licences], rel=0.5)


def test_excursions_that_outlast_an_interval_widen_the_path(monkeypatch):
    """Maxima of long calls would count as so many independent ones, and the limits be too narrow."""
    maxima = np.random.default_rng(1).poisson(25, 864)
    seen = evidence(maxima, np.zeros(864, dtype=int), 1.0)
    spread = {}
    for inflation in (1.0, 9.0):
        monkeypatch.setattr(paths, "variance_inflation", lambda load, turn, by=inflation: np.full(len(load), by))
        path = paths.load_path(seen, np.arange(864), np.arange(864) % 288)
        spread[inflation] = path.draws(200, np.random.default_rng(2)).mean(axis=0).std()
    assert spread[9.0] == pytest.approx(3 * spread[1.0], rel=0.4)
