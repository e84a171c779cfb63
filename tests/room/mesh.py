"""What is asked of rooms: that each has a connection to each of the others."""

from __future__ import annotations

import asyncio

from fsm_rtc.connection.connection import Connection
from fsm_rtc.errors import ConnectionFailedError
from fsm_rtc.room.events import PeerGone
from fsm_rtc.room.room import Room


async def whole(*rooms: Room) -> None:
    """Wait until each has a ready connection to each of the others, and no further one."""
    ids = {room.me.id for room in rooms}
    await asyncio.gather(*(has_just(room, ids - {room.me.id}) for room in rooms))


async def has_just(room: Room, ids: set[str]) -> None:
    events = room.events()
    while set(room.peers) != ids or not all([await is_ready(one) for one in tuple(room.peers.values())]):
        await anext(events)


async def is_ready(connection: Connection) -> bool:
    try:
        await connection.wait_for_ready()
    except ConnectionFailedError:
        return False
    return True


async def gone(room: Room, who: str) -> PeerGone:
    """Wait until the connection to somebody is over."""
    async for event in room.events():
        if isinstance(event, PeerGone) and event.peer.id == who:
            return event
    raise AssertionError("the room was closed before")


async def hear_each_other(*rooms: Room) -> None:
    """Each says something to all, and each hears it once of each."""
    heard = {(room.me.id, who): one.messages() for room in rooms for who, one in room.peers.items()}
    for room in rooms:
        assert await room.send(f"from {room.me.id}") == len(rooms) - 1
    for (_, who), messages in heard.items():
        assert await anext(messages) == f"from {who}"


def connections_of(room: Room) -> dict[str, tuple[int, int]]:
    """Which objects serve each peer: those that must stay the same if nothing happens to them."""
    return {who: (id(one), id(one.peer_connection)) for who, one in room.peers.items()}


class Talk:
    """One of a room counts to another, over and over; each number is said when the one before has arrived."""

    def __init__(self, sender: Room, listener: Room) -> None:
        self._connection = sender.peers[listener.me.id]
        self._messages = listener.peers[sender.me.id].messages()
        self._more = asyncio.Event()
        self.heard = 0

    async def run(self) -> None:
        while True:
            await self._connection.send(str(self.heard))
            assert await anext(self._messages) == str(self.heard)
            self.heard += 1
            self._more.set()

    async def goes_on(self) -> None:
        """Wait until something more has arrived."""
        self._more.clear()
        await self._more.wait()
