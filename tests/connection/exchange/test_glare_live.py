"""Both sides of a live call negotiate at once, again and again: one connection comes of it, and both are stable.

``HYPOTHESIS_PROFILE=ci`` does it 100 times, ``thorough`` 300.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from fsm_rtc import Configuration, Connection, Identity, Journal, PipeChannel
from fsm_rtc.connection.events import Negotiated
from fsm_rtc.engine import Entry
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.negotiation import SignalingState
from tests.effort import by_profile
from tests.random_seed import seeded

pytestmark = pytest.mark.live

TIMES = by_profile(quick=8, default=40, ci=300, thorough=300)
AT_ONCE = 4
LIMIT_SECONDS = 60.0
"""Who waits longer waits for what doesn't come: on an idle machine the longest of 600 took 1.1 s."""

LATEST_SECONDS = 0.05
LINK_DELAY_SECONDS = 0.02

Seen = Counter[str]


def slow_pipe(random: Random) -> tuple[PipeChannel, PipeChannel]:
    """Two ends of a way on which each message takes its time; they keep their order."""

    def way() -> tuple[Callable[[str], Awaitable[None]], Callable[[], Awaitable[str]]]:
        arrived: asyncio.Queue[str] = asyncio.Queue()
        under_way: deque[str] = deque()
        last = 0.0

        async def send(text: str) -> None:
            nonlocal last
            loop = asyncio.get_running_loop()
            last = max(last, loop.time() + random.uniform(0, LINK_DELAY_SECONDS))
            under_way.append(text)
            loop.call_at(last, lambda: arrived.put_nowait(under_way.popleft()))

        return send, arrived.get

    (send_there, receive_there), (send_back, receive_back) = way(), way()
    return PipeChannel(send_there, receive_back, "kitchen"), PipeChannel(send_back, receive_there, "kitchen")


async def negotiate_at_random(call: Connection, random: Random) -> None:
    await asyncio.sleep(random.uniform(0, LATEST_SECONDS))
    call.negotiate()


async def come_to_rest(calls: tuple[Connection, Connection]) -> None:
    """Wait until neither side has anything under way."""

    def is_stable(call: Connection) -> bool:
        connection = call.peer_connection
        return (
            call.exchange_state is ExchangeState.IDLE
            and connection is not None
            and connection.signaling_state is SignalingState.STABLE
        )

    changed = asyncio.Event()
    forget = [
        machine.observe(lambda *_: changed.set())
        for call in calls
        for label, machine in call.machines.items()
        if label.endswith((".exchange", ".negotiation"))
    ]
    try:
        while not all(is_stable(call) and call.is_ready for call in calls):
            changed.clear()
            await changed.wait()
    finally:
        for one in forget:
            one()


async def glare(random: Random, seen: Seen, took_seconds: list[float]) -> None:
    journal = Journal()
    here, there = slow_pipe(random)
    loopback = Configuration(loopback=True)
    async with (
        Connection(here, Identity.generate(), configuration=loopback, journal=journal, label="one") as one,
        Connection(there, Identity.generate(), configuration=loopback, journal=journal, label="other") as other,
    ):
        calls = (one, other)
        offers = [call.events() for call in calls]
        for connected in (False, True):
            began = time.perf_counter()
            async with asyncio.timeout(LIMIT_SECONDS):
                await asyncio.gather(
                    *(negotiate_at_random(call, random) for call in calls), *(call.wait_for_ready() for call in calls)
                )
                await come_to_rest(calls)
                before = [call.peer_connection for call in calls]
                heard = [call.messages() for call in calls]
                await one.send("from one")
                await other.send("from the other")
                assert [await anext(heard[1]), await anext(heard[0])] == ["from one", "from the other"]
            took_seconds.append(time.perf_counter() - began)
            assert [call.peer_connection for call in calls] == before
            seen["on a live connection" if connected else "before there was one"] += 1
        for call in calls:
            assert call.peer_connection is not None
            seen[f"generation {call.peer_connection.generation}"] += 1
        last: list[str | None] = [None, None]
        for call in calls:
            await call.aclose()
        for number, events in enumerate(offers):
            async for event in events:
                if isinstance(event, Negotiated):
                    last[number] = event.offer_id
        assert last[0] == last[1] is not None
    for entry in journal:
        if isinstance(entry, Entry) and entry.label.endswith(".exchange") and entry.trigger == "on_offer":
            seen[f"{entry.source} -> {entry.target}"] += 1
        if isinstance(entry, Entry) and entry.trigger == "rollback" and entry.accepted:
            seen["rolled back"] += 1


async def test_offers_that_meet_become_one_connection_and_both_are_stable() -> None:
    random, seen, took_seconds = seeded(), Counter[str](), list[float]()
    left = iter(range(TIMES))

    async def some() -> None:
        for _ in left:
            await glare(random, seen, took_seconds)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())
    print(f"{len(took_seconds)} times, the longest took {max(took_seconds):.2f} s", *seen.items(), sep="\n")
    assert seen["before there was one"] == seen["on a live connection"] == TIMES
    assert seen["generation 1"] == 2 * TIMES, seen  # an offer that yields rolls back; none is replaced
    if TIMES >= 100:  # so often that every way there is has been taken
        assert seen["awaiting answer -> yielding"], seen
        assert seen["awaiting answer -> awaiting answer"], seen
        assert seen["rolled back"], seen
