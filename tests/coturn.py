"""A real TURN server, on 127.0.0.1 or in a network namespace."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path

import pytest

from tests.network.namespaces import Namespace

LIMIT_SECONDS = 60


@asynccontextmanager
async def coturn(
    folder: Path, *options: str, at: Namespace | None = None, address: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """The port of a coturn with these options, until the block ends.

    Args:
        folder: where it keeps its files.
        options: how it knows its users, e.g. ``--lt-cred-mech --user=name:secret``.
        at: the host that it runs on; this one if None.
        address: where it listens and relays.
    """
    program = shutil.which("turnserver")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("there is no turnserver; install coturn (Debian: apt-get install coturn)")
        pytest.skip("there is no turnserver; install coturn (Debian: apt-get install coturn)")
    with entered(at), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        free.bind((address, 0))
        port = int(free.getsockname()[1])
    arguments = (
        f"--listening-ip={address} --relay-ip={address} --allow-loopback-peers --realm=test "
        "--no-tls --no-dtls --no-cli --log-file=stdout --simple-log "
        f"--listening-port={port} --pidfile={folder}/pid --userdb={folder}/db"
    )
    server = await asyncio.create_subprocess_exec(
        *(at.inside(program) if at is not None else (program,)),
        "-n",
        *arguments.split(),
        *options,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not await accepts(port, at, address):  # noqa: ASYNC110 - another program tells nobody
                await asyncio.sleep(0.02)
        yield port
    finally:
        server.terminate()
        await server.wait()


async def accepts(port: int, at: Namespace | None = None, address: str = "127.0.0.1") -> bool:
    """Whether somebody listens there."""
    with entered(at):
        asking = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with asking:
        try:
            await asyncio.get_running_loop().sock_connect(asking, (address, port))
        except OSError:
            return False
    return True


def entered(at: Namespace | None) -> AbstractContextManager[None]:
    """Sockets are made on this host, or here if None."""
    return at.entered() if at is not None else nullcontext()
