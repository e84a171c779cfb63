"""Calls over aiortc that come and go, and callers who are cancelled at any await: afterwards there is nothing of them.

``HYPOTHESIS_PROFILE=ci`` makes 100 of each, in parts, ``thorough`` 500. What they cost in memory is measured by
benchmarks/leaks.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from fsm_rtc import Configuration, Connection
from fsm_rtc.connection.pipe import memory_pipe
from tests.connection.connection_pairs import FIRST, SECOND, ready
from tests.connection.leak_checks import LIMIT_SECONDS, Remains, cancelled_after, nothing_left_since
from tests.effort import by_profile

pytestmark = pytest.mark.live

PARTS = 5

CALLS = by_profile(quick=10, default=25, ci=500, thorough=500) // PARTS
"""How many calls a part makes."""

LOOPBACK = Configuration(loopback=True)

MOST_TURNS = {"open": 60, "wait_for_ready": 400, "send": 12, "aclose": 120}
"""In so many turns of the loop each of these comes to its end, more or less."""


def two() -> tuple[Connection, Connection]:
    here, there = memory_pipe("kitchen")
    return (
        Connection(here, FIRST, name="alice", configuration=LOOPBACK),
        Connection(there, SECOND, name="bob", configuration=LOOPBACK),
    )


async def talk(one: Connection, other: Connection) -> None:
    await ready(one, other)
    heard = other.messages()
    await one.send("hello")
    assert await anext(heard) == "hello"


async def call() -> None:
    """A call from its beginning to its end."""
    one, other = two()
    async with one, other:
        await talk(one, other)


async def disturbed_call(step: str, turns: int) -> bool:
    """A call whose one side is cancelled in this step; whether it wasn't done yet."""
    one, other = two()
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "open": one.open,
        "wait_for_ready": one.wait_for_ready,
        "send": lambda: one.send("hello"),
        "aclose": one.aclose,
    }
    try:
        await other.open()
        if step != "open":
            await one.open()
        if step in ("send", "aclose"):
            await ready(one, other)
        return await cancelled_after(turns, steps[step])
    finally:
        await asyncio.gather(one.aclose(), other.aclose())


async def what_is_there() -> Remains:
    """What there is behind a first call, which loads and makes what is kept."""
    await call()
    return Remains.now()


@pytest.mark.parametrize("part", range(PARTS))
async def test_calls_leave_nothing(part: int) -> None:
    before = await what_is_there()
    for _ in range(CALLS):
        async with asyncio.timeout(LIMIT_SECONDS):
            await call()
        await nothing_left_since(before, with_objects=False)
    await nothing_left_since(before)


@pytest.mark.parametrize("part", range(PARTS))
async def test_callers_who_are_cancelled_leave_nothing(part: int) -> None:
    random, before = Random(part), await what_is_there()
    for number in range(CALLS):
        step = list(MOST_TURNS)[(number + part) % len(MOST_TURNS)]
        turns = random.randrange(MOST_TURNS[step])
        async with asyncio.timeout(LIMIT_SECONDS):
            while not await disturbed_call(step, turns):
                turns //= 2  # it was done sooner; how many turns it takes is the machine's matter
        await nothing_left_since(before, with_objects=False)
    await nothing_left_since(before)
