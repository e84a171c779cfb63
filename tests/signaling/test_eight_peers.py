"""Eight programs in one room of a real server: one is killed, one comes, and the others notice nothing."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fsm_rtc import Configuration, Room, join
from tests.cli.programs import Program
from tests.connection.connection_pairs import refused_by
from tests.room.mesh import Talk, connections_of, gone, has_just, whole
from tests.signaling.participants import room_of, server_of

pytestmark = pytest.mark.live

SEVEN = 7
LIMIT_SECONDS = 90.0


def joined(url: str, name: str) -> Room:
    return join(url, name=name, configuration=Configuration(loopback=True))


async def test_twenty_eight_connections_of_which_twenty_one_don_t_notice_that_a_program_was_killed(
    tmp_path: Path,
) -> None:
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        server_of(grace_seconds=0.5) as server,
        AsyncExitStack() as stack,
    ):
        url = room_of(server)
        rooms = [await stack.enter_async_context(joined(url, str(number))) for number in range(SEVEN)]
        await whole(*rooms)
        program = stack.enter_context(Program(tmp_path, "join", url, "--loopback", "--json", "--one-time-key"))
        eighth = (await asyncio.to_thread(program.until_event, "me"))["id"]
        everybody = {room.me.id for room in rooms} | {eighth}
        await asyncio.gather(*(has_just(room, everybody - {room.me.id}) for room in rooms))
        assert sum(len(room.peers) for room in rooms) + SEVEN == 56

        stood = {room.me.id: connections_of(room) for room in rooms}
        talks = [Talk(sender, listener) for sender in rooms for listener in rooms if sender is not listener]
        talking = [asyncio.create_task(talk.run()) for talk in talks]
        goodbyes = [asyncio.create_task(gone(room, eighth)) for room in rooms]
        await asyncio.gather(*(talk.goes_on() for talk in talks))
        program.interrupt(signal.SIGKILL)
        await asyncio.gather(*goodbyes)

        new = await stack.enter_async_context(joined(url, "new"))
        await whole(*rooms, new)
        await asyncio.gather(*(talk.goes_on() for talk in talks))
        for room in rooms:
            now = connections_of(room)
            del now[new.me.id]
            assert now.items() <= stood[room.me.id].items()
            assert len(now) == SEVEN - 1
            assert refused_by(room) == {}

        assert not [task for task in talking if task.done()]
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
