"""A program that is killed, again and again, at any moment, comes back into its call. Real processes, real server."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import Process
from collections import Counter
from pathlib import Path

import pytest

from fsm_rtc import Configuration, Connection, Identity, SignalingServer, WebSocketSignaling
from fsm_rtc.connection.events import ConnectionEvent, Ended, Joined, Left, Ready
from tests.connection.connection_pairs import FIRST, SECOND
from tests.effort import by_profile

pytestmark = pytest.mark.live

LIMIT_SECONDS = 150.0
KILLS = by_profile(quick=3, default=3, ci=8, thorough=8)


class Program:
    """The program that is killed."""

    def __init__(self, url: str, folder: Path, key: Identity) -> None:
        self._arguments = (url, str(folder / "key"), str(folder))
        key.save(folder / "key")
        self.process: Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.connection.saving.restarted_peer", *self._arguments
        )

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


class Survivor:
    """The other side, and what it has seen."""

    def __init__(self, url: str, key: Identity) -> None:
        self.call = Connection(WebSocketSignaling(url), key, configuration=Configuration(loopback=True))
        self.events: list[ConnectionEvent] = []
        self.heard: list[str] = []
        self.said = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        await self.call.open()
        self._tasks = [asyncio.create_task(work()) for work in (self._follow, self._listen, self._talk)]

    async def end(self) -> None:
        await self.call.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    def stop_talking(self) -> None:
        self._tasks[2].cancel()

    async def _follow(self) -> None:
        async for event in self.call.events():
            self.events.append(event)

    async def _listen(self) -> None:
        async for message in self.call.messages():
            self.heard.append(str(message))

    async def _talk(self) -> None:
        await self.call.wait_for_ready()
        while True:
            await self.call.send(f"{self.said + 1}")
            self.said += 1
            await asyncio.sleep(0.01)


async def until_heard(survivor: Survivor, count: int) -> None:
    """Wait until so many more messages have come."""
    goal = len(survivor.heard) + count
    while len(survivor.heard) < goal:  # noqa: ASYNC110 - the listener tells nobody
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("keys", [(FIRST, SECOND), (SECOND, FIRST)], ids=["it leads", "it follows"])
async def test_killed_at_any_moment_it_is_back_in_its_call_and_nothing_is_lost_or_committed_twice(
    keys: tuple[Identity, Identity], tmp_path: Path
) -> None:
    moments = random.Random(KILLS)
    async with asyncio.timeout(LIMIT_SECONDS), SignalingServer() as server:
        url = f"{server.url}/kitchen"
        survivor, program = Survivor(url, keys[0]), Program(url, tmp_path, keys[1])
        await survivor.begin()
        try:
            await program.start()
            for number in range(KILLS):
                if number % 2:
                    await asyncio.sleep(moments.uniform(0.3, 1.2))  # while it starts, joins, or makes an offer
                else:
                    await until_heard(survivor, moments.randrange(1, 80))
                await program.kill()
                await program.start()
            await until_heard(survivor, 20)
            survivor.stop_talking()
            await survivor.call.send("end")
            assert program.process is not None
            assert await program.process.wait() == 0
        finally:
            await program.kill()
            await survivor.end()
    told = Counter(type(event) for event in survivor.events)
    assert told[Ready] >= KILLS // 2 + 1
    committed = [line.split()[1] for line in (tmp_path / "committed").read_text().splitlines()]
    assert committed == [f"{number + 1}" for number in range(len(committed))], "each once and in order"
    assert len(committed) in (survivor.said, survivor.said + 1)
    sent = {line.split()[0] for line in (tmp_path / "numbered").read_text().splitlines()}
    assert sent <= {*survivor.heard}, "each at least once"


async def test_the_other_side_sees_neither_a_leaving_nor_an_end(tmp_path: Path) -> None:
    async with asyncio.timeout(LIMIT_SECONDS), SignalingServer() as server:
        url = f"{server.url}/kitchen"
        survivor, program = Survivor(url, FIRST), Program(url, tmp_path, SECOND)
        await survivor.begin()
        try:
            await program.start()
            await until_heard(survivor, 20)
            await program.kill()
            await program.start()
            await until_heard(survivor, 20)
            assert server.service.counts["resumed"] == 1
            told = Counter(type(event) for event in survivor.events)
            assert (told[Joined], told[Left], told[Ended]) == (1, 0, 0)
        finally:
            await program.kill()
            await survivor.end()
