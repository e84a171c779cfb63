"""A real TURN server on 127.0.0.1."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

LIMIT_SECONDS = 20


@asynccontextmanager
async def coturn(folder: Path, *options: str) -> AsyncIterator[int]:
    """The port of a coturn with these options, until the block ends.

    Args:
        folder: where it keeps its files.
        options: how it knows its users, e.g. ``--lt-cred-mech --user=name:secret``.
    """
    program = shutil.which("turnserver")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("there is no turnserver; install coturn (Debian: apt-get install coturn)")
        pytest.skip("there is no turnserver; install coturn (Debian: apt-get install coturn)")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    arguments = (
        "--listening-ip=127.0.0.1 --relay-ip=127.0.0.1 --allow-loopback-peers --realm=test "
        "--no-tls --no-dtls --no-cli --log-file=stdout --simple-log "
        f"--listening-port={port} --pidfile={folder}/pid --userdb={folder}/db"
    )
    server = await asyncio.create_subprocess_exec(
        program,
        "-n",
        *arguments.split(),
        *options,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
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
