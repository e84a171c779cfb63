"""What the server's and the client's WebSockets have in common: their limits, their silence, how they are closed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from websockets.asyncio.connection import Connection

__all__ = ["SILENT", "WRITE_BUFFER_BYTES", "close"]

SILENT = logging.Logger("fsm_rtc.signaling.websockets", level=logging.CRITICAL + 1)  # noqa: LOG001
"""The library's logger for our sockets, out of reach of any configuration: it would log frames, which hold SDP and
keys, and peers' addresses. What is worth knowing is logged by code in `fsm_rtc.signaling`."""

WRITE_BUFFER_BYTES = 32_768
"""More than that unwritten, and who sends to this socket waits."""


async def close(socket: Connection, code: int = 1000, reason: str = "", *, timeout_seconds: float) -> None:
    """Close a socket; it is closed when this returns, and also when it is cancelled.

    The library's own deadline doesn't cover a peer that reads nothing while much is unwritten: it waits to write first.

    Args:
        socket: which; may be closed already.
        code: the WebSocket close code.
        reason: at most 123 bytes of UTF-8.
        timeout_seconds: how long to wait for the peer's part of it.
    """
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await socket.close(code, reason)
    finally:
        socket.transport.abort()
