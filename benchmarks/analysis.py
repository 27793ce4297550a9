"""Percentiles, daily peaks, weekly profile and utilisation at 3 years x 100 variants: 31.5 million rows.

Peers do the same work on the same rows: pandas in the way that is usual (groupby on the frame), polars and DuckDB on
tables of their own, which they are given ready made. Memory is the highest that a call needed, the frame included, as
a multiple of the frame; it is taken in a process of its own.
"""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import capacity as cap
from benchmarks.table import Row, median_time
from capacity.ground.frame import assemble

TZ = "Europe/London"
START, END, VARIANTS = "2023-01-01", "2026-01-01", 100
LICENCES = 150
PERCENTS = (50, 90, 95, 99, 99.9, 100)

OURS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "percentiles": lambda frame: cap.percentiles(frame, PERCENTS),
    "daily_peaks": lambda frame: cap.daily_peaks(frame, tz=TZ),
    "weekly_profile": lambda frame: cap.weekly_profile(frame, tz=TZ),
    "utilisation": lambda frame: cap.utilisation(frame, LICENCES, tz=TZ),
}


def make_frame(start: str = START, end: str = END, variants: int = VARIANTS) -> pd.DataFrame:
    """Return a frame of Poisson counts with a daily and a weekly shape; variants from tiny to some 200 calls."""
    times = pd.date_range(start, end, freq="5min", tz="UTC", inclusive="left").as_unit("ns")
    rng = np.random.default_rng(1)
    hour = np.arange(len(times)) / 12 % 24
    shape = 0.03 + np.clip(np.sin((hour - 7) / 14 * np.pi), 0, None) * np.where(times.day_of_week < 5, 1, 0.4)
    size = np.geomspace(1, 150, variants)
    values = rng.poisson(shape[:, None] * size).astype(np.int32)
    return assemble(
        times=times,
        time_codes=np.repeat(np.arange(len(times), dtype=np.int32), variants),
        ids=[f"variant-{k:03d}" for k in range(variants)],
        id_codes=np.tile(np.arange(variants, dtype=np.int8), len(times)),
        values=values.ravel(),
    )


def run() -> list[Row]:
    """Measure the four at full size beside pandas, polars and DuckDB."""
    frame = make_frame()
    memory = {name: _memory(name) for name in OURS}
    peers = {"pandas": _pandas(frame)}
    ours = {name: median_time(lambda fn=fn: fn(frame)) for name, fn in OURS.items()}
    rows = []
    for kind, make in ({"pandas": None} | _others()).items():
        jobs = peers[kind] if make is None else make(frame)
        for name, job in jobs.items():
            seconds = median_time(job, 1, warm_up=0)
            if seconds < 3:
                seconds = median_time(job, 3, warm_up=0)
            print(f"  {name}, {kind}: {seconds:.2f} s, ours {ours[name]:.2f} s", file=sys.stderr)
            note = f"peak {memory[name]:.2f} x the frame" if kind == "pandas" else ""
            rows.append(Row(f"{name}, {len(frame) / 1e6:.1f} m rows", ours[name], seconds, kind, note=note))
        del jobs
        gc.collect()
    order = list(OURS)
    return sorted(rows, key=lambda row: order.index(row.case.split(",")[0]))


def _others() -> dict[str, Callable[[pd.DataFrame], dict[str, Callable[[], Any]]]]:
    return {"polars": _polars, "duckdb": _duckdb}


def _pandas(frame: pd.DataFrame) -> dict[str, Callable[[], Any]]:
    def local() -> pd.DatetimeIndex:
        return frame.index.get_level_values("time").tz_convert(TZ).tz_localize(None)

    def variant() -> pd.Categorical:  # kinder to pandas than its labels, which it would have to compare as text
        return pd.Categorical.from_codes(frame.index.codes[1], frame.index.levels[1])

    def percentiles() -> pd.Series:
        return frame.groupby(level="variant")["max_concurrent"].quantile([q / 100 for q in PERCENTS], "higher")

    def daily_peaks() -> pd.DataFrame:
        values = frame["max_concurrent"].reset_index(drop=True)
        groups = values.groupby([local().normalize(), variant()], observed=True)
        out = groups.agg(["max", "size"])
        first = groups.idxmax().to_numpy()
        out["time"] = frame.index.levels[0][frame.index.codes[0][first]]
        return out

    def weekly_profile() -> tuple[pd.Series, pd.Series]:
        when = local()
        hour = when.day_of_week * 24 + when.hour
        week = (when - pd.to_timedelta(when.day_of_week, unit="D")).normalize()
        values, who = frame["max_concurrent"].reset_index(drop=True), variant()
        level = values.groupby([week, who], observed=True).transform("mean")
        q = [0.5, 0.9, 0.99]
        plain, scaled = (x.groupby([hour, who], observed=True) for x in (values, values / level))
        return plain.quantile(q, "higher"), scaled.quantile(q, "higher")

    def utilisation() -> list[Any]:
        when, who = local(), variant()
        month, day = when.to_numpy().astype("datetime64[M]").astype("datetime64[s]"), when.normalize()
        out: list[Any] = []
        for level in (0.8, 0.9, 1.0):
            hit = frame["max_concurrent"].reset_index(drop=True) >= level * LICENCES
            out.append(hit.groupby([month, who], observed=True).agg(["sum", "mean"]))
            out.append(hit.groupby([day, who], observed=True).any().groupby(level=1, observed=True).sum())
            spell = (hit != hit.groupby(who, observed=True).shift()).groupby(who, observed=True).cumsum()
            runs = spell[hit].groupby([who[hit.to_numpy()], spell[hit]], observed=True).size()
            out.append(runs.groupby(level=0, observed=True).max())
        return out

    return {
        "percentiles": percentiles,
        "daily_peaks": daily_peaks,
        "weekly_profile": weekly_profile,
        "utilisation": utilisation,
    }


def _polars(frame: pd.DataFrame) -> dict[str, Callable[[], Any]]:
    import polars as pl

    rows = pl.DataFrame(
        {
            "time": frame.index.levels[0].tz_localize(None).to_numpy()[frame.index.codes[0]],
            "variant": pl.Series(frame.index.levels[1].astype(object).tolist()).gather(frame.index.codes[1]),
            "x": frame["max_concurrent"].to_numpy(),
        }
    ).with_columns(pl.col("time").dt.replace_time_zone("UTC"), pl.col("variant").cast(pl.Categorical))
    local = pl.col("time").dt.convert_time_zone(TZ)
    hour = (local.dt.weekday().cast(pl.Int16) - 1) * 24 + local.dt.hour()
    x = pl.col("x")

    def quantiles(of: pl.Expr, percents: tuple[float, ...], name: str) -> list[pl.Expr]:
        return [of.quantile(q / 100, "higher").alias(f"{name}{q}") for q in percents]

    def percentiles() -> pl.DataFrame:
        return rows.lazy().group_by("variant").agg(quantiles(x, PERCENTS, "q")).collect()

    def daily_peaks() -> pl.DataFrame:
        by = [local.dt.date().alias("date"), pl.col("variant")]
        when = pl.col("time").get(x.arg_max())
        return rows.lazy().group_by(by).agg(x.max().alias("peak"), when.alias("when"), pl.len()).collect()

    def weekly_profile() -> pl.DataFrame:
        table = rows.lazy().with_columns(hour.alias("hour"), local.dt.truncate("1w").alias("week"))
        level = table.group_by("week", "variant").agg(x.mean().alias("level"))
        table = table.join(level, on=["week", "variant"])
        q = (50, 90, 99)
        both = quantiles(x, q, "q") + quantiles(x / pl.col("level"), q, "relative")
        return table.group_by("hour", "variant").agg(both).collect()

    def utilisation() -> list[pl.DataFrame]:
        out = []
        for level in (0.8, 0.9, 1.0):
            table = rows.lazy().with_columns((x >= level * LICENCES).alias("hit"), local.dt.date().alias("date"))
            days = table.group_by("date", "variant").agg(pl.col("hit").sum(), pl.len())
            months = days.group_by(pl.col("date").dt.truncate("1mo"), "variant").agg(
                pl.col("hit").sum(), pl.col("len").sum(), (pl.col("hit") > 0).sum().alias("days")
            )
            spell = pl.col("hit").rle_id().over("variant").alias("spell")
            runs = table.with_columns(spell).filter("hit").group_by("variant", "spell").len()
            out += pl.collect_all([months, runs.group_by("variant").agg(pl.col("len").max())])
        return out

    return {
        "percentiles": percentiles,
        "daily_peaks": daily_peaks,
        "weekly_profile": weekly_profile,
        "utilisation": utilisation,
    }


def _duckdb(frame: pd.DataFrame) -> dict[str, Callable[[], Any]]:
    import duckdb
    import pyarrow as pa

    rows = pa.table(
        {
            "time": frame.index.levels[0].tz_localize(None).to_numpy()[frame.index.codes[0]],
            "variant": pa.DictionaryArray.from_arrays(
                frame.index.codes[1], frame.index.levels[1].astype(object).tolist()
            ),
            "x": frame["max_concurrent"].to_numpy(),
        }
    )
    base = duckdb.connect()
    base.register("arrow", rows)
    base.execute(f"create type variant_id as enum {tuple(frame.index.levels[1])}")
    base.execute("create table rows as select time, variant::variant_id as variant, x from arrow")
    base.unregister("arrow")
    local = f"(time at time zone 'UTC' at time zone '{TZ}')"

    def ask(sql: str) -> Callable[[], Any]:
        return lambda: base.execute(sql).fetchnumpy()

    list_of = ", ".join(str(q / 100) for q in PERCENTS)
    spells = " union all ".join(
        f"select {level} as level, variant, max(n) as longest from (select variant, spell, count(*) as n from ("
        f"select variant, x >= {level * LICENCES / 100} as hit, "
        f"row_number() over (partition by variant order by time) - row_number() over "
        f"(partition by variant, x >= {level * LICENCES / 100} order by time) as spell from rows) "
        f"where hit group by variant, spell) group by variant"
        for level in (80, 90, 100)
    )
    hits = ", ".join(f"count(*) filter (x >= {level * LICENCES / 100}) as n{level}" for level in (80, 90, 100))
    sums = ", ".join(f"sum(n{level}), count(*) filter (n{level} > 0)" for level in (80, 90, 100))
    months = ask(
        f"select date_trunc('month', date), variant, sum(n), {sums} from (select {local}::date as date, variant, "
        f"count(*) as n, {hits} from rows group by all) group by all"
    )
    longest = ask(spells)
    return {
        "percentiles": ask(f"select variant, quantile_disc(x, [{list_of}]) from rows group by variant"),
        "daily_peaks": ask(
            f"select {local}::date as date, variant, max(x), arg_max(time, x), count(*) from rows group by all"
        ),
        "weekly_profile": ask(
            f"with t as (select variant, x, (isodow({local}) - 1) * 24 + hour({local}) as hour, "
            f"date_trunc('week', {local}) as week from rows), "
            "w as (select week, variant, avg(x) as level from t group by all) "
            "select hour, variant, quantile_disc(x, [0.5, 0.9, 0.99]), quantile_disc(x / level, [0.5, 0.9, 0.99]) "
            "from t join w using (week, variant) group by all"
        ),
        "utilisation": lambda: (months(), longest()),
    }


def _memory(name: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.analysis", name], capture_output=True, text=True, check=True
    )
    return float(json.loads(done.stdout))


def _status(key: str) -> int:
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(key))
    return int(line.split()[1]) * 1024


def _measure(name: str) -> float:
    """Return the highest memory of one call, the frame included, as a multiple of the frame; Linux only."""
    OURS[name](make_frame("2026-01-01", "2026-03-01", 3))  # what is imported and set up once does not count
    frame = make_frame()
    held = int(frame.memory_usage(index=True).sum())
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
    OURS[name](frame)
    return (held + _status("VmHWM") - before) / held


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1])))
