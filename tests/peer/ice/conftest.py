"""ICE transports on 127.0.0.1, servers that never answer, and a real coturn."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiortc
import pytest
import pytest_asyncio

from fsm_rtc.peer.ice import IceGatherer, IceTransport
from tests.coturn import coturn

MakeIce = Callable[..., tuple[IceGatherer, IceTransport]]


@pytest_asyncio.fixture
async def ice() -> AsyncIterator[MakeIce]:
    """Makes gatherers with their transports; stops them in the end."""
    made: list[IceTransport] = []

    def make(*urls: str, **options: Any) -> tuple[IceGatherer, IceTransport]:
        servers = [aiortc.RTCIceServer(url, "name", "secret") for url in urls]
        gatherer = IceGatherer(servers, loopback=True, **options)
        transport = IceTransport(gatherer)
        made.append(transport)
        return gatherer, transport

    yield make
    for transport in made:
        await transport.stop()
        await transport.iceGatherer.stop()


@pytest.fixture
def silent() -> Iterator[Callable[[], int]]:
    """Makes UDP ports on which nobody ever answers."""
    sockets: list[socket.socket] = []

    def make() -> int:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        sockets.append(one)
        return int(one.getsockname()[1])

    yield make
    for one in sockets:
        one.close()


@pytest_asyncio.fixture
async def turn_port(tmp_path: Path) -> AsyncIterator[int]:
    """The port of a coturn for the user ``name`` with the password ``secret``."""
    async with coturn(tmp_path, "--lt-cred-mech", "--user=name:secret") as port:
        yield port
