"""A caller of a connection who is cancelled, at any await: nothing is left of it, and what goes on is whole."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable
from pathlib import Path

import pytest

from fsm_rtc import Configuration, Connection, Identity, SignalingServer, WebSocketSignaling
from fsm_rtc.connection.events import Ended
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.messages import EndCode
from fsm_rtc.testing import FakeNetwork
from tests.connection.connection_pairs import FIRST, LIMIT_SECONDS, SECOND, connection, pair, ready
from tests.effort import by_profile

TURNS = range(24)
"""After how many turns of the loop the caller is cancelled; every one of the calls is over before the last."""

CALLS = by_profile(quick=5, default=50, ci=50, thorough=50)


async def cancel_after(turns: int, work: Awaitable[object]) -> bool:
    """Cancel it so late; whether it had come to its end before."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    was_done = task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return was_done


def only_this_task() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("turns", TURNS)
async def test_opening(turns: int) -> None:
    network, (here, there) = FakeNetwork(), memory_pipe("kitchen")
    alice = connection(here, FIRST, network)
    async with asyncio.timeout(LIMIT_SECONDS), connection(there, SECOND, network) as bob:
        await cancel_after(turns, alice.open())
        async with alice:  # whether it was opened or not
            await ready(alice, bob)
    assert only_this_task()


@pytest.mark.parametrize("turns", TURNS)
async def test_waiting_and_sending(turns: int) -> None:
    async with pair() as (alice, bob, *_):
        await cancel_after(turns, alice.wait_for_ready(LIMIT_SECONDS))
        await ready(alice, bob)
        heard = bob.messages()
        was_sent = await cancel_after(turns, alice.send("one"))
        await alice.send("two")
        first = await anext(heard)
        assert first in ("one", "two")
        if was_sent:
            assert first == "one"
    assert only_this_task()


@pytest.mark.parametrize("turns", TURNS)
async def test_reading_loses_nothing(turns: int) -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        heard, events = bob.messages(), bob.events()
        await cancel_after(turns, anext(events))
        await cancel_after(turns, anext(heard))
        await alice.send("hello")
        assert await anext(heard) == "hello"
    assert only_this_task()


@pytest.mark.parametrize("turns", TURNS[1:])  # a task that is cancelled before its first turn has called nothing
async def test_closing(turns: int) -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        events = bob.events()
        await cancel_after(turns, alice.aclose("supper"))
        async for event in events:  # it goes on by itself
            if isinstance(event, Ended):
                assert event == Ended("supper", by_peer=True, code=EndCode.CLOSED)
                break
        await alice.aclose()
        assert alice.peer_connection is None
    assert only_this_task()


async def test_several_who_close_at_once() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        await asyncio.gather(*(call.aclose() for call in (alice, bob, alice, bob)))
    assert only_this_task()


async def test_closing_what_was_never_opened() -> None:
    alice = connection(memory_pipe("kitchen")[0], FIRST, FakeNetwork())
    await alice.aclose()
    assert only_this_task()


@pytest.mark.live
async def test_calls_over_a_server_leave_no_task_and_no_descriptor() -> None:
    identities = Identity.generate(), Identity.generate()
    loopback = Configuration(loopback=True)

    async def call(url: str) -> None:
        one, other = (
            Connection(WebSocketSignaling(f"{url}/kitchen"), identity, configuration=loopback)
            for identity in identities
        )
        async with one, other:
            await ready(one, other)
            heard = other.messages()
            await one.send("hello")
            assert await anext(heard) == "hello"

    async with SignalingServer() as server:
        await call(server.url)  # what is made once is there
        gc.collect()
        tasks, descriptors = len(asyncio.all_tasks()), open_descriptors()
        for _ in range(CALLS):
            await call(server.url)
        for _ in range(3):  # the server's sockets close in turns of their own
            gc.collect()
            await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) <= tasks
        assert open_descriptors() <= descriptors
    assert only_this_task()


def open_descriptors() -> int:
    """How many files and sockets are open; 0 where the system doesn't tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0
