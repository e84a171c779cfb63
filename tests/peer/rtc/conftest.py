"""Connections as the specification has them, and a PeerConnection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from fsm_rtc.peer import Configuration, PeerConnection
from tests.peer.ice.conftest import silent, turn_port
from tests.peer.wpt.conftest import rtc

__all__ = ["make_peer", "rtc", "silent", "turn_port"]


@pytest_asyncio.fixture
async def make_peer() -> AsyncIterator[Callable[[], PeerConnection]]:
    """Makes peer connections on loopback; closes them in the end."""
    made: list[PeerConnection] = []

    def make_one() -> PeerConnection:
        made.append(PeerConnection(Configuration(loopback=True)))
        return made[-1]

    yield make_one
    for peer in made:
        await peer.close()
