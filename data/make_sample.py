"""Make the sample, bit for bit: ``python data/make_sample.py`` writes data/sample.parquet and data/answers/.

Two years of a hotel group's voice agents, all of it invented: five variants, one of them new, one licence step,
one gap, one campaign. data/README.md describes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import capacity as cap
from capacity.calls.profiles import VARIANTS, Campaign, Profile
from capacity.ground.sample import LICENCES, SPAN, TZ

HERE = Path(__file__).parent
SEED = 7

EVENTS = Profile(
    "V-events",
    "Group events",
    260,
    VARIANTS[0].hours,
    weekdays=(1.2, 1.2, 1.1, 1.1, 1.0, 0.5, 0.3),
    mean_length=420,
    begins=400,  # goes live on 5 Aug 2025
)
CAMPAIGN = Campaign("2026-03-10 10:00", lift=0.7, hours=2.5)
GAP = pd.Timestamp("2025-10-21T22:00Z"), pd.Timestamp("2025-10-24T09:30Z")


def make() -> pd.DataFrame:
    """Return the sample as THE frame."""
    calls = cap.simulate_calls(
        *SPAN,
        tz=TZ,
        variants=(*VARIANTS, EVENTS),
        growth=0.22,
        holidays=HOLIDAYS,
        campaigns=[CAMPAIGN],
        licences=LICENCES,
        seed=SEED,
    )
    start, end = (pd.Timestamp(day, tz=TZ) for day in SPAN)
    frame = cap.intervals_from_calls(calls[calls["env"] == "live"], start=start, end=end)
    times = frame.index.get_level_values("time")
    kept = frame[~((times >= GAP[0]) & (times < GAP[1]))]
    kept.index = kept.index.remove_unused_levels()
    return kept


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write the frame as one plain table, each series in a piece: that is what packs well."""
    table = frame.reset_index().sort_values(["variant", "time"], kind="stable")
    arrays = {
        "time": pa.array(table["time"].astype("datetime64[ms, UTC]")),
        "variant": pa.array(table["variant"].astype(str)).dictionary_encode(),
        "variant_name": pa.array(table["variant_name"].astype(str)).dictionary_encode(),
        "max_concurrent": pa.array(table["max_concurrent"].to_numpy(), type=pa.int32()),
    }
    pq.write_table(
        pa.table(arrays),
        path,
        compression="zstd",
        compression_level=19,
        row_group_size=len(table),
        use_dictionary=["variant", "variant_name", "max_concurrent"],
        column_encoding={"time": "DELTA_BINARY_PACKED"},
        write_statistics=False,
    )


def answers(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a few bodies as the endpoint sends them: an hour unsliced and sliced, an empty one, and the errors."""
    hour = frame[frame.index.get_level_values("time").floor("h") == pd.Timestamp("2026-03-10T10:00Z")]
    scope = {"account_id": "ACCOUNT-sample", "project_id": "PROJECT-sample"}
    whole = cap.total(hour).reset_index()
    parts = cap.variants(hour).reset_index().sort_values(["variant", "time"])
    parts = parts[parts["max_concurrent"] > 0]
    return {
        "200-total": scope | {"intervals": [_interval(row) for row in whole.itertuples()]},
        "200-by-variant": scope
        | {
            "intervals": [
                {"variant_id": row.variant, "variant_name": str(row.variant_name)} | _interval(row)
                for row in parts.itertuples()
            ]
        },
        "200-empty": scope | {"intervals": []},
        "400": {"error_message": "start_time and end_time must be no more than 1 week apart"},
        "401": {"error_message": "Unauthorized"},
        "404": {"error_message": "Project not found"},
        "429": {"error_message": "Too many requests"},
        "500": {"error_message": "Internal server error"},
        "501": {"error_message": "slice_by=language is not implemented"},
    }


def _interval(row: Any) -> dict[str, Any]:
    return {"time": f"{row.time:%Y-%m-%dT%H:%M:%S.000Z}", "max_concurrent_conversations": int(row.max_concurrent)}


# Bank holidays of England and Wales, typed in: a calendar package may learn better, the sample may not.
HOLIDAYS = (
    *("2024-08-26", "2024-12-25", "2024-12-26"),
    *("2025-01-01", "2025-04-18", "2025-04-21", "2025-05-05", "2025-05-26", "2025-08-25", "2025-12-25", "2025-12-26"),
    *("2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25"),
)


if __name__ == "__main__":
    sample = make()
    write(sample, HERE / "sample.parquet")
    (HERE / "answers").mkdir(exist_ok=True)
    for name, body in answers(sample).items():
        (HERE / "answers" / f"{name}.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    print(cap.coverage(sample))
