"""`join`: rooms over the real signalling server, which goes and comes; peer connections in memory."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

import fsm_rtc
from fsm_rtc import Configuration, ConnectionFailedError, Identity, Room, SignalingError, SignalingServer, join
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.room.mesh import connections_of, hear_each_other, whole

pytestmark = pytest.mark.live

LIMIT_SECONDS = 60.0


def joined(url: str, network: FakeNetwork, name: str, identity: Identity | None = None) -> Room:
    return join(
        f"{url}/kitchen",
        identity,
        name=name,
        configuration=Configuration(close_timeout_seconds=0.02),
        peer_connection_factory=partial(FakePeerConnection, network=network),
    )


async def has_status(room: Room, status: SignalingStatus) -> None:
    events = room.events()
    while room.signaling_status is not status:
        await anext(events)


async def test_those_who_join_hear_each_other_and_one_leaves() -> None:
    network = FakeNetwork()
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        SignalingServer() as server,
        joined(server.url, network, "alice") as alice,
        joined(server.url, network, "bob") as bob,
    ):
        async with joined(server.url, network, "carol") as carol:
            await whole(alice, bob, carol)
            await hear_each_other(alice, bob, carol)
        await whole(alice, bob)
        await hear_each_other(alice, bob)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_server_that_goes_and_comes_disturbs_no_connection() -> None:
    network = FakeNetwork()
    async with asyncio.timeout(LIMIT_SECONDS):
        async with SignalingServer() as server:
            url, port = server.url, server.port
            rooms = [await joined(url, network, name).open() for name in ("alice", "bob", "carol")]
            await whole(*rooms)
        stood = [connections_of(room) for room in rooms]
        await asyncio.gather(*(has_status(room, SignalingStatus.ERROR) for room in rooms))
        await hear_each_other(*rooms)
        async with SignalingServer(port=port):
            await asyncio.gather(*(has_status(room, SignalingStatus.CONNECTED) for room in rooms))
            async with joined(url, network, "dave") as dave:
                await whole(*rooms, dave)
                await hear_each_other(*rooms, dave)
                for room, before in zip(rooms, stood, strict=True):
                    assert before.items() <= connections_of(room).items()
            await asyncio.gather(*(room.aclose() for room in rooms))


async def test_a_refusal_that_is_final_ends_the_coming() -> None:
    network, key = FakeNetwork(), Identity.generate()
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        SignalingServer() as server,
        joined(server.url, network, "first", key) as first,
    ):
        await has_status(first, SignalingStatus.CONNECTED)
        async with joined(server.url, network, "second", key):
            with pytest.raises(ConnectionFailedError, match="replaced"):
                await anext(first.connections())


async def test_without_a_key_it_takes_one_for_this_room() -> None:
    one, other = join("ws://127.0.0.1:1/kitchen"), join("ws://127.0.0.1:1/kitchen")
    assert one.me.public_key
    assert one.me.id != other.me.id
    assert one.room == "kitchen"


def test_a_wrong_address_is_told_at_once() -> None:
    with pytest.raises(SignalingError, match="names no room"):
        fsm_rtc.join("ws://127.0.0.1:1/")
