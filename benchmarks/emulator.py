"""The endpoint on loopback: a week of 50 variants, for one client and for four at once.

The clients are a process of their own, on the same machine: they read the whole answer and do not decode it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

from benchmarks.sweep import make_calls
from benchmarks.table import Row, median_time
from capacity.calls.answers import Answers
from capacity.calls.emulator import serve
from capacity.calls.query import parse_query

WEEKS = [(f"2025-{m:02d}-{d:02d}", f"2025-{m:02d}-{d + 7:02d}") for m in range(2, 10) for d in (1, 8, 15)]
QUERIES = [f"start_time={a}T00:00:00Z&end_time={b}T00:00:00Z&slice_by=variant" for a, b in WEEKS]

CLIENTS = """
    import http.client, json, statistics, sys, time
    from concurrent.futures import ThreadPoolExecutor
    host, queries = sys.argv[1].removeprefix("http://"), json.loads(sys.argv[2])
    def ask(query):
        began = time.perf_counter()
        line = http.client.HTTPConnection(host)
        line.request("GET", "/v1/a/p/conversations/concurrency?" + query, headers={"x-api-key": "k"})
        answer = line.getresponse()
        while answer.read(1 << 18):
            pass
        assert answer.status == 200
        line.close()
        return time.perf_counter() - began
    ask(queries[0])  # the first computes the series
    with ThreadPoolExecutor(int(sys.argv[3])) as pool:
        taken = list(pool.map(ask, queries))
    print(json.dumps([statistics.median(taken), max(taken)]))
"""


def run() -> list[Row]:
    """Time an answer without the wire, over it, and with four clients at once."""
    calls = make_calls(1_000_000, 50)
    answers = Answers(calls, account="a", project="p")
    asks = [parse_query(query.encode()) for query in QUERIES]
    size = len(answers.body(asks[0]))
    alone = median_time(lambda: answers.body(asks[0]))
    rows = [Row("answer a week x 50 variants, no wire", alone, note=f"{size / 1e6:.1f} MB of JSON")]
    with serve(calls, account="a", project="p", key="k") as server:
        for clients in (1, 4):
            command = [sys.executable, "-c", textwrap.dedent(CLIENTS), server.url, json.dumps(QUERIES), str(clients)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            middle, slowest = json.loads(said)
            note = f"slowest of {len(QUERIES)}: {slowest * 1e3:.0f} ms"
            rows.append(
                Row(f"the same over HTTP, {clients} client{'s at once' if clients > 1 else ''}", middle, note=note)
            )
    return rows
