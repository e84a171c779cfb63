"""close: every state at once, and no event of the connection."""

from __future__ import annotations

from typing import Any

import pytest

from tests.peer.wpt.conftest import MakeRtc
from tests.peer.wpt.exchanges import connected, exchange, trickle, turns, watched
from tests.peer.wpt.subtests import wpt

SIGNALING = "RTCPeerConnection-onsignalingstatechanged.https.html"
ICE = "RTCPeerConnection-iceConnectionState.https.html"
CONNECTION = "RTCPeerConnection-connectionState.https.html"


@wpt(ICE, "Closing the connection should set iceConnectionState to closed")
@wpt(CONNECTION, "Closing the connection should set connectionState to closed")
@pytest.mark.parametrize("attribute", ["iceConnectionState", "connectionState"])
async def test_a_connection_is_closed_at_the_call(rtc: MakeRtc, attribute: str) -> None:
    pc = rtc()
    closing = pc.close()
    assert getattr(pc, attribute) == "closed"
    await closing


@wpt(SIGNALING, "Closing a PeerConnection should not fire signalingstatechange event")
@wpt(ICE, "Closing a PeerConnection should not fire iceconnectionstatechange event")
@wpt(CONNECTION, "Closing a PeerConnection should not fire connectionstatechange event")
@pytest.mark.parametrize("attribute", ["signalingState", "iceConnectionState", "connectionState"])
async def test_closing_a_connected_one_fires_nothing(rtc: MakeRtc, attribute: str) -> None:
    one, other = rtc(), rtc()
    trickle(one, other)
    one.addTransceiver("audio")
    await exchange(one, other)
    await connected(one, other)
    events: list[Any] = watched(other, attribute.lower() + "change")
    closing = other.close()
    assert getattr(other, attribute) == "closed"
    await closing
    await turns()
    assert events == []
