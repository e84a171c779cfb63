"""Connections on loopback, as the specification has them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_asyncio

from fsm_rtc import RTCConfiguration, RTCPeerConnection

MakeRtc = Callable[..., RTCPeerConnection]


@pytest_asyncio.fixture
async def rtc() -> AsyncIterator[MakeRtc]:
    """Makes connections on 127.0.0.1; closes them in the end."""
    made: list[RTCPeerConnection] = []

    def make_rtc(**configuration: Any) -> RTCPeerConnection:
        peer = RTCPeerConnection(RTCConfiguration(loopback=True, **configuration))
        made.append(peer)
        return peer

    yield make_rtc
    for peer in made:
        await peer.close()
