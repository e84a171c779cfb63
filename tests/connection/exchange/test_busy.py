"""Who comes to a call of two waits until it is over, however long that takes, as long as one of the two lives."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from itertools import permutations

import pytest

from fsm_rtc import Configuration, Connection, ConnectionFailedError, Identity
from fsm_rtc.connection.events import Ended, PeerBusy
from fsm_rtc.messages.trust import AnyPeer
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.instant_loop import InstantLoop
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel

KEYS = sorted((Identity.generate() for _ in range(3)), key=lambda one: one.id)
ORDERS = list(permutations(range(3)))


def made(channel: MemorySignalingChannel, key: Identity, network: FakeNetwork) -> Connection:
    return Connection(
        channel,
        key,
        trust=AnyPeer(),
        configuration=Configuration(close_timeout_seconds=0.02),
        peer_connection_factory=partial(FakePeerConnection, network=network),
        clock=asyncio.get_running_loop().time,
    )


async def told(call: Connection, what: list[object]) -> None:
    async for event in call.events():
        what.append(event)  # noqa: PERF401 - as it comes


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_third_is_called_when_the_call_is_over(order: tuple[int, int, int]) -> None:
    async def play() -> None:
        signaling, network, happened = MemorySignaling(), FakeNetwork(), list[object]()
        staying, leaving, third = (made(signaling.channel(), KEYS[number], network) for number in order)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(staying)
            await stack.enter_async_context(leaving)
            await asyncio.gather(staying.wait_for_ready(60), leaving.wait_for_ready(60))
            listening = asyncio.create_task(told(third, happened))
            await stack.enter_async_context(third)
            await asyncio.sleep(1000)
            assert (staying.is_ready, third.is_ready) == (True, False)
            await leaving.aclose()
            await asyncio.gather(staying.wait_for_ready(60), third.wait_for_ready(60))
            assert staying.peer == third.me
            assert sum(isinstance(event, PeerBusy) for event in happened) in (1, 2), "once by each whom it met"
            assert not any(isinstance(event, Ended) for event in happened)
        await listening

    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(play())


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_nobody_waits_for_ever_for_who_was_busy_and_is_silent(order: tuple[int, int, int]) -> None:
    async def play() -> None:
        signaling, network = MemorySignaling(), FakeNetwork()
        channels = [signaling.channel() for _ in order]
        one, other, third = (
            made(channel, KEYS[number], network) for channel, number in zip(channels, order, strict=True)
        )
        async with one, other:
            await asyncio.gather(one.wait_for_ready(60), other.wait_for_ready(60))
            async with third:
                await asyncio.sleep(100)
                for channel in channels[:2]:  # nobody is told that they are away
                    channel.is_up, channel.signaling = False, MemorySignaling()
                with pytest.raises(ConnectionFailedError):
                    await third.wait_for_ready(120)

    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(play())
