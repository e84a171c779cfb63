"""ICE transports on 127.0.0.1, servers that never answer, and a real coturn."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiortc
import pytest
import pytest_asyncio

from fsm_rtc.peer.ice import IceGatherer, IceTransport

MakeIce = Callable[..., tuple[IceGatherer, IceTransport]]
LIMIT_SECONDS = 20


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
    program = shutil.which("turnserver")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("there is no turnserver; install coturn (Debian: apt-get install coturn)")
        pytest.skip("there is no turnserver; install coturn (Debian: apt-get install coturn)")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    arguments = (
        "--listening-ip=127.0.0.1 --relay-ip=127.0.0.1 --allow-loopback-peers --realm=test --user=name:secret "
        "--lt-cred-mech --no-tls --no-dtls --no-cli --log-file=stdout --simple-log "
        f"--listening-port={port} --pidfile={tmp_path}/pid --userdb={tmp_path}/db"
    )
    server = await asyncio.create_subprocess_exec(
        program, "-n", *arguments.split(), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not await accepts(port):  # noqa: ASYNC110 - another program tells nobody
                await asyncio.sleep(0.02)
        yield port
    finally:
        server.terminate()
        await server.wait()


async def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
