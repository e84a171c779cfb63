"""A room in memory: one connection between each two, and what becomes of one is no matter of the others."""

from __future__ import annotations

import asyncio

from fsm_rtc.connection.room import Room
from fsm_rtc.messages import Identity
from fsm_rtc.testing import FakeNetwork
from tests.connection.calls import LIMIT_SECONDS
from tests.connection.hall import Hall, room_in

KEYS = sorted((Identity.generate() for _ in range(4)), key=lambda one: one.id)


async def whole(*rooms: Room) -> None:
    """Each has a ready connection to each of the others, and no further one."""
    ids = {room.me.id for room in rooms}
    async with asyncio.timeout(LIMIT_SECONDS):
        for room in rooms:
            while set(room.peers) != ids - {room.me.id}:
                await asyncio.sleep(0.001)
            await asyncio.gather(*(connection.wait_for_ready() for connection in room.peers.values()))


async def test_three_have_a_connection_each_to_each() -> None:
    hall, network = Hall(), FakeNetwork()
    async with (
        room_in(hall, KEYS[0], network, name="a") as a,
        room_in(hall, KEYS[1], network, name="b") as b,
        room_in(hall, KEYS[2], network, name="c") as c,
    ):
        await whole(a, b, c)
        heard = [(await anext(b.connections())).messages(), c.peers[a.me.id].messages()]
        heard[0] = b.peers[a.me.id].messages()
        assert await a.send("hello") == 2
        assert [await anext(one) for one in heard] == ["hello", "hello"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
