"""A WebSocket of bare bytes, for what no library would send."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext

from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import Challenge, decode
from tests.signaling.participants import PATIENCE_SECONDS, hello_of

__all__ = ["CONTINUATION", "PING", "PONG", "TEXT", "RawSocket", "frame", "raw_socket"]

CONTINUATION, TEXT, PING, PONG = 0x0, 0x1, 0x9, 0xA
"""Source: RFC 6455, section 5.2."""


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = True) -> bytes:
    """One frame; its mask is zero, which is legal."""
    first, length = (0x80 if fin else 0) | opcode, len(payload)
    mask = 0x80 if masked else 0
    if length < 126:
        head = struct.pack(">BB", first, mask | length)
    elif length < 65_536:
        head = struct.pack(">BBH", first, mask | 126, length)
    else:
        head = struct.pack(">BBQ", first, mask | 127, length)
    return head + (bytes(4) if masked else b"") + payload


class RawSocket:
    """A client's WebSocket, behind its HTTP request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read(self) -> bytes:
        """The payload of the next frame, of less than 64 KiB."""
        _, length = await self.reader.readexactly(2)
        if length == 126:
            (length,) = struct.unpack(">H", await self.reader.readexactly(2))
        return await self.reader.readexactly(length)

    async def join(self, me: Member) -> None:
        """Answer the challenge, and read the welcome."""
        challenge = decode((await self.read()).decode())
        assert isinstance(challenge, Challenge)
        self.writer.write(frame(TEXT, hello_of(me, challenge.nonce).encode()))
        await self.read()

    async def flood(self, data: bytes, most_bytes: int) -> int:
        """Send the same bytes over and over and read nothing, until cut off; how many were sent."""
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sent = 0
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while sent < most_bytes:
                    self.writer.write(data)
                    await self.writer.drain()
                    sent += len(data)
        except OSError:
            pass
        return sent

    async def close_code(self) -> int | None:
        """Read to the end: the code of the close frame, or None if there was none."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while True:
                    first, length = await self.reader.readexactly(2)
                    if length == 126:
                        (length,) = struct.unpack(">H", await self.reader.readexactly(2))
                    payload = await self.reader.readexactly(length)
                    if first & 0xF == 0x8:
                        return int.from_bytes(payload[:2], "big")
            except (OSError, EOFError):
                return None


@asynccontextmanager
async def raw_socket(
    port: int, path: str, *, ssl: SSLContext | None = None, headers: str = ""
) -> AsyncIterator[RawSocket]:
    """Connect, and ask for a WebSocket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ssl)
    try:
        key = base64.b64encode(os.urandom(16)).decode()
        asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(f"{asked}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        yield RawSocket(reader, writer)
    finally:
        writer.transport.abort()
