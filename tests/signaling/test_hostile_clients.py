"""A server under attack keeps its bounds, serves honest clients, and is afterwards what it was before.

``HYPOTHESIS_PROFILE=ci`` makes 6,000 attacks, two thirds of them with its memory traced, ``thorough`` 19,000. What
honest clients' messages wait meanwhile is measured by benchmarks/signaling.py.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tracemalloc
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fsm_rtc.connection.channel import LinkUp, MessageReceived, PeerJoined
from fsm_rtc.messages.signing import Member
from fsm_rtc.signaling.client import WebSocketSignaling
from fsm_rtc.signaling.server import SignalingServer
from tests.effort import by_profile
from tests.signaling.hostile_clients import ATTACKS, SLOW
from tests.signaling.participants import ANNA, BERT, following, joining, offer, open_sockets, room_of, server_of, until

pytestmark = pytest.mark.live

TIMES = by_profile(quick=200, default=200, ci=15_000, thorough=15_000)
TIMES_TRACED = by_profile(quick=200, default=200, ci=2_000, thorough=2_000)
AT_ONCE = 16
PARLOUR = "parlour"


@asynccontextmanager
async def hostile(port: int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.signaling.hostile_clients", str(port), stdin=PIPE, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def attack(process: Process, times: int) -> dict[str, int]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{times} {AT_ONCE}\n".encode())
    made: dict[str, int] = json.loads(await process.stdout.readline())
    return made


@asynccontextmanager
async def joined(first: WebSocketSignaling, url: str, me: Member) -> AsyncIterator[WebSocketSignaling]:
    """A second channel, once both know of each other."""
    await following(first, LinkUp)
    async with joining(url, me) as channel:
        await following(channel, LinkUp)
        await following(first, PeerJoined)
        yield channel


async def talk(one: WebSocketSignaling, other: WebSocketSignaling, texts: list[str]) -> None:
    """One sends to the other, one after the other, until cancelled."""
    while True:
        for text in texts:
            await one.send(text)
            assert await following(other, MessageReceived) == MessageReceived(text)
            await asyncio.sleep(0.005)  # they keep the bounds


def attacked() -> SignalingServer:
    """A server whose bounds are soon reached."""
    bounds = {"members": 40, "grace_seconds": 0.05, "burst": 40, "messages_per_second": 250.0, "rooms": 50}
    return server_of(handshake_seconds=0.5, **bounds)


async def test_attacks_of_every_kind_leave_nothing_behind_and_honest_clients_are_served(
    capsys: pytest.CaptureFixture[str],
) -> None:
    anna, bert = Member(PARLOUR, ANNA), Member(PARLOUR, BERT)
    async with (
        attacked() as server,
        joining(room_of(server, PARLOUR), anna) as one,
        hostile(server.port) as process,
        joined(one, room_of(server, PARLOUR), bert) as other,
    ):
        talking = asyncio.create_task(
            talk(other, one, [offer(bert, anna, str(number)) for number in range(10)]), name="honest"
        )
        await attack(process, 200)  # what is loaded and kept by the first ones is no leak
        await quiet(server, 2)
        tasks, sockets = {task.get_name() for task in asyncio.all_tasks()}, len(open_sockets())
        most_links = most_members = 0

        async def watch() -> None:
            nonlocal most_links, most_members
            while True:
                most_links = max(most_links, server.service.link_count)
                most_members = max(most_members, server.service.hub.member_count)
                await asyncio.sleep(0.01)

        watching = asyncio.create_task(watch())
        made = await attack(process, TIMES)
        watching.cancel()
        await asyncio.wait({watching})
        assert not talking.done(), "the honest ones were disturbed"
        talking.cancel()
        await asyncio.wait({talking})
        await quiet(server, 2)
        left = {task.get_name() for task in asyncio.all_tasks()} | {"honest"}
        with capsys.disabled():
            print(f"\n{sum(made.values())} attacks of {len(made)} kinds; at most {most_links} sockets and", end=" ")
            print(f"{most_members} members at once;", end=" ")
            print({code.value: times for code, times in sorted(server.refused.items())})
        assert set(made) == set(ATTACKS) | set(SLOW)
        assert sum(made.values()) == TIMES
        assert left <= tasks
        assert len(open_sockets()) == sockets
        assert most_links <= AT_ONCE + 2 + 40
        assert most_members <= 42
        expected = {"bad_message", "bad_hello", "wrong_room", "too_fast", "handshake_timeout"}
        assert expected <= {code.value for code in server.refused}


async def test_what_is_kept_of_attacks_does_not_grow_with_them(capsys: pytest.CaptureFixture[str]) -> None:
    tracemalloc.start()
    try:
        async with attacked() as server, hostile(server.port) as process:
            kept = []
            for _ in range(2):
                await attack(process, TIMES_TRACED)
                await quiet(server, 0)
                gc.collect()
                kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    with capsys.disabled():
        told = ", then ".join(f"{size / 1e3:.0f} kB" for size in kept)
        print(f"\nkept of {TIMES_TRACED} attacks and of as many more: {told}")
    assert kept[1] - kept[0] < 250_000


async def quiet(server: SignalingServer, honest: int) -> None:
    """Wait until only the honest ones are left."""
    await until(lambda: server.connection_count == server.service.hub.member_count == honest)
