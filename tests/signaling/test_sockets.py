"""Closing a socket when its peer reads nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, broadcast

from fsm_rtc.signaling.sockets import SILENT, WRITE_BUFFER_BYTES, close
from tests.signaling.participants import scripted

pytestmark = pytest.mark.live


def fill(socket: ClientConnection) -> None:
    """Send more than the system's buffers take."""
    while socket.transport.get_write_buffer_size() <= 10 * WRITE_BUFFER_BYTES:
        broadcast((socket,), "x" * 1_000_000)


@pytest_asyncio.fixture
async def stuck() -> AsyncIterator[ClientConnection]:
    """A socket with much to write, to a peer that reads nothing."""

    async def read_nothing(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await asyncio.shield(socket.connection_lost_waiter)

    async with scripted(read_nothing) as url, connect(url, compression=None, write_limit=WRITE_BUFFER_BYTES) as socket:
        fill(socket)
        yield socket
        socket.transport.abort()


async def test_closing_doesn_t_wait_to_write(stuck: ClientConnection) -> None:
    await close(stuck, timeout_seconds=0.05)
    assert stuck.transport.is_closing()
    await stuck.wait_closed()


async def test_a_cancelled_close_has_closed_it(stuck: ClientConnection) -> None:
    closing = asyncio.create_task(close(stuck, timeout_seconds=1000))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert stuck.transport.is_closing()
    await stuck.wait_closed()


def test_the_library_s_logger_is_silent_whatever_is_configured(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.NOTSET):
        SILENT.critical("a frame")
    assert not SILENT.isEnabledFor(logging.CRITICAL)
    assert caplog.records == []
