"""A v3 endpoint over real loopback HTTP that keeps the contract of the Conversations API and takes every liberty.

The HTTP, with its cut bodies and resets, is that of `faulty_server`; here is what the pages hold.
"""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pandas as pd

import capacity as cap

from .faulty_server import FAULTS, FaultyServer, Manners, Request, hasty

SECRETS = ("I would like to cancel my booking", "+447700900123", "state-of-mind")
CALLER = SECRETS[1]
DAY_S = 86_400
KEY = "sk-v3-secret"
MONDAY = pd.Timestamp("2026-01-05", tz="UTC")
FIRST = MONDAY.timestamp()
SPAN = (MONDAY, MONDAY + pd.Timedelta(days=3))


@dataclass(frozen=True)
class Call:
    """One conversation as it really was; times in seconds since 1970."""

    id: str
    start: float
    length: int
    with_agent: int
    variant: str = ""
    channel: str = "voice"
    to_number: str = ""
    caller: str = CALLER

    @property
    def end(self) -> float:
        """When it ended."""
        return self.start + self.length


def drawn_calls(rng: random.Random, first: float, days: int, count: int) -> list[Call]:
    """Draw calls over some days; some of no length, some over midnight, some of half a day."""
    calls = []
    for k in range(count):
        start = round(first + rng.random() * days * DAY_S, rng.choice([0, 3]))
        if rng.random() < 0.15:  # around midnight, also exactly
            start = first + rng.randrange(days) * DAY_S + rng.choice([0, -1, -30, 0.5, -0.25])
        length = rng.choice([0, 1, 60, 60, 180, 180, 180, 3600, 40_000])
        if rng.random() < 0.2:
            length = round(DAY_S - start % DAY_S)  # ends at midnight
        with_agent = length if rng.random() < 0.7 else length // 2
        calls.append(
            Call(f"conv-{k}", start, length, with_agent, rng.choice(["", "v1", "v2"]), rng.choice(["voice", "chat"]))
        )
    return calls


@dataclass
class Liberties:
    """What a server does within the contract."""

    select: str = "start"
    page: int = 1000
    pages_by: str = "cursor"
    last_page: str = "absent"
    shuffled: bool = False
    repeats: float = 0.0
    outsiders: float = 0.0
    bare: bool = False
    times: tuple[str, ...] = ("millis",)
    moved: float = 0.0
    faults: Manners = field(default_factory=Manners)

    @classmethod
    def drawn(cls, rng: random.Random) -> Liberties:
        """Draw the liberties of one run."""
        return cls(
            select=rng.choice(["start", "end", "overlap"]),
            page=rng.choice([1, 3, 7, 50, 1000]),
            pages_by=rng.choice(["cursor", "cursor", "offset"]),
            last_page=rng.choice(["absent", "empty", "null", "no rows"]),
            shuffled=rng.random() < 0.5,
            repeats=rng.choice([0.0, 0.3]),
            outsiders=rng.choice([0.0, 0.3]),
            bare=rng.random() < 0.5,
            times=rng.choice([("millis",), ("offset",), ("millis", "offset", "micros")]),
            faults=Manners(faults=FAULTS, fault_rate=rng.choice([0.0, 0.1, 0.3])),
        )


class ConversationsServer(FaultyServer):
    """Serve calls on loopback; a context manager.

    Attributes
    ----------
    calls : list of Call
    clock : float
        Calls that end later are in progress still, those that begin later are not known yet.
    """

    def __init__(self, calls: list[Call], liberties: Liberties | None = None, *, seed: int = 0) -> None:
        self.calls, self.liberties = calls, liberties or Liberties()
        self.clock = float("inf")
        super().__init__(manners=self.liberties.faults, seed=seed)

    def selected(self, query: dict[str, str]) -> list[Call]:
        """Return the calls that a request means."""
        first, last = (pd.Timestamp(query[k]).timestamp() for k in ("start_time", "end_time"))
        assert first < last
        found = []
        for call in self.calls:
            if call.start > self.clock:
                continue
            end = call.end if call.end <= self.clock else float("inf")
            if self.liberties.select == "start":
                inside = first <= call.start < last
            elif self.liberties.select == "end":
                inside = first <= min(end, self.clock) < last
            else:
                inside = call.start < last and (end > first or call.start >= first)
            if inside:
                found.append(call)
        return found

    def body(self, request: Request) -> bytes:
        """Return one page."""
        query, lib = request.query, self.liberties
        assert 1 <= int(query["limit"]) <= 1000, "limit is always sent"
        assert "client_env" in query
        assert not ("cursor" in query and "offset" in query)
        rng = random.Random(f"{query['start_time']}{query['end_time']}")  # the order of one listing stays
        rows = self.selected(query)
        rows += [c for c in self.calls if c.start <= self.clock and rng.random() < lib.outsiders]
        rows += [c for c in rows if rng.random() < lib.repeats]
        channels = parse_qs(request.raw_query).get("channel")
        rows = [c for c in rows if channels is None or c.channel in channels]
        if lib.shuffled:
            rng.shuffle(rows)
        at = int(query.get("offset", 0))
        if "cursor" in query:
            at = int(base64.b64decode(query["cursor"]).decode().split("|")[1])
        size = min(int(query["limit"]), lib.page)
        answer = {"conversations": [self._row(c) for c in rows[at : at + size]], "count": len(rows)}
        more = at + size < len(rows) or (lib.last_page == "no rows" and at < len(rows))
        if lib.pages_by == "offset":
            answer["next_offset"] = at + size if more else None
        elif more:
            answer["cursor"] = base64.b64encode(f"{CALLER}|{at + size}".encode()).decode()
        elif lib.last_page != "absent":
            answer["cursor"] = {"empty": "", "null": None}.get(lib.last_page, "")
        return json.dumps(answer).encode()

    def _row(self, call: Call) -> dict:
        rng, lib = self.rng, self.liberties
        ended = call.end <= self.clock
        row = {
            "id": call.id,
            "account_id": "A",
            "started_at": _iso(call.start, rng.choice(lib.times)),
            "channel": call.channel,
            "in_progress": not ended,
            "variant_id": call.variant,
            "variant_name": call.variant and f"name of {call.variant}",
            "from_number": call.caller,
            "to_number": call.to_number,
            "turns": [{"user_input": SECRETS[0], "agent_response": 'Of course. \\u00e4 "Which" one?'}] * 3,
            "state": {"mood": SECRETS[2], "n": [1, {"a": None}]},
        }
        if ended:
            row |= {"total_duration": call.length, "polyai_duration": call.with_agent}
            row["handoff"] = call.with_agent < call.length
        if lib.bare:
            for name in ("account_id", "variant_id", "variant_name", "to_number", "from_number", "handoff"):
                if rng.random() < 0.3 and not row.get(name):
                    row.pop(name, None)
                elif rng.random() < 0.3 and not row.get(name):
                    row[name] = None
            if ended and rng.random() < 0.3:
                row.pop("in_progress")
        return row


def _iso(time: float, form: str) -> str:
    stamp = pd.Timestamp(round(time * 1000), unit="ms", tz="UTC")
    if form == "offset":
        return stamp.tz_convert("Asia/Kolkata").isoformat()
    text = stamp.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{text if form == 'micros' else text[:-3]}Z"


def client_of(server, **changes):
    """Return a client that never sleeps, on 1 February 2026."""
    client = cap.Client("A", "P", api_key=KEY, base_url=server.url)
    client._patience = hasty(attempts=40)
    client._now = lambda: pd.Timestamp("2026-02-01", tz="UTC")
    for name, value in changes.items():
        setattr(client, name, value)
    return client


def expected(calls, start, end, clock=float("inf")):
    """Return (start, end) of what belongs to a range, by the words of the contract; an end in progress is None."""
    rows = []
    for call in calls:
        ended = call.end <= clock
        inside = start <= call.start < end
        before = call.start < start and (not ended or call.end > start)
        plausible = call.start >= start - DAY_S
        if call.start <= clock and (inside or (before and plausible)):
            rows.append(
                (round(call.start * 1000), round(call.end * 1000) if ended else None, call.variant, call.channel)
            )
    return sorted(rows, key=str)


def got(calls):
    """Return the same of fetched calls."""
    frame = calls.frame
    return sorted(
        (
            (
                round(row.start.timestamp() * 1000),
                None if row.end is pd.NaT else round(row.end.timestamp() * 1000),
                "" if pd.isna(row.variant) else row.variant,
                row.channel,
            )
            for row in frame.itertuples()
        ),
        key=str,
    )


def quiet_calls(count=30, days=3):
    """Return calls of three minutes, evenly over some days."""
    gap = days * DAY_S / count
    return [Call(f"c{k}", FIRST + k * gap, 180, 120, "v1") for k in range(count)]
