"""A call over a real TURN server alone, whose credentials the signalling server gives out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fsm_rtc import Configuration, Connection, ConnectionFailedError, ConnectionStore, Identity, WebSocketSignaling
from fsm_rtc.signaling import Settings, SignalingServer
from fsm_rtc.signaling.turn import TurnServers
from tests.coturn import coturn
from tests.signaling.participants import room_of

pytestmark = pytest.mark.live

SECRET = "a secret that two servers share"
RELAY_ONLY = Configuration(ice_transport_policy="relay", loopback=True)
LIMIT_SECONDS = 60


def offering(port: int, secret: str = SECRET) -> SignalingServer:
    turn = TurnServers(f"turn:127.0.0.1:{port}?transport=udp", secret)
    return SignalingServer(settings=Settings(turn=turn))


def kinds(connection: Connection) -> set[str]:
    """The types of the candidates that this side has found."""
    assert connection.peer_connection is not None
    return {one.candidate.split()[7] for one in connection.peer_connection.local_candidates}


async def test_two_who_may_only_be_relayed_talk(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        coturn(tmp_path, "--use-auth-secret", f"--static-auth-secret={SECRET}") as port,
        offering(port) as server,
        Connection(WebSocketSignaling(room_of(server)), Identity.generate(), configuration=RELAY_ONLY) as alice,
        Connection(WebSocketSignaling(room_of(server)), Identity.generate(), configuration=RELAY_ONLY) as bob,
    ):
        heard = bob.messages()
        await alice.wait_for_ready()
        await bob.wait_for_ready()
        await alice.send("over the relay")
        assert await anext(heard) == "over the relay"
        assert kinds(alice) == kinds(bob) == {"relay"}


async def test_two_stores_that_may_only_be_relayed_connect(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        coturn(tmp_path, "--use-auth-secret", f"--static-auth-secret={SECRET}") as port,
        offering(port) as server,
        ConnectionStore(RELAY_ONLY) as alice,
        ConnectionStore(RELAY_ONLY) as bob,
    ):
        for store in (alice, bob):
            await store.connect(WebSocketSignaling(room_of(server)), Identity.generate())
        for store in (alice, bob):
            await store.wait_until(lambda state: state.peer_connection_status == "connected")


async def test_credentials_of_another_secret_let_nobody_through(tmp_path: Path) -> None:
    async with (
        coturn(tmp_path, "--use-auth-secret", f"--static-auth-secret={SECRET}") as port,
        offering(port, "another secret") as server,
        Connection(WebSocketSignaling(room_of(server)), Identity.generate(), configuration=RELAY_ONLY) as alice,
        Connection(WebSocketSignaling(room_of(server)), Identity.generate(), configuration=RELAY_ONLY),
    ):
        with pytest.raises(ConnectionFailedError, match=r"has failed; .*TURN"):
            await alice.wait_for_ready(LIMIT_SECONDS)
