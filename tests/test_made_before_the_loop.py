"""What a program makes may be made before its event loop runs, with a journal or without one.

A module's globals and a class's constructor are such places: ``call = Connection(…)`` and then ``asyncio.run(main())``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from fsm_rtc import (
    Chart,
    Configuration,
    Connection,
    ConnectionStore,
    Driver,
    Identity,
    Journal,
    On,
    PeerConnection,
    Room,
    Row,
    RTCConfiguration,
    RTCPeerConnection,
    SignalingServer,
    WebSocketSignaling,
)
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.signaling import Settings

pytestmark = pytest.mark.live

LOOPBACK = Configuration(loopback=True)
NO_SERVERS = RTCConfiguration(iceServers=[])


def connections(journal: Journal | None) -> list[Any]:
    return [
        Connection(channel, Identity.generate(), name=name, configuration=LOOPBACK, journal=journal, label=name)
        for channel, name in zip(memory_pipe(), ("alice", "bob"), strict=True)
    ]


MADE: dict[str, Callable[[Journal | None], list[Any]]] = {
    "Connection": connections,
    "ConnectionStore": lambda journal: [ConnectionStore(LOOPBACK, journal=journal)],
    "PeerConnection": lambda journal: [PeerConnection(LOOPBACK, journal=journal)],
    "RTCPeerConnection": lambda journal: [RTCPeerConnection(NO_SERVERS, journal=journal)],
    "Room": lambda journal: [Room(memory_pipe()[0], Identity.generate(), configuration=LOOPBACK, journal=journal)],
    "SignalingServer": lambda journal: [SignalingServer(settings=Settings(journal=journal or Journal()))],
    "WebSocketSignaling": lambda journal: [WebSocketSignaling("ws://127.0.0.1:1/kitchen")],
}


@pytest.mark.parametrize("journalled", [True, False], ids=["journal", "no journal"])
@pytest.mark.parametrize("name", MADE)
def test_it_is_made_before_the_loop_and_closed_within(name: str, journalled: bool) -> None:
    made = MADE[name](Journal() if journalled else None)

    async def close() -> None:
        for one in made:
            close = getattr(one, "aclose", None) or getattr(one, "close_connection", None) or one.close
            if (closing := close()) is not None:
                await closing

    asyncio.run(close())


@pytest.mark.parametrize("journalled", [True, False], ids=["journal", "no journal"])
def test_a_call_that_was_made_before_the_loop_is_a_call(journalled: bool) -> None:
    made = connections(Journal() if journalled else None)

    async def call() -> str:
        alice, bob = made
        async with alice, bob:
            await alice.wait_for_ready(30)
            await alice.send("hello")
            async for message in bob.messages():
                return str(message)
        raise AssertionError("nothing came")

    assert asyncio.run(call()) == "hello"


class LampState(StrEnum):
    DARK = "dark"
    LIT = "lit"


DARK, LIT = LampState


class Lamp(Chart[LampState, None]):
    source = "this test"
    initial = DARK
    light = On(Row(DARK, LIT))
    burns_out = On(Row(LIT, DARK), after=5.0)


def test_a_drivers_machine_is_watched_before_the_loop() -> None:
    journal, driver = Journal(), Driver()
    lamp = Lamp(None, clock=driver.clock)
    journal.watch(lamp, "lamp")

    async def use() -> None:
        async with driver:
            driver.add(lamp, {})
            driver.fire(lamp.light)

    asyncio.run(use())
    assert lamp.state is LIT
