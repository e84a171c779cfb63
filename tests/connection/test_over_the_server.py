"""Calls over the real signalling server, which goes and comes; peer connections in memory."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from fsm_rtc import Configuration, Connection, SignalingServer, WebSocketSignaling
from fsm_rtc.connection.events import Negotiated, PeerBusy, SignalingStatusChanged
from fsm_rtc.errors import ConnectTimeoutError
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import Identity
from fsm_rtc.signaling import Limits, Settings
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.testing import FakeNetwork, FakePeerConnection, FakeTrack
from tests.connection.connection_pairs import FIRST, SECOND, ready

pytestmark = pytest.mark.live

LIMIT_SECONDS = 60.0
AT_ONCE = Backoff(base_seconds=0.01, cap_seconds=0.02)


def connection(url: str, identity: Identity, network: FakeNetwork, name: str | None = None) -> Connection:
    return Connection(
        WebSocketSignaling(f"{url}/kitchen", backoff=AT_ONCE),
        identity,
        name=identity.id[:8] if name is None else name,
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


async def test_a_third_in_a_call_of_two_is_told_so_and_is_called_when_it_is_over() -> None:
    network = FakeNetwork()
    async with asyncio.timeout(LIMIT_SECONDS), SignalingServer() as server:
        alice = connection(server.url, FIRST, network, "alice")
        carl = connection(server.url, Identity.generate(), network, "carl")
        async with alice, connection(server.url, SECOND, network, "bob") as bob:
            await ready(alice, bob)
            async with carl:
                events = carl.events()
                async for event in events:
                    if isinstance(event, PeerBusy):
                        assert event.peer.id == alice.me.id
                        break
                with pytest.raises(ConnectTimeoutError, match="in a call with somebody else") as caught:
                    await carl.wait_for_ready(0.01)
                assert caught.value.failure is not None
                assert caught.value.failure.to_dict()["peer_was_busy"]
                assert (alice.is_ready, bob.is_ready) == (True, True)
                await bob.aclose()
                await ready(alice, carl)


async def test_who_is_there_when_two_begin_a_call_is_told_so() -> None:
    network = FakeNetwork()
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        SignalingServer() as server,
        connection(server.url, FIRST, network, "alice") as alice,
        connection(server.url, SECOND, network, "bob") as bob,
        connection(server.url, Identity.generate(), network, "carl") as carl,
    ):
        told = asyncio.create_task(left_out(alice, bob, carl))
        failure = (await told).examine()
        assert "in a call with somebody else" in failure.advice


async def left_out(*calls: Connection) -> Connection:
    """The one of three who hears that its peer is busy."""

    async def is_told(call: Connection) -> Connection:
        async for event in call.events():
            if isinstance(event, PeerBusy):
                return call
        raise AssertionError("closed")

    done, waiting = await asyncio.wait(
        [asyncio.ensure_future(is_told(call)) for call in calls], return_when=asyncio.FIRST_COMPLETED
    )
    for task in waiting:
        task.cancel()
    return done.pop().result()
