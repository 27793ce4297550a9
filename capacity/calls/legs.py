"""Calls that were read, settled: rows of one call joined or left out, and calls without an end decided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from capacity.calls.plan import Ints, Outcome, Plan, Reason
from capacity.calls.rows import Rows
from capacity.calls.words import option
from capacity.ground.arrays import Bools
from capacity.ground.times import DAY_NS, HOUR_NS

_LEG_GAP = HOUR_NS  # legs further apart are calls of their own


def labels(column: pa.ChunkedArray, index: Ints) -> pd.Categorical:
    """Return the texts of the rows as categories, in order of their names."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    whole = column.combine_chunks() if len(column.chunks) != 1 else column.chunk(0)
    texts = [None if t is None else str(t).strip() for t in whole.dictionary.cast(pa.string()).to_pylist()]
    names = sorted({t for t in texts if t})
    place = {t: k for k, t in enumerate(names)}
    table = np.array([*(place.get(t or "", -1) for t in texts), -1], dtype=np.int32)
    indices = whole.indices.fill_null(-1) if whole.indices.null_count else whole.indices
    codes = np.asarray(indices)
    found = table.take(codes if len(index) == len(codes) else codes[index], mode="wrap")
    used = np.bincount(found.astype(np.int64) + 1, minlength=len(names) + 1)[1:] > 0
    if not used.all():  # names of rows that were dropped
        found = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.int32)[found]
        names = [name for name, is_used in zip(names, used, strict=True) if is_used]
    return pd.Categorical.from_codes(found, names)


def joined(outcome: Outcome, ids: pa.ChunkedArray, name: str, rows: Rows) -> Outcome:
    """Join the legs that share an id: one call from its first start to its last end."""
    codes = labels(ids, outcome.rows).codes.astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    if len(np.unique(codes)) == len(codes):
        return outcome
    order = np.lexsort((outcome.starts, codes))
    code, starts, rank = codes[order], outcome.starts[order], outcome.rows[order]
    ends, still = np.where(outcome.still, outcome.starts, outcome.ends)[order], outcome.still[order]
    reach = pd.Series(ends).groupby(code).cummax().to_numpy()
    new = np.ones(len(code), dtype=bool)
    new[1:] = (code[1:] != code[:-1]) | (starts[1:] - reach[:-1] > _LEG_GAP)
    first = np.flatnonzero(new)
    legs = np.diff(np.append(first, len(code)))
    joined_ends = np.maximum.reduceat(ends, first)
    # A call of which a leg has no end goes on.
    joined_still = np.logical_or.reduceat(still, first)
    ranks = np.minimum.reduceat(rank, first)
    back = np.argsort(ranks, kind="stable")
    several = int((legs > 1).sum())
    where = int(rank[first[np.argmax(legs > 1)]]) if several else 0
    if several:
        outcome.tally.kept[
            f"calls of several rows that share {name}: each is one call, from its first start to its last end"
        ] = Reason(several, where, "", option("call_id", "none"))
    apart = len(first) - len(np.unique(code[first]))
    if apart:
        outcome.tally.kept[f"rows with a {name} that came before, an hour and more later: calls of their own"] = Reason(
            apart, where, ""
        )
    lead = order[first][back]
    return replace(_picked(outcome, lead), ends=joined_ends[back], still=joined_still[back], rows=ranks[back])


def settled(outcome: Outcome, plan: Plan, rows: Rows) -> Outcome:
    """Decide about calls without an end."""
    still, tally = outcome.still, outcome.tally
    if not still.any():
        return outcome
    latest = max(int(outcome.starts.max()), int(outcome.ends[~still].max(initial=np.iinfo(np.int64).min)))
    old = still & (outcome.starts < latest - DAY_NS)
    gone = still if plan.unfinished == "drop" else old if plan.unfinished == "recent" else still & False

    def first(which: Bools) -> int:
        return int(outcome.rows[np.argmax(which)])

    if gone.any():
        tally.old = outcome.starts[gone] if plan.unfinished == "recent" else tally.old
        why, remedy = "no end", ""
        if plan.unfinished != "drop":
            why = "no end, and begun more than 24 hours before the log's latest time"
            remedy = f"{option('unfinished', 'keep')} counts them as in progress to the end of the log"
        tally.lost[why] = Reason(int(gone.sum()), first(gone), "", remedy)
    if (still & ~gone).any():
        tally.kept["no end: still in progress"] = Reason(
            int((still & ~gone).sum()), first(still & ~gone), "", option("unfinished", "drop")
        )
    return _picked(outcome, ~gone) if gone.any() else outcome


def _picked(outcome: Outcome, keep: Bools | Ints) -> Outcome:
    return replace(
        outcome,
        starts=outcome.starts[keep],
        ends=outcome.ends[keep],
        still=outcome.still[keep],
        rows=outcome.rows[keep],
        kept={n: v[keep] for n, v in outcome.kept.items()},
    )


def once(outcome: Outcome, ids: pa.ChunkedArray, name: str) -> Outcome:
    """Leave out rows that came before: with the same id, start and end."""
    codes = labels(ids, outcome.rows).codes
    ends = np.where(outcome.still, -1, outcome.ends)
    again = np.asarray(pd.DataFrame({"s": outcome.starts, "e": ends, "id": codes}).duplicated()) & (codes >= 0)
    if not again.any():
        return outcome
    why = f"a row that came before, with the same {name}, start and end"
    outcome.tally.lost[why] = Reason(int(again.sum()), int(outcome.rows[np.argmax(again)]), "")
    return _picked(outcome, ~again)
