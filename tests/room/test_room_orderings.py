"""Joins and leaves in any order, at any time, over a link that loses and reorders: one connection between each two."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_rtc.messages import Identity
from fsm_rtc.room.room import Room
from fsm_rtc.testing import FakeNetwork
from tests.instant_loop import InstantLoop
from tests.memory_signaling import MemorySignaling, MemorySignalingChannel, room_in
from tests.room.mesh import hear_each_other, whole

pytestmark = pytest.mark.usefixtures("young_heap")

KEYS = [Identity.generate() for _ in range(4)]

LATEST_SECONDS = 400.0
"""On the loop's own time: what is lost is said again, who is missing is waited for."""

steps = st.tuples(
    st.sampled_from(("join", "join", "leave", "kill", "link down", "link up", "restart", "wait")),
    st.integers(0, len(KEYS) - 1),
    st.integers(0, 30),
)


class Party:
    """Everybody who comes and goes."""

    def __init__(self, signaling: MemorySignaling) -> None:
        self.signaling = signaling
        self.network = FakeNetwork()
        self.rooms: dict[int, Room] = {}
        self.channels: dict[int, MemorySignalingChannel] = {}
        self.killed: list[Room] = []
        self.leaving: list[asyncio.Task[None]] = []

    async def do(self, verb: str, number: int, turns: int) -> None:
        room = self.rooms.get(number)
        if verb == "restart":
            self.signaling.restart()
        elif verb == "join" and room is None:
            self.channels[number] = self.signaling.channel()
            loop = asyncio.get_running_loop()
            made = room_in(
                self.signaling,
                KEYS[number],
                self.network,
                channel=self.channels[number],
                name=f"{number}",
                clock=loop.time,
            )
            self.rooms[number] = await made.open()
        elif room is None:
            pass
        elif verb == "leave":
            del self.rooms[number]
            self.leaving.append(asyncio.create_task(room.aclose("enough")))
        elif verb == "kill":
            self.killed.append(self.rooms.pop(number))
            for connection in room.peers.values():
                if connection.peer_connection is not None:
                    connection.peer_connection.library.vanish()  # type: ignore[attr-defined]
            self.channels[number].cut()
        elif verb == "link down":
            self.channels[number].down()
        elif verb == "link up" and not self.channels[number].is_up:
            self.channels[number].up()
        for _ in range(turns):
            await asyncio.sleep(0)

    async def ends_well(self) -> None:
        self.signaling.calm()
        for number in self.rooms:
            if not self.channels[number].is_up:
                self.channels[number].up()
        async with asyncio.timeout(LATEST_SECONDS):
            await asyncio.gather(*self.leaving)
            await whole(*self.rooms.values())
            await hear_each_other(*self.rooms.values())
            for room in self.rooms.values():
                assert len(exchanges_of(room)) == len(self.rooms) - 1
            for room in (*self.rooms.values(), *self.killed):
                await room.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}


def exchanges_of(room: Room) -> list[str]:
    """The exchanges that the room still has, those of connections that nobody sees included."""
    return [label for label in room.machines if ".exchange" in label and ".candidates" not in label]


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(work)


@settings(max_examples=settings().max_examples // 2)
@given(script=st.lists(steps, min_size=3, max_size=25), seed=st.integers(0, 1 << 16), faults=st.floats(0.0, 0.4))
def test_each_two_who_are_there_end_with_one_ready_connection(
    script: list[tuple[str, int, int]], seed: int, faults: float
) -> None:
    async def play() -> None:
        party = Party(MemorySignaling(seed, loss=faults, delay=faults))
        for step in script:
            await party.do(*step)
        await party.ends_well()

    run(play())
    gc.collect()
