"""New ICE credentials of the other side restart ICE on the connection that stands; another certificate replaces it."""

from __future__ import annotations

import asyncio

import pytest

from fsm_rtc import Configuration, Connection, ConnectionStore, Identity
from fsm_rtc.connection import memory_pipe
from fsm_rtc.connection.events import Negotiated, Recovered, Recovering
from fsm_rtc.connection.exchange.candidates import ice_ufrag_of
from fsm_rtc.engine import Journal
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.peer.sdp import fingerprints_of
from tests.peer.peers import make_impatient, paths_of

pytestmark = pytest.mark.live

SESSION = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
LOOPBACK = Configuration(loopback=True)
LIMIT_SECONDS = 60


def ufrags(connection: PeerConnection) -> tuple[str, str]:
    assert connection.local_description is not None
    assert connection.remote_description is not None
    return ice_ufrag_of(connection.local_description), ice_ufrag_of(connection.remote_description)


@pytest.mark.parametrize("restarts", [0, 1])
async def test_ice_is_restarted_on_a_call_that_goes_on(restarts: int) -> None:
    pipes = memory_pipe()
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        Connection(pipes[0], Identity.generate(), configuration=LOOPBACK) as one,
        Connection(pipes[1], Identity.generate(), configuration=LOOPBACK) as other,
    ):
        calls = (one, other)
        for call in calls:
            await call.wait_for_ready()
        connections = [call.peer_connection for call in calls]
        channels = [call.data_channel for call in calls]
        first = connections[0]
        assert first is not None
        before = ufrags(first)
        heard = [call.messages() for call in calls]
        events = [call.events() for call in calls]
        restarting = connections[restarts]
        assert restarting is not None
        restarting.restart_ice()
        calls[restarts].negotiate()
        for number in range(50):
            await one.send(f"{number} from one")
            await other.send(f"{number} from other")
        for reader in events:
            async for event in reader:
                if isinstance(event, Negotiated):
                    break
        for number in range(50):
            assert await anext(heard[1]) == f"{number} from one"
            assert await anext(heard[0]) == f"{number} from other"
        assert [call.peer_connection for call in calls] == connections
        assert [call.data_channel for call in calls] == channels
        after = ufrags(first)
        assert set(after).isdisjoint(before)
        for call in calls:
            await call.wait_for_ready()


async def test_a_store_that_negotiates_by_signalling_goes_on_too() -> None:
    pipes = memory_pipe()
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        ConnectionStore(LOOPBACK) as one,
        Connection(pipes[1], Identity.generate(), configuration=LOOPBACK) as other,
    ):
        await one.connect(pipes[0], Identity.generate())
        await other.wait_for_ready()
        before = other.peer_connection
        assert before is not None
        old = ufrags(before)
        events = other.events()
        before.restart_ice()
        other.negotiate()
        async for event in events:
            if isinstance(event, Negotiated):
                break
        assert other.peer_connection is before
        assert set(ufrags(before)).isdisjoint(old)
        await one.wait_for_connected()


def test_a_description_belongs_to_the_connection_of_its_certificate() -> None:
    def described(*fingerprints: str) -> SessionDescription:
        sections = "".join(
            f"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-256 {fingerprint}\r\n" for fingerprint in fingerprints
        )
        return SessionDescription("offer", SESSION + sections)

    assert fingerprints_of(described("aa:bb", "AA:BB")) == {"SHA-256 AA:BB"}
    assert fingerprints_of(described("aa:bb")).isdisjoint(fingerprints_of(described("aa:bc")))
    session = SessionDescription("offer", f"{SESSION}a=fingerprint:sha-256 AA\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n")
    assert fingerprints_of(session) == {"SHA-256 AA"}


async def test_a_call_whose_ice_has_failed_is_had_back_on_the_same_peer_connections() -> None:
    pipes, journal = memory_pipe(), Journal()
    small, great = sorted((Identity.generate(), Identity.generate()), key=lambda identity: identity.id)
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        Connection(pipes[0], great, configuration=LOOPBACK, journal=journal, label="leader") as one,
        Connection(pipes[1], small, configuration=LOOPBACK) as other,
    ):
        calls = (one, other)
        for call in calls:
            await call.wait_for_ready()
        connections = [call.peer_connection for call in calls]
        make_impatient(*connections)  # type: ignore[arg-type]
        events = one.events()
        for connection in connections:
            for path in paths_of(connection):  # type: ignore[arg-type]
                for protocol in path.gatherer.agent._protocols:
                    protocol.transport.close()
        recovering: list[str] = []
        async for event in events:
            if isinstance(event, Recovering):
                recovering.append(event.how)
            if isinstance(event, Recovered):
                break
        assert recovering == ["ICE restart"]
        assert [call.peer_connection for call in calls] == connections
        heard = other.messages()
        await one.send("back")
        assert await anext(heard) == "back"
    moves = [
        entry.target for entry in journal.entries("leader.recovery") if entry.accepted and entry.source != entry.target
    ]
    assert moves[:5] == ["watching", "suspect", "overdue", "restarting ICE", "watching"]
