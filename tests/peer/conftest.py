"""Peers in memory by each engine, live ones on loopback, and bare aiortc."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from fsm_rtc.engine import Journal
from fsm_rtc.peer import Configuration, PeerConnection
from fsm_rtc.testing import FakeNetwork, FakePeerConnection

MakeFake = Callable[..., FakePeerConnection]


@pytest.fixture(params=["compiled", "transitions"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest_asyncio.fixture
async def make(engine: str, journal: Journal) -> AsyncIterator[MakeFake]:
    """Makes peers in memory that share a network and a journal; closes them in the end."""
    made: list[FakePeerConnection] = []
    network = FakeNetwork()

    def make_fake(label: str = "peer", *, media: bool = True, close_timeout_seconds: float = 5.0) -> FakePeerConnection:
        peer = FakePeerConnection(
            Configuration(close_timeout_seconds=close_timeout_seconds),
            network=network,
            engine=engine,
            journal=journal,
            label=label,
        )
        if media:
            peer.add_transceiver("video")
        made.append(peer)
        return peer

    yield make_fake
    for peer in made:
        peer.library.release()
        await peer.close()


# Real ones, on 127.0.0.1.

MakeLive = Callable[..., PeerConnection]
MakeBare = Callable[..., RTCPeerConnection]


@pytest_asyncio.fixture
async def live(journal: Journal) -> AsyncIterator[MakeLive]:
    """Makes peers on aiortc and loopback that share a journal; closes them in the end."""
    made: list[PeerConnection] = []

    def make_live(label: str = "peer", **options: Any) -> PeerConnection:
        peer = PeerConnection(Configuration(loopback=True, **options), journal=journal, label=label)
        made.append(peer)
        return peer

    yield make_live
    for peer in made:
        await peer.close()


@pytest_asyncio.fixture
async def bare(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeBare]:
    """Makes bare aiortc connections on loopback, each with a data channel; closes them in the end."""
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])
    made: list[RTCPeerConnection] = []

    def make_bare(*, channel: bool = True, servers: tuple[str, ...] = ()) -> RTCPeerConnection:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[RTCIceServer(url) for url in servers]))
        if channel:
            peer.createDataChannel("chat")
        made.append(peer)
        return peer

    yield make_bare
    for peer in made:
        await peer.close()


@pytest_asyncio.fixture
async def silent_server() -> AsyncIterator[str]:
    """The address of a STUN server that never answers."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    host, port = transport.get_extra_info("sockname")
    yield f"stun:{host}:{port}"
    transport.close()
