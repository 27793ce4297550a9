"""Processes that are killed, interrupted, or two at once: what is done stays done."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter

import pandas as pd
import pytest

import capacity as cap
from capacity.fetch.patience import Patience

from .faulty_server import STEP_S, FaultyServer, Reply, Truth

START, END = pd.Timestamp("2025-09-01", tz="UTC"), pd.Timestamp("2026-01-05", tz="UTC")
WEEKS = 18
PROGRAM = """
import sys
import capacity as cap
url, store = sys.argv[1:]
with cap.Client("A", "P", api_key="k", base_url=url, max_workers=2, timeout=60) as client:
    cap.fetch_intervals(client, "2025-09-01", "2026-01-05", tz="UTC", store=store)
print("done")
"""


def every_six_hours() -> Truth:
    """Return a truth of four busy intervals a day."""
    steps = range(int(START.timestamp()) // STEP_S, int(END.timestamp()) // STEP_S, 72)
    return Truth({(step, name): 1 + step % 5 for step in steps for name in ("*", "a")})


def child(server: FaultyServer, store) -> subprocess.Popen:
    """Start a process that fetches 36 windows into the store."""
    command = [sys.executable, "-c", PROGRAM, server.url, str(store)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def let_pass(server: FaultyServer, count: int) -> threading.Event:
    """Let the server answer `count` requests and hang then; return what is set when it does."""
    reached, limit = threading.Event(), len(server.requests) + count

    def script(request, n):
        if n <= limit:
            return None
        reached.set()
        return Reply(fault="hang")

    server.script = script
    return reached


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_kill_9_at_any_moment_costs_what_was_in_flight_and_nothing_else(tmp_path):
    """A killed fetch left a damaged store, lost finished windows, or asked for them again."""
    with FaultyServer(every_six_hours()) as server:
        for count in (5, 14):
            reached = let_pass(server, count)
            process = child(server, tmp_path)
            assert reached.wait(60)
            process.kill()
            assert process.wait(60) == -signal.SIGKILL
            process.communicate()
        held = cap.read_intervals(tmp_path, absent="missing")  # sound at any moment
        assert all(
            every_six_hours().values[int(t.timestamp()) // STEP_S, v] == n for (t, v), n in held.iloc[:, 0].items()
        )
        server.script = None
        with cap.Client("A", "P", api_key="k", base_url=server.url) as client:
            frame = cap.fetch_intervals(client, START, END, store=tmp_path)
        assert len(frame) == 2 * WEEKS * 2016
        again = {query: n for query, n in Counter(server.answered).items() if n > 1}
        assert len(again) <= 2 * 4  # what two killed processes were reading or writing just then
        assert len(set(server.answered)) == 2 * WEEKS


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to a child there")
def test_ctrl_c_ends_a_hanging_fetch_and_keeps_what_is_done(tmp_path):
    """Ctrl-C waited for a hanging read, or threw away the windows that were finished."""
    with FaultyServer(every_six_hours()) as server:
        reached = let_pass(server, 7)
        process = child(server, tmp_path)
        assert reached.wait(60)
        while len(list(tmp_path.rglob("*.parquet"))) < 7:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)  # far below the read timeout of 60 s
    assert "KeyboardInterrupt" in stderr
    assert re.search(r"[67] of 36 windows were fetched and are kept in the store", stderr)
    assert len(cap.read_intervals(tmp_path, absent="missing")) == 7 * 28


def test_two_processes_at_once(tmp_path):
    """Two processes that fetch into one store at the same time lost a window or damaged a file."""
    with FaultyServer(every_six_hours()) as server:
        both = [child(server, tmp_path), child(server, tmp_path)]
        for process in both:
            stdout, stderr = process.communicate(timeout=120)
            assert stdout == "done\n", stderr
        server.requests.clear()
        with cap.Client("A", "P", api_key="k", base_url=server.url) as client:
            frame = cap.fetch_intervals(client, START, END, store=tmp_path)
        assert server.requests == []
    assert cap.coverage(frame, START, END).complete
    assert frame["max_concurrent"].sum() == sum(every_six_hours().values.values())


def test_an_interrupt_in_a_notebook_leaves_a_client_that_works(tmp_path, monkeypatch):
    """After Ctrl-C the next cell hung, or the tasks went on in the background."""
    with FaultyServer(every_six_hours()) as server, cap.Client("A", "P", api_key="k", base_url=server.url) as client:
        client._patience = Patience(attempts=1)
        reached = let_pass(server, 3)

        def press(self, done, pause) -> None:
            if reached.is_set():
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("capacity.fetch.progress.Progress.show", press)
            with pytest.raises(KeyboardInterrupt):
                cap.fetch_intervals(client, START, END, store=tmp_path, progress=True)
        asked = len(server.requests)
        server.script = None
        assert cap.coverage(cap.fetch_intervals(client, START, END, store=tmp_path), START, END).complete
        assert len(server.requests) - asked <= 36
