"""A call of hours over a relay, in short: its TURN credentials end again and again, and it hears of none of that."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fsm_rtc import Configuration, Connection, ConnectionStore, Identity, WebSocketSignaling
from fsm_rtc.connection import ConnectionStateChanged, PeerLost, Recovering
from fsm_rtc.peer import PeerConnection
from fsm_rtc.signaling import Settings, SignalingServer
from fsm_rtc.signaling.turn import TurnServers
from tests.coturn import coturn
from tests.signaling.participants import room_of

pytestmark = pytest.mark.live

SECRET = "a secret that two servers share"
RELAY_ONLY = Configuration(ice_transport_policy="relay", loopback=True)
CREDENTIALS_SECONDS = 6
"""New ones come every 3 s; an allocation has to be refreshed as often, and no new one is made with those that ended."""

OPTIONS = ("--use-auth-secret", f"--static-auth-secret={SECRET}", "--max-allocate-lifetime=4")
LIMIT_SECONDS = 120

WHILE_ICE_RESTARTS = {"connecting", "connected"}
"""The state may say so; what is sent goes on over the old relay meanwhile."""


def offering(port: int) -> SignalingServer:
    turn = TurnServers(f"turn:127.0.0.1:{port}?transport=udp", SECRET, CREDENTIALS_SECONDS)
    return SignalingServer(settings=Settings(turn=turn))


def relays(peer: PeerConnection | None) -> set[str]:
    """The addresses that were relayed to this side so far."""
    assert peer is not None
    words = [one.candidate.split() for one in peer.local_candidates]
    assert {word[7] for word in words} == {"relay"}
    return {f"{word[4]}:{word[5]}" for word in words}


async def many_relays(number: int, *peers: PeerConnection | None) -> None:
    """Wait until each has had so many."""
    for peer in peers:
        found = asyncio.Event()
        assert peer is not None
        stop = peer.on("icecandidate", lambda _, found=found: found.set())
        while len(relays(peer)) < number:
            found.clear()
            await found.wait()
        stop()


async def test_a_relayed_call_outlives_its_credentials(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        coturn(tmp_path, *OPTIONS) as port,
        offering(port) as server,
        Connection(WebSocketSignaling(room_of(server)), Identity.generate(), configuration=RELAY_ONLY) as alice,
        Connection(WebSocketSignaling(room_of(server)), Identity.generate(), configuration=RELAY_ONLY) as bob,
    ):
        heard = bob.messages()
        await alice.wait_for_ready()
        await bob.wait_for_ready()
        events = [side.events() for side in (alice, bob)]
        peers = (alice.peer_connection, bob.peer_connection)
        sent = 0

        async def talk() -> None:
            nonlocal sent
            while True:
                sent += 1
                await alice.send(str(sent))
                await asyncio.sleep(0.02)

        talking = asyncio.create_task(talk())
        # Three periods and more: the first credentials ended long ago.
        await many_relays(8, *peers)
        talking.cancel()
        for number in range(1, sent + 1):
            assert await anext(heard) == str(number)
        assert (alice.peer_connection, bob.peer_connection) == peers
        await alice.aclose()
        await bob.aclose()
        told = [event for one in events async for event in one]
        assert [event for event in told if isinstance(event, PeerLost | Recovering)] == []
        seen = {event.state.value for event in told if isinstance(event, ConnectionStateChanged)}
        assert seen - {"closed"} <= WHILE_ICE_RESTARTS


async def test_so_does_that_of_two_stores(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        coturn(tmp_path, *OPTIONS) as port,
        offering(port) as server,
        ConnectionStore(RELAY_ONLY) as alice,
        ConnectionStore(RELAY_ONLY) as bob,
    ):
        for store in (alice, bob):
            await store.connect(WebSocketSignaling(room_of(server)), Identity.generate())
        for store in (alice, bob):
            await store.wait_until(lambda state: state.peer_connection_status == "connected")
        peers = [store.snapshot.peer_connection for store in (alice, bob)]
        seen: list[str] = []
        for store in (alice, bob):
            store.subscribe(lambda state: seen.append(state.peer_connection_status))
        await many_relays(4, *peers)
        assert [store.snapshot.peer_connection for store in (alice, bob)] == peers
        assert {*seen} <= WHILE_ICE_RESTARTS
