"""Eight in a room, over the loopback interface: one is killed and one comes, and the others notice nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from fsm_rtc.messages import Identity
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.room.room import Room
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel
from tests.room.mesh import Talk, connections_of, gone, has_just, hear_each_other, whole

pytestmark = pytest.mark.live

LIMIT_SECONDS = 60.0

EIGHT = 8


def room_over(channel: MemorySignalingChannel, name: str) -> Room:
    return Room(channel, Identity.generate(), name=name, configuration=Configuration(loopback=True))


async def test_one_is_killed_and_one_comes_and_the_others_notice_nothing() -> None:
    signaling = MemorySignaling()
    channels = [signaling.channel() for _ in range(EIGHT + 1)]
    async with asyncio.timeout(LIMIT_SECONDS), AsyncExitStack() as stack:
        rooms = [
            await stack.enter_async_context(room_over(channel, f"{number}"))
            for number, channel in enumerate(channels[:EIGHT])
        ]
        await whole(*rooms)
        assert sum(len(room.peers) for room in rooms) == 56
        *others, killed = rooms
        ids = {room.me.id for room in others}
        stood = {room.me.id: connections_of(room) for room in others}
        talks = [Talk(sender, listener) for sender in others for listener in others if sender is not listener]
        talking = [asyncio.create_task(talk.run()) for talk in talks]

        goodbyes = [asyncio.create_task(gone(room, killed.me.id)) for room in others]
        await asyncio.gather(*(talk.goes_on() for talk in talks))
        channels[EIGHT - 1].cut()
        assert {done.reason for done in await asyncio.gather(*goodbyes)} == {"the peer left"}
        await asyncio.gather(*(has_just(room, ids - {room.me.id}) for room in others))

        new = await stack.enter_async_context(room_over(channels[EIGHT], "new"))
        await whole(*others, new)
        await asyncio.gather(*(talk.goes_on() for talk in talks))
        for room in others:
            now = connections_of(room)
            del now[new.me.id]
            assert now.items() <= stood[room.me.id].items()
            assert len(now) == EIGHT - 2

        assert not [task for task in talking if task.done()]
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await killed.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_link_that_is_lost_and_returns_disturbs_no_connection() -> None:
    signaling = MemorySignaling()
    channels = [signaling.channel() for _ in range(3)]
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        room_over(channels[0], "alice") as alice,
        room_over(channels[1], "bob") as bob,
        room_over(channels[2], "carol") as carol,
    ):
        rooms = (alice, bob, carol)
        await whole(*rooms)
        stood = [connections_of(room) for room in rooms]
        for channel in channels:
            channel.down(ConnectionError("lost"))
        await hear_each_other(*rooms)
        for channel in channels:
            channel.up()
        await hear_each_other(*rooms)
        assert [connections_of(room) for room in rooms] == stood
