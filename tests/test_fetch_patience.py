"""Patience: one pause for all workers, waits that fit the budget, and Retry-After in all its forms."""

from __future__ import annotations

import asyncio
import email.utils

import pytest

import capacity as cap
from capacity.fetch.client import Client
from capacity.fetch.patience import Patience, Slot, retry_after

from .faulty_server import FaultyServer, error, hasty
from .three_intervals import KEY, TRUTH, fetch


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def server():
    """Serve three intervals."""
    with FaultyServer(TRUTH) as running:
        yield running


@pytest.fixture
def client(server):
    """Connect to that server."""
    with Client("ACCOUNT-1", "PROJECT-1", api_key=KEY, base_url=server.url) as made:
        made._patience = hasty()
        yield made


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_one_pause_for_all_workers(server, client, status, form):
    """After a 429 other workers went on asking, or Retry-After was not honoured to the second."""
    clock = Clock()
    client._patience = hasty(sleep=clock.sleep, clock=lambda: clock.now)
    asked_at = []

    def script(request, n):
        asked_at.append(clock.now)
        if n > 1:
            return None
        if form == "seconds":
            return error(status, retry_after="17")
        date, until = (email.utils.formatdate(1_800_000_000 + s, usegmt=True) for s in (0, 17))
        return error(status, retry_after=until, date=date)

    server.script = script
    server.latency = 0.02  # all workers have asked before the first answer comes
    cap.fetch_intervals(client, "2026-01-01", "2026-02-01", tz="UTC")
    in_flight = client.max_workers
    assert asked_at[:in_flight] == [1000.0] * in_flight
    assert set(asked_at[in_flight:]) == {1017.0}
    assert clock.slept == [17.0] * len(clock.slept)


def test_429_without_retry_after_makes_all_wait_as_well(server, client):
    """A server that names no time was asked on by every other worker."""
    clock = Clock()
    client._patience = hasty(sleep=clock.sleep, clock=lambda: clock.now, first_wait=2.0, longest_wait=2.0, jitter=0.0)
    asked_at = []

    def script(request, n):
        asked_at.append(clock.now)
        return error(429) if n == 1 else None

    server.script = script
    server.latency = 0.02  # all workers have asked before the first answer comes
    cap.fetch_intervals(client, "2026-01-01", "2026-03-01", tz="UTC")
    in_flight = client.max_workers
    assert asked_at[:in_flight] == [1000.0] * in_flight
    assert min(asked_at[in_flight:]) == 1002.0


def test_the_request_that_was_refused_waits_itself(server, client):
    """Only the others waited: the window that got the 429 asked again at once."""
    clock = Clock()
    client._patience = hasty(sleep=clock.sleep, clock=lambda: clock.now)
    asked_at = []

    def script(request, n):
        asked_at.append(clock.now)
        return error(429, retry_after=str(10 * n)) if n < 3 else None

    server.script = script
    assert len(fetch(client)) == 3
    assert asked_at == [1000.0, 1010.0, 1030.0]


def test_a_pause_that_does_not_fit_the_budget_ends_the_window(server, client):
    """A server that says 20 s again and again was waited for beyond the budget of one window."""
    clock = Clock()
    client._patience = hasty(sleep=clock.sleep, clock=lambda: clock.now)
    server.script = lambda request, n: error(429, retry_after="20")
    with pytest.raises(cap.errors.IncompleteError) as caught:
        fetch(client)
    assert isinstance(caught.value.failures[0], cap.errors.RateLimited)
    assert (caught.value.failures[0].attempts, clock.slept) == (3, [20.0, 20.0])


def test_a_pause_longer_than_the_budget_is_not_waited_for(server, client):
    """The caller slept for an hour because a server said so, or asked on regardless."""
    clock = Clock()
    client._patience = hasty(sleep=clock.sleep, clock=lambda: clock.now)
    server.script = lambda request, n: error(429, retry_after="3600")
    with pytest.raises(cap.errors.IncompleteError) as caught:
        cap.fetch_intervals(client, "2026-01-01", "2026-02-01", tz="UTC")
    assert all(isinstance(f, cap.errors.RateLimited) for f in caught.value.failures)
    assert len(server.requests) <= client.max_workers
    assert clock.slept == []
    assert "3600 s" in str(caught.value)


def test_the_default_budget_allows_five_hanging_reads():
    """With the defaults a window is given up after fewer than five attempts, or takes longer than a minute."""
    patience, client = Patience(), Client("A", "P", api_key=KEY)
    assert patience.budget == 60
    waits = sum(min(patience.first_wait * 2**k, patience.longest_wait) + patience.jitter for k in range(4))
    assert 5 * client.timeout + waits < patience.budget
    assert patience.attempts >= 5


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", None, 0.0),
        ("120", None, 120.0),
        (" 1.5 ", None, 1.5),
        ("-3", None, None),
        ("soon", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("", None, None),
        (None, None, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:27:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:29:30 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "garbage", 10.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None, None),
    ],
)
def test_retry_after_in_all_its_forms(value, date, seconds):
    """A Retry-After was misread (RFC 9110, 10.2.3; the date there is of that example)."""
    assert retry_after(value, date, now=1445412480 - 10) == seconds


def test_a_slot_is_given_back_once_however_often_it_is_said():
    """More requests would be in flight than are allowed, after one that was refused and asked again."""

    async def take_and_give() -> list[bool]:
        slots = asyncio.Semaphore(1)
        one, other = Slot(slots), Slot(slots)
        full = []
        for step in (one.take, one.take, one.give, one.give, other.take, one.give):
            done = step()
            if done is not None:
                await done
            full.append(slots.locked())
        return full

    assert asyncio.run(take_and_give()) == [True, True, False, False, True, True]
