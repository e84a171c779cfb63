"""Calls over the real signalling server, which goes and comes; peer connections in memory."""

from __future__ import annotations

import asyncio
from functools import partial

from fsm_rtc import Configuration, Connection, SignalingServer, WebSocketSignaling
from fsm_rtc.connection.events import Negotiated, SignalingStatusChanged
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import Identity
from fsm_rtc.signaling import Limits, Settings
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.testing import FakeNetwork, FakePeerConnection, FakeTrack
from tests.connection.calls import FIRST, SECOND, ready

LIMIT_SECONDS = 20.0
AT_ONCE = Backoff(base_seconds=0.01, cap_seconds=0.02)


def connection(url: str, identity: Identity, network: FakeNetwork) -> Connection:
    return Connection(
        WebSocketSignaling(f"{url}/kitchen", backoff=AT_ONCE),
        identity,
        configuration=Configuration(close_timeout_seconds=0.02),
        peer_connection_factory=partial(FakePeerConnection, network=network),
    )


async def test_a_need_that_arises_while_the_server_is_away_is_met_when_it_is_back() -> None:
    network = FakeNetwork()
    server = SignalingServer()
    async with asyncio.timeout(LIMIT_SECONDS):
        async with server:
            url, port = server.url, server.port
            alice, bob = connection(url, FIRST, network), connection(url, SECOND, network)
            await asyncio.gather(alice.open(), bob.open())
            await ready(alice, bob)
        async with alice, bob:
            events = alice.events()
            async for event in events:
                if isinstance(event, SignalingStatusChanged):
                    assert event.status == "Error"
                    break
            arrived = asyncio.Event()
            bob.on_track(lambda _: arrived.set())
            alice.add_track(FakeTrack("audio"))
            assert alice.is_ready
            async with SignalingServer(port=port):
                await arrived.wait()
                async for event in events:
                    if isinstance(event, Negotiated):
                        break
            assert alice.peer_connection is not None
            assert alice.peer_connection.generation == 1


async def test_a_third_one_waits_until_there_is_room() -> None:
    network = FakeNetwork()
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        SignalingServer(settings=Settings(limits=Limits(members=2))) as server,
        connection(server.url, FIRST, network) as alice,
    ):
        carol = connection(server.url, Identity.generate(), network)
        async with connection(server.url, SECOND, network) as bob:
            await ready(alice, bob)
            refusals = carol.events()
            await carol.open()
            async for event in refusals:
                if isinstance(event, SignalingStatusChanged) and event.error is not None:
                    assert "room_full" in str(event.error)
                    assert event.retry_seconds is not None
                    break
        async with carol:
            await carol.wait_for_ready()
            await alice.wait_for_ready()
            assert alice.peer is not None
            assert alice.peer.id == carol.me.id
    assert alice.exchange_state is ExchangeState.CLOSED
