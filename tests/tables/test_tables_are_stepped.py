"""Every table is stepped by the product itself: in a call, a room, a store, at the server or while a file crosses."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from fsm_rtc import (
    Chart,
    Configuration,
    Connection,
    ConnectionStore,
    Identity,
    Journal,
    Room,
    SignalingServer,
    WebSocketSignaling,
)
from fsm_rtc.connection import SignalingChannel
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.engine import Accepted
from fsm_rtc.errors import Rejected
from fsm_rtc.files import FileSource, ReceivingFolder, receive_file, send_file
from fsm_rtc.machines import CHARTS
from fsm_rtc.media import SyntheticVideoTrack

pytestmark = pytest.mark.live

LOOPBACK = Configuration(loopback=True)
LIMIT_SECONDS = 60.0

PROFILES = {
    "negotiation_jsep": "RFC 9429's way with a rollback, by which other stacks are judged",
    "ice_aiortc": "aiortc's own habits, by which it is judged",
}
"""Tables of the oracle alone, and why."""


async def calls(folder: Path) -> None:
    """Two calls with a camera, over a server and over a pipe, of which one is without keys; a file crosses each."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(SignalingServer())
        here, there = memory_pipe()
        channels: list[tuple[SignalingChannel, SignalingChannel]] = [
            (WebSocketSignaling(f"{server.url}/call"), WebSocketSignaling(f"{server.url}/call")),
            (here, there),
        ]
        for number, (keys, pair) in enumerate(zip((True, False), channels, strict=True)):
            sides = [
                Connection(one, Identity.generate() if keys else None, configuration=LOOPBACK, receive=("video",))
                for one in pair
            ]
            sides[0].add_track(SyntheticVideoTrack())
            for side in sides:
                await stack.enter_async_context(side)
            await asyncio.gather(*(side.wait_for_ready(LIMIT_SECONDS) for side in sides))
            seen: asyncio.Queue[Any] = asyncio.Queue()
            sides[1].on_track(seen.put_nowait)
            async with asyncio.timeout(LIMIT_SECONDS):
                await (await seen.get()).recv()
            for _ in range(20):
                sides[0].send_now(bytes(200_000))
            await sides[0].drained()
            (folder / f"{number}").mkdir(parents=True)
            (folder / f"{number}" / "film.bin").write_bytes(bytes(100_000))
            await cross(sides, folder / f"{number}")


async def cross(sides: list[Connection], folder: Path) -> None:
    source = await FileSource.of(folder / "film.bin")
    async with asyncio.timeout(LIMIT_SECONDS):
        await asyncio.gather(
            send_file(sides[0], source), receive_file(sides[1], ReceivingFolder(folder / "in"), linger_seconds=0.1)
        )


async def rooms(folder: Path) -> None:
    """Three of a room meet, and two of them leave."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(SignalingServer())
        three = [
            Room(WebSocketSignaling(f"{server.url}/room"), Identity.generate(), name=name, configuration=LOOPBACK)
            for name in ("a", "b", "c")
        ]
        for room in three:
            await stack.enter_async_context(room)
        for room in three:
            arrivals = aiter(room.connections())
            async with asyncio.timeout(LIMIT_SECONDS):
                for _ in range(2):
                    await (await anext(arrivals)).wait_for_ready()


async def stores(folder: Path) -> None:
    """A call of the connection store, with the descriptions in one's own hands."""
    async with ConnectionStore(LOOPBACK) as caller, ConnectionStore(LOOPBACK) as callee:
        await caller.process_answer(await callee.process_offer(await caller.create_offer()))
        await caller.wait_for_connected(LIMIT_SECONDS)
        await caller.close_connection()


SCENES: dict[str, Callable[[Path], Awaitable[None]]] = {"calls": calls, "rooms": rooms, "stores": stores}


async def test_every_table_is_stepped_by_the_product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stepped: defaultdict[str, set[str]] = defaultdict(set)
    scene = ""

    def note(machine: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Accepted):
            stepped[type(machine).__name__].add(scene)

    make: Any = Chart.__init__

    def made(machine: Chart[Any, Any], *arguments: Any, **options: Any) -> None:
        make(machine, *arguments, **options)
        machine.observe(note)

    monkeypatch.setattr(Chart, "__init__", made)
    for scene, play in SCENES.items():
        await play(tmp_path / scene)
    idle = {name for name, chart in CHARTS.items() if chart.__name__ not in stepped}
    assert idle == {*PROFILES}


async def test_the_machines_of_a_call_are_in_its_journal() -> None:
    journal = Journal()
    pair = [
        Connection(one, Identity.generate(), configuration=LOOPBACK, journal=journal, label=label)
        for one, label in zip(memory_pipe(), ("alice", "bob"), strict=True)
    ]
    async with pair[0], pair[1]:
        await asyncio.gather(*(one.wait_for_ready(LIMIT_SECONDS) for one in pair))
        labels = {label for one in pair for label in one.machines}
        assert {entry.label for entry in journal.entries()} <= labels | {"alice.deliveries", "bob.deliveries"}
